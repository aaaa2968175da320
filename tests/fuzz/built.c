#include "fuzz/built.h"

#include "store/results.h"

#include <stdlib.h>
#include <string.h>

/* The type of /runs as ebrsweep writes it, but for what the input changes. */
static hid_t runs_type(fuzz_bytes *bytes)
{
  hid_t member[EBR_STATE_COUNT + 3];
  const char *name[EBR_STATE_COUNT + 3] = {0};
  int count = 0;
  size_t size = 0;
  for (int i = 0; i < EBR_STATE_COUNT + 3; i++) {
    unsigned change = fuzz_byte(bytes);
    const ebr_state_field *state = i < EBR_STATE_COUNT ? ebr_layout_state(i) : NULL;
    ebr_error *error = NULL;
    if (change == 255) continue;
    if (!state || change > 250) member[count] = fuzz_type(bytes);
    else if (state->type == EBR_TYPE_TEXT)
      error = ebr_hdf5_text_type("", change > 230 ? change - 230 : state->size, &member[count]);
    else
      member[count] = H5Tcopy(state->type == EBR_TYPE_REAL    ? H5T_NATIVE_DOUBLE
                              : state->type == EBR_TYPE_INT32 ? H5T_NATIVE_INT32
                                                              : H5T_NATIVE_UINT64);
    if (error) abort();
    name[count] = state                      ? state->name
                  : i == EBR_STATE_COUNT     ? "method"
                  : i == EBR_STATE_COUNT + 1 ? "seed"
                                             : "test.loss";
    size += H5Tget_size(member[count++]);
  }
  size_t padding = fuzz_pick(bytes, 4) ? 0 : 8, offset = padding;
  hid_t type = H5Tcreate(H5T_COMPOUND, size + padding + 1);
  for (int i = 0; i < count; i++) {
    H5Tinsert(type, name[i], offset, member[i]);
    offset += H5Tget_size(member[i]);
    H5Tclose(member[i]);
  }
  if (offset > 0) H5Tset_size(type, offset);
  return type;
}

static void add_columns(hid_t file, int count, fuzz_bytes *bytes)
{
  static const char *const kinds[] = {"state", "axis", "parameter", "measure", "sixteen letters.", ""};
  struct row {
    char name[64], kind[16], unit[16], meaning[160];
  } rows[EBR_STATE_COUNT + 3] = {0};
  hsize_t extent = (hsize_t)count;
  hid_t type = H5Tcreate(H5T_COMPOUND, sizeof *rows), space = H5Screate_simple(1, &extent, NULL);
  const size_t sizes[] = {64, 16, 16, 160}, offsets[] = {0, 64, 80, 96};
  static const char *const names[] = {"name", "kind", "unit", "meaning"};
  for (int i = 0; i < 4; i++) {
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, sizes[i]);
    H5Tset_cset(text, H5T_CSET_UTF8);
    H5Tset_strpad(text, H5T_STR_NULLPAD);
    H5Tinsert(type, names[i], offsets[i], text);
    H5Tclose(text);
  }
  for (int i = 0; i < count; i++) {
    unsigned kind = fuzz_byte(bytes);
    const char *word = kind < 200 ? kinds[i < EBR_STATE_COUNT ? 0 : i - EBR_STATE_COUNT + 1] : kinds[kind % 6];
    memcpy(rows[i].kind, word, strnlen(word, 16));
  }
  hid_t dataset = H5Dcreate2(file, "columns", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (dataset >= 0) H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows);
  if (dataset >= 0) H5Dclose(dataset);
  H5Sclose(space);
  H5Tclose(type);
}

static void add_attributes(hid_t file, fuzz_bytes *bytes)
{
  static const char *const names[] = {"format", "sweep", "question", "other", "name"};
  for (int i = 0; i < 5; i++) {
    hsize_t extent[3];
    unsigned how = fuzz_byte(bytes);
    int rank = how < 200 ? 0 : fuzz_extents(bytes, extent);
    hid_t type = i == 0 && how < 240 ? H5Tcopy(H5T_STD_I32LE) : fuzz_type(bytes);
    hid_t space = H5Screate_simple(rank, extent, NULL);
    hid_t attribute = space < 0 ? -1 : H5Acreate2(file, names[i], type, space, H5P_DEFAULT, H5P_DEFAULT);
    int format = how < 180 ? 2 : (int)how - 190;
    if (i == 0 && how < 200 && attribute >= 0) H5Awrite(attribute, H5T_NATIVE_INT, &format);
    if (attribute >= 0) H5Aclose(attribute);
    if (space >= 0) H5Sclose(space);
    H5Tclose(type);
  }
}

static void choose_state(const ebr_layout *layout, unsigned char *row, fuzz_bytes *bytes)
{
  static const char *const ids[] = {"0000000000000000", "0000000000000001", "ffffffffffffffff", "not hexadecimal."};
  unsigned how = fuzz_byte(bytes);
  const ebr_field *status = &layout->field[EBR_STATE_STATUS];
  const char *name = ebr_status_name((ebr_status)(how % 5));
  memcpy(row + layout->field[EBR_STATE_ID].offset, ids[how / 5 % 4], 16);
  memset(row + status->offset, 0, status->size);
  memcpy(row + status->offset, name, strnlen(name, status->size));
  if (how / 20 % 4 && layout->count > EBR_STATE_SERIES) memset(row + layout->field[EBR_STATE_SERIES].offset, 0, 8);
  if (how / 80 != 2) ebr_row_seal(layout, row);
}

/* Finished runs have a checksum, which no input would come upon. */
static void seal_rows(const char *path, fuzz_bytes *bytes)
{
  ebr_results *results = NULL;
  hid_t file = -1, runs = -1, type = -1;
  if (fuzz_byte(bytes) % 8 == 7) return;
  ebr_error *error = ebr_results_open(path, &results);
  ebr_error_destroy(&error);
  if (!results || results->count == 0 || results->count > 24) goto done;
  const ebr_layout *layout = &results->layout;
  size_t size = (size_t)results->count * layout->stride;
  unsigned char *rows = size > 1 << 20 ? NULL : malloc(size);
  if (!rows) goto done;
  memcpy(rows, results->rows, size);
  for (int64_t run = 0; run < results->count; run++) choose_state(layout, rows + (size_t)run * layout->stride, bytes);
  file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  runs = H5Dopen2(file, "runs", H5P_DEFAULT);
  error = ebr_layout_type(layout, path, &type);
  if (!error) H5Dwrite(runs, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows);
  ebr_error_destroy(&error);
  free(rows);
done:
  ebr_hdf5_release(&type);
  ebr_hdf5_release(&runs);
  if (file >= 0) H5Fclose(file);
  ebr_results_close(&results);
}

const char *fuzz_results_build(const char *ending, fuzz_bytes *bytes)
{
  static const char *const names[] = {"curves/loss", "spectra/head", "sweep", "curves", "spectra/a/b"};
  hid_t file = fuzz_hdf5_begin(), runs = runs_type(bytes);
  hsize_t extent[3] = {fuzz_pick(bytes, 6), 1, 1};
  unsigned usual = fuzz_byte(bytes);
  int rank = usual < 220 ? 1 : fuzz_extents(bytes, extent);
  hsize_t rows = extent[0];
  fuzz_dataset(file, "runs", runs, rank, extent, bytes);
  add_columns(file, H5Tget_nmembers(runs), bytes);
  H5Tclose(runs);
  add_attributes(file, bytes);
  for (int i = 0; i < 3 && bytes->left > 0; i++) {
    hid_t type = fuzz_pick(bytes, 4) ? H5Tcopy(H5T_NATIVE_DOUBLE) : fuzz_type(bytes);
    rank = fuzz_extents(bytes, extent);
    if (fuzz_pick(bytes, 4)) extent[0] = rows;
    fuzz_dataset(file, names[fuzz_pick(bytes, 5)], type, rank, extent, bytes);
    H5Tclose(type);
  }
  const char *path = fuzz_hdf5_end(ending, file);
  seal_rows(path, bytes);
  return path;
}

void fuzz_results_look(ebr_results *results)
{
  ebr_row row;
  int64_t count = ebr_results_count(results);
  for (int64_t run = 0; run < count && run < 50; run++) {
    ebr_results_row(results, run, &row);
    ebr_results_status(results, run);
    for (int c = 0; c < ebr_results_column_count(results); c++) {
      ebr_results_number(results, run, c);
      ebr_results_cell(results, run, c);
    }
  }
  ebr_results_text(results, "sweep");
}
