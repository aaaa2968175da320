#include <ebrsweep/schedule.h>

#include "schedule/counters.h"
#include "schedule/node.h"
#include "schedule/team.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A stop adds this to the shared counters: far past any list's end, while what was drawn stays readable below it. */
static const int64_t stop_mark = (int64_t)1 << 40;

/* Runs for teams of 1, 2, 4, 8 and 16 ranks; what the job counts: what was drawn of each, and failed runs.
 */
enum { LEVELS = 5, FAILED = LEVELS, COUNTERS };

enum { CHUNK = 8 }; /* runs that a node fetches at once: few enough that they are not kept from idle nodes for long */

struct ebr_schedule {
  MPI_Comm comm;
  ebr_counters *counters; /* (COUNTERS) of the job */
  int64_t *items;         /* those for teams of one, longest first, those for teams of two, ... */
  double *cost;           /* of each */
  int64_t count, end[LEVELS];
  double deadline;      /* INFINITY: none */
  double slowest;       /* [s] for each unit of cost, on one rank, of this rank's runs so far */
  double drawn;         /* cost of the item in hand */
  ebr_team *team;       /* NULL: this rank by itself */
  ebr_node *node;       /* NULL: every rank asks the job's counters itself */
  bool closed[LEVELS];  /* nothing to be had any more */
  bool stopped, marked; /* marked: the counters say so */
};

typedef struct costed {
  int64_t place;
  double cost;
} costed;

static int longest_first(const void *left, const void *right)
{
  const costed *a = left, *b = right;
  if (a->cost != b->cost) return a->cost > b->cost ? -1 : 1;
  return a->place < b->place ? -1 : a->place > b->place;
}

ebr_error *ebr_schedule_order(const double *cost, int64_t count, int64_t *place)
{
  ebr_error *error = NULL;
  costed *order = malloc(((size_t)count + 1) * sizeof *order);
  EBR_CHECK(order, EBR_MEMORY, "no memory for a schedule of %lld runs", (long long)count);
  for (int64_t i = 0; i < count; i++) order[i] = (costed){i, cost[i] == cost[i] ? cost[i] : 0};
  qsort(order, (size_t)count, sizeof *order, longest_first);
  for (int64_t i = 0; i < count; i++) place[i] = order[i].place;
done:
  free(order);
  return error;
}

static int level_of(int size)
{
  int level = 0;
  while (level < LEVELS - 1 && 1 << (level + 1) <= size) level++;
  return level;
}

static int64_t level_start(const ebr_schedule *schedule, int level) { return level ? schedule->end[level - 1] : 0; }
static int64_t level_count(const ebr_schedule *schedule, int level)
{
  return schedule->end[level] - level_start(schedule, level);
}

/* Level by level, longest first within each. */
static ebr_error *sort_items(const int64_t *items, const double *cost, const int *team, int64_t count, int ranks,
                             ebr_schedule *schedule)
{
  ebr_error *error = NULL;
  int64_t *place = malloc(((size_t)count + 1) * sizeof *place), filled = 0;
  schedule->items = malloc(((size_t)count + 1) * sizeof *schedule->items);
  schedule->cost = malloc(((size_t)count + 1) * sizeof *schedule->cost);
  EBR_CHECK(place && schedule->items && schedule->cost, EBR_MEMORY, "no memory for a schedule of %lld runs",
            (long long)count);
  EBR_TRY(ebr_schedule_order(cost, count, place));
  for (int level = 0; level < LEVELS; level++) {
    for (int64_t i = 0; i < count; i++) {
      int64_t from = place[i];
      int size = !team ? 1 : team[from] < ranks ? team[from] : ranks;
      if (level_of(size) != level) continue;
      schedule->items[filled] = items[from];
      schedule->cost[filled++] = cost[from] == cost[from] ? cost[from] : 0;
    }
    schedule->end[level] = filled;
  }
done:
  free(place);
  return error;
}

/* The ranks begin in teams as large as the largest that a run is for. */
static ebr_error *make_teams(ebr_schedule *schedule)
{
  ebr_error *error = NULL;
  int level = LEVELS - 1;
  while (level > 0 && level_count(schedule, level) == 0) level--;
  EBR_TRY(ebr_team_create(schedule->comm, 1 << level, &schedule->team));
done:
  return error;
}

ebr_error *ebr_schedule_create(MPI_Comm comm, const int64_t *items, const double *cost, const int *team, int64_t count,
                               ebr_schedule **schedule)
{
  ebr_error *error = NULL;
  int ranks;
  EBR_TRY_MPI(MPI_Comm_size(comm, &ranks));
  *schedule = calloc(1, sizeof **schedule);
  if (*schedule) **schedule = (ebr_schedule){.comm = MPI_COMM_NULL, .count = count, .deadline = INFINITY};
  EBR_TRY(ebr_agree(comm, *schedule ? sort_items(items, cost, team, count, ranks, *schedule)
                                    : ebr_error_create(EBR_MEMORY, __FILE__, __LINE__, "no memory for a schedule")));
  EBR_HAS(*schedule);
  EBR_TRY(ebr_agree_same(comm, ebr_hash((*schedule)->items, (size_t)count * sizeof *items, 0), "the list of runs"));
  EBR_TRY(ebr_comm_duplicate(comm, "ebrsweep schedule", &(*schedule)->comm));
  EBR_TRY(ebr_counters_create((*schedule)->comm, COUNTERS, &(*schedule)->counters));
  EBR_TRY(make_teams(*schedule));
done:
  return error;
}

ebr_error *ebr_schedule_by_nodes(ebr_schedule *schedule, int ranks_a_node)
{
  return ebr_node_create(schedule->comm, ranks_a_node, level_count(schedule, 0), CHUNK, &schedule->node);
}

ebr_error *ebr_schedule_destroy(ebr_schedule **schedule)
{
  ebr_error *error = NULL;
  ebr_schedule *s = *schedule;
  *schedule = NULL;
  if (!s) return NULL;
  EBR_TRY(ebr_team_destroy(&s->team));
  EBR_TRY(ebr_node_destroy(&s->node));
  EBR_TRY(ebr_counters_destroy(&s->counters));
  if (s->comm != MPI_COMM_NULL) EBR_TRY_MPI(MPI_Comm_free(&s->comm));
done:
  free(s->items);
  free(s->cost);
  free(s);
  return error;
}

/* Adds to one of the job's counters and answers what it was before. */
static ebr_error *counter_add(ebr_schedule *schedule, int which, int64_t amount, int64_t *before)
{
  return ebr_counters_update(schedule->counters, which, amount ? MPI_SUM : MPI_NO_OP, amount, before);
}

void ebr_schedule_until(ebr_schedule *schedule, double deadline) { schedule->deadline = deadline; }
ebr_team *ebr_schedule_team(ebr_schedule *schedule) { return schedule->team; }

void ebr_schedule_took(ebr_schedule *schedule, double seconds)
{
  double pace = schedule->drawn > 0 ? seconds * ebr_team_size(schedule->team) / schedule->drawn : 0;
  if (pace > schedule->slowest) schedule->slowest = pace;
}

/* By the slowest pace so far, and a tenth more, for machines do not keep theirs. */
static double predicted_seconds(const ebr_schedule *schedule, double cost)
{
  return 1.1 * cost * schedule->slowest / ebr_team_size(schedule->team);
}

bool ebr_schedule_brief(const ebr_schedule *schedule)
{
  return schedule->slowest > 0 && predicted_seconds(schedule, schedule->drawn) < 0.1;
}

bool ebr_schedule_go_on(ebr_schedule *schedule)
{
  int found;
  (void)MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, schedule->comm, &found, MPI_STATUS_IGNORE);
  return !ebr_team_any(schedule->team, ebr_signals_stop() || ebr_clock_seconds() > schedule->deadline);
}

/* No rank gets another run. */
static ebr_error *mark_stop(ebr_schedule *schedule)
{
  ebr_error *error = NULL;
  int64_t ignored;
  schedule->stopped = true;
  for (int level = 0; level < LEVELS && !schedule->marked; level++)
    if (level_count(schedule, level) > 0) EBR_TRY(counter_add(schedule, level, stop_mark, &ignored));
  schedule->marked = true;
done:
  return error;
}

ebr_error *ebr_schedule_failed(ebr_schedule *schedule, int64_t most)
{
  ebr_error *error = NULL;
  int64_t before;
  EBR_TRY(counter_add(schedule, FAILED, 1, &before));
  if (before + 1 >= most && !schedule->stopped) EBR_TRY(mark_stop(schedule));
done:
  return error;
}

/* ---- drawing ----------------------------------------------------------------------------------------------------- */

static ebr_error *is_too_late(ebr_schedule *schedule, int level, bool *late)
{
  ebr_error *error = NULL;
  int64_t place;
  *late = false;
  if (isinf(schedule->deadline)) goto done;
  EBR_TRY(counter_add(schedule, level, 0, &place));
  double cost = place < level_count(schedule, level) ? schedule->cost[level_start(schedule, level) + place] : 0;
  /* A node's chunk lies behind the counter: what this rank had last was longer than all that is in it. */
  if (schedule->node && level == 0) cost = schedule->drawn;
  *late = ebr_clock_seconds() + predicted_seconds(schedule, cost) > schedule->deadline;
done:
  return error;
}

/* From the job's counter, which answers how many were drawn before; past stop_mark when somebody stopped, and then this
 * was no draw, so that the count stays true. */
static ebr_error *draw_here(ebr_schedule *schedule, int level, int64_t amount, int64_t *drawn)
{
  ebr_error *error = NULL;
  EBR_TRY(counter_add(schedule, level, amount, drawn));
  if (*drawn >= stop_mark) EBR_TRY(counter_add(schedule, level, -amount, &(int64_t){0}));
done:
  return error;
}

/* A chunk that cannot be had is published as a stop: nobody may wait for ever. */
static ebr_error *draw_by_node(ebr_schedule *schedule, int64_t *drawn)
{
  ebr_error *error = NULL, *later = NULL;
  int64_t chunk, start = stop_mark;
  int place;
  EBR_TRY(ebr_node_draw(schedule->node, &chunk, &place));
  if (place > 0) EBR_TRY(ebr_node_await(schedule->node, chunk, &start));
  else {
    error = draw_here(schedule, 0, CHUNK, &start);
    later = ebr_node_publish(schedule->node, chunk, error ? stop_mark : start);
    if (error) ebr_error_destroy(&later);
    else error = later;
  }
  *drawn = start + place;
done:
  return error;
}

/* One rank draws for its team: *place in items, or -1 and the level is closed or everything stopped. */
static ebr_error *draw(ebr_schedule *schedule, int level, int64_t *place)
{
  ebr_error *error = NULL;
  int64_t drawn;
  *place = -1;
  if (schedule->stopped) {
    EBR_TRY(mark_stop(schedule));
    goto done;
  }
  EBR_TRY(is_too_late(schedule, level, &schedule->closed[level]));
  if (schedule->closed[level]) goto done;
  EBR_TRY(schedule->node && level == 0 ? draw_by_node(schedule, &drawn) : draw_here(schedule, level, 1, &drawn));
  schedule->stopped = schedule->marked = drawn >= stop_mark;
  schedule->closed[level] = drawn >= level_count(schedule, level);
  if (!schedule->closed[level]) *place = level_start(schedule, level) + drawn;
done:
  return error;
}

/* Collective on the team. */
static ebr_error *draw_together(ebr_schedule *schedule, int level, int64_t *place)
{
  ebr_error *error = NULL;
  struct {
    int64_t place;
    bool closed, stopped;
  } answer = {.place = -1};
  bool first = ebr_team_rank(schedule->team) == 0;
  *place = -1;
  if (schedule->closed[level]) goto done;
  schedule->stopped = ebr_team_any(schedule->team, schedule->stopped || ebr_signals_stop());
  EBR_TRY(ebr_team_agree(schedule->team, first ? draw(schedule, level, &answer.place) : NULL));
  answer.closed = schedule->closed[level];
  answer.stopped = schedule->stopped;
  ebr_team_share(schedule->team, &answer, sizeof answer);
  schedule->closed[level] = answer.closed;
  schedule->stopped = answer.stopped;
  *place = answer.place;
done:
  return error;
}

/* What is for teams of this size; then, in halves, what is for smaller ones; a rank by itself at last takes what is for
 * larger ones, rather than nothing. Nobody ever waits for a rank outside the team. */
ebr_error *ebr_schedule_next(ebr_schedule *schedule, int64_t *item)
{
  ebr_error *error = NULL;
  int64_t place = -1;
  *item = -1;
  for (;;) {
    int size = ebr_team_size(schedule->team);
    EBR_TRY(draw_together(schedule, level_of(size), &place));
    if (place >= 0 || schedule->stopped || size == 1) break;
    EBR_TRY(ebr_team_halve(&schedule->team));
  }
  for (int level = 1; level < LEVELS && place < 0 && !schedule->stopped; level++)
    EBR_TRY(draw_together(schedule, level, &place));
  if (place < 0) goto done;
  *item = schedule->items[place];
  schedule->drawn = schedule->cost[place];
done:
  return error;
}

int64_t ebr_schedule_finished(ebr_schedule *schedule, int ranks)
{
  int64_t all = 0;
  for (int level = 0; level < LEVELS; level++) {
    int64_t drawn = 0;
    if (level_count(schedule, level) == 0) continue;
    ebr_error *error = counter_add(schedule, level, 0, &drawn);
    ebr_error_destroy(&error);
    drawn %= stop_mark;
    all += drawn < level_count(schedule, level) ? drawn : level_count(schedule, level);
  }
  return all > ranks ? all - ranks : 0;
}
