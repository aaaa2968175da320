/* ebrsweep submit: a sweep becomes a job in a batch system's queue, which puts itself back until all runs are done. */
#include "app/app.h"
#include "app/enqueue.h"
#include "app/environment.h"
#include "app/sweep_file.h"
#include "app/template.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct submit_options {
  ebr_sweep_options sweep;
  char output[4096];
  const char *scheduler, *time, *account, *partition, *profile;
  int nodes, ranks_per_node, array;
  bool dry_run, report, again, help;
} submit_options;

static void print_help(void)
{
  printf("Usage: ebrsweep submit SWEEP [OPTION...]\n"
         "Submits a job that runs SWEEP, and puts itself back into the queue until all runs are done.\n"
         "Ranks, time and memory are those that `ebrsweep plan` predicts, unless said otherwise.\n\n"
         "      --scheduler NAME     slurm, pbs, lsf, flux or sge (default: the one that is found)\n"
         "  -N, --nodes N            nodes\n"
         "  -r, --ranks-per-node R   ranks on each\n"
         "  -t, --time TIME          walltime: 90 (minutes), 1:30:00, 45m, 12h, 2d\n"
         "  -A, --account A          who pays\n"
         "  -P, --partition P        partition or queue\n"
         "  -a, --array K            K jobs that share the sweep, and one that merges their results\n"
         "      --report             and a job behind that writes the report page\n"
         "      --profile FILE       a site's habits (default: ~/.config/ebrsweep/site.yaml, if it is there)\n"
         "  -o, --output RESULTS     the results file (default: the sweep's name with .h5, in this folder)\n"
         "  -s, --set NAME=VALUE     replace a parameter of the sweep file (repeatable)\n"
         "  -n, --dry-run            print the script and submit nothing\n"
         "      --again              although a job for RESULTS is in the queue\n"
         "  -h, --help               this text\n");
}

static ebr_error *parse_count(const char *option, const char *text, int *value)
{
  ebr_error *error = NULL;
  char *end;
  long number = strtol(text, &end, 10);
  EBR_CHECK(end != text && *end == 0 && number >= 1 && number <= 1000000, EBR_USAGE,
            "submit: %s wants a whole number from 1 to 1000000, not '%s'", option, text);
  *value = (int)number;
done:
  return error;
}

static const struct option long_options[] = {{"scheduler", required_argument, NULL, 'S'},
                                             {"nodes", required_argument, NULL, 'N'},
                                             {"ranks-per-node", required_argument, NULL, 'r'},
                                             {"time", required_argument, NULL, 't'},
                                             {"account", required_argument, NULL, 'A'},
                                             {"partition", required_argument, NULL, 'P'},
                                             {"array", required_argument, NULL, 'a'},
                                             {"report", no_argument, NULL, 'R'},
                                             {"profile", required_argument, NULL, 'F'},
                                             {"output", required_argument, NULL, 'o'},
                                             {"set", required_argument, NULL, 's'},
                                             {"dry-run", no_argument, NULL, 'n'},
                                             {"again", no_argument, NULL, 'G'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

static ebr_error *parse_one(int choice, char **argv, submit_options *options)
{
  ebr_error *error = NULL;
  switch (choice) {
    case 'S': options->scheduler = optarg; break;
    case 'N': EBR_TRY(parse_count("--nodes", optarg, &options->nodes)); break;
    case 'r': EBR_TRY(parse_count("--ranks-per-node", optarg, &options->ranks_per_node)); break;
    case 't': options->time = optarg; break;
    case 'A': options->account = optarg; break;
    case 'P': options->partition = optarg; break;
    case 'a': EBR_TRY(parse_count("--array", optarg, &options->array)); break;
    case 'R': options->report = true; break;
    case 'F': options->profile = optarg; break;
    case 'o': snprintf(options->output, sizeof options->output, "%s", optarg); break;
    case 's': EBR_TRY(ebr_sweep_options_set(&options->sweep, optarg)); break;
    case 'n': options->dry_run = true; break;
    case 'G': options->again = true; break;
    case 'h': options->help = true; break;
    case ':': EBR_FAIL(EBR_USAGE, "submit: option '%s' needs a value", argv[optind - 1]);
    default: EBR_FAIL(EBR_USAGE, "submit: there is no option '%s'; see ebrsweep submit --help", argv[optind - 1]);
  }
done:
  return error;
}

static ebr_error *parse_options(int argc, char **argv, submit_options *options)
{
  ebr_error *error = NULL;
  int choice;
  opterr = 0;
  optind = 1;
  while ((choice = getopt_long(argc, argv, ":N:r:t:A:P:a:o:s:nh", long_options, NULL)) != -1)
    EBR_TRY(parse_one(choice, argv, options));
  if (options->help) goto done;
  EBR_CHECK(optind < argc && argv[optind][0], EBR_USAGE, "submit: which sweep file? See ebrsweep submit --help");
  EBR_CHECK(optind + 1 >= argc, EBR_USAGE, "submit: one sweep file at a time, '%s' is left over", argv[optind + 1]);
  options->sweep.path = argv[optind];
done:
  return error;
}

/* ---- the site ---------------------------------------------------------------------------------------------------- */

/* A profile that was named must be there; the usual one may be. */
static ebr_error *read_site(const submit_options *options, ebr_site *site)
{
  ebr_error *error = NULL;
  char path[4096] = "", *text = NULL;
  size_t length = 0;
  const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
  if (options->profile) snprintf(path, sizeof path, "%s", options->profile);
  else if (config && config[0]) snprintf(path, sizeof path, "%s/ebrsweep/site.yaml", config);
  else if (home) snprintf(path, sizeof path, "%s/.config/ebrsweep/site.yaml", home);
  EBR_CHECK(!options->profile || access(path, R_OK) == 0, EBR_USAGE, "submit: %s: %s", path, strerror(errno));
  if (!path[0] || access(path, R_OK) != 0) goto done;
  EBR_TRY(ebr_file_read(path, 1 << 20, &text, &length));
  EBR_TRY(ebr_site_parse(path, text, length, site));
done:
  free(text);
  return error;
}

/* ---- how much ---------------------------------------------------------------------------------------------------- */

static int64_t at_least(int64_t value, int64_t least) { return value > least ? value : least; }

/* Nodes for an hour of work, but no rank without runs. */
static ebr_error *choose_ranks(const submit_options *options, const ebr_prediction *p, ebr_job *job)
{
  ebr_error *error = NULL;
  int64_t share = (p->fresh + job->parts - 1) / job->parts;
  double seconds = p->flops / p->rate / job->parts;
  job->ranks_per_node = options->ranks_per_node;
  if (job->ranks_per_node == 0 && job->site->ranks_per_node)
    EBR_TRY(parse_count("ranks_per_node of the site", job->site->ranks_per_node, &job->ranks_per_node));
  if (job->ranks_per_node == 0) job->ranks_per_node = (int)sysconf(_SC_NPROCESSORS_ONLN);
  if (options->ranks_per_node == 0 && job->ranks_per_node > share) job->ranks_per_node = (int)share;
  job->nodes = options->nodes;
  int64_t most = at_least(p->ranks / job->parts / job->ranks_per_node, 1);
  if (job->nodes == 0) job->nodes = (int)fmin((double)most, fmax(1, ceil(seconds / 3600 / job->ranks_per_node)));
  EBR_CHECK((int64_t)job->nodes * job->ranks_per_node <= share, EBR_USAGE,
            "submit: %d ranks are more than the %lld runs that are to do%s: ask for fewer",
            job->nodes * job->ranks_per_node, (long long)share, job->parts > 1 ? " in each job" : "");
done:
  return error;
}

/* Twice what is predicted, in steps of five minutes: a queue kills what takes longer, and the job comes back. */
static ebr_error *choose_time(const submit_options *options, const ebr_prediction *p, ebr_job *job)
{
  ebr_error *error = NULL;
  int ranks = job->nodes * job->ranks_per_node;
  double longest = p->longest / p->rate, seconds = p->flops / p->rate / job->parts / ranks + longest;
  const char *said = options->time ? options->time : job->site->time;
  if (said) EBR_TRY(ebr_job_time(said, &job->seconds));
  else job->seconds = (int64_t)ceil((2 * seconds + 120) / 300) * 300;
  EBR_CHECK((double)job->seconds > longest, EBR_USAGE,
            "submit: a walltime of %lld s is shorter than the longest run, which is predicted to take %.0f s",
            (long long)job->seconds, longest);
  job->warning = at_least((int64_t)(2 * longest) + 30, 60);
  if (job->warning > job->seconds / 2) job->warning = at_least(job->seconds / 2, 1);
done:
  return error;
}

static ebr_error *choose_arguments(const submit_options *options, ebr_job *job)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  EBR_TRY(ebr_text_add(&text, "--walltime %lldm", (long long)at_least(job->seconds / 60, 1)));
  for (int i = 0; i < options->sweep.set_count; i++) {
    EBR_TRY(ebr_text_add(&text, " --set "));
    EBR_TRY(ebr_template_quote(options->sweep.set[i], &text));
  }
  job->arguments = text.data;
  text = (ebr_text){0};
done:
  ebr_text_destroy(&text);
  return error;
}

static ebr_error *size_job(const submit_options *options, const ebr_prediction *p, ebr_job *job)
{
  ebr_error *error = NULL;
  job->parts = options->array > 0 ? options->array : 1;
  EBR_CHECK(job->parts <= p->fresh, EBR_USAGE, "submit: --array %d are more jobs than the %lld runs that are to do",
            job->parts, (long long)p->fresh);
  EBR_TRY(choose_ranks(options, p, job));
  EBR_TRY(choose_time(options, p, job));
  job->memory = at_least((int64_t)ceil(1.5e-6 * (double)p->memory / 100) * 100, 200);
  job->report = options->report;
  EBR_TRY(choose_arguments(options, job));
  fprintf(
      stderr,
      "%lld runs, %.2g core-hours predicted, the longest %.2g s: %d node%s of %d rank%s%s, %lld min, %lld MB a rank\n",
      (long long)p->fresh, p->flops / p->rate / 3600, p->longest / p->rate, job->nodes, job->nodes == 1 ? "" : "s",
      job->ranks_per_node, job->ranks_per_node == 1 ? "" : "s", job->parts > 1 ? " for each job" : "",
      (long long)((job->seconds + 59) / 60), (long long)job->memory);
done:
  return error;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static ebr_error *prepare(submit_options *options, ebr_prediction *prediction)
{
  ebr_error *error = NULL;
  ebr_sweep *sweep = NULL;
  ebr_environment *before = NULL;
  char *text = NULL;
  size_t length;
  EBR_TRY(ebr_environment_keep(&before));
  EBR_TRY(ebr_mpi_start());
  ebr_blas_prepare();
  EBR_TRY(ebr_sweep_options_read(&options->sweep, &text, &length));
  EBR_TRY(ebr_sweep_options_parse(&options->sweep, text, length, &sweep));
  if (!options->output[0]) snprintf(options->output, sizeof options->output, "%s.h5", ebr_sweep_name(sweep));
  EBR_TRY(ebr_predict(sweep, options->output, prediction));
done:
  ebr_sweep_destroy(&sweep);
  free(text);
  MPI_Finalize();
  ebr_environment_restore(&before);
  return error;
}

ebr_error *ebr_app_submit(int argc, char **argv)
{
  ebr_error *error = NULL;
  submit_options options = {0};
  ebr_site site = {0};
  ebr_prediction prediction;
  ebr_job job = {.site = &site};
  EBR_TRY(parse_options(argc, argv, &options));
  if (options.help) {
    print_help();
    goto done;
  }
  EBR_TRY(read_site(&options, &site));
  EBR_TRY(ebr_scheduler_find(options.scheduler ? options.scheduler : site.scheduler, &job.scheduler));
  EBR_TRY(prepare(&options, &prediction));
  if (prediction.fresh == 0) {
    printf("nothing to submit: all %lld runs are in %s\n", (long long)prediction.runs, options.output);
    goto done;
  }
  job.sweep = options.sweep.path;
  job.results = options.output;
  job.account = options.account;
  job.partition = options.partition;
  EBR_TRY(size_job(&options, &prediction, &job));
  EBR_TRY(ebr_enqueue(&job, options.dry_run, options.again));
done:
  free(job.arguments);
  ebr_site_release(&site);
  return error;
}
