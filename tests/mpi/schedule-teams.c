/* Teams: sums have the bits of a tree, every run is had once and by all of its team, and nobody waits for ever. */
#include <ebrsweep/schedule.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int rank, ranks;

static void expect_ok(ebr_error *error)
{
  if (error) fail_msg("%s\n%s", ebr_error_message(error), ebr_error_trace(error));
}

/* The largest power of two of ranks. */
static int largest_team(void)
{
  int size = 1;
  while (2 * size <= ranks && size < 16) size *= 2;
  return size;
}

/* A schedule of one run for a team of that size, drawn. */
static ebr_schedule *schedule_with_team(int size)
{
  const int64_t items[] = {0, 1, 2, 3};
  const double cost[] = {1, 1, 1, 1};
  const int team[] = {size, size, size, size};
  int64_t item;
  ebr_schedule *schedule = NULL;
  expect_ok(ebr_schedule_create(MPI_COMM_WORLD, items, cost, team, 4, &schedule));
  expect_ok(ebr_schedule_next(schedule, &item));
  assert_true(item >= 0);
  return schedule;
}

static float number(int of_rank, size_t i) { return sinf((float)(i % 1000003) + 1000.0f * (float)of_rank) * 3.7f; }

/* The tree over ranks [first, first + size). */
static float tree(int first, int size, size_t i)
{
  return size == 1 ? number(first, i) : tree(first, size / 2, i) + tree(first + size / 2, size / 2, i);
}

static void sums_have_the_bits_of_the_tree(void **state)
{
  static const size_t counts[] = {0, 16, 48, 4096, (1 << 17) + 16 * 7};
  ebr_schedule *schedule = schedule_with_team(largest_team());
  ebr_team *team = ebr_schedule_team(schedule);
  int size = ebr_team_size(team), own = ebr_team_rank(team);
  for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
    size_t count = counts[c], start, stop;
    ebr_real *values = malloc((count + 1) * sizeof *values);
    for (size_t i = 0; i < count; i++) values[i] = number(own, i);
    ebr_team_sum(team, values, count, &start, &stop);
    assert_true(start % 16 == 0 && stop % 16 == 0 && start <= stop && stop <= count);
    for (size_t i = start; i < stop; i++) assert_true(values[i] == tree(0, size, i));
    ebr_team_collect(team, values, count);
    for (size_t i = 0; i < count; i++) assert_true(values[i] == tree(0, size, i));
    free(values);
  }
  expect_ok(ebr_team_agree(team, NULL));
  expect_ok(ebr_schedule_destroy(&schedule));
}

static void small_things_are_shared(void **state)
{
  ebr_schedule *schedule = schedule_with_team(largest_team());
  ebr_team *team = ebr_schedule_team(schedule);
  int size = ebr_team_size(team), own = ebr_team_rank(team), word = own == 0 ? 42 : own;
  double total[19], parts[8];
  for (int k = 0; k < 19; k++) total[k] = k + own;
  ebr_team_total(team, total, 19);
  for (int k = 0; k < 19; k++) assert_true(total[k] == k * size + size * (size - 1) / 2);
  assert_true(ebr_team_any(team, own == size - 1));
  assert_false(ebr_team_any(team, false));
  ebr_team_share(team, &word, sizeof word);
  assert_int_equal(word, 42);
  for (int k = 0; k < 8; k++) parts[k] = k % size == own ? k : NAN;
  ebr_team_merge(team, parts, 8);
  for (int k = 0; k < 8; k++) assert_true(own > 0 || parts[k] == k);
  ebr_error *error = ebr_team_agree(
      team, own == size - 1 ? ebr_error_create(EBR_MEMORY, __FILE__, __LINE__, "no memory on the last") : NULL);
  assert_int_equal(ebr_error_code(error), EBR_MEMORY);
  assert_string_equal(ebr_error_message(error), "no memory on the last");
  ebr_error_destroy(&error);
  expect_ok(ebr_schedule_destroy(&schedule));
}

/* Runs for 4, 2 and 1 ranks, drawn by whoever there is: 3 ranks are a team of two and one by itself. */
static void every_run_is_had_once_by_a_whole_team(void **state)
{
  enum { COUNT = 90 };
  int64_t items[COUNT], item;
  double cost[COUNT], before = INFINITY;
  int team[COUNT], mine[COUNT] = {0}, size_of[COUNT] = {0}, all[COUNT], sizes[COUNT], size_before = 16;
  ebr_schedule *schedule = NULL;
  for (int i = 0; i < COUNT; i++) {
    items[i] = i;
    team[i] = i < 7 ? 4 : i < 20 ? 2 : 1;
    cost[i] = (i * 7919) % 101;
  }
  expect_ok(ebr_schedule_create(MPI_COMM_WORLD, items, cost, team, COUNT, &schedule));
  for (;;) {
    expect_ok(ebr_schedule_next(schedule, &item));
    if (item < 0) break;
    int size = ebr_team_size(ebr_schedule_team(schedule));
    assert_true(size <= size_before && size <= (team[item] > 1 ? team[item] : 1));
    if (size < size_before || team[item] > size) before = INFINITY;
    assert_true(cost[item] <= before);
    before = team[item] > size ? INFINITY : cost[item];
    size_before = size;
    mine[item]++;
    size_of[item] = size;
  }
  MPI_Allreduce(mine, all, COUNT, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  MPI_Allreduce(size_of, sizes, COUNT, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  for (int i = 0; i < COUNT; i++) assert_true(all[i] > 0 && all[i] == sizes[i]);
  assert_int_equal(ebr_schedule_finished(schedule, 0), COUNT);
  expect_ok(ebr_schedule_next(schedule, &item));
  assert_int_equal(item, -1);
  expect_ok(ebr_schedule_destroy(&schedule));
}

/* What is there for teams is left to a rank by itself that has nothing else: 3 ranks, one team of two that never draws.
 */
static void a_rank_by_itself_takes_what_was_for_a_team(void **state)
{
  const int64_t items[] = {5, 6};
  const double cost[] = {2, 1};
  const int team[] = {2, 2};
  int64_t item;
  ebr_schedule *schedule = NULL;
  expect_ok(ebr_schedule_create(MPI_COMM_WORLD, items, cost, team, 2, &schedule));
  if (ranks % 2 == 1 && rank == ranks - 1) {
    expect_ok(ebr_schedule_next(schedule, &item));
    assert_int_equal(item, 5);
    assert_null(ebr_schedule_team(schedule));
    expect_ok(ebr_schedule_next(schedule, &item));
    assert_int_equal(item, 6);
    expect_ok(ebr_schedule_next(schedule, &item));
    assert_int_equal(item, -1);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  if (ranks % 2 == 0 || rank < ranks - 1) expect_ok(ebr_schedule_next(schedule, &item));
  expect_ok(ebr_schedule_destroy(&schedule));
}

/* Nothing that would end too late is handed to a team either. */
static void a_deadline_closes_teams_as_well(void **state)
{
  ebr_schedule *schedule = schedule_with_team(largest_team());
  int64_t item;
  ebr_schedule_took(schedule, 1000);
  ebr_schedule_until(schedule, ebr_clock_seconds() + 100);
  expect_ok(ebr_schedule_next(schedule, &item));
  assert_int_equal(item, -1);
  expect_ok(ebr_schedule_destroy(&schedule));
}

/* cost, shards, schedule.team of each run; how many ranks it should get on that many. */
static void teams_follow_from_what_there_is_to_do(void **state)
{
  static const struct {
    int ranks, count;
    double cost[8];
    int most[8], asked[8], team[8];
  } cases[] = {
      {4, 1, {10}, {8}, {0}, {4}},                                                   /* one wide run: all ranks */
      {2, 1, {10}, {8}, {0}, {2}},                                                   /* as many as there are */
      {3, 1, {10}, {8}, {0}, {2}},                                                   /* a power of two */
      {1, 1, {10}, {8}, {2}, {1}},                                                   /* asked for more than there are */
      {8, 1, {10}, {2}, {0}, {2}},                                                   /* as many as there are shards */
      {4, 4, {10, 10, 10, 10}, {8, 8, 8, 8}, {0}, {1, 1, 1, 1}},                     /* all are busy */
      {4, 5, {10, 10, 10, 10, 10}, {8, 8, 8, 8, 8}, {0}, {4, 1, 1, 1, 1}},           /* but for one */
      {4, 6, {10, 10, 10, 10, 10, 10}, {8, 8, 8, 8, 8, 8}, {0}, {2, 2, 1, 1, 1, 1}}, /* but for two */
      {2, 3, {10, 6, 5}, {8, 1, 1}, {0}, {1, 1, 1}},                                 /* small ones fill the gap */
      {2, 3, {10, 1, 1}, {8, 1, 1}, {0}, {2, 1, 1}},                                 /* they do not */
      {4, 3, {10, 9, 8}, {8, 8, 1}, {2, 3, 2}, {2, 2, 1}},                           /* asked for */
      {4, 2, {NAN, 0}, {8, 8}, {0}, {1, 1}},                                         /* nothing is known */
  };
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    int team[8];
    expect_ok(ebr_schedule_teams(cases[c].cost, cases[c].most, cases[c].asked, cases[c].count, cases[c].ranks, team));
    for (int i = 0; i < cases[c].count; i++) assert_int_equal(team[i], cases[c].team[i]);
  }
}

int main(void)
{
  if (ebr_mpi_start()) return 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  const struct CMUnitTest tests[] = {cmocka_unit_test(sums_have_the_bits_of_the_tree),
                                     cmocka_unit_test(small_things_are_shared),
                                     cmocka_unit_test(every_run_is_had_once_by_a_whole_team),
                                     cmocka_unit_test(a_rank_by_itself_takes_what_was_for_a_team),
                                     cmocka_unit_test(a_deadline_closes_teams_as_well),
                                     cmocka_unit_test(teams_follow_from_what_there_is_to_do)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
