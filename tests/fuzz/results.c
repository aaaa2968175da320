/* Results files: opened, every cell read, checksums compared. */
#include "fuzz/hdf5.h"

#include "store/layout.h"

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

static const char *build(fuzz_bytes *bytes)
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
  return fuzz_hdf5_end(file);
}

static void look_at_all(ebr_results *results)
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

/* What HDF5 itself refuses is a file that cannot be read. */
static void end_error(ebr_error *error)
{
  fuzz_end_error(error, ebr_error_code(error) == EBR_FILE ? EBR_FILE : EBR_RESULTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
  fuzz_bytes bytes = {input, length};
  ebr_results *results = NULL;
  int64_t damaged;
  bool whole = length > 8 && memcmp(input, "\x89HDF", 4) == 0;
  end_error(ebr_results_open(whole ? fuzz_file(".h5", input, length) : build(&bytes), &results));
  if (!results) return 0;
  look_at_all(results);
  end_error(ebr_results_check(results, &damaged));
  look_at_all(results);
  ebr_results_close(&results);
  return 0;
}
