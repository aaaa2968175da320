#include "store/results.h"

#include "data/plausible.h"
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static ebr_error *check_readable(const char *path)
{
  ebr_error *error = NULL;
  struct stat about;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  EBR_CHECK(file >= 0, errno == ENOENT ? EBR_RESULTS : EBR_FILE, "%s: %s", path, strerror(errno));
  EBR_CHECK(fstat(file, &about) == 0, EBR_FILE, "%s: %s", path, strerror(errno));
  EBR_CHECK(S_ISREG(about.st_mode), EBR_RESULTS, "%s: is no regular file", path);
  EBR_CHECK(H5Fis_hdf5(path) > 0, EBR_RESULTS, "%s: is no HDF5 file", path);
done:
  if (file >= 0) close(file);
  return error;
}

static ebr_error *open_file(const char *path, hid_t *file)
{
  ebr_error *error = NULL;
  hid_t access = -1;
  EBR_TRY(ebr_hdf5_access(path, &access));
  EBR_TRY(check_readable(path));
  *file = H5Fopen(path, H5F_ACC_RDONLY, access);
  if (*file < 0) {
    ebr_error *cause = ebr_hdf5_error(path, "H5Fopen(", __FILE__, __LINE__);
    error = ebr_error_create(EBR_RESULTS, __FILE__, __LINE__, "%s (the file is damaged)", ebr_error_message(cause));
    ebr_error_destroy(&cause);
  }
done:
  ebr_hdf5_release(&access);
  return error;
}

static ebr_error *check_format(const char *path, hid_t file)
{
  ebr_error *error = NULL;
  int format = 0;
  hid_t attribute = -1, space = -1, type = -1;
  EBR_CHECK(H5Aexists(file, "format") > 0 && H5Lexists(file, "runs", H5P_DEFAULT) > 0, EBR_RESULTS,
            "%s: is no results file of ebrsweep", path);
  EBR_TRY_HDF5(path, attribute = H5Aopen(file, "format", H5P_DEFAULT));
  EBR_TRY_HDF5(path, space = H5Aget_space(attribute));
  EBR_TRY_HDF5(path, type = H5Aget_type(attribute));
  EBR_CHECK(H5Sget_simple_extent_npoints(space) == 1 && H5Tget_class(type) == H5T_INTEGER, EBR_RESULTS,
            "%s: is no results file of ebrsweep: its format is no number", path);
  EBR_TRY_HDF5(path, H5Aread(attribute, H5T_NATIVE_INT, &format));
  EBR_CHECK(format >= 1 && format <= EBR_STORE_FORMAT, EBR_RESULTS,
            "%s: has format %d, and this ebrsweep (%s) knows formats up to %d: a newer one is needed", path, format,
            EBR_VERSION, EBR_STORE_FORMAT);
done:
  ebr_hdf5_release(&type);
  ebr_hdf5_release(&space);
  ebr_hdf5_release(&attribute);
  return error;
}

static ebr_error *map_rows(ebr_results *results, haddr_t start)
{
  ebr_error *error = NULL;
  size_t bytes = (size_t)results->count * results->layout.stride, lead = start % (size_t)sysconf(_SC_PAGESIZE);
  struct stat about;
  int file = open(results->path, O_RDONLY | O_CLOEXEC);
  EBR_CHECK(file >= 0 && fstat(file, &about) == 0, EBR_FILE, "%s: %s", results->path, strerror(errno));
  EBR_CHECK((size_t)about.st_size >= start + bytes, EBR_RESULTS, "%s: is cut short: %lld bytes of at least %llu",
            results->path, (long long)about.st_size, (unsigned long long)(start + bytes));
  results->map_bytes = lead + bytes;
  results->map = mmap(NULL, results->map_bytes, PROT_READ, MAP_SHARED, file, (off_t)(start - lead));
  if (results->map == MAP_FAILED) results->map = NULL;
  EBR_CHECK(results->map, EBR_FILE, "%s: cannot be mapped: %s", results->path, strerror(errno));
  results->rows = (const unsigned char *)results->map + lead;
done:
  if (file >= 0) close(file);
  return error;
}

/* A file that was repacked by another tool, or that comes from a machine with other numbers. */
static ebr_error *copy_rows(ebr_results *results, hid_t runs, hid_t type)
{
  ebr_error *error = NULL;
  results->copy = malloc((size_t)results->count * results->layout.stride);
  EBR_CHECK(results->copy, EBR_MEMORY, "no memory for the %lld rows of %s", (long long)results->count, results->path);
  EBR_TRY_HDF5(results->path, H5Dread(runs, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, results->copy));
  results->rows = results->copy;
done:
  return error;
}

static ebr_error *read_rows(ebr_results *results, hid_t file)
{
  ebr_error *error = NULL;
  hid_t runs = -1, space = -1, type = -1, stored = -1;
  const char *path = results->path;
  EBR_TRY_HDF5(path, runs = H5Dopen2(file, "runs", H5P_DEFAULT));
  EBR_TRY_HDF5(path, space = H5Dget_space(runs));
  EBR_CHECK(H5Sget_simple_extent_ndims(space) == 1, EBR_RESULTS, "%s: is no results file of ebrsweep: /runs is no list",
            path);
  results->count = H5Sget_simple_extent_npoints(space);
  EBR_TRY(ebr_layout_read(path, file, runs, &results->layout));
  EBR_TRY(ebr_plausible_dataset(EBR_RESULTS, path, "/runs", runs));
  EBR_TRY(ebr_layout_type(&results->layout, path, &type));
  EBR_TRY_HDF5(path, stored = H5Dget_type(runs));
  haddr_t start = H5Dget_offset(runs);
  if (start != HADDR_UNDEF && H5Tequal(stored, type) > 0) EBR_TRY(map_rows(results, start));
  else EBR_TRY(copy_rows(results, runs, type));
done:
  ebr_hdf5_release(&stored);
  ebr_hdf5_release(&type);
  ebr_hdf5_release(&space);
  ebr_hdf5_release(&runs);
  return error;
}

ebr_error *ebr_results_open(const char *path, ebr_results **results)
{
  ebr_error *error = NULL;
  hid_t file = -1;
  ebr_results *made = calloc(1, sizeof *made);
  EBR_CHECK_MEMORY(made, path);
  made->path = strdup(path);
  EBR_CHECK_MEMORY(made->path, path);
  EBR_TRY(open_file(path, &file));
  EBR_TRY(check_format(path, file));
  EBR_TRY(ebr_results_read_attributes(made, file));
  EBR_TRY(read_rows(made, file));
  *results = made;
  made = NULL;
done:
  if (file >= 0) H5Fclose(file);
  ebr_results_close(&made);
  return error;
}

void ebr_results_close(ebr_results **results)
{
  ebr_results *r = *results;
  if (!r) return;
  if (r->map) munmap(r->map, r->map_bytes);
  for (int i = 0; i < r->attribute_count; i++) free(r->attribute[i].value);
  free(r->attribute);
  free(r->copy);
  free(r->damaged);
  free(r->path);
  ebr_text_destroy(&r->cell);
  ebr_layout_destroy(&r->layout);
  free(r);
  *results = NULL;
}

ebr_error *ebr_results_refresh(ebr_results *results)
{
  ebr_error *error = NULL;
  ebr_results *fresh = NULL;
  EBR_TRY(ebr_results_open(results->path, &fresh));
  ebr_results before = *results;
  *results = *fresh;
  *fresh = before;
done:
  ebr_results_close(&fresh);
  return error;
}

const char *ebr_results_writer(ebr_results *results)
{
  ebr_lock_holder(results->path, results->writer, sizeof results->writer);
  return results->writer;
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

const unsigned char *ebr_results_bytes(const ebr_results *results, int64_t run)
{
  return results->rows + (size_t)run * results->layout.stride;
}

bool ebr_results_intact(const ebr_results *results, int64_t run)
{
  if (results->damaged && results->damaged[run]) return false;
  return ebr_row_intact(&results->layout, ebr_results_bytes(results, run));
}

int64_t ebr_results_count(const ebr_results *results) { return results->count; }

int ebr_results_column_count(const ebr_results *results) { return results->layout.count; }

static const ebr_field *field_at(const ebr_results *results, int column) { return &results->layout.field[column]; }

const char *ebr_results_column_name(const ebr_results *results, int column) { return field_at(results, column)->name; }

int ebr_results_column_find(const ebr_results *results, const char *name)
{
  return ebr_layout_find(&results->layout, name);
}

bool ebr_results_column_is_text(const ebr_results *results, int column)
{
  return field_at(results, column)->type == EBR_TYPE_TEXT;
}

bool ebr_results_column_is_axis(const ebr_results *results, int column)
{
  return field_at(results, column)->role == EBR_COLUMN_AXIS;
}

bool ebr_results_column_is_measure(const ebr_results *results, int column)
{
  return field_at(results, column)->role == EBR_COLUMN_MEASURE;
}

double ebr_results_number(const ebr_results *results, int64_t run, int column)
{
  return ebr_field_number(field_at(results, column), ebr_results_bytes(results, run));
}

static ebr_error *format_cell(const ebr_field *field, const unsigned char *row, ebr_text *cell)
{
  double number = ebr_field_number(field, row);
  uint64_t sum;
  cell->length = 0;
  if (field->type == EBR_TYPE_TEXT)
    return ebr_text_add(cell, "%.*s", (int)ebr_field_length(field, row), (const char *)row + field->offset);
  if (field->type == EBR_TYPE_BOOL) return ebr_text_add(cell, "%s", number != 0 ? "true" : "false");
  if (field->type == EBR_TYPE_UINT64) {
    memcpy(&sum, row + field->offset, sizeof sum);
    return ebr_text_add(cell, "%" PRIu64, sum);
  }
  if (isnan(number)) return ebr_text_add(cell, "none");
  if (isinf(number)) return ebr_text_add(cell, number > 0 ? "inf" : "-inf");
  return ebr_text_add_number(cell, number);
}

const char *ebr_results_cell(ebr_results *results, int64_t run, int column)
{
  ebr_error *error = format_cell(field_at(results, column), ebr_results_bytes(results, run), &results->cell);
  bool failed = error != NULL;
  ebr_error_destroy(&error);
  return failed || !results->cell.data ? "" : results->cell.data;
}

ebr_status ebr_results_status(const ebr_results *results, int64_t run)
{
  const unsigned char *bytes = ebr_results_bytes(results, run);
  ebr_status status = ebr_row_status(&results->layout, bytes);
  bool over = status == EBR_STATUS_DONE || status == EBR_STATUS_FAILED;
  return over && !ebr_results_intact(results, run) ? EBR_STATUS_WAITING : status;
}

/* Without its checksum a finished row was cut short: the run counts as waiting. */
void ebr_results_row(const ebr_results *results, int64_t run, ebr_row *row)
{
  const unsigned char *bytes = ebr_results_bytes(results, run);
  ebr_row_get(&results->layout, bytes, row);
  bool finished = row->status == EBR_STATUS_DONE || row->status == EBR_STATUS_FAILED;
  if (finished && !ebr_results_intact(results, run)) row->status = EBR_STATUS_WAITING;
}
