/* A dataset is read once and held once a node, and every rank sees the same bytes. */
#include "made_library.h"

#include "data/nodes.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char sweep_text[] =
    "name: share\n"
    "base: {data: {source: hdf5, file: made.h5}, train: {batch: 4}}\n"
    "axes: {data.file: [b.h5, made.h5, a.h5], method: [vanilla, ebr], seed: {from: 0, count: 3}}\n";

static int rank_of(MPI_Comm comm)
{
  int rank;
  MPI_Comm_rank(comm, &rank);
  return rank;
}

static int world_rank(void) { return rank_of(MPI_COMM_WORLD); }

static void write_all(const char *folder)
{
  const char *const names[] = {"a.h5", "b.h5", "made.h5"};
  for (int i = 0; i < 3; i++) {
    char path[96];
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    made_dataset(path);
  }
}

static ebr_samples *make(const ebr_library *library, const ebr_sweep *sweep, int64_t run)
{
  ebr_config config;
  ebr_samples *samples = NULL;
  ebr_sweep_run(sweep, run, &config);
  must(ebr_samples_create(library, &config, &samples));
  return samples;
}

/* The hash of everything that a run is made of must not differ between ranks. */
static void check_same(const ebr_samples *s)
{
  uint64_t hash = ebr_hash(s->label, (size_t)s->total * sizeof *s->label, 1), least, most;
  for (int i = 0; i < s->modalities; i++)
    hash = ebr_hash(s->x[i], (size_t)s->total * (size_t)s->inputs[i] * sizeof(float), hash);
  hash = ebr_hash(s->train, (size_t)s->train_count * sizeof *s->train, hash);
  hash = ebr_hash(s->scale[0], (size_t)s->inputs[0] * sizeof(float), hash);
  MPI_Allreduce(&hash, &least, 1, MPI_UINT64_T, MPI_MIN, MPI_COMM_WORLD);
  MPI_Allreduce(&hash, &most, 1, MPI_UINT64_T, MPI_MAX, MPI_COMM_WORLD);
  assert_true(least == most);
}

static void every_rank_sees_the_same(void **state)
{
  char folder[64];
  ebr_library *library = NULL;
  made_folder(MPI_COMM_WORLD, folder);
  if (world_rank() == 0) write_all(folder);
  ebr_sweep *sweep = made_sweep(folder, sweep_text);
  must(ebr_library_create(MPI_COMM_WORLD, sweep, &library));
  made_folder_end(MPI_COMM_WORLD, folder); /* nothing is read later */
  for (int64_t run = 0; run < ebr_sweep_count(sweep); run++) {
    ebr_samples *s = make(library, sweep, run);
    check_same(s);
    for (int n = 0; n < MADE_ROWS; n++)
      for (int c = 0; c < MADE_SOUND; c++) assert_true(s->x[1][n * MADE_SOUND + c] == made_sound(n, c));
    ebr_samples_destroy(&s);
  }
  ebr_library_destroy(&library);
  assert_null(library);
  ebr_sweep_destroy(&sweep);
}

/* What the last rank of a node writes, all others read: there is one copy. */
static void one_copy_a_node(void **state)
{
  char folder[64];
  ebr_library *library = NULL;
  MPI_Comm node;
  int size;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  MPI_Comm_size(node, &size);
  made_folder(MPI_COMM_WORLD, folder);
  if (world_rank() == 0) write_all(folder);
  ebr_sweep *sweep = made_sweep(folder, sweep_text);
  must(ebr_library_create(MPI_COMM_WORLD, sweep, &library));
  ebr_samples *s = make(library, sweep, 0);
  if (rank_of(node) == size - 1) ((volatile float *)s->x[0])[5] = 4321;
  MPI_Barrier(node);
  assert_true(((volatile const float *)s->x[0])[5] == 4321);
  MPI_Barrier(node);
  ebr_samples_destroy(&s);
  ebr_library_destroy(&library);
  ebr_sweep_destroy(&sweep);
  made_folder_end(MPI_COMM_WORLD, folder);
  MPI_Comm_free(&node);
}

/* Ranks 0, 2, ... play one node and 1, 3, ... another: both have the bytes, neither sees the other's. */
static void each_node_has_its_own_copy(void **state)
{
  char folder[64];
  ebr_library *library = NULL;
  MPI_Comm node;
  int parity = world_rank() % 2;
  MPI_Comm_split(MPI_COMM_WORLD, parity, 0, &node);
  made_folder(MPI_COMM_WORLD, folder);
  if (world_rank() == 0) write_all(folder);
  ebr_sweep *sweep = made_sweep(folder, sweep_text);
  must(ebr_library_create_over(MPI_COMM_WORLD, node, sweep, &library));
  ebr_samples *s = make(library, sweep, 7);
  check_same(s);
  for (int n = 0; n < MADE_ROWS; n++)
    for (int c = 0; c < MADE_SIGHT; c++) assert_true(s->x[0][n * MADE_SIGHT + c] == made_sight(n, c));
  MPI_Barrier(MPI_COMM_WORLD);
  if (world_rank() < 2) ((volatile float *)s->x[0])[5] = (float)(100 + parity);
  MPI_Barrier(MPI_COMM_WORLD);
  assert_true(((volatile const float *)s->x[0])[5] == (float)(100 + parity));
  MPI_Barrier(MPI_COMM_WORLD);
  ebr_samples_destroy(&s);
  ebr_library_destroy(&library);
  ebr_sweep_destroy(&sweep);
  made_folder_end(MPI_COMM_WORLD, folder);
  MPI_Comm_free(&node);
}

static void a_synthetic_sweep_needs_no_file(void **state)
{
  ebr_library *library = NULL;
  ebr_sweep *sweep = made_sweep(".", "name: none\n"
                                     "base: {data: {modalities: 2, train: 200, test: 100}}\n"
                                     "axes: {seed: {from: 0, count: 2}}\n");
  must(ebr_library_create(MPI_COMM_WORLD, sweep, &library));
  ebr_samples *s = make(library, sweep, 1);
  check_same(s);
  ebr_samples_destroy(&s);
  ebr_library_destroy(&library);
  ebr_sweep_destroy(&sweep);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_rank_sees_the_same), cmocka_unit_test(one_copy_a_node),
                                     cmocka_unit_test(each_node_has_its_own_copy),
                                     cmocka_unit_test(a_synthetic_sweep_needs_no_file)};
  if (ebr_mpi_start()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
