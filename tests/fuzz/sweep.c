/* Sweep files, read and expanded; what was accepted must be made of values that read back as they are. */
#include "fuzz/fuzz.h"

#include <ebrsweep/sweep.h>

#include <stdlib.h>
#include <string.h>

static void check(ebr_error *error)
{
  if (error) fuzz_complain("an accepted sweep fails", ebr_error_message(error));
}

static void read_back(const ebr_config *config)
{
  for (int p = 0; p < ebr_parameter_count(); p++) {
    ebr_text text = {0}, again = {0};
    ebr_config copy = *config;
    check(ebr_config_get(config, p, &text));
    check(ebr_config_set(&copy, p, text.data));
    check(ebr_config_get(&copy, p, &again));
    if (strcmp(text.data, again.data) != 0) fuzz_complain(ebr_parameter_at(p)->name, text.data);
    ebr_text_destroy(&text);
    ebr_text_destroy(&again);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  ebr_sweep *sweep = NULL;
  ebr_config config;
  char *text = fuzz_text(bytes, length);
  fuzz_end_located(ebr_sweep_parse(text, length, "f.yaml", NULL, &sweep), "f.yaml");
  free(text);
  if (!sweep) return 0;
  int64_t count = ebr_sweep_count(sweep), step = count / 8 + 1;
  for (int64_t run = 0; run < count; run += step) {
    ebr_sweep_run(sweep, run, &config);
    read_back(&config);
  }
  ebr_sweep_destroy(&sweep);
  return 0;
}
