/* Weighted least squares of c h(m, t). The unknowns are u = c h(M, t) / top, the fitted value at the largest m in units
 * of the largest mean, and t: both of order one, and all but independent of each other. */
#include "law/forms.h"

#include <math.h>
#include <petsctao.h>
#include <stdlib.h>
#include <string.h>

enum { UNKNOWNS = EBR_FORM_PARAMETERS_MOST };

struct ebr_fitter {
  int count;
  const ebr_form_row *form;
  double top;            /* the largest mean */
  ebr_law_point *points; /* (count) */
  /* with one unknown, and with two */
  Vec unknowns[UNKNOWNS], least[UNKNOWNS], most[UNKNOWNS], residual[UNKNOWNS];
  Mat jacobian[UNKNOWNS];
};

static ebr_error *petsc_error(PetscErrorCode code, const char *file, int line)
{
  const char *text = NULL;
  PetscErrorMessage(code, &text, NULL);
  return ebr_error_create(EBR_INTERNAL, file, line, "PETSc: %s", text ? text : "unknown error");
}

#define TRY_PETSC(call)                                                                                                \
  do {                                                                                                                 \
    PetscErrorCode code_ = (call);                                                                                     \
    if (code_) {                                                                                                       \
      error = petsc_error(code_, __FILE__, __LINE__);                                                                  \
      goto done;                                                                                                       \
    }                                                                                                                  \
  } while (0)

/* h(m, t) / h(M, t), and its derivative by t. */
static double relative_shape(const ebr_fitter *fitter, double m, double t)
{
  return fitter->form->shape(m, t) / fitter->form->shape(fitter->points[fitter->count - 1].m, t);
}

static double relative_slope(const ebr_fitter *fitter, double m, double t)
{
  const ebr_form_row *form = fitter->form;
  double last = fitter->points[fitter->count - 1].m, whole = form->shape(last, t);
  return (form->slope(m, t) * whole - form->shape(m, t) * form->slope(last, t)) / (whole * whole);
}

static double error_of(const ebr_fitter *fitter, int k)
{
  double least = 1e-6 * fitter->top, error = fitter->points[k].error;
  return error > least ? error : least;
}

static PetscErrorCode residuals(Tao tao, Vec unknowns, Vec residual, void *context)
{
  const ebr_fitter *fitter = context;
  const PetscScalar *u;
  PetscScalar *r;
  (void)tao;
  PetscCall(VecGetArrayRead(unknowns, &u));
  PetscCall(VecGetArray(residual, &r));
  double t = fitter->form->parameters > 1 ? u[1] : 0;
  for (int k = 0; k < fitter->count; k++)
    r[k] = (u[0] * fitter->top * relative_shape(fitter, fitter->points[k].m, t) - fitter->points[k].mean) /
           error_of(fitter, k);
  PetscCall(VecRestoreArrayRead(unknowns, &u));
  PetscCall(VecRestoreArray(residual, &r));
  return 0;
}

static PetscErrorCode slopes(Tao tao, Vec unknowns, Mat jacobian, Mat same, void *context)
{
  const ebr_fitter *fitter = context;
  const PetscScalar *u;
  PetscScalar *j;
  (void)tao, (void)same;
  PetscCall(VecGetArrayRead(unknowns, &u));
  PetscCall(MatDenseGetArray(jacobian, &j));
  double t = fitter->form->parameters > 1 ? u[1] : 0;
  for (int k = 0; k < fitter->count; k++) {
    double scale = fitter->top / error_of(fitter, k), m = fitter->points[k].m;
    j[k] = scale * relative_shape(fitter, m, t);
    if (fitter->form->parameters > 1) j[fitter->count + k] = scale * u[0] * relative_slope(fitter, m, t);
  }
  PetscCall(MatDenseRestoreArray(jacobian, &j));
  PetscCall(VecRestoreArrayRead(unknowns, &u));
  PetscCall(MatAssemblyBegin(jacobian, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(jacobian, MAT_FINAL_ASSEMBLY));
  return 0;
}

static ebr_error *prepare(ebr_fitter *fitter, int which)
{
  ebr_error *error = NULL;
  TRY_PETSC(VecCreateSeq(PETSC_COMM_SELF, which + 1, &fitter->unknowns[which]));
  TRY_PETSC(VecDuplicate(fitter->unknowns[which], &fitter->least[which]));
  TRY_PETSC(VecDuplicate(fitter->unknowns[which], &fitter->most[which]));
  TRY_PETSC(VecCreateSeq(PETSC_COMM_SELF, fitter->count, &fitter->residual[which]));
  TRY_PETSC(MatCreateSeqDense(PETSC_COMM_SELF, fitter->count, which + 1, NULL, &fitter->jacobian[which]));
done:
  return error;
}

ebr_error *ebr_fitter_create(int count, ebr_fitter **out)
{
  ebr_error *error = NULL;
  ebr_fitter *fitter = calloc(1, sizeof *fitter);
  EBR_CHECK_MEMORY(fitter, "a fitter");
  fitter->count = count;
  fitter->points = calloc((size_t)count, sizeof *fitter->points);
  EBR_CHECK_MEMORY(fitter->points, "the points of a fit");
  for (int which = 0; which < UNKNOWNS; which++) EBR_TRY(prepare(fitter, which));
  *out = fitter;
  fitter = NULL;
done:
  ebr_fitter_destroy(&fitter);
  return error;
}

void ebr_fitter_destroy(ebr_fitter **fitter)
{
  ebr_fitter *f = *fitter;
  if (!f) return;
  for (int which = 0; which < UNKNOWNS; which++) {
    (void)VecDestroy(&f->unknowns[which]);
    (void)VecDestroy(&f->least[which]);
    (void)VecDestroy(&f->most[which]);
    (void)VecDestroy(&f->residual[which]);
    (void)MatDestroy(&f->jacobian[which]);
  }
  free(f->points);
  free(f);
  *fitter = NULL;
}

static ebr_error *read_points(ebr_fitter *fitter, const ebr_law_point *points)
{
  ebr_error *error = NULL;
  fitter->top = 0;
  for (int k = 0; k < fitter->count; k++) {
    EBR_CHECK(isfinite(points[k].mean) && isfinite(points[k].error), EBR_RESULTS,
              "the count at m = %g is %g +- %g: nothing can be fitted", points[k].m, points[k].mean, points[k].error);
    if (points[k].mean > fitter->top) fitter->top = points[k].mean;
  }
  EBR_CHECK(fitter->top > 0, EBR_RESULTS, "no count is above 0: nothing can be fitted");
  memcpy(fitter->points, points, (size_t)fitter->count * sizeof *points);
done:
  return error;
}

static double aicc(double squares, int k, int count)
{
  return count > k + 1 ? squares + 2.0 * k + 2.0 * k * (k + 1) / (count - k - 1) : INFINITY;
}

/* A solver keeps its damping from one solve to the next: a new one for each fit, so that a fit's bits do not depend on
 * which fits came before it on this rank. */
static ebr_error *solve(ebr_fitter *fitter, int which)
{
  ebr_error *error = NULL;
  Tao tao = NULL;
  Mat jacobian = fitter->jacobian[which];
  TRY_PETSC(TaoCreate(PETSC_COMM_SELF, &tao));
  TRY_PETSC(TaoSetType(tao, TAOBRGN));
  TRY_PETSC(TaoSetResidualRoutine(tao, fitter->residual[which], residuals, fitter));
  TRY_PETSC(TaoSetJacobianResidualRoutine(tao, jacobian, jacobian, slopes, fitter));
  TRY_PETSC(TaoSetVariableBounds(tao, fitter->least[which], fitter->most[which]));
  TRY_PETSC(TaoSetTolerances(tao, 1e-9, 1e-10, 0));
  TRY_PETSC(TaoSetMaximumIterations(tao, 500));
  TRY_PETSC(TaoSetFromOptions(tao));
  TRY_PETSC(TaoSetSolution(tao, fitter->unknowns[which]));
  TRY_PETSC(TaoSolve(tao));
done:
  (void)TaoDestroy(&tao);
  return error;
}

ebr_error *ebr_fitter_fit(ebr_fitter *fitter, ebr_form form, const ebr_law_point *points, ebr_law_fit *fit)
{
  ebr_error *error = NULL;
  const ebr_form_row *row = ebr_form_row_of(form);
  int which = row->parameters - 1;
  const PetscScalar *u;
  PetscReal squares;
  *fit = (ebr_law_fit){0};
  fitter->form = row;
  EBR_TRY(read_points(fitter, points));
  TRY_PETSC(VecSetValue(fitter->unknowns[which], 0, points[fitter->count - 1].mean / fitter->top, INSERT_VALUES));
  TRY_PETSC(VecSetValue(fitter->least[which], 0, 0, INSERT_VALUES));
  TRY_PETSC(VecSetValue(fitter->most[which], 0, 1e3, INSERT_VALUES));
  if (which) {
    TRY_PETSC(VecSetValue(fitter->unknowns[which], 1, row->start, INSERT_VALUES));
    TRY_PETSC(VecSetValue(fitter->least[which], 1, row->least, INSERT_VALUES));
    TRY_PETSC(VecSetValue(fitter->most[which], 1, row->most, INSERT_VALUES));
  }
  EBR_TRY(solve(fitter, which));
  TRY_PETSC(residuals(NULL, fitter->unknowns[which], fitter->residual[which], fitter));
  TRY_PETSC(VecNorm(fitter->residual[which], NORM_2, &squares));
  TRY_PETSC(VecGetArrayRead(fitter->unknowns[which], &u));
  double t = which ? u[1] : 0;
  fit->parameters[0] = u[0] * fitter->top / row->shape(fitter->points[fitter->count - 1].m, t);
  fit->parameters[1] = t;
  TRY_PETSC(VecRestoreArrayRead(fitter->unknowns[which], &u));
  fit->squares = squares * squares;
  fit->aicc = aicc(fit->squares, row->parameters, fitter->count);
done:
  return error;
}
