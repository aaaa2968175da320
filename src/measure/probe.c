#include "measure/column.h"
#include "measure/logistic.h"

#include <math.h>

/* A linear classifier of some hundred weights has seen enough by then. */
enum { ROWS_MOST = 8192 };

static const double ridge = 1e-3;

static ebr_error *declare(const ebr_config *config, const ebr_shape *shape, ebr_schema *schema)
{
  ebr_error *error = NULL;
  const ebr_column_kind loss = {"nats", "Test loss of a linear classifier on this modality's fused slice", 1, 1};
  const ebr_column_kind accuracy = {"", "Test accuracy of a linear classifier on this modality's fused slice", 1, 1};
  const ebr_column_kind excess = {"nats", "probe_loss - alone_loss: how much of the modality was lost", 1, 1};
  for (int k = 0; k < ebr_measured_modalities(config, shape) && config->measure_probe; k++) {
    int modality = ebr_measured_modality(config, k);
    EBR_TRY(ebr_column_declare(schema, &loss, "probe_loss.%d", modality));
    EBR_TRY(ebr_column_declare(schema, &accuracy, "probe_accuracy.%d", modality));
    if (config->measure_unimodal && config->measure_contributions && config->method != EBR_METHOD_UNIMODAL)
      EBR_TRY(ebr_column_declare(schema, &excess, "probe_excess.%d", modality));
  }
done:
  return error;
}

/* All modalities' slices and labels of the rows that have them, train or test. */
typedef struct slices {
  int modalities, features, most; /* most: rows that there is room for */
  int count[EBR_MODALITIES_MOST];
  int32_t *rows;                       /* (most) of samples */
  double *x[EBR_MODALITIES_MOST];      /* (most x l) */
  int32_t *label[EBR_MODALITIES_MOST]; /* (most) */
  ebr_arena arena;
} slices;

static void layout(slices *s, ebr_arena *arena)
{
  s->rows = ebr_arena_take(arena, (size_t)s->most, sizeof *s->rows);
  for (int i = 0; i < s->modalities; i++) {
    s->x[i] = ebr_arena_take(arena, (size_t)s->most * (size_t)s->features, sizeof(double));
    s->label[i] = ebr_arena_take(arena, (size_t)s->most, sizeof(int32_t));
  }
}

static void copy_slices(void *context, ebr_network *network, int start, int count, const ebr_batch *batch)
{
  slices *s = context;
  size_t l = (size_t)s->features;
  for (int i = 0; i < s->modalities; i++) {
    const ebr_real *slice = ebr_network_fused(network, i);
    for (int b = 0; b < count; b++) {
      if (batch->present && !batch->present[b * s->modalities + i]) continue;
      size_t to = (size_t)s->count[i]++;
      s->label[i][to] = batch->label[b];
      for (size_t k = 0; k < l; k++) s->x[i][to * l + k] = (double)slice[(size_t)b * l + k];
    }
  }
  (void)start;
}

/* Rows at even distances when there are more than are needed: a file's order may go by class. */
static ebr_error *gather(const ebr_subject *subject, const int32_t *rows, int count, slices *s)
{
  ebr_error *error = NULL;
  ebr_network *network = ebr_trainer_network(subject->trainer);
  ebr_arena measuring = ebr_arena_measuring();
  ebr_scores scores;
  *s = (slices){.modalities = ebr_network_modalities(network),
                .features = ebr_network_features(network),
                .most = count < ROWS_MOST ? count : ROWS_MOST};
  layout(s, &measuring);
  EBR_TRY(ebr_arena_create(measuring.used, &s->arena));
  layout(s, &s->arena);
  for (int k = 0; k < s->most; k++) s->rows[k] = rows[(int64_t)k * count / s->most];
  EBR_TRY(ebr_evaluate(network, subject->samples, subject->only, s->rows, s->most, NULL, copy_slices, s, &scores));
done:
  return error;
}

static void shift_and_scale(slices *s, int i, size_t feature, double mean, double scale)
{
  for (int b = 0; b < s->count[i]; b++) {
    double *value = &s->x[i][(size_t)b * (size_t)s->features + feature];
    *value = (*value - mean) * scale;
  }
}

/* To mean 0 and variance 1 over the training rows, so that one ridge fits all. */
static void standardise(slices *train, slices *test, int i)
{
  size_t l = (size_t)train->features;
  int count = train->count[i];
  for (size_t k = 0; k < l; k++) {
    double mean = 0, squares = 0;
    for (int b = 0; b < count; b++) mean += train->x[i][(size_t)b * l + k] / count;
    for (int b = 0; b < count; b++) {
      double deviation = train->x[i][(size_t)b * l + k] - mean;
      squares += deviation * deviation;
    }
    double scale = ebr_measured_scale(sqrt(squares / count), mean);
    shift_and_scale(train, i, k, mean, scale);
    shift_and_scale(test, i, k, mean, scale);
  }
}

static ebr_error *probe_one(const ebr_subject *subject, slices *train, slices *test, int slot, ebr_record *record)
{
  ebr_error *error = NULL;
  int modality = ebr_measured_modality(subject->config, slot), classes = subject->samples->classes;
  const ebr_labelled learn = {train->count[slot], train->features, classes, train->x[slot], train->label[slot]};
  const ebr_labelled check = {test->count[slot], test->features, classes, test->x[slot], test->label[slot]};
  size_t size = (size_t)(train->features + 1) * (size_t)classes;
  ebr_arena arena = {0};
  ebr_scores scores;
  if (learn.count == 0 || check.count == 0) goto done;
  standardise(train, test, slot);
  EBR_TRY(ebr_arena_create(size * sizeof(double), &arena));
  double *weight = ebr_arena_take(&arena, size, sizeof *weight);
  EBR_TRY(ebr_logistic_fit(&learn, ridge, weight));
  EBR_TRY(ebr_logistic_score(&check, weight, &scores));
  EBR_TRY(ebr_column_set(record, scores.loss, "probe_loss.%d", modality));
  EBR_TRY(ebr_column_set(record, scores.accuracy, "probe_accuracy.%d", modality));
  if (subject->alone && subject->config->method != EBR_METHOD_UNIMODAL)
    EBR_TRY(ebr_column_set(record, scores.loss - subject->alone[modality].loss, "probe_excess.%d", modality));
done:
  ebr_arena_destroy(&arena);
  return error;
}

static ebr_error *take(const ebr_subject *subject, ebr_record *record)
{
  ebr_error *error = NULL;
  slices train = {0}, test = {0};
  if (!subject->last || !subject->config->measure_probe) goto done;
  EBR_TRY(gather(subject, subject->samples->train, subject->samples->train_count, &train));
  EBR_TRY(gather(subject, subject->samples->test, subject->samples->test_count, &test));
  for (int i = 0; i < train.modalities; i++) EBR_TRY(probe_one(subject, &train, &test, i, record));
done:
  ebr_arena_destroy(&test.arena);
  ebr_arena_destroy(&train.arena);
  return error;
}

static size_t bytes(const ebr_config *config, const ebr_shape *shape)
{
  slices train = {.modalities = ebr_measured_modalities(config, shape), .features = ebr_measured_features(config)};
  slices test = train;
  ebr_arena arena = ebr_arena_measuring();
  if (!config->measure_probe) return 0;
  train.most = shape->train_count < ROWS_MOST ? shape->train_count : ROWS_MOST;
  test.most = shape->test_count < ROWS_MOST ? shape->test_count : ROWS_MOST;
  layout(&train, &arena);
  layout(&test, &arena);
  return arena.used + (size_t)train.most * (size_t)shape->classes * sizeof(double);
}

const ebr_measure ebr_measure_probe = {.name = "probe",
                                       .help = "A fresh linear classifier on each modality's slice",
                                       .declare = declare,
                                       .take = take,
                                       .bytes = bytes};
