#include "measure/scalapack.h"

#include "measure/band.h"

#include <ebrsweep/spectrum.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

int Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridinit(int *context, const char *order, int rows, int cols);
void Cblacs_gridexit(int context);

const char *ebr_solver_name(ebr_solver solver)
{
#define EBR_SOLVER_NAME(name, what) #name,
  static const char *const names[] = {EBR_SOLVERS(EBR_SOLVER_NAME)};
#undef EBR_SOLVER_NAME
  return names[solver];
}

ebr_error *ebr_grid_enter(const ebr_matrix *matrix, ebr_descriptor *descriptor)
{
  ebr_error *error = NULL;
  const ebr_tiling *at = &matrix->at;
  int handle = Csys2blacs_handle(matrix->comm), context = handle;
  Cblacs_gridinit(&context, "Row", at->grid_rows, at->grid_cols);
  Cfree_blacs_system_handle(handle);
  EBR_CHECK(context >= 0, EBR_LIBRARY, "BLACS has no grid of %d x %d ranks", at->grid_rows, at->grid_cols);
  *descriptor = (ebr_descriptor){1, context, at->rows, at->cols, at->block, at->block, 0, 0, matrix->leading};
done:
  return error;
}

void ebr_grid_leave(const ebr_descriptor *descriptor) { Cblacs_gridexit(descriptor->context); }

/* ---- to a band --------------------------------------------------------------------------------------------------- */

/* One reduction's matrix, in ScaLAPACK's words. */
typedef struct reduction {
  ebr_matrix *matrix;
  ebr_descriptor at;
  double *tau, *factor, *work; /* factor: the triangle T of a block of reflectors, I - V T V' */
  int rows, cols, work_size;
} reduction;

/* What pdgeqrf, pdgelqf, pdlarft and pdlarfb ask for, and to spare: blocks wide, as long as this rank's part. */
static ebr_error *reserve(reduction *r)
{
  ebr_error *error = NULL;
  const ebr_tiling *at = &r->matrix->at;
  size_t longest = 2 * ((size_t)at->local_rows + (size_t)at->local_cols + (size_t)r->cols) + 16 * (size_t)at->block;
  r->work_size = (int)longest * at->block;
  r->tau = calloc((size_t)at->local_cols + (size_t)at->local_rows + (size_t)at->block, sizeof *r->tau);
  r->factor = calloc((size_t)at->block * (size_t)at->block, sizeof *r->factor);
  r->work = calloc((size_t)r->work_size, sizeof *r->work);
  EBR_CHECK(r->tau && r->factor && r->work, EBR_MEMORY, "no memory for ScaLAPACK's %d numbers of work", r->work_size);
done:
  return error;
}

/* The first cols rows become R, the others are no longer looked at. */
static ebr_error *reduce_to_triangle(reduction *r)
{
  ebr_error *error = NULL;
  int info, one = 1, two = 2, rest = r->cols - 1;
  const double zero = 0;
  pdgeqrf_(&r->rows, &r->cols, r->matrix->local, &one, &one, &r->at, r->tau, r->work, &r->work_size, &info);
  EBR_CHECK_INFO(info, "pdgeqrf");
  if (rest > 0) pdlaset_("L", &rest, &rest, &zero, &zero, r->matrix->local, &two, &one, &r->at);
  r->rows = r->cols;
done:
  return error;
}

/* Columns [first, first + width) get a triangle, and the rest follows; then the same for the rows beside it. pdormqr
 * would not do: it takes a block as narrow as this one a reflector at a time. */
static ebr_error *reduce_panel(reduction *r, int first, int width)
{
  ebr_error *error = NULL;
  double *a = r->matrix->local;
  int info, corner = first + 1, next = corner + width, right = r->cols - first - width, rows = r->rows - first;
  int below = rows - width, k = width < right ? width : right;
  pdgeqrf_(&rows, &width, a, &corner, &corner, &r->at, r->tau, r->work, &r->work_size, &info);
  EBR_CHECK_INFO(info, "pdgeqrf");
  if (right < 1) goto done;
  pdlarft_("F", "C", &rows, &width, a, &corner, &corner, &r->at, r->tau, r->factor, r->work);
  pdlarfb_("L", "T", "F", "C", &rows, &right, &width, a, &corner, &corner, &r->at, r->factor, a, &corner, &next, &r->at,
           r->work);
  pdgelqf_(&width, &right, a, &corner, &next, &r->at, r->tau, r->work, &r->work_size, &info);
  EBR_CHECK_INFO(info, "pdgelqf");
  if (below < 1) goto done;
  pdlarft_("F", "R", &right, &k, a, &corner, &next, &r->at, r->tau, r->factor, r->work);
  pdlarfb_("R", "N", "F", "R", &below, &right, &k, a, &corner, &next, &r->at, r->factor, a, &next, &next, &r->at,
           r->work);
done:
  return error;
}

/* Collective. The upper band, block diagonals wide, in LAPACK's band storage, on every rank. */
static ebr_error *gather_band(const reduction *r, double *band)
{
  ebr_error *error = NULL;
  const ebr_tiling *at = &r->matrix->at;
  int width = r->at.block_rows;
  for (int j = 0; j < at->local_cols; j++)
    for (int i = 0; i < at->local_rows; i++) {
      int row = ebr_tiling_row(at, i), col = ebr_tiling_col(at, j), above = col - row;
      if (above < 0) break;
      if (above <= width)
        band[(size_t)col * (size_t)(width + 1) + (size_t)(width - above)] =
            r->matrix->local[(size_t)j * (size_t)r->matrix->leading + (size_t)i];
    }
  EBR_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, band, (width + 1) * r->cols, MPI_DOUBLE, MPI_SUM, r->matrix->comm));
done:
  return error;
}

static ebr_error *by_band(reduction *r, double *singular)
{
  ebr_error *error = NULL;
  int block = r->at.block_rows;
  double *band = calloc((size_t)(block + 1) * (size_t)r->cols, sizeof *band);
  EBR_TRY(ebr_agree(
      r->matrix->comm,
      band ? NULL : ebr_error_create(EBR_MEMORY, __FILE__, __LINE__, "no memory for the band of %d columns", r->cols)));
  if (r->rows > 5 * (int64_t)r->cols / 3) EBR_TRY(reduce_to_triangle(r));
  for (int first = 0; first < r->cols; first += block)
    EBR_TRY(reduce_panel(r, first, r->cols - first < block ? r->cols - first : block));
  EBR_TRY(gather_band(r, band));
  EBR_TRY(ebr_agree(r->matrix->comm, ebr_band_finish(band, r->cols, block, singular)));
done:
  free(band);
  return error;
}

/* ---- pdgesvd ----------------------------------------------------------------------------------------------------- */

static ebr_error *by_pdgesvd(reduction *r, double *singular)
{
  ebr_error *error = NULL;
  int info, one = 1, query = -1;
  double *a = r->matrix->local, *work = NULL, wanted = 0;
  pdgesvd_("N", "N", &r->rows, &r->cols, a, &one, &one, &r->at, singular, NULL, &one, &one, &r->at, NULL, &one, &one,
           &r->at, &wanted, &query, &info);
  EBR_CHECK_INFO(info, "pdgesvd");
  int size = (int)wanted + 1;
  work = malloc((size_t)size * sizeof *work);
  EBR_TRY(ebr_agree(
      r->matrix->comm,
      work ? NULL : ebr_error_create(EBR_MEMORY, __FILE__, __LINE__, "no memory for pdgesvd's %d numbers", size)));
  pdgesvd_("N", "N", &r->rows, &r->cols, a, &one, &one, &r->at, singular, NULL, &one, &one, &r->at, NULL, &one, &one,
           &r->at, work, &size, &info);
  EBR_CHECK_INFO(info, "pdgesvd");
done:
  free(work);
  return error;
}

ebr_error *ebr_matrix_singular_values(ebr_matrix *matrix, ebr_solver solver, double *singular)
{
  ebr_error *error = NULL;
  bool entered = false;
  reduction r = {.matrix = matrix, .rows = matrix->at.rows, .cols = matrix->at.cols};
  EBR_CHECK(r.rows >= r.cols, EBR_INTERNAL, "a matrix of %d x %d has fewer rows than columns", r.rows, r.cols);
  EBR_TRY(ebr_agree(matrix->comm, ebr_grid_enter(matrix, &r.at)));
  entered = true;
  if (solver == EBR_SOLVER_pdgesvd) {
    EBR_TRY(by_pdgesvd(&r, singular));
    goto done;
  }
  EBR_TRY(ebr_agree(matrix->comm, reserve(&r)));
  EBR_TRY(by_band(&r, singular));
done:
  free(r.tau);
  free(r.factor);
  free(r.work);
  if (entered) ebr_grid_leave(&r.at);
  return error;
}
