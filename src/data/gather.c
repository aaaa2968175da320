#include <ebrsweep/data.h>

#include <string.h>

enum { AHEAD = 8, LINE = 64 / sizeof(float) };

/* to (d) = (x - mean) scale, a line at a time. */
static inline __attribute__((always_inline)) void standardise(size_t d, const float *restrict x, const float *restrict mean,
                                                              const float *restrict scale, ebr_real *restrict to)
{
  size_t c = 0;
  for (; c + LINE <= d; c += LINE)
    for (size_t k = c; k < c + LINE; k++) to[k] = (x[k] - mean[k]) * scale[k];
  for (; c < d; c++) to[c] = (x[c] - mean[c]) * scale[c];
}

/* Rows lie anywhere in memory that no cache holds: what is asked for ahead arrives while others are copied. */
static inline void fetch(const float *row, size_t d)
{
  for (size_t c = 0; c < d; c += LINE) __builtin_prefetch(row + c);
}

EBR_VECTOR
void ebr_samples_gather(const ebr_samples *samples, int modality, const int32_t *rows, int count, ebr_real *out)
{
  size_t d = (size_t)samples->inputs[modality], m = (size_t)samples->modalities;
  const float *mean = samples->mean[modality], *scale = samples->scale[modality];
  for (int b = 0; b < count; b++) {
    size_t row = (size_t)rows[b];
    if (b + AHEAD < count) fetch(samples->x[modality] + (size_t)rows[b + AHEAD] * d, d);
    ebr_real *to = out + (size_t)b * d;
    if (samples->present && !samples->present[row * m + (size_t)modality]) memset(to, 0, d * sizeof *to);
    else standardise(d, samples->x[modality] + row * d, mean, scale, to);
  }
}

void ebr_samples_gather_truth(const ebr_samples *samples, int only, const int32_t *rows, int count, ebr_real *out)
{
  int first = only < 0 ? 0 : only, stop = only < 0 ? samples->modalities : only + 1;
  size_t each = (size_t)samples->predictive + (size_t)samples->noise;
  if (!out) return;
  for (int b = 0; b < count; b++)
    for (int i = first; i < stop; i++)
      for (size_t f = 0; f < each; f++) *out++ = (ebr_real)samples->truth[i][(size_t)rows[b] * each + f];
}
