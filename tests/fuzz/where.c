/* The filter of `show --where`, over the columns of a real results file, which seeds.py made. */
#include "fuzz/fuzz.h"

#include "app/filter.h"

#include <stdio.h>
#include <stdlib.h>

static ebr_results *open_once(void)
{
  static ebr_results *results;
  const char *folder = getenv("FUZZ_SEEDS");
  char path[512];
  if (results) return results;
  snprintf(path, sizeof path, "%s/results.h5", folder ? folder : FUZZ_SEEDS);
  ebr_error *error = ebr_results_open(path, &results);
  if (error) fuzz_complain("the results file, which tests/fuzz/seeds.py makes", ebr_error_message(error));
  return results;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  ebr_results *results = open_once();
  ebr_filter *filter = NULL;
  char *text = fuzz_text(bytes, length);
  fuzz_end_error(ebr_filter_create(results, text, &filter), EBR_USAGE);
  for (int64_t run = 0; filter && run < ebr_results_count(results); run++) ebr_filter_match(filter, results, run);
  ebr_filter_destroy(&filter);
  free(text);
  return 0;
}
