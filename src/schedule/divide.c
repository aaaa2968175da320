/* How many ranks a run should get. */
#include <ebrsweep/schedule.h>

#include <stdlib.h>

static int asked_size(int asked, int most, int ranks)
{
  int size = 1;
  while (2 * size <= asked && 2 * size <= most && 2 * size <= ranks) size *= 2;
  return size;
}

/* Rounded to the nearest power of two, in between to the smaller one: a team loses a little to its exchanges. */
static int automatic_size(double share, int most, int ranks)
{
  int size = 1;
  while (2 * size <= most && 2 * size <= ranks && share >= 1.5 * size) size *= 2;
  return size;
}

/* As many runs as ranks keep all of them busy; what is over would leave most ranks idle. So those that are over go
 * first, by teams, unless small runs fill the gaps. */
static void automatic(const double *cost, const int *most, const int *asked, const int64_t *place, int64_t count,
                      int ranks, int *team)
{
  int64_t divisible = 0, over;
  double rest = 0;
  for (int64_t i = 0; i < count; i++) divisible += asked[i] == 0 && most[i] > 1;
  over = divisible % ranks;
  for (int64_t k = 0, seen = 0; k < count; k++) {
    int64_t i = place[k];
    bool divides = asked[i] == 0 && most[i] > 1;
    if (!divides || seen < over) rest += cost[i] == cost[i] ? cost[i] : 0;
    seen += divides;
  }
  for (int64_t k = 0, seen = 0; k < count && seen < over && rest > 0; k++) {
    int64_t i = place[k];
    if (asked[i] != 0 || most[i] < 2) continue;
    team[i] = automatic_size(cost[i] * ranks / rest, most[i], ranks);
    seen++;
  }
}

ebr_error *ebr_schedule_teams(const double *cost, const int *most, const int *asked, int64_t count, int ranks,
                              int *team)
{
  ebr_error *error = NULL;
  int64_t *place = malloc(((size_t)count + 1) * sizeof *place);
  EBR_CHECK_MEMORY(place, "a schedule");
  EBR_TRY(ebr_schedule_order(cost, count, place));
  for (int64_t i = 0; i < count; i++) team[i] = asked_size(asked[i], most[i], ranks);
  automatic(cost, most, asked, place, count, ranks, team);
done:
  free(place);
  return error;
}
