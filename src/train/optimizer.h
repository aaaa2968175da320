/* Optimisers: one vectorised pass over a range of the parameter array. Each is one function and one line in
 * ebr_optimizer_at. */
#ifndef EBR_TRAIN_OPTIMIZER_H
#define EBR_TRAIN_OPTIMIZER_H

#include <ebrsweep/model.h>

/* The numbers of one step, the same for all of its ranges. */
typedef struct ebr_optimizer_step {
  ebr_real beta1, beta2, share1, share2, rate, second_scale, epsilon;
} ebr_optimizer_step;

/* values, gradients, first and second moments: (count). keep: 1 less the decoupled weight decay of this range. */
typedef struct ebr_optimizer {
  void (*prepare)(const ebr_config *config, double rate, int64_t count, ebr_optimizer_step *step);
  void (*pass)(const ebr_optimizer_step *step, size_t count, ebr_real keep, ebr_real *values, const ebr_real *gradients,
               ebr_real *first, ebr_real *second);
} ebr_optimizer;

/* In the order of train.optimizer's choices. prepare's count is 1 in the first step. */
const ebr_optimizer *ebr_optimizer_at(int choice);

#endif
