/* Alone: each modality trained by itself. The baselines that contributions are held against, and the teacher of
 * distillation. */
#ifndef EBR_RUN_ALONE_H
#define EBR_RUN_ALONE_H

#include <ebrsweep/run.h>

typedef struct ebr_alone ebr_alone;

/* A run's limits and when it began, by ebr_clock_seconds. */
typedef struct ebr_watch {
  ebr_run_limits *limits;
  double start; /* [s] */
} ebr_watch;
/* After an epoch: may the run go on? If its time is over, reason gets a sentence. */
bool ebr_watch_epoch(const ebr_watch *watch, char *reason, size_t capacity);

/* Collective on the limits' team. Trains what the configuration asks for: all modalities when they serve as baselines
 * (measure.unimodal) or when the teacher is to be found among them, the teacher alone when only it is wanted, none
 * otherwise. *alone is always made. reason gets a sentence when one of them diverges or time is over; when the run is
 * stopped, not all are trained. The caller destroys. */
EBR_FALLIBLE ebr_alone_train(const ebr_config *config, const ebr_samples *samples, uint64_t key, const ebr_watch *watch,
                             ebr_alone **alone, char *reason, size_t capacity);
void ebr_alone_destroy(ebr_alone **alone);

const ebr_scores *ebr_alone_scores(const ebr_alone *alone);     /* (m), or NULL */
const double *ebr_alone_contributions(const ebr_alone *alone);  /* (m) [nats], or NULL */
const ebr_teaching *ebr_alone_teaching(const ebr_alone *alone); /* or NULL */

/* How many modalities would be trained, for predictions. */
int ebr_alone_count(const ebr_config *config, int modalities);
int64_t ebr_alone_epochs(const ebr_config *config);

#endif
