#include <ebrsweep/run.h>

#include "run/alone.h"

static double training_flops(const ebr_config *config, const ebr_shape *shape, int only, int64_t epochs)
{
  return ebr_trainer_flops(config, shape, only) * ebr_trainer_steps(config, shape) * (double)epochs;
}

/* A forward pass over the test set and training samples each time that something is measured, and over the test set once
 * more a modality at the end. */
static double measuring_flops(const ebr_config *config, const ebr_shape *shape)
{
  double tests = ebr_measure_points(config) + (config->measure_contributions ? shape->modalities : 0);
  double train = (ebr_measure_points(config) - 1) * (double)ebr_measure_train_rows(config, shape->train_count, false) +
                 ebr_measure_train_rows(config, shape->train_count, true);
  return ebr_network_flops(config, shape, -1) * (train + shape->test_count * tests);
}

/* Each allocation looks at all neurons once a modality: about two operations each, like its draws. */
static double allocation_flops(const ebr_config *config, const ebr_shape *shape)
{
  double work = 0;
  for (int i = 0; i < shape->modalities; i++)
    work += (double)config->model_width + 20.0 * ebr_config_allocated(config, i, shape->modalities);
  return 2 * work * (double)config->allocation_trials;
}

double ebr_run_cost(const ebr_config *config, const ebr_shape *shape)
{
  double flops = training_flops(config, shape, -1, config->train_epochs) + measuring_flops(config, shape) +
                 allocation_flops(config, shape);
  if (ebr_alone_count(config, shape->modalities) == 1)
    return flops + training_flops(config, shape, 0, ebr_alone_epochs(config));
  for (int i = 0; i < ebr_alone_count(config, shape->modalities); i++)
    flops += training_flops(config, shape, i, ebr_alone_epochs(config));
  return flops;
}

size_t ebr_run_bytes(const ebr_config *config, const ebr_shape *shape)
{
  size_t bytes = ebr_trainer_bytes(config, shape, -1) + ebr_samples_bytes(config, shape);
  size_t features = (size_t)config->model_encoder.value[config->model_encoder.count - 1];
  if (ebr_config_distils(config))
    bytes += (size_t)shape->train_count * (features + (size_t)shape->classes) * sizeof(ebr_real);
  return bytes + ebr_measures_bytes(config, shape);
}

ebr_error *ebr_run_check(const ebr_config *config, const ebr_shape *shape)
{
  ebr_error *error = NULL;
  EBR_CHECK(config->train_batch <= shape->train_count, EBR_SWEEP,
            "train.batch is %lld, but there are only %d training samples", (long long)config->train_batch,
            shape->train_count);
  EBR_CHECK(config->unimodal_modality < shape->modalities, EBR_SWEEP,
            "unimodal.modality is %lld, but there are only %d modalities", (long long)config->unimodal_modality,
            shape->modalities);
  EBR_CHECK(config->kd_teacher < shape->modalities, EBR_SWEEP, "kd.teacher is %lld, but there are only %d modalities",
            (long long)config->kd_teacher, shape->modalities);
  const ebr_list *counts = &config->measure_missing_count;
  for (int k = 0; k < counts->count && config->method != EBR_METHOD_UNIMODAL; k++)
    EBR_CHECK(counts->value[k] < shape->modalities, EBR_SWEEP,
              "measure.missing_count is %g, but of %d modalities at most %d can be missing", counts->value[k],
              shape->modalities, shape->modalities - 1);
done:
  return error;
}
