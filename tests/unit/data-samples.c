/* Standardisation, missing modalities and noise on purpose. */
#include "made_data.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { TRAIN = 4000, TOTAL = 5000, INPUTS = 5 };

static ebr_samples *make(const ebr_config *config)
{
  ebr_samples *samples = NULL;
  must(ebr_samples_create(NULL, config, &samples));
  return samples;
}

static bool is_present(const ebr_samples *s, int row, int modality)
{
  return !s->present || s->present[row * s->modalities + modality];
}

/* Gathered training rows have mean 0 and variance 1 in every feature; test rows only nearly so. */
static void training_samples_alone_set_the_standard(void **state)
{
  ebr_config config = made_config();
  set(&config, "missing.train", "[0.4, 0, 0.2]");
  ebr_samples *s = make(&config);
  ebr_real *out = malloc(TRAIN * INPUTS * sizeof *out);
  for (int i = 0; i < 3; i++) {
    ebr_samples_gather(s, i, s->train, TRAIN, out);
    for (int c = 0; c < INPUTS; c++) {
      double sum = 0, squares = 0, mean = 0;
      int count = 0;
      for (int t = 0; t < TRAIN; t++) {
        if (!is_present(s, s->train[t], i)) continue;
        sum += (double)out[t * INPUTS + c];
        squares += (double)out[t * INPUTS + c] * (double)out[t * INPUTS + c];
        mean += s->x[i][s->train[t] * INPUTS + c];
        count++;
      }
      assert_true(fabs(sum / count) < 1e-5);
      assert_true(fabs(squares / count - 1) < 1e-5);
      assert_true(fabs(mean / count - s->mean[i][c]) < 1e-6);
    }
  }
  free(out);
  ebr_samples_destroy(&s);
}

static void absent_rows_are_gathered_as_zeros(void **state)
{
  ebr_config config = made_config();
  set(&config, "missing.train", "[0.5]");
  ebr_samples *s = make(&config);
  ebr_real out[INPUTS];
  int absent = 0;
  for (int32_t n = 0; n < 200; n++)
    for (int i = 0; i < 3; i++) {
      for (int c = 0; c < INPUTS; c++) out[c] = 7;
      ebr_samples_gather(s, i, &n, 1, out);
      absent += !is_present(s, n, i);
      for (int c = 0; c < INPUTS; c++) {
        double expected = ((double)s->x[i][n * INPUTS + c] - (double)s->mean[i][c]) * (double)s->scale[i][c];
        assert_true(fabs((double)out[c] - (is_present(s, n, i) ? expected : 0)) < 1e-5);
      }
    }
  assert_true(absent > 100);
  ebr_samples_destroy(&s);
}

/* A constant feature has scale 0: without noise and prototypes' spread, tanh aside, all inputs are the same. */
static void constant_features_become_zero(void **state)
{
  ebr_config config = made_config();
  set(&config, "data.mixing", "none");
  set(&config, "data.noise_scale", "0");
  ebr_samples *s = make(&config);
  ebr_real out[INPUTS];
  ebr_samples_gather(s, 0, s->test, 1, out);
  assert_true(s->scale[0][0] > 0 && out[0] != 0);
  for (int c = 3; c < INPUTS; c++) {
    assert_true(s->scale[0][c] == 0);
    assert_true(out[c] == 0);
  }
  ebr_samples_destroy(&s);
}

static void modalities_are_missing_at_their_rates(void **state)
{
  ebr_config config = made_config();
  set(&config, "missing.train", "[0.6, 0.1]");
  ebr_samples *s = make(&config);
  int missing[3] = {0}, none = 0;
  for (int t = 0; t < TRAIN; t++) {
    int here = 0;
    for (int i = 0; i < 3; i++) {
      missing[i] += !is_present(s, s->train[t], i);
      here += is_present(s, s->train[t], i);
    }
    none += here == 0;
  }
  assert_int_equal(none, 0);
  /* A third of the samples that lost everything (0.6 * 0.1 * 0.1) get each modality back. */
  const double rate[3] = {0.6 - 0.002, 0.1 - 0.002, 0.1 - 0.002};
  for (int i = 0; i < 3; i++)
    assert_true(fabs((double)missing[i] / TRAIN - rate[i]) < 4 * sqrt(rate[i] * (1 - rate[i]) / TRAIN));
  for (int n = TRAIN; n < TOTAL; n++)
    for (int i = 0; i < 3; i++) assert_true(is_present(s, n, i));
  ebr_samples_destroy(&s);
}

static void one_modality_always_stays(void **state)
{
  ebr_config config = made_config();
  set(&config, "missing.train", "[1, 1, 1]");
  ebr_samples *s = make(&config);
  int kept[3] = {0};
  for (int t = 0; t < TRAIN; t++) {
    int here = 0;
    for (int i = 0; i < 3; i++) {
      here += is_present(s, s->train[t], i);
      kept[i] += is_present(s, s->train[t], i);
    }
    assert_int_equal(here, 1);
  }
  for (int i = 0; i < 3; i++) assert_true(fabs(kept[i] / (double)TRAIN - 1 / 3.0) < 4 * sqrt(2.0 / 9 / TRAIN));
  ebr_samples_destroy(&s);
}

/* A modality that training never has says nothing at test either. */
static void a_modality_never_seen_is_zero(void **state)
{
  ebr_config config = made_config();
  set(&config, "missing.train", "[1, 0]");
  ebr_samples *s = make(&config);
  ebr_real out[INPUTS];
  ebr_samples_gather(s, 0, s->test, 1, out);
  for (int c = 0; c < INPUTS; c++) assert_true(out[c] == 0);
  ebr_samples_destroy(&s);
}

static void upper_classes_miss_twice_as_often(void **state)
{
  const struct {
    const char *rate;
    double lower, upper;
  } cases[] = {{"[0.3, 0]", 0.2, 0.4}, {"[0.9, 0]", 0.8, 1}};
  for (int k = 0; k < 2; k++) {
    ebr_config config = made_config();
    set(&config, "missing.train", cases[k].rate);
    set(&config, "missing.pattern", "label");
    set(&config, "data.label_noise", "0.2"); /* which must not blur the pattern */
    ebr_samples *s = make(&config);
    int missing[2] = {0}, count[2] = {0};
    ebr_stream labels = ebr_stream_start(ebr_config_pair(&config), EBR_PURPOSE_SAMPLES, 0);
    for (int n = 0; n < TRAIN; n++) {
      int upper = ebr_stream_below(&labels, 4) >= 2;
      count[upper]++;
      missing[upper] += !is_present(s, n, 0);
    }
    assert_true(fabs((double)missing[0] / count[0] - cases[k].lower) < 4 * sqrt(0.16 / 2000));
    assert_true(fabs((double)missing[1] / count[1] - cases[k].upper) < 4 * sqrt(0.24 / 2000));
    ebr_samples_destroy(&s);
  }
}

static void label_noise_spares_the_test(void **state)
{
  ebr_config config = made_config();
  set(&config, "data.label_noise", "0.4");
  ebr_samples *s = make(&config);
  ebr_stream labels = ebr_stream_start(ebr_config_pair(&config), EBR_PURPOSE_SAMPLES, 0);
  int changed = 0;
  for (int n = 0; n < TOTAL; n++) {
    int was = (int)ebr_stream_below(&labels, 4);
    if (n >= TRAIN) assert_int_equal(s->label[n], was);
    else changed += s->label[n] != was;
  }
  double rate = 0.4 * 3 / 4; /* a random class is the old one a quarter of the time */
  assert_true(fabs((double)changed / TRAIN - rate) < 4 * sqrt(rate * (1 - rate) / TRAIN));
  ebr_samples_destroy(&s);
}

/* With all values replaced, standardised inputs are standard normal, in test as in training, and carry no class. */
static void feature_noise_is_standard_normal(void **state)
{
  ebr_config config = made_config();
  set(&config, "data.feature_noise", "1");
  ebr_samples *s = make(&config);
  ebr_real *out = malloc(TRAIN * INPUTS * sizeof *out);
  for (int side = 0; side < 2; side++) {
    int rows = side ? s->test_count : s->train_count, beyond = 0;
    double sum = 0, squares = 0, n = (double)rows * INPUTS;
    ebr_samples_gather(s, 0, side ? s->test : s->train, rows, out);
    for (int j = 0; j < rows * INPUTS; j++) {
      sum += (double)out[j];
      squares += (double)out[j] * (double)out[j];
      beyond += fabs((double)out[j]) > 1;
    }
    assert_true(fabs(sum / n) < 4 / sqrt(n));
    assert_true(fabs(squares / n - 1) < 4 * sqrt(2 / n));
    assert_true(fabs(beyond / n - erfc(sqrt(0.5))) < 4 * sqrt(0.317 * 0.683 / n));
  }
  free(out);
  ebr_samples_destroy(&s);
}

static void feature_noise_replaces_its_share(void **state)
{
  ebr_config config = made_config();
  set(&config, "data.mixing", "none");
  set(&config, "data.feature_noise", "0.25");
  ebr_samples *s = make(&config);
  int replaced = 0;
  for (int j = 0; j < TOTAL * INPUTS; j++) replaced += s->x[1][j] != s->truth[1][j];
  assert_true(fabs(replaced / (double)(TOTAL * INPUTS) - 0.25) < 4 * sqrt(0.25 * 0.75 / (TOTAL * INPUTS)));
  ebr_samples_destroy(&s);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(training_samples_alone_set_the_standard),
      cmocka_unit_test(absent_rows_are_gathered_as_zeros),
      cmocka_unit_test(constant_features_become_zero),
      cmocka_unit_test(modalities_are_missing_at_their_rates),
      cmocka_unit_test(one_modality_always_stays),
      cmocka_unit_test(a_modality_never_seen_is_zero),
      cmocka_unit_test(upper_classes_miss_twice_as_often),
      cmocka_unit_test(label_noise_spares_the_test),
      cmocka_unit_test(feature_noise_is_standard_normal),
      cmocka_unit_test(feature_noise_replaces_its_share),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
