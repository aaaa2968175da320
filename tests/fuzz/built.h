/* Results files, as far as HDF5 takes what the input says, and a look at all that a results file holds. */
#ifndef EBR_TESTS_FUZZ_BUILT_H
#define EBR_TESTS_FUZZ_BUILT_H

#include "fuzz/hdf5.h"

#include <ebrsweep/store.h>

/* The path, as fuzz_file gives it. */
const char *fuzz_results_build(const char *ending, fuzz_bytes *bytes);
/* Every cell of its first 50 runs, and the sweep. */
void fuzz_results_look(ebr_results *results);

#endif
