#include <ebrsweep/train.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made_samples.h"

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
  ebr_trainer *trainer;
} fixture;

static void start(fixture *f) { must(ebr_trainer_create(&f->config, &f->samples, -1, 5, NULL, &f->trainer)); }

static int setup(void **state)
{
  static fixture f;
  f = (fixture){0};
  must(made_samples(3, &f.samples));
  ebr_config_defaults(&f.config);
  set(&f.config, "model.encoder", "[6, 5]");
  set(&f.config, "model.width", "7");
  set(&f.config, "train.batch", "16");
  set(&f.config, "train.rate", "0.01");
  *state = &f;
  return 0;
}

static int teardown(void **state)
{
  fixture *f = *state;
  ebr_trainer_destroy(&f->trainer);
  ebr_arena_destroy(&f->samples.owned);
  return 0;
}

static size_t value_bytes(ebr_trainer *trainer)
{
  return ebr_network_size(ebr_trainer_network(trainer)) * sizeof(ebr_real);
}

static void assert_same_values(ebr_trainer *a, ebr_trainer *b)
{
  assert_int_equal(value_bytes(a), value_bytes(b));
  assert_memory_equal(ebr_network_values(ebr_trainer_network(a)), ebr_network_values(ebr_trainer_network(b)),
                      value_bytes(a));
}

static void steps(ebr_trainer *trainer, int count, ebr_losses *losses)
{
  for (int k = 0; k < count; k++) (void)ebr_trainer_step(trainer, losses);
}

static void learns(void **state)
{
  fixture *f = *state;
  ebr_losses first, last;
  ebr_scores scores;
  int64_t diverged;
  start(f);
  ebr_trainer_epoch(f->trainer, &first, &diverged);
  for (int k = 0; k < 40; k++) ebr_trainer_epoch(f->trainer, &last, &diverged);
  assert_int_equal(diverged, -1);
  assert_true(last.semantic < 0.5 * first.semantic);
  must(ebr_evaluate(ebr_trainer_network(f->trainer), &f->samples, -1, f->samples.test, f->samples.test_count, NULL,
                    NULL, NULL, &scores));
  assert_true(scores.accuracy > 0.8);
}

/* A checkpoint in the middle of an epoch, loaded into a trainer that went elsewhere, continues to the same bits. */
static void checkpoint_continues_to_the_same_bits(void **state)
{
  fixture *f = *state;
  ebr_trainer *other = NULL;
  ebr_losses a, b;
  set(&f->config, "method", "ebr");
  set(&f->config, "ebr.psi.steps", "2");
  start(f);
  steps(f->trainer, 9, &a);
  void *saved = malloc(ebr_trainer_state_bytes(f->trainer));
  assert_non_null(saved);
  ebr_trainer_state_save(f->trainer, saved);
  steps(f->trainer, 20, &a);
  must(ebr_trainer_create(&f->config, &f->samples, -1, 5, NULL, &other));
  steps(other, 3, &b);
  must(ebr_trainer_state_load(other, saved, ebr_trainer_state_bytes(other)));
  steps(other, 20, &b);
  assert_same_values(f->trainer, other);
  assert_true(a.semantic == b.semantic);
  free(saved);
  ebr_trainer_destroy(&other);
}

static void damaged_checkpoints_are_refused(void **state)
{
  fixture *f = *state;
  start(f);
  size_t bytes = ebr_trainer_state_bytes(f->trainer);
  char *saved = calloc(1, bytes);
  assert_non_null(saved);
  ebr_error *error = ebr_trainer_state_load(f->trainer, saved, bytes - 1);
  assert_non_null(strstr(ebr_error_message(error), "instead of"));
  ebr_error_destroy(&error);
  error = ebr_trainer_state_load(f->trainer, saved, bytes);
  assert_string_equal(ebr_error_message(error), "a checkpoint of another version");
  ebr_error_destroy(&error);
  free(saved);
}

static double first_loss(fixture *f)
{
  ebr_losses losses;
  start(f);
  steps(f->trainer, 1, &losses);
  ebr_trainer_destroy(&f->trainer);
  return losses.semantic;
}

static void residual_ebr_starts_where_vanilla_does(void **state)
{
  fixture *f = *state;
  double vanilla = first_loss(f);
  set(&f->config, "method", "ebr");
  assert_true(first_loss(f) != vanilla);
  set(&f->config, "ebr.residual", "true");
  assert_true(first_loss(f) == vanilla);
}

static void lone_networks_start_from_the_whole_ones_encoder(void **state)
{
  fixture *f = *state;
  ebr_trainer *alone = NULL;
  start(f);
  must(ebr_trainer_create(&f->config, &f->samples, 1, 5, NULL, &alone));
  ebr_network *a = ebr_trainer_network(f->trainer), *b = ebr_trainer_network(alone);
  const ebr_tensor *x = ebr_network_tensor(a, ebr_network_tensor_find(a, "f.1.weight.0"));
  const ebr_tensor *y = ebr_network_tensor(b, ebr_network_tensor_find(b, "f.1.weight.0"));
  assert_int_equal(ebr_network_tensor_find(b, "f.0.weight.0"), -1);
  assert_memory_equal(ebr_network_values(a) + x->offset, ebr_network_values(b) + y->offset,
                      (size_t)(x->rows * x->cols) * sizeof(ebr_real));
  ebr_trainer_destroy(&alone);
}

static void divergence_is_noticed_with_its_step(void **state)
{
  fixture *f = *state;
  ebr_losses losses;
  int64_t diverged;
  set(&f->config, "train.optimizer", "sgd");
  set(&f->config, "train.rate", "1000");
  start(f);
  ebr_trainer_epoch(f->trainer, &losses, &diverged);
  assert_true(diverged >= 1 && diverged < 6);
}

static void l1_shrinks_the_heads_first_layer(void **state)
{
  fixture *f = *state;
  double total[2] = {0, 0};
  ebr_losses losses;
  for (int k = 0; k < 2; k++) {
    set(&f->config, "train.l1", k ? "0.05" : "0");
    start(f);
    steps(f->trainer, 200, &losses);
    ebr_network *network = ebr_trainer_network(f->trainer);
    const ebr_tensor *head = ebr_network_tensor(network, ebr_network_tensor_find(network, "phi.weight.0"));
    for (int i = 0; i < head->rows * head->cols; i++)
      total[k] += fabs((double)ebr_network_values(network)[head->offset + (size_t)i]);
    ebr_trainer_destroy(&f->trainer);
  }
  assert_true(total[1] < 0.5 * total[0]);
}

static void memory_prediction_is_what_is_allocated(void **state)
{
  fixture *f = *state;
  ebr_shape shape = ebr_samples_describe(&f->samples);
  size_t before = ebr_trainer_bytes(&f->config, &shape, -1);
  set(&f->config, "model.width", "700");
  size_t after = ebr_trainer_bytes(&f->config, &shape, -1);
  /* 693 more neurons: values, gradients, two moments of 15 + 1 + 4 weights each, transposed scratch of 15, hidden
   * twice. */
  double expected = 693.0 * sizeof(ebr_real) * (4 * 20 + 15 + 2 * 16);
  assert_true(fabs((double)(after - before) - expected) < 0.02 * expected);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {TEST(learns),
                                     TEST(checkpoint_continues_to_the_same_bits),
                                     TEST(damaged_checkpoints_are_refused),
                                     TEST(residual_ebr_starts_where_vanilla_does),
                                     TEST(lone_networks_start_from_the_whole_ones_encoder),
                                     TEST(divergence_is_noticed_with_its_step),
                                     TEST(l1_shrinks_the_heads_first_layer),
                                     TEST(memory_prediction_is_what_is_allocated)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
