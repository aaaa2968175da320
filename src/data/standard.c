/* Mean and scale of each feature over the training samples that have the modality; test samples have no part in it. */
#include "data/samples.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

typedef struct moments {
  double *sum, *squares; /* (d) */
  float *least, *most;   /* (d) */
} moments;

static const float *row_at(const ebr_samples *samples, int modality, int position)
{
  size_t row = (size_t)samples->train[position];
  if (samples->present && !samples->present[row * (size_t)samples->modalities + (size_t)modality]) return NULL;
  return samples->x[modality] + row * (size_t)samples->inputs[modality];
}

static int sum_rows(const ebr_samples *samples, int modality, moments *m)
{
  int count = 0, d = samples->inputs[modality];
  for (int c = 0; c < d; c++) {
    m->sum[c] = m->squares[c] = 0;
    m->least[c] = FLT_MAX;
    m->most[c] = -FLT_MAX;
  }
  for (int t = 0; t < samples->train_count; t++) {
    const float *row = row_at(samples, modality, t);
    if (!row) continue;
    for (int c = 0; c < d; c++) {
      m->sum[c] += row[c];
      m->least[c] = row[c] < m->least[c] ? row[c] : m->least[c];
      m->most[c] = row[c] > m->most[c] ? row[c] : m->most[c];
    }
    count++;
  }
  return count;
}

static void sum_squares(const ebr_samples *samples, int modality, double count, moments *m)
{
  for (int t = 0; t < samples->train_count; t++) {
    const float *row = row_at(samples, modality, t);
    if (!row) continue;
    for (int c = 0; c < samples->inputs[modality]; c++) {
      double off = row[c] - m->sum[c] / count;
      m->squares[c] += off * off;
    }
  }
}

static void standard_of(const ebr_samples *samples, int modality, moments *m, float *mean, float *scale)
{
  int count = sum_rows(samples, modality, m);
  if (count == 0) return; /* a modality that training never sees tells nothing at test either: scale stays 0 */
  sum_squares(samples, modality, count, m);
  for (int c = 0; c < samples->inputs[modality]; c++) {
    double inverse = 1 / sqrt(m->squares[c] / count);
    bool varies = m->least[c] < m->most[c] && inverse <= (double)FLT_MAX;
    mean[c] = (float)(m->sum[c] / count);
    scale[c] = varies ? (float)inverse : 0;
  }
}

ebr_error *ebr_standard_fill(const ebr_samples *samples, ebr_storage *storage)
{
  ebr_error *error = NULL;
  int most = 1;
  for (int i = 0; i < samples->modalities; i++) most = samples->inputs[i] > most ? samples->inputs[i] : most;
  double *sums = malloc(2 * (size_t)most * sizeof *sums);
  float *bounds = malloc(2 * (size_t)most * sizeof *bounds);
  EBR_CHECK(sums && bounds, EBR_MEMORY, "no memory for the moments of %d features", most);
  moments m = {.sum = sums, .squares = sums + most, .least = bounds, .most = bounds + most};
  for (int i = 0; i < samples->modalities; i++)
    standard_of(samples, i, &m, storage->mean[i], storage->scale[i]);
done:
  free(sums);
  free(bounds);
  return error;
}
