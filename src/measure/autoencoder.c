#include "measure/autoencoder.h"

#include "measure/column.h"
#include "model/network.h"
#include "train/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A fixed number of steps, so that its cost does not depend on the data; the rate falls linearly to 0. */
enum { STEPS = 2000, BATCH_MOST = 64, STREAM = 0x30000 /* rates and counts have those below: see gaps.c */ };
static const double first_rate = 3e-3;

struct ebr_autoencoder {
  int m, q, batch, hidden;
  ebr_network network; /* one MLP's parameters and nothing else */
  ebr_mlp mlp;         /* m q + m -> hidden -> m q */
  ebr_arena arena;
  ebr_real *mean, *scale;   /* (m q) over the training samples that have the modality */
  ebr_real *input;          /* (B x (m q + m)) */
  ebr_real *target;         /* (B x m q), standardised */
  uint8_t *shown, *asked;   /* (B x m): given to it, and wanted from it */
  ebr_real *first, *second; /* moments */
  int32_t *order;           /* (N) */
};

static void layout(ebr_autoencoder *a, const ebr_latents *latents, ebr_arena *arena)
{
  ebr_network *network = &a->network;
  size_t m = (size_t)a->m, outputs = m * (size_t)a->q, batch = (size_t)a->batch;
  network->size = 0;
  network->largest_weight = 0;
  network->counting = true; /* its tensors need no description */
  a->mlp = (ebr_mlp){.depth = 2, .width = {(int)(outputs + m), a->hidden, (int)outputs}};
  ebr_mlp_layout(&a->mlp, network, arena, &(ebr_mlp_place){"autoencoder", -1, false, a->batch, 1, false, NULL, NULL});
  network->transposed = ebr_take_reals(arena, network->largest_weight, 1);
  network->values = ebr_take_reals(arena, network->size, 1);
  network->gradients = ebr_take_reals(arena, network->size, 1);
  a->first = ebr_take_reals(arena, network->size, 1);
  a->second = ebr_take_reals(arena, network->size, 1);
  a->mean = ebr_take_reals(arena, outputs, 1);
  a->scale = ebr_take_reals(arena, outputs, 1);
  a->input = ebr_take_reals(arena, batch, outputs + m);
  a->target = ebr_take_reals(arena, batch, outputs);
  a->shown = ebr_arena_take(arena, batch * m, 1);
  a->asked = ebr_arena_take(arena, batch * m, 1);
  a->order = ebr_arena_take(arena, (size_t)latents->count, sizeof *a->order);
}

static void shape(ebr_autoencoder *a, const ebr_latents *latents, int hidden)
{
  a->m = latents->modalities;
  a->q = latents->width;
  a->batch = latents->count < BATCH_MOST ? latents->count : BATCH_MOST;
  a->hidden = hidden;
}

/* ---- samples ----------------------------------------------------------------------------------------------------- */

static void standardise(ebr_autoencoder *a, const ebr_latents *latents)
{
  for (int c = 0; c < a->m * a->q; c++) {
    double sum = 0, squares = 0, count = 0;
    for (int k = 0; k < latents->count; k++)
      if (latents->known[k * a->m + c / a->q]) {
        sum += (double)latents->latent[(size_t)k * (size_t)(a->m * a->q) + (size_t)c];
        count++;
      }
    double mean = sum / fmax(1, count);
    for (int k = 0; k < latents->count; k++)
      if (latents->known[k * a->m + c / a->q])
        squares += pow((double)latents->latent[(size_t)k * (size_t)(a->m * a->q) + (size_t)c] - mean, 2);
    a->mean[c] = (ebr_real)mean;
    a->scale[c] = (ebr_real)ebr_measured_scale(sqrt(squares / fmax(1, count)), mean);
  }
}

/* The input's row b from the standardised latents (m q) and what is shown of them. */
static void show(ebr_autoencoder *a, int b, const ebr_real *standard)
{
  ebr_real *row = a->input + (size_t)b * (size_t)a->mlp.width[0];
  const uint8_t *shown = a->shown + (size_t)b * (size_t)a->m;
  for (int c = 0; c < a->m * a->q; c++) row[c] = shown[c / a->q] ? standard[c] : 0;
  for (int i = 0; i < a->m; i++) row[a->m * a->q + i] = shown[i];
}

/* Hides one or more of what is known, and leaves one or more: any number is equally likely, and any of so many. */
static void hide(ebr_autoencoder *a, int b, const uint8_t *known, ebr_stream *stream)
{
  uint8_t *shown = a->shown + (size_t)b * (size_t)a->m, *asked = a->asked + (size_t)b * (size_t)a->m;
  int ahead = 0;
  for (int i = 0; i < a->m; i++) ahead += known[i];
  int left = ahead > 1 ? 1 + (int)ebr_stream_below(stream, (uint32_t)(ahead - 1)) : 0;
  for (int i = 0; i < a->m; i++) {
    asked[i] = known[i] && left > 0 && (int)ebr_stream_below(stream, (uint32_t)ahead) < left;
    shown[i] = known[i] && !asked[i];
    left -= asked[i];
    ahead -= known[i];
  }
}

static void gather(ebr_autoencoder *a, const ebr_latents *latents, int first, ebr_stream *stream)
{
  int outputs = a->m * a->q;
  for (int b = 0; b < a->batch; b++) {
    int32_t k = a->order[first + b];
    const float *latent = latents->latent + (size_t)k * (size_t)outputs;
    ebr_real *target = a->target + (size_t)b * (size_t)outputs;
    for (int c = 0; c < outputs; c++) target[c] = ((ebr_real)latent[c] - a->mean[c]) * a->scale[c];
    hide(a, b, latents->known + (size_t)k * (size_t)a->m, stream);
    show(a, b, target);
  }
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

/* dout (B x m q): the gradient of the mean squared error over what was hidden. */
static void gradient_of_error(ebr_autoencoder *a)
{
  int outputs = a->m * a->q, asked = 0;
  for (int k = 0; k < a->batch * a->m; k++) asked += a->asked[k];
  ebr_real factor = (ebr_real)(2.0 / fmax(1, asked * a->q));
  for (int b = 0; b < a->batch; b++)
    for (int c = 0; c < outputs; c++) {
      size_t at = (size_t)b * (size_t)outputs + (size_t)c;
      a->mlp.dout[1][at] = a->asked[b * a->m + c / a->q] ? factor * (a->mlp.out[1][at] - a->target[at]) : 0;
    }
}

/* He et al., ICCV 2015, as in the networks that it serves. */
static void draw_weights(ebr_autoencoder *a, ebr_stream *stream)
{
  for (int k = 0; k < a->mlp.depth; k++) {
    double deviation = sqrt((a->network.relu ? 2.0 : 1.0) / a->mlp.width[k]);
    for (int w = 0; w < a->mlp.width[k] * a->mlp.width[k + 1]; w++)
      a->network.values[a->mlp.weight[k] + (size_t)w] = (ebr_real)(deviation * ebr_stream_normal(stream));
  }
}

static void learn(ebr_autoencoder *a, const ebr_latents *latents, ebr_stream *stream)
{
  const ebr_optimizer *adam = ebr_optimizer_at(EBR_OPTIMIZER_ADAM);
  ebr_config config;
  ebr_config_defaults(&config);
  for (int32_t k = 0; k < latents->count; k++) a->order[k] = k;
  for (int step = 0, per_epoch = latents->count / a->batch; step < STEPS; step++) {
    ebr_optimizer_step now;
    if (step % per_epoch == 0) ebr_stream_shuffle(stream, a->order, (size_t)latents->count);
    gather(a, latents, step % per_epoch * a->batch, stream);
    ebr_mlp_forward(&a->mlp, &a->network, a->batch, a->input);
    gradient_of_error(a);
    ebr_mlp_backward(&a->mlp, &a->network, a->batch, a->input, true, NULL);
    adam->prepare(&config, first_rate * (1 - (double)step / STEPS), step + 1, &now);
    adam->pass(&now, a->network.size, 1, a->network.values, a->network.gradients, a->first, a->second);
  }
}

ebr_error *ebr_autoencoder_create(const ebr_latents *latents, int hidden, bool relu, uint64_t key,
                                  ebr_autoencoder **out)
{
  ebr_error *error = NULL;
  ebr_arena measuring = ebr_arena_measuring();
  ebr_stream stream = ebr_stream_start(key, EBR_PURPOSE_MISSING, STREAM);
  ebr_autoencoder *a = calloc(1, sizeof *a);
  EBR_CHECK_MEMORY(a, "an autoencoder");
  shape(a, latents, hidden);
  a->network.relu = relu;
  layout(a, latents, &measuring);
  EBR_TRY(ebr_arena_create(measuring.used, &a->arena));
  layout(a, latents, &a->arena);
  unsigned mode = ebr_denormals_off();
  standardise(a, latents);
  draw_weights(a, &stream);
  learn(a, latents, &stream);
  ebr_denormals_restore(mode);
  *out = a;
  a = NULL;
done:
  ebr_autoencoder_destroy(&a);
  return error;
}

void ebr_autoencoder_destroy(ebr_autoencoder **autoencoder)
{
  if (!*autoencoder) return;
  ebr_arena_destroy(&(*autoencoder)->arena);
  free(*autoencoder);
  *autoencoder = NULL;
}

size_t ebr_autoencoder_bytes(const ebr_latents *latents, int hidden)
{
  ebr_autoencoder a = {0};
  ebr_arena arena = ebr_arena_measuring();
  shape(&a, latents, hidden);
  layout(&a, latents, &arena);
  return arena.used + sizeof a;
}

/* ---- filling ----------------------------------------------------------------------------------------------------- */

static void rebuild_chunk(ebr_autoencoder *a, int start, int count, const uint8_t *present, ebr_real *const *latent)
{
  int outputs = a->m * a->q;
  memcpy(a->shown, present + (size_t)start * (size_t)a->m, (size_t)count * (size_t)a->m);
  for (int b = 0; b < count; b++) {
    ebr_real *standard = a->target + (size_t)b * (size_t)outputs;
    for (int c = 0; c < outputs; c++)
      standard[c] =
          (latent[c / a->q][(size_t)(start + b) * (size_t)a->q + (size_t)(c % a->q)] - a->mean[c]) * a->scale[c];
    show(a, b, standard);
  }
  ebr_mlp_forward(&a->mlp, &a->network, count, a->input);
  for (int b = 0; b < count; b++)
    for (int c = 0; c < outputs; c++) {
      if (a->shown[b * a->m + c / a->q]) continue;
      ebr_real deviation = a->scale[c] > 0 ? 1 / a->scale[c] : 0;
      latent[c / a->q][(size_t)(start + b) * (size_t)a->q + (size_t)(c % a->q)] =
          a->mean[c] + deviation * a->mlp.out[1][(size_t)b * (size_t)outputs + (size_t)c];
    }
}

void ebr_autoencoder_rebuild(ebr_autoencoder *a, int count, const uint8_t *present, ebr_real *const *latent)
{
  for (int start = 0; start < count; start += a->batch)
    rebuild_chunk(a, start, count - start < a->batch ? count - start : a->batch, present, latent);
}
