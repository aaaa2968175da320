#include "app/scheduler.h"

#include "app/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sources: sbatch(1), qsub(1B) of OpenPBS, bsub(1), flux-batch(1), qsub(1) of Grid Engine. LSF and Flux answer for jobs
 * that have ended, too. In OpenPBS only managers and operators may qrerun. The script of a Flux job runs in a Flux of
 * its own: only its parent's queue outlives it. */
static const ebr_scheduler schedulers[] = {
    {.name = "slurm",
     .program = "sbatch",
     .submit = "sbatch --parsable",
     .depend = "--dependency=afterany:%s",
     .before_id = "",
     .first = "0123456789",
     .query = "squeue -h -j %s -o %%i",
     .cancel = "scancel %s",
     .launcher = "mpirun -n %d",
     .arrays = true},
    {.name = "pbs",
     .program = "qsub",
     .submit = "qsub",
     .resubmit = "qsub",
     .depend = "-W depend=afterany:%s",
     .before_id = "",
     .first = "0123456789",
     .query = "qstat %s",
     .cancel = "qdel %s",
     .launcher = "mpirun -n %d"},
    {.name = "lsf",
     .program = "bsub",
     .submit = "bsub <",
     .depend = "-w 'ended(%s)'",
     .before_id = "Job <",
     .first = "0123456789",
     .query = "bjobs -noheader -o stat %s | grep -vE 'DONE|EXIT'",
     .cancel = "bkill %s",
     .launcher = "mpirun -n %d",
     .arrays = true},
    {.name = "flux",
     .program = "flux",
     .submit = "flux batch",
     .resubmit = "flux --parent batch",
     .depend = "--dependency=afterany:%s",
     .before_id = "",
     .first = "\xC6"
              "f0123456789", /* the letter f with a hook, in UTF-8 */
     .query = "flux jobs -n -o '{state}' %s | grep -v INACTIVE",
     .cancel = "flux cancel %s",
     .launcher = "flux run -n %d"},
    {.name = "sge",
     .program = "qsub",
     .submit = "qsub -terse",
     .depend = "-hold_jid %s",
     .before_id = "",
     .first = "0123456789",
     .query = "qstat -j %s",
     .cancel = "qdel %s",
     .launcher = "mpirun -n %d",
     .arrays = true},
};

enum { SCHEDULERS = sizeof schedulers / sizeof *schedulers };

static bool on_path(const char *program)
{
  char folder[4096], path[4200];
  const char *start = getenv("PATH");
  while (start && *start) {
    size_t length = strcspn(start, ":");
    snprintf(folder, sizeof folder, "%.*s", (int)length, start);
    snprintf(path, sizeof path, "%s/%s", folder, program);
    if (access(path, X_OK) == 0) return true;
    start += length + (start[length] == ':');
  }
  return false;
}

/* PBS and Grid Engine have commands of the same name. */
static bool is_here(const ebr_scheduler *scheduler)
{
  bool grid_engine = getenv("SGE_ROOT") != NULL;
  if (strcmp(scheduler->name, "pbs") == 0 && grid_engine) return false;
  if (strcmp(scheduler->name, "sge") == 0 && !grid_engine) return false;
  return on_path(scheduler->program);
}

ebr_error *ebr_scheduler_find(const char *name, const ebr_scheduler **scheduler)
{
  ebr_error *error = NULL;
  for (int i = 0; i < SCHEDULERS; i++) {
    *scheduler = &schedulers[i];
    if (name ? strcmp(name, schedulers[i].name) == 0 : is_here(&schedulers[i])) goto done;
  }
  EBR_CHECK(!name, EBR_USAGE, "submit: there is no scheduler '%s'; there are slurm, pbs, lsf, flux and sge", name);
  EBR_FAIL(EBR_ENVIRONMENT, "submit: no scheduler is found here (sbatch, qsub, bsub, flux): is this a login node?");
done:
  return error;
}

/* Everything that the command writes, at most capacity - 1 bytes of it. */
static int run_command(const char *command, char *answer, size_t capacity)
{
  size_t length = 0, got;
  FILE *pipe = popen(command, "r");
  answer[0] = 0;
  if (!pipe) return -1;
  while (length + 1 < capacity && (got = fread(answer + length, 1, capacity - 1 - length, pipe)) > 0) length += got;
  answer[length] = 0;
  while (length > 0 && answer[length - 1] == '\n') answer[--length] = 0;
  int status = pclose(pipe);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The length of the id that the line consists of, or names; 0 for none. */
static size_t measure_id(const ebr_scheduler *scheduler, const char *line, const char **start)
{
  size_t length = strcspn(line, "\n"), skip = strlen(scheduler->before_id);
  if (strncmp(line, scheduler->before_id, skip) != 0 || !line[skip] || !strchr(scheduler->first, line[skip])) return 0;
  *start = line + skip;
  size_t id = strcspn(*start, ";> \n");
  bool alone = line[skip + id] == ';' || line[skip + id] == '>' || skip + id == length;
  return alone ? id : 0;
}

/* A site's filter may write lines of its own in front: the last line that names a job counts. */
static ebr_error *find_id(const ebr_scheduler *scheduler, const char *answer, char id[64])
{
  ebr_error *error = NULL;
  const char *start = NULL;
  size_t length = 0;
  for (const char *line = answer; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
    const char *here = NULL;
    size_t found = measure_id(scheduler, line, &here);
    if (found == 0) continue;
    length = found;
    start = here;
  }
  EBR_CHECK(length > 0 && length < 64, EBR_ENVIRONMENT, "submit: %s answered '%s', which names no job", scheduler->name,
            answer);
  memcpy(id, start, length);
  id[length] = 0;
  /* Grid Engine's answer for an array is 17.1-4:1. */
  if (strcmp(scheduler->name, "sge") == 0) id[strcspn(id, ".")] = 0;
done:
  return error;
}

ebr_error *ebr_scheduler_submit(const ebr_scheduler *scheduler, const char *script, const char *after, char id[64])
{
  ebr_error *error = NULL;
  ebr_text command = {0};
  char answer[1024], wait[128] = "";
  const char *redirect = strchr(scheduler->submit, '<');
  if (after) snprintf(wait, sizeof wait, scheduler->depend, after);
  EBR_TRY(ebr_text_add(&command, "%.*s %s %s %s 2>&1", (int)strcspn(scheduler->submit, "<"), scheduler->submit, wait,
                       redirect ? "<" : "", script));
  int code = run_command(command.data, answer, sizeof answer);
  EBR_CHECK(code == 0, EBR_ENVIRONMENT, "submit: %s refused the job: %s", scheduler->name,
            answer[0] ? answer : "it said nothing");
  EBR_TRY(find_id(scheduler, answer, id));
done:
  ebr_text_destroy(&command);
  return error;
}

/* A command about a job: what it prints, and whether it succeeds. The id may come from a file that anybody wrote. */
static bool ask(const char *pattern, const char *id, char *answer, size_t capacity)
{
  bool asked = false;
  char command[512];
  ebr_text quoted = {0}, all = {0};
  ebr_error *error = ebr_template_quote(id, &quoted);
  if (error) goto done;
  snprintf(command, sizeof command, pattern, quoted.data);
  error = ebr_text_add(&all, "( %s ) 2>/dev/null", command);
  asked = !error && run_command(all.data, answer, capacity) == 0;
done:
  ebr_error_destroy(&error);
  ebr_text_destroy(&quoted);
  ebr_text_destroy(&all);
  return asked;
}

bool ebr_scheduler_cancel(const ebr_scheduler *scheduler, const char *id)
{
  char answer[1024];
  return ask(scheduler->cancel, id, answer, sizeof answer);
}

bool ebr_scheduler_knows(const ebr_scheduler *scheduler, const char *id)
{
  char answer[1024];
  return ask(scheduler->query, id, answer, sizeof answer) && answer[0];
}
