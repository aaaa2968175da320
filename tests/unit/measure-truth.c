/* Regressions on the truth: coefficients that are known are found, features that are copies share theirs, and what is kept
 * is kept for its pair alone. */
#include "measure/truth.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MODALITIES = 2, EACH = 3, FEATURES = MODALITIES * EACH, SAMPLES = 400, TRAIN = 97, TEST = SAMPLES - TRAIN, COLUMNS = 4 };

typedef struct data {
  ebr_samples samples;
  float truth[MODALITIES][SAMPLES * EACH];
  int32_t test[TEST];
} data;

static void must(ebr_error *error)
{
  if (error) fail_msg("%s", ebr_error_message(error));
}

/* The last feature of all is a copy of the first. */
static void make(data *d, uint32_t index)
{
  ebr_stream stream = ebr_stream_start(8, EBR_PURPOSE_TEST, index);
  *d = (data){.samples = {.modalities = MODALITIES, .total = SAMPLES, .test_count = TEST, .predictive = 2, .noise = 1}};
  for (int i = 0; i < MODALITIES; i++) {
    for (int k = 0; k < SAMPLES * EACH; k++) d->truth[i][k] = (float)(40 + 3 * ebr_stream_normal(&stream));
    d->samples.truth[i] = d->truth[i];
  }
  for (int k = 0; k < SAMPLES * EACH; k += EACH) d->truth[MODALITIES - 1][k + EACH - 1] = d->truth[0][k];
  for (int n = 0; n < TEST; n++) d->test[n] = SAMPLES - 1 - n;
  d->samples.test = d->test;
}

/* Column c of what is regressed is 5 + sum over f of c + f standardised features. */
static void regress(const ebr_truth *truth, double *weight)
{
  double feature[TEST * FEATURES], products[COLUMNS * FEATURES] = {0};
  ebr_truth_standardised(truth, 0, 100, feature);
  ebr_truth_standardised(truth, 100, TEST - 100, feature + (size_t)100 * FEATURES);
  for (int n = 0; n < TEST; n++)
    for (int c = 0; c < COLUMNS; c++) {
      double value = 5;
      for (int f = 0; f < FEATURES; f++) value += (c + f) * feature[n * FEATURES + f];
      for (int f = 0; f < FEATURES; f++) products[c * FEATURES + f] += value * feature[n * FEATURES + f];
    }
  ebr_truth_regress(truth, COLUMNS, products, weight);
}

static ebr_truth *found(const data *d, uint64_t pair)
{
  ebr_truth *truth = NULL;
  must(ebr_truth_create(&truth));
  must(ebr_truth_find(truth, &d->samples, pair));
  return truth;
}

static void features_have_mean_0_and_variance_1(void **state)
{
  static data d;
  double feature[TEST * FEATURES];
  make(&d, 0);
  ebr_truth *truth = found(&d, 1);
  assert_int_equal(ebr_truth_features(truth), FEATURES);
  ebr_truth_standardised(truth, 0, TEST, feature);
  for (int f = 0; f < FEATURES; f++) {
    double sum = 0, squares = 0;
    for (int n = 0; n < TEST; n++) {
      sum += feature[n * FEATURES + f];
      squares += feature[n * FEATURES + f] * feature[n * FEATURES + f];
    }
    assert_true(fabs(sum / TEST) < 1e-12);
    assert_true(fabs(squares / TEST - 1) < 1e-12);
  }
  ebr_truth_destroy(&truth);
  (void)state;
}

/* The ridge shrinks coefficients by a millionth. */
static void coefficients_are_found_and_copies_share(void **state)
{
  static data d;
  double weight[COLUMNS * FEATURES];
  make(&d, 0);
  ebr_truth *truth = found(&d, 1);
  regress(truth, weight);
  for (int c = 0; c < COLUMNS; c++)
    for (int f = 0; f < FEATURES; f++) {
      bool copied = f == 0 || f == FEATURES - 1;
      double expected = copied ? c + 0.5 * (FEATURES - 1) : c + f;
      assert_true(fabs(weight[c * FEATURES + f] - expected) < 2e-5);
    }
  ebr_truth_destroy(&truth);
  (void)state;
}

/* Other samples of the same pair have the same truth, of which what was found is kept; another pair's is found anew. */
static void each_pair_has_its_own(void **state)
{
  static data first, again, other;
  double kept[COLUMNS * FEATURES], fresh[COLUMNS * FEATURES];
  make(&first, 0);
  make(&again, 0);
  make(&other, 1);
  ebr_truth *shared = found(&first, 1);
  memset(&first, 0, sizeof first);
  const data *turns[] = {&again, &other, &again};
  for (int k = 0; k < 3; k++) {
    must(ebr_truth_find(shared, &turns[k]->samples, k % 2 ? 2 : 1));
    regress(shared, kept);
    ebr_truth *own = found(turns[k], k % 2 ? 2 : 1);
    regress(own, fresh);
    assert_memory_equal(kept, fresh, sizeof kept);
    ebr_truth_destroy(&own);
  }
  ebr_truth_destroy(&shared);
  (void)state;
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(features_have_mean_0_and_variance_1),
                                     cmocka_unit_test(coefficients_are_found_and_copies_share),
                                     cmocka_unit_test(each_pair_has_its_own)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
