#include <ebrsweep/base.h>

#include <cblas.h>
#include <string.h>

/* Weak: a BLAS other than OpenBLAS has none of these. */
extern char *openblas_get_corename(void) __attribute__((weak));
extern void openblas_set_num_threads(int) __attribute__((weak));

const char *ebr_blas_prepare(void)
{
  if (openblas_set_num_threads) openblas_set_num_threads(1);
  return openblas_get_corename ? openblas_get_corename() : "unknown";
}

const char *ebr_blas_better_kernel(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
  static const char *const generic[] = {"Prescott", "Core2", "Nehalem", "Generic", "Katmai", "Northwood"};
  if (!openblas_get_corename) return NULL;
  const char *now = openblas_get_corename();
  bool slow = false;
  for (size_t i = 0; i < sizeof generic / sizeof *generic; i++) slow = slow || strcmp(now, generic[i]) == 0;
  if (!slow) return NULL;
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return "SkylakeX";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
  return NULL;
}

#ifdef EBR_TRAIN_DOUBLE
#define GEMM cblas_dgemm
#else
#define GEMM cblas_sgemm
#endif

/* OpenBLAS multiplies without packing up to 100^3 multiply-adds, where it has kernels for that. A middling product is then
 * faster as many such: packing waits for memory, which costs a sixth of a product of 256^3 whose operands were not used
 * just before, and half of a long one with a few columns. Wider rows than WIDEST share lines of the cache. */
enum { UNPACKED_MOST = 1000000, DEPTH = 256, WIDEST = 512, DEEPEST = 1024, NARROW = 32, BROAD = 64 };

static bool has_unpacked_kernels(void)
{
  static const char *const kernels[] = {"SkylakeX", "Cooperlake"};
  const char *now = openblas_get_corename ? openblas_get_corename() : "";
  for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
    if (strcmp(now, kernels[i]) == 0) return true;
  return false;
}

static bool trains_unpacked(void) { return sizeof(ebr_real) == sizeof(float) && has_unpacked_kernels(); }

static bool is_small(int m, int n, int k) { return (double)m * n * k <= UNPACKED_MOST; }

bool ebr_gemm_goes_unpacked(int m, int n, int k)
{
  return is_small(m, n, k) || (n <= WIDEST && trains_unpacked());
}

/* Strips of columns of C, over pieces of rows as long as go unpacked; a piece stays in the cache until it is complete. */
static void multiply_strips(CBLAS_TRANSPOSE turned, int strip, int m, int n, int k, const ebr_real *a, int lda,
                            const ebr_real *b, int ldb, ebr_real beta, ebr_real *c, int ldc)
{
  size_t down = turned == CblasTrans ? 1 : (size_t)lda, along = turned == CblasTrans ? (size_t)lda : 1;
  int parts = (k + DEPTH - 1) / DEPTH, depth = (k + parts - 1) / parts;
  int piece = UNPACKED_MOST / (strip * depth) / 4 * 4;
  for (int col = 0; col < n; col += strip)
    for (int row = 0; row < m; row += piece)
      for (int inner = 0; inner < k; inner += depth)
        GEMM(CblasRowMajor, turned, CblasNoTrans, m - row < piece ? m - row : piece, n - col < strip ? n - col : strip,
             k - inner < depth ? k - inner : depth, 1, a + (size_t)row * down + (size_t)inner * along, lda,
             b + (size_t)inner * (size_t)ldb + col, ldb, inner ? 1 : beta, c + (size_t)row * (size_t)ldc + col, ldc);
}

void ebr_gemm_nn(int m, int n, int k, const ebr_real *a, int lda, const ebr_real *b, int ldb, ebr_real beta,
                 ebr_real *c, int ldc)
{
  if (!is_small(m, n, k) && ldb <= WIDEST && ebr_gemm_goes_unpacked(m, n, k))
    multiply_strips(CblasNoTrans, n <= BROAD ? BROAD : NARROW, m, n, k, a, lda, b, ldb, beta, c, ldc);
  else GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}

void ebr_gemm_nt(int m, int n, int k, const ebr_real *a, int lda, const ebr_real *b, int ldb, ebr_real beta,
                 ebr_real *c, int ldc)
{
  GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}

void ebr_gemm_tn(int m, int n, int k, const ebr_real *a, int lda, const ebr_real *b, int ldb, ebr_real beta,
                 ebr_real *c, int ldc)
{
  if (!is_small(m, n, k) && k <= DEEPEST && trains_unpacked())
    multiply_strips(CblasTrans, BROAD, m, n, k, a, lda, b, ldb, beta, c, ldc);
  else GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}

void ebr_add_products(int m, int n, int k, const double *a, int lda, const double *b, int ldb, double *c, int ldc)
{
  bool strips = !is_small(m, n, k) && k <= DEEPEST && has_unpacked_kernels();
  int strip = strips ? NARROW : n, piece = strips ? UNPACKED_MOST / (NARROW * k) / 4 * 4 : m;
  for (int col = 0; col < n; col += strip)
    for (int row = 0; row < m; row += piece)
      cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m - row < piece ? m - row : piece,
                  n - col < strip ? n - col : strip, k, 1, a + row, lda, b + col, ldb, 1,
                  c + (size_t)row * (size_t)ldc + col, ldc);
}
