#include <sweep/plan.h>

ebr_error *ebr_read_sample(ebr_reader *reader, const ebr_yaml *key, const ebr_yaml *sample)
{
  ebr_error *error = NULL;
  EBR_FAIL_AT(reader->path, key, "sample is not there yet");
done:
  return error;
}
