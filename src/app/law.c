/* ebrsweep law: does the number of collisions grow quadratically with the number of modalities? Fits, intervals and a
 * verdict for each group of runs. */
#include "app/app.h"
#include "app/law_group.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <petscsys.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct law_options {
  const char *path, *measure, *where, *by;
  int resamples;
  bool json, markdown, help;
} law_options;

static void print_help(void)
{
  printf("Usage: [mpirun -n RANKS] ebrsweep law RESULTS [OPTION...] [-- PETSC OPTION...]\n"
         "Fits how collisions grow with the number of modalities m, and says whether quadratically: m(m-1).\n\n"
         "  -m, --measure COLUMN   what is counted; of predictive_noise_pairs, influence.colliding_pairs and the like without\n"
         "                         a threshold, the middle one (default: colliding_pairs, or\n"
         "                         allocation.pairs in a sweep of random allocations)\n"
         "  -b, --by A,B,...       one law for each group of runs that agree in these columns (default: all axes but\n"
         "                         data.modalities and seed)\n"
         "  -w, --where EXPRESSION only the runs for which it holds; see ebrsweep show --help\n"
         "  -r, --resamples N      of the bootstrap over seeds (default: 2000)\n"
         "      --json             an array of objects, one a group\n"
         "      --markdown         a table: group, gamma with its interval, verdict\n"
         "  -h, --help             this text\n");
}

static ebr_error *parse_resamples(const char *text, int *resamples)
{
  ebr_error *error = NULL;
  char *end;
  long value = strtol(text, &end, 10);
  EBR_CHECK(end != text && *end == 0 && value >= 20 && value <= 1000000, EBR_USAGE,
            "law: --resamples wants a whole number from 20 to 1000000, not '%s'", text);
  *resamples = (int)value;
done:
  return error;
}

static ebr_error *parse_options(int argc, char **argv, law_options *options)
{
  ebr_error *error = NULL;
  static const struct option longs[] = {
      {"measure", required_argument, NULL, 'm'}, {"by", required_argument, NULL, 'b'},
      {"where", required_argument, NULL, 'w'},   {"resamples", required_argument, NULL, 'r'},
      {"json", no_argument, NULL, 'J'},          {"markdown", no_argument, NULL, 'M'},
      {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
  int choice;
  opterr = 0;
  optind = 1;
  while ((choice = getopt_long(argc, argv, ":m:b:w:r:h", longs, NULL)) != -1) switch (choice) {
      case 'm': options->measure = optarg; break;
      case 'b': options->by = optarg; break;
      case 'w': options->where = optarg; break;
      case 'r': EBR_TRY(parse_resamples(optarg, &options->resamples)); break;
      case 'J': options->json = true; break;
      case 'M': options->markdown = true; break;
      case 'h': options->help = true; break;
      case ':': EBR_FAIL(EBR_USAGE, "law: option '%s' needs a value", argv[optind - 1]);
      default: EBR_FAIL(EBR_USAGE, "law: there is no option '%s'; see ebrsweep law --help", argv[optind - 1]);
    }
  if (options->help) goto done;
  EBR_CHECK(optind < argc && argv[optind][0], EBR_USAGE, "law: which results file? See ebrsweep law --help");
  options->path = argv[optind];
done:
  return error;
}

/* ---- printing ---------------------------------------------------------------------------------------------------- */

/* Parameters that play no part in the group's runs are not in its label. */
static ebr_error *print_label(const ebr_law_groups *groups, const ebr_law_group *group)
{
  ebr_error *error = NULL;
  ebr_text cell = {0};
  bool any = false;
  for (int i = 0; i < groups->by.columns; i++) {
    int column = groups->by.column[i];
    if (groups->count > 1 && !ebr_law_groups_differ(groups, column)) continue;
    ebr_text_destroy(&cell);
    EBR_TRY(ebr_selection_cell(groups->by.results, EBR_FORMAT_PLAIN, group->run, column, &cell));
    if (strcmp(cell.data, "-") == 0) continue;
    printf("%s%s %s", any ? ", " : "", ebr_results_column_name(groups->by.results, column), cell.data);
    any = true;
  }
  if (!any) printf("all runs");
done:
  ebr_text_destroy(&cell);
  return error;
}

static void print_points(const ebr_law_group *group)
{
  const ebr_law_study *study = &group->study, *start = &group->start;
  bool fitted = study->weight[study->best] > 0;
  printf("   m  seeds        count    +-  observed/null  untrained  residual  gamma to the next\n");
  for (int k = 0; k < study->points; k++) {
    printf("%4g  %5d  %11.5g  %4.2g  ", study->point[k].m, study->seeds[k], study->point[k].mean,
           study->point[k].error);
    if (isfinite(group->ratio[k])) printf("%13.3f  ", group->ratio[k]);
    else printf("%13s  ", "-");
    if (start->points > 0) printf("%9.4g  ", start->point[k].mean);
    else printf("%9s  ", "-");
    if (fitted) printf("%+8.2f  ", study->residual[study->best][k]);
    else printf("%8s  ", "-");
    if (k + 1 < study->points) printf("%.3f", study->local_gamma[k]);
    printf("\n");
  }
}

static void print_fits(const ebr_law_study *study)
{
  printf("  form          AICc weight  parameters with 95 %% intervals\n");
  for (int form = 0; form < EBR_FORMS; form++) {
    printf("%c %-12s  %11.3f ", form == (int)study->best ? '*' : ' ', ebr_form_name((ebr_form)form),
           study->weight[form]);
    for (int k = 0; k < ebr_form_parameters((ebr_form)form); k++)
      printf(" %s = %.4g [%.4g, %.4g]", ebr_form_parameter_name((ebr_form)form, k), study->fit[form].parameters[k],
             study->interval[form][k][0], study->interval[form][k][1]);
    printf("\n");
  }
}

/* A plain power law is not read against 2: that is said where doing so comes to another verdict than gamma's. */
static void print_alpha(const ebr_law_study *study)
{
  const double *interval = study->interval[EBR_FORM_POWER][1];
  printf("  residuals are those of %s, in standard errors\n", ebr_form_name(study->best));
  if (study->alpha_verdict == study->verdict) return;
  printf("  alpha = %.2f [%.2f, %.2f] misleads here: held against 2 it says %s, but over these m an exactly quadratic\n"
         "  m(m-1) has alpha = %.2f; gamma says %s\n",
         study->fit[EBR_FORM_POWER].parameters[1], interval[0], interval[1], ebr_verdict_name(study->alpha_verdict),
         study->quadratic_alpha, ebr_verdict_name(study->verdict));
}

static ebr_error *print_group(const ebr_law_groups *groups, const ebr_law_group *group)
{
  ebr_error *error = NULL;
  const ebr_law_study *study = &group->study;
  EBR_TRY(print_label(groups, group));
  printf("\n");
  print_points(group);
  if (study->weight[study->best] > 0) {
    print_fits(study);
    print_alpha(study);
  }
  if (group->start.points > 0 && group->start.weight[group->start.best] > 0)
    printf("  before training: gamma = %.3f [%.3f, %.3f]\n", group->start.fit[EBR_FORM_PAIRS_POWER].parameters[1],
           group->start.interval[EBR_FORM_PAIRS_POWER][1][0], group->start.interval[EBR_FORM_PAIRS_POWER][1][1]);
  if (isfinite(group->slope.slope))
    printf("  contribution of a modality (test loss) when collisions double, m held: %+.4g [%+.4g, %+.4g], r = %.2f\n",
           group->slope.slope, group->slope.interval[0], group->slope.interval[1], group->slope.correlation);
  if (ebr_law_is_allocation(groups->measure))
    printf("  random allocation: the worst of %d m is %.2f standard errors from the exact expectation: %s\n",
           study->points, group->worst, group->worst <= ebr_law_agreement ? "agrees" : "DISAGREES");
  printf("  %s\n\n", study->words);
done:
  return error;
}

static ebr_error *print_markdown(const ebr_law_groups *groups)
{
  ebr_error *error = NULL;
  printf(
      "| group | gamma | 95 %% interval | before training | form | verdict |\n| --- | --- | --- | --- | --- | --- |\n");
  for (int i = 0; i < groups->count; i++) {
    const ebr_law_group *group = &groups->group[i];
    const double *interval = group->study.interval[EBR_FORM_PAIRS_POWER][1];
    bool fitted = group->study.weight[group->study.best] > 0, before = group->start.weight[group->start.best] > 0;
    printf("| ");
    EBR_TRY(print_label(groups, group));
    if (fitted)
      printf(" | %.3f | [%.3f, %.3f] |", group->study.fit[EBR_FORM_PAIRS_POWER].parameters[1], interval[0],
             interval[1]);
    else printf(" | | |");
    if (before) printf(" %.3f |", group->start.fit[EBR_FORM_PAIRS_POWER].parameters[1]);
    else printf(" |");
    printf(" %s | %s |\n", fitted ? ebr_form_name(group->study.best) : "", ebr_verdict_name(group->study.verdict));
  }
done:
  return error;
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static ebr_error *add_number(ebr_text *text, const char *before, double value)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_text_add(text, "%s", before));
  EBR_TRY(ebr_text_add_number(text, value));
done:
  return error;
}

static ebr_error *add_fits(ebr_text *text, const ebr_law_study *study)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_text_add(text, "\"model\": \"%s\", \"forms\": {", ebr_form_name(study->best)));
  for (int form = 0; form < EBR_FORMS; form++) {
    EBR_TRY(ebr_text_add(text, "%s\"%s\": {\"parameters\": {", form ? ", " : "", ebr_form_name((ebr_form)form)));
    for (int k = 0; k < ebr_form_parameters((ebr_form)form); k++) {
      EBR_TRY(ebr_text_add(text, "%s\"%s\": ", k ? ", " : "", ebr_form_parameter_name((ebr_form)form, k)));
      EBR_TRY(ebr_text_add_number(text, study->fit[form].parameters[k]));
    }
    EBR_TRY(ebr_text_add(text, "}, \"interval\": {"));
    for (int k = 0; k < ebr_form_parameters((ebr_form)form); k++) {
      EBR_TRY(ebr_text_add(text, "%s\"%s\": [", k ? ", " : "", ebr_form_parameter_name((ebr_form)form, k)));
      EBR_TRY(ebr_text_add_number(text, study->interval[form][k][0]));
      EBR_TRY(add_number(text, ", ", study->interval[form][k][1]));
      EBR_TRY(ebr_text_add(text, "]"));
    }
    EBR_TRY(add_number(text, "}, \"aicc_weight\": ", study->weight[form]));
    EBR_TRY(add_number(text, ", \"squares\": ", study->fit[form].squares));
    for (int k = 0; k < study->points; k++)
      EBR_TRY(add_number(text, k ? ", " : ", \"residuals\": [", study->residual[form][k]));
    EBR_TRY(ebr_text_add(text, "]}"));
  }
  EBR_TRY(ebr_text_add(text, "}, "));
done:
  return error;
}

/* The best form's own numbers, where a script looks first. */
static ebr_error *add_best(ebr_text *text, const ebr_law_study *study)
{
  ebr_error *error = NULL;
  const char *const keys[] = {"parameters", "interval"};
  for (int key = 0; key < 2; key++) {
    EBR_TRY(ebr_text_add(text, "\"%s\": {", keys[key]));
    for (int k = 0; k < ebr_form_parameters(study->best); k++) {
      EBR_TRY(ebr_text_add(text, "%s\"%s\": ", k ? ", " : "", ebr_form_parameter_name(study->best, k)));
      if (key == 0) {
        EBR_TRY(ebr_text_add_number(text, study->fit[study->best].parameters[k]));
        continue;
      }
      EBR_TRY(add_number(text, "[", study->interval[study->best][k][0]));
      EBR_TRY(add_number(text, ", ", study->interval[study->best][k][1]));
      EBR_TRY(ebr_text_add(text, "]"));
    }
    EBR_TRY(ebr_text_add(text, "}, "));
  }
  EBR_TRY(add_number(text, "\"aicc_weight\": ", study->weight[study->best]));
  EBR_TRY(add_number(text, ", \"alpha\": {\"of_quadratic\": ", study->quadratic_alpha));
  EBR_TRY(ebr_text_add(text, ", \"verdict_against_2\": \"%s\", \"misleads\": %s}, ",
                       ebr_verdict_name(study->alpha_verdict),
                       study->alpha_verdict == study->verdict ? "false" : "true"));
done:
  return error;
}

static ebr_error *add_points(ebr_text *text, const ebr_law_group *group)
{
  ebr_error *error = NULL;
  const ebr_law_study *study = &group->study;
  EBR_TRY(ebr_text_add(text, "\"points\": ["));
  for (int k = 0; k < study->points; k++) {
    EBR_TRY(add_number(text, k ? ", {\"m\": " : "{\"m\": ", study->point[k].m));
    EBR_TRY(ebr_text_add(text, ", \"seeds\": %d", study->seeds[k]));
    EBR_TRY(add_number(text, ", \"mean\": ", study->point[k].mean));
    EBR_TRY(add_number(text, ", \"standard_error\": ", study->point[k].error));
    EBR_TRY(add_number(text, ", \"observed_over_null\": ", group->ratio[k]));
    EBR_TRY(add_number(text, ", \"untrained\": ", group->start.points > 0 ? group->start.point[k].mean : NAN));
    EBR_TRY(add_number(text, ", \"local_gamma\": ", k + 1 < study->points ? study->local_gamma[k] : NAN));
    EBR_TRY(ebr_text_add(text, "}"));
  }
  EBR_TRY(ebr_text_add(text, "], "));
done:
  return error;
}

static ebr_error *add_slope(ebr_text *text, const ebr_law_slope *slope)
{
  ebr_error *error = NULL;
  EBR_TRY(add_number(text, ", \"contribution_slope\": {\"slope\": ", slope->slope));
  EBR_TRY(add_number(text, ", \"interval\": [", slope->interval[0]));
  EBR_TRY(add_number(text, ", ", slope->interval[1]));
  EBR_TRY(add_number(text, "], \"correlation\": ", slope->correlation));
  EBR_TRY(ebr_text_add(text, ", \"runs\": %lld}", (long long)slope->runs));
done:
  return error;
}

static ebr_error *add_group(ebr_text *text, const ebr_law_groups *groups, const ebr_law_group *group)
{
  ebr_error *error = NULL;
  const ebr_law_study *study = &group->study, *start = &group->start;
  EBR_TRY(ebr_text_add(text, "{\"group\": {"));
  for (int i = 0; i < groups->by.columns; i++) {
    EBR_TRY(ebr_text_add(text, "%s\"%s\": ", i ? ", " : "",
                         ebr_results_column_name(groups->by.results, groups->by.column[i])));
    EBR_TRY(ebr_selection_cell(groups->by.results, EBR_FORMAT_JSON, group->run, groups->by.column[i], text));
  }
  EBR_TRY(
      ebr_text_add(text, "}, \"measure\": \"%s\", \"left_out\": %lld, ", groups->measure, (long long)groups->left_out));
  EBR_TRY(add_points(text, group));
  if (study->weight[study->best] > 0) {
    EBR_TRY(add_fits(text, study));
    EBR_TRY(add_best(text, study));
  } else {
    EBR_TRY(ebr_text_add(text, "\"model\": null, \"parameters\": {}, \"interval\": {}, \"aicc_weight\": null, "));
  }
  if (start->weight[start->best] > 0)
    EBR_TRY(add_number(text, "\"gamma_before_training\": ", start->fit[EBR_FORM_PAIRS_POWER].parameters[1]));
  else EBR_TRY(ebr_text_add(text, "\"gamma_before_training\": null"));
  if (ebr_law_is_allocation(groups->measure)) {
    EBR_TRY(add_number(text, ", \"exact\": {\"worst_deviation\": ", group->worst));
    EBR_TRY(ebr_text_add(text, ", \"agrees\": %s}", group->worst <= ebr_law_agreement ? "true" : "false"));
  }
  EBR_TRY(add_slope(text, &group->slope));
  EBR_TRY(ebr_text_add(text, ", \"verdict\": \"%s\", \"words\": ", ebr_verdict_name(study->verdict)));
  EBR_TRY(ebr_text_add_json(text, study->words));
  EBR_TRY(ebr_text_add(text, "}"));
done:
  return error;
}

static ebr_error *print_json(const ebr_law_groups *groups)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  for (int i = 0; i < groups->count; i++) {
    EBR_TRY(ebr_text_add(&text, i ? ",\n " : "["));
    EBR_TRY(add_group(&text, groups, &groups->group[i]));
  }
  printf("%s]\n", text.data);
done:
  ebr_text_destroy(&text);
  return error;
}

static ebr_error *print(const law_options *options, const ebr_law_groups *groups)
{
  if (groups->left_out > 0)
    fprintf(stderr, "%lld of %lld runs are missing or failed, and left out\n", (long long)groups->left_out,
            (long long)groups->by.runs);
  if (options->json) return print_json(groups);
  if (options->markdown) return print_markdown(groups);
  ebr_error *error = NULL;
  printf("%s: %s against the number of modalities m\n\n", options->path, groups->measure);
  for (int i = 0; i < groups->count; i++) EBR_TRY(print_group(groups, &groups->group[i]));
done:
  return error;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static ebr_error *carry_out(MPI_Comm comm, const law_options *options)
{
  ebr_error *error = NULL;
  ebr_results *results = NULL;
  ebr_law_groups groups = {0};
  int rank = 0;
  EBR_TRY_MPI(MPI_Comm_rank(comm, &rank));
  EBR_TRY(ebr_agree(comm, ebr_results_open(options->path, &results)));
  EBR_TRY(ebr_agree(comm, ebr_law_groups_collect(results, options->where, options->by, options->measure, &groups)));
  EBR_TRY(ebr_law_groups_study(comm, options->resamples, &groups));
  EBR_TRY(ebr_agree(comm, rank == 0 ? print(options, &groups) : NULL));
done:
  ebr_law_groups_release(&groups);
  ebr_results_close(&results);
  return error;
}

ebr_error *ebr_app_law(int argc, char **argv)
{
  ebr_error *error = NULL;
  law_options options = {.resamples = 2000};
  EBR_TRY(parse_options(argc, argv, &options));
  if (options.help) {
    print_help();
    goto done;
  }
  EBR_TRY(ebr_mpi_start());
  ebr_blas_prepare();
  EBR_CHECK(PetscInitialize(&argc, &argv, NULL, NULL) == 0, EBR_FILE, "law: PETSc does not start");
  signal(SIGPIPE, SIG_DFL); /* `| head` is no fault: PETSc would write fifteen lines about it */
  error = ebr_app_say_once(MPI_COMM_WORLD, carry_out(MPI_COMM_WORLD, &options));
  (void)PetscFinalize();
  MPI_Finalize();
done:
  return error;
}
