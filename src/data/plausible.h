/* Plausible: can a file hold what one of its headers promises? Asked before memory is taken for it, so that a damaged or
 * hostile file of a few kilobytes is an error and does not end the process that reads it. */
#ifndef EBRSWEEP_DATA_PLAUSIBLE_H
#define EBRSWEEP_DATA_PLAUSIBLE_H

#include <ebrsweep/base.h>

#include <hdf5.h>

/* What the arrays in files of so many bytes may come to [bytes]. */
double ebr_plausible_most(double file);
/* EBR_OK, or `code` with a sentence that starts with path: when set's values, or one of its chunks, would be many times
 * what the whole file could hold, even packed. name is for messages. Arrays in other files (external, virtual) are
 * compared with the machine's memory instead. The same when a member of its type lies outside of it. */
EBR_FALLIBLE ebr_plausible_dataset(ebr_code code, const char *path, const char *name, hid_t set);

#endif
