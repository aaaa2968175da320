#include "measure/logistic.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum { MEMORY = 10, STEPS_MOST = 200, HALVINGS_MOST = 40 };

static const double gradient_least = 1e-6, armijo = 1e-4;

typedef struct fit {
  const ebr_labelled *data;
  double ridge;
  int size;                                                      /* of weight */
  double *outputs;                                               /* (count x classes): logits, then their gradient */
  double *gradient, *candidate, *candidate_gradient, *direction; /* (size) */
  double *step[MEMORY], *change[MEMORY];                         /* (size): the last steps and gradient changes */
  double curvature[MEMORY];                                      /* step . change */
  int kept;
  ebr_arena arena;
} fit;

static void layout(fit *f, ebr_arena *arena)
{
  size_t size = (size_t)f->size;
  f->outputs = ebr_arena_take(arena, (size_t)f->data->count * (size_t)f->data->classes, sizeof(double));
  f->gradient = ebr_arena_take(arena, size, sizeof(double));
  f->candidate = ebr_arena_take(arena, size, sizeof(double));
  f->candidate_gradient = ebr_arena_take(arena, size, sizeof(double));
  f->direction = ebr_arena_take(arena, size, sizeof(double));
  for (int k = 0; k < MEMORY; k++) {
    f->step[k] = ebr_arena_take(arena, size, sizeof(double));
    f->change[k] = ebr_arena_take(arena, size, sizeof(double));
  }
}

static void logits_of(const ebr_labelled *data, const double *weight, double *logits)
{
  const double *intercept = weight + (size_t)data->inputs * (size_t)data->classes;
  for (int b = 0; b < data->count; b++)
    memcpy(logits + (size_t)b * (size_t)data->classes, intercept, (size_t)data->classes * sizeof *logits);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, data->count, data->classes, data->inputs, 1, data->x,
              data->inputs, weight, data->classes, 1, logits, data->classes);
}

/* Cross-entropy of one sample; its logits become their gradient. */
static double soften(double *logits, int classes, int label)
{
  double most = logits[0], sum = 0, own = logits[label];
  for (int c = 1; c < classes; c++) most = logits[c] > most ? logits[c] : most;
  for (int c = 0; c < classes; c++) sum += logits[c] = exp(logits[c] - most);
  for (int c = 0; c < classes; c++) logits[c] /= sum;
  logits[label] -= 1;
  return log(sum) + most - own;
}

static double objective(fit *f, const double *weight, double *gradient)
{
  const ebr_labelled *data = f->data;
  int penalised = data->inputs * data->classes;
  double *intercept = gradient + penalised, loss = 0;
  logits_of(data, weight, f->outputs);
  memset(intercept, 0, (size_t)data->classes * sizeof *intercept);
  for (int b = 0; b < data->count; b++) {
    double *row = f->outputs + (size_t)b * (size_t)data->classes;
    loss += soften(row, data->classes, data->label[b]);
    for (int c = 0; c < data->classes; c++) intercept[c] += row[c] / data->count;
  }
  memcpy(gradient, weight, (size_t)penalised * sizeof *gradient);
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, data->inputs, data->classes, data->count, 1.0 / data->count,
              data->x, data->inputs, f->outputs, data->classes, f->ridge, gradient, data->classes);
  return loss / data->count + f->ridge / 2 * cblas_ddot(penalised, weight, 1, weight, 1);
}

/* The two-loop recursion: direction = -H gradient from the last steps, newest at kept - 1 (modulo MEMORY). */
static void find_direction(fit *f)
{
  double along[MEMORY];
  int oldest = f->kept > MEMORY ? f->kept - MEMORY : 0;
  for (int k = 0; k < f->size; k++) f->direction[k] = -f->gradient[k];
  for (int k = f->kept - 1; k >= oldest; k--) {
    int at = k % MEMORY;
    along[at] = cblas_ddot(f->size, f->step[at], 1, f->direction, 1) / f->curvature[at];
    cblas_daxpy(f->size, -along[at], f->change[at], 1, f->direction, 1);
  }
  if (f->kept > 0) {
    int at = (f->kept - 1) % MEMORY;
    double scale = f->curvature[at] / cblas_ddot(f->size, f->change[at], 1, f->change[at], 1);
    cblas_dscal(f->size, scale, f->direction, 1);
  }
  for (int k = oldest; k < f->kept; k++) {
    int at = k % MEMORY;
    double back = cblas_ddot(f->size, f->change[at], 1, f->direction, 1) / f->curvature[at];
    cblas_daxpy(f->size, along[at] - back, f->step[at], 1, f->direction, 1);
  }
}

static void remember(fit *f, const double *weight)
{
  int at = f->kept % MEMORY;
  for (int k = 0; k < f->size; k++) {
    f->step[at][k] = f->candidate[k] - weight[k];
    f->change[at][k] = f->candidate_gradient[k] - f->gradient[k];
  }
  f->curvature[at] = cblas_ddot(f->size, f->step[at], 1, f->change[at], 1);
  if (f->curvature[at] > 0) f->kept++;
}

/* Halves the step until the loss falls enough; false when it does not at any length: the end of what rounding allows.
 */
static bool advance(fit *f, double *weight, double *loss)
{
  find_direction(f);
  double slope = cblas_ddot(f->size, f->gradient, 1, f->direction, 1), length = 1;
  for (int halving = 0; halving < HALVINGS_MOST; halving++, length /= 2) {
    for (int k = 0; k < f->size; k++) f->candidate[k] = weight[k] + length * f->direction[k];
    double candidate = objective(f, f->candidate, f->candidate_gradient);
    if (!(candidate <= *loss + armijo * length * slope)) continue;
    remember(f, weight);
    memcpy(weight, f->candidate, (size_t)f->size * sizeof *weight);
    memcpy(f->gradient, f->candidate_gradient, (size_t)f->size * sizeof *f->gradient);
    *loss = candidate;
    return true;
  }
  return false;
}

static bool has_converged(const fit *f)
{
  for (int k = 0; k < f->size; k++)
    if (!(fabs(f->gradient[k]) <= gradient_least)) return false;
  return true;
}

ebr_error *ebr_logistic_fit(const ebr_labelled *data, double ridge, double *weight)
{
  ebr_error *error = NULL;
  fit f = {.data = data, .ridge = ridge, .size = (data->inputs + 1) * data->classes};
  ebr_arena measuring = ebr_arena_measuring();
  layout(&f, &measuring);
  EBR_TRY(ebr_arena_create(measuring.used, &f.arena));
  layout(&f, &f.arena);
  memset(weight, 0, (size_t)f.size * sizeof *weight);
  double loss = objective(&f, weight, f.gradient);
  for (int step = 0; step < STEPS_MOST && !has_converged(&f); step++)
    if (!advance(&f, weight, &loss)) break;
done:
  ebr_arena_destroy(&f.arena);
  return error;
}

ebr_error *ebr_logistic_score(const ebr_labelled *data, const double *weight, ebr_scores *scores)
{
  ebr_error *error = NULL;
  ebr_arena arena = {0};
  size_t cells = (size_t)data->count * (size_t)data->classes;
  double loss = 0, correct = 0;
  EBR_TRY(ebr_arena_create(cells * sizeof(double), &arena));
  double *logits = ebr_arena_take(&arena, cells, sizeof *logits);
  logits_of(data, weight, logits);
  for (int b = 0; b < data->count; b++) {
    double *row = logits + (size_t)b * (size_t)data->classes;
    int best = 0;
    for (int c = 1; c < data->classes; c++) best = row[c] > row[best] ? c : best;
    correct += best == data->label[b];
    loss += soften(row, data->classes, data->label[b]);
  }
  *scores = (ebr_scores){data->count > 0 ? loss / data->count : NAN, data->count > 0 ? correct / data->count : NAN};
done:
  ebr_arena_destroy(&arena);
  return error;
}
