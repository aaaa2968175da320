/* Fits: made-up counts that follow a form exactly are recovered by that form; the optimum is one by its definition. */
#include "law/project.h"

#include <math.h>
#include <petscsys.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { POINTS = 9 };

static void must(ebr_error *error)
{
  if (error) fail_msg("%s", ebr_error_message(error));
}

static void near(const char *what, double value, double expected, double relative)
{
  if (!(fabs(value - expected) <= relative * fabs(expected)))
    fail_msg("%s is %.12g instead of %.12g", what, value, expected);
}

static const double truth[EBR_FORMS][2] = {{3, 0}, {0.7, 0}, {0.4, 1.3}, {2, 2.4}, {50, 0.15}, {2, 0.02}};

static void exact_data_are_recovered(void **state)
{
  ebr_fitter *fitter = NULL;
  must(ebr_fitter_create(POINTS, &fitter));
  for (int form = 0; form < EBR_FORMS; form++) {
    ebr_law_point points[POINTS];
    ebr_law_fit fit;
    for (int k = 0; k < POINTS; k++) {
      double value = ebr_form_value((ebr_form)form, k + 2, truth[form]);
      points[k] = (ebr_law_point){k + 2, value, 0.01 * value + 0.01};
    }
    must(ebr_fitter_fit(fitter, (ebr_form)form, points, &fit));
    for (int k = 0; k < ebr_form_parameters((ebr_form)form); k++)
      near(ebr_form_name((ebr_form)form), fit.parameters[k], truth[form][k], 1e-5);
    assert_true(fit.squares < 1e-6);
  }
  ebr_fitter_destroy(&fitter);
}

static double squares_at(ebr_form form, const ebr_law_point *points, const double *parameters)
{
  double sum = 0;
  for (int k = 0; k < POINTS; k++) {
    double off = (ebr_form_value(form, points[k].m, parameters) - points[k].mean) / points[k].error;
    sum += off * off;
  }
  return sum;
}

/* Whatever the data, no neighbour within the bounds is better. */
static void fits_are_optimal(void **state)
{
  ebr_fitter *fitter = NULL;
  must(ebr_fitter_create(POINTS, &fitter));
  for (uint32_t draw = 0; draw < 20; draw++)
    for (int form = 0; form < EBR_FORMS; form++) {
      ebr_stream stream = ebr_stream_start(3, EBR_PURPOSE_TEST, draw);
      ebr_law_point points[POINTS];
      ebr_law_fit fit;
      for (int k = 0; k < POINTS; k++) {
        double value = 0.5 * pow((k + 2) * (k + 1) / 2.0, 0.6 + 0.05 * draw);
        points[k] = (ebr_law_point){k + 2, value * (1 + 0.05 * ebr_stream_normal(&stream)), 0.05 * value};
      }
      must(ebr_fitter_fit(fitter, (ebr_form)form, points, &fit));
      near("squares", fit.squares, squares_at((ebr_form)form, points, fit.parameters), 1e-8);
      for (int k = 0; k < 2 * ebr_form_parameters((ebr_form)form); k++) {
        double moved[2] = {fit.parameters[0], fit.parameters[1]};
        moved[k / 2] *= k % 2 ? 1.01 : 0.99;
        if (form == EBR_FORM_ALLOCATION && k / 2 == 1 && (moved[1] < 1e-3 || moved[1] > 0.999)) continue;
        if (squares_at((ebr_form)form, points, moved) < fit.squares * (1 - 1e-6))
          fail_msg("draw %u, %s: %g at (%g, %g), but %g beside it", draw, ebr_form_name((ebr_form)form), fit.squares,
                   fit.parameters[0], fit.parameters[1], squares_at((ebr_form)form, points, moved));
      }
    }
  ebr_fitter_destroy(&fitter);
}

/* What resamples are fitted with against TAO, from the same start, over tables of all steepnesses and spreads: never
 * worse; and where TAO does not stop early, on a flat tail, the same parameters. */
static void projection_is_no_worse_than_tao(void **state)
{
  ebr_fitter *fitter = NULL;
  must(ebr_fitter_create(POINTS, &fitter));
  int same = 0, all = 0;
  for (uint32_t draw = 0; draw < 300; draw++) {
    ebr_stream stream = ebr_stream_start(4, EBR_PURPOSE_TEST, draw);
    double gamma = 1.8 * ebr_stream_uniform(&stream), spread = 0.02 + 0.3 * ebr_stream_uniform(&stream);
    ebr_law_point points[POINTS];
    for (int k = 0; k < POINTS; k++) {
      double value = 0.5 * pow((k + 2) * (k + 1) / 2.0, gamma);
      double mean = value * (1 + spread * ebr_stream_normal(&stream));
      points[k] = (ebr_law_point){k + 2, fmax(0, mean), spread * value * (0.5 + ebr_stream_uniform(&stream))};
    }
    for (int form = 0; form < EBR_FORMS; form++, all++) {
      ebr_law_fit fit;
      double found[EBR_FORM_PARAMETERS_MOST];
      must(ebr_fitter_fit(fitter, (ebr_form)form, points, &fit));
      ebr_law_project((ebr_form)form, points, POINTS, ebr_form_row_of((ebr_form)form)->start, found);
      double squares = squares_at((ebr_form)form, points, found);
      if (squares > fit.squares * (1 + 1e-7) + 1e-9)
        fail_msg("draw %u, %s: %g at %g, but %g at %g by TAO", draw, ebr_form_name((ebr_form)form), squares, found[1],
                 fit.squares, fit.parameters[1]);
      same += fabs(found[1] - fit.parameters[1]) <= 1e-5 * (1e-3 + fabs(fit.parameters[1]));
    }
  }
  print_message("%d of %d the same\n", same, all);
  assert_true(same >= 0.98 * all);
  ebr_fitter_destroy(&fitter);
}

/* A plain power law calls an exactly quadratic m(m-1) process one of exponent 2.4 over m = 2..8. */
static void the_naive_exponent_misleads(void **state)
{
  ebr_fitter *fitter = NULL;
  ebr_law_point points[7];
  ebr_law_fit fit;
  must(ebr_fitter_create(7, &fitter));
  for (int k = 0; k < 7; k++)
    points[k] = (ebr_law_point){k + 2, (k + 2) * (k + 1) / 2.0, 0.1 * (k + 2) * (k + 1) / 2.0};
  must(ebr_fitter_fit(fitter, EBR_FORM_POWER, points, &fit));
  print_message("alpha %.3f\n", fit.parameters[1]);
  assert_true(fit.parameters[1] > 2.3 && fit.parameters[1] < 2.5);
  must(ebr_fitter_fit(fitter, EBR_FORM_PAIRS_POWER, points, &fit));
  near("gamma", fit.parameters[1], 1, 1e-6);
  ebr_fitter_destroy(&fitter);
}

static void refuse(const ebr_law_point *points, const char *sentence)
{
  ebr_fitter *fitter = NULL;
  ebr_law_fit fit;
  must(ebr_fitter_create(3, &fitter));
  ebr_error *error = ebr_fitter_fit(fitter, EBR_FORM_QUADRATIC, points, &fit);
  assert_int_equal(ebr_error_code(error), EBR_RESULTS);
  assert_string_equal(ebr_error_message(error), sentence);
  ebr_error_destroy(&error);
  ebr_fitter_destroy(&fitter);
}

static void what_cannot_be_fitted_is_refused(void **state)
{
  refuse((ebr_law_point[]){{2, 0, 0}, {3, 0, 0}, {4, 0, 0}}, "no count is above 0: nothing can be fitted");
  refuse((ebr_law_point[]){{2, 1, 0}, {3, NAN, 0}, {4, 2, 0}}, "the count at m = 3 is nan +- 0: nothing can be fitted");
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(exact_data_are_recovered), cmocka_unit_test(fits_are_optimal),
                                     cmocka_unit_test(projection_is_no_worse_than_tao),
                                     cmocka_unit_test(the_naive_exponent_misleads),
                                     cmocka_unit_test(what_cannot_be_fitted_is_refused)};
  if (PetscInitializeNoArguments()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (PetscFinalize()) return 1;
  return failed;
}
