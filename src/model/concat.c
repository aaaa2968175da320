/* concat: phi = Linear(m l -> n), activation, Linear(n -> C) on [b_1 R_1 | ... | b_m R_m]. The concatenation is made only
 * where the products are large, and then turned: BLAS multiplies that faster. Elsewhere the first layer is a sum over
 * modalities of (B x l) (l x n) products on row blocks of one (m l x n) weight. */
#include "model/kernels.h"
#include "model/network.h"

#include <string.h>

static void layout(ebr_network *network, ebr_arena *arena)
{
  int l = network->features;
  network->head = (ebr_mlp){.depth = 2, .width = {network->modalities * l, network->width, network->outputs}};
  ebr_mlp *head = &network->head;
  head->weight[0] = ebr_network_add_tensor(network, head->width[0], head->width[1],
                                           (ebr_tensor_kind){.role = EBR_ROLE_HEAD_FIRST}, "phi.weight.0");
  head->bias[0] =
      ebr_network_add_tensor(network, 1, head->width[1], (ebr_tensor_kind){.role = EBR_ROLE_BIAS}, "phi.bias.0");
  head->weight[1] = ebr_network_add_tensor(network, head->width[1], head->width[2],
                                           (ebr_tensor_kind){.role = EBR_ROLE_WEIGHT}, "phi.weight.1");
  head->bias[1] =
      ebr_network_add_tensor(network, 1, head->width[2], (ebr_tensor_kind){.role = EBR_ROLE_BIAS}, "phi.bias.1");
  network->hidden = ebr_take_reals(arena, (size_t)network->batch, (size_t)network->width);
  network->dhidden = ebr_take_reals(arena, (size_t)network->batch, (size_t)network->width);
  bool wide = (double)network->batch * l * network->width > EBR_TRANSPOSED_MOST;
  network->joined = wide ? ebr_take_reals(arena, (size_t)network->batch, (size_t)head->width[0]) : NULL;
}

static void zero_absent(const ebr_network *network, int count, ebr_real *block)
{
  if (network->all_present) return;
  size_t l = (size_t)network->features;
  for (int i = 0; i < network->modalities; i++)
    for (int b = 0; b < count; b++)
      if (!network->present[b * network->modalities + i])
        memset(ebr_slice(block, network, i, network->features) + (size_t)b * l, 0, l * sizeof *block);
}

/* slices (m x B x l) to joined (m l x B), or back. */
static void turn_slices(const ebr_network *network, int count, ebr_real *slices, bool back)
{
  int l = network->features;
  for (int i = 0; i < network->modalities; i++) {
    ebr_real *slice = ebr_slice(slices, network, i, l);
    ebr_real *turned = network->joined + (size_t)i * (size_t)l * (size_t)count;
    if (back) ebr_transpose(l, count, turned, slice);
    else ebr_transpose(count, l, slice, turned);
  }
}

static void forward(ebr_network *network, int count)
{
  const ebr_mlp *head = &network->head;
  int l = network->features, in = head->width[0], n = network->width;
  const ebr_real *weight = network->values + head->weight[0];
  zero_absent(network, count, network->fused);
  if (network->joined) {
    turn_slices(network, count, network->fused, false);
    ebr_gemm_tn(count, n, in, network->joined, count, weight, n, 0, network->hidden, n);
  }
  for (int i = 0; i < network->modalities && !network->joined; i++)
    ebr_gemm_nn(count, n, l, ebr_slice(network->fused, network, i, l), l, weight + (size_t)i * (size_t)l * (size_t)n, n,
                i > 0, network->hidden, n);
  ebr_bias_activate(count, n, network->values + head->bias[0], network->relu, network->hidden);
  ebr_linear(count, n, network->outputs, network->hidden, network->values + head->weight[1],
             network->values + head->bias[1], false, network->logits);
}

/* fused (m x B x l) to joined (B x m l). */
static void join(const ebr_network *network, int count)
{
  size_t l = (size_t)network->features, cols = l * (size_t)network->modalities;
  for (int i = 0; i < network->modalities; i++) {
    const ebr_real *slice = ebr_slice(network->fused, network, i, network->features);
    for (size_t b = 0; b < (size_t)count; b++)
      memcpy(network->joined + b * cols + (size_t)i * l, slice + b * l, l * sizeof *slice);
  }
}

/* dhidden -> dfused and the first layer's weight gradient, all modalities at once. What was hidden is read no more and
 * takes dhidden' (n x B), so that dfused' = W dhidden'. */
static void backward_wide(ebr_network *network, int count)
{
  size_t weight = network->head.weight[0];
  int in = network->head.width[0], n = network->width;
  ebr_transpose(count, n, network->dhidden, network->hidden);
  ebr_gemm_nn(in, count, n, network->values + weight, n, network->hidden, count, 0, network->joined, count);
  turn_slices(network, count, network->dfused, true);
  join(network, count);
  ebr_gemm_tn(in, n, count, network->joined, in, network->dhidden, n, 0, network->gradients + weight, n);
  ebr_announce(network, weight, network->head.bias[0]);
}

/* The same, one modality after the other. */
static void backward_slices(ebr_network *network, int count)
{
  const ebr_mlp *head = &network->head;
  int l = network->features, n = network->width;
  const ebr_real *weight = network->values + head->weight[0];
  ebr_real *dweight = network->gradients + head->weight[0];
  for (int i = 0; i < network->modalities; i++) {
    size_t block = (size_t)i * (size_t)l * (size_t)n, stop = block + (size_t)l * (size_t)n;
    bool last = i == network->modalities - 1;
    ebr_linear_backward_input(count, l, n, network->dhidden, weight + block, ebr_slice(network->dfused, network, i, l),
                              network->transposed);
    ebr_gemm_tn(l, n, count, ebr_slice(network->fused, network, i, l), l, network->dhidden, n, 0, dweight + block, n);
    ebr_announce(network, head->weight[0] + block, last ? head->bias[0] : head->weight[0] + stop);
  }
}

static void backward(ebr_network *network, const ebr_batch *batch, ebr_stream *stream, ebr_losses *losses)
{
  const ebr_mlp *head = &network->head;
  int count = batch->count, n = network->width;
  ebr_linear_backward(count, n, network->outputs, network->hidden, network->values + head->weight[1], network->logits,
                      false, network->dlogits, network->gradients + head->weight[1], network->gradients + head->bias[1],
                      network->dhidden, network->transposed);
  ebr_bias_activate_backward(count, n, network->hidden, network->relu, network->dhidden,
                             network->gradients + head->bias[0]);
  ebr_announce(network, head->bias[0], network->head_stop);
  if (network->joined) backward_wide(network, count);
  else backward_slices(network, count);
  zero_absent(network, count, network->dfused);
  (void)stream, (void)losses;
}

const ebr_fusion ebr_fusion_concat = {"concat", layout, forward, backward};
