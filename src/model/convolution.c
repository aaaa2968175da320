/* Convolution layers in front of an encoder's MLP: each looks at kernel x kernel pieces around every second row and column
 * of what is below, zeros outside, and has the activation behind it. The pieces are copied out into the rows of one matrix
 * (patches), so that a layer is the linear layer that the MLP has too (Chellapilla, Puri, Simard, IWFHR 2006, Section 3).
 * Values lie row by row, column by column, channel by channel, as ebr_picture says. */
#include "model/kernels.h"
#include "model/network.h"

#include <string.h>

enum { STRIDE = 2 };

static int half(int extent) { return (extent + STRIDE - 1) / STRIDE; }

static int positions(const ebr_convolution *c, int layer)
{
  return c->picture[layer + 1].height * c->picture[layer + 1].width;
}

static int patch(const ebr_convolution *c, int layer) { return c->kernel * c->kernel * c->picture[layer].channels; }

static int values_of(const ebr_picture *picture) { return picture->height * picture->width * picture->channels; }

void ebr_convolution_shape(ebr_convolution *c, const ebr_config *config, const ebr_picture *picture)
{
  *c = (ebr_convolution){.kernel = (int)config->model_kernel};
  if (picture->height == 0) return;
  c->depth = config->model_convolution.count;
  c->picture[0] = *picture;
  for (int k = 0; k < c->depth; k++)
    c->picture[k + 1] = (ebr_picture){half(c->picture[k].height), half(c->picture[k].width),
                                      (int)config->model_convolution.value[k]};
}

int ebr_convolution_outputs(const ebr_convolution *c) { return values_of(&c->picture[c->depth]); }

void ebr_convolution_layout(ebr_convolution *c, ebr_network *network, ebr_arena *arena, int modality)
{
  size_t batch = (size_t)network->batch;
  for (int k = 0; k < c->depth; k++) {
    int out = c->picture[k + 1].channels;
    size_t rows = batch * (size_t)positions(c, k);
    c->weight[k] = ebr_network_add_tensor(network, patch(c, k), out,
                                          (ebr_tensor_kind){EBR_ROLE_WEIGHT, false, positions(c, k)},
                                          "f.%d.convolution.%d.weight", modality, k);
    c->bias[k] = ebr_network_add_tensor(network, 1, out, (ebr_tensor_kind){EBR_ROLE_BIAS, false, 0},
                                        "f.%d.convolution.%d.bias", modality, k);
    c->patches[k] = ebr_take_reals(arena, rows, (size_t)patch(c, k));
    c->out[k] = ebr_take_reals(arena, rows, (size_t)out);
    c->dout[k] = ebr_take_reals(arena, rows, (size_t)out);
    size_t count = rows * (size_t)patch(c, k);
    if (k > 0 && count > network->most_patches) network->most_patches = count;
  }
}

/* ---- patches ----------------------------------------------------------------------------------------------------- */

/* What one row of a patch has in common with a row of the picture: columns [start, stop) of the patch, from column first
 * of the picture on; nothing where start >= stop. */
typedef struct overlap {
  int start, stop, first;
} overlap;

static overlap overlap_at(int position, int kernel, int extent)
{
  int corner = STRIDE * position - (kernel - 1) / 2;
  int start = corner < 0 ? -corner : 0, stop = extent - corner < kernel ? extent - corner : kernel;
  return (overlap){start, stop, corner + start};
}

/* from (count x height x width x channels) -> to (count x height' x width' x kernel x kernel x channels) */
static void gather(const ebr_convolution *c, int layer, int count, const ebr_real *from, ebr_real *to)
{
  const ebr_picture *below = &c->picture[layer], *above = &c->picture[layer + 1];
  size_t channels = (size_t)below->channels, row = (size_t)below->width * channels;
  size_t line = (size_t)c->kernel * channels, whole = (size_t)c->kernel * line;
  for (int b = 0; b < count; b++, from += (size_t)below->height * row)
    for (int y = 0; y < above->height; y++)
      for (int x = 0; x < above->width; x++, to += whole) {
        overlap v = overlap_at(y, c->kernel, below->height), h = overlap_at(x, c->kernel, below->width);
        if (v.stop - v.start < c->kernel || h.stop - h.start < c->kernel) memset(to, 0, whole * sizeof *to);
        for (int j = v.start; j < v.stop; j++)
          memcpy(to + (size_t)j * line + (size_t)h.start * channels,
                 from + (size_t)(v.first + j - v.start) * row + (size_t)h.first * channels,
                 (size_t)(h.stop - h.start) * channels * sizeof *to);
      }
}

/* The transpose of gather: to (count x height x width x channels) becomes the sums of what came from each value. */
static void scatter(const ebr_convolution *c, int layer, int count, const ebr_real *from, ebr_real *to)
{
  const ebr_picture *below = &c->picture[layer], *above = &c->picture[layer + 1];
  size_t channels = (size_t)below->channels, row = (size_t)below->width * channels;
  size_t line = (size_t)c->kernel * channels, whole = (size_t)c->kernel * line;
  memset(to, 0, (size_t)count * (size_t)below->height * row * sizeof *to);
  for (int b = 0; b < count; b++, to += (size_t)below->height * row)
    for (int y = 0; y < above->height; y++)
      for (int x = 0; x < above->width; x++, from += whole) {
        overlap v = overlap_at(y, c->kernel, below->height), h = overlap_at(x, c->kernel, below->width);
        for (int j = v.start; j < v.stop; j++)
          ebr_add_scaled((size_t)(h.stop - h.start) * channels, 1,
                         from + (size_t)j * line + (size_t)h.start * channels,
                         to + (size_t)(v.first + j - v.start) * row + (size_t)h.first * channels);
      }
}

/* ---- forward and backward ---------------------------------------------------------------------------------------- */

const ebr_real *ebr_convolution_forward(ebr_convolution *c, const ebr_network *network, int count, const ebr_real *x)
{
  for (int k = 0; k < c->depth; k++) {
    gather(c, k, count, x, c->patches[k]);
    ebr_linear(count * positions(c, k), patch(c, k), c->picture[k + 1].channels, c->patches[k],
               network->values + c->weight[k], network->values + c->bias[k], network->relu, c->out[k]);
    x = c->out[k];
  }
  return x;
}

void ebr_convolution_backward(ebr_convolution *c, ebr_network *network, int count)
{
  for (int k = c->depth - 1; k >= 0; k--) {
    ebr_real *dpatches = k > 0 ? network->dpatches : NULL;
    ebr_linear_backward(count * positions(c, k), patch(c, k), c->picture[k + 1].channels, c->patches[k],
                        network->values + c->weight[k], c->out[k], network->relu, c->dout[k],
                        network->gradients + c->weight[k], network->gradients + c->bias[k], dpatches,
                        network->transposed);
    if (k > 0) scatter(c, k, count, dpatches, c->dout[k - 1]);
  }
  if (c->depth > 0)
    ebr_announce(network, c->weight[0],
                 c->bias[c->depth - 1] + ebr_padded((size_t)c->picture[c->depth].channels));
}

double ebr_convolution_input_flops(const ebr_convolution *c)
{
  return 2.0 * patch(c, 0) * c->picture[1].channels * positions(c, 0);
}
