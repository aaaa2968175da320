/* What a run does to its samples on purpose: modalities that are missing in training, noise in features and labels. */
#include "data/samples.h"

#include <math.h>
#include <string.h>

/* With pattern label, the upper half of the classes misses a modality twice as often as the lower one; the mean over
 * balanced classes stays the rate. */
static double missing_rate(const ebr_config *config, int modality, int label, int classes)
{
  double rate = ebr_list_at(&config->missing_train, NAN, modality, EBR_MODALITIES_MOST);
  if (config->missing_pattern == EBR_MISSING_RANDOM) return rate;
  double upper = fmin(1, rate * 4 / 3);
  return 2 * label >= classes ? upper : 2 * rate - upper;
}

/* Gives back one of the modalities that `had` names, each with the same chance. */
static void keep_one(uint8_t *present, const uint8_t *had, int modalities, ebr_stream *stream)
{
  int left = 0, count = 0;
  for (int i = 0; i < modalities; i++) {
    left += present[i];
    count += had[i];
  }
  if (left || !count) return;
  int kept = (int)ebr_stream_below(stream, (uint32_t)count);
  for (int i = 0; i < modalities; i++)
    if (had[i] && kept-- == 0) present[i] = 1;
}

void ebr_missing_apply(const ebr_config *config, uint64_t key, const ebr_samples *samples, ebr_storage *storage)
{
  int m = samples->modalities;
  ebr_stream keeping = ebr_stream_start(key, EBR_PURPOSE_MISSING, EBR_STREAM_SHARED), stream[EBR_MODALITIES_MOST];
  for (int i = 0; i < m; i++)
    stream[i] = ebr_stream_start(key, EBR_PURPOSE_MISSING, EBR_STREAM_MODALITY + (uint32_t)i);
  if (config->data_source == EBR_SOURCE_SYNTHETIC)
    memset(storage->present, 1, (size_t)samples->total * (size_t)m);
  for (int t = 0; t < samples->train_count; t++) {
    uint8_t *present = storage->present + (size_t)storage->train[t] * (size_t)m, had[EBR_MODALITIES_MOST];
    memcpy(had, present, (size_t)m);
    for (int i = 0; i < m; i++) {
      double rate = missing_rate(config, i, storage->label[storage->train[t]], samples->classes);
      if (ebr_stream_uniform(&stream[i]) < rate) present[i] = 0;
    }
    keep_one(present, had, m, &keeping);
  }
}

static void feature_noise_row(float *row, const float *mean, const float *scale, int d, double share,
                              ebr_stream *stream)
{
  for (int c = 0; c < d; c++) {
    if (ebr_stream_uniform(stream) >= share) continue;
    double value = ebr_stream_normal(stream);
    if (scale[c] > 0) row[c] = (float)(mean[c] + value / scale[c]);
  }
}

void ebr_feature_noise_apply(const ebr_config *config, uint64_t key, const ebr_samples *samples, ebr_storage *storage)
{
  for (int i = 0; i < samples->modalities; i++) {
    int d = samples->inputs[i];
    ebr_stream stream = ebr_stream_start(key, EBR_PURPOSE_FEATURE_NOISE, EBR_STREAM_MODALITY + (uint32_t)i);
    for (int n = 0; n < samples->total; n++)
      feature_noise_row(storage->x[i] + (size_t)n * (size_t)d, storage->mean[i], storage->scale[i], d,
                        config->data_feature_noise, &stream);
  }
}

void ebr_label_noise_apply(const ebr_config *config, uint64_t key, const ebr_samples *samples, ebr_storage *storage)
{
  ebr_stream stream = ebr_stream_start(key, EBR_PURPOSE_LABEL_NOISE, EBR_STREAM_SHARED);
  for (int t = 0; t < samples->train_count; t++)
    if (ebr_stream_uniform(&stream) < config->data_label_noise)
      storage->label[storage->train[t]] = (int32_t)ebr_stream_below(&stream, (uint32_t)samples->classes);
}
