#include "measure/bisect.h"

#include "measure/lanes.h"

#include <ebrsweep/base.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

/* WAYS vectors of values hide each other's waiting, where there are so many. Minors are brought near 1 every RESCALED steps:
 * squares of at least least_square, which no value of an eps shows, keep them from vanishing before. */
enum { FEW = 4, WAYS = 8, RESCALED = 8, EXPONENT = 52 };
static const double least_square = 1e-36;
static const int64_t resolved = INT64_C(1) << 54; /* parts of the bound on all values */

typedef int64_t whole __attribute__((vector_size(8 * LANES)));
typedef uint64_t bits __attribute__((vector_size(8 * LANES)));

typedef struct bracket {
  lanes low[WAYS], high[WAYS];
  whole wanted[WAYS]; /* how many values lie below */
} bracket;

size_t ebr_bisect_work(int count) { return 2 * (size_t)(count + RESCALED); }

/* x and y times the power of two that brings the larger near 1. */
static inline __attribute__((always_inline)) void rescale(lanes *x, lanes *y)
{
  const int64_t sign = INT64_MIN, exponent = (int64_t)0x7ff << EXPONENT, inverse = (int64_t)2046 << EXPONENT;
  lanes size = (lanes)((whole)*x & ~sign) + (lanes)((whole)*y & ~sign);
  lanes scale = (lanes)(inverse - ((whole)size & exponent));
  *x *= scale;
  *y *= scale;
}

/* How many eigenvalues of B'B lie below square: sign changes along the leading minors y of B'B - square, with
 * y' = q y + x, x' = e x - square y'. */
static inline __attribute__((always_inline)) void count_below(const int ways, int count, const double *q,
                                                              const double *e, const lanes *square, whole *below)
{
  lanes x[WAYS], y[WAYS];
  for (int k = 0; k < ways; k++) {
    x[k] = -square[k];
    y[k] = (lanes){0} + 1;
    below[k] = (whole){0};
  }
  for (int start = 0; start < count; start += RESCALED) {
    for (int i = start; i < start + RESCALED; i++)
      for (int k = 0; k < ways; k++) {
        lanes next = q[i] * y[k] + x[k], kept = e[i] * x[k];
        below[k] += (whole)(((bits)next ^ (bits)y[k]) >> 63);
        x[k] = kept - square[k] * next;
        y[k] = next;
      }
    for (int k = 0; k < ways; k++) rescale(&x[k], &y[k]);
  }
}

/* All values' brackets from the counts at as many places at even distances as there are lanes. */
static inline __attribute__((always_inline)) void look(const int ways, int count, const double *q, const double *e,
                                                       double bound, bracket *b)
{
  lanes square[WAYS];
  whole below[WAYS];
  double step = bound / (ways * LANES);
  for (int k = 0; k < ways; k++)
    for (int i = 0; i < LANES; i++) {
      double place = step * (k * LANES + i + 1);
      square[k][i] = place * place;
    }
  count_below(ways, count, q, e, square, below);
  for (int k = 0, place = 0; k < ways; k++)
    for (int i = 0; i < LANES; i++) {
      while (place < ways * LANES - 1 && below[place / LANES][place % LANES] <= b->wanted[k][i]) place++;
      b->low[k][i] = step * place;
      b->high[k][i] = step * (place + 1);
    }
}

static inline __attribute__((always_inline)) void halve(const int ways, int count, const double *q, const double *e,
                                                        bracket *b)
{
  /* The first brackets are as wide as after so many halvings. */
  for (int64_t parts = ways * LANES; parts < resolved; parts *= 2) {
    lanes middle[WAYS], square[WAYS];
    whole below[WAYS];
    for (int k = 0; k < ways; k++) {
      middle[k] = 0.5 * (b->low[k] + b->high[k]);
      square[k] = middle[k] * middle[k];
    }
    count_below(ways, count, q, e, square, below);
    for (int k = 0; k < ways; k++) {
      whole lower = below[k] > b->wanted[k];
      b->high[k] = (lanes)(((whole)middle[k] & lower) | ((whole)b->high[k] & ~lower));
      b->low[k] = (lanes)(((whole)middle[k] & ~lower) | ((whole)b->low[k] & lower));
    }
  }
}

EBR_VECTOR
static void find_few(int count, const double *q, const double *e, double bound, bracket *b)
{
  look(FEW, count, q, e, bound, b);
  halve(FEW, count, q, e, b);
}

EBR_VECTOR
static void find_many(int count, const double *q, const double *e, double bound, bracket *b)
{
  look(WAYS, count, q, e, bound, b);
  halve(WAYS, count, q, e, b);
}

/* No singular value is larger: the largest sum of a row or column. */
static double bound_of(int count, const double *diagonal, const double *above)
{
  double bound = 0;
  for (int i = 0; i < count; i++) {
    double beside = i + 1 < count ? fabs(above[i]) : 0, over = i > 0 ? fabs(above[i - 1]) : 0;
    bound = fmax(bound, fabs(diagonal[i]) + fmax(beside, over));
  }
  return bound;
}

void ebr_bisect(int count, const double *diagonal, const double *above, double *work, double *singular)
{
  int padded = (count + RESCALED - 1) / RESCALED * RESCALED, exponent;
  double *q = work, *e = work + padded, bound = bound_of(count, diagonal, above), scale;
  memset(singular, 0, (size_t)count * sizeof *singular);
  if (bound == 0) return;
  (void)frexp(bound, &exponent);
  scale = ldexp(1, -exponent);
  for (int i = 0; i < padded; i++) {
    /* Rows behind the matrix have values above all. */
    double a = i < count ? scale * diagonal[i] : 2, b = i + 1 < count ? scale * above[i] : 0;
    q[i] = fmax(a * a, least_square);
    e[i] = fmax(b * b, least_square);
  }
  for (int first = 0; first < count; first += WAYS * LANES) {
    bracket b;
    for (int k = 0; k < WAYS; k++)
      for (int i = 0; i < LANES; i++) b.wanted[k][i] = first + k * LANES + i;
    if (count - first > FEW * LANES) find_many(padded, q, e, scale * bound, &b);
    else find_few(padded, q, e, scale * bound, &b);
    for (int i = 0; i < WAYS * LANES && first + i < count; i++)
      singular[count - 1 - first - i] = 0.5 * (b.low[i / LANES][i % LANES] + b.high[i / LANES][i % LANES]) / scale;
  }
}
