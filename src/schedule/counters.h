/* Counters: numbers on rank 0 of a communicator that all of its ranks add to without its help. */
#ifndef EBR_SCHEDULE_COUNTERS_H
#define EBR_SCHEDULE_COUNTERS_H

#include <ebrsweep/parallel.h>

typedef struct ebr_counters ebr_counters;

/* Collective on comm, which must outlive them; the same count on all ranks. All begin at 0. EBR_MEMORY. */
EBR_FALLIBLE ebr_counters_create(MPI_Comm comm, int64_t count, ebr_counters **counters);
/* Collective. Takes NULL inside. */
EBR_FALLIBLE ebr_counters_destroy(ebr_counters **counters);
/* Local (one-sided): operation is MPI_SUM, MPI_REPLACE or MPI_NO_OP; *before: what was there. */
EBR_FALLIBLE ebr_counters_update(ebr_counters *counters, int64_t which, MPI_Op operation, int64_t value,
                                 int64_t *before);

#endif
