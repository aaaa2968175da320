/* Angles: row spaces and the principal angles between them. */
#ifndef EBR_MEASURE_ANGLES_H
#define EBR_MEASURE_ANGLES_H

#include <ebrsweep/base.h>

/* An orthonormal basis of the row space of a row-major (rows x cols) block, which is destroyed: basis (min(rows, cols)
 * x cols), *rank of its rows are used. work: k (k + 2) numbers, k = min(rows, cols). */
EBR_FALLIBLE ebr_row_space(double *block, int rows, int cols, double *work, double *basis, int *rank);
/* Cosines of the principal angles, descending, min of the two ranks, between spaces with bases of rows of `length`
 * numbers. work: a_rank b_rank numbers. */
EBR_FALLIBLE ebr_principal_cosines(const double *a, int a_rank, const double *b, int b_rank, int length, double *work,
                                   double *cosine);

#endif
