/* Sweep files that are right: which runs they make, and in what order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ebrsweep/sweep.h>
#include <sweep/sobol.h>

#define BASE "name: test\nbase: {data: {modalities: 3, train: 500, test: 100}}\n"

static ebr_sweep *parse_with(const char *text, int count, const char *const *assignment)
{
  ebr_sweep *sweep;
  ebr_overrides overrides = {count, assignment};
  ebr_error *error = ebr_sweep_parse(text, strlen(text), "a/folder/file.yaml", &overrides, &sweep);
  if (error) fail_msg("%s", ebr_error_message(error));
  for (int64_t run = 0; run < ebr_sweep_count(sweep) && run < 1000; run++) {
    ebr_config config;
    ebr_sweep_run(sweep, run, &config);
    assert_true(ebr_config_id(&config) == ebr_sweep_id(sweep, run));
  }
  return sweep;
}

static ebr_sweep *parse(const char *text) { return parse_with(text, 0, NULL); }

/* All runs as "value,value;value,value" of the named parameters (separated by spaces). */
static void assert_runs(const ebr_sweep *sweep, const char *names, const char *expected)
{
  ebr_text text = {0};
  for (int64_t run = 0; run < ebr_sweep_count(sweep); run++) {
    ebr_config config;
    char copy[256], *rest;
    ebr_sweep_run(sweep, run, &config);
    assert_null(ebr_text_add(&text, "%s", run ? ";" : ""));
    snprintf(copy, sizeof copy, "%s", names);
    for (char *name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
      if (name != copy) assert_null(ebr_text_add(&text, ","));
      assert_null(ebr_config_get(&config, ebr_parameter_find(name), &text));
    }
  }
  assert_string_equal(text.data, expected);
  ebr_text_destroy(&text);
}

static void check(const char *axes, const char *names, const char *expected)
{
  char text[4096];
  snprintf(text, sizeof text, BASE "%s", axes);
  ebr_sweep *sweep = parse(text);
  assert_runs(sweep, names, expected);
  ebr_sweep_destroy(&sweep);
  assert_null(sweep);
}

static void a_file_without_axes_is_one_run(void **state)
{
  ebr_sweep *sweep = parse(BASE "question: why?\n");
  assert_int_equal(ebr_sweep_count(sweep), 1);
  assert_int_equal(ebr_sweep_axis_count(sweep), 0);
  assert_string_equal(ebr_sweep_name(sweep), "test");
  assert_string_equal(ebr_sweep_question(sweep), "why?");
  assert_string_equal(ebr_sweep_folder(sweep), "a/folder");
  assert_string_equal(ebr_sweep_text(sweep), BASE "question: why?\n");
  ebr_sweep_destroy(&sweep);
  ebr_error *error = ebr_sweep_parse(BASE, strlen(BASE), "file.yaml", NULL, &sweep);
  assert_null(error);
  assert_string_equal(ebr_sweep_folder(sweep), ".");
  assert_string_equal(ebr_sweep_question(sweep), "");
  ebr_sweep_destroy(&sweep);
  ebr_sweep_destroy(&sweep);
}

static void the_first_axis_is_the_slowest(void **state)
{
  ebr_sweep *sweep = parse(BASE "axes:\n  method: [vanilla, ebr]\n  data.strength.last: [0, 0.5]\n  seed: [1, 0]\n");
  assert_runs(sweep, "method data.strength.last seed",
              "vanilla,0,1;vanilla,0,0;vanilla,0.5,1;vanilla,0.5,0;ebr,0,1;ebr,0,0;ebr,0.5,1;ebr,0.5,0");
  assert_int_equal(ebr_sweep_axis_count(sweep), 3);
  assert_int_equal(ebr_sweep_axis_parameter(sweep, 0), ebr_parameter_find("method"));
  assert_int_equal(ebr_sweep_axis_parameter(sweep, 2), ebr_parameter_find("seed"));
  ebr_sweep_destroy(&sweep);
}

static void maps_and_dotted_keys_are_the_same(void **state)
{
  ebr_sweep *nested = parse("name: a\nbase: {data: {modalities: 2, train: 200, test: 10, strength: {each: [1, 2]}}, "
                            "model: {encoder: [8, 4]}}\nmeasure: {collisions: {relative: [0.1]}, every: 2}\n");
  ebr_sweep *dotted = parse("name: a\nbase:\n  data.modalities: 2\n  data.train: 2e2\n  data: {test: 10}\n"
                            "  data.strength.each: [1, 2]\n  model.encoder:\n    - 8\n    - 4\n"
                            "  measure: {every: 2}\n  measure.collisions: {relative: [0.1]}\n");
  assert_true(ebr_sweep_id(nested, 0) == ebr_sweep_id(dotted, 0));
  assert_runs(nested, "data.strength.each model.encoder measure.collisions.relative measure.every",
              "[1, 2],[8, 4],[0.1],2");
  ebr_sweep_destroy(&nested);
  ebr_sweep_destroy(&dotted);
}

static void ranges(void **state)
{
  check("axes: {seed: {from: 5, count: 3}}\n", "seed", "5;6;7");
  check("axes: {model.width: {from: 64, count: 3, step: -16}}\n", "model.width", "64;48;32");
  check("axes: {seed: {when: {method: kd}, from: 0, count: 2}, method: [vanilla, kd]}\n", "method seed",
        "vanilla,0;kd,0;kd,1");
}

static void conditional_axes(void **state)
{
  check("axes:\n  method: [vanilla, kd, ebr]\n  ebr.lambda: {when: {method: ebr}, values: [0, 0.5]}\n  seed: [0, 1]\n",
        "method ebr.lambda seed",
        "vanilla,0.3,0;vanilla,0.3,1;kd,0.3,0;kd,0.3,1;ebr,0,0;ebr,0,1;ebr,0.5,0;ebr,0.5,1");
  /* The condition looks at a later axis, and at one that is itself conditional. */
  check("axes:\n  ebr.residual: {when: {method: ebr, ebr.form: [hinge]}, values: [true, false]}\n"
        "  ebr.form: {when: {method: [ebr, kd+ebr]}, values: [reversal, hinge]}\n  method: [vanilla, ebr]\n",
        "ebr.residual ebr.form method",
        "false,reversal,vanilla;false,reversal,ebr;true,hinge,ebr;false,hinge,ebr");
  /* A parameter of the base decides once for all. */
  check("axes:\n  data.noise: {when: {data.modalities: 3}, values: [1, 2]}\n"
        "  data.classes: {when: {data.modalities: 4}, values: [3, 4]}\n",
        "data.noise data.classes", "1,8;2,8");
  check("axes:\n  model.encoder: [[8], [16, 8]]\n  model.width: {when: {model.encoder: [16, 8]}, values: [1, 2]}\n",
        "model.encoder model.width", "[8],128;[16, 8],1;[16, 8],2");
}

static void zipped_axes(void **state)
{
  check("axes:\n  zip: {model.width: [8, 16], train.rate: [0.1, 0.2]}\n  seed: [0, 1]\n",
        "model.width train.rate seed", "8,0.1,0;8,0.1,1;16,0.2,0;16,0.2,1");
  check("axes:\n  zip:\n    - {model.width: [8, 16], train.rate: [0.1, 0.2]}\n"
        "    - {when: {model.width: 8}, data.noise: [1, 2], data.classes: [3, 4]}\n",
        "model.width train.rate data.noise data.classes", "8,0.1,1,3;8,0.1,2,4;16,0.2,8,8");
}

static void derived_values(void **state)
{
  check("axes:\n  data.modalities: [2, 3]\n  model.width: [\"${data.modalities} * (32 - 2*8) / 4 - -1\", 5]\n",
        "data.modalities model.width", "2,9;2,5;3,13;3,5");
  ebr_sweep *sweep = parse("name: a\nbase:\n  data: {modalities: 2, train: 200, test: 10}\n"
                           "  model.width: ${data.noise} * 2 # a chain\n  data.noise: ${data.predictive} + 1\n"
                           "  train.epochs: 7 - ${seed}\naxes:\n  data.predictive: [1, 2]\n  train.epochs: [3]\n");
  assert_runs(sweep, "data.predictive data.noise model.width train.epochs", "1,2,4,3;2,3,6,3");
  ebr_sweep_destroy(&sweep);
}

static void list_valued_axes(void **state)
{
  check("axes: {model.encoder: [[8, 4], [16]], measure.missing: [[], [0.5]]}\n", "model.encoder measure.missing",
        "[8, 4],[];[8, 4],[0.5];[16],[];[16],[0.5]");
}

static void overrides_replace_base_and_axes(void **state)
{
  const char *text = BASE "axes:\n  method: [vanilla, ebr]\n  zip: {model.width: [8, 16], train.rate: [0.1, 0.2]}\n"
                          "  ebr.lambda: {when: {method: ebr}, values: [0, 1]}\n";
  const char *const some[] = {"data.train=8192", "model.width=4", "ebr.lambda=0.5"};
  ebr_sweep *sweep = parse_with(text, 3, some);
  assert_runs(sweep, "data.train method model.width train.rate ebr.lambda",
              "8192,vanilla,4,0.1,0.3;8192,vanilla,4,0.2,0.3;8192,ebr,4,0.1,0.5;8192,ebr,4,0.2,0.5");
  assert_int_equal(ebr_sweep_axis_count(sweep), 2);
  ebr_sweep_destroy(&sweep);
  const char *const all[] = {"model.width=${seed} + 1", "train.rate=0.5", "method=ebr", "ebr.lambda=2", "seed=3", "seed=4"};
  sweep = parse_with(text, 6, all);
  assert_runs(sweep, "method model.width train.rate ebr.lambda seed", "ebr,5,0.5,2,4");
  ebr_sweep_destroy(&sweep);
}

static void anchors_aliases_and_merges(void **state)
{
  ebr_sweep *sweep = parse("name: a\nbase:\n  data: &d {modalities: 2, train: 200, test: 10}\n"
                           "  train: {epochs: &e 3}\n  model: {width: *e}\naxes:\n  seed: &s [0, 1]\n  data.noise: *s\n");
  assert_runs(sweep, "train.epochs model.width seed data.noise", "3,3,0,0;3,3,0,1;3,3,1,0;3,3,1,1");
  ebr_sweep_destroy(&sweep);
  sweep = parse("name: a\nbase:\n  data: {<<: [{modalities: 2, noise: 1}, {train: 200, noise: 5}], test: 10}\n");
  assert_runs(sweep, "data.modalities data.train data.test data.noise", "2,200,10,1");
  ebr_sweep_destroy(&sweep);
}

static void ids_do_not_depend_on_the_sweep(void **state)
{
  ebr_sweep *one = parse(BASE "axes: {method: [vanilla, ebr], ebr.lambda: {when: {method: ebr}, values: [0, 0.3]}}\n");
  ebr_sweep *two = parse("name: other\nbase: {data: {modalities: 3, train: 500, test: 100}, method: ebr}\n"
                         "axes: {schedule.team: [4], ebr.lambda: [0.3]}\n");
  assert_true(ebr_sweep_id(one, 2) == ebr_sweep_id(two, 0));
  ebr_sweep_destroy(&one);
  ebr_sweep_destroy(&two);
}

static void many_runs(void **state)
{
  ebr_sweep *sweep = parse(BASE "axes: {data.noise: {from: 0, count: 10}, seed: {from: 0, count: 20000}}\n");
  ebr_config config;
  assert_int_equal(ebr_sweep_count(sweep), 200000);
  ebr_sweep_run(sweep, 123456, &config);
  assert_int_equal(config.data_noise, 6);
  assert_int_equal(config.seed, 3456);
  ebr_sweep_destroy(&sweep);
}

/* scipy.stats.qmc.Sobol(16, scramble=False), points 1, 2, 3, 5, 7, 11, 100 and 1023, times 2^32. */
static void sobol_is_that_of_joe_and_kuo(void **state)
{
  static const uint32_t index[] = {1, 2, 3, 5, 7, 11, 100, 1023};
  static const uint32_t expected[][EBR_SOBOL_DIMENSIONS] = {
      {0x80000000u, 0x80000000u, 0x80000000u, 0x80000000u, 0x80000000u, 0x80000000u, 0x80000000u, 0x80000000u,
       0x80000000u, 0x80000000u, 0x80000000u, 0x80000000u, 0x80000000u, 0x80000000u, 0x80000000u, 0x80000000u},
      {0xc0000000u, 0x40000000u, 0x40000000u, 0x40000000u, 0xc0000000u, 0xc0000000u, 0x40000000u, 0xc0000000u,
       0xc0000000u, 0xc0000000u, 0xc0000000u, 0xc0000000u, 0x40000000u, 0x40000000u, 0xc0000000u, 0x40000000u},
      {0x40000000u, 0xc0000000u, 0xc0000000u, 0xc0000000u, 0x40000000u, 0x40000000u, 0xc0000000u, 0x40000000u,
       0x40000000u, 0x40000000u, 0x40000000u, 0x40000000u, 0xc0000000u, 0xc0000000u, 0x40000000u, 0xc0000000u},
      {0xe0000000u, 0xe0000000u, 0x20000000u, 0x60000000u, 0xe0000000u, 0xa0000000u, 0xe0000000u, 0x60000000u,
       0x60000000u, 0x20000000u, 0x60000000u, 0xe0000000u, 0xe0000000u, 0x20000000u, 0xe0000000u, 0x60000000u},
      {0x20000000u, 0xa0000000u, 0x60000000u, 0x20000000u, 0x20000000u, 0x60000000u, 0xa0000000u, 0xa0000000u,
       0xa0000000u, 0xe0000000u, 0xa0000000u, 0x20000000u, 0xa0000000u, 0x60000000u, 0x20000000u, 0x20000000u},
      {0x70000000u, 0x90000000u, 0x30000000u, 0xb0000000u, 0xd0000000u, 0x10000000u, 0xb0000000u, 0xb0000000u,
       0xb0000000u, 0x10000000u, 0xf0000000u, 0x50000000u, 0x30000000u, 0x30000000u, 0x90000000u, 0x30000000u},
      {0x6a000000u, 0x42000000u, 0xc6000000u, 0xba000000u, 0xe2000000u, 0xbe000000u, 0x6000000u, 0x7a000000u,
       0xa2000000u, 0xb2000000u, 0x76000000u, 0xae000000u, 0x7a000000u, 0xda000000u, 0x52000000u, 0x7e000000u},
      {0x400000u, 0xc0c00000u, 0x9cc00000u, 0x25400000u, 0x2fc00000u, 0x70400000u, 0x23c00000u, 0x9e400000u,
       0x58400000u, 0xd9c00000u, 0xadc00000u, 0x9400000u, 0x21400000u, 0xaa400000u, 0x5cc00000u, 0x76c00000u},
  };
  for (int i = 0; i < 8; i++)
    for (int d = 0; d < EBR_SOBOL_DIMENSIONS; d++) assert_int_equal(ebr_sobol(d, index[i]), expected[i][d]);
}

/* Latin hypercube and Sobol points both fall once in each of 16 equal slices of every parameter. */
static void check_slices(const char *method)
{
  char text[1024];
  snprintf(text, sizeof text,
           BASE "axes:\n  sample: {count: 16, method: %s, seed: 5, parameters: {data.redundancy: {uniform: [0.25, 0.75]}, "
                "train.rate: {log: [1e-4, 1]}, data.noise: {uniform: [0, 15]}, train.l1: {uniform: [0, 160]}}}\n",
           method);
  ebr_sweep *sweep = parse(text);
  unsigned seen[4] = {0};
  for (int run = 0; run < 16; run++) {
    ebr_config config;
    ebr_sweep_run(sweep, run, &config);
    assert_true(config.data_redundancy >= 0.25 && config.data_redundancy <= 0.75);
    assert_true(config.train_rate >= 1e-4 && config.train_rate <= 1);
    seen[0] |= 1u << (int)((config.data_redundancy - 0.25) * 32);
    for (int slice = 0, found = 0; !found; slice++) {
      double top = 1e-4;
      for (int k = 0; k <= slice; k++) top *= 1.7782794100389228; /* 10^(4/16) */
      found = config.train_rate < top * (1 + 1e-8);
      if (found) seen[1] |= 1u << slice;
    }
    seen[2] |= 1u << config.data_noise;
    seen[3] |= 1u << (int)(config.train_l1 / 10);
  }
  for (int i = 0; i < 4; i++) assert_int_equal(seen[i], 0xffff);
  ebr_sweep_destroy(&sweep);
}

static void samples_cover_their_box(void **state)
{
  check_slices("latin-hypercube");
  check_slices("sobol");
}

static void sampled_points_do_not_depend_on_their_neighbours(void **state)
{
  ebr_sweep *one = parse(BASE "axes: {sample: {count: 4, parameters: {train.rate: {log: [1e-3, 1]}}}}\n");
  ebr_sweep *two = parse(BASE "axes: {sample: {count: 9, method: uniform, seed: 0, parameters: {method: {choice: [kd, ebr]}, "
                              "train.rate: {log: [1e-3, 1]}}}}\n");
  const char *const set[] = {"method=vanilla"};
  ebr_sweep *three = parse_with(ebr_sweep_text(two), 1, set);
  for (int run = 0; run < 4; run++) {
    ebr_config a, b, c;
    ebr_sweep_run(one, run, &a);
    ebr_sweep_run(two, run, &b);
    ebr_sweep_run(three, run, &c);
    assert_true(a.train_rate == b.train_rate && b.train_rate == c.train_rate);
    assert_true(b.method == EBR_METHOD_KD || b.method == EBR_METHOD_EBR);
  }
  ebr_sweep_destroy(&one);
  ebr_sweep_destroy(&two);
  ebr_sweep_destroy(&three);
}

/* Every point once an arm, with the arm's values over the drawn ones and all others shared. */
static void arms_share_their_points(void **state)
{
  ebr_sweep *drawn = parse(BASE "axes: {sample: {count: 4, method: sobol, parameters: {ebr.lambda: {log: [0.1, 1]}, "
                                "data.redundancy: {uniform: [0, 1]}}}, method: [ebr]}\n");
  ebr_sweep *sweep = parse(BASE "axes: {sample: {count: 4, method: sobol, parameters: {ebr.lambda: {log: [0.1, 1]}, "
                                "data.redundancy: {uniform: [0, 1]}}, arms: [{method: vanilla}, {method: ebr}, "
                                "{method: ebr, ebr.lambda: 0}]}}\n");
  assert_int_equal(ebr_sweep_count(sweep), 12);
  for (int point = 0; point < 4; point++) {
    ebr_config alone, arm[3];
    ebr_sweep_run(drawn, point, &alone);
    for (int a = 0; a < 3; a++) {
      ebr_sweep_run(sweep, 3 * point + a, &arm[a]);
      assert_true(arm[a].data_redundancy == alone.data_redundancy);
    }
    assert_int_equal(arm[0].method, EBR_METHOD_VANILLA);
    assert_int_equal(arm[1].method, EBR_METHOD_EBR);
    assert_int_equal(arm[2].method, EBR_METHOD_EBR);
    assert_true(arm[1].ebr_lambda == alone.ebr_lambda && alone.ebr_lambda > 0 && arm[2].ebr_lambda == 0);
    assert_true(ebr_sweep_id(sweep, 3 * point + 1) == ebr_sweep_id(drawn, point));
  }
  ebr_sweep_destroy(&drawn);
  ebr_sweep_destroy(&sweep);
}

static void the_smoke_sweep_is_right(void **state)
{
  char path[4096], *text;
  size_t length;
  snprintf(path, sizeof path, "%s/sweeps/smoke.yaml", getenv("SOURCE"));
  assert_null(ebr_file_read(path, EBR_SWEEP_BYTES_MOST, &text, &length));
  ebr_sweep *sweep = parse(text);
  assert_int_equal(ebr_sweep_count(sweep), 14);
  ebr_sweep_destroy(&sweep);
  free(text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_file_without_axes_is_one_run),
      cmocka_unit_test(the_first_axis_is_the_slowest),
      cmocka_unit_test(maps_and_dotted_keys_are_the_same),
      cmocka_unit_test(ranges),
      cmocka_unit_test(conditional_axes),
      cmocka_unit_test(zipped_axes),
      cmocka_unit_test(derived_values),
      cmocka_unit_test(list_valued_axes),
      cmocka_unit_test(overrides_replace_base_and_axes),
      cmocka_unit_test(anchors_aliases_and_merges),
      cmocka_unit_test(ids_do_not_depend_on_the_sweep),
      cmocka_unit_test(many_runs),
      cmocka_unit_test(sobol_is_that_of_joe_and_kuo),
      cmocka_unit_test(samples_cover_their_box),
      cmocka_unit_test(sampled_points_do_not_depend_on_their_neighbours),
      cmocka_unit_test(arms_share_their_points),
      cmocka_unit_test(the_smoke_sweep_is_right),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
