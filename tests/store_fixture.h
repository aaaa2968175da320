/* What the tests of the store share: small sweeps, a schema with a scalar, a curve and a spectrum, and numbers for them
 * that are a function of the run's id, so that any reader can tell what should be there. */
#ifndef EBR_TESTS_STORE_FIXTURE_H
#define EBR_TESTS_STORE_FIXTURE_H

#include <ebrsweep/store.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static inline void expect_ok(ebr_error *error)
{
  if (error) fail_msg("%s\n%s", ebr_error_message(error), ebr_error_trace(error));
}

static inline void expect_error(ebr_error *error, ebr_code code, const char *part)
{
  assert_non_null(error);
  if (!strstr(ebr_error_message(error), part)) fail_msg("'%s' lacks '%s'", ebr_error_message(error), part);
  assert_int_equal(ebr_error_code(error), code);
  ebr_error_destroy(&error);
}

/* methods such as "vanilla, kd"; seeds 0 .. seeds - 1. */
static inline ebr_sweep *make_sweep(const char *name, const char *methods, int seeds)
{
  char text[512];
  ebr_sweep *sweep = NULL;
  snprintf(text, sizeof text,
           "name: %s\nquestion: Why?\nbase:\n  data: {modalities: 3, train: 256, test: 32}\naxes:\n"
           "  method: [%s]\n  seed: {from: 0, count: %d}\n",
           name, methods, seeds);
  expect_ok(ebr_sweep_parse(text, strlen(text), "test.yaml", NULL, &sweep));
  return sweep;
}

static inline ebr_schema *make_schema(int points, int values, bool more)
{
  ebr_schema *schema = NULL;
  expect_ok(ebr_schema_create(&schema));
  expect_ok(ebr_schema_add(schema, "test.loss", "nats", "Test loss", 1, 1));
  expect_ok(ebr_schema_add(schema, "curve", "nats", "A curve", points, 1));
  expect_ok(ebr_schema_add(schema, "spectrum", "", "A spectrum", points, values));
  if (more) expect_ok(ebr_schema_add(schema, "more", "", "One more", 1, 1));
  return schema;
}

static inline double number_of(uint64_t id, int column, int place)
{
  uint64_t key[3] = {id, (uint64_t)column, (uint64_t)place};
  return (double)(ebr_hash(key, sizeof key, 7) >> 12) * 0x1p-20;
}

static inline void write_run(ebr_store *store, const ebr_sweep *sweep, const ebr_schema *schema, int64_t run,
                             const char *reason)
{
  ebr_config config;
  ebr_record *record = NULL;
  ebr_row row = {.id = ebr_sweep_id(sweep, run), .started = 1000 + (double)run, .rank = 0};
  snprintf(row.host, sizeof row.host, "node");
  expect_ok(ebr_record_create(schema, &record));
  ebr_sweep_run(sweep, run, &config);
  expect_ok(ebr_store_begin(store, run, &config, &row));
  for (int c = 0; c < ebr_schema_count(schema); c++) {
    const ebr_column *column = ebr_schema_at(schema, c);
    for (int i = 0; i < column->points * column->values; i++)
      record->values[column->offset + (size_t)i] = number_of(row.id, c, i);
  }
  row.seconds = 0.5;
  row.status = reason ? EBR_STATUS_FAILED : EBR_STATUS_DONE;
  snprintf(row.reason, sizeof row.reason, "%s", reason ? reason : "");
  expect_ok(ebr_store_write(store, run, &config, &row, record));
  ebr_record_destroy(&record);
}

/* The row of a run in a file, or -1. */
static inline int64_t find_run(ebr_results *results, uint64_t id)
{
  ebr_row row;
  for (int64_t i = 0; i < ebr_results_count(results); i++) {
    ebr_results_row(results, i, &row);
    if (row.id == id) return i;
  }
  return -1;
}

static inline int64_t count_status(ebr_results *results, ebr_status status)
{
  ebr_row row;
  int64_t count = 0;
  for (int64_t i = 0; i < ebr_results_count(results); i++) {
    ebr_results_row(results, i, &row);
    count += row.status == status;
  }
  return count;
}

#endif
