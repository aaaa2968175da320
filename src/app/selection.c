#include "app/selection.h"

#include "app/filter.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void ebr_selection_release(ebr_selection *selection)
{
  free(selection->column);
  free(selection->run);
  *selection = (ebr_selection){0};
}

ebr_error *ebr_selection_filter(ebr_selection *selection, const char *where)
{
  ebr_error *error = NULL;
  ebr_filter *filter = NULL;
  int64_t count = ebr_results_count(selection->results);
  EBR_TRY(ebr_filter_create(selection->results, where, &filter));
  selection->run = malloc(((size_t)count + 1) * sizeof *selection->run);
  EBR_CHECK(selection->run, EBR_MEMORY, "no memory for a list of %lld runs", (long long)count);
  for (int64_t run = 0; run < count; run++)
    if (ebr_filter_match(filter, selection->results, run)) selection->run[selection->runs++] = run;
done:
  ebr_filter_destroy(&filter);
  return error;
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

static ebr_error *add_column(ebr_selection *selection, int column)
{
  ebr_error *error = NULL;
  for (int i = 0; i < selection->columns; i++)
    if (selection->column[i] == column) goto done;
  if (!selection->column) {
    selection->column = malloc((size_t)ebr_results_column_count(selection->results) * sizeof *selection->column);
    EBR_CHECK_MEMORY(selection->column, "a list of columns");
  }
  selection->column[selection->columns++] = column;
done:
  return error;
}

static ebr_error *add_matching(ebr_selection *selection, const char *option, const char *pattern)
{
  ebr_error *error = NULL;
  bool all = strcmp(pattern, "all") == 0, found = false;
  for (int c = 0; c < ebr_results_column_count(selection->results); c++) {
    const char *name = ebr_results_column_name(selection->results, c);
    bool hidden = strstr(name, "checksum") != NULL && strcmp(pattern, name) != 0;
    if (hidden || (!all && fnmatch(pattern, name, 0) != 0)) continue;
    found = true;
    EBR_TRY(add_column(selection, c));
  }
  const char *nearest = ebr_filter_nearest(selection->results, pattern);
  EBR_CHECK(found, EBR_USAGE, "%s: there is no column '%s'%s%s%s", option, pattern, nearest ? ", did you mean '" : "",
            nearest ? nearest : "", nearest ? "'?" : "");
done:
  return error;
}

ebr_error *ebr_selection_add(ebr_selection *selection, const char *option, const char *names)
{
  ebr_error *error = NULL;
  char *copy = strdup(names), *rest = copy;
  EBR_CHECK_MEMORY(copy, "a list of columns");
  for (char *name = strsep(&rest, ","); name; name = strsep(&rest, ",")) {
    name += strspn(name, " ");
    EBR_CHECK(*name, EBR_USAGE, "%s: a name is missing in '%s'", option, names);
    EBR_TRY(add_matching(selection, option, name));
  }
done:
  free(copy);
  return error;
}

/* A handful that fits a terminal; without any of them the file's first. */
ebr_error *ebr_selection_add_measures(ebr_selection *selection)
{
  ebr_error *error = NULL;
  static const char *const usual[] = {"test_accuracy",        "test_loss",           "collapse_index",
                                      "weakest_contribution", "head.effective_rank", "fused.effective_rank"};
  int before = selection->columns;
  for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
    int column = ebr_results_column_find(selection->results, usual[i]);
    if (column >= 0) EBR_TRY(add_column(selection, column));
  }
  for (int c = 0; c < ebr_results_column_count(selection->results) && selection->columns < before + 4; c++)
    if (ebr_results_column_is_measure(selection->results, c)) EBR_TRY(add_column(selection, c));
done:
  return error;
}

ebr_error *ebr_selection_add_usual(ebr_selection *selection)
{
  ebr_error *error = NULL;
  bool all_done = true;
  ebr_row row;
  for (int c = 0; c < ebr_results_column_count(selection->results); c++)
    if (ebr_results_column_is_axis(selection->results, c)) EBR_TRY(add_column(selection, c));
  for (int64_t i = 0; i < selection->runs && all_done; i++) {
    ebr_results_row(selection->results, selection->run[i], &row);
    all_done = row.status == EBR_STATUS_DONE;
  }
  if (!all_done) EBR_TRY(ebr_selection_add(selection, "--columns", "status"));
  EBR_TRY(ebr_selection_add_measures(selection));
done:
  return error;
}

/* ---- order ------------------------------------------------------------------------------------------------------- */

typedef struct sort_key {
  int64_t run, place;
  double number;
  char *text;
  int direction;
} sort_key;

static int compare_keys(const void *left, const void *right)
{
  const sort_key *a = left, *b = right;
  int order = 0;
  if (a->text) order = strcmp(a->text, b->text);
  else if (isnan(a->number) != isnan(b->number)) return isnan(a->number) ? 1 : -1;
  else if (a->number != b->number && !isnan(a->number)) order = a->number < b->number ? -1 : 1;
  if (order != 0) return order * a->direction;
  return a->place < b->place ? -1 : 1;
}

ebr_error *ebr_selection_sort(ebr_selection *selection, const char *name)
{
  ebr_error *error = NULL;
  int direction = name[0] == '-' ? -1 : 1;
  if (name[0] == '-') name++;
  int column = ebr_results_column_find(selection->results, name);
  sort_key *key = calloc((size_t)selection->runs + 1, sizeof *key);
  EBR_CHECK_MEMORY(key, "sorting");
  const char *nearest = ebr_filter_nearest(selection->results, name);
  EBR_CHECK(column >= 0, EBR_USAGE, "--sort: there is no column '%s'%s%s%s", name, nearest ? ", did you mean '" : "",
            nearest ? nearest : "", nearest ? "'?" : "");
  bool text = ebr_results_column_is_text(selection->results, column);
  for (int64_t i = 0; i < selection->runs; i++) {
    key[i] = (sort_key){selection->run[i], i, ebr_results_number(selection->results, selection->run[i], column), NULL,
                        direction};
    if (!text) continue;
    key[i].text = strdup(ebr_results_cell(selection->results, selection->run[i], column));
    EBR_CHECK_MEMORY(key[i].text, "sorting");
  }
  qsort(key, (size_t)selection->runs, sizeof *key, compare_keys);
  for (int64_t i = 0; i < selection->runs; i++) selection->run[i] = key[i].run;
done:
  for (int64_t i = 0; key && i < selection->runs; i++) free(key[i].text);
  free(key);
  return error;
}

/* ---- cells ------------------------------------------------------------------------------------------------------- */

static ebr_kind kind_of(const char *name)
{
  int parameter = ebr_parameter_find(name);
  return parameter < 0 ? EBR_KIND_TEXT : ebr_parameter_at(parameter)->kind;
}

/* [head, fused] -> ["head", "fused"] */
static ebr_error *add_words(const char *list, ebr_text *text)
{
  ebr_error *error = NULL;
  bool first = true;
  EBR_TRY(ebr_text_add(text, "["));
  for (const char *c = list + strspn(list, "[ ,"); *c && *c != ']'; c += strcspn(c, ",]"), c += strspn(c, ", ")) {
    EBR_TRY(ebr_text_add(text, "%s\"%.*s\"", first ? "" : ", ", (int)strcspn(c, ",]"), c));
    first = false;
  }
  EBR_TRY(ebr_text_add(text, "]"));
done:
  return error;
}

static ebr_error *add_json(ebr_results *results, int64_t run, int column, ebr_text *text)
{
  const char *name = ebr_results_column_name(results, column), *cell = ebr_results_cell(results, run, column);
  ebr_kind kind = kind_of(name);
  if (ebr_results_column_is_text(results, column)) {
    bool list = cell[0] == '[';
    if (list && (kind == EBR_KIND_INTS || kind == EBR_KIND_REALS)) return ebr_text_add(text, "%s", cell);
    return list && kind == EBR_KIND_CHOICES ? add_words(cell, text) : ebr_text_add_json(text, cell);
  }
  if (kind == EBR_KIND_BOOL) return ebr_text_add(text, "%s", cell);
  return isfinite(ebr_results_number(results, run, column)) ? ebr_text_add(text, "%s", cell)
                                                             : ebr_text_add(text, "null");
}

/* A table says - where a parameter has no say in a run: a vanilla run has no lambda, though the file holds the default.
 * What decides is a choice, or whether there are allocations. */
static bool matters(ebr_results *results, int64_t run, int column)
{
  ebr_config config;
  int parameter = ebr_parameter_find(ebr_results_column_name(results, column));
  if (parameter < 0 || ebr_parameter_at(parameter)->conditions == EBR_ALWAYS) return true;
  ebr_config_defaults(&config);
  for (int i = 0; i < ebr_parameter_count(); i++) {
    const ebr_parameter *p = ebr_parameter_at(i);
    if (p->kind != EBR_KIND_CHOICE && strcmp(p->name, "allocation.trials") != 0) continue;
    int decider = ebr_results_column_find(results, p->name);
    if (decider < 0) continue;
    ebr_error *error = ebr_config_set(&config, i, ebr_results_cell(results, run, decider));
    ebr_error_destroy(&error);
  }
  return ebr_config_relevant(&config, parameter);
}

ebr_error *ebr_selection_cell(ebr_results *results, ebr_format format, int64_t run, int column, ebr_text *text)
{
  if (format == EBR_FORMAT_JSON) return add_json(results, run, column, text);
  double number = ebr_results_number(results, run, column);
  bool missing = !ebr_results_column_is_text(results, column) && isnan(number);
  if (format == EBR_FORMAT_CSV && missing) return NULL;
  if (format == EBR_FORMAT_PLAIN && !matters(results, run, column)) return ebr_text_add(text, "-");
  if (format == EBR_FORMAT_PLAIN && ebr_results_column_is_measure(results, column) && !missing)
    return ebr_text_add(text, "%.4g", number);
  /* 40 and not 4e+01, which is as short and as exact. */
  bool whole = !ebr_results_column_is_text(results, column) && number == trunc(number) && fabs(number) < 1e9;
  if (format == EBR_FORMAT_PLAIN && whole) return ebr_text_add(text, "%.0f", number);
  return ebr_text_add(text, "%s", ebr_results_cell(results, run, column));
}

static const char *grid_title(void *context, int column)
{
  const ebr_selection *selection = context;
  return ebr_results_column_name(selection->results, selection->column[column]);
}

static bool grid_is_text(void *context, int column)
{
  const ebr_selection *selection = context;
  return ebr_results_column_is_text(selection->results, selection->column[column]);
}

static ebr_error *grid_cell(void *context, ebr_format format, int64_t row, int column, ebr_text *text)
{
  const ebr_selection *selection = context;
  return ebr_selection_cell(selection->results, format, selection->run[row], selection->column[column], text);
}

ebr_error *ebr_selection_print(const ebr_selection *selection, ebr_format format, FILE *to)
{
  ebr_selection shown = *selection;
  ebr_grid grid = {shown.runs, shown.columns, &shown, grid_title, grid_is_text, grid_cell};
  return ebr_grid_print(&grid, format, to);
}
