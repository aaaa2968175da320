/* Areas under the receiver-operating and precision-recall curves of one class against the rest. */
#ifndef EBR_MEASURE_RANKING_H
#define EBR_MEASURE_RANKING_H

#include <ebrsweep/base.h>

typedef struct ebr_ranked {
  int count;
  const double *score;  /* (N) of the class */
  const int32_t *order; /* (N) samples by score, highest first */
  const int32_t *label; /* (N) */
  const double *weight; /* (N) how often a sample counts */
} ebr_ranked;

/* Local. order (N) = samples by score, highest first, ties by index; no score may be NaN. key and spare (N) are
 * scratch. */
void ebr_ranking_sort(int count, const double *score, int32_t *order, uint64_t *key, int32_t *spare);
/* Local. Samples of equal score enter the curves together. NaN where the class, or for roc its complement, is empty. */
void ebr_ranking_areas(const ebr_ranked *ranked, int class_index, double *roc, double *prc);

#endif
