/* Schedule: which ranks take which run, and when to stop. Knows no networks: a run is a number and a predicted cost.
 *
 * The ranks begin in teams of the largest size that a run is for, and teams draw such runs until there are none; then
 * each halves, and its halves draw what is for their size, down to ranks by themselves. Ranks that do not fill a team
 * begin in smaller ones; a rank that finds nothing for itself takes a run that was for a team. No rank waits for one
 * outside its team, so that none can wait for ever, and none is idle while there is a run that nobody has. */
#ifndef EBRSWEEP_SCHEDULE_H
#define EBRSWEEP_SCHEDULE_H

#include <ebrsweep/parallel.h>
#include <ebrsweep/team.h>

typedef struct ebr_schedule ebr_schedule;

/* Local. The order in which items are handed out: place[k] is the index of the k-th. Longest first, ties in the order
 * given; a cost that is NaN counts as 0. */
EBR_FALLIBLE ebr_schedule_order(const double *cost, int64_t count, int64_t *place);

/* Local. team[i]: how many ranks should work on run i. asked[i] of them, where that is not 0; else more than one for a
 * run that would still go on alone when all others are done: the `count % ranks` longest of the most divisible, and of
 * these the ones that take longer than their rank's share of what is left. Powers of two, at most most[i] and at most
 * ranks. */
EBR_FALLIBLE ebr_schedule_teams(const double *cost, const int *most, const int *asked, int64_t count, int ranks,
                                int *team);

/* Collective on comm (duplicated). items[0 .. count) are sweep runs that are to be done, the same on all ranks
 * (copied); cost[i] predicts items[i] in any unit, and team[i] is how many ranks it is for (NULL: one each). Those for
 * the largest teams are handed out first, and of these the longest first, ties in the order given. */
EBR_FALLIBLE ebr_schedule_create(MPI_Comm comm, const int64_t *items, const double *cost, const int *team,
                                 int64_t count, ebr_schedule **schedule);
/* Collective, before the first draw. Runs for teams of one are drawn through a counter on each node (ranks that share
 * memory, or for ranks_a_node > 0 so many each), eight at a time: worth it from a thousand ranks. A stop that another
 * node's rank asked for is then seen some runs later. */
EBR_FALLIBLE ebr_schedule_by_nodes(ebr_schedule *schedule, int ranks_a_node);
/* Collective. */
EBR_FALLIBLE ebr_schedule_destroy(ebr_schedule **schedule);
/* The next run, or -1 when none is left or a stop was asked for. Each run is handed out once over all ranks, to a team:
 * its ranks get it together. Collective on the team that this rank is in, and one-sided beyond it. */
EBR_FALLIBLE ebr_schedule_next(ebr_schedule *schedule, int64_t *item);

/* Local: who works on the run that was handed out last; borrowed, until the next one is asked for. NULL: this rank
 * alone. */
ebr_team *ebr_schedule_team(ebr_schedule *schedule);

/* Local: the team's own communicator, borrowed; MPI_COMM_SELF for NULL. Between the calls of team.h. */
MPI_Comm ebr_team_comm(const ebr_team *team);

/* Local. No run is handed out to this rank that would end after deadline (by ebr_clock_seconds), as its cost and the
 * slowest of this rank's runs predict. */
void ebr_schedule_until(ebr_schedule *schedule, double deadline);
/* Local: the run that was handed out last took so long [s]. */
void ebr_schedule_took(ebr_schedule *schedule, double seconds);
/* Local: the run that was handed out last will be over before anybody looks, in a tenth of a second, as its cost and
 * the slowest of this rank's runs predict. False while nothing is known. */
bool ebr_schedule_brief(const ebr_schedule *schedule);
/* Local (one-sided), on one rank of a team: a run failed. With `most` of them over all ranks no rank gets
 * another run. */
EBR_FALLIBLE ebr_schedule_failed(ebr_schedule *schedule, int64_t most);

/* To be called now and then during a run, by all of its team: may it go on? Not when a stop was asked for or the
 * deadline is over. Lets other ranks' draws through, which on networks without remote memory access wait for the rank
 * that has the counter. */
bool ebr_schedule_go_on(ebr_schedule *schedule);

/* Local: items that are over, as far as the shared counter tells: what was drawn less one in hand a rank. */
int64_t ebr_schedule_finished(ebr_schedule *schedule, int ranks);

/* ---- stopping ---------------------------------------------------------------------------------------------------- */

/* Signals SIGTERM, SIGUSR1, SIGINT ask for a stop; a second SIGINT aborts. Once a process. */
EBR_FALLIBLE ebr_signals_catch(void);
bool ebr_signals_stop(void);

/* ---- runs that hang ---------------------------------------------------------------------------------------------- */

/* Local; one at a time in a process. Unless it is disarmed within so many seconds this process ends with code 75, which
 * makes mpirun end the others: sentence goes to stderr and into the file note below folder (made if need be), by which
 * the next start knows what to leave out. EBR_USAGE for a path or sentence of over 4000 bytes, EBR_ENVIRONMENT. */
EBR_FALLIBLE ebr_watchdog_arm(double seconds, const char *folder, const char *note, const char *sentence);
void ebr_watchdog_disarm(void);

#endif
