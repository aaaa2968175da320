#include "train/optimizer.h"

#include "model/kernels.h"

#include <math.h>

#ifdef EBR_TRAIN_DOUBLE
#define SQRT sqrt
#else
#define SQRT sqrtf
#endif

/* The shares of the new gradient are not 1 - beta in float: 1 - 0.999f is off by 1.3e-5. */
typedef struct adam_factors {
  ebr_real beta1, beta2, share1, share2, rate, second_scale, epsilon, keep;
} adam_factors;

EBR_VECTOR
static void adam_pass(size_t count, adam_factors f, ebr_real *restrict values, const ebr_real *restrict gradients,
                      ebr_real *restrict first, ebr_real *restrict second)
{
  for (size_t i = 0; i < count; i++) {
    ebr_real g = gradients[i];
    first[i] = f.beta1 * first[i] + f.share1 * g;
    second[i] = f.beta2 * second[i] + f.share2 * g * g;
    values[i] = f.keep * values[i] - f.rate * first[i] / (SQRT(second[i]) * f.second_scale + f.epsilon);
  }
}

/* Kingma, Ba, ICLR 2015, with the decoupled decay of Loshchilov, Hutter, ICLR 2019. */
static void adam(const ebr_optimizer_step *step, size_t count, double decay, ebr_real *values,
                 const ebr_real *gradients, ebr_real *first, ebr_real *second)
{
  const ebr_config *config = step->config;
  double t = (double)step->count;
  adam_factors factors = {.beta1 = (ebr_real)config->train_beta1,
                          .beta2 = (ebr_real)config->train_beta2,
                          .share1 = (ebr_real)(1 - config->train_beta1),
                          .share2 = (ebr_real)(1 - config->train_beta2),
                          .rate = (ebr_real)(step->rate / (1 - pow(config->train_beta1, t))),
                          .second_scale = (ebr_real)(1 / sqrt(1 - pow(config->train_beta2, t))),
                          .epsilon = (ebr_real)config->train_epsilon,
                          .keep = (ebr_real)(1 - step->rate * decay)};
  adam_pass(count, factors, values, gradients, first, second);
}

EBR_VECTOR
static void sgd_pass(size_t count, ebr_real momentum, ebr_real rate, ebr_real keep, ebr_real *restrict values,
                     const ebr_real *restrict gradients, ebr_real *restrict first)
{
  for (size_t i = 0; i < count; i++) {
    first[i] = momentum * first[i] + gradients[i];
    values[i] = keep * values[i] - rate * first[i];
  }
}

static void sgd(const ebr_optimizer_step *step, size_t count, double decay, ebr_real *values, const ebr_real *gradients,
                ebr_real *first, ebr_real *second)
{
  (void)second;
  sgd_pass(count, (ebr_real)step->config->train_momentum, (ebr_real)step->rate, (ebr_real)(1 - step->rate * decay),
           values, gradients, first);
}

/* In the order of train.optimizer's choices. */
ebr_optimizer *ebr_optimizer_at(int choice)
{
  static ebr_optimizer *const optimizers[] = {adam, sgd};
  return optimizers[choice];
}
