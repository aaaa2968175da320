/* bench/spectrum: all singular values of one random matrix, by LAPACK's dgesdd on one core, by the two-stage reduction
 * on one core, and by both distributed solvers, in one run: `mpirun -n 2 bench/spectrum`. Prints a table, or with
 * --json an array of objects. --rows and --cols give the shape (4096 x 4096), --block the layout's block. --read
 * FILE:PATH measures how fast a file gets into the layout instead, beside plain reads of its bytes. */
#include <ebrsweep/measure.h>
#include <ebrsweep/spectrum.h>

#include <fcntl.h>
#include <getopt.h>
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct spectrum_options {
  bool json;
  int rows, cols, block;
  const char *read;
} spectrum_options;

typedef struct figure {
  const char *how;
  int ranks;
  double seconds, error; /* error: largest difference from dgesdd's values, in eps times the largest value */
} figure;

static int rank, ranks;

static void fatal(ebr_error *error)
{
  if (!error) return;
  fprintf(stderr, "bench/spectrum: %s\n", ebr_error_message(error));
  MPI_Abort(MPI_COMM_WORLD, 3);
}

static void parse(int argc, char **argv, spectrum_options *options)
{
  static const struct option longs[] = {{"json", no_argument, NULL, 'j'},       {"rows", required_argument, NULL, 'r'},
                                        {"cols", required_argument, NULL, 'c'}, {"block", required_argument, NULL, 'b'},
                                        {"read", required_argument, NULL, 'f'}, {NULL, 0, NULL, 0}};
  int choice;
  while ((choice = getopt_long(argc, argv, "", longs, NULL)) != -1) switch (choice) {
      case 'j': options->json = true; break;
      case 'r': options->rows = atoi(optarg); break;
      case 'c': options->cols = atoi(optarg); break;
      case 'b': options->block = atoi(optarg); break;
      case 'f': options->read = optarg; break;
      default: exit(2);
    }
}

static double *random_matrix(const spectrum_options *options)
{
  size_t cells = (size_t)options->rows * (size_t)options->cols;
  double *a = malloc(cells * sizeof *a);
  ebr_stream stream = ebr_stream_start(1, EBR_PURPOSE_TEST, 0);
  if (!a) fatal(ebr_error_create(EBR_MEMORY, __FILE__, __LINE__, "no memory for the matrix"));
  for (size_t k = 0; k < cells; k++) a[k] = ebr_stream_normal(&stream);
  return a;
}

static double difference(const double *reference, const double *found, int count)
{
  double most = 0;
  for (int k = 0; k < count; k++) most = fmax(most, fabs(found[k] - reference[k]));
  return most / (reference[0] * 2.220446049250313e-16);
}

static double largest(double seconds)
{
  double all;
  MPI_Allreduce(&seconds, &all, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  return all;
}

/* On rank 0 alone, while the others wait. */
static void alone(const spectrum_options *options, const double *whole, double *reference, figure *figures)
{
  int least = options->rows < options->cols ? options->rows : options->cols;
  size_t bytes = (size_t)options->rows * (size_t)options->cols * sizeof(double);
  double *copy = malloc(bytes), *found = malloc((size_t)least * sizeof *found);
  memcpy(copy, whole, bytes);
  double start = ebr_clock_seconds();
  LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', options->cols, options->rows, copy, options->cols, reference, NULL, 1, NULL, 1);
  figures[0] = (figure){"dgesdd", 1, ebr_clock_seconds() - start, 0};
  memcpy(copy, whole, bytes);
  start = ebr_clock_seconds();
  fatal(ebr_band_singular_values(copy, options->rows, options->cols, found));
  figures[1] = (figure){"band", 1, ebr_clock_seconds() - start, difference(reference, found, least)};
  free(found);
  free(copy);
}

static void together(const spectrum_options *options, const double *whole, const double *reference, ebr_solver solver,
                     figure *result)
{
  int least = options->rows < options->cols ? options->rows : options->cols;
  double *found = malloc((size_t)least * sizeof *found);
  ebr_matrix *matrix = NULL;
  fatal(ebr_matrix_create(MPI_COMM_WORLD, options->rows, options->cols, options->block, &matrix));
  ebr_matrix_fill(matrix, whole);
  MPI_Barrier(MPI_COMM_WORLD);
  double start = ebr_clock_seconds();
  fatal(ebr_matrix_singular_values(matrix, solver, found));
  *result = (figure){ebr_solver_name(solver), ranks, largest(ebr_clock_seconds() - start),
                     difference(reference, found, least)};
  ebr_matrix_destroy(&matrix);
  free(found);
}

static void solve(const spectrum_options *options)
{
  figure figures[2 + EBR_SOLVER_COUNT];
  int least = options->rows < options->cols ? options->rows : options->cols, count = 2 + EBR_SOLVER_COUNT;
  double *whole = random_matrix(options), *reference = calloc((size_t)least, sizeof *reference);
  if (rank == 0) alone(options, whole, reference, figures);
  MPI_Bcast(reference, least, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  for (int solver = 0; solver < EBR_SOLVER_COUNT; solver++)
    together(options, whole, reference, (ebr_solver)solver, &figures[2 + solver]);
  if (rank == 0 && !options->json)
    printf("%d x %d, blocks of %d\n%-8s %5s %10s %9s %s\n", options->rows, options->cols, options->block, "how",
           "ranks", "seconds", "speedup", "error [eps s_1]");
  for (int i = 0; i < count && rank == 0; i++) {
    const figure *f = &figures[i];
    if (options->json)
      printf("%s{\"rows\": %d, \"cols\": %d, \"block\": %d, \"how\": \"%s\", \"ranks\": %d, \"seconds\": %.4f, "
             "\"speedup\": %.3f, \"error_eps\": %.3f}%s",
             i ? " " : "[", options->rows, options->cols, options->block, f->how, f->ranks, f->seconds,
             figures[0].seconds / f->seconds, f->error, i + 1 < count ? ",\n" : "]\n");
    else
      printf("%-8s %5d %10.3f %9.2f %.2f\n", f->how, f->ranks, f->seconds, figures[0].seconds / f->seconds, f->error);
  }
  free(reference);
  free(whole);
}

/* Seconds in which all ranks together read the file's bytes into fresh memory, each one stretch. */
static double plain_read(const char *path, double *bytes)
{
  struct stat about;
  int file = open(path, O_RDONLY);
  if (file < 0 || fstat(file, &about)) fatal(ebr_error_create(EBR_FILE, __FILE__, __LINE__, "%s cannot be read", path));
  off_t share = about.st_size / ranks + 1, done = 0;
  char *memory = malloc((size_t)share);
  MPI_Barrier(MPI_COMM_WORLD);
  double start = ebr_clock_seconds();
  for (ssize_t got = 1; got > 0 && done < share; done += got)
    got = pread(file, memory + done, (size_t)(share - done < 4 << 20 ? share - done : 4 << 20), rank * share + done);
  double seconds = largest(ebr_clock_seconds() - start);
  free(memory);
  close(file);
  *bytes = (double)about.st_size;
  return seconds;
}

/* Into the layout, between two plain reads: memory that was touched before comes faster. */
static void read_file(const spectrum_options *options)
{
  char path[4096];
  double bytes;
  snprintf(path, sizeof path, "%s", options->read);
  char *colon = strrchr(path, ':');
  if (colon) *colon = 0;
  double plain = plain_read(path, &bytes);
  ebr_matrix *matrix = NULL;
  ebr_matrix_source source;
  MPI_Barrier(MPI_COMM_WORLD);
  double start = ebr_clock_seconds();
  fatal(ebr_matrix_load(MPI_COMM_WORLD, options->read, options->block, false, &matrix, &source));
  double loaded = largest(ebr_clock_seconds() - start);
  double share = 8.0 * matrix->at.local_rows * matrix->at.local_cols, peak = (double)ebr_memory_peak();
  ebr_matrix_destroy(&matrix);
  plain = 0.5 * (plain + plain_read(path, &bytes));
  if (rank != 0) return;
  if (options->json)
    printf("[{\"ranks\": %d, \"bytes\": %.0f, \"plain_seconds\": %.3f, \"load_seconds\": %.3f, \"speedup\": %.3f, "
           "\"peak_over_share\": %.3f}]\n",
           ranks, bytes, plain, loaded, plain / loaded, peak / share);
  else
    printf("%.2f GB: plain reads %.2f s, into the layout %.2f s on %d ranks, speedup %.2f, peak memory / share %.2f\n",
           1e-9 * bytes, plain, loaded, ranks, plain / loaded, peak / share);
}

int main(int argc, char **argv)
{
  spectrum_options options = {.rows = 4096, .cols = 4096, .block = EBR_MATRIX_BLOCK};
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  parse(argc, argv, &options);
  ebr_blas_prepare();
  if (options.read) read_file(&options);
  else solve(&options);
  MPI_Finalize();
  return 0;
}
