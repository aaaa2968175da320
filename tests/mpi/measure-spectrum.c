/* Singular values over the ranks: matrices whose spectra are known by construction, by both solvers, beside LAPACK on
 * one rank; triplets that put the matrix together again; tilings that lose nothing. */
#include <ebrsweep/measure.h>
#include <ebrsweep/spectrum.h>

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <slepcsys.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SHAPES = 8, KINDS = 5 };
static const int shapes[SHAPES][2] = {{1, 1}, {7, 1}, {3, 3}, {40, 40}, {129, 64}, {200, 31}, {100, 97}, {150, 150}};
static const char *const kinds[KINDS] = {"condition 1e14", "all one", "half zero", "linear", "zero"};

static int rank, ranks;

static void must(ebr_error *error)
{
  if (error) fail_msg("%s", ebr_error_message(error));
}

static double known_value(int kind, int k, int count)
{
  double place = count > 1 ? (double)k / (count - 1) : 0;
  switch (kind) {
    case 0: return pow(10, -14 * place);
    case 1: return 1;
    case 2: return 2 * k < count ? 2 - place : 0;
    case 3: return 3 - 2 * place;
    default: return 0;
  }
}

/* a := (I - 2 u u') a along one side, for a random u. In long double, so that the spectrum is known to the last digit.
 */
static void reflect(long double *a, int rows, int cols, bool left, ebr_stream *stream)
{
  int length = left ? rows : cols, others = left ? cols : rows;
  long double u[256], norm = 0;
  for (int i = 0; i < length; i++) u[i] = ebr_stream_normal(stream);
  for (int i = 0; i < length; i++) norm += u[i] * u[i];
  for (int j = 0; j < others; j++) {
    long double sum = 0;
    for (int i = 0; i < length; i++) sum += u[i] * a[left ? i * cols + j : j * cols + i];
    for (int i = 0; i < length; i++) a[left ? i * cols + j : j * cols + i] -= 2 * sum / norm * u[i];
  }
}

static double *known_matrix(int rows, int cols, int kind)
{
  int least = rows < cols ? rows : cols;
  size_t cells = (size_t)rows * (size_t)cols;
  ebr_stream stream = ebr_stream_start((uint64_t)(rows * 1000 + cols), EBR_PURPOSE_TEST, (uint32_t)kind);
  long double *exact = calloc(cells, sizeof *exact);
  double *a = malloc(cells * sizeof *a);
  for (int k = 0; k < least; k++) exact[k * cols + k] = known_value(kind, k, least);
  for (int repeat = 0; repeat < 3; repeat++) {
    reflect(exact, rows, cols, true, &stream);
    reflect(exact, rows, cols, false, &stream);
  }
  for (size_t k = 0; k < cells; k++) a[k] = (double)exact[k];
  free(exact);
  return a;
}

static void assert_values(const char *how, int rows, int cols, int kind, const double *found)
{
  int least = rows < cols ? rows : cols;
  /* A cluster of equal values shows every rounding: LAPACK's own dgesdd is 13 eps away at 512 x 512, pdgesvd 20 here. */
  bool shows = kind == 1 && strcmp(how, "pdgesvd") == 0;
  double tolerance = (shows ? 20 : 10) * DBL_EPSILON * known_value(kind, 0, least);
  for (int k = 0; k < least; k++)
    if (!(fabs(found[k] - known_value(kind, k, least)) <= tolerance))
      fail_msg("%s, %d x %d, %s: value %d is %.17g, not %.17g", how, rows, cols, kinds[kind], k, found[k],
               known_value(kind, k, least));
}

static void distribute(int rows, int cols, int block, const double *whole, ebr_matrix **matrix)
{
  must(ebr_matrix_create(MPI_COMM_WORLD, rows, cols, block, matrix));
  ebr_matrix_fill(*matrix, whole);
}

static void known_spectra_are_found(void **state)
{
  double found[256];
  for (int shape = 0; shape < SHAPES; shape++)
    for (int kind = 0; kind < KINDS; kind++) {
      int rows = shapes[shape][0], cols = shapes[shape][1];
      double *a = known_matrix(rows, cols, kind);
      for (int solver = 0; solver < EBR_SOLVER_COUNT; solver++)
        for (int block = 4; block <= 32; block += 28) {
          ebr_matrix *matrix = NULL;
          distribute(rows, cols, block, a, &matrix);
          must(ebr_matrix_singular_values(matrix, (ebr_solver)solver, found));
          ebr_matrix_destroy(&matrix);
          assert_values(ebr_solver_name((ebr_solver)solver), rows, cols, kind, found);
        }
      free(a);
    }
}

/* The one-rank reduction on the same matrices and on their transposes, which row-major order turns. */
static void one_rank_finds_the_same(void **state)
{
  double found[256];
  for (int shape = 0; shape < SHAPES; shape++)
    for (int kind = 0; kind < KINDS; kind++)
      for (int turned = 0; turned < 2; turned++) {
        int rows = shapes[shape][turned], cols = shapes[shape][!turned];
        double *a = known_matrix(rows, cols, kind);
        must(ebr_band_singular_values(a, rows, cols, found));
        assert_values("one rank", rows, cols, kind, found);
        free(a);
      }
}

/* Random matrices, larger: no further from LAPACK's values than some eps times the root of the size. */
static void larger_ones_agree_with_lapack(void **state)
{
  enum { ROWS = 700, COLS = 333 };
  double *a = malloc(ROWS * COLS * sizeof *a), lapack[COLS], found[COLS];
  ebr_stream stream = ebr_stream_start(5, EBR_PURPOSE_TEST, 0);
  for (int k = 0; k < ROWS * COLS; k++) a[k] = ebr_stream_normal(&stream);
  for (int solver = 0; solver < EBR_SOLVER_COUNT; solver++) {
    ebr_matrix *matrix = NULL;
    distribute(ROWS, COLS, 16, a, &matrix);
    must(ebr_matrix_singular_values(matrix, (ebr_solver)solver, found));
    ebr_matrix_destroy(&matrix);
    double *copy = malloc(ROWS * COLS * sizeof *copy);
    memcpy(copy, a, ROWS * COLS * sizeof *copy);
    must(ebr_singular_values(copy, ROWS, COLS, lapack));
    free(copy);
    for (int k = 0; k < COLS; k++) assert_true(fabs(found[k] - lapack[k]) <= 20 * DBL_EPSILON * lapack[0]);
  }
  free(a);
}

/* The sum over ranks of what each keeps is the whole, whatever the shape. */
static void tilings_lose_nothing(void **state)
{
  for (int shape = 0; shape < SHAPES; shape++)
    for (int block = 1; block < 40; block += 6) {
      int rows = shapes[shape][0], cols = shapes[shape][1], kept = 0;
      int *seen = calloc((size_t)(rows * cols), sizeof *seen);
      for (int of = 0; of < 6; of++) {
        ebr_tiling at = ebr_tiling_of(rows, cols, block, 6, of);
        assert_int_equal(at.grid_rows * at.grid_cols, 6);
        for (int i = 0; i < at.local_rows; i++)
          for (int j = 0; j < at.local_cols; j++, kept++)
            seen[ebr_tiling_row(&at, i) * cols + ebr_tiling_col(&at, j)]++;
      }
      assert_int_equal(kept, rows * cols);
      for (int k = 0; k < rows * cols; k++) assert_int_equal(seen[k], 1);
      free(seen);
    }
}

/* Slices of vectors, gathered to whole ones (length x count) on all ranks. */
static double *gather(const double *slice, int length, int count, int first, int mine)
{
  double *whole = calloc((size_t)length * (size_t)count, sizeof *whole);
  memcpy(whole + (size_t)first * (size_t)count, slice, (size_t)mine * (size_t)count * sizeof *whole);
  MPI_Allreduce(MPI_IN_PLACE, whole, length * count, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  return whole;
}

static void triplets_make_the_matrix(void **state)
{
  enum { ROWS = 60, COLS = 45 };
  for (int wanted = 0; wanted <= 5; wanted += 5) {
    double *a = known_matrix(ROWS, COLS, 3);
    ebr_matrix *matrix = NULL;
    ebr_triplets t;
    distribute(ROWS, COLS, wanted > 0 ? 8 : EBR_MATRIX_BLOCK_SLEPC, a, &matrix);
    must(ebr_matrix_triplets(matrix, wanted, true, &t));
    int count = wanted > 0 ? wanted : COLS;
    assert_int_equal(t.count, count);
    double *left = gather(t.left, ROWS, count, t.row_first, t.row_count);
    double *right = gather(t.right, COLS, count, t.col_first, t.col_count);
    for (int k = 0; k < count; k++) {
      assert_true(fabs(t.singular[k] - known_value(3, k, COLS)) < 1e-12);
      for (int i = 0; i < ROWS; i++) {
        double product = 0;
        for (int j = 0; j < COLS; j++) product += a[i * COLS + j] * right[j * count + k];
        assert_true(fabs(product - t.singular[k] * left[i * count + k]) < 1e-8);
      }
    }
    double norm, squares = 0;
    must(ebr_matrix_norm(matrix, &norm));
    for (int k = 0; k < COLS; k++) squares += known_value(3, k, COLS) * known_value(3, k, COLS);
    assert_true(fabs(norm - sqrt(squares)) < 1e-12);
    free(left);
    free(right);
    ebr_triplets_release(&t);
    ebr_matrix_destroy(&matrix);
    free(a);
  }
}

static void what_cannot_be_is_refused(void **state)
{
  ebr_matrix *matrix = NULL;
  ebr_error *error = ebr_matrix_create(MPI_COMM_WORLD, 2000000000, 1000000, 32, &matrix);
  assert_int_equal(ebr_error_code(error), EBR_USAGE);
  assert_non_null(strstr(ebr_error_message(error), "more than ScaLAPACK can count: start at least 10348"));
  ebr_error_destroy(&error);
  must(ebr_matrix_create(MPI_COMM_WORLD, 2, 3, 32, &matrix));
  error = ebr_matrix_singular_values(matrix, EBR_SOLVER_band, NULL);
  assert_int_equal(ebr_error_code(error), EBR_INTERNAL);
  assert_non_null(strstr(ebr_error_message(error), "2 x 3 has fewer rows than columns"));
  ebr_error_destroy(&error);
  ebr_matrix_destroy(&matrix);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_spectra_are_found),       cmocka_unit_test(one_rank_finds_the_same),
      cmocka_unit_test(larger_ones_agree_with_lapack), cmocka_unit_test(tilings_lose_nothing),
      cmocka_unit_test(triplets_make_the_matrix),      cmocka_unit_test(what_cannot_be_is_refused)};
  if (ebr_mpi_start()) return 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  ebr_blas_prepare();
  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  (void)SlepcFinalize();
  MPI_Finalize();
  return failures;
}
