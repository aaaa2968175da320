/* The passes that measures share: what each finds in company is what it finds alone, bit for bit. */
#include "measure/column.h"
#include "measure/removal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made_samples.h"

enum { ROWS = 1300, CURVE_ROWS = 512 };

static void must(ebr_error *error)
{
  if (error) fail_msg("%s", ebr_error_message(error));
}

static void set(ebr_config *config, const char *name, const char *value)
{
  must(ebr_config_set(config, ebr_parameter_find(name), value));
}

typedef struct fixture {
  ebr_config config;
  ebr_samples samples;
  int32_t rows[ROWS]; /* training samples, some of them often */
  ebr_trainer *trainer;
  ebr_schema *schema;
  ebr_record *record, *other;
} fixture;

static int setup(void **state)
{
  static fixture f;
  f = (fixture){0};
  must(made_samples(3, &f.samples));
  for (int k = 0; k < ROWS; k++) f.rows[k] = (int32_t)(7 * k % 5 * k % MADE_TRAIN);
  f.samples.train = f.rows;
  f.samples.train_count = ROWS;
  ebr_config_defaults(&f.config);
  set(&f.config, "data.source", "hdf5");
  set(&f.config, "model.encoder", "[6, 5]");
  set(&f.config, "model.width", "7");
  set(&f.config, "train.batch", "16");
  set(&f.config, "train.epochs", "2");
  set(&f.config, "measure.every", "1");
  set(&f.config, "measure.probe", "true");
  set(&f.config, "measure.spectra", "[head, fused, latent, updates, weights]");
  set(&f.config, "measure.missing", "[0.3]");
  ebr_shape shape = ebr_samples_describe(&f.samples);
  must(ebr_schema_create(&f.schema));
  must(ebr_measures_declare(&f.config, &shape, f.schema));
  must(ebr_record_create(f.schema, &f.record));
  must(ebr_record_create(f.schema, &f.other));
  must(ebr_trainer_create(&f.config, &f.samples, -1, 1, NULL, &f.trainer));
  *state = &f;
  return 0;
}

static int teardown(void **state)
{
  fixture *f = *state;
  ebr_record_destroy(&f->record);
  ebr_record_destroy(&f->other);
  ebr_schema_destroy(&f->schema);
  ebr_trainer_destroy(&f->trainer);
  ebr_arena_destroy(&f->samples.owned);
  return 0;
}

static void train(fixture *f)
{
  ebr_losses losses;
  int64_t diverged;
  ebr_trainer_epoch(f->trainer, &losses, &diverged);
  assert_int_equal(diverged, -1);
}

static ebr_subject subject_of(fixture *f, int point)
{
  return (ebr_subject){.config = &f->config,
                       .samples = &f->samples,
                       .trainer = f->trainer,
                       .only = -1,
                       .point = point,
                       .last = point == 2};
}

static double value_of(const fixture *f, const char *name, int point)
{
  int column = ebr_schema_find(f->schema, name);
  if (column < 0) fail_msg("there is no column %s", name);
  return f->record->values[ebr_schema_at(f->schema, column)->offset + (size_t)point];
}

static void company_changes_nothing(void **state)
{
  fixture *f = *state;
  for (int point = 0; point <= 2; point++) {
    ebr_subject subject = subject_of(f, point);
    must(ebr_measures_take(&subject, f->record));
    for (int k = ebr_measure_count() - 1; k >= 0; k--) must(ebr_measure_take(ebr_measure_at(k), &subject, f->other));
    train(f);
  }
  for (int k = 0; k < ebr_schema_count(f->schema); k++) {
    const ebr_column *column = ebr_schema_at(f->schema, k);
    size_t bytes = (size_t)column->points * (size_t)column->values * sizeof(double);
    if (memcmp(f->record->values + column->offset, f->other->values + column->offset, bytes) != 0)
      fail_msg("%s differs", column->name);
  }
  assert_true(value_of(f, "latent_similarity", 0) > 0 && value_of(f, "weakest_contribution", 0) < INFINITY);
}

static ebr_scores scores_of(fixture *f, const int32_t *rows, int count)
{
  ebr_scores scores;
  must(ebr_evaluate(ebr_trainer_network(f->trainer), &f->samples, -1, rows, count, NULL, NULL, NULL, &scores));
  return scores;
}

/* All training samples at the end, and every two and a half-th of 1300 before. */
static void curves_look_at_some_training_samples(void **state)
{
  fixture *f = *state;
  int32_t some[CURVE_ROWS];
  f->config.measure_curve_samples = CURVE_ROWS;
  for (int k = 0; k < CURVE_ROWS; k++) some[k] = f->rows[k * ROWS / CURVE_ROWS];
  assert_int_equal(some[CURVE_ROWS - 1], f->rows[1297]);
  for (int point = 0; point <= 2; point++) {
    ebr_subject subject = subject_of(f, point);
    must(ebr_measures_take(&subject, f->record));
    assert_int_equal(ebr_measure_train_rows(&f->config, ROWS, point == 2), point == 2 ? ROWS : CURVE_ROWS);
    ebr_scores seen = scores_of(f, some, CURVE_ROWS), all = scores_of(f, f->rows, ROWS),
               test = scores_of(f, f->samples.test, MADE_TEST);
    assert_true(seen.loss != all.loss);
    assert_true(value_of(f, "train_loss.by_epoch", point) == (point < 2 ? seen : all).loss);
    assert_true(value_of(f, "train_accuracy.by_epoch", point) == (point < 2 ? seen : all).accuracy);
    assert_true(value_of(f, "test_loss.by_epoch", point) == test.loss);
    train(f);
  }
}

static void how_many_is_a_parameter(void **state)
{
  fixture *f = *state;
  assert_int_equal(f->config.measure_curve_samples, 256);
  assert_int_equal(ebr_measure_train_rows(&f->config, ROWS, false), 256);
  assert_int_equal(ebr_measure_train_rows(&f->config, 255, false), 255);
  f->config.measure_curve_samples = 0;
  assert_int_equal(ebr_measure_train_rows(&f->config, ROWS, false), ROWS);
}

static void contributions_are_removals(void **state)
{
  fixture *f = *state;
  ebr_scores whole, without[MADE_MODALITIES];
  ebr_subject subject = subject_of(f, 2);
  train(f);
  must(ebr_measures_take(&subject, f->record));
  must(ebr_removal_pass(f->trainer, &f->samples, -1, 0, MADE_MODALITIES, NULL, NULL, &whole, without));
  static const char *const names[] = {"contribution.0", "contribution.1", "contribution.2"};
  for (int i = 0; i < MADE_MODALITIES; i++)
    assert_true(value_of(f, names[i], 0) == without[i].loss - whole.loss);
}

/* What is declared to be kept is room for what is kept: the arenas would end the program otherwise. */
static void what_is_kept_is_predicted(void **state)
{
  fixture *f = *state;
  ebr_shape shape = ebr_samples_describe(&f->samples);
  size_t kept = 0;
  for (int k = 0; k < ebr_measure_count(); k++) {
    const ebr_measure *measure = ebr_measure_at(k);
    assert_true((measure->kept_bytes == NULL) || measure->watch);
    assert_true((measure->forget == NULL) == (measure->watch == NULL || measure == &ebr_measure_accuracy));
    kept += measure->kept_bytes ? measure->kept_bytes(&f->config, &shape) : 0;
  }
  assert_true(kept > 0 && ebr_measures_bytes(&f->config, &shape) > kept);
}

int main(void)
{
#define WITH_NETWORK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
  const struct CMUnitTest tests[] = {
      WITH_NETWORK(company_changes_nothing),
      WITH_NETWORK(curves_look_at_some_training_samples),
      WITH_NETWORK(how_many_is_a_parameter),
      WITH_NETWORK(contributions_are_removals),
      WITH_NETWORK(what_is_kept_is_predicted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
