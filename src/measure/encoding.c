#include "measure/encoding.h"

#include "measure/column.h"
#include "measure/removal.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

/* Keeps the regression solvable where features are copies of each other: their weight is then shared out evenly. */
static const double ridge = 1e-6; /* of a standardised feature's variance */

static void layout(ebr_encoding *encoding, ebr_arena *arena)
{
  size_t neurons = (size_t)encoding->neurons, features = (size_t)encoding->features;
  encoding->modality = ebr_arena_take(arena, features, sizeof *encoding->modality);
  encoding->predictive = ebr_arena_take(arena, features, sizeof *encoding->predictive);
  encoding->weight = ebr_arena_take(arena, neurons * features, sizeof *encoding->weight);
}

ebr_error *ebr_encoding_create(int neurons, int features, int modalities, ebr_encoding *encoding)
{
  ebr_error *error = NULL;
  ebr_arena measuring = ebr_arena_measuring();
  *encoding = (ebr_encoding){.neurons = neurons, .features = features, .modalities = modalities};
  layout(encoding, &measuring);
  EBR_TRY(ebr_arena_create(measuring.used, &encoding->arena));
  layout(encoding, &encoding->arena);
done:
  return error;
}

void ebr_encoding_destroy(ebr_encoding *encoding)
{
  ebr_arena_destroy(&encoding->arena);
  *encoding = (ebr_encoding){0};
}

bool ebr_encoding_finite(const ebr_encoding *encoding)
{
  for (size_t k = 0; k < (size_t)encoding->neurons * (size_t)encoding->features; k++)
    if (!isfinite(encoding->weight[k])) return false;
  return true;
}

/* A neuron that is not a number comes out of the ReLU as 0, so the activations alone do not tell. */
static void refuse_broken(const ebr_scores *scores, ebr_encoding *encoding)
{
  if (!isfinite(scores->loss)) encoding->weight[0] = NAN;
}

/* ---- regression on the truth ------------------------------------------------------------------------------------- */

typedef struct regression {
  const ebr_samples *samples;
  ebr_encoding_read *read;
  ebr_encoding *encoding; /* weight holds the products of activations and features until they are solved */
  double *mean, *scale;   /* (features) over the test set */
  double *gram;           /* (features x features) */
  double *chunk;          /* (B x features) standardised */
  double *hidden;         /* (B x neurons) what is regressed */
  ebr_arena arena;
} regression;

static void layout_regression(regression *r, ebr_arena *arena, int batch)
{
  size_t features = (size_t)r->encoding->features, neurons = (size_t)r->encoding->neurons;
  r->mean = ebr_arena_take(arena, features, sizeof(double));
  r->scale = ebr_arena_take(arena, features, sizeof(double));
  r->gram = ebr_arena_take(arena, features * features, sizeof(double));
  r->chunk = ebr_arena_take(arena, (size_t)batch * features, sizeof(double));
  r->hidden = ebr_arena_take(arena, (size_t)batch * neurons, sizeof(double));
}

/* Rows that an evaluation hands over at once. */
static int chunk_of(int batch, int test_count) { return batch < test_count ? batch : test_count; }

static double truth_of(const ebr_samples *samples, int row, int feature)
{
  int each = samples->predictive + samples->noise;
  return (double)samples->truth[feature / each][(size_t)row * (size_t)each + (size_t)(feature % each)];
}

static void standardise(regression *r)
{
  const ebr_samples *samples = r->samples;
  for (int f = 0; f < r->encoding->features; f++) {
    double sum = 0, squares = 0;
    for (int b = 0; b < samples->test_count; b++) sum += truth_of(samples, samples->test[b], f);
    r->mean[f] = sum / samples->test_count;
    for (int b = 0; b < samples->test_count; b++) {
      double deviation = truth_of(samples, samples->test[b], f) - r->mean[f];
      squares += deviation * deviation;
    }
    r->scale[f] = ebr_measured_scale(sqrt(squares / samples->test_count), r->mean[f]);
  }
}

/* The features are centred over the whole test set, so that activations need not be. */
static void add_products(void *context, ebr_network *network, int start, int count, const ebr_batch *batch)
{
  regression *r = context;
  int features = r->encoding->features, neurons = r->encoding->neurons;
  for (int b = 0; b < count; b++)
    for (int f = 0; f < features; f++)
      r->chunk[(size_t)b * (size_t)features + (size_t)f] =
          (truth_of(r->samples, r->samples->test[start + b], f) - r->mean[f]) * r->scale[f];
  r->read(network, count, neurons, r->hidden);
  cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, features, count, 1, r->chunk, features, 1, r->gram, features);
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, neurons, features, count, 1, r->hidden, neurons, r->chunk,
              features, 1, r->encoding->weight, features);
  (void)batch;
}

static ebr_error *solve(regression *r)
{
  ebr_error *error = NULL;
  int features = r->encoding->features, count = r->samples->test_count;
  for (int f = 0; f < features; f++) r->gram[(size_t)f * (size_t)features + (size_t)f] += ridge * count;
  if (!ebr_encoding_finite(r->encoding)) goto done;
  /* Row-major upper is column-major lower, and the neurons' rows are the right-hand sides. */
  EBR_CHECK_INFO(LAPACKE_dposv(LAPACK_COL_MAJOR, 'L', features, r->encoding->neurons, r->gram, features,
                               r->encoding->weight, features),
                 "dposv");
done:
  return error;
}

ebr_error *ebr_encoding_regress(const ebr_subject *subject, int columns, ebr_encoding_read *read,
                                ebr_encoding *encoding)
{
  ebr_error *error = NULL;
  ebr_network *network = ebr_trainer_network(subject->trainer);
  const ebr_samples *samples = subject->samples;
  int each = samples->predictive + samples->noise;
  regression r = {.samples = samples, .read = read, .encoding = encoding};
  ebr_arena measuring = ebr_arena_measuring();
  ebr_scores scores;
  EBR_TRY(ebr_encoding_create(columns, samples->modalities * each, samples->modalities, encoding));
  for (int f = 0; f < encoding->features; f++) {
    encoding->modality[f] = f / each;
    encoding->predictive[f] = f % each < samples->predictive;
  }
  int chunk = chunk_of(ebr_network_batch(network), samples->test_count);
  layout_regression(&r, &measuring, chunk);
  EBR_TRY(ebr_arena_create(measuring.used, &r.arena));
  layout_regression(&r, &r.arena, chunk);
  standardise(&r);
  EBR_TRY(ebr_evaluate(network, samples, subject->only, samples->test, samples->test_count, NULL, add_products, &r,
                       &scores));
  refuse_broken(&scores, encoding);
  EBR_TRY(solve(&r));
done:
  ebr_arena_destroy(&r.arena);
  return error;
}

static void read_hidden(ebr_network *network, int count, int columns, double *out)
{
  const ebr_real *hidden = ebr_network_hidden(network);
  for (size_t k = 0; k < (size_t)count * (size_t)columns; k++) out[k] = (double)hidden[k];
}

/* ---- sensitivity to whole modalities ----------------------------------------------------------------------------- */

typedef struct sensitivity {
  ebr_encoding *encoding; /* weight holds sums of squares until the end */
  ebr_real *whole;        /* (B x neurons) */
} sensitivity;

static void add_changes(void *context, ebr_network *network, int slot, const ebr_batch *batch)
{
  sensitivity *s = context;
  size_t neurons = (size_t)s->encoding->neurons, features = (size_t)s->encoding->features;
  const ebr_real *hidden = ebr_network_hidden(network);
  if (slot < 0) {
    memcpy(s->whole, hidden, (size_t)batch->count * neurons * sizeof *hidden);
    return;
  }
  for (size_t b = 0; b < (size_t)batch->count; b++)
    for (size_t j = 0; j < neurons; j++) {
      double change = (double)s->whole[b * neurons + j] - (double)hidden[b * neurons + j];
      s->encoding->weight[j * features + (size_t)slot] += change * change;
    }
}

static ebr_error *by_sensitivity(const ebr_subject *subject, ebr_network *network, ebr_encoding *encoding)
{
  ebr_error *error = NULL;
  int modalities = ebr_network_modalities(network), neurons = ebr_network_width(network);
  size_t cells = (size_t)neurons * (size_t)modalities;
  sensitivity s = {.encoding = encoding};
  ebr_arena arena = {0};
  ebr_scores whole, without[EBR_MODALITIES_MOST];
  EBR_TRY(ebr_encoding_create(neurons, modalities, modalities, encoding));
  EBR_TRY(ebr_arena_create((size_t)ebr_network_batch(network) * (size_t)neurons * sizeof(ebr_real), &arena));
  s.whole = ebr_arena_take(&arena, (size_t)ebr_network_batch(network) * (size_t)neurons, sizeof(ebr_real));
  for (int i = 0; i < modalities; i++) {
    encoding->modality[i] = i;
    encoding->predictive[i] = true;
  }
  EBR_TRY(ebr_removal_pass(subject->trainer, subject->samples, subject->only, 0, modalities, add_changes, &s, &whole,
                           without));
  for (size_t k = 0; k < cells; k++) encoding->weight[k] = sqrt(encoding->weight[k] / subject->samples->test_count);
  refuse_broken(&whole, encoding);
done:
  ebr_arena_destroy(&arena);
  return error;
}

ebr_error *ebr_encoding_take(const ebr_subject *subject, ebr_encoding *encoding)
{
  ebr_network *network = ebr_trainer_network(subject->trainer);
  *encoding = (ebr_encoding){0};
  return subject->samples->truth[0] ? ebr_encoding_regress(subject, ebr_network_width(network), read_hidden, encoding)
                                    : by_sensitivity(subject, network, encoding);
}

size_t ebr_encoding_bytes(int neurons, int features, int chunk, bool truth)
{
  ebr_encoding encoding = {.neurons = neurons, .features = features};
  regression r = {.encoding = &encoding};
  ebr_arena arena = ebr_arena_measuring();
  layout(&encoding, &arena);
  if (truth) layout_regression(&r, &arena, chunk);
  else (void)ebr_arena_take(&arena, (size_t)chunk * (size_t)neurons, sizeof(ebr_real));
  return arena.used;
}
