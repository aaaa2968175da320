/* Matrix: a two-dimensional array spread over a communicator's ranks in ScaLAPACK's block-cyclic layout, and the reading of
 * one from a file straight into it: no rank ever holds the whole. `measure` has what is done with one. */
#ifndef EBRSWEEP_MATRIX_H
#define EBRSWEEP_MATRIX_H

#include <ebrsweep/parallel.h>

/* The size of block for which ebr_matrix_singular_values was fastest in bench/spectrum, from 1024 to 8192 columns. */
enum { EBR_MATRIX_BLOCK = 32, EBR_MATRIX_BLOCK_SLEPC = 64 /* the one that SLEPc's ScaLAPACK solver works with */ };

/* The column of /spectra that holds the weights of each run's head, which RESULTS:heads reads. */
#define EBR_HEAD_WEIGHTS "head_weights"

/* Rank r sits in row r / grid_cols and column r % grid_cols of the grid. Block (I, J) of the matrix belongs to the rank at
 * (I mod grid_rows, J mod grid_cols); a rank keeps its blocks side by side. */
typedef struct ebr_tiling {
  int rows, cols;  /* of the whole matrix */
  int block;       /* rows, and columns, of a block */
  int grid_rows, grid_cols, grid_row, grid_col;
  int local_rows, local_cols; /* of this rank; either may be 0 */
} ebr_tiling;

typedef struct ebr_matrix {
  MPI_Comm comm; /* its own */
  ebr_tiling at;
  double *local; /* (local_rows x local_cols), column after column, `leading` apart; in memory */
  int leading;   /* max(1, local_rows) */
  ebr_arena memory;
} ebr_matrix;

/* The grid whose shape is nearest to the matrix's, of all that use every rank. */
ebr_tiling ebr_tiling_of(int rows, int cols, int block, int ranks, int rank);
/* The whole matrix's row and column of a local one. */
int ebr_tiling_row(const ebr_tiling *layout, int local_row);
int ebr_tiling_col(const ebr_tiling *layout, int local_col);

/* Collective on comm (it is duplicated), the same arguments on all ranks. All zeros. EBR_MEMORY where it does not fit;
 * EBR_USAGE, with the number of ranks that would do, where a rank's part is beyond what ScaLAPACK's integers can count. */
EBR_FALLIBLE ebr_matrix_create(MPI_Comm comm, int rows, int cols, int block, ebr_matrix **matrix);
/* Collective. Takes NULL inside. */
void ebr_matrix_destroy(ebr_matrix **matrix);
/* Local. Fills this rank's part from a row-major (rows x cols) copy of the whole. */
void ebr_matrix_fill(ebr_matrix *matrix, const double *whole);

/* The array in the file. One with more columns than rows is loaded transposed, so that a matrix never has; the singular
 * values are the same, and left and right vectors change places. */
typedef struct ebr_matrix_source {
  int rows, cols;
  bool transposed; /* the matrix is (cols x rows) */
} ebr_matrix_source;

/* Collective on comm, the same arguments on all ranks. name is FILE:PATH, a 2-D dataset of numbers in an HDF5 file, or a
 * FILE that ends in .npy (2-D, of any numeric type and byte order); or RESULTS:heads, one row a finished run of the weights
 * that `measure.spectra: [weights]` kept. Each rank reads its share of the file once. With
 * `centred` each of the array's columns has its mean taken off. EBR_DATA, the same on all ranks, for a file that cannot be
 * read, is cut short, or holds something else, and for NaN and Inf, with the first one's row and column as stored. */
EBR_FALLIBLE ebr_matrix_load(MPI_Comm comm, const char *name, int block, bool centred, ebr_matrix **matrix,
                             ebr_matrix_source *source);

#endif
