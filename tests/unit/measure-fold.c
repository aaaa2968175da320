/* The R of rows that come in blocks is LAPACK's R of all of them, up to the signs of its rows. */
#include "measure/fold.h"

#include <ebrsweep/base.h>

#include <lapacke.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS_MOST = 100, COLS_MOST = 70, STRIDE = 40 };

static double whole[ROWS_MOST * COLS_MOST], factor[COLS_MOST * COLS_MOST], expected[ROWS_MOST * COLS_MOST];
static _Alignas(64) double block[STRIDE * COLS_MOST];

/* rows from first on, and zeros behind them up to a whole vector. */
static void copy_rows(int first, int rows, int all, int cols)
{
  for (int j = 0; j < cols; j++)
    for (int i = 0; i < (rows + 7) / 8 * 8; i++) block[j * STRIDE + i] = i < rows ? whole[j * all + first + i] : 0;
}

static void fold_all(int rows, int cols, int each)
{
  memset(factor, 0, sizeof factor);
  for (int first = 0; first < rows; first += each) {
    int count = rows - first < each ? rows - first : each;
    copy_rows(first, count, rows, cols);
    ebr_fold(cols, factor, count, STRIDE, block);
  }
}

static void check(int rows, int cols, int each)
{
  double tau[COLS_MOST], most = 0;
  fold_all(rows, cols, each);
  memcpy(expected, whole, (size_t)rows * (size_t)cols * sizeof *whole);
  assert_int_equal(LAPACKE_dgeqrf(LAPACK_COL_MAJOR, rows, cols, expected, rows, tau), 0);
  for (int k = 0; k < rows * cols; k++) most = fmax(most, fabs(whole[k]));
  for (int j = 0; j < cols; j++)
    for (int i = 0; i <= j && i < rows; i++) {
      double mine = fabs(factor[j * cols + i]), other = fabs(expected[j * rows + i]);
      if (fabs(mine - other) > 1e-13 * most * rows)
        fail_msg("%d x %d, %d rows a block: %g instead of %g in row %d, column %d", rows, cols, each, mine, other, i, j);
    }
}

static void blocks_fold_into_one_triangle(void **state)
{
  static const int shapes[][2] = {{1, 1}, {9, 1}, {10, 3}, {40, 4}, {33, 5}, {64, 17}, {100, 64}, {70, 70}};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (int each = 1; each <= STRIDE; each = 3 * each + 2) {
      int rows = shapes[s][0], cols = shapes[s][1];
      ebr_stream stream = ebr_stream_start(9, EBR_PURPOSE_TEST, (uint32_t)s);
      for (int k = 0; k < rows * cols; k++) whole[k] = ebr_stream_normal(&stream) + 2;
      check(rows, cols, each);
    }
  (void)state;
}

/* A dead neuron, which is a column of zeros, and two that are the same. */
static void columns_may_depend_on_each_other(void **state)
{
  enum { ROWS = 50, COLS = 12 };
  ebr_stream stream = ebr_stream_start(10, EBR_PURPOSE_TEST, 0);
  for (int j = 0; j < COLS; j++)
    for (int i = 0; i < ROWS; i++)
      whole[j * ROWS + i] = j == 0 || j == 6 ? 0 : j == 9 ? whole[2 * ROWS + i] : ebr_stream_normal(&stream);
  fold_all(ROWS, COLS, 32);
  for (int j = 0; j < COLS; j++) {
    double mine = 0, squares = 0;
    for (int i = 0; i <= j; i++) mine += factor[j * COLS + i] * factor[j * COLS + i];
    for (int i = 0; i < ROWS; i++) squares += whole[j * ROWS + i] * whole[j * ROWS + i];
    assert_true(fabs(mine - squares) <= 1e-13 * squares);
  }
  for (int i = 3; i <= 9; i++) assert_true(fabs(factor[9 * COLS + i]) < 1e-13);
  (void)state;
}

static void what_is_not_finite_stays_so(void **state)
{
  enum { ROWS = 20, COLS = 6 };
  static const double worst[] = {NAN, INFINITY, -INFINITY};
  for (int w = 0; w < 3; w++)
    for (int bad = 0; bad < COLS; bad++) {
      bool seen = false;
      for (int k = 0; k < ROWS * COLS; k++) whole[k] = k % 7 - 3;
      whole[bad * ROWS + 11] = worst[w];
      fold_all(ROWS, COLS, 16);
      for (int i = 0; i <= bad; i++) seen = seen || !isfinite(factor[bad * COLS + i]);
      assert_true(seen);
    }
  (void)state;
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(blocks_fold_into_one_triangle),
                                     cmocka_unit_test(columns_may_depend_on_each_other),
                                     cmocka_unit_test(what_is_not_finite_stays_so)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
