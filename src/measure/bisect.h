#ifndef EBR_MEASURE_BISECT_H
#define EBR_MEASURE_BISECT_H

#include <stddef.h>

/* What ebr_bisect wants as scratch for so many values [doubles]. */
size_t ebr_bisect_work(int count);
/* Local. Singular values of the upper bidiagonal matrix (count x count), finite, with diagonal (count) and above (count - 1),
 * descending, to an eps of the largest: bisection by the number of eigenvalues of B'B below a square, which the signs of its
 * leading minors count (Givens 1954; in the differential form of Parlett & Marques, Linear Algebra Appl. 309 (2000) 121-151,
 * that squares do not hurt). All values at once, a vector of them beside the other: where dqds, LAPACK's dbdsqr, waits for
 * one division after the other. */
void ebr_bisect(int count, const double *diagonal, const double *above, double *work, double *singular);

#endif
