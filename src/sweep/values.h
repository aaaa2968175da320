/* Parameter values as bytes of their field in ebr_config, and as text. Private to the sweep module. */
#ifndef EBR_SWEEP_VALUES_H
#define EBR_SWEEP_VALUES_H

#include <ebrsweep/parameters.h>

/* The longest text of a value [bytes], with its NUL. */
enum { EBR_VALUE_TEXT_MOST = 512 };

size_t ebr_value_size(ebr_kind kind); /* of the field [bytes] */
bool ebr_value_equal(ebr_kind kind, const void *a, const void *b);
/* Writes at most EBR_VALUE_TEXT_MOST bytes; answers the length. */
size_t ebr_value_format(const ebr_parameter *parameter, const void *field, char *text);

static inline const void *ebr_config_field(const ebr_config *config, const ebr_parameter *parameter)
{
  return (const unsigned char *)config + parameter->offset;
}
static inline void *ebr_config_field_write(ebr_config *config, const ebr_parameter *parameter)
{
  return (unsigned char *)config + parameter->offset;
}

/* Words further apart than this are not worth a "did you mean". */
int ebr_text_distance_most(const char *word);
/* Is there a parameter whose name starts with `prefix.`? */
bool ebr_parameter_is_group(const char *prefix);

#endif
