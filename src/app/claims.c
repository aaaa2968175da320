/* ebrsweep claims: which of the paper's claims do the results support? Effects paired by seed, controls, a verdict
 * each. */
#include "app/app.h"
#include "app/claim_print.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct claims_options {
  char **path;
  int paths, resamples;
  ebr_claim_format format;
  bool help;
} claims_options;

static void print_help(void)
{
  printf(
      "Usage: ebrsweep claims RESULTS... [OPTION...]\n"
      "Says of each of the paper's claims whether the results support it, by data set and regime. RESULTS are those of "
      "the\n"
      "sweeps that ask: sweeps/figure-*.yaml, sweeps/table-*.yaml, sweeps/order-of-distillation.yaml.\n\n"
      "  -r, --resamples N      of the bootstrap over seeds (default: 2000)\n"
      "      --json             an array of objects, one a claim and group\n"
      "      --markdown         a table for each sweep\n"
      "      --summary          a table of how many verdicts of each kind, in Markdown\n"
      "  -h, --help             this text\n\n"
      "An effect is the mean difference of two arms over seeds, [its 95 %% bootstrap interval]; p is that of "
      "Wilcoxon's\n"
      "signed-rank test, after Holm's correction for all comparisons of the sweep. What a control does alone is not\n"
      "credited: a claim is supported only if the effect is there against every control as well.\n");
}

static ebr_error *parse_resamples(const char *text, int *resamples)
{
  ebr_error *error = NULL;
  char *end;
  long value = strtol(text, &end, 10);
  EBR_CHECK(end != text && *end == 0 && value >= 20 && value <= 1000000, EBR_USAGE,
            "claims: --resamples wants a whole number from 20 to 1000000, not '%s'", text);
  *resamples = (int)value;
done:
  return error;
}

static ebr_error *parse_options(int argc, char **argv, claims_options *options)
{
  ebr_error *error = NULL;
  static const struct option longs[] = {{"resamples", required_argument, NULL, 'r'},
                                        {"json", no_argument, NULL, 'J'},
                                        {"markdown", no_argument, NULL, 'M'},
                                        {"summary", no_argument, NULL, 'S'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};
  int choice;
  opterr = 0;
  optind = 1;
  while ((choice = getopt_long(argc, argv, ":r:h", longs, NULL)) != -1) switch (choice) {
      case 'r': EBR_TRY(parse_resamples(optarg, &options->resamples)); break;
      case 'J': options->format = EBR_CLAIM_JSON; break;
      case 'M': options->format = EBR_CLAIM_MARKDOWN; break;
      case 'S': options->format = EBR_CLAIM_SUMMARY; break;
      case 'h': options->help = true; goto done;
      case ':': EBR_FAIL(EBR_USAGE, "claims: option '%s' needs a value", argv[optind - 1]);
      default: EBR_FAIL(EBR_USAGE, "claims: there is no option '%s'; see ebrsweep claims --help", argv[optind - 1]);
    }
  EBR_CHECK(optind < argc, EBR_USAGE, "claims: which results files? See ebrsweep claims --help");
  options->path = argv + optind;
  options->paths = argc - optind;
done:
  return error;
}

/* ---- judging ----------------------------------------------------------------------------------------------------- */

/* Corrects and judges results [first, count): one sweep's. */
static ebr_error *judge(ebr_claim_results *results, int first)
{
  ebr_error *error = NULL;
  int compared = 0;
  ebr_comparison **all =
      calloc((size_t)(results->count - first) * (1 + EBR_CLAIM_CONTROLS_MOST) + 1, sizeof(ebr_comparison *));
  EBR_CHECK_MEMORY(all, "the comparisons of a sweep");
  for (int i = first; i < results->count; i++) {
    ebr_claim_case *test = &results->result[i].test;
    if (results->result[i].words[0]) continue;
    all[compared++] = &test->main;
    for (int k = 0; k < test->controls; k++) all[compared++] = &test->control[k];
  }
  EBR_TRY(ebr_comparisons_correct(all, compared));
  for (int i = first; i < results->count; i++) {
    ebr_claim_result *result = &results->result[i];
    if (result->words[0]) continue;
    result->verdict = ebr_claim_judge(&result->test, compared, result->words, sizeof result->words);
  }
done:
  free(all);
  return error;
}

static bool asked_before(int index)
{
  for (int i = 0; i < index; i++)
    if (strcmp(ebr_claim_at(i)->sweep, ebr_claim_at(index)->sweep) == 0) return true;
  return false;
}

/* All claims of the sweep that claim `index` belongs to. */
static ebr_error *study_sweep(int index, ebr_results *const *files, int count, int resamples,
                              ebr_claim_results *results)
{
  ebr_error *error = NULL;
  const char *sweep = ebr_claim_at(index)->sweep;
  int own = 0, first = results->count;
  ebr_results **chosen = calloc((size_t)count, sizeof(ebr_results *));
  EBR_CHECK_MEMORY(chosen, "results files");
  for (int file = 0; file < count; file++)
    if (strcmp(ebr_results_text(files[file], "name"), sweep) == 0) chosen[own++] = files[file];
  for (int i = index; own > 0 && ebr_claim_at(i); i++)
    if (strcmp(ebr_claim_at(i)->sweep, sweep) == 0)
      EBR_TRY(ebr_claim_gather(ebr_claim_at(i), chosen, own, resamples, results));
  EBR_TRY(judge(results, first));
  if (own == 0) fprintf(stderr, "no results of %s were given\n", sweep);
done:
  free(chosen);
  return error;
}

static bool is_asked(const char *name)
{
  for (int i = 0; ebr_claim_at(i); i++)
    if (strcmp(ebr_claim_at(i)->sweep, name) == 0) return true;
  return false;
}

static ebr_error *open_all(const claims_options *options, ebr_results **files)
{
  ebr_error *error = NULL;
  for (int i = 0; i < options->paths; i++) {
    EBR_TRY(ebr_results_open(options->path[i], &files[i]));
    EBR_CHECK(is_asked(ebr_results_text(files[i], "name")), EBR_RESULTS, "%s: no claim is about the sweep '%s'",
              options->path[i], ebr_results_text(files[i], "name"));
  }
done:
  return error;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

ebr_error *ebr_app_claims(int argc, char **argv)
{
  ebr_error *error = NULL;
  claims_options options = {.resamples = 2000};
  ebr_results **files = NULL;
  ebr_claim_results results = {0};
  EBR_TRY(parse_options(argc, argv, &options));
  if (options.help) {
    print_help();
    goto done;
  }
  files = calloc((size_t)options.paths + 1, sizeof(ebr_results *));
  EBR_CHECK_MEMORY(files, "results files");
  EBR_TRY(open_all(&options, files));
  for (int i = 0; ebr_claim_at(i); i++)
    if (!asked_before(i)) EBR_TRY(study_sweep(i, files, options.paths, options.resamples, &results));
  EBR_TRY(ebr_claims_print(&results, options.format, stdout));
done:
  for (int i = 0; files && i < options.paths; i++) ebr_results_close(&files[i]);
  free(files);
  ebr_claim_results_release(&results);
  return error;
}
