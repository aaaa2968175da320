/* The runs that play a part in a claim. */
#ifndef EBR_APP_CLAIM_RUNS_H
#define EBR_APP_CLAIM_RUNS_H

#include "app/claim_gather.h"

typedef struct ebr_claim_run {
  int group, role;
  double seed;
  uint64_t cell;   /* what differs beside group, arm and seed */
  double x, value; /* x: of `along` */
  uint64_t id;
} ebr_claim_run;

typedef struct ebr_claim_runs {
  ebr_claim_run *run; /* by group, role, seed, cell */
  int64_t count;
  char (*group)[EBR_CLAIM_GROUP]; /* in order of first appearance */
  int groups;
} ebr_claim_runs;

void ebr_claim_runs_release(ebr_claim_runs *runs);
/* Local. A run that stands in two files counts once; one without a value not at all. */
EBR_FALLIBLE ebr_claim_runs_find(const ebr_claim *claim, ebr_results *const *files, int count, ebr_claim_runs *runs);
/* Whether a file has the column, or those that NAME.last and NAME.* stand for. */
bool ebr_claim_measured(const ebr_results *results, const char *measure);

#endif
