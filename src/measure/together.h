/* Together: what all of a team's ranks measure at once, by ScaLAPACK. */
#ifndef EBR_MEASURE_TOGETHER_H
#define EBR_MEASURE_TOGETHER_H

#include <ebrsweep/team.h>

/* Collective on the team. Singular values of a row-major (rows x cols) matrix that every rank has, descending,
 * min(rows, cols) of them, the same bits on all ranks but others on a team of another size; all NaN if an entry is not
 * finite. */
EBR_FALLIBLE ebr_together_singular_values(ebr_team *team, const double *whole, int rows, int cols, double *singular);

#endif
