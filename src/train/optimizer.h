/* Optimisers: one vectorised pass over a range of the parameter array. Each is one function and one line in
 * ebr_optimizer_at. */
#ifndef EBR_TRAIN_OPTIMIZER_H
#define EBR_TRAIN_OPTIMIZER_H

#include <ebrsweep/model.h>

/* What one step needs beside the arrays. */
typedef struct ebr_optimizer_step {
  const ebr_config *config;
  double rate;
  int64_t count; /* steps of this optimiser so far, this one included: 1, 2, ... */
} ebr_optimizer_step;

/* values, gradients, first and second moments: (count). decay: decoupled weight decay of this range. */
typedef void ebr_optimizer(const ebr_optimizer_step *step, size_t count, double decay, ebr_real *values,
                           const ebr_real *gradients, ebr_real *first, ebr_real *second);

ebr_optimizer *ebr_optimizer_at(int choice);

#endif
