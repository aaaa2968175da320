#include "model/network.h"

#include <string.h>

int ebr_network_modalities(const ebr_network *network) { return network->modalities; }
int ebr_network_classes(const ebr_network *network) { return network->classes; }
int ebr_network_features(const ebr_network *network) { return network->features; }
void ebr_network_on_ready(ebr_network *network, ebr_ready ready) { network->ready = ready; }
int ebr_network_latent(const ebr_network *network) { return network->latent; }
int ebr_network_width(const ebr_network *network) { return network->width; }
int ebr_network_batch(const ebr_network *network) { return network->batch; }

int ebr_network_tensor_count(const ebr_network *network) { return network->tensor_count; }
const ebr_tensor *ebr_network_tensor(const ebr_network *network, int index) { return &network->tensors[index]; }

int ebr_network_tensor_find(const ebr_network *network, const char *name)
{
  for (int t = 0; t < network->tensor_count; t++)
    if (strcmp(network->tensors[t].name, name) == 0) return t;
  return -1;
}

ebr_real *ebr_network_values(ebr_network *network) { return network->values; }
ebr_real *ebr_network_gradients(ebr_network *network) { return network->gradients; }
void ebr_network_gradients_into(ebr_network *network, ebr_real *gradients) { network->gradients = gradients; }
size_t ebr_network_size(const ebr_network *network) { return network->size; }
size_t ebr_network_psi_start(const ebr_network *network) { return network->psi_start; }

static const ebr_tensor *head_first(const ebr_network *network)
{
  for (int t = 0; t < network->tensor_count; t++)
    if (network->tensors[t].role == EBR_ROLE_HEAD_FIRST) return &network->tensors[t];
  return NULL;
}

int ebr_network_head_rows(const ebr_network *network) { return head_first(network)->rows; }
int ebr_network_head_cols(const ebr_network *network) { return head_first(network)->cols; }

void ebr_network_head(const ebr_network *network, double *out)
{
  const ebr_tensor *head = head_first(network);
  const ebr_real *values = network->values + head->offset;
  for (size_t i = 0; i < (size_t)head->rows * (size_t)head->cols; i++) out[i] = (double)values[i];
}

ebr_real *ebr_network_input(ebr_network *network, int modality) { return network->input[modality]; }

ebr_real *ebr_network_fused(ebr_network *network, int modality)
{
  return ebr_slice(network->fused, network, modality, network->features);
}

const ebr_real *ebr_network_encoded(const ebr_network *network, int modality)
{
  return ebr_slice(network->F, network, modality, network->features);
}

const ebr_real *ebr_network_reallocated(const ebr_network *network, int modality)
{
  return network->latent ? ebr_slice(network->G, network, modality, network->latent) : NULL;
}

ebr_real *ebr_network_latent_edit(ebr_network *network, int modality)
{
  return ebr_slice(network->G, network, modality, network->latent ? network->latent : network->features);
}

ebr_real *ebr_network_target(ebr_network *network) { return network->target; }
const ebr_real *ebr_network_hidden(const ebr_network *network) { return network->hidden; }
const ebr_real *ebr_network_logits(const ebr_network *network) { return network->logits; }

void ebr_network_influence(ebr_network *network, int count, int class_index, ebr_real *out)
{
  /* The classifier behind hidden is linear: each row is column class_index of its weight. */
  const ebr_real *weight = network->values + network->head.weight[1];
  for (int b = 0; b < count; b++)
    for (int j = 0; j < network->width; j++)
      out[(size_t)b * (size_t)network->width + (size_t)j] =
          weight[(size_t)j * (size_t)network->outputs + (size_t)class_index];
}
