/* Baselines: what is known of modalities trained alone. Runs that differ in arms alone would train the same networks. */
#ifndef EBR_RUN_BASELINES_H
#define EBR_RUN_BASELINES_H

#include <ebrsweep/run.h>

typedef struct ebr_baseline {
  uint64_t key; /* of what it depends on; 0: nothing here */
  bool scored;  /* scores and contribution are there as well */
  double train_loss;
  ebr_scores scores; /* on the test set */
  double contribution;
} ebr_baseline;

/* A hash of all that the network of this modality alone depends on; pair: ebr_config_pair. */
uint64_t ebr_baseline_key(const ebr_config *config, uint64_t pair, int modality, int64_t epochs);
/* What is known under this key, or NULL. Borrowed until the next ebr_baselines_keep. baselines may be NULL. */
const ebr_baseline *ebr_baselines_find(const ebr_baselines *baselines, uint64_t key);
/* In place of what happens to be at its place. */
void ebr_baselines_keep(ebr_baselines *baselines, const ebr_baseline *baseline);

/* What is known of the truth behind test sets, for the regressions of a run that such sets are for. baselines may be NULL. */
ebr_truth *ebr_baselines_truth(const ebr_baselines *baselines);

#endif
