/* HDF5 files of the right kind with wrong contents, built by HDF5 itself as the input says: what the readers do with any
 * valid file, which mutated bytes of a file would seldom get to. */
#ifndef EBR_TESTS_FUZZ_HDF5_H
#define EBR_TESTS_FUZZ_HDF5_H

#include "fuzz/fuzz.h"

#include <hdf5.h>

/* An input that is used up from its start; behind its end there are zeros. */
typedef struct fuzz_bytes {
  const uint8_t *at;
  size_t left;
} fuzz_bytes;

unsigned fuzz_byte(fuzz_bytes *bytes);
/* Below bound. */
unsigned fuzz_pick(fuzz_bytes *bytes, unsigned bound);

/* Lets HDF5 keep its large buffers, which the address sanitizer would map anew for each call. */
void fuzz_hdf5_hurry(void);

/* A new file in memory, and the file on disk that it becomes; fuzz_hdf5_end closes it. */
hid_t fuzz_hdf5_begin(void);
const char *fuzz_hdf5_end(const char *ending, hid_t file);

/* Number formats, texts, compounds and other things. The caller closes. */
hid_t fuzz_type(fuzz_bytes *bytes);
/* A dataset of a type and of any shape, layout and size; its values, if any, are the input's, over and over. Nothing
 * happens if HDF5 does not want it. */
void fuzz_dataset(hid_t file, const char *name, hid_t type, int rank, const hsize_t *extent, fuzz_bytes *bytes);
/* Up to 3 extents, small ones and very large ones; answers the rank. */
int fuzz_extents(fuzz_bytes *bytes, hsize_t extent[3]);

#endif
