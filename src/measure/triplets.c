#include <ebrsweep/spectrum.h>

#include <math.h>
#include <slepcsvd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PETSc's own report is long and goes to stderr: its handler is set aside while it works for us. */
#define TRY_PETSC(call)                                                                                                \
  do {                                                                                                                 \
    PetscErrorCode code_ = (call);                                                                                     \
    EBR_CHECK(code_ == 0, EBR_LIBRARY, "%.*s failed: %s", (int)strcspn(#call, "("), #call, sentence(code_));           \
  } while (0)

static const char *sentence(PetscErrorCode code)
{
  const char *text = NULL;
  return PetscErrorMessage(code, &text, NULL) == 0 && text ? text : "unknown error";
}

/* PETSc's copy, on the same grid and in the blocks that SLEPc's ScaLAPACK solver insists on. With blocks of
 * EBR_MATRIX_BLOCK_SLEPC no number changes its rank. */
static ebr_error *copy(const ebr_matrix *matrix, Mat *out)
{
  ebr_error *error = NULL;
  const ebr_tiling *at = &matrix->at;
  static const char option[] = "-mat_scalapack_grid_height";
  char height[16];
  PetscInt *rows = malloc((size_t)matrix->leading * sizeof *rows);
  EBR_TRY(
      ebr_agree(matrix->comm, rows ? NULL : ebr_error_create(EBR_MEMORY, __FILE__, __LINE__, "no memory for rows")));
  for (int i = 0; i < at->local_rows; i++) rows[i] = ebr_tiling_row(at, i);
  snprintf(height, sizeof height, "%d", at->grid_rows);
  TRY_PETSC(PetscOptionsSetValue(NULL, option, height));
  TRY_PETSC(MatCreateScaLAPACK(matrix->comm, PETSC_DECIDE, PETSC_DECIDE, at->rows, at->cols, 0, 0, out));
  TRY_PETSC(PetscOptionsClearValue(NULL, option));
  for (int j = 0; j < at->local_cols; j++) {
    PetscInt col = ebr_tiling_col(at, j);
    TRY_PETSC(MatSetValues(*out, at->local_rows, rows, 1, &col, matrix->local + (size_t)j * (size_t)matrix->leading,
                           INSERT_VALUES));
  }
  TRY_PETSC(MatAssemblyBegin(*out, MAT_FINAL_ASSEMBLY));
  TRY_PETSC(MatAssemblyEnd(*out, MAT_FINAL_ASSEMBLY));
done:
  free(rows);
  return error;
}

static ebr_error *solve(const ebr_matrix *matrix, Mat petsc, int wanted, int least, SVD *svd)
{
  ebr_error *error = NULL;
  PetscInt converged;
  PetscBool chosen = PETSC_FALSE;
  TRY_PETSC(SVDCreate(matrix->comm, svd));
  TRY_PETSC(SVDSetOperators(*svd, petsc, NULL));
  TRY_PETSC(SVDSetProblemType(*svd, SVD_STANDARD));
  TRY_PETSC(SVDSetType(*svd, wanted < least ? SVDTRLANCZOS : SVDSCALAPACK));
  TRY_PETSC(SVDSetDimensions(*svd, wanted, PETSC_DEFAULT, PETSC_DEFAULT));
  TRY_PETSC(PetscOptionsHasName(NULL, NULL, "-svd_type", &chosen)); /* a solver that approximates never gets this far */
  if (!chosen) TRY_PETSC(SVDSetTolerances(*svd, 1e-13, PETSC_DEFAULT));
  TRY_PETSC(SVDSetFromOptions(*svd));
  TRY_PETSC(SVDSolve(*svd));
  TRY_PETSC(SVDGetConverged(*svd, &converged));
  EBR_CHECK(converged >= wanted, EBR_LIBRARY, "SLEPc found %d of %d singular values; another -svd_type may do better",
            (int)converged, wanted);
done:
  return error;
}

static ebr_error *allocate(bool vectors, ebr_triplets *t)
{
  ebr_error *error = NULL;
  size_t count = (size_t)t->count;
  t->singular = calloc(count, sizeof *t->singular);
  EBR_CHECK_MEMORY(t->singular, "singular values");
  if (!vectors) goto done;
  t->left = calloc(count * (size_t)t->row_count + 1, sizeof *t->left);
  t->right = calloc(count * (size_t)t->col_count + 1, sizeof *t->right);
  EBR_CHECK(t->left && t->right, EBR_MEMORY, "no memory for %zu singular vectors of %d + %d numbers on this rank",
            count, t->row_count, t->col_count);
done:
  return error;
}

/* One vector into a column of the slices. */
static ebr_error *take(Vec vector, int count, int which, double *slice)
{
  ebr_error *error = NULL;
  PetscInt length;
  const PetscScalar *values;
  TRY_PETSC(VecGetLocalSize(vector, &length));
  TRY_PETSC(VecGetArrayRead(vector, &values));
  for (PetscInt i = 0; i < length; i++) slice[(size_t)i * (size_t)count + (size_t)which] = values[i];
  TRY_PETSC(VecRestoreArrayRead(vector, &values));
done:
  return error;
}

static ebr_error *collect(const ebr_matrix *matrix, SVD svd, Vec left, Vec right, bool vectors, ebr_triplets *t)
{
  ebr_error *error = NULL;
  PetscInt first, last;
  TRY_PETSC(VecGetOwnershipRange(left, &first, &last));
  t->row_first = (int)first;
  t->row_count = (int)(last - first);
  TRY_PETSC(VecGetOwnershipRange(right, &first, &last));
  t->col_first = (int)first;
  t->col_count = (int)(last - first);
  EBR_TRY(ebr_agree(matrix->comm, allocate(vectors, t)));
  for (int k = 0; k < t->count; k++) {
    PetscReal sigma;
    TRY_PETSC(SVDGetSingularTriplet(svd, k, &sigma, vectors ? left : NULL, vectors ? right : NULL));
    t->singular[k] = sigma;
    if (!vectors) continue;
    EBR_TRY(take(left, t->count, k, t->left));
    EBR_TRY(take(right, t->count, k, t->right));
  }
done:
  return error;
}

ebr_error *ebr_matrix_triplets(const ebr_matrix *matrix, int wanted, bool vectors, ebr_triplets *triplets)
{
  ebr_error *error = NULL;
  Mat petsc = NULL;
  SVD svd = NULL;
  Vec left = NULL, right = NULL;
  int least = matrix->at.cols < matrix->at.rows ? matrix->at.cols : matrix->at.rows;
  if (wanted < 1 || wanted > least) wanted = least;
  *triplets = (ebr_triplets){.count = wanted, .rows = matrix->at.rows, .cols = matrix->at.cols};
  TRY_PETSC(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  EBR_TRY(copy(matrix, &petsc));
  EBR_TRY(solve(matrix, petsc, wanted, least, &svd));
  TRY_PETSC(MatCreateVecs(petsc, &right, &left));
  EBR_TRY(collect(matrix, svd, left, right, vectors, triplets));
done:
  if (error) ebr_triplets_release(triplets);
  (void)PetscPopErrorHandler();
  VecDestroy(&left);
  VecDestroy(&right);
  SVDDestroy(&svd);
  MatDestroy(&petsc);
  return error;
}

void ebr_triplets_release(ebr_triplets *triplets)
{
  free(triplets->singular);
  free(triplets->left);
  free(triplets->right);
  *triplets = (ebr_triplets){0};
}

ebr_error *ebr_matrix_norm(const ebr_matrix *matrix, double *norm)
{
  ebr_error *error = NULL;
  double squares = 0, all;
  for (int j = 0; j < matrix->at.local_cols; j++)
    for (int i = 0; i < matrix->at.local_rows; i++) {
      double value = matrix->local[(size_t)j * (size_t)matrix->leading + (size_t)i];
      squares += value * value;
    }
  EBR_TRY_MPI(MPI_Allreduce(&squares, &all, 1, MPI_DOUBLE, MPI_SUM, matrix->comm));
  *norm = sqrt(all);
done:
  return error;
}
