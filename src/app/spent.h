/* What ebrsweep run --times prints. */
#ifndef EBR_APP_SPENT_H
#define EBR_APP_SPENT_H

#include <ebrsweep/parallel.h>

/* Collective. Waits for all ranks, which is the last thing that is charged, and prints on rank 0 how their time together
 * was spent (to stderr, like progress). */
EBR_FALLIBLE ebr_spent_print(MPI_Comm comm, ebr_times *times);

#endif
