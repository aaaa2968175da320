#ifndef EBR_MEASURE_FOLD_H
#define EBR_MEASURE_FOLD_H

#include <stddef.h>

/* Local. factor (cols x cols, column after column, its upper triangle), an R, becomes the R of itself and the rows below it:
 * block (rows x cols, columns `stride` apart, a multiple of 8, on a vector's boundary; the rows up to the next multiple of 8
 * zero), which is destroyed. What is not finite in a column leaves factor's entries there, and behind, so. Squares of entries
 * must neither overflow nor vanish: activations are floats. Householder's reflections (Golub & Van Loan, Matrix
 * Computations, 5.2), four at a time (Schreiber & Van Loan, SIAM J. Sci. Stat. Comput. 10 (1989) 53-57). */
void ebr_fold(int cols, double *factor, int rows, size_t stride, double *block);

#endif
