/* Reads what stands under axes:. */
#include <sweep/plan.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Far above any sweep. */
enum { VALUES_BYTES_MOST = 512 << 20, CONDITION_VALUES_MOST = 1000 };

void ebr_column_clear(ebr_column *column, int64_t points)
{
  for (int64_t i = 0; column->derived && i < points; i++) ebr_expression_destroy(&column->derived[i]);
  free(column->derived);
  free(column->values);
  *column = (ebr_column){0};
}

void ebr_group_clear(ebr_group *group)
{
  for (int i = 0; i < group->column_count; i++) ebr_column_clear(&group->columns[i], group->points);
  for (int i = 0; i < group->condition_count; i++) free(group->conditions[i].values);
  free(group->columns);
  free(group->conditions);
  *group = (ebr_group){0};
}

ebr_error *ebr_read_value_text(const ebr_reader *reader, const ebr_yaml *node, ebr_text *text)
{
  ebr_error *error = NULL;
  EBR_CHECK_AT(node->kind != EBR_YAML_MAP, reader->path, node, "a value belongs here, not a map");
  if (node->kind == EBR_YAML_SCALAR) {
    EBR_TRY(ebr_text_add(text, "%s", node->text));
    goto done;
  }
  EBR_TRY(ebr_text_add(text, "["));
  for (int i = 0; i < node->count; i++) {
    EBR_CHECK_AT(i < 2 * EBR_LIST_MOST && node->item[i]->kind == EBR_YAML_SCALAR, reader->path, node->item[i],
                 "a list of single values belongs here, at most %d", EBR_LIST_MOST);
    EBR_TRY(ebr_text_add(text, "%s%s", i ? ", " : "", node->item[i]->text));
  }
  EBR_TRY(ebr_text_add(text, "]"));
done:
  return error;
}

ebr_error *ebr_read_parameter(const ebr_reader *reader, const ebr_yaml *key, const char *name, int *parameter)
{
  ebr_error *error = NULL;
  *parameter = ebr_parameter_find(name);
  if (*parameter >= 0) return NULL;
  EBR_CHECK_AT(!ebr_parameter_is_group(name), reader->path, key,
               "'%s' stands for several parameters: write %s.<parameter> here", name, name);
  const char *nearest = ebr_parameter_nearest(name);
  EBR_FAIL_AT(reader->path, key, "unknown parameter '%s'%s%s%s", name, nearest ? " (did you mean '" : "",
              nearest ? nearest : "", nearest ? "'?)" : "");
done:
  return error;
}

ebr_error *ebr_read_integer(const ebr_reader *reader, const ebr_yaml *node, const char *what, int64_t least,
                            int64_t most, int64_t *value)
{
  ebr_error *error = NULL;
  char *end = NULL;
  double number = node->kind == EBR_YAML_SCALAR && node->text[0] ? strtod(node->text, &end) : 0;
  bool whole = end && *end == 0 && number >= -9007199254740992.0 && number <= 9007199254740992.0 &&
               number == (double)(int64_t)number;
  EBR_CHECK_AT(whole, reader->path, node, "%s takes a whole number%s%.60s%s", what,
               node->kind == EBR_YAML_SCALAR ? ", not '" : "", node->kind == EBR_YAML_SCALAR ? node->text : "",
               node->kind == EBR_YAML_SCALAR ? "'" : "");
  *value = (int64_t)number;
  EBR_CHECK_AT(*value >= least && *value <= most, reader->path, node, "%s takes values from %lld to %lld, not %lld",
               what, (long long)least, (long long)most, (long long)*value);
done:
  return error;
}

static ebr_error *charge(ebr_reader *reader, const ebr_yaml *where, size_t count, size_t size)
{
  ebr_error *error = NULL;
  EBR_CHECK_AT(count <= (VALUES_BYTES_MOST - reader->bytes) / size, reader->path, where,
               "the values of all axes would take more than %d MB", VALUES_BYTES_MOST >> 20);
  reader->bytes += count * size;
done:
  return error;
}

ebr_error *ebr_reader_allocate(ebr_reader *reader, const ebr_yaml *where, size_t count, size_t size, void **room)
{
  ebr_error *error = NULL;
  EBR_TRY(charge(reader, where, count, size));
  *room = calloc(count, size);
  EBR_CHECK_MEMORY(*room, "the axes");
done:
  return error;
}

ebr_error *ebr_read_group(ebr_reader *reader, const ebr_yaml *where, ebr_group **group)
{
  ebr_error *error = NULL;
  ebr_sweep *sweep = reader->sweep;
  ebr_group *larger = realloc(sweep->groups, ((size_t)sweep->group_count + 1) * sizeof *larger);
  EBR_CHECK_MEMORY(larger, "the axes");
  sweep->groups = larger;
  *group = &larger[sweep->group_count++];
  **group = (ebr_group){.where = where};
done:
  return error;
}

static const ebr_column *column_of(const ebr_sweep *sweep, int parameter)
{
  for (int g = 0; g < sweep->group_count; g++)
    for (int c = 0; c < sweep->groups[g].column_count; c++)
      if (sweep->groups[g].columns[c].parameter == parameter) return &sweep->groups[g].columns[c];
  return NULL;
}

ebr_error *ebr_read_column(ebr_reader *reader, ebr_group *group, const ebr_yaml *key, ebr_column **column)
{
  ebr_error *error = NULL;
  int parameter;
  EBR_TRY(ebr_read_parameter(reader, key, key->text, &parameter));
  const ebr_column *other = column_of(reader->sweep, parameter);
  EBR_CHECK_AT(!other, reader->path, key, "two axes vary %s: the first is in line %d", key->text, other->where->line);
  ebr_column *larger = realloc(group->columns, ((size_t)group->column_count + 1) * sizeof *larger);
  EBR_CHECK_MEMORY(larger, "the axes");
  group->columns = larger;
  *column = &larger[group->column_count++];
  **column = (ebr_column){.parameter = parameter, .where = key};
done:
  return error;
}

static ebr_error *read_derived(ebr_reader *reader, ebr_column *column, int64_t points, int64_t point,
                               const ebr_yaml *node)
{
  ebr_error *error = NULL;
  void *room = column->derived;
  if (!room) EBR_TRY(ebr_reader_allocate(reader, node, (size_t)points, sizeof *column->derived, &room));
  column->derived = room;
  EBR_TRY(charge(reader, node, 1, EBR_EXPRESSION_BYTES));
  EBR_TRY(ebr_yaml_locate(reader->path, node, ebr_derive(column->parameter, node->text, &column->derived[point])));
done:
  return error;
}

ebr_error *ebr_read_value(const ebr_reader *reader, int parameter, const ebr_yaml *node, unsigned char *place)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  ebr_config scratch;
  const ebr_parameter *p = ebr_parameter_at(parameter);
  EBR_TRY(ebr_read_value_text(reader, node, &text));
  EBR_TRY(ebr_yaml_locate(reader->path, node, ebr_config_set(&scratch, parameter, text.data)));
  memcpy(place, ebr_config_field(&scratch, p), ebr_value_size(p->kind));
done:
  ebr_text_destroy(&text);
  return error;
}

static ebr_error *read_values(ebr_reader *reader, ebr_group *group, ebr_column *column, const ebr_yaml *list)
{
  ebr_error *error = NULL;
  const ebr_parameter *p = ebr_parameter_at(column->parameter);
  size_t size = ebr_value_size(p->kind);
  void *room = NULL;
  EBR_CHECK_AT(list->kind == EBR_YAML_SEQUENCE, reader->path, list,
               "an axis is a list of values: a single value of %s belongs under base", p->name);
  EBR_CHECK_AT(list->count > 0, reader->path, list, "the axis %s is empty", p->name);
  EBR_CHECK_AT(group->column_count == 1 || group->points == list->count, reader->path, list,
               "zip walks lists of one length: %s has %d, %s has %lld", p->name, list->count,
               /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): realloc keeps the first column */
               ebr_parameter_at(group->columns[0].parameter)->name, (long long)group->points);
  group->points = list->count;
  column->list = list;
  EBR_TRY(ebr_reader_allocate(reader, list, (size_t)list->count, size, &room));
  column->values = room;
  for (int i = 0; i < list->count; i++) {
    const ebr_yaml *node = list->item[i];
    if (node->kind == EBR_YAML_SCALAR && ebr_expression_is(node->text))
      EBR_TRY(read_derived(reader, column, list->count, i, node));
    else EBR_TRY(ebr_read_value(reader, column->parameter, node, column->values + (size_t)i * size));
  }
done:
  return error;
}

/* {from: a, count: n, step: s} */
static ebr_error *read_range(ebr_reader *reader, ebr_group *group, ebr_column *column, const ebr_yaml *map)
{
  ebr_error *error = NULL;
  const ebr_parameter *p = ebr_parameter_at(column->parameter);
  const ebr_yaml *from = ebr_yaml_get(map, "from"), *count = ebr_yaml_get(map, "count");
  const ebr_yaml *step = ebr_yaml_get(map, "step");
  const int64_t most = 1LL << 53;
  EBR_CHECK_AT(p->kind == EBR_KIND_INT, reader->path, map, "from and count need a whole-number parameter, not %s",
               p->name);
  EBR_CHECK_AT(from && count, reader->path, map, "a range needs both from and count");
  EBR_TRY(ebr_read_integer(reader, from, "from", (int64_t)p->minimum, (int64_t)p->maximum, &column->from));
  EBR_TRY(ebr_read_integer(reader, count, "count", 0, most, &group->points));
  EBR_CHECK_AT(group->points > 0, reader->path, count, "the axis %s is empty", p->name);
  EBR_CHECK_AT(group->points <= EBR_RUNS_MOST, reader->path, count,
               "%s alone would make %lld runs: a sweep has at most %d", p->name, (long long)group->points,
               EBR_RUNS_MOST);
  column->step = 1;
  if (step) EBR_TRY(ebr_read_integer(reader, step, "step", -1000000000, 1000000000, &column->step));
  EBR_CHECK_AT(column->step != 0, reader->path, step, "step must not be 0");
  double last = (double)column->from + (double)(group->points - 1) * (double)column->step;
  EBR_CHECK_AT(last >= p->minimum && last <= p->maximum, reader->path, map,
               "the range ends at %.0f: %s takes values from %.12g to %.12g", last, p->name, p->minimum, p->maximum);
done:
  return error;
}

static bool is_list_kind(ebr_kind kind)
{
  return kind == EBR_KIND_INTS || kind == EBR_KIND_REALS || kind == EBR_KIND_CHOICES;
}

/* `value` or `[values]`; for a parameter that is itself a list, a list of lists gives several. */
static ebr_error *read_condition(ebr_reader *reader, ebr_condition *condition, const ebr_yaml *node)
{
  ebr_error *error = NULL;
  const ebr_parameter *p = ebr_parameter_at(condition->parameter);
  size_t size = ebr_value_size(p->kind);
  void *room = NULL;
  bool several = node->kind == EBR_YAML_SEQUENCE &&
                 (!is_list_kind(p->kind) || (node->count > 0 && node->item[0]->kind == EBR_YAML_SEQUENCE));
  condition->count = several ? node->count : 1;
  EBR_CHECK_AT(condition->count > 0, reader->path, node, "a condition on %s without a value never holds", p->name);
  EBR_CHECK_AT(condition->count <= CONDITION_VALUES_MOST, reader->path, node,
               "a condition on %s with more than %d values", p->name, CONDITION_VALUES_MOST);
  EBR_TRY(ebr_reader_allocate(reader, node, (size_t)condition->count, size, &room));
  condition->values = room;
  for (int i = 0; i < condition->count; i++) {
    const ebr_yaml *value = several ? node->item[i] : node;
    EBR_TRY(ebr_read_value(reader, condition->parameter, value, condition->values + (size_t)i * size));
  }
done:
  return error;
}

ebr_error *ebr_read_conditions(ebr_reader *reader, ebr_group *group, const ebr_yaml *when)
{
  ebr_error *error = NULL;
  EBR_CHECK_AT(when->kind == EBR_YAML_MAP && when->count > 0, reader->path, when,
               "when: takes a map of parameters and the values that they must have");
  group->conditions = calloc((size_t)when->count, sizeof *group->conditions);
  EBR_CHECK_MEMORY(group->conditions, "the conditions");
  for (int i = 0; i < when->count; i++) {
    ebr_condition *condition = &group->conditions[group->condition_count++];
    condition->where = when->key[i];
    EBR_TRY(ebr_read_parameter(reader, when->key[i], when->key[i]->text, &condition->parameter));
    EBR_TRY(read_condition(reader, condition, when->item[i]));
  }
done:
  return error;
}

static ebr_error *check_axis_keys(const ebr_reader *reader, const ebr_yaml *map)
{
  ebr_error *error = NULL;
  for (int i = 0; i < map->count; i++) {
    const char *key = map->key[i]->text;
    EBR_CHECK_AT(strcmp(key, "when") == 0 || strcmp(key, "values") == 0 || strcmp(key, "from") == 0 ||
                     strcmp(key, "count") == 0 || strcmp(key, "step") == 0,
                 reader->path, map->key[i], "unknown key '%s': an axis takes when, values, from, count, step", key);
  }
done:
  return error;
}

static ebr_error *read_axis(ebr_reader *reader, const ebr_yaml *key, const ebr_yaml *node)
{
  ebr_error *error = NULL;
  ebr_group *group;
  ebr_column *column;
  EBR_TRY(ebr_read_group(reader, key, &group));
  EBR_TRY(ebr_read_column(reader, group, key, &column));
  if (node->kind != EBR_YAML_MAP) {
    EBR_TRY(read_values(reader, group, column, node));
    goto done;
  }
  EBR_TRY(check_axis_keys(reader, node));
  const ebr_yaml *values = ebr_yaml_get(node, "values"), *when = ebr_yaml_get(node, "when");
  bool range = ebr_yaml_get(node, "from") || ebr_yaml_get(node, "count") || ebr_yaml_get(node, "step");
  EBR_CHECK_AT(values || range, reader->path, node, "the axis %s has no values", key->text);
  EBR_CHECK_AT(!values || !range, reader->path, node, "the axis %s has both values and a range", key->text);
  if (when) EBR_TRY(ebr_read_conditions(reader, group, when));
  EBR_TRY(values ? read_values(reader, group, column, values) : read_range(reader, group, column, node));
done:
  return error;
}

static ebr_error *read_zip(ebr_reader *reader, const ebr_yaml *key, const ebr_yaml *map)
{
  ebr_error *error = NULL;
  ebr_group *group;
  ebr_column *column;
  EBR_CHECK_AT(map->kind == EBR_YAML_MAP, reader->path, map, "zip takes a map of lists, or a list of such maps");
  EBR_TRY(ebr_read_group(reader, key, &group));
  for (int i = 0; i < map->count; i++) {
    if (strcmp(map->key[i]->text, "when") == 0) {
      EBR_TRY(ebr_read_conditions(reader, group, map->item[i]));
      continue;
    }
    EBR_TRY(ebr_read_column(reader, group, map->key[i], &column));
    EBR_TRY(read_values(reader, group, column, map->item[i]));
  }
  EBR_CHECK_AT(group->column_count > 0, reader->path, map, "zip is empty");
done:
  return error;
}

ebr_error *ebr_read_axes(ebr_reader *reader, const ebr_yaml *axes)
{
  ebr_error *error = NULL;
  EBR_CHECK_AT(axes->kind == EBR_YAML_MAP, reader->path, axes, "axes takes a map from parameters to lists of values");
  for (int i = 0; i < axes->count; i++) {
    const ebr_yaml *key = axes->key[i], *node = axes->item[i];
    if (strcmp(key->text, "sample") == 0) {
      EBR_TRY(ebr_read_sample(reader, key, node));
    } else if (strcmp(key->text, "zip") != 0) {
      EBR_TRY(read_axis(reader, key, node));
    } else if (node->kind == EBR_YAML_SEQUENCE) {
      EBR_CHECK_AT(node->count > 0, reader->path, node, "zip is empty");
      for (int j = 0; j < node->count; j++) EBR_TRY(read_zip(reader, key, node->item[j]));
    } else {
      EBR_TRY(read_zip(reader, key, node));
    }
  }
done:
  return error;
}
