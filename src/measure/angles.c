#include "measure/angles.h"

#include "measure/column.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

/* How much of the neurons' space two modalities use together: principal angles between the row spaces of their blocks
 * of the head's first layer (Bjoerck & Golub, Math. Comp. 27 (1973) 579-594). Orthogonal spaces have overlap 0, equal
 * ones 1; two random l-dimensional spaces among n neurons have l / n on average. */

/* Directions with less than this share of the largest singular value are rounding: weights are trained in float. */
static const double negligible = 1e-6;

static int least(int a, int b) { return a < b ? a : b; }

/* ---- one pair of spaces ------------------------------------------------------------------------------------------ */

static int rank_of(const double *singular, int most)
{
  int rank = 0;
  while (rank < most && singular[rank] > negligible * singular[0]) rank++;
  return rank;
}

/* The upper triangle behind a QR of block' (cols x rows); r (rows x rows), column after column. */
static void copy_triangle(const double *block, int rows, int cols, double *r)
{
  for (int j = 0; j < rows; j++) {
    memcpy(r + (size_t)j * (size_t)rows, block + (size_t)j * (size_t)cols, (size_t)(j + 1) * sizeof *r);
    memset(r + (size_t)j * (size_t)rows + j + 1, 0, (size_t)(rows - j - 1) * sizeof *r);
  }
}

/* Of no more rows than columns: Q spans it if R has full rank, else Q times R's left vectors. */
static ebr_error *row_space_of_few(double *block, int rows, int cols, double *work, double *basis, int *rank)
{
  ebr_error *error = NULL;
  size_t cells = (size_t)rows * (size_t)cols;
  double *r = work, *singular = r + (size_t)rows * (size_t)rows, *tau = singular + rows;
  EBR_CHECK_INFO(LAPACKE_dgeqrf(LAPACK_COL_MAJOR, cols, rows, block, cols, tau), "dgeqrf");
  copy_triangle(block, rows, cols, r);
  EBR_TRY(ebr_singular_values(r, rows, rows, singular));
  *rank = rank_of(singular, rows);
  if (*rank < rows) copy_triangle(block, rows, cols, r);
  memcpy(basis, block, cells * sizeof *basis);
  EBR_CHECK_INFO(LAPACKE_dorgqr(LAPACK_COL_MAJOR, cols, rows, rows, basis, cols, tau), "dorgqr");
  if (*rank == rows || *rank == 0) goto done;
  EBR_CHECK_INFO(LAPACKE_dgesvd(LAPACK_COL_MAJOR, 'O', 'N', rows, rows, r, rows, singular, NULL, 1, NULL, 1, tau), "dgesvd");
  memcpy(block, basis, cells * sizeof *basis);
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, cols, *rank, rows, 1, block, cols, r, rows, 0, basis, cols);
done:
  return error;
}

ebr_error *ebr_row_space(double *block, int rows, int cols, double *work, double *basis, int *rank)
{
  ebr_error *error = NULL;
  int most = least(rows, cols);
  double *singular = work, *unused = work + most;
  *rank = 0;
  if (rows <= cols) return row_space_of_few(block, rows, cols, work, basis, rank);
  /* Row-major block is its transpose in LAPACK's eyes, whose left vectors span the row space. */
  EBR_CHECK_INFO(
      LAPACKE_dgesvd(LAPACK_COL_MAJOR, 'S', 'N', cols, rows, block, cols, singular, basis, cols, NULL, 1, unused),
      "dgesvd");
  *rank = rank_of(singular, most);
done:
  return error;
}

ebr_error *ebr_principal_cosines(const double *a, int a_rank, const double *b, int b_rank, int length, double *work,
                                 double *cosine)
{
  ebr_error *error = NULL;
  int count = least(a_rank, b_rank);
  double *product = work;
  if (count < 1) goto done;
  cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, a_rank, b_rank, length, 1, a, length, b, length, 0, product,
              a_rank);
  EBR_TRY(ebr_singular_values(product, a_rank, b_rank, cosine));
  for (int k = 0; k < count; k++) cosine[k] = fmin(1, cosine[k]);
done:
  return error;
}

/* ---- the measure ------------------------------------------------------------------------------------------------- */

static bool wanted(const ebr_config *config, int modalities)
{
  return (config->measure_spectra >> EBR_SPECTRUM_HEAD & 1u) && modalities > 1 &&
         config->model_fusion == EBR_FUSION_CONCAT;
}

static ebr_error *declare(const ebr_config *config, const ebr_shape *shape, ebr_schema *schema)
{
  ebr_error *error = NULL;
  static const char *const columns[][3] = {
      {"head_overlap", "",
       "Mean squared cosine of the principal angles between two modalities' row spaces in the head, mean over "
       "pairs"},
      {"head_overlap.most", "", "The same of the pair that overlaps most"},
      {"head_angle.least", "rad", "Smallest principal angle between two modalities' row spaces in the head"}};
  for (size_t k = 0; k < sizeof columns / sizeof *columns && wanted(config, ebr_measured_modalities(config, shape));
       k++) {
    const ebr_column_kind kind = {columns[k][1], columns[k][2], 1, 1};
    EBR_TRY(ebr_column_declare(schema, &kind, "%s", columns[k][0]));
  }
done:
  return error;
}

typedef struct spaces {
  int modalities, rows, cols, most; /* a block is (rows x cols); most = min(rows, cols) */
  double *head;                     /* (modalities x rows x cols) */
  double *basis;                    /* (modalities x most x cols), orthonormal rows */
  double *work, *cosine;
  int rank[EBR_MODALITIES_MOST];
} spaces;

static void layout(spaces *s, ebr_arena *arena)
{
  size_t block = (size_t)s->rows * (size_t)s->cols, most = (size_t)s->most;
  s->head = ebr_arena_take(arena, (size_t)s->modalities * block, sizeof(double));
  s->basis = ebr_arena_take(arena, (size_t)s->modalities * most * (size_t)s->cols, sizeof(double));
  s->work = ebr_arena_take(arena, most * most + 2 * most, sizeof(double));
  s->cosine = ebr_arena_take(arena, most, sizeof(double));
}

static void shape_of(const ebr_config *config, int modalities, spaces *s)
{
  *s = (spaces){.modalities = modalities, .rows = ebr_measured_features(config), .cols = (int)config->model_width};
  s->most = least(s->rows, s->cols);
}

static double *basis_of(const spaces *s, int modality)
{
  return s->basis + (size_t)modality * (size_t)s->most * (size_t)s->cols;
}

static ebr_error *compare(spaces *s, ebr_record *record)
{
  ebr_error *error = NULL;
  double sum = 0, most = 0, first = 0;
  int pairs = 0;
  for (int i = 0; i < s->modalities; i++)
    EBR_TRY(ebr_row_space(s->head + (size_t)i * (size_t)s->rows * (size_t)s->cols, s->rows, s->cols, s->work,
                          basis_of(s, i), &s->rank[i]));
  for (int i = 0; i < s->modalities; i++)
    for (int j = i + 1; j < s->modalities; j++) {
      int count = least(s->rank[i], s->rank[j]);
      double overlap = 0;
      if (count < 1) continue; /* a block of zeros uses no neuron */
      EBR_TRY(
          ebr_principal_cosines(basis_of(s, i), s->rank[i], basis_of(s, j), s->rank[j], s->cols, s->work, s->cosine));
      for (int k = 0; k < count; k++) overlap += s->cosine[k] * s->cosine[k] / count;
      sum += overlap;
      most = fmax(most, overlap);
      first = fmax(first, s->cosine[0]);
      pairs++;
    }
  EBR_TRY(ebr_column_set(record, pairs ? sum / pairs : NAN, "head_overlap"));
  EBR_TRY(ebr_column_set(record, pairs ? most : NAN, "head_overlap.most"));
  EBR_TRY(ebr_column_set(record, pairs ? acos(first) : NAN, "head_angle.least"));
done:
  return error;
}

static ebr_error *take(const ebr_subject *subject, ebr_record *record)
{
  ebr_error *error = NULL;
  ebr_network *network = ebr_trainer_network(subject->trainer);
  ebr_arena arena = {0}, measuring = ebr_arena_measuring();
  spaces s;
  if (!subject->last || !wanted(subject->config, ebr_network_modalities(network))) goto done;
  shape_of(subject->config, ebr_network_modalities(network), &s);
  layout(&s, &measuring);
  EBR_TRY(ebr_arena_create(measuring.used, &arena));
  layout(&s, &arena);
  ebr_network_head(network, s.head);
  for (size_t k = 0; k < (size_t)s.modalities * (size_t)s.rows * (size_t)s.cols; k++)
    if (!isfinite(s.head[k])) goto done;
  EBR_TRY(compare(&s, record));
done:
  ebr_arena_destroy(&arena);
  return error;
}

static size_t bytes(const ebr_config *config, const ebr_shape *shape)
{
  ebr_arena measuring = ebr_arena_measuring();
  spaces s;
  if (!wanted(config, ebr_measured_modalities(config, shape))) return 0;
  shape_of(config, ebr_measured_modalities(config, shape), &s);
  layout(&s, &measuring);
  return measuring.used;
}

const ebr_measure ebr_measure_angles = {.name = "angles",
                                        .help = "Principal angles between modalities' spaces in the head",
                                        .declare = declare,
                                        .take = take,
                                        .bytes = bytes};
