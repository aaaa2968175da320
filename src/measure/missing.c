/* Missing modalities at test: accuracy at each rate of measure.missing, and with exactly as many missing as
 * measure.missing_count says, for every way of filling the gap.
 *
 *   zero        the modality's slice of the fused representation is 0
 *   mean        it is the mean over the training samples
 *   drop        the modality is absent: no edge for grape and muse, zero for concat
 *   substitute  its latent g_i is the sample's own g_j of the present modality with the smallest mean latent distance
 * to i over the training samples that have both (paper: arXiv 2505.22483, Section 3.3, 'Dealing with missing
 *               modalities')
 *   retrieve    its latent is that of the training sample nearest in the latents of the present modalities
 *   autoencoder its latent is what a network rebuilds from those of the present modalities (measure.autoencoder)
 *
 * Which modalities a test sample lacks depends on the run's pair key alone, so that all methods meet the same gaps. */
#include "measure/autoencoder.h"
#include "measure/column.h"
#include "measure/gaps.h"

#include <math.h>
#include <string.h>

/* From SUBSTITUTE on it is the latent that is filled in. */
enum { ZERO, MEAN, DROP, SUBSTITUTE, RETRIEVE, AUTOENCODE, FILLINGS };

static const char *const filling_names[FILLINGS] = {"zero", "mean", "drop", "substitute", "retrieve", "autoencoder"};

/* Only the last has to be asked for: it is a network that has to be trained. */
static int filling_count(const ebr_config *config) { return config->measure_autoencoder > 0 ? FILLINGS : AUTOENCODE; }

/* What filling needs to know of the training samples, gathered in one pass. */
typedef struct missing {
  const ebr_samples *samples;
  int filling, m, l, q; /* q: width of the latents (l without reallocation) */
  double *mean;         /* (m x l): of the fused slices */
  double *mean_count;   /* (m) */
  double *distance;     /* (m x m): mean squared latent distance; then its count beside it */
  double *distance_count;
  float *latent;                /* (train x m x q) */
  uint8_t *known;               /* (train x m) */
  uint8_t *present;             /* (test x m): the gaps of the current rate */
  ebr_autoencoder *autoencoder; /* or NULL */
  ebr_arena arena;
} missing;

static void layout(missing *g, ebr_arena *arena)
{
  size_t m = (size_t)g->m, train = (size_t)g->samples->train_count, test = (size_t)g->samples->test_count;
  g->mean = ebr_arena_take(arena, m * (size_t)g->l, sizeof *g->mean);
  g->mean_count = ebr_arena_take(arena, m, sizeof *g->mean_count);
  g->distance = ebr_arena_take(arena, m * m, sizeof *g->distance);
  g->distance_count = ebr_arena_take(arena, m * m, sizeof *g->distance_count);
  g->latent = ebr_arena_take(arena, train * m * (size_t)g->q, sizeof *g->latent);
  g->known = ebr_arena_take(arena, train * m, 1);
  g->present = ebr_arena_take(arena, test * m, 1);
}

/* ---- the training samples ---------------------------------------------------------------------------------------- */

static const ebr_real *latent_row(ebr_network *network, const missing *g, int modality, int b)
{
  return ebr_network_latent_edit(network, modality) + (size_t)b * (size_t)g->q;
}

static double squared_distance(const missing *g, const ebr_real *x, const ebr_real *y)
{
  double sum = 0;
  for (int c = 0; c < g->q; c++) sum += (double)(x[c] - y[c]) * (double)(x[c] - y[c]);
  return sum;
}

static void learn_sample(missing *g, ebr_network *network, int position, int b, const uint8_t *present)
{
  for (int i = 0; i < g->m; i++) {
    if (!present[i]) continue;
    const ebr_real *fused = ebr_network_fused(network, i) + (size_t)b * (size_t)g->l;
    for (int c = 0; c < g->l; c++) g->mean[i * g->l + c] += (double)fused[c];
    g->mean_count[i]++;
    const ebr_real *own = latent_row(network, g, i, b);
    float *kept = g->latent + ((size_t)position * (size_t)g->m + (size_t)i) * (size_t)g->q;
    for (int c = 0; c < g->q; c++) kept[c] = (float)own[c];
    g->known[position * g->m + i] = 1;
    for (int j = 0; j < g->m; j++) {
      if (!present[j]) continue;
      g->distance[i * g->m + j] += squared_distance(g, own, latent_row(network, g, j, b));
      g->distance_count[i * g->m + j]++;
    }
  }
}

static void learn(void *context, ebr_network *network, int start, int count, uint8_t *present)
{
  missing *g = context;
  for (int b = 0; b < count; b++) learn_sample(g, network, start + b, b, present + (size_t)b * (size_t)g->m);
}

static void finish_means(missing *g)
{
  for (int i = 0; i < g->m; i++)
    for (int c = 0; c < g->l; c++) g->mean[i * g->l + c] /= fmax(1, g->mean_count[i]);
  for (int k = 0; k < g->m * g->m; k++)
    g->distance[k] = g->distance_count[k] > 0 ? g->distance[k] / g->distance_count[k] : INFINITY;
}

/* ---- filling ----------------------------------------------------------------------------------------------------- */

static void fill_fused(const missing *g, ebr_network *network, int modality, int b)
{
  ebr_real *row = ebr_network_fused(network, modality) + (size_t)b * (size_t)g->l;
  for (int c = 0; c < g->l; c++) row[c] = g->filling == MEAN ? (ebr_real)g->mean[modality * g->l + c] : 0;
}

static void substitute(const missing *g, ebr_network *network, int modality, int b, const uint8_t *present)
{
  int nearest = -1;
  for (int j = 0; j < g->m; j++)
    if (present[j] && (nearest < 0 || g->distance[modality * g->m + j] < g->distance[modality * g->m + nearest]))
      nearest = j;
  if (nearest < 0) return;
  memcpy(ebr_network_latent_edit(network, modality) + (size_t)b * (size_t)g->q, latent_row(network, g, nearest, b),
         (size_t)g->q * sizeof(ebr_real));
}

/* Mean squared distance over the modalities that both have; Inf when they share none. */
static double distance_to(const missing *g, ebr_network *network, int b, const uint8_t *present, int position)
{
  double sum = 0;
  int shared = 0;
  for (int j = 0; j < g->m; j++) {
    if (!present[j] || !g->known[position * g->m + j]) continue;
    const float *other = g->latent + ((size_t)position * (size_t)g->m + (size_t)j) * (size_t)g->q;
    const ebr_real *own = latent_row(network, g, j, b);
    float part = 0;
    for (int c = 0; c < g->q; c++) part += ((float)own[c] - other[c]) * ((float)own[c] - other[c]);
    sum += (double)part;
    shared++;
  }
  return shared ? sum / shared : INFINITY;
}

static void retrieve(const missing *g, ebr_network *network, int modality, int b, const uint8_t *present)
{
  int nearest = -1;
  double least = INFINITY;
  for (int position = 0; position < g->samples->train_count; position++) {
    if (!g->known[position * g->m + modality]) continue;
    double distance = distance_to(g, network, b, present, position);
    if (nearest >= 0 && distance >= least) continue;
    least = distance;
    nearest = position;
  }
  if (nearest < 0) return;
  const float *found = g->latent + ((size_t)nearest * (size_t)g->m + (size_t)modality) * (size_t)g->q;
  ebr_real *row = ebr_network_latent_edit(network, modality) + (size_t)b * (size_t)g->q;
  for (int c = 0; c < g->q; c++) row[c] = (ebr_real)found[c];
}

static void fill_sample(const missing *g, ebr_network *network, int b, const uint8_t *present)
{
  for (int i = 0; i < g->m; i++) {
    if (present[i]) continue;
    if (g->filling == SUBSTITUTE) substitute(g, network, i, b, present);
    else if (g->filling == RETRIEVE) retrieve(g, network, i, b, present);
    else fill_fused(g, network, i, b);
  }
}

static void rebuild(const missing *g, ebr_network *network, int count, const uint8_t *gaps)
{
  ebr_real *latent[EBR_MODALITIES_MOST];
  for (int i = 0; i < g->m; i++) latent[i] = ebr_network_latent_edit(network, i);
  ebr_autoencoder_rebuild(g->autoencoder, count, gaps, latent);
}

static void fill(void *context, ebr_network *network, int start, int count, uint8_t *present)
{
  const missing *g = context;
  const uint8_t *gaps = g->present + (size_t)start * (size_t)g->m;
  if (g->filling == DROP) {
    memcpy(present, gaps, (size_t)count * (size_t)g->m);
    return;
  }
  if (g->filling == AUTOENCODE) rebuild(g, network, count, gaps);
  for (int b = 0; b < count && g->filling != AUTOENCODE; b++)
    fill_sample(g, network, b, gaps + (size_t)b * (size_t)g->m);
  memset(present, 1, (size_t)count * (size_t)g->m);
  if (g->filling >= SUBSTITUTE) ebr_network_decode(network, count);
}

/* ---- the measure ------------------------------------------------------------------------------------------------- */

/* The two ways in which modalities go missing: names of columns, and the list of rates or counts. */
typedef struct missing_manner {
  const char *name, *curve, *scalar;
  const ebr_list *list;
} missing_manner;

enum { BY_RATE, BY_COUNT, MANNERS };

static missing_manner manner_of(const ebr_config *config, int which)
{
  return which == BY_RATE
             ? (missing_manner){"missing_accuracy",
                                "test accuracy with modalities missing at each rate of measure.missing",
                                "test accuracy with modalities missing at this rate", &config->measure_missing}
             : (missing_manner){"missing_count_accuracy",
                                "test accuracy with exactly k modalities missing, for each k of measure.missing_count",
                                "test accuracy with exactly this many modalities missing",
                                &config->measure_missing_count};
}

static bool wanted(const ebr_config *config, int modalities)
{
  return config->measure_missing.count + config->measure_missing_count.count > 0 &&
         config->method != EBR_METHOD_UNIMODAL && modalities > 1;
}

static ebr_error *declare_manner(const missing_manner *manner, int fillings, ebr_schema *schema)
{
  ebr_error *error = NULL;
  ebr_column_kind curve = {"", manner->curve, manner->list->count, 1}, scalar = {"", manner->scalar, 1, 1};
  for (int f = 0; f < fillings && manner->list->count > 0; f++) {
    EBR_TRY(ebr_column_declare(schema, &curve, "%s.%s", manner->name, filling_names[f]));
    for (int k = 0; k < manner->list->count; k++)
      EBR_TRY(ebr_column_declare(schema, &scalar, "%s.%s.%g", manner->name, filling_names[f], manner->list->value[k]));
  }
done:
  return error;
}

static ebr_error *declare(const ebr_config *config, const ebr_shape *shape, ebr_schema *schema)
{
  ebr_error *error = NULL;
  if (!wanted(config, shape->modalities)) return NULL;
  for (int which = 0; which < MANNERS; which++) {
    missing_manner manner = manner_of(config, which);
    EBR_TRY(declare_manner(&manner, filling_count(config), schema));
  }
done:
  return error;
}

static ebr_error *score(missing *g, const ebr_subject *subject, const missing_manner *manner, int point,
                        ebr_record *record)
{
  ebr_error *error = NULL;
  ebr_scores scores;
  for (g->filling = 0; g->filling < filling_count(subject->config); g->filling++) {
    const char *name = filling_names[g->filling];
    EBR_TRY(ebr_evaluate(ebr_trainer_network(subject->trainer), g->samples, -1, g->samples->test,
                         g->samples->test_count, fill, NULL, g, &scores));
    EBR_TRY(ebr_column_set_at(record, point, 0, scores.accuracy, "%s.%s", manner->name, name));
    EBR_TRY(ebr_column_set(record, scores.accuracy, "%s.%s.%g", manner->name, name, manner->list->value[point]));
  }
done:
  return error;
}

static ebr_error *score_manner(missing *g, const ebr_subject *subject, int which, ebr_record *record)
{
  ebr_error *error = NULL;
  missing_manner manner = manner_of(subject->config, which);
  uint64_t key = ebr_config_pair(subject->config);
  for (int k = 0; k < manner.list->count; k++) {
    if (which == BY_RATE) ebr_gaps_at_rate(g->samples, key, k, manner.list->value[k], g->present);
    else ebr_gaps_exactly(g->samples, key, (int)manner.list->value[k], g->present);
    EBR_TRY(score(g, subject, &manner, k, record));
  }
done:
  return error;
}

static ebr_latents latents_of(const missing *g)
{
  return (ebr_latents){g->samples->train_count, g->m, g->q, g->latent, g->known};
}

static ebr_error *take(const ebr_subject *subject, ebr_record *record)
{
  ebr_error *error = NULL;
  const ebr_samples *samples = subject->samples;
  ebr_network *network = ebr_trainer_network(subject->trainer);
  ebr_arena measuring = ebr_arena_measuring();
  ebr_scores ignored;
  missing g = {.samples = samples, .m = samples->modalities, .l = ebr_network_features(network)};
  if (!subject->last || !wanted(subject->config, samples->modalities)) return NULL;
  g.q = ebr_network_latent(network) ? ebr_network_latent(network) : g.l;
  layout(&g, &measuring);
  EBR_TRY(ebr_arena_create(measuring.used, &g.arena));
  layout(&g, &g.arena);
  EBR_TRY(ebr_evaluate(network, samples, -1, samples->train, samples->train_count, learn, NULL, &g, &ignored));
  finish_means(&g);
  if (filling_count(subject->config) == FILLINGS) {
    ebr_latents latents = latents_of(&g);
    EBR_TRY(ebr_autoencoder_create(&latents, (int)subject->config->measure_autoencoder,
                                   subject->config->model_activation == EBR_ACTIVATION_RELU,
                                   ebr_config_pair(subject->config), &g.autoencoder));
  }
  for (int which = 0; which < MANNERS; which++) EBR_TRY(score_manner(&g, subject, which, record));
done:
  ebr_autoencoder_destroy(&g.autoencoder);
  ebr_arena_destroy(&g.arena);
  return error;
}

static size_t bytes(const ebr_config *config, const ebr_shape *shape)
{
  const ebr_samples samples = {.train_count = shape->train_count, .test_count = shape->test_count};
  missing g = {.samples = &samples, .m = shape->modalities, .l = ebr_measured_features(config)};
  ebr_arena arena = ebr_arena_measuring();
  if (!wanted(config, shape->modalities)) return 0;
  g.q = ebr_config_reallocates(config) && config->ebr_latent > 0 ? (int)config->ebr_latent : g.l;
  layout(&g, &arena);
  ebr_latents latents = latents_of(&g);
  return arena.used +
         (filling_count(config) == FILLINGS ? ebr_autoencoder_bytes(&latents, (int)config->measure_autoencoder) : 0);
}

const ebr_measure ebr_measure_missing = {.name = "missing",
                                         .help = "test accuracy with modalities missing, by imputation",
                                         .declare = declare,
                                         .take = take,
                                         .bytes = bytes};
