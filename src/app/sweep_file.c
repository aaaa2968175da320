#include "app/sweep_file.h"

ebr_error *ebr_sweep_options_set(ebr_sweep_options *options, const char *assignment)
{
  ebr_error *error = NULL;
  EBR_CHECK(options->set_count < EBR_SET_MOST, EBR_USAGE, "more than %d --set options", EBR_SET_MOST);
  options->set[options->set_count++] = assignment;
done:
  return error;
}

ebr_error *ebr_sweep_options_parse(const ebr_sweep_options *options, const char *text, size_t length, ebr_sweep **sweep)
{
  ebr_overrides overrides = {options->set_count, options->set};
  return ebr_sweep_parse(text, length, options->path, &overrides, sweep);
}

ebr_error *ebr_sweep_options_read(const ebr_sweep_options *options, char **text, size_t *length)
{
  ebr_error *error = ebr_file_read(options->path, EBR_SWEEP_BYTES_MOST, text, length);
  if (ebr_error_code(error) != EBR_FILE) return error;
  ebr_error *usage = ebr_error_create(EBR_SWEEP, __FILE__, __LINE__, "%s", ebr_error_message(error));
  ebr_error_destroy(&error);
  return usage;
}
