/* The exact test counts, over all signs of the differences, how many give a rank sum at least as far out. Ranks are
 * doubled, so that the mean ranks of ties are whole numbers too. */
#include <ebrsweep/law.h>

#include <math.h>
#include <stdlib.h>

enum { EXACT_MOST = 200 };

typedef struct signed_ranks {
  int count;     /* differences other than 0 */
  int *doubled;  /* (count) twice the rank of |difference| */
  double *size;  /* (count) differences, by their size */
  long positive; /* sum of doubled ranks of positive differences */
  double ties;   /* sum of t^3 - t over groups of t equal sizes */
} signed_ranks;

static int by_size(const void *left, const void *right)
{
  double a = fabs(*(const double *)left), b = fabs(*(const double *)right);
  return (a > b) - (a < b);
}

static void rank(signed_ranks *ranks)
{
  for (int first = 0, next; first < ranks->count; first = next) {
    for (next = first; next < ranks->count && fabs(ranks->size[next]) == fabs(ranks->size[first]);) next++;
    double tied = next - first;
    ranks->ties += tied * tied * tied - tied;
    for (int i = first; i < next; i++) {
      ranks->doubled[i] = first + next + 1;
      if (ranks->size[i] > 0) ranks->positive += ranks->doubled[i];
    }
  }
}

/* chance[s]: probability that the doubled ranks with positive signs sum to s, when every sign is a fair coin. */
static ebr_error *exact(const signed_ranks *ranks, double *p)
{
  ebr_error *error = NULL;
  long total = (long)ranks->count * (ranks->count + 1);
  double *chance = calloc((size_t)total + 1, sizeof *chance), tail = 0;
  EBR_CHECK_MEMORY(chance, "the signed-rank distribution");
  long outer = ranks->positive > total / 2 ? ranks->positive : total - ranks->positive;
  chance[0] = 1;
  for (int i = 0; i < ranks->count; i++)
    for (long sum = total; sum >= 0; sum--)
      chance[sum] = (chance[sum] + (sum >= ranks->doubled[i] ? chance[sum - ranks->doubled[i]] : 0)) / 2;
  for (long sum = total; sum >= outer; sum--) tail += chance[sum];
  *p = fmin(1, 2 * tail);
done:
  free(chance);
  return error;
}

static double approximate(const signed_ranks *ranks)
{
  double n = ranks->count, mean = n * (n + 1) / 4;
  double variance = n * (n + 1) * (2 * n + 1) / 24 - ranks->ties / 48;
  return erfc(fabs((double)ranks->positive / 2 - mean) / sqrt(2 * variance));
}

ebr_error *ebr_wilcoxon(const double *differences, int count, double *p)
{
  ebr_error *error = NULL;
  size_t room = (size_t)count + 1;
  signed_ranks ranks = {.doubled = calloc(room, sizeof *ranks.doubled), .size = calloc(room, sizeof *ranks.size)};
  EBR_CHECK(ranks.doubled && ranks.size, EBR_MEMORY, "no memory for the ranks of %d differences", count);
  for (int i = 0; i < count; i++)
    if (differences[i] != 0) ranks.size[ranks.count++] = differences[i];
  qsort(ranks.size, (size_t)ranks.count, sizeof *ranks.size, by_size);
  rank(&ranks);
  if (ranks.count > EXACT_MOST) *p = approximate(&ranks);
  else EBR_TRY(exact(&ranks, p));
done:
  free(ranks.doubled);
  free(ranks.size);
  return error;
}
