#include <ebrsweep/data.h>

void ebr_samples_gather(const ebr_samples *samples, int modality, const int32_t *rows, int count, ebr_real *out)
{
  int d = samples->inputs[modality];
  const float *mean = samples->mean[modality], *scale = samples->scale[modality];
  for (int b = 0; b < count; b++) {
    const float *x = samples->x[modality] + (size_t)rows[b] * (size_t)d;
    bool present = !samples->present || samples->present[(size_t)rows[b] * (size_t)samples->modalities + (size_t)modality];
    for (int c = 0; c < d; c++) out[(size_t)b * (size_t)d + (size_t)c] = present ? (x[c] - mean[c]) * scale[c] : 0;
  }
}
