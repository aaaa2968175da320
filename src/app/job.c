#include "app/job.h"

#include "app/template.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ebr_error *ebr_job_time(const char *text, int64_t *seconds)
{
  ebr_error *error = NULL;
  long days = 0, hours = 0, minutes = 0, rest = 0;
  int length = 0;
  char unit = 0;
  bool read = (sscanf(text, "%ld-%ld:%ld:%ld%n", &days, &hours, &minutes, &rest, &length) == 4 && !text[length]) ||
              (days = 0, sscanf(text, "%ld:%ld:%ld%n", &hours, &minutes, &rest, &length) == 3 && !text[length]);
  if (!read) {
    hours = rest = 0;
    read = sscanf(text, "%ld%c%n", &minutes, &unit, &length) == 2 && !text[length] && strchr("mhd", unit);
    if (!read) read = sscanf(text, "%ld%n", &minutes, &length) == 1 && !text[length];
    else minutes *= unit == 'h' ? 60 : unit == 'd' ? 24 * 60 : 1;
  }
  *seconds = ((days * 24 + hours) * 60 + minutes) * 60 + rest;
  EBR_CHECK(read && days >= 0 && hours >= 0 && minutes >= 0 && rest >= 0 && *seconds > 0 && *seconds < 366 * 86400L,
            EBR_USAGE, "'%s' is no walltime: 90 (minutes), 1:30:00, 2-00:00:00, 45m, 12h and 2d are", text);
done:
  return error;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

enum { VALUES_MOST = 40 };

/* Values with room for those that are made here. */
typedef struct values {
  ebr_template_value value[VALUES_MOST];
  ebr_text made[VALUES_MOST];
  int count;
} values;

static void set(values *v, const char *name, const char *value)
{
  v->value[v->count++] = (ebr_template_value){name, value};
}

static EBR_PRINTF(3, 4) ebr_error *print(values *v, const char *name, const char *format, ...)
{
  char text[2 * PATH_MAX];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  ebr_error *error = ebr_text_add(&v->made[v->count], "%s", text);
  set(v, name, v->made[v->count].data);
  return error;
}

static ebr_error *quote(values *v, const char *name, const char *word)
{
  ebr_error *error = ebr_template_quote(word, &v->made[v->count]);
  set(v, name, v->made[v->count].data);
  return error;
}

static void release(values *v)
{
  for (int i = 0; i < VALUES_MOST; i++) ebr_text_destroy(&v->made[i]);
}

static const char *either(const char *first, const char *second) { return first ? first : second; }

static ebr_error *set_time(values *v, const char *name, int64_t seconds)
{
  return print(v, name, "%02lld:%02lld:%02lld", (long long)(seconds / 3600), (long long)(seconds / 60 % 60),
               (long long)(seconds % 60));
}

/* The name of a job: letters, digits and dashes, which all schedulers take. */
static ebr_error *set_name(const ebr_job *job, const char *ending, values *v)
{
  ebr_error *error = NULL;
  const char *base = strrchr(job->results, '/');
  char name[64];
  snprintf(name, sizeof name, "%s", base ? base + 1 : job->results);
  name[strcspn(name, ".")] = 0;
  for (char *at = name; *at; at++)
    if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || *at == '_'))
      *at = '-';
  EBR_TRY(print(v, "name", "%s%s%s", name[0] >= '0' && name[0] <= '9' ? "e" : "", name, ending));
  if (job->parts > 1) EBR_TRY(print(v, "job_array", "%s[1-%d]", v->value[v->count - 1].value, job->parts));
  else EBR_TRY(print(v, "job_array", "%s", v->value[v->count - 1].value));
done:
  return error;
}

/* A directive's value goes as it is into a line that the scheduler reads: no shell quotes it. */
static ebr_error *set_word(values *v, const char *name, const char *word)
{
  ebr_error *error = NULL;
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=,+@";
  size_t length = word ? strspn(word, plain) : 0;
  EBR_CHECK(!word || (word[0] && !word[length]), EBR_USAGE,
            "submit: the %s '%s' %s, which a script's directives cannot hold", name, word,
            word[0] ? "has a blank or a special character in it" : "is empty");
  set(v, name, word);
done:
  return error;
}

void ebr_job_part(const ebr_job *job, int part, char path[PATH_MAX])
{
  int stem = (int)strlen(job->results);
  if (stem > 3 && strcmp(job->results + stem - 3, ".h5") == 0) stem -= 3;
  if (part == 0) snprintf(path, PATH_MAX, "%s", job->results);
  else snprintf(path, PATH_MAX, "%.*s.part-%d.h5", stem, job->results, part);
}

static ebr_error *set_place(const ebr_job *job, const char *ending, values *v)
{
  ebr_error *error = NULL;
  char folder[PATH_MAX], program[PATH_MAX];
  EBR_CHECK(getcwd(folder, sizeof folder), EBR_ENVIRONMENT, "this folder has no name: %s", strerror(errno));
  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  EBR_CHECK(length > 0, EBR_ENVIRONMENT, "this program does not know where it is: %s", strerror(errno));
  program[length] = 0;
  EBR_TRY(quote(v, "folder", folder));
  EBR_TRY(quote(v, "program", program));
  EBR_TRY(quote(v, "sweep", job->sweep));
  EBR_TRY(set_word(v, "results", job->results));
  EBR_TRY(print(v, "record", "%s.job", job->results));
  EBR_TRY(print(v, "log", "%s%s.log", job->results, ending));
  /* A job that is submitted anew would begin the scheduler's log anew. */
  if (job->scheduler->resubmit) EBR_TRY(print(v, "own_log", "exec >>%s%s.log 2>&1", job->results, ending));
  else set(v, "own_log", NULL);
done:
  return error;
}

static ebr_error *set_site(const ebr_job *job, values *v)
{
  ebr_error *error = NULL;
  ebr_text setup = {0};
  EBR_TRY(set_word(v, "account", either(job->account, job->site->account)));
  EBR_TRY(set_word(v, "partition", either(job->partition, job->site->partition)));
  set(v, "environment", either(job->site->environment, "mpi"));
  set(v, "extra", job->site->extra);
  for (const char *at = job->site->modules; at && *at; at += strcspn(at, "\n"), at += *at == '\n')
    EBR_TRY(ebr_text_add(&setup, "%smodule load %.*s", setup.data ? "\n" : "", (int)strcspn(at, "\n"), at));
  if (job->site->setup) EBR_TRY(ebr_text_add(&setup, "%s%s", setup.data ? "\n" : "", job->site->setup));
  v->made[v->count] = setup;
  set(v, "setup", setup.data);
  setup = (ebr_text){0};
done:
  ebr_text_destroy(&setup);
  return error;
}

static ebr_error *set_size(const ebr_job *job, int nodes, int ranks_per_node, int64_t seconds, values *v)
{
  ebr_error *error = NULL;
  EBR_TRY(print(v, "nodes", "%d", nodes));
  EBR_TRY(print(v, "ranks_per_node", "%d", ranks_per_node));
  EBR_TRY(print(v, "ranks", "%d", nodes * ranks_per_node));
  EBR_TRY(print(v, "memory", "%lld", (long long)job->memory));
  EBR_TRY(print(v, "node_memory", "%lld", (long long)(job->memory * ranks_per_node)));
  EBR_TRY(print(v, "warning", "%lld", (long long)job->warning));
  EBR_TRY(print(v, "warning_minutes", "%lld", (long long)((job->warning + 59) / 60)));
  EBR_TRY(print(v, "time_minutes", "%lld", (long long)((seconds + 59) / 60)));
  EBR_TRY(set_time(v, "time", seconds));
  EBR_TRY(set_time(v, "soft_time", seconds - job->warning > 1 ? seconds - job->warning : 1));
done:
  return error;
}

/* A job that is put back by submitting it anew cannot be waited for: the last part that finishes submits what comes
 * after. A folder can be made once, should two parts finish at the same moment. */
static ebr_error *set_next(const ebr_job *job, values *v)
{
  ebr_error *error = NULL;
  char stem[PATH_MAX];
  if (job->scheduler->arrays || (job->parts == 1 && !job->report)) {
    set(v, "next", NULL);
    goto done;
  }
  ebr_job_part(job, 1, stem);
  *strstr(stem, ".part-1.h5") = 0;
  if (job->parts == 1) EBR_TRY(print(v, "next", "submit_anew %s.after.sh", job->results));
  else
    EBR_TRY(print(v, "next",
                  "touch \"$results.finished\"\n"
                  "  for one in {1..%d}; do [ -e %s.part-$one.h5.finished ] || exit \"$code\"; done\n"
                  "  mkdir %s.merging 2>/dev/null && submit_anew %s.after.sh",
                  job->parts, stem, job->results, job->results));
done:
  return error;
}

static ebr_error *set_launch(const ebr_job *job, const char *script, int part, values *v)
{
  ebr_error *error = NULL;
  int ranks = job->nodes * job->ranks_per_node;
  bool array = job->parts > 1 && job->scheduler->arrays;
  if (job->site->launcher) set(v, "launcher", job->site->launcher);
  else EBR_TRY(print(v, "launcher", job->scheduler->launcher, ranks));
  EBR_TRY(quote(v, "script", script));
  EBR_TRY(print(v, "parts", "%d", job->parts));
  if (array) EBR_TRY(print(v, "array", "%d", job->parts));
  else set(v, "array", NULL);
  if (part > 0) EBR_TRY(print(v, "part", "%d", part));
  else set(v, "part", "");
  set(v, "arguments", job->arguments);
  EBR_TRY(set_next(job, v));
  EBR_TRY(print(v, "rounds", "%d", 3));
done:
  return error;
}

/* ---- scripts ----------------------------------------------------------------------------------------------------- */

/* How the scheduler takes a job back: for the body alone, since what comes after is done once. */
static ebr_error *set_requeue(const ebr_job *job, values *v)
{
  ebr_error *error = NULL;
  char name[64], *text = NULL;
  set(v, "resubmit", job->scheduler->resubmit);
  snprintf(name, sizeof name, "%s.requeue.sh.in", job->scheduler->name);
  EBR_TRY(ebr_template_read(name, &text));
  EBR_TRY(ebr_template_render(text, v->value, &v->made[v->count]));
  v->made[v->count].data[v->made[v->count].length - 1] = 0;
  set(v, "requeue", v->made[v->count].data);
done:
  free(text);
  return error;
}

/* The scheduler's template around a body of commands. */
static ebr_error *render(const ebr_job *job, const char *body_name, values *v, ebr_text *out)
{
  ebr_error *error = NULL;
  char name[64], *body = NULL, *frame = NULL;
  ebr_text commands = {0};
  snprintf(name, sizeof name, "%s.sh.in", job->scheduler->name);
  EBR_TRY(ebr_template_read(name, &frame));
  EBR_TRY(ebr_template_read(body_name, &body));
  EBR_TRY(ebr_template_render(body, v->value, &commands));
  if (commands.length > 0) commands.data[commands.length - 1] = 0; /* the frame ends the last line */
  set(v, "body", commands.data);
  EBR_TRY(ebr_template_render(frame, v->value, out));
done:
  ebr_text_destroy(&commands);
  free(body);
  free(frame);
  return error;
}

ebr_error *ebr_job_script(const ebr_job *job, const char *script, int part, ebr_text *out)
{
  ebr_error *error = NULL;
  values v = {0};
  char ending[32] = "";
  EBR_TRY(set_name(job, "", &v));
  if (part > 0) snprintf(ending, sizeof ending, ".part-%d", part);
  EBR_TRY(set_place(job, ending, &v));
  EBR_TRY(set_site(job, &v));
  EBR_TRY(set_size(job, job->nodes, job->ranks_per_node, job->seconds, &v));
  EBR_TRY(set_launch(job, script, part, &v));
  EBR_TRY(set_requeue(job, &v));
  EBR_TRY(render(job, "body.sh.in", &v, out));
done:
  release(&v);
  return error;
}

static ebr_error *set_after(const ebr_job *job, values *v)
{
  ebr_error *error = NULL;
  char report[PATH_MAX];
  int stem = (int)strlen(job->results);
  if (stem > 3 && strcmp(job->results + stem - 3, ".h5") == 0) stem -= 3;
  const char *program = NULL;
  for (int i = 0; i < v->count; i++)
    if (strcmp(v->value[i].name, "program") == 0) program = v->value[i].value;
  bool marks = job->parts > 1 && !job->scheduler->arrays;
  if (job->parts == 1) set(v, "merge", NULL);
  else
    EBR_TRY(print(v, "merge", "%s merge --force %s %.*s.part-*.h5 || exit", program, job->results, stem, job->results));
  if (marks) EBR_TRY(print(v, "tidy", "rm -rf %.*s.part-*.h5.finished %s.merging", stem, job->results, job->results));
  else set(v, "tidy", NULL);
  ebr_template_find("analysis/report.py", "analysis/report.py", report, sizeof report);
  if (job->report) EBR_TRY(print(v, "report", "python3 %s %s -o %.*s.html", report, job->results, stem, job->results));
  else set(v, "report", NULL);
done:
  return error;
}

ebr_error *ebr_job_after_script(const ebr_job *job, ebr_text *out)
{
  ebr_error *error = NULL;
  values v = {0};
  ebr_text script = {0};
  ebr_job after = *job;
  after.parts = 1;
  EBR_TRY(set_name(&after, "-after", &v));
  EBR_TRY(set_place(job, ".after", &v));
  EBR_TRY(set_site(job, &v));
  EBR_TRY(set_size(job, 1, 1, 3600, &v));
  EBR_TRY(ebr_text_add(&script, "%s.after.sh", job->results));
  EBR_TRY(set_launch(&after, script.data, 0, &v));
  EBR_TRY(set_after(job, &v));
  EBR_TRY(render(job, "after.sh.in", &v, out));
done:
  ebr_text_destroy(&script);
  release(&v);
  return error;
}
