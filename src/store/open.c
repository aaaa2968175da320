#include "store/build.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

/* ---- the file, on all ranks -------------------------------------------------------------------------------------- */

static ebr_error *allocate(ebr_store *store, const char *path)
{
  ebr_error *error = NULL;
  size_t columns = (size_t)ebr_schema_count(store->schema);
  store->path = strdup(path);
  store->row_of = malloc((size_t)store->count * sizeof *store->row_of);
  store->status = malloc((size_t)store->count * sizeof *store->status);
  store->outlet = malloc((columns + 1) * sizeof *store->outlet);
  EBR_CHECK(store->path && store->row_of && store->status && store->outlet, EBR_MEMORY,
            "no memory for a list of %lld runs", (long long)store->count);
  for (size_t i = 0; i < columns; i++) store->outlet[i] = (ebr_outlet){-1, 0, 1, 1, 0};
done:
  return error;
}

static ebr_error *share_survey(ebr_store *store)
{
  ebr_error *error = NULL;
  EBR_TRY_MPI(MPI_Bcast(store->row_of, (int)store->count, MPI_INT64_T, 0, store->comm));
  EBR_TRY_MPI(MPI_Bcast(store->status, (int)store->count, MPI_UINT8_T, 0, store->comm));
done:
  return error;
}

static ebr_error *open_file(ebr_store *store)
{
  ebr_error *error = NULL;
  hid_t access = -1;
  const char *path = store->path;
  EBR_TRY(ebr_hdf5_access(path, &access));
  EBR_TRY_HDF5(path, H5Pset_fapl_mpio(access, store->comm, MPI_INFO_NULL));
  EBR_TRY_HDF5(path, store->file = H5Fopen(path, H5F_ACC_RDWR, access));
done:
  ebr_hdf5_release(&access);
  return error;
}

static ebr_error *open_runs(ebr_store *store)
{
  ebr_error *error = NULL;
  const char *path = store->path;
  hid_t runs = -1;
  void *handle = NULL;
  EBR_TRY_HDF5(path, runs = H5Dopen2(store->file, "runs", H5P_DEFAULT));
  EBR_TRY(ebr_layout_read(path, store->file, runs, &store->layout));
  haddr_t start = H5Dget_offset(runs);
  EBR_CHECK(start != HADDR_UNDEF, EBR_INTERNAL, "%s: /runs has no place of its own", path);
  store->start = (MPI_Offset)start;
  EBR_TRY_HDF5(path, H5Fget_vfd_handle(store->file, H5P_DEFAULT, &handle));
  store->handle = handle;
  store->row = calloc(1, store->layout.stride);
  EBR_CHECK_MEMORY(store->row, "a row of the results file");
done:
  ebr_hdf5_release(&runs);
  return error;
}

static ebr_error *open_outlet(ebr_store *store, const ebr_column *column, ebr_outlet *outlet)
{
  ebr_error *error = NULL;
  const char *path = store->path;
  char name[80];
  ebr_series series = {.spectrum = column->values > 1};
  hid_t dataset = -1, space = -1;
  hsize_t extent[3] = {0, 1, 1};
  memcpy(series.name, column->name, sizeof series.name);
  ebr_series_path(&series, name);
  outlet->seed = ebr_series_seed(name);
  EBR_TRY_HDF5(path, dataset = H5Dopen2(store->file, name, H5P_DEFAULT));
  EBR_TRY_HDF5(path, space = H5Dget_space(dataset));
  EBR_TRY_HDF5(path, H5Sget_simple_extent_dims(space, extent, NULL));
  haddr_t start = H5Dget_offset(dataset);
  EBR_CHECK(start != HADDR_UNDEF, EBR_INTERNAL, "%s: /%s has no place of its own", path, name);
  outlet->start = (MPI_Offset)start;
  outlet->points = (int)extent[1];
  outlet->values = (int)extent[2];
  EBR_CHECK(outlet->points >= column->points && outlet->values >= column->values, EBR_INTERNAL,
            "%s: %s has no room for %d points of %d values", path, name, column->points, column->values);
done:
  ebr_hdf5_release(&space);
  ebr_hdf5_release(&dataset);
  return error;
}

static ebr_error *open_outlets(ebr_store *store)
{
  ebr_error *error = NULL;
  size_t longest = 1;
  for (int i = 0; i < ebr_schema_count(store->schema); i++) {
    const ebr_column *column = ebr_schema_at(store->schema, i);
    ebr_outlet *outlet = &store->outlet[i];
    if (column->points * column->values == 1) {
      outlet->field = ebr_layout_find(&store->layout, column->name);
      EBR_CHECK(outlet->field >= 0, EBR_INTERNAL, "%s: /runs has no column '%s'", store->path, column->name);
      continue;
    }
    EBR_TRY(open_outlet(store, column, outlet));
    size_t length = (size_t)outlet->points * (size_t)outlet->values;
    if (length > longest) longest = length;
  }
  store->scratch = malloc(longest * sizeof *store->scratch);
  EBR_CHECK_MEMORY(store->scratch, "a spectrum");
done:
  return error;
}

static ebr_error *open_parts(ebr_store *store)
{
  ebr_error *error = NULL;
  EBR_TRY(open_runs(store));
  EBR_TRY(open_outlets(store));
done:
  return error;
}

/* Runs that were begun and lost, and rows that were cut short, wait again; and the file says so. */
static ebr_error *reset_lost(ebr_store *store)
{
  ebr_error *error = NULL;
  for (int64_t run = 0; run < store->count; run++) {
    if (store->status[run] != EBR_STATUS_RUNNING) continue;
    if (store->rank == 0) EBR_TRY(ebr_store_reset(store, run));
    store->status[run] = EBR_STATUS_WAITING;
  }
done:
  return error;
}

/* ---- life cycle -------------------------------------------------------------------------------------------------- */

static ebr_error *create(MPI_Comm comm, const ebr_sweep *sweep, const ebr_schema *schema, ebr_store **store)
{
  ebr_error *error = NULL;
  ebr_store *made = calloc(1, sizeof *made);
  *store = made;
  EBR_CHECK_MEMORY(made, "a store");
  *made = (ebr_store){.comm = MPI_COMM_NULL, .sweep = sweep, .schema = schema, .count = ebr_sweep_count(sweep),
                      .file = -1};
  EBR_TRY_MPI(MPI_Comm_rank(comm, &made->rank));
  EBR_TRY_MPI(MPI_Comm_size(comm, &made->ranks));
done:
  return error;
}

static ebr_error *open_all(ebr_store *store, const char *path, const char *command)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_agree(store->comm, allocate(store, path)));
  EBR_TRY(ebr_agree(store->comm, store->rank == 0 ? ebr_store_prepare(store, command) : NULL));
  EBR_TRY(share_survey(store));
  EBR_TRY(ebr_agree(store->comm, open_file(store)));
  EBR_TRY(ebr_agree(store->comm, open_parts(store)));
  EBR_TRY(ebr_agree(store->comm, reset_lost(store)));
done:
  return error;
}

ebr_error *ebr_store_open(MPI_Comm comm, const char *path, const ebr_sweep *sweep, const ebr_schema *schema,
                          const char *command, ebr_store **store)
{
  ebr_error *error = NULL;
  ebr_store *made = NULL;
  EBR_TRY(ebr_agree(comm, create(comm, sweep, schema, &made)));
  EBR_TRY(ebr_comm_duplicate(comm, "ebrsweep store", &made->comm));
  EBR_TRY(open_all(made, path, command));
  *store = made;
  made = NULL;
done:
  if (made) {
    ebr_error *later = ebr_store_close(&made);
    ebr_error_destroy(&later);
  }
  return error;
}

static ebr_error *close_file(ebr_store *store)
{
  ebr_error *error = NULL;
  if (store->file >= 0) EBR_TRY_HDF5(store->path, H5Fclose(store->file));
done:
  return error;
}

static ebr_error *close_together(ebr_store *store)
{
  ebr_error *error = NULL;
  bool was_open = store->file >= 0;
  EBR_TRY(ebr_agree(store->comm, close_file(store)));
  EBR_TRY(ebr_agree(store->comm, was_open && store->rank == 0 ? ebr_provenance_finish(store->path) : NULL));
done:
  return error;
}

ebr_error *ebr_store_close(ebr_store **store)
{
  ebr_error *error = NULL;
  ebr_store *s = *store;
  *store = NULL;
  if (!s) return NULL;
  if (s->comm != MPI_COMM_NULL) error = close_together(s);
  ebr_lock_drop(&s->lock);
  if (s->comm != MPI_COMM_NULL) MPI_Comm_free(&s->comm);
  ebr_layout_destroy(&s->layout);
  free(s->path);
  free(s->row_of);
  free(s->status);
  free(s->outlet);
  free(s->scratch);
  free(s->row);
  free(s);
  return error;
}
