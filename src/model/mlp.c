#include "model/kernels.h"
#include "model/network.h"

#include <stdio.h>

ebr_real *ebr_take_reals(ebr_arena *arena, size_t rows, size_t cols)
{
  return ebr_arena_take(arena, rows * cols, sizeof(ebr_real));
}

static void add_layer(ebr_mlp *mlp, int layer, ebr_network *network, const ebr_mlp_place *place)
{
  int in = mlp->width[layer], out = mlp->width[layer + 1];
  char middle[16] = "";
  if (place->modality >= 0) snprintf(middle, sizeof middle, ".%d", place->modality);
  ebr_tensor_kind weight = {EBR_ROLE_WEIGHT, place->psi, place->uses}, bias = {EBR_ROLE_BIAS, place->psi, 0};
  mlp->weight[layer] = ebr_network_add_tensor(network, in, out, weight, "%s%s.weight.%d", place->part, middle, layer);
  mlp->bias[layer] = ebr_network_add_tensor(network, 1, out, bias, "%s%s.bias.%d", place->part, middle, layer);
}

void ebr_mlp_layout(ebr_mlp *mlp, ebr_network *network, ebr_arena *arena, const ebr_mlp_place *place)
{
  for (int k = 0; k < mlp->depth; k++) {
    bool given = k == mlp->depth - 1 && place->given;
    add_layer(mlp, k, network, place);
    mlp->out[k] = given ? place->out : ebr_take_reals(arena, (size_t)place->rows, (size_t)mlp->width[k + 1]);
    mlp->dout[k] = given ? place->dout : ebr_take_reals(arena, (size_t)place->rows, (size_t)mlp->width[k + 1]);
  }
}

void ebr_mlp_forward(ebr_mlp *mlp, const ebr_network *network, int rows, const ebr_real *x)
{
  for (int k = 0; k < mlp->depth; k++)
    ebr_linear(rows, mlp->width[k], mlp->width[k + 1], k ? mlp->out[k - 1] : x, network->values + mlp->weight[k],
               network->values + mlp->bias[k], network->relu && k < mlp->depth - 1, mlp->out[k]);
}

void ebr_mlp_backward(ebr_mlp *mlp, ebr_network *network, int rows, const ebr_real *x, bool parameters, ebr_real *dx)
{
  for (int k = mlp->depth - 1; k >= 0; k--)
    ebr_linear_backward(
        rows, mlp->width[k], mlp->width[k + 1], k ? mlp->out[k - 1] : x, network->values + mlp->weight[k], mlp->out[k],
        network->relu && k < mlp->depth - 1, mlp->dout[k], parameters ? network->gradients + mlp->weight[k] : NULL,
        parameters ? network->gradients + mlp->bias[k] : NULL, k ? mlp->dout[k - 1] : dx, network->transposed);
}

void ebr_mlp_announce(const ebr_mlp *mlp, const ebr_network *network)
{
  int last = mlp->depth - 1;
  ebr_announce(network, mlp->weight[0], mlp->bias[last] + ebr_padded((size_t)mlp->width[last + 1]));
}
