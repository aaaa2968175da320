/* A library over nodes that the caller names: any ranks that share memory can play a node, so that one machine can show
 * what happens on several. */
#ifndef EBRSWEEP_DATA_NODES_H
#define EBRSWEEP_DATA_NODES_H

#include <ebrsweep/library.h>

/* Collective on comm. node: the ranks of comm that keep one copy with this one (borrowed). Else as
 * ebr_library_create. */
EBR_FALLIBLE ebr_library_create_over(MPI_Comm comm, MPI_Comm node, const ebr_sweep *sweep, ebr_library **library);

#endif
