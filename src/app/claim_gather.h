/* From runs to paired differences: what the claims compare, group by group. */
#ifndef EBR_APP_CLAIM_GATHER_H
#define EBR_APP_CLAIM_GATHER_H

#include "app/claim_table.h"

#include <ebrsweep/law.h>
#include <ebrsweep/store.h>

enum { EBR_CLAIM_WORDS = 200, EBR_CLAIM_GROUP = 128 };

/* One claim in one group of runs: a data set, and a value of the claim's own column. */
typedef struct ebr_claim_result {
  const ebr_claim *claim;
  char group[EBR_CLAIM_GROUP]; /* "mfeat, model.fusion grape" */
  ebr_claim_case test;
  int left_out; /* seeds of the treated arm or its reference that lack a partner or a value */
  ebr_verdict verdict;
  char words[EBR_CLAIM_WORDS];
} ebr_claim_result;

typedef struct ebr_claim_results {
  ebr_claim_result *result;
  int count;
} ebr_claim_results;

void ebr_claim_results_release(ebr_claim_results *results);

/* Local. Adds one result for each group of the claim's runs in files (count), all of the claim's sweep. What stands in
 * the way of a verdict (arms or measures that are missing, several versions of the program) is in words. Verdicts are
 * not given yet. */
EBR_FALLIBLE ebr_claim_gather(const ebr_claim *claim, ebr_results *const *files, int count, int resamples,
                              ebr_claim_results *results);

#endif
