#include "store/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

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
ebr_error *ebr_file_reserve(const char *path, hid_t file)
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
static ebr_error *create_file(const char *path, const ebr_layout *layout, const char *fresh, hid_t *file)
{
  ebr_error *error = NULL;
  hid_t access = -1;
  const size_t most = 65000; /* 64 KiB less what else the message holds */
  EBR_CHECK(description_bytes(layout, false) <= most, EBR_RESULTS,
            "%s: %d columns are more than an HDF5 file can describe in one row: measure less", path, layout->count);
  EBR_TRY(ebr_hdf5_access(fresh, &access));
  if (description_bytes(layout, true) > most)
    EBR_TRY_HDF5(fresh, H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_LATEST));
  EBR_TRY_HDF5(fresh, *file = H5Fcreate(fresh, H5F_ACC_TRUNC, H5P_DEFAULT, access));
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

static ebr_error *write_beside(const ebr_replacement *wanted, const char *fresh)
{
  ebr_error *error = NULL;
  hid_t file = -1;
  EBR_TRY(create_file(wanted->path, wanted->layout, fresh, &file));
  EBR_TRY(wanted->fill(wanted->context, file));
  EBR_TRY_HDF5(fresh, H5Fflush(file, H5F_SCOPE_LOCAL));
done:
  if (file >= 0 && error) abandon(file);
  if (file >= 0 && !error && H5Fclose(file) < 0) error = ebr_hdf5_error(fresh, "H5Fclose(", __FILE__, __LINE__);
  return error;
}

ebr_error *ebr_file_replace(const ebr_replacement *wanted)
{
  ebr_error *error = NULL;
  size_t size = strlen(wanted->path) + sizeof ".new";
  char *fresh = malloc(size);
  EBR_CHECK_MEMORY(fresh, "a path");
  snprintf(fresh, size, "%s.new", wanted->path);
  EBR_TRY(write_beside(wanted, fresh));
  if (wanted->holds_results) EBR_TRY(flush_to_disk(fresh));
  EBR_CHECK(rename(fresh, wanted->path) == 0, EBR_FILE, "%s: cannot be replaced: %s", wanted->path, strerror(errno));
done:
  if (error && fresh) unlink(fresh);
  free(fresh);
  return error;
}
