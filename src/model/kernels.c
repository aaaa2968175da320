#include "model/kernels.h"

#include <string.h>

/* Columns go through vectors, a few of them at a time over all rows: sums and biases stay in registers. */
enum { LANES = 64 / sizeof(ebr_real), BLOCK = 4 };

typedef ebr_real lanes __attribute__((vector_size(64), aligned(sizeof(ebr_real)), may_alias));
typedef __typeof__((lanes){0} > (lanes){0}) lane_mask;

/* n vectors of columns. */
static inline __attribute__((always_inline)) void activate_columns(const size_t n, int rows, int cols, const ebr_real *bias,
                                                                   const bool relu, ebr_real *y)
{
  lanes added[BLOCK];
  for (size_t k = 0; k < n; k++) added[k] = *(const lanes *)(bias + k * LANES);
  for (int r = 0; r < rows; r++)
    for (size_t k = 0; k < n; k++) {
      lanes *at = (lanes *)(y + (size_t)r * cols + k * LANES), value = *at + added[k];
      *at = relu ? (lanes)((lane_mask)value & (value > (lanes){0})) : value;
    }
}

static inline __attribute__((always_inline)) void activate(int rows, int cols, const ebr_real *bias, const bool relu,
                                                           ebr_real *y)
{
  int c = 0;
  for (; c + BLOCK * LANES <= cols; c += BLOCK * LANES) activate_columns(BLOCK, rows, cols, bias + c, relu, y + c);
  for (; c + LANES <= cols; c += LANES) activate_columns(1, rows, cols, bias + c, relu, y + c);
  for (int r = 0; r < rows && c < cols; r++)
    for (int k = c; k < cols; k++) {
      ebr_real *at = y + (size_t)r * cols + k, value = *at + bias[k];
      *at = !relu || value > 0 ? value : 0;
    }
}

EBR_VECTOR
void ebr_bias_activate(int rows, int cols, const ebr_real *bias, bool relu, ebr_real *y)
{
  if (relu) activate(rows, cols, bias, true, y);
  else activate(rows, cols, bias, false, y);
}

/* n vectors of columns. */
static inline __attribute__((always_inline)) void sum_columns(const size_t n, int rows, int cols, const ebr_real *y,
                                                              const bool relu, ebr_real *dy, ebr_real *dbias)
{
  lanes sum[BLOCK] = {{0}};
  for (int r = 0; r < rows; r++)
    for (size_t k = 0; k < n; k++) {
      size_t place = (size_t)r * cols + k * LANES;
      lanes *at = (lanes *)(dy + place), kept = *at;
      if (relu) *at = kept = (lanes)((lane_mask)kept & (*(const lanes *)(y + place) > (lanes){0}));
      sum[k] += kept;
    }
  for (size_t k = 0; k < n; k++) *(lanes *)(dbias + k * LANES) = sum[k];
}

static inline __attribute__((always_inline)) void activate_backward(int rows, int cols, const ebr_real *y, const bool relu,
                                                                    ebr_real *dy, ebr_real *dbias)
{
  int c = 0;
  for (; c + BLOCK * LANES <= cols; c += BLOCK * LANES)
    sum_columns(BLOCK, rows, cols, y + c, relu, dy + c, dbias + c);
  for (; c + LANES <= cols; c += LANES) sum_columns(1, rows, cols, y + c, relu, dy + c, dbias + c);
  memset(dbias + c, 0, (size_t)(cols - c) * sizeof *dbias);
  for (int r = 0; r < rows && c < cols; r++)
    for (int k = c; k < cols; k++) {
      size_t place = (size_t)r * cols + (size_t)k;
      if (relu && !(y[place] > 0)) dy[place] = 0;
      dbias[k] += dy[place];
    }
}

EBR_VECTOR
void ebr_bias_activate_backward(int rows, int cols, const ebr_real *y, bool relu, ebr_real *dy, ebr_real *dbias)
{
  if (relu) activate_backward(rows, cols, y, true, dy, dbias);
  else activate_backward(rows, cols, y, false, dy, dbias);
}

EBR_VECTOR
static void mask(size_t count, const ebr_real *restrict y, ebr_real *restrict dy)
{
  for (size_t i = 0; i < count; i++) dy[i] = y[i] > 0 ? dy[i] : 0;
}

EBR_VECTOR
void ebr_add_scaled(size_t count, ebr_real a, const ebr_real *restrict x, ebr_real *restrict y)
{
  for (size_t i = 0; i < count; i++) y[i] += a * x[i];
}

EBR_VECTOR
void ebr_copy_scaled(size_t count, ebr_real a, const ebr_real *restrict x, ebr_real *restrict y)
{
  for (size_t i = 0; i < count; i++) y[i] = a * x[i];
}

void ebr_linear(int rows, int in, int out, const ebr_real *x, const ebr_real *w, const ebr_real *bias, bool relu,
                ebr_real *y)
{
  ebr_gemm_nn(rows, out, in, x, in, w, out, 0, y, out);
  ebr_bias_activate(rows, out, bias, relu, y);
}

typedef ebr_real four __attribute__((vector_size(4 * sizeof(ebr_real)), aligned(sizeof(ebr_real)), may_alias));

static inline __attribute__((always_inline)) void interleave(const four *x, const four *y, four *low, four *high)
{
  *low = __builtin_shufflevector(*x, *y, 0, 4, 1, 5);
  *high = __builtin_shufflevector(*x, *y, 2, 6, 3, 7);
}

/* 4 x 4 values, in registers. */
static inline __attribute__((always_inline)) void transpose_four(int rows, int cols, const ebr_real *a, ebr_real *b)
{
  four row[4], half[4];
  for (int i = 0; i < 4; i++) row[i] = *(const four *)(a + (size_t)i * (size_t)cols);
  for (size_t i = 0; i < 2; i++) interleave(&row[i], &row[i + 2], &half[2 * i], &half[2 * i + 1]);
  for (size_t i = 0; i < 2; i++)
    interleave(&half[i], &half[i + 2], (four *)(b + 2 * i * (size_t)rows), (four *)(b + (2 * i + 1) * (size_t)rows));
}

/* Tiles as wide as a line of the cache, both ways. */
EBR_VECTOR
void ebr_transpose(int rows, int cols, const ebr_real *restrict a, ebr_real *restrict b)
{
  enum { TILE = LANES };
  int whole_rows = rows / 4 * 4, whole_cols = cols / 4 * 4;
  for (int r0 = 0; r0 < whole_rows; r0 += TILE)
    for (int c0 = 0; c0 < whole_cols; c0 += TILE)
      for (int c = c0; c < c0 + TILE && c < whole_cols; c += 4)
        for (int r = r0; r < r0 + TILE && r < whole_rows; r += 4)
          transpose_four(rows, cols, a + (size_t)r * (size_t)cols + c, b + (size_t)c * (size_t)rows + r);
  for (int r = 0; r < rows; r++)
    for (int c = r < whole_rows ? whole_cols : 0; c < cols; c++) b[(size_t)c * rows + r] = a[(size_t)r * cols + c];
}

void ebr_linear_backward_input(int rows, int in, int out, const ebr_real *dy, const ebr_real *w, ebr_real *dx,
                               ebr_real *transposed)
{
  if ((double)in * out > EBR_TRANSPOSED_MOST || !ebr_gemm_goes_unpacked(rows, in, out)) {
    ebr_gemm_nt(rows, in, out, dy, out, w, out, 0, dx, in);
    return;
  }
  ebr_transpose(in, out, w, transposed);
  ebr_gemm_nn(rows, in, out, dy, out, transposed, in, 0, dx, in);
}

void ebr_linear_backward(int rows, int in, int out, const ebr_real *x, const ebr_real *w, const ebr_real *y, bool relu,
                         ebr_real *dy, ebr_real *dw, ebr_real *dbias, ebr_real *dx, ebr_real *transposed)
{
  if (dw) {
    ebr_bias_activate_backward(rows, out, y, relu, dy, dbias);
    ebr_gemm_tn(in, out, rows, x, in, dy, out, 0, dw, out);
  } else if (relu) {
    mask((size_t)rows * (size_t)out, y, dy);
  }
  if (dx) ebr_linear_backward_input(rows, in, out, dy, w, dx, transposed);
}
