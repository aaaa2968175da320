/* What the parts of the data module share: the arrays behind one run's samples while they are filled. */
#ifndef EBRSWEEP_DATA_SAMPLES_H
#define EBRSWEEP_DATA_SAMPLES_H

#include <ebrsweep/data.h>

#include "data/dataset.h"

/* Arrays that the samples own. What a run borrows or does not need is NULL. */
typedef struct ebr_storage {
  int32_t *train, *test;             /* (train_count), (test_count) */
  int32_t *label;                    /* (N) */
  uint8_t *present;                  /* (N x m) */
  float *x[EBR_MODALITIES_MOST];     /* (N x d_i) */
  float *mean[EBR_MODALITIES_MOST];  /* (d_i) */
  float *scale[EBR_MODALITIES_MOST]; /* (d_i) */
  float *truth[EBR_MODALITIES_MOST]; /* (N x (predictive + noise)) */
} ebr_storage;

/* Streams of one key that differ by index: one for what all modalities share, then one a modality, so that a modality's
 * numbers do not depend on how many others there are. */
enum { EBR_STREAM_SHARED = 0, EBR_STREAM_MODALITY = 1 };

/* Fills label, train, test, truth and x. */
EBR_FALLIBLE ebr_synthetic_fill(const ebr_config *config, uint64_t key, ebr_samples *samples, ebr_storage *storage);
/* Fills label, train, test and present from a dataset; copies x or borrows it. */
EBR_FALLIBLE ebr_split_fill(const ebr_config *config, uint64_t key, const ebr_dataset *dataset, ebr_samples *samples,
                            ebr_storage *storage);
/* Which of the dataset's modalities is the run's modality i. */
int ebr_split_modality(const ebr_config *config, int modality);
EBR_FALLIBLE ebr_split_shape(const ebr_dataset *dataset, const ebr_config *config, ebr_shape *shape);

/* Takes modalities away from training samples, at missing.train. */
void ebr_missing_apply(const ebr_config *config, uint64_t key, const ebr_samples *samples, ebr_storage *storage);
/* Fills mean and scale. */
EBR_FALLIBLE ebr_standard_fill(const ebr_samples *samples, ebr_storage *storage);
void ebr_feature_noise_apply(const ebr_config *config, uint64_t key, const ebr_samples *samples, ebr_storage *storage);
void ebr_label_noise_apply(const ebr_config *config, uint64_t key, const ebr_samples *samples, ebr_storage *storage);

#endif
