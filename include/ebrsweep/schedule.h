/* Schedule: which rank takes which run, and when to stop. Knows no networks: a run is a number and a predicted cost. */
#ifndef EBRSWEEP_SCHEDULE_H
#define EBRSWEEP_SCHEDULE_H

#include <ebrsweep/parallel.h>

typedef struct ebr_schedule ebr_schedule;

/* Local. The order in which items are handed out: place[k] is the index of the k-th. Longest first, ties in the order given;
 * a cost that is NaN counts as 0. */
EBR_FALLIBLE ebr_schedule_order(const double *cost, int64_t count, int64_t *place);

/* Collective on comm (duplicated). items[0 .. count) are sweep runs that are to be done, the same on all ranks
 * (copied); cost[i] predicts items[i] in any unit. They are handed out longest first, ties in the order given. */
EBR_FALLIBLE ebr_schedule_create(MPI_Comm comm, const int64_t *items, const double *cost, int64_t count,
                                 ebr_schedule **schedule);
/* Collective. */
EBR_FALLIBLE ebr_schedule_destroy(ebr_schedule **schedule);
/* Local (one-sided): the next run, or -1 when none is left or a stop was asked for. Each run is handed out once over
 * all ranks. */
EBR_FALLIBLE ebr_schedule_next(ebr_schedule *schedule, int64_t *item);

/* Local. No run is handed out to this rank that would end after deadline (by ebr_clock_seconds), as its cost and the slowest of
 * this rank's runs predict. */
void ebr_schedule_until(ebr_schedule *schedule, double deadline);
/* Local: the run that was handed out last took so long [s]. */
void ebr_schedule_took(ebr_schedule *schedule, double seconds);
/* Local (one-sided): a run failed. With `most` of them over all ranks no rank gets another run. */
EBR_FALLIBLE ebr_schedule_failed(ebr_schedule *schedule, int64_t most);

/* Local, to be called now and then during a run: may it go on? Not when a stop was asked for or the deadline is over. Lets
 * other ranks' draws through, which on networks without remote memory access wait for the rank that has the counter. */
bool ebr_schedule_go_on(ebr_schedule *schedule);

/* Local: items that are over, as far as the shared counter tells: what was drawn less one in hand a rank. */
int64_t ebr_schedule_finished(ebr_schedule *schedule, int ranks);

/* ---- stopping ---------------------------------------------------------------------------------------------------- */

/* Signals SIGTERM, SIGUSR1, SIGINT ask for a stop; a second SIGINT aborts. Once a process. */
EBR_FALLIBLE ebr_signals_catch(void);
bool ebr_signals_stop(void);

/* ---- runs that hang ---------------------------------------------------------------------------------------------- */

/* Local; one at a time in a process. Unless it is disarmed within so many seconds this process ends with code 75, which
 * makes mpirun end the others: sentence goes to stderr and into the file note below folder (made if need be), by which the
 * next start knows what to leave out. EBR_USAGE for a path or sentence of over 4000 bytes, EBR_ENVIRONMENT. */
EBR_FALLIBLE ebr_watchdog_arm(double seconds, const char *folder, const char *note, const char *sentence);
void ebr_watchdog_disarm(void);

#endif
