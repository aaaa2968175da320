/* The effective rank of a matrix with two equal singular values is 2, and streams of one key repeat. */
#include <ebrsweep/measure.h>
#include <ebrsweep/parameters.h>

#include <math.h>
#include <stdio.h>

int main(void)
{
  double matrix[] = {3, 0, 0, 0, 3, 0}, singular[2];
  ebr_ranks ranks;
  ebr_error *error = ebr_singular_values(matrix, 2, 3, singular);
  if (error) {
    fprintf(stderr, "%s\n", ebr_error_message(error));
    ebr_error_destroy(&error);
    return 1;
  }
  ebr_ranks_from(singular, 2, 2, 3, &ranks);
  ebr_stream first = ebr_stream_start(7, EBR_PURPOSE_TEST, 0), second = first;
  printf("ebrsweep %s: effective rank %.6f, %d parameters\n", EBR_VERSION, ranks.effective, ebr_parameter_count());
  return fabs(ranks.effective - 2) < 1e-12 && ebr_stream_bits(&first) == ebr_stream_bits(&second) ? 0 : 1;
}
