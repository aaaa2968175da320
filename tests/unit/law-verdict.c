/* Wilcoxon's test against all sign patterns and scipy, Holm's correction against a worked example, and each way to a
 * verdict. */
#include <ebrsweep/law.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void must(ebr_error *error)
{
  if (error) fail_msg("%s", ebr_error_message(error));
}

static double p_of(const double *differences, int count)
{
  double p = NAN;
  must(ebr_wilcoxon(differences, count, &p));
  return p;
}

/* Share of the 2^n patterns of signs whose rank sum is as far from the middle; ranks (n) given, ties and all. */
static double by_all_patterns(const double *ranks, const double *signs, int n)
{
  double middle = 0, own = 0;
  int far = 0;
  for (int i = 0; i < n; i++) {
    middle += ranks[i] / 2;
    own += signs[i] > 0 ? ranks[i] : 0;
  }
  for (int pattern = 0; pattern < 1 << n; pattern++) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += pattern >> i & 1 ? ranks[i] : 0;
    far += fabs(sum - middle) >= fabs(own - middle) - 1e-9;
  }
  return far / (double)(1 << n);
}

static void signed_ranks_are_exact(void **state)
{
  (void)state;
  const double plain[] = {1, -2, 3, 4, 5, -6, 7, 8, 9, 10}, ranks[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  assert_float_equal(p_of(plain, 10), by_all_patterns(ranks, plain, 10), 1e-12);
  const double tied[] = {2, 2, -2, 5, 5, 1, -1, 9}, mean_ranks[] = {4, 4, 4, 6.5, 6.5, 1.5, 1.5, 8};
  assert_float_equal(p_of(tied, 8), by_all_patterns(mean_ranks, tied, 8), 1e-12);
  const double zeros[] = {0, 2, 2, -2, 0, 5, 5, 1, -1, 9};
  assert_float_equal(p_of(zeros, 10), p_of(tied, 8), 0);
  const double all[] = {1, 2, 3, 4, 5, 6, 7, 8};
  assert_float_equal(p_of(all, 8), 2 / 256.0, 1e-15);
  assert_float_equal(p_of(zeros, 1), 1, 0);
  assert_float_equal(p_of(zeros, 0), 1, 0);
}

/* scipy.stats.wilcoxon(d, mode="approx", correction=False) of scipy 1.10.1. */
static void many_are_approximated(void **state)
{
  (void)state;
  double differences[250];
  for (int i = 1; i <= 250; i++) differences[i - 1] = (i % 5 < 3 ? 1 : -1) * (i % 10 + 1.0);
  assert_float_equal(p_of(differences, 250) / 0.5920774170873802, 1, 1e-9);
}

static void order_changes_no_bit(void **state)
{
  (void)state;
  const double one[] = {0.3, -0.1, 0.7, 0.2, 0.11}, other[] = {0.11, 0.7, -0.1, 0.2, 0.3};
  ebr_comparison a, b;
  must(ebr_comparison_make(one, 5, 7, 100, &a));
  must(ebr_comparison_make(other, 5, 7, 100, &b));
  assert_true(a.effect == b.effect && a.p == b.p && a.standardised == b.standardised);
  assert_memory_equal(a.interval, b.interval, sizeof a.interval);
  assert_float_equal(a.effect, 0.242, 1e-15);
  assert_true(a.interval[0] < a.effect && a.effect < a.interval[1]);
  must(ebr_comparison_make(one, 1, 7, 100, &a));
  assert_true(a.effect == 0.3 && isnan(a.interval[0]) && a.p == 1);
  must(ebr_comparison_make(one, 0, 7, 100, &a));
  assert_true(isnan(a.effect) && a.seeds == 0);
}

/* Four tests with p 0.01, 0.04, 0.03, 0.005: Holm gives 0.03, 0.06, 0.06, 0.02; one that was not made does not count.
 */
static void holm_steps_down(void **state)
{
  (void)state;
  ebr_comparison made[5] = {{.seeds = 9, .p = 0.01},
                            {.seeds = 9, .p = 0.04},
                            {.seeds = 9, .p = 0.03},
                            {.seeds = 9, .p = 0.005},
                            {.seeds = 0, .p = 1}};
  ebr_comparison *all[] = {&made[0], &made[1], &made[2], &made[3], &made[4]};
  const double expected[] = {0.03, 0.06, 0.06, 0.02};
  must(ebr_comparisons_correct(all, 5));
  for (int i = 0; i < 4; i++) assert_float_equal(made[i].adjusted, expected[i], 1e-15);
}

static void seeds_that_comparisons_need(void **state)
{
  (void)state;
  const int comparisons[] = {1, 13, 100}, needed[] = {6, 10, 12};
  for (int i = 0; i < 3; i++) {
    int seeds = ebr_comparisons_seeds_needed(comparisons[i]);
    assert_int_equal(seeds, needed[i]);
    assert_true(pow(0.5, seeds - 1) * comparisons[i] <= 0.05 && pow(0.5, seeds - 2) * comparisons[i] > 0.05);
  }
}

static ebr_comparison comparison(double low, double high, double adjusted)
{
  return (ebr_comparison){20, (low + high) / 2, {low, high}, 1, adjusted, adjusted};
}

typedef struct expectation {
  int direction;
  ebr_comparison main, control;
  ebr_verdict verdict;
  const char *words;
} expectation;

static void verdicts_follow_the_rules(void **state)
{
  (void)state;
  const ebr_verdict yes = EBR_VERDICT_SUPPORTED, no = EBR_VERDICT_REFUTED, open = EBR_VERDICT_CANNOT_TELL;
  const ebr_comparison up = comparison(0.4, 0.6, 0.001), down = comparison(-0.6, -0.4, 0.001);
  const ebr_comparison wide = comparison(-0.2, 0.5, 0.3), tiny = comparison(-0.005, 0.005, 0.9);
  const ebr_comparison lucky = comparison(0.01, 0.6, 0.2);
  const expectation cases[] = {
      {1, up, up, yes, "and beyond every control"},
      {-1, down, down, yes, "and beyond every control"},
      {1, down, up, no, "it is the other way round"},
      {-1, up, up, no, "it is the other way round"},
      {1, tiny, up, no, "any effect is below 0.01"},
      {1, up, tiny, no, "the effect is there, but depth has as much of it"},
      {1, up, comparison(0.02, 0.08, 0.001), no, "the effect is there, but depth has as much of it"},
      {1, up, down, no, "the effect is there, but depth has more of it"},
      {1, up, wide, open, "the effect is there, but is not told apart from that of depth"},
      {1, up, lucky, open, "the effect is there, but is not told apart from that of depth"},
      {1, wide, up, open, "the interval leaves both open"},
      {1, lucky, up, open, "not beyond chance among so many comparisons"},
      {0, up, up, yes, "and beyond every control"},
      {0, down, down, yes, "and beyond every control"},
      {0, tiny, up, no, "any difference is below 0.01"},
      {0, wide, up, open, "the interval leaves both open"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char words[200];
    ebr_claim_case claim = {cases[i].direction, 0.01, cases[i].main, 1, {cases[i].control}, {"depth"}};
    ebr_verdict verdict = ebr_claim_judge(&claim, 10, words, sizeof words);
    if (verdict != cases[i].verdict || strcmp(words, cases[i].words) != 0)
      fail_msg("case %zu: %s, %s", i, ebr_verdict_name(verdict), words);
  }
}

static void few_seeds_tell_nothing(void **state)
{
  (void)state;
  char words[200];
  ebr_claim_case claim = {1, 0.01, comparison(0.4, 0.6, 0.001), 1, {comparison(0.4, 0.6, 0.001)}, {"depth"}};
  claim.control[0].seeds = 9;
  assert_int_equal(ebr_claim_judge(&claim, 13, words, sizeof words), EBR_VERDICT_CANNOT_TELL);
  assert_string_equal(words, "9 seeds; 13 comparisons need at least 10");
  claim.controls = 0;
  assert_int_equal(ebr_claim_judge(&claim, 13, words, sizeof words), EBR_VERDICT_SUPPORTED);
  assert_string_equal(words, "the effect is there");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(signed_ranks_are_exact),      cmocka_unit_test(many_are_approximated),
      cmocka_unit_test(order_changes_no_bit),        cmocka_unit_test(holm_steps_down),
      cmocka_unit_test(seeds_that_comparisons_need), cmocka_unit_test(verdicts_follow_the_rules),
      cmocka_unit_test(few_seeds_tell_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
