#include "app/groups.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Welford's running mean and sum of squared deviations. */
typedef struct moments {
  int64_t count;
  double mean, squares;
} moments;

typedef struct group {
  int64_t first, runs; /* a run of the group; how many */
  uint64_t hash;
} group;

typedef struct groups {
  const ebr_selection *by, *of;
  ebr_format format;
  group *group;
  moments *moments; /* (count x of->columns) */
  int64_t count, capacity;
  int64_t *table, slots; /* group + 1, 0 = free */
  char title[96];
} groups;

static ebr_error *grow(groups *g)
{
  ebr_error *error = NULL;
  int64_t before = g->capacity;
  if (g->count < g->capacity) goto done;
  g->capacity = g->capacity ? 2 * g->capacity : 64;
  group *grown = realloc(g->group, (size_t)g->capacity * sizeof *grown);
  if (grown) g->group = grown;
  size_t columns = (size_t)g->of->columns + 1;
  moments *more = realloc(g->moments, (size_t)g->capacity * columns * sizeof *more);
  if (more) g->moments = more;
  free(g->table);
  g->slots = 2 * g->capacity;
  g->table = calloc((size_t)g->slots, sizeof *g->table);
  EBR_CHECK(grown && more && g->table, EBR_MEMORY, "no memory for %lld groups", (long long)g->capacity);
  memset(grown + before, 0, (size_t)(g->capacity - before) * sizeof *grown);
  memset(more + (size_t)before * columns, 0, (size_t)(g->capacity - before) * columns * sizeof *more);
  for (int64_t i = 0; i < g->count; i++) {
    uint64_t slot = g->group[i].hash;
    while (g->table[slot & (uint64_t)(g->slots - 1)]) slot++;
    g->table[slot & (uint64_t)(g->slots - 1)] = i + 1;
  }
done:
  return error;
}

static uint64_t hash_run(const groups *g, int64_t run)
{
  uint64_t hash = 0;
  for (int i = 0; i < g->by->columns; i++) {
    const char *cell = ebr_results_cell(g->by->results, run, g->by->column[i]);
    hash = ebr_hash(cell, strlen(cell) + 1, hash);
  }
  return hash;
}

static ebr_error *find_group(groups *g, int64_t run, int64_t *index)
{
  ebr_error *error = NULL;
  EBR_TRY(grow(g));
  uint64_t hash = hash_run(g, run), mask = (uint64_t)(g->slots - 1), slot = hash & mask;
  while (g->table[slot] && g->group[g->table[slot] - 1].hash != hash) slot = (slot + 1) & mask;
  if (!g->table[slot]) {
    g->group[g->count] = (group){run, 0, hash};
    memset(&g->moments[g->count * g->of->columns], 0, (size_t)g->of->columns * sizeof *g->moments);
    g->table[slot] = ++g->count;
  }
  *index = g->table[slot] - 1;
done:
  return error;
}

static void add_value(moments *m, double value)
{
  if (isnan(value)) return;
  double before = value - m->mean;
  m->mean += before / (double)++m->count;
  m->squares += before * (value - m->mean);
}

static ebr_error *gather(groups *g)
{
  ebr_error *error = NULL;
  ebr_row row;
  int64_t index;
  for (int64_t i = 0; i < g->by->runs; i++) {
    int64_t run = g->by->run[i];
    ebr_results_row(g->by->results, run, &row);
    EBR_TRY(find_group(g, run, &index));
    if (row.status != EBR_STATUS_DONE) continue;
    g->group[index].runs++;
    for (int c = 0; c < g->of->columns; c++)
      add_value(&g->moments[index * g->of->columns + c], ebr_results_number(g->by->results, run, g->of->column[c]));
  }
done:
  return error;
}

static double mean_of(const moments *m) { return m->count > 0 ? m->mean : NAN; }

static double standard_error_of(const moments *m)
{
  return m->count > 1 ? sqrt(m->squares / (double)(m->count - 1) / (double)m->count) : NAN;
}

/* ---- as a grid --------------------------------------------------------------------------------------------------- */

/* Which column of `of` a column of the grid is; *spread: its standard error. */
static int measured(const groups *g, int column, bool *spread)
{
  int place = column - g->by->columns - 1, wide = g->format != EBR_FORMAT_PLAIN;
  *spread = wide && place % 2 == 1;
  return wide ? place / 2 : place;
}

static const char *title(void *context, int column)
{
  groups *g = context;
  bool spread;
  if (column < g->by->columns) return ebr_results_column_name(g->by->results, g->by->column[column]);
  if (column == g->by->columns) return "n";
  const char *name = ebr_results_column_name(g->of->results, g->of->column[measured(g, column, &spread)]);
  snprintf(g->title, sizeof g->title, "%s%s", name, spread ? ".standard_error" : "");
  return g->title;
}

static bool is_text(void *context, int column)
{
  const groups *g = context;
  return column < g->by->columns && ebr_results_column_is_text(g->by->results, g->by->column[column]);
}

static ebr_error *cell(void *context, ebr_format format, int64_t row, int column, ebr_text *text)
{
  const groups *g = context;
  bool spread;
  if (column < g->by->columns)
    return ebr_selection_cell(g->by->results, format, g->group[row].first, g->by->column[column], text);
  if (column == g->by->columns) return ebr_text_add(text, "%lld", (long long)g->group[row].runs);
  const moments *m = &g->moments[row * g->of->columns + measured(g, column, &spread)];
  double value = spread ? standard_error_of(m) : mean_of(m);
  if (format != EBR_FORMAT_PLAIN)
    return isnan(value) && format == EBR_FORMAT_CSV ? NULL : ebr_text_add_number(text, value);
  if (m->count == 0) return ebr_text_add(text, "none");
  if (m->count == 1) return ebr_text_add(text, "%.4g", value);
  return ebr_text_add(text, "%.4g ± %.2g", value, standard_error_of(m));
}

ebr_error *ebr_groups_print(const ebr_selection *by, const ebr_selection *of, ebr_format format, FILE *to)
{
  ebr_error *error = NULL;
  groups g = {.by = by, .of = of, .format = format};
  EBR_TRY(gather(&g));
  int columns = by->columns + 1 + of->columns * (format == EBR_FORMAT_PLAIN ? 1 : 2);
  ebr_grid grid = {g.count, columns, &g, title, is_text, cell};
  EBR_TRY(ebr_grid_print(&grid, format, to));
done:
  free(g.group);
  free(g.moments);
  free(g.table);
  return error;
}
