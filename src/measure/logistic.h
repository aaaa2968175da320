/* Logistic: multinomial logistic regression with a ridge penalty, for probes. */
#ifndef EBR_MEASURE_LOGISTIC_H
#define EBR_MEASURE_LOGISTIC_H

#include <ebrsweep/train.h>

/* Borrowed. */
typedef struct ebr_labelled {
  int count, inputs, classes;
  const double *x;      /* (count x inputs) row-major */
  const int32_t *label; /* (count), in [0, classes) */
} ebr_labelled;

/* Minimises mean cross-entropy + ridge / 2 |W|^2 over W, the first inputs rows of weight ((inputs + 1) x classes); the
 * last row is the intercept, which the penalty spares. From zero, by L-BFGS (Liu & Nocedal, Math. Prog. 1989) until no
 * entry of the gradient exceeds 1e-6, or 200 steps. */
EBR_FALLIBLE ebr_logistic_fit(const ebr_labelled *data, double ridge, double *weight);
EBR_FALLIBLE ebr_logistic_score(const ebr_labelled *data, const double *weight, ebr_scores *scores);

#endif
