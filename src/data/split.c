/* A dataset becomes one run's samples: which modalities, which samples train and which test. */
#include "data/samples.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_STRATA, STREAM_TRAIN, STREAM_TEST };

int ebr_split_modality(const ebr_config *config, int modality)
{
  return modality < config->data_order.count ? (int)config->data_order.value[modality] : modality;
}

/* How many of a class's samples are held out: the share, rounded, but one at least trains. */
static int held_out(int count, double fraction)
{
  int test = (int)floor(count * fraction + 0.5);
  return count > 0 && test >= count ? count - 1 : test;
}

static void available(const ebr_dataset *dataset, const ebr_config *config, int *train, int *test)
{
  const ebr_dataset_header *h = &dataset->header;
  *train = h->split_count[0];
  *test = h->split_count[1];
  if (h->has_split) return;
  *test = 0;
  for (int c = 0; c < h->classes; c++) *test += held_out(dataset->class_count[c], config->data_test_fraction);
  *train = h->total - *test;
}

static ebr_error *choose_modalities(const ebr_dataset *dataset, const ebr_config *config, ebr_shape *shape)
{
  ebr_error *error = NULL;
  const ebr_dataset_header *h = &dataset->header;
  const ebr_list *order = &config->data_order;
  for (int i = 0; i < order->count; i++)
    EBR_CHECK(order->value[i] < h->modalities, EBR_DATA,
              "%s: data.order names modality %g, but the file has %d, counted from 0", dataset->path, order->value[i],
              h->modalities);
  int offered = order->count ? order->count : h->modalities;
  EBR_CHECK(config->data_modalities <= offered, EBR_DATA, "%s: data.modalities is %lld, but %s %d", dataset->path,
            (long long)config->data_modalities, order->count ? "data.order names" : "the file has", offered);
  shape->modalities = config->data_modalities ? (int)config->data_modalities : offered;
  for (int i = 0; i < shape->modalities; i++) {
    shape->inputs[i] = h->inputs[ebr_split_modality(config, i)];
    shape->picture[i] = h->picture[ebr_split_modality(config, i)];
  }
done:
  return error;
}

/* Is there anything to convolve, and can BLAS count the positions of a mini-batch? */
static ebr_error *check_pictures(const ebr_dataset *dataset, const ebr_config *config, const ebr_shape *shape)
{
  ebr_error *error = NULL;
  bool any = false;
  for (int i = 0; i < shape->modalities; i++) {
    const ebr_picture *picture = &shape->picture[i];
    double positions = ceil(picture->height / 2.0) * ceil(picture->width / 2.0) * (double)config->train_batch;
    any |= picture->height > 0;
    EBR_CHECK(positions <= INT_MAX, EBR_DATA,
              "%s: model.convolution looks at %g positions of modality %d in a mini-batch, more than %d can be counted",
              dataset->path, positions, i, INT_MAX);
  }
  EBR_CHECK(any, EBR_DATA,
            "%s: model.convolution needs samples with a shape, and no modality has one (attribute shape, see "
            "doc/datasets.md)",
            dataset->path);
done:
  return error;
}

ebr_error *ebr_split_shape(const ebr_dataset *dataset, const ebr_config *config, ebr_shape *shape)
{
  ebr_error *error = NULL;
  int train, test;
  *shape = (ebr_shape){.classes = dataset->header.classes, .total = dataset->header.total};
  EBR_TRY(choose_modalities(dataset, config, shape));
  if (config->model_convolution.count > 0) EBR_TRY(check_pictures(dataset, config, shape));
  available(dataset, config, &train, &test);
  EBR_CHECK(test > 0, EBR_DATA, "%s: data.test_fraction %g of %d samples in %d classes leaves nothing to test on",
            dataset->path, config->data_test_fraction, dataset->header.total, dataset->header.classes);
  EBR_CHECK(config->data_train <= train, EBR_DATA, "%s: data.train is %lld, but there are only %d training samples",
            dataset->path, (long long)config->data_train, train);
  EBR_CHECK(config->data_test <= test, EBR_DATA, "%s: data.test is %lld, but there are only %d test samples",
            dataset->path, (long long)config->data_test, test);
  shape->train_count = config->data_train ? (int)config->data_train : train;
  shape->test_count = config->data_test ? (int)config->data_test : test;
done:
  return error;
}

/* Rows of class 0, then of class 1, and so on, each in the file's order. */
static ebr_error *sort_by_class(const ebr_dataset *dataset, int32_t *rows)
{
  ebr_error *error = NULL;
  int classes = dataset->header.classes;
  int32_t *next = malloc((size_t)classes * sizeof *next);
  EBR_CHECK_MEMORY(next, "class counts");
  for (int c = 0, start = 0; c < classes; start += dataset->class_count[c++]) next[c] = start;
  for (int n = 0; n < dataset->header.total; n++) rows[next[dataset->label[n]]++] = n;
done:
  free(next);
  return error;
}

/* Both sides of the file's /split, or of one drawn by class. */
static ebr_error *divide(const ebr_dataset *dataset, const ebr_config *config, uint64_t key, int32_t *train,
                         int32_t *test)
{
  ebr_error *error = NULL;
  int32_t *rows = NULL;
  if (dataset->header.has_split) {
    for (int n = 0; n < dataset->header.total; n++) *(dataset->split[n] ? test++ : train++) = n;
    goto done;
  }
  rows = malloc((size_t)dataset->header.total * sizeof *rows);
  EBR_CHECK_MEMORY(rows, "a split");
  EBR_TRY(sort_by_class(dataset, rows));
  ebr_stream stream = ebr_stream_start(key, EBR_PURPOSE_SPLIT, STREAM_STRATA);
  for (int c = 0, start = 0; c < dataset->header.classes; start += dataset->class_count[c++]) {
    int count = dataset->class_count[c], out = held_out(count, config->data_test_fraction);
    ebr_stream_shuffle(&stream, rows + start, (size_t)count);
    for (int j = 0; j < count; j++) *(j < out ? test++ : train++) = rows[start + j];
  }
done:
  free(rows);
  return error;
}

static ebr_error *rows_fill(const ebr_config *config, uint64_t key, const ebr_dataset *dataset,
                            const ebr_samples *samples, ebr_storage *storage)
{
  ebr_error *error = NULL;
  int train, test;
  available(dataset, config, &train, &test);
  int32_t *rows = malloc(((size_t)train + (size_t)test) * sizeof *rows);
  EBR_CHECK_MEMORY(rows, "a split");
  EBR_TRY(divide(dataset, config, key, rows, rows + train));
  ebr_stream training = ebr_stream_start(key, EBR_PURPOSE_SPLIT, STREAM_TRAIN);
  ebr_stream testing = ebr_stream_start(key, EBR_PURPOSE_SPLIT, STREAM_TEST);
  ebr_stream_shuffle(&training, rows, (size_t)train);
  ebr_stream_shuffle(&testing, rows + train, (size_t)test);
  memcpy(storage->train, rows, (size_t)samples->train_count * sizeof *rows);
  memcpy(storage->test, rows + train, (size_t)samples->test_count * sizeof *rows);
done:
  free(rows);
  return error;
}

static void present_fill(const ebr_config *config, const ebr_dataset *dataset, const ebr_samples *samples,
                         uint8_t *present)
{
  size_t m = (size_t)samples->modalities, columns = (size_t)dataset->header.modalities;
  for (size_t n = 0; n < (size_t)samples->total; n++)
    for (size_t i = 0; i < m; i++)
      present[n * m + i] =
          dataset->present ? dataset->present[n * columns + (size_t)ebr_split_modality(config, (int)i)] : 1;
}

ebr_error *ebr_split_fill(const ebr_config *config, uint64_t key, const ebr_dataset *dataset, ebr_samples *samples,
                          ebr_storage *storage)
{
  ebr_error *error = NULL;
  EBR_TRY(rows_fill(config, key, dataset, samples, storage));
  memcpy(storage->label, dataset->label, (size_t)samples->total * sizeof *storage->label);
  present_fill(config, dataset, samples, storage->present);
  for (int i = 0; i < samples->modalities; i++) {
    int from = ebr_split_modality(config, i);
    size_t count = (size_t)samples->total * (size_t)samples->inputs[i];
    snprintf(samples->name[i], sizeof samples->name[i], "%s", dataset->header.name[from]);
    samples->x[i] = dataset->x[from];
    if (!storage->x[i]) continue;
    memcpy(storage->x[i], dataset->x[from], count * sizeof(float));
    samples->x[i] = storage->x[i];
  }
done:
  return error;
}
