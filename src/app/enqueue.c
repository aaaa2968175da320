#include "app/enqueue.h"

#include "app/app.h"
#include "app/template.h"

#include <ebrsweep/store.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct queue {
  const ebr_job *job;
  bool dry_run, again;
  char record[PATH_MAX];
  char *before; /* the record of the last submission, NULL for none */
  ebr_text ids; /* of the jobs that were submitted, a line each */
} queue;

static ebr_error *write_text(const char *path, const char *mode, const char *text)
{
  ebr_error *error = NULL;
  FILE *file = fopen(path, mode);
  EBR_CHECK(file, EBR_FILE, "%s: cannot be written: %s", path, strerror(errno));
  bool written = fputs(text, file) >= 0;
  written = fclose(file) == 0 && written;
  EBR_CHECK(written, EBR_FILE, "%s: cannot be written: %s", path, strerror(errno));
done:
  return error;
}

/* ---- whose results they are -------------------------------------------------------------------------------------- */

/* Jobs of the last submission that the scheduler still knows; parts: of how many that submission was, 0 for none. */
static ebr_error *check_record(const queue *q, int *parts)
{
  ebr_error *error = NULL;
  char name[32], id[64];
  FILE *file = fopen(q->record, "r");
  *parts = 0;
  while (file && fscanf(file, "%31s %63s %d", name, id, parts) == 3)
    EBR_CHECK(q->again || strcmp(name, q->job->scheduler->name) != 0 || !ebr_scheduler_knows(q->job->scheduler, id),
              EBR_USAGE, "submit: job %s for %s is in the queue already; --again submits another", id, q->job->results);
done:
  if (file) fclose(file);
  return error;
}

static bool has_part(const ebr_job *job, int part)
{
  char path[PATH_MAX];
  ebr_job_part(job, part, path);
  return access(path, F_OK) == 0;
}

/* Parts do run I, I + K...: those of another K would do some runs twice and others never. */
static ebr_error *check_parts(const ebr_job *job, int parts_before)
{
  ebr_error *error = NULL;
  bool whole = access(job->results, F_OK) == 0, begun = false;
  for (int part = 1; part <= parts_before && !begun; part++) begun = has_part(job, part);
  if (job->parts == 1) {
    EBR_CHECK(!begun || parts_before == 1 || whole, EBR_USAGE,
              "submit: the parts of an --array %d for %s are not merged yet: go on with that --array, or merge them",
              parts_before, job->results);
    goto done;
  }
  EBR_CHECK(!begun || parts_before == job->parts, EBR_USAGE,
            "submit: the parts of %s are of --array %d, not %d: go on with that, or name other results with -o",
            job->results, parts_before, job->parts);
  EBR_CHECK(!whole || begun, EBR_USAGE,
            "submit: %s is there, and the parts of an --array would do its runs again: go on without --array, or name "
            "other results with -o",
            job->results);
done:
  return error;
}

static ebr_error *check_not_written(const queue *q)
{
  ebr_error *error = NULL;
  ebr_results *results = NULL;
  if (access(q->job->results, F_OK) != 0) goto done;
  EBR_TRY(ebr_results_open(q->job->results, &results));
  EBR_CHECK(q->again || !ebr_results_writer(results)[0], EBR_USAGE,
            "submit: %s is being written by %s (if that was killed: --again)", q->job->results, ebr_results_writer(results));
done:
  ebr_results_close(&results);
  return error;
}

/* What an earlier submission's jobs left to tell one another. */
static void forget_marks(const ebr_job *job)
{
  char path[2 * PATH_MAX], part[PATH_MAX];
  snprintf(path, sizeof path, "%s.merging", job->results);
  rmdir(path);
  for (int i = 0; i <= job->parts; i++) {
    ebr_job_part(job, job->parts > 1 ? i : 0, part);
    snprintf(path, sizeof path, "%s.finished", part);
    unlink(path);
    snprintf(path, sizeof path, "%s.rounds", part);
    unlink(path);
  }
}

/* ---- into the queue ---------------------------------------------------------------------------------------------- */

static ebr_error *write_script(const ebr_job *job, const char *suffix, const char *text, char path[PATH_MAX])
{
  ebr_error *error = NULL;
  snprintf(path, PATH_MAX, "%s.%s", job->results, suffix);
  EBR_TRY(write_text(path, "w", text));
  chmod(path, 0755);
done:
  return error;
}

/* Recorded at once: a job may start, end and add the one that follows it before the next is submitted. */
static ebr_error *submit_script(queue *q, const char *suffix, const char *text, const char *after, char id[64])
{
  ebr_error *error = NULL;
  ebr_text quoted = {0};
  char path[PATH_MAX], line[128];
  EBR_TRY(write_script(q->job, suffix, text, path));
  EBR_TRY(ebr_template_quote(path, &quoted));
  EBR_TRY(ebr_scheduler_submit(q->job->scheduler, quoted.data, after, id));
  EBR_TRY(ebr_text_add(&q->ids, "%s\n", id));
  snprintf(line, sizeof line, "%s %s %d\n", q->job->scheduler->name, id, q->job->parts);
  EBR_TRY(write_text(q->record, "a", line));
done:
  ebr_text_destroy(&quoted);
  return error;
}

/* One script for one job or an array; where the scheduler has none that can be put back, one a part, and the merging
 * job waits for the last of them. */
static ebr_error *submit_sweep(queue *q, char id[64])
{
  ebr_error *error = NULL;
  const ebr_job *job = q->job;
  int scripts = job->parts > 1 && !job->scheduler->arrays ? job->parts : 1;
  ebr_text script = {0};
  char suffix[32], path[PATH_MAX];
  for (int part = 1; part <= scripts; part++) {
    script.length = 0;
    snprintf(suffix, sizeof suffix, scripts > 1 ? "job-%d.sh" : "job.sh", part);
    snprintf(path, sizeof path, "%s.%s", job->results, suffix);
    EBR_TRY(ebr_job_script(job, path, scripts > 1 ? part : 0, &script));
    if (q->dry_run) fputs(script.data, stdout);
    else EBR_TRY(submit_script(q, suffix, script.data, NULL, id));
    if (!q->dry_run && scripts > 1) printf("submitted job %s for part %d of %d\n", id, part, scripts);
  }
  if (!q->dry_run)
    printf("submitted job %s to %s, script %s.%s, log %s.log\n", id, job->scheduler->name, job->results, suffix,
           job->results);
done:
  ebr_text_destroy(&script);
  return error;
}

static ebr_error *submit_after(queue *q, const char *script, const char *first)
{
  ebr_error *error = NULL;
  const ebr_job *job = q->job;
  char id[64] = "", path[PATH_MAX];
  if (q->dry_run) printf("\n# ---- the job behind it ----\n%s", script);
  else if (!job->scheduler->arrays) EBR_TRY(write_script(job, "after.sh", script, path));
  else {
    EBR_TRY(submit_script(q, "after.sh", script, first, id));
    printf("submitted job %s, which waits for it: %s%s%s\n", id, job->parts > 1 ? "merge" : "",
           job->parts > 1 && job->report ? " and " : "", job->report ? "report" : "");
  }
done:
  return error;
}

static void take_back(queue *q)
{
  for (char *id = q->ids.data, *end; id && *id; id = end + 1) {
    end = strchr(id, '\n');
    *end = 0;
    if (ebr_scheduler_cancel(q->job->scheduler, id)) fprintf(stderr, "submit: took job %s back\n", id);
    else fprintf(stderr, "submit: job %s is in the queue and could not be taken back\n", id);
  }
  unlink(q->record);
  if (!q->before) return;
  ebr_error *error = write_text(q->record, "w", q->before);
  ebr_app_say(error);
  ebr_error_destroy(&error);
}

static ebr_error *check_all(queue *q)
{
  ebr_error *error = NULL;
  int parts_before = 0;
  size_t length;
  if (access(q->record, F_OK) == 0) EBR_TRY(ebr_file_read(q->record, 1 << 20, &q->before, &length));
  EBR_TRY(check_record(q, &parts_before));
  EBR_TRY(check_not_written(q));
  EBR_TRY(check_parts(q->job, parts_before));
done:
  return error;
}

ebr_error *ebr_enqueue(const ebr_job *job, bool dry_run, bool again)
{
  ebr_error *error = NULL;
  queue q = {.job = job, .dry_run = dry_run, .again = again};
  ebr_text after = {0};
  char id[64] = "";
  bool begun = false;
  snprintf(q.record, sizeof q.record, "%s.job", job->results);
  if (!dry_run) {
    EBR_TRY(check_all(&q));
    unlink(q.record);
    begun = true;
    forget_marks(job);
  }
  bool follows = job->parts > 1 || job->report;
  if (follows) EBR_TRY(ebr_job_after_script(job, &after));
  /* Where the last part submits what follows, the script must be there before the first part runs. */
  if (follows && !dry_run && !job->scheduler->arrays) EBR_TRY(submit_after(&q, after.data, NULL));
  EBR_TRY(submit_sweep(&q, id));
  if (follows && (dry_run || job->scheduler->arrays)) EBR_TRY(submit_after(&q, after.data, id));
  if (!dry_run) printf("watch it: ebrsweep status --watch %s\n", job->results);
done:
  if (error && begun) take_back(&q);
  free(q.before);
  ebr_text_destroy(&after);
  ebr_text_destroy(&q.ids);
  return error;
}
