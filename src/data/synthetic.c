/* Synthetic data whose truth is known. The label y is uniform over C classes. Modality i's latent is
 *
 *     [ s_i (sqrt(r) shared[y] + sqrt(1 - r) private_i[y]) + within * gaussian | noise_scale * noise ]
 *
 * with standard normal prototypes (C x predictive), redundancy r and strength s_i. Each latent feature is then off with
 * probability data.sparsity, and the input is the latent, M_i latent, or tanh(M_i latent), where M_i's entries are
 * normal with variance 1 / (predictive + noise). */
#include "data/samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double noise_draw(int kind, ebr_stream *stream)
{
  if (kind == EBR_NOISE_GAUSSIAN) return ebr_stream_normal(stream);
  if (kind == EBR_NOISE_SPARSE) {
    const double density = 0.1;
    bool active = ebr_stream_uniform(stream) < density;
    return active ? ebr_stream_normal(stream) / sqrt(density) : 0;
  }
  /* Student's t with 3 degrees of freedom is z / sqrt(chi^2_3 / 3) and has variance 3. */
  double z = ebr_stream_normal(stream), chi_squared = 0;
  for (int i = 0; i < 3; i++) {
    double part = ebr_stream_normal(stream);
    chi_squared += part * part;
  }
  return z / sqrt(chi_squared);
}

/* (C x predictive) */
static void prototypes_draw(const ebr_config *config, uint64_t key, int modality, double *prototype)
{
  size_t count = (size_t)(config->data_classes * config->data_predictive);
  double strength = ebr_list_at(&config->data_strength_each, config->data_strength_last, modality,
                                (int)config->data_modalities);
  double together = strength * sqrt(config->data_redundancy), apart = strength * sqrt(1 - config->data_redundancy);
  ebr_stream shared = ebr_stream_start(key, EBR_PURPOSE_PROTOTYPES, EBR_STREAM_SHARED);
  ebr_stream private = ebr_stream_start(key, EBR_PURPOSE_PROTOTYPES, EBR_STREAM_MODALITY + (uint32_t)modality);
  for (size_t j = 0; j < count; j++)
    prototype[j] = together * ebr_stream_normal(&shared) + apart * ebr_stream_normal(&private);
}

static void latents_draw(const ebr_config *config, uint64_t key, int modality, const ebr_samples *samples,
                         const double *prototype, float *truth)
{
  int predictive = samples->predictive, latents = predictive + samples->noise;
  ebr_stream stream = ebr_stream_start(key, EBR_PURPOSE_SAMPLES, EBR_STREAM_MODALITY + (uint32_t)modality);
  for (int n = 0; n < samples->total; n++) {
    const double *centre = prototype + (size_t)samples->label[n] * (size_t)predictive;
    float *row = truth + (size_t)n * (size_t)latents;
    for (int f = 0; f < latents; f++) {
      double value = f < predictive ? centre[f] + config->data_within * ebr_stream_normal(&stream)
                                    : config->data_noise_scale * noise_draw(config->data_noise_kind, &stream);
      if (config->data_sparsity > 0 && ebr_stream_uniform(&stream) < config->data_sparsity) value = 0;
      row[f] = (float)value;
    }
  }
}

/* x (N x d) = truth (N x latents) mixing (latents x d) */
static void mix(const float *truth, const float *mixing, int total, int latents, int d, bool squash, float *x)
{
  for (int n = 0; n < total; n++) {
    const float *latent = truth + (size_t)n * (size_t)latents;
    float *row = x + (size_t)n * (size_t)d;
    for (int c = 0; c < d; c++) row[c] = 0;
    for (int f = 0; f < latents; f++) {
      const float *column = mixing + (size_t)f * (size_t)d;
      for (int c = 0; c < d; c++) row[c] += latent[f] * column[c];
    }
    if (!squash) continue;
    for (int c = 0; c < d; c++) row[c] = tanhf(row[c]);
  }
}

static ebr_error *inputs_fill(const ebr_config *config, uint64_t key, int modality, const ebr_samples *samples,
                              const float *truth, float *x)
{
  ebr_error *error = NULL;
  int latents = samples->predictive + samples->noise, d = samples->inputs[modality];
  size_t count = (size_t)latents * (size_t)d;
  float *mixing = NULL;
  if (config->data_mixing == EBR_MIXING_NONE) {
    for (size_t j = 0; j < (size_t)samples->total * (size_t)latents; j++) x[j] = truth[j];
    goto done;
  }
  mixing = malloc(count * sizeof *mixing);
  EBR_CHECK_MEMORY(mixing, "a mixing matrix");
  ebr_stream stream = ebr_stream_start(key, EBR_PURPOSE_MIXING, EBR_STREAM_MODALITY + (uint32_t)modality);
  for (size_t j = 0; j < count; j++) mixing[j] = (float)(ebr_stream_normal(&stream) / sqrt(latents));
  mix(truth, mixing, samples->total, latents, d, config->data_mixing == EBR_MIXING_TANH, x);
done:
  free(mixing);
  return error;
}

ebr_error *ebr_synthetic_fill(const ebr_config *config, uint64_t key, ebr_samples *samples, ebr_storage *storage)
{
  ebr_error *error = NULL;
  double *prototype = malloc((size_t)(config->data_classes * config->data_predictive) * sizeof *prototype);
  EBR_CHECK_MEMORY(prototype, "class prototypes");
  ebr_stream labels = ebr_stream_start(key, EBR_PURPOSE_SAMPLES, EBR_STREAM_SHARED);
  for (int n = 0; n < samples->total; n++)
    storage->label[n] = (int32_t)ebr_stream_below(&labels, (uint32_t)samples->classes);
  for (int n = 0; n < samples->train_count; n++) storage->train[n] = n;
  for (int n = 0; n < samples->test_count; n++) storage->test[n] = samples->train_count + n;
  for (int i = 0; i < samples->modalities; i++) {
    prototypes_draw(config, key, i, prototype);
    latents_draw(config, key, i, samples, prototype, storage->truth[i]);
    if (storage->x[i]) EBR_TRY(inputs_fill(config, key, i, samples, storage->truth[i], storage->x[i]));
    snprintf(samples->name[i], sizeof samples->name[i], "modality%d", i);
  }
done:
  free(prototype);
  return error;
}
