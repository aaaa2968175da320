/* Schema and record: union of declarations, layout, what nobody declared. */
#include "store_fixture.h"

static void union_of_declarations(void **state)
{
  ebr_schema *schema = NULL;
  expect_ok(ebr_schema_create(&schema));
  expect_ok(ebr_schema_add(schema, "a", "s", "first", 1, 1));
  expect_ok(ebr_schema_add(schema, "b", "", "", 3, 2));
  expect_ok(ebr_schema_add(schema, "c", "", "", 4, 1));
  expect_ok(ebr_schema_add(schema, "b", "ignored", "", 2, 5));
  expect_ok(ebr_schema_add(schema, "a", "", "", 1, 1));
  assert_int_equal(ebr_schema_count(schema), 3);
  assert_int_equal(ebr_schema_find(schema, "b"), 1);
  assert_int_equal(ebr_schema_find(schema, "d"), -1);
  assert_int_equal(ebr_schema_at(schema, 1)->points, 3);
  assert_int_equal(ebr_schema_at(schema, 1)->values, 5);
  assert_int_equal(ebr_schema_at(schema, 2)->offset, 1 + 15);
  assert_int_equal(ebr_schema_size(schema), 1 + 15 + 4);
  assert_string_equal(ebr_schema_at(schema, 0)->unit, "s");
  ebr_schema_destroy(&schema);
  assert_null(schema);
  ebr_schema_destroy(&schema);
}

static void records_are_not_measured_until_set(void **state)
{
  ebr_schema *schema = make_schema(3, 4, false);
  ebr_record *record = NULL;
  expect_ok(ebr_record_create(schema, &record));
  for (size_t i = 0; i < ebr_schema_size(schema); i++) assert_true(isnan(record->values[i]));
  expect_ok(ebr_record_set(record, "spectrum", 2, 1, 5));
  assert_true(record->values[1 + 3 + 2 * 4 + 1] == 5);
  ebr_record_clear(record);
  assert_true(isnan(record->values[1 + 3 + 2 * 4 + 1]));
  expect_error(ebr_record_set(record, "other", 0, 0, 1), EBR_INTERNAL, "nobody declared the column 'other'");
  expect_error(ebr_record_set(record, "curve", 3, 0, 1), EBR_INTERNAL, "column 'curve' has no place [3][0]");
  expect_error(ebr_record_set(record, "curve", 0, 1, 1), EBR_INTERNAL, "no place [0][1]");
  ebr_record_destroy(&record);
  assert_null(record);
  ebr_schema_destroy(&schema);
}

static void bad_columns(void **state)
{
  ebr_schema *schema = make_schema(3, 4, false);
  expect_error(ebr_schema_add(schema, "", "", "", 1, 1), EBR_INTERNAL, "'' cannot name a column");
  expect_error(ebr_schema_add(schema, "a/b", "", "", 1, 1), EBR_INTERNAL, "no slash");
  expect_error(ebr_schema_add(schema, "a", "", "", 0, 1), EBR_INTERNAL, "0 points of 1 values");
  ebr_schema_destroy(&schema);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(union_of_declarations),
                                     cmocka_unit_test(records_are_not_measured_until_set),
                                     cmocka_unit_test(bad_columns)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
