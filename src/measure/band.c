#include "measure/band.h"

#include "measure/bidiagonal.h"

#include <ebrsweep/spectrum.h>

#include <lapacke.h>
#include <stdlib.h>
#include <string.h>

ebr_error *ebr_band_finish(double *band, int cols, int width, double *singular)
{
  ebr_error *error = NULL;
  size_t count = (size_t)cols * (size_t)(width + 1);
  double *above = malloc((size_t)cols * sizeof *above), scale = ebr_unit_scale(band, count);
  EBR_CHECK_MEMORY(above, "a bidiagonal matrix");
  for (size_t k = 0; k < count; k++) band[k] *= scale;
  EBR_TRY(ebr_band_bidiagonal(band, cols, width, singular, above));
  EBR_CHECK_INFO(LAPACKE_dbdsdc(LAPACK_COL_MAJOR, 'U', 'N', cols, singular, above, NULL, 1, NULL, 1, NULL, NULL),
                 "dbdsdc");
  for (int k = 0; k < cols; k++) singular[k] /= scale;
done:
  free(above);
  return error;
}

/* ---- on one rank ------------------------------------------------------------------------------------------------- */

/* Column-major a (rows x cols, rows >= cols), and what a step needs of memory. */
typedef struct local_band {
  double *a, *beside, *tau, *factor, *work, *band; /* beside: a panel's rows, transposed; factor: T of I - V T V' */
  int rows, cols, leading, work_size;
} local_band;

enum { WIDTH = 32 };

static void transpose(const double *a, int rows, int cols, int leading, double *out, int out_leading)
{
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < cols; j++)
      out[(size_t)j * (size_t)out_leading + (size_t)i] = a[(size_t)i * (size_t)leading + (size_t)j];
}

/* The columns from `first` on get a triangle in their first `width`, and the rest follows. */
static ebr_error *reduce_columns(local_band *b, int first, int width)
{
  ebr_error *error = NULL;
  int rows = b->rows - first, right = b->cols - first - width;
  double *corner = b->a + (size_t)first * (size_t)b->leading + (size_t)first;
  EBR_CHECK_INFO(LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, rows, width, corner, b->leading, b->tau, b->work, b->work_size),
                 "dgeqrf");
  if (right < 1) goto done;
  EBR_CHECK_INFO(
      LAPACKE_dlarft_work(LAPACK_COL_MAJOR, 'F', 'C', rows, width, corner, b->leading, b->tau, b->factor, WIDTH),
      "dlarft");
  EBR_CHECK_INFO(LAPACKE_dlarfb_work(LAPACK_COL_MAJOR, 'L', 'T', 'F', 'C', rows, right, width, corner, b->leading,
                                     b->factor, WIDTH, corner + (size_t)width * (size_t)b->leading, b->leading, b->work,
                                     right),
                 "dlarfb");
done:
  return error;
}

/* The same for the rows beside them, as columns: a row's entries lie far apart in memory. */
static ebr_error *reduce_rows(local_band *b, int first, int width)
{
  ebr_error *error = NULL;
  int right = b->cols - first - width, below = b->rows - first - width, k = width < right ? width : right;
  double *rows = b->a + (size_t)(first + width) * (size_t)b->leading + (size_t)first;
  if (right < 1) goto done;
  transpose(rows, right, width, b->leading, b->beside, right);
  EBR_CHECK_INFO(LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, right, width, b->beside, right, b->tau, b->work, b->work_size),
                 "dgeqrf");
  transpose(b->beside, width, right, right, rows, b->leading);
  if (below < 1) goto done;
  EBR_CHECK_INFO(LAPACKE_dlarft_work(LAPACK_COL_MAJOR, 'F', 'C', right, k, b->beside, right, b->tau, b->factor, WIDTH),
                 "dlarft");
  EBR_CHECK_INFO(LAPACKE_dlarfb_work(LAPACK_COL_MAJOR, 'R', 'N', 'F', 'C', below, right, k, b->beside, right, b->factor,
                                     WIDTH, rows + width, b->leading, b->work, below),
                 "dlarfb");
done:
  return error;
}

static void copy_band(const local_band *b)
{
  for (int j = 0; j < b->cols; j++)
    for (int i = j > WIDTH ? j - WIDTH : 0; i <= j; i++)
      b->band[(size_t)j * (WIDTH + 1) + (size_t)(WIDTH + i - j)] = b->a[(size_t)j * (size_t)b->leading + (size_t)i];
}

/* Keeps R alone of a matrix much longer than wide. */
static ebr_error *reduce_to_triangle(local_band *b)
{
  ebr_error *error = NULL;
  EBR_CHECK_INFO(
      LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, b->rows, b->cols, b->a, b->leading, b->tau, b->work, b->work_size),
      "dgeqrf");
  for (int j = 0; j < b->cols; j++)
    memset(b->a + (size_t)j * (size_t)b->leading + (size_t)j + 1, 0, (size_t)(b->cols - j - 1) * sizeof *b->a);
  b->rows = b->cols;
done:
  return error;
}

static void layout(local_band *b, bool copies, ebr_arena *arena)
{
  if (copies) b->a = ebr_arena_take(arena, (size_t)b->rows * (size_t)b->cols, sizeof *b->a);
  b->beside = ebr_arena_take(arena, WIDTH * (size_t)b->cols, sizeof *b->beside);
  b->tau = ebr_arena_take(arena, (size_t)b->cols, sizeof *b->tau);
  b->factor = ebr_arena_take(arena, (size_t)WIDTH * WIDTH, sizeof *b->factor);
  b->work = ebr_arena_take(arena, (size_t)b->work_size, sizeof *b->work);
  b->band = ebr_arena_take(arena, (size_t)(WIDTH + 1) * (size_t)b->cols, sizeof *b->band);
}

ebr_error *ebr_band_singular_values(double *a, int rows, int cols, double *singular)
{
  ebr_error *error = NULL;
  ebr_arena arena = {0};
  bool upright = rows >= cols; /* row-major with fewer rows than columns is column-major with more */
  int most = upright ? rows : cols, least = upright ? cols : rows;
  local_band b = {.rows = most, .cols = least, .leading = most, .work_size = 64 * (most + 64)};
  ebr_arena measuring = ebr_arena_measuring();
  layout(&b, upright, &measuring);
  EBR_TRY(ebr_arena_create(measuring.used, &arena));
  layout(&b, upright, &arena);
  if (upright) transpose(a, rows, cols, cols, b.a, rows);
  else b.a = a;
  if (b.rows > 5 * (int64_t)b.cols / 3) EBR_TRY(reduce_to_triangle(&b));
  for (int first = 0; first < b.cols; first += WIDTH) {
    int width = b.cols - first < WIDTH ? b.cols - first : WIDTH;
    EBR_TRY(reduce_columns(&b, first, width));
    EBR_TRY(reduce_rows(&b, first, width));
  }
  copy_band(&b);
  EBR_TRY(ebr_band_finish(b.band, least, WIDTH, singular));
done:
  ebr_arena_destroy(&arena);
  return error;
}
