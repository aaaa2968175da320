/* Results files: opened, every cell read, checksums compared. */
#include "fuzz/built.h"

#include <string.h>

/* What HDF5 itself refuses is a file that cannot be read. */
static void end_error(ebr_error *error)
{
  fuzz_end_error(error, ebr_error_code(error) == EBR_FILE ? EBR_FILE : EBR_RESULTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
  fuzz_bytes bytes = {input, length};
  ebr_results *results = NULL;
  int64_t damaged;
  bool whole = length > 8 && memcmp(input, "\x89HDF", 4) == 0;
  fuzz_hdf5_hurry();
  end_error(ebr_results_open(whole ? fuzz_file(".h5", input, length) : fuzz_results_build(".h5", &bytes), &results));
  if (!results) return 0;
  fuzz_results_look(results);
  end_error(ebr_results_check(results, &damaged));
  fuzz_results_look(results);
  ebr_results_close(&results);
  return 0;
}
