/* What all regressions on the truth share: it depends on the test set alone. */
#ifndef EBR_MEASURE_TRUTH_H
#define EBR_MEASURE_TRUTH_H

#include <ebrsweep/measure.h>

/* Local. Means, scales and the inverse of the features' correlations, unless those of this pair (ebr_config_pair) are there
 * already. The samples stay the caller's; the functions below look at them. */
EBR_FALLIBLE ebr_truth_find(ebr_truth *truth, const ebr_samples *samples, uint64_t pair);
int ebr_truth_features(const ebr_truth *truth); /* of all modalities */
/* out (count x features): those of the test samples from start on, each at mean 0 and variance 1. */
void ebr_truth_standardised(const ebr_truth *truth, int start, int count, double *out);
/* products (columns x features): sums over the test set of what is regressed times each standardised feature.
 * weight (columns x features): the coefficients. */
void ebr_truth_regress(const ebr_truth *truth, int columns, const double *products, double *weight);
size_t ebr_truth_bytes(int features);

#endif
