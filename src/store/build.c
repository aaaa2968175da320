#include "store/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- planning ---------------------------------------------------------------------------------------------------- */

typedef struct identified {
  uint64_t id;
  int64_t row;
} identified;

static int by_id(const void *left, const void *right)
{
  const identified *a = left, *b = right;
  return a->id < b->id ? -1 : a->id > b->id;
}

static ebr_error *sort_ids(const ebr_results *old, identified **ids)
{
  ebr_error *error = NULL;
  *ids = malloc(((size_t)old->count + 1) * sizeof **ids);
  EBR_CHECK(*ids, EBR_MEMORY, "no memory for the ids of %lld runs", (long long)old->count);
  for (int64_t row = 0; row < old->count; row++)
    (*ids)[row] = (identified){ebr_row_id(&old->layout, ebr_results_bytes(old, row)), row};
  qsort(*ids, (size_t)old->count, sizeof **ids, by_id);
done:
  return error;
}

static ebr_error *match_rows(ebr_build *build)
{
  ebr_error *error = NULL;
  identified *ids = NULL;
  bool *kept = NULL;
  int64_t runs = ebr_sweep_count(build->sweep), old_count = build->old ? build->old->count : 0;
  build->count = runs;
  build->source = malloc((size_t)(runs + old_count) * sizeof *build->source);
  kept = calloc((size_t)old_count + 1, sizeof *kept);
  EBR_CHECK(build->source && kept, EBR_MEMORY, "no memory for a list of %lld runs", (long long)(runs + old_count));
  if (build->old) EBR_TRY(sort_ids(build->old, &ids));
  for (int64_t run = 0; run < runs; run++) {
    identified wanted = {ebr_sweep_id(build->sweep, run), 0};
    const identified *found = ids ? bsearch(&wanted, ids, (size_t)old_count, sizeof *ids, by_id) : NULL;
    build->source[run] = found ? found->row : -1;
    if (found) kept[found->row] = true;
  }
  for (int64_t row = 0; row < old_count; row++)
    if (!kept[row]) build->source[build->count++] = row;
done:
  free(kept);
  free(ids);
  return error;
}

ebr_error *ebr_build_plan(const char *path, const ebr_sweep *sweep, const ebr_schema *schema, const ebr_results *old,
                          ebr_build *build)
{
  ebr_error *error = NULL;
  *build = (ebr_build){.path = path, .sweep = sweep, .old = old};
  EBR_TRY(ebr_layout_plan(sweep, schema, &build->layout));
  if (old) EBR_TRY(ebr_layout_merge(&build->layout, &old->layout, path));
  EBR_TRY(ebr_series_plan(path, schema, old, &build->series, &build->series_count));
  EBR_TRY(match_rows(build));
done:
  return error;
}

void ebr_build_release(ebr_build *build)
{
  ebr_layout_destroy(&build->layout);
  free(build->series);
  free(build->source);
  *build = (ebr_build){0};
}

int64_t ebr_build_common(const ebr_build *build)
{
  int64_t common = 0;
  for (int64_t run = 0; run < ebr_sweep_count(build->sweep); run++) common += build->source[run] >= 0;
  return common;
}

static bool rows_fit(const ebr_build *build)
{
  ebr_row state;
  int64_t runs = ebr_sweep_count(build->sweep);
  if (ebr_build_common(build) < runs) return false;
  for (int64_t row = 0; row < build->count; row++) {
    ebr_row_get(&build->old->layout, ebr_results_bytes(build->old, build->source[row]), &state);
    if ((state.status == EBR_STATUS_REMOVED) != (row >= runs)) return false;
  }
  return true;
}

bool ebr_build_needed(const ebr_build *build)
{
  /* Another tool may have repacked the file; rows that cannot be mapped cannot be written in place either. */
  if (!build->old || !build->old->map || !ebr_layout_same(&build->layout, &build->old->layout)) return true;
  for (int i = 0; i < build->series_count; i++)
    if (build->series[i].points != build->series[i].old_points ||
        build->series[i].values != build->series[i].old_values)
      return true;
  return !rows_fit(build);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

ebr_error *ebr_dataset_create(const char *path, hid_t file, const char *name, hid_t type, int rank,
                              const hsize_t *extent, hid_t *dataset)
{
  ebr_error *error = NULL;
  hid_t space = -1, properties = -1;
  EBR_TRY_HDF5(path, space = H5Screate_simple(rank, extent, NULL));
  EBR_TRY_HDF5(path, properties = H5Pcreate(H5P_DATASET_CREATE));
  EBR_TRY_HDF5(path, H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY));
  EBR_TRY_HDF5(path, H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER));
  EBR_TRY_HDF5(path, *dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT));
done:
  ebr_hdf5_release(&properties);
  ebr_hdf5_release(&space);
  return error;
}

/* A disk that is too small shall be known before the first run, not after the last. */
static ebr_error *reserve(const char *path, hid_t file)
{
  ebr_error *error = NULL;
  hsize_t bytes = 0;
  void *handle = NULL;
  EBR_TRY_HDF5(path, H5Fget_filesize(file, &bytes));
  EBR_TRY_HDF5(path, H5Fget_vfd_handle(file, H5P_DEFAULT, &handle));
  if (fallocate(*(int *)handle, 0, 0, (off_t)bytes) != 0)
    EBR_CHECK(errno != ENOSPC && errno != EDQUOT && errno != EFBIG, EBR_FILE, "%s: no room for its %.3f GB: %s", path,
              1e-9 * (double)bytes, strerror(errno));
done:
  return error;
}

/* What the description of a row takes in an object header, by HDF5's file format specification, IV.A.2.d: compound
 * members of version 1 (HDF5 of any age) carry 32 bytes beside name and type, those of version 3 (HDF5 1.8 on) only an
 * offset. */
static size_t description_bytes(const ebr_layout *layout, bool oldest)
{
  size_t bytes = 8;
  for (int i = 0; i < layout->count; i++) {
    size_t name = strlen(layout->field[i].name) + 1;
    static const size_t type[] = {[EBR_TYPE_TEXT] = 8,    [EBR_TYPE_INT32] = 12, [EBR_TYPE_INT64] = 12,
                                  [EBR_TYPE_UINT64] = 12, [EBR_TYPE_REAL] = 20,  [EBR_TYPE_BOOL] = 40};
    bytes += type[layout->field[i].type] + (oldest ? (name + 7) / 8 * 8 + 32 : name + 4);
  }
  return bytes;
}

/* Asked first: HDF5 1.10 does not survive finding out by itself. */
static ebr_error *create_file(const ebr_build *build, const char *fresh, hid_t *file)
{
  ebr_error *error = NULL;
  hid_t access = -1;
  const size_t most = 65000; /* 64 KiB less what else the message holds */
  EBR_CHECK(description_bytes(&build->layout, false) <= most, EBR_RESULTS,
            "%s: %d columns are more than an HDF5 file can describe in one row: measure less", build->path,
            build->layout.count);
  EBR_TRY(ebr_hdf5_access(fresh, &access));
  if (description_bytes(&build->layout, true) > most)
    EBR_TRY_HDF5(fresh, H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_LATEST));
  EBR_TRY_HDF5(fresh, *file = H5Fcreate(fresh, H5F_ACC_TRUNC, H5P_DEFAULT, access));
done:
  ebr_hdf5_release(&access);
  return error;
}

static ebr_error *fill(const ebr_build *build, hid_t file, hid_t old)
{
  ebr_error *error = NULL;
  hid_t type = -1, runs = -1;
  hsize_t count = (hsize_t)build->count;
  EBR_TRY(ebr_provenance_write(build, file));
  EBR_TRY(ebr_layout_write_columns(&build->layout, build->path, file));
  EBR_TRY(ebr_layout_type(&build->layout, build->path, &type));
  EBR_TRY(ebr_dataset_create(build->path, file, "runs", type, 1, &count, &runs));
  EBR_TRY(ebr_series_create(build, file));
  EBR_TRY(reserve(build->path, file));
  EBR_TRY(ebr_rows_fill(build, runs, type, file));
  if (build->old) EBR_TRY(ebr_series_fill(build, file, old));
done:
  ebr_hdf5_release(&runs);
  ebr_hdf5_release(&type);
  return error;
}

static ebr_error *open_old(const ebr_build *build, hid_t *old)
{
  ebr_error *error = NULL;
  hid_t access = -1;
  if (!build->old) goto done;
  EBR_TRY(ebr_hdf5_access(build->path, &access));
  EBR_TRY_HDF5(build->path, *old = H5Fopen(build->path, H5F_ACC_RDONLY, access));
done:
  ebr_hdf5_release(&access);
  return error;
}

/* Results that a rename replaces must be on the disk first. */
static ebr_error *flush_to_disk(const char *path)
{
  ebr_error *error = NULL;
  int file = open(path, O_RDWR | O_CLOEXEC);
  EBR_CHECK(file >= 0 && fsync(file) == 0, EBR_FILE, "%s: %s", path, strerror(errno));
done:
  if (file >= 0) close(file);
  return error;
}

/* A file that HDF5 1.10 cannot flush, since the disk is full, it cannot close either, and then it brings the process
 * down at its end. So what it still holds goes to memory, and is dropped. */
static void abandon(hid_t file)
{
  void *handle = NULL;
  struct rlimit before, most;
  int room = memfd_create("ebrsweep", MFD_CLOEXEC);
  bool limited = getrlimit(RLIMIT_FSIZE, &before) == 0 && before.rlim_cur != before.rlim_max;
  most = (struct rlimit){before.rlim_max, before.rlim_max};
  if (limited) setrlimit(RLIMIT_FSIZE, &most);
  if (room >= 0 && H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0) dup2(room, *(int *)handle);
  H5Fclose(file);
  if (room >= 0) close(room);
  if (limited) setrlimit(RLIMIT_FSIZE, &before);
}

static ebr_error *write_beside(const ebr_build *build, const char *fresh)
{
  ebr_error *error = NULL;
  hid_t file = -1, old = -1;
  EBR_TRY(open_old(build, &old));
  EBR_TRY(create_file(build, fresh, &file));
  EBR_TRY(fill(build, file, old));
  EBR_TRY_HDF5(fresh, H5Fflush(file, H5F_SCOPE_LOCAL));
done:
  if (old >= 0) H5Fclose(old);
  if (file >= 0 && error) abandon(file);
  if (file >= 0 && !error && H5Fclose(file) < 0) error = ebr_hdf5_error(fresh, "H5Fclose(", __FILE__, __LINE__);
  return error;
}

ebr_error *ebr_build_write(const ebr_build *build)
{
  ebr_error *error = NULL;
  size_t size = strlen(build->path) + sizeof ".new";
  char *fresh = malloc(size);
  EBR_CHECK_MEMORY(fresh, "a path");
  snprintf(fresh, size, "%s.new", build->path);
  EBR_TRY(write_beside(build, fresh));
  if (build->old) EBR_TRY(flush_to_disk(fresh));
  EBR_CHECK(rename(fresh, build->path) == 0, EBR_FILE, "%s: cannot be replaced: %s", build->path, strerror(errno));
done:
  if (error && fresh) unlink(fresh);
  free(fresh);
  return error;
}
