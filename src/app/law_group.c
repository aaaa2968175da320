#include "app/law_group.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "colliding_pairs.";

bool ebr_law_is_allocation(const char *measure) { return strncmp(measure, "allocation.", 11) == 0; }

/* ---- columns ----------------------------------------------------------------------------------------------------- */

/* The middle one of the thresholds of the first kind at which name ("colliding_pairs.") was measured. */
static const char *middle_of(const ebr_results *results, const char *quantity)
{
  int found[64], count = 0;
  size_t kind = 0, length = strlen(quantity); /* kind: length of "colliding_pairs.relative." */
  for (int i = 0; i < ebr_results_column_count(results) && count < 64; i++) {
    const char *name = ebr_results_column_name(results, i);
    if (strncmp(name, quantity, length) != 0) continue;
    if (count == 0) kind = length + 1 + strcspn(name + length, ".");
    if (count > 0 && strncmp(name, ebr_results_column_name(results, found[0]), kind) != 0) continue;
    found[count++] = i;
  }
  return count ? ebr_results_column_name(results, found[(count - 1) / 2]) : NULL;
}

static ebr_error *choose_measure(const ebr_results *results, const char *wanted, const char **measure)
{
  ebr_error *error = NULL;
  char quantity[80];
  snprintf(quantity, sizeof quantity, "%s.", wanted ? wanted : "colliding_pairs");
  *measure = wanted && ebr_results_column_find(results, wanted) >= 0 ? wanted : middle_of(results, quantity);
  if (!*measure) *measure = wanted;
  if (!*measure && ebr_results_column_find(results, "allocation.pairs") >= 0) *measure = "allocation.pairs";
  EBR_CHECK(*measure, EBR_RESULTS, "there is no column %s*: the sweep did not measure collisions", prefix);
  int column = ebr_results_column_find(results, *measure);
  const char *nearest = column < 0 ? ebr_filter_nearest(results, *measure) : NULL;
  EBR_CHECK(column >= 0, EBR_USAGE, "--measure: there is no column '%s'%s%s%s", *measure,
            nearest ? ", did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
  EBR_CHECK(!ebr_results_column_is_text(results, column), EBR_USAGE, "--measure: '%s' is text and counts nothing",
            *measure);
done:
  return error;
}

static ebr_error *usual_groupers(ebr_selection *by)
{
  ebr_error *error = NULL;
  for (int i = 0; i < ebr_results_column_count(by->results); i++) {
    const char *name = ebr_results_column_name(by->results, i);
    if (!ebr_results_column_is_axis(by->results, i)) continue;
    if (strcmp(name, "data.modalities") == 0 || strcmp(name, "seed") == 0) continue;
    EBR_TRY(ebr_selection_add(by, "--by", name));
  }
done:
  return error;
}

/* ---- runs -------------------------------------------------------------------------------------------------------- */

static double number(const ebr_results *results, int64_t run, const char *name)
{
  int column = ebr_results_column_find(results, name);
  return column < 0 ? NAN : ebr_results_number(results, run, column);
}

/* What random allocation expects, exactly, of the columns that hold draws of it. */
static ebr_error *expected_of(ebr_results *results, int64_t run, const char *measure, double *value)
{
  ebr_error *error = NULL;
  ebr_config config;
  ebr_allocated expected;
  int features = ebr_results_column_find(results, "allocation.features");
  ebr_config_defaults(&config);
  config.data_predictive = (int64_t)number(results, run, "data.predictive");
  if (features >= 0)
    EBR_TRY(
        ebr_config_set(&config, ebr_parameter_find("allocation.features"), ebr_results_cell(results, run, features)));
  ebr_allocation allocation = {.modalities = (int)number(results, run, "data.modalities"),
                               .neurons = (int)number(results, run, "model.width")};
  for (int i = 0; i < allocation.modalities; i++)
    allocation.features[i] = ebr_config_allocated(&config, i, allocation.modalities);
  ebr_allocation_expected(&allocation, &expected);
  *value = strcmp(measure, "allocation.pairs") == 0       ? expected.pairs
           : strcmp(measure, "allocation.shared") == 0    ? expected.shared
           : strcmp(measure, "allocation.occupancy") == 0 ? expected.occupancy
                                                          : NAN;
done:
  return error;
}

/* The occupancy beside a count of the same way, kind and threshold: "influence." + occupancy + "relative.0.1". */
static double occupancy_beside(const ebr_results *results, int64_t run, const char *measure, const char *count,
                               const char *occupancy)
{
  char name[96];
  const char *at = strstr(measure, count);
  snprintf(name, sizeof name, "%.*s%s%s", (int)(at - measure), measure, occupancy, at + strlen(count));
  return number(results, run, name);
}

/* Each feature is on a neuron with the chance that was measured, independently: n k^2 q^2 for each pair of modalities,
 * 2 n k k' q q' with k' noise features. */
static double null_pairs(const ebr_results *results, int64_t run, const char *measure)
{
  static const char noisy[] = "predictive_noise_pairs.";
  double m = number(results, run, "data.modalities"), k = number(results, run, "data.predictive");
  double pairs = number(results, run, "model.width") * k * m * (m - 1) / 2;
  if (strstr(measure, prefix)) {
    double q = occupancy_beside(results, run, measure, prefix, "feature_occupancy.");
    return pairs * k * q * q;
  }
  if (!strstr(measure, noisy)) return NAN;
  return 2 * pairs * number(results, run, "data.noise") *
         occupancy_beside(results, run, measure, noisy, "feature_occupancy.") *
         occupancy_beside(results, run, measure, noisy, "noise_occupancy.");
}

static ebr_error *null_of(ebr_results *results, int64_t run, const char *measure, double *value)
{
  if (ebr_law_is_allocation(measure)) return expected_of(results, run, measure, value);
  *value = null_pairs(results, run, measure);
  return NULL;
}

/* Mean over the run's modalities; NaN if it was not measured. */
static double contribution(const ebr_results *results, int64_t run, double m)
{
  double sum = 0;
  char name[32];
  for (int k = 0; k < m; k++) {
    snprintf(name, sizeof name, "contribution.%d", k);
    sum += number(results, run, name);
  }
  return sum / m;
}

static ebr_error *find_group(ebr_law_groups *groups, int64_t run, ebr_law_group **group)
{
  ebr_error *error = NULL;
  uint64_t hash = 0;
  for (int i = 0; i < groups->by.columns; i++) {
    const char *cell = ebr_results_cell(groups->by.results, run, groups->by.column[i]);
    hash = ebr_hash(cell, strlen(cell) + 1, hash);
  }
  *group = NULL;
  for (int i = 0; i < groups->count && !*group; i++)
    if (groups->group[i].hash == hash) *group = &groups->group[i];
  if (*group) goto done;
  ebr_law_group *grown = realloc(groups->group, (size_t)(groups->count + 1) * sizeof *grown);
  EBR_CHECK_MEMORY(grown, "groups of runs");
  groups->group = grown;
  *group = &grown[groups->count++];
  **group = (ebr_law_group){.hash = hash, .run = run};
done:
  return error;
}

static ebr_error *add_run(ebr_law_groups *groups, int64_t run)
{
  ebr_error *error = NULL;
  ebr_results *results = groups->by.results;
  ebr_law_group *group;
  char name[96];
  EBR_TRY(find_group(groups, run, &group));
  if (group->count % 64 == 0) {
    size_t room = (size_t)group->count + 64;
    ebr_law_run *trained = realloc(group->trained, room * sizeof *trained);
    if (trained) group->trained = trained;
    ebr_law_run *untrained = realloc(group->untrained, room * sizeof *untrained);
    if (untrained) group->untrained = untrained;
    double *null = realloc(group->null, room * sizeof *null);
    if (null) group->null = null;
    double *stated = realloc(group->stated, room * sizeof *stated);
    if (stated) group->stated = stated;
    ebr_law_pair *pair = realloc(group->pair, room * sizeof *pair);
    if (pair) group->pair = pair;
    EBR_CHECK(trained && untrained && null && stated && pair, EBR_MEMORY, "no memory for the counts of %zu runs", room);
  }
  double m = number(results, run, "data.modalities");
  snprintf(name, sizeof name, "initial.%s", groups->measure);
  group->trained[group->count] = (ebr_law_run){m, number(results, run, groups->measure)};
  group->untrained[group->count] = (ebr_law_run){m, number(results, run, name)};
  ebr_law_pair pair = {m, group->trained[group->count].count, contribution(results, run, m)};
  if (isfinite(pair.contribution)) group->pair[group->pairs++] = pair;
  snprintf(name, sizeof name, "%s.standard_error", groups->measure);
  group->stated[group->count] = number(results, run, name);
  EBR_TRY(null_of(results, run, groups->measure, &group->null[group->count]));
  group->count++;
done:
  return error;
}

ebr_error *ebr_law_groups_collect(ebr_results *results, const char *where, const char *by, const char *measure,
                                  ebr_law_groups *groups)
{
  ebr_error *error = NULL;
  ebr_row row;
  *groups = (ebr_law_groups){.by = {.results = results}};
  EBR_TRY(choose_measure(results, measure, &groups->measure));
  EBR_TRY(ebr_selection_filter(&groups->by, where));
  if (by) EBR_TRY(ebr_selection_add(&groups->by, "--by", by));
  else EBR_TRY(usual_groupers(&groups->by));
  for (int64_t k = 0; k < groups->by.runs; k++) {
    int64_t run = groups->by.run[k];
    ebr_results_row(results, run, &row);
    bool counted = row.status == EBR_STATUS_DONE && isfinite(number(results, run, groups->measure));
    groups->left_out += !counted && row.status != EBR_STATUS_REMOVED;
    if (counted && number(results, run, "data.modalities") >= 2) EBR_TRY(add_run(groups, run));
  }
  EBR_CHECK(groups->count > 0, EBR_RESULTS, "no run is done that has two modalities or more and %s", groups->measure);
done:
  return error;
}

bool ebr_law_groups_differ(const ebr_law_groups *groups, int column)
{
  char first[64];
  snprintf(first, sizeof first, "%s", ebr_results_cell(groups->by.results, groups->group[0].run, column));
  for (int i = 1; i < groups->count; i++)
    if (strncmp(first, ebr_results_cell(groups->by.results, groups->group[i].run, column), sizeof first - 1) != 0)
      return true;
  return false;
}

void ebr_law_groups_release(ebr_law_groups *groups)
{
  for (int i = 0; i < groups->count; i++) {
    free(groups->group[i].trained);
    free(groups->group[i].untrained);
    free(groups->group[i].null);
    free(groups->group[i].stated);
    free(groups->group[i].pair);
  }
  free(groups->group);
  ebr_selection_release(&groups->by);
  *groups = (ebr_law_groups){0};
}

/* ---- studies ----------------------------------------------------------------------------------------------------- */

static void compare_with_null(ebr_law_group *group)
{
  for (int k = 0; k < group->study.points; k++) {
    double expected = 0;
    for (int64_t i = 0; i < group->count; i++)
      if (group->trained[i].m == group->study.point[k].m) expected += group->null[i] / group->study.seeds[k];
    group->ratio[k] = group->study.point[k].mean / expected;
  }
}

/* The mean over runs has the errors that the runs state of themselves. What cannot vary may be off by rounding. */
static void compare_with_exact(ebr_law_group *group)
{
  group->worst = 0;
  for (int k = 0; k < group->study.points; k++) {
    double off = 0, squares = 0, n = group->study.seeds[k];
    for (int64_t i = 0; i < group->count; i++) {
      if (group->trained[i].m != group->study.point[k].m) continue;
      off += (group->trained[i].count - group->null[i]) / n;
      squares += pow(group->stated[i] / n, 2);
    }
    bool rounding = fabs(off) <= 1e-9 * fabs(group->study.point[k].mean);
    group->deviation[k] = rounding ? 0 : off / sqrt(squares);
    group->worst = fmax(group->worst, fabs(group->deviation[k]));
  }
}

static bool measured_before(const ebr_law_group *group)
{
  for (int64_t i = 0; i < group->count; i++)
    if (!isfinite(group->untrained[i].count)) return false;
  return true;
}

ebr_error *ebr_law_groups_study(MPI_Comm comm, int resamples, ebr_law_groups *groups)
{
  ebr_error *error = NULL;
  for (int i = 0; i < groups->count; i++) {
    ebr_law_group *group = &groups->group[i];
    EBR_TRY(ebr_law_study_make(comm, group->trained, group->count, group->hash, resamples, &group->study));
    if (measured_before(group))
      EBR_TRY(ebr_law_study_make(comm, group->untrained, group->count, group->hash, resamples, &group->start));
    EBR_TRY(ebr_agree(comm, ebr_law_slope_make(group->pair, group->pairs, group->hash, resamples, &group->slope)));
    compare_with_null(group);
    if (ebr_law_is_allocation(groups->measure)) compare_with_exact(group);
  }
done:
  return error;
}
