#include "app/scheduler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sources: sbatch(1), qsub(1B) of OpenPBS, bsub(1), flux-batch(1), qsub(1) of Grid Engine. */
static const ebr_scheduler schedulers[] = {
    {"slurm", "sbatch", "sbatch --parsable", "--dependency=afterany:%s", "", "squeue -h -j %s -o %%i", "mpirun -n %d",
     true},
    {"pbs", "qsub", "qsub", "-W depend=afterany:%s", "", "qstat %s", "mpirun -n %d", true},
    {"lsf", "bsub", "bsub <", "-w 'ended(%s)'", "Job <", "bjobs -noheader %s", "mpirun -n %d", true},
    {"flux", "flux", "flux batch", "--dependency=afterany:%s", "", "flux jobs -n %s", "flux run -n %d", false},
    {"sge", "qsub", "qsub -terse", "-hold_jid %s", "", "qstat -j %s", "mpirun -n %d", true},
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

static ebr_error *find_id(const ebr_scheduler *scheduler, const char *answer, char id[64])
{
  ebr_error *error = NULL;
  const char *start = strstr(answer, scheduler->before_id);
  if (start) start += strlen(scheduler->before_id);
  size_t length = start ? strcspn(start, ";> \n") : 0;
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

bool ebr_scheduler_knows(const ebr_scheduler *scheduler, const char *id)
{
  char command[256], answer[1024];
  if (strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-[]") != strlen(id)) return false;
  int length = snprintf(command, sizeof command, scheduler->query, id);
  snprintf(command + length, sizeof command - (size_t)length, " 2>/dev/null");
  return run_command(command, answer, sizeof answer) == 0 && answer[0];
}
