#include <ebrsweep/law.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static double mean_of(const double *values, int count)
{
  double sum = 0;
  for (int i = 0; i < count; i++) sum += values[i];
  return sum / count;
}

static double deviation_of(const double *values, int count, double mean)
{
  double sum = 0;
  for (int i = 0; i < count; i++) sum += (values[i] - mean) * (values[i] - mean);
  return sqrt(sum / (count - 1));
}

static ebr_error *bootstrap(const double *sorted, int count, uint64_t key, int resamples, double interval[2])
{
  ebr_error *error = NULL;
  double *means = malloc((size_t)resamples * sizeof *means);
  EBR_CHECK(means, EBR_MEMORY, "no memory for %d resamples", resamples);
  for (int index = 0; index < resamples; index++) {
    ebr_stream stream = ebr_stream_start(key, EBR_PURPOSE_BOOTSTRAP, (uint32_t)index);
    double sum = 0;
    for (int i = 0; i < count; i++) sum += sorted[ebr_stream_below(&stream, (uint32_t)count)];
    means[index] = sum / count;
  }
  qsort(means, (size_t)resamples, sizeof *means, ascending);
  interval[0] = means[(int)(0.025 * (resamples - 1))];
  interval[1] = means[(int)ceil(0.975 * (resamples - 1))];
done:
  free(means);
  return error;
}

ebr_error *ebr_comparison_make(const double *differences, int count, uint64_t key, int resamples,
                               ebr_comparison *comparison)
{
  ebr_error *error = NULL;
  double *sorted = malloc(((size_t)count + 1) * sizeof *sorted);
  *comparison = (ebr_comparison){count, NAN, {NAN, NAN}, NAN, 1, 1};
  EBR_CHECK(sorted, EBR_MEMORY, "no memory for %d differences", count);
  if (count == 0) goto done;
  memcpy(sorted, differences, (size_t)count * sizeof *sorted);
  qsort(sorted, (size_t)count, sizeof *sorted, ascending);
  comparison->effect = mean_of(sorted, count);
  if (count < 2) goto done;
  comparison->standardised = comparison->effect / deviation_of(sorted, count, comparison->effect);
  EBR_TRY(ebr_wilcoxon(sorted, count, &comparison->p));
  comparison->adjusted = comparison->p;
  EBR_TRY(bootstrap(sorted, count, key, resamples, comparison->interval));
done:
  free(sorted);
  return error;
}

static int by_p(const void *left, const void *right)
{
  const ebr_comparison *a = *(ebr_comparison *const *)left, *b = *(ebr_comparison *const *)right;
  return (a->p > b->p) - (a->p < b->p);
}

ebr_error *ebr_comparisons_correct(ebr_comparison *const *comparisons, int count)
{
  ebr_error *error = NULL;
  ebr_comparison **sorted = malloc(((size_t)count + 1) * sizeof(ebr_comparison *));
  int made = 0;
  double least = 0;
  EBR_CHECK(sorted, EBR_MEMORY, "no memory for %d comparisons", count);
  for (int i = 0; i < count; i++)
    if (comparisons[i]->seeds > 0) sorted[made++] = comparisons[i];
  qsort(sorted, (size_t)made, sizeof(ebr_comparison *), by_p);
  for (int i = 0; i < made; i++) {
    least = fmax(least, fmin(1, sorted[i]->p * (made - i)));
    sorted[i]->adjusted = least;
  }
done:
  free(sorted);
  return error;
}
