#include "store/build.h"

#include <ebrsweep/commit.h>
#include <ebrsweep/parallel.h>

#include <petscversion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The oldest HDF5 format holds attributes below 64 KiB. */
enum { ATTRIBUTE_MOST = 60000, TIME_LENGTH = 20 };

static void time_text(char text[TIME_LENGTH + 1])
{
  time_t now = (time_t)ebr_clock_wall();
  struct tm utc;
  gmtime_r(&now, &utc);
  strftime(text, TIME_LENGTH + 1, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static void processor_name(char *name, size_t capacity)
{
  char line[512];
  snprintf(name, capacity, "unknown");
  FILE *file = fopen("/proc/cpuinfo", "r");
  if (!file) return;
  while (fgets(line, sizeof line, file)) {
    if (strncmp(line, "model name", 10) != 0 || !strchr(line, ':')) continue;
    const char *start = strchr(line, ':') + 1;
    start += strspn(start, " \t");
    snprintf(name, capacity, "%.*s", (int)strcspn(start, "\n"), start);
    break;
  }
  fclose(file);
}

static void mpi_name(char *name, size_t capacity)
{
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(text, &length);
  snprintf(name, capacity, "%.*s", (int)strcspn(text, ",\n"), text);
}

static ebr_error *write_cut(const char *path, hid_t file, const char *name, const char *value)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  EBR_TRY(ebr_text_add(&text, "%.*s", ATTRIBUTE_MOST, value));
  EBR_TRY(ebr_hdf5_write_text(path, file, name, text.data));
done:
  ebr_text_destroy(&text);
  return error;
}

static ebr_error *write_sweep(const char *path, hid_t file, const char *text)
{
  ebr_error *error = NULL;
  hid_t type = -1, space = -1, dataset = -1;
  if (strlen(text) <= ATTRIBUTE_MOST) return ebr_hdf5_write_text(path, file, "sweep", text);
  EBR_TRY(ebr_hdf5_text_type(path, strlen(text), &type));
  EBR_TRY_HDF5(path, space = H5Screate(H5S_SCALAR));
  EBR_TRY_HDF5(path, dataset = H5Dcreate2(file, "sweep", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  EBR_TRY_HDF5(path, H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text));
done:
  ebr_hdf5_release(&dataset);
  ebr_hdf5_release(&space);
  ebr_hdf5_release(&type);
  return error;
}

static ebr_error *write_software(const char *path, hid_t file)
{
  ebr_error *error = NULL;
  char text[256], hdf5[64];
  unsigned version[3] = {0};
  H5get_libversion(&version[0], &version[1], &version[2]);
  snprintf(hdf5, sizeof hdf5, "%u.%u.%u", version[0], version[1], version[2]);
  mpi_name(text, sizeof text);
  EBR_TRY(ebr_hdf5_write_text(path, file, "version", EBR_VERSION));
  EBR_TRY(ebr_hdf5_write_text(path, file, "commit", EBR_COMMIT));
  EBR_TRY(ebr_hdf5_write_text(path, file, "compiler", EBR_COMPILER));
  EBR_TRY(ebr_hdf5_write_text(path, file, "compiler_flags", EBR_COMPILER_FLAGS));
  EBR_TRY(ebr_hdf5_write_text(path, file, "build_type", EBR_BUILD_TYPE));
  EBR_TRY(ebr_hdf5_write_text(path, file, "training_scalar", sizeof(ebr_real) == 8 ? "float64" : "float32"));
  EBR_TRY(ebr_hdf5_write_text(path, file, "mpi", text));
  EBR_TRY(ebr_hdf5_write_text(path, file, "hdf5", hdf5));
  EBR_TRY(ebr_hdf5_write_text(path, file, "blas_kernel", ebr_blas_prepare()));
  snprintf(text, sizeof text, "%d.%d.%d", PETSC_VERSION_MAJOR, PETSC_VERSION_MINOR, PETSC_VERSION_SUBMINOR);
  EBR_TRY(ebr_hdf5_write_text(path, file, "petsc", text));
done:
  return error;
}

static ebr_error *write_machine(const ebr_build *build, hid_t file)
{
  ebr_error *error = NULL;
  char text[256] = "", now[TIME_LENGTH + 1];
  const char *started = build->old ? ebr_results_text(build->old, "started") : "";
  gethostname(text, sizeof text - 1);
  EBR_TRY(ebr_hdf5_write_text(build->path, file, "host", text));
  processor_name(text, sizeof text);
  EBR_TRY(ebr_hdf5_write_text(build->path, file, "processor", text));
  EBR_TRY(ebr_hdf5_write_integer(build->path, file, "ranks", build->ranks));
  EBR_TRY(write_cut(build->path, file, "command", build->command));
  time_text(now);
  EBR_TRY(ebr_hdf5_write_text(build->path, file, "started", started[0] ? started : now));
  /* As long as a time, so that ebr_provenance_finish finds room. */
  EBR_TRY(ebr_hdf5_write_text(build->path, file, "finished", "not finished        "));
done:
  return error;
}

ebr_error *ebr_provenance_write(const ebr_build *build, hid_t file)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_hdf5_write_integer(build->path, file, "format", EBR_STORE_FORMAT));
  EBR_TRY(write_cut(build->path, file, "name", ebr_sweep_name(build->sweep)));
  EBR_TRY(write_cut(build->path, file, "question", ebr_sweep_question(build->sweep)));
  EBR_TRY(write_sweep(build->path, file, ebr_sweep_text(build->sweep)));
  EBR_TRY(write_software(build->path, file));
  EBR_TRY(write_machine(build, file));
done:
  return error;
}

ebr_error *ebr_provenance_finish(const char *path)
{
  ebr_error *error = NULL;
  hid_t access = -1, file = -1, attribute = -1, type = -1;
  char now[TIME_LENGTH + 1];
  time_text(now);
  EBR_TRY(ebr_hdf5_access(path, &access));
  EBR_TRY_HDF5(path, file = H5Fopen(path, H5F_ACC_RDWR, access));
  EBR_TRY_HDF5(path, attribute = H5Aopen(file, "finished", H5P_DEFAULT));
  EBR_TRY_HDF5(path, type = H5Aget_type(attribute));
  EBR_TRY_HDF5(path, H5Awrite(attribute, type, now));
done:
  ebr_hdf5_release(&type);
  ebr_hdf5_release(&attribute);
  ebr_hdf5_release(&access);
  if (file >= 0 && H5Fclose(file) < 0 && !error) error = ebr_hdf5_error(path, "H5Fclose(", __FILE__, __LINE__);
  return error;
}
