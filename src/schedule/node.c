#include "schedule/node.h"

#include <stdlib.h>
#include <string.h>

struct ebr_node {
  MPI_Comm comm;
  MPI_Win window;
  int64_t *shared; /* on rank 0: draws so far, then each chunk's start + 1, which is 0 until it is published */
  int64_t chunks;
  int chunk;
  bool locked;
};

static ebr_error *split(MPI_Comm comm, int ranks_a_node, MPI_Comm *node)
{
  ebr_error *error = NULL;
  int rank;
  EBR_TRY_MPI(MPI_Comm_rank(comm, &rank));
  if (ranks_a_node > 0) EBR_TRY_MPI(MPI_Comm_split(comm, rank / ranks_a_node, rank, node));
  else EBR_TRY_MPI(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, node));
  EBR_TRY_MPI(MPI_Comm_set_errhandler(*node, MPI_ERRORS_RETURN));
done:
  return error;
}

static ebr_error *open_window(ebr_node *node)
{
  ebr_error *error = NULL;
  int rank;
  EBR_TRY_MPI(MPI_Comm_rank(node->comm, &rank));
  MPI_Aint bytes = rank == 0 ? (MPI_Aint)(node->chunks + 1) * (MPI_Aint)sizeof(int64_t) : 0;
  EBR_TRY_MPI(MPI_Win_allocate(bytes, sizeof(int64_t), MPI_INFO_NULL, node->comm, &node->shared, &node->window));
  EBR_TRY_MPI(MPI_Win_set_errhandler(node->window, MPI_ERRORS_RETURN));
  EBR_TRY_MPI(MPI_Win_lock_all(MPI_MODE_NOCHECK, node->window));
  node->locked = true;
  if (rank == 0) memset(node->shared, 0, (size_t)bytes);
  EBR_TRY_MPI(MPI_Win_sync(node->window));
  EBR_TRY_MPI(MPI_Barrier(node->comm));
  EBR_TRY_MPI(MPI_Win_sync(node->window));
done:
  return error;
}

ebr_error *ebr_node_create(MPI_Comm comm, int ranks_a_node, int64_t count, int chunk, ebr_node **node)
{
  ebr_error *error = NULL;
  int ranks;
  *node = calloc(1, sizeof **node);
  EBR_TRY(ebr_agree(comm, *node ? NULL : ebr_error_create(EBR_MEMORY, __FILE__, __LINE__, "no memory for a counter")));
  **node = (ebr_node){.comm = MPI_COMM_NULL, .window = MPI_WIN_NULL, .chunk = chunk};
  EBR_TRY(split(comm, ranks_a_node, &(*node)->comm));
  EBR_TRY_MPI(MPI_Comm_size((*node)->comm, &ranks));
  /* Each rank draws once in vain. */
  (*node)->chunks = (count + ranks) / chunk + 2;
  EBR_TRY(open_window(*node));
done:
  return error;
}

ebr_error *ebr_node_destroy(ebr_node **node)
{
  ebr_error *error = NULL;
  ebr_node *n = *node;
  *node = NULL;
  if (!n) return NULL;
  if (n->locked) EBR_TRY_MPI(MPI_Win_unlock_all(n->window));
  if (n->window != MPI_WIN_NULL) EBR_TRY_MPI(MPI_Win_free(&n->window));
  if (n->comm != MPI_COMM_NULL) EBR_TRY_MPI(MPI_Comm_free(&n->comm));
done:
  free(n);
  return error;
}

static ebr_error *update(ebr_node *node, MPI_Aint which, MPI_Op operation, int64_t value, int64_t *before)
{
  ebr_error *error = NULL;
  EBR_TRY_MPI(MPI_Fetch_and_op(&value, before, MPI_INT64_T, 0, which, operation, node->window));
  EBR_TRY_MPI(MPI_Win_flush(0, node->window));
done:
  return error;
}

ebr_error *ebr_node_draw(ebr_node *node, int64_t *chunk, int *place)
{
  ebr_error *error = NULL;
  int64_t draw = 0;
  EBR_TRY(update(node, 0, MPI_SUM, 1, &draw));
  *chunk = draw / node->chunk;
  *place = (int)(draw % node->chunk);
  EBR_CHECK(*chunk < node->chunks, EBR_INTERNAL, "draw %lld of a node that has %lld chunks", (long long)draw,
            (long long)node->chunks);
done:
  return error;
}

ebr_error *ebr_node_publish(ebr_node *node, int64_t chunk, int64_t start)
{
  int64_t before;
  return update(node, (MPI_Aint)chunk + 1, MPI_REPLACE, start + 1, &before);
}

ebr_error *ebr_node_await(ebr_node *node, int64_t chunk, int64_t *start)
{
  ebr_error *error = NULL;
  int64_t found = 0;
  while (found == 0) EBR_TRY(update(node, (MPI_Aint)chunk + 1, MPI_NO_OP, 0, &found));
  *start = found - 1;
done:
  return error;
}
