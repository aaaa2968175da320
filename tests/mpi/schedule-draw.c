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

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_item_once), cmocka_unit_test(ties_keep_their_order),
                                     cmocka_unit_test(nothing_to_do), cmocka_unit_test(one_stop_stops_all)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
