/* A mini-batch in shards: its gradients add up to those of the whole, for every method and loss whose gradient is such
 * a sum; and where it is not, there is one shard. In double, so that only rounding is between them. */
#include <ebrsweep/train.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made_samples.h"

enum { SETTINGS_MOST = 8, FEATURES = 5 };

static void must(ebr_error *error)
{
  if (error) fail_msg("%s", ebr_error_message(error));
}

static void set(ebr_config *config, const char *name, const char *value)
{
  must(ebr_config_set(config, ebr_parameter_find(name), value));
}

static void defaults(ebr_config *config)
{
  ebr_config_defaults(config);
  set(config, "model.encoder", "[6, 5]");
  set(config, "model.width", "7");
  set(config, "train.batch", "48");
  set(config, "train.optimizer", "sgd");
}

typedef struct setting {
  const char *name, *value;
} setting;

static const setting settings[][SETTINGS_MOST] = {
    {{"method", "vanilla"}},
    {{"method", "vanilla"}, {"train.loss", "squared"}, {"train.l1", "0.01"}, {"train.weight_decay", "0.1"}},
    {{"method", "vanilla"}, {"auxiliary.weight", "0.7"}, {"train.optimizer", "adam"}},
    {{"method", "unimodal"}, {"unimodal.modality", "1"}},
    {{"method", "kd"}, {"kd.form", "mse"}},
    {{"method", "kd"}, {"kd.form", "cosine"}, {"auxiliary.weight", "0.5"}},
    {{"method", "kd"}, {"kd.form", "logits"}},
    {{"method", "ebr"}, {"ebr.form", "reversal"}, {"ebr.psi.rate", "0.02"}},
    {{"method", "ebr"}, {"ebr.form", "confusion"}, {"ebr.psi.conditional", "true"}, {"ebr.latent", "4"}},
    {{"method", "kd+ebr"}, {"ebr.residual", "true"}, {"auxiliary.weight", "0.2"}, {"model.strength.last", "0.5"}},
};

/* Values after some steps, and the last losses. */
static double *trained(const ebr_config *base, const ebr_samples *samples, const char *shards, ebr_losses *losses,
                       size_t *size)
{
  static double features[MADE_TRAIN * FEATURES], logits[MADE_TRAIN * MADE_CLASSES];
  static const int order[MADE_MODALITIES] = {1, 0, 2};
  ebr_teaching teaching = {1, features, logits, order};
  ebr_config config = *base;
  ebr_trainer *trainer = NULL;
  for (int k = 0; k < MADE_TRAIN * FEATURES; k++) features[k] = sin(k);
  for (int k = 0; k < MADE_TRAIN * MADE_CLASSES; k++) logits[k] = cos(3 * k);
  set(&config, "train.shards", shards);
  must(ebr_trainer_create(&config, samples, -1, 5, ebr_config_distils(&config) ? &teaching : NULL, &trainer));
  for (int k = 0; k < 3; k++) (void)ebr_trainer_step(trainer, losses);
  *size = ebr_network_size(ebr_trainer_network(trainer));
  double *values = malloc(*size * sizeof *values);
  assert_non_null(values);
  memcpy(values, ebr_network_values(ebr_trainer_network(trainer)), *size * sizeof *values);
  ebr_trainer_destroy(&trainer);
  return values;
}

static void assert_near(double a, double b) { assert_true(fabs(a - b) <= 1e-11 * (1 + fabs(a))); }

static void compare(const ebr_config *config, const ebr_samples *samples, const char *shards)
{
  ebr_losses whole_losses, losses;
  size_t size, same;
  double *whole = trained(config, samples, "1", &whole_losses, &size);
  double *parts = trained(config, samples, shards, &losses, &same);
  assert_int_equal(size, same);
  for (size_t k = 0; k < size; k++) assert_near(whole[k], parts[k]);
  assert_near(whole_losses.semantic, losses.semantic);
  assert_near(whole_losses.discrimination, losses.discrimination);
  assert_near(whole_losses.distillation, losses.distillation);
  assert_near(whole_losses.auxiliary, losses.auxiliary);
  assert_true(whole_losses.correct == losses.correct);
  free(whole);
  free(parts);
}

static void shards_add_up_to_the_whole(void **state)
{
  static const char *const shards[] = {"2", "4", "8", "16"};
  ebr_samples samples;
  ebr_config config;
  uint8_t present[MADE_TOTAL * MADE_MODALITIES];
  must(made_samples(3, &samples));
  for (int k = 0; k < MADE_TOTAL * MADE_MODALITIES; k++) present[k] = k % 7 != 2 && k % 5 != 3;
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
    for (int missing = 0; missing < 2; missing++)
      for (size_t s = 0; s < sizeof shards / sizeof *shards; s++) {
        defaults(&config);
        for (int k = 0; k < SETTINGS_MOST && settings[i][k].name; k++)
          set(&config, settings[i][k].name, settings[i][k].value);
        samples.present = missing ? present : NULL;
        assert_true(ebr_config_divides(&config));
        compare(&config, &samples, shards[s]);
      }
  ebr_arena_destroy(&samples.owned);
}

/* The automatic number of shards follows from the configuration alone. */
static void only_wide_heads_have_shards(void **state)
{
  static const struct {
    const char *width, *batch, *name, *value;
    int shards;
  } cases[] = {
      {"128", "4096", "method", "vanilla", 1},    {"1023", "4096", "method", "vanilla", 1},
      {"1024", "512", "method", "vanilla", 2},    {"2048", "256", "method", "kd", 1},
      {"2048", "1024", "method", "kd", 4},        {"65536", "65536", "method", "unimodal", 8},
      {"2048", "600", "method", "vanilla", 2},    {"2048", "513", "method", "vanilla", 1},
      {"2048", "512", "schedule.team", "16", 2},  {"2048", "512", "model.fusion", "grape", 1},
      {"2048", "512", "model.fusion", "muse", 1}, {"128", "128", "train.shards", "16", 16},
      {"2048", "4096", "train.shards", "1", 1},
  };
  ebr_config config;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ebr_config_defaults(&config);
    set(&config, "model.width", cases[i].width);
    set(&config, "train.batch", cases[i].batch);
    set(&config, cases[i].name, cases[i].value);
    assert_int_equal(ebr_config_shards(&config), cases[i].shards);
  }
}

/* Losses that look at all of a mini-batch at once. */
static void what_couples_samples_has_one_shard(void **state)
{
  ebr_config config;
  ebr_config_defaults(&config);
  set(&config, "model.width", "2048");
  set(&config, "train.batch", "512");
  set(&config, "method", "ebr");
  assert_int_equal(ebr_config_shards(&config), 2);
  set(&config, "ebr.psi.steps", "2");
  assert_int_equal(ebr_config_shards(&config), 1);
  set(&config, "ebr.psi.steps", "1");
  set(&config, "ebr.form", "hinge");
  assert_int_equal(ebr_config_shards(&config), 1);
  assert_false(ebr_config_divides(&config));
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(shards_add_up_to_the_whole),
                                     cmocka_unit_test(only_wide_heads_have_shards),
                                     cmocka_unit_test(what_couples_samples_has_one_shard)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
