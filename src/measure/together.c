/* A head that all of a team's ranks measure together. */
#include "measure/together.h"

#include "measure/bidiagonal.h"

#include <ebrsweep/schedule.h>
#include <ebrsweep/spectrum.h>

#include <math.h>
#include <stdlib.h>

/* Local. This rank's part of the whole, turned where it is wider than long. */
static ebr_error *fill(const double *whole, int rows, int cols, ebr_matrix *matrix)
{
  ebr_error *error = NULL;
  double *turned = NULL;
  if (rows >= cols) {
    ebr_matrix_fill(matrix, whole);
    goto done;
  }
  turned = malloc((size_t)rows * (size_t)cols * sizeof *turned);
  EBR_CHECK_MEMORY(turned, "a head, turned");
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < cols; j++)
      turned[(size_t)j * (size_t)rows + (size_t)i] = whole[(size_t)i * (size_t)cols + (size_t)j];
  ebr_matrix_fill(matrix, turned);
done:
  free(turned);
  return error;
}

ebr_error *ebr_together_singular_values(ebr_team *team, const double *whole, int rows, int cols, double *singular)
{
  ebr_error *error = NULL;
  ebr_matrix *matrix = NULL;
  int most = rows < cols ? cols : rows, least = rows < cols ? rows : cols;
  if (ebr_team_any(team, !ebr_all_finite(whole, (size_t)rows * (size_t)cols))) {
    for (int k = 0; k < least; k++) singular[k] = NAN;
    goto done;
  }
  EBR_TRY(ebr_matrix_create(ebr_team_comm(team), most, least, EBR_MATRIX_BLOCK, &matrix));
  EBR_TRY(ebr_team_agree(team, fill(whole, rows, cols, matrix)));
  EBR_TRY(ebr_matrix_singular_values(matrix, EBR_SOLVER_band, singular));
done:
  ebr_matrix_destroy(&matrix);
  return error;
}
