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

void ebr_gemm_nn(int m, int n, int k, const ebr_real *a, int lda, const ebr_real *b, int ldb, ebr_real beta,
                 ebr_real *c, int ldc)
{
  GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}

void ebr_gemm_nt(int m, int n, int k, const ebr_real *a, int lda, const ebr_real *b, int ldb, ebr_real beta,
                 ebr_real *c, int ldc)
{
  GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}

void ebr_gemm_tn(int m, int n, int k, const ebr_real *a, int lda, const ebr_real *b, int ldb, ebr_real beta,
                 ebr_real *c, int ldc)
{
  GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}
