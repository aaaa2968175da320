#include "store/calls.h"

#include <ebrsweep/store.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Collective. rows x cols numbers, of which this rank has `count` rows from `first` on. */
static ebr_error *write_rows(const char *path, hid_t file, const char *name, const char *meaning, int rows, int cols,
                             int first, int count, const double *values)
{
  ebr_error *error = NULL;
  hid_t space = -1, memory = -1, set = -1;
  hsize_t size[2] = {(hsize_t)rows, (hsize_t)cols}, start[2] = {(hsize_t)first, 0};
  hsize_t extent[2] = {(hsize_t)count, (hsize_t)cols};
  EBR_TRY_HDF5(path, space = H5Screate_simple(cols > 0 ? 2 : 1, size, NULL));
  EBR_TRY_HDF5(path, memory = H5Screate_simple(cols > 0 ? 2 : 1, extent, NULL));
  EBR_TRY_HDF5(path, set = H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  EBR_TRY(ebr_hdf5_write_text(path, set, "meaning", meaning));
  if (count > 0) {
    EBR_TRY_HDF5(path, H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, extent, NULL));
  } else {
    EBR_TRY_HDF5(path, H5Sselect_none(space));
    EBR_TRY_HDF5(path, H5Sselect_none(memory));
  }
  EBR_TRY_HDF5(path, H5Dwrite(set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, values));
done:
  if (set >= 0 && H5Dclose(set) < 0 && !error) error = ebr_hdf5_error(path, "H5Dclose", __FILE__, __LINE__);
  ebr_hdf5_release(&memory);
  ebr_hdf5_release(&space);
  return error;
}

static ebr_error *create(MPI_Comm comm, const char *path, hid_t *file)
{
  ebr_error *error = NULL;
  hid_t access = -1;
  ebr_hdf5_quiet();
  EBR_TRY_HDF5(path, access = H5Pcreate(H5P_FILE_ACCESS));
  EBR_TRY_HDF5(path, H5Pset_fapl_mpio(access, comm, MPI_INFO_NULL));
  EBR_TRY_HDF5(path, *file = H5Fcreate(path, H5F_ACC_EXCL, H5P_DEFAULT, access));
done:
  ebr_hdf5_release(&access);
  return error;
}

static ebr_error *check_new(const char *path)
{
  ebr_error *error = NULL;
  EBR_CHECK(access(path, F_OK) != 0, EBR_FILE, "%s: exists already, and is left as it is", path);
done:
  return error;
}

ebr_error *ebr_triplets_write(MPI_Comm comm, const char *path, const ebr_triplets *t)
{
  ebr_error *error = NULL;
  hid_t file = -1;
  int rank;
  EBR_TRY_MPI(MPI_Comm_rank(comm, &rank));
  EBR_TRY(ebr_agree(comm, rank == 0 ? check_new(path) : NULL));
  EBR_TRY(ebr_agree(comm, create(comm, path, &file)));
  EBR_TRY(ebr_agree(comm, write_rows(path, file, "/singular_values", "Descending", t->count, 0, 0,
                                     rank == 0 ? t->count : 0, t->singular)));
  EBR_TRY(ebr_agree(comm, write_rows(path, file, "/left", "(rows x values): column k belongs to value k", t->rows,
                                     t->count, t->row_first, t->row_count, t->left)));
  EBR_TRY(ebr_agree(comm, write_rows(path, file, "/right", "(cols x values): column k belongs to value k", t->cols,
                                     t->count, t->col_first, t->col_count, t->right)));
done:
  if (file >= 0 && H5Fclose(file) < 0 && !error) error = ebr_hdf5_error(path, "H5Fclose", __FILE__, __LINE__);
  return error;
}
