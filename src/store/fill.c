#include "store/build.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Written at once. The page cache keeps what comes in one piece in folios as large as that, and a rank that writes its
 * row later has all blocks of a folio walked over. */
enum { BLOCK_BYTES = 64 << 10 };

/* What stays the same over all rows. */
typedef struct filling {
  const ebr_build *build;
  int *target;             /* (fields of the old layout) field of the new layout */
  unsigned char *pattern;  /* a waiting run with the parameters of config[last] */
  unsigned char *defaults; /* one with all defaults */
  ebr_config config[2];
} filling;

static ebr_error *prepare(const ebr_build *build, filling *f)
{
  ebr_error *error = NULL;
  int old_fields = build->old ? build->old->layout.count : 0;
  *f = (filling){.build = build};
  f->target = malloc(((size_t)old_fields + 1) * sizeof *f->target);
  f->pattern = calloc(1, build->layout.stride);
  f->defaults = calloc(1, build->layout.stride);
  EBR_CHECK(f->target && f->pattern && f->defaults, EBR_MEMORY, "no memory for a row of %zu bytes",
            build->layout.stride);
  for (int i = 0; i < old_fields; i++)
    f->target[i] = ebr_layout_find(&build->layout, build->old->layout.field[i].name);
  ebr_row_forget(&build->layout, f->pattern);
  ebr_row_forget(&build->layout, f->defaults);
  ebr_config_defaults(&f->config[0]);
  EBR_TRY(ebr_row_pack(&build->layout, &f->config[0], NULL, f->defaults));
done:
  return error;
}

static void release(filling *f)
{
  free(f->target);
  free(f->pattern);
  free(f->defaults);
}

static void copy_fields(const filling *f, const unsigned char *from, bool parameters, unsigned char *row)
{
  const ebr_layout *old = &f->build->old->layout, *new = &f->build->layout;
  for (int i = 0; i < old->count; i++)
    if (parameters || old->field[i].role == EBR_COLUMN_STATE || old->field[i].role == EBR_COLUMN_MEASURE)
      ebr_field_copy(&old->field[i], from, &new->field[f->target[i]], row);
}

/* A run that is back in the sweep is what it was when it left: only finished runs have a duration. */
static ebr_status status_now(const ebr_row *state, bool wanted)
{
  if (!wanted) return EBR_STATUS_REMOVED;
  if (state->status == EBR_STATUS_RUNNING || isnan(state->seconds)) return EBR_STATUS_WAITING;
  if (state->status == EBR_STATUS_REMOVED) return state->reason[0] ? EBR_STATUS_FAILED : EBR_STATUS_DONE;
  return state->status;
}

static void take_over(const filling *f, int64_t source, bool wanted, unsigned char *row)
{
  const ebr_build *build = f->build;
  const unsigned char *from = ebr_results_bytes(build->old, source);
  ebr_row state;
  bool intact = ebr_results_intact(build->old, source);
  if (wanted && !intact) return;
  copy_fields(f, from, !wanted, row);
  ebr_row_get(&build->layout, row, &state);
  if (!intact) state.seconds = NAN;
  state.status = status_now(&state, wanted);
  ebr_row_set(&build->layout, &state, row);
}

static ebr_error *make_row(filling *f, int64_t index, unsigned char *row)
{
  ebr_error *error = NULL;
  const ebr_build *build = f->build;
  const ebr_layout *layout = &build->layout;
  bool wanted = index < ebr_sweep_count(build->sweep);
  if (wanted) {
    ebr_config *now = &f->config[index % 2], *before = &f->config[(index + 1) % 2];
    ebr_row waiting = {ebr_sweep_id(build->sweep, index), EBR_STATUS_WAITING, NAN, NAN, -1, "", "", 0};
    ebr_sweep_run(build->sweep, index, now);
    EBR_TRY(ebr_row_pack(layout, now, index > 0 ? before : NULL, f->pattern));
    memcpy(row, f->pattern, layout->stride);
    ebr_row_set(layout, &waiting, row);
  } else {
    memcpy(row, f->defaults, layout->stride);
  }
  if (build->source[index] >= 0) take_over(f, build->source[index], wanted, row);
  ebr_row_seal(layout, row);
done:
  return error;
}

/* Not by H5Dwrite, which compares the two types of 150 columns anew each time. */
ebr_error *ebr_rows_write(const char *path, hid_t file, hid_t runs, size_t stride, int64_t start, int64_t count,
                          const unsigned char *rows)
{
  ebr_error *error = NULL;
  void *handle = NULL;
  haddr_t place = H5Dget_offset(runs);
  size_t bytes = (size_t)count * stride, at = 0;
  EBR_CHECK(place != HADDR_UNDEF, EBR_INTERNAL, "%s: /runs has no place of its own", path);
  EBR_TRY_HDF5(path, H5Fget_vfd_handle(file, H5P_DEFAULT, &handle));
  while (at < bytes) {
    size_t piece = bytes - at < BLOCK_BYTES ? bytes - at : BLOCK_BYTES;
    off_t to = (off_t)place + (off_t)start * (off_t)stride + (off_t)at;
    ssize_t written = pwrite(*(int *)handle, rows + at, piece, to);
    if (written < 0 && errno == EINTR) continue;
    EBR_CHECK(written > 0, EBR_FILE, "%s: rows cannot be written: %s", path, strerror(errno));
    at += (size_t)written;
  }
done:
  return error;
}

ebr_error *ebr_rows_fill(const ebr_build *build, hid_t runs, hid_t file)
{
  ebr_error *error = NULL;
  filling f = {0};
  ebr_axes *axes = NULL;
  size_t stride = build->layout.stride;
  int64_t block = (int64_t)(BLOCK_BYTES / stride) + 1;
  unsigned char *rows = malloc((size_t)block * stride);
  EBR_CHECK_MEMORY(rows, "rows of a results file");
  EBR_TRY(prepare(build, &f));
  EBR_TRY(ebr_axes_create(&build->layout, &axes));
  for (int64_t start = 0; start < build->count; start += block) {
    int64_t count = build->count - start < block ? build->count - start : block;
    for (int64_t i = 0; i < count; i++) {
      EBR_TRY(make_row(&f, start + i, rows + (size_t)i * stride));
      EBR_TRY(ebr_axes_see(axes, rows + (size_t)i * stride));
    }
    EBR_TRY(ebr_rows_write(build->path, file, runs, stride, start, count, rows));
  }
  EBR_TRY(ebr_axes_write(axes, build->path, file));
done:
  ebr_axes_destroy(&axes);
  release(&f);
  free(rows);
  return error;
}
