/* Tall: the triangular factor R of a centred matrix whose rows come one by one, by Householder reflections of a block
 * at a time. R has the singular values of the whole, at no loss of accuracy and in memory that does not grow with the
 * rows. Centring costs nothing: with a column of ones in front, what is behind R's first row and column is the R of the
 * centred matrix. */
#ifndef EBR_MEASURE_TALL_H
#define EBR_MEASURE_TALL_H

#include <ebrsweep/base.h>

typedef struct ebr_tall ebr_tall;

EBR_FALLIBLE ebr_tall_create(int cols, ebr_tall **tall);
/* What a tall matrix of so many columns holds [bytes]. */
size_t ebr_tall_bytes(int cols);
void ebr_tall_destroy(ebr_tall **tall);
/* Where the caller writes the next row (cols). */
double *ebr_tall_next(ebr_tall *tall);
/* To be called once after the last row and before the following. */
void ebr_tall_finish(ebr_tall *tall);
/* Root mean square over rows and columns [start, start + width) of the centred matrix. */
double ebr_tall_deviation(const ebr_tall *tall, int start, int width);
/* Root mean square of the means of these columns. */
double ebr_tall_level(const ebr_tall *tall, int start, int width);
/* Singular values of the centred matrix, column k scaled by scale[k] (NULL: as it is), descending: count of them, those
 * behind the last that can differ from zero being 0. All NaN if an entry was not finite. */
EBR_FALLIBLE ebr_tall_singular(const ebr_tall *tall, const double *scale, int count, double *singular);

#endif
