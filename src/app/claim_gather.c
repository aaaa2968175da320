#include "app/claim_gather.h"

#include "app/claim_runs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One number a seed of one arm. */
typedef struct seed_value {
  double seed, value;
} seed_value;

typedef struct arm_values {
  seed_value *seed; /* (count), ascending */
  int count;        /* seeds that have every cell */
  int seen;         /* seeds that have any */
  bool ambiguous;   /* two runs in one place */
} arm_values;

/* ---- one number a seed ------------------------------------------------------------------------------------------- */

static double place_of(const ebr_claim_run *run, int cells, double x)
{
  int place = 0;
  for (int i = 0; i < cells; i++) {
    bool first = run[i].x < x;
    for (int k = 0; k < i && first; k++) first = run[k].x != run[i].x;
    place += first;
  }
  return place;
}

/* Slope over the places 0, 1, ... of x among its values, times the last place. NaN if x does not vary. */
static double change(const ebr_claim_run *run, int cells)
{
  double x = 0, y = 0, xx = 0, xy = 0, last = 0;
  for (int i = 0; i < cells; i++) {
    x += place_of(run, cells, run[i].x) / cells;
    y += run[i].value / cells;
  }
  for (int i = 0; i < cells; i++) {
    double place = place_of(run, cells, run[i].x);
    xx += (place - x) * (place - x);
    xy += (place - x) * (run[i].value - y);
    last = fmax(last, place);
  }
  return xx > 0 ? last * xy / xx : NAN;
}

static double correlation(const ebr_claim_run *run, int cells)
{
  double x = 0, y = 0, xx = 0, xy = 0, yy = 0;
  for (int i = 0; i < cells; i++) {
    x += run[i].x / cells;
    y += run[i].value / cells;
  }
  for (int i = 0; i < cells; i++) {
    xx += (run[i].x - x) * (run[i].x - x);
    xy += (run[i].x - x) * (run[i].value - y);
    yy += (run[i].value - y) * (run[i].value - y);
  }
  return cells > 2 && xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

static double summary(const ebr_claim *claim, const ebr_claim_run *run, int cells)
{
  double sum = 0;
  if (claim->kind == EBR_CLAIM_CHANGE) return change(run, cells);
  if (claim->kind == EBR_CLAIM_CORRELATION) return correlation(run, cells);
  for (int i = 0; i < cells; i++) sum += run[i].value;
  return sum / cells;
}

/* ---- arms -------------------------------------------------------------------------------------------------------- */

static int64_t end_of_seed(const ebr_claim_runs *runs, int64_t first)
{
  const ebr_claim_run *run = runs->run;
  int64_t next = first;
  while (next < runs->count && run[next].group == run[first].group && run[next].role == run[first].role &&
         run[next].seed == run[first].seed)
    next++;
  return next;
}

/* Cells of a group: those of the seed that has most. */
static int count_cells(const ebr_claim_runs *runs, int group)
{
  int most = 0;
  for (int64_t first = 0, next; first < runs->count; first = next) {
    next = end_of_seed(runs, first);
    int cells = 0;
    for (int64_t i = first; i < next; i++) cells += i == first || runs->run[i].cell != runs->run[i - 1].cell;
    if (runs->run[first].group == group && cells > most) most = cells;
  }
  return most;
}

static ebr_error *collect_arm(const ebr_claim *claim, const ebr_claim_runs *runs, int group, int role, arm_values *arm)
{
  ebr_error *error = NULL;
  int cells = count_cells(runs, group);
  *arm = (arm_values){.seed = calloc((size_t)runs->count + 1, sizeof *arm->seed)};
  EBR_CHECK_MEMORY(arm->seed, "the seeds of an arm");
  for (int64_t first = 0, next; first < runs->count; first = next) {
    next = end_of_seed(runs, first);
    if (runs->run[first].group != group || runs->run[first].role != role) continue;
    arm->seen++;
    for (int64_t i = first + 1; i < next; i++) arm->ambiguous |= runs->run[i].cell == runs->run[i - 1].cell;
    double value = next - first == cells ? summary(claim, &runs->run[first], cells) : NAN;
    if (isfinite(value)) arm->seed[arm->count++] = (seed_value){runs->run[first].seed, value};
  }
done:
  return error;
}

/* Differences of seeds that both have; with no other arm, the values themselves. */
static int pair(const arm_values *treated, const arm_values *other, double *difference)
{
  int count = 0;
  for (int i = 0, k = 0; i < treated->count; i++) {
    if (other)
      while (k < other->count && other->seed[k].seed < treated->seed[i].seed) k++;
    if (other && (k == other->count || other->seed[k].seed != treated->seed[i].seed)) continue;
    difference[count++] = treated->seed[i].value - (other ? other->seed[k].value : 0);
  }
  return count;
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

static void note_obstacle(const ebr_claim *claim, int role, const arm_values *arm, char words[EBR_CLAIM_WORDS])
{
  const char *name = ebr_arm_name(claim->role[role]);
  if (words[0]) return;
  if (arm->seen == 0) snprintf(words, EBR_CLAIM_WORDS, "no run of %s is done and measured", name);
  else if (arm->ambiguous) snprintf(words, EBR_CLAIM_WORDS, "several runs of %s for one seed", name);
  else if (arm->count == 0) snprintf(words, EBR_CLAIM_WORDS, "%s has no seed whose runs are all done", name);
}

static ebr_error *compare(const ebr_claim *claim, const arm_values *arm, uint64_t key, int resamples,
                          ebr_claim_result *result)
{
  ebr_error *error = NULL;
  double *difference = malloc(((size_t)arm[0].count + 1) * sizeof *difference);
  EBR_CHECK_MEMORY(difference, "differences");
  int count = pair(&arm[0], claim->role[1] == EBR_ARM_NONE ? NULL : &arm[1], difference);
  result->left_out = (arm[0].seen > arm[1].seen ? arm[0].seen : arm[1].seen) - count;
  EBR_TRY(ebr_comparison_make(difference, count, key, resamples, &result->test.main));
  for (int role = 2; role < EBR_CLAIM_ROLES && claim->role[role] != EBR_ARM_NONE; role++) {
    int control = result->test.controls++;
    result->test.control_name[control] = ebr_arm_name(claim->role[role]);
    count = pair(&arm[0], &arm[role], difference);
    EBR_TRY(ebr_comparison_make(difference, count, key, resamples, &result->test.control[control]));
  }
done:
  free(difference);
  return error;
}

static ebr_error *gather_group(const ebr_claim *claim, const ebr_claim_runs *runs, int group, int resamples,
                               ebr_claim_result *result)
{
  ebr_error *error = NULL;
  arm_values arm[EBR_CLAIM_ROLES] = {{0}};
  snprintf(result->group, sizeof result->group, "%s", runs->group[group]);
  for (int role = 0; role < EBR_CLAIM_ROLES; role++) {
    if (claim->role[role] == EBR_ARM_NONE) continue;
    EBR_TRY(collect_arm(claim, runs, group, role, &arm[role]));
    note_obstacle(claim, role, &arm[role], result->words);
  }
  if (result->words[0]) goto done;
  uint64_t key = ebr_hash(claim->says, strlen(claim->says), ebr_hash(result->group, strlen(result->group), 0));
  EBR_TRY(compare(claim, arm, key, resamples, result));
done:
  for (int role = 0; role < EBR_CLAIM_ROLES; role++) free(arm[role].seed);
  return error;
}

/* ---- all of a claim ---------------------------------------------------------------------------------------------- */

static ebr_error *add_result(ebr_claim_results *results, const ebr_claim *claim, ebr_claim_result **result)
{
  ebr_error *error = NULL;
  void *grown = realloc(results->result, (size_t)(results->count + 1) * sizeof *results->result);
  EBR_CHECK_MEMORY(grown, "results of claims");
  results->result = grown;
  *result = &results->result[results->count++];
  **result = (ebr_claim_result){.claim = claim, .group = "all runs", .verdict = EBR_VERDICT_CANNOT_TELL};
  (*result)->test.direction = claim->direction;
  (*result)->test.smallest = claim->smallest;
done:
  return error;
}

static void note_files(const ebr_claim *claim, ebr_results *const *files, int count, char words[EBR_CLAIM_WORDS])
{
  const char *needed[] = {claim->measure, claim->reference_measure, claim->along, claim->by};
  for (int file = 0; file < count && !words[0]; file++) {
    for (int i = 0; i < 4 && !words[0]; i++)
      if (needed[i] && !ebr_claim_measured(files[file], needed[i]))
        snprintf(words, EBR_CLAIM_WORDS, "the results have no %s", needed[i]);
    const char *version = ebr_results_text(files[file], "version"), *commit = ebr_results_text(files[file], "commit");
    if (strcmp(version, ebr_results_text(files[0], "version")) != 0 ||
        strcmp(commit, ebr_results_text(files[0], "commit")) != 0)
      snprintf(words, EBR_CLAIM_WORDS, "mixed versions: %.30s (%.30s) and %.30s (%.30s)",
               ebr_results_text(files[0], "version"), ebr_results_text(files[0], "commit"), version, commit);
  }
}

ebr_error *ebr_claim_gather(const ebr_claim *claim, ebr_results *const *files, int count, int resamples,
                            ebr_claim_results *results)
{
  ebr_error *error = NULL;
  ebr_claim_runs runs = {0};
  ebr_claim_result *result = NULL;
  char words[EBR_CLAIM_WORDS] = "";
  note_files(claim, files, count, words);
  if (!words[0]) EBR_TRY(ebr_claim_runs_find(claim, files, count, &runs));
  if (!words[0] && runs.groups == 0)
    snprintf(words, sizeof words, "no run of %s is done and measured", ebr_arm_name(claim->role[0]));
  if (words[0]) {
    EBR_TRY(add_result(results, claim, &result));
    memcpy(result->words, words, sizeof words);
  }
  for (int group = 0; group < runs.groups; group++) {
    EBR_TRY(add_result(results, claim, &result));
    EBR_TRY(gather_group(claim, &runs, group, resamples, result));
  }
done:
  ebr_claim_runs_release(&runs);
  return error;
}

void ebr_claim_results_release(ebr_claim_results *results)
{
  free(results->result);
  *results = (ebr_claim_results){0};
}
