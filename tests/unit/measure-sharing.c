/* What neurons share, on matrices E made by hand: counts against brute force, closed forms of the geometry, the law of
 * m (m - 1) on random heads, and logistic regression against its optimality conditions. */
#include "measure/encoding.h"
#include "measure/logistic.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void must(ebr_error *error)
{
  if (error) fail_msg("%s", ebr_error_message(error));
}

static void close_to(double value, double expected, double tolerance)
{
  if (!(fabs(value - expected) <= tolerance)) fail_msg("%.17g is not %.17g", value, expected);
}

/* each features a modality, the first predictive of them predictive; normal weights. */
static void random_encoding(int neurons, int modalities, int each, int predictive, uint32_t seed,
                            ebr_encoding *encoding)
{
  ebr_stream stream = ebr_stream_start(9, EBR_PURPOSE_TEST, seed);
  must(ebr_encoding_create(neurons, modalities * each, modalities, encoding));
  for (int f = 0; f < modalities * each; f++) {
    encoding->modality[f] = f / each;
    encoding->predictive[f] = f % each < predictive;
  }
  for (int k = 0; k < neurons * modalities * each; k++) encoding->weight[k] = ebr_stream_normal(&stream);
}

static double limit_of(const ebr_encoding *e, ebr_threshold kind, double threshold, int j)
{
  double most = 0, sum = 0;
  for (int k = 0; k < e->neurons * e->features; k++) most = fmax(most, fabs(e->weight[k]));
  for (int f = 0; f < e->features; f++) sum += fabs(e->weight[j * e->features + f]);
  return threshold * (kind == EBR_THRESHOLD_RELATIVE ? most : kind == EBR_THRESHOLD_NEURON ? sum : 1);
}

/* The definitions, pair by pair. */
static ebr_sharing brute_force(const ebr_encoding *e, ebr_threshold kind, double threshold)
{
  ebr_sharing sharing = {0};
  int predictive = 0;
  for (int f = 0; f < e->features; f++) predictive += e->predictive[f];
  for (int j = 0; j < e->neurons; j++) {
    double limit = limit_of(e, kind, threshold, j);
    const double *w = e->weight + j * e->features;
    bool shared = false;
    for (int f = 0; f < e->features; f++) {
      if (fabs(w[f]) > limit && !e->predictive[f]) sharing.noise_occupancy += 1.0 / e->neurons / (e->features - predictive);
      if (!(fabs(w[f]) > limit) || !e->predictive[f]) continue;
      sharing.feature_occupancy += 1.0 / e->neurons / predictive;
      for (int g = 0; g < e->features; g++) {
        if (!(fabs(w[g]) > limit) || e->modality[f] == e->modality[g]) continue;
        if (e->predictive[g]) sharing.colliding_pairs += 0.5, shared = true;
        else sharing.predictive_noise_pairs += 1;
      }
    }
    for (int i = 0; i < e->modalities; i++) {
      bool any = false;
      for (int f = 0; f < e->features; f++)
        any = any || (e->modality[f] == i && e->predictive[f] && fabs(w[f]) > limit);
      sharing.occupancy += (double)any / e->neurons / e->modalities;
    }
    sharing.shared_neurons += (double)shared / e->neurons;
  }
  return sharing;
}

static void counts_agree_with_brute_force(void **state)
{
  static const double thresholds[] = {0.1, 0.3, 0.6};
  for (uint32_t seed = 0; seed < 4; seed++)
    for (int kind = EBR_THRESHOLD_RELATIVE; kind <= EBR_THRESHOLD_NEURON; kind++)
      for (int t = 0; t < 3; t++) {
        ebr_encoding encoding;
        ebr_sharing sharing;
        double threshold = thresholds[t] * (kind == EBR_THRESHOLD_NEURON     ? 0.3
                                            : kind == EBR_THRESHOLD_ABSOLUTE ? 2
                                                                             : 1);
        random_encoding(17, 3 + (int)seed, 5, 2, seed, &encoding);
        ebr_sharing_at(&encoding, (ebr_threshold)kind, threshold, &sharing);
        ebr_sharing expected = brute_force(&encoding, (ebr_threshold)kind, threshold);
        assert_true(t > 0 || sharing.colliding_pairs > 0);
        close_to(sharing.colliding_pairs, expected.colliding_pairs, 0);
        close_to(sharing.predictive_noise_pairs, expected.predictive_noise_pairs, 0);
        close_to(sharing.shared_neurons, expected.shared_neurons, 1e-14);
        close_to(sharing.occupancy, expected.occupancy, 1e-14);
        close_to(sharing.feature_occupancy, expected.feature_occupancy, 1e-14);
        close_to(sharing.noise_occupancy, expected.noise_occupancy, 1e-14);
        ebr_encoding_destroy(&encoding);
      }
}

static void dead_head_encodes_nothing(void **state)
{
  ebr_encoding encoding;
  ebr_sharing sharing;
  ebr_geometry geometry;
  random_encoding(4, 2, 3, 2, 0, &encoding);
  memset(encoding.weight, 0, 4 * 6 * sizeof *encoding.weight);
  for (int kind = EBR_THRESHOLD_RELATIVE; kind <= EBR_THRESHOLD_NEURON; kind++) {
    ebr_sharing_at(&encoding, (ebr_threshold)kind, 0, &sharing);
    assert_true(sharing.colliding_pairs == 0 && sharing.occupancy == 0 && sharing.shared_neurons == 0);
  }
  must(ebr_geometry_of(&encoding, &geometry));
  assert_true(geometry.interference == 0 && geometry.dimensionality == 0 && geometry.capacity == 0);
  ebr_encoding_destroy(&encoding);
}

/* Where a feature's occupancy does not depend on m, pairs are n k^2 a^2 m (m - 1) / 2 with a = P(|normal| > 1) =
 * 0.3173. */
static void pairs_of_random_heads_grow_as_m_times_m_minus_1(void **state)
{
  enum { NEURONS = 4000, PREDICTIVE = 4 };
  for (int m = 2; m <= 8; m++) {
    ebr_encoding encoding;
    ebr_sharing sharing;
    random_encoding(NEURONS, m, PREDICTIVE, PREDICTIVE, (uint32_t)(100 + m), &encoding);
    ebr_sharing_at(&encoding, EBR_THRESHOLD_ABSOLUTE, 1, &sharing);
    double a = erfc(1 / sqrt(2)), expected = NEURONS * 16 * a * a * m * (m - 1) / 2;
    close_to(sharing.feature_occupancy, a, 0.01);
    close_to(sharing.colliding_pairs / expected, 1, 0.05);
    close_to(sharing.occupancy, 1 - pow(1 - a, PREDICTIVE), 0.02);
    ebr_encoding_destroy(&encoding);
  }
}

/* Columns of weight given one after the other. */
static void encoding_of(const double columns[][3], int features, const int *modality, ebr_encoding *encoding)
{
  must(ebr_encoding_create(3, features, 2, encoding));
  for (int f = 0; f < features; f++) {
    encoding->modality[f] = modality[f];
    encoding->predictive[f] = true;
    for (int j = 0; j < 3; j++) encoding->weight[j * features + f] = columns[f][j];
  }
}

static void orthogonal_features_do_not_interfere(void **state)
{
  const double columns[3][3] = {{2, 0, 0}, {0, 0.6, 0.8}, {0, -4, 3}};
  const int modality[3] = {0, 1, 1};
  ebr_encoding encoding;
  ebr_geometry geometry;
  encoding_of(columns, 3, modality, &encoding);
  must(ebr_geometry_of(&encoding, &geometry));
  close_to(geometry.interference, 0, 1e-28);
  close_to(geometry.dimensionality, 1, 1e-14);
  close_to(geometry.capacity, 3, 1e-14);
  ebr_encoding_destroy(&encoding);
}

/* Two opposite features share one dimension: 1/2 each (Elhage et al. 2022); (w_f . w_g)^2 = 1 at mean |w|^2 = 1. */
static void antipodal_pair_has_half_a_dimension_each(void **state)
{
  const double columns[2][3] = {{3, 4, 0}, {-3, -4, 0}};
  const int modality[2] = {0, 1}, same[2] = {1, 1};
  ebr_encoding encoding;
  ebr_geometry geometry;
  encoding_of(columns, 2, modality, &encoding);
  must(ebr_geometry_of(&encoding, &geometry));
  close_to(geometry.dimensionality, 0.5, 1e-14);
  close_to(geometry.capacity, 1, 1e-14);
  close_to(geometry.interference, 1, 1e-14);
  ebr_encoding_destroy(&encoding);
  encoding_of(columns, 2, same, &encoding);
  must(ebr_geometry_of(&encoding, &geometry));
  close_to(geometry.interference, 0, 0);
  ebr_encoding_destroy(&encoding);
}

/* Pentagon in a plane: 2/5 each (Elhage et al. 2022). */
static void pentagon_has_two_fifths_each(void **state)
{
  double columns[5][3] = {{0}};
  const int modality[5] = {0, 0, 0, 1, 1};
  ebr_encoding encoding;
  ebr_geometry geometry;
  for (int f = 0; f < 5; f++) {
    columns[f][0] = cos(2 * acos(-1) * f / 5);
    columns[f][1] = sin(2 * acos(-1) * f / 5);
  }
  encoding_of((const double(*)[3])columns, 5, modality, &encoding);
  must(ebr_geometry_of(&encoding, &geometry));
  close_to(geometry.dimensionality, 0.4, 1e-14);
  close_to(geometry.capacity, 2, 1e-14);
  ebr_encoding_destroy(&encoding);
}

/* ---- logistic regression ----------------------------------------------------------------------------------------- */

/* Two symmetric points of two classes: w11 - w10 = 2 u by symmetry, and u minimises ln(1 + exp(-2 u)) + ridge u^2, that
 * is 2 / (1 + exp(2 u)) = 2 ridge u. */
static void logistic_of_two_points_has_a_closed_condition(void **state)
{
  const double x[2] = {1, -1};
  const int32_t label[2] = {1, 0};
  const ebr_labelled data = {2, 1, 2, x, label};
  double weight[4];
  ebr_scores scores;
  must(ebr_logistic_fit(&data, 0.05, weight));
  double u = weight[1];
  close_to(weight[0], -u, 1e-5);
  close_to(weight[2], weight[3], 1e-5);
  close_to(1 / (1 + exp(2 * u)), 0.05 * u, 1e-6);
  must(ebr_logistic_score(&data, weight, &scores));
  close_to(scores.loss, log(1 + exp(-2 * u)), 1e-5);
  close_to(scores.accuracy, 1, 0);
}

static double penalised_loss(const ebr_labelled *data, const double *weight, double ridge)
{
  ebr_scores scores;
  double squares = 0;
  must(ebr_logistic_score(data, weight, &scores));
  for (int k = 0; k < data->inputs * data->classes; k++) squares += weight[k] * weight[k];
  return scores.loss + ridge / 2 * squares;
}

/* The objective is convex: a point that no axis-parallel move improves to first order is its minimum. */
static void logistic_stops_at_the_minimum(void **state)
{
  enum { COUNT = 300, INPUTS = 5, CLASSES = 4 };
  static double x[COUNT * INPUTS];
  int32_t label[COUNT];
  double weight[(INPUTS + 1) * CLASSES];
  ebr_stream stream = ebr_stream_start(4, EBR_PURPOSE_TEST, 0);
  for (int b = 0; b < COUNT; b++) {
    label[b] = (int32_t)ebr_stream_below(&stream, CLASSES);
    for (int k = 0; k < INPUTS; k++) x[b * INPUTS + k] = (k == label[b]) + ebr_stream_normal(&stream);
  }
  const ebr_labelled data = {COUNT, INPUTS, CLASSES, x, label};
  must(ebr_logistic_fit(&data, 1e-3, weight));
  for (int k = 0; k < (INPUTS + 1) * CLASSES; k++) {
    double at = weight[k], step = 1e-4;
    weight[k] = at + step;
    double above = penalised_loss(&data, weight, 1e-3);
    weight[k] = at - step;
    close_to((above - penalised_loss(&data, weight, 1e-3)) / (2 * step), 0, 2e-6);
    weight[k] = at;
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_agree_with_brute_force),
      cmocka_unit_test(dead_head_encodes_nothing),
      cmocka_unit_test(pairs_of_random_heads_grow_as_m_times_m_minus_1),
      cmocka_unit_test(orthogonal_features_do_not_interfere),
      cmocka_unit_test(antipodal_pair_has_half_a_dimension_each),
      cmocka_unit_test(pentagon_has_two_fifths_each),
      cmocka_unit_test(logistic_of_two_points_has_a_closed_condition),
      cmocka_unit_test(logistic_stops_at_the_minimum),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
