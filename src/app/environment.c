#include "app/environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

struct ebr_environment {
  int count;
  char *variable[]; /* NAME=VALUE */
};

ebr_error *ebr_environment_keep(ebr_environment **kept)
{
  ebr_error *error = NULL;
  int count = 0;
  while (environ && environ[count]) count++;
  ebr_environment *copy = calloc(1, sizeof *copy + (size_t)count * sizeof *copy->variable);
  EBR_CHECK_MEMORY(copy, "the environment");
  for (; copy->count < count; copy->count++) {
    copy->variable[copy->count] = strdup(environ[copy->count]);
    EBR_CHECK_MEMORY(copy->variable[copy->count], "the environment");
  }
  *kept = copy;
  copy = NULL;
done:
  for (int i = 0; copy && i < copy->count; i++) free(copy->variable[i]);
  free(copy);
  return error;
}

void ebr_environment_restore(ebr_environment **kept)
{
  ebr_environment *copy = *kept;
  if (!copy) return;
  clearenv();
  for (int i = 0; i < copy->count; i++) {
    char *value = strchr(copy->variable[i], '=');
    if (value) {
      *value = 0;
      setenv(copy->variable[i], value + 1, 1);
    }
    free(copy->variable[i]);
  }
  free(copy);
  *kept = NULL;
}
