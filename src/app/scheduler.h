/* Scheduler: how each batch system takes a job and what it answers. A new one is one line in scheduler.c and one
 * template. */
#ifndef EBR_APP_SCHEDULER_H
#define EBR_APP_SCHEDULER_H

#include <ebrsweep/base.h>

typedef struct ebr_scheduler {
  const char *name;
  const char *program;   /* whose presence tells that it is there */
  const char *submit;    /* shell command; the script's path follows */
  const char *resubmit;  /* the same from within a job */
  const char *depend;    /* option with %s for the id of the job to wait for */
  const char *before_id; /* what stands in front of the id in the answer's line */
  const char *first;     /* characters, one of which an id begins with */
  const char *query;     /* shell command with %s: prints something while the job waits or runs */
  const char *cancel;    /* shell command with %s */
  const char *launcher;  /* of ranks, with %d for how many */
  bool arrays;           /* a job array keeps its ids when a part of it is put back, and users may do that */
} ebr_scheduler;

/* name NULL: the one that is found on this machine. EBR_USAGE for an unknown name, EBR_ENVIRONMENT when none is found.
 */
EBR_FALLIBLE ebr_scheduler_find(const char *name, const ebr_scheduler **scheduler);
/* Submits the script (a path that is a shell word); after: the id of a job to wait for, or NULL. EBR_ENVIRONMENT with
 * the scheduler's own words when it refuses. */
EBR_FALLIBLE ebr_scheduler_submit(const ebr_scheduler *scheduler, const char *script, const char *after, char id[64]);
/* Takes a job out of the queue; false when that fails. */
bool ebr_scheduler_cancel(const ebr_scheduler *scheduler, const char *id);
/* Is the job waiting or running? False when it cannot be asked. */
bool ebr_scheduler_knows(const ebr_scheduler *scheduler, const char *id);

#endif
