/* Files that cannot be used: the same sentence on all ranks, nothing overwritten; and files that can, though something
 * happened to them. */
#include "store_fixture.h"

#include <store/build.h>

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char folder[128], path[160];
static int rank;

static ebr_store *open_store(const ebr_sweep *sweep, const ebr_schema *schema)
{
  ebr_store *store = NULL;
  expect_ok(ebr_store_open(MPI_COMM_WORLD, path, sweep, schema, "test", &store));
  return store;
}

/* A file of four runs that are done. */
static void make_file(const ebr_sweep *sweep, const ebr_schema *schema)
{
  ebr_store *store = open_store(sweep, schema);
  for (int64_t run = 0; rank == 0 && run < ebr_sweep_count(sweep); run++) write_run(store, sweep, schema, run, NULL);
  expect_ok(ebr_store_close(&store));
}

/* Both ways to open it fail alike, and it keeps its size. */
static void refuse(const ebr_sweep *sweep, const ebr_schema *schema, ebr_code code, const char *part)
{
  ebr_store *store = NULL;
  ebr_results *results = NULL;
  struct stat before = {0}, after = {0};
  stat(path, &before);
  MPI_Barrier(MPI_COMM_WORLD);
  expect_error(ebr_store_open(MPI_COMM_WORLD, path, sweep, schema, "test", &store), code, part);
  assert_null(store);
  expect_error(ebr_results_open(path, &results), code, part);
  assert_null(results);
  stat(path, &after);
  assert_true(before.st_size == after.st_size && before.st_ino == after.st_ino);
  MPI_Barrier(MPI_COMM_WORLD);
}

static void on_root(void (*change)(void))
{
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) change();
  MPI_Barrier(MPI_COMM_WORLD);
}

static void write_text(void)
{
  FILE *file = fopen(path, "w");
  fputs("these are no results\n", file);
  fclose(file);
}

static void cut_short(void)
{
  struct stat about;
  assert_int_equal(stat(path, &about), 0);
  assert_int_equal(truncate(path, about.st_size / 2), 0);
}

static void write_foreign(void)
{
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
}

static void make_newer(void)
{
  int format = EBR_STORE_FORMAT + 1;
  hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), attribute = H5Aopen(file, "format", H5P_DEFAULT);
  assert_true(H5Awrite(attribute, H5T_NATIVE_INT, &format) >= 0);
  H5Aclose(attribute);
  H5Fclose(file);
}

/* One byte of the row of run 2, in its loss. */
static void damage_row(void)
{
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), runs = H5Dopen2(file, "runs", H5P_DEFAULT);
  hid_t type = H5Dget_type(runs);
  size_t inside = H5Tget_member_offset(type, (unsigned)H5Tget_member_index(type, "test.loss"));
  off_t place = (off_t)(H5Dget_offset(runs) + 2 * H5Tget_size(type) + inside);
  unsigned char byte;
  H5Tclose(type);
  H5Dclose(runs);
  H5Fclose(file);
  int bytes = open(path, O_RDWR);
  assert_int_equal(pread(bytes, &byte, 1, place), 1);
  byte ^= 1;
  assert_int_equal(pwrite(bytes, &byte, 1, place), 1);
  close(bytes);
}

/* As `h5repack -l runs:CHUNK=2 -f runs:GZIP=1` leaves it: /runs chunked and compressed. */
static void repack(void)
{
  hsize_t chunk = 2;
  hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), runs = H5Dopen2(file, "runs", H5P_DEFAULT);
  hid_t type = H5Dget_type(runs), space = H5Dget_space(runs), properties = H5Pcreate(H5P_DATASET_CREATE);
  size_t bytes = (size_t)H5Sget_simple_extent_npoints(space) * H5Tget_size(type);
  unsigned char *rows = malloc(bytes);
  assert_true(H5Dread(runs, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows) >= 0);
  H5Pset_chunk(properties, 1, &chunk);
  H5Pset_deflate(properties, 1);
  hid_t packed = H5Dcreate2(file, "packed", type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  assert_true(H5Dwrite(packed, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows) >= 0);
  H5Dclose(runs);
  H5Dclose(packed);
  assert_true(H5Ldelete(file, "runs", H5P_DEFAULT) >= 0);
  assert_true(H5Lmove(file, "packed", file, "runs", H5P_DEFAULT, H5P_DEFAULT) >= 0);
  H5Pclose(properties);
  H5Sclose(space);
  H5Tclose(type);
  H5Fclose(file);
  free(rows);
}

static void unusable_files(void **state)
{
  ebr_sweep *sweep = make_sweep("bad", "vanilla", 4);
  ebr_schema *schema = make_schema(2, 2, false);
  ebr_results *results = NULL;
  on_root(write_text);
  refuse(sweep, schema, EBR_RESULTS, "results.h5: is no HDF5 file");
  on_root(write_foreign);
  refuse(sweep, schema, EBR_RESULTS, "is no results file of ebrsweep");
  if (rank == 0) unlink(path);
  make_file(sweep, schema);
  on_root(make_newer);
  refuse(sweep, schema, EBR_RESULTS, "has format 3, and this ebrsweep");
  on_root(cut_short);
  refuse(sweep, schema, EBR_RESULTS, "truncated file");
  expect_error(ebr_results_open("/nowhere.h5", &results), EBR_RESULTS, "/nowhere.h5: No such file or directory");
  ebr_schema_destroy(&schema);
  ebr_sweep_destroy(&sweep);
}

static void damaged_row_waits_again(void **state)
{
  ebr_sweep *sweep = make_sweep("bad", "vanilla", 4);
  ebr_schema *schema = make_schema(2, 2, false);
  ebr_results *results = NULL;
  make_file(sweep, schema);
  on_root(damage_row);
  expect_ok(ebr_results_open(path, &results));
  assert_int_equal(count_status(results, EBR_STATUS_DONE), 3);
  assert_int_equal(count_status(results, EBR_STATUS_WAITING), 1);
  ebr_results_close(&results);
  MPI_Barrier(MPI_COMM_WORLD);
  ebr_store *store = open_store(sweep, schema);
  for (int64_t run = 0; run < 4; run++) assert_int_equal(ebr_store_wanted(store, run, false), run == 2);
  if (rank == 0) write_run(store, sweep, schema, 2, NULL);
  expect_ok(ebr_store_close(&store));
  expect_ok(ebr_results_open(path, &results));
  assert_int_equal(count_status(results, EBR_STATUS_DONE), 4);
  ebr_results_close(&results);
  ebr_schema_destroy(&schema);
  ebr_sweep_destroy(&sweep);
}

static void repacked_file_goes_on(void **state)
{
  ebr_sweep *sweep = make_sweep("bad", "vanilla", 4), *more = make_sweep("bad", "vanilla", 5);
  ebr_schema *schema = make_schema(2, 2, false);
  ebr_results *results = NULL;
  make_file(sweep, schema);
  on_root(repack);
  expect_ok(ebr_results_open(path, &results));
  assert_int_equal(count_status(results, EBR_STATUS_DONE), 4);
  int loss = ebr_results_column_find(results, "test.loss");
  assert_true(ebr_results_number(results, 3, loss) == number_of(ebr_sweep_id(sweep, 3), 0, 0));
  ebr_results_close(&results);
  MPI_Barrier(MPI_COMM_WORLD);
  make_file(sweep, schema);
  make_file(more, schema);
  expect_ok(ebr_results_open(path, &results));
  assert_int_equal(count_status(results, EBR_STATUS_DONE), 5);
  ebr_results_close(&results);
  ebr_schema_destroy(&schema);
  ebr_sweep_destroy(&sweep);
  ebr_sweep_destroy(&more);
}

/* A limit on file sizes stands for a full disk. What was there stays. */
static void no_room(void **state)
{
  ebr_sweep *small = make_sweep("bad", "vanilla", 4), *large = make_sweep("bad", "vanilla", 2000);
  ebr_schema *schema = make_schema(2, 2, false);
  ebr_store *store = NULL;
  ebr_results *results = NULL;
  struct rlimit before, tight;
  make_file(small, schema);
  getrlimit(RLIMIT_FSIZE, &before);
  tight = before;
  tight.rlim_cur = 300000;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &tight);
  expect_error(ebr_store_open(MPI_COMM_WORLD, path, large, schema, "test", &store), EBR_FILE, "no room for its");
  setrlimit(RLIMIT_FSIZE, &before);
  expect_ok(ebr_results_open(path, &results));
  assert_int_equal(count_status(results, EBR_STATUS_DONE), 4);
  ebr_results_close(&results);
  MPI_Barrier(MPI_COMM_WORLD);
  make_file(small, schema);
  ebr_schema_destroy(&schema);
  ebr_sweep_destroy(&small);
  ebr_sweep_destroy(&large);
}

/* A disk that promised room, and has none when rows are written. */
static void rows_without_room(void **state)
{
  const unsigned char rows[100000] = {0};
  const hsize_t count = sizeof rows;
  hid_t file, dataset;
  void *handle;
  if (rank > 0) return;
  file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  expect_ok(ebr_dataset_create(path, file, "runs", H5T_NATIVE_UCHAR, 1, &count, &dataset));
  expect_ok(ebr_rows_write(path, file, dataset, 1, 0, sizeof rows, rows));
  H5Fget_vfd_handle(file, H5P_DEFAULT, &handle);
  int kept = dup(*(int *)handle), full = open("/dev/full", O_RDWR);
  dup2(full, *(int *)handle);
  expect_error(ebr_rows_write(path, file, dataset, 1, 0, sizeof rows, rows), EBR_FILE,
               "rows cannot be written: No space left on device");
  dup2(kept, *(int *)handle);
  close(kept);
  close(full);
  H5Dclose(dataset);
  assert_true(H5Fclose(file) >= 0);
}

/* 64 modalities have columns by the hundred; a sweep's text may be longer than an attribute can be. */
static void many_columns_and_a_long_text(void **state)
{
  enum { COLUMNS = 900, PADDING = 100000 };
  ebr_sweep *sweep = NULL;
  ebr_schema *schema = make_schema(2, 2, false);
  ebr_results *results = NULL;
  ebr_store *store = NULL;
  char name[64], *text = malloc(PADDING + 256);
  int head = sprintf(text, "name: bad\nbase:\n  data: {modalities: 3, train: 256, test: 32}\n#");
  memset(text + head, 'x', PADDING);
  sprintf(text + head + PADDING, "\naxes:\n  seed: {from: 0, count: 4}\n");
  expect_ok(ebr_sweep_parse(text, strlen(text), "test.yaml", NULL, &sweep));
  for (int i = 0; i < COLUMNS; i++) {
    snprintf(name, sizeof name, "a.rather.long.name.of.a.measure.%d", i);
    expect_ok(ebr_schema_add(schema, name, "", "", 1, 1));
  }
  make_file(sweep, schema);
  expect_ok(ebr_results_open(path, &results));
  assert_string_equal(ebr_results_text(results, "sweep"), text);
  int last = ebr_results_column_find(results, name);
  assert_true(ebr_results_number(results, 1, last) == number_of(ebr_sweep_id(sweep, 1), COLUMNS + 2, 0));
  ebr_results_close(&results);
  free(text);
  for (int i = COLUMNS; i < 2 * COLUMNS; i++) {
    snprintf(name, sizeof name, "a.rather.long.name.of.a.measure.%d", i);
    expect_ok(ebr_schema_add(schema, name, "", "", 1, 1));
  }
  expect_error(ebr_store_open(MPI_COMM_WORLD, path, sweep, schema, "test", &store), EBR_RESULTS,
               "columns are more than an HDF5 file can describe");
  ebr_schema_destroy(&schema);
  ebr_sweep_destroy(&sweep);
}

static int fresh_file(void **state)
{
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) unlink(path);
  MPI_Barrier(MPI_COMM_WORLD);
  return 0;
}

int main(void)
{
  if (ebr_mpi_start()) return 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  snprintf(folder, sizeof folder, "%s/ebrsweep-store.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
  if (rank == 0 && !mkdtemp(folder)) MPI_Abort(MPI_COMM_WORLD, 1);
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
  snprintf(path, sizeof path, "%s/results.h5", folder);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(unusable_files, fresh_file), cmocka_unit_test_setup(damaged_row_waits_again, fresh_file),
      cmocka_unit_test_setup(repacked_file_goes_on, fresh_file), cmocka_unit_test_setup(no_room, fresh_file),
      cmocka_unit_test_setup(rows_without_room, fresh_file),
      cmocka_unit_test_setup(many_columns_and_a_long_text, fresh_file)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  fresh_file(NULL);
  if (rank == 0 && rmdir(folder) != 0) failed++;
  MPI_Finalize();
  return failed;
}
