#include "model/kernels.h"
#include "model/network.h"

#include <string.h>

/* dR (dF without reallocation) from dfused: the strengths b_i. */
static void backward_strength(ebr_network *network)
{
  int l = network->features;
  for (int i = 0; i < network->modalities && network->scaled; i++)
    ebr_copy_scaled((size_t)network->batch * (size_t)l, (ebr_real)network->strength[i],
                    ebr_slice(network->dfused, network, i, l), ebr_slice(network->dR, network, i, l));
}

/* The last layer of an MLP is linear, so its dout survives its own backward and serves the residual path as well.
 * Without the residual form dinput is just what flows through the MLP. */
static void backward_through(ebr_network *network, ebr_mlp *mlp, const ebr_real *input, int width, ebr_real *dinput)
{
  ebr_mlp_backward(mlp, network, network->batch, input, true, dinput);
  if (network->config.ebr_residual)
    ebr_add_scaled((size_t)network->batch * (size_t)width, 1, mlp->dout[mlp->depth - 1], dinput);
}

static void backward_inverse(ebr_network *network)
{
  for (int i = 0; i < network->modalities; i++) {
    backward_through(network, &network->inverse[i], ebr_slice(network->G, network, i, network->latent), network->latent,
                     ebr_slice(network->dG, network, i, network->latent));
    ebr_mlp_announce(&network->inverse[i], network);
  }
}

static void backward_h(ebr_network *network)
{
  for (int i = 0; i < network->modalities; i++) {
    backward_through(network, &network->h[i], ebr_slice(network->F, network, i, network->features), network->features,
                     ebr_slice(network->dF, network, i, network->features));
    ebr_mlp_announce(&network->h[i], network);
  }
}

void ebr_network_backward(ebr_network *network, const ebr_batch *batch, const ebr_remedies *remedies,
                          ebr_stream *stream, ebr_losses *losses)
{
  *losses = (ebr_losses){0};
  losses->semantic = ebr_semantic_loss(network, batch, network->dlogits, &losses->correct);
  network->fusion->backward(network, batch, stream, losses);
  backward_strength(network);
  if (network->latent) backward_inverse(network);
  if (network->latent) ebr_remedy_adversary(network, batch, remedies->lambda, losses);
  if (batch->teacher_features) ebr_remedy_distillation(network, batch, remedies->distillation, losses);
  if (network->auxiliary.depth) ebr_remedy_auxiliary(network, batch, remedies, losses);
  if (network->latent) backward_h(network);
  if (network->auxiliary.depth) ebr_mlp_announce(&network->auxiliary, network);
  for (int i = 0; i < network->modalities; i++) {
    ebr_convolution *convolution = &network->convolution[i];
    int last = convolution->depth - 1;
    const ebr_real *x = last >= 0 ? convolution->out[last] : network->input[i];
    ebr_mlp_backward(&network->f[i], network, network->batch, x, true, last >= 0 ? convolution->dout[last] : NULL);
    ebr_mlp_announce(&network->f[i], network);
    ebr_convolution_backward(convolution, network, network->batch);
  }
}
