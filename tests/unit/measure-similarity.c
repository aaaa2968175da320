/* Likeness of latents: against the same from kernel matrices over the samples, and 1 where modalities are copies. */
#include "measure/column.h"

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

static void setup(fixture *f, const char *method, bool copies)
{
  *f = (fixture){0};
  must(made_samples(3, &f->samples));
  for (int i = 1; i < MADE_MODALITIES && copies; i++) {
    f->samples.inputs[i] = f->samples.inputs[0];
    f->samples.x[i] = f->samples.x[0];
    f->samples.mean[i] = f->samples.mean[0];
    f->samples.scale[i] = f->samples.scale[0];
  }
  ebr_config_defaults(&f->config);
  set(&f->config, "data.source", "hdf5");
  set(&f->config, "model.encoder", "[5]");
  set(&f->config, "model.activation", "none");
  set(&f->config, "train.batch", "16");
  set(&f->config, "measure.spectra", "[latent]");
  set(&f->config, "method", method);
  must(ebr_trainer_create(&f->config, &f->samples, -1, ebr_config_pair(&f->config), NULL, &f->trainer));
}

static double measured(fixture *f, const char *name)
{
  int column = ebr_schema_find(f->schema, name);
  if (column < 0) fail_msg("there is no column %s", name);
  return f->record->values[ebr_schema_at(f->schema, column)->offset];
}

static void measure(fixture *f)
{
  ebr_shape shape = ebr_samples_describe(&f->samples);
  ebr_subject subject = {.config = &f->config, .samples = &f->samples, .trainer = f->trainer, .only = -1, .last = true};
  must(ebr_schema_create(&f->schema));
  must(ebr_measure_similarity.declare(&f->config, &shape, f->schema));
  must(ebr_record_create(f->schema, &f->record));
  ebr_record_clear(f->record);
  must(ebr_measure_take(&ebr_measure_similarity, &subject, f->record));
  assert_true(ebr_measure_similarity.kept_bytes(&f->config, &shape) > 0);
}

static void teardown(fixture *f)
{
  ebr_record_destroy(&f->record);
  ebr_schema_destroy(&f->schema);
  ebr_trainer_destroy(&f->trainer);
  ebr_arena_destroy(&f->samples.owned);
}

enum { SAMPLES_MOST = 512 };

/* Latents of two modalities, centred, sample by sample. */
typedef struct latents {
  double *x[2]; /* (SAMPLES_MOST x width) */
  int width, count;
} latents;

static void keep(void *context, ebr_network *network, int start, int count, const ebr_batch *batch)
{
  latents *kept = context;
  for (int b = 0; b < count; b++) {
    bool whole = true;
    for (int i = 0; i < MADE_MODALITIES && batch->present; i++) whole &= batch->present[b * MADE_MODALITIES + i];
    if (!whole) continue;
    assert_true(kept->count < SAMPLES_MOST);
    for (int i = 0; i < 2; i++)
      for (int k = 0; k < kept->width; k++) {
        const ebr_real *from =
            ebr_network_latent(network) ? ebr_network_reallocated(network, i) : ebr_network_encoded(network, i);
        kept->x[i][kept->count * kept->width + k] = (double)from[b * kept->width + k];
      }
    kept->count++;
  }
  (void)start;
}

static double kernel(const latents *kept, int i, int a, int b)
{
  double sum = 0;
  for (int k = 0; k < kept->width; k++) sum += kept->x[i][a * kept->width + k] * kept->x[i][b * kept->width + k];
  return sum;
}

/* CKA as its authors define it: the normalised inner product of two centred kernel matrices. */
static double from_kernels(latents *kept)
{
  double product[3] = {0};
  for (int i = 0; i < 2; i++)
    for (int k = 0; k < kept->width; k++) {
      double mean = 0;
      for (int a = 0; a < kept->count; a++) mean += kept->x[i][a * kept->width + k] / kept->count;
      for (int a = 0; a < kept->count; a++) kept->x[i][a * kept->width + k] -= mean;
    }
  for (int a = 0; a < kept->count; a++)
    for (int b = 0; b < kept->count; b++) {
      double first = kernel(kept, 0, a, b), second = kernel(kept, 1, a, b);
      product[0] += first * first;
      product[1] += second * second;
      product[2] += first * second;
    }
  return product[2] / sqrt(product[0] * product[1]);
}

static void agrees_with_kernels(void **state)
{
  static const char *const methods[] = {"vanilla", "ebr"};
  for (int m = 0; m < 2; m++) {
    fixture f;
    latents kept = {.width = 5};
    ebr_scores scores;
    setup(&f, methods[m], false);
    measure(&f);
    for (int i = 0; i < 2; i++) kept.x[i] = calloc(SAMPLES_MOST * 5, sizeof(double));
    must(ebr_evaluate(ebr_trainer_network(f.trainer), &f.samples, -1, f.samples.test, f.samples.test_count, NULL, keep,
                      &kept, &scores));
    double expected = from_kernels(&kept), found = measured(&f, "latent_similarity.0.1");
    /* Both in double from the same numbers; sums in another order. */
    if (!(fabs(found - expected) < 1e-9)) fail_msg("%s: %.12g instead of %.12g", methods[m], found, expected);
    double mean = (found + measured(&f, "latent_similarity.0.2") + measured(&f, "latent_similarity.1.2")) / 3;
    assert_true(fabs(measured(&f, "latent_similarity") - mean) < 1e-12 && found > 0 && found < 1);
    for (int i = 0; i < 2; i++) free(kept.x[i]);
    teardown(&f);
  }
  (void)state;
}

/* Encoders of the others are the first's times -4 (exact in binary) on the same data: a scale changes nothing. */
static void scale_encoders(ebr_network *network)
{
  for (int t = 0; t < ebr_network_tensor_count(network); t++) {
    const ebr_tensor *tensor = ebr_network_tensor(network, t);
    char name[48];
    const char *dot = strchr(tensor->name, '.');
    if (strncmp(tensor->name, "f.", 2) != 0 || tensor->name[2] == '0') continue;
    snprintf(name, sizeof name, "%.*s.0%s", (int)(dot - tensor->name), tensor->name, dot + 2);
    int first = ebr_network_tensor_find(network, name);
    assert_true(first >= 0);
    const ebr_real *from = ebr_network_values(network) + ebr_network_tensor(network, first)->offset;
    ebr_real *to = ebr_network_values(network) + tensor->offset;
    for (int k = 0; k < tensor->rows * tensor->cols; k++) to[k] = -4 * from[k];
  }
}

static void copies_are_the_same(void **state)
{
  fixture f;
  setup(&f, "vanilla", true);
  scale_encoders(ebr_trainer_network(f.trainer));
  measure(&f);
  assert_true(fabs(measured(&f, "latent_similarity") - 1) < 1e-12);
  assert_true(fabs(measured(&f, "latent_similarity.1.2") - 1) < 1e-12);
  teardown(&f);
  (void)state;
}

/* Not asked for, or only one modality: no column. */
static void is_left_out(void **state)
{
  fixture f;
  setup(&f, "vanilla", false);
  ebr_shape shape = ebr_samples_describe(&f.samples);
  must(ebr_schema_create(&f.schema));
  set(&f.config, "method", "unimodal");
  must(ebr_measure_similarity.declare(&f.config, &shape, f.schema));
  set(&f.config, "method", "vanilla");
  set(&f.config, "measure.spectra", "[head]");
  must(ebr_measure_similarity.declare(&f.config, &shape, f.schema));
  assert_true(ebr_schema_find(f.schema, "latent_similarity") < 0);
  assert_true(ebr_measure_similarity.kept_bytes(&f.config, &shape) == 0);
  teardown(&f);
  (void)state;
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_kernels), cmocka_unit_test(copies_are_the_same),
                                     cmocka_unit_test(is_left_out)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
