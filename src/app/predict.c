#include "app/predict.h"

#include <ebrsweep/library.h>
#include <ebrsweep/run.h>
#include <ebrsweep/schedule.h>
#include <ebrsweep/store.h>

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a results file tells of a finished run. */
typedef struct finished {
  uint64_t id;
  double seconds; /* 0: it failed, which tells nothing of how long one takes */
} finished;

static int compare_ids(const void *a, const void *b)
{
  uint64_t x = ((const finished *)a)->id, y = ((const finished *)b)->id;
  return (x > y) - (x < y);
}

/* The runs that a results file has finished, sorted by id; none if there is no such file yet. */
static ebr_error *read_done(const char *path, finished **runs, size_t *count)
{
  ebr_error *error = NULL;
  ebr_results *results = NULL;
  *count = 0;
  if (access(path, F_OK) != 0) goto done;
  EBR_TRY(ebr_results_open(path, &results));
  *runs = malloc((size_t)(ebr_results_count(results) + 1) * sizeof **runs);
  EBR_CHECK_MEMORY(*runs, "finished runs");
  for (int64_t run = 0; run < ebr_results_count(results); run++) {
    ebr_row row;
    ebr_results_row(results, run, &row);
    if (row.status != EBR_STATUS_DONE && row.status != EBR_STATUS_FAILED) continue;
    (*runs)[(*count)++] = (finished){row.id, row.status == EBR_STATUS_DONE ? row.seconds : 0};
  }
  qsort(*runs, *count, sizeof **runs, compare_ids);
done:
  ebr_results_close(&results);
  return error;
}

/* What the schedule would be given: of each fresh run its cost, shards and schedule.team. */
typedef struct fresh_runs {
  double *cost;
  int *shards, *asked, *team;
} fresh_runs;

static ebr_error *fresh_create(int64_t count, fresh_runs *fresh)
{
  ebr_error *error = NULL;
  size_t room = (size_t)count + 1;
  fresh->cost = calloc(room, sizeof *fresh->cost);
  fresh->shards = calloc(room, sizeof *fresh->shards);
  fresh->asked = calloc(room, sizeof *fresh->asked);
  fresh->team = calloc(room, sizeof *fresh->team);
  EBR_CHECK_MEMORY(fresh->cost && fresh->shards && fresh->asked && fresh->team ? fresh : NULL, "a list of runs");
done:
  return error;
}

static void fresh_release(fresh_runs *fresh)
{
  free(fresh->cost);
  free(fresh->shards);
  free(fresh->asked);
  free(fresh->team);
}

/* All runs of the sweep: what is to do, and how long what is done has taken. */
static ebr_error *survey(ebr_prediction *p, const ebr_sweep *sweep, const ebr_library *library,
                         const finished *done_runs, size_t done_count, fresh_runs *fresh)
{
  ebr_error *error = NULL;
  ebr_config config, before = {0};
  ebr_shape shape;
  double cost = 0, done_cost = 0, done_seconds = 0;
  size_t memory = 0;
  for (int64_t run = 0; run < p->runs; run++) {
    finished key = {.id = ebr_sweep_id(sweep, run)};
    const finished *found = done_count ? bsearch(&key, done_runs, done_count, sizeof key, compare_ids) : NULL;
    ebr_sweep_run(sweep, run, &config);
    config.seed = 0;
    if (run == 0 || memcmp(&config, &before, sizeof config) != 0) {
      EBR_TRY(ebr_samples_shape(library, &config, &shape));
      EBR_TRY(ebr_run_check(&config, &shape));
      memory = ebr_run_bytes(&config, &shape);
      cost = ebr_run_cost(&config, &shape);
      before = config;
    }
    if (found) {
      if (!(found->seconds > 0)) continue;
      done_cost += cost;
      done_seconds += found->seconds;
      p->told++;
      continue;
    }
    if (memory > p->memory) p->memory = memory; /* on top of what the program itself takes */
    fresh->cost[p->fresh] = cost;
    fresh->shards[p->fresh] = ebr_config_shards(&config);
    fresh->asked[p->fresh] = (int)config.schedule_team;
    p->fresh++;
    p->flops += cost;
    if (cost > p->longest) p->longest = cost;
  }
  /* Less tells more of the clock than of the machine. */
  if (done_seconds < 1) p->told = 0;
  else p->rate = done_cost / done_seconds;
done:
  return error;
}

/* Square products of the size that training is made of, for a twentieth of a second. */
static ebr_error *calibrate(double *rate)
{
  enum { SIDE = 128 };
  const size_t square = (size_t)SIDE * SIDE;
  ebr_error *error = NULL;
  ebr_arena arena = {0};
  EBR_TRY(ebr_arena_create(3 * square * sizeof(ebr_real), &arena));
  ebr_real *a = ebr_arena_take(&arena, square, sizeof *a), *b = ebr_arena_take(&arena, square, sizeof *b);
  ebr_real *c = ebr_arena_take(&arena, square, sizeof *c);
  double start = ebr_clock_seconds(), seconds = 0;
  int64_t products = 0;
  while (seconds < 0.05) {
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

/* Of those that may work on run i at once. */
static int most_ranks(const fresh_runs *fresh, int64_t i)
{
  return fresh->asked[i] > 0 && fresh->asked[i] < fresh->shards[i] ? fresh->asked[i] : fresh->shards[i];
}

/* Enough ranks that each still has a few runs, or a run has as many as can work on it, and none waits for the longest. */
static int64_t suggest_ranks(const ebr_prediction *p, const fresh_runs *fresh)
{
  double longest = 0, busy = 0, largest = 1;
  if (p->fresh == 0) return 0;
  for (int64_t i = 0; i < p->fresh; i++) {
    int most = most_ranks(fresh, i);
    longest = fmax(longest, fresh->cost[i] / most);
    largest = fmax(largest, most);
    busy += most;
  }
  double by_length = longest > 0 ? p->flops / longest : 1;
  double by_count = fmax(largest, (double)p->fresh / 4);
  return (int64_t)fmax(1, fmin(busy, fmin(by_length, by_count)));
}

static ebr_error *count_teams(ebr_prediction *p, const fresh_runs *fresh)
{
  ebr_error *error = NULL;
  int ranks = p->ranks < INT_MAX ? (int)p->ranks : INT_MAX;
  if (p->fresh == 0) goto done;
  EBR_TRY(ebr_schedule_teams(fresh->cost, fresh->shards, fresh->asked, p->fresh, ranks, fresh->team));
  for (int64_t i = 0; i < p->fresh; i++)
    for (int k = 0; k < EBR_TEAM_SIZES; k++) p->teams[k] += fresh->team[i] == 1 << k;
done:
  return error;
}

ebr_error *ebr_predict(const ebr_sweep *sweep, const char *output, ebr_prediction *prediction)
{
  ebr_error *error = NULL;
  ebr_library *library = NULL;
  finished *done_runs = NULL;
  size_t done_count = 0;
  fresh_runs fresh = {0};
  ebr_prediction p = {.runs = ebr_sweep_count(sweep)};
  EBR_TRY(ebr_library_create(MPI_COMM_SELF, sweep, &library));
  EBR_TRY(read_done(output, &done_runs, &done_count));
  EBR_TRY(fresh_create(p.runs, &fresh));
  EBR_TRY(survey(&p, sweep, library, done_runs, done_count, &fresh));
  if (p.told == 0) EBR_TRY(calibrate(&p.rate));
  /* A rank's libraries and datasets take what they take here, and a results file that is open another 8.5 MB. */
  if (p.fresh > 0) p.memory += ebr_memory_peak() + 8500000;
  p.ranks = suggest_ranks(&p, &fresh);
  EBR_TRY(count_teams(&p, &fresh));
  *prediction = p;
done:
  ebr_library_destroy(&library);
  fresh_release(&fresh);
  free(done_runs);
  return error;
}
