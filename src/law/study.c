#include "law/project.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs sorted by m, and where each m begins. */
typedef struct table {
  ebr_law_run *runs;
  int first[EBR_LAW_MODALITIES_MOST + 1];
} table;

static int by_m_and_count(const void *left, const void *right)
{
  const ebr_law_run *a = left, *b = right;
  if (a->m != b->m) return a->m < b->m ? -1 : 1;
  return (a->count > b->count) - (a->count < b->count);
}

/* ---- points ------------------------------------------------------------------------------------------------------ */

static ebr_error *sort_runs(const ebr_law_run *runs, int64_t count, table *t, ebr_law_study *study)
{
  ebr_error *error = NULL;
  t->runs = malloc(((size_t)count + 1) * sizeof *t->runs);
  EBR_CHECK_MEMORY(t->runs, "the counts of a group");
  memcpy(t->runs, runs, (size_t)count * sizeof *runs);
  qsort(t->runs, (size_t)count, sizeof *runs, by_m_and_count);
  for (int64_t k = 0; k < count; k++) {
    EBR_CHECK(isfinite(t->runs[k].count) && t->runs[k].m >= 2, EBR_RESULTS, "a count of %g at m = %g", t->runs[k].count,
              t->runs[k].m);
    if (k > 0 && t->runs[k].m == t->runs[k - 1].m) continue;
    EBR_CHECK(study->points < EBR_LAW_MODALITIES_MOST, EBR_RESULTS, "more than %d numbers of modalities",
              EBR_LAW_MODALITIES_MOST);
    study->point[study->points].m = t->runs[k].m;
    t->first[study->points++] = (int)k;
  }
  t->first[study->points] = (int)count;
  for (int k = 0; k < study->points; k++) study->seeds[k] = t->first[k + 1] - t->first[k];
done:
  return error;
}

static void average(const table *t, ebr_law_study *study)
{
  for (int k = 0; k < study->points; k++) {
    double sum = 0, squares = 0, n = study->seeds[k];
    for (int i = t->first[k]; i < t->first[k + 1]; i++) sum += t->runs[i].count;
    for (int i = t->first[k]; i < t->first[k + 1]; i++) squares += pow(t->runs[i].count - sum / n, 2);
    study->point[k].mean = sum / n;
    study->point[k].error = n > 1 ? sqrt(squares / (n - 1) / n) : 0;
  }
  for (int k = 0; k + 1 < study->points; k++) {
    const ebr_law_point *a = &study->point[k], *b = &study->point[k + 1];
    study->local_gamma[k] = log(b->mean / a->mean) / log(b->m * (b->m - 1) / (a->m * (a->m - 1)));
  }
}

static int fewest_seeds(const ebr_law_study *study)
{
  int fewest = study->seeds[0];
  for (int k = 1; k < study->points; k++) fewest = study->seeds[k] < fewest ? study->seeds[k] : fewest;
  return fewest;
}

/* Why nothing can be said, or "". */
static void find_obstacle(ebr_law_study *study)
{
  double top = 0;
  for (int k = 0; k < study->points; k++) top = fmax(top, study->point[k].mean);
  if (study->points < 3)
    snprintf(study->words, sizeof study->words,
             "cannot tell: %d number%s of modalities; at least three are needed, better seven", study->points,
             study->points == 1 ? "" : "s");
  else if (fewest_seeds(study) < 2)
    snprintf(study->words, sizeof study->words,
             "cannot tell: one seed at some m; at least two are needed for an interval, better twenty");
  else if (top <= 0)
    snprintf(study->words, sizeof study->words, "cannot tell: no collisions at any m: the threshold is too high");
}

/* ---- fits -------------------------------------------------------------------------------------------------------- */

/* Of forms whose AICc is within 2 of the least, which data do not tell apart, the one of fewest parameters. */
static ebr_form simplest(const ebr_law_study *study, double least)
{
  int best = -1;
  for (int form = 0; form < EBR_FORMS; form++) {
    if (!(study->fit[form].aicc <= least + 2)) continue;
    int fewer = best < 0 ? -1 : ebr_form_parameters((ebr_form)form) - ebr_form_parameters((ebr_form)best);
    if (fewer < 0 || (fewer == 0 && study->fit[form].aicc < study->fit[best].aicc)) best = form;
  }
  return best < 0 ? EBR_FORM_QUADRATIC : (ebr_form)best;
}

/* Burnham & Anderson, Model Selection and Multimodel Inference, 2002, Sections 2.6 and 2.9. */
static void weigh(ebr_law_study *study)
{
  double least = INFINITY, sum = 0;
  for (int form = 0; form < EBR_FORMS; form++) least = fmin(least, study->fit[form].aicc);
  study->best = simplest(study, least);
  for (int form = 0; form < EBR_FORMS; form++) {
    study->weight[form] = isfinite(least) ? exp((least - study->fit[form].aicc) / 2) : 1;
    sum += study->weight[form];
  }
  for (int form = 0; form < EBR_FORMS; form++) study->weight[form] /= sum;
}

static ebr_error *fit_all(ebr_fitter *fitter, const ebr_law_point *points, ebr_law_fit *fits)
{
  ebr_error *error = NULL;
  for (int form = 0; form < EBR_FORMS; form++) EBR_TRY(ebr_fitter_fit(fitter, (ebr_form)form, points, &fits[form]));
done:
  return error;
}

/* In standard errors. */
static void find_residuals(ebr_law_study *study)
{
  double top = 0;
  for (int k = 0; k < study->points; k++) top = fmax(top, study->point[k].mean);
  for (int form = 0; form < EBR_FORMS; form++)
    for (int k = 0; k < study->points; k++) {
      const ebr_law_point *point = &study->point[k];
      double fitted = ebr_form_value((ebr_form)form, point->m, study->fit[form].parameters);
      study->residual[form][k] = (point->mean - fitted) / ebr_law_error_of(point, top);
    }
}

/* The alpha of c m^alpha for counts that are exactly quadratic, known as well as these are. */
static void find_quadratic_alpha(ebr_law_study *study)
{
  ebr_law_point exact[EBR_LAW_MODALITIES_MOST];
  double parameters[EBR_FORM_PARAMETERS_MOST];
  for (int k = 0; k < study->points; k++) {
    const ebr_law_point *point = &study->point[k];
    double value = ebr_form_value(EBR_FORM_QUADRATIC, point->m, (double[]){1, 0});
    exact[k] = (ebr_law_point){point->m, value, point->mean > 0 ? value * point->error / point->mean : 0};
  }
  ebr_law_project(EBR_FORM_POWER, exact, study->points, 2, parameters);
  study->quadratic_alpha = parameters[1];
}

/* ---- intervals --------------------------------------------------------------------------------------------------- */

enum { VALUES = EBR_FORMS * EBR_FORM_PARAMETERS_MOST };

/* Seeds are drawn anew within each m; a resample without any collision keeps the means as they are. */
static void resample(const table *t, const ebr_law_study *study, uint64_t key, int index, ebr_law_point *points)
{
  ebr_stream stream = ebr_stream_start(key, EBR_PURPOSE_BOOTSTRAP, (uint32_t)index);
  double top = 0;
  for (int k = 0; k < study->points; k++) {
    double sum = 0;
    for (int i = 0; i < study->seeds[k]; i++)
      sum += t->runs[t->first[k] + (int)ebr_stream_below(&stream, (uint32_t)study->seeds[k])].count;
    points[k] = study->point[k];
    points[k].mean = sum / study->seeds[k];
    top = fmax(top, points[k].mean);
  }
  if (top <= 0) memcpy(points, study->point, (size_t)study->points * sizeof *points);
}

/* values: (resamples x VALUES); every rank fills its rows of zeros, so that the sum over ranks is exact. */
/* From the fits of all seeds downhill: what a resample finds depends on nothing that this rank did before. */
static ebr_error *resample_mine(MPI_Comm comm, const table *t, const ebr_law_study *study, uint64_t key, int resamples,
                                double *values)
{
  ebr_error *error = NULL;
  int rank = 0, ranks = 1;
  EBR_TRY_MPI(MPI_Comm_rank(comm, &rank));
  EBR_TRY_MPI(MPI_Comm_size(comm, &ranks));
  for (int index = rank; index < resamples; index += ranks) {
    ebr_law_point points[EBR_LAW_MODALITIES_MOST];
    resample(t, study, key, index, points);
    for (int form = 0; form < EBR_FORMS; form++)
      ebr_law_project((ebr_form)form, points, study->points, study->fit[form].parameters[1],
                      values + (size_t)index * VALUES + (size_t)form * EBR_FORM_PARAMETERS_MOST);
  }
done:
  return error;
}

static int ascending(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* Resampling n seeds shows a spread that is too small by sqrt((n - 1) / n), and as if it were known: Student's t for
 * the normal. Quantile by Cornish & Fisher's expansion, Abramowitz & Stegun 26.7.5. */
static double small_sample_factor(int n)
{
  const double z = 1.959963984540054;
  double v = n - 1, t = z + (pow(z, 3) + z) / (4 * v) + (5 * pow(z, 5) + 16 * pow(z, 3) + 3 * z) / (96 * v * v);
  return t / z * sqrt(n / v);
}

static void keep_within(ebr_form form, int parameter, double *interval)
{
  const ebr_form_row *row = ebr_form_row_of(form);
  double least = parameter ? row->least : 0, most = parameter ? row->most : INFINITY;
  interval[0] = fmax(interval[0], least);
  interval[1] = fmin(interval[1], most);
}

static void find_intervals(double *column, int resamples, const double *values, ebr_law_study *study)
{
  double factor = small_sample_factor(fewest_seeds(study));
  for (int value = 0; value < VALUES; value++) {
    int form = value / EBR_FORM_PARAMETERS_MOST, parameter = value % EBR_FORM_PARAMETERS_MOST;
    double estimate = study->fit[form].parameters[parameter], *interval = study->interval[form][parameter];
    for (int index = 0; index < resamples; index++) column[index] = values[(size_t)index * VALUES + (size_t)value];
    qsort(column, (size_t)resamples, sizeof *column, ascending);
    interval[0] = estimate + factor * (column[(int)(0.025 * (resamples - 1))] - estimate);
    interval[1] = estimate + factor * (column[(int)ceil(0.975 * (resamples - 1))] - estimate);
    keep_within((ebr_form)form, parameter, interval);
  }
}

static ebr_error *bootstrap(MPI_Comm comm, const table *t, uint64_t key, int resamples, ebr_law_study *study)
{
  ebr_error *error = NULL;
  ebr_arena arena = {0};
  size_t cells = (size_t)resamples * VALUES;
  EBR_TRY(ebr_agree(comm, ebr_arena_create((cells + (size_t)resamples + 16) * sizeof(double), &arena)));
  double *values = ebr_arena_take(&arena, cells, sizeof *values);
  double *column = ebr_arena_take(&arena, (size_t)resamples, sizeof *column);
  EBR_TRY(ebr_agree(comm, resample_mine(comm, t, study, key, resamples, values)));
  EBR_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, values, (int)cells, MPI_DOUBLE, MPI_SUM, comm));
  find_intervals(column, resamples, values, study);
done:
  ebr_arena_destroy(&arena);
  return error;
}

/* ---- verdict ----------------------------------------------------------------------------------------------------- */

/* The claim is gamma = 1. A gamma within a tenth of it is as good as the claim; an interval that lies outside refutes
 * it; one that reaches from there to elsewhere leaves it open. */
static ebr_verdict reading(const double *interval, double claim, double margin)
{
  if (interval[0] >= claim - margin && interval[1] <= claim + margin) return EBR_VERDICT_SUPPORTED;
  if (interval[0] > claim || interval[1] < claim) return EBR_VERDICT_REFUTED;
  return EBR_VERDICT_CANNOT_TELL;
}

static void judge(ebr_law_study *study)
{
  const double margin = 0.1, *interval = study->interval[EBR_FORM_PAIRS_POWER][1];
  double gamma = study->fit[EBR_FORM_PAIRS_POWER].parameters[1], half = (interval[1] - interval[0]) / 2;
  bool bottom = gamma <= ebr_form_row_of(EBR_FORM_PAIRS_POWER)->least;
  char head[192];
  snprintf(head, sizeof head, "gamma = %.3f, 95 %% interval [%.3f, %.3f] (quadratic: 1)%s", gamma, interval[0],
           interval[1], bottom ? ", the least that a fit may find: counts do not grow with m at all" : "");
  study->verdict = reading(interval, 1, margin);
  study->alpha_verdict = reading(study->interval[EBR_FORM_POWER][1], 2, 2 * margin);
  if (study->verdict == EBR_VERDICT_SUPPORTED) {
    snprintf(study->words, sizeof study->words, "supported: collisions grow quadratically; %s%s", head,
             interval[0] > 1 || interval[1] < 1 ? ", off by less than a tenth, though not by chance" : "");
  } else if (study->verdict == EBR_VERDICT_REFUTED) {
    snprintf(study->words, sizeof study->words, "refuted: collisions grow %s than quadratically; %s, off by %+.3f",
             gamma > 1 ? "faster" : "slower", head, gamma - 1);
  } else {
    double more = pow(half / margin, 2);
    snprintf(study->words, sizeof study->words,
             "cannot tell: %s; about %.0f seeds at each m instead of %d would narrow it to +- %g", head,
             ceil(fmax(more, 1.1) * fewest_seeds(study)), fewest_seeds(study), margin);
  }
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

ebr_error *ebr_law_study_make(MPI_Comm comm, const ebr_law_run *runs, int64_t count, uint64_t key, int resamples,
                              ebr_law_study *study)
{
  ebr_error *error = NULL;
  ebr_fitter *fitter = NULL;
  table t = {0};
  *study = (ebr_law_study){.verdict = EBR_VERDICT_CANNOT_TELL};
  EBR_TRY(ebr_agree(comm, sort_runs(runs, count, &t, study)));
  average(&t, study);
  find_obstacle(study);
  if (study->words[0]) goto done;
  EBR_TRY(ebr_agree(comm, ebr_fitter_create(study->points, &fitter)));
  EBR_TRY(ebr_agree(comm, fit_all(fitter, study->point, study->fit)));
  weigh(study);
  find_residuals(study);
  find_quadratic_alpha(study);
  EBR_TRY(bootstrap(comm, &t, key, resamples, study));
  judge(study);
done:
  ebr_fitter_destroy(&fitter);
  free(t.runs);
  return error;
}
