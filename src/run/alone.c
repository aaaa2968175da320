#include "run/alone.h"

#include "run/baselines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ebr_alone {
  bool baselines, teaches;
  ebr_scores scores[EBR_MODALITIES_MOST];
  double contribution[EBR_MODALITIES_MOST];
  double train_loss[EBR_MODALITIES_MOST];
  int order[EBR_MODALITIES_MOST];
  int held; /* the modality whose features are here; -1: none */
  ebr_arena arena;
  ebr_real *features, *logits; /* the teacher's (train_count x l), (train_count x C) */
  ebr_teaching teaching;
};

static bool wants_baselines(const ebr_config *config)
{
  return config->measure_unimodal && config->measure_contributions && config->method != EBR_METHOD_UNIMODAL;
}

static bool wants_all(const ebr_config *config)
{
  bool ranked = config->kd_teacher < 0 || config->kd_order != EBR_ORDER_TOGETHER;
  return wants_baselines(config) || (ebr_config_distils(config) && ranked);
}

int ebr_alone_count(const ebr_config *config, int modalities)
{
  return wants_all(config) ? modalities : ebr_config_distils(config) ? 1 : 0;
}

int64_t ebr_alone_epochs(const ebr_config *config)
{
  return ebr_config_distils(config) && config->kd_epochs > 0 ? config->kd_epochs : config->train_epochs;
}

static void layout(ebr_alone *alone, ebr_arena *arena, const ebr_config *config, const ebr_samples *samples)
{
  size_t rows = ebr_config_distils(config) ? (size_t)samples->train_count : 0;
  size_t features = (size_t)config->model_encoder.value[config->model_encoder.count - 1];
  alone->features = ebr_arena_take(arena, rows * features, sizeof(ebr_real));
  alone->logits = ebr_arena_take(arena, rows * (size_t)samples->classes, sizeof(ebr_real));
}

static void keep_features(void *context, ebr_network *network, int start, int count, const ebr_batch *batch)
{
  ebr_alone *alone = context;
  size_t l = (size_t)ebr_network_features(network), classes = (size_t)ebr_network_classes(network);
  memcpy(alone->features + (size_t)start * l, ebr_network_encoded(network, 0), (size_t)count * l * sizeof(ebr_real));
  if (!ebr_network_target(network)) /* a reconstruction has no logits */
    memcpy(alone->logits + (size_t)start * classes, ebr_network_logits(network),
           (size_t)count * classes * sizeof(ebr_real));
  (void)batch;
}

static bool is_best(const ebr_alone *alone, const ebr_config *config, int modality)
{
  if (config->kd_teacher >= 0) return config->kd_teacher == modality;
  for (int k = 0; k < modality; k++)
    if (alone->train_loss[k] <= alone->train_loss[modality]) return false;
  return true;
}

/* The best so far leaves its features; a better one behind it writes over them. */
static ebr_error *score(ebr_alone *alone, const ebr_config *config, const ebr_samples *samples, int modality,
                        ebr_team *team, ebr_trainer *trainer)
{
  ebr_error *error = NULL;
  ebr_network *network = ebr_trainer_network(trainer);
  ebr_scores train, without;
  EBR_TRY(ebr_team_agree(
      team, ebr_evaluate(network, samples, modality, samples->train, samples->train_count, NULL, NULL, NULL, &train)));
  ebr_team_share(team, &train,
                 sizeof train); /* who teaches is the same for all, on processors that round otherwise as well */
  alone->train_loss[modality] = train.loss;
  if (ebr_config_distils(config) && is_best(alone, config, modality)) {
    EBR_TRY(ebr_evaluate(network, samples, modality, samples->train, samples->train_count, NULL, keep_features, alone,
                         &train));
    alone->held = modality;
  }
  if (!alone->baselines) goto done;
  EBR_TRY(ebr_evaluate(network, samples, modality, samples->test, samples->test_count, NULL, NULL, NULL,
                       &alone->scores[modality]));
  EBR_TRY(ebr_measure_without(trainer, samples, modality, modality, &without));
  alone->contribution[modality] = without.loss - alone->scores[modality].loss;
done:
  return error;
}

static ebr_error *train_one(ebr_alone *alone, const ebr_config *config, const ebr_samples *samples, uint64_t key,
                            int modality, const ebr_watch *watch, char *reason, size_t capacity)
{
  ebr_error *error = NULL;
  ebr_trainer *trainer = NULL;
  ebr_team *team = watch->limits->team;
  EBR_TRY(ebr_team_agree(team, ebr_trainer_create(config, samples, modality, key, NULL, &trainer)));
  ebr_trainer_join(trainer, team);
  for (int64_t epoch = 0; epoch < ebr_alone_epochs(config); epoch++) {
    ebr_losses losses;
    int64_t diverged;
    ebr_trainer_epoch(trainer, &losses, &diverged);
    if (diverged >= 0)
      snprintf(reason, capacity, "modality %d alone diverged in step %lld", modality, (long long)diverged);
    if (diverged >= 0 || !ebr_watch_epoch(watch, reason, capacity)) goto done;
  }
  EBR_TRY(ebr_team_agree(team, score(alone, config, samples, modality, team, trainer)));
done:
  ebr_trainer_destroy(&trainer);
  return error;
}

/* A team trains together, so all of its ranks would have to know the same. */
static ebr_baselines *known_to(const ebr_watch *watch)
{
  return ebr_team_size(watch->limits->team) == 1 ? watch->limits->known : NULL;
}

/* From what this rank knows already, or by training it. */
static ebr_error *find_one(ebr_alone *alone, const ebr_config *config, const ebr_samples *samples, uint64_t key,
                           int modality, const ebr_watch *watch, char *reason, size_t capacity)
{
  ebr_error *error = NULL;
  ebr_baselines *known = known_to(watch);
  uint64_t own = known ? ebr_baseline_key(config, key, modality, ebr_alone_epochs(config)) : 0;
  const ebr_baseline *found = ebr_baselines_find(known, own);
  if (found && (found->scored || !alone->baselines)) {
    alone->train_loss[modality] = found->train_loss;
    alone->scores[modality] = found->scores;
    alone->contribution[modality] = found->contribution;
    goto done;
  }
  EBR_TRY(train_one(alone, config, samples, key, modality, watch, reason, capacity));
  if (reason[0] || watch->limits->stopped) goto done;
  ebr_baselines_keep(known, &(ebr_baseline){own, alone->baselines, alone->train_loss[modality], alone->scores[modality],
                                            alone->contribution[modality]});
done:
  return error;
}

static void rank_by_loss(ebr_alone *alone, int modalities)
{
  for (int i = 0; i < modalities; i++) {
    int place = i;
    for (; place > 0 && alone->train_loss[alone->order[place - 1]] > alone->train_loss[i]; place--)
      alone->order[place] = alone->order[place - 1];
    alone->order[place] = i;
  }
}

static ebr_error *create(const ebr_config *config, const ebr_samples *samples, ebr_alone **out)
{
  ebr_error *error = NULL;
  ebr_arena measuring = ebr_arena_measuring();
  ebr_alone *alone = *out = calloc(1, sizeof *alone);
  EBR_CHECK_MEMORY(alone, "the unimodal baselines");
  alone->baselines = wants_baselines(config);
  alone->held = -1;
  layout(alone, &measuring, config, samples);
  EBR_TRY(ebr_arena_create(measuring.used, &alone->arena));
  layout(alone, &alone->arena, config, samples);
done:
  return error;
}

ebr_error *ebr_alone_train(const ebr_config *config, const ebr_samples *samples, uint64_t key, const ebr_watch *watch,
                           ebr_alone **out, char *reason, size_t capacity)
{
  ebr_error *error = NULL;
  ebr_alone *alone = NULL;
  EBR_TRY(ebr_team_agree(watch->limits->team, create(config, samples, &alone)));
  for (int i = 0; i < samples->modalities && !reason[0] && !watch->limits->stopped; i++)
    if (wants_all(config) || (ebr_config_distils(config) && config->kd_teacher == i))
      EBR_TRY(find_one(alone, config, samples, key, i, watch, reason, capacity));
  rank_by_loss(alone, samples->modalities);
  int teacher = config->kd_teacher >= 0 ? (int)config->kd_teacher : alone->order[0];
  /* Known by its scores, which have no features. */
  if (ebr_config_distils(config) && alone->held != teacher && !reason[0] && !watch->limits->stopped)
    EBR_TRY(train_one(alone, config, samples, key, teacher, watch, reason, capacity));
  alone->teaching.modality = teacher;
  alone->teaching.features = alone->features;
  alone->teaching.logits = alone->logits;
  alone->teaching.order = alone->order;
  alone->teaches = ebr_config_distils(config);
  *out = alone;
  alone = NULL;
done:
  ebr_alone_destroy(&alone);
  return error;
}

void ebr_alone_destroy(ebr_alone **alone)
{
  if (!*alone) return;
  ebr_arena_destroy(&(*alone)->arena);
  free(*alone);
  *alone = NULL;
}

const ebr_scores *ebr_alone_scores(const ebr_alone *alone) { return alone->baselines ? alone->scores : NULL; }
const double *ebr_alone_contributions(const ebr_alone *alone) { return alone->baselines ? alone->contribution : NULL; }
const ebr_teaching *ebr_alone_teaching(const ebr_alone *alone) { return alone->teaches ? &alone->teaching : NULL; }
