/* Principal angles: planes whose angles are known, spaces that are equal or orthogonal, blocks without full rank. */
#include "measure/angles.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 6 };

static void must(ebr_error *error)
{
  if (error) fail_msg("%s", ebr_error_message(error));
}

typedef struct space {
  double basis[3 * N];
  int rank;
} space;

static space space_of(const double *rows, int count)
{
  space s = {{0}, 0};
  double block[3 * N], work[3 * 5];
  memcpy(block, rows, (size_t)count * N * sizeof *block);
  must(ebr_row_space(block, count, N, work, s.basis, &s.rank));
  return s;
}

static void assert_cosines(space a, space b, int count, const double *expected)
{
  double work[16], cosine[3];
  must(ebr_principal_cosines(a.basis, a.rank, b.basis, b.rank, N, work, cosine));
  for (int k = 0; k < count; k++) assert_true(fabs(cosine[k] - expected[k]) < 1e-14);
}

/* span(e0, e1) against span(cos a e0 + sin a e2, cos b e1 + sin b e3): angles a and b, whatever the rows are mixed of.
 */
static void planes_at_known_angles(void **state)
{
  const double a = 0.3, b = 1.1;
  const double first[2 * N] = {1, 2, 0, 0, 0, 0, 3, -1, 0, 0, 0, 0};
  double second[2 * N] = {cos(a), 2 * cos(b), sin(a), 2 * sin(b), 0, 0, -5 * cos(a), cos(b), -5 * sin(a), sin(b), 0, 0};
  const double expected[2] = {cos(a), cos(b)};
  space left = space_of(first, 2), right = space_of(second, 2);
  assert_int_equal(left.rank, 2);
  assert_int_equal(right.rank, 2);
  assert_cosines(left, right, 2, expected);
  assert_cosines(right, left, 2, expected);
}

static void equal_and_orthogonal(void **state)
{
  const double first[2 * N] = {1, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0}, same[2 * N] = {1, 2, 1, 0, 0, 0, 1, 0, -1, 0, 0, 0};
  const double other[N] = {0, 0, 0, 1, 2, 3}, ones[2] = {1, 1}, zero[1] = {0};
  assert_cosines(space_of(first, 2), space_of(same, 2), 2, ones);
  assert_cosines(space_of(first, 2), space_of(other, 1), 1, zero);
}

static void rank_is_counted(void **state)
{
  const double twice[3 * N] = {1, 2, 3, 4, 5, 6, 2, 4, 6, 8, 10, 12, 0, 0, 0, 0, 0, 1}, zeros[2 * N] = {0};
  const double once[2 * N] = {1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 1}, ones[2] = {1, 1};
  space both = space_of(twice, 3);
  assert_int_equal(both.rank, 2);
  assert_cosines(both, space_of(once, 2), 2, ones);
  assert_int_equal(space_of(zeros, 2).rank, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(planes_at_known_angles), cmocka_unit_test(equal_and_orthogonal),
                                     cmocka_unit_test(rank_is_counted)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
