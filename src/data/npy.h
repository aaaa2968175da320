/* A .npy file seen as an HDF5 one: the numbers stay where they are and HDF5 reads and converts them. */
#ifndef EBRSWEEP_DATA_NPY_H
#define EBRSWEEP_DATA_NPY_H

#include "data/field.h"

/* The dataset's name in what ebr_npy_open opens. */
#define EBR_NPY_NAME "/array"

/* Opens path (an array in C or Fortran order of integers, booleans or floating-point numbers, any byte order) as a
 * source with one dataset, EBR_NPY_NAME. A Fortran-ordered array has its extents the other way round: *transposed
 * tells. EBR_DATA for anything else and for a file that is shorter than its header says. End with ebr_source_close. */
EBR_FALLIBLE ebr_npy_open(const char *path, ebr_source *source, bool *transposed);

#endif
