/* Encoding by input sensitivity: how much a neuron responds when the inputs of a modality change as they do with one of
 * its true features. */
#include "measure/column.h"
#include "measure/encoding.h"

#include <math.h>
#include <string.h>

typedef struct perturbation {
  const ebr_subject *subject;
  const ebr_encoding *inputs; /* its neurons are the inputs of all of the network's modalities, one after the other */
  ebr_encoding *encoding;     /* weight holds sums of squares until the end */
  ebr_real *hidden, *kept;    /* (B x n), (B x largest d_i) */
  ebr_arena arena;
} perturbation;

static int slot_modality(const ebr_subject *subject, int slot) { return subject->only < 0 ? slot : subject->only; }

/* All inputs of the network: the sum of d_i; *most: the largest. */
static int inputs_of(const ebr_subject *subject, int *most)
{
  int sum = 0;
  *most = 0;
  for (int i = 0; i < ebr_network_modalities(ebr_trainer_network(subject->trainer)); i++) {
    int d = subject->samples->inputs[slot_modality(subject, i)];
    sum += d;
    if (d > *most) *most = d;
  }
  return sum;
}

/* All modalities of a run of synthetic data have as many inputs. */
static void read_inputs(ebr_network *network, int count, int columns, double *out)
{
  int modalities = ebr_network_modalities(network), d = columns / modalities;
  for (int i = 0; i < modalities; i++)
    for (int b = 0; b < count; b++)
      for (int k = 0; k < d; k++)
        out[(size_t)b * (size_t)columns + (size_t)(i * d + k)] = (double)ebr_network_input(network, i)[b * d + k];
}

static void add_changes(perturbation *p, ebr_network *network, const ebr_batch *batch, int feature)
{
  size_t n = (size_t)p->encoding->neurons, features = (size_t)p->encoding->features;
  bool gaps =
      batch->present && memchr(batch->present, 0, (size_t)batch->count * (size_t)ebr_network_modalities(network));
  ebr_network_encode(network, batch->count);
  ebr_network_fuse(network, batch->count, gaps ? batch->present : NULL);
  const ebr_real *hidden = ebr_network_hidden(network);
  for (size_t b = 0; b < (size_t)batch->count; b++)
    for (size_t j = 0; j < n; j++) {
      double change = (double)hidden[b * n + j] - (double)p->hidden[b * n + j];
      p->encoding->weight[j * features + (size_t)feature] += change * change;
    }
}

static void perturb_each(void *context, ebr_network *network, int start, int count, const ebr_batch *batch)
{
  perturbation *p = context;
  int features = p->encoding->features, modalities = ebr_network_modalities(network);
  int d = p->inputs->neurons / modalities;
  memcpy(p->hidden, ebr_network_hidden(network), (size_t)count * (size_t)p->encoding->neurons * sizeof *p->hidden);
  for (int i = 0; i < modalities; i++) {
    ebr_real *input = ebr_network_input(network, i);
    memcpy(p->kept, input, (size_t)count * (size_t)d * sizeof *input);
    for (int f = 0; f < features; f++) {
      if (p->encoding->modality[f] != slot_modality(p->subject, i)) continue;
      for (int b = 0; b < count; b++)
        for (int k = 0; k < d; k++)
          input[b * d + k] =
              p->kept[b * d + k] + (ebr_real)p->inputs->weight[(size_t)(i * d + k) * (size_t)features + (size_t)f];
      add_changes(p, network, batch, f);
    }
    memcpy(input, p->kept, (size_t)count * (size_t)d * sizeof *input);
  }
  (void)start;
}

static void layout(perturbation *p, ebr_arena *arena, int chunk, int n, int most)
{
  p->hidden = ebr_arena_take(arena, (size_t)chunk * (size_t)n, sizeof *p->hidden);
  p->kept = ebr_arena_take(arena, (size_t)chunk * (size_t)most, sizeof *p->kept);
}

static ebr_error *take(const ebr_subject *subject, ebr_encoding *encoding)
{
  ebr_error *error = NULL;
  ebr_network *network = ebr_trainer_network(subject->trainer);
  const ebr_samples *samples = subject->samples;
  int n = ebr_network_width(network), most, columns = inputs_of(subject, &most);
  ebr_encoding inputs = {0};
  perturbation p = {.subject = subject, .inputs = &inputs, .encoding = encoding};
  ebr_arena measuring = ebr_arena_measuring();
  ebr_scores scores;
  EBR_TRY(ebr_encoding_regress(subject, columns, read_inputs, &inputs));
  EBR_TRY(ebr_encoding_create(n, inputs.features, inputs.modalities, encoding));
  layout(&p, &measuring, ebr_network_batch(network), n, most);
  EBR_TRY(ebr_arena_create(measuring.used, &p.arena));
  layout(&p, &p.arena, ebr_network_batch(network), n, most);
  for (int f = 0; f < inputs.features; f++) {
    encoding->modality[f] = inputs.modality[f];
    encoding->predictive[f] = inputs.predictive[f];
  }
  EBR_TRY(ebr_evaluate(network, samples, subject->only, samples->test, samples->test_count, NULL, perturb_each, &p,
                       &scores));
  for (size_t k = 0; k < (size_t)n * (size_t)inputs.features; k++)
    encoding->weight[k] = sqrt(encoding->weight[k] / samples->test_count);
  if (!isfinite(scores.loss)) encoding->weight[0] = NAN;
done:
  ebr_arena_destroy(&p.arena);
  ebr_encoding_destroy(&inputs);
  return error;
}

static size_t bytes(const ebr_config *config, const ebr_shape *shape, int features, int chunk)
{
  int n = (int)config->model_width, sum = 0, most = 0;
  perturbation p;
  ebr_arena arena = ebr_arena_measuring();
  for (int i = 0; i < shape->modalities; i++) {
    sum += shape->inputs[i];
    if (shape->inputs[i] > most) most = shape->inputs[i];
  }
  layout(&p, &arena, ebr_measured_batch(config, shape), n, most);
  return arena.used + ebr_encoding_bytes(sum, features, chunk, true) + (size_t)n * (size_t)features * sizeof(double);
}

const ebr_encoding_way ebr_encoding_sensitivity = {"sensitivity", false, take, bytes};
