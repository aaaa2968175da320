/* Sweep: a YAML file becomes a list of runs. Local: every rank reads the same text, which one rank read from disk.
 *
 * Errors of the user's making carry EBR_SWEEP and a message of the form `file:line:column: sentence`, with the
 * offending text and, for an unknown key, the nearest known one. Columns and lines count from 1. */
#ifndef EBRSWEEP_SWEEP_H
#define EBRSWEEP_SWEEP_H

#include <ebrsweep/parameters.h>

typedef struct ebr_sweep ebr_sweep;

/* What a shell adds to the file: `--set name=value`. Borrowed. */
typedef struct ebr_overrides {
  int count;
  const char *const *assignment; /* "data.train=8192" */
} ebr_overrides;

enum { EBR_SWEEP_BYTES_MOST = 16 << 20, EBR_SWEEP_RUNS_MOST = 10000000 };

/* Reads YAML text (not NUL-terminated, borrowed). path is only for messages and for data.file, which is relative to the
 * sweep file's folder. Expands and validates all runs: when this succeeds every run can be made. The caller destroys.
 */
EBR_FALLIBLE ebr_sweep_parse(const char *text, size_t length, const char *path, const ebr_overrides *overrides,
                             ebr_sweep **sweep);
void ebr_sweep_destroy(ebr_sweep **sweep);

const char *ebr_sweep_name(const ebr_sweep *sweep);     /* borrowed */
const char *ebr_sweep_question(const ebr_sweep *sweep); /* borrowed; "" if none */
const char *ebr_sweep_text(const ebr_sweep *sweep);     /* the file as read, borrowed */
const char *ebr_sweep_folder(const ebr_sweep *sweep);   /* where data.file starts from: "." or a path, borrowed */

int64_t ebr_sweep_count(const ebr_sweep *sweep);
uint64_t ebr_sweep_id(const ebr_sweep *sweep, int64_t run);
/* Run [0, count) in the order of the file: the first axis varies slowest. */
void ebr_sweep_run(const ebr_sweep *sweep, int64_t run, ebr_config *config);

/* The axes, for tables and the results file: every parameter that an axis sets, in the file's order. */
int ebr_sweep_axis_count(const ebr_sweep *sweep);
int ebr_sweep_axis_parameter(const ebr_sweep *sweep, int axis); /* index into the parameter table */

/* The reference of all parameters as text for a terminal, or as the Markdown page. */
EBR_FALLIBLE ebr_parameters_describe(bool markdown, ebr_text *text);

#endif
