#include "data/plausible.h"
#include "store/results.h"
#include "store/series.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 8 << 20 };

/* ---- one run ----------------------------------------------------------------------------------------------------- */

uint64_t ebr_series_seed(const char *path) { return ebr_hash(path, strlen(path), 0); }

static uint64_t vector_sum(uint64_t seed, const double *values, int length)
{
  while (length > 0 && isnan(values[length - 1])) length--;
  return length > 0 ? ebr_hash(values, (size_t)length * sizeof *values, seed) : 0;
}

uint64_t ebr_series_sum(uint64_t seed, const double *values, int points, int lengths)
{
  uint64_t sum = 0;
  if (lengths == 1) return vector_sum(seed, values, points);
  for (int point = 0; point < points; point++)
    sum += vector_sum(seed + (uint64_t)point, values + (size_t)point * (size_t)lengths, lengths);
  return sum;
}

/* ---- a whole file ------------------------------------------------------------------------------------------------ */

typedef struct checking {
  const ebr_results *results;
  uint64_t *sum; /* (count) of the series as they are */
  double *block;
} checking;

/* Runs that have series which somebody signed. */
static bool signed_run(const ebr_results *results, int64_t run, uint64_t *series)
{
  ebr_row state;
  ebr_row_get(&results->layout, ebr_results_bytes(results, run), &state);
  *series = state.series;
  return state.series != 0 && ebr_row_intact(&results->layout, ebr_results_bytes(results, run));
}

/* One dataset, whose rows are points x lengths. */
static ebr_error *add_blocks(checking *c, const char *name, hid_t dataset, hid_t space, int points, int lengths)
{
  ebr_error *error = NULL;
  hid_t memory = -1;
  uint64_t seed = ebr_series_seed(name), unused;
  size_t per_run = (size_t)points * (size_t)lengths;
  int64_t most = (int64_t)(BLOCK_BYTES / (per_run * sizeof(double))) + 1;
  if (most > c->results->count) most = c->results->count;
  c->block = malloc((size_t)most * per_run * sizeof *c->block);
  EBR_CHECK_MEMORY(c->block, name);
  for (int64_t first = 0; first < c->results->count; first += most) {
    int64_t count = c->results->count - first < most ? c->results->count - first : most;
    hsize_t start[3] = {(hsize_t)first}, extent[3] = {(hsize_t)count, (hsize_t)points, (hsize_t)lengths};
    int rank = H5Sget_simple_extent_ndims(space);
    EBR_TRY_HDF5(c->results->path, H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, extent, NULL));
    EBR_TRY_HDF5(c->results->path, memory = H5Screate_simple(rank, extent, NULL));
    EBR_TRY_HDF5(c->results->path, H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, c->block));
    ebr_hdf5_release(&memory);
    for (int64_t i = 0; i < count; i++)
      if (signed_run(c->results, first + i, &unused))
        c->sum[first + i] += ebr_series_sum(seed, c->block + (size_t)i * per_run, points, lengths);
  }
done:
  ebr_hdf5_release(&memory);
  free(c->block);
  c->block = NULL;
  return error;
}

static ebr_error *add_dataset(checking *c, hid_t file, const char *name)
{
  ebr_error *error = NULL;
  hid_t dataset = -1, space = -1;
  hsize_t extent[3] = {0, 1, 1};
  const char *path = c->results->path;
  EBR_TRY_HDF5(path, dataset = H5Dopen2(file, name, H5P_DEFAULT));
  EBR_TRY_HDF5(path, space = H5Dget_space(dataset));
  int rank = H5Sget_simple_extent_ndims(space);
  if (rank == 2 || rank == 3) H5Sget_simple_extent_dims(space, extent, NULL);
  EBR_CHECK((rank == 2 || rank == 3) && (int64_t)extent[0] == c->results->count, EBR_RESULTS,
            "%s: is damaged: %s has not one row a run", path, name);
  EBR_TRY(ebr_plausible_dataset(EBR_RESULTS, path, name, dataset));
  EBR_CHECK(extent[1] <= INT_MAX && extent[2] <= INT_MAX, EBR_RESULTS, "%s: is damaged: %s has rows of %llu x %llu", path,
            name, (unsigned long long)extent[1], (unsigned long long)extent[2]);
  if (extent[0] * extent[1] * extent[2] > 0) EBR_TRY(add_blocks(c, name, dataset, space, (int)extent[1], (int)extent[2]));
done:
  ebr_hdf5_release(&space);
  ebr_hdf5_release(&dataset);
  return error;
}

static ebr_error *add_group(checking *c, hid_t file, const char *group_name)
{
  ebr_error *error = NULL;
  hid_t group = -1;
  H5G_info_t about = {0};
  char name[64], full[80];
  const char *path = c->results->path;
  if (H5Lexists(file, group_name, H5P_DEFAULT) <= 0) goto done;
  EBR_TRY_HDF5(path, group = H5Gopen2(file, group_name, H5P_DEFAULT));
  EBR_TRY_HDF5(path, H5Gget_info(group, &about));
  for (hsize_t i = 0; i < about.nlinks; i++) {
    EBR_TRY_HDF5(path, H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT));
    snprintf(full, sizeof full, "%s/%s", group_name, name);
    EBR_TRY(add_dataset(c, file, full));
  }
done:
  ebr_hdf5_release(&group);
  return error;
}

static int64_t compare(checking *c, bool *damaged)
{
  int64_t found = 0;
  uint64_t series;
  ebr_row state;
  for (int64_t run = 0; run < c->results->count; run++) {
    const unsigned char *row = ebr_results_bytes(c->results, run);
    ebr_row_get(&c->results->layout, row, &state);
    damaged[run] = signed_run(c->results, run, &series) && series != c->sum[run];
    bool finished = state.status == EBR_STATUS_DONE || state.status == EBR_STATUS_FAILED;
    found += damaged[run] || (finished && !ebr_row_intact(&c->results->layout, row));
  }
  return found;
}

ebr_error *ebr_results_check(ebr_results *results, int64_t *damaged)
{
  ebr_error *error = NULL;
  hid_t access = -1, file = -1;
  bool *flag = calloc((size_t)results->count + 1, sizeof *flag);
  checking c = {results, calloc((size_t)results->count + 1, sizeof *c.sum), NULL};
  EBR_CHECK(flag && c.sum, EBR_MEMORY, "no memory for the checksums of %lld runs", (long long)results->count);
  EBR_TRY(ebr_hdf5_access(results->path, &access));
  EBR_TRY_HDF5(results->path, file = H5Fopen(results->path, H5F_ACC_RDONLY, access));
  EBR_TRY(add_group(&c, file, "curves"));
  EBR_TRY(add_group(&c, file, "spectra"));
  *damaged = compare(&c, flag);
  free(results->damaged);
  results->damaged = flag;
  flag = NULL;
done:
  if (file >= 0) H5Fclose(file);
  ebr_hdf5_release(&access);
  free(c.sum);
  free(flag);
  return error;
}
