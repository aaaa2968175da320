/* Store: the results file, the only place that writes HDF5 for results. One file a sweep; doc/results.md describes it.
 *
 * Layout: root attributes say what was run and with what; /runs is one compound row a run: id, every parameter by its dotted
 * name, status, reason, times, host, rank, scalar measures; /curves/<name>, /spectra/<name>; /axes. Everything is
 * preallocated before the first run, each row is written by one rank alone, and its status last, so that a kill at any
 * instant leaves a readable file with every finished run intact.
 *
 * Numbers and names only; no opaque types. NaN is "not measured". */
#ifndef EBRSWEEP_STORE_H
#define EBRSWEEP_STORE_H

#include <ebrsweep/measure.h>
#include <ebrsweep/parallel.h>
#include <ebrsweep/spectrum.h>

enum { EBR_STORE_FORMAT = 2 }; /* the newest format version that this code reads, and the one it writes */

typedef enum ebr_status {
  EBR_STATUS_WAITING, /* not begun, or begun and lost */
  EBR_STATUS_RUNNING,
  EBR_STATUS_DONE,
  EBR_STATUS_FAILED,
  EBR_STATUS_REMOVED /* no longer in the sweep file; its results stay */
} ebr_status;
const char *ebr_status_name(ebr_status status);

/* One run's row, beside the parameters. */
typedef struct ebr_row {
  uint64_t id;
  ebr_status status;
  double started, seconds; /* since 1970 [s]; taken [s] */
  int rank;
  char host[32];
  char reason[96]; /* why it failed, else "" */
  uint64_t series; /* checksum of its curves and spectra; 0 = none. ebr_store_write fills it */
} ebr_row;

/* ---- writing (parallel) ------------------------------------------------------------------------------------------ */

typedef struct ebr_store ebr_store;

/* Collective on comm (duplicated). Creates path, or opens it to go on: a file of this sweep's name whose runs are all or
 * partly the sweep's is extended by the new runs (written beside and renamed) and keeps what is done; runs that left the
 * sweep are marked removed. EBR_RESULTS when path is the results of another sweep, of a newer format, or no results file;
 * EBR_FILE when it cannot be written or another job holds it. Nothing is overwritten then. The schema must hold all runs of
 * the sweep. command is recorded. */
EBR_FALLIBLE ebr_store_open(MPI_Comm comm, const char *path, const ebr_sweep *sweep, const ebr_schema *schema,
                            const char *command, ebr_store **store);
/* Collective. Marks the end time; flushes. */
EBR_FALLIBLE ebr_store_close(ebr_store **store);

/* Sweep run index -> is it still to be done? Local, from what was read when opening. Failed runs count as done unless
 * retry_failed. */
bool ebr_store_wanted(const ebr_store *store, int64_t run, bool retry_failed);
/* What the file said of a run when it was opened; runs that were lost in the middle are waiting. Local. */
ebr_status ebr_store_status(const ebr_store *store, int64_t run);
/* Local, independent I/O: results of sweep run `run`; record may be NULL for a failed run. Row first, status last. */
EBR_FALLIBLE ebr_store_write(ebr_store *store, int64_t run, const ebr_config *config, const ebr_row *row,
                             const ebr_record *record);
/* Marks a run as running (and its start), so that status shows it. config: what ebr_sweep_run says of the run. */
EBR_FALLIBLE ebr_store_begin(ebr_store *store, int64_t run, const ebr_config *config, const ebr_row *row);
/* Marks a run as waiting again: a waiting row over whatever the file has. */
EBR_FALLIBLE ebr_store_reset(ebr_store *store, int64_t run);

/* ---- reading (serial, without MPI, also while others write) ------------------------------------------------------ */

typedef struct ebr_results ebr_results;

/* Local. EBR_RESULTS / EBR_FILE with a sentence when the file cannot be read. */
EBR_FALLIBLE ebr_results_open(const char *path, ebr_results **results);
void ebr_results_close(ebr_results **results);

int64_t ebr_results_count(const ebr_results *results);
const char *ebr_results_text(const ebr_results *results, const char *attribute); /* root attribute, "" if absent; borrowed */
/* Columns of /runs, in order: parameters and measures alike. */
int ebr_results_column_count(const ebr_results *results);
const char *ebr_results_column_name(const ebr_results *results, int column);
int ebr_results_column_find(const ebr_results *results, const char *name); /* -1 if there is none */
bool ebr_results_column_is_text(const ebr_results *results, int column);
bool ebr_results_column_is_axis(const ebr_results *results, int column);    /* an axis of the sweep */
bool ebr_results_column_is_measure(const ebr_results *results, int column); /* filled by a measure */
/* One cell: as a number (NaN for text) or as text (numbers are formatted). text is valid until the next call. */
double ebr_results_number(const ebr_results *results, int64_t run, int column);
const char *ebr_results_cell(ebr_results *results, int64_t run, int column);
void ebr_results_row(const ebr_results *results, int64_t run, ebr_row *row);
ebr_status ebr_results_status(const ebr_results *results, int64_t run); /* the row's, and quick */
/* Reads all curves and spectra of finished runs; from then on a run whose series do not fit their checksum counts as
 * waiting, as one whose row is damaged always does. *damaged is how many such runs there are, of either kind. */
EBR_FALLIBLE ebr_results_check(ebr_results *results, int64_t *damaged);
/* Who is writing ("process 123 on node7"), "" if nobody; after a kill -9 the dead until the next job. Borrowed. */
const char *ebr_results_writer(ebr_results *results);
/* Reads everything again, for a watcher. Texts that were borrowed end here. */
EBR_FALLIBLE ebr_results_refresh(ebr_results *results);

/* ---- merging ----------------------------------------------------------------------------------------------------- */

/* Local. Joins results of one sweep's jobs into the new file out, which appears whole or not at all. Every run is in it once,
 * in the order of first mention: as the input that finished it has it, done before failed before waiting. The attributes are
 * those of the first input. runs[status] gets how many there are of each. EBR_RESULTS for inputs of different sweeps, and for
 * a run that two inputs finished differently; EBR_FILE when out exists, unless replace. */
EBR_FALLIBLE ebr_results_merge(const char *out, char *const *in, int count, bool replace, const char *command,
                               int64_t runs[EBR_STATUS_REMOVED + 1]);

/* ---- singular vectors -------------------------------------------------------------------------------------------- */

/* Collective on comm. Creates path with /singular_values, /left and /right. EBR_FILE if it exists. */
EBR_FALLIBLE ebr_triplets_write(MPI_Comm comm, const char *path, const ebr_triplets *triplets);

#endif
