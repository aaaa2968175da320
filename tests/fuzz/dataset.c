/* HDF5 datasets: looked at, laid out and read as a library does it. */
#include "fuzz/hdf5.h"

#include "data/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_order(hid_t file, fuzz_bytes *bytes)
{
  const hsize_t count = fuzz_pick(bytes, 5);
  char names[5][4] = {"a", "b", "c", "a", "zz"};
  if (H5Lexists(file, "modality", H5P_DEFAULT) <= 0) return;
  hid_t group = H5Gopen2(file, "modality", H5P_DEFAULT), type = H5Tcopy(H5T_C_S1), other = fuzz_type(bytes);
  if (group < 0) goto done;
  H5Tset_size(type, 4);
  hid_t stored = fuzz_pick(bytes, 4) ? type : other;
  hid_t space = fuzz_pick(bytes, 8) ? H5Screate_simple(1, &count, NULL) : H5Screate(H5S_SCALAR);
  hid_t attribute = H5Acreate2(group, "order", stored, space, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute >= 0 && stored == type && count > 0) H5Awrite(attribute, type, names);
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  H5Gclose(group);
done:
  H5Tclose(type);
  H5Tclose(other);
}

/* What a row looks like: mostly two numbers, some of which fit. */
static void add_shape(hid_t file, fuzz_bytes *bytes)
{
  const hsize_t count = fuzz_pick(bytes, 5);
  int64_t extent[4];
  if (H5Lexists(file, "modality", H5P_DEFAULT) <= 0 || H5Lexists(file, "modality/a", H5P_DEFAULT) <= 0) return;
  hid_t set = H5Oopen(file, "modality/a", H5P_DEFAULT);
  hid_t type = fuzz_pick(bytes, 4) ? H5Tcopy(H5T_NATIVE_INT64) : fuzz_type(bytes);
  hid_t space = fuzz_pick(bytes, 8) ? H5Screate_simple(1, &count, NULL) : H5Screate(H5S_SCALAR);
  hid_t attribute = H5Acreate2(set, "shape", type, space, H5P_DEFAULT, H5P_DEFAULT);
  for (int k = 0; k < 4; k++) extent[k] = (int64_t)fuzz_pick(bytes, 5) - (fuzz_pick(bytes, 16) == 0);
  if (attribute >= 0 && H5Tequal(type, H5T_NATIVE_INT64) > 0 && count > 0) H5Awrite(attribute, type, extent);
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
  H5Oclose(set);
}

/* One dataset after the other; mostly of a shape that fits the first. */
static const char *build(fuzz_bytes *bytes)
{
  static const char *const names[] = {
      "label",        "modality/a", "modality/b", "modality/c",
      "split",        "present",    "modality",   "modality/a-name-of-more-than-32-bytes-in-all",
      "modality/a b", "other"};
  hid_t file = fuzz_hdf5_begin();
  hsize_t rows = fuzz_pick(bytes, 12) + 1, extent[3];
  for (int i = 0; i < 8 && bytes->left > 0; i++) {
    unsigned which = fuzz_pick(bytes, 16), usual = fuzz_pick(bytes, 8);
    const char *name = which < 10 ? names[which] : names[which - 10];
    hid_t type = usual > 1 ? H5Tcopy(name[0] == 'm' ? H5T_IEEE_F32LE : H5T_STD_I32LE) : fuzz_type(bytes);
    int rank = usual > 0 ? (name[0] == 'm' || name[0] == 'p' ? 2 : 1) : fuzz_extents(bytes, extent);
    if (usual > 0) {
      extent[0] = rows;
      extent[1] = fuzz_pick(bytes, 4) + 1;
    }
    fuzz_dataset(file, name, type, rank, extent, bytes);
    H5Tclose(type);
  }
  add_order(file, bytes);
  add_shape(file, bytes);
  return fuzz_hdf5_end(".h5", file);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
  fuzz_bytes bytes = {input, length};
  bool whole = length > 8 && memcmp(input, "\x89HDF", 4) == 0;
  fuzz_hdf5_hurry();
  const char *path = whole ? fuzz_file(".h5", input, length) : build(&bytes);
  ebr_dataset *dataset = calloc(1, sizeof *dataset);
  if (!dataset) abort();
  snprintf(dataset->path, sizeof dataset->path, "%s", path);
  ebr_error *error = ebr_dataset_inspect(dataset);
  if (!error) {
    unsigned char *block = aligned_alloc(64, (ebr_dataset_layout(dataset, NULL) + 63) / 64 * 64);
    if (!block) fuzz_complain("no memory for what a small file holds", path);
    ebr_dataset_layout(dataset, block);
    error = ebr_dataset_read(dataset);
    free(block);
  }
  free(dataset);
  fuzz_end_error(error, EBR_DATA);
  return 0;
}
