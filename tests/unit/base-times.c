/* Where time goes: all of it goes somewhere. */
#include <ebrsweep/base.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void all_time_is_charged(void **state)
{
  double start = ebr_clock_seconds(), sum = 0;
  ebr_times times = ebr_times_start();
  for (int i = 0; i < EBR_TIMES; i++) {
    usleep(1000 * (useconds_t)(i + 1));
    ebr_times_charge(&times, (ebr_time)i);
  }
  usleep(2000);
  ebr_times_charge(&times, EBR_TIME_TRAINING);
  double passed = ebr_clock_seconds() - start;
  for (int i = 0; i < EBR_TIMES; i++) {
    assert_true(times.seconds[i] >= 1e-3 * (i + 1));
    sum += times.seconds[i];
  }
  assert_true(times.seconds[EBR_TIME_TRAINING] >= 1e-3 * (EBR_TIME_TRAINING + 1) + 2e-3);
  assert_true(sum <= passed && sum > passed - 1e-3);
}

static void nobody_asked(void **state) { ebr_times_charge(NULL, EBR_TIME_DATA); }

static void names_differ(void **state)
{
  for (int i = 0; i < EBR_TIMES; i++) {
    assert_true(strlen(ebr_time_sentence((ebr_time)i)) > 0);
    for (int k = 0; k < i; k++) assert_string_not_equal(ebr_time_name((ebr_time)i), ebr_time_name((ebr_time)k));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_time_is_charged), cmocka_unit_test(nobody_asked),
                                     cmocka_unit_test(names_differ)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
