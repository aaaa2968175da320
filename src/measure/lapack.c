#include <ebrsweep/measure.h>

#include "measure/bidiagonal.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Divide and conquer gives up on rare matrices; plain QR iteration has then still to be tried, on a fresh copy. */
static ebr_error *by_iteration(double *a, int rows, int cols, double *singular)
{
  ebr_error *error = NULL;
  int least = rows < cols ? rows : cols;
  double *unconverged = malloc((size_t)least * sizeof *unconverged);
  EBR_CHECK_MEMORY(unconverged, "singular values");
  EBR_CHECK_INFO(
      LAPACKE_dgesvd(LAPACK_COL_MAJOR, 'N', 'N', cols, rows, a, cols, singular, NULL, 1, NULL, 1, unconverged),
      "dgesvd");
done:
  free(unconverged);
  return error;
}

static ebr_error *by_division(double *a, int rows, int cols, double *singular)
{
  ebr_error *error = NULL;
  ebr_arena arena = {0};
  size_t count = (size_t)rows * (size_t)cols;
  EBR_TRY(ebr_arena_create(count * sizeof(double), &arena));
  double *copy = ebr_arena_take(&arena, count, sizeof *copy);
  memcpy(copy, a, count * sizeof *copy);
  /* Row-major a is column-major a transposed, which has the same singular values. */
  lapack_int info = LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', cols, rows, a, cols, singular, NULL, 1, NULL, 1);
  if (info > 0) EBR_TRY(by_iteration(copy, rows, cols, singular));
  else EBR_CHECK_INFO(info, "dgesdd");
done:
  ebr_arena_destroy(&arena);
  return error;
}

ebr_error *ebr_singular_values(double *a, int rows, int cols, double *singular)
{
  ebr_error *error = NULL;
  int least = rows < cols ? rows : cols;
  bool found = false;
  if (!ebr_all_finite(a, (size_t)rows * (size_t)cols)) {
    for (int k = 0; k < least; k++) singular[k] = NAN;
    goto done;
  }
  if (ebr_bidiagonal_suits(rows, cols)) EBR_TRY(ebr_bidiagonal_singular_values(a, rows, cols, singular, &found));
  if (!found) EBR_TRY(by_division(a, rows, cols, singular));
done:
  return error;
}
