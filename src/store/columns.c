#include "store/layout.h"

#include "data/plausible.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ebr_error *field_type(const ebr_field *field, const char *path, hid_t *type)
{
  ebr_error *error = NULL;
  signed char no = 0, yes = 1;
  switch (field->type) {
    case EBR_TYPE_TEXT: EBR_TRY(ebr_hdf5_text_type(path, field->size, type)); break;
    case EBR_TYPE_INT32: EBR_TRY_HDF5(path, *type = H5Tcopy(H5T_NATIVE_INT32)); break;
    case EBR_TYPE_INT64: EBR_TRY_HDF5(path, *type = H5Tcopy(H5T_NATIVE_INT64)); break;
    case EBR_TYPE_UINT64: EBR_TRY_HDF5(path, *type = H5Tcopy(H5T_NATIVE_UINT64)); break;
    case EBR_TYPE_REAL: EBR_TRY_HDF5(path, *type = H5Tcopy(H5T_NATIVE_DOUBLE)); break;
    case EBR_TYPE_BOOL:
      EBR_TRY_HDF5(path, *type = H5Tenum_create(H5T_NATIVE_INT8));
      EBR_TRY_HDF5(path, H5Tenum_insert(*type, "FALSE", &no));
      EBR_TRY_HDF5(path, H5Tenum_insert(*type, "TRUE", &yes));
  }
done:
  return error;
}

ebr_error *ebr_layout_type(const ebr_layout *layout, const char *path, hid_t *type)
{
  ebr_error *error = NULL;
  hid_t member = -1;
  EBR_TRY_HDF5(path, *type = H5Tcreate(H5T_COMPOUND, layout->stride));
  for (int i = 0; i < layout->count; i++) {
    EBR_TRY(field_type(&layout->field[i], path, &member));
    EBR_TRY_HDF5(path, H5Tinsert(*type, layout->field[i].name, layout->field[i].offset, member));
    ebr_hdf5_release(&member);
  }
done:
  ebr_hdf5_release(&member);
  return error;
}

typedef struct column_row {
  char name[64], kind[16], unit[16], meaning[160];
} column_row;

static ebr_error *column_type(const char *path, hid_t *type)
{
  ebr_error *error = NULL;
  static const struct {
    const char *name;
    size_t offset, size;
  } member[] = {{"name", offsetof(column_row, name), sizeof(((column_row *)0)->name)},
                {"kind", offsetof(column_row, kind), sizeof(((column_row *)0)->kind)},
                {"unit", offsetof(column_row, unit), sizeof(((column_row *)0)->unit)},
                {"meaning", offsetof(column_row, meaning), sizeof(((column_row *)0)->meaning)}};
  hid_t text = -1;
  EBR_TRY_HDF5(path, *type = H5Tcreate(H5T_COMPOUND, sizeof(column_row)));
  for (size_t i = 0; i < sizeof member / sizeof *member; i++) {
    EBR_TRY(ebr_hdf5_text_type(path, member[i].size, &text));
    EBR_TRY_HDF5(path, H5Tinsert(*type, member[i].name, member[i].offset, text));
    ebr_hdf5_release(&text);
  }
done:
  ebr_hdf5_release(&text);
  return error;
}

static const char *role_name(ebr_column_role role)
{
  static const char *const names[] = {"state", "axis", "parameter", "measure"};
  return names[role];
}

ebr_error *ebr_layout_write_columns(const ebr_layout *layout, const char *path, hid_t file)
{
  ebr_error *error = NULL;
  hid_t type = -1, space = -1, dataset = -1;
  hsize_t count = (hsize_t)layout->count;
  column_row *rows = calloc(count, sizeof *rows);
  EBR_CHECK_MEMORY(rows, "the list of columns");
  for (int i = 0; i < layout->count; i++) {
    const ebr_field *field = &layout->field[i];
    memcpy(rows[i].name, field->name, sizeof field->name);
    snprintf(rows[i].kind, sizeof rows[i].kind, "%s", role_name(field->role));
    memcpy(rows[i].unit, field->unit, sizeof field->unit);
    memcpy(rows[i].meaning, field->meaning, sizeof field->meaning);
  }
  EBR_TRY(column_type(path, &type));
  EBR_TRY_HDF5(path, space = H5Screate_simple(1, &count, NULL));
  EBR_TRY_HDF5(path, dataset = H5Dcreate2(file, "columns", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  EBR_TRY_HDF5(path, H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows));
done:
  ebr_hdf5_release(&dataset);
  ebr_hdf5_release(&space);
  ebr_hdf5_release(&type);
  free(rows);
  return error;
}

/* A column with a parameter's name but another kind of value is somebody else's. */
static bool is_parameter(const ebr_field *field)
{
  if (field->parameter < 0 || (field->role != EBR_COLUMN_AXIS && field->role != EBR_COLUMN_PARAMETER)) return false;
  ebr_kind kind = ebr_parameter_at(field->parameter)->kind;
  bool number = kind == EBR_KIND_INT || kind == EBR_KIND_REAL || kind == EBR_KIND_BOOL;
  return number == (field->type != EBR_TYPE_TEXT);
}

static ebr_error *read_columns(const char *path, hid_t file, ebr_layout *layout)
{
  ebr_error *error = NULL;
  hid_t type = -1, space = -1, dataset = -1;
  column_row *rows = NULL;
  EBR_TRY_HDF5(path, dataset = H5Dopen2(file, "columns", H5P_DEFAULT));
  EBR_TRY_HDF5(path, space = H5Dget_space(dataset));
  EBR_CHECK(H5Sget_simple_extent_npoints(space) == layout->count, EBR_RESULTS,
            "%s: is damaged: /columns and /runs do not agree", path);
  EBR_TRY(ebr_plausible_dataset(EBR_RESULTS, path, "/columns", dataset));
  rows = malloc((size_t)layout->count * sizeof *rows);
  EBR_CHECK_MEMORY(rows, "the list of columns");
  EBR_TRY(column_type(path, &type));
  EBR_TRY_HDF5(path, H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows));
  for (int i = 0; i < layout->count; i++) {
    ebr_field *field = &layout->field[i];
    ebr_column_role role_of_row = field->role;
    for (int role = EBR_COLUMN_STATE; role <= EBR_COLUMN_MEASURE; role++)
      if (strncmp(rows[i].kind, role_name((ebr_column_role)role), sizeof rows[i].kind) == 0)
        role_of_row = (ebr_column_role)role;
    EBR_CHECK((field->role == EBR_COLUMN_STATE) == (role_of_row == EBR_COLUMN_STATE), EBR_RESULTS,
              "%s: is damaged: /columns calls '%s' a %s", path, field->name, role_name(role_of_row));
    field->role = role_of_row;
    if (!is_parameter(field)) field->parameter = -1;
    snprintf(field->unit, sizeof field->unit, "%.15s", rows[i].unit);
    snprintf(field->meaning, sizeof field->meaning, "%.159s", rows[i].meaning);
  }
done:
  free(rows);
  ebr_hdf5_release(&dataset);
  ebr_hdf5_release(&space);
  ebr_hdf5_release(&type);
  return error;
}

static bool known_type(hid_t member, ebr_type *type, size_t *size)
{
  *size = H5Tget_size(member);
  switch (H5Tget_class(member)) {
    case H5T_STRING: *type = EBR_TYPE_TEXT; return H5Tis_variable_str(member) == 0;
    case H5T_FLOAT: *type = EBR_TYPE_REAL; return *size == 8;
    case H5T_ENUM: *type = EBR_TYPE_BOOL; return *size == 1;
    case H5T_INTEGER:
      *type = *size == 4 ? EBR_TYPE_INT32 : H5Tget_sign(member) == H5T_SGN_NONE ? EBR_TYPE_UINT64 : EBR_TYPE_INT64;
      return *size == 4 || *size == 8;
    default: return false;
  }
}

static ebr_error *read_member(const char *path, hid_t compound, unsigned index, int states, ebr_layout *layout)
{
  ebr_error *error = NULL;
  ebr_type type = EBR_TYPE_TEXT;
  size_t size = 0;
  hid_t member = -1;
  char *name = H5Tget_member_name(compound, index);
  EBR_CHECK_MEMORY(name, "a column's name");
  EBR_TRY_HDF5(path, member = H5Tget_member_type(compound, index));
  EBR_CHECK(known_type(member, &type, &size), EBR_RESULTS, "%s: column '%s' has a type that ebrsweep does not write",
            path, name);
  EBR_TRY(ebr_layout_add(layout, name, (int)index < states ? EBR_COLUMN_STATE : EBR_COLUMN_PARAMETER, type, size));
done:
  ebr_hdf5_release(&member);
  if (name) H5free_memory(name);
  return error;
}

/* Format 1 had no checksum of series. */
static int count_states(hid_t compound)
{
  int place = H5Tget_member_index(compound, ebr_layout_state(EBR_STATE_SERIES)->name);
  H5Eclear2(H5E_DEFAULT);
  return place == EBR_STATE_SERIES ? EBR_STATE_COUNT : EBR_STATE_SERIES;
}

ebr_error *ebr_layout_read(const char *path, hid_t file, hid_t runs, ebr_layout *layout)
{
  ebr_error *error = NULL;
  hid_t type = -1;
  *layout = (ebr_layout){0};
  EBR_TRY_HDF5(path, type = H5Dget_type(runs));
  EBR_CHECK(H5Tget_class(type) == H5T_COMPOUND && H5Tget_nmembers(type) >= EBR_STATE_SERIES, EBR_RESULTS,
            "%s: is no results file of ebrsweep: /runs has no columns", path);
  int states = count_states(type);
  for (int i = 0; i < H5Tget_nmembers(type); i++) EBR_TRY(read_member(path, type, (unsigned)i, states, layout));
  for (int i = 0; i < states; i++)
    EBR_CHECK(strcmp(layout->field[i].name, ebr_layout_state(i)->name) == 0 &&
                  layout->field[i].type == ebr_layout_state(i)->type &&
                  (i > EBR_STATE_STATUS || layout->field[i].size == ebr_layout_state(i)->size),
              EBR_RESULTS, "%s: is no results file of ebrsweep: /runs lacks the column '%s'", path,
              ebr_layout_state(i)->name);
  EBR_TRY(read_columns(path, file, layout));
  EBR_TRY(ebr_layout_place(layout));
done:
  ebr_hdf5_release(&type);
  return error;
}
