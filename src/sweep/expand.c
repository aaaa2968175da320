/* Counts the runs, lists their positions, checks each and finds duplicates. */
#include <sweep/plan.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A walk over all combinations. Groups come in an order in which conditions look back only. */
typedef struct walk {
  const ebr_sweep *sweep;
  int *order;       /* [groups] */
  uint64_t *weight; /* [groups]: of a group's digit in a position */
  int64_t *points;  /* [groups]: -1 = its conditions do not hold */
  int64_t count;
  uint64_t *positions; /* NULL: count only */
} walk;

static bool condition_holds(const walk *w, const ebr_condition *condition)
{
  const ebr_parameter *p = ebr_parameter_at(condition->parameter);
  size_t size = ebr_value_size(p->kind);
  const void *value = ebr_config_field(&w->sweep->base, p);
  int64_t number;
  if (condition->owner >= 0 && w->points[condition->owner] >= 0) {
    const ebr_column *column = &w->sweep->groups[condition->owner].columns[condition->column];
    number = column->from + w->points[condition->owner] * column->step;
    value = column->values ? column->values + (size_t)w->points[condition->owner] * size : (const void *)&number;
  }
  for (int i = 0; i < condition->count; i++)
    if (ebr_value_equal(p->kind, value, condition->values + (size_t)i * size)) return true;
  return false;
}

static bool group_active(const walk *w, const ebr_group *group)
{
  for (int i = 0; i < group->condition_count; i++)
    if (!condition_holds(w, &group->conditions[i])) return false;
  return true;
}

static void walk_from(walk *w, int level, uint64_t position)
{
  if (w->count > EBR_RUNS_MOST) return;
  if (level == w->sweep->group_count) {
    if (w->positions) w->positions[w->count] = position;
    w->count++;
    return;
  }
  int g = w->order[level];
  const ebr_group *group = &w->sweep->groups[g];
  bool conditional = group->condition_count > 0;
  if (conditional && !group_active(w, group)) {
    w->points[g] = -1;
    walk_from(w, level + 1, position);
    return;
  }
  for (int64_t i = 0; i < group->points && w->count <= EBR_RUNS_MOST; i++) {
    w->points[g] = i;
    walk_from(w, level + 1, position + (uint64_t)(i + conditional) * w->weight[g]);
  }
}

static bool look_ahead(const walk *w, int group, const bool *placed)
{
  const ebr_group *g = &w->sweep->groups[group];
  for (int i = 0; i < g->condition_count; i++)
    if (g->conditions[i].owner >= 0 && !placed[g->conditions[i].owner]) return true;
  return false;
}

static ebr_error *walk_order(const ebr_reader *reader, walk *w)
{
  ebr_error *error = NULL;
  int groups = w->sweep->group_count;
  bool *placed = calloc((size_t)groups + 1, sizeof *placed);
  EBR_CHECK_MEMORY(placed, "the axes");
  for (int count = 0; count < groups; count++) {
    int next = 0;
    while (next < groups && (placed[next] || look_ahead(w, next, placed))) next++;
    for (int g = 0; next == groups && g < groups; g++)
      EBR_CHECK_AT(placed[g], reader->path, w->sweep->groups[g].conditions[0].where,
                   "this condition waits for %s, which waits for this axis in turn",
                   ebr_parameter_at(w->sweep->groups[g].conditions[0].parameter)->name);
    w->order[count] = next;
    placed[next] = true;
  }
done:
  free(placed);
  return error;
}

static ebr_error *too_many(const ebr_reader *reader)
{
  ebr_error *error = NULL;
  const ebr_yaml *axes = ebr_yaml_get(reader->root, "axes");
  EBR_FAIL_AT(reader->path, axes ? axes : reader->root, "the axes make more than %d runs", EBR_RUNS_MOST);
done:
  return error;
}

static ebr_error *walk_weights(const ebr_reader *reader, walk *w, uint64_t *total)
{
  ebr_error *error = NULL;
  *total = 1;
  for (int g = w->sweep->group_count - 1; g >= 0; g--) {
    w->weight[g] = *total;
    if (__builtin_mul_overflow(*total, (uint64_t)ebr_group_radix(&w->sweep->groups[g]), total))
      EBR_TRY(too_many(reader));
  }
done:
  return error;
}

static int compare_positions(const void *a, const void *b)
{
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static bool any_condition(const ebr_sweep *sweep)
{
  for (int g = 0; g < sweep->group_count; g++)
    if (sweep->groups[g].condition_count) return true;
  return false;
}

static ebr_error *list_positions(const ebr_reader *reader, walk *w)
{
  ebr_error *error = NULL;
  ebr_sweep *sweep = reader->sweep;
  walk_from(w, 0, 0);
  if (w->count > EBR_RUNS_MOST) EBR_TRY(too_many(reader));
  sweep->count = w->count;
  sweep->positions = malloc(((size_t)w->count + 1) * sizeof *sweep->positions);
  EBR_CHECK_MEMORY(sweep->positions, "the list of runs");
  w->count = 0;
  w->positions = sweep->positions;
  walk_from(w, 0, 0);
  qsort(sweep->positions, (size_t)sweep->count, sizeof *sweep->positions, compare_positions);
done:
  return error;
}

static ebr_error *enumerate(const ebr_reader *reader)
{
  ebr_error *error = NULL;
  ebr_sweep *sweep = reader->sweep;
  uint64_t total;
  size_t groups = (size_t)sweep->group_count + 1;
  walk w = {.sweep = sweep};
  w.order = calloc(groups, sizeof *w.order);
  w.weight = calloc(groups, sizeof *w.weight);
  w.points = calloc(groups, sizeof *w.points);
  EBR_CHECK_MEMORY(w.order && w.weight && w.points ? w.order : NULL, "the axes");
  EBR_TRY(walk_order(reader, &w));
  EBR_TRY(walk_weights(reader, &w, &total));
  if (any_condition(sweep)) {
    EBR_TRY(list_positions(reader, &w));
  } else {
    if (total > EBR_RUNS_MOST) EBR_TRY(too_many(reader));
    sweep->count = (int64_t)total;
  }
done:
  free(w.order);
  free(w.weight);
  free(w.points);
  return error;
}

static ebr_error *find_owners(const ebr_reader *reader, ebr_condition *condition)
{
  ebr_error *error = NULL;
  const ebr_sweep *sweep = reader->sweep;
  bool derived = sweep->derived[condition->parameter] != NULL;
  condition->owner = -1;
  for (int g = 0; g < sweep->group_count; g++)
    for (int c = 0; c < sweep->groups[g].column_count; c++) {
      if (sweep->groups[g].columns[c].parameter != condition->parameter) continue;
      condition->owner = g;
      condition->column = c;
      derived |= sweep->groups[g].columns[c].derived != NULL;
    }
  EBR_CHECK_AT(!derived, reader->path, condition->where, "a condition cannot look at %s, whose value is derived",
               ebr_parameter_at(condition->parameter)->name);
done:
  return error;
}

/* The node that gave a run's parameter its value; NULL if the default did, or a --set. */
static const ebr_yaml *node_behind(const ebr_reader *reader, const int64_t *points, int parameter)
{
  const ebr_sweep *sweep = reader->sweep;
  for (int g = 0; g < sweep->group_count; g++)
    for (int c = 0; points[g] >= 0 && c < sweep->groups[g].column_count; c++) {
      const ebr_column *column = &sweep->groups[g].columns[c];
      if (column->parameter == parameter) return column->list ? column->list->item[points[g]] : column->where;
    }
  return reader->set_by[parameter];
}

/* "run 3 (method kd, seed 0)" */
static ebr_error *describe_run(const ebr_sweep *sweep, int64_t run, const int64_t *points, const ebr_config *config,
                               ebr_text *text)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_text_add(text, "run %lld", (long long)run));
  bool any = false;
  for (int g = 0; g < sweep->group_count; g++)
    for (int c = 0; points[g] >= 0 && c < sweep->groups[g].column_count; c++) {
      const ebr_column *column = &sweep->groups[g].columns[c];
      int parameter = column->parameter;
      if (column->derived && column->derived[points[g]]) continue; /* follows from the others, and may have failed */
      EBR_TRY(ebr_text_add(text, "%s%s ", any ? ", " : " (", ebr_parameter_at(parameter)->name));
      EBR_TRY(ebr_config_get(config, parameter, text));
      any = true;
    }
  if (any) EBR_TRY(ebr_text_add(text, ")"));
done:
  return error;
}

/* Puts place and run around what is wrong with a run. */
static ebr_error *blame_run(const ebr_reader *reader, int64_t run, const int64_t *points, const ebr_config *config,
                            int parameter, ebr_error *inner)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  if (ebr_error_code(inner) != EBR_SWEEP) return inner;
  const ebr_yaml *node = parameter >= 0 ? node_behind(reader, points, parameter) : NULL;
  const char *set = parameter >= 0 && !node ? reader->overridden_by[parameter] : NULL;
  EBR_TRY(ebr_text_add(&text, "%s", ebr_error_message(inner)));
  if (reader->sweep->group_count > 0) {
    EBR_TRY(ebr_text_add(&text, ", in "));
    EBR_TRY(describe_run(reader->sweep, run, points, config, &text));
  }
  EBR_CHECK(!set, EBR_SWEEP, "--set %s: %s", set, text.data);
  EBR_FAIL_AT(reader->path, node ? node : reader->root, "%s", text.data);
done:
  ebr_error_destroy(&inner);
  ebr_text_destroy(&text);
  return error;
}

static uint64_t position_of(const ebr_sweep *sweep, int64_t run)
{
  return sweep->positions ? sweep->positions[run] : (uint64_t)run;
}

static ebr_error *check_run(const ebr_reader *reader, int64_t run, int64_t *points)
{
  ebr_error *error = NULL;
  ebr_sweep *sweep = reader->sweep;
  ebr_config config;
  int parameter = -1;
  ebr_position_split(sweep, position_of(sweep, run), points);
  error = ebr_run_resolve(sweep, points, &config, &parameter);
  if (!error) {
    ebr_identity_canonicalize(ebr_identity_defaults(sweep->identity), &config);
    error = ebr_config_validate(&config, &parameter);
  }
  if (error) return blame_run(reader, run, points, &config, parameter, error);
  sweep->ids[run] = ebr_identity_id(sweep->identity, &config);
  return NULL;
}

/* The first parameter whose value differs between two runs though their ids do not; -1 = none. */
static int parameter_without_effect(const ebr_config *a, const ebr_config *b)
{
  for (int i = 0; i < EBR_PARAMETER_COUNT; i++) {
    const ebr_parameter *p = ebr_parameter_at(i);
    if (!ebr_value_equal(p->kind, ebr_config_field(a, p), ebr_config_field(b, p))) return i;
  }
  return -1;
}

static const ebr_yaml *node_of_difference(const ebr_reader *reader, const int64_t *first, const int64_t *second)
{
  const ebr_sweep *sweep = reader->sweep;
  for (int g = 0; g < sweep->group_count; g++)
    if (first[g] != second[g]) return node_behind(reader, second, sweep->groups[g].columns[0].parameter);
  return reader->root;
}

static ebr_error *fail_duplicate(const ebr_reader *reader, int64_t first, int64_t second, int64_t *a, int64_t *b)
{
  ebr_error *error = NULL;
  const ebr_sweep *sweep = reader->sweep;
  ebr_config one, two;
  ebr_text text = {0};
  int blame;
  ebr_position_split(sweep, position_of(sweep, first), a);
  ebr_position_split(sweep, position_of(sweep, second), b);
  EBR_TRY(ebr_run_resolve(sweep, a, &one, &blame));
  EBR_TRY(ebr_run_resolve(sweep, b, &two, &blame));
  int idle = parameter_without_effect(&one, &two);
  EBR_TRY(describe_run(sweep, first, a, &one, &text));
  EBR_TRY(ebr_text_add(&text, " and "));
  EBR_TRY(describe_run(sweep, second, b, &two, &text));
  EBR_TRY(ebr_text_add(&text, " are the same"));
  const ebr_yaml *node = node_of_difference(reader, a, b);
  if (idle >= 0) {
    const char *name = ebr_parameter_at(idle)->name;
    bool carried_out = ebr_parameter_at(idle)->conditions & EBR_WITHOUT_IDENTITY;
    const ebr_yaml *behind = node_behind(reader, b, idle);
    if (behind) node = behind;
    EBR_TRY(ebr_text_add(&text, carried_out ? ": %s is how a run is carried out, not what it is"
                                            : ": %s does not matter there, so give its axis a when:", name));
  }
  EBR_FAIL_AT(reader->path, node, "%s", text.data);
done:
  ebr_text_destroy(&text);
  return error;
}

/* An open-addressed table of run numbers, half empty at most. */
static ebr_error *check_duplicates(const ebr_reader *reader, int64_t *a, int64_t *b)
{
  ebr_error *error = NULL;
  const ebr_sweep *sweep = reader->sweep;
  size_t slots = 2;
  while (slots < 2 * (size_t)sweep->count) slots *= 2;
  int32_t *table = calloc(slots, sizeof *table); /* run + 1 */
  EBR_CHECK_MEMORY(table, "finding duplicate runs");
  for (int64_t run = 0; run < sweep->count; run++) {
    size_t slot = (size_t)sweep->ids[run] & (slots - 1);
    for (; table[slot]; slot = (slot + 1) & (slots - 1))
      if (sweep->ids[table[slot] - 1] == sweep->ids[run]) EBR_TRY(fail_duplicate(reader, table[slot] - 1, run, a, b));
    table[slot] = (int32_t)run + 1;
  }
done:
  free(table);
  return error;
}

ebr_error *ebr_expand(ebr_reader *reader)
{
  ebr_error *error = NULL;
  ebr_sweep *sweep = reader->sweep;
  size_t groups = (size_t)sweep->group_count + 1;
  int64_t *a = calloc(groups, sizeof *a), *b = calloc(groups, sizeof *b);
  EBR_CHECK_MEMORY(a && b ? a : NULL, "the axes");
  for (int g = 0; g < sweep->group_count; g++)
    for (int i = 0; i < sweep->groups[g].condition_count; i++)
      EBR_TRY(find_owners(reader, &sweep->groups[g].conditions[i]));
  EBR_TRY(enumerate(reader));
  sweep->ids = malloc((size_t)sweep->count * sizeof *sweep->ids);
  EBR_CHECK_MEMORY(sweep->ids, "the run ids");
  for (int64_t run = 0; run < sweep->count; run++) EBR_TRY(check_run(reader, run, a));
  EBR_TRY(check_duplicates(reader, a, b));
done:
  free(a);
  free(b);
  return error;
}
