#include "store/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One axis: its values so far, and a table of their hashes. */
typedef struct axis {
  const ebr_field *field;
  unsigned char *values; /* (count x field->size) */
  int64_t count, capacity;
  uint64_t *table; /* (slots), 0 = free */
  int64_t slots;   /* a power of two, at least twice count */
} axis;

struct ebr_axes {
  axis *axis;
  int count;
};

ebr_error *ebr_axes_create(const ebr_layout *layout, ebr_axes **axes)
{
  ebr_error *error = NULL;
  *axes = calloc(1, sizeof **axes);
  EBR_CHECK_MEMORY(*axes, "axes");
  (*axes)->axis = calloc((size_t)layout->count, sizeof *(*axes)->axis);
  EBR_CHECK_MEMORY((*axes)->axis, "axes");
  for (int i = 0; i < layout->count; i++)
    if (layout->field[i].role == EBR_COLUMN_AXIS) (*axes)->axis[(*axes)->count++].field = &layout->field[i];
done:
  return error;
}

void ebr_axes_destroy(ebr_axes **axes)
{
  if (!*axes) return;
  for (int i = 0; i < (*axes)->count; i++) {
    free((*axes)->axis[i].values);
    free((*axes)->axis[i].table);
  }
  free((*axes)->axis);
  free(*axes);
  *axes = NULL;
}

/* The slot of a hash: the one that holds it, or the free one where it belongs. */
static uint64_t *slot_of(const axis *a, uint64_t hash)
{
  uint64_t mask = (uint64_t)a->slots - 1, place = hash & mask;
  while (a->table[place] && a->table[place] != hash) place = (place + 1) & mask;
  return &a->table[place];
}

static uint64_t hash_of(const axis *a, const unsigned char *value)
{
  uint64_t hash = ebr_hash(value, a->field->size, 0);
  return hash ? hash : 1;
}

static ebr_error *grow(axis *a)
{
  ebr_error *error = NULL;
  if (a->count < a->capacity) goto done;
  int64_t capacity = a->capacity ? 2 * a->capacity : 64;
  unsigned char *values = realloc(a->values, (size_t)capacity * a->field->size);
  EBR_CHECK_MEMORY(values, "the values of an axis");
  a->values = values;
  a->capacity = capacity;
  free(a->table);
  a->slots = 2 * capacity;
  a->table = calloc((size_t)a->slots, sizeof *a->table);
  EBR_CHECK_MEMORY(a->table, "the values of an axis");
  for (int64_t i = 0; i < a->count; i++) {
    uint64_t hash = hash_of(a, values + (size_t)i * a->field->size);
    *slot_of(a, hash) = hash;
  }
done:
  return error;
}

ebr_error *ebr_axes_see(ebr_axes *axes, const unsigned char *row)
{
  ebr_error *error = NULL;
  for (int i = 0; i < axes->count; i++) {
    axis *a = &axes->axis[i];
    const unsigned char *value = row + a->field->offset;
    EBR_TRY(grow(a));
    uint64_t hash = hash_of(a, value), *slot = slot_of(a, hash);
    if (*slot) continue;
    *slot = hash;
    memcpy(a->values + (size_t)a->count++ * a->field->size, value, a->field->size);
  }
done:
  return error;
}

/* The type of one column: taken out of the compound of a layout that has only it. */
static ebr_error *value_type(const char *path, const ebr_field *field, hid_t *type)
{
  ebr_error *error = NULL;
  ebr_field alone = *field;
  ebr_layout layout = {.field = &alone, .count = 1, .stride = field->size};
  hid_t compound = -1;
  alone.offset = 0;
  EBR_TRY(ebr_layout_type(&layout, path, &compound));
  EBR_TRY_HDF5(path, *type = H5Tget_member_type(compound, 0));
done:
  ebr_hdf5_release(&compound);
  return error;
}

static ebr_error *write_axis(const axis *a, const char *path, hid_t group)
{
  ebr_error *error = NULL;
  hid_t type = -1, dataset = -1;
  hsize_t count = (hsize_t)a->count;
  EBR_TRY(value_type(path, a->field, &type));
  EBR_TRY(ebr_dataset_create(path, group, a->field->name, type, 1, &count, &dataset));
  EBR_TRY_HDF5(path, H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, a->values));
  EBR_TRY(ebr_hdf5_write_text(path, dataset, "unit", a->field->unit));
  EBR_TRY(ebr_hdf5_write_text(path, dataset, "meaning", a->field->meaning));
done:
  ebr_hdf5_release(&dataset);
  ebr_hdf5_release(&type);
  return error;
}

ebr_error *ebr_axes_write(const ebr_axes *axes, const char *path, hid_t file)
{
  ebr_error *error = NULL;
  hid_t group = -1;
  EBR_TRY_HDF5(path, group = H5Gcreate2(file, "axes", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  for (int i = 0; i < axes->count; i++) EBR_TRY(write_axis(&axes->axis[i], path, group));
done:
  ebr_hdf5_release(&group);
  return error;
}
