/* Two results files merged. What comes out must be a results file with all runs of both and nothing damaged. The input
 * is two HDF5 files, one behind the other, or bytes from which two are built. */
#include "fuzz/built.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char SIGNATURE[] = "\x89HDF\r\n\x1a\n";

static const uint8_t *second_file(const uint8_t *input, size_t length)
{
  const size_t size = sizeof SIGNATURE - 1;
  return length <= size ? NULL : memmem(input + size, length - size, SIGNATURE, size);
}

/* What HDF5 itself refuses is a file that cannot be read. */
static void end_error(ebr_error *error)
{
  fuzz_end_error(error, ebr_error_code(error) == EBR_FILE ? EBR_FILE : EBR_RESULTS);
}

static void must_work(ebr_error *error)
{
  if (error) fuzz_complain("a merged file cannot be read", ebr_error_message(error));
}

static void look_at_merged(const char *path, const int64_t runs[EBR_STATUS_REMOVED + 1])
{
  ebr_results *results = NULL;
  int64_t damaged, all = 0, found[EBR_STATUS_REMOVED + 1] = {0};
  must_work(ebr_results_open(path, &results));
  must_work(ebr_results_check(results, &damaged));
  if (damaged > 0) fuzz_complain("a merged file has damaged runs", path);
  for (int status = 0; status <= EBR_STATUS_REMOVED; status++) all += runs[status];
  if (all != ebr_results_count(results)) fuzz_complain("a merged file has another number of runs than promised", path);
  for (int64_t run = 0; run < all; run++) found[ebr_results_status(results, run)]++;
  if (found[EBR_STATUS_DONE] != runs[EBR_STATUS_DONE] || found[EBR_STATUS_FAILED] != runs[EBR_STATUS_FAILED])
    fuzz_complain("a merged file has another number of finished runs than promised", path);
  fuzz_results_look(results);
  ebr_results_close(&results);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
  fuzz_bytes bytes = {input, length};
  const uint8_t *cut = memcmp(input, SIGNATURE, length < 4 ? length : 4) == 0 ? second_file(input, length) : NULL;
  char *in[2];
  int64_t runs[EBR_STATUS_REMOVED + 1] = {0};
  fuzz_hdf5_hurry();
  in[0] = strdup(cut ? fuzz_file(".h5", input, (size_t)(cut - input)) : fuzz_results_build(".h5", &bytes));
  in[1] = strdup(cut ? fuzz_file(".second.h5", cut, length - (size_t)(cut - input))
                     : fuzz_results_build(".second.h5", &bytes));
  const char *out = fuzz_path(".merged.h5");
  ebr_error *error = ebr_results_merge(out, in, 2, true, "ebrsweep merge", runs);
  if (!error) look_at_merged(out, runs);
  end_error(error);
  free(in[0]);
  free(in[1]);
  return 0;
}
