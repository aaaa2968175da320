/* Node counters, for the schedule alone: the ranks of a node share what one of them fetched from the job's counter, so
 * that with thousands of ranks that counter is asked once for a chunk of runs and not once for each. */
#ifndef EBR_SCHEDULE_NODE_H
#define EBR_SCHEDULE_NODE_H

#include <ebrsweep/parallel.h>

typedef struct ebr_node ebr_node;

/* Collective on comm, whose ranks are cut into nodes: by shared memory, or for ranks_a_node > 0 so many each. For at
 * most `count` draws that yield something, in chunks of `chunk`. EBR_MEMORY. */
EBR_FALLIBLE ebr_node_create(MPI_Comm comm, int ranks_a_node, int64_t count, int chunk, ebr_node **node);
/* Collective on the node. Takes NULL inside. */
EBR_FALLIBLE ebr_node_destroy(ebr_node **node);

/* Local (one-sided): the caller's place in a chunk. With place 0 it must fetch the chunk and publish its start, also
 * when there is none; the others await it, which takes as long as that fetch. */
EBR_FALLIBLE ebr_node_draw(ebr_node *node, int64_t *chunk, int *place);
EBR_FALLIBLE ebr_node_publish(ebr_node *node, int64_t chunk, int64_t start);
EBR_FALLIBLE ebr_node_await(ebr_node *node, int64_t chunk, int64_t *start);

#endif
