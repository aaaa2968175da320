/* From an upper band to two diagonals. A row's entries behind its first are reflected away from the right, which fills the
 * block below; that block's first column is reflected away from the left, which fills the rows behind their band; and so on
 * down the band, a block further each time (Lang, Parallel Computing 22 (1996) 1-18; Haidar, Kurzak, Luszczek, SC 2013).
 * LAPACK's dgbbrd does the same by rotations of two rows or columns: more steps, each with its own rounding. */
#include "measure/band.h"
#include "measure/bidiagonal.h"

#include <string.h>

/* Row i has room for columns i - width to i + 2 width, so that a block is row-major with 3 width between its rows. */
typedef struct chase {
  int cols, width, stride;
  double *a;
  double *column, *v, *along; /* (width), (width), (3 width) */
  ebr_arena arena;
} chase;

static void layout(chase *c, ebr_arena *arena)
{
  size_t width = (size_t)c->width;
  c->a = ebr_arena_take(arena, ((size_t)c->cols + 1) * (3 * width + 1), sizeof(double));
  c->column = ebr_arena_take(arena, width, sizeof(double));
  c->v = ebr_arena_take(arena, width, sizeof(double));
  c->along = ebr_arena_take(arena, 3 * width, sizeof(double));
}

static double *at(const chase *c, int row, int col)
{
  return c->a + (size_t)row * (size_t)c->stride + (size_t)(col + c->width);
}

static int least(int a, int b) { return a < b ? a : b; }

/* a (rows x count) (1 - tau v v'). */
EBR_VECTOR
static void apply_right(int rows, int count, int stride, const double *restrict v, double tau, double *restrict a)
{
  for (int i = 0; i < rows; i++) {
    double *restrict row = a + (size_t)i * (size_t)stride, part[8] = {0}, sum = 0;
    int j = 0;
    for (; j + 8 <= count; j += 8)
      for (int k = 0; k < 8; k++) part[k] += row[j + k] * v[j + k];
    for (; j < count; j++) sum += row[j] * v[j];
    for (int k = 0; k < 8; k++) sum += part[k];
    for (j = 0; j < count; j++) row[j] -= tau * sum * v[j];
  }
}

/* (1 - tau v v') a (count x cols). along: room for cols. */
EBR_VECTOR
static void apply_left(int count, int cols, int stride, const double *restrict v, double tau, double *restrict along,
                       double *restrict a)
{
  memset(along, 0, (size_t)cols * sizeof *along);
  for (int i = 0; i < count; i++)
    for (int j = 0; j < cols; j++) along[j] += v[i] * a[(size_t)i * (size_t)stride + (size_t)j];
  for (int i = 0; i < count; i++)
    for (int j = 0; j < cols; j++) a[(size_t)i * (size_t)stride + (size_t)j] -= tau * v[i] * along[j];
}

/* Row `row` keeps one of its entries [first, first + count); rows from the next to the block's last follow. */
static void clear_row(chase *c, int row, int first, int count)
{
  double tau, *entry = at(c, row, first), end = ebr_reflection(count, entry, c->v, &tau);
  entry[0] = end;
  memset(entry + 1, 0, (size_t)(count - 1) * sizeof *entry);
  if (tau != 0) apply_right(first + count - row - 1, count, c->stride, c->v, tau, at(c, row + 1, first));
}

/* Column `first` keeps one of its entries in rows [first, first + count); the columns to the right follow. */
static void clear_column(chase *c, int first, int count)
{
  double tau;
  int right = least(first + count + c->width, c->cols) - first - 1;
  for (int i = 0; i < count; i++) c->column[i] = *at(c, first + i, first);
  *at(c, first, first) = ebr_reflection(count, c->column, c->v, &tau);
  for (int i = 1; i < count; i++) *at(c, first + i, first) = 0;
  if (tau != 0 && right > 0) apply_left(count, right, c->stride, c->v, tau, c->along, at(c, first, first + 1));
}

ebr_error *ebr_band_bidiagonal(const double *band, int cols, int width, double *diagonal, double *above)
{
  ebr_error *error = NULL;
  chase c = {.cols = cols, .width = width, .stride = 3 * width};
  ebr_arena measuring = ebr_arena_measuring();
  layout(&c, &measuring);
  EBR_TRY(ebr_arena_create(measuring.used, &c.arena));
  layout(&c, &c.arena);
  for (int j = 0; j < cols; j++)
    for (int i = j > width ? j - width : 0; i <= j; i++)
      *at(&c, i, j) = band[(size_t)j * (size_t)(width + 1) + (size_t)(width + i - j)];
  for (int k = 0; k < cols - 1; k++)
    for (int row = k, first = k + 1; first < cols; row = first, first += width) {
      int count = least(width, cols - first);
      clear_row(&c, row, first, count);
      clear_column(&c, first, count);
    }
  for (int k = 0; k < cols; k++) {
    diagonal[k] = *at(&c, k, k);
    above[k] = k + 1 < cols ? *at(&c, k, k + 1) : 0;
  }
done:
  ebr_arena_destroy(&c.arena);
  return error;
}
