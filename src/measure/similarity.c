#include "measure/column.h"

#include <math.h>
#include <stdlib.h>

/* How alike two modalities' latents are over the test samples that have all of them: linear CKA,
 * |X'Y|^2 / (|X'X| |Y'Y|) of centred X and Y (Kornblith et al., ICML 2019). Between 0 and 1; rotations and scales of
 * either change nothing. */

static bool wanted(const ebr_config *config, const ebr_shape *shape)
{
  return (config->measure_spectra >> EBR_SPECTRUM_LATENT & 1u) && ebr_measured_modalities(config, shape) > 1;
}

static ebr_error *declare(const ebr_config *config, const ebr_shape *shape, ebr_schema *schema)
{
  ebr_error *error = NULL;
  const ebr_column_kind pair = {"", "Linear CKA of two modalities' latents", 1, 1};
  const ebr_column_kind mean = {"", "The same, mean over pairs of modalities", 1, 1};
  if (!wanted(config, shape)) goto done;
  for (int i = 0; i < ebr_measured_modalities(config, shape); i++)
    for (int j = i + 1; j < ebr_measured_modalities(config, shape); j++)
      EBR_TRY(ebr_column_declare(schema, &pair, "latent_similarity.%d.%d", i, j));
  EBR_TRY(ebr_column_declare(schema, &mean, "latent_similarity"));
done:
  return error;
}

/* Sums over samples of the latents of all modalities side by side. */
typedef struct sums {
  int modalities, width; /* width: q, or l without reallocation */
  size_t cols;           /* modalities x width */
  int64_t count;
  double *row, *mean; /* (cols) */
  double *product;    /* (cols x cols), the upper triangle */
  ebr_arena arena;
} sums;

static void layout(sums *s, ebr_arena *arena)
{
  s->row = ebr_arena_take(arena, s->cols, sizeof(double));
  s->mean = ebr_arena_take(arena, s->cols, sizeof(double));
  s->product = ebr_arena_take(arena, s->cols * s->cols, sizeof(double));
}

static bool whole(const ebr_batch *batch, int b, int modalities)
{
  for (int i = 0; i < modalities && batch->present; i++)
    if (!batch->present[b * modalities + i]) return false;
  return true;
}

/* Welford: products of deviations, without the cancellation that squares of large means bring. */
static void add_row(sums *s)
{
  s->count++;
  double share = 1 / (double)s->count;
  for (size_t k = 0; k < s->cols; k++) s->row[k] -= s->mean[k];
  for (size_t k = 0; k < s->cols; k++)
    for (size_t c = k; c < s->cols; c++) s->product[k * s->cols + c] += s->row[k] * s->row[c] * (1 - share);
  for (size_t k = 0; k < s->cols; k++) s->mean[k] += s->row[k] * share;
}

static void visit(void *context, ebr_network *network, int start, int count, const ebr_batch *batch)
{
  sums *s = context;
  size_t width = (size_t)s->width;
  for (int b = 0; b < count; b++) {
    if (!whole(batch, b, s->modalities)) continue;
    for (int i = 0; i < s->modalities; i++) {
      const ebr_real *latent =
          ebr_network_latent(network) ? ebr_network_reallocated(network, i) : ebr_network_encoded(network, i);
      for (size_t k = 0; k < width; k++) s->row[(size_t)i * width + k] = (double)latent[(size_t)b * width + k];
    }
    add_row(s);
  }
  (void)start;
}

/* |X_i' X_j|^2, i <= j. */
static double squared(const sums *s, int i, int j)
{
  double sum = 0;
  size_t width = (size_t)s->width;
  for (size_t k = 0; k < width; k++)
    for (size_t c = 0; c < width; c++) {
      size_t row = (size_t)i * width + k, col = (size_t)j * width + c;
      double value = row <= col ? s->product[row * s->cols + col] : s->product[col * s->cols + row];
      sum += value * value;
    }
  return sum;
}

static ebr_error *record_pairs(const sums *s, ebr_record *record)
{
  ebr_error *error = NULL;
  double mean = 0;
  int pairs = s->modalities * (s->modalities - 1) / 2;
  for (int i = 0; i < s->modalities; i++)
    for (int j = i + 1; j < s->modalities; j++) {
      double scale = sqrt(squared(s, i, i) * squared(s, j, j));
      double similarity = scale > 0 ? squared(s, i, j) / scale : NAN;
      EBR_TRY(ebr_column_set(record, similarity, "latent_similarity.%d.%d", i, j));
      mean += similarity / pairs;
    }
  EBR_TRY(ebr_column_set(record, mean, "latent_similarity"));
done:
  return error;
}

static void forget(void *kept)
{
  sums *s = kept;
  ebr_arena_destroy(&s->arena);
  free(s);
}

static ebr_error *watch(const ebr_subject *subject, ebr_watcher *watcher)
{
  ebr_error *error = NULL;
  const ebr_network *network = ebr_trainer_network(subject->trainer);
  ebr_arena measuring = ebr_arena_measuring();
  int modalities = ebr_network_modalities(network);
  if (!subject->last || !(subject->config->measure_spectra >> EBR_SPECTRUM_LATENT & 1u) || modalities < 2) goto done;
  sums *s = watcher->kept = calloc(1, sizeof *s);
  EBR_CHECK_MEMORY(s, "products of latents");
  s->modalities = modalities;
  s->width = ebr_network_latent(network) ? ebr_network_latent(network) : ebr_network_features(network);
  s->cols = (size_t)s->modalities * (size_t)s->width;
  layout(s, &measuring);
  EBR_TRY(ebr_arena_create(measuring.used, &s->arena));
  layout(s, &s->arena);
  watcher->test = true;
  watcher->see_test = visit;
done:
  return error;
}

static ebr_error *take(const ebr_subject *subject, ebr_record *record)
{
  return subject->kept ? record_pairs(subject->kept, record) : NULL;
}

static size_t kept_bytes(const ebr_config *config, const ebr_shape *shape)
{
  ebr_arena measuring = ebr_arena_measuring();
  bool reallocates = ebr_config_reallocates(config) && config->ebr_latent > 0;
  sums s = {.modalities = ebr_measured_modalities(config, shape),
            .width = reallocates ? (int)config->ebr_latent : ebr_measured_features(config)};
  if (!wanted(config, shape)) return 0;
  s.cols = (size_t)s.modalities * (size_t)s.width;
  layout(&s, &measuring);
  return measuring.used;
}

const ebr_measure ebr_measure_similarity = {.name = "similarity",
                                            .help = "How alike the modalities' latents are",
                                            .declare = declare,
                                            .take = take,
                                            .watch = watch,
                                            .forget = forget,
                                            .kept_bytes = kept_bytes};
