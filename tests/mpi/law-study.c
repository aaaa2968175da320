/* Studies of made-up tables: each form's tables are attributed to it, intervals cover the truth as often as they say,
 * what cannot be judged is said, and any number of ranks finds the same bits. */
#include <ebrsweep/law.h>

#include <math.h>
#include <petscsys.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { POINTS = 9, SEEDS = 20, RUNS = POINTS * SEEDS };

static int rank, ranks;

static void must(ebr_error *error)
{
  if (error) fail_msg("%s", ebr_error_message(error));
}

/* Counts at m = 2..10 around the form's values, with a relative spread over seeds. */
static void make_table(ebr_form form, const double *parameters, double spread, uint32_t draw, ebr_law_run *runs)
{
  ebr_stream stream = ebr_stream_start(11 + (uint64_t)form, EBR_PURPOSE_TEST, draw);
  for (int k = 0; k < RUNS; k++) {
    double m = 2 + k % POINTS;
    runs[k] = (ebr_law_run){m, ebr_form_value(form, m, parameters) * (1 + spread * ebr_stream_normal(&stream))};
  }
}

static void study_of(ebr_form form, const double *parameters, double spread, uint32_t draw, int resamples,
                     ebr_law_study *study)
{
  ebr_law_run runs[RUNS];
  make_table(form, parameters, spread, draw, runs);
  must(ebr_law_study_make(MPI_COMM_WORLD, runs, RUNS, 5 + draw, resamples, study));
}

/* The order in which runs come, and how many ranks there are, changes no bit. */
static void same_bits_on_all_ranks(void **state)
{
  const double parameters[2] = {0.4, 1.3};
  ebr_law_run runs[RUNS], backwards[RUNS];
  ebr_law_study study, alone, other;
  make_table(EBR_FORM_PAIRS_POWER, parameters, 0.2, 0, runs);
  for (int k = 0; k < RUNS; k++) backwards[k] = runs[RUNS - 1 - k];
  must(ebr_law_study_make(MPI_COMM_WORLD, runs, RUNS, 5, 60, &study));
  must(ebr_law_study_make(MPI_COMM_SELF, runs, RUNS, 5, 60, &alone));
  must(ebr_law_study_make(MPI_COMM_WORLD, backwards, RUNS, 5, 60, &other));
  assert_memory_equal(&study, &alone, sizeof study);
  assert_memory_equal(&study, &other, sizeof study);
}

static void tables_are_attributed_to_their_form(void **state)
{
  static const double truth[EBR_FORMS][2] = {{3, 0}, {0.7, 0}, {0.4, 1.4}, {2, 1.5}, {50, 0.3}, {2, 0.05}};
  enum { DRAWS = 200 };
  if (ranks != 2) return; /* long, and the same on any number of ranks */
  for (int form = 0; form < EBR_FORMS; form++) {
    int found = 0;
    for (uint32_t draw = 0; draw < DRAWS; draw++) {
      ebr_law_study study;
      study_of((ebr_form)form, truth[form], 0.03, draw, 1, &study);
      found += study.best == (ebr_form)form;
    }
    if (rank == 0) print_message("%-12s %d of %d\n", ebr_form_name((ebr_form)form), found, DRAWS);
    assert_true(found >= 0.95 * DRAWS);
  }
}

static void intervals_cover_the_truth(void **state)
{
  enum { DRAWS = 200, RESAMPLES = 200 };
  const double parameters[2] = {0.4, 1.2};
  int covered = 0;
  if (ranks != 2) return; /* long, and the same on any number of ranks */
  for (uint32_t draw = 0; draw < DRAWS; draw++) {
    ebr_law_study study;
    study_of(EBR_FORM_PAIRS_POWER, parameters, 0.3, draw, RESAMPLES, &study);
    const double *interval = study.interval[EBR_FORM_PAIRS_POWER][1];
    covered += interval[0] <= parameters[1] && parameters[1] <= interval[1];
  }
  if (rank == 0) print_message("covered %d of %d\n", covered, DRAWS);
  assert_in_range(covered, 0.93 * DRAWS, 0.97 * DRAWS);
}

static void verdicts(void **state)
{
  ebr_law_study study;
  study_of(EBR_FORM_QUADRATIC, (double[]){0.7, 0}, 0.05, 0, 100, &study);
  assert_int_equal(study.verdict, EBR_VERDICT_SUPPORTED);
  assert_non_null(strstr(study.words, "supported: collisions grow quadratically; gamma = "));
  /* Held against 2, a plain power law would refute the very same table. */
  assert_int_equal(study.alpha_verdict, EBR_VERDICT_REFUTED);
  assert_true(fabs(study.fit[EBR_FORM_POWER].parameters[1] - study.quadratic_alpha) < 0.1);
  assert_true(study.quadratic_alpha > 2.2 && study.quadratic_alpha < 2.5);
  study_of(EBR_FORM_PAIRS_POWER, (double[]){0.7, 0.7}, 0.05, 0, 100, &study);
  assert_int_equal(study.verdict, EBR_VERDICT_REFUTED);
  assert_non_null(strstr(study.words, "refuted: collisions grow slower than quadratically; gamma = 0.7"));
  study_of(EBR_FORM_PAIRS_POWER, (double[]){0.7, 1.4}, 0.05, 0, 100, &study);
  assert_non_null(strstr(study.words, "refuted: collisions grow faster than quadratically; gamma = 1.4"));
  study_of(EBR_FORM_POWER, (double[]){90, -1}, 0.05, 0, 100, &study);
  assert_int_equal(study.verdict, EBR_VERDICT_REFUTED);
  assert_non_null(strstr(study.words, "gamma = 0.000"));
  assert_non_null(strstr(study.words, "counts do not grow with m at all"));
  study_of(EBR_FORM_QUADRATIC, (double[]){0.7, 0}, 2.0, 0, 100, &study);
  assert_int_equal(study.verdict, EBR_VERDICT_CANNOT_TELL);
  assert_non_null(strstr(study.words, "seeds at each m instead of 20 would narrow it to +- 0.1"));
}

static void cannot_tell(const ebr_law_run *runs, int count, const char *words)
{
  ebr_law_study study;
  must(ebr_law_study_make(MPI_COMM_WORLD, runs, count, 5, 20, &study));
  assert_int_equal(study.verdict, EBR_VERDICT_CANNOT_TELL);
  assert_string_equal(study.words, words);
}

static void too_little_is_said(void **state)
{
  cannot_tell((ebr_law_run[]){{2, 1}, {2, 2}, {3, 4}, {3, 5}}, 4,
              "cannot tell: 2 numbers of modalities; at least three are needed, better seven");
  cannot_tell((ebr_law_run[]){{2, 1}, {2, 2}, {3, 4}, {3, 5}, {4, 6}}, 5,
              "cannot tell: one seed at some m; at least two are needed for an interval, better twenty");
  cannot_tell((ebr_law_run[]){{2, 0}, {2, 0}, {3, 0}, {3, 0}, {4, 0}, {4, 0}}, 6,
              "cannot tell: no collisions at any m: the threshold is too high");
  ebr_law_study study;
  ebr_error *error = ebr_law_study_make(MPI_COMM_WORLD, (ebr_law_run[]){{2, NAN}}, 1, 5, 20, &study);
  assert_int_equal(ebr_error_code(error), EBR_RESULTS);
  assert_string_equal(ebr_error_message(error), "a count of nan at m = 2");
  ebr_error_destroy(&error);
}

int main(void)
{
  if (ebr_mpi_start()) return 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (PetscInitializeNoArguments()) MPI_Abort(MPI_COMM_WORLD, 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(same_bits_on_all_ranks), cmocka_unit_test(tables_are_attributed_to_their_form),
      cmocka_unit_test(intervals_cover_the_truth), cmocka_unit_test(verdicts), cmocka_unit_test(too_little_is_said)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (PetscFinalize()) failed++;
  MPI_Finalize();
  return failed;
}
