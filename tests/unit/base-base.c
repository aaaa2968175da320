/* Errors, streams, arenas, texts, products. */
#include <ebrsweep/base.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static ebr_error *deepest(int value)
{
  ebr_error *error = NULL;
  EBR_CHECK(value >= 0, EBR_SWEEP, "the value must be >= 0, received %d", value);
done:
  return error;
}

static ebr_error *middle(int value, int *cleaned)
{
  ebr_error *error = NULL;
  EBR_TRY(deepest(value));
done:
  (*cleaned)++;
  return error;
}

static void errors_carry_code_message_and_trace(void **state)
{
  int cleaned = 0;
  ebr_error *error = middle(1, &cleaned);
  assert_null(error);
  error = middle(-3, &cleaned);
  assert_int_equal(cleaned, 2);
  assert_int_equal(ebr_error_code(error), EBR_SWEEP);
  assert_string_equal(ebr_error_message(error), "the value must be >= 0, received -3");
  assert_non_null(strstr(ebr_error_trace(error), "base-base.c"));
  assert_non_null(strstr(ebr_error_trace(error), "middle"));
  ebr_error_destroy(&error);
  assert_null(error);
  ebr_error_destroy(&error);
  (void)state;
}

static void codes_have_the_designs_exits(void **state)
{
  assert_int_equal(ebr_code_exit(EBR_OK), 0);
  assert_int_equal(ebr_code_exit(EBR_FAILED_RUNS), 1);
  assert_int_equal(ebr_code_exit(EBR_USAGE), 2);
  assert_int_equal(ebr_code_exit(EBR_SWEEP), 2);
  assert_int_equal(ebr_code_exit(EBR_FILE), 3);
  assert_int_equal(ebr_code_exit(EBR_STOPPED), 75);
  assert_string_equal(ebr_code_name(EBR_DATA), "EBR_DATA");
  assert_string_equal(ebr_code_sentence(EBR_MEMORY), "out of memory");
  (void)state;
}

/* Random123's known answer for philox4x32-10 of zeros (kat_vectors): 6627e8d5 e169c58d bc57ac4c 9b00dbd8. */
static void streams_are_philox(void **state)
{
  ebr_stream stream = ebr_stream_start(0, (ebr_purpose)0, 0);
  assert_int_equal(ebr_stream_bits(&stream), 0x6627e8d5);
  assert_int_equal(ebr_stream_bits(&stream), 0xe169c58d);
  assert_int_equal(ebr_stream_bits(&stream), 0xbc57ac4c);
  assert_int_equal(ebr_stream_bits(&stream), 0x9b00dbd8);
  (void)state;
}

static void streams_depend_on_key_purpose_and_index(void **state)
{
  ebr_stream base = ebr_stream_start(1, EBR_PURPOSE_TEST, 0), same = ebr_stream_start(1, EBR_PURPOSE_TEST, 0);
  ebr_stream others[3] = {ebr_stream_start(2, EBR_PURPOSE_TEST, 0), ebr_stream_start(1, EBR_PURPOSE_SPLIT, 0),
                          ebr_stream_start(1, EBR_PURPOSE_TEST, 1)};
  uint32_t first = ebr_stream_bits(&base);
  assert_int_equal(first, ebr_stream_bits(&same));
  for (int k = 0; k < 3; k++) assert_int_not_equal(first, ebr_stream_bits(&others[k]));
  (void)state;
}

/* Moments of 2e5 draws within five standard errors. */
static void normals_and_uniforms_have_their_moments(void **state)
{
  enum { COUNT = 200000 };
  ebr_stream stream = ebr_stream_start(4, EBR_PURPOSE_TEST, 0);
  double sum = 0, square = 0, fourth = 0, uniform = 0;
  int below[3] = {0, 0, 0};
  for (int k = 0; k < COUNT; k++) {
    double z = ebr_stream_normal(&stream), u = ebr_stream_uniform(&stream);
    assert_true(u > 0 && u < 1);
    sum += z;
    square += z * z;
    fourth += z * z * z * z;
    uniform += u;
    below[ebr_stream_below(&stream, 3)]++;
  }
  double root = sqrt(COUNT);
  assert_true(fabs(sum / COUNT) < 5 / root);
  assert_true(fabs(square / COUNT - 1) < 5 * sqrt(2) / root);
  assert_true(fabs(fourth / COUNT - 3) < 5 * sqrt(96) / root);
  assert_true(fabs(uniform / COUNT - 0.5) < 5 * sqrt(1.0 / 12) / root);
  for (int k = 0; k < 3; k++) assert_true(fabs((double)below[k] / COUNT - 1.0 / 3) < 5 * sqrt(2.0 / 9) / root);
  (void)state;
}

static void shuffles_are_permutations(void **state)
{
  enum { COUNT = 257 };
  int32_t items[COUNT];
  int seen[COUNT] = {0}, moved = 0;
  ebr_stream stream = ebr_stream_start(9, EBR_PURPOSE_TEST, 0);
  for (int k = 0; k < COUNT; k++) items[k] = k;
  ebr_stream_shuffle(&stream, items, COUNT);
  for (int k = 0; k < COUNT; k++) {
    seen[items[k]]++;
    moved += items[k] != k;
  }
  for (int k = 0; k < COUNT; k++) assert_int_equal(seen[k], 1);
  assert_true(moved > COUNT / 2);
  (void)state;
}

static void arenas_measure_what_they_then_hold(void **state)
{
  ebr_arena arena = ebr_arena_measuring();
  assert_null(ebr_arena_take(&arena, 3, 8));
  assert_null(ebr_arena_take(&arena, 100, 4));
  size_t needed = arena.used;
  ebr_error *error = ebr_arena_create(needed, &arena);
  assert_null(error);
  unsigned char *a = ebr_arena_take(&arena, 3, 8), *b = ebr_arena_take(&arena, 100, 4);
  assert_int_equal((uintptr_t)a % 64, 0);
  assert_int_equal((uintptr_t)b % 64, 0);
  for (int k = 0; k < 400; k++) assert_int_equal(b[k], 0);
  assert_int_equal(arena.used, needed);
  ebr_arena_destroy(&arena);
  ebr_arena_destroy(&arena);
  error = ebr_arena_create(SIZE_MAX - 8, &arena);
  assert_int_equal(ebr_error_code(error), EBR_MEMORY);
  ebr_error_destroy(&error);
  (void)state;
}

static void texts_grow_escape_and_round_trip(void **state)
{
  ebr_text text = {0};
  const double values[] = {0, 0.1, 1e-300, 12345678901234567.0, -2.5, 1.0 / 3};
  for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
    text.length = 0;
    assert_null(ebr_text_add_number(&text, values[k]));
    assert_true(strtod(text.data, NULL) == values[k]);
  }
  text.length = 0;
  assert_null(ebr_text_add_number(&text, NAN));
  assert_string_equal(text.data, "null");
  text.length = 0;
  assert_null(ebr_text_add_json(&text, "a\"b\\c\nd\x01"));
  assert_string_equal(text.data, "\"a\\\"b\\\\c\\nd\\u0001\"");
  for (int k = 0; k < 1000; k++) assert_null(ebr_text_add(&text, "%d,", k));
  assert_int_equal(strlen(text.data), text.length);
  ebr_text_destroy(&text);
  assert_int_equal(ebr_text_distance("kitten", "sitting"), 3);
  assert_int_equal(ebr_text_distance("", "abc"), 3);
  (void)state;
}

static void files_that_cannot_be_read_say_why(void **state)
{
  char *bytes = NULL;
  size_t count;
  ebr_error *error = ebr_file_read("no-such-file", 10, &bytes, &count);
  assert_string_equal(ebr_error_message(error), "no-such-file: No such file or directory");
  ebr_error_destroy(&error);
  error = ebr_file_read("/", 10, &bytes, &count);
  assert_string_equal(ebr_error_message(error), "/: is no regular file");
  ebr_error_destroy(&error);
  error = ebr_file_read("/proc/self/exe", 10, &bytes, &count);
  assert_non_null(strstr(ebr_error_message(error), "are more than the 10 that are read"));
  ebr_error_destroy(&error);
  (void)state;
}

static void denormals_vanish_only_in_between(void **state)
{
  volatile float tiny = 1e-38f;
  unsigned mode = ebr_denormals_off();
  volatile float flushed = tiny * 0.01f;
  ebr_denormals_restore(mode);
  volatile float kept = tiny * 0.01f;
#if defined(__SSE2__) && !defined(EBR_EMULATED) /* Valgrind has no such mode */
  assert_true(flushed == 0);
#else
  (void)flushed;
#endif
  assert_true(kept > 0);
  (void)state;
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(errors_carry_code_message_and_trace),
                                     cmocka_unit_test(codes_have_the_designs_exits),
                                     cmocka_unit_test(streams_are_philox),
                                     cmocka_unit_test(streams_depend_on_key_purpose_and_index),
                                     cmocka_unit_test(normals_and_uniforms_have_their_moments),
                                     cmocka_unit_test(shuffles_are_permutations),
                                     cmocka_unit_test(arenas_measure_what_they_then_hold),
                                     cmocka_unit_test(texts_grow_escape_and_round_trip),
                                     cmocka_unit_test(files_that_cannot_be_read_say_why),
                                     cmocka_unit_test(denormals_vanish_only_in_between)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
