#include "measure/bidiagonal.h"
#include "measure/encoding.h"

#include <cblas.h>
#include <math.h>

/* ---- above a threshold ------------------------------------------------------------------------------------------- */

static double largest(const ebr_encoding *encoding)
{
  return ebr_largest(encoding->weight, (size_t)encoding->neurons * (size_t)encoding->features);
}

static double sum_of(const double *weight, int features)
{
  double sum = 0;
  for (int f = 0; f < features; f++) sum += fabs(weight[f]);
  return sum;
}

/* Adds one neuron's share to the counts. */
static void add_neuron(const ebr_encoding *encoding, const double *weight, double limit, ebr_sharing *sharing)
{
  int count[EBR_MODALITIES_MOST][2] = {{0}}; /* of noise and of predictive features */
  double predictive[EBR_MODALITIES_MOST] = {0}, noise[EBR_MODALITIES_MOST] = {0};
  double all = 0, all_noise = 0, squares = 0, modalities = 0;
  /* Features of a kind lie together: a sum in memory would wait for itself at each. */
  for (int f = 0; f < encoding->features;) {
    int modality = encoding->modality[f], kind = encoding->predictive[f], above = 0;
    for (; f < encoding->features && encoding->modality[f] == modality && encoding->predictive[f] == kind; f++)
      above += fabs(weight[f]) > limit;
    count[modality][kind] += above;
  }
  for (int i = 0; i < encoding->modalities; i++) {
    noise[i] = count[i][0];
    predictive[i] = count[i][1];
  }
  for (int i = 0; i < encoding->modalities; i++) {
    all += predictive[i];
    all_noise += noise[i];
    squares += predictive[i] * predictive[i];
    modalities += predictive[i] > 0;
  }
  sharing->colliding_pairs += (all * all - squares) / 2;
  for (int i = 0; i < encoding->modalities; i++)
    sharing->predictive_noise_pairs += predictive[i] * (all_noise - noise[i]);
  sharing->shared_neurons += modalities >= 2;
  sharing->occupancy += modalities;
  sharing->feature_occupancy += all;
  sharing->noise_occupancy += all_noise;
}

void ebr_sharing_at(const ebr_encoding *encoding, ebr_threshold kind, double threshold, ebr_sharing *sharing)
{
  double limit = kind == EBR_THRESHOLD_RELATIVE ? threshold * largest(encoding) : threshold, predictive = 0;
  *sharing = (ebr_sharing){0};
  for (int f = 0; f < encoding->features; f++) predictive += encoding->predictive[f];
  for (int j = 0; j < encoding->neurons; j++) {
    const double *weight = encoding->weight + (size_t)j * (size_t)encoding->features;
    if (kind == EBR_THRESHOLD_NEURON) limit = threshold * sum_of(weight, encoding->features);
    add_neuron(encoding, weight, limit, sharing);
  }
  sharing->shared_neurons /= encoding->neurons;
  sharing->occupancy /= (double)encoding->neurons * encoding->modalities;
  sharing->feature_occupancy /= encoding->neurons * predictive;
  sharing->noise_occupancy /= encoding->neurons * (encoding->features - predictive);
}

/* ---- threshold-free ---------------------------------------------------------------------------------------------- */

/* Elhage et al., Toy Models of Superposition, 2022: D_f = |w_f|^2 / sum_g (w_f^ . w_g)^2. Scherlis et al.,
 * Polysemanticity and Capacity in Neural Networks, 2022: C_f = (w_f . w_f)^2 / sum_g (w_f . w_g)^2, the same number. */
static double dimensions_of(const double *gram, int features, int f)
{
  double own = gram[(size_t)f * (size_t)features + (size_t)f], squares = 0;
  for (int g = 0; g < features; g++) {
    double product = gram[(size_t)f * (size_t)features + (size_t)g];
    squares += product * product;
  }
  return squares > 0 ? own * own / squares : 0;
}

static double interference_of(const ebr_encoding *encoding, const double *gram)
{
  double sum = 0;
  for (int f = 0; f < encoding->features; f++)
    for (int g = f + 1; g < encoding->features; g++) {
      double product = gram[(size_t)f * (size_t)encoding->features + (size_t)g];
      if (encoding->modality[f] != encoding->modality[g]) sum += product * product;
    }
  return sum;
}

static void summarise(const ebr_encoding *encoding, double *gram, ebr_geometry *geometry)
{
  int features = encoding->features;
  double trace = 0, predictive = 0;
  for (int f = 0; f < features; f++) trace += gram[(size_t)f * (size_t)features + (size_t)f];
  *geometry = (ebr_geometry){0};
  if (trace <= 0) return;
  for (size_t k = 0; k < (size_t)features * (size_t)features; k++) gram[k] *= features / trace;
  geometry->interference = interference_of(encoding, gram);
  for (int f = 0; f < features; f++) {
    double dimensions = dimensions_of(gram, features, f);
    geometry->capacity += dimensions;
    if (!encoding->predictive[f]) continue;
    geometry->dimensionality += dimensions;
    predictive++;
  }
  geometry->dimensionality /= predictive;
}

ebr_error *ebr_geometry_of(const ebr_encoding *encoding, ebr_geometry *geometry)
{
  ebr_error *error = NULL;
  int features = encoding->features;
  size_t cells = (size_t)features * (size_t)features;
  ebr_arena arena = {0};
  EBR_TRY(ebr_arena_create(cells * sizeof(double), &arena));
  double *gram = ebr_arena_take(&arena, cells, sizeof *gram);
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, features, features, encoding->neurons, 1, encoding->weight,
              features, encoding->weight, features, 0, gram, features);
  summarise(encoding, gram, geometry);
done:
  ebr_arena_destroy(&arena);
  return error;
}
