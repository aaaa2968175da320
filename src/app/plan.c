/* ebrsweep plan: what a sweep would cost. */
#include "app/app.h"
#include "app/predict.h"
#include "app/sweep_file.h"

#include <ebrsweep/parallel.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct plan_options {
  ebr_sweep_options sweep;
  char output[4096];
  bool json, parameters, markdown, help;
} plan_options;

static void print_help(void)
{
  printf("Usage: ebrsweep plan SWEEP [OPTION...]\n"
         "Tells how many runs SWEEP has, how many are new, and predicts time, memory and ranks.\n\n"
         "  -o, --output RESULTS   the results file whose runs are not new (default: the sweep's name with .h5)\n"
         "  -s, --set NAME=VALUE   replace a parameter of the sweep file (repeatable)\n"
         "      --parameters       list all parameters instead (with --markdown: as a page)\n"
         "      --json             one JSON object\n"
         "  -h, --help             this text\n");
}

static ebr_error *parse_options(int argc, char **argv, plan_options *options)
{
  ebr_error *error = NULL;
  static const struct option longs[] = {{"output", required_argument, NULL, 'o'},
                                        {"set", required_argument, NULL, 's'},
                                        {"parameters", no_argument, NULL, 'p'},
                                        {"markdown", no_argument, NULL, 'm'},
                                        {"json", no_argument, NULL, 'j'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};
  int choice;
  opterr = 0;
  optind = 1;
  while ((choice = getopt_long(argc, argv, ":o:s:h", longs, NULL)) != -1) switch (choice) {
      case 'o': snprintf(options->output, sizeof options->output, "%s", optarg); break;
      case 's': EBR_TRY(ebr_sweep_options_set(&options->sweep, optarg)); break;
      case 'p': options->parameters = true; break;
      case 'm': options->markdown = true; break;
      case 'j': options->json = true; break;
      case 'h': options->help = true; break;
      case ':': EBR_FAIL(EBR_USAGE, "plan: option '%s' needs a value", argv[optind - 1]);
      default: EBR_FAIL(EBR_USAGE, "plan: there is no option '%s'; see ebrsweep plan --help", argv[optind - 1]);
    }
  if (options->help || options->parameters) goto done;
  EBR_CHECK(optind < argc && argv[optind][0], EBR_USAGE, "plan: which sweep file? See ebrsweep plan --help");
  EBR_CHECK(optind + 1 >= argc, EBR_USAGE, "plan: one sweep file at a time, '%s' is left over", argv[optind + 1]);
  options->sweep.path = argv[optind];
done:
  return error;
}

static ebr_error *print_json(const ebr_prediction *p, const ebr_sweep *sweep)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  EBR_TRY(ebr_text_add(&text, "{\"name\": "));
  EBR_TRY(ebr_text_add_json(&text, ebr_sweep_name(sweep)));
  EBR_TRY(ebr_text_add(&text,
                       ", \"runs\": %lld, \"new\": %lld, \"core_hours\": %.6g, \"longest_run_seconds\": %.6g, "
                       "\"memory_per_rank_bytes\": %zu, \"suggested_ranks\": %lld, \"teams\": [",
                       (long long)p->runs, (long long)p->fresh, p->flops / p->rate / 3600, p->longest / p->rate,
                       p->memory, (long long)p->ranks));
  for (int k = EBR_TEAM_SIZES - 1, before = 0; k >= 0; k--)
    if (p->teams[k] > 0)
      EBR_TRY(ebr_text_add(&text, "%s{\"ranks\": %d, \"runs\": %lld}", before++ ? ", " : "", 1 << k,
                           (long long)p->teams[k]));
  EBR_TRY(ebr_text_add(&text, "], \"calibrated_by_runs\": %lld}", (long long)p->told));
  puts(text.data);
done:
  ebr_text_destroy(&text);
  return error;
}

/* Largest first, as they are carried out; nothing where every run is for a rank by itself. */
static void print_teams(const ebr_prediction *p)
{
  if (p->teams[0] == p->fresh) return;
  printf("  teams on these   ");
  for (int k = EBR_TEAM_SIZES - 1, before = 0; k >= 0; k--)
    if (p->teams[k] > 0)
      printf("%s%lld run%s by %d rank%s each", before++ ? ", then " : "", (long long)p->teams[k],
             p->teams[k] == 1 ? "" : "s", 1 << k, k == 0 ? "" : "s");
  printf("\n");
}

static void print_plan(const ebr_prediction *p, const ebr_sweep *sweep)
{
  double seconds = p->flops / p->rate;
  printf("%s: %lld runs, %lld new\n", ebr_sweep_name(sweep), (long long)p->runs, (long long)p->fresh);
  if (ebr_sweep_question(sweep)[0]) printf("  question         %s\n", ebr_sweep_question(sweep));
  printf("  core-hours       %.3g (%.0f s on one core %s)\n", seconds / 3600, seconds,
         p->told ? "like those that did the finished runs" : "like this one");
  printf("  longest run      %.2g s\n", p->longest / p->rate);
  printf("  memory per rank  %.1f MiB\n", (double)p->memory / (1 << 20));
  printf("  suggested ranks  %lld\n", (long long)p->ranks);
  print_teams(p);
}

static ebr_error *make_plan(const plan_options *options, const ebr_sweep *sweep)
{
  ebr_error *error = NULL;
  char output[4096];
  ebr_prediction p;
  snprintf(output, sizeof output, "%s", options->output);
  if (!output[0]) snprintf(output, sizeof output, "%s.h5", ebr_sweep_name(sweep));
  EBR_TRY(ebr_predict(sweep, output, &p));
  if (options->json) EBR_TRY(print_json(&p, sweep));
  else print_plan(&p, sweep);
done:
  return error;
}

static ebr_error *print_parameters(bool markdown)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  EBR_TRY(ebr_parameters_describe(markdown, &text));
  fputs(text.data, stdout);
done:
  ebr_text_destroy(&text);
  return error;
}

static ebr_error *plan_file(const plan_options *options)
{
  ebr_error *error = NULL;
  ebr_sweep *sweep = NULL;
  char *text = NULL;
  size_t length;
  EBR_TRY(ebr_mpi_start());
  ebr_blas_prepare();
  EBR_TRY(ebr_sweep_options_read(&options->sweep, &text, &length));
  EBR_TRY(ebr_sweep_options_parse(&options->sweep, text, length, &sweep));
  EBR_TRY(make_plan(options, sweep));
done:
  ebr_sweep_destroy(&sweep);
  free(text);
  MPI_Finalize();
  return error;
}

ebr_error *ebr_app_plan(int argc, char **argv)
{
  ebr_error *error = NULL;
  plan_options options = {0};
  EBR_TRY(parse_options(argc, argv, &options));
  if (options.help) print_help();
  else if (options.parameters) EBR_TRY(print_parameters(options.markdown));
  else EBR_TRY(plan_file(&options));
done:
  return error;
}
