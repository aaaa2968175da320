/* Filling in for missing modalities at test, where the answer is known beforehand: nothing missing, a copy of what is
 * missing at hand, the very sample among those to retrieve from, and networks to which a modality means nothing. */
#include "measure/autoencoder.h"
#include "measure/column.h"
#include "measure/gaps.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made_samples.h"

enum { FILLINGS = 6 };
static const char *const fillings[FILLINGS] = {"zero", "mean", "drop", "substitute", "retrieve", "autoencoder"};

typedef struct fixture {
  ebr_config config;
  ebr_samples samples;
  ebr_trainer *trainer;
  ebr_schema *schema;
  ebr_record *record;
  ebr_scores whole;
} fixture;

static void must(ebr_error *error)
{
  if (error) fail_msg("%s", ebr_error_message(error));
}

static void set(ebr_config *config, const char *name, const char *value)
{
  must(ebr_config_set(config, ebr_parameter_find(name), value));
}

static void setup(fixture *f, const char *method, const char *rates)
{
  *f = (fixture){0};
  must(made_samples(3, &f->samples));
  ebr_config_defaults(&f->config);
  set(&f->config, "data.source", "hdf5");
  set(&f->config, "model.encoder", "[6, 5]");
  set(&f->config, "model.width", "12");
  set(&f->config, "train.batch", "16");
  set(&f->config, "train.rate", "0.01");
  set(&f->config, "train.epochs", "12");
  set(&f->config, "method", method);
  set(&f->config, "measure.missing", rates);
  set(&f->config, "measure.autoencoder", "16");
}

static void train(fixture *f)
{
  must(ebr_trainer_create(&f->config, &f->samples, -1, ebr_config_pair(&f->config), NULL, &f->trainer));
  for (int k = 0; k < 12; k++) {
    ebr_losses losses;
    int64_t diverged;
    ebr_trainer_epoch(f->trainer, &losses, &diverged);
    assert_int_equal(diverged, -1);
  }
}

static void measure(fixture *f)
{
  ebr_shape shape = ebr_samples_describe(&f->samples);
  ebr_subject subject = {.config = &f->config, .samples = &f->samples, .trainer = f->trainer, .only = -1, .last = true};
  must(ebr_evaluate(ebr_trainer_network(f->trainer), &f->samples, -1, f->samples.test, f->samples.test_count, NULL,
                    NULL, NULL, &f->whole));
  must(ebr_schema_create(&f->schema));
  must(ebr_measure_missing.declare(&f->config, &shape, f->schema));
  must(ebr_record_create(f->schema, &f->record));
  ebr_record_clear(f->record);
  must(ebr_measure_take(&ebr_measure_missing, &subject, f->record));
}

static double value_of(const fixture *f, const char *measure_name, const char *filling, const char *level)
{
  char name[64];
  snprintf(name, sizeof name, "%s.%s.%s", measure_name, filling, level);
  int column = ebr_schema_find(f->schema, name);
  if (column < 0) fail_msg("there is no column %s", name);
  return f->record->values[ebr_schema_at(f->schema, column)->offset];
}

static double accuracy(const fixture *f, const char *filling, const char *rate)
{
  return value_of(f, "missing_accuracy", filling, rate);
}

static double counted(const fixture *f, const char *filling, const char *count)
{
  return value_of(f, "missing_count_accuracy", filling, count);
}

static void teardown(fixture *f)
{
  ebr_record_destroy(&f->record);
  ebr_schema_destroy(&f->schema);
  ebr_trainer_destroy(&f->trainer);
  ebr_arena_destroy(&f->samples.owned);
}

static void nothing_missing_changes_nothing(void **state)
{
  static const char *const methods[] = {"vanilla", "ebr"}, *const heads[] = {"concat", "grape", "muse"};
  for (int m = 0; m < 2; m++)
    for (int h = 0; h < 3; h++) {
      fixture f;
      setup(&f, methods[m], "[0]");
      set(&f.config, "model.fusion", heads[h]);
      train(&f);
      measure(&f);
      for (int k = 0; k < FILLINGS; k++) assert_true(accuracy(&f, fillings[k], "0") == f.whole.accuracy);
      teardown(&f);
    }
}

/* All modalities are the first, in the data and in the weights: any of them stands in for any other. */
static void make_copies(fixture *f)
{
  for (int i = 1; i < MADE_MODALITIES; i++) {
    f->samples.inputs[i] = f->samples.inputs[0];
    f->samples.x[i] = f->samples.x[0];
    f->samples.mean[i] = f->samples.mean[0];
    f->samples.scale[i] = f->samples.scale[0];
  }
}

static void copy_encoder(fixture *f)
{
  ebr_network *network = ebr_trainer_network(f->trainer);
  for (int t = 0; t < ebr_network_tensor_count(network); t++) {
    const ebr_tensor *tensor = ebr_network_tensor(network, t);
    char name[48];
    size_t count = (size_t)tensor->rows * (size_t)tensor->cols;
    const char *dot = strchr(tensor->name, '.');
    if (strncmp(tensor->name, "f.", 2) != 0 && strncmp(tensor->name, "h", 1) != 0) continue;
    snprintf(name, sizeof name, "%.*s.0%s", (int)(dot - tensor->name), tensor->name, dot + 2);
    int first = ebr_network_tensor_find(network, name);
    assert_true(first >= 0);
    memcpy(ebr_network_values(network) + tensor->offset,
           ebr_network_values(network) + ebr_network_tensor(network, first)->offset, count * sizeof(ebr_real));
  }
}

static void copies_substitute_exactly(void **state)
{
  static const char *const methods[] = {"vanilla", "ebr"};
  for (int m = 0; m < 2; m++) {
    fixture f;
    setup(&f, methods[m], "[0.5, 0.9]");
    make_copies(&f);
    train(&f);
    copy_encoder(&f);
    measure(&f);
    assert_true(accuracy(&f, "substitute", "0.5") == f.whole.accuracy);
    assert_true(accuracy(&f, "substitute", "0.9") == f.whole.accuracy);
    assert_true(accuracy(&f, "zero", "0.9") != f.whole.accuracy);
    teardown(&f);
  }
}

/* Two linear encoders of the same: either latent is a linear function of the other, which the network has to find. */
static void copies_are_rebuilt(void **state)
{
  static const char *const methods[] = {"vanilla", "ebr"};
  for (int m = 0; m < 2; m++) {
    fixture f;
    setup(&f, methods[m], "[0.5]");
    set(&f.config, "model.activation", "none");
    f.samples.modalities = 2;
    make_copies(&f);
    train(&f);
    measure(&f);
    assert_true(fabs(accuracy(&f, "autoencoder", "0.5") - f.whole.accuracy) <= 1.0 / MADE_TEST);
    assert_true(accuracy(&f, "zero", "0.5") < f.whole.accuracy - 0.05);
    teardown(&f);
  }
}

/* Tested on what it was trained on, a sample's nearest neighbour is the sample. */
static void a_sample_retrieves_itself(void **state)
{
  static const char *const methods[] = {"vanilla", "ebr"};
  for (int m = 0; m < 2; m++) {
    fixture f;
    setup(&f, methods[m], "[0.5, 0.9]");
    f.samples.test = f.samples.train;
    train(&f);
    measure(&f);
    assert_true(accuracy(&f, "retrieve", "0.5") == f.whole.accuracy);
    assert_true(accuracy(&f, "retrieve", "0.9") == f.whole.accuracy);
    assert_true(accuracy(&f, "zero", "0.9") < f.whole.accuracy);
    teardown(&f);
  }
}

static void without_edges_concat_sees_zeros(void **state)
{
  fixture f;
  setup(&f, "vanilla", "[0.3, 0.7]");
  train(&f);
  measure(&f);
  assert_true(accuracy(&f, "drop", "0.3") == accuracy(&f, "zero", "0.3"));
  assert_true(accuracy(&f, "drop", "0.7") == accuracy(&f, "zero", "0.7"));
  teardown(&f);
}

/* With constant inputs a slice is its own mean: replacing it by the mean changes nothing. */
static void a_constant_is_its_mean(void **state)
{
  fixture f;
  setup(&f, "vanilla", "[0.9]");
  for (int i = 0; i < MADE_MODALITIES; i++)
    for (int k = 0; k < MADE_TOTAL * f.samples.inputs[i]; k++) ((float *)f.samples.x[i])[k] = 0.5f;
  train(&f);
  measure(&f);
  assert_true(accuracy(&f, "mean", "0.9") == f.whole.accuracy);
  teardown(&f);
}

/* The curve says the same as the scalars, and unimodal runs have no such measure. */
static void curve_and_scalars_agree(void **state)
{
  fixture f;
  setup(&f, "vanilla", "[0, 0.5, 0.9]");
  ebr_shape shape = ebr_samples_describe(&f.samples);
  train(&f);
  measure(&f);
  for (int k = 0; k < FILLINGS; k++) {
    static const char *const rates[] = {"0", "0.5", "0.9"};
    char name[64];
    snprintf(name, sizeof name, "missing_accuracy.%s", fillings[k]);
    const ebr_column *curve = ebr_schema_at(f.schema, ebr_schema_find(f.schema, name));
    assert_int_equal(curve->points, 3);
    for (int r = 0; r < 3; r++)
      assert_true(f.record->values[curve->offset + (size_t)r] == accuracy(&f, fillings[k], rates[r]));
  }
  teardown(&f);
  setup(&f, "unimodal", "[0.5]");
  must(ebr_schema_create(&f.schema));
  must(ebr_measure_missing.declare(&f.config, &shape, f.schema));
  assert_int_equal(ebr_schema_count(f.schema), 0);
  teardown(&f);
}

enum { GAP_TESTS = 6000, GAP_MODALITIES = 4 };

typedef struct gap_fixture {
  ebr_samples samples;
  int32_t test[GAP_TESTS];
  uint8_t has[GAP_TESTS * GAP_MODALITIES], present[GAP_TESTS * GAP_MODALITIES], again[GAP_TESTS * GAP_MODALITIES];
} gap_fixture;

/* Every other sample lacks its second modality, one in four the third as well. */
static gap_fixture *gap_setup(void)
{
  gap_fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  f->samples = (ebr_samples){.modalities = GAP_MODALITIES, .test_count = GAP_TESTS, .test = f->test};
  for (int s = 0; s < GAP_TESTS; s++) {
    f->test[s] = GAP_TESTS - 1 - s;
    for (int i = 0; i < GAP_MODALITIES; i++)
      f->has[s * GAP_MODALITIES + i] = !(i == 1 && s % 2 == 0) && !(i == 2 && s % 4 == 0);
  }
  return f;
}

static int binomial(int n, int k) { return k == 0 ? 1 : binomial(n - 1, k - 1) * n / k; }

/* Every sample lacks k, and each subset of k comes equally often: within five standard deviations of a count. */
static void exactly_k_are_missing(void **state)
{
  gap_fixture *f = gap_setup();
  for (int k = 0; k < GAP_MODALITIES; k++) {
    int seen[1 << GAP_MODALITIES] = {0}, subsets = binomial(GAP_MODALITIES, k);
    double expected = (double)GAP_TESTS / subsets;
    ebr_gaps_exactly(&f->samples, 17, k, f->present);
    ebr_gaps_exactly(&f->samples, 17, k, f->again);
    assert_memory_equal(f->present, f->again, sizeof f->present);
    for (int s = 0; s < GAP_TESTS; s++) {
      int lacking = 0, subset = 0;
      for (int i = 0; i < GAP_MODALITIES; i++) {
        lacking += !f->present[s * GAP_MODALITIES + i];
        subset |= !f->present[s * GAP_MODALITIES + i] << i;
      }
      assert_int_equal(lacking, k);
      seen[subset]++;
    }
    for (int subset = 0, bits; subset < 1 << GAP_MODALITIES; subset++) {
      bits = 0;
      for (int i = 0; i < GAP_MODALITIES; i++) bits += subset >> i & 1;
      if (bits == k) assert_true(fabs(seen[subset] - expected) <= 5 * sqrt(expected));
      else assert_int_equal(seen[subset], 0);
    }
  }
  free(f);
}

/* What the data lack counts among the k, nothing comes back, and what has fewer left stays as it is. */
static void what_the_data_lack_counts(void **state)
{
  gap_fixture *f = gap_setup();
  f->samples.present = f->has;
  for (int k = 0; k < GAP_MODALITIES; k++) {
    ebr_gaps_exactly(&f->samples, 17, k, f->present);
    for (int s = 0; s < GAP_TESTS; s++) {
      int before = 0, after = 0;
      for (int i = 0; i < GAP_MODALITIES; i++) {
        int had = f->has[f->test[s] * GAP_MODALITIES + i], has = f->present[s * GAP_MODALITIES + i];
        before += !had;
        after += !has;
        assert_true(had >= has);
      }
      assert_int_equal(after, before > k ? before : k);
    }
  }
  free(f);
}

/* With none missing nothing changes, and substitution from copies is exact however many are missing. */
static void counts_fill_as_rates_do(void **state)
{
  fixture f;
  setup(&f, "ebr", "[]");
  set(&f.config, "measure.missing_count", "[0, 1, 2]");
  make_copies(&f);
  train(&f);
  copy_encoder(&f);
  measure(&f);
  for (int k = 0; k < FILLINGS; k++) assert_true(counted(&f, fillings[k], "0") == f.whole.accuracy);
  assert_true(counted(&f, "substitute", "1") == f.whole.accuracy);
  assert_true(counted(&f, "substitute", "2") == f.whole.accuracy);
  assert_true(counted(&f, "zero", "2") != f.whole.accuracy);
  assert_int_equal(ebr_schema_find(f.schema, "missing_accuracy.zero"), -1);
  teardown(&f);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_missing_changes_nothing),
                                     cmocka_unit_test(copies_substitute_exactly),
                                     cmocka_unit_test(copies_are_rebuilt),
                                     cmocka_unit_test(a_sample_retrieves_itself),
                                     cmocka_unit_test(without_edges_concat_sees_zeros),
                                     cmocka_unit_test(a_constant_is_its_mean),
                                     cmocka_unit_test(curve_and_scalars_agree),
                                     cmocka_unit_test(exactly_k_are_missing),
                                     cmocka_unit_test(what_the_data_lack_counts),
                                     cmocka_unit_test(counts_fill_as_rates_do)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
