/* Gradients of every method and fusion head against central differences of the losses that they descend: relative error
 * at most 1e-6. The adversary needs care: no single objective has these gradients, so each group of parameters is
 * checked against its own (design, 'The model, exactly'). */
#include <ebrsweep/model.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 6, MODALITIES = 3, CLASSES = 4, TRUE_FEATURES = 3 };

typedef struct setting {
  const char *name;
  const char *changes[12][2];
  bool missing;
} setting;

static const setting settings[] = {
    {"vanilla", {{"method", "vanilla"}}, false},
    {"strengths", {{"method", "vanilla"}, {"model.strength.each", "[0.5, 1, 2]"}}, false},
    {"linear", {{"method", "vanilla"}, {"model.activation", "none"}, {"model.encoder", "[3]"}}, false},
    {"squared", {{"method", "vanilla"}, {"train.loss", "squared"}}, false},
    {"reconstruction", {{"method", "vanilla"}, {"train.loss", "reconstruction"}}, false},
    {"reconstruction-kd+ebr", {{"method", "kd+ebr"}, {"train.loss", "reconstruction"}}, true},
    {"missing", {{"method", "vanilla"}}, true},
    {"unimodal", {{"method", "unimodal"}, {"unimodal.modality", "1"}}, false},
    {"auxiliary", {{"method", "vanilla"}, {"auxiliary.weight", "0.7"}}, true},
    {"kd-mse", {{"method", "kd"}, {"kd.weight", "0.8"}}, true},
    {"kd-cosine", {{"method", "kd"}, {"kd.form", "cosine"}}, false},
    {"kd-logits", {{"method", "kd"}, {"kd.form", "logits"}, {"auxiliary.weight", "0.3"}}, true},
    {"ebr", {{"method", "ebr"}, {"ebr.latent", "4"}}, false},
    {"ebr-zero", {{"method", "ebr"}, {"ebr.lambda", "0"}}, false},
    {"ebr-missing", {{"method", "ebr"}}, true},
    {"ebr-hinge", {{"method", "ebr"}, {"ebr.form", "hinge"}}, false},
    {"ebr-confusion", {{"method", "ebr"}, {"ebr.form", "confusion"}}, true},
    {"ebr-residual", {{"method", "ebr"}, {"ebr.residual", "true"}}, false},
    {"ebr-conditional", {{"method", "ebr"}, {"ebr.psi.conditional", "true"}}, true},
    {"ebr-auxiliary", {{"method", "ebr"}, {"auxiliary.weight", "0.5"}}, false},
    {"kd+ebr", {{"method", "kd+ebr"}}, true},
    {"grape", {{"method", "vanilla"}, {"model.fusion", "grape"}}, false},
    {"grape-missing", {{"method", "vanilla"}, {"model.fusion", "grape"}, {"model.layers", "2"}}, true},
    {"grape-one-layer", {{"method", "vanilla"}, {"model.fusion", "grape"}, {"model.layers", "1"}}, true},
    {"grape-encoders", {{"method", "vanilla"}, {"model.fusion", "grape"}, {"model.impute", "0"}}, true},
    {"grape-kd+ebr",
     {{"method", "kd+ebr"}, {"model.fusion", "grape"}, {"model.strength.last", "3"}, {"model.impute", "0"}},
     true},
    {"muse", {{"method", "vanilla"}, {"model.fusion", "muse"}}, false},
    {"muse-missing", {{"method", "vanilla"}, {"model.fusion", "muse"}, {"model.layers", "2"}}, true},
    {"muse-plain", {{"method", "vanilla"}, {"model.fusion", "muse"}, {"model.normalize", "false"}}, false},
    {"convolution", {{"data.source", "hdf5"}, {"model.convolution", "[2, 3]"}, {"model.kernel", "3"}}, false},
    {"convolution-linear",
     {{"data.source", "hdf5"}, {"model.convolution", "[3, 2, 2]"}, {"model.activation", "none"}},
     true},
    {"convolution-even",
     {{"data.source", "hdf5"}, {"model.convolution", "[2]"}, {"model.kernel", "4"}, {"method", "ebr"}},
     true},
    {"convolution-kd-muse",
     {{"data.source", "hdf5"}, {"model.convolution", "[2, 2]"}, {"method", "kd"}, {"model.fusion", "muse"}},
     true},
    {"muse-ebr", {{"method", "ebr"}, {"model.fusion", "muse"}, {"auxiliary.weight", "0.2"}}, true},
};

typedef struct fixture {
  ebr_config config;
  ebr_network *network;
  ebr_batch batch;
  ebr_remedies remedies;
  int32_t label[BATCH];
  uint8_t present[BATCH * MODALITIES];
  ebr_real features[BATCH * 8], logits[BATCH * CLASSES];
} fixture;

static void must(ebr_error *error)
{
  if (error) fail_msg("%s", ebr_error_message(error));
}

static void change(ebr_config *config, const char *name, const char *value)
{
  must(ebr_config_set(config, ebr_parameter_find(name), value));
}

static void perturb(fixture *f, ebr_stream *stream)
{
  /* Zero biases and zero residual layers sit on kinks and saddles: move everything off them. */
  for (int t = 0; t < ebr_network_tensor_count(f->network); t++) {
    const ebr_tensor *tensor = ebr_network_tensor(f->network, t);
    for (int k = 0; k < tensor->rows * tensor->cols; k++)
      ebr_network_values(f->network)[tensor->offset + (size_t)k] += 0.2 * ebr_stream_normal(stream);
  }
}

static void setup(fixture *f, const setting *s)
{
  const ebr_shape shape = {.modalities = MODALITIES, .classes = CLASSES, .train_count = BATCH,
                           .inputs = {20, 4, 12}, .picture = {{5, 4, 1}, {0}, {2, 3, 2}}};
  ebr_stream stream = ebr_stream_start(7, EBR_PURPOSE_TEST, 0);
  memset(f, 0, sizeof *f);
  ebr_config_defaults(&f->config);
  change(&f->config, "model.encoder", "[6, 5]");
  change(&f->config, "model.width", "7");
  change(&f->config, "ebr.psi.hidden", "6");
  change(&f->config, "data.predictive", "2");
  change(&f->config, "data.noise", "1");
  for (int k = 0; k < 12 && s->changes[k][0]; k++) change(&f->config, s->changes[k][0], s->changes[k][1]);
  must(ebr_network_create(&f->config, &shape, -1, BATCH, 11, &f->network));
  perturb(f, &stream);
  bool alone = f->config.method == EBR_METHOD_UNIMODAL;
  for (int i = 0; i < ebr_network_modalities(f->network); i++)
    for (int k = 0; k < BATCH * shape.inputs[alone ? 1 : i]; k++)
      ebr_network_input(f->network, i)[k] = ebr_stream_normal(&stream);
  for (int k = 0; k < BATCH * MODALITIES * TRUE_FEATURES && ebr_network_target(f->network); k++)
    ebr_network_target(f->network)[k] = ebr_stream_normal(&stream);
  for (int b = 0; b < BATCH; b++) {
    f->label[b] = (int32_t)ebr_stream_below(&stream, CLASSES);
    for (int i = 0; i < MODALITIES; i++) f->present[b * MODALITIES + i] = (b + i) % 3 != 0 || b == 0;
  }
  for (size_t k = 0; k < sizeof f->features / sizeof *f->features; k++) f->features[k] = ebr_stream_normal(&stream);
  for (size_t k = 0; k < BATCH * CLASSES; k++) f->logits[k] = ebr_stream_normal(&stream);
  f->batch = (ebr_batch){.count = BATCH, .label = f->label, .present = s->missing ? f->present : NULL};
  if (ebr_config_distils(&f->config)) {
    f->batch.teacher_features = f->features;
    f->batch.teacher_logits = f->logits;
  }
  f->remedies = (ebr_remedies){.lambda = f->config.ebr_lambda, .auxiliary = f->config.auxiliary_weight};
  f->remedies.distillation[0] = f->remedies.distillation[2] = f->config.kd_weight;
}

static void compute(fixture *f, ebr_losses *losses)
{
  ebr_stream stream = ebr_stream_start(3, EBR_PURPOSE_TEST, 1);
  ebr_network_encode(f->network, BATCH);
  ebr_network_fuse(f->network, BATCH, f->batch.present);
  ebr_network_backward(f->network, &f->batch, &f->remedies, &stream, losses);
}

/* Confusion is no part of the losses that are reported: from psi's own output, it is recomputed here. */
static double confusion(fixture *f)
{
  int rows = 0;
  double sum = 0;
  const ebr_tensor *first = ebr_network_tensor(f->network, ebr_network_tensor_find(f->network, "psi.weight.0"));
  const ebr_tensor *last = ebr_network_tensor(f->network, ebr_network_tensor_find(f->network, "psi.weight.1"));
  const ebr_real *values = ebr_network_values(f->network);
  const ebr_real *bias0 =
      values + ebr_network_tensor(f->network, ebr_network_tensor_find(f->network, "psi.bias.0"))->offset;
  const ebr_real *bias1 =
      values + ebr_network_tensor(f->network, ebr_network_tensor_find(f->network, "psi.bias.1"))->offset;
  for (int i = 0; i < MODALITIES; i++)
    for (int b = 0; b < BATCH; b++) {
      if (f->batch.present && !f->present[b * MODALITIES + i]) continue;
      const ebr_real *g = ebr_network_reallocated(f->network, i) + b * first->rows;
      double hidden[64], out[MODALITIES], total = 0, mean = 0;
      for (int h = 0; h < first->cols; h++) {
        hidden[h] = bias0[h];
        for (int c = 0; c < first->rows; c++) hidden[h] += g[c] * values[first->offset + (size_t)(c * first->cols + h)];
        hidden[h] = hidden[h] > 0 ? hidden[h] : 0;
      }
      for (int o = 0; o < MODALITIES; o++) {
        out[o] = bias1[o];
        for (int h = 0; h < last->rows; h++) out[o] += hidden[h] * values[last->offset + (size_t)(h * last->cols + o)];
        total += exp(out[o]);
        mean += out[o] / MODALITIES;
      }
      sum += log(total) - mean;
      rows++;
    }
  return sum / rows;
}

/* What a parameter descends. */
static double objective(fixture *f, const ebr_tensor *tensor)
{
  ebr_losses l;
  compute(f, &l);
  if (tensor->psi) return l.discrimination;
  double total = l.semantic + f->config.model_contrast * l.contrast + f->config.model_impute * l.impute;
  bool behind = strncmp(tensor->name, "h_inverse", 9) == 0 || strncmp(tensor->name, "phi", 3) == 0;
  if (behind) return total;
  double kd = f->config.kd_weight * l.distillation;
  total += f->remedies.auxiliary * l.auxiliary + (ebr_config_distils(&f->config) ? kd : 0);
  if (!ebr_config_reallocates(&f->config) || strncmp(tensor->name, "auxiliary", 9) == 0) return total;
  double chance = log(MODALITIES), lambda = f->remedies.lambda;
  if (f->config.ebr_form == EBR_FORM_CONFUSION) return total + lambda * confusion(f);
  if (f->config.ebr_form == EBR_FORM_HINGE) return total - lambda * fmin(l.discrimination, chance);
  return total - lambda * l.discrimination;
}

static double difference(fixture *f, const ebr_tensor *tensor, size_t index)
{
  const double step = 2e-6;
  ebr_real *value = ebr_network_values(f->network) + tensor->offset + index, kept = *value;
  *value = kept + step;
  double above = objective(f, tensor);
  *value = kept - step;
  double below = objective(f, tensor);
  *value = kept;
  return (above - below) / (2 * step);
}

/* grape's guessed values are constants: what lies before the head does not descend that loss, and is checked without
 * it. */
static bool sees_moving_target(const fixture *f, const ebr_tensor *tensor)
{
  bool imputes = f->config.model_fusion == EBR_FUSION_GRAPE && f->config.model_impute > 0;
  return imputes && strncmp(tensor->name, "phi", 3) != 0;
}

static void check(const setting *s)
{
  fixture f;
  ebr_losses losses;
  setup(&f, s);
  compute(&f, &losses);
  size_t size = ebr_network_size(f.network);
  ebr_real *gradients = malloc(size * sizeof *gradients);
  assert_non_null(gradients);
  memcpy(gradients, ebr_network_gradients(f.network), size * sizeof *gradients);
  for (int t = 0; t < ebr_network_tensor_count(f.network); t++) {
    const ebr_tensor *tensor = ebr_network_tensor(f.network, t);
    size_t count = (size_t)tensor->rows * (size_t)tensor->cols, stride = count > 24 ? count / 24 : 1;
    double error = 0, norm = 1e-4;
    if (sees_moving_target(&f, tensor)) continue;
    for (size_t k = 0; k < count; k += stride) {
      double expected = difference(&f, tensor, k), got = gradients[tensor->offset + k];
      error = fmax(error, fabs(expected - got));
      norm = fmax(norm, fabs(expected));
    }
    if (error > 1e-6 * norm) fail_msg("%s: %s is off by %.2e of %.2e", s->name, tensor->name, error, norm);
  }
  free(gradients);
  ebr_network_destroy(&f.network);
}

static void gradients_match_differences(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) check(&settings[k]);
}

/* Who is called back may overwrite the values: here with NaN, which any later use would spread. */
typedef struct announcements {
  fixture *f;
  ebr_real *gradients;
  unsigned char *count;
} announcements;

static void spoil(void *context, size_t start, size_t stop)
{
  announcements *a = context;
  assert_true(start < stop && stop <= ebr_network_psi_start(a->f->network));
  memcpy(a->gradients + start, ebr_network_gradients(a->f->network) + start, (stop - start) * sizeof *a->gradients);
  for (size_t k = start; k < stop; k++) {
    a->count[k]++;
    ebr_network_values(a->f->network)[k] = (ebr_real)NAN;
  }
}

static void check_announcements(const setting *s)
{
  fixture f;
  ebr_losses losses;
  setup(&f, s);
  size_t size = ebr_network_size(f.network), main_size = ebr_network_psi_start(f.network);
  ebr_real *expected = calloc(size, sizeof *expected);
  announcements a = {&f, calloc(size, sizeof *a.gradients), calloc(size, 1)};
  compute(&f, &losses);
  memcpy(expected, ebr_network_gradients(f.network), size * sizeof *expected);
  ebr_network_on_ready(f.network, (ebr_ready){spoil, &a});
  compute(&f, &losses);
  for (size_t k = 0; k < main_size; k++)
    if (a.count[k] != 1 || a.gradients[k] != expected[k] || ebr_network_gradients(f.network)[k] != expected[k])
      fail_msg("%s: value %zu was announced %d times, with gradient %g instead of %g", s->name, k, a.count[k],
               (double)a.gradients[k], (double)expected[k]);
  free(expected);
  free(a.gradients);
  free(a.count);
  ebr_network_destroy(&f.network);
}

static void ready_ranges_are_final_and_cover_all(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) check_announcements(&settings[k]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(gradients_match_differences),
                                     cmocka_unit_test(ready_ranges_are_final_and_cover_all)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
