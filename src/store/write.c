#include "store/series.h"
#include "store/store.h"

#include <math.h>
#include <string.h>

bool ebr_store_wanted(const ebr_store *store, int64_t run, bool retry_failed)
{
  return store->status[run] == EBR_STATUS_WAITING || (retry_failed && store->status[run] == EBR_STATUS_FAILED);
}

ebr_status ebr_store_status(const ebr_store *store, int64_t run) { return (ebr_status)store->status[run]; }

/* Through the MPI file that HDF5 holds open: H5Dwrite compares the two types of 150 columns anew each time, which takes forty
 * times as long as the writing, and for a curve still ten times. */
static ebr_error *write_at(ebr_store *store, MPI_Offset place, const void *bytes, size_t count)
{
  ebr_error *error = NULL;
  int code = MPI_File_write_at(*store->handle, place, bytes, (int)count, MPI_BYTE, MPI_STATUS_IGNORE);
  if (code != MPI_SUCCESS) {
    ebr_error *cause = ebr_mpi_error(code, "MPI_File_write_at(", __FILE__, __LINE__);
    error = ebr_error_create(EBR_FILE, __FILE__, __LINE__, "%s: %s", store->path, ebr_error_message(cause));
    ebr_error_destroy(&cause);
  }
  return error;
}

/* A row that is cut short on its way is told by its checksum. */
static ebr_error *write_row(ebr_store *store, int64_t run, const ebr_row *row, ebr_status status)
{
  ebr_error *error = NULL;
  ebr_row state = *row;
  size_t stride = store->layout.stride;
  state.status = status;
  ebr_row_set(&store->layout, &state, store->row);
  ebr_row_seal(&store->layout, store->row);
  EBR_TRY(write_at(store, store->start + (MPI_Offset)store->row_of[run] * (MPI_Offset)stride, store->row, stride));
  store->status[run] = (uint8_t)status;
done:
  return error;
}

static ebr_error *pack(ebr_store *store, const ebr_config *config)
{
  ebr_error *error = NULL;
  bool has_packed = store->has_packed;
  ebr_row_forget(&store->layout, store->row);
  /* A run's end follows its beginning: mostly the row holds the parameters already. */
  if (has_packed && memcmp(config, &store->packed, sizeof *config) == 0) goto done;
  store->has_packed = false; /* after a failure the row is of neither run */
  EBR_TRY(ebr_row_pack(&store->layout, config, has_packed ? &store->packed : NULL, store->row));
  memcpy(&store->packed, config, sizeof *config);
  store->has_packed = true;
done:
  return error;
}

static ebr_error *write_without_results(ebr_store *store, int64_t run, const ebr_config *config, const ebr_row *row,
                                        ebr_status status)
{
  ebr_error *error = NULL;
  ebr_row state = *row;
  state.seconds = NAN;
  EBR_TRY(pack(store, config));
  EBR_TRY(write_row(store, run, &state, status));
done:
  return error;
}

ebr_error *ebr_store_begin(ebr_store *store, int64_t run, const ebr_config *config, const ebr_row *row)
{
  return write_without_results(store, run, config, row, EBR_STATUS_RUNNING);
}

ebr_error *ebr_store_reset(ebr_store *store, int64_t run)
{
  ebr_row waiting = {ebr_sweep_id(store->sweep, run), EBR_STATUS_WAITING, NAN, NAN, -1, "", "", 0};
  ebr_config config;
  ebr_sweep_run(store->sweep, run, &config);
  return write_without_results(store, run, &config, &waiting, EBR_STATUS_WAITING);
}

/* The file's rows may be longer than the schema's: the rest is not measured. */
static void spread(const ebr_column *column, const ebr_outlet *outlet, const double *values, double *scratch)
{
  for (int i = 0; i < outlet->points * outlet->values; i++) scratch[i] = NAN;
  for (int point = 0; point < column->points; point++)
    memcpy(scratch + (size_t)point * (size_t)outlet->values, values + (size_t)point * (size_t)column->values,
           (size_t)column->values * sizeof *values);
}

static ebr_error *write_series(ebr_store *store, int64_t run, const ebr_column *column, const ebr_outlet *outlet,
                               const double *values)
{
  ebr_error *error = NULL;
  size_t bytes = (size_t)outlet->points * (size_t)outlet->values * sizeof *values;
  if (outlet->points != column->points || outlet->values != column->values) {
    spread(column, outlet, values, store->scratch);
    values = store->scratch;
  }
  EBR_TRY(write_at(store, outlet->start + (MPI_Offset)store->row_of[run] * (MPI_Offset)bytes, values, bytes));
done:
  return error;
}

/* *sum: checksum of the series. */
static ebr_error *write_record(ebr_store *store, int64_t run, const ebr_record *record, uint64_t *sum)
{
  ebr_error *error = NULL;
  EBR_CHECK(record->schema == store->schema, EBR_INTERNAL, "a record of another schema than %s was made for",
            store->path);
  for (int i = 0; i < ebr_schema_count(store->schema); i++) {
    const ebr_column *column = ebr_schema_at(store->schema, i);
    const ebr_outlet *outlet = &store->outlet[i];
    const double *values = record->values + column->offset;
    if (outlet->field >= 0) {
      memcpy(store->row + store->layout.field[outlet->field].offset, values, sizeof *values);
      continue;
    }
    EBR_TRY(write_series(store, run, column, outlet, values));
    *sum += ebr_series_sum(outlet->seed, values, column->points, column->values);
  }
done:
  return error;
}

ebr_error *ebr_store_write(ebr_store *store, int64_t run, const ebr_config *config, const ebr_row *row,
                           const ebr_record *record)
{
  ebr_error *error = NULL;
  ebr_row state = *row;
  state.series = 0;
  EBR_TRY(pack(store, config));
  if (record) EBR_TRY(write_record(store, run, record, &state.series));
  EBR_TRY(write_row(store, run, &state, row->status));
done:
  return error;
}
