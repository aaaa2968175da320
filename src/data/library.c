#include <ebrsweep/library.h>

#include "data/dataset.h"
#include "data/nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct shelf {
  char file[EBR_TEXT_MOST]; /* data.file */
  ebr_dataset dataset;
  MPI_Win window; /* the node's copy; MPI_WIN_NULL before it is there */
} shelf;

struct ebr_library {
  MPI_Comm comm, node, leaders; /* leaders: the first rank of each node, MPI_COMM_NULL on others */
  int count, capacity;
  shelf *shelf; /* sorted by file */
};

/* Where file is, or where it would go. */
static int place_of(const ebr_library *library, const char *file, bool *found)
{
  int low = 0, high = library->count;
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (strcmp(library->shelf[middle].file, file) < 0) low = middle + 1;
    else high = middle;
  }
  *found = low < library->count && strcmp(library->shelf[low].file, file) == 0;
  return low;
}

const ebr_dataset *ebr_library_find(const ebr_library *library, const char *file)
{
  bool found;
  int place = place_of(library, file, &found);
  return found ? &library->shelf[place].dataset : NULL;
}

/* ---- which datasets ---------------------------------------------------------------------------------------------- */

static ebr_error *name_one(ebr_library *library, const char *folder, const char *file)
{
  ebr_error *error = NULL;
  bool found;
  int place = place_of(library, file, &found);
  if (found) goto done;
  if (library->count == library->capacity) {
    int capacity = 2 * library->capacity + 4;
    shelf *grown = realloc(library->shelf, (size_t)capacity * sizeof *grown);
    EBR_CHECK_MEMORY(grown, "a list of datasets");
    library->shelf = grown;
    library->capacity = capacity;
  }
  shelf *at = library->shelf + place;
  memmove(at + 1, at, (size_t)(library->count - place) * sizeof *at);
  library->count++;
  memset(at, 0, sizeof *at);
  at->window = MPI_WIN_NULL;
  snprintf(at->file, sizeof at->file, "%s", file);
  if (file[0] == '/') snprintf(at->dataset.path, sizeof at->dataset.path, "%s", file);
  else snprintf(at->dataset.path, sizeof at->dataset.path, "%s/%s", folder, file);
done:
  return error;
}

static ebr_error *name_all(ebr_library *library, const ebr_sweep *sweep)
{
  ebr_error *error = NULL;
  const char *last = "";
  ebr_config config;
  for (int64_t run = 0; run < ebr_sweep_count(sweep); run++) {
    ebr_sweep_run(sweep, run, &config);
    if (config.data_source != EBR_SOURCE_HDF5 || strcmp(config.data_file.text, last) == 0) continue;
    EBR_TRY(name_one(library, ebr_sweep_folder(sweep), config.data_file.text));
    bool found;
    last = library->shelf[place_of(library, config.data_file.text, &found)].file;
  }
done:
  return error;
}

/* Every run can be made from what was read. */
static ebr_error *check_runs(const ebr_library *library, const ebr_sweep *sweep)
{
  ebr_error *error = NULL;
  ebr_config config;
  ebr_shape shape;
  for (int64_t run = 0; library->count > 0 && run < ebr_sweep_count(sweep); run++) {
    ebr_sweep_run(sweep, run, &config);
    if (config.data_source == EBR_SOURCE_HDF5) EBR_TRY(ebr_samples_shape(library, &config, &shape));
  }
done:
  return error;
}

/* ---- one copy a node --------------------------------------------------------------------------------------------- */

static ebr_error *allocate(ebr_library *library, shelf *s)
{
  ebr_error *error = NULL;
  int rank, unit;
  void *block = NULL;
  MPI_Aint bytes = (MPI_Aint)ebr_dataset_layout(&s->dataset, NULL);
  EBR_TRY_MPI(MPI_Comm_rank(library->node, &rank));
  EBR_TRY_MPI(MPI_Win_allocate_shared(rank == 0 ? bytes : 0, 1, MPI_INFO_NULL, library->node, &block, &s->window));
  EBR_TRY_MPI(MPI_Win_set_errhandler(s->window, MPI_ERRORS_RETURN));
  EBR_TRY_MPI(MPI_Win_shared_query(s->window, 0, &bytes, &unit, &block));
  ebr_dataset_layout(&s->dataset, block);
done:
  return error;
}

/* From the reading rank's node to the others, in pieces that an int can count. */
static ebr_error *spread(const ebr_library *library, const shelf *s)
{
  ebr_error *error = NULL;
  enum { PIECE = 1 << 30 };
  ebr_dataset dataset = s->dataset;
  if (library->leaders == MPI_COMM_NULL) goto done;
  size_t bytes = ebr_dataset_layout(&dataset, NULL);
  unsigned char *block = (unsigned char *)s->dataset.label; /* the layout's first array */
  for (size_t start = 0; start < bytes; start += PIECE) {
    size_t count = bytes - start < PIECE ? bytes - start : PIECE;
    EBR_TRY_MPI(MPI_Bcast(block + start, (int)count, MPI_BYTE, 0, library->leaders));
  }
done:
  return error;
}

/* What one rank of a node stored, the others may read afterwards. */
static ebr_error *publish(const ebr_library *library, const shelf *s)
{
  ebr_error *error = NULL;
  EBR_TRY_MPI(MPI_Win_lock_all(MPI_MODE_NOCHECK, s->window));
  EBR_TRY_MPI(MPI_Win_sync(s->window));
  EBR_TRY_MPI(MPI_Barrier(library->node));
  EBR_TRY_MPI(MPI_Win_sync(s->window));
  EBR_TRY_MPI(MPI_Win_unlock_all(s->window));
done:
  return error;
}

/* Collective. */
static ebr_error *load(ebr_library *library, shelf *s)
{
  ebr_error *error = NULL;
  int rank;
  EBR_TRY_MPI(MPI_Comm_rank(library->comm, &rank));
  EBR_TRY(ebr_agree(library->comm, rank == 0 ? ebr_dataset_inspect(&s->dataset) : NULL));
  EBR_TRY_MPI(MPI_Bcast(&s->dataset.header, sizeof s->dataset.header, MPI_BYTE, 0, library->comm));
  EBR_TRY(ebr_agree(library->comm, allocate(library, s)));
  EBR_TRY(ebr_agree(library->comm, rank == 0 ? ebr_dataset_read(&s->dataset) : NULL));
  EBR_TRY(spread(library, s));
  EBR_TRY(publish(library, s));
done:
  return error;
}

/* Ranks keep their order, so that the reading rank 0 leads its node and the leaders. */
static ebr_error *split_by_node(ebr_library *library, MPI_Comm node)
{
  ebr_error *error = NULL;
  int rank, node_rank;
  EBR_TRY_MPI(MPI_Comm_rank(library->comm, &rank));
  EBR_TRY_MPI(MPI_Comm_split(node, 0, rank, &library->node));
  EBR_TRY_MPI(MPI_Comm_set_errhandler(library->node, MPI_ERRORS_RETURN));
  EBR_TRY_MPI(MPI_Comm_set_name(library->node, "ebrsweep library, node"));
  EBR_TRY_MPI(MPI_Comm_rank(library->node, &node_rank));
  EBR_TRY_MPI(MPI_Comm_split(library->comm, node_rank == 0 ? 0 : MPI_UNDEFINED, rank, &library->leaders));
done:
  return error;
}

static ebr_error *empty(ebr_library **out)
{
  ebr_error *error = NULL;
  ebr_library *library = calloc(1, sizeof *library);
  EBR_CHECK_MEMORY(library, "a library");
  library->comm = library->node = library->leaders = MPI_COMM_NULL;
  *out = library;
done:
  return error;
}

ebr_error *ebr_library_create_over(MPI_Comm comm, MPI_Comm node, const ebr_sweep *sweep, ebr_library **out)
{
  ebr_error *error = NULL;
  ebr_library *library = NULL;
  EBR_TRY(ebr_agree(comm, empty(&library)));
  EBR_HAS(library);
  EBR_TRY(ebr_comm_duplicate(comm, "ebrsweep library", &library->comm));
  EBR_TRY(split_by_node(library, node));
  EBR_TRY(ebr_agree(library->comm, name_all(library, sweep)));
  for (int i = 0; i < library->count; i++) EBR_TRY(load(library, &library->shelf[i]));
  EBR_TRY(ebr_agree(library->comm, check_runs(library, sweep)));
  *out = library;
  library = NULL;
done:
  ebr_library_destroy(&library);
  return error;
}

ebr_error *ebr_library_create(MPI_Comm comm, const ebr_sweep *sweep, ebr_library **library)
{
  ebr_error *error = NULL;
  MPI_Comm node = MPI_COMM_NULL;
  EBR_TRY_MPI(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  EBR_TRY(ebr_library_create_over(comm, node, sweep, library));
done:
  if (node != MPI_COMM_NULL) MPI_Comm_free(&node);
  return error;
}

void ebr_library_destroy(ebr_library **library)
{
  if (!*library) return;
  for (int i = 0; i < (*library)->count; i++)
    if ((*library)->shelf[i].window != MPI_WIN_NULL) MPI_Win_free(&(*library)->shelf[i].window);
  free((*library)->shelf);
  if ((*library)->leaders != MPI_COMM_NULL) MPI_Comm_free(&(*library)->leaders);
  if ((*library)->node != MPI_COMM_NULL) MPI_Comm_free(&(*library)->node);
  if ((*library)->comm != MPI_COMM_NULL) MPI_Comm_free(&(*library)->comm);
  free(*library);
  *library = NULL;
}
