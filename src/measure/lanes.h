/* Vectors of doubles as wide as the widest processor's, and what small dense factorisations do with them. */
#ifndef EBR_MEASURE_LANES_H
#define EBR_MEASURE_LANES_H

enum { LANES = 8 };

typedef double lanes __attribute__((vector_size(8 * LANES)));

/* The sums of four vectors' entries, in registers. */
static inline __attribute__((always_inline)) void sum_of_four(const lanes *v, double *sum)
{
  lanes a = __builtin_shufflevector(v[0], v[1], 0, 8, 1, 9, 2, 10, 3, 11) +
            __builtin_shufflevector(v[0], v[1], 4, 12, 5, 13, 6, 14, 7, 15);
  lanes b = __builtin_shufflevector(v[2], v[3], 0, 8, 1, 9, 2, 10, 3, 11) +
            __builtin_shufflevector(v[2], v[3], 4, 12, 5, 13, 6, 14, 7, 15);
  lanes c = __builtin_shufflevector(a, b, 0, 1, 8, 9, 2, 3, 10, 11) + __builtin_shufflevector(a, b, 4, 5, 12, 13, 6, 7, 14, 15);
  for (int k = 0; k < 4; k++) sum[k] = c[k] + c[k + 4];
}

static inline __attribute__((always_inline)) double sum_of(const lanes *v)
{
  lanes halves = *v + __builtin_shufflevector(*v, *v, 4, 5, 6, 7, 0, 1, 2, 3);
  lanes quarters = halves + __builtin_shufflevector(halves, halves, 2, 3, 0, 1, 6, 7, 4, 5);
  return quarters[0] + quarters[1];
}

#endif
