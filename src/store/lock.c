#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct ebr_lock {
  char *path;
  int file;
};

/* A holder that was killed could not take its name away. Who holds a lock on another host is not known from here. */
static bool has_ended(const char *holder)
{
  char host[64] = "", here[64] = "";
  long process;
  if (sscanf(holder, "process %ld on %63s", &process, host) != 2 || gethostname(here, sizeof here - 1) != 0) return false;
  return strcmp(host, here) == 0 && kill((pid_t)process, 0) != 0 && errno == ESRCH;
}

void ebr_lock_holder(const char *path, char *holder, size_t capacity)
{
  char lock_path[4096];
  holder[0] = 0;
  snprintf(lock_path, sizeof lock_path, "%s.lock", path);
  FILE *file = fopen(lock_path, "re");
  if (!file) return;
  if (!fgets(holder, (int)capacity, file)) holder[0] = 0;
  holder[strcspn(holder, "\n")] = 0;
  if (has_ended(holder)) holder[0] = 0;
  fclose(file);
}

static ebr_error *name_holder(const char *path)
{
  char holder[128];
  ebr_lock_holder(path, holder, sizeof holder);
  return ebr_error_create(EBR_FILE, __FILE__, __LINE__, "%s: another job is writing it (%s)", path,
                          holder[0] ? holder : "it did not say who");
}

/* Some parallel file systems are mounted without locks; there the user must keep jobs apart. */
static bool locks_exist(int code) { return code != ENOSYS && code != ENOTSUP && code != ENOLCK && code != EINVAL; }

static bool still_there(const ebr_lock *lock)
{
  struct stat held, named;
  return fstat(lock->file, &held) == 0 && stat(lock->path, &named) == 0 && held.st_ino == named.st_ino &&
         held.st_dev == named.st_dev;
}

static void sign(const ebr_lock *lock)
{
  char host[64] = "unknown host", text[128];
  gethostname(host, sizeof host - 1);
  int length = snprintf(text, sizeof text, "process %ld on %s\n", (long)getpid(), host);
  if (ftruncate(lock->file, 0) == 0 && pwrite(lock->file, text, (size_t)length, 0) != length) return;
}

/* *gone: the holder before us removed the file that we have just locked; another try is needed. */
static ebr_error *try_once(const char *path, ebr_lock *lock, bool *gone)
{
  ebr_error *error = NULL;
  lock->file = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  EBR_CHECK(lock->file >= 0, EBR_FILE, "%s: cannot be written: %s (%s)", path, strerror(errno), lock->path);
  if (flock(lock->file, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) error = name_holder(path);
    else if (locks_exist(errno))
      error = ebr_error_create(EBR_FILE, __FILE__, __LINE__, "%s: cannot be locked: %s", path, strerror(errno));
    if (error) goto done;
  }
  *gone = !still_there(lock);
done:
  if (lock->file >= 0 && (error || *gone)) {
    close(lock->file);
    lock->file = -1;
  }
  return error;
}

ebr_error *ebr_lock_take(const char *path, ebr_lock **lock)
{
  ebr_error *error = NULL;
  bool gone = true;
  size_t size = strlen(path) + sizeof ".lock";
  *lock = calloc(1, sizeof **lock);
  EBR_CHECK_MEMORY(*lock, "a lock");
  (*lock)->file = -1;
  (*lock)->path = malloc(size);
  EBR_CHECK_MEMORY((*lock)->path, "a lock");
  snprintf((*lock)->path, size, "%s.lock", path);
  for (int attempt = 0; gone && attempt < 100; attempt++) EBR_TRY(try_once(path, *lock, &gone));
  EBR_CHECK(!gone, EBR_FILE, "%s: cannot be locked: its lock file keeps vanishing", path);
  sign(*lock);
done:
  if (error && *lock) {
    free((*lock)->path);
    free(*lock);
    *lock = NULL;
  }
  return error;
}

void ebr_lock_drop(ebr_lock **lock)
{
  if (!*lock) return;
  unlink((*lock)->path);
  close((*lock)->file);
  free((*lock)->path);
  free(*lock);
  *lock = NULL;
}
