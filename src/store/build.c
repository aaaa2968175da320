#include "store/build.h"

#include <stdlib.h>
#include <string.h>

/* ---- planning ---------------------------------------------------------------------------------------------------- */

typedef struct identified {
  uint64_t id;
  int64_t row;
} identified;

static int by_id(const void *left, const void *right)
{
  const identified *a = left, *b = right;
  return a->id < b->id ? -1 : a->id > b->id;
}

static ebr_error *sort_ids(const ebr_results *old, identified **ids)
{
  ebr_error *error = NULL;
  *ids = malloc(((size_t)old->count + 1) * sizeof **ids);
  EBR_CHECK(*ids, EBR_MEMORY, "no memory for the ids of %lld runs", (long long)old->count);
  for (int64_t row = 0; row < old->count; row++)
    (*ids)[row] = (identified){ebr_row_id(&old->layout, ebr_results_bytes(old, row)), row};
  qsort(*ids, (size_t)old->count, sizeof **ids, by_id);
done:
  return error;
}

static ebr_error *match_rows(ebr_build *build)
{
  ebr_error *error = NULL;
  identified *ids = NULL;
  bool *kept = NULL;
  int64_t runs = ebr_sweep_count(build->sweep), old_count = build->old ? build->old->count : 0;
  build->count = runs;
  build->source = malloc((size_t)(runs + old_count) * sizeof *build->source);
  kept = calloc((size_t)old_count + 1, sizeof *kept);
  EBR_CHECK(build->source && kept, EBR_MEMORY, "no memory for a list of %lld runs", (long long)(runs + old_count));
  if (build->old) EBR_TRY(sort_ids(build->old, &ids));
  for (int64_t run = 0; run < runs; run++) {
    identified wanted = {ebr_sweep_id(build->sweep, run), 0};
    const identified *found = ids ? bsearch(&wanted, ids, (size_t)old_count, sizeof *ids, by_id) : NULL;
    build->source[run] = found ? found->row : -1;
    if (found) kept[found->row] = true;
  }
  for (int64_t row = 0; row < old_count; row++)
    if (!kept[row]) build->source[build->count++] = row;
done:
  free(kept);
  free(ids);
  return error;
}

ebr_error *ebr_build_plan(const char *path, const ebr_sweep *sweep, const ebr_schema *schema, const ebr_results *old,
                          ebr_build *build)
{
  ebr_error *error = NULL;
  *build = (ebr_build){.path = path, .sweep = sweep, .old = old};
  EBR_TRY(ebr_layout_plan(sweep, schema, &build->layout));
  if (old) EBR_TRY(ebr_layout_merge(&build->layout, &old->layout, path));
  EBR_TRY(ebr_series_plan(path, schema, old, &build->series, &build->series_count));
  EBR_TRY(match_rows(build));
done:
  return error;
}

void ebr_build_release(ebr_build *build)
{
  ebr_layout_destroy(&build->layout);
  free(build->series);
  free(build->source);
  *build = (ebr_build){0};
}

int64_t ebr_build_common(const ebr_build *build)
{
  int64_t common = 0;
  for (int64_t run = 0; run < ebr_sweep_count(build->sweep); run++) common += build->source[run] >= 0;
  return common;
}

static bool rows_fit(const ebr_build *build)
{
  ebr_row state;
  int64_t runs = ebr_sweep_count(build->sweep);
  if (ebr_build_common(build) < runs) return false;
  for (int64_t row = 0; row < build->count; row++) {
    ebr_row_get(&build->old->layout, ebr_results_bytes(build->old, build->source[row]), &state);
    if ((state.status == EBR_STATUS_REMOVED) != (row >= runs)) return false;
  }
  return true;
}

bool ebr_build_needed(const ebr_build *build)
{
  /* Another tool may have repacked the file; rows that cannot be mapped cannot be written in place either. */
  if (!build->old || !build->old->map || !ebr_layout_same(&build->layout, &build->old->layout)) return true;
  for (int i = 0; i < build->series_count; i++)
    if (build->series[i].points != build->series[i].old_points ||
        build->series[i].values != build->series[i].old_values)
      return true;
  return !rows_fit(build);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static ebr_error *open_old(const ebr_build *build, hid_t *old)
{
  ebr_error *error = NULL;
  hid_t access = -1;
  if (!build->old) goto done;
  EBR_TRY(ebr_hdf5_access(build->path, &access));
  EBR_TRY_HDF5(build->path, *old = H5Fopen(build->path, H5F_ACC_RDONLY, access));
done:
  ebr_hdf5_release(&access);
  return error;
}

static ebr_error *fill(const void *context, hid_t file)
{
  ebr_error *error = NULL;
  const ebr_build *build = context;
  hid_t type = -1, runs = -1, old = -1;
  hsize_t count = (hsize_t)build->count;
  EBR_TRY(open_old(build, &old));
  EBR_TRY(ebr_provenance_write(build, file));
  EBR_TRY(ebr_layout_write_columns(&build->layout, build->path, file));
  EBR_TRY(ebr_layout_type(&build->layout, build->path, &type));
  EBR_TRY(ebr_dataset_create(build->path, file, "runs", type, 1, &count, &runs));
  EBR_TRY(ebr_series_create(build, file));
  EBR_TRY(ebr_file_reserve(build->path, file));
  EBR_TRY(ebr_rows_fill(build, runs, file));
  if (build->old) EBR_TRY(ebr_series_fill(build, file, old));
done:
  ebr_hdf5_release(&old);
  ebr_hdf5_release(&runs);
  ebr_hdf5_release(&type);
  return error;
}

ebr_error *ebr_build_write(const ebr_build *build)
{
  ebr_replacement wanted = {build->path, &build->layout, build->old != NULL, fill, build};
  return ebr_file_replace(&wanted);
}
