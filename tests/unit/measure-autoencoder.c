/* The cross-modal autoencoder against what LAPACK's least squares find: of two modalities either is a linear function
 * of the other, with noise on top; a linear autoencoder cannot rebuild better, and must not much worse. */
#include "measure/autoencoder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lapacke.h>

enum { COUNT = 512, WIDTH = 4, FACTORS = 3 };

typedef struct fixture {
  float latent[COUNT * 2 * WIDTH];
  uint8_t known[COUNT * 2], present[COUNT * 2];
  ebr_real edited[2][COUNT * WIDTH];
} fixture;

static double latent_at(const fixture *f, int k, int modality, int c)
{
  return (double)f->latent[(k * 2 + modality) * WIDTH + c];
}

/* Both modalities are linear in the same three factors, off centre and of unlike size. */
static fixture *setup(double noise)
{
  ebr_stream stream = ebr_stream_start(5, EBR_PURPOSE_TEST, 3);
  fixture *f = calloc(1, sizeof *f);
  double mixing[2][FACTORS][WIDTH];
  assert_non_null(f);
  for (int k = 0; k < 2 * FACTORS * WIDTH; k++) (&mixing[0][0][0])[k] = ebr_stream_normal(&stream);
  for (int s = 0; s < COUNT; s++) {
    double factor[FACTORS];
    for (int j = 0; j < FACTORS; j++) factor[j] = ebr_stream_normal(&stream);
    for (int i = 0; i < 2; i++)
      for (int c = 0; c < WIDTH; c++) {
        double sum = noise * ebr_stream_normal(&stream);
        for (int j = 0; j < FACTORS; j++) sum += factor[j] * mixing[i][j][c];
        f->latent[(s * 2 + i) * WIDTH + c] = (float)((c + 1) * sum + 3 * c - i);
      }
  }
  memset(f->known, 1, sizeof f->known);
  return f;
}

/* Mean squared error of modality `target` from least squares on the other and 1, each component over its variance. */
static double least_squares(const fixture *f, int target)
{
  static double a[COUNT * (WIDTH + 1)], b[COUNT * WIDTH];
  double error = 0;
  for (int k = 0; k < COUNT; k++) {
    for (int c = 0; c < WIDTH; c++) {
      a[k * (WIDTH + 1) + c] = latent_at(f, k, 1 - target, c);
      b[k * WIDTH + c] = latent_at(f, k, target, c);
    }
    a[k * (WIDTH + 1) + WIDTH] = 1;
  }
  assert_int_equal(LAPACKE_dgels(LAPACK_ROW_MAJOR, 'N', COUNT, WIDTH + 1, WIDTH, a, WIDTH + 1, b, WIDTH), 0);
  for (int c = 0; c < WIDTH; c++) {
    double mean = 0, variance = 0, squares = 0;
    for (int k = 0; k < COUNT; k++) mean += latent_at(f, k, target, c) / COUNT;
    for (int k = 0; k < COUNT; k++) variance += pow(latent_at(f, k, target, c) - mean, 2) / COUNT;
    for (int k = WIDTH + 1; k < COUNT; k++) squares += b[k * WIDTH + c] * b[k * WIDTH + c] / COUNT;
    error += squares / variance / WIDTH;
  }
  return error;
}

/* The same of what the autoencoder says. */
static double rebuilt(fixture *f, ebr_autoencoder *autoencoder, int target)
{
  ebr_real *edited[2] = {f->edited[0], f->edited[1]};
  double error = 0;
  for (int k = 0; k < COUNT; k++)
    for (int i = 0; i < 2; i++) {
      f->present[k * 2 + i] = i != target;
      for (int c = 0; c < WIDTH; c++)
        f->edited[i][k * WIDTH + c] = i == target ? (ebr_real)NAN : (ebr_real)latent_at(f, k, i, c);
    }
  ebr_autoencoder_rebuild(autoencoder, COUNT, f->present, edited);
  for (int c = 0; c < WIDTH; c++) {
    double mean = 0, variance = 0, squares = 0;
    for (int k = 0; k < COUNT; k++) mean += latent_at(f, k, target, c) / COUNT;
    for (int k = 0; k < COUNT; k++) variance += pow(latent_at(f, k, target, c) - mean, 2) / COUNT;
    for (int k = 0; k < COUNT; k++)
      squares += pow((double)f->edited[target][k * WIDTH + c] - latent_at(f, k, target, c), 2) / COUNT;
    error += squares / variance / WIDTH;
    for (int k = 0; k < COUNT; k++)
      assert_true(f->edited[1 - target][k * WIDTH + c] == (ebr_real)latent_at(f, k, 1 - target, c));
  }
  return error;
}

static ebr_autoencoder *learned(const fixture *f, bool relu)
{
  const ebr_latents latents = {COUNT, 2, WIDTH, f->latent, f->known};
  ebr_autoencoder *autoencoder = NULL;
  ebr_error *error = ebr_autoencoder_create(&latents, 16, relu, 7, &autoencoder);
  if (error) fail_msg("%s", ebr_error_message(error));
  return autoencoder;
}

/* Half a per cent over the least: what the last steps of Adam leave. */
static void linear_is_least_squares(void **state)
{
  fixture *f = setup(0.5);
  ebr_autoencoder *autoencoder = learned(f, false);
  for (int target = 0; target < 2; target++) {
    double least = least_squares(f, target), got = rebuilt(f, autoencoder, target);
    assert_true(got >= least * (1 - 1e-5));
    assert_true(got <= least * 1.005);
  }
  ebr_autoencoder_destroy(&autoencoder);
  free(f);
}

static void linear_data_are_rebuilt(void **state)
{
  fixture *f = setup(0);
  ebr_autoencoder *autoencoder = learned(f, false);
  for (int target = 0; target < 2; target++) {
    assert_true(least_squares(f, target) < 1e-10);
    assert_true(rebuilt(f, autoencoder, target) < 1e-8);
  }
  ebr_autoencoder_destroy(&autoencoder);
  free(f);
}

/* What only one in eight samples has is learned from these, and their other values never matter. */
static void unknown_values_do_not_matter(void **state)
{
  fixture *f = setup(0.5);
  ebr_autoencoder *first = NULL, *second = NULL;
  for (int k = 0; k < COUNT; k++) f->known[k * 2 + 1] = k % 8 == 0;
  first = learned(f, true);
  double before = rebuilt(f, first, 1);
  for (int k = 0; k < COUNT; k++)
    for (int c = 0; c < WIDTH && k % 8 != 0; c++) f->latent[(k * 2 + 1) * WIDTH + c] *= 1e6f;
  second = learned(f, true);
  for (int k = 0; k < COUNT; k++)
    for (int c = 0; c < WIDTH && k % 8 != 0; c++) f->latent[(k * 2 + 1) * WIDTH + c] /= 1e6f;
  assert_float_equal(rebuilt(f, second, 1), before, 1e-5);
  assert_true(before < 0.9);
  ebr_autoencoder_destroy(&first);
  ebr_autoencoder_destroy(&second);
  free(f);
}

/* A component that does not vary has no scale: a constant is rebuilt as the constant. */
static void constants_are_their_mean(void **state)
{
  fixture *f = setup(0.5);
  ebr_real *edited[2] = {f->edited[0], f->edited[1]};
  for (int k = 0; k < COUNT * 2 * WIDTH; k++) f->latent[k] = 1.25f;
  ebr_autoencoder *autoencoder = learned(f, true);
  for (int k = 0; k < COUNT; k++) f->present[2 * k] = 1;
  ebr_autoencoder_rebuild(autoencoder, COUNT, f->present, edited);
  for (int k = 0; k < COUNT * WIDTH; k++) assert_true(f->edited[1][k] == (ebr_real)1.25);
  ebr_autoencoder_destroy(&autoencoder);
  free(f);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(linear_is_least_squares), cmocka_unit_test(linear_data_are_rebuilt),
      cmocka_unit_test(unknown_values_do_not_matter), cmocka_unit_test(constants_are_their_mean)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
