/* What plan and run share: the sweep file and its overrides from the command line. */
#ifndef EBR_APP_SWEEP_FILE_H
#define EBR_APP_SWEEP_FILE_H

#include <ebrsweep/sweep.h>

enum { EBR_SET_MOST = 256 };

typedef struct ebr_sweep_options {
  const char *path;
  int set_count;
  const char *set[EBR_SET_MOST];
} ebr_sweep_options;

/* --set name=value */
EBR_FALLIBLE ebr_sweep_options_set(ebr_sweep_options *options, const char *assignment);
/* Reads the file; a missing one is the user's mistake (EBR_SWEEP). *text belongs to the caller (free). */
EBR_FALLIBLE ebr_sweep_options_read(const ebr_sweep_options *options, char **text, size_t *length);
/* Parses text that was read from options->path. */
EBR_FALLIBLE ebr_sweep_options_parse(const ebr_sweep_options *options, const char *text, size_t length,
                                     ebr_sweep **sweep);

#endif
