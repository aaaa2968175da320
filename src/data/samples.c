#include "data/samples.h"

#include <stdlib.h>
#include <string.h>

static bool any_missing(const ebr_config *config)
{
  bool any = false;
  for (int i = 0; i < config->missing_train.count; i++) any |= config->missing_train.value[i] > 0;
  return any;
}

static bool owns_inputs(const ebr_config *config)
{
  if (config->data_feature_noise > 0) return true;
  return config->data_source == EBR_SOURCE_SYNTHETIC && config->data_mixing != EBR_MIXING_NONE;
}

static void layout(const ebr_config *config, const ebr_shape *shape, ebr_arena *arena, ebr_storage *storage)
{
  bool synthetic = config->data_source == EBR_SOURCE_SYNTHETIC;
  size_t n = (size_t)shape->total, latents = (size_t)(config->data_predictive + config->data_noise);
  *storage = (ebr_storage){0};
  storage->train = ebr_arena_take(arena, (size_t)shape->train_count, sizeof(int32_t));
  storage->test = ebr_arena_take(arena, (size_t)shape->test_count, sizeof(int32_t));
  storage->label = ebr_arena_take(arena, n, sizeof(int32_t));
  if (!synthetic || any_missing(config)) storage->present = ebr_arena_take(arena, n * (size_t)shape->modalities, 1);
  for (int i = 0; i < shape->modalities; i++) {
    size_t d = (size_t)shape->inputs[i];
    storage->mean[i] = ebr_arena_take(arena, d, sizeof(float));
    storage->scale[i] = ebr_arena_take(arena, d, sizeof(float));
    if (owns_inputs(config)) storage->x[i] = ebr_arena_take(arena, n * d, sizeof(float));
    if (synthetic) storage->truth[i] = ebr_arena_take(arena, n * latents, sizeof(float));
  }
}

static void point(const ebr_config *config, const ebr_shape *shape, const ebr_storage *storage, ebr_samples *samples)
{
  samples->modalities = shape->modalities;
  samples->classes = shape->classes;
  samples->total = shape->total;
  samples->train_count = shape->train_count;
  samples->test_count = shape->test_count;
  samples->train = storage->train;
  samples->test = storage->test;
  samples->label = storage->label;
  samples->present = storage->present;
  for (int i = 0; i < shape->modalities; i++) {
    samples->inputs[i] = shape->inputs[i];
    samples->picture[i] = shape->picture[i];
    samples->mean[i] = storage->mean[i];
    samples->scale[i] = storage->scale[i];
    samples->truth[i] = storage->truth[i];
    samples->x[i] = storage->x[i] ? storage->x[i] : storage->truth[i];
  }
  if (config->data_source != EBR_SOURCE_SYNTHETIC) return;
  samples->predictive = (int)config->data_predictive;
  samples->noise = (int)config->data_noise;
}

static ebr_error *find_dataset(const ebr_library *library, const ebr_config *config, const ebr_dataset **dataset)
{
  ebr_error *error = NULL;
  *dataset = library ? ebr_library_find(library, config->data_file.text) : NULL;
  EBR_CHECK(*dataset, EBR_INTERNAL, "%s: this dataset was not read before it was used", config->data_file.text);
done:
  return error;
}

static ebr_error *fill(const ebr_library *library, const ebr_config *config, ebr_samples *samples, ebr_storage *storage)
{
  ebr_error *error = NULL;
  uint64_t key = ebr_config_pair(config);
  if (config->data_source == EBR_SOURCE_SYNTHETIC) {
    EBR_TRY(ebr_synthetic_fill(config, key, samples, storage));
  } else {
    const ebr_dataset *dataset;
    EBR_TRY(find_dataset(library, config, &dataset));
    EBR_TRY(ebr_split_fill(config, key, dataset, samples, storage));
    if (!dataset->header.has_present && !any_missing(config)) samples->present = NULL;
  }
  if (any_missing(config)) ebr_missing_apply(config, key, samples, storage);
  EBR_TRY(ebr_standard_fill(samples, storage));
  if (config->data_feature_noise > 0) ebr_feature_noise_apply(config, key, samples, storage);
  /* Last: which modalities are missing may depend on the true label. */
  if (config->data_label_noise > 0) ebr_label_noise_apply(config, key, samples, storage);
done:
  return error;
}

ebr_error *ebr_samples_create(const ebr_library *library, const ebr_config *config, ebr_samples **out)
{
  ebr_error *error = NULL;
  ebr_shape shape;
  ebr_storage storage;
  ebr_samples *samples = calloc(1, sizeof *samples);
  EBR_CHECK_MEMORY(samples, "samples");
  EBR_TRY(ebr_samples_shape(library, config, &shape));
  EBR_TRY(ebr_arena_create(ebr_samples_bytes(config, &shape), &samples->owned));
  layout(config, &shape, &samples->owned, &storage);
  point(config, &shape, &storage, samples);
  EBR_TRY(fill(library, config, samples, &storage));
  *out = samples;
  samples = NULL;
done:
  ebr_samples_destroy(&samples);
  return error;
}

void ebr_samples_destroy(ebr_samples **samples)
{
  if (!*samples) return;
  ebr_arena_destroy(&(*samples)->owned);
  free(*samples);
  *samples = NULL;
}

static ebr_error *synthetic_shape(const ebr_config *config, ebr_shape *shape)
{
  ebr_error *error = NULL;
  int64_t latents = config->data_predictive + config->data_noise;
  EBR_CHECK(config->data_modalities >= 1 && config->data_train >= 1 && config->data_test >= 1, EBR_SWEEP,
            "synthetic data needs data.modalities, data.train and data.test of at least 1, not %lld, %lld and %lld",
            (long long)config->data_modalities, (long long)config->data_train, (long long)config->data_test);
  EBR_CHECK(config->data_mixing != EBR_MIXING_NONE || !config->data_dimension || config->data_dimension == latents,
            EBR_SWEEP, "data.dimension is %lld; without mixing it must be data.predictive + data.noise = %lld",
            (long long)config->data_dimension, (long long)latents);
  *shape = (ebr_shape){.modalities = (int)config->data_modalities,
                       .classes = (int)config->data_classes,
                       .total = (int)(config->data_train + config->data_test),
                       .train_count = (int)config->data_train,
                       .test_count = (int)config->data_test};
  for (int i = 0; i < shape->modalities; i++)
    shape->inputs[i] = (int)(config->data_dimension ? config->data_dimension : latents);
done:
  return error;
}

ebr_error *ebr_samples_shape(const ebr_library *library, const ebr_config *config, ebr_shape *shape)
{
  ebr_error *error = NULL;
  const ebr_dataset *dataset;
  if (config->data_source == EBR_SOURCE_SYNTHETIC) return synthetic_shape(config, shape);
  EBR_TRY(find_dataset(library, config, &dataset));
  EBR_TRY(ebr_split_shape(dataset, config, shape));
done:
  return error;
}

ebr_shape ebr_samples_describe(const ebr_samples *samples)
{
  ebr_shape shape = {.modalities = samples->modalities,
                     .classes = samples->classes,
                     .train_count = samples->train_count,
                     .test_count = samples->test_count,
                     .total = samples->total};
  memcpy(shape.inputs, samples->inputs, sizeof shape.inputs);
  memcpy(shape.picture, samples->picture, sizeof shape.picture);
  return shape;
}

size_t ebr_samples_bytes(const ebr_config *config, const ebr_shape *shape)
{
  ebr_storage storage;
  ebr_arena arena = ebr_arena_measuring();
  layout(config, shape, &arena, &storage);
  return arena.used;
}
