/* Knowledge distillation from the dominant modality's own encoder. Paper: arXiv 2505.22483, Section 3.2; forms: squared
 * error and cosine of features, softened logits (Hinton, Vinyals, Dean 2015, T^2 KL). Each is a mean over the samples
 * that have the student. */
#include "model/kernels.h"
#include "model/network.h"

#include <math.h>
#include <string.h>

typedef struct student {
  const ebr_network *network;
  const ebr_batch *batch;
  int modality, width, present;
  ebr_real *features, *gradient; /* (B x width): G_i or F_i, and its gradient, which is added to */
  double weight;
} student;

static bool is_present(const student *s, int b) { return s->network->row_present[s->modality * s->network->batch + b]; }

/* What the teacher has (N x width) for sample b. */
static const ebr_real *taught(const student *s, const ebr_real *all, int width, int b)
{
  return all + (size_t)(s->batch->teacher_row ? s->batch->teacher_row[b] : b) * (size_t)width;
}

/* mean ||z - t||^2 */
static double distil_mse(const student *s)
{
  double sum = 0;
  ebr_real factor = (ebr_real)(2 * s->weight / s->present);
  for (int b = 0; b < s->batch->count; b++) {
    if (!is_present(s, b)) continue;
    const ebr_real *teacher = taught(s, s->batch->teacher_features, s->width, b);
    const ebr_real *z = s->features + (size_t)b * (size_t)s->width;
    ebr_real *dz = s->gradient + (size_t)b * (size_t)s->width, row = 0;
    for (int c = 0; c < s->width; c++) {
      ebr_real difference = z[c] - teacher[c];
      row += difference * difference;
      dz[c] += factor * difference;
    }
    sum += (double)row;
  }
  return sum / s->present;
}

/* mean (1 - z.t / (|z| |t|)) */
static double distil_cosine(const student *s)
{
  double sum = 0;
  for (int b = 0; b < s->batch->count; b++) {
    if (!is_present(s, b)) continue;
    const ebr_real *teacher = taught(s, s->batch->teacher_features, s->width, b);
    const ebr_real *z = s->features + (size_t)b * (size_t)s->width;
    ebr_real *dz = s->gradient + (size_t)b * (size_t)s->width;
    double zz = 1e-12, tt = 1e-12, zt = 0;
    for (int c = 0; c < s->width; c++) {
      zz += (double)z[c] * (double)z[c];
      tt += (double)teacher[c] * (double)teacher[c];
      zt += (double)z[c] * (double)teacher[c];
    }
    double cosine = zt / sqrt(zz * tt), factor = s->weight / s->present;
    sum += 1 - cosine;
    for (int c = 0; c < s->width; c++)
      dz[c] -= (ebr_real)(factor * ((double)teacher[c] / sqrt(zz * tt) - cosine * (double)z[c] / zz));
  }
  return sum / s->present;
}

static void softened(int classes, const ebr_real *logits, double temperature, double *probability)
{
  double largest = (double)logits[0], sum = 0;
  for (int c = 1; c < classes; c++) largest = fmax(largest, (double)logits[c]);
  for (int c = 0; c < classes; c++) sum += probability[c] = exp(((double)logits[c] - largest) / temperature);
  for (int c = 0; c < classes; c++) probability[c] /= sum;
}

/* T^2 mean KL(teacher || student); its gradient is written to dlogits (B x C). */
static double distil_logits(const student *s, const ebr_real *logits, ebr_real *dlogits)
{
  const ebr_network *network = s->network;
  int classes = network->classes;
  double sum = 0, temperature = network->config.kd_temperature, *own = network->softened,
         *teachers = network->softened + classes;
  for (int b = 0; b < s->batch->count; b++) {
    if (!is_present(s, b)) continue;
    size_t row = (size_t)b * (size_t)classes;
    softened(classes, taught(s, s->batch->teacher_logits, classes, b), temperature, teachers);
    softened(classes, logits + row, temperature, own);
    for (int c = 0; c < classes; c++) {
      if (teachers[c] > 0) sum += teachers[c] * (log(teachers[c]) - log(fmax(own[c], 1e-300)));
      dlogits[row + (size_t)c] += (ebr_real)(s->weight * temperature / s->present * (own[c] - teachers[c]));
    }
  }
  return temperature * temperature * sum / s->present;
}

static student student_of(ebr_network *network, const ebr_batch *batch, int modality, double weight)
{
  int width = network->latent ? network->latent : network->features;
  ebr_real *features = ebr_slice(network->G, network, modality, width);
  ebr_real *gradient = ebr_slice(network->dG, network, modality, width);
  EBR_HAS(features && gradient);
  return (student){network,  batch,    modality, width, ebr_rows_present(network, batch, modality),
                   features, gradient, weight};
}

void ebr_remedy_distillation(ebr_network *network, const ebr_batch *batch, const double *weight, ebr_losses *losses)
{
  if (network->config.kd_form == EBR_KD_LOGITS) return; /* part of the auxiliary classifier's pass */
  for (int i = 0; i < network->modalities; i++) {
    if (weight[i] == 0) continue;
    student s = student_of(network, batch, i, weight[i]);
    losses->distillation += network->config.kd_form == EBR_KD_MSE ? distil_mse(&s) : distil_cosine(&s);
  }
}

/* Auxiliary supervision: one classifier for all modalities on each G_i (F_i without reallocation), so that each must be
 * predictive by itself. Its logits are also what the softened form of distillation acts on. */
void ebr_remedy_auxiliary(ebr_network *network, const ebr_batch *batch, const ebr_remedies *remedies,
                          ebr_losses *losses)
{
  ebr_mlp *classifier = &network->auxiliary;
  int m = network->modalities, rows = m * network->batch, classes = network->classes;
  int present = ebr_rows_present(network, batch, -1);
  for (int i = 0; i < m; i++)
    memcpy(network->row_label + (size_t)i * (size_t)network->batch, batch->label,
           (size_t)network->batch * sizeof *batch->label);
  ebr_mlp_forward(classifier, network, rows, network->G);
  losses->auxiliary = ebr_cross_entropy(rows, classes, classifier->out[0], network->row_label, network->row_present,
                                        (ebr_real)(remedies->auxiliary / present), classifier->dout[0], NULL) /
                      present;
  for (int i = 0; i < m && batch->teacher_logits && network->config.kd_form == EBR_KD_LOGITS; i++) {
    if (remedies->distillation[i] == 0) continue;
    student s = student_of(network, batch, i, remedies->distillation[i]);
    losses->distillation += distil_logits(&s, ebr_slice(classifier->out[0], network, i, classes),
                                          ebr_slice(classifier->dout[0], network, i, classes));
  }
  ebr_mlp_backward(classifier, network, rows, network->G, true, network->auxiliary_dinput);
  ebr_add_scaled((size_t)rows * (size_t)classifier->width[0], 1, network->auxiliary_dinput, network->dG);
}
