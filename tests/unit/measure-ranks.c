/* Rank measures against closed forms, and singular values against matrices made to have them. */
#include <ebrsweep/measure.h>

#include "measure/tall.h"

#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void must(ebr_error *error)
{
  if (error) fail_msg("%s", ebr_error_message(error));
}

static void close_to(double value, double expected, double relative)
{
  if (!(fabs(value - expected) <= relative * fabs(expected))) fail_msg("%.17g is not %.17g", value, expected);
}

/* ---- ranks ------------------------------------------------------------------------------------------------------- */

static void identity_has_full_rank(void **state)
{
  double singular[5] = {2, 2, 2, 2, 2};
  ebr_ranks ranks;
  ebr_ranks_from(singular, 5, 5, 5, &ranks);
  close_to(ranks.numerical, 5, 0);
  close_to(ranks.numerical_2, 5, 0);
  close_to(ranks.numerical_3, 5, 0);
  close_to(ranks.effective, 5, 1e-14);
  close_to(ranks.stable, 5, 1e-14);
  close_to(ranks.participation, 5, 1e-14);
  close_to(ranks.nuclear, 10, 1e-14);
  close_to(ranks.condition, 1, 0);
}

static void one_direction_has_rank_one(void **state)
{
  double singular[3] = {1e200, 0, 0};
  ebr_ranks ranks;
  ebr_ranks_from(singular, 3, 3, 70, &ranks);
  close_to(ranks.numerical, 1, 0);
  close_to(ranks.effective, 1, 0);
  close_to(ranks.stable, 1, 0);
  close_to(ranks.participation, 1, 0);
  close_to(ranks.nuclear, 1e200, 0);
  assert_true(isinf(ranks.condition));
}

/* s_k = r^k, k < N. With S = (1 - r^N) / (1 - r): entropy = ln S - ln r sum k r^k / S; sums of powers are geometric
 * too. */
static void geometric_decay_has_closed_forms(void **state)
{
  enum { N = 12 };
  const double r = 0.5;
  double singular[N], moment = 0, sum = (1 - pow(r, N)) / (1 - r);
  for (int k = 0; k < N; k++) singular[k] = pow(r, k);
  /* sum_{k<N} k r^k = r (1 - N r^(N-1) + (N - 1) r^N) / (1 - r)^2 */
  moment = r * (1 - N * pow(r, N - 1) + (N - 1) * pow(r, N)) / ((1 - r) * (1 - r));
  double squares = (1 - pow(r, 2 * N)) / (1 - r * r), fourths = (1 - pow(r, 4 * N)) / (1 - pow(r, 4));
  ebr_ranks ranks;
  ebr_ranks_from(singular, N, N, 40, &ranks);
  close_to(ranks.effective, sum * pow(r, -moment / sum), 1e-13);
  close_to(ranks.stable, squares, 1e-14);
  close_to(ranks.participation, squares * squares / fourths, 1e-14);
  close_to(ranks.nuclear, sum, 1e-14);
  close_to(ranks.condition, 2048, 1e-14);
  close_to(ranks.numerical, N, 0);
  close_to(ranks.numerical_2, 7, 0);  /* 2^-6 = 0.0156 is above 1e-2, 2^-7 = 0.0078 is not */
  close_to(ranks.numerical_3, 10, 0); /* 2^-9 = 0.00195 is above 1e-3, 2^-10 = 0.00098 is not */
}

static void lapack_tolerance_depends_on_the_longer_side(void **state)
{
  double singular[2] = {1, 100 * DBL_EPSILON};
  ebr_ranks ranks;
  ebr_ranks_from(singular, 2, 2, 99, &ranks);
  close_to(ranks.numerical, 2, 0);
  ebr_ranks_from(singular, 2, 100, 2, &ranks);
  close_to(ranks.numerical, 1, 0);
}

static void nothing_has_no_rank(void **state)
{
  double singular[2] = {0, 0}, broken[2] = {NAN, NAN};
  ebr_ranks ranks;
  ebr_ranks_from(singular, 2, 2, 2, &ranks);
  assert_true(ranks.numerical == 0 && ranks.effective == 0 && ranks.stable == 0 && ranks.nuclear == 0);
  assert_true(isnan(ranks.condition));
  ebr_ranks_from(broken, 2, 2, 2, &ranks);
  assert_true(isnan(ranks.numerical) && isnan(ranks.effective) && isnan(ranks.nuclear));
}

/* ---- matrices with known singular values ------------------------------------------------------------------------- */

/* Random orthonormal rows (count x size): Gram-Schmidt, twice, on normal numbers. */
static void orthonormal(ebr_stream *stream, int count, int size, double *q)
{
  for (int i = 0; i < count; i++) {
    double *row = q + i * size, norm = 0;
    for (int k = 0; k < size; k++) row[k] = ebr_stream_normal(stream);
    for (int pass = 0; pass < 2; pass++)
      for (int j = 0; j < i; j++) {
        double along = 0;
        for (int k = 0; k < size; k++) along += row[k] * q[j * size + k];
        for (int k = 0; k < size; k++) row[k] -= along * q[j * size + k];
      }
    for (int k = 0; k < size; k++) norm += row[k] * row[k];
    for (int k = 0; k < size; k++) row[k] /= sqrt(norm);
  }
}

/* a = sum_k s_k u_k v_k^T (rows x cols) */
static double *made_of(const double *singular, int rank, int rows, int cols)
{
  ebr_stream stream = ebr_stream_start(5, EBR_PURPOSE_TEST, (uint32_t)(rows * 1000 + cols));
  double *u = malloc((size_t)(rank * rows) * sizeof *u), *v = malloc((size_t)(rank * cols) * sizeof *v);
  double *a = calloc((size_t)(rows * cols), sizeof *a);
  orthonormal(&stream, rank, rows, u);
  orthonormal(&stream, rank, cols, v);
  for (int k = 0; k < rank; k++)
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < cols; j++) a[i * cols + j] += singular[k] * u[k * rows + i] * v[k * cols + j];
  free(u);
  free(v);
  return a;
}

static void check_spectrum(const double *expected, int rank, int rows, int cols)
{
  int least = rows < cols ? rows : cols;
  double *a = made_of(expected, rank, rows, cols), *singular = malloc((size_t)least * sizeof *singular);
  must(ebr_singular_values(a, rows, cols, singular));
  for (int k = 0; k < least; k++) {
    double truth = k < rank ? expected[k] : 0;
    if (fabs(singular[k] - truth) > 10 * DBL_EPSILON * expected[0])
      fail_msg("%d x %d, value %d: %.17g is not %.17g", rows, cols, k, singular[k], truth);
  }
  free(singular);
  free(a);
}

static void singular_values_to_condition_1e14(void **state)
{
  static const int shapes[][2] = {{24, 24}, {90, 24}, {24, 90}, {24, 25}};
  double expected[24];
  for (int shape = 0; shape < 4; shape++)
    for (int decade = 0; decade <= 14; decade += 7) {
      for (int k = 0; k < 24; k++) expected[k] = 3 * pow(10, -decade * k / 23.0);
      check_spectrum(expected, 24, shapes[shape][0], shapes[shape][1]);
    }
}

static void singular_values_of_odd_shapes(void **state)
{
  double expected[6] = {7, 7, 3, 1, 1e-3, 1e-9};
  check_spectrum(expected, 6, 40, 30);
  check_spectrum(expected, 6, 30, 40);
  check_spectrum(expected, 1, 1, 50);
  check_spectrum(expected, 1, 50, 1);
  check_spectrum(expected, 1, 1, 1);
  double a[6] = {1, 2, NAN, 4, 5, 6}, singular[2];
  must(ebr_singular_values(a, 2, 3, singular));
  assert_true(isnan(singular[0]) && isnan(singular[1]));
}

/* The other path: LAPACK's dgesvd. Reduced in the cache and, if one side is much longer, by LAPACK. Columns of falling size,
 * one of them zero, and entries of any magnitude. */
static void check_sizes(int rows, int cols, double magnitude)
{
  int least = rows < cols ? rows : cols;
  size_t count = (size_t)rows * (size_t)cols;
  double *a = malloc(count * sizeof *a), *copy = malloc(count * sizeof *copy);
  double *singular = malloc((size_t)least * sizeof *singular), *expected = malloc(2 * (size_t)least * sizeof *expected);
  ebr_stream stream = ebr_stream_start(9, EBR_PURPOSE_TEST, (uint32_t)(rows * 1000 + cols));
  for (size_t k = 0; k < count; k++) {
    int col = (int)(k % (size_t)cols);
    copy[k] = col == 2 ? 0 : pow(10, -12.0 * col / cols) * ebr_stream_normal(&stream);
    a[k] = magnitude * copy[k];
  }
  must(ebr_singular_values(a, rows, cols, singular));
  assert_int_equal(LAPACKE_dgesvd(LAPACK_COL_MAJOR, 'N', 'N', cols, rows, copy, cols, expected, NULL, 1, NULL, 1,
                                  expected + least),
                   0);
  for (int k = 0; k < least; k++)
    if (!(fabs(singular[k] / magnitude - expected[k]) <= 10 * DBL_EPSILON * expected[0]))
      fail_msg("%d x %d, value %d: %.17g is not %.17g", rows, cols, k, singular[k] / magnitude, expected[k]);
  free(expected);
  free(singular);
  free(copy);
  free(a);
}

static void singular_values_of_all_sizes(void **state)
{
  for (int rows = 1; rows <= 19; rows++)
    for (int cols = 1; cols <= 19; cols += 3) check_sizes(rows, cols, 1);
  check_sizes(128, 128, 1);
  check_sizes(300, 128, 1);
  check_sizes(128, 300, 1);
  check_sizes(512, 515, 1);
  check_sizes(129, 193, 1);
  check_sizes(129, 194, 1);
  check_sizes(20, 17, 1e-290);
  check_sizes(17, 20, 1e290);
  double zero[35] = {0}, singular[5];
  must(ebr_singular_values(zero, 7, 5, singular));
  for (int k = 0; k < 5; k++) assert_true(singular[k] == 0);
}

/* Pinned: numpy.linalg.svd([[1, 2, 3], [4, 5, 6]]); its squares are (91 +- sqrt(8065)) / 2. */
static void singular_values_of_a_small_matrix(void **state)
{
  double a[6] = {1, 2, 3, 4, 5, 6}, singular[2];
  must(ebr_singular_values(a, 2, 3, singular));
  close_to(singular[0], 9.508032000695724, 1e-14);
  close_to(singular[1], 0.7728696356734838, 1e-13);
  close_to(singular[0] * singular[0], (91 + sqrt(8065)) / 2, 1e-14);
}

/* ---- tall matrices ----------------------------------------------------------------------------------------------- */

static ebr_tall *tall_of(const double *a, int rows, int cols)
{
  ebr_tall *tall = NULL;
  must(ebr_tall_create(cols, &tall));
  for (int i = 0; i < rows; i++) {
    double *row = ebr_tall_next(tall);
    memcpy(row, a + i * cols, (size_t)cols * sizeof *row);
  }
  ebr_tall_finish(tall);
  return tall;
}

/* The other path: centre, then the whole matrix through LAPACK. */
static void check_tall(int rows, int cols, double mean)
{
  ebr_stream stream = ebr_stream_start(6, EBR_PURPOSE_TEST, (uint32_t)rows);
  int least = rows < cols ? rows : cols;
  double *a = malloc((size_t)(rows * cols) * sizeof *a);
  double *expected = malloc((size_t)least * sizeof *a), *singular = malloc((size_t)least * sizeof *a);
  for (int k = 0; k < rows * cols; k++) a[k] = mean + pow(10, -8.0 * (k % cols) / cols) * ebr_stream_normal(&stream);
  ebr_tall *tall = tall_of(a, rows, cols);
  double squares = 0;
  for (int j = 0; j < cols; j++) {
    double sum = 0;
    for (int i = 0; i < rows; i++) sum += a[i * cols + j];
    for (int i = 0; i < rows; i++) a[i * cols + j] -= sum / rows;
    for (int i = 0; i < rows && j < 2; i++) squares += a[i * cols + j] * a[i * cols + j];
  }
  if (rows > 1)
    close_to(ebr_tall_deviation(tall, 0, cols < 2 ? cols : 2), sqrt(squares / rows / (cols < 2 ? cols : 2)), 1e-12);
  must(ebr_singular_values(a, rows, cols, expected));
  must(ebr_tall_singular(tall, NULL, least, singular));
  for (int k = 0; k < least; k++)
    if (fabs(singular[k] - expected[k]) > 1e-14 * (expected[0] + fabs(mean) * sqrt(rows)))
      fail_msg("%d x %d, value %d: %.17g is not %.17g", rows, cols, k, singular[k], expected[k]);
  ebr_tall_destroy(&tall);
  free(singular);
  free(expected);
  free(a);
}

static void tall_matrices_keep_their_spectrum(void **state)
{
  check_tall(2000, 20, 0);
  check_tall(2000, 20, 5);
  check_tall(1067, 37, -3);
  check_tall(20, 37, 1);
  check_tall(37, 37, 1);
  check_tall(1, 3, 2);
  check_tall(700, 1, 2);
}

/* Scaling columns afterwards is scaling the matrix. */
static void tall_matrices_scale_by_columns(void **state)
{
  enum { ROWS = 900, COLS = 7 };
  static double a[ROWS * COLS], scaled[ROWS * COLS];
  ebr_stream stream = ebr_stream_start(8, EBR_PURPOSE_TEST, 0);
  double scale[COLS] = {1, 1, 1, 1e-3, 1e-3, 20, 0}, singular[COLS], expected[COLS];
  for (int k = 0; k < ROWS * COLS; k++) {
    a[k] = 1 + ebr_stream_normal(&stream);
    scaled[k] = a[k] * scale[k % COLS];
  }
  ebr_tall *tall = tall_of(a, ROWS, COLS), *other = tall_of(scaled, ROWS, COLS);
  must(ebr_tall_singular(tall, scale, COLS, singular));
  must(ebr_tall_singular(other, NULL, COLS, expected));
  for (int k = 0; k < COLS; k++) assert_true(fabs(singular[k] - expected[k]) <= 1e-13 * expected[0]);
  ebr_tall_destroy(&tall);
  ebr_tall_destroy(&other);
  double broken[4] = {1, 2, INFINITY, 4};
  tall = tall_of(broken, 2, 2);
  must(ebr_tall_singular(tall, NULL, 2, singular));
  assert_true(isnan(singular[0]) && isnan(singular[1]));
  ebr_tall_destroy(&tall);
  /* Wherever it stands, and however many rows follow. */
  static const int places[] = {0, COLS - 1, 511 * COLS + 3, 512 * COLS, ROWS * COLS - 1};
  for (int k = 0; k < 5; k++) {
    double kept = a[places[k]];
    a[places[k]] = k % 2 ? NAN : -INFINITY;
    tall = tall_of(a, ROWS, COLS);
    must(ebr_tall_singular(tall, NULL, COLS, singular));
    for (int c = 0; c < COLS; c++) assert_true(isnan(singular[c]));
    ebr_tall_destroy(&tall);
    a[places[k]] = kept;
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(identity_has_full_rank),
      cmocka_unit_test(one_direction_has_rank_one),
      cmocka_unit_test(geometric_decay_has_closed_forms),
      cmocka_unit_test(lapack_tolerance_depends_on_the_longer_side),
      cmocka_unit_test(nothing_has_no_rank),
      cmocka_unit_test(singular_values_to_condition_1e14),
      cmocka_unit_test(singular_values_of_odd_shapes),
      cmocka_unit_test(singular_values_of_all_sizes),
      cmocka_unit_test(singular_values_of_a_small_matrix),
      cmocka_unit_test(tall_matrices_keep_their_spectrum),
      cmocka_unit_test(tall_matrices_scale_by_columns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
