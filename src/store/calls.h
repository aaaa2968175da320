/* HDF5 calls with errors that carry the path and, where HDF5 knows it, the system's reason. HDF5 prints nothing itself. */
#ifndef EBR_STORE_CALLS_H
#define EBR_STORE_CALLS_H

#include <ebrsweep/base.h>

#include <hdf5.h>

/* For calls that answer something negative when they fail; an assignment may stand inside. */
#define EBR_TRY_HDF5(path, call)                                     \
  do {                                                               \
    if ((call) < 0) {                                                \
      error = ebr_hdf5_error((path), #call, __FILE__, __LINE__);     \
      EBR_LEAVE;                                                     \
    }                                                                \
  } while (0)

/* EBR_FILE: `path: H5Dwrite failed: No space left on device`. */
EBR_FALLIBLE ebr_hdf5_error(const char *path, const char *call, const char *file, int line);
/* Ends HDF5's own printing. */
void ebr_hdf5_quiet(void);
/* Closes whatever *id names, if anything, and sets it to -1. Not for files that were written: those can fail. */
void ebr_hdf5_release(hid_t *id);
/* Serial access without HDF5's file locks: others may read while one job writes, and lock.h keeps other jobs out. */
EBR_FALLIBLE ebr_hdf5_access(const char *path, hid_t *access);

/* A fixed-length UTF-8 text type of size bytes. */
EBR_FALLIBLE ebr_hdf5_text_type(const char *path, size_t size, hid_t *type);
/* A scalar text attribute. */
EBR_FALLIBLE ebr_hdf5_write_text(const char *path, hid_t object, const char *name, const char *value);
EBR_FALLIBLE ebr_hdf5_write_integer(const char *path, hid_t object, const char *name, int value);

#endif
