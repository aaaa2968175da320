#include "measure/column.h"
#include "measure/tall.h"
#include "measure/together.h"

#include <ebrsweep/matrix.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One spectrum's name and shape. */
typedef struct spectrum {
  char name[24];
  const char *matrix; /* for meanings */
  int rows, cols;
} spectrum;

/* The scalars of a spectrum, by their place in ebr_ranks. */
static const struct {
  const char *name, *meaning;
  size_t offset;
} ranks_columns[] = {
    {"effective_rank", "exp of the entropy of the singular values' shares", offsetof(ebr_ranks, effective)},
    {"stable_rank", "Squared Frobenius norm / squared largest singular value", offsetof(ebr_ranks, stable)},
    {"numerical_rank", "Singular values above max(rows, cols) eps times the largest", offsetof(ebr_ranks, numerical)},
    {"rank_1e-2", "Singular values above 1e-2 times the largest", offsetof(ebr_ranks, numerical_2)},
    {"rank_1e-3", "Singular values above 1e-3 times the largest", offsetof(ebr_ranks, numerical_3)},
    {"participation_ratio", "(sum s^2)^2 / sum s^4", offsetof(ebr_ranks, participation)},
    {"nuclear_norm", "Sum of the singular values", offsetof(ebr_ranks, nuclear)},
    {"condition", "Largest singular value / smallest", offsetof(ebr_ranks, condition)},
};

enum { RANKS_COLUMNS = sizeof ranks_columns / sizeof *ranks_columns };

static int values_of(const spectrum *s) { return s->rows < s->cols ? s->rows : s->cols; }

static bool wants(const ebr_config *config, int choice) { return config->measure_spectra >> choice & 1u; }

/* ---- shapes ------------------------------------------------------------------------------------------------------ */

/* ebr_network_head's shape without a network. */
static spectrum head_spectrum(const ebr_config *config, const ebr_shape *shape, const char *name, const char *matrix)
{
  bool graph = config->model_fusion != EBR_FUSION_CONCAT && config->method != EBR_METHOD_UNIMODAL;
  int features = ebr_measured_features(config), width = (int)config->model_width;
  int rows = graph ? width + features : ebr_measured_modalities(config, shape) * features;
  spectrum s = {.matrix = matrix, .rows = rows, .cols = width};
  snprintf(s.name, sizeof s.name, "%s", name);
  return s;
}

static spectrum fused_spectrum(const ebr_config *config, const ebr_shape *shape, bool standardised)
{
  spectrum s = {.matrix = standardised ? "fused representation, slices at one scale" : "fused representation",
                .rows = shape->test_count,
                .cols = ebr_measured_modalities(config, shape) * ebr_measured_features(config)};
  snprintf(s.name, sizeof s.name, standardised ? "fused_standardised" : "fused");
  return s;
}

static spectrum latent_spectrum(const ebr_config *config, const ebr_shape *shape, int modality)
{
  bool reallocates = ebr_config_reallocates(config) && config->ebr_latent > 0;
  spectrum s = {.matrix = "modality's latent",
                .rows = shape->test_count,
                .cols = reallocates ? (int)config->ebr_latent : ebr_measured_features(config)};
  snprintf(s.name, sizeof s.name, "latent.%d", modality);
  return s;
}

/* ---- declaring --------------------------------------------------------------------------------------------------- */

static ebr_error *declare_one(const ebr_config *config, const spectrum *s, ebr_schema *schema)
{
  ebr_error *error = NULL;
  int points = ebr_measure_points(config);
  char meaning[160];
  ebr_column_kind kind = {"", meaning, 1, 1};
  for (int k = 0; k < RANKS_COLUMNS; k++) {
    snprintf(meaning, sizeof meaning, "%s (%s)", ranks_columns[k].meaning, s->matrix);
    EBR_TRY(ebr_column_declare(schema, &kind, "%s.%s", s->name, ranks_columns[k].name));
  }
  snprintf(meaning, sizeof meaning, "%s (%s)", ranks_columns[0].meaning, s->matrix);
  kind.points = points;
  EBR_TRY(ebr_column_declare(schema, &kind, "%s.effective_rank.by_epoch", s->name));
  snprintf(meaning, sizeof meaning, "Singular values, descending (%s)", s->matrix);
  kind.values = values_of(s);
  EBR_TRY(ebr_column_declare(schema, &kind, "%s", s->name));
done:
  return error;
}

/* The weights themselves, for the space that a sweep's heads span: `ebrsweep spectrum RESULTS:heads`. */
static ebr_error *declare_weights(const ebr_config *config, const ebr_shape *shape, ebr_schema *schema)
{
  ebr_error *error = NULL;
  spectrum head = head_spectrum(config, shape, "head", "");
  const ebr_column_kind kind = {"", "Weights of the head's first layer after training, row after row", 1,
                                head.rows * head.cols};
  EBR_TRY(ebr_column_declare(schema, &kind, "%s", EBR_HEAD_WEIGHTS));
done:
  return error;
}

static ebr_error *declare(const ebr_config *config, const ebr_shape *shape, ebr_schema *schema)
{
  ebr_error *error = NULL;
  spectrum head = head_spectrum(config, shape, "head", "head's first layer");
  spectrum updates = head_spectrum(config, shape, "updates", "change of the head's first layer since the start");
  if (wants(config, EBR_SPECTRUM_HEAD)) EBR_TRY(declare_one(config, &head, schema));
  for (int standardised = 0; standardised < 2 && wants(config, EBR_SPECTRUM_FUSED); standardised++) {
    spectrum fused = fused_spectrum(config, shape, standardised);
    EBR_TRY(declare_one(config, &fused, schema));
  }
  for (int k = 0; k < ebr_measured_modalities(config, shape) && wants(config, EBR_SPECTRUM_LATENT); k++) {
    spectrum latent = latent_spectrum(config, shape, ebr_measured_modality(config, k));
    EBR_TRY(declare_one(config, &latent, schema));
  }
  if (wants(config, EBR_SPECTRUM_UPDATES)) EBR_TRY(declare_one(config, &updates, schema));
  if (wants(config, EBR_SPECTRUM_WEIGHTS)) EBR_TRY(declare_weights(config, shape, schema));
done:
  return error;
}

/* ---- taking ------------------------------------------------------------------------------------------------------ */

static ebr_error *record_one(const ebr_subject *subject, const spectrum *s, const double *singular, ebr_record *record)
{
  ebr_error *error = NULL;
  ebr_ranks ranks;
  ebr_ranks_from(singular, values_of(s), s->rows, s->cols, &ranks);
  EBR_TRY(ebr_record_fill(record, s->name, subject->point, 0, values_of(s), singular));
  EBR_TRY(ebr_column_set_at(record, subject->point, 0, ranks.effective, "%s.effective_rank.by_epoch", s->name));
  for (int k = 0; k < RANKS_COLUMNS && subject->last; k++) {
    const double *value = (const double *)((const char *)&ranks + ranks_columns[k].offset);
    EBR_TRY(ebr_column_set(record, *value, "%s.%s", s->name, ranks_columns[k].name));
  }
done:
  return error;
}

/* The network as it was before training: weights of one key and name are the same numbers in every network. */
static ebr_error *subtract_start(const ebr_subject *subject, const ebr_shape *shape, size_t count, double *head)
{
  ebr_error *error = NULL;
  ebr_network *start = NULL;
  ebr_arena arena = {0};
  EBR_TRY(ebr_arena_create(count * sizeof(double), &arena));
  double *before = ebr_arena_take(&arena, count, sizeof *before);
  EBR_TRY(ebr_network_create(subject->config, shape, subject->only, 1, ebr_config_pair(subject->config), &start));
  ebr_network_head(start, before);
  for (size_t k = 0; k < count; k++) head[k] -= before[k];
done:
  ebr_network_destroy(&start);
  ebr_arena_destroy(&arena);
  return error;
}

/* The head's first layer, or how it has changed: (rows x cols) of s. */
static ebr_error *copy_head(const ebr_subject *subject, const ebr_shape *shape, bool updates, const spectrum *s,
                            double *head)
{
  ebr_error *error = NULL;
  const ebr_network *network = ebr_trainer_network(subject->trainer);
  EBR_CHECK(s->rows == ebr_network_head_rows(network) && s->cols == ebr_network_head_cols(network), EBR_INTERNAL,
            "the head is %d x %d, not %d x %d as declared", ebr_network_head_rows(network),
            ebr_network_head_cols(network), s->rows, s->cols);
  ebr_network_head(network, head);
  if (updates) EBR_TRY(subtract_start(subject, shape, (size_t)s->rows * (size_t)s->cols, head));
done:
  return error;
}

/* Room for the head and its singular values. */
static ebr_error *reserve(const spectrum *s, ebr_arena *arena, double **head, double **singular)
{
  ebr_error *error = NULL;
  size_t count = (size_t)s->rows * (size_t)s->cols;
  EBR_TRY(ebr_arena_create_unset((count + (size_t)values_of(s) + 16) * sizeof(double), arena));
  *head = ebr_arena_take(arena, count, sizeof **head);
  *singular = ebr_arena_take(arena, (size_t)values_of(s), sizeof **singular);
done:
  return error;
}

static ebr_error *take_head(const ebr_subject *subject, const ebr_shape *shape, bool updates, ebr_record *record)
{
  ebr_error *error = NULL;
  spectrum s = head_spectrum(subject->config, shape, updates ? "updates" : "head", "");
  double *head = NULL, *singular = NULL;
  ebr_arena arena = {0};
  EBR_TRY(reserve(&s, &arena, &head, &singular));
  EBR_TRY(copy_head(subject, shape, updates, &s, head));
  EBR_TRY(ebr_singular_values(head, s.rows, s.cols, singular));
  EBR_TRY(record_one(subject, &s, singular, record));
done:
  ebr_arena_destroy(&arena);
  return error;
}

/* The same by all of the team. */
static ebr_error *take_head_together(const ebr_subject *subject, const ebr_shape *shape, bool updates,
                                     ebr_record *record)
{
  ebr_error *error = NULL;
  ebr_team *team = subject->team;
  spectrum s = head_spectrum(subject->config, shape, updates ? "updates" : "head", "");
  double *head = NULL, *singular = NULL;
  ebr_arena arena = {0};
  EBR_TRY(ebr_team_agree(team, reserve(&s, &arena, &head, &singular)));
  EBR_TRY(ebr_team_agree(team, copy_head(subject, shape, updates, &s, head)));
  EBR_TRY(ebr_together_singular_values(team, head, s.rows, s.cols, singular));
  EBR_TRY(ebr_team_agree(team, ebr_team_rank(team) == 0 ? record_one(subject, &s, singular, record) : NULL));
done:
  ebr_arena_destroy(&arena);
  return error;
}

static ebr_error *keep_weights(const ebr_subject *subject, ebr_record *record)
{
  ebr_error *error = NULL;
  const ebr_network *network = ebr_trainer_network(subject->trainer);
  int count = ebr_network_head_rows(network) * ebr_network_head_cols(network);
  double *head = malloc((size_t)count * sizeof *head);
  EBR_CHECK_MEMORY(head, "the head's weights");
  ebr_network_head(network, head);
  EBR_TRY(ebr_record_fill(record, EBR_HEAD_WEIGHTS, 0, 0, count, head));
done:
  free(head);
  return error;
}

/* What one pass over the test set gathers. */
typedef struct gathering {
  int modalities;
  ebr_tall *fused; /* or NULL */
  ebr_tall *latent[EBR_MODALITIES_MOST];
} gathering;

EBR_VECTOR
static void copy_slice(const ebr_real *restrict from, int width, bool is_present, double *restrict to)
{
  if (!is_present) memset(to, 0, (size_t)width * sizeof *to);
  else
    for (int k = 0; k < width; k++) to[k] = (double)from[k];
}

static void gather_fused(gathering *g, ebr_network *network, int count, const uint8_t *present)
{
  int features = ebr_network_features(network);
  for (int b = 0; b < count; b++) {
    double *row = ebr_tall_next(g->fused);
    for (int i = 0; i < g->modalities; i++)
      copy_slice(ebr_network_fused(network, i) + (size_t)b * (size_t)features, features,
                 !present || present[b * g->modalities + i], row + (size_t)i * (size_t)features);
  }
}

static void gather_latent(gathering *g, ebr_network *network, int modality, int count, const uint8_t *present)
{
  int latent = ebr_network_latent(network), width = latent ? latent : ebr_network_features(network);
  const ebr_real *from = latent ? ebr_network_reallocated(network, modality) : ebr_network_encoded(network, modality);
  for (int b = 0; b < count; b++)
    if (!present || present[b * g->modalities + modality])
      copy_slice(from + (size_t)b * (size_t)width, width, true, ebr_tall_next(g->latent[modality]));
}

static void gather(void *context, ebr_network *network, int start, int count, const ebr_batch *batch)
{
  gathering *g = context;
  if (g->fused) gather_fused(g, network, count, batch->present);
  for (int i = 0; i < g->modalities; i++)
    if (g->latent[i]) gather_latent(g, network, i, count, batch->present);
  (void)start;
}

static ebr_error *record_tall(const ebr_subject *subject, const spectrum *s, const ebr_tall *tall, const double *scale,
                              ebr_record *record)
{
  ebr_error *error = NULL;
  double *singular = malloc((size_t)values_of(s) * sizeof *singular);
  EBR_CHECK_MEMORY(singular, "singular values");
  EBR_TRY(ebr_tall_singular(tall, scale, values_of(s), singular));
  EBR_TRY(record_one(subject, s, singular, record));
done:
  free(singular);
  return error;
}

/* A modality's strength rescales its slice, so the raw effective rank moves with it by itself; at one scale it does
 * not. */
static ebr_error *record_fused(const ebr_subject *subject, const ebr_shape *shape, gathering *g, ebr_record *record)
{
  ebr_error *error = NULL;
  spectrum raw = fused_spectrum(subject->config, shape, false), even = fused_spectrum(subject->config, shape, true);
  int features = raw.cols / g->modalities;
  double *scale = malloc((size_t)raw.cols * sizeof *scale);
  EBR_CHECK_MEMORY(scale, "scales of the fused representation");
  ebr_tall_finish(g->fused);
  for (int i = 0; i < g->modalities; i++) {
    double inverse = ebr_measured_scale(ebr_tall_deviation(g->fused, i * features, features),
                                        ebr_tall_level(g->fused, i * features, features));
    for (int k = 0; k < features; k++) scale[i * features + k] = inverse;
  }
  EBR_TRY(record_tall(subject, &raw, g->fused, NULL, record));
  EBR_TRY(record_tall(subject, &even, g->fused, scale, record));
done:
  free(scale);
  return error;
}

static ebr_error *record_latent(const ebr_subject *subject, const ebr_shape *shape, gathering *g, ebr_record *record)
{
  ebr_error *error = NULL;
  for (int i = 0; i < g->modalities; i++) {
    spectrum s = latent_spectrum(subject->config, shape, ebr_measured_modality(subject->config, i));
    ebr_tall_finish(g->latent[i]);
    EBR_TRY(record_tall(subject, &s, g->latent[i], NULL, record));
  }
done:
  return error;
}

static void forget(void *kept)
{
  gathering *g = kept;
  ebr_tall_destroy(&g->fused);
  for (int i = 0; i < g->modalities; i++) ebr_tall_destroy(&g->latent[i]);
  free(g);
}

/* The parts go round the team. */
static bool is_mine(const ebr_subject *subject, int part)
{
  return part % ebr_team_size(subject->team) == ebr_team_rank(subject->team);
}

static ebr_error *watch(const ebr_subject *subject, ebr_watcher *watcher)
{
  ebr_error *error = NULL;
  bool fused = wants(subject->config, EBR_SPECTRUM_FUSED), latent = wants(subject->config, EBR_SPECTRUM_LATENT);
  const ebr_network *network = ebr_trainer_network(subject->trainer);
  int q = ebr_network_latent(network), l = ebr_network_features(network);
  if (!is_mine(subject, 1) || !(fused || latent)) goto done;
  gathering *g = watcher->kept = calloc(1, sizeof *g);
  EBR_CHECK_MEMORY(g, "activations");
  g->modalities = ebr_network_modalities(network);
  if (fused) EBR_TRY(ebr_tall_create(g->modalities * l, &g->fused));
  for (int i = 0; i < g->modalities && latent; i++) EBR_TRY(ebr_tall_create(q ? q : l, &g->latent[i]));
  watcher->test = true;
  watcher->see_test = gather;
done:
  return error;
}

static ebr_error *take_activations(const ebr_subject *subject, const ebr_shape *shape, gathering *g, ebr_record *record)
{
  ebr_error *error = NULL;
  if (g->fused) EBR_TRY(record_fused(subject, shape, g, record));
  if (g->latent[0]) EBR_TRY(record_latent(subject, shape, g, record));
done:
  return error;
}

static bool is_distributed(const ebr_config *config)
{
  return config->measure_distributed > 0 && config->model_width >= config->measure_distributed;
}

ebr_error *ebr_spectra_together(const ebr_subject *subject, ebr_record *record)
{
  ebr_error *error = NULL;
  const ebr_config *config = subject->config;
  ebr_shape shape = ebr_samples_describe(subject->samples);
  if (!is_distributed(config)) goto done;
  if (wants(config, EBR_SPECTRUM_HEAD)) EBR_TRY(take_head_together(subject, &shape, false, record));
  if (wants(config, EBR_SPECTRUM_UPDATES)) EBR_TRY(take_head_together(subject, &shape, true, record));
done:
  return error;
}

static ebr_error *take(const ebr_subject *subject, ebr_record *record)
{
  ebr_error *error = NULL;
  const ebr_config *config = subject->config;
  ebr_shape shape = ebr_samples_describe(subject->samples);
  bool head = wants(config, EBR_SPECTRUM_HEAD) && !is_distributed(config) && is_mine(subject, 0);
  bool updates = wants(config, EBR_SPECTRUM_UPDATES) && !is_distributed(config) && is_mine(subject, 2);
  if (head) EBR_TRY(take_head(subject, &shape, false, record));
  if (subject->kept) EBR_TRY(take_activations(subject, &shape, subject->kept, record));
  if (updates) EBR_TRY(take_head(subject, &shape, true, record));
  if (wants(config, EBR_SPECTRUM_WEIGHTS) && subject->last && is_mine(subject, 0))
    EBR_TRY(keep_weights(subject, record));
done:
  return error;
}

/* A matrix, LAPACK's copy of it (or one that is turned, and ScaLAPACK's), and for updates the same of the network before
 * training. */
static size_t head_bytes(const ebr_config *config, const ebr_shape *shape)
{
  spectrum head = head_spectrum(config, shape, "head", "");
  size_t matrix = (size_t)head.rows * (size_t)head.cols * sizeof(double), bytes = (is_distributed(config) ? 3 : 2) * matrix;
  if (wants(config, EBR_SPECTRUM_UPDATES)) {
    size_t start = matrix + ebr_network_bytes(config, shape, -1, 1);
    bytes += start > matrix ? start - matrix : 0;
  }
  return bytes;
}

static size_t bytes(const ebr_config *config, const ebr_shape *shape)
{
  spectrum fused = fused_spectrum(config, shape, false);
  size_t head = wants(config, EBR_SPECTRUM_HEAD) || wants(config, EBR_SPECTRUM_UPDATES) ? head_bytes(config, shape) : 0;
  size_t cells = (size_t)values_of(&fused) * (size_t)fused.cols;
  bool activations = wants(config, EBR_SPECTRUM_FUSED) || wants(config, EBR_SPECTRUM_LATENT);
  size_t own = activations ? 2 * cells * sizeof(double) : 0;
  return head > own ? head : own;
}

static size_t kept_bytes(const ebr_config *config, const ebr_shape *shape)
{
  spectrum fused = fused_spectrum(config, shape, false), latent = latent_spectrum(config, shape, 0);
  size_t tall = wants(config, EBR_SPECTRUM_FUSED) ? ebr_tall_bytes(fused.cols) : 0;
  if (wants(config, EBR_SPECTRUM_LATENT))
    tall += (size_t)ebr_measured_modalities(config, shape) * ebr_tall_bytes(latent.cols);
  return tall;
}

const ebr_measure ebr_measure_spectra = {.name = "spectra",
                                         .help = "Singular values and ranks of head and representation",
                                         .declare = declare,
                                         .take = take,
                                         .watch = watch,
                                         .forget = forget,
                                         .bytes = bytes,
                                         .kept_bytes = kept_bytes};
