/* A small sample set made by hand, for tests of what comes after data: two informative modalities and one of noise. */
#ifndef EBR_TESTS_MADE_SAMPLES_H
#define EBR_TESTS_MADE_SAMPLES_H

#include <ebrsweep/data.h>

enum { MADE_MODALITIES = 3, MADE_CLASSES = 4, MADE_TRAIN = 96, MADE_TEST = 64, MADE_TOTAL = MADE_TRAIN + MADE_TEST };

static inline size_t made_bytes(void) { return 64 * 1024; }

/* x of modality i: a prototype of the class (none for the last modality) and noise; inputs 5, 4, 3. */
static inline ebr_error *made_samples(uint64_t key, ebr_samples *samples)
{
  static const int inputs[MADE_MODALITIES] = {5, 4, 3};
  ebr_stream stream = ebr_stream_start(key, EBR_PURPOSE_TEST, 9);
  *samples = (ebr_samples){.modalities = MADE_MODALITIES, .classes = MADE_CLASSES, .total = MADE_TOTAL,
                           .train_count = MADE_TRAIN, .test_count = MADE_TEST};
  ebr_error *error = ebr_arena_create(made_bytes(), &samples->owned);
  if (error) return error;
  int32_t *rows = ebr_arena_take(&samples->owned, MADE_TOTAL, sizeof *rows);
  int32_t *label = ebr_arena_take(&samples->owned, MADE_TOTAL, sizeof *label);
  for (int k = 0; k < MADE_TOTAL; k++) {
    rows[k] = k;
    label[k] = k % MADE_CLASSES;
  }
  samples->train = rows;
  samples->test = rows + MADE_TRAIN;
  samples->label = label;
  for (int i = 0; i < MADE_MODALITIES; i++) {
    int d = inputs[i];
    float prototype[MADE_CLASSES * 5], *x = ebr_arena_take(&samples->owned, (size_t)(MADE_TOTAL * d), sizeof *x);
    float *mean = ebr_arena_take(&samples->owned, (size_t)d, sizeof *mean);
    float *scale = ebr_arena_take(&samples->owned, (size_t)d, sizeof *scale);
    for (int k = 0; k < MADE_CLASSES * d; k++) prototype[k] = i < 2 ? (float)ebr_stream_normal(&stream) : 0;
    for (int k = 0; k < MADE_TOTAL; k++)
      for (int c = 0; c < d; c++)
        x[k * d + c] = prototype[label[k] * d + c] + 0.5f * (float)ebr_stream_normal(&stream);
    for (int c = 0; c < d; c++) scale[c] = 1;
    samples->inputs[i] = d;
    samples->x[i] = x;
    samples->mean[i] = mean;
    samples->scale[i] = scale;
  }
  return NULL;
}

#endif
