#include <ebrsweep/allocation.h>

#include <math.h>
#include <string.h>

/* Adds a modality that is on the neurons `now` times each, and empties now. */
static void settle(int n, uint32_t *restrict now, uint32_t *restrict before, uint32_t *restrict modalities,
                   ebr_allocated *outcome)
{
  uint32_t pairs = 0, held = 0;
  for (int j = 0; j < n; j++) {
    uint32_t there = now[j] > 0;
    pairs += before[j] * now[j];
    before[j] += now[j];
    modalities[j] += there;
    held += there;
    now[j] = 0;
  }
  outcome->pairs += pairs;
  outcome->occupancy += held;
}

static void redraw(const ebr_allocation *allocation, ebr_stream *stream, int *features)
{
  memset(features, 0, (size_t)allocation->modalities * sizeof *features);
  for (int i = 0; i < allocation->modalities; i++)
    for (int k = 0; k < allocation->features[i]; k++)
      features[ebr_stream_below(stream, (uint32_t)allocation->modalities)]++;
}

/* scratch is zero before and after. */
static void trial(const ebr_allocation *allocation, ebr_stream *stream, uint32_t *scratch, ebr_allocated *outcome)
{
  int n = allocation->neurons, shared = 0;
  uint32_t *now = scratch, *before = scratch + n, *modalities = scratch + 2 * (size_t)n;
  int drawn[EBR_ALLOCATION_MODALITIES_MOST];
  const int *features = allocation->redraws ? drawn : allocation->features;
  *outcome = (ebr_allocated){0};
  if (allocation->redraws) redraw(allocation, stream, drawn);
  for (int i = 0; i < allocation->modalities; i++) {
    for (int k = 0; k < features[i]; k++) now[ebr_stream_below(stream, (uint32_t)n)]++;
    settle(n, now, before, modalities, outcome);
  }
  for (int j = 0; j < n; j++) shared += modalities[j] > 1;
  memset(before, 0, 2 * (size_t)n * sizeof *before);
  outcome->shared = (double)shared / n;
  outcome->occupancy /= (double)n * allocation->modalities;
}

/* Welford, Technometrics 1962. */
static void add(double value, int64_t seen, double *mean, double *squares)
{
  double before = value - *mean;
  *mean += before / (double)seen;
  *squares += before * (value - *mean);
}

void ebr_allocation_sample(const ebr_allocation *allocation, int64_t trials, ebr_stream *stream, uint32_t *scratch,
                           ebr_allocated *mean, ebr_allocated *error)
{
  *mean = *error = (ebr_allocated){0};
  memset(scratch, 0, 3 * (size_t)allocation->neurons * sizeof *scratch);
  for (int64_t k = 1; k <= trials; k++) {
    ebr_allocated outcome;
    trial(allocation, stream, scratch, &outcome);
    add(outcome.pairs, k, &mean->pairs, &error->pairs);
    add(outcome.shared, k, &mean->shared, &error->shared);
    add(outcome.occupancy, k, &mean->occupancy, &error->occupancy);
  }
  double scale = (double)trials * (double)(trials - 1);
  error->pairs = sqrt(error->pairs / scale);
  error->shared = sqrt(error->shared / scale);
  error->occupancy = sqrt(error->occupancy / scale);
}
