/* Preloaded into a program, prints at its end which MPI objects the program itself made and did not free, a line a kind:
 * "MPI account: communicators: 3 made, 2 freed". What libraries make for themselves (HDF5's, PETSc's and Open MPI's file
 * layer) is theirs, and told by where the call came from. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMMUNICATORS, WINDOWS, DATATYPES, GROUPS, OPERATIONS, INFOS, FILES, REQUESTS, KINDS };

static long made[KINDS], freed[KINDS];

static int from_program(const void *place)
{
  static char program[4096];
  Dl_info about;
  if (!program[0] && !realpath("/proc/self/exe", program)) return 0;
  char whole[4096];
  return dladdr(place, &about) && about.dli_fname && realpath(about.dli_fname, whole) && strcmp(whole, program) == 0;
}

#define MADE(kind, call)                                                              \
  do {                                                                                \
    int code = call;                                                                  \
    made[kind] += code == MPI_SUCCESS && from_program(__builtin_return_address(0));   \
    return code;                                                                      \
  } while (0)

#define FREED(kind, call)                                                             \
  do {                                                                                \
    int code = call;                                                                  \
    freed[kind] += code == MPI_SUCCESS && from_program(__builtin_return_address(0));  \
    return code;                                                                      \
  } while (0)

/* ---- communicators, groups --------------------------------------------------------------------------------------- */

int MPI_Comm_dup(MPI_Comm comm, MPI_Comm *out) { MADE(COMMUNICATORS, PMPI_Comm_dup(comm, out)); }
int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm *out)
{
  int code = PMPI_Comm_split(comm, color, key, out);
  made[COMMUNICATORS] += code == MPI_SUCCESS && *out != MPI_COMM_NULL && from_program(__builtin_return_address(0));
  return code;
}
int MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *out)
{
  MADE(COMMUNICATORS, PMPI_Comm_split_type(comm, type, key, info, out));
}
int MPI_Comm_create(MPI_Comm comm, MPI_Group group, MPI_Comm *out)
{
  MADE(COMMUNICATORS, PMPI_Comm_create(comm, group, out));
}
int MPI_Comm_free(MPI_Comm *comm) { FREED(COMMUNICATORS, PMPI_Comm_free(comm)); }
int MPI_Comm_group(MPI_Comm comm, MPI_Group *group) { MADE(GROUPS, PMPI_Comm_group(comm, group)); }
int MPI_Group_incl(MPI_Group group, int n, const int ranks[], MPI_Group *out)
{
  MADE(GROUPS, PMPI_Group_incl(group, n, ranks, out));
}
int MPI_Group_free(MPI_Group *group) { FREED(GROUPS, PMPI_Group_free(group)); }

/* ---- windows, files ---------------------------------------------------------------------------------------------- */

int MPI_Win_allocate(MPI_Aint size, int unit, MPI_Info info, MPI_Comm comm, void *base, MPI_Win *win)
{
  MADE(WINDOWS, PMPI_Win_allocate(size, unit, info, comm, base, win));
}
int MPI_Win_allocate_shared(MPI_Aint size, int unit, MPI_Info info, MPI_Comm comm, void *base, MPI_Win *win)
{
  MADE(WINDOWS, PMPI_Win_allocate_shared(size, unit, info, comm, base, win));
}
int MPI_Win_create(void *base, MPI_Aint size, int unit, MPI_Info info, MPI_Comm comm, MPI_Win *win)
{
  MADE(WINDOWS, PMPI_Win_create(base, size, unit, info, comm, win));
}
int MPI_Win_free(MPI_Win *win) { FREED(WINDOWS, PMPI_Win_free(win)); }
int MPI_File_open(MPI_Comm comm, const char *name, int mode, MPI_Info info, MPI_File *file)
{
  MADE(FILES, PMPI_File_open(comm, name, mode, info, file));
}
int MPI_File_close(MPI_File *file) { FREED(FILES, PMPI_File_close(file)); }
int MPI_Info_create(MPI_Info *info) { MADE(INFOS, PMPI_Info_create(info)); }
int MPI_Info_free(MPI_Info *info) { FREED(INFOS, PMPI_Info_free(info)); }

/* ---- types, operations ------------------------------------------------------------------------------------------- */

int MPI_Type_contiguous(int count, MPI_Datatype old, MPI_Datatype *out)
{
  MADE(DATATYPES, PMPI_Type_contiguous(count, old, out));
}
int MPI_Type_vector(int count, int length, int stride, MPI_Datatype old, MPI_Datatype *out)
{
  MADE(DATATYPES, PMPI_Type_vector(count, length, stride, old, out));
}
int MPI_Type_create_struct(int count, const int lengths[], const MPI_Aint places[], const MPI_Datatype types[],
                           MPI_Datatype *out)
{
  MADE(DATATYPES, PMPI_Type_create_struct(count, lengths, places, types, out));
}
int MPI_Type_free(MPI_Datatype *type) { FREED(DATATYPES, PMPI_Type_free(type)); }
int MPI_Op_create(MPI_User_function *function, int commutes, MPI_Op *op)
{
  MADE(OPERATIONS, PMPI_Op_create(function, commutes, op));
}
int MPI_Op_free(MPI_Op *op) { FREED(OPERATIONS, PMPI_Op_free(op)); }

/* ---- requests ---------------------------------------------------------------------------------------------------- */

int MPI_Isend(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request *request)
{
  MADE(REQUESTS, PMPI_Isend(data, count, type, to, tag, comm, request));
}
int MPI_Irecv(void *data, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm, MPI_Request *request)
{
  MADE(REQUESTS, PMPI_Irecv(data, count, type, from, tag, comm, request));
}
static int is_open(MPI_Request request) { return request != MPI_REQUEST_NULL; }
static void closed(int before, int after, const void *place) { freed[REQUESTS] += from_program(place) ? before - after : 0; }
int MPI_Wait(MPI_Request *request, MPI_Status *status)
{
  int before = is_open(*request), code = PMPI_Wait(request, status);
  closed(before, is_open(*request), __builtin_return_address(0));
  return code;
}
int MPI_Test(MPI_Request *request, int *flag, MPI_Status *status)
{
  int before = is_open(*request), code = PMPI_Test(request, flag, status);
  closed(before, is_open(*request), __builtin_return_address(0));
  return code;
}
static int open_ones(int count, const MPI_Request request[])
{
  int open = 0;
  for (int i = 0; i < count; i++) open += is_open(request[i]);
  return open;
}
int MPI_Waitall(int count, MPI_Request request[], MPI_Status *status)
{
  int before = open_ones(count, request), code = PMPI_Waitall(count, request, status);
  closed(before, open_ones(count, request), __builtin_return_address(0));
  return code;
}

/* ---- the account ------------------------------------------------------------------------------------------------- */

int MPI_Finalize(void)
{
  static const char *const names[KINDS] = {"communicators", "windows",    "datatypes", "groups",
                                           "operations",    "info objects", "files",     "requests"};
  int rank, code;
  PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
  code = PMPI_Finalize();
  for (int kind = 0; kind < KINDS; kind++)
    fprintf(stderr, "MPI account: rank %d: %s: %ld made, %ld freed\n", rank, names[kind], made[kind], freed[kind]);
  return code;
}
