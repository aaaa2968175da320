/* The modality discriminator psi and what the encoders get from it. Paper: arXiv 2505.22483, Section 3.3: psi descends
 * L_md = -1/(m B) sum log psi(G_i)_i; h_i o f_i ascend it. Forms: reversal; hinge, which gives nothing beyond chance;
 * confusion, the cross-entropy of psi's output against uniform (Tzeng et al., ICCV 2015). */
#include "model/kernels.h"
#include "model/network.h"

#include <math.h>
#include <string.h>

/* Conditional psi sees [G | one-hot class]. */
static void fill_conditional(ebr_network *network, const ebr_batch *batch)
{
  if (!network->config.ebr_psi_conditional) return;
  size_t q = (size_t)network->latent, width = (size_t)network->psi.width[0];
  for (int r = 0; r < network->modalities * network->batch; r++) {
    ebr_real *row = network->psi_input + (size_t)r * width;
    memcpy(row, network->G + (size_t)r * q, q * sizeof *row);
    memset(row + q, 0, (width - q) * sizeof *row);
    row[q + (size_t)batch->label[r % network->batch]] = 1;
  }
}

static const uint8_t *weights(const ebr_network *network) { return network->all_present ? NULL : network->row_present; }

/* psi forward, L_md, psi's gradients; psi_dinput = d L_md / d psi's input. */
static void discriminate(ebr_network *network, const ebr_batch *batch, ebr_real *dinput, ebr_losses *losses)
{
  int rows = network->modalities * network->batch, present = ebr_rows_present(network, batch, -1);
  ebr_mlp *psi = &network->psi;
  ebr_mlp_forward(psi, network, rows, network->psi_input);
  losses->discrimination = ebr_cross_entropy(rows, network->modalities, psi->out[1], network->row_modality,
                                             weights(network), (ebr_real)1 / (ebr_real)present, psi->dout[1], NULL) /
                           present;
  ebr_mlp_backward(psi, network, rows, network->psi_input, true, dinput);
}

static void add_to_latent(ebr_network *network, double factor)
{
  size_t rows = (size_t)network->modalities * (size_t)network->batch, q = (size_t)network->latent;
  size_t width = (size_t)network->psi.width[0];
  if (width == q) {
    ebr_add_scaled(rows * q, (ebr_real)factor, network->psi_dinput, network->dG);
    return;
  }
  for (size_t r = 0; r < rows; r++)
    ebr_add_scaled(q, (ebr_real)factor, network->psi_dinput + r * width, network->dG + r * q);
}

void ebr_remedy_adversary(ebr_network *network, const ebr_batch *batch, double lambda, ebr_losses *losses)
{
  int rows = network->modalities * network->batch;
  int form = network->config.ebr_form;
  bool wanted = lambda != 0;
  fill_conditional(network, batch);
  discriminate(network, batch, wanted && form != EBR_FORM_CONFUSION ? network->psi_dinput : NULL, losses);
  if (!wanted) return;
  if (form == EBR_FORM_HINGE && losses->discrimination >= log(network->modalities)) return;
  if (form != EBR_FORM_CONFUSION) {
    add_to_latent(network, -lambda);
    return;
  }
  ebr_confusion(rows, network->modalities, network->psi.out[1], weights(network),
                (ebr_real)1 / (ebr_real)ebr_rows_present(network, batch, -1), network->psi.dout[1]);
  ebr_mlp_backward(&network->psi, network, rows, network->psi_input, false, network->psi_dinput);
  add_to_latent(network, lambda);
}

void ebr_network_backward_psi(ebr_network *network, const ebr_batch *batch, ebr_losses *losses)
{
  if (!network->latent) return;
  fill_conditional(network, batch);
  discriminate(network, batch, NULL, losses);
}
