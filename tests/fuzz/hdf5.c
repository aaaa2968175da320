#include "fuzz/hdf5.h"

#include <stdlib.h>
#include <string.h>

enum { WRITTEN_MOST = 1 << 16 };

unsigned fuzz_byte(fuzz_bytes *bytes)
{
  if (bytes->left == 0) return 0;
  bytes->left--;
  return *bytes->at++;
}

unsigned fuzz_pick(fuzz_bytes *bytes, unsigned bound) { return fuzz_byte(bytes) % bound; }

void fuzz_hdf5_hurry(void) { H5set_free_list_limits(-1, -1, -1, -1, -1, -1); }

hid_t fuzz_hdf5_begin(void)
{
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, 1 << 14, false);
  hid_t file = H5Fcreate("in memory", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose(access);
  if (file < 0) fuzz_complain("HDF5 makes no file", "");
  return file;
}

const char *fuzz_hdf5_end(const char *ending, hid_t file)
{
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  ssize_t length = H5Fget_file_image(file, NULL, 0);
  uint8_t *image = malloc(length > 0 ? (size_t)length : 1);
  if (!image || H5Fget_file_image(file, image, (size_t)length) != length) fuzz_complain("HDF5 gives no image", "");
  H5Fclose(file);
  const char *path = fuzz_file(ending, image, (size_t)length);
  free(image);
  return path;
}

static hid_t text_type(size_t size)
{
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, size);
  if (size % 4) H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

static hid_t compound_type(fuzz_bytes *bytes)
{
  hid_t type = H5Tcreate(H5T_COMPOUND, 16);
  H5Tinsert(type, "one", 0, fuzz_pick(bytes, 2) ? H5T_STD_I32LE : H5T_IEEE_F64BE);
  H5Tinsert(type, "two", 8, H5T_STD_U8LE);
  return type;
}

static hid_t truth_type(fuzz_bytes *bytes)
{
  hid_t type = H5Tenum_create(H5T_STD_I8LE);
  signed char no = 0, yes = (signed char)fuzz_byte(bytes);
  H5Tenum_insert(type, "FALSE", &no);
  H5Tenum_insert(type, "TRUE", &yes);
  return type;
}

hid_t fuzz_type(fuzz_bytes *bytes)
{
  const hid_t numbers[] = {H5T_STD_I32LE, H5T_IEEE_F32LE, H5T_STD_U8LE,  H5T_STD_I8BE,   H5T_STD_I64BE,
                           H5T_STD_U64LE, H5T_IEEE_F64LE, H5T_STD_U32BE, H5T_IEEE_F64BE, H5T_STD_I16LE};
  const hsize_t three = 3;
  unsigned which = fuzz_pick(bytes, 18);
  if (which < sizeof numbers / sizeof *numbers) return H5Tcopy(numbers[which]);
  switch (which) {
    case 10: return text_type(1 + fuzz_byte(bytes));
    case 11: return text_type(H5T_VARIABLE);
    case 12: return text_type((size_t)1 << fuzz_pick(bytes, 31));
    case 13: return compound_type(bytes);
    case 14: return truth_type(bytes);
    case 15: return H5Tcreate(H5T_OPAQUE, 1 + fuzz_byte(bytes));
    case 16: return H5Tarray_create2(H5T_STD_I32LE, 1, &three);
    default: return H5Tvlen_create(H5T_STD_I32LE);
  }
}

int fuzz_extents(fuzz_bytes *bytes, hsize_t extent[3])
{
  static const hsize_t large[] = {0, 1000, 70000, 1u << 30, 2147483647, 2147483648, (hsize_t)1 << 40, (hsize_t)1 << 62};
  int rank = (int)fuzz_pick(bytes, 4);
  for (int i = 0; i < rank; i++) {
    unsigned size = fuzz_byte(bytes);
    extent[i] = size < 240 ? size % 24 : large[(size - 240) % 8];
  }
  return rank;
}

static hid_t layout(int rank, const hsize_t *extent, size_t bytes, fuzz_bytes *input)
{
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  unsigned how = fuzz_pick(input, 6);
  hsize_t chunk[3];
  for (int i = 0; i < rank; i++) chunk[i] = extent[i] > 0 ? extent[i] < 64 ? extent[i] : 64 : 1;
  if (how == 5 && rank > 0) chunk[rank - 1] = extent[rank - 1] > 0 ? extent[rank - 1] : 1;
  if (how == 1 && bytes > 0 && bytes < 32768) H5Pset_layout(creation, H5D_COMPACT);
  if (how >= 2 && rank > 0) H5Pset_chunk(creation, rank, chunk);
  if (how >= 4 && rank > 0) H5Pset_deflate(creation, 1);
  if (how == 3 && rank > 0) H5Pset_fletcher32(creation);
  /* Space for a whole contiguous array would make the file itself large. */
  H5Pset_alloc_time(creation, bytes > 0 && bytes <= WRITTEN_MOST ? H5D_ALLOC_TIME_DEFAULT : H5D_ALLOC_TIME_LATE);
  return creation;
}

static void fill(hid_t dataset, hid_t type, size_t bytes, fuzz_bytes *input)
{
  size_t length = fuzz_byte(input);
  if (length > input->left) length = input->left;
  if (length == 0 || bytes == 0 || bytes > WRITTEN_MOST || H5Tdetect_class(type, H5T_VLEN) > 0 ||
      H5Tis_variable_str(type) > 0)
    return;
  unsigned char *values = malloc(bytes);
  if (!values) abort();
  for (size_t i = 0; i < bytes; i++) values[i] = input->at[i % length];
  H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  free(values);
  input->at += length;
  input->left -= length;
}

void fuzz_dataset(hid_t file, const char *name, hid_t type, int rank, const hsize_t *extent, fuzz_bytes *bytes)
{
  size_t size = H5Tget_size(type);
  for (int i = 0; i < rank; i++)
    if (__builtin_mul_overflow(size, (size_t)extent[i], &size)) size = (size_t)1 << 62;
  hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  hid_t space = H5Screate_simple(rank, extent, NULL), creation = layout(rank, extent, size, bytes);
  hid_t dataset = space < 0 ? -1 : H5Dcreate2(file, name, type, space, links, creation, H5P_DEFAULT);
  if (dataset >= 0) {
    fill(dataset, type, size, bytes);
    H5Dclose(dataset);
  }
  H5Pclose(creation);
  if (space >= 0) H5Sclose(space);
  H5Pclose(links);
}
