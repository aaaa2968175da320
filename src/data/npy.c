#include "data/npy.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What a header says. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
typedef struct npy_header {
  char order, kind; /* '<', '>' or '|', and numpy's letter of a type */
  int bytes;        /* of one element */
  bool fortran;
  int dimensions;
  hsize_t extent[H5S_MAX_RANK];
  long start; /* of the numbers in the file */
} npy_header;

/* Where the value of a key of the header's dictionary starts; NULL without it. */
static const char *value_of(const char *header, const char *key)
{
  const char *at = strstr(header, key);
  if (!at) return NULL;
  for (at += strlen(key); *at == ' ' || *at == ':' || *at == '\''; at++) continue;
  return at;
}

static bool parse_shape(const char *at, npy_header *header)
{
  if (!at || *at++ != '(') return false;
  while (*at && *at != ')') {
    char *end;
    errno = 0;
    long long extent = strtoll(at, &end, 10);
    if (end == at || errno || extent < 0 || header->dimensions == H5S_MAX_RANK) return false;
    header->extent[header->dimensions++] = (hsize_t)extent;
    for (at = end; *at == ',' || *at == ' ' || *at == 'L'; at++) continue;
  }
  return *at == ')';
}

static bool parse(const char *text, npy_header *header)
{
  const char *type = value_of(text, "'descr'"), *fortran = value_of(text, "'fortran_order'");
  if (!type || !fortran || !strchr("<>|", type[0]) || !type[0] || !isalpha((unsigned char)type[1])) return false;
  header->order = type[0];
  header->kind = type[1];
  header->bytes = atoi(type + 2);
  header->fortran = strncmp(fortran, "True", 4) == 0;
  return header->bytes > 0 && parse_shape(value_of(text, "'shape'"), header);
}

static ebr_error *read_header(const char *path, npy_header *header)
{
  ebr_error *error = NULL;
  unsigned char fixed[12] = {0};
  char *text = NULL;
  FILE *file = fopen(path, "rb");
  EBR_CHECK(file, EBR_DATA, "%s: %s", path, strerror(errno));
  EBR_CHECK(fread(fixed, 1, 12, file) == 12 && memcmp(fixed, "\x93NUMPY", 6) == 0 && fixed[6] >= 1 && fixed[6] <= 3,
            EBR_DATA, "%s: is not a .npy file", path);
  long prefix = fixed[6] == 1 ? 10 : 12;
  size_t length = fixed[8] | (size_t)fixed[9] << 8;
  if (prefix == 12) length |= (size_t)fixed[10] << 16 | (size_t)fixed[11] << 24;
  EBR_CHECK(length > 0 && length < 1 << 20, EBR_DATA, "%s: its .npy header has an impossible length, %zu bytes", path,
            length);
  text = calloc(length + 1, 1);
  EBR_CHECK_MEMORY(text, "a .npy header");
  EBR_CHECK(fseek(file, prefix, SEEK_SET) == 0 && fread(text, 1, length, file) == length && parse(text, header),
            EBR_DATA, "%s: its .npy header cannot be read", path);
  header->start = prefix + (long)length;
done:
  free(text);
  if (file) fclose(file);
  return error;
}

/* An invalid type for what is no number. */
static hid_t type_of(const npy_header *header)
{
  hid_t type = -1;
  bool big = header->order == '>';
  int bytes = header->bytes;
  if (strchr("iu", header->kind) && (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8)) {
    type = H5Tcopy(header->kind == 'i' ? H5T_STD_I64LE : H5T_STD_U64LE);
    H5Tset_size(type, (size_t)bytes);
  } else if (header->kind == 'b' && bytes == 1) type = H5Tcopy(H5T_STD_U8LE);
  else if (header->kind == 'f' && bytes == 8) type = H5Tcopy(H5T_IEEE_F64LE);
  else if (header->kind == 'f' && bytes == 4) type = H5Tcopy(H5T_IEEE_F32LE);
  else if (header->kind == 'f' && bytes == 2) {
    type = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(type, 15, 10, 5, 0, 10);
    H5Tset_size(type, 2);
    H5Tset_ebias(type, 15);
  }
  if (type >= 0 && big) H5Tset_order(type, H5T_ORDER_BE);
  return type;
}

static ebr_error *check_length(const char *path, const npy_header *header)
{
  ebr_error *error = NULL;
  struct stat about = {0};
  double wanted = header->bytes;
  for (int i = 0; i < header->dimensions; i++) wanted *= (double)header->extent[i];
  EBR_CHECK(stat(path, &about) == 0, EBR_DATA, "%s: %s", path, strerror(errno));
  EBR_CHECK((double)(about.st_size - header->start) >= wanted, EBR_DATA,
            "%s: is cut short: its header promises %.0f bytes of numbers, and %lld are there", path, wanted,
            (long long)(about.st_size - header->start));
done:
  return error;
}

/* An HDF5 file in memory whose one dataset lies in the .npy file. */
static ebr_error *describe(const char *path, const npy_header *header, hid_t type, ebr_source *source)
{
  ebr_error *error = NULL;
  hid_t access = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_DATASET_CREATE);
  hid_t space = H5Screate_simple(header->dimensions, header->extent, NULL), set = -1;
  char *whole_path = realpath(path, NULL);
  hsize_t bytes = (hsize_t)header->bytes;
  for (int i = 0; i < header->dimensions; i++) bytes *= header->extent[i];
  EBR_CHECK_MEMORY(whole_path, "a path");
  H5Pset_fapl_core(access, 1 << 16, false);
  source->file = H5Fcreate("in memory: not a file", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  if (bytes > 0) H5Pset_external(creation, whole_path, header->start, bytes);
  set = H5Dcreate2(source->file, EBR_NPY_NAME, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  EBR_CHECK(source->file >= 0 && set >= 0, EBR_LIBRARY, "%s: HDF5 cannot map it", path);
done:
  if (set >= 0) H5Dclose(set);
  H5Sclose(space);
  H5Pclose(creation);
  H5Pclose(access);
  free(whole_path);
  return error;
}

ebr_error *ebr_npy_open(const char *path, ebr_source *source, bool *transposed)
{
  ebr_error *error = NULL;
  npy_header header = {0};
  hid_t type = -1;
  *source = (ebr_source){.path = path, .file = -1};
  H5Eget_auto2(H5E_DEFAULT, &source->report, &source->report_data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  EBR_TRY(read_header(path, &header));
  type = type_of(&header);
  EBR_CHECK(type >= 0, EBR_DATA, "%s: holds elements of numpy's type '%c%d', which are no real numbers", path,
            header.kind, header.bytes);
  EBR_TRY(check_length(path, &header));
  source->measured = true;
  if (header.dimensions == 0) header.extent[header.dimensions++] = 1;
  *transposed = header.fortran && header.dimensions == 2;
  if (*transposed) {
    hsize_t first = header.extent[0];
    header.extent[0] = header.extent[1];
    header.extent[1] = first;
  }
  EBR_TRY(describe(path, &header, type, source));
done:
  if (type >= 0) H5Tclose(type);
  if (error) ebr_source_close(source);
  return error;
}
