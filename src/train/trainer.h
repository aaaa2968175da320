/* The inside of a trainer, for the files of this module. */
#ifndef EBR_TRAIN_TRAINER_H
#define EBR_TRAIN_TRAINER_H

#include "train/optimizer.h"

#include <ebrsweep/train.h>

enum { EBR_FOLD_MOST = 4 /* EBR_SHARDS_MOST = 2^4 */, EBR_LOSSES = sizeof(ebr_losses) / sizeof(double) };

/* The sum of the shards' gradients up a binary tree, one shard after the other: whenever two sums of equally many are
 * there they become one. partial[k]: of 2^k shards, laid out as the network's gradients. */
typedef struct ebr_folding {
  ebr_real *partial[EBR_FOLD_MOST];
  double losses[EBR_FOLD_MOST][EBR_LOSSES];
  int shard, last; /* under way, and the last of this rank's; counted from 0 on each rank */
} ebr_folding;

/* What changes from step to step beside values and moments: a checkpoint holds it as it stands. */
typedef struct training_progress {
  int64_t step;     /* steps done over all of training */
  int64_t psi_step; /* steps of psi's optimiser */
  ebr_losses sum;   /* over the current epoch */
} training_progress;

struct ebr_trainer {
  ebr_config config;
  const ebr_samples *samples;
  const ebr_teaching *teaching;
  int only, batch, steps; /* B; steps an epoch */
  int shards, rows_each;  /* S, and B / S: the network's batch */
  ebr_team *team;         /* who trains it; NULL: this rank alone */
  uint64_t key;
  ebr_network *network;
  const ebr_optimizer *optimizer;
  ebr_optimizer_step step; /* of the update under way */
  ebr_folding folding;
  training_progress now;
  ebr_arena arena;
  ebr_real *gradients;      /* the network's own */
  ebr_real *first, *second; /* moments, laid out as the network's values */
  int32_t *order;           /* (train_count) positions in samples->train, shuffled anew each epoch */
  int32_t *rows;            /* (B) */
  int32_t *label;           /* (B) */
  uint8_t *present;         /* (B x m), or NULL */
};

/* Its mini-batch of the epoch: rows and labels, and what the shards' losses are means over. */
void ebr_trainer_gather(ebr_trainer *trainer, int index, ebr_whole *whole);
/* The network's input, and what else it is told, of one shard. */
void ebr_trainer_gather_shard(ebr_trainer *trainer, int index, int shard, ebr_batch *batch);
/* Updates values[start, stop) of the main part of the parameters, as trainer->step says; then those of psi in it. */
void ebr_trainer_update_main(ebr_trainer *trainer, size_t start, size_t stop);
void ebr_trainer_update_psi(ebr_trainer *trainer, size_t start, size_t stop);

/* One step over all shards, by all of the team. */
void ebr_trainer_step_sharded(ebr_trainer *trainer, int index, const ebr_remedies *remedies, ebr_losses *losses);

#endif
