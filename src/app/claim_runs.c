#include "app/claim_runs.h"

#include "app/filter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 96 };

/* ---- values ------------------------------------------------------------------------------------------------------ */

static double number(const ebr_results *results, int64_t run, const char *name)
{
  int column = ebr_results_column_find(results, name);
  return column < 0 ? NAN : ebr_results_number(results, run, column);
}

/* "NAME." of "NAME.last" and "NAME.*"; 0 for the name of a column, which may end in .last too. */
static int stem_of(const ebr_results *results, const char *measure)
{
  if (ebr_results_column_find(results, measure) >= 0) return 0;
  const char *dot = strrchr(measure, '.');
  return dot && (strcmp(dot, ".last") == 0 || strcmp(dot, ".*") == 0) ? (int)(dot - measure) + 1 : 0;
}

static bool numbered(const char *name, const char *measure, int stem)
{
  size_t digits = strspn(name + stem, "0123456789.");
  return strncmp(name, measure, (size_t)stem) == 0 && digits > 0 && name[(size_t)stem + digits] == 0;
}

bool ebr_claim_measured(const ebr_results *results, const char *measure)
{
  int stem = stem_of(results, measure);
  if (stem == 0) return ebr_results_column_find(results, measure) >= 0;
  for (int i = 0; i < ebr_results_column_count(results); i++)
    if (strlen(ebr_results_column_name(results, i)) > (size_t)stem &&
        numbered(ebr_results_column_name(results, i), measure, stem))
      return true;
  return false;
}

static double value_of(const ebr_results *results, int64_t run, const char *measure)
{
  char name[NAME];
  double sum = 0;
  int stem = stem_of(results, measure), found = 0;
  if (stem == 0) return number(results, run, measure);
  if (measure[stem] == 'l') {
    snprintf(name, sizeof name, "%.*s%d", stem, measure, (int)number(results, run, "data.modalities") - 1);
    return number(results, run, name);
  }
  for (int i = 0; i < ebr_results_column_count(results); i++) {
    const char *column = ebr_results_column_name(results, i);
    if (strlen(column) <= (size_t)stem || !numbered(column, measure, stem)) continue;
    double value = ebr_results_number(results, run, i);
    if (isnan(value)) continue; /* another data set's: k missing of more modalities than this one has */
    sum += value;
    found++;
  }
  return found ? sum / found : NAN;
}

/* ---- groups and cells -------------------------------------------------------------------------------------------- */

/* "synthetic", or the file's name without folder and extension; then the claim's own column. */
static void label_group(ebr_results *results, int64_t run, const ebr_claim *claim, char label[EBR_CLAIM_GROUP])
{
  int file = ebr_results_column_find(results, "data.file");
  int by = claim->by ? ebr_results_column_find(results, claim->by) : -1;
  char path[512] = "";
  if (file >= 0) snprintf(path, sizeof path, "%s", ebr_results_cell(results, run, file));
  const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
  int length = strrchr(name, '.') ? (int)(strrchr(name, '.') - name) : (int)strlen(name);
  if (length == 0) snprintf(label, EBR_CLAIM_GROUP, "synthetic");
  else snprintf(label, EBR_CLAIM_GROUP, "%.*s", length < 64 ? length : 64, name);
  if (by < 0) return;
  size_t used = strlen(label);
  snprintf(label + used, EBR_CLAIM_GROUP - used, ", %s %s", claim->by, ebr_results_cell(results, run, by));
}

static bool makes_a_cell(const ebr_claim *claim, const char *name)
{
  static const char *const others[] = {"seed", "method", "missing.train", "model.fusion", "data.file", "data.source"};
  static const char *const arms[] = {"ebr.", "kd.", "auxiliary.", "unimodal."};
  if (claim->by && strcmp(name, claim->by) == 0) return false;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (strcmp(name, others[i]) == 0) return false;
  for (size_t i = 0; i < sizeof arms / sizeof *arms; i++)
    if (strncmp(name, arms[i], strlen(arms[i])) == 0) return false;
  return true;
}

static uint64_t cell_of(ebr_results *results, int64_t run, const ebr_claim *claim)
{
  uint64_t hash = 0;
  for (int i = 0; i < ebr_results_column_count(results); i++) {
    const char *name = ebr_results_column_name(results, i);
    if (!ebr_results_column_is_axis(results, i) || !makes_a_cell(claim, name)) continue;
    hash = ebr_hash(name, strlen(name) + 1, hash);
    const char *cell = ebr_results_cell(results, run, i);
    hash = ebr_hash(cell, strlen(cell) + 1, hash);
  }
  return hash;
}

static ebr_error *group_of(ebr_claim_runs *runs, const char *label, int *group)
{
  ebr_error *error = NULL;
  for (*group = 0; *group < runs->groups; ++*group)
    if (strcmp(runs->group[*group], label) == 0) goto done;
  void *grown = realloc(runs->group, (size_t)(runs->groups + 1) * sizeof *runs->group);
  EBR_CHECK_MEMORY(grown, "groups of runs");
  runs->group = grown;
  snprintf(runs->group[runs->groups++], EBR_CLAIM_GROUP, "%s", label);
done:
  return error;
}

/* ---- collecting -------------------------------------------------------------------------------------------------- */

static ebr_error *add(ebr_claim_runs *runs, const ebr_claim_run *run)
{
  ebr_error *error = NULL;
  if (runs->count % 256 == 0) {
    void *grown = realloc(runs->run, (size_t)(runs->count + 256) * sizeof *runs->run);
    EBR_CHECK_MEMORY(grown, "the runs of a claim");
    runs->run = grown;
  }
  runs->run[runs->count++] = *run;
done:
  return error;
}

static ebr_error *add_run(ebr_claim_runs *runs, const ebr_claim *claim, ebr_results *results, int64_t index, int role)
{
  ebr_error *error = NULL;
  ebr_row row;
  char label[EBR_CLAIM_GROUP];
  const char *measure = role == 1 && claim->reference_measure ? claim->reference_measure : claim->measure;
  ebr_claim_run run = {.role = role, .seed = number(results, index, "seed")};
  ebr_results_row(results, index, &row);
  run.value = value_of(results, index, measure);
  run.x = claim->along ? value_of(results, index, claim->along) : 0;
  if (row.status != EBR_STATUS_DONE || !isfinite(run.value) || !isfinite(run.x)) goto done;
  run.id = row.id;
  run.cell = cell_of(results, index, claim);
  label_group(results, index, claim, label);
  EBR_TRY(group_of(runs, label, &run.group));
  EBR_TRY(add(runs, &run));
done:
  return error;
}

static ebr_error *search(ebr_claim_runs *runs, const ebr_claim *claim, ebr_results *results, int role)
{
  ebr_error *error = NULL;
  ebr_filter *filter = NULL;
  EBR_TRY(ebr_filter_create(results, ebr_arm_where(claim->role[role]), &filter));
  for (int64_t i = 0; i < ebr_results_count(results); i++)
    if (ebr_filter_match(filter, results, i)) EBR_TRY(add_run(runs, claim, results, i, role));
done:
  ebr_filter_destroy(&filter);
  return error;
}

static int in_order(const void *left, const void *right)
{
  const ebr_claim_run *a = left, *b = right;
  if (a->group != b->group) return a->group - b->group;
  if (a->role != b->role) return a->role - b->role;
  if (a->seed != b->seed) return a->seed < b->seed ? -1 : 1;
  if (a->cell != b->cell) return a->cell < b->cell ? -1 : 1;
  return (a->id > b->id) - (a->id < b->id);
}

static void drop_repeated(ebr_claim_runs *runs)
{
  int64_t kept = 0;
  for (int64_t i = 0; i < runs->count; i++)
    if (i == 0 || in_order(&runs->run[i], &runs->run[kept - 1]) != 0) runs->run[kept++] = runs->run[i];
  runs->count = kept;
}

ebr_error *ebr_claim_runs_find(const ebr_claim *claim, ebr_results *const *files, int count, ebr_claim_runs *runs)
{
  ebr_error *error = NULL;
  *runs = (ebr_claim_runs){0};
  for (int file = 0; file < count; file++)
    for (int role = 0; role < EBR_CLAIM_ROLES; role++)
      if (claim->role[role] != EBR_ARM_NONE) EBR_TRY(search(runs, claim, files[file], role));
  if (runs->count == 0) goto done;
  qsort(runs->run, (size_t)runs->count, sizeof *runs->run, in_order);
  drop_repeated(runs);
done:
  return error;
}

void ebr_claim_runs_release(ebr_claim_runs *runs)
{
  free(runs->run);
  free(runs->group);
  *runs = (ebr_claim_runs){0};
}
