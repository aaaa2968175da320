/* One run from start to finish: repeated it gives the same bits, diverged it says so; predictions scale as they should.
 */
#include <ebrsweep/run.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void must(ebr_error *error)
{
  if (error) fail_msg("%s", ebr_error_message(error));
}

static void set(ebr_config *config, const char *name, const char *value)
{
  must(ebr_config_set(config, ebr_parameter_find(name), value));
}

static void configure(ebr_config *config, const char *method)
{
  static const char *const values[][2] = {{"data.modalities", "3"},    {"data.classes", "4"},    {"data.train", "128"},
                                          {"data.test", "64"},         {"data.predictive", "2"}, {"data.noise", "2"},
                                          {"model.encoder", "[6, 5]"}, {"model.width", "7"},     {"train.batch", "16"},
                                          {"train.epochs", "3"},       {"measure.every", "1"}};
  ebr_config_defaults(config);
  for (size_t k = 0; k < sizeof values / sizeof *values; k++) set(config, values[k][0], values[k][1]);
  set(config, "method", method);
}

static void shape_of(const ebr_config *config, ebr_shape *shape) { must(ebr_samples_shape(NULL, config, shape)); }

typedef struct outcome {
  ebr_schema *schema;
  ebr_record *record;
  char reason[96];
} outcome;

static void execute(const ebr_config *config, outcome *o)
{
  ebr_shape shape;
  *o = (outcome){0};
  shape_of(config, &shape);
  must(ebr_schema_create(&o->schema));
  must(ebr_measures_declare(config, &shape, o->schema));
  must(ebr_record_create(o->schema, &o->record));
  must(ebr_run_execute(config, NULL, &(ebr_run_limits){.seconds = INFINITY}, o->record, o->reason, sizeof o->reason));
}

/* Stops after so many more epochs, those of the modalities alone included. */
static bool count_down(void *context) { return --*(int *)context > 0; }

/* The same with a checkpoint; how it went is in limits. */
static void execute_in_parts(const ebr_config *config, int epochs, ebr_run_limits *limits, outcome *o)
{
  ebr_shape shape;
  *o = (outcome){0};
  shape_of(config, &shape);
  must(ebr_schema_create(&o->schema));
  must(ebr_measures_declare(config, &shape, o->schema));
  must(ebr_record_create(o->schema, &o->record));
  *limits = (ebr_run_limits){.seconds = INFINITY, .tick = count_down, .context = &epochs, .checkpoint = "points/run"};
  must(ebr_run_execute(config, NULL, limits, o->record, o->reason, sizeof o->reason));
}

static void release(outcome *o)
{
  ebr_record_destroy(&o->record);
  ebr_schema_destroy(&o->schema);
}

static double value_of(const outcome *o, const char *name, int point)
{
  int column = ebr_schema_find(o->schema, name);
  if (column < 0) fail_msg("there is no column %s", name);
  return o->record->values[ebr_schema_at(o->schema, column)->offset + (size_t)point];
}

static void same_bits_twice(void **state)
{
  static const char *const methods[] = {"vanilla", "unimodal", "kd", "ebr", "kd+ebr"};
  static const char *const heads[] = {"concat", "grape", "muse"};
  for (size_t m = 0; m < sizeof methods / sizeof *methods; m++)
    for (size_t h = 0; h < sizeof heads / sizeof *heads; h++) {
      ebr_config config;
      outcome first, second;
      configure(&config, methods[m]);
      set(&config, "model.fusion", heads[h]);
      execute(&config, &first);
      execute(&config, &second);
      assert_string_equal(first.reason, "");
      for (size_t k = 0; k < ebr_schema_size(first.schema); k++)
        if (memcmp(&first.record->values[k], &second.record->values[k], sizeof(double)) != 0)
          fail_msg("%s with %s: value %zu differs when repeated", methods[m], heads[h], k);
      release(&first);
      release(&second);
    }
}

static void divergence_keeps_what_was_measured(void **state)
{
  ebr_config config;
  outcome o;
  configure(&config, "vanilla");
  set(&config, "measure.unimodal", "false");
  set(&config, "train.optimizer", "sgd");
  set(&config, "train.rate", "1000");
  execute(&config, &o);
  int step = -1, epoch = -1;
  assert_int_equal(sscanf(o.reason, "diverged in step %d of epoch %d: semantic loss", &step, &epoch), 2);
  assert_true(step >= 0 && step < 24 && epoch >= 1 && epoch <= 3);
  assert_true(isfinite(value_of(&o, "test_loss.by_epoch", 0)));
  assert_true(isnan(value_of(&o, "test_loss.by_epoch", 3)));
  assert_true(isnan(value_of(&o, "test_loss", 0)));
  release(&o);
}

static void refuse(const char *name, const char *value, const char *sentence)
{
  ebr_config config;
  ebr_shape shape;
  configure(&config, "vanilla");
  shape_of(&config, &shape);
  set(&config, name, value);
  ebr_error *error = ebr_run_check(&config, &shape);
  assert_non_null(error);
  assert_int_equal(ebr_error_code(error), EBR_SWEEP);
  assert_string_equal(ebr_error_message(error), sentence);
  ebr_error_destroy(&error);
}

static void impossible_shapes_are_refused(void **state)
{
  refuse("train.batch", "129", "train.batch is 129, but there are only 128 training samples");
  refuse("measure.missing_count", "[1, 3]", "measure.missing_count is 3, but of 3 modalities at most 2 can be missing");
  refuse("unimodal.modality", "3", "unimodal.modality is 3, but there are only 3 modalities");
  refuse("kd.teacher", "5", "kd.teacher is 5, but there are only 3 modalities");
}

/* Work is linear in epochs and in samples: what is measured at the end is the intercept. */
static void cost_is_linear(void **state)
{
  static const char *const axes[] = {"train.epochs", "data.train"};
  for (size_t a = 0; a < sizeof axes / sizeof *axes; a++) {
    double cost[3];
    for (int k = 0; k < 3; k++) {
      ebr_config config;
      ebr_shape shape;
      char value[16];
      configure(&config, "ebr");
      set(&config, "measure.every", "0");
      snprintf(value, sizeof value, "%d", 1024 * (k + 1));
      set(&config, axes[a], value);
      shape_of(&config, &shape);
      cost[k] = ebr_run_cost(&config, &shape);
    }
    assert_true(cost[0] > 0);
    assert_true(fabs(cost[2] - cost[1] - (cost[1] - cost[0])) < 1e-9 * cost[2]);
    assert_true(cost[1] > 1.9 * cost[0] && cost[1] <= 2.0 * cost[0]);
  }
}

static void assert_same(const outcome *first, const outcome *second)
{
  assert_string_equal(second->reason, first->reason);
  assert_memory_equal(first->record->values, second->record->values,
                      ebr_schema_size(first->schema) * sizeof *first->record->values);
}

/* Whenever it is stopped, even while the modalities are trained alone, a run that goes on ends with the same bits. */
static void stopped_and_gone_on(void **state)
{
  static const char *const methods[] = {"vanilla", "unimodal", "kd+ebr"};
  static const char *const heads[] = {"concat", "grape", "muse"};
  for (size_t m = 0; m < sizeof methods / sizeof *methods; m++)
    for (size_t h = 0; h < sizeof heads / sizeof *heads; h++) {
      ebr_config config;
      outcome whole, part = {0};
      ebr_run_limits limits;
      int stops = 0, kept = 0;
      configure(&config, methods[m]);
      set(&config, "model.fusion", heads[h]);
      set(&config, "measure.spectra", "[head, fused, latent, updates]");
      set(&config, "train.epochs", "12");
      execute(&config, &whole);
      /* One more epoch each time: the modalities alone are trained anew after each stop. */
      for (int epochs = 1;; epochs++) {
        execute_in_parts(&config, epochs, &limits, &part);
        assert_string_equal(limits.notice, "");
        if (!limits.stopped) break;
        kept += access("points/run", F_OK) == 0;
        stops++;
        release(&part);
      }
      assert_true(stops >= 3 && kept >= 3);
      assert_int_equal(access("points/run", F_OK), -1);
      assert_same(&whole, &part);
      release(&whole);
      release(&part);
    }
  assert_int_equal(rmdir("points"), 0);
}

static void change_byte(const char *path, long place)
{
  FILE *file = fopen(path, "r+b");
  assert_non_null(file);
  fseek(file, place, SEEK_SET);
  int byte = fgetc(file);
  fseek(file, place, SEEK_SET);
  fputc(byte ^ 1, file);
  fclose(file);
}

/* A checkpoint of no use is said to be so, and the run starts anew, to the same end. */
static void checkpoints_of_no_use(void **state)
{
  static const struct {
    long place; /* of a byte that is changed; or below 0 */
    const char *words;
  } cases[] = {{0, "points/run: is a checkpoint of another version: the run starts anew"},
               {8, "points/run: is the checkpoint of another run"},
               {16, "points/run: is a checkpoint with other measures"},
               {100, "points/run: is damaged"},
               {-1, "points/run: is damaged"},
               {-2, "points/run: is cut short"}};
  ebr_config config;
  outcome whole, part;
  ebr_run_limits limits;
  configure(&config, "vanilla");
  set(&config, "measure.unimodal", "false");
  execute(&config, &whole);
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    execute_in_parts(&config, 2, &limits, &part);
    assert_true(limits.stopped);
    release(&part);
    if (cases[k].place >= 0) change_byte("points/run", cases[k].place);
    else assert_int_equal(truncate("points/run", cases[k].place == -1 ? 200 : 10), 0);
    execute_in_parts(&config, 100, &limits, &part);
    if (!strstr(limits.notice, cases[k].words)) fail_msg("'%s' lacks '%s'", limits.notice, cases[k].words);
    assert_same(&whole, &part);
    release(&part);
  }
  assert_int_equal(rmdir("points"), 0);
  /* Where none can be kept, the run is stopped all the same. */
  fclose(fopen("points", "w"));
  execute_in_parts(&config, 2, &limits, &part);
  assert_true(limits.stopped);
  assert_non_null(strstr(limits.notice, "no checkpoint of this run"));
  assert_int_equal(unlink("points"), 0);
  release(&part);
  release(&whole);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(same_bits_twice),
                                     cmocka_unit_test(stopped_and_gone_on),
                                     cmocka_unit_test(checkpoints_of_no_use),
                                     cmocka_unit_test(divergence_keeps_what_was_measured),
                                     cmocka_unit_test(impossible_shapes_are_refused),
                                     cmocka_unit_test(cost_is_linear)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
