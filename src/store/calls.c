#include "store/calls.h"

#include <stdio.h>
#include <string.h>

static herr_t keep_innermost(unsigned depth, const H5E_error2_t *entry, void *context)
{
  char *reason = context;
  if (depth == 0 && entry->desc) snprintf(reason, 512, "%s", entry->desc);
  return 0;
}

/* The drivers say "..., error message = 'No space left on device', ...". */
static const char *system_reason(char *reason)
{
  char *start = strstr(reason, "error message = '");
  if (!start) return reason;
  start += strlen("error message = '");
  start[strcspn(start, "'")] = 0;
  return start;
}

ebr_error *ebr_hdf5_error(const char *path, const char *call, const char *file, int line)
{
  char reason[512] = "no reason given";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, reason);
  H5Eclear2(H5E_DEFAULT);
  const char *routine = strstr(call, "H5");
  if (!routine) routine = call;
  return ebr_error_create(EBR_FILE, file, line, "%s: %.*s failed: %s", path, (int)strcspn(routine, "("), routine,
                          system_reason(reason));
}

void ebr_hdf5_quiet(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

void ebr_hdf5_release(hid_t *id)
{
  if (*id > 0) H5Idec_ref(*id);
  *id = -1;
}

ebr_error *ebr_hdf5_access(const char *path, hid_t *access)
{
  ebr_error *error = NULL;
  ebr_hdf5_quiet();
  EBR_TRY_HDF5(path, *access = H5Pcreate(H5P_FILE_ACCESS));
#if H5_VERSION_GE(1, 10, 7)
  EBR_TRY_HDF5(path, H5Pset_file_locking(*access, false, true));
#endif
done:
  return error;
}

ebr_error *ebr_hdf5_text_type(const char *path, size_t size, hid_t *type)
{
  ebr_error *error = NULL;
  EBR_TRY_HDF5(path, *type = H5Tcopy(H5T_C_S1));
  EBR_TRY_HDF5(path, H5Tset_size(*type, size ? size : 1));
  EBR_TRY_HDF5(path, H5Tset_strpad(*type, H5T_STR_NULLPAD));
  EBR_TRY_HDF5(path, H5Tset_cset(*type, H5T_CSET_UTF8));
done:
  return error;
}

ebr_error *ebr_hdf5_write_text(const char *path, hid_t object, const char *name, const char *value)
{
  ebr_error *error = NULL;
  hid_t type = -1, space = -1, attribute = -1;
  EBR_TRY(ebr_hdf5_text_type(path, strlen(value), &type));
  EBR_TRY_HDF5(path, space = H5Screate(H5S_SCALAR));
  EBR_TRY_HDF5(path, attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT));
  EBR_TRY_HDF5(path, H5Awrite(attribute, type, value));
done:
  ebr_hdf5_release(&attribute);
  ebr_hdf5_release(&space);
  ebr_hdf5_release(&type);
  return error;
}

ebr_error *ebr_hdf5_write_integer(const char *path, hid_t object, const char *name, int value)
{
  ebr_error *error = NULL;
  hid_t space = -1, attribute = -1;
  EBR_TRY_HDF5(path, space = H5Screate(H5S_SCALAR));
  EBR_TRY_HDF5(path, attribute = H5Acreate2(object, name, H5T_NATIVE_INT32, space, H5P_DEFAULT, H5P_DEFAULT));
  EBR_TRY_HDF5(path, H5Awrite(attribute, H5T_NATIVE_INT, &value));
done:
  ebr_hdf5_release(&attribute);
  ebr_hdf5_release(&space);
  return error;
}
