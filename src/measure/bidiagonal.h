/* Bidiagonal: singular values of a matrix that fits a core's cache, by Householder reflections from both sides, each column
 * being read once a step: where LAPACK's dgebrd reads the matrix three times, half of it by matrix-vector products. */
#ifndef EBR_MEASURE_BIDIAGONAL_H
#define EBR_MEASURE_BIDIAGONAL_H

#include <ebrsweep/base.h>

/* Smaller side up to which it is faster than LAPACK (three times at 128 and 256). */
enum { EBR_BIDIAGONAL_MOST = 512 };

/* Local. Singular values of a row-major (rows x cols) matrix of finite entries, descending, min(rows, cols) of them; the
 * error is some eps times the largest. *converged: whether LAPACK's dbdsqr was content, which it almost always is; if not,
 * singular is not set. Golub & Kahan, SIAM J. Numer. Anal. B 2 (1965) 205-224; one pass over the matrix a step: Howell,
 * Demmel, Fulton, Hammarling, Marmol, ACM TOMS 34 (2008) 14. */
EBR_FALLIBLE ebr_bidiagonal_singular_values(const double *a, int rows, int cols, double *singular, bool *converged);
/* What it allocates [bytes]. */
size_t ebr_bidiagonal_bytes(int rows, int cols);

#endif
