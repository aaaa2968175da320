/* Modalities trained alone: against trainers driven by hand, and what is trained when. */
#include "run/alone.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made_samples.h"

enum { EPOCHS = 4, KEY = 17, FEATURES = 5 };

static ebr_run_limits no_limits = {.seconds = INFINITY};
static const ebr_watch unlimited = {&no_limits, 0};

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
  ebr_config_defaults(config);
  set(config, "data.source", "hdf5");
  set(config, "model.encoder", "[6, 5]");
  set(config, "model.width", "7");
  set(config, "train.batch", "16");
  set(config, "train.rate", "0.01");
  set(config, "train.epochs", "4");
  set(config, "method", method);
}

static void by_hand(const ebr_config *config, const ebr_samples *samples, int modality, ebr_trainer **trainer)
{
  must(ebr_trainer_create(config, samples, modality, KEY, NULL, trainer));
  for (int k = 0; k < EPOCHS; k++) {
    ebr_losses losses;
    int64_t diverged;
    ebr_trainer_epoch(*trainer, &losses, &diverged);
    assert_int_equal(diverged, -1);
  }
}

static void evaluate(ebr_trainer *trainer, const ebr_samples *samples, int modality, bool test, ebr_scores *scores)
{
  must(ebr_evaluate(ebr_trainer_network(trainer), samples, modality, test ? samples->test : samples->train,
                    test ? samples->test_count : samples->train_count, NULL, NULL, NULL, scores));
}

static void baselines_are_what_training_by_hand_gives(void **state)
{
  ebr_samples samples;
  ebr_config config;
  ebr_alone *alone = NULL;
  char reason[96] = "";
  must(made_samples(3, &samples));
  configure(&config, "vanilla");
  must(ebr_alone_train(&config, &samples, KEY, &unlimited, &alone, reason, sizeof reason));
  assert_string_equal(reason, "");
  assert_null(ebr_alone_teaching(alone));
  for (int i = 0; i < MADE_MODALITIES; i++) {
    ebr_trainer *trainer = NULL;
    ebr_scores test, without;
    by_hand(&config, &samples, i, &trainer);
    evaluate(trainer, &samples, i, true, &test);
    must(ebr_measure_without(trainer, &samples, i, i, &without));
    assert_true(test.loss == ebr_alone_scores(alone)[i].loss);
    assert_true(test.accuracy == ebr_alone_scores(alone)[i].accuracy);
    assert_true(without.loss - test.loss == ebr_alone_contributions(alone)[i]);
    ebr_trainer_destroy(&trainer);
  }
  /* Two modalities know the class; the third is noise. */
  assert_true(ebr_alone_contributions(alone)[0] > 0.1 && ebr_alone_contributions(alone)[1] > 0.1);
  ebr_alone_destroy(&alone);
  ebr_arena_destroy(&samples.owned);
}

typedef struct features {
  const ebr_teaching *teaching;
  double worst;
} features;

static void compare_features(void *context, ebr_network *network, int start, int count, const ebr_batch *batch)
{
  features *f = context;
  for (int b = 0; b < count; b++)
    for (int k = 0; k < FEATURES; k++) {
      double expected = (double)ebr_network_encoded(network, 0)[b * FEATURES + k];
      f->worst = fmax(f->worst, fabs(expected - (double)f->teaching->features[(start + b) * FEATURES + k]));
    }
  (void)batch;
}

static void teacher_is_the_best_in_training(void **state)
{
  ebr_samples samples;
  ebr_config config;
  ebr_alone *alone = NULL;
  char reason[96] = "";
  double loss[MADE_MODALITIES];
  int best = 0;
  must(made_samples(3, &samples));
  configure(&config, "kd");
  must(ebr_alone_train(&config, &samples, KEY, &unlimited, &alone, reason, sizeof reason));
  const ebr_teaching *teaching = ebr_alone_teaching(alone);
  assert_non_null(teaching);
  for (int i = 0; i < MADE_MODALITIES; i++) {
    ebr_trainer *trainer = NULL;
    ebr_scores train;
    features f = {teaching, 0};
    by_hand(&config, &samples, i, &trainer);
    evaluate(trainer, &samples, i, false, &train);
    loss[i] = train.loss;
    if (loss[i] < loss[best]) best = i;
    must(ebr_evaluate(ebr_trainer_network(trainer), &samples, i, samples.train, samples.train_count, NULL,
                      compare_features, &f, &train));
    assert_true((f.worst == 0) == (teaching->modality == i));
    ebr_trainer_destroy(&trainer);
  }
  assert_int_equal(teaching->modality, best);
  for (int k = 1; k < MADE_MODALITIES; k++) assert_true(loss[teaching->order[k - 1]] <= loss[teaching->order[k]]);
  ebr_alone_destroy(&alone);
  ebr_arena_destroy(&samples.owned);
}

static void only_what_is_wanted_is_trained(void **state)
{
  ebr_samples samples;
  ebr_config config;
  ebr_alone *alone = NULL;
  char reason[96] = "";
  must(made_samples(3, &samples));
  configure(&config, "vanilla");
  assert_int_equal(ebr_alone_count(&config, MADE_MODALITIES), MADE_MODALITIES);
  set(&config, "measure.unimodal", "false");
  assert_int_equal(ebr_alone_count(&config, MADE_MODALITIES), 0);
  must(ebr_alone_train(&config, &samples, KEY, &unlimited, &alone, reason, sizeof reason));
  assert_null(ebr_alone_scores(alone));
  assert_null(ebr_alone_contributions(alone));
  assert_null(ebr_alone_teaching(alone));
  ebr_alone_destroy(&alone);
  set(&config, "method", "kd");
  assert_int_equal(ebr_alone_count(&config, MADE_MODALITIES), MADE_MODALITIES);
  set(&config, "kd.teacher", "2");
  assert_int_equal(ebr_alone_count(&config, MADE_MODALITIES), 1);
  set(&config, "kd.epochs", "3");
  assert_int_equal(ebr_alone_epochs(&config), 3);
  must(ebr_alone_train(&config, &samples, KEY, &unlimited, &alone, reason, sizeof reason));
  assert_int_equal(ebr_alone_teaching(alone)->modality, 2);
  ebr_alone_destroy(&alone);
  ebr_arena_destroy(&samples.owned);
}

static bool count_epoch(void *context)
{
  ++*(int *)context;
  return true;
}

/* Trains anew and with what is known, to the same bits; answers how many epochs the latter took. */
static int trained_again(const ebr_config *config, const ebr_samples *samples, ebr_baselines *known)
{
  int epochs = 0;
  ebr_run_limits limits = {.seconds = INFINITY, .tick = count_epoch, .context = &epochs, .known = known};
  const ebr_watch watch = {&limits, 0};
  ebr_alone *anew = NULL, *alone = NULL;
  char reason[96] = "";
  must(ebr_alone_train(config, samples, KEY, &unlimited, &anew, reason, sizeof reason));
  must(ebr_alone_train(config, samples, KEY, &watch, &alone, reason, sizeof reason));
  assert_string_equal(reason, "");
  assert_true((ebr_alone_scores(alone) == NULL) == (ebr_alone_scores(anew) == NULL));
  for (int i = 0; i < MADE_MODALITIES && ebr_alone_scores(alone); i++) {
    assert_memory_equal(&ebr_alone_scores(alone)[i], &ebr_alone_scores(anew)[i], sizeof(ebr_scores));
    assert_true(ebr_alone_contributions(alone)[i] == ebr_alone_contributions(anew)[i]);
  }
  const ebr_teaching *teaching = ebr_alone_teaching(alone), *expected = ebr_alone_teaching(anew);
  assert_true((teaching == NULL) == (expected == NULL));
  if (teaching) {
    assert_int_equal(teaching->modality, expected->modality);
    assert_memory_equal(teaching->order, expected->order, MADE_MODALITIES * sizeof(int));
    assert_memory_equal(teaching->features, expected->features,
                        (size_t)samples->train_count * FEATURES * sizeof(ebr_real));
    assert_memory_equal(teaching->logits, expected->logits,
                        (size_t)(samples->train_count * samples->classes) * sizeof(ebr_real));
  }
  ebr_alone_destroy(&anew);
  ebr_alone_destroy(&alone);
  return epochs;
}

static void what_is_known_is_not_trained_again(void **state)
{
  enum { ALL = MADE_MODALITIES * EPOCHS };
  static const struct {
    const char *method, *name, *value;
    int epochs; /* of those before it much is known */
  } arms[] = {{"kd", "measure.unimodal", "false", ALL},
              {"vanilla", "seed", "0", ALL},
              {"ebr", "ebr.lambda", "0.3", 0},
              {"vanilla", "auxiliary.weight", "1", 0},
              {"vanilla", "model.fusion", "muse", 0},
              {"kd", "kd.order", "weak-first", EPOCHS},
              {"kd+ebr", "kd.teacher", "2", EPOCHS},
              {"kd", "kd.epochs", "3", 3 * MADE_MODALITIES},
              {"unimodal", "unimodal.modality", "1", 0},
              {"vanilla", "train.rate", "0.02", ALL},
              {"vanilla", "model.encoder", "[7, 5]", ALL},
              {"ebr", "ebr.residual", "true", 0},
              {"vanilla", "data.label_noise", "0.1", ALL}};
  ebr_samples samples;
  ebr_baselines *known = NULL;
  must(made_samples(3, &samples));
  must(ebr_baselines_create(&known));
  for (size_t k = 0; k < sizeof arms / sizeof *arms; k++) {
    ebr_config config;
    configure(&config, arms[k].method);
    set(&config, arms[k].name, arms[k].value);
    assert_int_equal(trained_again(&config, &samples, known), arms[k].epochs);
  }
  ebr_baselines_destroy(&known);
  ebr_arena_destroy(&samples.owned);
}

static void divergence_is_told(void **state)
{
  ebr_samples samples;
  ebr_config config;
  ebr_alone *alone = NULL;
  char reason[96] = "";
  must(made_samples(3, &samples));
  configure(&config, "vanilla");
  set(&config, "train.limit", "1");
  must(ebr_alone_train(&config, &samples, KEY, &unlimited, &alone, reason, sizeof reason));
  assert_string_equal(reason, "modality 0 alone diverged in step 0");
  ebr_alone_destroy(&alone);
  ebr_arena_destroy(&samples.owned);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(baselines_are_what_training_by_hand_gives), cmocka_unit_test(teacher_is_the_best_in_training),
      cmocka_unit_test(only_what_is_wanted_is_trained), cmocka_unit_test(what_is_known_is_not_trained_again),
      cmocka_unit_test(divergence_is_told)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
