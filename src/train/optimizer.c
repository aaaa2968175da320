#include "train/optimizer.h"

#include "model/kernels.h"

#include <math.h>

#ifdef EBR_TRAIN_DOUBLE
#define SQRT sqrt
#else
#define SQRT sqrtf
#endif

/* The shares of the new gradient are not 1 - beta in float: 1 - 0.999f is off by 1.3e-5. */
static void adam_prepare(const ebr_config *config, double rate, int64_t count, ebr_optimizer_step *step)
{
  double t = (double)count;
  *step = (ebr_optimizer_step){.beta1 = (ebr_real)config->train_beta1,
                               .beta2 = (ebr_real)config->train_beta2,
                               .share1 = (ebr_real)(1 - config->train_beta1),
                               .share2 = (ebr_real)(1 - config->train_beta2),
                               .rate = (ebr_real)(rate / (1 - pow(config->train_beta1, t))),
                               .second_scale = (ebr_real)(1 / sqrt(1 - pow(config->train_beta2, t))),
                               .epsilon = (ebr_real)config->train_epsilon};
}

/* Kingma, Ba, ICLR 2015, with the decoupled decay of Loshchilov, Hutter, ICLR 2019. */
EBR_VECTOR
static void adam_pass(const ebr_optimizer_step *step, size_t count, ebr_real keep, ebr_real *restrict values,
                      const ebr_real *restrict gradients, ebr_real *restrict first, ebr_real *restrict second)
{
  const ebr_optimizer_step s = *step;
  for (size_t i = 0; i < count; i++) {
    ebr_real g = gradients[i];
    first[i] = s.beta1 * first[i] + s.share1 * g;
    second[i] = s.beta2 * second[i] + s.share2 * g * g;
    values[i] = keep * values[i] - s.rate * first[i] / (SQRT(second[i]) * s.second_scale + s.epsilon);
  }
}

static void sgd_prepare(const ebr_config *config, double rate, int64_t count, ebr_optimizer_step *step)
{
  (void)count;
  *step = (ebr_optimizer_step){.beta1 = (ebr_real)config->train_momentum, .rate = (ebr_real)rate};
}

EBR_VECTOR
static void sgd_pass(const ebr_optimizer_step *step, size_t count, ebr_real keep, ebr_real *restrict values,
                     const ebr_real *restrict gradients, ebr_real *restrict first, ebr_real *restrict second)
{
  const ebr_real momentum = step->beta1, rate = step->rate;
  for (size_t i = 0; i < count; i++) {
    first[i] = momentum * first[i] + gradients[i];
    values[i] = keep * values[i] - rate * first[i];
  }
  (void)second;
}

const ebr_optimizer *ebr_optimizer_at(int choice)
{
  static const ebr_optimizer optimizers[] = {{adam_prepare, adam_pass}, {sgd_prepare, sgd_pass}};
  return &optimizers[choice];
}
