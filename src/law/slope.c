/* Within each m runs differ in their seed alone: what is left is not the trivial fall of both with m. */
#include <ebrsweep/law.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_m(const void *left, const void *right)
{
  const ebr_law_pair *a = left, *b = right;
  if (a->m != b->m) return a->m < b->m ? -1 : 1;
  if (a->count != b->count) return a->count < b->count ? -1 : 1;
  return (a->contribution > b->contribution) - (a->contribution < b->contribution);
}

typedef struct sums {
  double xx, xy, yy;
} sums;

/* Adds one m's n runs: x = count / mean - 1, y = contribution - mean. */
static void add_centred(const ebr_law_pair *runs, int64_t n, sums *total)
{
  double count = 0, contribution = 0;
  for (int64_t i = 0; i < n; i++) {
    count += runs[i].count / (double)n;
    contribution += runs[i].contribution / (double)n;
  }
  if (count <= 0) return;
  for (int64_t i = 0; i < n; i++) {
    double x = runs[i].count / count - 1, y = runs[i].contribution - contribution;
    total->xx += x * x;
    total->xy += x * y;
    total->yy += y * y;
  }
}

static sums sum_up(const ebr_law_pair *runs, int64_t count)
{
  sums total = {0, 0, 0};
  for (int64_t first = 0, next; first < count; first = next) {
    for (next = first; next < count && runs[next].m == runs[first].m;) next++;
    add_centred(runs + first, next - first, &total);
  }
  return total;
}

static void resample(const ebr_law_pair *runs, int64_t count, ebr_stream *stream, ebr_law_pair *drawn)
{
  for (int64_t first = 0, next; first < count; first = next) {
    for (next = first; next < count && runs[next].m == runs[first].m;) next++;
    for (int64_t i = first; i < next; i++) drawn[i] = runs[first + ebr_stream_below(stream, (uint32_t)(next - first))];
  }
}

static int ascending(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static double slope_of(sums total) { return total.xx > 0 ? total.xy / total.xx : 0; }

ebr_error *ebr_law_slope_make(const ebr_law_pair *runs, int64_t count, uint64_t key, int resamples,
                              ebr_law_slope *slope)
{
  ebr_error *error = NULL;
  ebr_law_pair *sorted = calloc((size_t)count + 1, sizeof *sorted);
  ebr_law_pair *drawn = calloc((size_t)count + 1, sizeof *drawn);
  double *slopes = malloc((size_t)resamples * sizeof *slopes);
  *slope = (ebr_law_slope){.slope = NAN, .interval = {NAN, NAN}, .correlation = NAN, .runs = count};
  EBR_CHECK(sorted && drawn && slopes, EBR_MEMORY, "no memory for a regression over %lld runs", (long long)count);
  if (count > 0) memcpy(sorted, runs, (size_t)count * sizeof *runs);
  qsort(sorted, (size_t)count, sizeof *sorted, by_m);
  sums total = sum_up(sorted, count);
  if (!(total.xx > 0 && total.yy > 0)) goto done;
  slope->slope = slope_of(total);
  slope->correlation = total.xy / sqrt(total.xx * total.yy);
  for (int index = 0; index < resamples; index++) {
    ebr_stream stream = ebr_stream_start(key, EBR_PURPOSE_BOOTSTRAP, (uint32_t)index);
    resample(sorted, count, &stream, drawn);
    slopes[index] = slope_of(sum_up(drawn, count));
  }
  qsort(slopes, (size_t)resamples, sizeof *slopes, ascending);
  slope->interval[0] = slopes[(int)(0.025 * (resamples - 1))];
  slope->interval[1] = slopes[(int)ceil(0.975 * (resamples - 1))];
done:
  free(sorted);
  free(drawn);
  free(slopes);
  return error;
}
