#include "measure/bidiagonal.h"

#include "measure/bisect.h"
#include "measure/lanes.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

/* Columns are padded to whole vectors with zeros, which reflections leave zeros. */
enum { BLOCK = 4, BISECTED_MOST = 256 };

typedef struct bidiagonal {
  int rows, cols;           /* rows >= cols */
  size_t stride;            /* of a column: rows, padded */
  double *a;                /* (cols x stride), column after column */
  double *left;             /* (stride) the reflection from the left: zero above row k, 1 in it */
  double *image;            /* (stride) A times this step's row */
  double *shift;            /* (stride) what the last reflection from the right takes from a column, a unit of right */
  double *right;            /* (cols) that reflection: 1 in column k */
  double *row;              /* (cols) row k, once it is reflected from the left */
  double *diagonal, *above; /* (cols) */
  double *work;             /* bisection's or dbdsqr's */
  ebr_arena arena;
} bidiagonal;

static void layout(bidiagonal *b, ebr_arena *arena)
{
  size_t cols = (size_t)b->cols;
  b->a = ebr_arena_take(arena, cols * b->stride, sizeof(double));
  b->left = ebr_arena_take(arena, b->stride, sizeof(double));
  b->image = ebr_arena_take(arena, b->stride, sizeof(double));
  b->shift = ebr_arena_take(arena, b->stride, sizeof(double));
  b->right = ebr_arena_take(arena, cols, sizeof(double));
  b->row = ebr_arena_take(arena, cols, sizeof(double));
  b->diagonal = ebr_arena_take(arena, cols, sizeof(double));
  b->above = ebr_arena_take(arena, cols, sizeof(double));
  b->work = ebr_arena_take(arena, 4 * cols + ebr_bisect_work(0), sizeof(double));
}

static bidiagonal shape_of(int rows, int cols)
{
  bidiagonal b = {.rows = rows < cols ? cols : rows, .cols = rows < cols ? rows : cols};
  b.stride = ((size_t)b.rows + LANES - 1) / LANES * LANES;
  return b;
}

/* ---- one step ---------------------------------------------------------------------------------------------------- */

/* n columns from `first`: the last reflection from the right, then the one of row k from the left, whose row it notes, and
 * their share of A times that row. The first is computed twice, which is faster than to store it in between, and the next
 * block is asked for. Local copies: as far as a compiler knows, what is stored to a column may change whatever a pointer
 * leads to. */
static inline __attribute__((always_inline)) void reflect_columns(const bidiagonal *b, const int n, int k, double tau,
                                                                  int first)
{
  const lanes *left = (const lanes *)b->left, *shift = (const lanes *)b->shift;
  lanes *image = (lanes *)b->image, *column[BLOCK], along[BLOCK];
  double right[BLOCK], row[BLOCK], taken[BLOCK];
  int start = k / LANES, stop = (int)(b->stride / LANES);
  for (int c = 0; c < n; c++) {
    column[c] = (lanes *)(b->a + (size_t)(first + c) * b->stride);
    along[c] = (lanes){0};
    right[c] = b->right[first + c];
  }
  for (int i = start; i < stop; i++)
    for (int c = 0; c < n; c++) along[c] += left[i] * (column[c][i] - right[c] * shift[i]);
  for (int c = 0; c < n; c++) {
    taken[c] = tau * sum_of(&along[c]);
    row[c] = ((const double *)column[c])[k] - right[c] * b->shift[k] - taken[c];
    b->row[first + c] = row[c];
  }
  for (int i = start; i < stop; i++) {
    lanes sum = image[i], turn = shift[i], own = left[i];
    for (int c = 0; c < n; c++) {
      lanes value = column[c][i] - right[c] * turn - taken[c] * own;
      column[c][i] = value;
      if (n == BLOCK) __builtin_prefetch((const double *)&column[c][i] + (size_t)BLOCK * b->stride);
      sum += row[c] * value;
    }
    image[i] = sum;
  }
}

EBR_VECTOR
static void reflect_all(const bidiagonal *b, int k, double tau)
{
  int first = k + 1;
  for (; first + BLOCK <= b->cols; first += BLOCK) reflect_columns(b, BLOCK, k, tau, first);
  for (; first < b->cols; first++) reflect_columns(b, 1, k, tau, first);
}

EBR_VECTOR
double ebr_reflection(int count, const double *restrict x, double *restrict v, double *tau)
{
  double part[LANES] = {0}, squares = 0;
  int i = 1;
  for (; i + LANES <= count; i += LANES)
    for (int k = 0; k < LANES; k++) part[k] += x[i + k] * x[i + k];
  for (; i < count; i++) squares += x[i] * x[i];
  for (int k = 0; k < LANES; k++) squares += part[k];
  double end = squares > 0 ? -copysign(sqrt(x[0] * x[0] + squares), x[0]) : x[0];
  double scale = squares > 0 ? 1 / (x[0] - end) : 0;
  *tau = squares > 0 ? (end - x[0]) / end : 0;
  v[0] = 1;
  for (i = 1; i < count; i++) v[i] = scale * x[i];
  return end;
}

/* shift = tau (image - head next) / (head - end) + tau next: A v for v = (row - end e_1) / (head - end). */
EBR_VECTOR
static void turn_image(int rows, double tau, double head, double end, const double *restrict image,
                       const double *restrict next, double *restrict shift)
{
  double scale = tau == 0 ? 0 : tau / (head - end), own = tau - scale * head;
  for (int i = 0; i < rows; i++) shift[i] = scale * image[i] + own * next[i];
}

/* From A times row k to what its reflection from the right takes from the columns behind it. */
static void find_shift(bidiagonal *b, int k)
{
  double tau, head = b->row[k + 1], end = ebr_reflection(b->cols - k - 1, b->row + k + 1, b->right + k + 1, &tau);
  b->above[k] = end;
  memset(b->shift, 0, (size_t)(k + 1) * sizeof *b->shift);
  turn_image(b->rows - k - 1, tau, head, end, b->image + k + 1, b->a + (size_t)(k + 1) * b->stride + k + 1,
             b->shift + k + 1);
}

static void reduce(bidiagonal *b)
{
  for (int k = 0; k < b->cols; k++) {
    double tau, *column = b->a + (size_t)k * b->stride;
    for (int i = k; i < b->rows && k > 0; i++) column[i] -= b->shift[i];
    if (k > 0) b->left[k - 1] = 0;
    b->diagonal[k] = ebr_reflection(b->rows - k, column + k, b->left + k, &tau);
    if (k == b->cols - 1) break;
    memset(b->image, 0, b->stride * sizeof *b->image);
    reflect_all(b, k, tau);
    find_shift(b, k);
  }
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* Zero times what is not finite is no number, which a sum keeps. */
EBR_VECTOR
bool ebr_all_finite(const double *a, size_t count)
{
  double part[LANES] = {0}, sum = 0;
  size_t k = 0;
  for (; k + LANES <= count; k += LANES)
    for (size_t i = 0; i < LANES; i++) part[i] += 0 * a[k + i];
  for (; k < count; k++) sum += 0 * a[k];
  for (size_t i = 0; i < LANES; i++) sum += part[i];
  return sum == 0;
}

EBR_VECTOR
double ebr_largest(const double *a, size_t count)
{
  double part[LANES] = {0}, most = 0;
  size_t k = 0;
  for (; k + LANES <= count; k += LANES)
    for (size_t i = 0; i < LANES; i++) part[i] = fabs(a[k + i]) > part[i] ? fabs(a[k + i]) : part[i];
  for (; k < count; k++) most = fabs(a[k]) > most ? fabs(a[k]) : most;
  for (size_t i = 0; i < LANES; i++) most = part[i] > most ? part[i] : most;
  return most;
}

double ebr_unit_scale(const double *a, size_t count)
{
  double most = ebr_largest(a, count);
  int exponent;
  (void)frexp(most, &exponent);
  exponent = exponent < -1000 ? -1000 : exponent > 1000 ? 1000 : exponent;
  return most > 0 ? ldexp(1, -exponent) : 1;
}

/* The matrix, or its transpose unless it is long: the same singular values. */
static void copy(bidiagonal *b, const double *a, int rows, int cols, double scale)
{
  bool turned = rows <= cols;
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < cols; j++)
      b->a[turned ? (size_t)i * b->stride + (size_t)j : (size_t)j * b->stride + (size_t)i] =
          scale * a[(size_t)i * (size_t)cols + (size_t)j];
  for (int j = 0; j < b->cols; j++)
    for (size_t i = (size_t)b->rows; i < b->stride; i++) b->a[(size_t)j * b->stride + i] = 0;
}

/* Bisection is three times as fast as dqds and exact to an eps; but the reduction takes equal values apart, 10 eps at 512
 * columns, and dqds draws these together again. */
static ebr_error *finish(bidiagonal *b, double *singular, bool *converged)
{
  ebr_error *error = NULL;
  double unused = 0;
  *converged = true;
  if (b->cols <= BISECTED_MOST) {
    ebr_bisect(b->cols, b->diagonal, b->above, b->work, singular);
    goto done;
  }
  lapack_int info = LAPACKE_dbdsqr_work(LAPACK_COL_MAJOR, 'U', b->cols, 0, 0, 0, b->diagonal, b->above, &unused, 1, &unused,
                                        1, &unused, 1, b->work);
  EBR_CHECK(info >= 0, EBR_LIBRARY, "dbdsqr refused argument %d", -(int)info);
  *converged = info == 0;
  if (*converged) memcpy(singular, b->diagonal, (size_t)b->cols * sizeof *singular);
done:
  return error;
}

ebr_error *ebr_bidiagonal_singular_values(const double *a, int rows, int cols, double *singular, bool *converged)
{
  ebr_error *error = NULL;
  bidiagonal b = shape_of(rows, cols);
  ebr_arena measuring = ebr_arena_measuring();
  double scale = ebr_unit_scale(a, (size_t)rows * (size_t)cols);
  layout(&b, &measuring);
  EBR_TRY(ebr_arena_create_unset(measuring.used, &b.arena));
  layout(&b, &b.arena);
  memset(b.left, 0, b.stride * sizeof *b.left);
  memset(b.shift, 0, b.stride * sizeof *b.shift);
  memset(b.right, 0, (size_t)b.cols * sizeof *b.right);
  copy(&b, a, rows, cols, scale);
  reduce(&b);
  EBR_TRY(finish(&b, singular, converged));
  for (int k = 0; k < b.cols && *converged; k++) singular[k] /= scale;
done:
  ebr_arena_destroy(&b.arena);
  return error;
}
