/* Encoding by weights times downstream influence: what the head's first layer makes of each true feature, by the
 * weights alone, times how much the neuron weighs in the outputs. */
#include "measure/column.h"
#include "measure/encoding.h"

#include <cblas.h>
#include <math.h>

static void read_fused(ebr_network *network, int count, int columns, double *out)
{
  size_t l = (size_t)ebr_network_features(network);
  for (int i = 0; i < ebr_network_modalities(network); i++) {
    const ebr_real *slice = ebr_network_fused(network, i);
    for (size_t b = 0; b < (size_t)count; b++)
      for (size_t k = 0; k < l; k++) out[b * (size_t)columns + (size_t)i * l + k] = (double)slice[b * l + k];
  }
}

/* |weights from neuron j to the outputs|_2 */
static double influence_of(ebr_network *network, int j)
{
  const ebr_tensor *last = ebr_network_tensor(network, ebr_network_tensor_find(network, "phi.weight.1"));
  const ebr_real *row = ebr_network_values(network) + last->offset + (size_t)j * (size_t)last->cols;
  double squares = 0;
  for (int c = 0; c < last->cols; c++) squares += (double)row[c] * (double)row[c];
  return sqrt(squares);
}

static ebr_error *take(const ebr_subject *subject, ebr_encoding *encoding)
{
  ebr_error *error = NULL;
  ebr_network *network = ebr_trainer_network(subject->trainer);
  int rows = ebr_network_head_rows(network), n = ebr_network_width(network);
  ebr_encoding fused = {0};
  ebr_arena arena = {0};
  EBR_TRY(ebr_encoding_regress(subject, rows, read_fused, &fused));
  EBR_TRY(ebr_encoding_create(n, fused.features, fused.modalities, encoding));
  EBR_TRY(ebr_arena_create((size_t)rows * (size_t)n * sizeof(double), &arena));
  double *head = ebr_arena_take(&arena, (size_t)rows * (size_t)n, sizeof *head);
  ebr_network_head(network, head);
  for (int f = 0; f < fused.features; f++) {
    encoding->modality[f] = fused.modality[f];
    encoding->predictive[f] = fused.predictive[f];
  }
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, fused.features, rows, 1, head, n, fused.weight,
              fused.features, 0, encoding->weight, fused.features);
  for (int j = 0; j < n; j++)
    cblas_dscal(fused.features, influence_of(network, j), encoding->weight + (size_t)j * (size_t)fused.features, 1);
done:
  ebr_arena_destroy(&arena);
  ebr_encoding_destroy(&fused);
  return error;
}

static size_t bytes(const ebr_config *config, const ebr_shape *shape, int features, int chunk)
{
  int rows = ebr_measured_modalities(config, shape) * ebr_measured_features(config), n = (int)config->model_width;
  return ebr_encoding_bytes(rows, features, chunk, true) + (size_t)n * (size_t)(features + rows) * sizeof(double);
}

const ebr_encoding_way ebr_encoding_influence = {"influence", true, take, bytes};
