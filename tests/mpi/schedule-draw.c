/* Every item is handed out once, longest first, at any number of ranks; and nothing after a stop. */
#include <ebrsweep/schedule.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int rank, ranks;

static void expect_ok(ebr_error *error)
{
  if (error) fail_msg("%s\n%s", ebr_error_message(error), ebr_error_trace(error));
}

static void each_item_once(void **state)
{
  enum { COUNT = 500 };
  int64_t items[COUNT], item;
  int mine[COUNT] = {0}, all[COUNT];
  double cost[COUNT], last = 1e300;
  ebr_schedule *schedule = NULL;
  for (int i = 0; i < COUNT; i++) {
    items[i] = 3 * i;
    cost[i] = (i * 7919) % 101;
  }
  expect_ok(ebr_schedule_create(MPI_COMM_WORLD, items, cost, NULL, COUNT, &schedule));
  for (;;) {
    expect_ok(ebr_schedule_next(schedule, &item));
    if (item < 0) break;
    assert_int_equal(item % 3, 0);
    assert_true(cost[item / 3] <= last);
    last = cost[item / 3];
    mine[item / 3]++;
  }
  MPI_Allreduce(mine, all, COUNT, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  for (int i = 0; i < COUNT; i++) assert_int_equal(all[i], 1);
  assert_int_equal(ebr_schedule_finished(schedule, ranks), COUNT - ranks);
  expect_ok(ebr_schedule_next(schedule, &item));
  assert_int_equal(item, -1);
  expect_ok(ebr_schedule_destroy(&schedule));
  assert_null(schedule);
}

/* How often each of `count` items is handed out over all ranks, to all[count]; until a failure of this rank's if fails.
 */
static void draw_all(int ranks_a_node, int count, bool fails, int *all)
{
  int64_t *items = calloc((size_t)count, sizeof *items), item;
  double *cost = calloc((size_t)count, sizeof *cost);
  int *mine = calloc((size_t)count, sizeof *mine);
  ebr_schedule *schedule = NULL;
  for (int i = 0; i < count; i++) items[i] = i;
  expect_ok(ebr_schedule_create(MPI_COMM_WORLD, items, cost, NULL, count, &schedule));
  expect_ok(ebr_schedule_by_nodes(schedule, ranks_a_node));
  for (;;) {
    expect_ok(ebr_schedule_next(schedule, &item));
    if (item < 0) break;
    mine[item]++;
    if (fails) expect_ok(ebr_schedule_failed(schedule, 1));
  }
  MPI_Allreduce(mine, all, count, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  expect_ok(ebr_schedule_destroy(&schedule));
  free(items);
  free(cost);
  free(mine);
}

static void each_item_once_through_nodes(void **state)
{
  enum { MOST = 3001 };
  static const int nodes[] = {1, 2, 3, 0}, counts[] = {1, 7, 8, 9, 500, MOST};
  int all[MOST];
  for (int n = 0; n < 4; n++)
    for (int c = 0; c < 6; c++) {
      draw_all(nodes[n], counts[c], false, all);
      for (int i = 0; i < counts[c]; i++) assert_int_equal(all[i], 1);
    }
}

/* The first failure stops all: what a node has in hand may still be done, eight runs each. */
static void a_stop_reaches_all_nodes(void **state)
{
  enum { COUNT = 4000 };
  int all[COUNT], done_runs = 0;
  draw_all(1, COUNT, true, all);
  for (int i = 0; i < COUNT; i++) done_runs += all[i];
  assert_true(done_runs >= 1 && done_runs <= 9 * ranks);
}

/* One rank draws alone: the order is the whole truth. */
static void ties_keep_their_order(void **state)
{
  const int64_t items[] = {10, 11, 12, 13, 14}, expected[] = {12, 11, 14, 10, 13, -1};
  const double cost[] = {1, 2, 3, 1, 2};
  ebr_schedule *schedule = NULL;
  expect_ok(ebr_schedule_create(MPI_COMM_WORLD, items, cost, NULL, 5, &schedule));
  for (int i = 0; rank == ranks - 1 && i < 6; i++) {
    int64_t item;
    expect_ok(ebr_schedule_next(schedule, &item));
    assert_int_equal(item, expected[i]);
  }
  expect_ok(ebr_schedule_destroy(&schedule));
}

/* Nothing is known before the first run has ended; from then on the slowest counts. */
static void a_run_is_brief_by_the_slowest_before(void **state)
{
  const int64_t items[] = {0, 1, 2, 3};
  const double cost[] = {40, 30, 20, 10};
  ebr_schedule *schedule = NULL;
  int64_t item;
  expect_ok(ebr_schedule_create(MPI_COMM_WORLD, items, cost, NULL, 4, &schedule));
  if (rank == 0) {
    expect_ok(ebr_schedule_next(schedule, &item));
    assert_false(ebr_schedule_brief(schedule));
    ebr_schedule_took(schedule, 0.04);
    assert_true(ebr_schedule_brief(schedule));
    expect_ok(ebr_schedule_next(schedule, &item));
    assert_true(ebr_schedule_brief(schedule));
    ebr_schedule_took(schedule, 0.15);
    expect_ok(ebr_schedule_next(schedule, &item));
    assert_false(ebr_schedule_brief(schedule)); /* 0.11 s */
    ebr_schedule_took(schedule, 0.001);
    expect_ok(ebr_schedule_next(schedule, &item));
    assert_true(ebr_schedule_brief(schedule)); /* 0.055 s */
  }
  expect_ok(ebr_schedule_destroy(&schedule));
}

static void nothing_to_do(void **state)
{
  ebr_schedule *schedule = NULL;
  int64_t item = 5;
  expect_ok(ebr_schedule_create(MPI_COMM_WORLD, NULL, NULL, NULL, 0, &schedule));
  expect_ok(ebr_schedule_next(schedule, &item));
  assert_int_equal(item, -1);
  assert_int_equal(ebr_schedule_finished(schedule, ranks), 0);
  expect_ok(ebr_schedule_destroy(&schedule));
  expect_ok(ebr_schedule_destroy(&schedule));
}

/* The last test: a stop cannot be taken back. One rank is told, all stop drawing. */
static void one_stop_stops_all(void **state)
{
  int64_t items[100], item;
  double cost[100] = {0};
  ebr_schedule *schedule = NULL;
  for (int i = 0; i < 100; i++) items[i] = i;
  expect_ok(ebr_schedule_create(MPI_COMM_WORLD, items, cost, NULL, 100, &schedule));
  expect_ok(ebr_schedule_next(schedule, &item));
  assert_true(item >= 0);
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == ranks - 1) {
    expect_ok(ebr_signals_catch());
    assert_false(ebr_signals_stop());
    raise(SIGUSR1);
    assert_true(ebr_signals_stop());
    expect_ok(ebr_schedule_next(schedule, &item));
    assert_int_equal(item, -1);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  expect_ok(ebr_schedule_next(schedule, &item));
  assert_int_equal(item, -1);
  /* What had been drawn before is still known. */
  MPI_Barrier(MPI_COMM_WORLD);
  assert_int_equal(ebr_schedule_finished(schedule, 0), ranks);
  MPI_Barrier(MPI_COMM_WORLD);
  expect_ok(ebr_schedule_destroy(&schedule));
}

int main(void)
{
  if (ebr_mpi_start()) return 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_item_once),
                                     cmocka_unit_test(each_item_once_through_nodes),
                                     cmocka_unit_test(a_stop_reaches_all_nodes),
                                     cmocka_unit_test(ties_keep_their_order),
                                     cmocka_unit_test(a_run_is_brief_by_the_slowest_before),
                                     cmocka_unit_test(nothing_to_do),
                                     cmocka_unit_test(one_stop_stops_all)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
