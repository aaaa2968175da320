/* ebrsweep spectrum: singular values and ranks of a matrix in a file, over as many ranks as it needs. */
#include "app/app.h"

#include <ebrsweep/measure.h>
#include <ebrsweep/store.h>

#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <slepcsys.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct spectrum_options {
  const char *name, *vectors;
  int top, block;
  ebr_solver solver;
  bool centre, values, json, help;
  bool slepc; /* finds the values */
} spectrum_options;

/* What was found. */
typedef struct spectrum_found {
  ebr_matrix_source source;
  const char *how; /* the solver */
  int ranks, grid_rows, grid_cols;
  double load_seconds, seconds;
  double *singular;
  int count; /* of singular; all of them unless --top said otherwise */
  bool all;
  ebr_ranks measures; /* NaN for what the leading values alone do not tell */
} spectrum_found;

static void print_help(void)
{
  printf("Usage: [mpirun -n RANKS] ebrsweep spectrum FILE:PATH [OPTION...] [-- PETSC OPTION...]\n"
         "Singular values and rank measures of a matrix, which lies over the ranks and never whole on one of them.\n"
         "FILE:PATH is a 2-D dataset in an HDF5 file; a FILE that ends in .npy needs no PATH.\n\n"
         "  -t, --top K         the K leading values alone, by SLEPc; ranks that need all values are then left out\n"
         "  -c, --center        take its mean off each column first\n"
         "  -v, --vectors OUT   write /singular_values, /left and /right to a new HDF5 file\n"
         "  -s, --solver NAME   for all values: band (default) or pdgesvd\n"
         "  -b, --block N       rows and columns of a block of the layout (default: %d, for SLEPc %d)\n"
         "      --values        list the values below the picture of their decay\n"
         "      --json          one object\n"
         "  -h, --help          this text\n\n"
         "`-- -svd_type NAME` has SLEPc find the values: scalapack, cross, trlanczos, randomized...\n",
         EBR_MATRIX_BLOCK, EBR_MATRIX_BLOCK_SLEPC);
}

static ebr_error *parse_count(const char *option, const char *text, int *value)
{
  ebr_error *error = NULL;
  char *end;
  long number = strtol(text, &end, 10);
  EBR_CHECK(end != text && *end == 0 && number >= 1 && number <= 1000000, EBR_USAGE,
            "spectrum: %s wants a whole number from 1 to 1000000, not '%s'", option, text);
  *value = (int)number;
done:
  return error;
}

static ebr_error *parse_solver(const char *text, ebr_solver *solver)
{
  ebr_error *error = NULL;
  int found = 0;
  while (found < EBR_SOLVER_COUNT && strcmp(text, ebr_solver_name((ebr_solver)found)) != 0) found++;
  EBR_CHECK(found < EBR_SOLVER_COUNT, EBR_USAGE, "spectrum: there is no solver '%s'; there are band and pdgesvd", text);
  *solver = (ebr_solver)found;
done:
  return error;
}

static ebr_error *parse_options(int argc, char **argv, spectrum_options *options)
{
  ebr_error *error = NULL;
  static const struct option longs[] = {{"top", required_argument, NULL, 't'},
                                        {"center", no_argument, NULL, 'c'},
                                        {"vectors", required_argument, NULL, 'v'},
                                        {"solver", required_argument, NULL, 's'},
                                        {"block", required_argument, NULL, 'b'},
                                        {"values", no_argument, NULL, 'V'},
                                        {"json", no_argument, NULL, 'J'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};
  int choice;
  opterr = 0;
  optind = 1;
  while ((choice = getopt_long(argc, argv, ":t:cv:s:b:h", longs, NULL)) != -1) switch (choice) {
      case 't': EBR_TRY(parse_count("--top", optarg, &options->top)); break;
      case 'c': options->centre = true; break;
      case 'v': options->vectors = optarg; break;
      case 's': EBR_TRY(parse_solver(optarg, &options->solver)); break;
      case 'b': EBR_TRY(parse_count("--block", optarg, &options->block)); break;
      case 'V': options->values = true; break;
      case 'J': options->json = true; break;
      case 'h': options->help = true; break;
      case ':': EBR_FAIL(EBR_USAGE, "spectrum: option '%s' needs a value", argv[optind - 1]);
      default: EBR_FAIL(EBR_USAGE, "spectrum: there is no option '%s'; see ebrsweep spectrum --help", argv[optind - 1]);
    }
  if (options->help) goto done;
  EBR_CHECK(optind < argc && argv[optind][0], EBR_USAGE, "spectrum: which matrix? See ebrsweep spectrum --help");
  options->name = argv[optind];
done:
  return error;
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */

/* The squared norm is all that the leading values need to have a stable rank. */
static ebr_error *measures_of_leading(const ebr_matrix *matrix, spectrum_found *found)
{
  ebr_error *error = NULL;
  double norm, first = found->singular[0];
  EBR_TRY(ebr_matrix_norm(matrix, &norm));
  found->measures = (ebr_ranks){NAN, NAN, NAN, NAN, first > 0 ? norm / first * (norm / first) : 0, NAN, NAN, NAN};
done:
  return error;
}

static ebr_error *by_slepc(const spectrum_options *options, ebr_matrix *matrix, spectrum_found *found)
{
  ebr_error *error = NULL;
  ebr_triplets t = {0};
  EBR_TRY(ebr_matrix_triplets(matrix, options->top, options->vectors != NULL, &t));
  found->count = t.count;
  memcpy(found->singular, t.singular, (size_t)t.count * sizeof *t.singular);
  found->all = t.count == matrix->at.cols;
  found->how = "SLEPc";
  if (!found->all) EBR_TRY(measures_of_leading(matrix, found));
  if (!options->vectors) goto done;
  if (found->source.transposed)
    t = (ebr_triplets){.count = t.count,
                       .rows = t.cols,
                       .cols = t.rows,
                       .singular = t.singular,
                       .row_first = t.col_first,
                       .row_count = t.col_count,
                       .col_first = t.row_first,
                       .col_count = t.row_count,
                       .left = t.right,
                       .right = t.left};
  EBR_TRY(ebr_triplets_write(matrix->comm, options->vectors, &t));
done:
  ebr_triplets_release(&t);
  return error;
}

static ebr_error *solve(const spectrum_options *options, ebr_matrix *matrix, spectrum_found *found)
{
  ebr_error *error = NULL;
  double start = ebr_clock_seconds();
  if (options->slepc) EBR_TRY(by_slepc(options, matrix, found));
  else {
    EBR_TRY(ebr_matrix_singular_values(matrix, options->solver, found->singular));
    found->count = matrix->at.cols;
    found->how = ebr_solver_name(options->solver);
    found->all = true;
  }
  found->seconds = ebr_clock_seconds() - start;
  if (found->all) ebr_ranks_from(found->singular, found->count, matrix->at.rows, matrix->at.cols, &found->measures);
done:
  return error; /* NOLINT(clang-analyzer-unix.Malloc): found->singular is the caller's */
}

/* ---- printing ---------------------------------------------------------------------------------------------------- */

static const struct {
  const char *key, *words;
  size_t offset;
} measure_lines[] = {
    {"effective_rank", "effective rank", offsetof(ebr_ranks, effective)},
    {"stable_rank", "stable rank", offsetof(ebr_ranks, stable)},
    {"numerical_rank", "numerical rank", offsetof(ebr_ranks, numerical)},
    {"rank_1e-2", "values above s_1/100", offsetof(ebr_ranks, numerical_2)},
    {"rank_1e-3", "values above s_1/1000", offsetof(ebr_ranks, numerical_3)},
    {"participation_ratio", "participation ratio", offsetof(ebr_ranks, participation)},
    {"nuclear_norm", "nuclear norm", offsetof(ebr_ranks, nuclear)},
    {"condition", "condition", offsetof(ebr_ranks, condition)},
};

static double measure_of(const ebr_ranks *measures, int line)
{
  return *(const double *)((const char *)measures + measure_lines[line].offset);
}

enum { MEASURE_LINES = sizeof measure_lines / sizeof *measure_lines };

static ebr_error *print_json(const spectrum_options *options, const spectrum_found *found)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  EBR_TRY(ebr_text_add(&text, "{\"matrix\": "));
  EBR_TRY(ebr_text_add_json(&text, options->name));
  EBR_TRY(ebr_text_add(&text, ", \"rows\": %d, \"cols\": %d, \"centered\": %s", found->source.rows, found->source.cols,
                       options->centre ? "true" : "false"));
  EBR_TRY(ebr_text_add(&text, ", \"ranks\": %d, \"grid\": [%d, %d], \"block\": %d, \"solver\": \"%s\"", found->ranks,
                       found->grid_rows, found->grid_cols, options->block, found->how));
  EBR_TRY(ebr_text_add(&text, ", \"load_seconds\": %.4f, \"seconds\": %.4f, \"singular_values\": [",
                       found->load_seconds, found->seconds));
  for (int k = 0; k < found->count; k++) {
    if (k > 0) EBR_TRY(ebr_text_add(&text, ", "));
    EBR_TRY(ebr_text_add_number(&text, found->singular[k]));
  }
  EBR_TRY(ebr_text_add(&text, "]"));
  for (int line = 0; line < MEASURE_LINES; line++) {
    EBR_TRY(ebr_text_add(&text, ", \"%s\": ", measure_lines[line].key));
    EBR_TRY(ebr_text_add_number(&text, measure_of(&found->measures, line)));
  }
  printf("%s}\n", text.data);
done:
  ebr_text_destroy(&text);
  return error;
}

/* Values against their place, on a scale of powers of ten: as many lines as a terminal has, at most one a value. */
static void print_decay(const spectrum_found *found)
{
  enum { LINES = 20, WIDTH = 50 };
  int lines = found->count < LINES ? found->count : LINES;
  double first = found->singular[0], least = 1e-16;
  if (first <= 0) return;
  double last = found->singular[found->count - 1] / first;
  double decades = fmax(1, ceil(-log10(last > least ? last : least)));
  printf("\n%6s %12s  decay, from s_1 down to s_1 / 10^%.0f\n", "place", "value", decades);
  for (int line = 0; line < lines; line++) {
    int k = lines == 1 ? 0 : (int)((int64_t)line * (found->count - 1) / (lines - 1));
    double share = found->singular[k] / first;
    int length = share > 0 ? (int)lround(WIDTH * (1 + log10(share) / decades)) : 0;
    printf("%6d %12.5g  ", k + 1, found->singular[k]);
    for (int i = 0; i < length; i++) putchar('#');
    putchar('\n');
  }
}

static void print_text(const spectrum_options *options, const spectrum_found *found)
{
  printf("%s: %d x %d%s, %d singular values by %s on %d rank%s (%d x %d), read in %.2f s, found in %.2f s\n",
         options->name, found->source.rows, found->source.cols, options->centre ? ", columns centered" : "",
         found->count, found->how, found->ranks, found->ranks == 1 ? "" : "s", found->grid_rows, found->grid_cols,
         found->load_seconds, found->seconds);
  for (int line = 0; line < MEASURE_LINES; line++)
    if (isfinite(measure_of(&found->measures, line)) || found->all)
      printf("%-22s %.6g\n", measure_lines[line].words, measure_of(&found->measures, line));
  print_decay(found);
  if (!options->values) return;
  printf("\n%6s %s\n", "place", "singular value");
  for (int k = 0; k < found->count; k++) printf("%6d %.17g\n", k + 1, found->singular[k]);
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

/* What depends on PETSc's options. */
static void complete(spectrum_options *options)
{
  PetscBool chosen = PETSC_FALSE;
  PetscOptionsHasName(NULL, NULL, "-svd_type", &chosen);
  options->slepc = options->top > 0 || options->vectors || chosen;
  if (options->block == 0) options->block = options->slepc ? EBR_MATRIX_BLOCK_SLEPC : EBR_MATRIX_BLOCK;
}

static ebr_error *carry_out(MPI_Comm comm, const spectrum_options *options)
{
  ebr_error *error = NULL;
  ebr_matrix *matrix = NULL;
  spectrum_found found = {0};
  int rank = 0;
  EBR_TRY_MPI(MPI_Comm_rank(comm, &rank));
  EBR_TRY_MPI(MPI_Comm_size(comm, &found.ranks));
  double start = ebr_clock_seconds();
  EBR_TRY(ebr_matrix_load(comm, options->name, options->block, options->centre, &matrix, &found.source));
  found.load_seconds = ebr_clock_seconds() - start;
  found.grid_rows = matrix->at.grid_rows;
  found.grid_cols = matrix->at.grid_cols;
  found.singular = calloc((size_t)matrix->at.cols, sizeof *found.singular);
  EBR_TRY(ebr_agree(comm, found.singular ? NULL
                                         : ebr_error_create(EBR_MEMORY, __FILE__, __LINE__, "no memory for %d values",
                                                            matrix->at.cols)));
  EBR_TRY(solve(options, matrix, &found));
  if (rank != 0) goto done;
  if (options->json) EBR_TRY(print_json(options, &found));
  else print_text(options, &found);
done:
  error = ebr_agree(comm, error);
  free(found.singular);
  ebr_matrix_destroy(&matrix);
  return error;
}

ebr_error *ebr_app_spectrum(int argc, char **argv)
{
  ebr_error *error = NULL;
  spectrum_options options = {0};
  EBR_TRY(parse_options(argc, argv, &options));
  if (options.help) {
    print_help();
    goto done;
  }
  EBR_TRY(ebr_mpi_start());
  ebr_blas_prepare();
  EBR_CHECK(SlepcInitialize(&argc, &argv, NULL, NULL) == 0, EBR_LIBRARY, "spectrum: SLEPc does not start");
  signal(SIGPIPE, SIG_DFL); /* `| head` is no fault: PETSc would write fifteen lines about it */
  complete(&options);
  error = ebr_app_say_once(MPI_COMM_WORLD, carry_out(MPI_COMM_WORLD, &options));
  (void)SlepcFinalize();
  MPI_Finalize();
done:
  return error;
}
