#include "measure/encoding.h"

#include "measure/bidiagonal.h"
#include "measure/column.h"
#include "measure/removal.h"
#include "measure/truth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
  return ebr_all_finite(encoding->weight, (size_t)encoding->neurons * (size_t)encoding->features);
}

/* A neuron that is not a number comes out of the ReLU as 0, so the activations alone do not tell. */
static void refuse_broken(const ebr_scores *scores, ebr_encoding *encoding)
{
  if (!isfinite(scores->loss)) encoding->weight[0] = NAN;
}

/* ---- regression on the truth ------------------------------------------------------------------------------------- */

struct ebr_regression {
  ebr_truth *truth, *own; /* own: where the subject has none */
  ebr_encoding_read *read;
  ebr_encoding encoding;
  double *products; /* (columns x features) of what is regressed and features, summed */
  double *chunk;    /* (B x features) standardised */
  double *hidden;   /* (B x columns) what is regressed */
  ebr_arena arena;
};

static void layout_regression(ebr_regression *r, ebr_arena *arena, int batch)
{
  size_t features = (size_t)r->encoding.features, columns = (size_t)r->encoding.neurons;
  r->products = ebr_arena_take(arena, columns * features, sizeof(double));
  r->chunk = ebr_arena_take(arena, (size_t)batch * features, sizeof(double));
  r->hidden = ebr_arena_take(arena, (size_t)batch * columns, sizeof(double));
}

/* Rows that an evaluation hands over at once. */
static int chunk_of(int batch, int test_count) { return batch < test_count ? batch : test_count; }

ebr_error *ebr_regression_create(const ebr_subject *subject, int columns, ebr_encoding_read *read, ebr_regression **out)
{
  ebr_error *error = NULL;
  const ebr_samples *samples = subject->samples;
  int each = samples->predictive + samples->noise;
  int batch = chunk_of(ebr_network_batch(ebr_trainer_network(subject->trainer)), samples->test_count);
  ebr_arena measuring = ebr_arena_measuring();
  ebr_regression *r = calloc(1, sizeof *r);
  EBR_CHECK_MEMORY(r, "a regression");
  r->read = read;
  if (!subject->truth) EBR_TRY(ebr_truth_create(&r->own));
  r->truth = subject->truth ? subject->truth : r->own;
  EBR_TRY(ebr_truth_find(r->truth, samples, ebr_config_pair(subject->config)));
  EBR_TRY(ebr_encoding_create(columns, ebr_truth_features(r->truth), samples->modalities, &r->encoding));
  for (int f = 0; f < r->encoding.features; f++) {
    r->encoding.modality[f] = f / each;
    r->encoding.predictive[f] = f % each < samples->predictive;
  }
  layout_regression(r, &measuring, batch);
  EBR_TRY(ebr_arena_create_unset(measuring.used, &r->arena));
  layout_regression(r, &r->arena, batch);
  memset(r->products, 0, (size_t)columns * (size_t)r->encoding.features * sizeof *r->products);
  *out = r;
  r = NULL;
done:
  ebr_regression_destroy(&r);
  return error;
}

void ebr_regression_destroy(ebr_regression **regression)
{
  if (!*regression) return;
  ebr_truth_destroy(&(*regression)->own);
  ebr_encoding_destroy(&(*regression)->encoding);
  ebr_arena_destroy(&(*regression)->arena);
  free(*regression);
  *regression = NULL;
}

/* The features are centred over the whole test set, so that activations need not be. */
void ebr_regression_see(void *context, ebr_network *network, int start, int count, const ebr_batch *batch)
{
  ebr_regression *r = context;
  int features = r->encoding.features, columns = r->encoding.neurons;
  ebr_truth_standardised(r->truth, start, count, r->chunk);
  r->read(network, count, columns, r->hidden);
  ebr_add_products(columns, features, count, r->hidden, columns, r->chunk, features, r->products, features);
  (void)batch;
}

void ebr_regression_solve(ebr_regression *r, const ebr_scores *scores, ebr_encoding *encoding)
{
  *encoding = r->encoding;
  r->encoding = (ebr_encoding){0};
  ebr_truth_regress(r->truth, encoding->neurons, r->products, encoding->weight);
  refuse_broken(scores, encoding);
}

ebr_error *ebr_encoding_regress(const ebr_subject *subject, int columns, ebr_encoding_read *read,
                                ebr_encoding *encoding)
{
  ebr_error *error = NULL;
  const ebr_samples *samples = subject->samples;
  ebr_regression *regression = NULL;
  ebr_scores scores;
  EBR_TRY(ebr_regression_create(subject, columns, read, &regression));
  EBR_TRY(ebr_evaluate(ebr_trainer_network(subject->trainer), samples, subject->only, samples->test,
                       samples->test_count, NULL, ebr_regression_see, regression, &scores));
  ebr_regression_solve(regression, &scores, encoding);
done:
  ebr_regression_destroy(&regression);
  return error;
}

EBR_VECTOR
void ebr_encoding_read_hidden(ebr_network *network, int count, int columns, double *out)
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
  if (!subject->samples->truth[0]) return by_sensitivity(subject, network, encoding);
  return ebr_encoding_regress(subject, ebr_network_width(network), ebr_encoding_read_hidden, encoding);
}

size_t ebr_encoding_bytes(int neurons, int features, int chunk, bool truth)
{
  ebr_regression r = {.encoding = {.neurons = neurons, .features = features}};
  ebr_arena arena = ebr_arena_measuring();
  layout(&r.encoding, &arena);
  if (truth) layout_regression(&r, &arena, chunk);
  else (void)ebr_arena_take(&arena, (size_t)chunk * (size_t)neurons, sizeof(ebr_real));
  return arena.used;
}
