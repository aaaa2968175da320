/* Losses over whole batches. Their exponentials go through vectors, TILE at a time: glibc's libmvec has them within 4 units
 * in the last place. What a value becomes does not depend on its place in a batch. */
#include "model/kernels.h"

#include <math.h>
#include <string.h>

/* math.h tells gcc of libmvec only where floats may be taken liberties with. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define EBR_LIBMVEC __attribute__((simd("notinbranch")))
#else
#define EBR_LIBMVEC
#endif

#ifdef EBR_TRAIN_DOUBLE
#define EXP exp
#define LOG log
#define LEAST (-708)
#else
#define EXP expf
#define LOG logf
#define LEAST (-87)
#endif

extern ebr_real EXP(ebr_real) EBR_LIBMVEC;
extern ebr_real LOG(ebr_real) EBR_LIBMVEC;

enum {
  TILE = 64,    /* values that go through vectors together */
  SCRATCH = 512 /* probabilities that are wanted for their sum alone */
};

/* Below LEAST results are no normal numbers, and libmvec leaves such vectors to the scalar function, entry by entry: a
 * confident network's losses took three times as long. Beside the largest's 1 they are nothing either way. */
EBR_VECTOR
static void exp_tile(ebr_real *x)
{
  for (int i = 0; i < TILE; i++) x[i] = x[i] < LEAST ? (ebr_real)LEAST : x[i];
  for (int i = 0; i < TILE; i++) x[i] = EXP(x[i]);
}

EBR_VECTOR
static void log_tile(ebr_real *x)
{
  for (int i = 0; i < TILE; i++) x[i] = LOG(x[i]);
}

/* x (count) = exp(x). */
static void exp_all(size_t count, ebr_real *x)
{
  for (; count >= TILE; count -= TILE, x += TILE) exp_tile(x);
  if (count == 0) return;
  ebr_real rest[TILE] = {0};
  memcpy(rest, x, count * sizeof *x);
  exp_tile(rest);
  memcpy(x, rest, count * sizeof *x);
}

static ebr_real largest_of(int cols, const ebr_real *row)
{
  ebr_real largest = row[0];
  for (int c = 1; c < cols; c++) largest = row[c] > largest ? row[c] : largest;
  return largest;
}

/* probability (rows x cols) = softmax of logits' rows; log_sum (rows) = log sum exp of each. At most TILE rows. */
static void soften(int rows, int cols, const ebr_real *logits, ebr_real *probability, double *log_sum)
{
  ebr_real largest[TILE], sum[TILE];
  for (int r = 0; r < TILE; r++) sum[r] = 1;
  for (int r = 0; r < rows; r++) {
    const ebr_real *row = logits + (size_t)r * cols;
    largest[r] = largest_of(cols, row);
    for (int c = 0; c < cols; c++) probability[(size_t)r * cols + c] = row[c] - largest[r];
  }
  exp_all((size_t)rows * (size_t)cols, probability);
  for (int r = 0; r < rows; r++) {
    ebr_real *row = probability + (size_t)r * cols;
    sum[r] = 0;
    for (int c = 0; c < cols; c++) sum[r] += row[c];
    ebr_real inverse = 1 / sum[r];
    for (int c = 0; c < cols; c++) row[c] *= inverse;
  }
  log_tile(sum);
  for (int r = 0; r < rows; r++) log_sum[r] = (double)largest[r] + (double)sum[r];
}

/* The same of one row whose probabilities nobody wants, a part at a time. */
static double log_sum_of(int cols, const ebr_real *row)
{
  ebr_real part[SCRATCH], largest = largest_of(cols, row), sum[TILE] = {0};
  for (int start = 0; start < cols; start += SCRATCH) {
    int count = cols - start < SCRATCH ? cols - start : SCRATCH;
    for (int c = 0; c < count; c++) part[c] = row[start + c] - largest;
    exp_all((size_t)count, part);
    for (int c = 0; c < count; c++) sum[0] += part[c];
  }
  log_tile(sum);
  return (double)largest + (double)sum[0];
}

static void log_sums(int rows, int cols, const ebr_real *logits, double *log_sum)
{
  ebr_real unwanted[SCRATCH];
  if (cols > SCRATCH) {
    for (int r = 0; r < rows; r++) log_sum[r] = log_sum_of(cols, logits + (size_t)r * cols);
    return;
  }
  for (int r = 0, most = SCRATCH / cols; r < rows; r += most)
    soften(rows - r < most ? rows - r : most, cols, logits + (size_t)r * cols, unwanted, log_sum + r);
}

/* Without branches, which nothing predicts. */
static bool is_correct(int cols, const ebr_real *row, int32_t label)
{
  int above = 0;
  for (int c = 0; c < cols; c++) above += row[label] > row[c];
  return above == cols - 1;
}

EBR_VECTOR
static void scale_all(size_t count, ebr_real scale, ebr_real *restrict x)
{
  for (size_t i = 0; i < count; i++) x[i] *= scale;
}

double ebr_cross_entropy(int rows, int cols, const ebr_real *logits, const int32_t *label, const uint8_t *weight,
                         ebr_real scale, ebr_real *dlogits, double *correct)
{
  double sum = 0, log_sum[TILE];
  for (int start = 0; start < rows; start += TILE) {
    int count = rows - start < TILE ? rows - start : TILE;
    const ebr_real *block = logits + (size_t)start * cols;
    ebr_real *dblock = dlogits ? dlogits + (size_t)start * cols : NULL;
    if (dblock) soften(count, cols, block, dblock, log_sum);
    else log_sums(count, cols, block, log_sum);
    for (int r = 0; r < count; r++) {
      const ebr_real *row = block + (size_t)r * cols;
      int32_t own = label[start + r];
      if (weight && !weight[start + r]) {
        if (dblock) memset(dblock + (size_t)r * cols, 0, (size_t)cols * sizeof *dblock);
        continue;
      }
      sum += log_sum[r] - (double)row[own];
      if (correct) *correct += is_correct(cols, row, own);
      if (dblock) dblock[(size_t)r * cols + own] -= 1;
    }
    if (dblock) scale_all((size_t)count * (size_t)cols, scale, dblock);
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
  double sum = 0, log_sum[TILE];
  for (int start = 0; start < rows; start += TILE) {
    int count = rows - start < TILE ? rows - start : TILE;
    soften(count, cols, logits + (size_t)start * cols, dlogits + (size_t)start * cols, log_sum);
    for (int r = start; r < start + count; r++) {
      const ebr_real *row = logits + (size_t)r * cols;
      ebr_real *drow = dlogits + (size_t)r * cols;
      if (weight && !weight[r]) {
        memset(drow, 0, (size_t)cols * sizeof *drow);
        continue;
      }
      double mean = 0;
      for (int c = 0; c < cols; c++) {
        mean += (double)row[c] / cols;
        drow[c] = (drow[c] - (ebr_real)(1.0 / cols)) * scale;
      }
      sum += log_sum[r - start] - mean;
    }
  }
  return sum;
}
