/* What a sweep would cost: predicted from one process and without training anything, for plan and submit. */
#ifndef EBR_APP_PREDICT_H
#define EBR_APP_PREDICT_H

#include <ebrsweep/sweep.h>

enum { EBR_TEAM_SIZES = 5 /* 1, 2, 4, 8, 16 */ };

typedef struct ebr_prediction {
  int64_t runs, fresh; /* of the sweep; of those, not yet finished in the results file */
  double flops;        /* of the fresh ones */
  double longest;      /* the costliest of them [flop] */
  double rate;         /* of this machine while training [flop/s]: measured now, or by the runs that are finished */
  int64_t told;        /* finished runs that the rate is from; 0: measured now */
  size_t memory;       /* of the largest run on one rank, with program and libraries [bytes] */
  int64_t ranks;       /* suggested: enough, and none that would wait for the longest run */
  int64_t teams[EBR_TEAM_SIZES]; /* [k]: runs by 2^k ranks each, on as many ranks as suggested */
} ebr_prediction;

/* Collective on MPI_COMM_SELF. output: the results file, which need not exist. Takes a twentieth of a second beside what
 * the datasets take. */
EBR_FALLIBLE ebr_predict(const ebr_sweep *sweep, const char *output, ebr_prediction *prediction);

#endif
