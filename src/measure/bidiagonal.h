/* Bidiagonal: singular values of a matrix that fits a core's cache, by Householder reflections from both sides, each column
 * being read once a step: where LAPACK's dgebrd reads the matrix three times, half of it by matrix-vector products. */
#ifndef EBR_MEASURE_BIDIAGONAL_H
#define EBR_MEASURE_BIDIAGONAL_H

#include <ebrsweep/base.h>

/* Whether it is faster than LAPACK's dgesdd: 4 times up to 256 columns, 1.5 to 2 times from 512 to 1024; but where one side is
 * much longer LAPACK begins with the R. */
static inline bool ebr_bidiagonal_suits(int rows, int cols)
{
  int most = rows < cols ? cols : rows, least = rows < cols ? rows : cols;
  return least <= 128 || (least <= 1024 && 2 * most <= 3 * least);
}

/* Local. Singular values of a row-major (rows x cols) matrix of finite entries, descending, min(rows, cols) of them; the
 * error is some eps times the largest. *converged: whether LAPACK's dbdsqr was content, which it almost always is; if not,
 * singular is not set. Golub & Kahan, SIAM J. Numer. Anal. B 2 (1965) 205-224; one pass over the matrix a step: Howell,
 * Demmel, Fulton, Hammarling, Marmol, ACM TOMS 34 (2008) 14. */
EBR_FALLIBLE ebr_bidiagonal_singular_values(const double *a, int rows, int cols, double *singular, bool *converged);

/* The reflection 1 - tau v v', v[0] = 1, that takes x (count) to its first entry, which is returned. As LAPACK's dlarfg, but
 * that squares of entries must neither overflow nor vanish: the power of two that brings the largest of a (count) near 1. */
double ebr_reflection(int count, const double *x, double *v, double *tau);
double ebr_unit_scale(const double *a, size_t count);
/* The largest magnitude of a (count), numbers that are none left out. */
double ebr_largest(const double *a, size_t count);
/* Whether every number of a (count) is finite. */
bool ebr_all_finite(const double *a, size_t count);

#endif
