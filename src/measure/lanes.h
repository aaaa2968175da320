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

/* v[i][j] and v[j][i] change places. */
static inline __attribute__((always_inline)) void transpose_lanes(lanes *v)
{
  lanes a[LANES], b[LANES];
  for (int k = 0; k < LANES; k += 2) {
    a[k] = __builtin_shufflevector(v[k], v[k + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    a[k + 1] = __builtin_shufflevector(v[k], v[k + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int k = 0; k < LANES; k += 4)
    for (int i = k; i < k + 2; i++) {
      b[i] = __builtin_shufflevector(a[i], a[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      b[i + 2] = __builtin_shufflevector(a[i], a[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int k = 0; k < LANES / 2; k++) {
    v[k] = __builtin_shufflevector(b[k], b[k + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    v[k + 4] = __builtin_shufflevector(b[k], b[k + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

#endif
