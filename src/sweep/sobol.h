/* The Sobol sequence. Private to the sweep module. */
#ifndef EBR_SWEEP_SOBOL_H
#define EBR_SWEEP_SOBOL_H

#include <stdint.h>

enum { EBR_SOBOL_DIMENSIONS = 16 };

/* Coordinate `dimension` in [0, EBR_SOBOL_DIMENSIONS) of point `index`, times 2^32. Points come in the order of Antonov
 * and Saleev's Gray code; directions are new-joe-kuo-6 (Joe & Kuo, SIAM J. Sci. Comput. 30, 2008). */
uint32_t ebr_sobol(int dimension, uint32_t index);

#endif
