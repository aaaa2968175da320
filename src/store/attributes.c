#include "store/results.h"

#include "data/plausible.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As it stands there, in whatever character set. */
static ebr_error *read_text(const char *path, hid_t attribute, hid_t type, char **value)
{
  ebr_error *error = NULL;
  *value = calloc(H5Tget_size(type) + 1, 1);
  EBR_CHECK_MEMORY(*value, "an attribute");
  EBR_TRY_HDF5(path, H5Aread(attribute, type, *value));
done:
  return error;
}

static ebr_error *read_number(const char *path, hid_t attribute, char **value)
{
  ebr_error *error = NULL;
  double number;
  ebr_text text = {0};
  EBR_TRY_HDF5(path, H5Aread(attribute, H5T_NATIVE_DOUBLE, &number));
  EBR_TRY(ebr_text_add_number(&text, number));
  *value = text.data;
  text = (ebr_text){0};
done:
  ebr_text_destroy(&text);
  return error;
}

/* Attributes that other tools added in other forms are none of our business. */
static ebr_error *read_attribute(const char *path, hid_t attribute, ebr_attribute *target)
{
  ebr_error *error = NULL;
  hid_t type = -1, space = -1;
  EBR_TRY_HDF5(path, H5Aget_name(attribute, sizeof target->name, target->name));
  EBR_TRY_HDF5(path, type = H5Aget_type(attribute));
  EBR_TRY_HDF5(path, space = H5Aget_space(attribute));
  H5T_class_t class = H5Tget_class(type);
  bool scalar = H5Sget_simple_extent_npoints(space) == 1;
  if (scalar && class == H5T_STRING && H5Tis_variable_str(type) == 0)
    EBR_TRY(read_text(path, attribute, type, &target->value));
  else if (scalar && (class == H5T_INTEGER || class == H5T_FLOAT))
    EBR_TRY(read_number(path, attribute, &target->value));
done:
  ebr_hdf5_release(&space);
  ebr_hdf5_release(&type);
  return error;
}

static ebr_error *read_long_sweep(const char *path, hid_t file, ebr_attribute *target)
{
  ebr_error *error = NULL;
  hid_t dataset = -1, type = -1, space = -1;
  EBR_TRY_HDF5(path, dataset = H5Dopen2(file, "sweep", H5P_DEFAULT));
  EBR_TRY_HDF5(path, type = H5Dget_type(dataset));
  EBR_TRY_HDF5(path, space = H5Dget_space(dataset));
  EBR_CHECK(H5Sget_simple_extent_npoints(space) == 1 && H5Tget_class(type) == H5T_STRING &&
                H5Tis_variable_str(type) == 0,
            EBR_RESULTS, "%s: is damaged: /sweep is not one text", path);
  EBR_TRY(ebr_plausible_dataset(EBR_RESULTS, path, "/sweep", dataset));
  snprintf(target->name, sizeof target->name, "sweep");
  target->value = calloc(H5Tget_size(type) + 1, 1);
  EBR_CHECK_MEMORY(target->value, "the sweep's text");
  EBR_TRY_HDF5(path, H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, target->value));
done:
  ebr_hdf5_release(&space);
  ebr_hdf5_release(&type);
  ebr_hdf5_release(&dataset);
  return error;
}

ebr_error *ebr_results_read_attributes(ebr_results *results, hid_t file)
{
  ebr_error *error = NULL;
  hid_t attribute = -1;
  H5O_info_t about;
  const char *path = results->path;
  /* HDF5 1.10 does not survive listing attributes when it cannot read one of them. Looking for one that is not there, it
   * reads them all, and says so. */
  EBR_TRY_HDF5(path, H5Aexists(file, "no such attribute"));
  EBR_TRY_HDF5(path, H5Oget_info2(file, &about, H5O_INFO_NUM_ATTRS));
  results->attribute = calloc((size_t)about.num_attrs + 1, sizeof *results->attribute);
  EBR_CHECK_MEMORY(results->attribute, "attributes");
  for (hsize_t i = 0; i < about.num_attrs; i++) {
    EBR_TRY_HDF5(path, attribute = H5Aopen_by_idx(file, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT));
    EBR_TRY(read_attribute(path, attribute, &results->attribute[results->attribute_count++]));
    ebr_hdf5_release(&attribute);
  }
  if (H5Lexists(file, "sweep", H5P_DEFAULT) > 0)
    EBR_TRY(read_long_sweep(path, file, &results->attribute[results->attribute_count++]));
done:
  ebr_hdf5_release(&attribute);
  return error;
}

const char *ebr_results_text(const ebr_results *results, const char *attribute)
{
  for (int i = 0; i < results->attribute_count; i++)
    if (strcmp(results->attribute[i].name, attribute) == 0 && results->attribute[i].value)
      return results->attribute[i].value;
  return "";
}
