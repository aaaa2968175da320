#include <ebrsweep/measure.h>

#include <float.h>
#include <math.h>

static int count_above(const double *singular, int count, double limit)
{
  int above = 0;
  while (above < count && singular[above] > limit) above++;
  return above;
}

/* exp of the entropy of the singular values' shares: Roy & Vetterli, EUSIPCO 2007, Definition 1. */
static double effective_rank(const double *singular, int count, double sum)
{
  double entropy = 0;
  for (int k = 0; k < count; k++) {
    double share = singular[k] / sum;
    if (share > 0) entropy -= share * log(share);
  }
  return exp(entropy);
}

void ebr_ranks_from(const double *singular, int count, int rows, int cols, ebr_ranks *ranks)
{
  double first = count > 0 ? singular[0] : 0, sum = 0, squares = 0, fourths = 0;
  *ranks = (ebr_ranks){.condition = NAN};
  for (int k = 0; k < count; k++) sum += singular[k];
  if (!isfinite(sum)) *ranks = (ebr_ranks){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
  if (!isfinite(sum) || first <= 0) return;
  /* Shares of the largest, so that squares neither overflow nor vanish. */
  for (int k = 0; k < count; k++) {
    double square = (singular[k] / first) * (singular[k] / first);
    squares += square;
    fourths += square * square;
  }
  ranks->numerical = count_above(singular, count, (rows > cols ? rows : cols) * DBL_EPSILON * first);
  ranks->numerical_2 = count_above(singular, count, 1e-2 * first);
  ranks->numerical_3 = count_above(singular, count, 1e-3 * first);
  ranks->effective = effective_rank(singular, count, sum);
  ranks->stable = squares;
  ranks->participation = squares * squares / fourths;
  ranks->nuclear = sum;
  ranks->condition = first / singular[count - 1];
}
