/* Random allocation, the null model behind the quadratic claim: drawn here as a measure of a run (`allocation.trials`),
 * expected exactly by ebrsweep/law.h, so that each is checked by the other. Local, allocates nothing. */
#ifndef EBRSWEEP_ALLOCATION_H
#define EBRSWEEP_ALLOCATION_H

#include <ebrsweep/base.h>

enum { EBR_ALLOCATION_MODALITIES_MOST = 64 };

/* Each of the features[i] features of modality i falls on one of n neurons, uniformly and independently. */
typedef struct ebr_allocation {
  int modalities;                               /* m, 1 to EBR_ALLOCATION_MODALITIES_MOST */
  int neurons;                                  /* n, at least 1 */
  int features[EBR_ALLOCATION_MODALITIES_MOST]; /* k_i, at least 0 */
  bool redraws; /* another law, which must be told from the first: each feature draws its modality too, with
                 * replacement, so that k_i is kept on average alone */
} ebr_allocation;

/* What collisions.c counts in trained heads, of a random allocation: one outcome, or its expectation. */
typedef struct ebr_allocated {
  double pairs;     /* pairs of features of two modalities on one neuron */
  double shared;    /* fraction of neurons with two modalities or more */
  double occupancy; /* mean over modalities of the fraction of neurons that one is on */
} ebr_allocated;

/* Mean and standard error over trials random allocations drawn from stream; trials at least 2. scratch: (3 x n), any
 * contents. */
void ebr_allocation_sample(const ebr_allocation *allocation, int64_t trials, ebr_stream *stream, uint32_t *scratch,
                           ebr_allocated *mean, ebr_allocated *error);

#endif
