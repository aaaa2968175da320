#include "model/kernels.h"
#include "model/network.h"

#include <math.h>
#include <string.h>

static void add_residual(ebr_network *network, int count, int width, ebr_real *from, ebr_real *to)
{
  for (int i = 0; i < network->modalities; i++)
    ebr_add_scaled((size_t)count * (size_t)width, 1, ebr_slice(from, network, i, width),
                   ebr_slice(to, network, i, width));
}

void ebr_network_encode(ebr_network *network, int count)
{
  for (int i = 0; i < network->modalities; i++) {
    const ebr_real *x = ebr_convolution_forward(&network->convolution[i], network, count, network->input[i]);
    ebr_mlp_forward(&network->f[i], network, count, x);
    if (network->latent)
      ebr_mlp_forward(&network->h[i], network, count, ebr_slice(network->F, network, i, network->features));
  }
  if (network->latent && network->config.ebr_residual)
    add_residual(network, count, network->latent, network->F, network->G);
  ebr_network_decode(network, count);
}

void ebr_network_decode(ebr_network *network, int count)
{
  int l = network->features;
  for (int i = 0; i < network->modalities && network->latent; i++)
    ebr_mlp_forward(&network->inverse[i], network, count, ebr_slice(network->G, network, i, network->latent));
  if (network->latent && network->config.ebr_residual) add_residual(network, count, l, network->G, network->R);
  for (int i = 0; i < network->modalities && network->scaled; i++)
    ebr_copy_scaled((size_t)count * (size_t)l, (ebr_real)network->strength[i], ebr_slice(network->R, network, i, l),
                    ebr_slice(network->fused, network, i, l));
}

static void note_present(ebr_network *network, int count, const uint8_t *present)
{
  int m = network->modalities;
  network->all_present = present == NULL;
  if (present) memcpy(network->present, present, (size_t)count * (size_t)m);
  for (int i = 0; i < m; i++)
    for (int b = 0; b < count; b++) network->row_present[i * network->batch + b] = present ? present[b * m + i] : 1;
}

void ebr_network_fuse(ebr_network *network, int count, const uint8_t *present)
{
  note_present(network, count, present);
  network->fusion->forward(network, count);
}

int ebr_rows_present(const ebr_network *network, const ebr_batch *batch, int modality)
{
  int first = modality < 0 ? 0 : modality, last = modality < 0 ? network->modalities - 1 : modality, present = 0;
  for (int i = first; i <= last; i++)
    if (batch->whole) present += batch->whole->present[i];
    else if (network->all_present) present += network->batch;
    else
      for (int b = 0; b < network->batch; b++) present += network->row_present[i * network->batch + b];
  return present > 0 ? present : 1;
}

double ebr_semantic_loss(const ebr_network *network, const ebr_batch *batch, ebr_real *dlogits, double *correct)
{
  int classes = network->classes, count = batch->whole ? batch->whole->count : batch->count;
  ebr_real scale = (ebr_real)1 / (ebr_real)count;
  if (network->target) {
    /* Nothing is classified. */
    *correct = NAN;
    return ebr_mean_squares((size_t)batch->count * (size_t)network->outputs, network->logits, network->target, dlogits);
  }
  double sum =
      network->config.train_loss == EBR_LOSS_SQUARED
          ? ebr_squared_error(batch->count, classes, network->logits, batch->label, scale, dlogits, correct)
          : ebr_cross_entropy(batch->count, classes, network->logits, batch->label, NULL, scale, dlogits, correct);
  return sum / count;
}

void ebr_network_loss(ebr_network *network, const ebr_batch *batch, ebr_losses *losses)
{
  *losses = (ebr_losses){0};
  losses->semantic = ebr_semantic_loss(network, batch, NULL, &losses->correct);
}
