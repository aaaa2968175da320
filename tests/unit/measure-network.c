/* Measures of whole networks: against known mixings, direct computation, and conservation of variance. */
#include "measure/column.h"
#include "measure/encoding.h"
#include "measure/removal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made_samples.h"

static void must(ebr_error *error)
{
  if (error) fail_msg("%s", ebr_error_message(error));
}

static void close_to(double value, double expected, double tolerance)
{
  if (!(fabs(value - expected) <= tolerance)) fail_msg("%.17g is not %.17g", value, expected);
}

static void set(ebr_config *config, const char *name, const char *value)
{
  must(ebr_config_set(config, ebr_parameter_find(name), value));
}

typedef struct fixture {
  ebr_config config;
  ebr_samples samples;
  ebr_trainer *trainer;
  ebr_schema *schema;
  ebr_record *record;
} fixture;

static int setup(void **state)
{
  static fixture f;
  f = (fixture){0};
  must(made_samples(3, &f.samples));
  ebr_config_defaults(&f.config);
  set(&f.config, "data.source", "hdf5");
  set(&f.config, "model.encoder", "[6, 5]");
  set(&f.config, "model.width", "7");
  set(&f.config, "train.batch", "16");
  set(&f.config, "train.rate", "0.01");
  set(&f.config, "train.epochs", "5");
  *state = &f;
  return 0;
}

static int teardown(void **state)
{
  fixture *f = *state;
  ebr_record_destroy(&f->record);
  ebr_schema_destroy(&f->schema);
  ebr_trainer_destroy(&f->trainer);
  ebr_arena_destroy(&f->samples.owned);
  return 0;
}

static void start(fixture *f)
{
  must(ebr_trainer_create(&f->config, &f->samples, -1, ebr_config_pair(&f->config), NULL, &f->trainer));
}

static void train(fixture *f, int epochs)
{
  for (int k = 0; k < epochs; k++) {
    ebr_losses losses;
    int64_t diverged;
    ebr_trainer_epoch(f->trainer, &losses, &diverged);
    assert_int_equal(diverged, -1);
  }
}

static ebr_subject subject_of(fixture *f)
{
  bool alone = f->config.method == EBR_METHOD_UNIMODAL;
  return (ebr_subject){.config = &f->config,
                       .samples = &f->samples,
                       .trainer = f->trainer,
                       .only = alone ? (int)f->config.unimodal_modality : -1,
                       .last = true};
}

static double value_of(const fixture *f, const char *name, int point, int index)
{
  int column = ebr_schema_find(f->schema, name);
  if (column < 0) fail_msg("there is no column %s", name);
  const ebr_column *c = ebr_schema_at(f->schema, column);
  return f->record->values[c->offset + (size_t)(point * c->values + index)];
}

/* ---- points ------------------------------------------------------------------------------------------------------ */

static void points_are_start_every_and_end(void **state)
{
  static const int cases[][3] = {{0, 0, 1}, {0, 5, 1}, {10, 0, 2}, {10, 4, 4}, {10, 5, 3}, {10, 20, 2}, {3, 1, 4}};
  ebr_config config;
  ebr_config_defaults(&config);
  for (int k = 0; k < 7; k++) {
    config.train_epochs = cases[k][0];
    config.measure_every = cases[k][1];
    assert_int_equal(ebr_measure_points(&config), cases[k][2]);
    int expected = 0;
    for (int epoch = 0; epoch <= config.train_epochs; epoch++) {
      bool taken = epoch == 0 || epoch == config.train_epochs || (cases[k][1] > 0 && epoch % cases[k][1] == 0);
      assert_int_equal(ebr_measure_point(&config, epoch), taken ? expected++ : -1);
    }
    assert_int_equal(expected, cases[k][2]);
  }
}

static void names_that_are_too_long_are_refused(void **state)
{
  fixture *f = *state;
  const ebr_column_kind kind = {"", "", 1, 1};
  must(ebr_schema_create(&f->schema));
  ebr_error *error = ebr_column_declare(f->schema, &kind, "%080d", 1);
  assert_int_equal(ebr_error_code(error), EBR_INTERNAL);
  assert_non_null(strstr(ebr_error_message(error), "is too long for a column's name"));
  ebr_error_destroy(&error);
}

/* ---- encodings --------------------------------------------------------------------------------------------------- */

enum { EACH = 3, TRUTH_ROWS = MADE_TOTAL };

/* Adds latents to the samples and makes them the inputs. */
static void reveal_truth(fixture *f)
{
  static float truth[MADE_MODALITIES][TRUTH_ROWS * EACH], zero[EACH], one[EACH] = {1, 1, 1};
  ebr_stream stream = ebr_stream_start(21, EBR_PURPOSE_TEST, 0);
  for (int i = 0; i < MADE_MODALITIES; i++) {
    for (int k = 0; k < TRUTH_ROWS * EACH; k++) truth[i][k] = (float)((1 + k % EACH) * ebr_stream_normal(&stream) + 2);
    f->samples.truth[i] = f->samples.x[i] = truth[i];
    f->samples.mean[i] = zero;
    f->samples.scale[i] = one;
    f->samples.inputs[i] = EACH;
  }
  f->samples.predictive = 2;
  f->samples.noise = EACH - 2;
  set(&f->config, "data.source", "synthetic");
}

static const ebr_real *values_of(ebr_network *network, const char *name)
{
  int tensor = ebr_network_tensor_find(network, name);
  if (tensor < 0) fail_msg("there is no tensor %s", name);
  return ebr_network_values(network) + ebr_network_tensor(network, tensor)->offset;
}

static double deviation_of(const ebr_samples *samples, int modality, int feature)
{
  double sum = 0, squares = 0;
  for (int b = 0; b < MADE_TEST; b++) sum += (double)samples->truth[modality][samples->test[b] * EACH + feature];
  for (int b = 0; b < MADE_TEST; b++) {
    double deviation = (double)samples->truth[modality][samples->test[b] * EACH + feature] - sum / MADE_TEST;
    squares += deviation * deviation;
  }
  return sqrt(squares / MADE_TEST);
}

/* In a linear network the other ways to E are known from the regression's: sensitivity is its size, influence that times
 * the norm of the neuron's weights to the outputs. */
static void other_encodings_of_a_linear_network(void **state)
{
  fixture *f = *state;
  ebr_encoding encoding, influence, sensitivity;
  reveal_truth(f);
  set(&f->config, "model.activation", "none");
  set(&f->config, "model.encoder", "[5]");
  start(f);
  ebr_subject subject = subject_of(f);
  must(ebr_encoding_take(&subject, &encoding));
  must(ebr_encoding_influence.take(&subject, &influence));
  must(ebr_encoding_sensitivity.take(&subject, &sensitivity));
  const ebr_real *last = values_of(ebr_trainer_network(f->trainer), "phi.weight.1");
  for (int j = 0; j < 7; j++) {
    double squares = 0;
    for (int c = 0; c < MADE_CLASSES; c++) squares += pow((double)last[j * MADE_CLASSES + c], 2);
    for (int k = 0; k < encoding.features; k++) {
      double weight = encoding.weight[j * encoding.features + k];
      close_to(sensitivity.weight[j * encoding.features + k], fabs(weight), 1e-4);
      close_to(influence.weight[j * encoding.features + k], weight * sqrt(squares), 1e-4);
      assert_int_equal(influence.modality[k], encoding.modality[k]);
      assert_int_equal(sensitivity.predictive[k], encoding.predictive[k]);
    }
  }
  ebr_encoding_destroy(&encoding);
  ebr_encoding_destroy(&influence);
  ebr_encoding_destroy(&sensitivity);
}

/* A neuron that ReLU keeps off for all samples is deaf; its weights still speak. */
static void a_dead_neuron_is_insensitive(void **state)
{
  fixture *f = *state;
  ebr_encoding influence, sensitivity;
  reveal_truth(f);
  start(f);
  ebr_network *network = ebr_trainer_network(f->trainer);
  const ebr_tensor *bias = ebr_network_tensor(network, ebr_network_tensor_find(network, "phi.bias.0"));
  ebr_network_values(network)[bias->offset] = -1e6;
  ebr_subject subject = subject_of(f);
  must(ebr_encoding_influence.take(&subject, &influence));
  must(ebr_encoding_sensitivity.take(&subject, &sensitivity));
  double heard = 0, spoken = 0, other = 0;
  for (int k = 0; k < sensitivity.features; k++) {
    heard += sensitivity.weight[k];
    spoken += fabs(influence.weight[k]);
    other += sensitivity.weight[sensitivity.features + k];
  }
  assert_true(heard == 0 && spoken > 0 && other > 0);
  ebr_encoding_destroy(&influence);
  ebr_encoding_destroy(&sensitivity);
}

/* Without activations neuron j is linear in the latents: its weight on feature f is (A_i W_i)[f][j], A_i the encoder.
 */
static void encodings_of_a_linear_network_are_its_weights(void **state)
{
  fixture *f = *state;
  ebr_encoding encoding;
  reveal_truth(f);
  set(&f->config, "model.activation", "none");
  set(&f->config, "model.encoder", "[5]");
  start(f);
  ebr_network *network = ebr_trainer_network(f->trainer);
  double head[15 * 7];
  ebr_network_head(network, head);
  ebr_subject subject = subject_of(f);
  must(ebr_encoding_take(&subject, &encoding));
  assert_int_equal(encoding.features, MADE_MODALITIES * EACH);
  for (int feature = 0; feature < encoding.features; feature++) {
    int i = feature / EACH, k = feature % EACH;
    char name[32];
    snprintf(name, sizeof name, "f.%d.weight.0", i);
    const ebr_real *encoder = values_of(network, name);
    assert_int_equal(encoding.modality[feature], i);
    assert_int_equal(encoding.predictive[feature], k < 2);
    for (int j = 0; j < 7; j++) {
      double expected = 0;
      for (int c = 0; c < 5; c++) expected += (double)encoder[k * 5 + c] * head[(i * 5 + c) * 7 + j];
      close_to(encoding.weight[j * encoding.features + feature], expected * deviation_of(&f->samples, i, k), 1e-4);
    }
  }
  ebr_encoding_destroy(&encoding);
}

/* A unimodal network knows nothing of the other modalities: no pairs, and what is left on them is chance. */
static void unimodal_network_has_no_colliding_pairs(void **state)
{
  fixture *f = *state;
  ebr_encoding encoding;
  ebr_sharing sharing;
  reveal_truth(f);
  set(&f->config, "model.activation", "none");
  set(&f->config, "method", "unimodal");
  set(&f->config, "unimodal.modality", "1");
  start(f);
  ebr_subject subject = subject_of(f);
  must(ebr_encoding_take(&subject, &encoding));
  ebr_sharing_at(&encoding, EBR_THRESHOLD_RELATIVE, 0.01, &sharing);
  assert_true(sharing.colliding_pairs == 0 && sharing.shared_neurons == 0);
  assert_true(sharing.occupancy > 0.3 && sharing.occupancy <= 1.0 / 3);
  ebr_encoding_destroy(&encoding);
}

typedef struct slices {
  ebr_real train[MADE_TRAIN][15], test[MADE_TEST][15];
  ebr_real (*to)[15];
} slices;

static void keep(void *context, ebr_network *network, int begin, int count, const ebr_batch *batch)
{
  slices *s = context;
  for (int i = 0; i < MADE_MODALITIES; i++)
    for (int b = 0; b < count; b++)
      memcpy(&s->to[begin + b][i * 5], ebr_network_fused(network, i) + b * 5, 5 * sizeof(ebr_real));
  (void)batch;
}

static void keep_slices(fixture *f, slices *s)
{
  ebr_network *network = ebr_trainer_network(f->trainer);
  ebr_scores scores;
  s->to = s->train;
  must(ebr_evaluate(network, &f->samples, -1, f->samples.train, MADE_TRAIN, NULL, keep, s, &scores));
  s->to = s->test;
  must(ebr_evaluate(network, &f->samples, -1, f->samples.test, MADE_TEST, NULL, keep, s, &scores));
}

static double mean_of(const slices *s, int column)
{
  double sum = 0;
  for (int b = 0; b < MADE_TRAIN; b++) sum += (double)s->train[b][column];
  return sum / MADE_TRAIN;
}

/* In a linear head the change is (slice - mean) W_i, whatever the others do. */
static void sensitivities_of_a_linear_head_are_projections(void **state)
{
  fixture *f = *state;
  static slices s;
  ebr_encoding encoding;
  double head[15 * 7];
  set(&f->config, "model.activation", "none");
  start(f);
  ebr_network_head(ebr_trainer_network(f->trainer), head);
  ebr_subject subject = subject_of(f);
  must(ebr_encoding_take(&subject, &encoding));
  keep_slices(f, &s);
  assert_int_equal(encoding.features, MADE_MODALITIES);
  for (int i = 0; i < MADE_MODALITIES; i++)
    for (int j = 0; j < 7; j++) {
      double squares = 0;
      for (int b = 0; b < MADE_TEST; b++) {
        double change = 0;
        for (int c = i * 5; c < i * 5 + 5; c++) change += ((double)s.test[b][c] - mean_of(&s, c)) * head[c * 7 + j];
        squares += change * change;
      }
      close_to(encoding.weight[j * MADE_MODALITIES + i], sqrt(squares / MADE_TEST), 1e-5);
    }
  ebr_encoding_destroy(&encoding);
}

/* ---- contributions ----------------------------------------------------------------------------------------------- */

typedef struct replacement {
  const slices *s;
  int modality;
} replacement;

static void replace(void *context, ebr_network *network, int begin, int count, uint8_t *present)
{
  const replacement *r = context;
  for (int b = 0; b < count; b++)
    for (int c = 0; c < 5; c++)
      ebr_network_fused(network, r->modality)[b * 5 + c] = (ebr_real)mean_of(r->s, r->modality * 5 + c);
  (void)begin, (void)present;
}

static void removal_is_replacement_by_the_training_mean(void **state)
{
  fixture *f = *state;
  static slices s;
  ebr_scores whole, without[MADE_MODALITIES], one, direct;
  start(f);
  train(f, 3);
  keep_slices(f, &s);
  must(ebr_removal_pass(f->trainer, &f->samples, -1, 0, MADE_MODALITIES, NULL, NULL, &whole, without));
  for (int i = 0; i < MADE_MODALITIES; i++) {
    replacement r = {&s, i};
    must(ebr_evaluate(ebr_trainer_network(f->trainer), &f->samples, -1, f->samples.test, MADE_TEST, replace, NULL, &r,
                      &direct));
    must(ebr_measure_without(f->trainer, &f->samples, -1, i, &one));
    close_to(without[i].loss, direct.loss, 1e-6);
    close_to(without[i].accuracy, direct.accuracy, 0);
    assert_true(one.loss == without[i].loss && one.accuracy == without[i].accuracy);
  }
  assert_true(without[0].loss - whole.loss > 0.1);
}

static void declare(fixture *f)
{
  ebr_shape shape = ebr_samples_describe(&f->samples);
  must(ebr_schema_create(&f->schema));
  must(ebr_measures_declare(&f->config, &shape, f->schema));
  must(ebr_record_create(f->schema, &f->record));
}

/* A modality behind a strength of zero contributes nothing at all, and its neurons cannot collide. */
static void silent_modality_contributes_nothing(void **state)
{
  fixture *f = *state;
  const ebr_scores alone[MADE_MODALITIES] = {{0.5, 0.9}, {0.6, 0.8}, {1.3, 0.3}};
  const double contribution[MADE_MODALITIES] = {1, 0.8, 0.001};
  set(&f->config, "model.strength.last", "0");
  set(&f->config, "train.epochs", "3");
  start(f);
  train(f, 3);
  declare(f);
  ebr_subject subject = subject_of(f);
  subject.point = 1;
  subject.alone = alone;
  subject.alone_contribution = contribution;
  must(ebr_measures_take(&subject, f->record));
  close_to(value_of(f, "contribution.2", 0, 0), 0, 0);
  close_to(value_of(f, "accuracy_drop.2", 0, 0), 0, 0);
  assert_true(value_of(f, "contribution.0", 0, 0) > 0.01);
  assert_true(isnan(value_of(f, "collapse_index.2", 0, 0)));
  double first = 1 - value_of(f, "contribution.0", 0, 0), second = 1 - value_of(f, "contribution.1", 0, 0) / 0.8;
  close_to(value_of(f, "collapse_index.0", 0, 0), first, 1e-14);
  close_to(value_of(f, "collapse_index", 0, 0), (fmin(fmax(first, 0), 1) + fmin(fmax(second, 0), 1)) / 2, 1e-14);
  assert_true(value_of(f, "occupancy.relative.0.05", 0, 0) <= 2.0 / 3);
  close_to(value_of(f, "alone_accuracy.1", 0, 0), 0.8, 0);
}

/* ---- everything -------------------------------------------------------------------------------------------------- */

/* Takes all points of a training; alone is made up. */
static void take_all(fixture *f)
{
  const ebr_scores alone[MADE_MODALITIES] = {{0.5, 0.9}, {0.6, 0.8}, {1.3, 0.3}};
  const double contribution[MADE_MODALITIES] = {1, 0.8, 0.5};
  ebr_losses losses = {0};
  start(f);
  declare(f);
  for (int epoch = 0; epoch <= f->config.train_epochs; epoch++) {
    int64_t diverged;
    if (epoch > 0) ebr_trainer_epoch(f->trainer, &losses, &diverged);
    ebr_subject subject = subject_of(f);
    subject.point = ebr_measure_point(&f->config, epoch);
    subject.last = epoch == f->config.train_epochs;
    subject.losses = epoch > 0 ? &losses : NULL;
    subject.alone = alone;
    subject.alone_contribution = contribution;
    if (subject.point >= 0) must(ebr_measures_take(&subject, f->record));
  }
}

/* Every value that was declared is set, but for the losses of an epoch before the first. */
static void assert_complete(const fixture *f)
{
  for (int k = 0; k < ebr_schema_count(f->schema); k++) {
    const ebr_column *column = ebr_schema_at(f->schema, k);
    bool remedy = strcmp(column->name, "discrimination_loss.by_epoch") == 0;
    for (int v = remedy; v < column->points * column->values; v++)
      if (isnan(f->record->values[column->offset + (size_t)v])) fail_msg("%s[%d] was not set", column->name, v);
  }
}

static double energy(const fixture *f, const char *spectrum, int point, int count)
{
  double squares = 0;
  for (int k = 0; k < count; k++) squares += pow(value_of(f, spectrum, point, k), 2);
  return squares;
}

/* The squares of the singular values add up to what the matrix's entries do. */
static void spectra_conserve_variance(void **state)
{
  fixture *f = *state;
  static slices s;
  set(&f->config, "measure.spectra", "[head, fused, latent, updates]");
  set(&f->config, "measure.every", "2");
  set(&f->config, "measure.probe", "true");
  take_all(f);
  assert_complete(f);
  double head[15 * 7], total = 0, own = 0;
  ebr_network_head(ebr_trainer_network(f->trainer), head);
  for (int k = 0; k < 15 * 7; k++) total += head[k] * head[k];
  close_to(energy(f, "head", 3, 7), total, 1e-12 * total);
  keep_slices(f, &s);
  total = 0;
  for (int c = 0; c < 15; c++) {
    double sum = 0, squares = 0;
    for (int b = 0; b < MADE_TEST; b++) sum += (double)s.test[b][c];
    for (int b = 0; b < MADE_TEST; b++) squares += pow((double)s.test[b][c] - sum / MADE_TEST, 2);
    total += squares;
    own += c >= 5 && c < 10 ? squares : 0;
  }
  close_to(energy(f, "fused", 3, 15), total, 1e-12 * total);
  close_to(energy(f, "latent.1", 3, 5), own, 1e-12 * own);
  /* At one scale each slice brings as much as it has columns. */
  close_to(energy(f, "fused_standardised", 3, 15), 15 * MADE_TEST, 1e-9);
  close_to(energy(f, "updates", 0, 7), 0, 0);
  assert_true(energy(f, "updates", 3, 7) > 1e-4);
  close_to(value_of(f, "updates.effective_rank.by_epoch", 0, 0), 0, 0);
  close_to(value_of(f, "head.effective_rank", 0, 0), value_of(f, "head.effective_rank.by_epoch", 3, 0), 0);
  static const int epochs[4] = {0, 2, 4, 5};
  for (int k = 0; k < 4; k++) close_to(value_of(f, "epoch", k, 0), epochs[k], 0);
  close_to(value_of(f, "test_loss", 0, 0), value_of(f, "test_loss.by_epoch", 3, 0), 0);
  assert_true(value_of(f, "test_loss.by_epoch", 0, 0) > value_of(f, "test_loss", 0, 0));
  close_to(value_of(f, "threshold.relative", 2, 0), 0.2, 0);
  close_to(value_of(f, "initial.occupancy.relative.by_threshold", 1, 0),
           value_of(f, "initial.occupancy.relative.0.1", 0, 0), 0);
  close_to(value_of(f, "probe_excess.2", 0, 0), value_of(f, "probe_loss.2", 0, 0) - 1.3, 1e-14);
  assert_true(value_of(f, "probe_accuracy.0", 0, 0) > 0.7 && value_of(f, "probe_accuracy.2", 0, 0) < 0.5);
}

static void take_method(fixture *f, const char *name, const char *value)
{
  set(&f->config, name, value);
  set(&f->config, "measure.spectra", "[head, fused, latent, updates]");
  set(&f->config, "measure.probe", "true");
  set(&f->config, "measure.collisions.absolute", "[0.1]");
  set(&f->config, "measure.collisions.neuron", "[0.1, 0.3]");
  take_all(f);
  assert_complete(f);
}

static void unimodal_is_measured(void **state)
{
  fixture *f = *state;
  set(&f->config, "unimodal.modality", "1");
  take_method(f, "method", "unimodal");
  assert_int_equal(ebr_schema_find(f->schema, "contribution.0"), -1);
  assert_int_equal(ebr_schema_find(f->schema, "collapse_index"), -1);
  close_to(value_of(f, "weakest_contribution", 0, 0), value_of(f, "contribution.1", 0, 0), 0);
  assert_true(value_of(f, "latent.1.effective_rank", 0, 0) > 1);
}

static void ebr_is_measured(void **state)
{
  fixture *f = *state;
  set(&f->config, "ebr.latent", "4");
  take_method(f, "method", "ebr");
  assert_int_equal(ebr_schema_at(f->schema, ebr_schema_find(f->schema, "latent.0"))->values, 4);
}

static void grape_is_measured(void **state) { take_method(*state, "model.fusion", "grape"); }
static void muse_is_measured(void **state) { take_method(*state, "model.fusion", "muse"); }

static void absent_modalities_are_measured(void **state)
{
  fixture *f = *state;
  static uint8_t present[MADE_TOTAL * MADE_MODALITIES];
  for (int k = 0; k < MADE_TOTAL * MADE_MODALITIES; k++) present[k] = k % MADE_MODALITIES != k / MADE_MODALITIES % 5;
  f->samples.present = present;
  take_method(f, "method", "vanilla");
}

/* Weights that are not finite are a result like any other: measures that have no value stay empty, and nothing fails.
 */
static void broken_weights_do_not_fail(void **state)
{
  fixture *f = *state;
  set(&f->config, "measure.spectra", "[head, fused, latent, updates]");
  set(&f->config, "measure.probe", "true");
  start(f);
  declare(f);
  for (size_t k = 0; k < ebr_network_size(ebr_trainer_network(f->trainer)); k += 3)
    ebr_network_values(ebr_trainer_network(f->trainer))[k] = (ebr_real)NAN;
  ebr_subject subject = subject_of(f);
  subject.point = 1;
  must(ebr_measures_take(&subject, f->record));
  assert_true(isnan(value_of(f, "head.effective_rank", 0, 0)));
  assert_true(isnan(value_of(f, "fused.effective_rank", 0, 0)));
  assert_true(isnan(value_of(f, "colliding_pairs.relative.0.1", 0, 0)));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(points_are_start_every_and_end),
#define WITH_NETWORK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
      WITH_NETWORK(names_that_are_too_long_are_refused),
      WITH_NETWORK(encodings_of_a_linear_network_are_its_weights),
      WITH_NETWORK(other_encodings_of_a_linear_network),
      WITH_NETWORK(a_dead_neuron_is_insensitive),
      WITH_NETWORK(unimodal_network_has_no_colliding_pairs),
      WITH_NETWORK(sensitivities_of_a_linear_head_are_projections),
      WITH_NETWORK(removal_is_replacement_by_the_training_mean),
      WITH_NETWORK(silent_modality_contributes_nothing),
      WITH_NETWORK(spectra_conserve_variance),
      WITH_NETWORK(unimodal_is_measured),
      WITH_NETWORK(ebr_is_measured),
      WITH_NETWORK(grape_is_measured),
      WITH_NETWORK(muse_is_measured),
      WITH_NETWORK(absent_modalities_are_measured),
      WITH_NETWORK(broken_weights_do_not_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
