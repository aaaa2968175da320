/* ScaLAPACK has no C header: what measure calls of it, and a matrix's BLACS grid. */
#ifndef EBRSWEEP_MEASURE_SCALAPACK_H
#define EBRSWEEP_MEASURE_SCALAPACK_H

#include <ebrsweep/matrix.h>

/* A descriptor of a dense matrix; https://netlib.org/scalapack/slug/node77.html */
typedef struct ebr_descriptor {
  int of_dense, context, rows, cols, block_rows, block_cols, first_row, first_col, leading;
} ebr_descriptor;

/* Collective on the matrix's communicator. */
EBR_FALLIBLE ebr_grid_enter(const ebr_matrix *matrix, ebr_descriptor *descriptor);
void ebr_grid_leave(const ebr_descriptor *descriptor);

void pdgeqrf_(const int *m, const int *n, double *a, const int *ia, const int *ja, const ebr_descriptor *desca,
              double *tau, double *work, const int *lwork, int *info);
void pdgelqf_(const int *m, const int *n, double *a, const int *ia, const int *ja, const ebr_descriptor *desca,
              double *tau, double *work, const int *lwork, int *info);
void pdlarft_(const char *direct, const char *storage, const int *n, const int *k, double *v, const int *iv,
              const int *jv, const ebr_descriptor *descv, const double *tau, double *t, double *work);
void pdlarfb_(const char *side, const char *trans, const char *direct, const char *storage, const int *m, const int *n,
              const int *k, const double *v, const int *iv, const int *jv, const ebr_descriptor *descv, const double *t,
              double *c, const int *ic, const int *jc, const ebr_descriptor *descc, double *work);
void pdlaset_(const char *uplo, const int *m, const int *n, const double *alpha, const double *beta, double *a,
              const int *ia, const int *ja, const ebr_descriptor *desca);
void pdgesvd_(const char *jobu, const char *jobvt, const int *m, const int *n, double *a, const int *ia, const int *ja,
              const ebr_descriptor *desca, double *s, double *u, const int *iu, const int *ju,
              const ebr_descriptor *descu, double *vt, const int *ivt, const int *jvt, const ebr_descriptor *descvt,
              double *work, const int *lwork, int *info);

#endif
