#include "store/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct state_field {
  const char *name;
  ebr_type type;
  size_t size;
  const char *unit, *meaning;
} state_field;

static const state_field *state_field_at(int index)
{
  static const state_field fields[EBR_STATE_COUNT] = {
      {"id", EBR_TYPE_TEXT, 16, "", "Hash of what the run is, in hexadecimal: the same configuration has the same id"},
      {"status", EBR_TYPE_TEXT, 8, "", "waiting, running, done, failed, or removed (no longer in the sweep file)"},
      {"reason", EBR_TYPE_TEXT, 96, "", "Why the run failed"},
      {"started", EBR_TYPE_REAL, 8, "s", "When the run began, since 1970-01-01 UTC"},
      {"seconds", EBR_TYPE_REAL, 8, "s", "How long the run took"},
      {"host", EBR_TYPE_TEXT, 32, "", "Where it ran"},
      {"rank", EBR_TYPE_INT32, 4, "", "MPI rank that ran it"},
      {"checksum", EBR_TYPE_UINT64, 8, "", "XXH3 of the row's other bytes: a row whose checksum is wrong was cut short"}};
  return &fields[index];
}

void ebr_layout_destroy(ebr_layout *layout)
{
  free(layout->field);
  *layout = (ebr_layout){0};
}

int ebr_layout_find(const ebr_layout *layout, const char *name)
{
  for (int i = 0; i < layout->count; i++)
    if (strcmp(layout->field[i].name, name) == 0) return i;
  return -1;
}

static ebr_error *add_field(ebr_layout *layout, const char *name, ebr_role role, ebr_type type, size_t size)
{
  ebr_error *error = NULL;
  if (layout->count == layout->capacity) {
    int capacity = layout->capacity * 2 + 128;
    ebr_field *field = realloc(layout->field, (size_t)capacity * sizeof *field);
    EBR_CHECK_MEMORY(field, "the columns of a results file");
    layout->field = field;
    layout->capacity = capacity;
  }
  ebr_field *field = &layout->field[layout->count++];
  *field = (ebr_field){.role = role, .type = type, .size = size, .parameter = -1};
  snprintf(field->name, sizeof field->name, "%s", name);
  if (role == EBR_ROLE_AXIS || role == EBR_ROLE_PARAMETER) field->parameter = ebr_parameter_find(name);
done:
  return error;
}

static void describe(ebr_layout *layout, const char *unit, const char *meaning)
{
  ebr_field *field = &layout->field[layout->count - 1];
  snprintf(field->unit, sizeof field->unit, "%s", unit);
  snprintf(field->meaning, sizeof field->meaning, "%s", meaning);
}

/* State, axes, parameters, measures, each in the order it was added. */
static ebr_error *place(ebr_layout *layout)
{
  ebr_error *error = NULL;
  size_t count = (size_t)layout->count, next = 0;
  ebr_field *sorted = malloc((count + 1) * sizeof *sorted);
  EBR_CHECK_MEMORY(sorted, "the columns of a results file");
  for (int role = EBR_ROLE_STATE; role <= EBR_ROLE_MEASURE; role++)
    for (size_t i = 0; i < count; i++)
      if ((int)layout->field[i].role == role) sorted[next++] = layout->field[i];
  layout->stride = 0;
  for (size_t i = 0; i < count; i++) {
    sorted[i].offset = layout->stride;
    layout->stride += sorted[i].size;
  }
  memcpy(layout->field, sorted, count * sizeof *sorted);
done:
  free(sorted);
  return error;
}

/* ---- from a sweep ------------------------------------------------------------------------------------------------ */

static size_t longest_choice(const char *choices)
{
  size_t longest = 1;
  for (const char *c = choices; *c; c += strcspn(c, "|"), c += *c == '|')
    if (strcspn(c, "|") > longest) longest = strcspn(c, "|");
  return longest;
}

static ebr_error *add_parameter(ebr_layout *layout, int index, ebr_role role)
{
  ebr_error *error = NULL;
  const ebr_parameter *parameter = ebr_parameter_at(index);
  ebr_type type = EBR_TYPE_TEXT;
  size_t size = 1;
  if (ebr_layout_find(layout, parameter->name) >= 0) goto done;
  if (parameter->kind == EBR_KIND_INT) type = parameter->maximum <= INT32_MAX ? EBR_TYPE_INT32 : EBR_TYPE_INT64;
  if (parameter->kind == EBR_KIND_REAL) type = EBR_TYPE_REAL;
  if (parameter->kind == EBR_KIND_BOOL) type = EBR_TYPE_BOOL;
  if (type == EBR_TYPE_INT32) size = 4;
  if (type == EBR_TYPE_INT64 || type == EBR_TYPE_REAL) size = 8;
  if (parameter->kind == EBR_KIND_CHOICE) size = longest_choice(parameter->choices);
  EBR_TRY(add_field(layout, parameter->name, role, type, size));
  describe(layout, parameter->unit, parameter->help);
done:
  return error;
}

/* Packs a run into texts of any length to see how long they get; only what differs from the run before is looked at. */
static ebr_error *widen_texts(ebr_layout *layout, const ebr_config *config, const ebr_config *before)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  for (int i = 0; i < layout->count; i++) {
    ebr_field *field = &layout->field[i];
    const ebr_parameter *parameter = field->parameter < 0 ? NULL : ebr_parameter_at(field->parameter);
    if (!parameter || field->type != EBR_TYPE_TEXT || parameter->kind == EBR_KIND_CHOICE) continue;
    size_t bytes = parameter->kind == EBR_KIND_TEXT      ? sizeof(EBR_FIELD_TEXT)
                   : parameter->kind == EBR_KIND_CHOICES ? sizeof(EBR_FIELD_CHOICES)
                                                         : sizeof(ebr_list);
    const unsigned char *now = (const unsigned char *)config + parameter->offset;
    if (before && memcmp(now, (const unsigned char *)before + parameter->offset, bytes) == 0) continue;
    text.length = 0;
    EBR_TRY(ebr_config_get(config, field->parameter, &text));
    if (text.length > field->size) field->size = text.length;
  }
done:
  ebr_text_destroy(&text);
  return error;
}

static ebr_error *widen_for_sweep(ebr_layout *layout, const ebr_sweep *sweep)
{
  ebr_error *error = NULL;
  ebr_config config[2];
  for (int64_t run = 0; run < ebr_sweep_count(sweep); run++) {
    ebr_sweep_run(sweep, run, &config[run % 2]);
    EBR_TRY(widen_texts(layout, &config[run % 2], run > 0 ? &config[(run + 1) % 2] : NULL));
  }
done:
  return error;
}

ebr_error *ebr_layout_plan(const ebr_sweep *sweep, const ebr_schema *schema, ebr_layout *layout)
{
  ebr_error *error = NULL;
  *layout = (ebr_layout){0};
  for (int i = 0; i < EBR_STATE_COUNT; i++) {
    const state_field *state = state_field_at(i);
    EBR_TRY(add_field(layout, state->name, EBR_ROLE_STATE, state->type, state->size));
    describe(layout, state->unit, state->meaning);
  }
  for (int i = 0; i < ebr_sweep_axis_count(sweep); i++)
    EBR_TRY(add_parameter(layout, ebr_sweep_axis_parameter(sweep, i), EBR_ROLE_AXIS));
  for (int i = 0; i < ebr_parameter_count(); i++) EBR_TRY(add_parameter(layout, i, EBR_ROLE_PARAMETER));
  for (int i = 0; i < ebr_schema_count(schema); i++) {
    const ebr_column *column = ebr_schema_at(schema, i);
    if (column->points * column->values > 1) continue;
    EBR_CHECK(ebr_layout_find(layout, column->name) < 0, EBR_INTERNAL, "a measure and a parameter are both called '%s'",
              column->name);
    EBR_TRY(add_field(layout, column->name, EBR_ROLE_MEASURE, EBR_TYPE_REAL, 8));
    describe(layout, column->unit, column->meaning);
  }
  EBR_TRY(widen_for_sweep(layout, sweep));
  EBR_TRY(place(layout));
done:
  return error;
}

/* ---- two layouts ------------------------------------------------------------------------------------------------- */

static ebr_error *widen_field(ebr_field *field, const ebr_field *old)
{
  ebr_error *error = NULL;
  EBR_CHECK((field->type == EBR_TYPE_TEXT) == (old->type == EBR_TYPE_TEXT), EBR_RESULTS,
            "its column '%s' is %s, and this ebrsweep writes %s", old->name,
            old->type == EBR_TYPE_TEXT ? "text" : "a number", field->type == EBR_TYPE_TEXT ? "text" : "a number");
  if (field->type == EBR_TYPE_TEXT) {
    if (old->size > field->size) field->size = old->size;
  } else if (old->type == EBR_TYPE_REAL || (old->type == EBR_TYPE_INT64 && field->type == EBR_TYPE_INT32)) {
    field->type = old->type;
    field->size = old->size;
  }
done:
  return error;
}

ebr_error *ebr_layout_merge(ebr_layout *layout, const ebr_layout *old)
{
  ebr_error *error = NULL;
  for (int i = 0; i < old->count; i++) {
    int known = ebr_layout_find(layout, old->field[i].name);
    if (known >= 0) {
      EBR_TRY(widen_field(&layout->field[known], &old->field[i]));
      continue;
    }
    ebr_role role = old->field[i].role == EBR_ROLE_AXIS ? EBR_ROLE_PARAMETER : old->field[i].role;
    EBR_TRY(add_field(layout, old->field[i].name, role, old->field[i].type, old->field[i].size));
    describe(layout, old->field[i].unit, old->field[i].meaning);
  }
  EBR_TRY(place(layout));
done:
  return error;
}

bool ebr_layout_same(const ebr_layout *a, const ebr_layout *b)
{
  bool same = a->count == b->count && a->stride == b->stride;
  for (int i = 0; same && i < a->count; i++) {
    const ebr_field *left = &a->field[i], *right = &b->field[i];
    same = strcmp(left->name, right->name) == 0 && left->role == right->role && left->type == right->type &&
           left->size == right->size;
  }
  return same;
}

/* ---- in a file --------------------------------------------------------------------------------------------------- */

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

static const char *role_name(ebr_role role)
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

static ebr_error *read_columns(const char *path, hid_t file, ebr_layout *layout)
{
  ebr_error *error = NULL;
  hid_t type = -1, space = -1, dataset = -1;
  column_row *rows = NULL;
  EBR_TRY_HDF5(path, dataset = H5Dopen2(file, "columns", H5P_DEFAULT));
  EBR_TRY_HDF5(path, space = H5Dget_space(dataset));
  EBR_CHECK(H5Sget_simple_extent_npoints(space) == layout->count, EBR_RESULTS,
            "%s: is damaged: /columns and /runs do not agree", path);
  rows = malloc((size_t)layout->count * sizeof *rows);
  EBR_CHECK_MEMORY(rows, "the list of columns");
  EBR_TRY(column_type(path, &type));
  EBR_TRY_HDF5(path, H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows));
  for (int i = 0; i < layout->count; i++) {
    ebr_field *field = &layout->field[i];
    for (int role = EBR_ROLE_STATE; role <= EBR_ROLE_MEASURE; role++)
      if (strncmp(rows[i].kind, role_name((ebr_role)role), sizeof rows[i].kind) == 0) field->role = (ebr_role)role;
    if (field->role != EBR_ROLE_AXIS && field->role != EBR_ROLE_PARAMETER) field->parameter = -1;
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

static ebr_error *read_member(const char *path, hid_t compound, unsigned index, ebr_layout *layout)
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
  EBR_TRY(add_field(layout, name, index < EBR_STATE_COUNT ? EBR_ROLE_STATE : EBR_ROLE_PARAMETER, type, size));
done:
  ebr_hdf5_release(&member);
  if (name) H5free_memory(name);
  return error;
}

ebr_error *ebr_layout_read(const char *path, hid_t file, hid_t runs, ebr_layout *layout)
{
  ebr_error *error = NULL;
  hid_t type = -1;
  *layout = (ebr_layout){0};
  EBR_TRY_HDF5(path, type = H5Dget_type(runs));
  EBR_CHECK(H5Tget_class(type) == H5T_COMPOUND && H5Tget_nmembers(type) >= EBR_STATE_COUNT, EBR_RESULTS,
            "%s: is no results file of ebrsweep: /runs has no columns", path);
  for (int i = 0; i < H5Tget_nmembers(type); i++) EBR_TRY(read_member(path, type, (unsigned)i, layout));
  for (int i = 0; i < EBR_STATE_COUNT; i++)
    EBR_CHECK(strcmp(layout->field[i].name, state_field_at(i)->name) == 0 &&
                  layout->field[i].type == state_field_at(i)->type,
              EBR_RESULTS, "%s: is no results file of ebrsweep: /runs lacks the column '%s'", path,
              state_field_at(i)->name);
  EBR_TRY(read_columns(path, file, layout));
  EBR_TRY(place(layout));
done:
  ebr_hdf5_release(&type);
  return error;
}
