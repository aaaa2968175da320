#include "app/spent.h"

#include <stdio.h>

ebr_error *ebr_spent_print(MPI_Comm comm, ebr_times *times)
{
  ebr_error *error = NULL;
  int rank, ranks;
  double sum[EBR_TIMES], most[EBR_TIMES], all = 0;
  EBR_TRY_MPI(MPI_Comm_rank(comm, &rank));
  EBR_TRY_MPI(MPI_Comm_size(comm, &ranks));
  EBR_TRY_MPI(MPI_Barrier(comm));
  ebr_times_charge(times, EBR_TIME_WAITING);
  EBR_TRY_MPI(MPI_Reduce(times->seconds, sum, EBR_TIMES, MPI_DOUBLE, MPI_SUM, 0, comm));
  EBR_TRY_MPI(MPI_Reduce(times->seconds, most, EBR_TIMES, MPI_DOUBLE, MPI_MAX, 0, comm));
  if (rank != 0) goto done;
  for (int i = 0; i < EBR_TIMES; i++) all += sum[i];
  fprintf(stderr, "%-10s %12s %6s %10s   of %d rank%s\n", "time", "in all [s]", "[%]", "most [s]", ranks,
          ranks == 1 ? "" : "s");
  for (int i = 0; i < EBR_TIMES; i++)
    fprintf(stderr, "%-10s %12.3f %6.2f %10.3f   %s\n", ebr_time_name(i), sum[i], all > 0 ? 100 * sum[i] / all : 0,
            most[i], ebr_time_sentence(i));
done:
  return error;
}
