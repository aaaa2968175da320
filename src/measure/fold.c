#include "measure/fold.h"

#include "measure/lanes.h"

#include <ebrsweep/base.h>

#include <math.h>
#include <string.h>

/* As many reflections of so many columns have their inner products in registers, and the columns in the innermost cache:
 * twice as fast as LAPACK's dtpqrt at 129 columns, three times at 33. */
enum { PANEL = 4, GROUP = 4, WAYS = 4 };

typedef struct folding {
  int cols, vectors; /* of a column of block */
  size_t stride;
  double *factor, *block;
  double mixing[PANEL][PANEL]; /* T: I - V T V' is the panel's product of reflections, V' = [I | block's columns'] */
} folding;

static double *entry(const folding *f, int row, int col) { return f->factor + (size_t)col * (size_t)f->cols + (size_t)row; }
static lanes *column(const folding *f, int col) { return (lanes *)(f->block + (size_t)col * f->stride); }

static inline __attribute__((always_inline)) double product(int vectors, const lanes *x, const lanes *y)
{
  lanes part[WAYS] = {{0}};
  int i = 0;
  for (; i + WAYS <= vectors; i += WAYS)
    for (int k = 0; k < WAYS; k++) part[k] += x[i + k] * y[i + k];
  for (; i < vectors; i++) part[0] += x[i] * y[i];
  part[0] += part[1] + (part[2] + part[3]);
  return sum_of(&part[0]);
}

/* The reflection that takes the column below factor's diagonal to zero: [1 | block's column] in the end; its factor. */
static inline __attribute__((always_inline)) double reflect(const folding *f, int col)
{
  lanes *x = column(f, col);
  double *head = entry(f, col, col), squares = product(f->vectors, x, x);
  if (squares == 0) return 0;
  double end = -copysign(sqrt(*head * *head + squares), *head), tau = (end - *head) / end, scale = 1 / (*head - end);
  for (int i = 0; i < f->vectors; i++) x[i] *= scale;
  *head = end;
  return tau;
}

static inline __attribute__((always_inline)) void apply_one(const folding *f, int reflection, double tau, int col)
{
  const lanes *x = column(f, reflection);
  lanes *y = column(f, col);
  double taken = tau * (*entry(f, reflection, col) + product(f->vectors, x, y));
  *entry(f, reflection, col) -= taken;
  for (int i = 0; i < f->vectors; i++) y[i] -= taken * x[i];
}

/* Column k of T from those before it. */
static inline __attribute__((always_inline)) void mix(folding *f, int first, int k, double tau)
{
  double along[PANEL];
  for (int c = 0; c < k; c++) along[c] = product(f->vectors, column(f, first + c), column(f, first + k));
  for (int c = 0; c < k; c++) {
    double sum = 0;
    for (int q = c; q < k; q++) sum += f->mixing[c][q] * along[q];
    f->mixing[c][k] = -tau * sum;
  }
  f->mixing[k][k] = tau;
}

static inline __attribute__((always_inline)) void reflect_panel(folding *f, int first, int width)
{
  memset(f->mixing, 0, sizeof f->mixing);
  for (int k = 0; k < width; k++) {
    double tau = reflect(f, first + k);
    for (int col = k + 1; col < width; col++) apply_one(f, first + k, tau, first + col);
    mix(f, first, k, tau);
  }
}

/* A whole panel's reflections on n columns from col: S = V' [R | B], R and B less V T' S. */
static inline __attribute__((always_inline)) void apply_panel(const folding *f, int first, const int n, int col)
{
  const lanes *v[PANEL];
  lanes *b[GROUP], along[GROUP][PANEL] = {{{0}}};
  double taken[GROUP][PANEL];
  const int vectors = f->vectors;
  for (int c = 0; c < PANEL; c++) v[c] = column(f, first + c);
  for (int j = 0; j < n; j++) b[j] = column(f, col + j);
  for (int i = 0; i < vectors; i++)
    for (int j = 0; j < n; j++) {
      lanes value = b[j][i];
      for (int c = 0; c < PANEL; c++) along[j][c] += v[c][i] * value;
    }
  for (int j = 0; j < n; j++) {
    double sum[PANEL];
    sum_of_four(along[j], sum);
    for (int c = 0; c < PANEL; c++) sum[c] += *entry(f, first + c, col + j);
    for (int c = 0; c < PANEL; c++) {
      taken[j][c] = 0;
      for (int q = 0; q <= c; q++) taken[j][c] += f->mixing[q][c] * sum[q];
      *entry(f, first + c, col + j) -= taken[j][c];
    }
  }
  for (int i = 0; i < vectors; i++) {
    lanes own[PANEL]; /* for a compiler, what is stored to b may change v */
    for (int c = 0; c < PANEL; c++) own[c] = v[c][i];
    for (int j = 0; j < n; j++) {
      lanes value = b[j][i];
      for (int c = 0; c < PANEL; c++) value -= taken[j][c] * own[c];
      b[j][i] = value;
    }
  }
}

EBR_VECTOR
static void fold(folding *f)
{
  for (int first = 0; first < f->cols; first += PANEL) {
    int width = f->cols - first < PANEL ? f->cols - first : PANEL, col = first + PANEL;
    reflect_panel(f, first, width);
    for (; col + GROUP <= f->cols; col += GROUP) apply_panel(f, first, GROUP, col);
    for (; col < f->cols; col++) apply_panel(f, first, 1, col);
  }
}

void ebr_fold(int cols, double *factor, int rows, size_t stride, double *block)
{
  folding f = {.cols = cols, .vectors = (rows + LANES - 1) / LANES, .stride = stride, .factor = factor, .block = block};
  fold(&f);
}
