/* Law: does the number of collisions grow quadratically with the number of modalities? Theory, fits, verdicts.
 * Paper: Chaudhuri et al., ICML 2025, arXiv 2505.22483, Lemma 1. */
#ifndef EBRSWEEP_LAW_H
#define EBRSWEEP_LAW_H

#include <ebrsweep/base.h>

/* ---- random allocation: the null model --------------------------------------------------------------------------- */

enum { EBR_ALLOCATION_MODALITIES_MOST = 64 };

/* Each of the features[i] features of modality i falls on one of n neurons, uniformly and independently. */
typedef struct ebr_allocation {
  int modalities;                               /* m, 1 to EBR_ALLOCATION_MODALITIES_MOST */
  int neurons;                                  /* n, at least 1 */
  int features[EBR_ALLOCATION_MODALITIES_MOST]; /* k_i, at least 0 */
} ebr_allocation;

/* What collisions.c counts in trained heads, of a random allocation: one outcome, or its expectation. */
typedef struct ebr_allocated {
  double pairs;     /* pairs of features of two modalities on one neuron */
  double shared;    /* fraction of neurons with two modalities or more */
  double occupancy; /* mean over modalities of the fraction of neurons that one is on */
} ebr_allocated;

/* Exact: E[pairs] = sum_{i<j} k_i k_j / n; a_i = 1 - (1 - 1/n)^k_i is a modality's occupancy, and a neuron holds two or
 * more with probability 1 - prod(1 - a_i) - sum_i a_i prod_{j!=i} (1 - a_j). Design, 'The law'. */
void ebr_allocation_expected(const ebr_allocation *allocation, ebr_allocated *expected);

/* Mean and standard error over trials random allocations drawn from stream; trials at least 2. scratch: (3 x n), any
 * contents. Local, allocates nothing. */
void ebr_allocation_sample(const ebr_allocation *allocation, int64_t trials, ebr_stream *stream, uint32_t *scratch,
                           ebr_allocated *mean, ebr_allocated *error);

#endif
