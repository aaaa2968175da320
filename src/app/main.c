#include "app/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ebrsweep/commit.h>

typedef struct subcommand {
  const char *name, *arguments, *help;
  ebr_error *(*main)(int argc, char **argv);
} subcommand;

static const subcommand *subcommand_at(int index)
{
  static const subcommand subcommands[] = {
      {"plan", "SWEEP", "how many runs, how long, how much memory, on how many ranks", ebr_app_plan},
      {"run", "SWEEP", "train and measure, under mpirun or srun; creates or resumes the results file", ebr_app_run},
      {"submit", "SWEEP", "the same as a job: Slurm, PBS, LSF, Flux, Grid Engine", ebr_app_submit},
      {"status", "RESULTS", "done, running, failed, rate and time left, also while it runs", ebr_app_status},
      {"show", "RESULTS", "a table of runs", ebr_app_show},
      {"law", "RESULTS", "do collisions grow quadratically with modalities? fits, intervals, verdicts", ebr_app_law},
      {"merge", "OUT IN...", "results of several jobs of one sweep in one file", ebr_app_merge},
      {"spectrum", "FILE:PATH", "singular values and ranks of a matrix in HDF5 or .npy, over the ranks", ebr_app_spectrum},
      {"claims", "RESULTS...", "which of the paper's claims hold? effects, intervals, controls, verdicts", ebr_app_claims},
  };
  return index < (int)(sizeof subcommands / sizeof *subcommands) ? &subcommands[index] : NULL;
}

static void print_help(FILE *to)
{
  fprintf(to, "Usage: ebrsweep COMMAND [OPTION...] FILE\n"
              "Trains many small multimodal networks and tells whether, and why, they stop using some modalities.\n\n"
              "Commands:\n");
  for (int i = 0; subcommand_at(i); i++)
    fprintf(to, "  %-8s %-10s %s\n", subcommand_at(i)->name, subcommand_at(i)->arguments, subcommand_at(i)->help);
  fprintf(to,
          "\n`ebrsweep COMMAND --help` tells more; `ebrsweep --version` which version this is.\n"
          "Exit codes: 0 done, 1 some runs failed, 2 usage or input file, 3 environment, 75 stopped with work left.\n");
}

/* OpenBLAS chose its kernel before main began: only a fresh start can choose another. */
static void restart_with_better_kernel(char **argv)
{
  const char *better = ebr_blas_better_kernel();
  if (!better || getenv("OPENBLAS_CORETYPE")) return;
  setenv("OPENBLAS_CORETYPE", better, 1);
  setenv("EBRSWEEP_CHOSE_KERNEL", "1", 1); /* jobs that inherit this environment undo it */
  setenv("OPENBLAS_NUM_THREADS", "1", 0);
  execv("/proc/self/exe", argv);
}

static const subcommand *find(const char *name)
{
  for (int i = 0; subcommand_at(i); i++)
    if (strcmp(subcommand_at(i)->name, name) == 0) return subcommand_at(i);
  return NULL;
}

static int unknown(const char *name)
{
  const subcommand *nearest = NULL;
  for (int i = 0; subcommand_at(i); i++)
    if (ebr_text_distance(name, subcommand_at(i)->name) <= 2) nearest = subcommand_at(i);
  fprintf(stderr, "ebrsweep: there is no command '%s'%s%s%s; see ebrsweep --help\n", name,
          nearest ? ", did you mean '" : "", nearest ? nearest->name : "", nearest ? "'?" : "");
  return ebr_code_exit(EBR_USAGE);
}

void ebr_app_say(const ebr_error *error)
{
  if (!error || !ebr_error_message(error)[0]) return;
  fprintf(stderr, "ebrsweep: %s\n", ebr_error_message(error));
  if (getenv("EBR_TRACE")) fputs(ebr_error_trace(error), stderr);
}

ebr_error *ebr_app_say_once(MPI_Comm comm, ebr_error *error)
{
  int rank = 0;
  if (!error) return NULL;
  ebr_code code = ebr_error_code(error);
  if (MPI_Comm_rank(comm, &rank) != MPI_SUCCESS || rank == 0) ebr_app_say(error);
  ebr_error_destroy(&error);
  MPI_Barrier(comm);
  return ebr_error_create(code, __FILE__, __LINE__, "%s", "");
}

int main(int argc, char **argv)
{
  if (argc < 2) {
    print_help(stderr);
    return ebr_code_exit(EBR_USAGE);
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
    print_help(stdout);
    return 0;
  }
  if (strcmp(argv[1], "--version") == 0) {
    printf("ebrsweep %s (%s), %s, training in %s\n", EBR_VERSION, EBR_COMMIT, EBR_COMPILER,
           sizeof(ebr_real) == 8 ? "double" : "float");
    return 0;
  }
  const subcommand *chosen = find(argv[1]);
  if (!chosen) return unknown(argv[1]);
  restart_with_better_kernel(argv);
  ebr_memory_prepare();
  ebr_error *error = chosen->main(argc - 1, argv + 1);
  int code = ebr_code_exit(ebr_error_code(error));
  ebr_app_say(error);
  ebr_error_destroy(&error);
  return code;
}
