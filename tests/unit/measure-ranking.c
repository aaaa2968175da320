/* Areas against their definitions by brute force: ROC is the share of (hit, miss) pairs in the right order, ties
 * counting half (Mann-Whitney); average precision is the mean over hits of the precision at their score. */
#include "measure/ranking.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 60 };

typedef struct drawn {
  double score[COUNT], weight[COUNT];
  int32_t label[COUNT], order[COUNT];
} drawn;

static void draw(drawn *d, uint32_t index, int levels)
{
  ebr_stream stream = ebr_stream_start(5, EBR_PURPOSE_TEST, index);
  for (int k = 0; k < COUNT; k++) {
    d->label[k] = (int32_t)ebr_stream_below(&stream, 3);
    d->score[k] = (double)ebr_stream_below(&stream, (uint32_t)levels) + 2 * (d->label[k] == 1);
    d->weight[k] = (double)ebr_stream_below(&stream, 3);
  }
  uint64_t key[COUNT];
  int32_t spare[COUNT];
  ebr_ranking_sort(COUNT, d->score, d->order, key, spare);
}

static double brute_roc(const drawn *d, int class_index)
{
  double right = 0, pairs = 0;
  for (int i = 0; i < COUNT; i++)
    for (int j = 0; j < COUNT; j++) {
      if (d->label[i] != class_index || d->label[j] == class_index) continue;
      double weight = d->weight[i] * d->weight[j];
      pairs += weight;
      right += weight * (d->score[i] > d->score[j] ? 1 : d->score[i] == d->score[j] ? 0.5 : 0);
    }
  return right / pairs;
}

static double brute_prc(const drawn *d, int class_index)
{
  double sum = 0, hits = 0;
  for (int i = 0; i < COUNT; i++) {
    double above = 0, hits_above = 0;
    if (d->label[i] != class_index) continue;
    for (int j = 0; j < COUNT; j++) {
      if (d->score[j] < d->score[i]) continue;
      above += d->weight[j];
      hits_above += d->label[j] == class_index ? d->weight[j] : 0;
    }
    if (above > 0) sum += d->weight[i] * hits_above / above;
    hits += d->weight[i];
  }
  return sum / hits;
}

static void areas_match_their_definitions(void **state)
{
  (void)state;
  for (uint32_t index = 0; index < 20; index++) {
    drawn d;
    double roc, prc;
    draw(&d, index, index % 2 ? 4 : 1000);
    ebr_ranked ranked = {COUNT, d.score, d.order, d.label, d.weight};
    for (int c = 0; c < 3; c++) {
      ebr_ranking_areas(&ranked, c, &roc, &prc);
      assert_true(fabs(roc - brute_roc(&d, c)) < 1e-12);
      assert_true(fabs(prc - brute_prc(&d, c)) < 1e-12);
    }
  }
}

/* Of any number of samples: each once, by score, equal scores by index. */
static void order_falls_and_ties_keep_their_place(void **state)
{
  double score[COUNT];
  uint64_t key[COUNT];
  int32_t order[COUNT], spare[COUNT];
  for (int count = 0; count <= COUNT; count++) {
    ebr_stream stream = ebr_stream_start(6, EBR_PURPOSE_TEST, (uint32_t)count);
    bool seen[COUNT] = {false};
    for (int k = 0; k < count; k++) score[k] = ((double)ebr_stream_below(&stream, (uint32_t)(1 + count / 2)) - 3) / 7;
    if (count > 4) score[count / 2] = -0.0;
    if (count > 4) score[1] = HUGE_VAL;
    ebr_ranking_sort(count, score, order, key, spare);
    for (int k = 0; k < count; k++) {
      assert_in_range(order[k], 0, count - 1);
      assert_false(seen[order[k]]);
      seen[order[k]] = true;
      if (k == 0) continue;
      double before = score[order[k - 1]], here = score[order[k]];
      assert_true(before > here || (before == here && order[k - 1] < order[k]));
    }
  }
  (void)state;
}

static void perfect_and_empty_classes(void **state)
{
  const double score[4] = {0.9, 0.8, 0.2, 0.1}, weight[4] = {1, 1, 1, 1};
  const int32_t label[4] = {1, 1, 0, 0};
  uint64_t key[4];
  int32_t order[4], spare[4];
  double roc, prc;
  ebr_ranking_sort(4, score, order, key, spare);
  ebr_ranked ranked = {4, score, order, label, weight};
  ebr_ranking_areas(&ranked, 1, &roc, &prc);
  assert_true(roc == 1 && prc == 1);
  ebr_ranking_areas(&ranked, 0, &roc, &prc);
  assert_true(roc == 0 && prc > 0);
  ebr_ranking_areas(&ranked, 2, &roc, &prc);
  assert_true(isnan(roc) && isnan(prc));
  (void)state;
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(areas_match_their_definitions),
                                     cmocka_unit_test(order_falls_and_ties_keep_their_place),
                                     cmocka_unit_test(perfect_and_empty_classes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
