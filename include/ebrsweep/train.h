/* Train: optimisers, the loop over mini-batches, evaluation, checkpoints of one network on one sample set. Knows no
 * MPI.
 *
 * Where a mini-batch has shards (ebr_config_shards) its gradient is the sum of theirs in a fixed tree, so that a team
 * may compute them on several ranks and come to the same bits as one rank does.
 *
 * Workflow: ebr_trainer_create, ebr_trainer_epoch as often as wanted, ebr_evaluate in between, ebr_trainer_destroy. */
#ifndef EBRSWEEP_TRAIN_H
#define EBRSWEEP_TRAIN_H

#include <ebrsweep/model.h>
#include <ebrsweep/team.h>

typedef struct ebr_trainer ebr_trainer;

/* What a teacher knows of the training samples, by position in samples->train. Borrowed by the trainer. */
typedef struct ebr_teaching {
  int modality;             /* who teaches */
  const ebr_real *features; /* (train_count x l) */
  const ebr_real *logits;   /* (train_count x C) */
  const int *order;         /* (m) modalities by their own training loss, best first */
} ebr_teaching;

/* Local. only as in ebr_network_create. samples and teaching are borrowed and must outlive the trainer; teaching may be
 * NULL for methods that do not distil. The caller destroys. */
EBR_FALLIBLE ebr_trainer_create(const ebr_config *config, const ebr_samples *samples, int only, uint64_t key,
                                const ebr_teaching *teaching, ebr_trainer **trainer);
void ebr_trainer_destroy(ebr_trainer **trainer);
/* Local. From now on steps are collective on the team (borrowed; NULL: this rank alone), of at most as many ranks as
 * there are shards, all of which have made the same trainer. Does nothing where there is one shard. */
void ebr_trainer_join(ebr_trainer *trainer, ebr_team *team);
/* Collective on the team, before ebr_trainer_state_save: a rank keeps the optimiser's moments of its own slice alone.
 * */
void ebr_trainer_collect(ebr_trainer *trainer);
/* What ebr_trainer_create would allocate [bytes]. */
size_t ebr_trainer_bytes(const ebr_config *config, const ebr_shape *shape, int only);
/* Steps of one epoch, and floating-point operations of one step counted from the shapes. */
int ebr_trainer_steps(const ebr_config *config, const ebr_shape *shape);
double ebr_trainer_flops(const ebr_config *config, const ebr_shape *shape, int only);

ebr_network *ebr_trainer_network(ebr_trainer *trainer); /* borrowed */
int64_t ebr_trainer_step_count(const ebr_trainer *trainer);

/* One mini-batch of the current epoch; false when this was the epoch's last. */
bool ebr_trainer_step(ebr_trainer *trainer, ebr_losses *losses);
/* A whole epoch: mean losses. Stops in the step in which a loss is not finite or above train.limit: *diverged is then
 * that step (counted from 0 over all of training), else -1. Divergence is a result, not an error. */
void ebr_trainer_epoch(ebr_trainer *trainer, ebr_losses *losses, int64_t *diverged);

/* Everything that the next step depends on, as bytes: same library, same machine kind. */
size_t ebr_trainer_state_bytes(const ebr_trainer *trainer);
void ebr_trainer_state_save(const ebr_trainer *trainer, void *state);
EBR_FALLIBLE ebr_trainer_state_load(ebr_trainer *trainer, const void *state, size_t bytes);

/* ---- evaluation -------------------------------------------------------------------------------------------------- */

/* Called for each chunk after fuse, in order; rows are positions [start, start + count) of the list given to
 * ebr_evaluate. */
typedef void ebr_visit(void *context, ebr_network *network, int start, int count, const ebr_batch *batch);
/* Called between encode and fuse; may change ebr_network_fused and present (count x m). */
typedef void ebr_intervene(void *context, ebr_network *network, int start, int count, uint8_t *present);

typedef struct ebr_scores {
  double loss;     /* mean semantic cross-entropy [nats] */
  double accuracy; /* in [0, 1] */
} ebr_scores;

/* Forward over samples rows[0 .. count) in chunks of the network's batch. intervene, visit and context may be NULL.
 * only as in ebr_network_create. Local; allocates once per call. */
EBR_FALLIBLE ebr_evaluate(ebr_network *network, const ebr_samples *samples, int only, const int32_t *rows, int count,
                          ebr_intervene *intervene, ebr_visit *visit, void *context, ebr_scores *scores);

#endif
