/* The program: one file a subcommand, one line a subcommand in main.c. Results go to stdout, messages to stderr. */
#ifndef EBR_APP_APP_H
#define EBR_APP_APP_H

#include <ebrsweep/parallel.h>

/* argv[0] is the subcommand's name. Long-running ones return EBR_STOPPED or EBR_FAILED_RUNS for exit codes 75 and 1. */
ebr_error *ebr_app_run(int argc, char **argv);
ebr_error *ebr_app_plan(int argc, char **argv);
ebr_error *ebr_app_submit(int argc, char **argv);
ebr_error *ebr_app_show(int argc, char **argv);
ebr_error *ebr_app_status(int argc, char **argv);
ebr_error *ebr_app_law(int argc, char **argv);
ebr_error *ebr_app_merge(int argc, char **argv);
ebr_error *ebr_app_spectrum(int argc, char **argv);
ebr_error *ebr_app_claims(int argc, char **argv);

/* Writes the error's message to stderr, as the program's last word; nothing for an error whose message is empty. */
void ebr_app_say(const ebr_error *error);
/* Collective, with the error that all ranks agreed on, or NULL: rank 0 says it before any rank ends, since mpirun kills
 * the others as soon as one has ended with a code. Returns an error of the same code without words. */
ebr_error *ebr_app_say_once(MPI_Comm comm, ebr_error *error);

#endif
