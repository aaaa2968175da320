/* Singular values of two diagonals: closed forms, and LAPACK's dqds where there is none. */
#include "measure/bisect.h"

#include <ebrsweep/base.h>

#include <lapacke.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 300 };
static const double pi = 3.14159265358979323846, eps = 0x1p-52;

static double diagonal[MOST], above[MOST], found[MOST], work[2 * MOST + 64];

static void bisect(int count)
{
  assert_true(ebr_bisect_work(count) <= sizeof work / sizeof *work);
  ebr_bisect(count, diagonal, above, work, found);
}

/* Ones on both diagonals: 2 cos(k pi / (2 n + 1)). */
static void ones_have_their_closed_form(void **state)
{
  static const int counts[] = {1, 2, 3, 7, 8, 9, 31, 32, 33, 64, 100, MOST};
  static const double scales[] = {1, 1e-150, 1e150, 3};
  for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
      int n = counts[c];
      for (int i = 0; i < n; i++) diagonal[i] = above[i] = i % 3 ? scales[s] : -scales[s];
      bisect(n);
      for (int k = 1; k <= n; k++) {
        double expected = 2 * cos(k * pi / (2 * n + 1));
        if (fabs(found[k - 1] / scales[s] - expected) > 3 * eps)
          fail_msg("%d of %d: %.17g, not %.17g", k, n, found[k - 1], expected);
      }
    }
  (void)state;
}

/* Nothing above the diagonal: the diagonal's magnitudes, zeros and equal ones among them. */
static void diagonals_are_sorted(void **state)
{
  static const double values[] = {0, -3, 1e-20, 2, 2, -2, 0.5, 3};
  static const double sorted[] = {3, 3, 2, 2, 2, 0.5, 0, 0};
  memset(above, 0, sizeof above);
  memcpy(diagonal, values, sizeof values);
  bisect(8);
  for (int k = 0; k < 8; k++) assert_true(fabs(found[k] - sorted[k]) <= 3 * eps);
  memset(diagonal, 0, sizeof diagonal);
  bisect(8);
  for (int k = 0; k < 8; k++) assert_true(found[k] == 0);
  (void)state;
}

static void compare_with_dqds(int n, double allowed)
{
  double unused = 0, values[MOST], beside[MOST], space[4 * MOST];
  memcpy(values, diagonal, sizeof values);
  memcpy(beside, above, sizeof beside);
  bisect(n);
  assert_int_equal(LAPACKE_dbdsqr_work(LAPACK_COL_MAJOR, 'U', n, 0, 0, 0, values, beside, &unused, 1, &unused, 1, &unused, 1,
                                       space),
                   0);
  for (int k = 0; k < n; k++)
    if (fabs(values[k] - found[k]) > allowed * values[0])
      fail_msg("%d of %d: %.17g, dqds %.17g", k, n, found[k], values[k]);
}

/* Random, graded over fourteen decades, in pieces, and with a zero on the diagonal; dqds is the less exact of both. */
static void values_are_those_of_dqds(void **state)
{
  ebr_stream stream = ebr_stream_start(3, EBR_PURPOSE_TEST, 0);
  for (int kind = 0; kind < 4; kind++)
    for (int n = 1; n <= MOST; n = 2 * n + 1) {
      for (int i = 0; i < n; i++) {
        double size = kind == 1 ? pow(10, -14. * i / n) : 1;
        diagonal[i] = size * ebr_stream_normal(&stream);
        above[i] = kind == 2 && i % 5 == 0 ? 0 : size * ebr_stream_normal(&stream);
      }
      if (kind == 3) diagonal[n / 2] = 0;
      compare_with_dqds(n, 20 * eps);
    }
  (void)state;
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(ones_have_their_closed_form), cmocka_unit_test(diagonals_are_sorted),
                                     cmocka_unit_test(values_are_those_of_dqds)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
