/* One run from start to finish. Read this first: the rest of the tree is what these few calls need. */
#include <ebrsweep/run.h>

#include "run/alone.h"

#include <stdio.h>

static ebr_error *measure(ebr_subject *subject, int epoch, const ebr_losses *losses, ebr_record *record)
{
  subject->point = ebr_measure_point(subject->config, epoch);
  subject->last = epoch == subject->config->train_epochs;
  subject->losses = losses;
  return subject->point < 0 ? NULL : ebr_measures_take(subject, record);
}

/* Trains to the end, to divergence or to the deadline, measuring on the way. */
static ebr_error *train(ebr_subject *subject, const ebr_watch *watch, ebr_record *record, char *reason, size_t capacity)
{
  ebr_error *error = NULL;
  EBR_TRY(measure(subject, 0, NULL, record));
  for (int epoch = 1; epoch <= subject->config->train_epochs; epoch++) {
    ebr_losses losses;
    int64_t diverged;
    ebr_trainer_epoch(subject->trainer, &losses, &diverged);
    if (diverged >= 0) {
      snprintf(reason, capacity, "diverged in step %lld of epoch %d: semantic loss %g", (long long)diverged, epoch,
               losses.semantic);
      goto done;
    }
    if (!ebr_watch_epoch(watch, reason, capacity)) goto done;
    EBR_TRY(measure(subject, epoch, &losses, record));
  }
done:
  return error;
}

bool ebr_watch_epoch(const ebr_watch *watch, char *reason, size_t capacity)
{
  const ebr_run_limits *limits = watch->limits;
  if (limits->tick) limits->tick(limits->context);
  if (ebr_clock_seconds() - watch->start <= limits->seconds) return true;
  snprintf(reason, capacity, "took longer than %g s", limits->seconds);
  return false;
}

ebr_error *ebr_run_execute(const ebr_config *config, const ebr_library *library, const ebr_run_limits *limits,
                           ebr_record *record, char *reason, size_t capacity)
{
  ebr_error *error = NULL;
  ebr_samples *samples = NULL;
  ebr_alone *alone = NULL;
  ebr_trainer *trainer = NULL;
  ebr_watch watch = {limits, ebr_clock_seconds()};
  uint64_t pair = ebr_config_pair(config);
  reason[0] = 0;
  ebr_record_clear(record);

  EBR_TRY(ebr_samples_create(library, config, &samples));
  EBR_TRY(ebr_alone_train(config, samples, pair, &watch, &alone, reason, capacity));
  if (reason[0]) goto done;
  EBR_TRY(ebr_trainer_create(config, samples, -1, pair, ebr_alone_teaching(alone), &trainer));
  ebr_subject subject = {.config = config,
                         .samples = samples,
                         .trainer = trainer,
                         .only = config->method == EBR_METHOD_UNIMODAL ? (int)config->unimodal_modality : -1,
                         .alone = ebr_alone_scores(alone),
                         .alone_contribution = ebr_alone_contributions(alone)};
  EBR_TRY(train(&subject, &watch, record, reason, capacity));
done:
  ebr_trainer_destroy(&trainer);
  ebr_alone_destroy(&alone);
  ebr_samples_destroy(&samples);
  return error;
}
