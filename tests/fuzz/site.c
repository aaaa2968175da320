/* Site profiles. */
#include "fuzz/fuzz.h"

#include <ebrsweep/site.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  ebr_site site;
  char *text = fuzz_text(bytes, length);
  fuzz_end_located(ebr_site_parse("f.yaml", text, length, &site), "f.yaml");
  ebr_site_release(&site);
  free(text);
  return 0;
}
