#include "store/build.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 8 << 20 };

void ebr_series_path(const ebr_series *series, char path[80])
{
  snprintf(path, 80, "%s/%s", series->spectrum ? "spectra" : "curves", series->name);
}

/* ---- planning ---------------------------------------------------------------------------------------------------- */

typedef struct series_list {
  ebr_series *item;
  int count;
} series_list;

static ebr_error *add(series_list *list, const char *name, bool spectrum, ebr_series **series)
{
  ebr_error *error = NULL;
  for (int i = 0; i < list->count; i++) {
    *series = &list->item[i];
    if ((*series)->spectrum == spectrum && strcmp((*series)->name, name) == 0) goto done;
  }
  ebr_series *grown = realloc(list->item, (size_t)(list->count + 1) * sizeof *grown);
  EBR_CHECK_MEMORY(grown, "curves");
  list->item = grown;
  *series = &grown[list->count++];
  **series = (ebr_series){.spectrum = spectrum, .points = 1, .values = 1};
  snprintf((*series)->name, sizeof (*series)->name, "%s", name);
done:
  return error;
}

static void read_attribute(hid_t dataset, const char *name, char *value, size_t capacity)
{
  hid_t attribute = -1, type = -1;
  if (H5Aexists(dataset, name) <= 0) return;
  attribute = H5Aopen(dataset, name, H5P_DEFAULT);
  ebr_error *error = ebr_hdf5_text_type(name, capacity - 1, &type);
  if (!error && attribute >= 0) H5Aread(attribute, type, value);
  ebr_error_destroy(&error);
  ebr_hdf5_release(&type);
  ebr_hdf5_release(&attribute);
}

static ebr_error *add_old(const char *path, hid_t group, const char *name, bool spectrum, series_list *list)
{
  ebr_error *error = NULL;
  ebr_series *series = NULL;
  hid_t dataset = -1, space = -1;
  hsize_t extent[3] = {0, 1, 1};
  EBR_TRY_HDF5(path, dataset = H5Dopen2(group, name, H5P_DEFAULT));
  EBR_TRY_HDF5(path, space = H5Dget_space(dataset));
  EBR_CHECK(H5Sget_simple_extent_ndims(space) == (spectrum ? 3 : 2), EBR_RESULTS, "%s: is damaged: %s has %d dimensions",
            path, name, H5Sget_simple_extent_ndims(space));
  H5Sget_simple_extent_dims(space, extent, NULL);
  EBR_TRY(add(list, name, spectrum, &series));
  series->old_points = (int)extent[1];
  series->old_values = (int)extent[2];
  if (series->old_points > series->points) series->points = series->old_points;
  if (series->old_values > series->values) series->values = series->old_values;
  if (!series->meaning[0]) {
    read_attribute(dataset, "unit", series->unit, sizeof series->unit);
    read_attribute(dataset, "meaning", series->meaning, sizeof series->meaning);
  }
done:
  ebr_hdf5_release(&space);
  ebr_hdf5_release(&dataset);
  return error;
}

static ebr_error *add_group(const char *path, hid_t file, bool spectrum, series_list *list)
{
  ebr_error *error = NULL;
  hid_t group = -1;
  H5G_info_t about = {0};
  char name[64];
  const char *group_name = spectrum ? "spectra" : "curves";
  if (H5Lexists(file, group_name, H5P_DEFAULT) <= 0) goto done;
  EBR_TRY_HDF5(path, group = H5Gopen2(file, group_name, H5P_DEFAULT));
  EBR_TRY_HDF5(path, H5Gget_info(group, &about));
  for (hsize_t i = 0; i < about.nlinks; i++) {
    EBR_TRY_HDF5(path, H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT));
    EBR_TRY(add_old(path, group, name, spectrum, list));
  }
done:
  ebr_hdf5_release(&group);
  return error;
}

static ebr_error *add_old_file(const char *path, series_list *list)
{
  ebr_error *error = NULL;
  hid_t access = -1, file = -1;
  EBR_TRY(ebr_hdf5_access(path, &access));
  EBR_TRY_HDF5(path, file = H5Fopen(path, H5F_ACC_RDONLY, access));
  EBR_TRY(add_group(path, file, false, list));
  EBR_TRY(add_group(path, file, true, list));
done:
  ebr_hdf5_release(&file);
  ebr_hdf5_release(&access);
  return error;
}

ebr_error *ebr_series_add_file(const char *path, ebr_series **series, int *count)
{
  ebr_error *error = NULL;
  series_list list = {*series, *count};
  for (int i = 0; i < *count; i++) list.item[i].old_points = list.item[i].old_values = 0;
  EBR_TRY(add_old_file(path, &list));
done:
  *series = list.item;
  *count = list.count;
  return error;
}

ebr_error *ebr_series_plan(const char *path, const ebr_schema *schema, const ebr_results *old, ebr_series **series,
                           int *count)
{
  ebr_error *error = NULL;
  series_list list = {0};
  for (int i = 0; i < ebr_schema_count(schema); i++) {
    const ebr_column *column = ebr_schema_at(schema, i);
    ebr_series *item = NULL;
    if (column->points * column->values == 1) continue;
    EBR_TRY(add(&list, column->name, column->values > 1, &item));
    item->points = column->points;
    item->values = column->values;
    snprintf(item->unit, sizeof item->unit, "%s", column->unit);
    snprintf(item->meaning, sizeof item->meaning, "%s", column->meaning);
  }
  if (old) EBR_TRY(add_old_file(path, &list));
done:
  *series = list.item;
  *count = list.count;
  return error;
}

/* ---- creating ---------------------------------------------------------------------------------------------------- */

static ebr_error *create_one(const ebr_build *build, const ebr_series *series, hid_t file)
{
  ebr_error *error = NULL;
  hid_t dataset = -1;
  char name[80];
  hsize_t extent[3] = {(hsize_t)build->count, (hsize_t)series->points, (hsize_t)series->values};
  ebr_series_path(series, name);
  EBR_TRY(ebr_dataset_create(build->path, file, name, H5T_NATIVE_DOUBLE, series->spectrum ? 3 : 2, extent, &dataset));
  EBR_TRY(ebr_hdf5_write_text(build->path, dataset, "unit", series->unit));
  EBR_TRY(ebr_hdf5_write_text(build->path, dataset, "meaning", series->meaning));
done:
  ebr_hdf5_release(&dataset);
  return error;
}

ebr_error *ebr_series_create(const ebr_build *build, hid_t file)
{
  ebr_error *error = NULL;
  hid_t group = -1;
  EBR_TRY_HDF5(build->path, group = H5Gcreate2(file, "curves", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  ebr_hdf5_release(&group);
  EBR_TRY_HDF5(build->path, group = H5Gcreate2(file, "spectra", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  for (int i = 0; i < build->series_count; i++) EBR_TRY(create_one(build, &build->series[i], file));
done:
  ebr_hdf5_release(&group);
  return error;
}

/* ---- copying ----------------------------------------------------------------------------------------------------- */

/* One dataset in two files, and a block of rows on its way from one to the other. */
typedef struct passage {
  const ebr_build *build;
  const ebr_series *series;
  hid_t from, to;
  hid_t from_space, to_space;
  double *block;
  int64_t block_rows;
} passage;

/* Rows [first, first + count) of the old file into the block, whose rows may be longer. */
static ebr_error *read_stretch(passage *p, int64_t first, int64_t count)
{
  ebr_error *error = NULL;
  const ebr_series *s = p->series;
  hid_t memory = -1;
  hsize_t from[3] = {(hsize_t)first}, to[3] = {0};
  hsize_t extent[3] = {(hsize_t)count, (hsize_t)s->old_points, (hsize_t)s->old_values};
  hsize_t block[3] = {(hsize_t)p->block_rows, (hsize_t)s->points, (hsize_t)s->values};
  EBR_TRY_HDF5(p->build->path, H5Sselect_hyperslab(p->from_space, H5S_SELECT_SET, from, NULL, extent, NULL));
  EBR_TRY_HDF5(p->build->path, memory = H5Screate_simple(s->spectrum ? 3 : 2, block, NULL));
  EBR_TRY_HDF5(p->build->path, H5Sselect_hyperslab(memory, H5S_SELECT_SET, to, NULL, extent, NULL));
  EBR_TRY_HDF5(p->build->path, H5Dread(p->from, H5T_NATIVE_DOUBLE, memory, p->from_space, H5P_DEFAULT, p->block));
done:
  ebr_hdf5_release(&memory);
  return error;
}

static ebr_error *write_stretch(passage *p, int64_t first, int64_t count)
{
  ebr_error *error = NULL;
  hid_t memory = -1;
  hsize_t to[3] = {(hsize_t)first};
  hsize_t extent[3] = {(hsize_t)count, (hsize_t)p->series->points, (hsize_t)p->series->values};
  EBR_TRY_HDF5(p->build->path, H5Sselect_hyperslab(p->to_space, H5S_SELECT_SET, to, NULL, extent, NULL));
  EBR_TRY_HDF5(p->build->path, memory = H5Screate_simple(p->series->spectrum ? 3 : 2, extent, NULL));
  EBR_TRY_HDF5(p->build->path, H5Dwrite(p->to, H5T_NATIVE_DOUBLE, memory, p->to_space, H5P_DEFAULT, p->block));
done:
  ebr_hdf5_release(&memory);
  return error;
}

static bool has_values(const ebr_build *build, int64_t row)
{
  ebr_row state;
  if (build->source[row] < 0) return false;
  ebr_row_get(&build->old->layout, ebr_results_bytes(build->old, build->source[row]), &state);
  return state.status != EBR_STATUS_WAITING && state.status != EBR_STATUS_RUNNING;
}

/* The longest stretch from row on that lies together in both files. */
static int64_t stretch_from(const passage *p, int64_t row)
{
  const int64_t *source = p->build->source;
  int64_t count = 1;
  while (count < p->block_rows && row + count < p->build->count && source[row + count] == source[row] + count &&
         has_values(p->build, row + count))
    count++;
  return count;
}

static ebr_error *copy_rows(passage *p)
{
  ebr_error *error = NULL;
  size_t per_row = (size_t)p->series->points * (size_t)p->series->values;
  for (int64_t row = 0; row < p->build->count;) {
    if (!has_values(p->build, row)) {
      row++;
      continue;
    }
    int64_t count = stretch_from(p, row);
    for (size_t i = 0; i < (size_t)count * per_row; i++) p->block[i] = NAN;
    if (p->from >= 0) EBR_TRY(read_stretch(p, p->build->source[row], count));
    EBR_TRY(write_stretch(p, row, count));
    row += count;
  }
done:
  return error;
}

static ebr_error *copy_one(const ebr_build *build, const ebr_series *series, hid_t file, hid_t old)
{
  ebr_error *error = NULL;
  char name[80];
  size_t row_bytes = (size_t)series->points * (size_t)series->values * sizeof(double);
  passage p = {build, series, -1, -1, -1, -1, NULL, (int64_t)(BLOCK_BYTES / row_bytes) + 1};
  if (p.block_rows > build->count) p.block_rows = build->count;
  if (build->count == 0) goto done;
  ebr_series_path(series, name);
  p.block = malloc((size_t)p.block_rows * row_bytes);
  EBR_CHECK_MEMORY(p.block, name);
  if (series->old_points > 0) EBR_TRY_HDF5(build->path, p.from = H5Dopen2(old, name, H5P_DEFAULT));
  EBR_TRY_HDF5(build->path, p.to = H5Dopen2(file, name, H5P_DEFAULT));
  if (series->old_points > 0) EBR_TRY_HDF5(build->path, p.from_space = H5Dget_space(p.from));
  EBR_TRY_HDF5(build->path, p.to_space = H5Dget_space(p.to));
  EBR_TRY(copy_rows(&p));
done:
  ebr_hdf5_release(&p.from_space);
  ebr_hdf5_release(&p.to_space);
  ebr_hdf5_release(&p.from);
  ebr_hdf5_release(&p.to);
  free(p.block);
  return error;
}

ebr_error *ebr_series_fill(const ebr_build *build, hid_t file, hid_t old)
{
  ebr_error *error = NULL;
  for (int i = 0; i < build->series_count; i++) EBR_TRY(copy_one(build, &build->series[i], file, old));
done:
  return error;
}
