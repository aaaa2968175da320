#include <ebrsweep/data.h>

#include <string.h>

void ebr_samples_gather(const ebr_samples *samples, int modality, const int32_t *rows, int count, ebr_real *out)
{
  size_t d = (size_t)samples->inputs[modality], m = (size_t)samples->modalities;
  const float *restrict mean = samples->mean[modality], *restrict scale = samples->scale[modality];
  for (int b = 0; b < count; b++) {
    size_t row = (size_t)rows[b];
    const float *restrict x = samples->x[modality] + row * d;
    ebr_real *restrict to = out + (size_t)b * d;
    if (samples->present && !samples->present[row * m + (size_t)modality])
      memset(to, 0, d * sizeof *to);
    else
      for (size_t c = 0; c < d; c++) to[c] = (x[c] - mean[c]) * scale[c];
  }
}
