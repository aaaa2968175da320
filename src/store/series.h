/* Checksums of curves and spectra: the sum, modulo 2^64, over a run's datasets of XXH3 of its numbers up to the last
 * that is not NaN; a spectrum counts each point by itself. So it stays what it is when datasets get longer or others
 * are added. */
#ifndef EBR_STORE_SERIES_H
#define EBR_STORE_SERIES_H

#include <ebrsweep/base.h>

/* path: "curves/<name>" or "spectra/<name>". */
uint64_t ebr_series_seed(const char *path);
/* values (points x values); a curve has one value a point. */
uint64_t ebr_series_sum(uint64_t seed, const double *values, int points, int lengths);

#endif
