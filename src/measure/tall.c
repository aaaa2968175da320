#include "measure/tall.h"

#include "measure/bidiagonal.h"
#include "measure/fold.h"
#include "measure/lanes.h"

#include <ebrsweep/measure.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows come one by one and reflections walk columns: so a few rows at a time are turned. More rows than BLOCK leave the
 * innermost cache. */
enum { STAGE = 32, BLOCK = 512, PADDING = LANES };

struct ebr_tall {
  int cols;             /* of R and block: the caller's and the ones */
  int filled;           /* rows of block, of BLOCK, column after column */
  int stride;           /* between columns, padded: at a power of two they would share lines of the cache */
  int padded;           /* cols, to whole vectors: between rows of stage */
  int staged;
  int64_t rows; /* that were given */
  bool finite;  /* once finished */
  double *factor;           /* R (cols x cols), column after column, upper triangle; zero before the first fold */
  double *block, *stage;    /* stage: (STAGE x padded), row after row */
  ebr_arena arena;
};

static void layout(ebr_tall *tall, ebr_arena *arena)
{
  size_t cols = (size_t)tall->cols;
  tall->factor = ebr_arena_take(arena, cols * cols, sizeof(double));
  tall->block = ebr_arena_take(arena, (size_t)tall->stride * cols, sizeof(double));
  tall->stage = ebr_arena_take(arena, (size_t)STAGE * (size_t)tall->padded, sizeof(double));
}

static void shape(ebr_tall *tall, int cols)
{
  tall->cols = cols + 1;
  tall->stride = BLOCK + PADDING;
  tall->padded = (tall->cols + LANES - 1) / LANES * LANES;
}

size_t ebr_tall_bytes(int cols)
{
  ebr_tall tall = {0};
  ebr_arena measuring = ebr_arena_measuring();
  shape(&tall, cols);
  layout(&tall, &measuring);
  return measuring.used;
}

ebr_error *ebr_tall_create(int cols, ebr_tall **out)
{
  ebr_error *error = NULL;
  ebr_arena measuring = ebr_arena_measuring();
  ebr_tall *tall = calloc(1, sizeof *tall);
  EBR_CHECK_MEMORY(tall, "a tall matrix");
  shape(tall, cols);
  layout(tall, &measuring);
  EBR_TRY(ebr_arena_create_unset(measuring.used, &tall->arena));
  layout(tall, &tall->arena);
  memset(tall->factor, 0, (size_t)tall->cols * (size_t)tall->cols * sizeof *tall->factor);
  *out = tall;
  tall = NULL;
done:
  ebr_tall_destroy(&tall);
  return error;
}

void ebr_tall_destroy(ebr_tall **tall)
{
  if (!*tall) return;
  ebr_arena_destroy(&(*tall)->arena);
  free(*tall);
  *tall = NULL;
}

/* Column col of R. */
static const double *column(const ebr_tall *tall, int col) { return tall->factor + (size_t)col * (size_t)tall->cols; }

/* Rows of R that can differ from zero. */
static int factor_rows(const ebr_tall *tall) { return tall->rows < tall->cols ? (int)tall->rows : tall->cols; }

static double *block_column(const ebr_tall *tall, int col)
{
  return tall->block + (size_t)col * (size_t)tall->stride;
}

/* What is not finite in a row leaves R's entries in its column and behind so. */
static bool factor_is_finite(const ebr_tall *tall)
{
  for (int col = 0; col < tall->cols; col++)
    if (!ebr_all_finite(column(tall, col), (size_t)col + 1)) return false;
  return true;
}

/* R of R and the rows of block below it. */
static void fold(ebr_tall *tall)
{
  int rest = (LANES - tall->filled % LANES) % LANES;
  for (int col = 0; col < tall->cols && rest > 0; col++)
    memset(block_column(tall, col) + tall->filled, 0, (size_t)rest * sizeof(double));
  ebr_fold(tall->cols, tall->factor, tall->filled, (size_t)tall->stride, tall->block);
  tall->filled = 0;
}

/* The staged rows, turned, behind those of block; more than fit make room first. What stage holds behind its last row comes
 * along to where fold sets zeros. The lines that the next rows go to are asked for: training has used the cache. */
EBR_VECTOR
static void turn(const ebr_tall *tall, double *block)
{
  for (int row = 0; row < tall->staged; row += LANES)
    for (int col = 0; col < tall->cols; col += LANES) {
      lanes part[LANES];
      int most = tall->cols - col < LANES ? tall->cols - col : LANES;
      const double *from = tall->stage + (size_t)row * (size_t)tall->padded + (size_t)col;
      double *to = block + (size_t)col * (size_t)tall->stride + (size_t)row;
      for (int k = 0; k < LANES; k++) part[k] = *(const lanes *)(from + (size_t)k * (size_t)tall->padded);
      transpose_lanes(part);
      for (int k = 0; k < most; k++, to += tall->stride) {
        *(lanes *)to = part[k];
        __builtin_prefetch(to + STAGE, 1);
      }
    }
}

static void take_in(ebr_tall *tall)
{
  if (tall->filled + tall->staged > BLOCK) fold(tall);
  turn(tall, tall->block + tall->filled);
  tall->filled += tall->staged;
  tall->staged = 0;
}

double *ebr_tall_next(ebr_tall *tall)
{
  if (tall->staged == STAGE) take_in(tall);
  double *start = tall->stage + (size_t)tall->staged++ * (size_t)tall->padded;
  tall->rows++;
  start[0] = 1;
  return start + 1;
}

void ebr_tall_finish(ebr_tall *tall)
{
  take_in(tall);
  fold(tall);
  tall->finite = factor_is_finite(tall);
}

static double root_mean_square(const ebr_tall *tall, int first, int last, int start, int width)
{
  double squares = 0;
  for (int k = 0; k < width; k++)
    for (int row = first; row < last; row++) {
      double value = column(tall, 1 + start + k)[row];
      squares += value * value;
    }
  return tall->rows > 0 ? sqrt(squares / ((double)tall->rows * width)) : 0;
}

double ebr_tall_deviation(const ebr_tall *tall, int start, int width)
{
  return root_mean_square(tall, 1, factor_rows(tall), start, width);
}

/* R's first row is the sum of each column, up to a sign, over the root of the number of rows. */
double ebr_tall_level(const ebr_tall *tall, int start, int width)
{
  return root_mean_square(tall, 0, factor_rows(tall) < 1 ? 0 : 1, start, width);
}

/* R of the centred matrix, transposed: (cols x rows), row after row. */
static void copy_centred(const ebr_tall *tall, const double *scale, double *out)
{
  int rows = factor_rows(tall) - 1;
  for (int k = 0; k < tall->cols - 1; k++, out += rows) {
    const double *from = column(tall, 1 + k) + 1;
    int most = rows < k + 1 ? rows : k + 1;
    for (int row = 0; row < most; row++) out[row] = (scale ? scale[k] : 1) * from[row];
    memset(out + most, 0, (size_t)(rows - most) * sizeof *out);
  }
}

ebr_error *ebr_tall_singular(const ebr_tall *tall, const double *scale, int count, double *singular)
{
  ebr_error *error = NULL;
  int rows = factor_rows(tall) - 1, cols = tall->cols - 1, have = rows < cols ? rows : cols;
  size_t cells = (size_t)(rows > 0 ? rows : 0) * (size_t)cols;
  ebr_arena arena = {0};
  for (int k = 0; k < count; k++) singular[k] = tall->finite ? 0 : NAN;
  if (!tall->finite || have < 1) goto done;
  EBR_TRY(ebr_arena_create_unset((cells + (size_t)have + 16) * sizeof(double), &arena));
  double *work = ebr_arena_take(&arena, cells, sizeof *work),
         *found = ebr_arena_take(&arena, (size_t)have, sizeof *found);
  copy_centred(tall, scale, work);
  EBR_TRY(ebr_singular_values(work, cols, rows, found));
  memcpy(singular, found, (size_t)(have < count ? have : count) * sizeof *singular);
done:
  ebr_arena_destroy(&arena);
  return error;
}
