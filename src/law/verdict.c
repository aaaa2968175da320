/* What the verdict about two arms rests on: the interval says how large, the corrected test whether by chance, and the
 * controls whose doing it is. */
#include <ebrsweep/law.h>

#include <math.h>
#include <stdio.h>

static const double level = 0.05;
static const double share_of_effect = 0.2;

const char *ebr_verdict_name(ebr_verdict verdict)
{
  static const char *const names[] = {"supported", "refuted", "cannot tell"};
  return names[verdict];
}

int ebr_comparisons_seeds_needed(int comparisons)
{
  int seeds = 1;
  while (ldexp(1, 1 - seeds) * comparisons > level) seeds++;
  return seeds;
}

/* The interval with the claimed side up. */
static void oriented(const ebr_comparison *comparison, int direction, double interval[2])
{
  interval[0] = direction < 0 ? -comparison->interval[1] : comparison->interval[0];
  interval[1] = direction < 0 ? -comparison->interval[0] : comparison->interval[1];
}

static bool is_there(const ebr_comparison *comparison, int direction)
{
  double interval[2];
  oriented(comparison, direction, interval);
  return interval[0] > 0 && comparison->adjusted < level;
}

static int fewest(const ebr_claim_case *claim)
{
  int seeds = claim->main.seeds;
  for (int i = 0; i < claim->controls; i++)
    if (claim->control[i].seeds < seeds) seeds = claim->control[i].seeds;
  return seeds;
}

static ebr_verdict judge_controls(const ebr_claim_case *claim, int direction, char *words, size_t size)
{
  for (int i = 0; i < claim->controls; i++) {
    double interval[2];
    oriented(&claim->control[i], direction, interval);
    if (interval[1] >= fmax(claim->smallest, share_of_effect * fabs(claim->main.effect))) continue;
    snprintf(words, size, "the effect is there, but %s has %s", claim->control_name[i],
             interval[1] < 0 ? "more of it" : "as much of it");
    return EBR_VERDICT_REFUTED;
  }
  for (int i = 0; i < claim->controls; i++) {
    if (is_there(&claim->control[i], direction)) continue;
    snprintf(words, size, "the effect is there, but is not told apart from that of %s", claim->control_name[i]);
    return EBR_VERDICT_CANNOT_TELL;
  }
  snprintf(words, size, claim->controls ? "and beyond every control" : "the effect is there");
  return EBR_VERDICT_SUPPORTED;
}

static ebr_verdict judge_difference(const ebr_claim_case *claim, char *words, size_t size)
{
  const double *interval = claim->main.interval;
  if (interval[0] > -claim->smallest && interval[1] < claim->smallest) {
    snprintf(words, size, "any difference is below %g", claim->smallest);
    return EBR_VERDICT_REFUTED;
  }
  bool differs = is_there(&claim->main, 1) || is_there(&claim->main, -1);
  if (differs) return judge_controls(claim, claim->main.effect < 0 ? -1 : 1, words, size);
  snprintf(words, size, "the interval leaves both open");
  return EBR_VERDICT_CANNOT_TELL;
}

ebr_verdict ebr_claim_judge(const ebr_claim_case *claim, int comparisons, char *words, size_t size)
{
  int needed = ebr_comparisons_seeds_needed(comparisons), seeds = fewest(claim);
  double interval[2];
  if (seeds < needed) {
    snprintf(words, size, "%d seeds; %d comparisons need at least %d", seeds, comparisons, needed);
    return EBR_VERDICT_CANNOT_TELL;
  }
  if (claim->direction == 0) return judge_difference(claim, words, size);
  oriented(&claim->main, claim->direction, interval);
  if (interval[1] < claim->smallest) {
    if (interval[1] < 0) snprintf(words, size, "it is the other way round");
    else snprintf(words, size, "any effect is below %g", claim->smallest);
    return EBR_VERDICT_REFUTED;
  }
  if (is_there(&claim->main, claim->direction)) return judge_controls(claim, claim->direction, words, size);
  snprintf(words, size,
           interval[0] > 0 ? "not beyond chance among so many comparisons" : "the interval leaves both open");
  return EBR_VERDICT_CANNOT_TELL;
}
