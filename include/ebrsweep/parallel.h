/* Parallel: the part of base that knows MPI. Errors that differ between ranks become one error that all ranks share
 * before anyone enters a collective. */
#ifndef EBRSWEEP_PARALLEL_H
#define EBRSWEEP_PARALLEL_H

#include <ebrsweep/base.h>

#include <mpi.h>

/* MPI_Init, with what Open MPI has to be told before. */
EBR_FALLIBLE ebr_mpi_start(void);

/* Wraps an MPI call: names the routine and MPI's own sentence. Needs MPI_ERRORS_RETURN on the communicator. */
#define EBR_TRY_MPI(call)                                        \
  do {                                                           \
    int ebr_mpi_code_ = (call);                                  \
    if (ebr_mpi_code_ != MPI_SUCCESS) {                          \
      error = ebr_mpi_error(ebr_mpi_code_, #call, __FILE__, __LINE__); \
      EBR_LEAVE;                                                 \
    }                                                            \
  } while (0)

EBR_FALLIBLE ebr_mpi_error(int mpi_code, const char *call, const char *file, int line);

/* Collective on comm. The worst code over the ranks wins: every rank returns an error of that code or every rank returns
 * NULL. The lowest rank that has it keeps its own message, which the others receive. Takes ownership of mine. */
EBR_FALLIBLE ebr_agree(MPI_Comm comm, ebr_error *mine);

/* Collective on comm. In debug builds fails everywhere unless value is the same on all ranks; else does nothing. */
EBR_FALLIBLE ebr_agree_same(MPI_Comm comm, uint64_t value, const char *what);

/* Collective on parent. A duplicate with its own name and MPI_ERRORS_RETURN; end it with MPI_Comm_free. */
EBR_FALLIBLE ebr_comm_duplicate(MPI_Comm parent, const char *name, MPI_Comm *comm);

#endif
