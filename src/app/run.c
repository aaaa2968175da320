/* ebrsweep run: the sweep over all ranks. Ranks agree on every error before the next collective call. */
#include "app/app.h"
#include "app/job.h"
#include "app/progress.h"
#include "app/spent.h"
#include "app/sweep_file.h"

#include <ebrsweep/library.h>
#include <ebrsweep/run.h>
#include <ebrsweep/schedule.h>
#include <ebrsweep/store.h>

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MANY_RANKS = 1024 }; /* from which on a counter for all of them would be a crowded place */

typedef struct run_options {
  ebr_sweep_options sweep;
  char output[4096];
  bool quiet, times, retry_failed, help;
  int part, parts; /* of several jobs that share the sweep: runs part - 1, part - 1 + parts, ...; 0 of 0: all */
  int64_t walltime, timeout; /* of the job, of a run [s]; 0: none */
  int64_t failures;          /* that end the job; 0: none do */
} run_options;

/* Everything that a job holds while it runs. */
typedef struct job {
  run_options options;
  MPI_Comm comm;
  int rank, ranks;
  char host[32];
  ebr_sweep *sweep;
  ebr_library *library;
  ebr_schema *schema;
  ebr_store *store;
  ebr_schedule *schedule;
  ebr_record *record;
  ebr_times times;
  ebr_baselines *known;
  int64_t *items; /* sweep runs to be done */
  double *cost;
  int *shards, *asked, *team;       /* of each: shards of a mini-batch, schedule.team, and the ranks it gets */
  int64_t wanted, failed, finished; /* failed, finished: by this rank */
  int64_t failed_before;            /* and not done again */
  double started;                   /* by ebr_clock_seconds */
  bool left_over;                   /* an earlier job left checkpoints, or notes of runs that hung */
} job;

static void print_help(void)
{
  printf("Usage: mpirun -n RANKS ebrsweep run SWEEP [OPTION...] [-- PETSC OPTION...]\n"
         "Trains and measures every run of SWEEP and writes RESULTS; run again, it does what is left.\n\n"
         "  -o, --output RESULTS   the results file (default: the sweep's name with .h5, in this folder)\n"
         "  -s, --set NAME=VALUE   replace a parameter of the sweep file (repeatable)\n"
         "      --retry-failed     do failed runs again\n"
         "  -p, --part I/K         the I-th of K jobs that share the sweep, each with its own RESULTS; see ebrsweep "
         "merge\n"
         "  -w, --walltime TIME    stop by then: 90 (minutes), 1:30:00, 45m, 12h\n"
         "                         (default: what Slurm or PBS says of the job)\n"
         "      --run-timeout TIME\n"
         "                         a run that takes longer has failed; one that hangs ends the job with code 75,\n"
         "                         and the next start records it as failed\n"
         "      --max-failures N   stop after so many failed runs\n"
         "      --times            say in the end where the ranks' time went\n"
         "  -q, --quiet            no progress\n"
         "  -h, --help             this text\n");
}

static ebr_error *parse_part(const char *text, run_options *options)
{
  ebr_error *error = NULL;
  int length = 0;
  bool read = sscanf(text, "%d/%d%n", &options->part, &options->parts, &length) == 2 && !text[length];
  EBR_CHECK(read && options->part >= 1 && options->part <= options->parts && options->parts <= 100000, EBR_USAGE,
            "run: --part wants I/K with 1 <= I <= K, such as 2/8, not '%s'", text);
done:
  return error;
}

static ebr_error *parse_failures(const char *text, int64_t *failures)
{
  ebr_error *error = NULL;
  char *end;
  *failures = strtoll(text, &end, 10);
  EBR_CHECK(end != text && *end == 0 && *failures >= 1, EBR_USAGE,
            "run: --max-failures wants a whole number above 0, not '%s'", text);
done:
  return error;
}

static ebr_error *parse_options(int argc, char **argv, run_options *options)
{
  ebr_error *error = NULL;
  static const struct option longs[] = {{"output", required_argument, NULL, 'o'},
                                        {"set", required_argument, NULL, 's'},
                                        {"retry-failed", no_argument, NULL, 'r'},
                                        {"part", required_argument, NULL, 'p'},
                                        {"walltime", required_argument, NULL, 'w'},
                                        {"run-timeout", required_argument, NULL, 'T'},
                                        {"max-failures", required_argument, NULL, 'F'},
                                        {"times", no_argument, NULL, 't'},
                                        {"quiet", no_argument, NULL, 'q'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};
  int choice;
  opterr = 0;
  optind = 1;
  while ((choice = getopt_long(argc, argv, ":o:s:p:w:qh", longs, NULL)) != -1) switch (choice) {
      case 'o': snprintf(options->output, sizeof options->output, "%s", optarg); break;
      case 's': EBR_TRY(ebr_sweep_options_set(&options->sweep, optarg)); break;
      case 'r': options->retry_failed = true; break;
      case 'p': EBR_TRY(parse_part(optarg, options)); break;
      case 'w': EBR_TRY(ebr_job_time(optarg, &options->walltime)); break;
      case 'T': EBR_TRY(ebr_job_time(optarg, &options->timeout)); break;
      case 'F': EBR_TRY(parse_failures(optarg, &options->failures)); break;
      case 't': options->times = true; break;
      case 'q': options->quiet = true; break;
      case 'h': options->help = true; break;
      case ':': EBR_FAIL(EBR_USAGE, "run: option '%s' needs a value", argv[optind - 1]);
      default: EBR_FAIL(EBR_USAGE, "run: there is no option '%s'; see ebrsweep run --help", argv[optind - 1]);
    }
  if (options->help) goto done;
  EBR_CHECK(optind < argc && argv[optind][0], EBR_USAGE, "run: which sweep file? See ebrsweep run --help");
  options->sweep.path = argv[optind];
  EBR_CHECK(optind + 1 >= argc || strcmp(argv[optind + 1], "--") == 0 || strcmp(argv[optind - 1], "--") == 0, EBR_USAGE,
            "run: one sweep file at a time, '%s' is left over", argv[optind + 1]);
done:
  return error;
}

/* ---- the sweep, the same on all ranks ---------------------------------------------------------------------------- */

static ebr_error *broadcast_text(job *j, char **text, size_t *length)
{
  ebr_error *error = NULL;
  uint64_t count = 0;
  if (j->rank == 0) error = ebr_sweep_options_read(&j->options.sweep, text, length);
  EBR_TRY(ebr_agree(j->comm, error));
  count = *length;
  EBR_TRY_MPI(MPI_Bcast(&count, 1, MPI_UINT64_T, 0, j->comm));
  *length = count;
  if (j->rank != 0) *text = malloc(count + 1);
  EBR_TRY(ebr_agree(j->comm, *text ? NULL : ebr_error_create(EBR_MEMORY, __FILE__, __LINE__, "no memory for a sweep")));
  EBR_TRY_MPI(MPI_Bcast(*text, (int)count, MPI_CHAR, 0, j->comm));
done:
  return error;
}

static ebr_error *read_sweep(job *j)
{
  ebr_error *error = NULL;
  char *text = NULL;
  size_t length = 0;
  EBR_TRY(broadcast_text(j, &text, &length));
  EBR_TRY(ebr_agree(j->comm, ebr_sweep_options_parse(&j->options.sweep, text, length, &j->sweep)));
  if (!j->options.output[0]) snprintf(j->options.output, sizeof j->options.output, "%s.h5", ebr_sweep_name(j->sweep));
done:
  free(text);
  return error;
}

/* ---- what is to be done ------------------------------------------------------------------------------------------ */

/* Runs that differ in their seed alone have one shape, one schema and one cost: the last answer serves again. */
static ebr_error *survey(job *j)
{
  ebr_error *error = NULL;
  ebr_config before = {0}, config;
  ebr_shape shape;
  double cost = 0;
  for (int64_t run = 0; run < ebr_sweep_count(j->sweep); run++) {
    ebr_sweep_run(j->sweep, run, &config);
    config.seed = 0;
    if (run == 0 || memcmp(&config, &before, sizeof config) != 0) {
      EBR_TRY(ebr_samples_shape(j->library, &config, &shape));
      EBR_TRY(ebr_run_check(&config, &shape));
      EBR_TRY(ebr_measures_declare(&config, &shape, j->schema));
      cost = ebr_run_cost(&config, &shape);
      before = config;
    }
    j->cost[run] = cost;
    j->shards[run] = ebr_config_shards(&config);
    j->asked[run] = (int)config.schedule_team;
  }
done:
  return error;
}

static ebr_error *allocate(job *j)
{
  ebr_error *error = NULL;
  size_t count = (size_t)ebr_sweep_count(j->sweep);
  j->items = malloc(count * sizeof *j->items);
  j->cost = malloc(count * sizeof *j->cost);
  j->shards = malloc(count * sizeof *j->shards);
  j->asked = malloc(count * sizeof *j->asked);
  j->team = malloc(count * sizeof *j->team);
  bool reserved = j->items && j->cost && j->shards && j->asked && j->team;
  EBR_CHECK(reserved, EBR_MEMORY, "no memory for a list of %zu runs", count);
  EBR_TRY(ebr_schema_create(&j->schema));
done:
  return error;
}

static void keep_wanted(job *j)
{
  const run_options *options = &j->options;
  for (int64_t run = 0; run < ebr_sweep_count(j->sweep); run++) {
    if (options->parts > 0 && run % options->parts != options->part - 1) continue;
    if (!ebr_store_wanted(j->store, run, j->options.retry_failed)) {
      j->failed_before += ebr_store_status(j->store, run) == EBR_STATUS_FAILED;
      continue;
    }
    j->cost[j->wanted] = j->cost[run];
    j->shards[j->wanted] = j->shards[run];
    j->asked[j->wanted] = j->asked[run];
    j->items[j->wanted++] = run;
  }
}

/* What is left of the job's time, as the scheduler tells it: sbatch(1), pbs_resources(7). 0: it does not. */
static double time_of_scheduler(void)
{
  const char *slurm_end = getenv("SLURM_JOB_END_TIME"), *pbs_walltime = getenv("PBS_WALLTIME");
  if (slurm_end) return fmax(1, strtod(slurm_end, NULL) - ebr_clock_wall());
  return pbs_walltime ? strtod(pbs_walltime, NULL) : 0;
}

/* With a little to spare for closing the file. */
static void set_deadline(job *j)
{
  double seconds = j->options.walltime > 0 ? (double)j->options.walltime : time_of_scheduler();
  if (seconds > 0) ebr_schedule_until(j->schedule, j->started + seconds - fmin(20, 0.05 * seconds));
}

static ebr_error *prepare(job *j, const char *command)
{
  ebr_error *error = NULL;
  char folder[4200];
  EBR_TRY(ebr_library_create(j->comm, j->sweep, &j->library));
  EBR_TRY(ebr_agree(j->comm, allocate(j)));
  EBR_TRY(ebr_agree(j->comm, survey(j)));
  EBR_TRY(ebr_agree(j->comm, ebr_record_create(j->schema, &j->record)));
  EBR_TRY(ebr_agree(j->comm, ebr_baselines_create(&j->known)));
  EBR_TRY(ebr_store_open(j->comm, j->options.output, j->sweep, j->schema, command, &j->store));
  keep_wanted(j);
  snprintf(folder, sizeof folder, "%s.checkpoints", j->options.output);
  j->left_over = access(folder, F_OK) == 0;
  EBR_TRY(ebr_agree(j->comm, ebr_schedule_teams(j->cost, j->shards, j->asked, j->wanted, j->ranks, j->team)));
  EBR_TRY(ebr_schedule_create(j->comm, j->items, j->cost, j->team, j->wanted, &j->schedule));
  if (j->ranks >= MANY_RANKS) EBR_TRY(ebr_schedule_by_nodes(j->schedule, 0));
  set_deadline(j);
done:
  return error;
}

/* ---- doing it ---------------------------------------------------------------------------------------------------- */

static bool may_go_on(void *schedule) { return ebr_schedule_go_on(schedule); }

/* What the folder beside the results file holds of a run that was stopped in the middle. */
static void checkpoint_path(const job *j, const ebr_row *row, char *path, size_t capacity)
{
  snprintf(path, capacity, "%s.checkpoints/%016" PRIx64, j->options.output, row->id);
}

/* Of a run that an earlier job hung in: what its watchdog noted; else "". Looked for where something was left at all.
 */
static void read_note(const job *j, const char *note, char *reason, size_t capacity)
{
  FILE *file = j->left_over ? fopen(note, "r") : NULL;
  if (!file) return;
  if (!fgets(reason, (int)capacity, file)) snprintf(reason, capacity, "hung");
  reason[strcspn(reason, "\n")] = 0;
  fclose(file);
  unlink(note);
}

/* Timeouts are looked at after every epoch: what is not back long after is not going to be. */
static ebr_error *watch(const job *j, const char *note, const char *id)
{
  ebr_error *error = NULL;
  char folder[4200], sentence[256];
  double allowed = (double)j->options.timeout, patience = 2 * allowed + 1;
  if (j->options.timeout == 0) goto done;
  snprintf(folder, sizeof folder, "%s.checkpoints", j->options.output);
  snprintf(sentence, sizeof sentence, "hung: run %s was in one epoch still after %g s, and %g s were allowed", id,
           patience, allowed);
  EBR_TRY(ebr_watchdog_arm(patience, folder, note, sentence));
done:
  return error;
}

/* What only this run can be blamed for: it is recorded as failed, and the others are done. Takes the error if so. */
static void blame_run(job *j, ebr_error **error, ebr_row *row)
{
  ebr_code code = ebr_error_code(*error);
  if (code != EBR_MEMORY && code != EBR_INTERNAL) return;
  snprintf(row->reason, sizeof row->reason, "%s", ebr_error_message(*error));
  ebr_record_clear(j->record);
  ebr_error_destroy(error);
}

/* Collective on the run's team. */
static ebr_error *execute(job *j, const ebr_config *config, ebr_run_limits *limits, ebr_row *row)
{
  ebr_error *error = NULL;
  char note[4300], id[20];
  snprintf(note, sizeof note, "%s.hung", limits->checkpoint);
  snprintf(id, sizeof id, "%016" PRIx64, row->id);
  if (ebr_team_rank(limits->team) == 0) read_note(j, note, row->reason, sizeof row->reason);
  ebr_team_share(limits->team, row->reason, sizeof row->reason);
  if (row->reason[0]) {
    ebr_record_clear(j->record);
    goto done;
  }
  EBR_TRY(watch(j, note, id));
  error = ebr_run_execute(config, j->library, limits, j->record, row->reason, sizeof row->reason);
  ebr_watchdog_disarm();
  blame_run(j, &error, row);
done:
  return error;
}

static ebr_error *record_run(job *j, int64_t run, const ebr_config *config, ebr_row *row)
{
  ebr_error *error = NULL;
  row->status = row->reason[0] ? EBR_STATUS_FAILED : EBR_STATUS_DONE;
  EBR_TRY(ebr_store_write(j->store, run, config, row, j->record));
  j->finished++;
  if (row->status != EBR_STATUS_FAILED) goto done;
  j->failed++;
  if (j->options.failures > 0) EBR_TRY(ebr_schedule_failed(j->schedule, j->options.failures));
done:
  return error;
}

/* Collective on the team that has the run; its rank 0 writes. */
static ebr_error *do_run(job *j, int64_t run)
{
  ebr_error *error = NULL;
  ebr_team *team = ebr_schedule_team(j->schedule);
  bool writes = ebr_team_rank(team) == 0;
  ebr_config config;
  ebr_row row = {.id = ebr_sweep_id(j->sweep, run), .started = ebr_clock_wall(), .rank = j->rank};
  char checkpoint[4200];
  double start = ebr_clock_seconds();
  ebr_run_limits limits = {.seconds = j->options.timeout > 0 ? (double)j->options.timeout : INFINITY,
                           .tick = may_go_on,
                           .context = j->schedule,
                           .team = team,
                           .known = j->known,
                           .times = &j->times,
                           .checkpoint = checkpoint};
  checkpoint_path(j, &row, checkpoint, sizeof checkpoint);
  snprintf(row.host, sizeof row.host, "%s", j->host);
  ebr_sweep_run(j->sweep, run, &config);
  bool marks = writes && !ebr_schedule_brief(j->schedule);
  EBR_TRY(ebr_team_agree(team, marks ? ebr_store_begin(j->store, run, &config, &row) : NULL));
  ebr_times_charge(&j->times, EBR_TIME_STORING);
  EBR_TRY(execute(j, &config, &limits, &row));
  row.seconds = ebr_clock_seconds() - start;
  if (!limits.stopped) ebr_schedule_took(j->schedule, row.seconds);
  if (writes && limits.notice[0]) fprintf(stderr, "ebrsweep: %s\n", limits.notice);
  if (writes) error = limits.stopped ? ebr_store_reset(j->store, run) : record_run(j, run, &config, &row);
  EBR_TRY(ebr_team_agree(team, error));
  ebr_times_charge(&j->times, EBR_TIME_STORING);
done:
  return error;
}

static ebr_error *work(job *j, ebr_progress *progress)
{
  ebr_error *error = NULL;
  int64_t run;
  for (;;) {
    EBR_TRY(ebr_schedule_next(j->schedule, &run));
    ebr_times_charge(&j->times, EBR_TIME_DRAWING);
    if (run < 0) break;
    EBR_TRY(do_run(j, run));
    if (j->rank == 0) ebr_progress_report(progress, ebr_schedule_finished(j->schedule, j->ranks));
  }
done:
  return error;
}

static ebr_error *count_failures(const job *j, int64_t failed)
{
  ebr_error *error = NULL;
  failed += j->failed_before;
  EBR_CHECK(failed == 0, EBR_FAILED_RUNS,
            "%lld of %lld runs failed; `ebrsweep status %s` tells why, --retry-failed does them again",
            (long long)failed, (long long)ebr_sweep_count(j->sweep), j->options.output);
done:
  return error;
}

/* The folder, once nothing is in it. */
static void remove_checkpoints(const job *j)
{
  char path[4200];
  snprintf(path, sizeof path, "%s.checkpoints", j->options.output);
  (void)rmdir(path);
}

static ebr_error *summarize(job *j, ebr_progress *progress)
{
  ebr_error *error = NULL;
  int64_t mine[2] = {j->finished, j->failed}, all[2];
  EBR_TRY_MPI(MPI_Allreduce(mine, all, 2, MPI_INT64_T, MPI_SUM, j->comm));
  int64_t left = j->wanted - all[0];
  if (j->rank == 0) {
    remove_checkpoints(j);
    ebr_progress_finish(progress, all[0]);
    if (!j->options.quiet) fprintf(stderr, "results are in %s\n", j->options.output);
  }
  EBR_CHECK(left == 0 || j->options.failures == 0 || all[1] < j->options.failures, EBR_FAILED_RUNS,
            "stopped after %lld failed runs with %lld of %lld runs left; `ebrsweep status %s` tells why they failed",
            (long long)all[1], (long long)left, (long long)j->wanted, j->options.output);
  EBR_CHECK(left == 0, EBR_STOPPED, "stopped with %lld of %lld runs left; the same command goes on", (long long)left,
            (long long)j->wanted);
  EBR_TRY(count_failures(j, all[1]));
done:
  return error;
}

static void announce(const job *j)
{
  int64_t count = ebr_sweep_count(j->sweep);
  if (j->rank != 0 || j->options.quiet) return;
  fprintf(stderr, "ebrsweep %s: %s, %lld runs, %lld to do, %d rank%s, BLAS kernel %s\n", EBR_VERSION,
          ebr_sweep_name(j->sweep), (long long)count, (long long)j->wanted, j->ranks, j->ranks == 1 ? "" : "s",
          ebr_blas_prepare());
  int64_t together = 0;
  int largest = 1;
  for (int64_t i = 0; i < j->wanted; i++) {
    together += j->team[i] > 1;
    largest = j->team[i] > largest ? j->team[i] : largest;
  }
  if (together > 0) fprintf(stderr, "%lld of them by teams of up to %d ranks, first\n", (long long)together, largest);
  if (j->ranks == 1 && j->wanted > 1 && sysconf(_SC_NPROCESSORS_ONLN) > 1)
    fprintf(stderr, "one rank works; to use all cores: mpirun -n %ld ebrsweep run %s\n", sysconf(_SC_NPROCESSORS_ONLN),
            j->options.sweep.path);
}

static ebr_error *carry_out(job *j, const char *command)
{
  ebr_error *error = NULL;
  EBR_TRY(read_sweep(j));
  EBR_TRY(prepare(j, command));
  announce(j);
  ebr_progress progress = ebr_progress_start(j->wanted, j->options.quiet || j->rank != 0);
  ebr_times_charge(&j->times, EBR_TIME_PREPARING);
  if (j->wanted > 0) {
    EBR_TRY(ebr_agree(j->comm, work(j, &progress)));
    if (j->options.times) EBR_TRY(ebr_spent_print(j->comm, &j->times));
    EBR_TRY(summarize(j, &progress));
  } else {
    if (j->rank == 0 && !j->options.quiet)
      fprintf(stderr, "nothing to do: all %lld runs%s are in %s\n", (long long)ebr_sweep_count(j->sweep),
              j->options.parts > 1 ? " of this part" : "", j->options.output);
    EBR_TRY(count_failures(j, 0));
  }
done:
  return error;
}

static ebr_error *finish(job *j, ebr_error *error)
{
  ebr_error *later = ebr_schedule_destroy(&j->schedule);
  if (later && error) ebr_error_destroy(&later);
  if (!error) error = later;
  later = j->store ? ebr_store_close(&j->store) : NULL;
  if (later && error) ebr_error_destroy(&later);
  if (!error) error = later;
  ebr_library_destroy(&j->library);
  ebr_record_destroy(&j->record);
  ebr_baselines_destroy(&j->known);
  ebr_schema_destroy(&j->schema);
  ebr_sweep_destroy(&j->sweep);
  free(j->items);
  free(j->cost);
  free(j->shards);
  free(j->asked);
  free(j->team);
  return error;
}

static ebr_error *start(job *j)
{
  ebr_error *error = NULL;
  j->times = ebr_times_start();
  j->started = j->times.since;
  EBR_TRY(ebr_mpi_start());
  EBR_TRY(ebr_comm_duplicate(MPI_COMM_WORLD, "ebrsweep", &j->comm));
  EBR_TRY_MPI(MPI_Comm_rank(j->comm, &j->rank));
  EBR_TRY_MPI(MPI_Comm_size(j->comm, &j->ranks));
  gethostname(j->host, sizeof j->host - 1);
  ebr_blas_prepare();
  EBR_TRY(ebr_signals_catch());
done:
  return error;
}

static ebr_error *command_line(int argc, char **argv, ebr_text *text)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_text_add(text, "ebrsweep"));
  for (int i = 0; i < argc; i++) EBR_TRY(ebr_text_add(text, " %s", argv[i]));
done:
  return error;
}

ebr_error *ebr_app_run(int argc, char **argv)
{
  ebr_error *error = NULL;
  ebr_text command = {0};
  job j = {.comm = MPI_COMM_NULL};
  EBR_TRY(parse_options(argc, argv, &j.options));
  if (j.options.help) {
    print_help();
    goto done;
  }
  EBR_TRY(command_line(argc, argv, &command));
  EBR_TRY(start(&j));
  error = finish(&j, carry_out(&j, command.data));
  if (j.comm != MPI_COMM_NULL) error = ebr_app_say_once(j.comm, error);
  if (j.comm != MPI_COMM_NULL) MPI_Comm_free(&j.comm);
  MPI_Finalize();
done:
  ebr_text_destroy(&command);
  return error;
}
