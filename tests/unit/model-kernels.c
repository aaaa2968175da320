/* Passes and losses against plain loops in double, at widths with and without a rest behind whole vectors. */
#include "model/kernels.h"

#include <ebrsweep/data.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS_MOST = 130, COLS_MOST = 700, CELLS = ROWS_MOST * COLS_MOST };

static const int widths[] = {1, 2, 7, 8, 16, 17, 31, 64, 65, 80, 130, 512, 513, 700};
enum { WIDTHS = sizeof widths / sizeof *widths };

static ebr_real x[CELLS], y[CELLS], dx[CELLS];

static void fill(uint32_t index, size_t count, ebr_real scale, ebr_real *values)
{
  ebr_stream stream = ebr_stream_start(11, EBR_PURPOSE_TEST, index);
  for (size_t k = 0; k < count; k++) values[k] = scale * (ebr_real)ebr_stream_normal(&stream);
}

/* log sum exp of a row, in double. */
static double log_sum(int cols, const ebr_real *row)
{
  double most = (double)row[0], sum = 0;
  for (int c = 1; c < cols; c++) most = fmax(most, (double)row[c]);
  for (int c = 0; c < cols; c++) sum += exp((double)row[c] - most);
  return most + log(sum);
}

static void label_all(int rows, int cols, int32_t *label)
{
  for (int r = 0; r < rows; r++) label[r] = 7 * r % cols;
}

static void cross_entropy_is_that_of_plain_loops(void **state)
{
  static const int rows[] = {1, 63, 64, 65, ROWS_MOST};
  int32_t label[ROWS_MOST];
  uint8_t weight[ROWS_MOST];
  for (int r = 0; r < ROWS_MOST; r++) weight[r] = r % 3 != 1;
  for (int w = 0; w < WIDTHS; w++)
    for (int k = 0; k < 5; k++) {
      int cols = widths[w], count = rows[k];
      double expected = 0, right = 0, correct = 0;
      fill((uint32_t)w, (size_t)count * (size_t)cols, 3, x);
      label_all(count, cols, label);
      double found = ebr_cross_entropy(count, cols, x, label, weight, (ebr_real)0.5, dx, &correct);
      for (int r = 0; r < count; r++) {
        const ebr_real *row = x + (size_t)r * cols;
        bool best = true;
        for (int c = 0; c < cols; c++) {
          double share = weight[r] ? 0.5 * (exp((double)row[c] - log_sum(cols, row)) - (c == label[r])) : 0;
          if (fabs((double)dx[(size_t)r * cols + c] - share) > 1e-6) fail_msg("%d x %d: %d, %d", count, cols, r, c);
          best = best && (c == label[r] || row[c] < row[label[r]]);
        }
        if (!weight[r]) continue;
        expected += log_sum(cols, row) - (double)row[label[r]];
        right += best;
      }
      if (fabs(found - expected) > 2e-6 * fabs(expected) + 1e-6) fail_msg("%d x %d: %g, not %g", count, cols, found, expected);
      assert_true(correct == right);
    }
  (void)state;
}

static void a_loss_needs_no_gradient_and_no_company(void **state)
{
  int32_t label[ROWS_MOST];
  for (int w = 0; w < WIDTHS; w++) {
    int cols = widths[w];
    double alone = 0;
    fill(100 + (uint32_t)w, (size_t)ROWS_MOST * (size_t)cols, 3, x);
    label_all(ROWS_MOST, cols, label);
    double with = ebr_cross_entropy(ROWS_MOST, cols, x, label, NULL, 1, dx, NULL);
    for (int r = 0; r < ROWS_MOST; r++) {
      ebr_real row[COLS_MOST];
      alone += ebr_cross_entropy(1, cols, x + (size_t)r * cols, label + r, NULL, 1, row, NULL);
      assert_memory_equal(row, dx + (size_t)r * cols, (size_t)cols * sizeof *row);
    }
    assert_true(ebr_cross_entropy(ROWS_MOST, cols, x, label, NULL, 1, NULL, NULL) == with);
    assert_true(alone == with);
  }
  (void)state;
}

static void losses_of_what_is_no_number_are_none(void **state)
{
  const ebr_real bad[] = {(ebr_real)NAN, (ebr_real)INFINITY};
  int32_t label = 0;
  for (int k = 0; k < 2; k++) {
    ebr_real row[3] = {0, bad[k], 1};
    assert_false(isfinite(ebr_cross_entropy(1, 3, row, &label, NULL, 1, dx, NULL)));
    assert_false(isfinite(ebr_cross_entropy(1, 3, row, &label, NULL, 1, NULL, NULL)));
  }
  (void)state;
}

static void confusion_is_least_where_all_are_alike(void **state)
{
  enum { ROWS = 70, COLS = 5 };
  double expected = 0;
  fill(300, (size_t)ROWS * COLS, 2, x);
  double found = ebr_confusion(ROWS, COLS, x, NULL, 1, dx);
  for (int r = 0; r < ROWS; r++) {
    double mean = 0;
    for (int c = 0; c < COLS; c++) mean += (double)x[r * COLS + c] / COLS;
    expected += log_sum(COLS, x + r * COLS) - mean;
  }
  assert_true(fabs(found - expected) < 1e-5 * expected);
  memset(x, 0, (size_t)ROWS * COLS * sizeof *x);
  assert_true(fabs(ebr_confusion(ROWS, COLS, x, NULL, 1, dx) - ROWS * log(COLS)) < 1e-4);
  for (int k = 0; k < ROWS * COLS; k++) assert_true(fabs((double)dx[k]) < 1e-7);
  (void)state;
}

static void biases_and_activations_at_any_width(void **state)
{
  enum { ROWS = 9 };
  ebr_real bias[COLS_MOST], dbias[COLS_MOST];
  for (int w = 0; w < 2 * WIDTHS; w++) {
    int cols = widths[w / 2], relu = w % 2;
    size_t count = (size_t)ROWS * (size_t)cols;
    fill(400 + (uint32_t)w, count, 1, x);
    fill(500 + (uint32_t)w, (size_t)cols, 1, bias);
    memcpy(y, x, count * sizeof *y);
    ebr_bias_activate(ROWS, cols, bias, relu, y);
    fill(600 + (uint32_t)w, count, 1, dx);
    memcpy(x + CELLS / 2, dx, count * sizeof *dx);
    ebr_bias_activate_backward(ROWS, cols, y, relu, dx, dbias);
    for (int c = 0; c < cols; c++) {
      ebr_real sum = 0;
      for (int r = 0; r < ROWS; r++) {
        size_t k = (size_t)r * (size_t)cols + (size_t)c;
        ebr_real before = x[k] + bias[c], after = relu && !(before > 0) ? 0 : before;
        ebr_real kept = relu && !(after > 0) ? 0 : x[CELLS / 2 + k];
        if (y[k] != after || dx[k] != kept) fail_msg("%d columns, relu %d: %d, %d", cols, relu, r, c);
        sum += kept;
      }
      assert_true(dbias[c] == sum);
    }
  }
  (void)state;
}

/* Sizes with and without a rest behind whole tiles; the last two are more than BLAS multiplies unpacked by itself. */
static void inputs_get_the_product_with_the_transpose(void **state)
{
  static const int sizes[][3] = {{1, 1, 1}, {3, 5, 6}, {7, 16, 16}, {9, 33, 20}, {64, 19, 35}, {130, 96, 97}, {128, 260, 64}};
  static ebr_real transposed[CELLS];
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    int rows = sizes[s][0], in = sizes[s][1], out = sizes[s][2];
    fill(1, (size_t)rows * (size_t)out, 1, x);
    fill(2, (size_t)in * (size_t)out, 1, y);
    ebr_linear_backward_input(rows, in, out, x, y, dx, transposed);
    for (int r = 0; r < rows; r++)
      for (int i = 0; i < in; i++) {
        double expected = 0;
        for (int o = 0; o < out; o++) expected += (double)x[(size_t)r * out + o] * (double)y[(size_t)i * out + o];
        if (fabs((double)dx[(size_t)r * in + i] - expected) > 1e-4) fail_msg("%d x %d x %d: %d, %d", rows, in, out, r, i);
      }
  }
  (void)state;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cross_entropy_is_that_of_plain_loops), cmocka_unit_test(a_loss_needs_no_gradient_and_no_company),
      cmocka_unit_test(losses_of_what_is_no_number_are_none), cmocka_unit_test(confusion_is_least_where_all_are_alike),
      cmocka_unit_test(biases_and_activations_at_any_width),
      cmocka_unit_test(inputs_get_the_product_with_the_transpose)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
