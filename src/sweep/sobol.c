#include <sweep/sobol.h>

/* Rows of new-joe-kuo-6.21201 from its dimension 2 on: degree s, coefficients a, initial numbers m. */
typedef struct direction {
  int degree;
  uint32_t coefficients;
  uint32_t initial[6];
} direction;

static const direction directions[EBR_SOBOL_DIMENSIONS - 1] = {
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
    {5, 11, {1, 1, 5, 1, 1}},
    {5, 13, {1, 1, 1, 3, 11}},
    {5, 14, {1, 3, 5, 5, 31}},
    {6, 1, {1, 3, 3, 9, 7, 49}},
    {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}},
};

static void direction_numbers(int dimension, uint32_t *v)
{
  if (dimension == 0) {
    for (int i = 0; i < 32; i++) v[i] = 1u << (31 - i);
    return;
  }
  const direction *d = &directions[dimension - 1];
  for (int i = 0; i < 32; i++) {
    if (i < d->degree) {
      v[i] = d->initial[i] << (31 - i);
      continue;
    }
    v[i] = v[i - d->degree] ^ (v[i - d->degree] >> d->degree);
    for (int k = 1; k < d->degree; k++)
      if (d->coefficients >> (d->degree - 1 - k) & 1) v[i] ^= v[i - k];
  }
}

uint32_t ebr_sobol(int dimension, uint32_t index)
{
  uint32_t v[32], gray = index ^ (index >> 1), x = 0;
  direction_numbers(dimension, v);
  for (int i = 0; i < 32; i++)
    if (gray >> i & 1) x ^= v[i];
  return x;
}
