/* From an upper band to singular values: the last steps of both two-stage reductions. */
#ifndef EBRSWEEP_MEASURE_BAND_H
#define EBRSWEEP_MEASURE_BAND_H

#include <ebrsweep/base.h>

/* band: (cols x (width + 1)) in LAPACK's storage, band[j (width + 1) + width + i - j] = A[i][j]; destroyed. */
EBR_FALLIBLE ebr_band_finish(double *band, int cols, int width, double *singular);
/* The same as far as two diagonals: diagonal (cols) and above (cols, the last is 0). Entries near 1. */
EBR_FALLIBLE ebr_band_bidiagonal(const double *band, int cols, int width, double *diagonal, double *above);

#endif
