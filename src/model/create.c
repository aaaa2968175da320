/* Shapes, memory and initial weights of a network. One layout function runs twice: measuring, then for real. */
#include "model/kernels.h"
#include "model/network.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t ebr_network_add_tensor(ebr_network *network, int rows, int cols, ebr_tensor_kind kind, const char *format, ...)
{
  size_t offset = network->size;
  size_t count = (size_t)rows * (size_t)cols;
  network->size += ebr_padded(count);
  int index = network->tensor_count++;
  if (count > network->largest_weight)
    network->largest_weight = count < EBR_TRANSPOSED_MOST ? count : EBR_TRANSPOSED_MOST;
  if (kind.role != EBR_ROLE_BIAS) network->flops += 2.0 * rows * cols * (kind.uses > 0 ? kind.uses : 1);
  if (network->counting) return offset;
  ebr_tensor *tensor = &network->tensors[index];
  *tensor = (ebr_tensor){.rows = rows, .cols = cols, .offset = offset, .role = kind.role, .psi = kind.psi};
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(tensor->name, sizeof tensor->name, format, arguments);
  va_end(arguments);
  return offset;
}

static void layout_encoders(ebr_network *network, ebr_arena *arena)
{
  for (int i = 0; i < network->modalities; i++) {
    /* The unimodal network of modality k names its encoder f.k, so that it starts from the same weights. */
    int name = network->modalities == 1 ? (int)network->config.unimodal_modality : i;
    network->input[i] = ebr_take_reals(arena, (size_t)network->batch, (size_t)network->inputs[i]);
    ebr_convolution_layout(&network->convolution[i], network, arena, name);
    ebr_mlp_layout(&network->f[i], network, arena,
                   &(ebr_mlp_place){"f", name, false, network->batch, 1, true,
                                    ebr_slice(network->F, network, i, network->features),
                                    ebr_slice(network->dF, network, i, network->features)});
  }
}

static void layout_reallocation(ebr_network *network, ebr_arena *arena)
{
  for (int i = 0; i < network->modalities; i++)
    ebr_mlp_layout(&network->h[i], network, arena,
                   &(ebr_mlp_place){"h", i, false, network->batch, 1, true,
                                    ebr_slice(network->G, network, i, network->latent),
                                    ebr_slice(network->dG, network, i, network->latent)});
  for (int i = 0; i < network->modalities; i++)
    ebr_mlp_layout(&network->inverse[i], network, arena,
                   &(ebr_mlp_place){"h_inverse", i, false, network->batch, 1, true,
                                    ebr_slice(network->R, network, i, network->features),
                                    ebr_slice(network->dR, network, i, network->features)});
}

static void layout_blocks(ebr_network *network, ebr_arena *arena)
{
  size_t rows = (size_t)network->modalities * (size_t)network->batch;
  size_t l = (size_t)network->features, q = (size_t)network->latent;
  network->F = ebr_take_reals(arena, rows, l);
  network->dF = ebr_take_reals(arena, rows, l);
  network->G = q ? ebr_take_reals(arena, rows, q) : network->F;
  network->dG = q ? ebr_take_reals(arena, rows, q) : network->dF;
  network->R = q ? ebr_take_reals(arena, rows, l) : network->F;
  network->dR = q ? ebr_take_reals(arena, rows, l) : network->dF;
  network->fused = network->scaled ? ebr_take_reals(arena, rows, l) : network->R;
  network->dfused = network->scaled ? ebr_take_reals(arena, rows, l) : network->dR;
  network->present = ebr_arena_take(arena, rows, 1);
  network->row_present = ebr_arena_take(arena, rows, 1);
  network->row_modality = ebr_arena_take(arena, rows, sizeof(int32_t));
  network->row_label = ebr_arena_take(arena, rows, sizeof(int32_t));
}

static bool has_auxiliary(const ebr_network *network)
{
  const ebr_config *config = &network->config;
  return config->auxiliary_weight > 0 || (ebr_config_distils(config) && config->kd_form == EBR_KD_LOGITS);
}

static void layout_remedies(ebr_network *network, ebr_arena *arena)
{
  int rows = network->modalities * network->batch;
  if (has_auxiliary(network)) {
    int in = network->latent ? network->latent : network->features;
    network->auxiliary = (ebr_mlp){.depth = 1, .width = {in, network->classes}};
    ebr_mlp_layout(&network->auxiliary, network, arena,
                   &(ebr_mlp_place){"auxiliary", -1, false, rows, network->modalities, false, NULL, NULL});
    network->softened = ebr_arena_take(arena, 2 * (size_t)network->classes, sizeof(double));
    network->auxiliary_dinput = ebr_take_reals(arena, (size_t)rows, (size_t)in);
  }
  network->psi_start = network->size;
  if (network->latent) {
    int in = network->latent + (network->config.ebr_psi_conditional ? network->classes : 0);
    network->psi = (ebr_mlp){.depth = 2, .width = {in, (int)network->config.ebr_psi_hidden, network->modalities}};
    ebr_mlp_layout(&network->psi, network, arena,
                   &(ebr_mlp_place){"psi", -1, true, rows, network->modalities, false, NULL, NULL});
    network->psi_input =
        network->config.ebr_psi_conditional ? ebr_take_reals(arena, (size_t)rows, (size_t)in) : network->G;
    network->psi_dinput = ebr_take_reals(arena, (size_t)rows, (size_t)in);
  }
}

static void layout(ebr_network *network, ebr_arena *arena)
{
  network->size = 0;
  network->flops = 0;
  network->largest_weight = 0;
  network->most_patches = 0;
  network->tensor_count = 0;
  layout_blocks(network, arena);
  layout_encoders(network, arena);
  if (network->latent) layout_reallocation(network, arena);
  network->logits = ebr_take_reals(arena, (size_t)network->batch, (size_t)network->outputs);
  network->dlogits = ebr_take_reals(arena, (size_t)network->batch, (size_t)network->outputs);
  if (network->config.train_loss == EBR_LOSS_RECONSTRUCTION)
    network->target = ebr_take_reals(arena, (size_t)network->batch, (size_t)network->outputs);
  network->head_start = network->size;
  network->fusion->layout(network, arena);
  network->head_stop = network->size;
  layout_remedies(network, arena);
  network->transposed = ebr_take_reals(arena, network->largest_weight, 1);
  network->dpatches = ebr_take_reals(arena, network->most_patches, 1);
  network->values = ebr_take_reals(arena, network->size, 1);
  network->gradients = ebr_take_reals(arena, network->size, 1);
  network->tensors = ebr_arena_take(arena, (size_t)network->tensor_count, sizeof *network->tensors);
}

/* ---- shapes from the configuration ------------------------------------------------------------------------------- */

static void shape_encoder(ebr_mlp *mlp, int inputs, const ebr_list *widths)
{
  mlp->depth = widths->count;
  mlp->width[0] = inputs;
  for (int k = 0; k < widths->count; k++) mlp->width[k + 1] = (int)widths->value[k];
}

static void shape_modality(ebr_network *network, int slot, int modality, const ebr_shape *shape)
{
  const ebr_config *config = &network->config;
  ebr_convolution *convolution = &network->convolution[slot];
  int total = shape->modalities;
  network->inputs[slot] = shape->inputs[modality];
  network->strength[slot] = ebr_list_at(&config->model_strength_each, config->model_strength_last, modality, total);
  if (network->strength[slot] != 1) network->scaled = true;
  ebr_convolution_shape(convolution, config, &shape->picture[modality]);
  shape_encoder(&network->f[slot],
                convolution->depth > 0 ? ebr_convolution_outputs(convolution) : network->inputs[slot],
                &config->model_encoder);
  if (!network->latent) return;
  int hidden = config->ebr_hidden ? (int)config->ebr_hidden : network->features;
  network->h[slot] = (ebr_mlp){.depth = 2, .width = {network->features, hidden, network->latent}};
  network->inverse[slot] = (ebr_mlp){.depth = 2, .width = {network->latent, hidden, network->features}};
}

static void shape_network(ebr_network *network, const ebr_config *config, const ebr_shape *shape, int only, int batch,
                          uint64_t key)
{
  network->config = *config;
  if (only < 0 && config->method == EBR_METHOD_UNIMODAL) only = (int)config->unimodal_modality;
  if (only >= 0) ebr_config_make_lone(&network->config, only);
  config = &network->config;
  const ebr_list *encoder = &config->model_encoder;
  network->modalities = only >= 0 ? 1 : shape->modalities;
  network->classes = shape->classes;
  network->outputs = config->train_loss == EBR_LOSS_RECONSTRUCTION
                         ? network->modalities * (int)(config->data_predictive + config->data_noise)
                         : shape->classes;
  network->features = (int)encoder->value[encoder->count - 1];
  network->width = (int)config->model_width;
  network->batch = batch;
  network->key = key;
  network->relu = config->model_activation == EBR_ACTIVATION_RELU;
  if (ebr_config_reallocates(config))
    network->latent = config->ebr_latent ? (int)config->ebr_latent : network->features;
  for (int i = 0; i < network->modalities; i++) {
    int modality = only >= 0 ? only : i;
    shape_modality(network, i, modality, shape);
  }
  network->fusion = ebr_fusion_at(config->model_fusion);
}

/* ---- initial weights --------------------------------------------------------------------------------------------- */

static bool starts_at_zero(const ebr_network *network, const ebr_tensor *tensor)
{
  if (tensor->role == EBR_ROLE_BIAS) return true;
  /* In the residual form the last layers of h and h^-1 start at zero, so that ebr starts where vanilla does. */
  bool last_of_h = strncmp(tensor->name, "h.", 2) == 0 || strncmp(tensor->name, "h_inverse.", 10) == 0;
  return network->config.ebr_residual && last_of_h && strstr(tensor->name, ".weight.1");
}

/* He et al., ICCV 2015: variance 2 / inputs before a ReLU; 1 / inputs where none follows. */
static void draw_weights(ebr_network *network, const ebr_tensor *tensor)
{
  if (starts_at_zero(network, tensor)) return;
  ebr_stream stream =
      ebr_stream_start(network->key, EBR_PURPOSE_WEIGHTS, (uint32_t)ebr_hash(tensor->name, strlen(tensor->name), 0));
  double deviation = sqrt((network->relu ? 2.0 : 1.0) / tensor->rows);
  if (tensor->role == EBR_ROLE_HEAD_FIRST) deviation *= network->config.model_init_scale;
  ebr_real *values = network->values + tensor->offset;
  for (size_t i = 0; i < (size_t)tensor->rows * (size_t)tensor->cols; i++)
    values[i] = (ebr_real)(deviation * ebr_stream_normal(&stream));
}

static void fill_labels(ebr_network *network)
{
  for (int i = 0; i < network->modalities; i++)
    for (int b = 0; b < network->batch; b++) network->row_modality[i * network->batch + b] = i;
}

static size_t measure(ebr_network *network)
{
  ebr_arena arena = ebr_arena_measuring();
  network->counting = true;
  layout(network, &arena);
  network->counting = false;
  return arena.used;
}

ebr_error *ebr_network_create(const ebr_config *config, const ebr_shape *shape, int only, int batch, uint64_t key,
                              ebr_network **out)
{
  ebr_error *error = NULL;
  ebr_network *network = calloc(1, sizeof *network);
  EBR_CHECK_MEMORY(network, "a network");
  EBR_CHECK(only < shape->modalities, EBR_INTERNAL, "there is no modality %d among %d", only, shape->modalities);
  shape_network(network, config, shape, only, batch, key);
  EBR_TRY(ebr_arena_create(measure(network), &network->arena));
  /* Tensors are described while the table's own place is not known yet: it lies behind all else. */
  ebr_tensor *table = calloc((size_t)network->tensor_count, sizeof *table);
  EBR_CHECK_MEMORY(table, "a network's tensors");
  network->tensors = table;
  layout(network, &network->arena);
  memcpy(network->tensors, table, (size_t)network->tensor_count * sizeof *table);
  free(table);
  for (int t = 0; t < network->tensor_count; t++) draw_weights(network, &network->tensors[t]);
  fill_labels(network);
  *out = network;
  network = NULL;
done:
  ebr_network_destroy(&network);
  return error;
}

void ebr_network_destroy(ebr_network **network)
{
  if (!*network) return;
  ebr_arena_destroy(&(*network)->arena);
  free(*network);
  *network = NULL;
}

size_t ebr_network_bytes(const ebr_config *config, const ebr_shape *shape, int only, int batch)
{
  ebr_network network = {0};
  shape_network(&network, config, shape, only, batch, 0);
  return measure(&network) + sizeof network;
}

size_t ebr_network_parameter_count(const ebr_config *config, const ebr_shape *shape, int only)
{
  ebr_network network = {0};
  shape_network(&network, config, shape, only, 1, 0);
  (void)measure(&network);
  return network.size;
}

double ebr_network_flops(const ebr_config *config, const ebr_shape *shape, int only)
{
  ebr_network network = {0};
  shape_network(&network, config, shape, only, 1, 0);
  (void)measure(&network);
  return network.flops;
}

double ebr_network_input_flops(const ebr_config *config, const ebr_shape *shape, int only)
{
  ebr_network network = {0};
  double flops = 0;
  shape_network(&network, config, shape, only, 1, 0);
  for (int i = 0; i < network.modalities; i++)
    flops += network.convolution[i].depth > 0 ? ebr_convolution_input_flops(&network.convolution[i])
                                              : 2.0 * network.inputs[i] * network.f[i].width[1];
  return flops;
}
