/* Products of small whole numbers, which are exact in any order: as small as BLAS takes unpacked, and larger ones, cut into
 * strips where the kernel likes that. So the process is started once more with a kernel that does, where the processor
 * can run it. */
#include <ebrsweep/base.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { GAP = 3, MOST = 260 * 1100 };

static ebr_real a[MOST], b[MOST], c[MOST];

static void fill(uint32_t index, ebr_real *values)
{
  ebr_stream stream = ebr_stream_start(6, EBR_PURPOSE_TEST, index);
  for (size_t i = 0; i < MOST; i++) values[i] = (ebr_real)((int)ebr_stream_below(&stream, 9) - 4);
}

/* Row i of op(A) and column j of op(B), a step apart. */
static double dot(int k, const ebr_real *x, int step_x, const ebr_real *y, int step_y)
{
  double sum = 0;
  for (int i = 0; i < k; i++) sum += (double)x[(size_t)i * step_x] * (double)y[(size_t)i * step_y];
  return sum;
}

typedef enum product { NN, NT, TN } product;

static void check(product kind, int m, int n, int k, int beta)
{
  int lda = (kind == TN ? m : k) + GAP, ldb = (kind == NT ? k : n) + GAP, ldc = n + GAP;
  /* beta = 0 must not read what was there. */
  for (size_t i = 0; i < MOST; i++) c[i] = beta ? 5 : (ebr_real)NAN;
  if (kind == NN) ebr_gemm_nn(m, n, k, a, lda, b, ldb, (ebr_real)beta, c, ldc);
  else if (kind == NT) ebr_gemm_nt(m, n, k, a, lda, b, ldb, (ebr_real)beta, c, ldc);
  else ebr_gemm_tn(m, n, k, a, lda, b, ldb, (ebr_real)beta, c, ldc);
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++) {
      double expected = 5 * beta + dot(k, kind == TN ? a + i : a + (size_t)i * lda, kind == TN ? lda : 1,
                                       kind == NT ? b + (size_t)j * ldb : b + j, kind == NT ? 1 : ldb);
      if ((double)c[(size_t)i * ldc + j] != expected)
        fail_msg("product %d of %d x %d x %d, beta %d: %g instead of %g in row %d, column %d", (int)kind, m, n, k, beta,
                 (double)c[(size_t)i * ldc + j], expected, i, j);
    }
  for (int i = 0; i + 1 < m; i++)
    for (int j = n; j < ldc; j++) assert_true(beta ? c[(size_t)i * ldc + j] == 5 : isnan(c[(size_t)i * ldc + j]));
}

static void products_are_those_of_plain_loops(void **state)
{
  static const int sizes[][3] = {{5, 7, 6},      {1, 1, 1},      {64, 64, 64},    {128, 64, 128}, {256, 256, 64},
                                 {130, 100, 90}, {257, 65, 255}, {121, 33, 256},  {61, 129, 257}, {1000, 8, 130},
                                 {96, 5, 1000},  {16, 513, 200}, {250, 500, 20},  {4, 1030, 256}, {250, 3, 250}};
  fill(0, a);
  fill(1, b);
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (int kind = NN; kind <= TN; kind++)
      for (int beta = 0; beta < 2; beta++) check((product)kind, sizes[s][0], sizes[s][1], sizes[s][2], beta);
  (void)state;
}

/* Doubles, which tests of the training scalar do not reach. */
static void products_are_added(void **state)
{
  static const int sizes[][3] = {{1, 1, 1}, {0, 7, 5}, {64, 128, 128}, {130, 100, 90}, {256, 33, 1024}, {40, 40, 1025}};
  static double x[MOST], y[MOST], z[MOST];
  for (size_t i = 0; i < MOST; i++) {
    x[i] = (double)a[i];
    y[i] = (double)b[i];
  }
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    int m = sizes[s][0], n = sizes[s][1], k = sizes[s][2], lda = m + GAP, ldb = n + GAP, ldc = n + GAP;
    for (size_t i = 0; i < MOST; i++) z[i] = 5;
    ebr_add_products(m, n, k, x, lda, y, ldb, z, ldc);
    for (int i = 0; i < m; i++)
      for (int j = 0; j < ldc; j++) {
        double expected = j < n ? 5 + dot(k, a + i, lda, b + j, ldb) : 5;
        assert_true(z[(size_t)i * ldc + j] == expected);
      }
  }
  (void)state;
}

static void small_products_go_unpacked_with_any_kernel(void **state)
{
  assert_true(ebr_gemm_goes_unpacked(100, 100, 100));
  assert_false(ebr_gemm_goes_unpacked(100, 1000, 100));
  (void)state;
}

static void start_again(char **argv)
{
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_cpu_init();
  if (getenv("EBR_SECOND_KERNEL") || !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq")) return;
  if (strcmp(ebr_blas_prepare(), "unknown") == 0) return;
  fflush(NULL);
  setenv("EBR_SECOND_KERNEL", "1", 1);
  setenv("OPENBLAS_CORETYPE", "SkylakeX", 1);
  execv("/proc/self/exe", argv);
#endif
}

int main(int argc, char **argv)
{
  (void)argc;
  const struct CMUnitTest tests[] = {cmocka_unit_test(products_are_those_of_plain_loops), cmocka_unit_test(products_are_added),
                                     cmocka_unit_test(small_products_go_unpacked_with_any_kernel)};
  print_message("kernel: %s\n", ebr_blas_prepare());
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (failed == 0) start_again(argv);
  return failed;
}
