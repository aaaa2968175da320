/* bench/teams: how much faster a team trains a wide run than one rank does: mpirun -n RANKS bench/teams [--json]. Steps
 * of W (m = 4, 256 inputs, encoder [512, 256], head 2048, batch 256) by one rank without shards, by one rank with them,
 * and by all ranks together take turns, and the fastest of each counts: others may be at work on the machine. */
#include <ebrsweep/schedule.h>
#include <ebrsweep/train.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MODALITIES = 4, INPUTS = 256, CLASSES = 8, SAMPLES = 2048, BATCH = 256, REPEATS = 25 };

static int rank, ranks;

static void fatal(ebr_error *error)
{
  if (!error) return;
  fprintf(stderr, "bench/teams: %s\n", ebr_error_message(error));
  MPI_Abort(MPI_COMM_WORLD, 3);
}

/* Random inputs: the speed does not depend on what they say. */
static void make_samples(ebr_samples *samples)
{
  ebr_stream stream = ebr_stream_start(1, EBR_PURPOSE_TEST, 0);
  size_t inputs = (size_t)MODALITIES * INPUTS;
  *samples = (ebr_samples){.modalities = MODALITIES, .classes = CLASSES, .total = SAMPLES, .train_count = SAMPLES};
  fatal(ebr_arena_create(inputs * (SAMPLES + 32) * sizeof(float) + SAMPLES * 8 + 4096, &samples->owned));
  int32_t *rows = ebr_arena_take(&samples->owned, SAMPLES, sizeof *rows);
  int32_t *label = ebr_arena_take(&samples->owned, SAMPLES, sizeof *label);
  for (int i = 0; i < SAMPLES; i++) {
    rows[i] = i;
    label[i] = (int32_t)ebr_stream_below(&stream, CLASSES);
  }
  samples->train = rows;
  samples->label = label;
  for (int m = 0; m < MODALITIES; m++) {
    float *x = ebr_arena_take(&samples->owned, (size_t)SAMPLES * INPUTS, sizeof *x);
    float *mean = ebr_arena_take(&samples->owned, INPUTS, sizeof *mean);
    float *scale = ebr_arena_take(&samples->owned, INPUTS, sizeof *scale);
    for (int k = 0; k < SAMPLES * INPUTS; k++) x[k] = (float)ebr_stream_normal(&stream);
    for (int k = 0; k < INPUTS; k++) scale[k] = 1;
    samples->inputs[m] = INPUTS;
    samples->x[m] = x;
    samples->mean[m] = mean;
    samples->scale[m] = scale;
  }
}

static void set(ebr_config *config, const char *name, const char *value)
{
  fatal(ebr_config_set(config, ebr_parameter_find(name), value));
}

static ebr_trainer *make_trainer(const ebr_samples *samples, const char *shards)
{
  ebr_config config;
  ebr_trainer *trainer = NULL;
  char batch[16];
  snprintf(batch, sizeof batch, "%d", BATCH);
  ebr_config_defaults(&config);
  set(&config, "model.encoder", "[512, 256]");
  set(&config, "model.width", "2048");
  set(&config, "train.batch", batch);
  set(&config, "train.shards", shards);
  fatal(ebr_trainer_create(&config, samples, -1, 1, NULL, &trainer));
  return trainer;
}

/* Waits without taking the processor's time from those who work. */
static void wait_for_all(void)
{
  MPI_Request request;
  int done = 0;
  MPI_Ibarrier(MPI_COMM_WORLD, &request);
  while (!done) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (!done) usleep(200);
  }
}

static double seconds_of_step(ebr_trainer *trainer, bool works)
{
  ebr_losses losses;
  wait_for_all();
  double start = ebr_clock_seconds();
  if (works) (void)ebr_trainer_step(trainer, &losses);
  double seconds = ebr_clock_seconds() - start;
  wait_for_all();
  return seconds;
}

static void print(bool json, const char *shards, double whole, double alone, double together)
{
  if (json)
    printf(
        "{\"config\": \"W\", \"shards\": %s, \"ranks\": %d, \"whole_ms\": %.2f, \"alone_ms\": %.2f, \"team_ms\": %.2f, "
        "\"speedup\": %.2f, \"speedup_over_whole\": %.2f}\n",
        shards, ranks, 1e3 * whole, 1e3 * alone, 1e3 * together, alone / together, whole / together);
  else
    printf("W, %s shards: a step takes one rank %.1f ms without shards and %.1f ms with them, and %d ranks %.1f ms: "
           "%.2f and "
           "%.2f times as fast\n",
           shards, 1e3 * whole, 1e3 * alone, ranks, 1e3 * together, whole / together, alone / together);
  fflush(stdout);
}

static void measure(ebr_samples *samples, ebr_team *team, const char *shards, bool json)
{
  ebr_trainer *trainers[3] = {make_trainer(samples, "1"), make_trainer(samples, shards), make_trainer(samples, shards)};
  double best[3] = {INFINITY, INFINITY, INFINITY};
  ebr_trainer_join(trainers[2], team);
  for (int repeat = 0; repeat < REPEATS; repeat++)
    for (int k = 0; k < 3; k++) best[k] = fmin(best[k], seconds_of_step(trainers[k], k == 2 || rank == 0));
  if (rank == 0) print(json, shards, best[0], best[1], best[2]);
  for (int k = 0; k < 3; k++) ebr_trainer_destroy(&trainers[k]);
}

int main(int argc, char **argv)
{
  static const char *const shards[] = {"2", "4", "8"};
  const int64_t items[] = {0};
  const double cost[] = {1};
  int64_t item;
  bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
  ebr_schedule *schedule = NULL;
  ebr_samples samples;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  ebr_blas_prepare();
  fatal(ebr_schedule_create(MPI_COMM_WORLD, items, cost, &ranks, 1, &schedule));
  fatal(ebr_schedule_next(schedule, &item));
  if (ebr_team_size(ebr_schedule_team(schedule)) != ranks)
    fatal(ebr_error_create(EBR_USAGE, __FILE__, __LINE__, "needs 1, 2, 4, 8 or 16 ranks, not %d", ranks));
  make_samples(&samples);
  for (size_t k = 0; k < sizeof shards / sizeof *shards; k++)
    if (atoi(shards[k]) >= ranks) measure(&samples, ebr_schedule_team(schedule), shards[k], json);
  ebr_arena_destroy(&samples.owned);
  fatal(ebr_schedule_destroy(&schedule));
  MPI_Finalize();
  return 0;
}
