#include "app/progress.h"

#include <stdio.h>
#include <unistd.h>

ebr_progress ebr_progress_start(int64_t total, bool quiet)
{
  double now = ebr_clock_seconds();
  return (ebr_progress){quiet, isatty(STDERR_FILENO), total, now, now};
}

static void print_line(const ebr_progress *progress, int64_t done, const char *end)
{
  double seconds = ebr_clock_seconds() - progress->started, rate = seconds > 0 ? (double)done / seconds : 0;
  double left = rate > 0 ? (double)(progress->total - done) / rate : 0;
  fprintf(stderr, "%s%lld of %lld runs, %.1f a second, %d:%02d left%s", progress->terminal ? "\r\033[K" : "",
          (long long)done, (long long)progress->total, rate, (int)left / 60, (int)left % 60, end);
  fflush(stderr);
}

void ebr_progress_report(ebr_progress *progress, int64_t done)
{
  double now = ebr_clock_seconds();
  if (progress->quiet || now - progress->last < (progress->terminal ? 0.2 : 10) || done == 0) return;
  progress->last = now;
  print_line(progress, done, progress->terminal ? "" : "\n");
}

void ebr_progress_finish(ebr_progress *progress, int64_t done)
{
  if (progress->quiet) return;
  print_line(progress, done, "\n");
}
