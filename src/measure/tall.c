#include "measure/tall.h"

#include <ebrsweep/measure.h>

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows come one by one and LAPACK walks columns: so a few rows at a time are turned. */
enum { STAGE = 32 };

struct ebr_tall {
  int cols;             /* of block: the caller's and the ones */
  int capacity, filled; /* rows of block, column after column; the first are R once something was folded */
  int staged;
  double rows; /* that were given */
  bool finite;
  double *block, *tau, *stage; /* stage: (STAGE x cols), row after row */
  ebr_arena arena;
};

static void layout(ebr_tall *tall, ebr_arena *arena)
{
  tall->block = ebr_arena_take(arena, (size_t)tall->capacity * (size_t)tall->cols, sizeof(double));
  tall->tau = ebr_arena_take(arena, (size_t)tall->cols, sizeof(double));
  tall->stage = ebr_arena_take(arena, STAGE * (size_t)tall->cols, sizeof(double));
}

static void shape(ebr_tall *tall, int cols)
{
  tall->cols = cols + 1;
  tall->capacity = tall->cols + (tall->cols > 512 ? tall->cols : 512);
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
  tall->finite = true;
  layout(tall, &measuring);
  EBR_TRY(ebr_arena_create(measuring.used, &tall->arena));
  layout(tall, &tall->arena);
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

static double *column(const ebr_tall *tall, int col) { return tall->block + (size_t)col * (size_t)tall->capacity; }

static bool block_is_finite(const ebr_tall *tall)
{
  for (int col = 0; col < tall->cols; col++)
    for (int row = 0; row < tall->filled; row++)
      if (!isfinite(column(tall, col)[row])) return false;
  return true;
}

/* Replaces the rows of block by their R. */
static ebr_error *fold(ebr_tall *tall)
{
  ebr_error *error = NULL;
  int left = tall->filled < tall->cols ? tall->filled : tall->cols;
  tall->finite = tall->finite && block_is_finite(tall);
  if (tall->finite && tall->filled > 0)
    EBR_CHECK_INFO(LAPACKE_dgeqrf(LAPACK_COL_MAJOR, tall->filled, tall->cols, tall->block, tall->capacity, tall->tau),
                   "dgeqrf");
  for (int col = 0; col < left - 1; col++)
    memset(column(tall, col) + col + 1, 0, (size_t)(left - col - 1) * sizeof *tall->block);
  tall->filled = left;
done:
  return error;
}

/* The staged rows, turned, behind those of block; more than fit make room first. */
static ebr_error *take_in(ebr_tall *tall)
{
  ebr_error *error = NULL;
  if (tall->filled + tall->staged > tall->capacity) EBR_TRY(fold(tall));
  for (int col = 0; col < tall->cols; col++) {
    double *to = column(tall, col) + tall->filled;
    for (int row = 0; row < tall->staged; row++) to[row] = tall->stage[(size_t)row * (size_t)tall->cols + (size_t)col];
  }
  tall->filled += tall->staged;
  tall->staged = 0;
done:
  return error;
}

ebr_error *ebr_tall_next(ebr_tall *tall, double **row)
{
  ebr_error *error = NULL;
  if (tall->staged == STAGE) EBR_TRY(take_in(tall));
  double *start = tall->stage + (size_t)tall->staged++ * (size_t)tall->cols;
  tall->rows++;
  start[0] = 1;
  *row = start + 1;
done:
  return error;
}

ebr_error *ebr_tall_finish(ebr_tall *tall)
{
  ebr_error *error = NULL;
  EBR_TRY(take_in(tall));
  EBR_TRY(fold(tall));
done:
  return error;
}

static double root_mean_square(const ebr_tall *tall, int first, int last, int start, int width)
{
  double squares = 0;
  for (int k = 0; k < width; k++)
    for (int row = first; row < last; row++) {
      double value = column(tall, 1 + start + k)[row];
      squares += value * value;
    }
  return tall->rows > 0 ? sqrt(squares / (tall->rows * width)) : 0;
}

double ebr_tall_deviation(const ebr_tall *tall, int start, int width)
{
  return root_mean_square(tall, 1, tall->filled, start, width);
}

/* R's first row is the sum of each column, up to a sign, over the root of the number of rows. */
double ebr_tall_level(const ebr_tall *tall, int start, int width)
{
  return root_mean_square(tall, 0, tall->filled < 1 ? 0 : 1, start, width);
}

static void copy_centred(const ebr_tall *tall, const double *scale, double *out)
{
  int cols = tall->cols - 1;
  for (int row = 1; row < tall->filled; row++)
    for (int k = 0; k < cols; k++)
      out[(size_t)(row - 1) * (size_t)cols + (size_t)k] = (scale ? scale[k] : 1) * column(tall, 1 + k)[row];
}

ebr_error *ebr_tall_singular(const ebr_tall *tall, const double *scale, int count, double *singular)
{
  ebr_error *error = NULL;
  int rows = tall->filled - 1, cols = tall->cols - 1, have = rows < cols ? rows : cols;
  size_t cells = (size_t)(rows > 0 ? rows : 0) * (size_t)cols;
  ebr_arena arena = {0};
  for (int k = 0; k < count; k++) singular[k] = tall->finite ? 0 : NAN;
  if (!tall->finite || have < 1) goto done;
  EBR_TRY(ebr_arena_create((cells + (size_t)have + 16) * sizeof(double), &arena));
  double *work = ebr_arena_take(&arena, cells, sizeof *work),
         *found = ebr_arena_take(&arena, (size_t)have, sizeof *found);
  copy_centred(tall, scale, work);
  EBR_TRY(ebr_singular_values(work, rows, cols, found));
  memcpy(singular, found, (size_t)(have < count ? have : count) * sizeof *singular);
done:
  ebr_arena_destroy(&arena);
  return error;
}
