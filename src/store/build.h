/* Building a results file: beside the old one, from a sweep and what the old one holds, then renamed over it. A file is
 * never seen half-made. One rank does this, with serial HDF5. */
#ifndef EBR_STORE_BUILD_H
#define EBR_STORE_BUILD_H

#include "store/results.h"
#include "store/series.h"

/* One dataset of /curves or /spectra. */
typedef struct ebr_series {
  char name[64], unit[16], meaning[160];
  bool spectrum;                /* three-dimensional, in /spectra */
  int points, values;           /* as they will be */
  int old_points, old_values;   /* as the old file has them; 0 = it has no such dataset */
} ebr_series;

typedef struct ebr_build {
  const char *path;
  const ebr_sweep *sweep;
  const char *command;
  int ranks;
  const ebr_results *old; /* or NULL */
  ebr_layout layout;
  ebr_series *series;
  int series_count;
  /* Rows of the new file: the sweep's runs in its order, then old runs that it lacks. */
  int64_t count;
  int64_t *source; /* (count) row of the old file, or -1 */
} ebr_build;

/* Works out what the file should hold. old is borrowed. */
EBR_FALLIBLE ebr_build_plan(const char *path, const ebr_sweep *sweep, const ebr_schema *schema, const ebr_results *old,
                            ebr_build *build);
void ebr_build_release(ebr_build *build);
/* Does the old file hold all that already? */
bool ebr_build_needed(const ebr_build *build);
/* How many of the sweep's runs the old file has. */
int64_t ebr_build_common(const ebr_build *build);
EBR_FALLIBLE ebr_build_write(const ebr_build *build);

/* ---- its parts --------------------------------------------------------------------------------------------------- */

EBR_FALLIBLE ebr_series_plan(const char *path, const ebr_schema *schema, const ebr_results *old, ebr_series **series,
                             int *count);
/* Adds what the file at path has, and makes it the old file of all. series grows (free). */
EBR_FALLIBLE ebr_series_add_file(const char *path, ebr_series **series, int *count);
/* The dataset's path inside the file. */
void ebr_series_path(const ebr_series *series, char path[80]);
/* Empty datasets, and then the old file's values in them; NaN where it has none. */
EBR_FALLIBLE ebr_series_create(const ebr_build *build, hid_t file);
EBR_FALLIBLE ebr_series_fill(const ebr_build *build, hid_t file, hid_t old);
/* Rows [start, start + count) of /runs, which the file holds as they are in memory. */
EBR_FALLIBLE ebr_rows_write(const char *path, hid_t file, hid_t runs, size_t stride, int64_t start, int64_t count,
                            const unsigned char *rows);
EBR_FALLIBLE ebr_rows_fill(const ebr_build *build, hid_t runs, hid_t file);
EBR_FALLIBLE ebr_provenance_write(const ebr_build *build, hid_t file);
/* Overwrites the attribute `finished` with the present time. */
EBR_FALLIBLE ebr_provenance_finish(const char *path);
/* Writes a file beside path, by fill, and renames it over path. Nothing is left behind an error. */
typedef struct ebr_replacement {
  const char *path;
  const ebr_layout *layout; /* of /runs */
  bool holds_results;       /* which must be on the disk before the rename */
  ebr_error *(*fill)(const void *context, hid_t file);
  const void *context;
} ebr_replacement;
EBR_FALLIBLE ebr_file_replace(const ebr_replacement *wanted);
/* EBR_FILE where the disk has no room for what the file will be, once all its datasets are allocated. */
EBR_FALLIBLE ebr_file_reserve(const char *path, hid_t file);
/* A dataset that is allocated when it is created and never filled. */
EBR_FALLIBLE ebr_dataset_create(const char *path, hid_t file, const char *name, hid_t type, int rank,
                                const hsize_t *extent, hid_t *dataset);
/* /axes/<name>: the distinct values, in order of first appearance. */
typedef struct ebr_axes ebr_axes;
EBR_FALLIBLE ebr_axes_create(const ebr_layout *layout, ebr_axes **axes);
void ebr_axes_destroy(ebr_axes **axes);
EBR_FALLIBLE ebr_axes_see(ebr_axes *axes, const unsigned char *row);
EBR_FALLIBLE ebr_axes_write(const ebr_axes *axes, const char *path, hid_t file);

#endif
