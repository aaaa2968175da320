#include <ebrsweep/parallel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A folder for what Open MPI keeps in files while it runs: processes that no mpirun started would all use the same, and
 * the first that ends removes it. */
static void keep_apart(void)
{
  char host[256] = "", path[1024];
  const char *temporary = getenv("TMPDIR");
  if (gethostname(host, sizeof host - 1) != 0) host[0] = 0;
  snprintf(path, sizeof path, "%s/ebrsweep.%s.%ld", temporary && *temporary ? temporary : "/tmp", host, (long)getpid());
  setenv("OMPI_MCA_orte_jobfam_session_dir", path, 0);
}

ebr_error *ebr_mpi_start(void)
{
  ebr_error *error = NULL;
  const char *all = getenv("OMPI_COMM_WORLD_SIZE"), *here = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
  bool is_launched = all || getenv("PMIX_RANK") || getenv("PMI_RANK");
  bool is_one_node = !is_launched || (all && here && strcmp(all, here) == 0);
  /* Open MPI 4's one-sided component for RDMA networks refuses windows on plain Ethernet instead of leaving them to another. */
  setenv("OMPI_MCA_osc", "^rdma", 0);
  /* A process that no mpirun started would start a daemon, so that it could spawn others: that takes longer than most
   * commands do. */
  setenv("OMPI_MCA_ess_singleton_isolated", "true", 0);
  if (!is_launched) keep_apart();
  /* Asking for networks of which one node has no need takes 0.2 s: a driver of one of them calibrates a clock at its load. */
  if (is_one_node) setenv("OMPI_MCA_pml", "ob1", 0);
  EBR_TRY_MPI(MPI_Init(NULL, NULL));
done:
  return error;
}

ebr_error *ebr_mpi_error(int mpi_code, const char *call, const char *file, int line)
{
  char sentence[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(mpi_code, sentence, &length);
  return ebr_error_create(EBR_LIBRARY, file, line, "%.*s failed: %s", (int)strcspn(call, "("), call, sentence);
}

ebr_error *ebr_agree(MPI_Comm comm, ebr_error *mine)
{
  ebr_error *error = NULL;
  char message[1024] = "";
  struct {
    int code, rank;
  } local = {(int)ebr_error_code(mine), 0}, worst;
  if (MPI_Comm_rank(comm, &local.rank) != MPI_SUCCESS) return mine;
  int own_rank = local.rank;
  EBR_TRY_MPI(MPI_Allreduce(&local, &worst, 1, MPI_2INT, MPI_MAXLOC, comm));
  if (worst.code == EBR_OK) goto done;
  if (own_rank == worst.rank) snprintf(message, sizeof message, "%s", ebr_error_message(mine));
  EBR_TRY_MPI(MPI_Bcast(message, sizeof message, MPI_CHAR, worst.rank, comm));
  if (own_rank == worst.rank) return mine;
  error = ebr_error_create((ebr_code)worst.code, __FILE__, __LINE__, "%s", message);
done:
  if (mine) ebr_error_destroy(&mine);
  return error;
}

ebr_error *ebr_agree_same(MPI_Comm comm, uint64_t value, const char *what)
{
  ebr_error *error = NULL;
#ifndef NDEBUG
  uint64_t both[2] = {value, ~value}, least[2];
  EBR_TRY_MPI(MPI_Allreduce(both, least, 2, MPI_UINT64_T, MPI_MIN, comm));
  EBR_CHECK(least[0] == ~least[1], EBR_INTERNAL, "%s differs between ranks", what);
done:
#else
  (void)comm, (void)value, (void)what;
#endif
  return error;
}

ebr_error *ebr_comm_duplicate(MPI_Comm parent, const char *name, MPI_Comm *comm)
{
  ebr_error *error = NULL;
  EBR_TRY_MPI(MPI_Comm_dup(parent, comm));
  EBR_TRY_MPI(MPI_Comm_set_errhandler(*comm, MPI_ERRORS_RETURN));
  EBR_TRY_MPI(MPI_Comm_set_name(*comm, name));
done:
  return error;
}
