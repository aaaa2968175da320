/* .npy files as `spectrum` and the datasets read them. */
#include "fuzz/fuzz.h"

#include "data/npy.h"

#include <stdlib.h>

static void read_all(ebr_source *source)
{
  hsize_t size[2];
  ebr_error *error = ebr_field_size(source, EBR_NPY_NAME, 2, EBR_FIELD_OF_NUMBERS, size);
  if (!error) {
    double *values = malloc(size[0] * size[1] * sizeof *values);
    if (!values) fuzz_complain("no memory for what a small file holds", source->path);
    error = ebr_field_read(source, EBR_NPY_NAME, H5T_NATIVE_DOUBLE, values);
    if (error) fuzz_complain("cannot be read", ebr_error_message(error));
    free(values);
  }
  fuzz_end_error(error, EBR_DATA);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  ebr_source source;
  bool transposed;
  ebr_error *error = ebr_npy_open(fuzz_file(".npy", bytes, length), &source, &transposed);
  if (!error) {
    read_all(&source);
    ebr_source_close(&source);
  }
  fuzz_end_error(error, EBR_DATA);
  return 0;
}
