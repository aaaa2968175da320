/* What reading holds: the rows lie in memory, mapped from the file where it is laid out as this machine would. */
#ifndef EBR_STORE_RESULTS_H
#define EBR_STORE_RESULTS_H

#include "store/layout.h"

typedef struct ebr_attribute {
  char name[64];
  char *value;
} ebr_attribute;

struct ebr_results {
  char *path;
  ebr_layout layout;
  int64_t count;
  const unsigned char *rows; /* (count x layout.stride) bytes, in map or copy */
  void *map;
  size_t map_bytes;
  unsigned char *copy;
  bool *damaged; /* (count) series that do not fit their checksum; NULL until they were read */
  ebr_attribute *attribute;
  int attribute_count;
  ebr_text cell;
  char writer[128];
};

const unsigned char *ebr_results_bytes(const ebr_results *results, int64_t run);
/* The row fits its checksum, and so do its series as far as they were read. */
bool ebr_results_intact(const ebr_results *results, int64_t run);

/* Root attributes as text, and /sweep, which is too long for one. */
EBR_FALLIBLE ebr_results_read_attributes(ebr_results *results, hid_t file);

#endif
