#include "model/kernels.h"

#include <math.h>
#include <string.h>

EBR_VECTOR
void ebr_bias_activate(int rows, int cols, const ebr_real *restrict bias, bool relu, ebr_real *restrict y)
{
  for (int r = 0; r < rows; r++) {
    ebr_real *restrict row = y + (size_t)r * cols;
    if (relu)
      for (int c = 0; c < cols; c++) {
        ebr_real value = row[c] + bias[c];
        row[c] = value > 0 ? value : 0;
      }
    else
      for (int c = 0; c < cols; c++) row[c] += bias[c];
  }
}

EBR_VECTOR
void ebr_bias_activate_backward(int rows, int cols, const ebr_real *restrict y, bool relu, ebr_real *restrict dy,
                                ebr_real *restrict dbias)
{
  memset(dbias, 0, (size_t)cols * sizeof *dbias);
  for (int r = 0; r < rows; r++) {
    const ebr_real *restrict value = y + (size_t)r * cols;
    ebr_real *restrict row = dy + (size_t)r * cols;
    if (relu)
      for (int c = 0; c < cols; c++) {
        ebr_real kept = value[c] > 0 ? row[c] : 0;
        row[c] = kept;
        dbias[c] += kept;
      }
    else
      for (int c = 0; c < cols; c++) dbias[c] += row[c];
  }
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

EBR_VECTOR
static void transpose(int rows, int cols, const ebr_real *restrict a, ebr_real *restrict b)
{
  enum { TILE = 16 };
  for (int r0 = 0; r0 < rows; r0 += TILE)
    for (int c0 = 0; c0 < cols; c0 += TILE) {
      int r1 = r0 + TILE < rows ? r0 + TILE : rows, c1 = c0 + TILE < cols ? c0 + TILE : cols;
      for (int c = c0; c < c1; c++)
        for (int r = r0; r < r1; r++) b[(size_t)c * rows + r] = a[(size_t)r * cols + c];
    }
}

void ebr_linear_backward_input(int rows, int in, int out, const ebr_real *dy, const ebr_real *w, ebr_real *dx,
                               ebr_real *transposed)
{
  if ((double)rows * in * out > EBR_TRANSPOSED_MOST) {
    ebr_gemm_nt(rows, in, out, dy, out, w, out, 0, dx, in);
    return;
  }
  transpose(in, out, w, transposed);
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

#ifdef EBR_TRAIN_DOUBLE
#define EXP exp
#define LOG log
#else
#define EXP expf
#define LOG logf
#endif

/* probability (cols) = softmax(row); answers log sum exp(row). */
static double softmax(int cols, const ebr_real *restrict row, ebr_real *restrict probability)
{
  ebr_real largest = row[0], sum = 0;
  for (int c = 1; c < cols; c++) largest = row[c] > largest ? row[c] : largest;
  for (int c = 0; c < cols; c++) {
    probability[c] = EXP(row[c] - largest);
    sum += probability[c];
  }
  ebr_real inverse = 1 / sum;
  for (int c = 0; c < cols; c++) probability[c] *= inverse;
  return (double)largest + (double)LOG(sum);
}

static double log_sum_exp(int cols, const ebr_real *row)
{
  ebr_real largest = row[0], sum = 0;
  for (int c = 1; c < cols; c++) largest = row[c] > largest ? row[c] : largest;
  for (int c = 0; c < cols; c++) sum += EXP(row[c] - largest);
  return (double)largest + (double)LOG(sum);
}

static bool is_correct(int cols, const ebr_real *row, int32_t label)
{
  for (int c = 0; c < cols; c++)
    if (c != label && !(row[label] > row[c])) return false;
  return true;
}

double ebr_cross_entropy(int rows, int cols, const ebr_real *logits, const int32_t *label, const uint8_t *weight,
                         ebr_real scale, ebr_real *dlogits, double *correct)
{
  double sum = 0;
  for (int r = 0; r < rows; r++) {
    const ebr_real *row = logits + (size_t)r * cols;
    ebr_real *drow = dlogits ? dlogits + (size_t)r * cols : NULL;
    if (weight && !weight[r]) {
      if (drow) memset(drow, 0, (size_t)cols * sizeof *drow);
      continue;
    }
    sum += (drow ? softmax(cols, row, drow) : log_sum_exp(cols, row)) - (double)row[label[r]];
    if (correct) *correct += is_correct(cols, row, label[r]);
    if (!drow) continue;
    drow[label[r]] -= 1;
    for (int c = 0; c < cols; c++) drow[c] *= scale;
  }
  return sum;
}

double ebr_squared_error(int rows, int cols, const ebr_real *logits, const int32_t *label, ebr_real scale,
                         ebr_real *dlogits, double *correct)
{
  double sum = 0;
  for (int r = 0; r < rows; r++) {
    const ebr_real *row = logits + (size_t)r * cols;
    *correct += is_correct(cols, row, label[r]);
    for (int c = 0; c < cols; c++) {
      ebr_real difference = row[c] - (c == label[r]);
      sum += 0.5 * (double)difference * (double)difference;
      if (dlogits) dlogits[(size_t)r * cols + c] = scale * difference;
    }
  }
  return sum;
}

double ebr_mean_squares(size_t count, const ebr_real *y, const ebr_real *target, ebr_real *dy)
{
  double sum = 0;
  ebr_real scale = (ebr_real)2 / (ebr_real)count;
  for (size_t k = 0; k < count; k++) {
    ebr_real difference = y[k] - target[k];
    sum += (double)difference * (double)difference;
    if (dy) dy[k] = scale * difference;
  }
  return sum / (double)count;
}

double ebr_confusion(int rows, int cols, const ebr_real *logits, const uint8_t *weight, ebr_real scale,
                     ebr_real *dlogits)
{
  double sum = 0;
  for (int r = 0; r < rows; r++) {
    const ebr_real *row = logits + (size_t)r * cols;
    ebr_real *drow = dlogits + (size_t)r * cols;
    if (weight && !weight[r]) {
      memset(drow, 0, (size_t)cols * sizeof *drow);
      continue;
    }
    double mean = 0, largest_log = softmax(cols, row, drow);
    for (int c = 0; c < cols; c++) {
      mean += (double)row[c] / cols;
      drow[c] = (drow[c] - (ebr_real)(1.0 / cols)) * scale;
    }
    sum += largest_log - mean;
  }
  return sum;
}
