/* bench/schedule: what handing out runs costs, `bench/schedule [--json] [--ranks 2] [--part NAME]...`, without mpirun:
 * it starts its own, so that no rank of it waits beside what is measured. overhead    empty runs, drawn and stored,
 * beside the same empty tasks by mpi4py.futures efficiency  2000 short runs of the sizes R and S by `ebrsweep run`:
 * time in runs / (ranks x wall time) simulation  the order of src/schedule against a simulated clock and counter, up to
 * 10^5 ranks million     a results file of 10^6 runs: made, asked for its status, filtered Files go to a folder of
 * their own below TMPDIR and are removed. */
#include <ebrsweep/run.h>
#include <ebrsweep/schedule.h>
#include <ebrsweep/store.h>

#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct schedule_options {
  bool json;
  int ranks;
  const char *part[8], *inner, *folder;
  int parts;
} schedule_options;

typedef struct figures {
  const schedule_options *options;
  int printed;
  char folder[512], self[1024], program[1100];
} figures;

static void fatal(ebr_error *error)
{
  if (!error) return;
  fprintf(stderr, "bench/schedule: %s\n", ebr_error_message(error));
  exit(3);
}

static bool wanted(const figures *f, const char *part)
{
  for (int i = 0; i < f->options->parts; i++)
    if (strcmp(f->options->part[i], part) == 0) return true;
  return f->options->parts == 0;
}

/* One figure beside what it must reach; at_most: the other way round. */
static void print_figure(figures *f, const char *name, double value, const char *unit, bool at_most, double bar)
{
  bool reached = at_most ? value <= bar : value >= bar;
  if (f->options->json)
    printf("%s{\"figure\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", \"bar\": \"%s %g\", \"reached\": %s}",
           f->printed++ ? ",\n " : "[", name, value, unit, at_most ? "<=" : ">=", bar, reached ? "true" : "false");
  else
    printf("%-44s %12.5g %-10s %s %-8g %s\n", name, value, unit, at_most ? "<=" : ">=", bar,
           reached ? "reached" : "MISSED");
  fflush(stdout);
}

static ebr_sweep *parse(const char *text)
{
  ebr_sweep *sweep = NULL;
  fatal(ebr_sweep_parse(text, strlen(text), "bench.yaml", NULL, &sweep));
  return sweep;
}

/* Runs a line of shell in the folder, and reads what it prints first as numbers. */
static double command(const figures *f, double *answer, int count, const char *format, ...) EBR_PRINTF(4, 5);
static double command(const figures *f, double *answer, int count, const char *format, ...)
{
  char line[3000], whole[4096], text[512] = "";
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  snprintf(whole, sizeof whole,
           "cd %s && export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OPENBLAS_NUM_THREADS=1; %s",
           f->folder, line);
  double start = ebr_clock_seconds();
  FILE *pipe = popen(whole, "r");
  char *at = pipe && fgets(text, sizeof text, pipe) ? text : text, *end;
  while (pipe && fgets(line, sizeof line, pipe)) continue;
  int code = pipe ? pclose(pipe) : -1;
  double seconds = ebr_clock_seconds() - start;
  if (code != 0) fatal(ebr_error_create(EBR_ENVIRONMENT, __FILE__, __LINE__, "`%s` ended with %d", whole, code));
  for (int i = 0; i < count; i++, at = end) answer[i] = strtod(at, &end);
  return seconds;
}

/* ---- overhead ---------------------------------------------------------------------------------------------------- */

/* What `run` does around a run, without the run. */
static double empty_runs(const ebr_sweep *sweep, const ebr_schema *schema, const char *path, int64_t count, int rank)
{
  ebr_store *store = NULL;
  ebr_schedule *schedule = NULL;
  ebr_record *record = NULL;
  int64_t *items = malloc((size_t)count * sizeof *items), run;
  double *cost = calloc((size_t)count, sizeof *cost);
  for (int64_t i = 0; i < count; i++) {
    items[i] = i;
    cost[i] = 1;
  }
  fatal(ebr_store_open(MPI_COMM_WORLD, path, sweep, schema, "bench", &store));
  fatal(ebr_schedule_create(MPI_COMM_WORLD, items, cost, NULL, count, &schedule));
  fatal(ebr_record_create(schema, &record));
  MPI_Barrier(MPI_COMM_WORLD);
  double start = ebr_clock_seconds();
  for (;;) {
    fatal(ebr_schedule_next(schedule, &run));
    if (run < 0) break;
    ebr_config config;
    double begun = ebr_clock_seconds();
    ebr_row row = {
        .id = ebr_sweep_id(sweep, run), .started = ebr_clock_wall(), .rank = rank, .status = EBR_STATUS_DONE};
    ebr_sweep_run(sweep, run, &config);
    if (!ebr_schedule_brief(schedule)) fatal(ebr_store_begin(store, run, &config, &row));
    row.seconds = ebr_clock_seconds() - begun;
    ebr_schedule_took(schedule, row.seconds);
    fatal(ebr_store_write(store, run, &config, &row, record));
  }
  MPI_Barrier(MPI_COMM_WORLD);
  double seconds = ebr_clock_seconds() - start;
  fatal(ebr_schedule_destroy(&schedule));
  fatal(ebr_store_close(&store));
  ebr_record_destroy(&record);
  free(items);
  free(cost);
  return seconds;
}

static ebr_schema *schema_of(const ebr_sweep *sweep)
{
  ebr_schema *schema = NULL;
  ebr_config config;
  ebr_shape shape;
  ebr_sweep_run(sweep, 0, &config);
  fatal(ebr_schema_create(&schema));
  fatal(ebr_samples_shape(NULL, &config, &shape));
  fatal(ebr_measures_declare(&config, &shape, schema));
  return schema;
}

enum { EMPTY_RUNS = 40000, MANY_RUNS = 1000000 };

static ebr_sweep *parse_empty(const char *name, int runs, const char *collisions)
{
  char text[400];
  snprintf(text, sizeof text,
           "name: %s\nbase: {data: {modalities: 2, train: 128, test: 64}}\naxes: {seed: {from: 0, count: %d}}\n"
           "measure: {every: 0, spectra: [], collisions: {relative: [%s]}}\n",
           name, runs, collisions);
  return parse(text);
}

/* Under mpirun: prints how long it took all ranks. */
static void inner_overhead(const char *folder, int rank, bool curves)
{
  char path[600];
  snprintf(path, sizeof path, "%s/%s.h5", folder, curves ? "curves" : "empty");
  ebr_sweep *sweep = parse_empty("empty", EMPTY_RUNS, curves ? "0.05, 0.1, 0.2" : "");
  ebr_schema *schema = schema_of(sweep);
  double seconds = empty_runs(sweep, schema, path, EMPTY_RUNS, rank);
  if (rank == 0) printf("%.9g\n", seconds);
  ebr_schema_destroy(&schema);
  ebr_sweep_destroy(&sweep);
}

static void overhead(figures *f)
{
  double seconds, futures[2];
  char path[600];
  struct stat about;
  int n = f->options->ranks;
  command(f, &seconds, 1, "mpirun --oversubscribe --bind-to none -n %d %s --inner overhead --folder %s", n, f->self,
          f->folder);
  double each = 1e6 * seconds * n / EMPTY_RUNS;
  print_figure(f, "overhead of an empty run", each, "us", true, 20);
  snprintf(path, sizeof path, "%s/empty.h5", f->folder);
  if (stat(path, &about) == 0)
    print_figure(f, "  bytes a run, without curves", (double)about.st_size / EMPTY_RUNS, "bytes", true, 1500);
  command(f, &seconds, 1, "mpirun --oversubscribe --bind-to none -n %d %s --inner curves --folder %s", n, f->self,
          f->folder);
  print_figure(f, "  with the usual curves of collisions", 1e6 * seconds * n / EMPTY_RUNS, "us", true, 40);
  /* mpi4py wants a rank for its master beside the workers. */
  command(f, futures, 2,
          "mpirun --oversubscribe --bind-to none -n %d /usr/bin/python3 -m mpi4py.futures %s/schedule_mpi4py.py", n + 1,
          EBR_BENCH_SOURCE);
  print_figure(f, "mpi4py.futures, one task at a time / this", futures[0] / each, "x", false, 20);
  print_figure(f, "mpi4py.futures, chunks of 50 / this", futures[1] / each, "x", false, 0);
}

/* ---- efficiency -------------------------------------------------------------------------------------------------- */

/* Sum of run times over ranks times wall time, from the first start to the last end. */
static double efficiency_of(const char *path, int ranks)
{
  ebr_results *results = NULL;
  ebr_row row;
  double sum = 0, first = INFINITY, last = 0;
  fatal(ebr_results_open(path, &results));
  for (int64_t run = 0; run < ebr_results_count(results); run++) {
    ebr_results_row(results, run, &row);
    sum += row.seconds;
    first = fmin(first, row.started);
    last = fmax(last, row.started + row.seconds);
  }
  ebr_results_close(&results);
  return sum / (ranks * (last - first));
}

static void write_file(const char *path, const char *text)
{
  FILE *file = fopen(path, "w");
  if (!file || fputs(text, file) < 0 || fclose(file)) fatal(ebr_error_create(EBR_FILE, __FILE__, __LINE__, "%s", path));
}

static void efficiency(figures *f)
{
  char path[600];
  snprintf(path, sizeof path, "%s/mixed.yaml", f->folder);
  write_file(path, "name: mixed\nbase: {data: {modalities: 4, train: 2048, test: 512}, train: {epochs: 5}}\naxes:\n"
                   "  zip: {data.dimension: [16, 32], model.encoder: [[32, 16], [64, 32]], model.width: [64, 128]}\n"
                   "  method: [vanilla, ebr]\n  seed: {from: 0, count: 500}\nmeasure: {every: 0}\n");
  command(f, NULL, 0, "mpirun --oversubscribe --bind-to none -n %d %s run mixed.yaml -q", f->options->ranks,
          f->program);
  snprintf(path, sizeof path, "%s/mixed.h5", f->folder);
  print_figure(f, "efficiency, 2000 runs of R and S", efficiency_of(path, f->options->ranks), "", false, 0.97);
}

/* ---- simulation -------------------------------------------------------------------------------------------------- */

/* Ranks by when they are free next: a binary heap, earliest at 0. */
static void sift(double *heap, int64_t count)
{
  int64_t at = 0;
  for (;;) {
    int64_t child = 2 * at + 1;
    if (child >= count) return;
    if (child + 1 < count && heap[child + 1] < heap[child]) child++;
    if (heap[at] <= heap[child]) return;
    double swap = heap[at];
    heap[at] = heap[child];
    heap[child] = swap;
    at = child;
  }
}

typedef struct simulated {
  double efficiency, contention; /* contention: longest wait for the counter [s] */
  double requests;               /* a second, of the counter and of the file system each */
} simulated;

/* Every draw goes through one counter, which serves one at a time and takes `service` for it; a stored run costs its
 * rank `store`. Run times are what a lognormal around the prediction says. */
static simulated simulate(int64_t many, int64_t runs, double mean, double service, double store)
{
  double *cost = malloc((size_t)runs * sizeof *cost), *heap = calloc((size_t)many, sizeof *heap);
  int64_t *place = malloc((size_t)runs * sizeof *place);
  ebr_stream stream = ebr_stream_start(3, EBR_PURPOSE_TEST, (uint32_t)many);
  simulated s = {0};
  double counter = 0, sum = 0, end = 0;
  if (!cost || !heap || !place) fatal(ebr_error_create(EBR_MEMORY, __FILE__, __LINE__, "no memory to simulate"));
  /* Predictions over a factor of 20, as between S and W in one sweep. */
  for (int64_t i = 0; i < runs; i++) cost[i] = mean * 0.316 * pow(20, ebr_stream_uniform(&stream));
  fatal(ebr_schedule_order(cost, runs, place));
  for (int64_t i = 0; i < runs; i++) {
    double start = fmax(heap[0], counter), takes = cost[place[i]] * exp(0.1 * ebr_stream_normal(&stream));
    s.contention = fmax(s.contention, start - heap[0]);
    counter = start + service;
    sum += takes;
    heap[0] = counter + takes + store;
    end = fmax(end, heap[0]);
    sift(heap, many);
  }
  s.efficiency = sum / ((double)many * end);
  s.requests = (double)runs / end;
  free(cost);
  free(heap);
  free(place);
  return s;
}

static void simulation(figures *f)
{
  char name[96];
  static const struct {
    int64_t many, each;
    double bar;
  } cases[] = {{100, 200, 0.95}, {1000, 200, 0.95}, {4096, 200, 0.95}, {10000, 100, 0.95}, {100000, 10, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (double mean = 1; mean >= 0.09; mean /= 10) {
      /* 2 us: a fetch-and-op over a fast network; 20 us: all that a run costs its rank beside itself. */
      simulated s = simulate(cases[i].many, cases[i].many * cases[i].each, mean, 2e-6, 20e-6);
      snprintf(name, sizeof name, "simulated efficiency, %lld ranks, runs of %g s", (long long)cases[i].many, mean);
      print_figure(f, name, s.efficiency, "", false, mean < 1 ? 0 : cases[i].bar);
      snprintf(name, sizeof name, "  longest wait for the counter");
      print_figure(f, name, 1e3 * s.contention, "ms", true, 1000 * mean);
      print_figure(f, "  draws, and rows written, a second", s.requests, "1/s", false, 0);
    }
}

/* ---- a million runs ---------------------------------------------------------------------------------------------- */

static void inner_million(const char *folder, int rank)
{
  char path[600];
  ebr_store *store = NULL;
  snprintf(path, sizeof path, "%s/million.h5", folder);
  double start = ebr_clock_seconds();
  ebr_sweep *sweep = parse_empty("million", MANY_RUNS, "0.05, 0.1, 0.2");
  ebr_schema *schema = schema_of(sweep);
  fatal(ebr_store_open(MPI_COMM_WORLD, path, sweep, schema, "bench", &store));
  if (rank == 0) printf("%.9g\n", ebr_clock_seconds() - start);
  fatal(ebr_store_close(&store));
  ebr_schema_destroy(&schema);
  ebr_sweep_destroy(&sweep);
}

static void million(figures *f)
{
  double seconds;
  char path[600];
  struct stat about;
  snprintf(path, sizeof path, "%s/million.h5", f->folder);
  command(f, &seconds, 1, "mpirun --oversubscribe --bind-to none -n %d %s --inner million --folder %s",
          f->options->ranks, f->self, f->folder);
  print_figure(f, "10^6 runs: sweep read and file created", seconds, "s", true, 20);
  print_figure(f, "10^6 runs: status", command(f, NULL, 0, "%s status million.h5 >/dev/null", f->program), "s", true,
               1);
  seconds = command(f, NULL, 0, "%s show million.h5 --where 'seed==123456 || status==done' >/dev/null", f->program);
  print_figure(f, "10^6 runs: show --where", seconds, "s", true, 5);
  if (stat(path, &about) == 0)
    print_figure(f, "10^6 runs: bytes a run with the usual curves", (double)about.st_size / MANY_RUNS, "bytes", false, 0);
}

/* ---- main -------------------------------------------------------------------------------------------------------- */

static void prepare(figures *f)
{
  const char *temporary = getenv("TMPDIR");
  ssize_t length = readlink("/proc/self/exe", f->self, sizeof f->self - 1);
  f->self[length > 0 ? length : 0] = 0;
  char *slash = strrchr(f->self, '/');
  snprintf(f->program, sizeof f->program, "%.*s/../ebrsweep", (int)(slash ? slash - f->self : 0), f->self);
  snprintf(f->folder, sizeof f->folder, "%.400s/ebrsweep-bench-XXXXXX", temporary ? temporary : "/tmp");
  if (!mkdtemp(f->folder)) fatal(ebr_error_create(EBR_FILE, __FILE__, __LINE__, "%s: no folder", f->folder));
}

static void inner(const schedule_options *options)
{
  int rank;
  MPI_Init(NULL, NULL);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  ebr_blas_prepare();
  if (strcmp(options->inner, "overhead") == 0) inner_overhead(options->folder, rank, false);
  else if (strcmp(options->inner, "curves") == 0) inner_overhead(options->folder, rank, true);
  else inner_million(options->folder, rank);
  MPI_Finalize();
}

static void parse_options(int argc, char **argv, schedule_options *options)
{
  static const struct option longs[] = {
      {"json", no_argument, NULL, 'j'},         {"part", required_argument, NULL, 'p'},
      {"ranks", required_argument, NULL, 'r'},  {"inner", required_argument, NULL, 'i'},
      {"folder", required_argument, NULL, 'f'}, {NULL, 0, NULL, 0}};
  int choice;
  while ((choice = getopt_long(argc, argv, "", longs, NULL)) != -1) switch (choice) {
      case 'j': options->json = true; break;
      case 'p':
        if (options->parts < 8) options->part[options->parts++] = optarg;
        break;
      case 'r': options->ranks = atoi(optarg); break;
      case 'i': options->inner = optarg; break;
      case 'f': options->folder = optarg; break;
      default: exit(2);
    }
}

int main(int argc, char **argv)
{
  schedule_options options = {.ranks = 2};
  figures f = {.options = &options};
  parse_options(argc, argv, &options);
  if (options.inner) {
    inner(&options);
    return 0;
  }
  prepare(&f);
  if (wanted(&f, "overhead")) overhead(&f);
  if (wanted(&f, "efficiency")) efficiency(&f);
  if (wanted(&f, "simulation")) simulation(&f);
  if (wanted(&f, "million")) million(&f);
  if (options.json && f.printed) printf("]\n");
  command(&f, NULL, 0, "rm -r %s", f.folder);
  return 0;
}
