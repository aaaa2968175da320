/* Results of several jobs of one sweep become one file, by the same steps that extend one: rows, then curves and
 * spectra of each input in turn. */
#include "data/plausible.h"
#include "store/build.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One run in one input. */
typedef struct entry {
  uint64_t id;
  int64_t place; /* among all rows of all inputs */
  int file;
  int64_t row;
  int worth; /* which of two inputs' rows of a run is kept */
} entry;

typedef struct merging {
  const char *out, *command;
  ebr_results **in;
  int count;
  ebr_layout layout;
  ebr_series *series;
  int series_count;
  entry *chosen; /* (rows) in the order of the new file */
  int64_t rows;
} merging;

/* ---- which rows -------------------------------------------------------------------------------------------------- */

static int worth_of(const ebr_results *results, int64_t row)
{
  ebr_row state;
  ebr_results_row(results, row, &state);
  switch (state.status) {
    case EBR_STATUS_DONE: return 4;
    case EBR_STATUS_FAILED: return 3;
    case EBR_STATUS_REMOVED: return isnan(state.seconds) || !ebr_results_intact(results, row) ? 0 : 2;
    default: return 1;
  }
}

static int by_id_then_place(const void *left, const void *right)
{
  const entry *a = left, *b = right;
  if (a->id != b->id) return a->id < b->id ? -1 : 1;
  return a->place < b->place ? -1 : a->place > b->place;
}

static int by_place(const void *left, const void *right)
{
  const entry *a = left, *b = right;
  return a->place < b->place ? -1 : a->place > b->place;
}

static bool same_number(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

/* A run gives the same bits on one kind of machine: two answers are two programs or two machines, and not ours to
 * choose. */
static ebr_error *check_same(const merging *m, const entry *a, const entry *b)
{
  ebr_error *error = NULL;
  const ebr_results *left = m->in[a->file], *right = m->in[b->file];
  for (int i = 0; i < left->layout.count; i++) {
    const ebr_field *field = &left->layout.field[i];
    int other = ebr_layout_find(&right->layout, field->name);
    if (field->role != EBR_COLUMN_MEASURE || other < 0) continue;
    double one = ebr_field_number(field, ebr_results_bytes(left, a->row));
    double two = ebr_field_number(&right->layout.field[other], ebr_results_bytes(right, b->row));
    EBR_CHECK(same_number(one, two), EBR_RESULTS,
              "%s and %s: both finished run %016" PRIx64 ", but %s is %.9g and %.9g", left->path, right->path, a->id,
              field->name, one, two);
  }
done:
  return error;
}

/* Leaves one entry a run, at the place of its first mention. all is sorted by id and place. */
static ebr_error *choose(merging *m, const entry *all, int64_t count)
{
  ebr_error *error = NULL;
  for (int64_t first = 0, next; first < count; first = next) {
    entry best = all[first];
    for (next = first + 1; next < count && all[next].id == all[first].id; next++) {
      if (best.worth == 4 && all[next].worth == 4) EBR_TRY(check_same(m, &best, &all[next]));
      if (all[next].worth > best.worth) best = all[next];
    }
    best.place = all[first].place;
    m->chosen[m->rows++] = best;
  }
  qsort(m->chosen, (size_t)m->rows, sizeof *m->chosen, by_place);
done:
  return error;
}

static ebr_error *collect(merging *m)
{
  ebr_error *error = NULL;
  int64_t total = 0, place = 0;
  for (int k = 0; k < m->count; k++) total += m->in[k]->count;
  entry *all = calloc((size_t)total + 1, sizeof *all);
  m->chosen = calloc((size_t)total + 1, sizeof *m->chosen);
  EBR_CHECK(all && m->chosen, EBR_MEMORY, "no memory for a list of %" PRId64 " runs", total);
  for (int k = 0; k < m->count; k++)
    for (int64_t row = 0; row < m->in[k]->count; row++, place++)
      all[place] = (entry){ebr_row_id(&m->in[k]->layout, ebr_results_bytes(m->in[k], row)), place, k, row,
                           worth_of(m->in[k], row)};
  qsort(all, (size_t)total, sizeof *all, by_id_then_place);
  EBR_TRY(choose(m, all, total));
done:
  free(all);
  return error;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static bool is_ours(const char *name)
{
  return strcmp(name, "format") == 0 || strcmp(name, "command") == 0 || strcmp(name, "merged_from") == 0;
}

static ebr_error *copy_attribute(const char *path, hid_t from, hsize_t index, hid_t to)
{
  ebr_error *error = NULL;
  hid_t attribute = -1, type = -1, space = -1, copy = -1;
  char name[256];
  void *value = NULL;
  EBR_TRY_HDF5(path,
               attribute = H5Aopen_by_idx(from, ".", H5_INDEX_NAME, H5_ITER_INC, index, H5P_DEFAULT, H5P_DEFAULT));
  EBR_TRY_HDF5(path, H5Aget_name(attribute, sizeof name, name));
  if (is_ours(name)) goto done;
  EBR_TRY_HDF5(path, type = H5Aget_type(attribute));
  EBR_TRY_HDF5(path, space = H5Aget_space(attribute));
  value = malloc((size_t)H5Aget_storage_size(attribute) + 64);
  EBR_CHECK_MEMORY(value, name);
  EBR_TRY_HDF5(path, H5Aread(attribute, type, value));
  EBR_TRY_HDF5(path, copy = H5Acreate2(to, name, type, space, H5P_DEFAULT, H5P_DEFAULT));
  EBR_TRY_HDF5(path, H5Awrite(copy, type, value));
done:
  if (copy >= 0) H5Dvlen_reclaim(type, space, H5P_DEFAULT, value); /* texts of no fixed length are HDF5's memory */
  free(value);
  ebr_hdf5_release(&copy);
  ebr_hdf5_release(&space);
  ebr_hdf5_release(&type);
  ebr_hdf5_release(&attribute);
  return error;
}

static ebr_error *write_attributes(const merging *m, hid_t first, hid_t file)
{
  ebr_error *error = NULL;
  ebr_text names = {0};
  H5O_info_t about;
  EBR_TRY_HDF5(m->out, H5Oget_info(first, &about));
  for (hsize_t i = 0; i < about.num_attrs; i++) EBR_TRY(copy_attribute(m->in[0]->path, first, i, file));
  if (H5Lexists(first, "sweep", H5P_DEFAULT) > 0)
    EBR_TRY_HDF5(m->out, H5Ocopy(first, "sweep", file, "sweep", H5P_DEFAULT, H5P_DEFAULT));
  for (int k = 0; k < m->count && names.length < 50000; k++)
    EBR_TRY(ebr_text_add(&names, "%s%s", k ? " " : "", m->in[k]->path));
  EBR_TRY(ebr_hdf5_write_integer(m->out, file, "format", EBR_STORE_FORMAT));
  EBR_TRY(ebr_hdf5_write_text(m->out, file, "merged_from", names.data));
  EBR_TRY(ebr_hdf5_write_text(m->out, file, "command", m->command));
done:
  ebr_text_destroy(&names);
  return error;
}

static void make_row(const merging *m, const entry *from, const unsigned char *defaults, unsigned char *row)
{
  const ebr_results *in = m->in[from->file];
  const unsigned char *source = ebr_results_bytes(in, from->row);
  ebr_row state;
  memcpy(row, defaults, m->layout.stride);
  for (int i = 0; i < in->layout.count; i++)
    if (from->worth > 1 || in->layout.field[i].role != EBR_COLUMN_MEASURE)
      ebr_field_copy(&in->layout.field[i], source,
                     &m->layout.field[ebr_layout_find(&m->layout, in->layout.field[i].name)], row);
  if (from->worth <= 1) {
    state = (ebr_row){.id = from->id, .started = NAN, .seconds = NAN, .rank = -1};
    if (from->worth == 0) state.status = EBR_STATUS_REMOVED;
    ebr_row_set(&m->layout, &state, row);
  }
  ebr_row_seal(&m->layout, row);
}

static ebr_error *write_rows(const merging *m, hid_t file, hid_t runs)
{
  ebr_error *error = NULL;
  size_t stride = m->layout.stride;
  int64_t block = m->rows < 1024 ? m->rows : 1024;
  ebr_config config;
  ebr_axes *axes = NULL;
  unsigned char *rows = malloc(((size_t)block + 1) * stride), *defaults = calloc(1, stride);
  EBR_CHECK(rows && defaults, EBR_MEMORY, "no memory for rows of %zu bytes", stride);
  ebr_config_defaults(&config);
  ebr_row_forget(&m->layout, defaults);
  EBR_TRY(ebr_row_pack(&m->layout, &config, NULL, defaults));
  EBR_TRY(ebr_axes_create(&m->layout, &axes));
  for (int64_t start = 0; start < m->rows; start += block) {
    int64_t count = m->rows - start < block ? m->rows - start : block;
    for (int64_t i = 0; i < count; i++) {
      make_row(m, &m->chosen[start + i], defaults, rows + (size_t)i * stride);
      EBR_TRY(ebr_axes_see(axes, rows + (size_t)i * stride));
    }
    EBR_TRY(ebr_rows_write(m->out, file, runs, stride, start, count, rows));
  }
  EBR_TRY(ebr_axes_write(axes, m->out, file));
done:
  ebr_axes_destroy(&axes);
  free(defaults);
  free(rows);
  return error;
}

static ebr_error *open_input(const merging *m, int k, hid_t *file)
{
  ebr_error *error = NULL;
  hid_t access = -1;
  EBR_TRY(ebr_hdf5_access(m->in[k]->path, &access));
  EBR_TRY_HDF5(m->in[k]->path, *file = H5Fopen(m->in[k]->path, H5F_ACC_RDONLY, access));
done:
  ebr_hdf5_release(&access);
  return error;
}

/* Curves and spectra of input k, as if it were the old file of a build. */
static ebr_error *write_series(const merging *m, ebr_build *build, int k, hid_t file)
{
  ebr_error *error = NULL;
  hid_t old = -1;
  build->old = m->in[k];
  build->path = m->in[k]->path;
  for (int64_t row = 0; row < m->rows; row++) {
    const entry *from = &m->chosen[row];
    build->source[row] = from->file == k && from->worth > 1 ? from->row : -1;
  }
  EBR_TRY(ebr_series_add_file(m->in[k]->path, &build->series, &build->series_count));
  EBR_TRY(open_input(m, k, &old));
  EBR_TRY(ebr_series_fill(build, file, old));
done:
  ebr_hdf5_release(&old);
  return error;
}

static ebr_error *fill_datasets(const merging *m, hid_t file, hid_t runs)
{
  ebr_error *error = NULL;
  ebr_build build = {.path = m->out, .layout = m->layout, .count = m->rows};
  build.source = malloc(((size_t)m->rows + 1) * sizeof *build.source);
  build.series = malloc(((size_t)m->series_count + 1) * sizeof *build.series);
  EBR_CHECK(build.source && build.series, EBR_MEMORY, "no memory for a list of %" PRId64 " runs", m->rows);
  build.series_count = m->series_count;
  for (int i = 0; i < m->series_count; i++) build.series[i] = m->series[i];
  EBR_TRY(ebr_series_create(&build, file));
  EBR_TRY(ebr_file_reserve(m->out, file));
  EBR_TRY(write_rows(m, file, runs));
  for (int k = 0; k < m->count; k++) EBR_TRY(write_series(m, &build, k, file));
done:
  free(build.series);
  free(build.source);
  return error;
}

static ebr_error *fill(const void *context, hid_t file)
{
  ebr_error *error = NULL;
  const merging *m = context;
  hid_t first = -1, type = -1, runs = -1;
  hsize_t count = (hsize_t)m->rows;
  EBR_TRY(open_input(m, 0, &first));
  EBR_TRY(write_attributes(m, first, file));
  EBR_TRY(ebr_layout_write_columns(&m->layout, m->out, file));
  EBR_TRY(ebr_layout_type(&m->layout, m->out, &type));
  EBR_TRY(ebr_dataset_create(m->out, file, "runs", type, 1, &count, &runs));
  EBR_TRY(fill_datasets(m, file, runs));
done:
  ebr_hdf5_release(&runs);
  ebr_hdf5_release(&type);
  ebr_hdf5_release(&first);
  return error;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static ebr_error *open_all(merging *m, char *const *in)
{
  ebr_error *error = NULL;
  int64_t damaged;
  m->in = calloc((size_t)m->count, sizeof *m->in);
  EBR_CHECK_MEMORY(m->in, "a list of files");
  for (int k = 0; k < m->count; k++) {
    EBR_TRY(ebr_results_open(in[k], &m->in[k]));
    EBR_TRY(ebr_results_check(m->in[k], &damaged)); /* such runs are taken from another input, or wait */
    const char *name = ebr_results_text(m->in[0], "name"), *other = ebr_results_text(m->in[k], "name");
    EBR_CHECK(strcmp(name, other) == 0, EBR_RESULTS, "%s: holds the results of the sweep '%s', and %s those of '%s'",
              in[0], name, in[k], other);
    if (k == 0) EBR_TRY(ebr_layout_copy(&m->in[0]->layout, &m->layout));
    if (k == 0) EBR_TRY(ebr_layout_renew(&m->layout));
    EBR_TRY(ebr_layout_merge(&m->layout, &m->in[k]->layout, in[k]));
    EBR_TRY(ebr_series_add_file(in[k], &m->series, &m->series_count));
  }
  EBR_TRY(ebr_layout_renew(&m->layout)); /* again, for parameters that only later files have */
done:
  return error;
}

/* Two small files could ask for a large one: many runs in the one, long curves in the other. */
static ebr_error *check_size(const merging *m)
{
  ebr_error *error = NULL;
  struct stat about;
  double inputs = 0, row = (double)m->layout.stride;
  for (int k = 0; k < m->count; k++) {
    EBR_CHECK(stat(m->in[k]->path, &about) == 0, EBR_FILE, "%s: %s", m->in[k]->path, strerror(errno));
    inputs += (double)about.st_size;
  }
  for (int i = 0; i < m->series_count; i++)
    row += (double)m->series[i].points * (double)m->series[i].values * (double)sizeof(double);
  EBR_CHECK((double)m->rows * row <= ebr_plausible_most(inputs), EBR_RESULTS,
            "%s: would take %.3g MB, more than such files can hold", m->out, 1e-6 * (double)m->rows * row);
done:
  return error;
}

static void count_runs(const merging *m, int64_t runs[EBR_STATUS_REMOVED + 1])
{
  static const ebr_status status[] = {EBR_STATUS_REMOVED, EBR_STATUS_WAITING, EBR_STATUS_REMOVED, EBR_STATUS_FAILED,
                                      EBR_STATUS_DONE};
  for (int64_t row = 0; row < m->rows; row++) runs[status[m->chosen[row].worth]]++;
}

ebr_error *ebr_results_merge(const char *out, char *const *in, int count, bool replace, const char *command,
                             int64_t runs[EBR_STATUS_REMOVED + 1])
{
  ebr_error *error = NULL;
  merging m = {.out = out, .command = command, .count = count};
  ebr_hdf5_quiet();
  EBR_CHECK(replace || access(out, F_OK) != 0, EBR_FILE, "%s: exists already; --force replaces it", out);
  EBR_TRY(open_all(&m, in));
  EBR_TRY(collect(&m));
  EBR_TRY(check_size(&m));
  ebr_replacement wanted = {out, &m.layout, true, fill, &m};
  EBR_TRY(ebr_file_replace(&wanted));
  count_runs(&m, runs);
done:
  for (int k = 0; m.in && k < count; k++) ebr_results_close(&m.in[k]);
  free(m.in);
  free(m.series);
  free(m.chosen);
  ebr_layout_destroy(&m.layout);
  return error;
}
