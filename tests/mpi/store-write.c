/* The store over its life at any number of ranks: write, read back, resume, extend, shrink, come back. The numbers that
 * were written are read through HDF5 itself, not through the store. */
#include "store_fixture.h"

#include <hdf5.h>

static char folder[128], path[160];
static int rank, ranks;

static ebr_store *open_store(const ebr_sweep *sweep, const ebr_schema *schema)
{
  ebr_store *store = NULL;
  expect_ok(ebr_store_open(MPI_COMM_WORLD, path, sweep, schema, "ebrsweep run test.yaml", &store));
  return store;
}

/* Every rank writes its share of runs [from, to); run 1 fails. */
static void write_share(ebr_store *store, const ebr_sweep *sweep, const ebr_schema *schema, int64_t from, int64_t to)
{
  for (int64_t run = from; run < to; run++)
    if (run % ranks == rank && ebr_store_wanted(store, run, false))
      write_run(store, sweep, schema, run, run == 1 ? "the loss became 1e9" : NULL);
}

static int64_t count_wanted(const ebr_store *store, const ebr_sweep *sweep, bool retry_failed)
{
  int64_t count = 0;
  for (int64_t run = 0; run < ebr_sweep_count(sweep); run++) count += ebr_store_wanted(store, run, retry_failed);
  return count;
}

static void read_dataset(const char *name, double **values, hsize_t extent[3])
{
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), dataset = H5Dopen2(file, name, H5P_DEFAULT);
  hid_t space = H5Dget_space(dataset);
  extent[1] = extent[2] = 1;
  H5Sget_simple_extent_dims(space, extent, NULL);
  *values = malloc(extent[0] * extent[1] * extent[2] * sizeof **values);
  assert_true(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, *values) >= 0);
  H5Sclose(space);
  H5Dclose(dataset);
  H5Fclose(file);
}

/* Run by its id: everything a run of this schema wrote, and NaN where the file is wider. */
static void check_run(ebr_results *results, const ebr_schema *schema, uint64_t id)
{
  int64_t row = find_run(results, id);
  assert_true(row >= 0);
  for (int c = 0; c < ebr_schema_count(schema); c++) {
    const ebr_column *column = ebr_schema_at(schema, c);
    char name[80];
    hsize_t extent[3];
    double *values;
    if (column->points * column->values == 1) {
      int found = ebr_results_column_find(results, column->name);
      assert_true(ebr_results_number(results, row, found) == number_of(id, c, 0));
      continue;
    }
    snprintf(name, sizeof name, "%s/%s", column->values > 1 ? "spectra" : "curves", column->name);
    read_dataset(name, &values, extent);
    for (hsize_t p = 0; p < extent[1]; p++)
      for (hsize_t v = 0; v < extent[2]; v++) {
        double got = values[((hsize_t)row * extent[1] + p) * extent[2] + v];
        bool inside = p < (hsize_t)column->points && v < (hsize_t)column->values;
        if (inside) assert_true(got == number_of(id, c, (int)(p * (hsize_t)column->values + v)));
        else assert_true(isnan(got));
      }
    free(values);
  }
}

static void round_trip_and_resume(void **state)
{
  ebr_sweep *sweep = make_sweep("round", "vanilla, kd, ebr", 4);
  ebr_schema *schema = make_schema(3, 5, false);
  ebr_results *results = NULL;
  ebr_store *store = open_store(sweep, schema);
  assert_int_equal(count_wanted(store, sweep, false), 12);
  write_share(store, sweep, schema, 0, 7);
  expect_ok(ebr_store_close(&store));
  if (rank == 0) {
    expect_ok(ebr_results_open(path, &results));
    assert_int_equal(ebr_results_count(results), 12);
    assert_int_equal(count_status(results, EBR_STATUS_DONE), 6);
    assert_int_equal(count_status(results, EBR_STATUS_FAILED), 1);
    assert_int_equal(count_status(results, EBR_STATUS_WAITING), 5);
    for (int64_t run = 0; run < 7; run++) check_run(results, schema, ebr_sweep_id(sweep, run));
    ebr_results_close(&results);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  store = open_store(sweep, schema);
  assert_int_equal(count_wanted(store, sweep, false), 5);
  assert_int_equal(count_wanted(store, sweep, true), 6);
  write_share(store, sweep, schema, 0, 12);
  expect_ok(ebr_store_close(&store));
  store = open_store(sweep, schema);
  assert_int_equal(count_wanted(store, sweep, false), 0);
  expect_ok(ebr_store_close(&store));
  ebr_schema_destroy(&schema);
  ebr_sweep_destroy(&sweep);
}

/* A run that was begun and lost waits again, in the file as well. */
static void lost_runs_wait_again(void **state)
{
  ebr_sweep *sweep = make_sweep("lost", "vanilla", 6);
  ebr_schema *schema = make_schema(2, 2, false);
  ebr_results *results = NULL;
  ebr_store *store = open_store(sweep, schema);
  ebr_row row = {.id = ebr_sweep_id(sweep, 2), .started = 5, .rank = 0};
  ebr_config config;
  ebr_sweep_run(sweep, 2, &config);
  if (rank == 0) expect_ok(ebr_store_begin(store, 2, &config, &row));
  write_share(store, sweep, schema, 3, 5);
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) {
    /* Reading works while others write. */
    expect_ok(ebr_results_open(path, &results));
    assert_int_equal(count_status(results, EBR_STATUS_RUNNING), 1);
    assert_int_equal(count_status(results, EBR_STATUS_DONE), 2);
    ebr_results_close(&results);
  }
  expect_ok(ebr_store_close(&store));
  store = open_store(sweep, schema);
  assert_int_equal(count_wanted(store, sweep, false), 4);
  assert_true(ebr_store_wanted(store, 2, false));
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) {
    expect_ok(ebr_results_open(path, &results));
    assert_int_equal(count_status(results, EBR_STATUS_RUNNING), 0);
    ebr_results_close(&results);
  }
  expect_ok(ebr_store_close(&store));
  ebr_schema_destroy(&schema);
  ebr_sweep_destroy(&sweep);
}

/* More seeds, more columns, wider spectra; then fewer methods; then all again. */
static void extended_shrunk_and_back(void **state)
{
  ebr_sweep *small = make_sweep("grow", "vanilla, kd", 3), *large = make_sweep("grow", "ebr, kd, vanilla", 5);
  ebr_sweep *fewer = make_sweep("grow", "kd", 5);
  ebr_schema *narrow = make_schema(2, 3, false), *wide = make_schema(4, 6, true);
  ebr_results *results = NULL;
  ebr_store *store = open_store(small, narrow);
  write_share(store, small, narrow, 0, 6);
  expect_ok(ebr_store_close(&store));

  store = open_store(large, wide);
  assert_int_equal(count_wanted(store, large, false), 15 - 6);
  write_share(store, large, wide, 0, 5); /* ebr; run 1 fails */
  expect_ok(ebr_store_close(&store));

  store = open_store(fewer, narrow);
  assert_int_equal(count_wanted(store, fewer, false), 2);
  expect_ok(ebr_store_close(&store));
  if (rank == 0) {
    expect_ok(ebr_results_open(path, &results));
    assert_int_equal(ebr_results_count(results), 15);
    assert_int_equal(count_status(results, EBR_STATUS_REMOVED), 10);
    assert_int_equal(count_status(results, EBR_STATUS_DONE), 3);
    assert_int_equal(count_status(results, EBR_STATUS_WAITING), 2);
    for (int64_t run = 0; run < 6; run++) check_run(results, narrow, ebr_sweep_id(small, run));
    for (int64_t run = 0; run < 5; run++) check_run(results, wide, ebr_sweep_id(large, run));
    int more = ebr_results_column_find(results, "more");
    assert_true(isnan(ebr_results_number(results, find_run(results, ebr_sweep_id(small, 0)), more)));
    ebr_results_close(&results);
  }
  MPI_Barrier(MPI_COMM_WORLD);

  store = open_store(large, wide);
  assert_int_equal(count_wanted(store, large, false), 15 - 6 - 5);
  assert_int_equal(count_wanted(store, large, true), 15 - 6 - 5 + 2);
  expect_ok(ebr_store_close(&store));
  ebr_schema_destroy(&narrow);
  ebr_schema_destroy(&wide);
  ebr_sweep_destroy(&small);
  ebr_sweep_destroy(&large);
  ebr_sweep_destroy(&fewer);
}

/* All ranks get the same error, and the file stays as it was. */
static void refused_alike(void **state)
{
  ebr_sweep *mine = make_sweep("mine", "vanilla", 2), *other = make_sweep("other", "vanilla", 2);
  ebr_sweep *disjoint = make_sweep("mine", "kd", 2);
  ebr_schema *schema = make_schema(2, 2, false);
  ebr_store *store = open_store(mine, schema), *second = NULL;
  expect_error(ebr_store_open(MPI_COMM_WORLD, path, mine, schema, "", &second), EBR_FILE,
               "another job is writing it (process");
  write_share(store, mine, schema, 0, 2);
  expect_ok(ebr_store_close(&store));
  expect_error(ebr_store_open(MPI_COMM_WORLD, path, other, schema, "", &second), EBR_RESULTS,
               "holds the results of the sweep 'mine', not of 'other'");
  expect_error(ebr_store_open(MPI_COMM_WORLD, path, disjoint, schema, "", &second), EBR_RESULTS, "none of whose runs");
  expect_error(ebr_store_open(MPI_COMM_WORLD, "/nowhere/at/all.h5", mine, schema, "", &second), EBR_FILE,
               "/nowhere/at/all.h5: cannot be written: No such file or directory");
  assert_null(second);
  store = open_store(mine, schema);
  assert_int_equal(count_wanted(store, mine, false), 0);
  expect_ok(ebr_store_close(&store));
  ebr_schema_destroy(&schema);
  ebr_sweep_destroy(&mine);
  ebr_sweep_destroy(&other);
  ebr_sweep_destroy(&disjoint);
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
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  snprintf(folder, sizeof folder, "%s/ebrsweep-store.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
  if (rank == 0 && !mkdtemp(folder)) MPI_Abort(MPI_COMM_WORLD, 1);
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
  snprintf(path, sizeof path, "%s/results.h5", folder);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(round_trip_and_resume, fresh_file), cmocka_unit_test_setup(lost_runs_wait_again, fresh_file),
      cmocka_unit_test_setup(extended_shrunk_and_back, fresh_file), cmocka_unit_test_setup(refused_alike, fresh_file)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  fresh_file(NULL);
  /* Fails if the store left anything beside its file. */
  if (rank == 0 && rmdir(folder) != 0) failed++;
  MPI_Finalize();
  return failed;
}
