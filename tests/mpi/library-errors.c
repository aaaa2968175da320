/* Every way in which a dataset can be malformed: one sentence that names file and place, the same on all ranks. */
#include "made_library.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- what goes wrong: each changes the good file ----------------------------------------------------------------- */

static void replace_floats(hid_t file, const char *name, hsize_t rows, hsize_t columns, float last)
{
  float *values = calloc(rows * columns + 1, sizeof *values);
  if (rows * columns > 0) values[rows * columns - 1] = last;
  H5Ldelete(file, name, H5P_DEFAULT);
  write_floats(file, name, rows, columns, values);
  free(values);
}

/* Row 7 gets the value; the others count 0, 1, 2, 0, ... */
static void replace_labels(hid_t file, hsize_t rows, int value)
{
  int label[2 * MADE_ROWS];
  for (int n = 0; n < 2 * MADE_ROWS; n++) label[n] = n == 7 ? value : n % 3;
  H5Ldelete(file, "/label", H5P_DEFAULT);
  write_ints(file, "/label", rows, label);
}

static void write_flags(hid_t file, const char *name, hsize_t rows, hsize_t columns, int value, int odd)
{
  int flag[4 * MADE_ROWS];
  for (int n = 0; n < 4 * MADE_ROWS; n++) flag[n] = value;
  flag[7] = odd;
  if (columns == 0) write_ints(file, name, rows, flag);
  else write_field(file, name, 2, (hsize_t[2]){rows, columns}, H5T_STD_U8LE, H5T_NATIVE_INT, flag);
}

static void write_order(hid_t file, const char *first, const char *second, hsize_t count)
{
  char names[2][8] = {"", ""};
  snprintf(names[0], sizeof names[0], "%s", first);
  snprintf(names[1], sizeof names[1], "%s", second);
  hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &count, NULL);
  H5Tset_size(type, sizeof names[0]);
  hid_t order = H5Acreate_by_name(file, "/modality", "order", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (H5Awrite(order, type, names) < 0) abort();
  H5Aclose(order);
  H5Sclose(space);
  H5Tclose(type);
}

static void no_modality(hid_t file) { H5Ldelete(file, "/modality", H5P_DEFAULT); }
static void empty_modality(hid_t file)
{
  H5Ldelete(file, "/modality/sight", H5P_DEFAULT);
  H5Ldelete(file, "/modality/sound", H5P_DEFAULT);
}
static void modality_is_a_field(hid_t file)
{
  no_modality(file);
  write_ints(file, "/modality", 2, (int[2]){1, 2});
}
static void group_in_modality(hid_t file)
{
  H5Gclose(H5Gcreate2(file, "/modality/touch", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
}
static void long_name(hid_t file)
{
  write_floats(file, "/modality/a_name_that_nobody_would_want_to_read", 1, 1, &(float){0});
}
static void many_modalities(hid_t file)
{
  for (int i = 0; i < 65; i++) {
    char name[32];
    snprintf(name, sizeof name, "/modality/m%d", i);
    write_floats(file, name, 1, 1, &(float){0});
  }
}
static void no_label(hid_t file) { H5Ldelete(file, "/label", H5P_DEFAULT); }
static void one_dimension(hid_t file)
{
  H5Ldelete(file, "/modality/sight", H5P_DEFAULT);
  write_ints(file, "/modality/sight", MADE_ROWS, (int[MADE_ROWS]){0});
}
static void no_columns(hid_t file) { replace_floats(file, "/modality/sight", MADE_ROWS, 0, 0); }
static void short_modality(hid_t file) { replace_floats(file, "/modality/sound", 59, 3, 0); }
static void not_a_number(hid_t file) { replace_floats(file, "/modality/sight", MADE_ROWS, 4, NAN); }
static void infinite(hid_t file) { replace_floats(file, "/modality/sound", MADE_ROWS, 3, -INFINITY); }
static void text_modality(hid_t file)
{
  hid_t type = H5Tcopy(H5T_C_S1);
  char text[MADE_ROWS][2][4] = {{"one"}};
  H5Tset_size(type, 4);
  H5Ldelete(file, "/modality/sight", H5P_DEFAULT);
  write_field(file, "/modality/sight", 2, (hsize_t[2]){MADE_ROWS, 2}, type, type, text);
  H5Tclose(type);
}
static void negative_label(hid_t file) { replace_labels(file, MADE_ROWS, -1); }
static void large_label(hid_t file) { replace_labels(file, MADE_ROWS, 10000); }
static void gap_in_labels(hid_t file) { replace_labels(file, MADE_ROWS, 5); }
static void long_label(hid_t file) { replace_labels(file, MADE_ROWS + 1, 0); }
static void broad_label(hid_t file)
{
  H5Ldelete(file, "/label", H5P_DEFAULT);
  write_flags(file, "/label", MADE_ROWS, 3, 0, 1);
}
static void fractional_label(hid_t file)
{
  float label[MADE_ROWS] = {0};
  H5Ldelete(file, "/label", H5P_DEFAULT);
  write_field(file, "/label", 1, (hsize_t[1]){MADE_ROWS}, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, label);
}
static void one_class(hid_t file)
{
  H5Ldelete(file, "/label", H5P_DEFAULT);
  write_ints(file, "/label", MADE_ROWS, (int[MADE_ROWS]){0});
}
static void third_side(hid_t file) { write_flags(file, "/split", MADE_ROWS, 0, 0, 2); }
static void no_test(hid_t file) { write_flags(file, "/split", MADE_ROWS, 0, 0, 0); }
static void no_training(hid_t file) { write_flags(file, "/split", MADE_ROWS, 0, 1, 1); }
static void short_split(hid_t file) { write_flags(file, "/split", 30, 0, 0, 1); }
static void small_split(hid_t file) { write_flags(file, "/split", MADE_ROWS, 0, 0, 1); }
static void narrow_present(hid_t file) { write_flags(file, "/present", MADE_ROWS, 1, 1, 1); }
static void short_present(hid_t file) { write_flags(file, "/present", 59, 2, 1, 1); }
static void odd_present(hid_t file) { write_flags(file, "/present", MADE_ROWS, 2, 1, 9); }
static void unknown_in_order(hid_t file) { write_order(file, "sound", "touch", 2); }
static void twice_in_order(hid_t file) { write_order(file, "sound", "sound", 2); }
static void short_order(hid_t file) { write_order(file, "sound", "", 1); }
static void unchanged(hid_t file) { (void)file; }

static const struct {
  void (*change)(hid_t file);
  const char *data; /* more of the sweep's data: */
  const char *sentence;
} cases[] = {
    {no_modality, "", "has no /modality; a dataset has /modality/<name> and /label"},
    {empty_modality, "", "/modality is empty"},
    {modality_is_a_field, "", "/modality is not a group"},
    {group_in_modality, "", "/modality/touch is not a dataset"},
    {long_name, "", "the modality's name 'a_name_that_nobody_would_want_t...' is longer than 31 bytes"},
    {many_modalities, "", "has 67 modalities, more than 64"},
    {no_label, "", "has no /label"},
    {one_dimension, "", "/modality/sight is 1-dimensional, not 2-dimensional (samples x features)"},
    {no_columns, "", "/modality/sight is empty"},
    {short_modality, "", "/modality/sound has 59 samples, but /label has 60"},
    {not_a_number, "", "/modality/sight, row 59, column 3 (counted from 0): NaN is no usable value"},
    {infinite, "", "/modality/sound, row 59, column 2 (counted from 0): an infinite value is no usable value"},
    {text_modality, "", "/modality/sight holds strings, not numbers"},
    {negative_label, "", "/label, row 7: -1 is negative"},
    {large_label, "", "/label, row 7: 10000 is too large; at most 10000 classes"},
    {gap_in_labels, "", "/label goes up to 5, but no sample has class 3"},
    {long_label, "", "has 60 samples, but /label has 61"},
    {broad_label, "", "/label is 2-dimensional, not 1-dimensional (samples)"},
    {fractional_label, "", "/label holds floating-point numbers, not integers"},
    {one_class, "", "/label has one class only"},
    {third_side, "", "/split holds 2; only 0 and 1 have a meaning"},
    {no_test, "", "/split has no test sample (1); 0 is train and 1 is test"},
    {no_training, "", "/split has no training sample (0)"},
    {short_split, "", "/split has 30 samples, but /label has 60"},
    {narrow_present, "", "/present is 60 x 1, but there are 2 modalities"},
    {short_present, "", "/present has 59 samples, but /label has 60"},
    {odd_present, "", "/present holds 9; only 0 and 1"},
    {unknown_in_order, "", "order of /modality names 'touch', which is not there or named before"},
    {twice_in_order, "", "order of /modality names 'sound', which is not there or named before"},
    {short_order, "", "order of /modality is of length 1, but there are 2 modalities"},
    {unchanged, ", modalities: 3", "data.modalities is 3, but the file has 2"},
    {unchanged, ", order: [0, 2]", "data.order names modality 2, but the file has 2, counted from 0"},
    {unchanged, ", train: 43", "data.train is 43, but there are only 42 training samples"},
    {unchanged, ", test: 19", "data.test is 19, but there are only 18 test samples"},
    {unchanged, ", test_fraction: 0.01", "data.test_fraction 0.01 of 60 samples in 3 classes leaves nothing"},
    {small_split, ", train: 60", "data.train is 60, but there are only 59 training samples"},
};

/* ---- what is then said ------------------------------------------------------------------------------------------- */

static int world_rank(void)
{
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

/* Collective: the library must fail with this sentence after the file's path, on every rank. */
static void expect(const char *folder, const char *file, const char *data, const char *sentence)
{
  char text[256], start[128];
  ebr_library *library = NULL;
  snprintf(text, sizeof text, "name: bad\nbase: {data: {source: hdf5, file: %s%s}, train: {batch: 4}}\n", file, data);
  snprintf(start, sizeof start, "%s/%s: ", folder, file);
  ebr_sweep *sweep = made_sweep(folder, text);
  MPI_Barrier(MPI_COMM_WORLD);
  ebr_error *error = ebr_library_create(MPI_COMM_WORLD, sweep, &library);
  const char *message = ebr_error_message(error);
  if (ebr_error_code(error) != EBR_DATA || strncmp(message, start, strlen(start)) || !strstr(message, sentence))
    fail_msg("rank %d expected '%s%s', got '%s'", world_rank(), start, sentence, message);
  assert_null(library);
  ebr_error_destroy(&error);
  ebr_sweep_destroy(&sweep);
  MPI_Barrier(MPI_COMM_WORLD);
}

static void malformed_datasets_are_told_apart(void **state)
{
  char folder[64], path[96];
  made_folder(MPI_COMM_WORLD, folder);
  snprintf(path, sizeof path, "%s/bad.h5", folder);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (world_rank() == 0) {
      made_dataset(path);
      hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
      cases[i].change(file);
      H5Fclose(file);
    }
    expect(folder, "bad.h5", cases[i].data, cases[i].sentence);
  }
  made_folder_end(MPI_COMM_WORLD, folder);
}

static void write_text(const char *path, const char *text)
{
  FILE *file = fopen(path, "w");
  if (!file || fputs(text, file) < 0 || fclose(file)) abort();
}

static void files_that_are_no_dataset(void **state)
{
  char folder[64], path[96], whole[96];
  made_folder(MPI_COMM_WORLD, folder);
  if (world_rank() == 0) {
    snprintf(path, sizeof path, "%s/text.h5", folder);
    write_text(path, "these are no numbers");
    snprintf(whole, sizeof whole, "%s/cut.h5", folder);
    made_dataset(whole);
    if (truncate(whole, 1000) != 0) abort();
  }
  expect(folder, "missing.h5", "", "No such file or directory (data.file is relative to the sweep file's folder)");
  expect(folder, "text.h5", "", "is not an HDF5 file");
  expect(folder, "cut.h5", "", "HDF5 cannot open it; it may be cut short");
  expect(folder, ".", "", "is no file that could be a dataset");
  made_folder_end(MPI_COMM_WORLD, folder);
}

/* The second of two files is at fault: what was there of the first is given back. */
static void a_later_file_is_named(void **state)
{
  char folder[64], path[96], sentence[160];
  ebr_library *library = NULL;
  made_folder(MPI_COMM_WORLD, folder);
  snprintf(path, sizeof path, "%s/good.h5", folder);
  if (world_rank() == 0) made_dataset(path);
  MPI_Barrier(MPI_COMM_WORLD);
  ebr_sweep *sweep = made_sweep(folder, "name: two\nbase: {data: {source: hdf5}, train: {batch: 4}}\n"
                                        "axes: {data.file: [good.h5, worse.h5]}\n");
  ebr_error *error = ebr_library_create(MPI_COMM_WORLD, sweep, &library);
  snprintf(sentence, sizeof sentence, "%s/worse.h5: No such file", folder);
  assert_non_null(strstr(ebr_error_message(error), sentence));
  assert_null(library);
  ebr_error_destroy(&error);
  ebr_sweep_destroy(&sweep);
  made_folder_end(MPI_COMM_WORLD, folder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(malformed_datasets_are_told_apart),
                                     cmocka_unit_test(files_that_are_no_dataset),
                                     cmocka_unit_test(a_later_file_is_named)};
  if (ebr_mpi_start()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
