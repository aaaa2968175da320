/* Progress: one line that is rewritten on a terminal, a plain line now and then in a log. */
#ifndef EBR_APP_PROGRESS_H
#define EBR_APP_PROGRESS_H

#include <ebrsweep/base.h>

typedef struct ebr_progress {
  bool quiet, terminal;
  int64_t total;
  double started, last; /* [s] */
} ebr_progress;

ebr_progress ebr_progress_start(int64_t total, bool quiet);
/* done of total runs are over; prints if it is time to. */
void ebr_progress_report(ebr_progress *progress, int64_t done);
void ebr_progress_finish(ebr_progress *progress, int64_t done);

#endif
