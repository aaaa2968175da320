/* Job: what is asked of a scheduler for a sweep, and the script that asks it. */
#ifndef EBR_APP_JOB_H
#define EBR_APP_JOB_H

#include "app/predict.h"
#include "app/scheduler.h"

#include <ebrsweep/site.h>

#include <limits.h>

typedef struct ebr_job {
  const ebr_scheduler *scheduler;
  const ebr_site *site;
  const char *sweep, *results; /* paths as given; the job runs in this folder */
  const char *account, *partition;
  char *arguments; /* of `ebrsweep run`, as shell words */
  int nodes, ranks_per_node;
  int64_t seconds; /* walltime */
  int64_t warning; /* before its end [s] */
  int64_t memory;  /* a rank [MB] */
  int parts;       /* jobs that share the sweep; 1: one for all */
  bool report;
} ebr_job;

/* 90 (minutes), 1:30:00, 2-00:00:00, 45m, 12h, 2d -> seconds. EBR_USAGE. */
EBR_FALLIBLE ebr_job_time(const char *text, int64_t *seconds);

/* The results file of a part, RESULTS with .part-I in its name; of the whole for part 0. */
void ebr_job_part(const ebr_job *job, int part, char path[PATH_MAX]);

/* The sweep's script, to be kept at the path `script`. part: the one that it does, where the scheduler has no arrays to
 * tell it; else 0. */
EBR_FALLIBLE ebr_job_script(const ebr_job *job, const char *script, int part, ebr_text *out);
/* The script of what comes after: merging the parts, the report. */
EBR_FALLIBLE ebr_job_after_script(const ebr_job *job, ebr_text *out);

#endif
