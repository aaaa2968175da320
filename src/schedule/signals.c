#include <ebrsweep/schedule.h>

#include <errno.h>
#include <signal.h>
#include <string.h>

/* A signal handler has nobody to hand it a context: the one mutable at file scope. */
static volatile sig_atomic_t stop_asked = 0;

static void ask_for_stop(int signal_number)
{
  if (signal_number == SIGINT && stop_asked) {
    signal(SIGINT, SIG_DFL);
    raise(SIGINT);
  }
  stop_asked = 1;
}

ebr_error *ebr_signals_catch(void)
{
  ebr_error *error = NULL;
  static const int caught[] = {SIGTERM, SIGUSR1, SIGINT};
  struct sigaction action = {.sa_handler = ask_for_stop, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
    EBR_CHECK(sigaction(caught[i], &action, NULL) == 0, EBR_ENVIRONMENT, "signal %d cannot be caught: %s", caught[i],
              strerror(errno));
done:
  return error;
}

bool ebr_signals_stop(void) { return stop_asked != 0; }
