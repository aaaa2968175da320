/* From a file into the block-cyclic layout. In every round each rank reads one chunk of whole file rows and sends each
 * piece of it to the rank that keeps it: the file is read once, in long stretches. */
#include <ebrsweep/matrix.h>

#include "data/npy.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CHUNK_BYTES = 4 << 20 };

/* What is stored, row after row, is a Fortran-ordered array's transpose; and it is turned once more where it has fewer
 * rows than columns. */
typedef struct axis {
  int block, places, place; /* of the grid along this axis */
} axis;

typedef struct loading {
  const char *name;
  ebr_source source;
  hid_t set;
  bool is_float;        /* HDF5 converts other types, and this one is faster here */
  int rows, cols;       /* as stored */
  bool fortran, turned; /* stored is the array's transpose; the matrix is stored's transpose */
  int *picked; /* (rows) which rows of the dataset; or NULL: all, and it is 2-D instead of (runs x 1 x weights) */
  ebr_matrix *matrix;
  axis down, across;      /* along the stored rows and columns */
  int rank, ranks, chunk; /* rows of a chunk */
  double *read, *send, *receive;
  float *narrow;
  int *counts;       /* four lists, one number a rank: sent, where, received, where */
  int64_t first_bad; /* row * cols + col of the first NaN or Inf that this rank read; INT64_MAX for none */
} loading;

/* ---- which file -------------------------------------------------------------------------------------------------- */

static bool ends_in(const char *text, const char *end)
{
  size_t length = strlen(text), tail = strlen(end);
  return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* path gets the file's, *inside the dataset's, which is in name. */
static ebr_error *split_name(const char *name, char path[EBR_TEXT_MOST], const char **inside)
{
  ebr_error *error = NULL;
  struct stat about;
  const char *colon = strrchr(name, ':');
  bool npy = ends_in(name, ".npy") && (!colon || stat(name, &about) == 0);
  size_t length = npy || !colon ? strlen(name) : (size_t)(colon - name);
  EBR_CHECK(npy || colon, EBR_USAGE, "%s: which dataset? Say FILE:PATH, or a FILE that ends in .npy", name);
  EBR_CHECK(length < EBR_TEXT_MOST, EBR_USAGE, "a path of %zu characters is longer than %d", length, EBR_TEXT_MOST - 1);
  memcpy(path, name, length);
  path[length] = 0;
  *inside = npy ? EBR_NPY_NAME : colon + 1;
  EBR_CHECK(stat(path, &about) == 0, EBR_DATA, "%s: there is no such file", path);
  EBR_CHECK(**inside, EBR_USAGE, "%s: which dataset in it? Say FILE:PATH", name);
done:
  return error;
}

/* Runs that are not done have no number there. */
static ebr_error *pick_runs(loading *load, int runs)
{
  ebr_error *error = NULL;
  hsize_t start[3] = {0}, extent[3] = {(hsize_t)runs, 1, 1}, count = (hsize_t)runs;
  double *first = malloc((size_t)runs * sizeof *first);
  hid_t file = H5Dget_space(load->set), memory = H5Screate_simple(1, &count, NULL);
  load->picked = malloc((size_t)runs * sizeof *load->picked);
  EBR_CHECK(first && load->picked, EBR_MEMORY, "no memory for a list of %d runs", runs);
  H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, extent, NULL);
  EBR_CHECK(H5Dread(load->set, H5T_NATIVE_DOUBLE, memory, file, H5P_DEFAULT, first) >= 0, EBR_DATA,
            "%s: cannot be read; the file is damaged", load->name);
  for (int run = 0; run < runs; run++)
    if (isfinite(first[run])) load->picked[load->rows++] = run;
  EBR_CHECK(load->rows > 0, EBR_DATA, "%s: no run is done", load->name);
done:
  H5Sclose(memory);
  H5Sclose(file);
  free(first);
  return error;
}

static ebr_error *open_heads(loading *load)
{
  ebr_error *error = NULL;
  hsize_t size[3] = {0};
  hid_t space = -1;
  EBR_CHECK(ebr_source_has(&load->source, "spectra") && ebr_source_has(&load->source, "spectra/" EBR_HEAD_WEIGHTS),
            EBR_DATA, "%s: no heads were kept; measure.spectra: [weights] does", load->name);
  load->set = H5Dopen2(load->source.file, "spectra/" EBR_HEAD_WEIGHTS, H5P_DEFAULT);
  space = H5Dget_space(load->set);
  EBR_CHECK(H5Sget_simple_extent_ndims(space) == 3 && H5Sget_simple_extent_dims(space, size, NULL) == 3 &&
                size[1] == 1 && size[0] > 0 && size[0] < INT_MAX && size[2] < INT_MAX,
            EBR_DATA, "%s: the heads have an impossible shape", load->name);
  load->cols = (int)size[2];
  EBR_TRY(pick_runs(load, (int)size[0]));
done:
  if (space >= 0) H5Sclose(space);
  return error;
}

static ebr_error *open_file(loading *load, char path[EBR_TEXT_MOST])
{
  ebr_error *error = NULL;
  const char *inside = NULL;
  hsize_t size[2];
  hid_t type = -1;
  EBR_TRY(split_name(load->name, path, &inside));
  if (ends_in(path, ".npy")) EBR_TRY(ebr_npy_open(path, &load->source, &load->fortran));
  else EBR_TRY(ebr_source_open(path, &load->source));
  if (strcmp(inside, "heads") == 0 && !ebr_source_has(&load->source, inside)) {
    EBR_TRY(open_heads(load));
  } else {
    EBR_TRY(ebr_field_size(&load->source, inside, 2, EBR_FIELD_OF_NUMBERS, size));
    load->rows = (int)size[0];
    load->cols = (int)size[1];
    load->set = H5Dopen2(load->source.file, inside, H5P_DEFAULT);
  }
  load->turned = load->rows < load->cols;
  type = H5Dget_type(load->set);
  load->is_float = H5Tequal(type, H5T_NATIVE_FLOAT) > 0;
done:
  if (type >= 0) H5Tclose(type);
  return error;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Rows [first, first + count) of the dataset. */
static herr_t read_stretch(const loading *load, int first, int count, void *values)
{
  hsize_t cols = (hsize_t)load->cols, start[3] = {(hsize_t)first, 0, 0}, all = (hsize_t)count * cols;
  hsize_t flat[3] = {(hsize_t)count, cols, 0}, stacked[3] = {(hsize_t)count, 1, cols};
  hid_t file = H5Dget_space(load->set), memory = H5Screate_simple(1, &all, NULL);
  H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, load->picked ? stacked : flat, NULL);
  herr_t status =
      H5Dread(load->set, load->is_float ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE, memory, file, H5P_DEFAULT, values);
  H5Sclose(memory);
  H5Sclose(file);
  return status;
}

static ebr_error *read_rows(loading *load, int first, int count)
{
  ebr_error *error = NULL;
  size_t cols = (size_t)load->cols;
  herr_t status = 0;
  for (int row = 0, next; row < count && status >= 0; row = next) {
    for (next = row + 1;
         load->picked && next < count && load->picked[first + next] == load->picked[first + next - 1] + 1;)
      next++;
    if (!load->picked) next = count;
    void *values =
        load->is_float ? (void *)(load->narrow + (size_t)row * cols) : (void *)(load->read + (size_t)row * cols);
    status = read_stretch(load, load->picked ? load->picked[first + row] : first + row, next - row, values);
  }
  EBR_CHECK(status >= 0, EBR_DATA, "%s: rows %d to %d cannot be read; the file is damaged or cut short", load->name,
            first, first + count - 1);
  for (size_t k = 0; load->is_float && k < (size_t)count * cols; k++) load->read[k] = load->narrow[k];
done:
  return error;
}

/* A number whose exponent's bits are all ones is NaN or Inf: seen this way, a loop over integers that vectorises. */
static bool any_bad(const double *values, size_t count)
{
  uint64_t bad = 0;
  for (size_t k = 0; k < count; k++) {
    uint64_t bits;
    memcpy(&bits, values + k, sizeof bits);
    bad |= (bits & 0x7ff0000000000000u) == 0x7ff0000000000000u;
  }
  return bad != 0;
}

static void look_for_bad(loading *load, int first, int count)
{
  size_t values = (size_t)count * (size_t)load->cols, k = 0;
  if (load->first_bad != INT64_MAX || !any_bad(load->read, values)) return;
  while (isfinite(load->read[k])) k++;
  load->first_bad = (int64_t)first * load->cols + (int64_t)k;
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

/* Not more rows than let every rank take part. */
static int chunk_rows(const loading *load)
{
  int rows = CHUNK_BYTES / 8 / load->cols, each = (load->rows + load->ranks - 1) / load->ranks;
  rows = rows < each ? rows : each;
  return rows > 1 ? rows : 1;
}

static int rounds(const loading *load)
{
  int64_t round = (int64_t)load->chunk * load->ranks;
  return (int)((load->rows + round - 1) / round);
}

/* Entries of [first, first + count) whose blocks are a place's. */
static int kept(const axis *along, int place, int first, int count)
{
  int sum = 0;
  for (int at = first; at < first + count;) {
    int block = at / along->block, end = (block + 1) * along->block;
    if (end > first + count) end = first + count;
    if (block % along->places == place) sum += end - at;
    at = end;
  }
  return sum;
}

static int chunk_first(const loading *load, int round, int rank)
{
  int64_t first = ((int64_t)round * load->ranks + rank) * load->chunk;
  return first < load->rows ? (int)first : load->rows;
}

static int chunk_count(const loading *load, int first)
{
  return load->rows - first < load->chunk ? load->rows - first : load->chunk;
}

/* Pieces in the order of ranks, each row after row, each row's entries in the order in which they are kept. */
static void pack(loading *load, int first, int count)
{
  int cols = load->cols, *sent = load->counts, *start = load->counts + load->ranks;
  double *to = load->send;
  for (int rank = 0; rank < load->ranks; rank++) {
    int grid_cols = load->matrix->at.grid_cols;
    int down = load->turned ? rank % grid_cols : rank / grid_cols;
    int across = load->turned ? rank / grid_cols : rank % grid_cols;
    start[rank] = (int)(to - load->send);
    for (int row = 0; row < count; row++) {
      if ((first + row) / load->down.block % load->down.places != down) continue;
      const double *from = load->read + (size_t)row * (size_t)cols;
      for (int at = across * load->across.block; at < cols; at += load->across.block * load->across.places) {
        int length = cols - at < load->across.block ? cols - at : load->across.block;
        memcpy(to, from + at, (size_t)length * sizeof *to);
        to += length;
      }
    }
    sent[rank] = (int)(to - load->send) - start[rank];
  }
}

static void expect(loading *load, int round)
{
  int *received = load->counts + 2 * (size_t)load->ranks, *start = load->counts + 3 * (size_t)load->ranks, sum = 0;
  int mine = kept(&load->across, load->across.place, 0, load->cols);
  for (int rank = 0; rank < load->ranks; rank++) {
    int first = chunk_first(load, round, rank);
    start[rank] = sum;
    received[rank] = kept(&load->down, load->down.place, first, chunk_count(load, first)) * mine;
    sum += received[rank];
  }
}

/* A piece (count x length), rows of the file, to the matrix's local rows from `row` on. Several rows at a time, so that
 * a line of the cache is filled before it is left. */
static void place_upright(ebr_matrix *matrix, const double *piece, int row, int count, int length)
{
  for (int start = 0; start < count; start += 8)
    for (int j = 0; j < length; j++) {
      double *to = matrix->local + (size_t)j * (size_t)matrix->leading + (size_t)row;
      for (int i = start; i < count && i < start + 8; i++) to[i] = piece[(size_t)i * (size_t)length + (size_t)j];
    }
}

/* The same with the file's rows as the matrix's columns. */
static void place_transposed(ebr_matrix *matrix, const double *piece, int col, int count, int length)
{
  for (int i = 0; i < count; i++)
    memcpy(matrix->local + (size_t)(col + i) * (size_t)matrix->leading, piece + (size_t)i * (size_t)length,
           (size_t)length * sizeof *piece);
}

static void unpack(loading *load, int round)
{
  const int *start = load->counts + 3 * (size_t)load->ranks;
  int length = kept(&load->across, load->across.place, 0, load->cols);
  for (int rank = 0; rank < load->ranks && length > 0; rank++) {
    int first = chunk_first(load, round, rank), local = kept(&load->down, load->down.place, 0, first);
    int count = kept(&load->down, load->down.place, first, chunk_count(load, first));
    const double *piece = load->receive + start[rank];
    if (load->turned) place_transposed(load->matrix, piece, local, count, length);
    else place_upright(load->matrix, piece, local, count, length);
  }
}

/* Collective. A rank that cannot read goes on sending, so that none waits; the error is agreed on at the end. */
static ebr_error *exchange(loading *load)
{
  ebr_error *error = NULL, *trouble = NULL;
  int *counts = load->counts;
  size_t ranks = (size_t)load->ranks;
  for (int round = 0; round < rounds(load); round++) {
    int first = chunk_first(load, round, load->rank), count = chunk_count(load, first);
    if (!trouble && count > 0) trouble = read_rows(load, first, count);
    if (!trouble) look_for_bad(load, first, count);
    pack(load, first, count);
    expect(load, round);
    EBR_TRY_MPI(MPI_Alltoallv(load->send, counts, counts + ranks, MPI_DOUBLE, load->receive, counts + 2 * ranks,
                              counts + 3 * ranks, MPI_DOUBLE, load->matrix->comm));
    unpack(load, round);
  }
  ebr_error *mine = trouble;
  trouble = NULL;
  EBR_TRY(ebr_agree(load->matrix->comm, mine));
done:
  ebr_error_destroy(&trouble);
  return error;
}

/* Collective. */
static ebr_error *refuse_bad(const loading *load)
{
  ebr_error *error = NULL;
  int64_t first;
  EBR_TRY_MPI(MPI_Allreduce(&load->first_bad, &first, 1, MPI_INT64_T, MPI_MIN, load->matrix->comm));
  if (first == INT64_MAX) goto done;
  long long row = first / load->cols, col = first % load->cols;
  EBR_FAIL(EBR_DATA, "%s: row %lld, column %lld is not a finite number", load->name, load->fortran ? col : row,
           load->fortran ? row : col);
done:
  return error;
}

/* ---- centring ---------------------------------------------------------------------------------------------------- */

/* Collective. Takes the mean off each matrix column, or each row. */
static ebr_error *centre(ebr_matrix *matrix, bool rows)
{
  ebr_error *error = NULL;
  const ebr_tiling *at = &matrix->at;
  int length = rows ? at->rows : at->cols, others = rows ? at->cols : at->rows;
  double *mean = calloc((size_t)length, sizeof *mean);
  EBR_TRY(
      ebr_agree(matrix->comm, mean ? NULL : ebr_error_create(EBR_MEMORY, __FILE__, __LINE__, "no memory to centre")));
  for (int j = 0; j < at->local_cols; j++)
    for (int i = 0; i < at->local_rows; i++)
      mean[rows ? ebr_tiling_row(at, i) : ebr_tiling_col(at, j)] +=
          matrix->local[(size_t)j * (size_t)matrix->leading + (size_t)i];
  EBR_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, mean, length, MPI_DOUBLE, MPI_SUM, matrix->comm));
  for (int k = 0; k < length; k++) mean[k] /= others;
  for (int j = 0; j < at->local_cols; j++)
    for (int i = 0; i < at->local_rows; i++)
      matrix->local[(size_t)j * (size_t)matrix->leading + (size_t)i] -=
          mean[rows ? ebr_tiling_row(at, i) : ebr_tiling_col(at, j)];
done:
  free(mean);
  return error;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static ebr_error *prepare(loading *load)
{
  ebr_error *error = NULL;
  const ebr_tiling *at = &load->matrix->at;
  axis rows = {at->block, at->grid_rows, at->grid_row}, cols = {at->block, at->grid_cols, at->grid_col};
  load->down = load->turned ? cols : rows;
  load->across = load->turned ? rows : cols;
  load->chunk = chunk_rows(load);
  load->first_bad = INT64_MAX;
  size_t values = (size_t)load->chunk * (size_t)load->cols;
  load->counts = calloc(4 * (size_t)load->ranks, sizeof *load->counts);
  EBR_CHECK_MEMORY(load->counts, "counts");
  load->read = calloc(values, sizeof *load->read);
  load->send = calloc(values, sizeof *load->send);
  if (load->is_float) load->narrow = calloc(values, sizeof *load->narrow);
  EBR_CHECK(load->read && load->send && (load->narrow || !load->is_float), EBR_MEMORY,
            "no memory for %zu numbers of %s at a time", values, load->name);
  int most = 1;
  for (int round = 0; round < rounds(load); round++) {
    expect(load, round);
    int sum = load->counts[3 * load->ranks - 1] + load->counts[4 * load->ranks - 1];
    most = sum > most ? sum : most;
  }
  load->receive = calloc((size_t)most, sizeof *load->receive);
  EBR_CHECK_MEMORY(load->receive, "pieces of a matrix");
done:
  return error;
}

static void release(loading *load)
{
  free(load->read);
  free(load->send);
  free(load->receive);
  free(load->narrow);
  free(load->counts);
  free(load->picked);
  if (load->set >= 0) H5Dclose(load->set);
  ebr_source_close(&load->source);
  ebr_matrix_destroy(&load->matrix);
}

/* Collective. */
static ebr_error *open_everywhere(MPI_Comm comm, loading *load, char path[EBR_TEXT_MOST])
{
  ebr_error *error = NULL;
  EBR_TRY_MPI(MPI_Comm_rank(comm, &load->rank));
  EBR_TRY_MPI(MPI_Comm_size(comm, &load->ranks));
  EBR_TRY(ebr_agree(comm, open_file(load, path)));
done:
  return error;
}

ebr_error *ebr_matrix_load(MPI_Comm comm, const char *name, int block, bool centred, ebr_matrix **matrix,
                           ebr_matrix_source *source)
{
  ebr_error *error = NULL;
  char path[EBR_TEXT_MOST];
  loading load = {.name = name, .source = {.file = -1}, .set = -1, .first_bad = INT64_MAX};
  EBR_TRY(open_everywhere(comm, &load, path));
  EBR_TRY(ebr_matrix_create(comm, load.turned ? load.cols : load.rows, load.turned ? load.rows : load.cols, block,
                            &load.matrix));
  EBR_TRY(ebr_agree(comm, prepare(&load)));
  EBR_TRY(exchange(&load));
  EBR_TRY(refuse_bad(&load));
  *source = (ebr_matrix_source){.rows = load.fortran ? load.cols : load.rows,
                                .cols = load.fortran ? load.rows : load.cols,
                                .transposed = load.turned != load.fortran};
  if (centred) EBR_TRY(centre(load.matrix, source->transposed));
  *matrix = load.matrix;
  load.matrix = NULL;
done:
  release(&load);
  return error;
}
