/* What the range of one parameter cannot tell: rules between parameters. Each answers the parameter to blame. */
#include <ebrsweep/parameters.h>

#include <stdio.h>
#include <stdlib.h>

static int index_of(size_t offset)
{
  for (int i = 0; i < ebr_parameter_count(); i++)
    if (ebr_parameter_at(i)->offset == offset) return i;
  return -1;
}

#define BLAME(field) index_of(offsetof(ebr_config, field))
#define REQUIRE(condition, field, ...)                                                                                 \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      *parameter = BLAME(field);                                                                                       \
      EBR_FAIL(EBR_SWEEP, __VA_ARGS__);                                                                                \
    }                                                                                                                  \
  } while (0)

/* 0 when only the dataset can tell. */
static int64_t modalities_known(const ebr_config *config)
{
  if (config->data_modalities > 0) return config->data_modalities;
  return config->data_source == EBR_SOURCE_HDF5 ? config->data_order.count : 0;
}

static ebr_error *check_synthetic(const ebr_config *config, int *parameter)
{
  ebr_error *error = NULL;
  int64_t latent = config->data_predictive + config->data_noise;
  REQUIRE(config->data_modalities >= 1, data_modalities, "synthetic data needs data.modalities of at least 1");
  REQUIRE(config->data_train >= 1, data_train, "synthetic data needs data.train of at least 1");
  REQUIRE(config->data_test >= 1, data_test, "synthetic data needs data.test of at least 1");
  REQUIRE(config->data_mixing != EBR_MIXING_NONE || config->data_dimension == 0 || config->data_dimension == latent,
          data_dimension,
          "with data.mixing none the input is the latent itself, so that data.dimension must be 0 or "
          "data.predictive + data.noise = %lld, not %lld",
          (long long)latent, (long long)config->data_dimension);
  REQUIRE(config->data_strength_each.count > 0, data_strength_each, "data.strength.each needs at least one value");
done:
  return error;
}

static ebr_error *check_dataset(const ebr_config *config, int *parameter)
{
  ebr_error *error = NULL;
  const ebr_list *order = &config->data_order;
  REQUIRE(config->data_file.text[0], data_file, "data.source hdf5 needs data.file");
  REQUIRE(order->count == 0 || config->data_modalities <= order->count, data_order,
          "data.order names %d modalities, data.modalities asks for %lld", order->count,
          (long long)config->data_modalities);
  for (int i = 0; i < order->count; i++)
    for (int j = 0; j < i; j++)
      REQUIRE(order->value[i] != order->value[j], data_order, "data.order names modality %g twice", order->value[i]);
done:
  return error;
}

static ebr_error *check_teacher(const ebr_config *config, int64_t modalities, int *parameter)
{
  ebr_error *error = NULL;
  REQUIRE(modalities == 0 || modalities >= 2, method, "a method that distils needs at least 2 modalities, not %lld",
          (long long)modalities);
  REQUIRE(modalities == 0 || config->kd_teacher < modalities, kd_teacher,
          "kd.teacher %lld does not exist: there are %lld modalities, counted from 0", (long long)config->kd_teacher,
          (long long)modalities);
done:
  return error;
}

static ebr_error *check_latent(const ebr_config *config, int *parameter)
{
  ebr_error *error = NULL;
  int64_t features = (int64_t)config->model_encoder.value[config->model_encoder.count - 1];
  bool same = config->ebr_latent == 0 || config->ebr_latent == features;
  REQUIRE(same || !config->ebr_residual, ebr_latent,
          "ebr.residual adds features and latents, so that ebr.latent must be 0 or the last of model.encoder = %lld, "
          "not %lld",
          (long long)features, (long long)config->ebr_latent);
  REQUIRE(same || !ebr_config_distils(config) || config->kd_form == EBR_KD_LOGITS, ebr_latent,
          "kd+ebr compares latents with the teacher's features, so that ebr.latent must be 0 or the last of "
          "model.encoder = %lld, not %lld (or kd.form logits)",
          (long long)features, (long long)config->ebr_latent);
done:
  return error;
}

static ebr_error *check_reconstruction(const ebr_config *config, int *parameter)
{
  ebr_error *error = NULL;
  REQUIRE(config->data_source == EBR_SOURCE_SYNTHETIC, train_loss,
          "train.loss reconstruction needs the true features, which only data.source synthetic has");
  REQUIRE(config->model_fusion == EBR_FUSION_CONCAT, model_fusion,
          "train.loss reconstruction is for model.fusion concat: graph heads end in a classifier");
  REQUIRE(!ebr_config_distils(config) || config->kd_form != EBR_KD_LOGITS, kd_form,
          "kd.form logits distils a classifier, and train.loss reconstruction has none");
done:
  return error;
}

static ebr_error *check_training(const ebr_config *config, int *parameter)
{
  ebr_error *error = NULL;
  bool anything = false;
  REQUIRE(config->model_encoder.count > 0, model_encoder, "model.encoder needs at least one width");
  REQUIRE(config->model_convolution.count <= EBR_CONVOLUTION_MOST, model_convolution,
          "model.convolution takes at most %d layers, not %d", EBR_CONVOLUTION_MOST, config->model_convolution.count);
  REQUIRE(config->model_strength_each.count > 0, model_strength_each, "model.strength.each needs at least one value");
  REQUIRE(config->missing_train.count > 0, missing_train, "missing.train needs at least one value");
  for (int i = 0; i < config->missing_train.count; i++) anything |= config->missing_train.value[i] < 1;
  REQUIRE(anything, missing_train, "missing.train of 1 for every modality leaves nothing to train on");
  REQUIRE(config->data_train == 0 || config->train_batch <= config->data_train, train_batch,
          "train.batch %lld is more than the %lld training samples of data.train", (long long)config->train_batch,
          (long long)config->data_train);
done:
  return error;
}

static bool is_power_of_two(int64_t number) { return number > 0 && (number & (number - 1)) == 0; }

static const char *what_couples(const ebr_config *config)
{
  if (config->train_loss == EBR_LOSS_RECONSTRUCTION) return "one mean over all its errors (train.loss reconstruction)";
  if (config->method == EBR_METHOD_UNIMODAL) return NULL;
  if (config->model_fusion != EBR_FUSION_CONCAT) return "a graph between all of its samples (model.fusion)";
  if (!ebr_config_reallocates(config)) return NULL;
  if (config->ebr_form == EBR_FORM_HINGE) return "the loss of all of it at once (ebr.form hinge)";
  return config->ebr_psi_steps > 1 ? "several steps of psi on all of it (ebr.psi.steps)" : NULL;
}

static ebr_error *check_team(const ebr_config *config, int *parameter)
{
  ebr_error *error = NULL;
  const char *coupling = what_couples(config);
  int64_t shards = config->train_shards, team = config->schedule_team;
  REQUIRE(shards == 0 || is_power_of_two(shards), train_shards,
          "train.shards is 1, 2, 4, 8 or 16 (0: as the run's size asks for), not %lld", (long long)shards);
  REQUIRE(shards < 2 || config->train_batch % shards == 0, train_shards,
          "train.shards %lld does not divide train.batch %lld", (long long)shards, (long long)config->train_batch);
  REQUIRE(shards < 2 || !coupling, train_shards, "train.shards must be 1, not %lld: a mini-batch has %s",
          (long long)shards, coupling);
  REQUIRE(team == 0 || is_power_of_two(team), schedule_team,
          "schedule.team is 1, 2, 4, 8 or 16 (0: as the job asks for), not %lld", (long long)team);
done:
  return error;
}

bool ebr_config_divides(const ebr_config *config) { return what_couples(config) == NULL; }

/* A narrower head is trained faster than its gradients are exchanged; products of 128 rows lose a tenth against 256, on
 * one rank as well, and fewer lose more (doc/scheduling.md). */
int ebr_config_shards(const ebr_config *config)
{
  enum { WIDE = 1024, ROWS = 256, MOST = 8 };
  if (config->train_shards > 0) return (int)config->train_shards;
  if (config->model_width < WIDE || !ebr_config_divides(config)) return 1;
  int shards = MOST;
  while (shards > 1 && (config->train_batch % shards != 0 || config->train_batch / shards < ROWS)) shards /= 2;
  return shards;
}

ebr_error *ebr_config_validate(const ebr_config *config, int *parameter)
{
  ebr_error *error = NULL;
  int64_t modalities = modalities_known(config);
  *parameter = -1;
  EBR_TRY(config->data_source == EBR_SOURCE_SYNTHETIC ? check_synthetic(config, parameter)
                                                      : check_dataset(config, parameter));
  EBR_TRY(check_training(config, parameter));
  EBR_TRY(check_team(config, parameter));
  if (config->train_loss == EBR_LOSS_RECONSTRUCTION) EBR_TRY(check_reconstruction(config, parameter));
  if (config->method == EBR_METHOD_UNIMODAL)
    REQUIRE(modalities == 0 || config->unimodal_modality < modalities, unimodal_modality,
            "unimodal.modality %lld does not exist: there are %lld modalities, counted from 0",
            (long long)config->unimodal_modality, (long long)modalities);
  REQUIRE(config->allocation_trials != 1, allocation_trials,
          "allocation.trials 1 leaves the standard error open: none or at least 2");
  if (ebr_config_distils(config)) EBR_TRY(check_teacher(config, modalities, parameter));
  if (ebr_config_reallocates(config)) EBR_TRY(check_latent(config, parameter));
done:
  return error;
}
