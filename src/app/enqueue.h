/* Enqueue: a job's scripts are written beside its results and given to the scheduler, all of them or none. */
#ifndef EBR_APP_ENQUEUE_H
#define EBR_APP_ENQUEUE_H

#include "app/job.h"

/* dry_run: the scripts are printed, and nothing else is done. again: although a job for the same results is in the
 * queue. RESULTS.job holds a line for each job, "SCHEDULER ID PARTS"; jobs that submit themselves anew add theirs.
 * EBR_USAGE when the results are another job's or another array's; EBR_ENVIRONMENT when the scheduler refuses one, and
 * then those before it are taken back; EBR_FILE. */
EBR_FALLIBLE ebr_enqueue(const ebr_job *job, bool dry_run, bool again);

#endif
