#include "schedule/counters.h"

#include <stdlib.h>
#include <string.h>

struct ebr_counters {
  MPI_Win window;
  int64_t *number; /* (count) on rank 0, none elsewhere */
  bool locked;
};

static ebr_error *open_window(MPI_Comm comm, int64_t count, ebr_counters *counters)
{
  ebr_error *error = NULL;
  int rank;
  EBR_TRY_MPI(MPI_Comm_rank(comm, &rank));
  MPI_Aint bytes = rank == 0 ? (MPI_Aint)count * (MPI_Aint)sizeof *counters->number : 0;
  EBR_TRY_MPI(
      MPI_Win_allocate(bytes, sizeof *counters->number, MPI_INFO_NULL, comm, &counters->number, &counters->window));
  EBR_TRY_MPI(MPI_Win_set_errhandler(counters->window, MPI_ERRORS_RETURN));
  EBR_TRY_MPI(MPI_Win_lock_all(MPI_MODE_NOCHECK, counters->window));
  counters->locked = true;
  if (rank == 0) memset(counters->number, 0, (size_t)bytes);
  EBR_TRY_MPI(MPI_Win_sync(counters->window));
  EBR_TRY_MPI(MPI_Barrier(comm));
  EBR_TRY_MPI(MPI_Win_sync(counters->window));
done:
  return error;
}

ebr_error *ebr_counters_create(MPI_Comm comm, int64_t count, ebr_counters **counters)
{
  ebr_error *error = NULL;
  *counters = calloc(1, sizeof **counters);
  if (!*counters) error = ebr_error_create(EBR_MEMORY, __FILE__, __LINE__, "no memory for a counter");
  else (*counters)->window = MPI_WIN_NULL;
  EBR_TRY(ebr_agree(comm, error));
  EBR_HAS(*counters);
  EBR_TRY(open_window(comm, count, *counters));
done:
  return error;
}

ebr_error *ebr_counters_destroy(ebr_counters **counters)
{
  ebr_error *error = NULL;
  ebr_counters *c = *counters;
  *counters = NULL;
  if (!c) return NULL;
  if (c->locked) EBR_TRY_MPI(MPI_Win_unlock_all(c->window));
  if (c->window != MPI_WIN_NULL) EBR_TRY_MPI(MPI_Win_free(&c->window));
done:
  free(c);
  return error;
}

ebr_error *ebr_counters_update(ebr_counters *counters, int64_t which, MPI_Op operation, int64_t value, int64_t *before)
{
  ebr_error *error = NULL;
  EBR_TRY_MPI(MPI_Fetch_and_op(&value, before, MPI_INT64_T, 0, (MPI_Aint)which, operation, counters->window));
  EBR_TRY_MPI(MPI_Win_flush(0, counters->window));
done:
  return error;
}
