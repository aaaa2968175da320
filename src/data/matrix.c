#include <ebrsweep/matrix.h>

#include <limits.h>
#include <stdlib.h>

/* How many of `count` rows or columns a place on the grid keeps. */
static int share(int count, int block, int place, int places)
{
  int blocks = count / block, kept = blocks / places * block;
  if (place < blocks % places) kept += block;
  else if (place == blocks % places) kept += count % block;
  return kept;
}

/* How far a grid's shape is from the matrix's: a factor of at least 1. */
static double distance(int rows, int cols, int grid_rows, int grid_cols)
{
  double wanted = (double)rows / cols, is = (double)grid_rows / grid_cols;
  return wanted > is ? wanted / is : is / wanted;
}

ebr_tiling ebr_tiling_of(int rows, int cols, int block, int ranks, int rank)
{
  ebr_tiling layout = {.rows = rows, .cols = cols, .block = block, .grid_rows = ranks, .grid_cols = 1};
  for (int grid_cols = 2; grid_cols <= ranks; grid_cols++)
    if (ranks % grid_cols == 0 &&
        distance(rows, cols, ranks / grid_cols, grid_cols) < distance(rows, cols, layout.grid_rows, layout.grid_cols)) {
      layout.grid_rows = ranks / grid_cols;
      layout.grid_cols = grid_cols;
    }
  layout.grid_row = rank / layout.grid_cols;
  layout.grid_col = rank % layout.grid_cols;
  layout.local_rows = share(rows, block, layout.grid_row, layout.grid_rows);
  layout.local_cols = share(cols, block, layout.grid_col, layout.grid_cols);
  return layout;
}

int ebr_tiling_row(const ebr_tiling *layout, int local_row)
{
  int block = local_row / layout->block;
  return (block * layout->grid_rows + layout->grid_row) * layout->block + local_row % layout->block;
}

int ebr_tiling_col(const ebr_tiling *layout, int local_col)
{
  int block = local_col / layout->block;
  return (block * layout->grid_cols + layout->grid_col) * layout->block + local_col % layout->block;
}

/* ScaLAPACK counts a rank's elements in 32-bit integers. */
static ebr_error *check_size(int rows, int cols, int ranks)
{
  ebr_error *error = NULL;
  double elements = (double)rows * cols;
  EBR_CHECK(elements / ranks < 0.9 * INT_MAX, EBR_USAGE,
            "a matrix of %d x %d on %d rank%s is more than ScaLAPACK can count: start at least %.0f ranks", rows, cols,
            ranks, ranks == 1 ? "" : "s", elements / (0.9 * INT_MAX) + 1);
done:
  return error;
}

/* An arena's huge pages: the kernel's clearing small ones was two thirds of the time in which a file is read. */
static ebr_error *allocate(ebr_matrix *matrix)
{
  ebr_error *error = NULL;
  size_t elements = (size_t)matrix->leading * (size_t)matrix->at.local_cols;
  ebr_error *refused = ebr_arena_create((elements > 0 ? elements : 1) * sizeof *matrix->local, &matrix->memory);
  if (!refused) matrix->local = ebr_arena_take(&matrix->memory, elements, sizeof *matrix->local);
  ebr_error_destroy(&refused);
  EBR_CHECK(matrix->local, EBR_MEMORY, "no memory for this rank's %d x %d of a %d x %d matrix, %.1f MB",
            matrix->at.local_rows, matrix->at.local_cols, matrix->at.rows, matrix->at.cols, 8e-6 * (double)elements);
done:
  return error;
}

ebr_error *ebr_matrix_create(MPI_Comm comm, int rows, int cols, int block, ebr_matrix **out)
{
  ebr_error *error = NULL;
  int rank, ranks;
  ebr_matrix *matrix = NULL;
  EBR_TRY_MPI(MPI_Comm_rank(comm, &rank));
  EBR_TRY_MPI(MPI_Comm_size(comm, &ranks));
  EBR_TRY(check_size(rows, cols, ranks));
  matrix = calloc(1, sizeof *matrix);
  if (matrix) matrix->comm = MPI_COMM_NULL;
  EBR_TRY(ebr_agree(comm, matrix ? NULL : ebr_error_create(EBR_MEMORY, __FILE__, __LINE__, "no memory for a matrix")));
  EBR_HAS(matrix);
  EBR_TRY(ebr_comm_duplicate(comm, "ebrsweep matrix", &matrix->comm));
  matrix->at = ebr_tiling_of(rows, cols, block, ranks, rank);
  matrix->leading = matrix->at.local_rows > 1 ? matrix->at.local_rows : 1;
  EBR_TRY(ebr_agree(matrix->comm, allocate(matrix)));
  *out = matrix;
  matrix = NULL;
done:
  ebr_matrix_destroy(&matrix);
  return error;
}

void ebr_matrix_destroy(ebr_matrix **matrix)
{
  if (!*matrix) return;
  if ((*matrix)->comm != MPI_COMM_NULL) MPI_Comm_free(&(*matrix)->comm);
  ebr_arena_destroy(&(*matrix)->memory);
  free(*matrix);
  *matrix = NULL;
}

void ebr_matrix_fill(ebr_matrix *matrix, const double *whole)
{
  const ebr_tiling *at = &matrix->at;
  for (int j = 0; j < at->local_cols; j++)
    for (int i = 0; i < at->local_rows; i++)
      matrix->local[(size_t)j * (size_t)matrix->leading + (size_t)i] =
          whole[(size_t)ebr_tiling_row(at, i) * (size_t)at->cols + (size_t)ebr_tiling_col(at, j)];
}
