/* Spectrum: singular values of matrices that lie over several ranks, by ScaLAPACK. */
#ifndef EBRSWEEP_SPECTRUM_H
#define EBRSWEEP_SPECTRUM_H

#include <ebrsweep/matrix.h>

/* X(name, what it does): how all singular values are found. */
#define EBR_SOLVERS(X)                                                                                 \
  X(band, "to a band by blocked QR and LQ, the band to two diagonals by rotations, then dqds")        \
  X(pdgesvd, "ScaLAPACK's pdgesvd: straight to two diagonals, half of it at the speed of memory")

typedef enum ebr_solver {
#define EBR_SOLVER_ENUM(name, what) EBR_SOLVER_##name,
  EBR_SOLVERS(EBR_SOLVER_ENUM)
#undef EBR_SOLVER_ENUM
  EBR_SOLVER_COUNT
} ebr_solver;

const char *ebr_solver_name(ebr_solver solver);

/* Collective on the matrix's communicator. Its singular values, descending, min(rows, cols) of them, the same bits on all
 * ranks. The matrix is destroyed; rows >= cols, finite entries. The error is some 10 eps times the largest value: both
 * solvers use orthogonal transformations alone. band: two-stage reduction, Lang, Parallel Computing 22 (1996) 1-18; Haidar,
 * Kurzak, Luszczek, SC 2013. A matrix much longer than wide is first reduced to its R (Chan, ACM TOMS 8 (1982) 72-83). */
EBR_FALLIBLE ebr_matrix_singular_values(ebr_matrix *matrix, ebr_solver solver, double *singular);

/* The same for a row-major (rows x cols) matrix on this rank alone, by LAPACK; a is destroyed. */
EBR_FALLIBLE ebr_band_singular_values(double *a, int rows, int cols, double *singular);

/* Singular triplets, each rank with a slice of every vector. */
typedef struct ebr_triplets {
  int count, rows, cols;
  double *singular;                 /* (count), descending */
  int row_first, row_count;         /* this rank's rows of left */
  int col_first, col_count;         /* and of right */
  double *left, *right;             /* (row_count x count), (col_count x count); NULL where none were wanted */
} ebr_triplets;

/* Collective on the matrix's communicator. The `wanted` leading singular values (0: all), and with `vectors` their vectors,
 * by SLEPc's SVD: scalapack for all, trlanczos for some, unless PETSc's option -svd_type says otherwise. PETSc and SLEPc are
 * initialised. EBR_LIBRARY with the number that converged if that is fewer. The matrix stays. */
EBR_FALLIBLE ebr_matrix_triplets(const ebr_matrix *matrix, int wanted, bool vectors, ebr_triplets *triplets);
void ebr_triplets_release(ebr_triplets *triplets);

/* Collective. The Frobenius norm: what all singular values together come to. */
EBR_FALLIBLE ebr_matrix_norm(const ebr_matrix *matrix, double *norm);

#endif
