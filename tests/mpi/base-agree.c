/* Errors that differ between ranks become one: the worst code wins, with the message of the lowest rank that has it. */
#include <ebrsweep/parallel.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef struct team {
  MPI_Comm comm;
  int rank, ranks;
} team;

static team team_of(void **state) { return *(team *)*state; }

static void nobody_fails(void **state)
{
  team t = team_of(state);
  assert_null(ebr_agree(t.comm, NULL));
}

static void one_failure_is_everyones(void **state)
{
  team t = team_of(state);
  ebr_error *mine = NULL;
  if (t.rank == t.ranks - 1) mine = ebr_error_create(EBR_DATA, __FILE__, __LINE__, "rank %d met it", t.rank);
  ebr_error *error = ebr_agree(t.comm, mine);
  char expected[64];
  snprintf(expected, sizeof expected, "rank %d met it", t.ranks - 1);
  assert_int_equal(ebr_error_code(error), EBR_DATA);
  assert_string_equal(ebr_error_message(error), expected);
  ebr_error_destroy(&error);
}

static void the_worst_code_wins(void **state)
{
  team t = team_of(state);
  ebr_code code = t.rank == t.ranks / 2 ? EBR_INTERNAL : EBR_SWEEP;
  ebr_error *error = ebr_agree(t.comm, ebr_error_create(code, __FILE__, __LINE__, "from %d", t.rank));
  char expected[64];
  snprintf(expected, sizeof expected, "from %d", t.ranks / 2);
  assert_int_equal(ebr_error_code(error), EBR_INTERNAL);
  assert_string_equal(ebr_error_message(error), expected);
  ebr_error_destroy(&error);
}

static void our_communicators_return_errors(void **state)
{
  team t = team_of(state);
  MPI_Errhandler handler;
  char name[MPI_MAX_OBJECT_NAME];
  int length;
  MPI_Comm_get_errhandler(t.comm, &handler);
  assert_true(handler == MPI_ERRORS_RETURN);
  MPI_Errhandler_free(&handler);
  MPI_Comm_get_name(t.comm, name, &length);
  assert_string_equal(name, "test");
}

static ebr_error *send_nowhere(MPI_Comm comm, int ranks)
{
  ebr_error *error = NULL;
  EBR_TRY_MPI(MPI_Send(&ranks, 1, MPI_INT, ranks + 5, 0, comm));
done:
  return error;
}

static void failed_calls_name_the_routine(void **state)
{
  team t = team_of(state);
  ebr_error *error = send_nowhere(t.comm, t.ranks);
  assert_int_equal(ebr_error_code(error), EBR_LIBRARY);
  assert_non_null(strstr(ebr_error_message(error), "MPI_Send failed: "));
  ebr_error_destroy(&error);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(nobody_fails), cmocka_unit_test(one_failure_is_everyones),
                                     cmocka_unit_test(the_worst_code_wins),
                                     cmocka_unit_test(our_communicators_return_errors),
                                     cmocka_unit_test(failed_calls_name_the_routine)};
  team t;
  if (ebr_mpi_start()) return 1;
  ebr_error *error = ebr_comm_duplicate(MPI_COMM_WORLD, "test", &t.comm);
  if (error) return 3;
  MPI_Comm_rank(t.comm, &t.rank);
  MPI_Comm_size(t.comm, &t.ranks);
  struct CMUnitTest with_team[sizeof tests / sizeof *tests];
  for (size_t k = 0; k < sizeof tests / sizeof *tests; k++) {
    with_team[k] = tests[k];
    with_team[k].initial_state = &t;
  }
  int failed = cmocka_run_group_tests(with_team, NULL, NULL);
  MPI_Comm_free(&t.comm);
  MPI_Finalize();
  return failed;
}
