/* Commands that need PETSc are in a program of their own, ebrsweep-petsc: it loads sixty libraries more than the others
 * need. That takes as long as most commands, and on a cluster each rank would ask the file system for them. */
#include "app/app.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PLACE_MOST = 2 * PATH_MAX };

/* Beside this program, as it is built, or where it is installed from bin/. */
static bool find(char *path)
{
  char folder[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
  folder[length > 0 ? length : 0] = 0;
  char *slash = strrchr(folder, '/');
  if (!slash) return false;
  *slash = 0;
  snprintf(path, PLACE_MOST, "%s/ebrsweep-petsc", folder);
  if (access(path, X_OK) == 0) return true;
  if (EBR_LIBEXEC[0] == '/') snprintf(path, PLACE_MOST, "%s/ebrsweep/ebrsweep-petsc", EBR_LIBEXEC);
  else snprintf(path, PLACE_MOST, "%s/../%s/ebrsweep/ebrsweep-petsc", folder, EBR_LIBEXEC);
  return access(path, X_OK) == 0;
}

/* argv[-1] is the name that this program was started by. */
static ebr_error *delegate(char **argv)
{
  ebr_error *error = NULL;
  char path[PLACE_MOST];
  EBR_CHECK(find(path), EBR_ENVIRONMENT, "%s: there is no ebrsweep-petsc beside this program, nor in %s/ebrsweep", argv[0],
            EBR_LIBEXEC);
  execv(path, argv - 1);
  EBR_FAIL(EBR_ENVIRONMENT, "%s: %s cannot be started: %s", argv[0], path, strerror(errno));
done:
  return error;
}

ebr_error *ebr_app_law(int argc, char **argv)
{
  (void)argc;
  return delegate(argv);
}

ebr_error *ebr_app_spectrum(int argc, char **argv)
{
  (void)argc;
  return delegate(argv);
}
