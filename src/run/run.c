/* One run from start to finish. Read this first: the rest of the tree is what these few calls need. */
#include <ebrsweep/run.h>

#include "run/alone.h"
#include "run/baselines.h"
#include "run/checkpoint.h"

#include <stdio.h>
#include <unistd.h>

static ebr_error *measure(ebr_subject *subject, int epoch, const ebr_losses *losses, ebr_times *times,
                          ebr_record *record)
{
  ebr_error *error = NULL;
  subject->point = ebr_measure_point(subject->config, epoch);
  subject->last = epoch == subject->config->train_epochs;
  subject->losses = losses;
  ebr_times_charge(times, EBR_TIME_TRAINING);
  if (subject->point >= 0) EBR_TRY(ebr_measures_take(subject, record));
done:
  ebr_times_charge(times, EBR_TIME_MEASURING);
  subject->losses = NULL; /* the caller's */
  return error;
}

/* Trains on to the end, to divergence, or until it has to stop, measuring on the way. *epoch: how many are done. */
static ebr_error *train(ebr_subject *subject, const ebr_watch *watch, ebr_record *record, int64_t *epoch, char *reason,
                        size_t capacity)
{
  ebr_error *error = NULL;
  ebr_times *times = watch->limits->times;
  if (*epoch == 0) EBR_TRY(measure(subject, 0, NULL, times, record));
  while (*epoch < subject->config->train_epochs) {
    ebr_losses losses;
    int64_t diverged;
    ebr_trainer_epoch(subject->trainer, &losses, &diverged);
    ++*epoch;
    if (diverged >= 0) {
      snprintf(reason, capacity, "diverged in step %lld of epoch %lld: semantic loss %g", (long long)diverged,
               (long long)*epoch, losses.semantic);
      goto done;
    }
    bool more = ebr_watch_epoch(watch, reason, capacity);
    if (reason[0]) goto done;
    EBR_TRY(measure(subject, (int)*epoch, &losses, times, record));
    if (!more) goto done;
  }
done:
  return error;
}

bool ebr_watch_epoch(const ebr_watch *watch, char *reason, size_t capacity)
{
  ebr_run_limits *limits = watch->limits;
  if (limits->tick && !limits->tick(limits->context)) limits->stopped = true;
  if (ebr_team_any(limits->team, ebr_clock_seconds() - watch->start > limits->seconds))
    snprintf(reason, capacity, "took longer than %g s", limits->seconds);
  return !limits->stopped && !reason[0];
}

/* A checkpoint that is of no use costs time, not the run: it starts anew, and says why. */
static int64_t go_on(const ebr_config *config, ebr_run_limits *limits, ebr_record *record, ebr_trainer *trainer)
{
  int64_t epoch = 0;
  if (!limits->checkpoint) return 0;
  ebr_error *error = ebr_checkpoint_load(limits->checkpoint, config, limits->team, record, trainer, &epoch);
  if (error) snprintf(limits->notice, sizeof limits->notice, "%s: the run starts anew", ebr_error_message(error));
  ebr_error_destroy(&error);
  return epoch;
}

/* The same for one that cannot be kept. One whose run is over has done its service. */
static void leave(const ebr_config *config, ebr_run_limits *limits, const ebr_record *record, ebr_trainer *trainer,
                  int64_t epoch)
{
  if (!limits->checkpoint) return;
  if (limits->stopped) ebr_trainer_collect(trainer);
  if (ebr_team_rank(limits->team) > 0) return;
  if (!limits->stopped) {
    unlink(limits->checkpoint);
    return;
  }
  ebr_error *error = ebr_checkpoint_save(limits->checkpoint, config, record, trainer, epoch);
  if (error) snprintf(limits->notice, sizeof limits->notice, "%s: no checkpoint of this run", ebr_error_message(error));
  ebr_error_destroy(&error);
}

ebr_error *ebr_run_execute(const ebr_config *config, const ebr_library *library, ebr_run_limits *limits,
                           ebr_record *record, char *reason, size_t capacity)
{
  ebr_error *error = NULL;
  ebr_samples *samples = NULL;
  ebr_alone *alone = NULL;
  ebr_trainer *trainer = NULL;
  ebr_team *team = limits->team;
  ebr_watch watch = {limits, ebr_clock_seconds()};
  uint64_t pair = ebr_config_pair(config);
  int64_t epoch;
  reason[0] = limits->notice[0] = 0;
  limits->stopped = false;
  ebr_record_clear(record);

  EBR_TRY(ebr_team_agree(team, ebr_samples_create(library, config, &samples)));
  ebr_times_charge(limits->times, EBR_TIME_DATA);
  EBR_TRY(ebr_alone_train(config, samples, pair, &watch, &alone, reason, capacity));
  ebr_times_charge(limits->times, EBR_TIME_ALONE);
  if (reason[0] || limits->stopped) goto done;
  EBR_TRY(ebr_team_agree(team, ebr_trainer_create(config, samples, -1, pair, ebr_alone_teaching(alone), &trainer)));
  ebr_trainer_join(trainer, team);
  ebr_subject subject = {.config = config,
                         .samples = samples,
                         .trainer = trainer,
                         .team = team,
                         .truth = ebr_baselines_truth(limits->known),
                         .only = config->method == EBR_METHOD_UNIMODAL ? (int)config->unimodal_modality : -1,
                         .alone = ebr_alone_scores(alone),
                         .alone_contribution = ebr_alone_contributions(alone)};
  epoch = go_on(config, limits, record, trainer);
  EBR_TRY(train(&subject, &watch, record, &epoch, reason, capacity));
  limits->stopped = limits->stopped && !reason[0] && epoch < config->train_epochs;
  leave(config, limits, record, trainer, epoch);
done:
  ebr_trainer_destroy(&trainer);
  ebr_alone_destroy(&alone);
  ebr_samples_destroy(&samples);
  ebr_times_charge(limits->times, EBR_TIME_TRAINING);
  return error;
}
