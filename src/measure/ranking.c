/* Ranking scores on the test set: area under the receiver-operating and precision-recall curves, one class against the
 * rest, averaged over classes; and bootstrap intervals of these and of the accuracy (measure.bootstrap resamples).
 * Fawcett, Pattern Recognition Letters 2006; average precision as in Davis, Goadrich, ICML 2006. */
#include "measure/ranking.h"

#include "measure/column.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIGIT = 8 }; /* bits */

typedef struct ranking {
  int count, classes;
  double *score;    /* (C x N): softmax probability of each class */
  int32_t *order;   /* (C x N): samples by score, highest first */
  uint64_t *key;    /* (N) to sort by */
  int32_t *spare;   /* (N) */
  int32_t *label;   /* (N) */
  uint8_t *correct; /* (N) */
  double *weight;   /* (N): how often a resample holds each sample */
  ebr_arena arena;
} ranking;

typedef struct ranking_scores {
  double roc, prc, accuracy;
} ranking_scores;

static void layout(ranking *r, ebr_arena *arena)
{
  size_t count = (size_t)r->count, cells = count * (size_t)r->classes;
  r->score = ebr_arena_take(arena, cells, sizeof *r->score);
  r->order = ebr_arena_take(arena, cells, sizeof *r->order);
  r->key = ebr_arena_take(arena, count, sizeof *r->key);
  r->spare = ebr_arena_take(arena, count, sizeof *r->spare);
  r->label = ebr_arena_take(arena, count, sizeof *r->label);
  r->correct = ebr_arena_take(arena, count, 1);
  r->weight = ebr_arena_take(arena, count, sizeof *r->weight);
}

static void collect(void *context, ebr_network *network, int start, int count, const ebr_batch *batch)
{
  ranking *r = context;
  const ebr_real *logits = ebr_network_logits(network);
  for (int b = 0; b < count; b++) {
    const ebr_real *row = logits + (size_t)b * (size_t)r->classes;
    int best = 0;
    double sum = 0;
    for (int c = 1; c < r->classes; c++) best = row[c] > row[best] ? c : best;
    double *score = r->score + start + b;
    for (int c = 0; c < r->classes; c++) sum += score[(size_t)c * (size_t)r->count] = exp((double)(row[c] - row[best]));
    for (int c = 0; c < r->classes; c++) score[(size_t)c * (size_t)r->count] /= sum;
    r->label[start + b] = batch->label[b];
    r->correct[start + b] = best == batch->label[b];
  }
}

/* A number that falls as the score rises: a double's bits as a whole number, those of negative ones turned. */
static uint64_t key_of(double score)
{
  const uint64_t sign = UINT64_C(1) << 63;
  double value = score + 0.0; /* of the two zeros, the positive */
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits & sign ? bits : ~(bits | sign);
}

/* By one digit, those of equal digits in the order in which they come. */
static void sort_by_digit(int count, const uint64_t *key, int shift, const int32_t *from, int32_t *to)
{
  int32_t place[1 << DIGIT] = {0}, sum = 0;
  for (int k = 0; k < count; k++) place[key[k] >> shift & ((1 << DIGIT) - 1)]++;
  for (int digit = 0; digit < 1 << DIGIT; digit++) {
    int32_t here = place[digit];
    place[digit] = sum;
    sum += here;
  }
  for (int k = 0; k < count; k++) to[place[key[from[k]] >> shift & ((1 << DIGIT) - 1)]++] = from[k];
}

/* Digit by digit, from the last on: comparisons are what no processor predicts. */
void ebr_ranking_sort(int count, const double *score, int32_t *order, uint64_t *key, int32_t *spare)
{
  for (int k = 0; k < count; k++) {
    key[k] = key_of(score[k]);
    order[k] = k;
  }
  for (int shift = 0; shift < 64; shift += 2 * DIGIT) {
    sort_by_digit(count, key, shift, order, spare);
    sort_by_digit(count, key, shift + DIGIT, spare, order);
  }
}

void ebr_ranking_areas(const ebr_ranked *ranked, int class_index, double *roc, double *prc)
{
  const double *score = ranked->score;
  const int32_t *order = ranked->order;
  double hits = 0, misses = 0, under_roc = 0, under_prc = 0;
  for (int k = 0; k < ranked->count;) {
    double more_hits = 0, more_misses = 0, level = score[order[k]];
    for (; k < ranked->count && score[order[k]] == level; k++)
      *(ranked->label[order[k]] == class_index ? &more_hits : &more_misses) += ranked->weight[order[k]];
    under_roc += more_misses * (hits + 0.5 * more_hits);
    hits += more_hits;
    misses += more_misses;
    if (hits + misses > 0) under_prc += more_hits * hits / (hits + misses);
  }
  *roc = hits > 0 && misses > 0 ? under_roc / (hits * misses) : NAN;
  *prc = hits > 0 ? under_prc / hits : NAN;
}

static void sort_all(ranking *r)
{
  for (int c = 0; c < r->classes; c++)
    ebr_ranking_sort(r->count, r->score + (size_t)c * (size_t)r->count, r->order + (size_t)c * (size_t)r->count, r->key,
                     r->spare);
}

static void score_all(const ranking *r, ranking_scores *scores)
{
  double roc_sum = 0, prc_sum = 0, total = 0, right = 0;
  int seen = 0;
  for (int c = 0; c < r->classes; c++) {
    double roc, prc;
    size_t start = (size_t)c * (size_t)r->count;
    ebr_ranking_areas(&(ebr_ranked){r->count, r->score + start, r->order + start, r->label, r->weight}, c, &roc, &prc);
    if (isnan(roc)) continue;
    roc_sum += roc;
    prc_sum += prc;
    seen++;
  }
  for (int k = 0; k < r->count; k++) {
    total += r->weight[k];
    right += r->weight[k] * r->correct[k];
  }
  *scores = (ranking_scores){seen ? roc_sum / seen : NAN, seen ? prc_sum / seen : NAN, right / total};
}

static void resample(ranking *r, ebr_stream *stream)
{
  memset(r->weight, 0, (size_t)r->count * sizeof *r->weight);
  for (int k = 0; k < r->count; k++) r->weight[ebr_stream_below(stream, (uint32_t)r->count)] += 1;
}

static int ascending(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static ebr_error *set_interval(ebr_record *record, const char *low, const char *high, double *values, int count)
{
  ebr_error *error = NULL;
  qsort(values, (size_t)count, sizeof *values, ascending);
  EBR_TRY(ebr_record_set(record, low, 0, 0, values[(int)(0.025 * (count - 1) + 0.5)]));
  EBR_TRY(ebr_record_set(record, high, 0, 0, values[(int)(0.975 * (count - 1) + 0.5)]));
done:
  return error;
}

static ebr_error *bootstrap(ranking *r, const ebr_config *config, ebr_record *record)
{
  ebr_error *error = NULL;
  int count = (int)config->measure_bootstrap;
  ebr_stream stream = ebr_stream_start(ebr_config_pair(config), EBR_PURPOSE_BOOTSTRAP, 0);
  double *values = malloc(3 * (size_t)count * sizeof *values);
  EBR_CHECK_MEMORY(values, "bootstrap resamples");
  for (int k = 0; k < count; k++) {
    ranking_scores scores;
    resample(r, &stream);
    score_all(r, &scores);
    values[k] = scores.roc;
    values[count + k] = scores.prc;
    values[2 * count + k] = scores.accuracy;
  }
  EBR_TRY(set_interval(record, "auc_roc.low", "auc_roc.high", values, count));
  EBR_TRY(set_interval(record, "auc_prc.low", "auc_prc.high", values + count, count));
  EBR_TRY(set_interval(record, "test_accuracy.low", "test_accuracy.high", values + 2 * (size_t)count, count));
done:
  free(values);
  return error;
}

static ebr_error *declare(const ebr_config *config, const ebr_shape *shape, ebr_schema *schema)
{
  static const char *const bounds[][2] = {
      {"auc_roc.low", "auc_roc.high"}, {"auc_prc.low", "auc_prc.high"}, {"test_accuracy.low", "test_accuracy.high"}};
  ebr_error *error = NULL;
  if (config->train_loss == EBR_LOSS_RECONSTRUCTION) return NULL;
  EBR_TRY(
      ebr_schema_add(schema, "auc_roc", "", "area under the receiver-operating curve, one against rest, macro", 1, 1));
  EBR_TRY(ebr_schema_add(schema, "auc_prc", "", "average precision, one against rest, macro", 1, 1));
  for (size_t k = 0; k < 3 && config->measure_bootstrap > 0; k++) {
    EBR_TRY(ebr_schema_add(schema, bounds[k][0], "", "2.5 % point over bootstrap resamples of the test set", 1, 1));
    EBR_TRY(ebr_schema_add(schema, bounds[k][1], "", "97.5 % point over bootstrap resamples of the test set", 1, 1));
  }
done:
  (void)shape;
  return error;
}

static void forget(void *kept)
{
  ranking *r = kept;
  ebr_arena_destroy(&r->arena);
  free(r);
}

static ebr_error *watch(const ebr_subject *subject, ebr_watcher *watcher)
{
  ebr_error *error = NULL;
  ebr_arena measuring = ebr_arena_measuring();
  if (!subject->last || subject->config->train_loss == EBR_LOSS_RECONSTRUCTION) goto done;
  ranking *r = watcher->kept = calloc(1, sizeof *r);
  EBR_CHECK_MEMORY(r, "scores to rank");
  r->count = subject->samples->test_count;
  r->classes = subject->samples->classes;
  layout(r, &measuring);
  EBR_TRY(ebr_arena_create_unset(measuring.used, &r->arena));
  layout(r, &r->arena);
  watcher->test = true;
  watcher->see_test = collect;
done:
  return error;
}

static ebr_error *take(const ebr_subject *subject, ebr_record *record)
{
  ebr_error *error = NULL;
  ranking *r = subject->kept;
  ranking_scores scores;
  /* Scores that are not numbers have no order. */
  if (!r || !isfinite(subject->test_scores->loss)) goto done;
  sort_all(r);
  for (int k = 0; k < r->count; k++) r->weight[k] = 1;
  score_all(r, &scores);
  EBR_TRY(ebr_record_set(record, "auc_roc", 0, 0, scores.roc));
  EBR_TRY(ebr_record_set(record, "auc_prc", 0, 0, scores.prc));
  if (subject->config->measure_bootstrap > 0) EBR_TRY(bootstrap(r, subject->config, record));
done:
  return error;
}

static size_t kept_bytes(const ebr_config *config, const ebr_shape *shape)
{
  ranking r = {.count = shape->test_count, .classes = shape->classes};
  ebr_arena arena = ebr_arena_measuring();
  layout(&r, &arena);
  return arena.used;
  (void)config;
}

const ebr_measure ebr_measure_ranking = {.name = "ranking",
                                         .help = "AUC-ROC and AUC-PRC with bootstrap intervals",
                                         .declare = declare,
                                         .take = take,
                                         .watch = watch,
                                         .forget = forget,
                                         .kept_bytes = kept_bytes};
