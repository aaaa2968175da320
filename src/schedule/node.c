#include "schedule/node.h"

#include "schedule/counters.h"

#include <stdlib.h>

struct ebr_node {
  MPI_Comm comm;
  ebr_counters *shared; /* draws so far, then each chunk's start + 1, which is 0 until it is published */
  int64_t chunks;
  int chunk;
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

ebr_error *ebr_node_create(MPI_Comm comm, int ranks_a_node, int64_t count, int chunk, ebr_node **node)
{
  ebr_error *error = NULL;
  int ranks;
  *node = calloc(1, sizeof **node);
  EBR_TRY(ebr_agree(comm, *node ? NULL : ebr_error_create(EBR_MEMORY, __FILE__, __LINE__, "no memory for a counter")));
  EBR_HAS(*node);
  **node = (ebr_node){.comm = MPI_COMM_NULL, .chunk = chunk};
  EBR_TRY(split(comm, ranks_a_node, &(*node)->comm));
  EBR_TRY_MPI(MPI_Comm_size((*node)->comm, &ranks));
  /* Each rank draws once in vain. */
  (*node)->chunks = (count + ranks) / chunk + 2;
  EBR_TRY(ebr_counters_create((*node)->comm, (*node)->chunks + 1, &(*node)->shared));
done:
  return error;
}

ebr_error *ebr_node_destroy(ebr_node **node)
{
  ebr_error *error = NULL;
  ebr_node *n = *node;
  *node = NULL;
  if (!n) return NULL;
  EBR_TRY(ebr_counters_destroy(&n->shared));
  if (n->comm != MPI_COMM_NULL) EBR_TRY_MPI(MPI_Comm_free(&n->comm));
done:
  free(n);
  return error;
}

ebr_error *ebr_node_draw(ebr_node *node, int64_t *chunk, int *place)
{
  ebr_error *error = NULL;
  int64_t draw = 0;
  EBR_TRY(ebr_counters_update(node->shared, 0, MPI_SUM, 1, &draw));
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
  return ebr_counters_update(node->shared, chunk + 1, MPI_REPLACE, start + 1, &before);
}

ebr_error *ebr_node_await(ebr_node *node, int64_t chunk, int64_t *start)
{
  ebr_error *error = NULL;
  int64_t found = 0;
  while (found == 0) EBR_TRY(ebr_counters_update(node->shared, chunk + 1, MPI_NO_OP, 0, &found));
  *start = found - 1;
done:
  return error;
}
