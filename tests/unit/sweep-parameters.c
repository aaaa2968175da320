/* The table of parameters: text to value and back, relevance, ids, rules between parameters, the reference page. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ebrsweep/sweep.h>

static ebr_error *set(ebr_config *config, const char *name, const char *text)
{
  int parameter = ebr_parameter_find(name);
  assert_true(parameter >= 0);
  return ebr_config_set(config, parameter, text);
}

static void must_set(ebr_config *config, const char *name, const char *text)
{
  ebr_error *error = set(config, name, text);
  if (error) fail_msg("%s", ebr_error_message(error));
}

static void must_fail(const char *name, const char *text, const char *message)
{
  ebr_config config, before;
  ebr_config_defaults(&config);
  before = config;
  ebr_error *error = set(&config, name, text);
  assert_int_equal(ebr_error_code(error), EBR_SWEEP);
  assert_string_equal(ebr_error_message(error), message);
  assert_memory_equal(&config, &before, sizeof config);
  ebr_error_destroy(&error);
}

static void assert_reads_back(const ebr_config *config, int parameter)
{
  ebr_config again;
  ebr_text first = {0}, second = {0};
  ebr_config_defaults(&again);
  assert_null(ebr_config_get(config, parameter, &first));
  assert_null(ebr_config_set(&again, parameter, first.data));
  assert_null(ebr_config_get(&again, parameter, &second));
  assert_string_equal(first.data, second.data);
  ebr_text_destroy(&first);
  ebr_text_destroy(&second);
}

static void a_text_for(const ebr_parameter *p, double number, char *text, size_t size)
{
  switch (p->kind) {
  case EBR_KIND_INT: snprintf(text, size, "%.0f", number); break;
  case EBR_KIND_REAL: snprintf(text, size, "%.17g", number); break;
  case EBR_KIND_BOOL: snprintf(text, size, "%s", number > p->minimum ? "on" : "no"); break;
  case EBR_KIND_CHOICE: snprintf(text, size, "%s", strrchr(p->choices, '|') + 1); break;
  case EBR_KIND_TEXT: snprintf(text, size, "a folder/with 'quotes', and = signs.h5"); break;
  case EBR_KIND_INTS: snprintf(text, size, "[%.0f, %.0f,%.0f ]", p->minimum, number, p->maximum); break;
  case EBR_KIND_REALS: snprintf(text, size, " [ %.17g, %.17g]", p->maximum, number); break;
  case EBR_KIND_CHOICES: snprintf(text, size, "[%s]", strrchr(p->choices, '|') + 1); break;
  }
}

static void every_parameter_reads_back(void **state)
{
  ebr_config defaults, config;
  ebr_config_defaults(&defaults);
  for (int i = 0; i < ebr_parameter_count(); i++) {
    const ebr_parameter *p = ebr_parameter_at(i);
    char text[512];
    assert_int_equal(ebr_parameter_find(p->name), i);
    assert_reads_back(&defaults, i);
    const double numbers[] = {p->minimum, p->maximum, floor((p->minimum + p->maximum) / 3)};
    for (int k = 0; k < 3; k++) {
      double number = numbers[k] < p->minimum ? p->minimum : numbers[k];
      ebr_config_defaults(&config);
      a_text_for(p, number, text, sizeof text);
      must_set(&config, p->name, text);
      assert_reads_back(&config, i);
      if (p->kind == EBR_KIND_INT) assert_true(*(int64_t *)((char *)&config + p->offset) == (int64_t)number);
      if (p->kind == EBR_KIND_REAL) assert_true(*(double *)((char *)&config + p->offset) == number);
    }
  }
}

static void defaults_are_those_of_the_table(void **state)
{
  ebr_config config;
  ebr_config_defaults(&config);
  assert_int_equal(config.method, EBR_METHOD_VANILLA);
  assert_int_equal(config.model_encoder.count, 2);
  assert_true(config.model_encoder.value[0] == 64 && config.model_encoder.value[1] == 32);
  assert_true(isnan(config.data_strength_last) && isnan(config.ebr_psi_rate));
  assert_true(config.train_rate == 1e-3 && config.measure_contributions && !config.measure_probe);
  assert_int_equal(config.measure_spectra, 1u << EBR_SPECTRUM_HEAD | 1u << EBR_SPECTRUM_FUSED);
  assert_int_equal(config.kd_teacher, -1);
}

static void values_are_read(void **state)
{
  ebr_config config;
  ebr_config_defaults(&config);
  must_set(&config, "data.train", "1e4");
  assert_true(config.data_train == 10000);
  must_set(&config, "data.train", "4096.0");
  assert_true(config.data_train == 4096);
  must_set(&config, "train.rate", "-0");
  assert_false(signbit(config.train_rate));
  must_set(&config, "ebr.psi.rate", "0.25");
  must_set(&config, "ebr.psi.rate", "none");
  assert_true(isnan(config.ebr_psi_rate));
  must_set(&config, "data.order", "[]");
  assert_int_equal(config.data_order.count, 0);
  must_set(&config, "method", "kd+ebr");
  assert_int_equal(config.method, EBR_METHOD_KD_EBR);
  must_set(&config, "measure.spectra", "[updates, latent]");
  assert_int_equal(config.measure_spectra, 1u << EBR_SPECTRUM_LATENT | 1u << EBR_SPECTRUM_UPDATES);
  static const char *const truths[] = {"true", "yes", "on", "false", "no", "off"};
  for (int i = 0; i < 6; i++) {
    must_set(&config, "ebr.residual", truths[i]);
    assert_int_equal(config.ebr_residual, i < 3);
  }
}

static void wrong_values_are_named(void **state)
{
  must_fail("data.train", "1.5", "data.train takes a whole number, not '1.5'");
  must_fail("data.train", "abc", "data.train takes a whole number, not 'abc'");
  must_fail("data.train", "", "data.train takes a whole number, not ''");
  must_fail("data.train", "0x10", "data.train takes a whole number, not '0x10'");
  must_fail("seed", "[1, 2]", "seed takes a whole number, not '[1, 2]'");
  must_fail("seed", "-1", "seed takes values from 0 to 4294967295, not -1");
  must_fail("data.train", "1e30", "data.train takes values from 0 to 1000000000, not 1e30");
  must_fail("train.rate", "nan", "train.rate takes a number, not 'nan'");
  must_fail("train.rate", "inf", "train.rate takes a number, not 'inf'");
  must_fail("train.rate", "1e999", "train.rate takes a number, not '1e999'");
  must_fail("train.rate", "none", "train.rate takes a number, not 'none'");
  must_fail("train.rate", "1-2", "train.rate takes a number, not '1-2'");
  must_fail("train.momentum", "1", "train.momentum takes values from 0 to 0.9999, not 1");
  must_fail("ebr.psi.rate", "nan", "ebr.psi.rate takes a number or none, not 'nan'");
  must_fail("ebr.residual", "maybe", "ebr.residual takes true or false, not 'maybe'");
  must_fail("method", "vanila", "method takes one of vanilla, unimodal, kd, ebr, kd+ebr, not 'vanila' (did you mean "
                                "'vanilla'?)");
  must_fail("train.optimizer", "lion-and-tiger", "train.optimizer takes one of adam, sgd, not 'lion-and-tiger'");
  must_fail("model.encoder", "64", "model.encoder takes a list such as [64, 32], not '64'");
  must_fail("model.encoder", "[64, 1.5]", "model.encoder takes whole numbers, not '1.5'");
  must_fail("model.encoder", "[64, ]", "model.encoder takes whole numbers, not ''");
  must_fail("model.encoder", "[0]", "model.encoder takes values from 1 to 65536, not 0");
  must_fail("missing.train", "[0.5, x]", "missing.train takes numbers, not 'x'");
  must_fail("missing.train", "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]", "missing.train takes at most 16 values");
  must_fail("measure.spectra", "head", "measure.spectra takes a list such as [head, fused], not 'head'");
  must_fail("measure.spectra", "[heat]",
            "measure.spectra takes one of head, fused, latent, updates, weights, not 'heat' (did you mean 'head'?)");
  must_fail("measure.spectra", "[head, head]", "measure.spectra names 'head' twice");
  must_fail("data.file", "a\nb", "data.file takes one line of text without control characters");
  char longer[300];
  memset(longer, 'a', sizeof longer);
  longer[256] = 0;
  must_fail("data.file", longer, "data.file takes at most 255 bytes, not 256");
}

static void nearest_names(void **state)
{
  assert_string_equal(ebr_parameter_nearest("data.modalties"), "data.modalities");
  assert_string_equal(ebr_parameter_nearest("lambda"), "ebr.lambda");
  assert_string_equal(ebr_parameter_nearest("train.epoch"), "train.epochs");
  assert_null(ebr_parameter_nearest("something.else.entirely"));
  assert_int_equal(ebr_parameter_find("data"), -1);
}

static void list_entries(void **state)
{
  ebr_list list = {2, {3, 5}};
  assert_true(ebr_list_at(&list, NAN, 0, 4) == 3);
  assert_true(ebr_list_at(&list, NAN, 3, 4) == 5);
  assert_true(ebr_list_at(&list, 7, 3, 4) == 7);
  assert_true(ebr_list_at(&list, 7, 2, 4) == 5);
}

/* Ids are part of the file format: results files are resumed by them. If this test fails, the program has changed, not
 * the numbers. The first is XXH3's published answer for no bytes at all. */
static void ids_are_pinned(void **state)
{
  ebr_config config;
  ebr_config_defaults(&config);
  assert_true(ebr_config_id(&config) == ebr_hash("", 0, 0));
  assert_true(ebr_config_id(&config) == 0x2d06800538d394c2u);
  must_set(&config, "train.rate", "0.1");
  must_set(&config, "data.modalities", "3");
  must_set(&config, "method", "ebr");
  must_set(&config, "ebr.psi.rate", "1e-4");
  must_set(&config, "model.encoder", "[8]");
  must_set(&config, "seed", "7");
  must_set(&config, "data.strength.last", "0.5");
  const char *text = "data.modalities=3\ndata.strength.last=0.5\nebr.psi.rate=0.0001\nmethod=ebr\n"
                     "model.encoder=[8]\nseed=7\ntrain.rate=0.1\n";
  assert_true(ebr_config_id(&config) == ebr_hash(text, strlen(text), 0));
  assert_true(ebr_config_id(&config) == 0xed0745ad6459dd86u);
  const char *pair = "data.modalities=3\ndata.strength.last=0.5\nseed=7\n";
  assert_true(ebr_config_pair(&config) == ebr_hash(pair, strlen(pair), 0));
  assert_true(ebr_config_pair(&config) == 0x9a53bd182b406882u);
}

static void what_does_not_matter_leaves_the_id(void **state)
{
  static const struct {
    const char *parameter, *value, *mode, *mode_value;
  } rows[] = {
      {"ebr.lambda", "0.7", "method", "ebr"},          {"kd.weight", "3", "method", "kd"},
      {"unimodal.modality", "1", "method", "unimodal"}, {"data.file", "x.h5", "data.source", "hdf5"},
      {"train.momentum", "0.5", "train.optimizer", "sgd"}, {"model.layers", "2", "model.fusion", "grape"},
      {"model.contrast", "2", "model.fusion", "muse"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    ebr_config plain, idle, mode, active;
    int parameter = ebr_parameter_find(rows[i].parameter);
    ebr_config_defaults(&plain);
    idle = plain;
    must_set(&idle, rows[i].parameter, rows[i].value);
    assert_false(ebr_config_relevant(&idle, parameter));
    assert_true(ebr_config_id(&idle) == ebr_config_id(&plain));
    ebr_config_canonicalize(&idle);
    assert_memory_equal(&idle, &plain, sizeof plain);
    mode = plain;
    must_set(&mode, rows[i].mode, rows[i].mode_value);
    active = mode;
    must_set(&active, rows[i].parameter, rows[i].value);
    assert_true(ebr_config_relevant(&active, parameter));
    assert_true(ebr_config_id(&active) != ebr_config_id(&mode));
  }
}

static void the_schedule_is_no_part_of_the_id(void **state)
{
  ebr_config plain, other;
  ebr_config_defaults(&plain);
  other = plain;
  must_set(&other, "schedule.team", "4");
  must_set(&other, "measure.distributed", "64");
  assert_true(ebr_config_id(&other) == ebr_config_id(&plain));
  ebr_config_canonicalize(&other);
  assert_true(other.schedule_team == 4 && other.measure_distributed == 64);
}

static void pairs_share_their_data(void **state)
{
  ebr_config a, b;
  ebr_config_defaults(&a);
  must_set(&a, "data.modalities", "3");
  b = a;
  must_set(&b, "method", "ebr");
  must_set(&b, "train.rate", "0.5");
  must_set(&b, "model.width", "7");
  must_set(&b, "measure.missing", "[0.5]");
  must_set(&b, "missing.train", "[0.5]");
  must_set(&b, "data.file", "not.used");
  assert_true(ebr_config_pair(&a) == ebr_config_pair(&b));
  static const char *const changes[][2] = {{"seed", "1"}, {"data.noise", "3"}};
  for (int i = 0; i < 2; i++) {
    b = a;
    must_set(&b, changes[i][0], changes[i][1]);
    assert_true(ebr_config_pair(&a) != ebr_config_pair(&b));
  }
}

/* settings: "name=value;name=value" on top of a run that is valid. */
static void check_rule(const char *settings, const char *blamed, const char *message)
{
  ebr_config config;
  int parameter;
  char copy[256], *rest;
  ebr_config_defaults(&config);
  must_set(&config, "data.modalities", "3");
  must_set(&config, "data.train", "500");
  must_set(&config, "data.test", "100");
  snprintf(copy, sizeof copy, "%s", settings);
  for (char *one = strtok_r(copy, ";", &rest); one; one = strtok_r(NULL, ";", &rest)) {
    char *equals = strchr(one, '=');
    *equals = 0;
    must_set(&config, one, equals + 1);
  }
  ebr_error *error = ebr_config_validate(&config, &parameter);
  assert_string_equal(ebr_error_message(error), message);
  if (*message) assert_int_equal(ebr_error_code(error), EBR_SWEEP);
  if (*message) assert_string_equal(ebr_parameter_at(parameter)->name, blamed);
  ebr_error_destroy(&error);
}

static void rules_between_parameters(void **state)
{
  check_rule("", "", "");
  check_rule("data.modalities=0", "data.modalities", "synthetic data needs data.modalities of at least 1");
  check_rule("data.train=0", "data.train", "synthetic data needs data.train of at least 1");
  check_rule("data.test=0", "data.test", "synthetic data needs data.test of at least 1");
  check_rule("data.mixing=none;data.dimension=12", "", "");
  check_rule("data.mixing=none;data.dimension=13", "data.dimension",
             "with data.mixing none the input is the latent itself, so that data.dimension must be 0 or "
             "data.predictive + data.noise = 12, not 13");
  check_rule("data.strength.each=[]", "data.strength.each", "data.strength.each needs at least one value");
  check_rule("data.source=hdf5", "data.file", "data.source hdf5 needs data.file");
  check_rule("data.source=hdf5;data.file=a.h5;data.modalities=0;data.train=0;data.test=0", "", "");
  check_rule("data.source=hdf5;data.file=a.h5;data.order=[2, 0]", "data.order",
             "data.order names 2 modalities, data.modalities asks for 3");
  check_rule("data.source=hdf5;data.file=a.h5;data.order=[2, 0, 2]", "data.order", "data.order names modality 2 twice");
  check_rule("data.source=hdf5;data.file=a.h5;data.modalities=0;data.order=[5];method=kd", "method",
             "a method that distils needs at least 2 modalities, not 1");
  check_rule("model.encoder=[]", "model.encoder", "model.encoder needs at least one width");
  check_rule("model.strength.each=[]", "model.strength.each", "model.strength.each needs at least one value");
  check_rule("missing.train=[]", "missing.train", "missing.train needs at least one value");
  check_rule("missing.train=[1, 1]", "missing.train",
             "missing.train of 1 for every modality leaves nothing to train on");
  check_rule("missing.train=[1, 0]", "", "");
  check_rule("train.batch=501", "train.batch", "train.batch 501 is more than the 500 training samples of data.train");
  check_rule("method=unimodal;unimodal.modality=3", "unimodal.modality",
             "unimodal.modality 3 does not exist: there are 3 modalities, counted from 0");
  check_rule("unimodal.modality=3", "", "");
  check_rule("method=kd;data.modalities=1", "method", "a method that distils needs at least 2 modalities, not 1");
  check_rule("method=kd;kd.teacher=3", "kd.teacher",
             "kd.teacher 3 does not exist: there are 3 modalities, counted from 0");
  check_rule("method=kd;ebr.latent=8", "", "");
  check_rule("train.loss=reconstruction", "", "");
  check_rule("train.loss=reconstruction;model.fusion=grape", "model.fusion",
             "train.loss reconstruction is for model.fusion concat: graph heads end in a classifier");
  check_rule("train.loss=reconstruction;method=kd;kd.form=logits", "kd.form",
             "kd.form logits distils a classifier, and train.loss reconstruction has none");
  check_rule("train.loss=reconstruction;data.source=hdf5;data.file=x.h5", "train.loss",
             "train.loss reconstruction needs the true features, which only data.source synthetic has");
  check_rule("allocation.trials=1", "allocation.trials",
             "allocation.trials 1 leaves the standard error open: none or at least 2");
  check_rule("method=kd+ebr;ebr.latent=32", "", "");
  check_rule("method=kd+ebr;ebr.latent=8", "ebr.latent",
             "kd+ebr compares latents with the teacher's features, so that ebr.latent must be 0 or the last of "
             "model.encoder = 32, not 8 (or kd.form logits)");
  check_rule("method=kd+ebr;ebr.latent=8;kd.form=logits", "", "");
  check_rule("method=ebr;ebr.latent=8", "", "");
  check_rule("method=ebr;ebr.latent=8;ebr.residual=true", "ebr.latent",
             "ebr.residual adds features and latents, so that ebr.latent must be 0 or the last of model.encoder = 32, "
             "not 8");
}

static void the_reference_page_is_current(void **state)
{
  const char *source = getenv("SOURCE");
  char path[4096], *page;
  size_t length;
  ebr_text text = {0};
  assert_non_null(source);
  snprintf(path, sizeof path, "%s/doc/parameters.md", source);
  ebr_error *error = ebr_file_read(path, 1 << 20, &page, &length);
  if (error) fail_msg("%s", ebr_error_message(error));
  assert_null(ebr_parameters_describe(true, &text));
  assert_string_equal(page, text.data);
  free(page);
  ebr_text_destroy(&text);
  assert_null(ebr_parameters_describe(false, &text));
  for (int i = 0; i < ebr_parameter_count(); i++) assert_non_null(strstr(text.data, ebr_parameter_at(i)->help));
  ebr_text_destroy(&text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_parameter_reads_back),
      cmocka_unit_test(defaults_are_those_of_the_table),
      cmocka_unit_test(values_are_read),
      cmocka_unit_test(wrong_values_are_named),
      cmocka_unit_test(nearest_names),
      cmocka_unit_test(list_entries),
      cmocka_unit_test(ids_are_pinned),
      cmocka_unit_test(what_does_not_matter_leaves_the_id),
      cmocka_unit_test(the_schedule_is_no_part_of_the_id),
      cmocka_unit_test(pairs_share_their_data),
      cmocka_unit_test(rules_between_parameters),
      cmocka_unit_test(the_reference_page_is_current),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
