/* Deep linear networks, where theory gives the whole course of training.
 * - Mode strengths of a two-layer network (Saxe, McClelland, Ganguli 2014, eq. 8) to 1 %.
 * - How long only one of two modalities is learned under late fusion (Zhang, Latham, Saxe, ICML 2024, eq. 6):
 *   t_B / t_A = 1 + (|S_yA| - |S_yB|) / |S_yB - S_yA S_A^-1 S_AB|, at two depths, growing with the correlation.
 * The network's last layer is held at the identity, so that the modalities' paths meet at the output only. */
#include <ebrsweep/model.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void must(ebr_error *error)
{
  if (error) fail_msg("%s", ebr_error_message(error));
}

static void set(ebr_config *config, const char *name, const char *value)
{
  must(ebr_config_set(config, ebr_parameter_find(name), value));
}

static ebr_real *tensor(ebr_network *network, const char *name)
{
  int index = ebr_network_tensor_find(network, name);
  assert_true(index >= 0);
  return ebr_network_values(network) + ebr_network_tensor(network, index)->offset;
}

static ebr_network *linear_network(const ebr_shape *shape, const char *encoder, const char *width, int batch)
{
  ebr_config config;
  ebr_network *network = NULL;
  ebr_config_defaults(&config);
  set(&config, "model.activation", "none");
  set(&config, "train.loss", "squared");
  set(&config, "model.encoder", encoder);
  set(&config, "model.width", width);
  must(ebr_network_create(&config, shape, -1, batch, 1, &network));
  return network;
}

static void hold_identity(ebr_network *network, int classes)
{
  ebr_real *last = tensor(network, "phi.weight.1");
  memset(last, 0, (size_t)(classes * classes) * sizeof *last);
  for (int c = 0; c < classes; c++) last[c * classes + c] = 1;
}

/* One full-batch step of plain gradient descent on all weights but the last layer's; biases stay zero. */
static void descend(ebr_network *network, const ebr_batch *batch, double rate)
{
  ebr_losses losses;
  const ebr_remedies none = {0};
  ebr_network_encode(network, batch->count);
  ebr_network_fuse(network, batch->count, NULL);
  ebr_network_backward(network, batch, &none, NULL, &losses);
  for (int t = 0; t < ebr_network_tensor_count(network); t++) {
    const ebr_tensor *what = ebr_network_tensor(network, t);
    if (what->role == EBR_ROLE_BIAS || strcmp(what->name, "phi.weight.1") == 0) continue;
    ebr_real *values = ebr_network_values(network) + what->offset;
    const ebr_real *gradients = ebr_network_gradients(network) + what->offset;
    for (int k = 0; k < what->rows * what->cols; k++) values[k] -= rate * gradients[k];
  }
}

/* Classes with shares p_c and inputs e_c / sqrt(p_c): whitened, and mode c has strength s = sqrt(p_c). */
static void modes_grow_as_saxe_says(void **state)
{
  enum { CLASSES = 4, BATCH = 20 };
  static const int count[CLASSES] = {8, 6, 4, 2};
  const double rate = 1e-3, start = 1e-3;
  const ebr_shape shape = {.modalities = 1, .classes = CLASSES, .train_count = BATCH, .inputs = {CLASSES}};
  int32_t label[BATCH];
  ebr_batch batch = {.count = BATCH, .label = label};
  ebr_network *network = linear_network(&shape, "[4]", "4", BATCH);
  ebr_real *x = ebr_network_input(network, 0);
  memset(x, 0, BATCH * CLASSES * sizeof *x);
  for (int c = 0, b = 0; c < CLASSES; c++)
    for (int k = 0; k < count[c]; k++, b++) {
      label[b] = c;
      x[b * CLASSES + c] = sqrt((double)BATCH / count[c]);
    }
  hold_identity(network, CLASSES);
  for (int c = 0; c < CLASSES; c++)
    for (int k = 0; k < CLASSES; k++)
      tensor(network, "f.0.weight.0")[c * 4 + k] = tensor(network, "phi.weight.0")[c * 4 + k] =
          c == k ? sqrt(start) : 0;
  for (int step = 1; step <= 20000; step++) {
    descend(network, &batch, rate);
    if (step % 1000) continue;
    for (int c = 0; c < CLASSES; c++) {
      double s = sqrt((double)count[c] / BATCH), growth = exp(2 * s * rate * step);
      double expected = s * growth / (growth - 1 + s / start), got = 0;
      for (int k = 0; k < CLASSES; k++)
        got += tensor(network, "f.0.weight.0")[c * 4 + k] * tensor(network, "phi.weight.0")[k * 4 + c];
      if (fabs(got - expected) > 0.01 * expected)
        fail_msg("mode %d in step %d has strength %g instead of %g", c, step, got, expected);
    }
  }
  ebr_network_destroy(&network);
  (void)state;
}

typedef struct two_modalities {
  double a, b;             /* how strongly the label's sign stands in x_A, x_B */
  double noise_a, noise_b; /* and what does not depend on it */
  double correlation;      /* of the two noises */
} two_modalities;

/* Label sign and two noise patterns that are orthogonal over eight samples: all covariances hold exactly. */
static void fill_two(ebr_network *network, const two_modalities *d, int32_t *label)
{
  for (int k = 0; k < 8; k++) {
    double sign = k & 1 ? 1 : -1, p = k & 2 ? 1 : -1, q = k & 4 ? 1 : -1;
    label[k] = k & 1;
    ebr_network_input(network, 0)[k] = d->a * sign + d->noise_a * p;
    ebr_network_input(network, 1)[k] =
        d->b * sign + d->noise_b * (d->correlation * p + sqrt(1 - d->correlation * d->correlation) * q);
  }
}

static double expected_ratio(const two_modalities *d)
{
  /* The one-hot labels' only direction that x knows of is (1, -1) / sqrt 2, where S_yx = a / sqrt 2. */
  double sya = d->a / sqrt(2), syb = d->b / sqrt(2), sa = d->a * d->a + d->noise_a * d->noise_a;
  double sab = d->a * d->b + d->noise_a * d->noise_b * d->correlation;
  return 1 + (fabs(sya) - fabs(syb)) / fabs(syb - sya / sa * sab);
}

/* Every layer starts small and balanced along the one direction that matters. */
static void start_small(ebr_network *network, int depth, double scale)
{
  ebr_real *values = ebr_network_values(network);
  for (int t = 0; t < ebr_network_tensor_count(network); t++) {
    const ebr_tensor *what = ebr_network_tensor(network, t);
    memset(values + what->offset, 0, (size_t)(what->rows * what->cols) * sizeof *values);
  }
  for (int i = 0; i < 2; i++) {
    ebr_real *head = tensor(network, "phi.weight.0") + i * 4; /* (2 x 2) block: hidden unit 0 to -1, 1 */
    head[0] = -scale / sqrt(2);
    head[1] = scale / sqrt(2);
    tensor(network, i ? "f.1.weight.0" : "f.0.weight.0")[0] = scale;
    if (depth == 3) tensor(network, i ? "f.1.weight.1" : "f.0.weight.1")[0] = scale;
  }
  hold_identity(network, 2);
}

static double path_strength(ebr_network *network, int modality, int depth)
{
  double strength = tensor(network, modality ? "f.1.weight.0" : "f.0.weight.0")[0] *
                    tensor(network, "phi.weight.0")[modality * 4 + 1] * sqrt(2);
  if (depth == 3) strength *= tensor(network, modality ? "f.1.weight.1" : "f.0.weight.1")[0];
  return fabs(strength);
}

/* Steps until each path has half of its final strength. */
static double measured_ratio(const two_modalities *d, int depth, double scale, double rate)
{
  const ebr_shape shape = {.modalities = 2, .classes = 2, .train_count = 8, .inputs = {1, 1}};
  int32_t label[8];
  ebr_batch batch = {.count = 8, .label = label};
  ebr_network *network = linear_network(&shape, depth == 3 ? "[2, 2]" : "[2]", "2", 8);
  double reached[2] = {0, 0}, half[2];
  fill_two(network, d, label);
  double sa = d->a * d->a + d->noise_a * d->noise_a, sb = d->b * d->b + d->noise_b * d->noise_b;
  double sab = d->a * d->b + d->noise_a * d->noise_b * d->correlation, det = sa * sb - sab * sab;
  half[0] = 0.5 * d->a / sqrt(2) / sa; /* A rises to its unimodal solution first */
  half[1] = 0.5 * fabs(sa * d->b - sab * d->a) / sqrt(2) / det;
  start_small(network, depth, scale);
  for (int step = 1; step < 2000000 && !(reached[0] > 0 && reached[1] > 0); step++) {
    descend(network, &batch, rate);
    for (int i = 0; i < 2; i++)
      if (!(reached[i] > 0) && path_strength(network, i, depth) > half[i]) reached[i] = step;
  }
  ebr_network_destroy(&network);
  assert_true(reached[0] > 0 && reached[1] > 0);
  return reached[1] / reached[0];
}

static void one_modality_waits_as_zhang_says(void **state)
{
  double before[2] = {0, 0};
  for (int k = 0; k < 3; k++) {
    two_modalities d = {.a = 1, .b = 0.8, .noise_a = 1, .noise_b = 1, .correlation = -0.3 + 0.3 * k};
    double expected = expected_ratio(&d), two = measured_ratio(&d, 2, 1e-20, 0.02);
    double three = measured_ratio(&d, 3, 1e-3, 0.05);
    if (fabs(two - expected) > 0.03 * expected)
      fail_msg("correlation %g, two layers: t_B / t_A is %g instead of %g", d.correlation, two, expected);
    if (fabs(three - expected) > 0.03 * expected)
      fail_msg("correlation %g, three layers: t_B / t_A is %g instead of %g", d.correlation, three, expected);
    assert_true(two > before[0] && three > before[1]);
    before[0] = two;
    before[1] = three;
  }
  (void)state;
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(modes_grow_as_saxe_says),
                                     cmocka_unit_test(one_modality_waits_as_zhang_says)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
