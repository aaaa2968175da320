/* Library: the HDF5 datasets that a sweep names, read once a job and held once a node, however many ranks train on
 * them. */
#ifndef EBRSWEEP_LIBRARY_H
#define EBRSWEEP_LIBRARY_H

#include <ebrsweep/data.h>
#include <ebrsweep/parallel.h>

/* Collective on comm (it is duplicated). Reads every dataset that a run of the sweep names: one rank a job reads, one
 * copy a node is kept (MPI-3 shared memory). EBR_DATA with path and reason for a missing or malformed one (not 2-D,
 * lengths that differ, labels below 0, NaN or Inf, modalities that a run asks for and the file lacks), the same on all
 * ranks. */
EBR_FALLIBLE ebr_library_create(MPI_Comm comm, const ebr_sweep *sweep, ebr_library **library);
void ebr_library_destroy(ebr_library **library);

#endif
