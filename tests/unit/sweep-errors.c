/* Sweep files that are wrong: one message each, with file, line and column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include <ebrsweep/sweep.h>

#define BASE "name: a\nbase: {data: {modalities: 3, train: 500, test: 100}}\n"

static void fails_with(const char *text, size_t length, const char *set, const char *message)
{
  ebr_sweep *sweep;
  ebr_overrides overrides = {set ? 1 : 0, &set};
  ebr_error *error = ebr_sweep_parse(text, length, "f.yaml", &overrides, &sweep);
  assert_null(sweep);
  assert_string_equal(ebr_error_message(error), message);
  assert_int_equal(ebr_error_code(error), EBR_SWEEP);
  ebr_error_destroy(&error);
}

static void fails(const char *text, const char *message) { fails_with(text, strlen(text), NULL, message); }

/* What stands under axes:, in flow style; it begins in line 3, column 7. */
static void axes_fail(const char *axes, const char *message)
{
  char text[2048];
  snprintf(text, sizeof text, BASE "axes: {%s}\n", axes);
  fails(text, message);
}

static void set_fails(const char *set, const char *message)
{
  const char *text = BASE "axes: {seed: [0, 1]}\n";
  fails_with(text, strlen(text), set, message);
}

static void files_that_are_no_sweeps(void **state)
{
  fails("", "f.yaml:1:1: the file is empty");
  fails("# only a comment\n", "f.yaml:1:1: the file is empty");
  fails("- a\n- b\n", "f.yaml:1:1: a sweep file is a map: name, question, base, axes, measure");
  fails("just words\n", "f.yaml:1:1: a sweep file is a map: name, question, base, axes, measure");
  fails("name: a\n---\nname: b\n", "f.yaml:2:1: a second document begins: a sweep file has one");
  fails_with("name: a\0b\n", 10, NULL, "f.yaml:1:8: byte 0x00 is no text (UTF-8)");
  fails("name: a\nquestion: caf\xe9\n", "f.yaml:2:14: byte 0xe9 is no text (UTF-8)");
  fails("name: a\x01\n", "f.yaml:1:8: byte 0x01 is no text (UTF-8)");
  fails("name: a\n? b:\t?\tc:\n", "f.yaml:2:1: a question mark introduces a key: write the key alone, as in KEY: VALUE");
  fails("name: a\nbase: - : ? S:\t?\n", "f.yaml:2:11: a question mark introduces a key: write the key alone, as in KEY: VALUE");
  fails("name: a\nquestion: Does it win ?\n", "f.yaml:1:1: synthetic data needs data.modalities of at least 1");
  fails("name: a\raxes:\n  - ?\n", "f.yaml:2:5: a question mark introduces a key: write the key alone, as in KEY: VALUE");
  fails("name: \xed\xa0\x80\n", "f.yaml:1:7: byte 0xed is no text (UTF-8)");
}

static void a_file_that_is_too_long(void **state)
{
  size_t length = EBR_SWEEP_BYTES_MOST + 1;
  char *text = malloc(length);
  memset(text, '#', length);
  fails_with(text, length, NULL, "f.yaml:1:1: 16777217 bytes: a sweep file has at most 16777216");
  free(text);
}

static void syntax(void **state)
{
  fails("name: [a\n", "f.yaml:2:1: is not YAML: flow sequence without a closing bracket");
  fails("name: a\n  b: c\n", "f.yaml:1:7: is not YAML: invalid multiline plain key");
  fails("name: \"a\n", "f.yaml:1:8: is not YAML: double-quoted scalar without closing quote");
  fails("name: a\nname: b\n", "f.yaml:2:1: 'name' stands twice: first in line 1");
  fails("name: a\n[1]: b\n", "f.yaml:2:1: a key must be a word");
  fails("name: *x\n", "f.yaml:1:7: *x refers to no anchor above");
  fails("name: a\nbase: &b {train: {<<: *b}}\n", "f.yaml:2:23: *b stands inside of what it refers to");
  fails("name: a\nbase: {<<: 3}\n", "f.yaml:2:8: << merges a map or a list of maps");
}

static void a_hint_for_derived_values(void **state)
{
  ebr_sweep *sweep;
  const char *text = BASE "axes: {model.width: [${data.modalities} * 2]}\n";
  ebr_error *error = ebr_sweep_parse(text, strlen(text), "f.yaml", NULL, &sweep);
  assert_non_null(strstr(ebr_error_message(error), "f.yaml:3:"));
  assert_non_null(strstr(ebr_error_message(error), "(inside [] and {} a derived value needs quotes)"));
  ebr_error_destroy(&error);
}

static void top_level(void **state)
{
  fails("question: why\n", "f.yaml:1:1: the sweep has no name: add `name: ...`");
  fails("name: [a]\n", "f.yaml:1:7: name takes a text");
  fails("nam: a\n",
        "f.yaml:1:1: unknown key 'nam' (did you mean 'name'?): a sweep has name, question, base, axes, measure");
  fails("name: a\nsomething_else: 3\n",
        "f.yaml:2:1: unknown key 'something_else': a sweep has name, question, base, axes, measure");
  fails("name: a\nzip: {}\n", "f.yaml:2:1: unknown key 'zip': it belongs under axes");
  fails("name: a\ntrain: {}\n", "f.yaml:2:1: unknown key 'train': it belongs under base");
  fails("name: a\nbase: [1]\n", "f.yaml:2:7: base takes a map of parameters");
  fails("name: a\nmeasure: 3\n", "f.yaml:2:10: measure takes a map of parameters");
  fails("name: a\naxes: [1]\n", "f.yaml:2:7: axes takes a map from parameters to lists of values");
}

static void base_values(void **state)
{
  fails("name: a\nbase: {data: {modalties: 3}}\n",
        "f.yaml:2:15: unknown parameter 'data.modalties' (did you mean 'data.modalities'?)");
  fails("name: a\nbase: {colour: blue}\n", "f.yaml:2:8: unknown parameter 'colour'");
  fails("name: a\nbase:\n  data: {train: 1.5}\n", "f.yaml:3:17: data.train takes a whole number, not '1.5'");
  fails("name: a\nbase:\n  data: {train: -1}\n", "f.yaml:3:17: data.train takes values from 0 to 1000000000, not -1");
  fails("name: a\nbase: {method: kdd}\n",
        "f.yaml:2:16: method takes one of vanilla, unimodal, kd, ebr, kd+ebr, not 'kdd' (did you mean 'kd'?)");
  fails("name: a\nbase: {method: {a: b}}\n", "f.yaml:2:16: method takes a value, not a map");
  fails("name: a\nbase: {data: 3}\n", "f.yaml:2:14: data takes a map of parameters");
  fails("name: a\nbase: {model.encoder: [[8], 4]}\n",
        "f.yaml:2:24: a list of single values belongs here, at most 16");
  fails("name: a\nbase:\n  data: {train: 5}\n  data.train: 6\n",
        "f.yaml:4:3: data.train stands twice: first in line 3");
  fails("name: a\nbase: {measure.every: 5}\nmeasure: {every: 3}\n",
        "f.yaml:3:11: measure.every stands twice: first in line 2");
  fails("name: a\nmeasure: {evry: 3}\n",
        "f.yaml:2:11: unknown parameter 'measure.evry' (did you mean 'measure.every'?)");
}

static void axes(void **state)
{
  axes_fail("seed: []", "f.yaml:3:14: the axis seed is empty");
  axes_fail("seed: 3", "f.yaml:3:14: an axis is a list of values: a single value of seed belongs under base");
  axes_fail("sed: [1]", "f.yaml:3:8: unknown parameter 'sed' (did you mean 'seed'?)");
  axes_fail("data: {train: [1]}", "f.yaml:3:8: 'data' stands for several parameters: write data.<parameter> here");
  axes_fail("seed: [1, x]", "f.yaml:3:18: seed takes a whole number, not 'x'");
  axes_fail("seed: [1, {a: b}]", "f.yaml:3:18: a value belongs here, not a map");
  axes_fail("model.encoder: [64, 32]", "f.yaml:3:24: model.encoder takes a list such as [64, 32], not '64'");
  axes_fail("seed: {vales: [1]}", "f.yaml:3:15: unknown key 'vales': an axis takes when, values, from, count, step");
  axes_fail("seed: {when: {method: ebr}}", "f.yaml:3:14: the axis seed has no values");
  axes_fail("seed: {values: [1], count: 3}", "f.yaml:3:14: the axis seed has both values and a range");
  axes_fail("seed: {from: 1}", "f.yaml:3:14: a range needs both from and count");
  axes_fail("seed: {from: 0, count: 0}", "f.yaml:3:31: the axis seed is empty");
  axes_fail("seed: {from: 0, count: two}", "f.yaml:3:31: count takes a whole number, not 'two'");
  axes_fail("seed: {from: -1, count: 2}", "f.yaml:3:21: from takes values from 0 to 4294967295, not -1");
  axes_fail("seed: {from: 0, count: 2, step: 0}", "f.yaml:3:40: step must not be 0");
  axes_fail("seed: {from: 1, count: 3, step: -1}",
            "f.yaml:3:14: the range ends at -1: seed takes values from 0 to 4294967295");
  axes_fail("train.rate: {from: 0, count: 2}",
            "f.yaml:3:20: from and count need a whole-number parameter, not train.rate");
}

static void zips(void **state)
{
  axes_fail("zip: {model.width: [8, 16], train.rate: [0.1]}",
            "f.yaml:3:48: zip walks lists of one length: train.rate has 1, model.width has 2");
  axes_fail("zip: {}", "f.yaml:3:13: zip is empty");
  axes_fail("zip: []", "f.yaml:3:13: zip is empty");
  axes_fail("zip: 3", "f.yaml:3:13: zip takes a map of lists, or a list of such maps");
  axes_fail("seed: [1], zip: {seed: [1, 2]}", "f.yaml:3:25: two axes vary seed: the first is in line 3");
}

static void conditions(void **state)
{
  axes_fail("seed: {when: 3, values: [1]}",
            "f.yaml:3:21: when: takes a map of parameters and the values that they must have");
  axes_fail("seed: {when: {metod: ebr}, values: [1]}",
            "f.yaml:3:22: unknown parameter 'metod' (did you mean 'method'?)");
  axes_fail("seed: {when: {method: ebrr}, values: [1]}", "f.yaml:3:30: method takes one of vanilla, unimodal, kd, ebr, "
                                                         "kd+ebr, not 'ebrr' (did you mean 'ebr'?)");
  axes_fail("seed: {when: {method: []}, values: [1]}",
            "f.yaml:3:30: a condition on method without a value never holds");
  axes_fail("seed: {when: {model.width: 8}, values: [1, 2]}, model.width: {when: {seed: 1}, values: [1, 2]}",
            "f.yaml:3:22: this condition waits for model.width, which waits for this axis in turn");
  axes_fail("seed: {when: {model.width: 8}, values: [1, 2]}, model.width: [\"${data.noise}\", 3]",
            "f.yaml:3:22: a condition cannot look at model.width, whose value is derived");
}

static void samples(void **state)
{
  axes_fail("sample: 3", "f.yaml:3:16: sample takes a map: count, method, seed, parameters");
  axes_fail("sample: {parameters: {seed: {uniform: [0, 9]}}}", "f.yaml:3:8: sample needs a count");
  axes_fail("sample: {count: 3}", "f.yaml:3:8: sample needs a map of parameters");
  axes_fail("sample: {count: 3, n: 3}",
            "f.yaml:3:27: unknown key 'n': sample takes count, method, seed, parameters, arms, when");
  axes_fail("sample: {count: 0, parameters: {seed: {uniform: [0, 9]}}}",
            "f.yaml:3:24: count takes values from 1 to 1000000, not 0");
  axes_fail("sample: {count: 3, method: halton, parameters: {seed: {uniform: [0, 9]}}}",
            "f.yaml:3:35: method takes one of uniform, latin-hypercube, sobol, not 'halton'");
  axes_fail("sample: {count: 3, parameters: {seed: [0, 9]}}",
            "f.yaml:3:46: a sampled parameter takes {uniform: [a, b]}, {log: [a, b]} or {choice: [...]}");
  axes_fail("sample: {count: 3, parameters: {seed: {normal: [0, 9]}}}",
            "f.yaml:3:47: unknown key 'normal': uniform, log or choice belongs here");
  axes_fail("sample: {count: 3, parameters: {seed: {uniform: [0, 9, 10]}}}",
            "f.yaml:3:56: the bounds of seed are two numbers, [least, most]");
  axes_fail("sample: {count: 3, parameters: {seed: {uniform: [9, 0]}}}", "f.yaml:3:56: the bounds of seed must rise");
  axes_fail("sample: {count: 3, parameters: {seed: {log: [0, 9]}}}", "f.yaml:3:52: log needs bounds of seed above 0");
  axes_fail("sample: {count: 3, parameters: {seed: {uniform: [-1, 9]}}}",
            "f.yaml:3:57: seed takes values from 0 to 4294967295, not -1");
  axes_fail("sample: {count: 3, parameters: {method: {uniform: [0, 9]}}}",
            "f.yaml:3:58: method takes no single number: sample it by choice: [...]");
  axes_fail("sample: {count: 3, parameters: {method: {choice: []}}}", "f.yaml:3:57: choice takes a list of values");
}

static void arms(void **state)
{
#define DRAWN "sample: {count: 2, parameters: {ebr.lambda: {uniform: [0, 1]}}, "
  axes_fail(DRAWN "arms: 3}", "f.yaml:3:78: arms takes a list of 1 to 64 maps from parameters to values");
  axes_fail(DRAWN "arms: []}", "f.yaml:3:78: arms takes a list of 1 to 64 maps from parameters to values");
  axes_fail(DRAWN "arms: [kd]}", "f.yaml:3:79: an arm is a map from parameters to values");
  axes_fail(DRAWN "arms: [{metod: kd}]}", "f.yaml:3:80: unknown parameter 'metod' (did you mean 'method'?)");
  axes_fail(DRAWN "arms: [{ebr.lambda: -1}]}", "f.yaml:3:92: ebr.lambda takes values from 0 to 1000, not -1");
  axes_fail(DRAWN "arms: [{method: ebr}, {ebr.lambda: 0}]}",
            "f.yaml:3:94: this arm lacks method, which another arm sets and the sample does not draw");
  axes_fail(DRAWN "arms: [{seed: 1}]}, seed: [3]", "f.yaml:3:92: two axes vary seed: the first is in line 3");
#undef DRAWN
}

static void derived_values(void **state)
{
  fails("name: a\nbase: {model.width: \"${data.modalties} * 2\"}\n",
        "f.yaml:2:21: '${data.modalties} * 2' refers to an unknown parameter (did you mean 'data.modalities'?)");
  fails("name: a\nbase: {model.width: \"${train.rate} * 2\"}\n",
        "f.yaml:2:21: '${train.rate} * 2' refers to train.rate, which is no whole number");
  fails("name: a\nbase: {method: \"${seed}\"}\n",
        "f.yaml:2:16: only parameters that take one number can be derived, method is none");
  fails("name: a\nbase: {model.width: \"${seed\"}\n", "f.yaml:2:21: '${seed' has a ${ without its }");
  fails("name: a\nbase: {model.width: \"(${seed} + 1\"}\n", "f.yaml:2:21: '(${seed} + 1' has a ( without its )");
  fails("name: a\nbase: {model.width: \"${seed} 1\"}\n", "f.yaml:2:21: '${seed} 1' is no expression: '1' is left over");
  fails("name: a\nbase: {model.width: \"${seed} * 1.5\"}\n",
        "f.yaml:2:21: '${seed} * 1.5' has a fraction: derived values are whole numbers");
  fails("name: a\nbase: {model.width: \"${seed} +\"}\n", "f.yaml:2:21: '${seed} +' is no expression of whole numbers, "
                                                        "${parameter}, + - * / and ()");
  fails("name: a\nbase: {model.width: \"${seed} + x\"}\n",
        "f.yaml:2:21: '${seed} + x' is no expression of whole numbers, ${parameter}, + - * / and (): see 'x'");
  fails("name: a\nbase: {model.width: \"${seed} * 99999999999999999999\"}\n",
        "f.yaml:2:21: '${seed} * 99999999999999999999' has a number that is too large");
  axes_fail("model.width: [\"${data.modalities} / 2\"]",
            "f.yaml:3:22: '${data.modalities} / 2' does not divide evenly: 3 / 2, in run 0");
  axes_fail("model.width: [\"3 / ${seed}\"]", "f.yaml:3:22: '3 / ${seed}' divides by zero, in run 0");
  axes_fail("model.width: [\"${data.modalities} * 9000000000000000000\"]",
            "f.yaml:3:22: '${data.modalities} * 9000000000000000000' is too large, in run 0");
  axes_fail("model.width: [\"${data.noise}\"], data.noise: [\"${model.width} + 1\"]",
            "f.yaml:3:53: data.noise is derived from itself, in run 0");
  axes_fail("seed: [0, 5], model.width: [\"1 - ${seed}\"]",
            "f.yaml:3:36: model.width takes values from 1 to 65536, not -4, in run 1 (seed 5)");
}

static void runs_that_cannot_be(void **state)
{
  fails("name: a\n", "f.yaml:1:1: synthetic data needs data.modalities of at least 1");
  fails("name: a\nbase: {data: {modalities: 0, train: 3}}\n",
        "f.yaml:2:27: synthetic data needs data.modalities of at least 1");
  axes_fail("method: [vanilla, kd], data.modalities: [2, 1]",
            "f.yaml:3:26: a method that distils needs at least 2 modalities, not 1, in run 3 (method kd, "
            "data.modalities 1)");
  axes_fail("train.batch: [128, 512]", "f.yaml:3:27: train.batch 512 is more than the 500 training samples of "
                                       "data.train, in run 1 (train.batch 512)");
}

static void teams_and_shards(void **state)
{
  axes_fail("schedule.team: [3]", "f.yaml:3:24: schedule.team is 1, 2, 4, 8 or 16 (0: as the job asks for), not 3, in "
                                  "run 0 (schedule.team 3)");
  axes_fail("schedule.team: [32]", "f.yaml:3:24: schedule.team takes values from 0 to 16, not 32");
  axes_fail("schedule.team: [-1]", "f.yaml:3:24: schedule.team takes values from 0 to 16, not -1");
  axes_fail("schedule.team: [two]", "f.yaml:3:24: schedule.team takes a whole number, not 'two'");
  axes_fail("schedule.team: [1.5]", "f.yaml:3:24: schedule.team takes a whole number, not '1.5'");
  fails("name: a\nbase: {data: {modalities: 3, train: 500, test: 100}, schedule: {team: 6}}\n",
        "f.yaml:2:71: schedule.team is 1, 2, 4, 8 or 16 (0: as the job asks for), not 6");
  set_fails("schedule.team=5", "--set schedule.team=5: schedule.team is 1, 2, 4, 8 or 16 (0: as the job asks for), "
                               "not 5, in run 0 (seed 0)");
  axes_fail("train.shards: [1, 6]", "f.yaml:3:26: train.shards is 1, 2, 4, 8 or 16 (0: as the run's size asks for), not "
                                    "6, in run 1 (train.shards 6)");
  axes_fail("train.shards: [8], train.batch: [100]",
            "f.yaml:3:23: train.shards 8 does not divide train.batch 100, in run 0 (train.shards 8, train.batch 100)");
  axes_fail("model.fusion: [muse], train.shards: [2]",
            "f.yaml:3:45: train.shards must be 1, not 2: a mini-batch has a graph between all of its samples "
            "(model.fusion), in run 0 (model.fusion muse, train.shards 2)");
  axes_fail("method: [ebr], ebr.form: [hinge], train.shards: [2]",
            "f.yaml:3:57: train.shards must be 1, not 2: a mini-batch has the loss of all of it at once (ebr.form hinge), "
            "in run 0 (method ebr, ebr.form hinge, train.shards 2)");
  axes_fail("method: [ebr], ebr.psi.steps: [2], train.shards: [2]",
            "f.yaml:3:58: train.shards must be 1, not 2: a mini-batch has several steps of psi on all of it "
            "(ebr.psi.steps), in run 0 (method ebr, ebr.psi.steps 2, train.shards 2)");
}

static void duplicate_runs(void **state)
{
  axes_fail("seed: [1, 2, 1]", "f.yaml:3:21: run 0 (seed 1) and run 2 (seed 1) are the same");
  axes_fail("method: [vanilla, ebr], ebr.lambda: [0, 0.5]",
            "f.yaml:3:48: run 0 (method vanilla, ebr.lambda 0) and run 1 (method vanilla, ebr.lambda 0.5) are the same: "
            "ebr.lambda does not matter there, so give its axis a when:");
  axes_fail("schedule.team: [1, 2]", "f.yaml:3:27: run 0 (schedule.team 1) and run 1 (schedule.team 2) are the same: "
                                     "schedule.team is how a run is carried out, not what it is");
}

static void too_many_runs(void **state)
{
  axes_fail("seed: {from: 0, count: 20000000}",
            "f.yaml:3:31: seed alone would make 20000000 runs: a sweep has at most 10000000");
  axes_fail("seed: {from: 0, count: 10000}, train.epochs: {from: 0, count: 1001}",
            "f.yaml:3:7: the axes make more than 10000000 runs");
  axes_fail("seed: {from: 0, count: 10000000}, train.epochs: {from: 0, count: 1000000}, "
            "data.train: {from: 500, count: 10000000}",
            "f.yaml:3:7: the axes make more than 10000000 runs");
  axes_fail("method: [kd], seed: {from: 0, count: 10000}, train.epochs: {when: {method: kd}, from: 0, count: 10000}",
            "f.yaml:3:7: the axes make more than 10000000 runs");
}

/* Lists take 136 bytes a point: the fourth is too much. */
static void values_that_take_too_much_memory(void **state)
{
  axes_fail("sample: {count: 1000000, parameters: {model.encoder: {choice: [[8, 4], [4, 4]]}, "
            "model.strength.each: {choice: [[1], [2]]}, data.strength.each: {choice: [[1], [2]]}, "
            "missing.train: {choice: [[0], [1]]}}}",
            "f.yaml:3:198: the values of all axes would take more than 512 MB");
}

static void conditions_with_many_values(void **state)
{
  ebr_text text = {0};
  assert_null(ebr_text_add(&text, BASE "axes: {method: [kd], seed: {values: [1], when: {train.epochs: ["));
  for (int i = 0; i < 1001; i++) assert_null(ebr_text_add(&text, "%s%d", i ? ", " : "", i));
  assert_null(ebr_text_add(&text, "]}}}\n"));
  fails(text.data, "f.yaml:3:63: a condition on train.epochs with more than 1000 values");
  ebr_text_destroy(&text);
}

/* What a file says must not steer the terminal, nor take a second line. */
static void control_characters_are_not_printed(void **state)
{
  fails("name: a\n\"b\\e[31m\\nc\": 3\n",
        "f.yaml:2:1: unknown key 'b?[31m?c': a sweep has name, question, base, axes, measure");
  fails("name: a\nbase: {method: \"k\\td\"}\n",
        "f.yaml:2:16: method takes one of vanilla, unimodal, kd, ebr, kd+ebr, not 'k?d' (did you mean 'kd'?)");
}

/* Comparing one of some megabytes with every known name would take minutes. */
static void a_very_long_word(void **state)
{
  size_t length = 8 << 20;
  char *text = malloc(length + 64);
  ebr_sweep *sweep;
  size_t start = (size_t)sprintf(text, "name: a\nbase:\n  data:\n    ? ");
  memset(text + start, 'a', length);
  strcpy(text + start + length, "\n    : 1\n");
  double begin = ebr_clock_seconds();
  ebr_error *error = ebr_sweep_parse(text, strlen(text), "f.yaml", NULL, &sweep);
  assert_non_null(error);
  assert_int_equal(ebr_error_code(error), EBR_SWEEP);
  assert_true(ebr_clock_seconds() - begin < 20);
  ebr_error_destroy(&error);
  free(text);
}

static void overrides(void **state)
{
  set_fails("data.train=abc", "--set data.train=abc: data.train takes a whole number, not 'abc'");
  set_fails("seed=[1,2]", "--set seed=[1,2]: seed takes a whole number, not '[1,2]'");
  set_fails("data.trian=1",
            "--set data.trian=1: unknown parameter 'data.trian' (did you mean 'data.train'?)");
  set_fails("data.train", "--set data.train: is not of the form name=value");
  set_fails("=3", "--set =3: is not of the form name=value");
  set_fails("model.width=${seed} *", "--set model.width=${seed} *: '${seed} *' is no expression of whole numbers, "
                                     "${parameter}, + - * / and ()");
  set_fails("data.modalities=0", "--set data.modalities=0: synthetic data needs data.modalities of at least 1, in run "
                                 "0 (seed 0)");
}

/* Anchors that would unfold to 10^9 entries: refused or harmless, but never memory. */
static void bombs(void **state)
{
  ebr_text text = {0};
  ebr_sweep *sweep;
  assert_null(ebr_text_add(&text, BASE "axes:\n  model.encoder: &a0 [1]\n  data.order: &a1 [*a0, *a0]\n"));
  assert_null(ebr_text_add(&text, "  measure.missing: [[*a1, *a1, *a1]]\n"));
  ebr_error *error = ebr_sweep_parse(text.data, text.length, "f.yaml", NULL, &sweep);
  assert_int_equal(ebr_error_code(error), EBR_SWEEP);
  ebr_error_destroy(&error);
  text.length = 0;
  assert_null(ebr_text_add(&text, "name: a\nx0: &a0 {k0: 1, k1: 1, k2: 1, k3: 1, k4: 1, k5: 1, k6: 1, k7: 1}\n"));
  for (int i = 1; i < 30; i++) {
    assert_null(ebr_text_add(&text, "x%d: &a%d {", i, i));
    for (int j = 0; j < 8; j++) assert_null(ebr_text_add(&text, "%sm%d_%d: *a%d", j ? ", " : "", i, j, i - 1));
    assert_null(ebr_text_add(&text, ", <<: [*a%d, *a%d, *a%d]}\n", i - 1, i - 1, i - 1));
  }
  error = ebr_sweep_parse(text.data, text.length, "f.yaml", NULL, &sweep);
  assert_int_equal(ebr_error_code(error), EBR_SWEEP);
  ebr_error_destroy(&error);
  text.length = 0;
  for (int i = 0; i < 4000; i++) assert_null(ebr_text_add(&text, "["));
  error = ebr_sweep_parse(text.data, text.length, "f.yaml", NULL, &sweep);
  assert_int_equal(ebr_error_code(error), EBR_SWEEP);
  ebr_error_destroy(&error);
  ebr_text_destroy(&text);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
#ifndef __SANITIZE_ADDRESS__
  assert_in_range(usage.ru_maxrss, 0, 512 * 1024); /* [KiB] */
#endif
}

/* libfyaml's own words go into the message, not to the terminal. */
static void nothing_is_printed(void **state)
{
  FILE *file = tmpfile();
  fflush(stderr);
  int saved = dup(STDERR_FILENO);
  dup2(fileno(file), STDERR_FILENO);
  fails("name: [a\n", "f.yaml:2:1: is not YAML: flow sequence without a closing bracket");
  fails("name: \"a\n", "f.yaml:1:8: is not YAML: double-quoted scalar without closing quote");
  fflush(stderr);
  dup2(saved, STDERR_FILENO);
  close(saved);
  assert_int_equal(lseek(fileno(file), 0, SEEK_END), 0);
  fclose(file);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(files_that_are_no_sweeps),
      cmocka_unit_test(a_file_that_is_too_long),
      cmocka_unit_test(syntax),
      cmocka_unit_test(a_hint_for_derived_values),
      cmocka_unit_test(top_level),
      cmocka_unit_test(base_values),
      cmocka_unit_test(axes),
      cmocka_unit_test(zips),
      cmocka_unit_test(conditions),
      cmocka_unit_test(samples),
      cmocka_unit_test(arms),
      cmocka_unit_test(derived_values),
      cmocka_unit_test(runs_that_cannot_be),
      cmocka_unit_test(teams_and_shards), cmocka_unit_test(duplicate_runs),
      cmocka_unit_test(too_many_runs),
      cmocka_unit_test(conditions_with_many_values),
      cmocka_unit_test(control_characters_are_not_printed),
      cmocka_unit_test(a_very_long_word),
      cmocka_unit_test(overrides),
      cmocka_unit_test(bombs),
      cmocka_unit_test(values_that_take_too_much_memory),
      cmocka_unit_test(nothing_is_printed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
