#include "measure/truth.h"

#include "measure/column.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

/* Keeps the regression solvable where features are copies of each other: their weight is then shared out evenly. */
static const double ridge = 1e-6; /* of a standardised feature's variance */

enum { CHUNK = 128 };

struct ebr_truth {
  const ebr_samples *samples; /* the latest; of the pair's all have the same truth */
  int each, features;         /* of a modality, of all */
  bool found;
  uint64_t pair; /* whose */
  double *mean, *scale; /* (features) over the test set */
  double *inverse;      /* (features x features) of the sums of products of standardised features */
  double *chunk;        /* (CHUNK x features) */
  ebr_arena arena;
};

static void layout(ebr_truth *truth, ebr_arena *arena)
{
  size_t features = (size_t)truth->features;
  truth->mean = ebr_arena_take(arena, features, sizeof(double));
  truth->scale = ebr_arena_take(arena, features, sizeof(double));
  truth->inverse = ebr_arena_take(arena, features * features, sizeof(double));
  truth->chunk = ebr_arena_take(arena, CHUNK * features, sizeof(double));
}

size_t ebr_truth_bytes(int features)
{
  ebr_truth truth = {.features = features};
  ebr_arena arena = ebr_arena_measuring();
  layout(&truth, &arena);
  return arena.used;
}

ebr_error *ebr_truth_create(ebr_truth **truth)
{
  ebr_error *error = NULL;
  *truth = calloc(1, sizeof **truth);
  EBR_CHECK_MEMORY(*truth, "the truth behind a test set");
done:
  return error;
}

void ebr_truth_destroy(ebr_truth **truth)
{
  if (!*truth) return;
  ebr_arena_destroy(&(*truth)->arena);
  free(*truth);
  *truth = NULL;
}

int ebr_truth_features(const ebr_truth *truth) { return truth->features; }

static const float *row_of(const ebr_truth *truth, int modality, int sample)
{
  return truth->samples->truth[modality] + (size_t)truth->samples->test[sample] * (size_t)truth->each;
}

EBR_VECTOR
static void add_values(int count, const float *restrict value, const float *restrict origin, double *restrict sum,
                       double *restrict squares)
{
  for (int k = 0; k < count; k++) {
    double distance = (double)value[k] - (double)origin[k];
    sum[k] += distance;
    squares[k] += distance * distance;
  }
}

/* From the first sample on, so that one pass finds squares of deviations without taking large numbers from each other. */
static void find_scales(ebr_truth *truth)
{
  int count = truth->samples->test_count;
  for (int i = 0; i < truth->samples->modalities; i++) {
    const float *origin = row_of(truth, i, 0);
    double *mean = truth->mean + (size_t)i * (size_t)truth->each, *scale = truth->scale + (size_t)i * (size_t)truth->each;
    for (int b = 0; b < count; b++) add_values(truth->each, row_of(truth, i, b), origin, mean, scale);
    for (int k = 0; k < truth->each; k++) {
      double away = mean[k] / count;
      mean[k] = (double)origin[k] + away;
      scale[k] = ebr_measured_scale(sqrt(fmax(scale[k] / count - away * away, 0)), mean[k]);
    }
  }
}

EBR_VECTOR
static void standardise(int count, const float *restrict value, const double *restrict mean, const double *restrict scale,
                        double *restrict out)
{
  for (int k = 0; k < count; k++) out[k] = ((double)value[k] - mean[k]) * scale[k];
}

void ebr_truth_standardised(const ebr_truth *truth, int start, int count, double *out)
{
  for (int b = 0; b < count; b++)
    for (int i = 0; i < truth->samples->modalities; i++, out += truth->each)
      standardise(truth->each, row_of(truth, i, start + b), truth->mean + (size_t)i * (size_t)truth->each,
                  truth->scale + (size_t)i * (size_t)truth->each, out);
}

static void add_products(ebr_truth *truth)
{
  int features = truth->features, half = features / 2, all = truth->samples->test_count;
  for (int start = 0; start < all; start += CHUNK) {
    int count = all - start < CHUNK ? all - start : CHUNK;
    ebr_truth_standardised(truth, start, count, truth->chunk);
    /* The upper triangle, and a little of the other: OpenBLAS's dsyrk of so few rows takes longer. */
    ebr_add_products(half, features, count, truth->chunk, features, truth->chunk, features, truth->inverse, features);
    ebr_add_products(features - half, features - half, count, truth->chunk + half, features, truth->chunk + half, features,
                     truth->inverse + (size_t)half * (size_t)(features + 1), features);
  }
}

static ebr_error *invert(ebr_truth *truth)
{
  ebr_error *error = NULL;
  size_t features = (size_t)truth->features;
  double *a = truth->inverse;
  for (size_t f = 0; f < features; f++) a[f * features + f] += ridge * truth->samples->test_count;
  EBR_CHECK_INFO(LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', truth->features, a, truth->features), "dpotrf");
  EBR_CHECK_INFO(LAPACKE_dpotri_work(LAPACK_COL_MAJOR, 'L', truth->features, a, truth->features), "dpotri");
  for (size_t f = 0; f < features; f++)
    for (size_t g = 0; g < f; g++) a[f * features + g] = a[g * features + f];
done:
  return error;
}

ebr_error *ebr_truth_find(ebr_truth *truth, const ebr_samples *samples, uint64_t pair)
{
  ebr_error *error = NULL;
  ebr_arena measuring = ebr_arena_measuring();
  truth->samples = samples;
  if (truth->found && truth->pair == pair) goto done;
  ebr_arena_destroy(&truth->arena);
  truth->found = false;
  truth->each = samples->predictive + samples->noise;
  truth->features = samples->modalities * truth->each;
  layout(truth, &measuring);
  EBR_TRY(ebr_arena_create(measuring.used, &truth->arena));
  layout(truth, &truth->arena);
  find_scales(truth);
  add_products(truth);
  EBR_TRY(invert(truth));
  truth->pair = pair;
  truth->found = true;
done:
  return error;
}

void ebr_truth_regress(const ebr_truth *truth, int columns, const double *products, double *weight)
{
  int features = truth->features;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, columns, features, features, 1, products, features,
              truth->inverse, features, 0, weight, features);
}
