/* The synthetic generator against closed forms: estimates must lie within a few standard errors of the truth. */
#include "made_data.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { LATENTS = 5, PREDICTIVE = 3, CLASSES = 4 };

static ebr_samples *make(const ebr_config *config)
{
  ebr_samples *samples = NULL;
  must(ebr_samples_create(NULL, config, &samples));
  return samples;
}

static double latent(const ebr_samples *s, int modality, int row, int feature)
{
  int width = s->predictive + s->noise;
  return s->truth[modality][(size_t)row * (size_t)width + (size_t)feature];
}

/* Mean and variance of a latent feature within a class (-1: over all). */
static void moments(const ebr_samples *s, int modality, int feature, int class, double *mean, double *variance)
{
  double sum = 0, squares = 0;
  int count = 0;
  for (int n = 0; n < s->total; n++) {
    if (class >= 0 && s->label[n] != class) continue;
    double value = latent(s, modality, n, feature);
    sum += value;
    squares += value * value;
    count++;
  }
  *mean = sum / count;
  *variance = squares / count - *mean * *mean;
}

static void shape_is_as_configured(void **state)
{
  ebr_config config = made_config();
  set(&config, "data.dimension", "7");
  ebr_shape shape;
  must(ebr_samples_shape(NULL, &config, &shape));
  ebr_samples *s = make(&config);
  assert_int_equal(shape.modalities, 3);
  assert_int_equal(shape.classes, CLASSES);
  assert_int_equal(shape.total, 5000);
  assert_int_equal(shape.train_count, 4000);
  assert_int_equal(shape.test_count, 1000);
  assert_int_equal(shape.inputs[2], 7);
  assert_int_equal(s->inputs[0], 7);
  assert_int_equal(s->predictive, PREDICTIVE);
  assert_int_equal(s->noise, 2);
  assert_null(s->present);
  assert_string_equal(s->name[1], "modality1");
  assert_int_equal(s->owned.used, ebr_samples_bytes(&config, &shape));
  for (int t = 0; t < 4000; t++) assert_int_equal(s->train[t], t);
  for (int t = 0; t < 1000; t++) assert_int_equal(s->test[t], 4000 + t);
  ebr_samples_destroy(&s);
  assert_null(s);
}

static void labels_are_uniform(void **state)
{
  ebr_config config = made_config();
  ebr_samples *s = make(&config);
  int count[CLASSES] = {0};
  for (int n = 0; n < s->total; n++) count[s->label[n]]++;
  double chi_squared = 0, expected = 5000.0 / CLASSES;
  for (int c = 0; c < CLASSES; c++) chi_squared += (count[c] - expected) * (count[c] - expected) / expected;
  assert_true(chi_squared < 16.27); /* 3 degrees of freedom, p = 0.001 */
  ebr_samples_destroy(&s);
}

/* What the generator's formula says for a class and feature, from the streams alone. */
static double prototype(const ebr_config *config, int modality, int class, int feature, double strength)
{
  uint64_t key = ebr_config_pair(config);
  ebr_stream shared = ebr_stream_start(key, EBR_PURPOSE_PROTOTYPES, 0);
  ebr_stream private = ebr_stream_start(key, EBR_PURPOSE_PROTOTYPES, 1 + (uint32_t)modality);
  double a = 0, b = 0;
  for (int j = 0; j <= class * PREDICTIVE + feature; j++) {
    a = ebr_stream_normal(&shared);
    b = ebr_stream_normal(&private);
  }
  return strength * (sqrt(config->data_redundancy) * a + sqrt(1 - config->data_redundancy) * b);
}

static void classes_lie_at_prototypes_times_strength(void **state)
{
  ebr_config config = made_config();
  set(&config, "data.strength.each", "[2, 0.5]");
  set(&config, "data.strength.last", "3");
  set(&config, "data.redundancy", "0.25");
  ebr_samples *s = make(&config);
  const double strength[3] = {2, 0.5, 3};
  for (int i = 0; i < 3; i++)
    for (int c = 0; c < CLASSES; c++)
      for (int f = 0; f < PREDICTIVE; f++) {
        double mean, variance;
        moments(s, i, f, c, &mean, &variance);
        assert_true(fabs(mean - prototype(&config, i, c, f, strength[i])) < 4.5 * 0.5 / sqrt(1150));
        assert_true(fabs(variance - 0.25) < 4.5 * 0.25 * sqrt(2.0 / 1150)); /* data.within = 0.5 */
      }
  ebr_samples_destroy(&s);
}

/* Over many classes the prototypes of two modalities correlate by the redundancy. */
static double prototype_correlation(const char *redundancy)
{
  ebr_config config = made_config();
  set(&config, "data.classes", "2000");
  set(&config, "data.train", "6000");
  set(&config, "data.within", "0");
  set(&config, "data.redundancy", redundancy);
  ebr_samples *s = make(&config);
  double ab = 0, aa = 0, bb = 0;
  bool seen[2000] = {false};
  for (int n = 0; n < s->total; n++) {
    for (int f = 0; f < PREDICTIVE && !seen[s->label[n]]; f++) {
      double a = latent(s, 0, n, f), b = latent(s, 1, n, f);
      ab += a * b;
      aa += a * a;
      bb += b * b;
    }
    seen[s->label[n]] = true;
  }
  ebr_samples_destroy(&s);
  return ab / sqrt(aa * bb);
}

static void modalities_correlate_by_redundancy(void **state)
{
  const double error = 1 / sqrt(3 * 1900.0);
  assert_true(fabs(prototype_correlation("0")) < 4 * error);
  assert_true(fabs(prototype_correlation("0.3") - 0.3) < 4 * error);
  assert_true(fabs(prototype_correlation("0.8") - 0.8) < 4 * error);
  assert_true(fabs(prototype_correlation("1") - 1) < 1e-6);
}

static void noise_carries_no_label_and_has_its_scale(void **state)
{
  for (int kind = 0; kind < 2; kind++) {
    ebr_config config = made_config();
    set(&config, "data.noise_scale", "1.5");
    set(&config, "data.noise_kind", kind == 0 ? "gaussian" : "sparse");
    ebr_samples *s = make(&config);
    double kurtosis = kind == 0 ? 3 : 30; /* of a normal; of one that is active with probability 0.1 */
    for (int i = 0; i < 3; i++)
      for (int f = PREDICTIVE; f < LATENTS; f++) {
        double mean, variance;
        moments(s, i, f, -1, &mean, &variance);
        assert_true(fabs(mean) < 4.5 * 1.5 / sqrt(5000));
        assert_true(fabs(variance - 2.25) < 4.5 * 2.25 * sqrt((kurtosis - 1) / 5000));
        for (int c = 0; c < CLASSES; c++) {
          moments(s, i, f, c, &mean, &variance);
          assert_true(fabs(mean) < 4.5 * 1.5 / sqrt(1150));
        }
      }
    ebr_samples_destroy(&s);
  }
}

/* Shares beyond a bound, against the distribution function of Student's t with 3 degrees of freedom. */
static void heavy_noise_is_student_t(void **state)
{
  ebr_config config = made_config();
  set(&config, "data.noise_kind", "heavy");
  ebr_samples *s = make(&config);
  const double bounds[] = {0.5, 1, 2, 5};
  for (int b = 0; b < 4; b++) {
    double t = bounds[b] * sqrt(3); /* unit variance is t / sqrt(3) */
    double within = 2 / 3.14159265358979 * (t / sqrt(3) / (1 + t * t / 3) + atan(t / sqrt(3)));
    int count = 0, total = 0;
    for (int i = 0; i < 3; i++)
      for (int n = 0; n < s->total; n++)
        for (int f = PREDICTIVE; f < LATENTS; f++, total++) count += fabs(latent(s, i, n, f)) < bounds[b];
    assert_true(fabs((double)count / total - within) < 4.5 * sqrt(within * (1 - within) / total));
  }
  ebr_samples_destroy(&s);
}

static double share_of_zeros(const ebr_config *config, int from, int to)
{
  ebr_samples *s = make(config);
  int zeros = 0, total = 0;
  for (int i = 0; i < 3; i++)
    for (int n = 0; n < s->total; n++)
      for (int f = from; f < to; f++, total++) zeros += latent(s, i, n, f) == 0;
  ebr_samples_destroy(&s);
  return (double)zeros / total;
}

static void features_are_off_at_the_sparsity(void **state)
{
  ebr_config config = made_config();
  assert_true(share_of_zeros(&config, 0, LATENTS) == 0);
  set(&config, "data.sparsity", "0.7");
  assert_true(fabs(share_of_zeros(&config, 0, PREDICTIVE) - 0.7) < 4.5 * sqrt(0.21 / 45000));
  set(&config, "data.noise_kind", "sparse"); /* off on top of being inactive nine times in ten */
  assert_true(fabs(share_of_zeros(&config, PREDICTIVE, LATENTS) - 0.97) < 4.5 * sqrt(0.97 * 0.03 / 30000));
}

/* x = latent, M latent and tanh(M latent), with M from its stream. */
static void inputs_are_mixed_latents(void **state)
{
  ebr_config config = made_config();
  set(&config, "data.mixing", "none");
  ebr_samples *plain = make(&config);
  for (int i = 0; i < 3; i++) assert_memory_equal(plain->x[i], plain->truth[i], 5000 * LATENTS * sizeof(float));
  ebr_samples_destroy(&plain);
  for (int squash = 0; squash < 2; squash++) {
    set(&config, "data.mixing", squash ? "tanh" : "linear");
    set(&config, "data.dimension", "8");
    ebr_samples *s = make(&config);
    double matrix[LATENTS][8], squares = 0;
    ebr_stream stream = ebr_stream_start(ebr_config_pair(&config), EBR_PURPOSE_MIXING, 2);
    for (int f = 0; f < LATENTS; f++)
      for (int c = 0; c < 8; c++) {
        matrix[f][c] = ebr_stream_normal(&stream) / sqrt(LATENTS);
        squares += matrix[f][c] * matrix[f][c];
      }
    assert_true(fabs(squares / 8 - 1) < 4 * sqrt(2.0 / 40)); /* rows of M have length 1 in the mean */
    for (int n = 0; n < 100; n++)
      for (int c = 0; c < 8; c++) {
        double sum = 0;
        for (int f = 0; f < LATENTS; f++) sum += matrix[f][c] * latent(s, 1, n, f);
        assert_true(fabs(s->x[1][n * 8 + c] - (squash ? tanh(sum) : sum)) < 1e-5);
      }
    ebr_samples_destroy(&s);
  }
}

static bool same_samples(const ebr_config *a, const ebr_config *b)
{
  ebr_samples *one = make(a), *other = make(b);
  bool same = memcmp(one->label, other->label, 5000 * sizeof(int32_t)) == 0;
  for (int i = 0; i < 3; i++)
    same = same && memcmp(one->x[i], other->x[i], 5000 * LATENTS * sizeof(float)) == 0 &&
           memcmp(one->scale[i], other->scale[i], LATENTS * sizeof(float)) == 0;
  ebr_samples_destroy(&one);
  ebr_samples_destroy(&other);
  return same;
}

static void methods_share_data_and_seeds_do_not(void **state)
{
  ebr_config config = made_config(), other = config;
  assert_true(same_samples(&config, &other));
  set(&other, "method", "ebr");
  set(&other, "model.width", "64");
  set(&other, "train.rate", "0.1");
  assert_true(same_samples(&config, &other));
  set(&other, "seed", "1");
  assert_false(same_samples(&config, &other));
}

static void impossible_configurations_are_named(void **state)
{
  ebr_config config = made_config();
  ebr_shape shape;
  set(&config, "data.mixing", "none");
  set(&config, "data.dimension", "9");
  ebr_error *error = ebr_samples_shape(NULL, &config, &shape);
  assert_int_equal(ebr_error_code(error), EBR_SWEEP);
  assert_non_null(strstr(ebr_error_message(error), "data.dimension is 9; without mixing it must be"));
  ebr_error_destroy(&error);
  set(&config, "data.modalities", "0");
  error = ebr_samples_shape(NULL, &config, &shape);
  assert_non_null(strstr(ebr_error_message(error), "of at least 1, not 0, 4000 and 1000"));
  ebr_error_destroy(&error);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shape_is_as_configured),
      cmocka_unit_test(labels_are_uniform),
      cmocka_unit_test(classes_lie_at_prototypes_times_strength),
      cmocka_unit_test(modalities_correlate_by_redundancy),
      cmocka_unit_test(noise_carries_no_label_and_has_its_scale),
      cmocka_unit_test(heavy_noise_is_student_t),
      cmocka_unit_test(features_are_off_at_the_sparsity),
      cmocka_unit_test(inputs_are_mixed_latents),
      cmocka_unit_test(methods_share_data_and_seeds_do_not),
      cmocka_unit_test(impossible_configurations_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
