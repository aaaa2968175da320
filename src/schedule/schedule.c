#include <ebrsweep/schedule.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A stop adds this to the shared counter: far past any list's end, while what was drawn stays readable below it. */
static const int64_t stop_mark = (int64_t)1 << 40;

struct ebr_schedule {
  MPI_Comm comm;
  MPI_Win window;
  int64_t *counter; /* (COUNTERS) items drawn, runs failed; rank 0's copy is the one that counts */
  int64_t *items;   /* longest first */
  double *cost;     /* of each */
  int64_t count;
  double deadline; /* INFINITY: none */
  double slowest;  /* [s] for each unit of cost, of this rank's runs so far */
  double drawn;    /* cost of the item in hand */
  bool locked, stopped;
};

/* What the window counts, on rank 0. */
enum { DRAWN, FAILED, COUNTERS };

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

static ebr_error *sort_items(const int64_t *items, const double *cost, int64_t count, ebr_schedule *schedule)
{
  ebr_error *error = NULL;
  int64_t *place = malloc(((size_t)count + 1) * sizeof *place);
  schedule->items = malloc(((size_t)count + 1) * sizeof *schedule->items);
  schedule->cost = malloc(((size_t)count + 1) * sizeof *schedule->cost);
  EBR_CHECK(place && schedule->items && schedule->cost, EBR_MEMORY, "no memory for a schedule of %lld runs",
            (long long)count);
  EBR_TRY(ebr_schedule_order(cost, count, place));
  for (int64_t i = 0; i < count; i++) {
    schedule->items[i] = items[place[i]];
    schedule->cost[i] = cost[place[i]] == cost[place[i]] ? cost[place[i]] : 0;
  }
done:
  free(place);
  return error;
}

static ebr_error *open_window(ebr_schedule *schedule)
{
  ebr_error *error = NULL;
  int rank;
  EBR_TRY_MPI(MPI_Comm_rank(schedule->comm, &rank));
  EBR_TRY_MPI(MPI_Win_allocate(rank == 0 ? COUNTERS * sizeof(int64_t) : 0, sizeof(int64_t), MPI_INFO_NULL,
                               schedule->comm, &schedule->counter, &schedule->window));
  EBR_TRY_MPI(MPI_Win_set_errhandler(schedule->window, MPI_ERRORS_RETURN));
  EBR_TRY_MPI(MPI_Win_lock_all(MPI_MODE_NOCHECK, schedule->window));
  schedule->locked = true;
  if (rank == 0) schedule->counter[DRAWN] = schedule->counter[FAILED] = 0;
  EBR_TRY_MPI(MPI_Win_sync(schedule->window));
  EBR_TRY_MPI(MPI_Barrier(schedule->comm));
  EBR_TRY_MPI(MPI_Win_sync(schedule->window));
done:
  return error;
}

ebr_error *ebr_schedule_create(MPI_Comm comm, const int64_t *items, const double *cost, int64_t count,
                               ebr_schedule **schedule)
{
  ebr_error *error = NULL;
  *schedule = calloc(1, sizeof **schedule);
  if (*schedule)
    **schedule = (ebr_schedule){.comm = MPI_COMM_NULL, .window = MPI_WIN_NULL, .count = count, .deadline = INFINITY};
  EBR_TRY(ebr_agree(comm, *schedule ? sort_items(items, cost, count, *schedule)
                                    : ebr_error_create(EBR_MEMORY, __FILE__, __LINE__, "no memory for a schedule")));
  EBR_TRY(ebr_agree_same(comm, ebr_hash((*schedule)->items, (size_t)count * sizeof *items, 0), "the list of runs"));
  EBR_TRY(ebr_comm_duplicate(comm, "ebrsweep schedule", &(*schedule)->comm));
  EBR_TRY(open_window(*schedule));
done:
  return error;
}

ebr_error *ebr_schedule_destroy(ebr_schedule **schedule)
{
  ebr_error *error = NULL;
  ebr_schedule *s = *schedule;
  *schedule = NULL;
  if (!s) return NULL;
  if (s->locked) EBR_TRY_MPI(MPI_Win_unlock_all(s->window));
  if (s->window != MPI_WIN_NULL) EBR_TRY_MPI(MPI_Win_free(&s->window));
  if (s->comm != MPI_COMM_NULL) EBR_TRY_MPI(MPI_Comm_free(&s->comm));
done:
  free(s->items);
  free(s->cost);
  free(s);
  return error;
}

/* Adds to one of rank 0's counters and answers what it was before. */
static ebr_error *counter_add(ebr_schedule *schedule, int which, int64_t amount, int64_t *before)
{
  ebr_error *error = NULL;
  EBR_TRY_MPI(MPI_Fetch_and_op(&amount, before, MPI_INT64_T, 0, which, amount ? MPI_SUM : MPI_NO_OP, schedule->window));
  EBR_TRY_MPI(MPI_Win_flush(0, schedule->window));
done:
  return error;
}

void ebr_schedule_until(ebr_schedule *schedule, double deadline) { schedule->deadline = deadline; }

void ebr_schedule_took(ebr_schedule *schedule, double seconds)
{
  double pace = schedule->drawn > 0 ? seconds / schedule->drawn : 0;
  if (pace > schedule->slowest) schedule->slowest = pace;
}

bool ebr_schedule_go_on(ebr_schedule *schedule)
{
  int found;
  (void)MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, schedule->comm, &found, MPI_STATUS_IGNORE);
  return !ebr_signals_stop() && ebr_clock_seconds() <= schedule->deadline;
}

ebr_error *ebr_schedule_failed(ebr_schedule *schedule, int64_t most)
{
  ebr_error *error = NULL;
  int64_t before, ignored;
  EBR_TRY(counter_add(schedule, FAILED, 1, &before));
  if (before + 1 < most || schedule->stopped) goto done;
  schedule->stopped = true;
  EBR_TRY(counter_add(schedule, DRAWN, stop_mark, &ignored));
done:
  return error;
}

/* A tenth more than the slowest so far, for machines do not keep their pace. */
static ebr_error *is_too_late(ebr_schedule *schedule, bool *late)
{
  ebr_error *error = NULL;
  int64_t place;
  *late = false;
  if (isinf(schedule->deadline)) goto done;
  EBR_TRY(counter_add(schedule, DRAWN, 0, &place));
  double cost = place < schedule->count ? schedule->cost[place] : 0;
  *late = ebr_clock_seconds() + 1.1 * cost * schedule->slowest > schedule->deadline;
done:
  return error;
}

ebr_error *ebr_schedule_next(ebr_schedule *schedule, int64_t *item)
{
  ebr_error *error = NULL;
  int64_t place;
  *item = -1;
  if (schedule->stopped) goto done;
  EBR_TRY(is_too_late(schedule, &schedule->stopped));
  if (schedule->stopped) goto done;
  schedule->stopped = ebr_signals_stop();
  EBR_TRY(counter_add(schedule, DRAWN, schedule->stopped ? stop_mark : 1, &place));
  if (schedule->stopped) goto done;
  /* Another rank stopped: this was no draw, and the count of draws stays true. */
  if (place >= stop_mark) EBR_TRY(counter_add(schedule, DRAWN, -1, &(int64_t){0}));
  schedule->stopped = place >= schedule->count;
  if (schedule->stopped) goto done;
  *item = schedule->items[place];
  schedule->drawn = schedule->cost[place];
done:
  return error;
}

int64_t ebr_schedule_finished(ebr_schedule *schedule, int ranks)
{
  int64_t drawn = 0;
  ebr_error *error = counter_add(schedule, DRAWN, 0, &drawn);
  ebr_error_destroy(&error);
  drawn %= stop_mark;
  if (drawn > schedule->count) drawn = schedule->count;
  return drawn > ranks ? drawn - ranks : 0;
}
