#include <ebrsweep/schedule.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum { TEXT = 4096, STOPPED_EXIT = 75 };

/* As in signals.c, nobody hands the handler a context; and what it calls must not allocate. */
static struct {
  char folder[TEXT], note[TEXT], sentence[TEXT];
  size_t length;
} watched;

static void end_process(int signal_number)
{
  (void)signal_number;
  (void)mkdir(watched.folder, 0777);
  int file = open(watched.note, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (file >= 0) {
    ssize_t kept = write(file, watched.sentence, watched.length);
    if (kept >= 0) (void)fsync(file);
    (void)close(file);
  }
  ssize_t said = write(STDERR_FILENO, watched.sentence, watched.length);
  (void)said;
  _exit(STOPPED_EXIT);
}

static ebr_error *set_timer(double seconds)
{
  ebr_error *error = NULL;
  struct itimerval timer = {
      .it_value = {.tv_sec = (time_t)seconds, .tv_usec = (suseconds_t)(1e6 * (seconds - (double)(time_t)seconds))}};
  EBR_CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0, EBR_ENVIRONMENT, "no timer of %g s can be set: %s", seconds,
            strerror(errno));
done:
  return error;
}

ebr_error *ebr_watchdog_arm(double seconds, const char *folder, const char *note, const char *sentence)
{
  ebr_error *error = NULL;
  struct sigaction action = {.sa_handler = end_process};
  EBR_CHECK(strlen(folder) < TEXT - 96 && strlen(note) < TEXT - 96 && strlen(sentence) < TEXT - 96, EBR_USAGE,
            "the name of %s is too long to watch over its run", note);
  ebr_watchdog_disarm();
  snprintf(watched.folder, TEXT, "%s", folder);
  snprintf(watched.note, TEXT, "%s", note);
  watched.length = (size_t)snprintf(watched.sentence, TEXT, "%s\n", sentence);
  sigemptyset(&action.sa_mask);
  EBR_CHECK(sigaction(SIGALRM, &action, NULL) == 0, EBR_ENVIRONMENT, "signal %d cannot be caught: %s", SIGALRM,
            strerror(errno));
  EBR_TRY(set_timer(seconds));
done:
  return error;
}

void ebr_watchdog_disarm(void)
{
  struct itimerval none = {{0, 0}, {0, 0}};
  (void)setitimer(ITIMER_REAL, &none, NULL);
}
