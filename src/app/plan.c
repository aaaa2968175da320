/* ebrsweep plan: what a sweep would cost, from one process and without training anything. */
#include "app/app.h"
#include "app/sweep_file.h"

#include <ebrsweep/library.h>
#include <ebrsweep/run.h>
#include <ebrsweep/store.h>

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct plan_options {
  ebr_sweep_options sweep;
  char output[4096];
  bool json, parameters, markdown, help;
} plan_options;

typedef struct plan {
  int64_t runs, fresh;
  double flops;    /* of the fresh ones */
  double longest;  /* the costliest of them */
  double rate;     /* of this machine while training, measured [flop/s] */
  size_t memory;   /* of the largest run on one rank [bytes] */
  size_t datasets; /* a node, shared by its ranks [bytes] */
  int64_t ranks;   /* suggested */
} plan;

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

static int compare_ids(const void *a, const void *b)
{
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* The sorted ids of runs that a results file has finished; none if there is no such file yet. */
static ebr_error *read_done(const char *path, uint64_t **ids, size_t *count)
{
  ebr_error *error = NULL;
  ebr_results *results = NULL;
  *count = 0;
  if (access(path, F_OK) != 0) goto done;
  EBR_TRY(ebr_results_open(path, &results));
  *ids = malloc((size_t)(ebr_results_count(results) + 1) * sizeof **ids);
  EBR_CHECK_MEMORY(*ids, "run ids");
  for (int64_t run = 0; run < ebr_results_count(results); run++) {
    ebr_row row;
    ebr_results_row(results, run, &row);
    if (row.status == EBR_STATUS_DONE || row.status == EBR_STATUS_FAILED) (*ids)[(*count)++] = row.id;
  }
  qsort(*ids, *count, sizeof **ids, compare_ids);
done:
  ebr_results_close(&results);
  return error;
}

static ebr_error *survey(plan *p, const ebr_sweep *sweep, const ebr_library *library, const uint64_t *finished,
                         size_t finished_count)
{
  ebr_error *error = NULL;
  ebr_config config, before = {0};
  ebr_shape shape;
  double cost = 0;
  for (int64_t run = 0; run < p->runs; run++) {
    uint64_t id = ebr_sweep_id(sweep, run);
    if (finished_count && bsearch(&id, finished, finished_count, sizeof id, compare_ids)) continue;
    ebr_sweep_run(sweep, run, &config);
    config.seed = 0;
    if (p->fresh == 0 || memcmp(&config, &before, sizeof config) != 0) {
      EBR_TRY(ebr_samples_shape(library, &config, &shape));
      EBR_TRY(ebr_run_check(&config, &shape));
      size_t memory = ebr_run_bytes(&config, &shape);
      if (memory > p->memory) p->memory = memory; /* on top of what the program itself takes */
      cost = ebr_run_cost(&config, &shape);
      before = config;
    }
    p->fresh++;
    p->flops += cost;
    if (cost > p->longest) p->longest = cost;
  }
done:
  return error;
}

/* Square products of the size that training is made of, for a fifth of a second. */
static ebr_error *calibrate(double *rate)
{
  enum { SIDE = 128 };
  ebr_error *error = NULL;
  ebr_arena arena = {0};
  EBR_TRY(ebr_arena_create(3 * SIDE * SIDE * sizeof(ebr_real), &arena));
  ebr_real *a = ebr_arena_take(&arena, SIDE * SIDE, sizeof *a), *b = ebr_arena_take(&arena, SIDE * SIDE, sizeof *b);
  ebr_real *c = ebr_arena_take(&arena, SIDE * SIDE, sizeof *c);
  double start = ebr_clock_seconds(), seconds = 0;
  int64_t products = 0;
  while (seconds < 0.2) {
    for (int i = 0; i < 10; i++) ebr_gemm_nn(SIDE, SIDE, SIDE, a, SIDE, b, SIDE, 0, c, SIDE);
    products += 10;
    seconds = ebr_clock_seconds() - start;
  }
  /* Training reaches about half of the products' rate at the usual sizes (bench/train). */
  *rate = 0.5 * 2.0 * SIDE * SIDE * SIDE * (double)products / seconds;
done:
  ebr_arena_destroy(&arena);
  return error;
}

/* Enough ranks that each still has a few runs, and none waits for the longest. */
static int64_t suggest_ranks(const plan *p)
{
  if (p->fresh == 0) return 0;
  double by_length = p->longest > 0 ? p->flops / p->longest : 1;
  double by_count = fmax(1, (double)p->fresh / 4);
  return (int64_t)fmax(1, fmin((double)p->fresh, fmin(by_length, by_count)));
}

static ebr_error *print_json(const plan *p, const ebr_sweep *sweep)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  EBR_TRY(ebr_text_add(&text, "{\"name\": "));
  EBR_TRY(ebr_text_add_json(&text, ebr_sweep_name(sweep)));
  EBR_TRY(ebr_text_add(&text,
                       ", \"runs\": %lld, \"new\": %lld, \"core_hours\": %.6g, \"longest_run_seconds\": %.6g, "
                       "\"memory_per_rank_bytes\": %zu, \"suggested_ranks\": %lld}",
                       (long long)p->runs, (long long)p->fresh, p->flops / p->rate / 3600, p->longest / p->rate,
                       p->memory, (long long)p->ranks));
  puts(text.data);
done:
  ebr_text_destroy(&text);
  return error;
}

static void print_plan(const plan *p, const ebr_sweep *sweep)
{
  double seconds = p->flops / p->rate;
  printf("%s: %lld runs, %lld new\n", ebr_sweep_name(sweep), (long long)p->runs, (long long)p->fresh);
  if (ebr_sweep_question(sweep)[0]) printf("  question         %s\n", ebr_sweep_question(sweep));
  printf("  core-hours       %.3g (%.0f s on one core like this one)\n", seconds / 3600, seconds);
  printf("  longest run      %.2g s\n", p->longest / p->rate);
  printf("  memory per rank  %.1f MiB\n", (double)p->memory / (1 << 20));
  printf("  suggested ranks  %lld\n", (long long)p->ranks);
}

static ebr_error *make_plan(const plan_options *options, const ebr_sweep *sweep)
{
  ebr_error *error = NULL;
  ebr_library *library = NULL;
  uint64_t *finished = NULL;
  size_t finished_count = 0;
  char output[4096];
  plan p = {.runs = ebr_sweep_count(sweep)};
  snprintf(output, sizeof output, "%s", options->output);
  if (!output[0]) snprintf(output, sizeof output, "%s.h5", ebr_sweep_name(sweep));
  EBR_TRY(ebr_library_create(MPI_COMM_SELF, sweep, &library));
  EBR_TRY(read_done(output, &finished, &finished_count));
  EBR_TRY(survey(&p, sweep, library, finished, finished_count));
  EBR_TRY(calibrate(&p.rate));
  /* A rank's libraries and datasets take what they take here, and a results file that is open another 8.5 MB. */
  if (p.fresh > 0) p.memory += ebr_memory_peak() + 8500000;
  p.ranks = suggest_ranks(&p);
  if (options->json) EBR_TRY(print_json(&p, sweep));
  else print_plan(&p, sweep);
done:
  ebr_library_destroy(&library);
  free(finished);
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
  EBR_TRY_MPI(MPI_Init(NULL, NULL));
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
