#include "data/field.h"

#include "data/plausible.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ebr_error *check_readable(const char *path)
{
  ebr_error *error = NULL;
  struct stat about;
  EBR_CHECK(stat(path, &about) == 0 && access(path, R_OK) == 0, EBR_DATA,
            "%s: %s (data.file is relative to the sweep file's folder)", path, strerror(errno));
  EBR_CHECK(S_ISREG(about.st_mode), EBR_DATA, "%s: is no file that could be a dataset", path);
done:
  return error;
}

ebr_error *ebr_source_open(const char *path, ebr_source *source)
{
  ebr_error *error = NULL;
  *source = (ebr_source){.path = path, .file = -1};
  hid_t access_list = H5Pcreate(H5P_FILE_ACCESS);
  H5Eget_auto2(H5E_DEFAULT, &source->report, &source->report_data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  EBR_TRY(check_readable(path));
  EBR_CHECK(H5Fis_hdf5(path) > 0, EBR_DATA, "%s: is not an HDF5 file", path);
  H5Pset_file_locking(access_list, false, true); /* clusters' disks often have no locks, and nothing is written */
  source->file = H5Fopen(path, H5F_ACC_RDONLY, access_list);
  EBR_CHECK(source->file >= 0, EBR_DATA, "%s: HDF5 cannot open it; it may be cut short or still open for writing",
            path);
done:
  H5Pclose(access_list);
  if (error) ebr_source_close(source);
  return error;
}

void ebr_source_close(ebr_source *source)
{
  if (!source->path) return;
  if (source->file >= 0) H5Fclose(source->file);
  H5Eset_auto2(H5E_DEFAULT, source->report, source->report_data);
  *source = (ebr_source){.file = -1};
}

bool ebr_source_has(const ebr_source *source, const char *name)
{
  return H5Lexists(source->file, name, H5P_DEFAULT) > 0;
}

static const char *kind_name(H5T_class_t kind)
{
  switch (kind) {
    case H5T_STRING: return "strings";
    case H5T_FLOAT: return "floating-point numbers";
    case H5T_INTEGER: return "integers";
    case H5T_COMPOUND: return "compound records";
    case H5T_VLEN: return "lists of varying length";
    default: return "values of another type";
  }
}

static ebr_error *check_kind(const ebr_source *source, const char *name, hid_t set, int kind)
{
  ebr_error *error = NULL;
  hid_t type = H5Dget_type(set);
  H5T_class_t found = H5Tget_class(type);
  bool whole = found == H5T_INTEGER || found == H5T_ENUM; /* numpy's bool is stored as an enumeration */
  EBR_CHECK(whole || (kind == EBR_FIELD_OF_NUMBERS && found == H5T_FLOAT), EBR_DATA, "%s: %s holds %s, not %s",
            source->path, name, kind_name(found), kind == EBR_FIELD_OF_NUMBERS ? "numbers" : "integers");
done:
  H5Tclose(type);
  return error;
}

static ebr_error *check_extents(const ebr_source *source, const char *name, hid_t set, int rank, hsize_t size[2])
{
  ebr_error *error = NULL;
  hsize_t extent[H5S_MAX_RANK] = {0};
  hid_t space = H5Dget_space(set);
  int found = H5Sget_simple_extent_dims(space, extent, NULL);
  EBR_CHECK(found == rank, EBR_DATA, "%s: %s is %d-dimensional, not %d-dimensional (%s)", source->path, name, found,
            rank, rank == 1 ? "samples" : "samples x features");
  for (int i = 0; i < rank; i++) {
    EBR_CHECK(extent[i] > 0, EBR_DATA, "%s: %s is empty", source->path, name);
    EBR_CHECK(extent[i] <= INT_MAX, EBR_DATA, "%s: %s has %llu %s, more than %d", source->path, name,
              (unsigned long long)extent[i], i == 0 ? "samples" : "features", INT_MAX);
    size[i] = extent[i];
  }
done:
  H5Sclose(space);
  return error;
}

ebr_error *ebr_field_size(const ebr_source *source, const char *name, int rank, int kind, hsize_t size[2])
{
  ebr_error *error = NULL;
  hid_t set = -1;
  EBR_CHECK(ebr_source_has(source, name), EBR_DATA, "%s: has no %s", source->path, name);
  set = H5Dopen2(source->file, name, H5P_DEFAULT);
  EBR_CHECK(set >= 0, EBR_DATA, "%s: %s is not a dataset", source->path, name);
  EBR_TRY(check_kind(source, name, set, kind));
  EBR_TRY(check_extents(source, name, set, rank, size));
  if (!source->measured) EBR_TRY(ebr_plausible_dataset(EBR_DATA, source->path, name, set));
done:
  if (set >= 0) H5Dclose(set);
  return error;
}

ebr_error *ebr_field_read(const ebr_source *source, const char *name, hid_t type, void *values)
{
  ebr_error *error = NULL;
  hid_t set = H5Dopen2(source->file, name, H5P_DEFAULT);
  herr_t status = H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  EBR_CHECK(status >= 0, EBR_DATA,
            "%s: %s cannot be read; the file is damaged or packed in a way this HDF5 cannot undo", source->path, name);
done:
  if (set >= 0) H5Dclose(set);
  return error;
}

static ebr_error *check_classes(const ebr_source *source, const int64_t *label, int total, int classes)
{
  ebr_error *error = NULL;
  bool seen[EBR_CLASSES_MOST] = {false};
  for (int n = 0; n < total; n++) seen[label[n]] = true;
  for (int c = 0; c < classes; c++)
    EBR_CHECK(seen[c], EBR_DATA,
              "%s: /label goes up to %d, but no sample has class %d; classes count from 0 without gaps", source->path,
              classes - 1, c);
  EBR_CHECK(classes >= 2, EBR_DATA, "%s: /label has one class only", source->path);
done:
  return error;
}

ebr_error *ebr_field_labels(const ebr_source *source, int total, int64_t **out, int *classes)
{
  ebr_error *error = NULL;
  int64_t *label = malloc((size_t)total * sizeof *label);
  EBR_CHECK_MEMORY(label, "labels");
  EBR_TRY(ebr_field_read(source, "/label", H5T_NATIVE_INT64, label));
  *classes = 0;
  for (int n = 0; n < total; n++) {
    EBR_CHECK(label[n] >= 0, EBR_DATA, "%s: /label, row %d: %lld is negative", source->path, n, (long long)label[n]);
    EBR_CHECK(label[n] < EBR_CLASSES_MOST, EBR_DATA,
              "%s: /label, row %d: %lld is too large; at most %d classes are possible", source->path, n,
              (long long)label[n], (int)EBR_CLASSES_MOST);
    *classes = label[n] < *classes ? *classes : (int)label[n] + 1;
  }
  EBR_TRY(check_classes(source, label, total, *classes));
  *out = label;
  label = NULL;
done:
  free(label);
  return error;
}

ebr_error *ebr_field_flags(const ebr_source *source, const char *name, size_t count, uint8_t *flag)
{
  ebr_error *error = NULL;
  int64_t *value = malloc(count * sizeof *value);
  EBR_CHECK_MEMORY(value, name);
  EBR_TRY(ebr_field_read(source, name, H5T_NATIVE_INT64, value));
  for (size_t j = 0; j < count; j++) {
    EBR_CHECK(value[j] == 0 || value[j] == 1, EBR_DATA, "%s: %s holds %lld; only 0 and 1 have a meaning", source->path,
              name, (long long)value[j]);
    flag[j] = (uint8_t)value[j];
  }
done:
  free(value);
  return error;
}
