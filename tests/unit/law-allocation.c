/* Random allocation: the exact expectations against enumeration of all outcomes, against Monte Carlo over a grid, and a
 * fault that both would notice. */
#include <ebrsweep/law.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NEURONS_MOST = 256 };

static ebr_allocation equal(int m, int k, int n)
{
  ebr_allocation allocation = {.modalities = m, .neurons = n};
  for (int i = 0; i < m; i++) allocation.features[i] = k;
  return allocation;
}

static void near(const char *what, double value, double expected, double tolerance)
{
  if (!(fabs(value - expected) <= tolerance)) fail_msg("%s is %.15g instead of %.15g", what, value, expected);
}

/* place: (features) neurons; counts one outcome by its definition, pair by pair. */
static ebr_allocated count_by_definition(const ebr_allocation *a, const int *place)
{
  ebr_allocated found = {0};
  int modality[64], total = 0;
  for (int i = 0; i < a->modalities; i++)
    for (int k = 0; k < a->features[i]; k++) modality[total++] = i;
  for (int f = 0; f < total; f++)
    for (int g = 0; g < f; g++) found.pairs += place[f] == place[g] && modality[f] != modality[g];
  for (int j = 0; j < a->neurons; j++) {
    bool on[EBR_ALLOCATION_MODALITIES_MOST] = {false};
    int count = 0;
    for (int f = 0; f < total; f++)
      if (place[f] == j) on[modality[f]] = true;
    for (int i = 0; i < a->modalities; i++) count += on[i];
    found.occupancy += (double)count / (a->neurons * a->modalities);
    found.shared += count > 1 ? 1.0 / a->neurons : 0;
  }
  return found;
}

static void exact_by_enumeration(void **state)
{
  static const ebr_allocation cases[] = {
      {2, 3, {1, 1}, false},       {2, 3, {2, 3}, false}, {3, 2, {1, 2, 3}, false}, {3, 3, {2, 2, 2}, false},
      {4, 2, {1, 1, 1, 2}, false}, {1, 4, {3}, false},    {3, 4, {0, 2, 1}, false}, {2, 1, {3, 2}, false}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    const ebr_allocation *a = &cases[c];
    ebr_allocated sum = {0}, expected;
    int total = 0, place[64];
    double outcomes = 1;
    for (int i = 0; i < a->modalities; i++) total += a->features[i];
    for (int f = 0; f < total; f++) outcomes *= a->neurons;
    for (int code = 0; code < (int)outcomes; code++) {
      for (int f = 0, rest = code; f < total; f++, rest /= a->neurons) place[f] = rest % a->neurons;
      ebr_allocated one = count_by_definition(a, place);
      sum.pairs += one.pairs / outcomes;
      sum.shared += one.shared / outcomes;
      sum.occupancy += one.occupancy / outcomes;
    }
    ebr_allocation_expected(a, &expected);
    near("pairs", expected.pairs, sum.pairs, 1e-10);
    near("shared", expected.shared, sum.shared, 1e-10);
    near("occupancy", expected.occupancy, sum.occupancy, 1e-10);
  }
}

static void pairs_are_exactly_quadratic(void **state)
{
  for (int m = 2; m <= 10; m++) {
    ebr_allocation allocation = equal(m, 4, 64);
    ebr_allocated expected;
    ebr_allocation_expected(&allocation, &expected);
    near("pairs", expected.pairs, 16.0 * m * (m - 1) / 128, 1e-12);
    double a = 1 - pow(1 - 1.0 / 64, 4);
    near("shared", expected.shared, 1 - pow(1 - a, m) - m * a * pow(1 - a, m - 1), 1e-12);
  }
}

enum { TRIALS = 4000 };

/* In standard errors; one that is 0, since all trials came out alike, counts as one odd trial in all. */
static double deviation(double mean, double error, double expected)
{
  return fabs(mean - expected) / fmax(error, 1.0 / TRIALS);
}

static double worst_deviation(const ebr_allocated *mean, const ebr_allocated *error, const ebr_allocated *expected)
{
  return fmax(deviation(mean->pairs, error->pairs, expected->pairs),
              fmax(deviation(mean->shared, error->shared, expected->shared),
                   deviation(mean->occupancy, error->occupancy, expected->occupancy)));
}

static void monte_carlo_agrees_over_a_grid(void **state)
{
  static const int modalities[] = {2, 3, 5, 8, 10}, features[] = {1, 4, 16}, neurons[] = {8, 64, 256};
  uint32_t scratch[3 * NEURONS_MOST];
  uint32_t index = 0;
  for (int i = 0; i < 5; i++)
    for (int j = 0; j < 3; j++)
      for (int l = 0; l < 3; l++) {
        ebr_allocation allocation = equal(modalities[i], features[j], neurons[l]);
        ebr_allocated expected, mean, error;
        ebr_stream stream = ebr_stream_start(5, EBR_PURPOSE_ALLOCATION, index++);
        allocation.features[0] += 2; /* unequal counts */
        ebr_allocation_expected(&allocation, &expected);
        ebr_allocation_sample(&allocation, TRIALS, &stream, scratch, &mean, &error);
        if (worst_deviation(&mean, &error, &expected) > 4)
          fail_msg("m %d, k %d, n %d: %.1f standard errors off", modalities[i], features[j], neurons[l],
                   worst_deviation(&mean, &error, &expected));
      }
}

/* With another law, here as if one neuron more were there, the same test must fail. */
static void another_law_is_noticed(void **state)
{
  uint32_t scratch[3 * NEURONS_MOST];
  ebr_allocation allocation = equal(6, 4, 64), other = equal(6, 4, 61);
  ebr_allocated expected, mean, error;
  ebr_stream stream = ebr_stream_start(5, EBR_PURPOSE_ALLOCATION, 1000);
  ebr_allocation_expected(&other, &expected);
  ebr_allocation_sample(&allocation, 10 * TRIALS, &stream, scratch, &mean, &error);
  assert_true(worst_deviation(&mean, &error, &expected) > 4);
}

/* So it must when features draw their modality with replacement, which keeps every count but on average. */
static void replacement_is_noticed(void **state)
{
  uint32_t scratch[3 * NEURONS_MOST];
  ebr_allocation allocation = equal(4, 4, 64);
  ebr_allocated expected, mean, error;
  ebr_stream stream = ebr_stream_start(5, EBR_PURPOSE_ALLOCATION, 1001);
  ebr_allocation_expected(&allocation, &expected);
  allocation.redraws = true;
  ebr_allocation_sample(&allocation, 10 * TRIALS, &stream, scratch, &mean, &error);
  assert_true(worst_deviation(&mean, &error, &expected) > 4);
  near("pairs", mean.pairs, expected.pairs * 15 / 16, 4 * error.pairs); /* k m - 1 in place of k m */
}

static void fast_enough(void **state)
{
  uint32_t scratch[3 * NEURONS_MOST];
  ebr_allocation allocation = equal(8, 4, 64);
  ebr_allocated mean, error;
  ebr_stream stream = ebr_stream_start(5, EBR_PURPOSE_ALLOCATION, 2000);
  double start = ebr_clock_seconds();
  ebr_allocation_sample(&allocation, 10 * TRIALS, &stream, scratch, &mean, &error);
  double a_minute = 600 * TRIALS / (ebr_clock_seconds() - start);
  print_message("%.2g trials a minute\n", a_minute);
#if !defined(__SANITIZE_ADDRESS__) && !defined(EBR_EMULATED)
  assert_true(a_minute > 1e7);
#endif
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(exact_by_enumeration),
                                     cmocka_unit_test(pairs_are_exactly_quadratic),
                                     cmocka_unit_test(monte_carlo_agrees_over_a_grid),
                                     cmocka_unit_test(another_law_is_noticed),
                                     cmocka_unit_test(replacement_is_noticed), cmocka_unit_test(fast_enough)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
