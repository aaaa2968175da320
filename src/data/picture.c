/* What a row of a modality looks like: the attribute shape, e.g. (28, 28). */
#include "data/field.h"

static ebr_error *fit(const ebr_source *source, const char *name, const int64_t *extent, int inputs,
                      ebr_picture *picture)
{
  ebr_error *error = NULL;
  double product = 1;
  for (int k = 0; k < 3; k++) {
    EBR_CHECK(extent[k] >= 1, EBR_DATA, "%s: the attribute shape of %s holds %lld; at least 1 is possible",
              source->path, name, (long long)extent[k]);
    product *= (double)extent[k];
  }
  EBR_CHECK(product == inputs, EBR_DATA, "%s: the attribute shape of %s makes %g values, but a row has %d",
            source->path, name, product, inputs);
  *picture = (ebr_picture){(int)extent[0], (int)extent[1], (int)extent[2]};
done:
  return error;
}

static ebr_error *read_shape(const ebr_source *source, const char *name, hid_t set, int inputs, ebr_picture *picture)
{
  ebr_error *error = NULL;
  int64_t extent[3] = {0, 0, 1};
  hid_t attribute = H5Aopen(set, "shape", H5P_DEFAULT), type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  hssize_t count = H5Sget_simple_extent_npoints(space);
  EBR_CHECK(H5Tget_class(type) == H5T_INTEGER, EBR_DATA, "%s: the attribute shape of %s holds no integers",
            source->path, name);
  if (count != 2 && count != 3) goto done;
  EBR_CHECK(H5Aread(attribute, H5T_NATIVE_INT64, extent) >= 0, EBR_DATA,
            "%s: the attribute shape of %s cannot be read", source->path, name);
  EBR_TRY(fit(source, name, extent, inputs, picture));
done:
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  if (attribute >= 0) H5Aclose(attribute);
  return error;
}

ebr_error *ebr_field_picture(const ebr_source *source, const char *name, int inputs, ebr_picture *picture)
{
  ebr_error *error = NULL;
  hid_t set = H5Dopen2(source->file, name, H5P_DEFAULT);
  *picture = (ebr_picture){0};
  if (H5Aexists(set, "shape") > 0) EBR_TRY(read_shape(source, name, set, inputs, picture));
done:
  if (set >= 0) H5Dclose(set);
  return error;
}
