#include <sweep/plan.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ebr_sweep_destroy(ebr_sweep **sweep)
{
  ebr_sweep *s = *sweep;
  if (!s) return;
  for (int g = 0; g < s->group_count; g++) ebr_group_clear(&s->groups[g]);
  for (int i = 0; i < EBR_PARAMETER_COUNT; i++) ebr_expression_destroy(&s->derived[i]);
  ebr_identity_destroy(&s->identity);
  free(s->groups);
  free(s->positions);
  free(s->ids);
  free(s->name);
  free(s->question);
  free(s->text);
  free(s->folder);
  free(s);
  *sweep = NULL;
}

const char *ebr_sweep_name(const ebr_sweep *sweep) { return sweep->name; }
const char *ebr_sweep_question(const ebr_sweep *sweep) { return sweep->question; }
const char *ebr_sweep_text(const ebr_sweep *sweep) { return sweep->text; }
const char *ebr_sweep_folder(const ebr_sweep *sweep) { return sweep->folder; }
int64_t ebr_sweep_count(const ebr_sweep *sweep) { return sweep->count; }
uint64_t ebr_sweep_id(const ebr_sweep *sweep, int64_t run) { return sweep->ids[run]; }

void ebr_sweep_run(const ebr_sweep *sweep, int64_t run, ebr_config *config)
{
  int64_t points[EBR_PARAMETER_COUNT]; /* a group varies at least one parameter, and no two the same */
  int parameter;
  ebr_position_split(sweep, sweep->positions ? sweep->positions[run] : (uint64_t)run, points);
  ebr_error *error = ebr_run_resolve(sweep, points, config, &parameter);
  if (error) abort(); /* every run was resolved when the file was read */
  ebr_identity_canonicalize(ebr_identity_defaults(sweep->identity), config);
}

int ebr_sweep_axis_count(const ebr_sweep *sweep)
{
  int count = 0;
  for (int g = 0; g < sweep->group_count; g++) count += sweep->groups[g].column_count;
  return count;
}

int ebr_sweep_axis_parameter(const ebr_sweep *sweep, int axis)
{
  int g = 0;
  for (; axis >= sweep->groups[g].column_count; g++) axis -= sweep->groups[g].column_count;
  return sweep->groups[g].columns[axis].parameter;
}

/* ---- base and measure -------------------------------------------------------------------------------------------- */

/* A value of the base, derived or not. */
static ebr_error *set_base(ebr_sweep *sweep, int parameter, const char *text)
{
  ebr_error *error = NULL;
  ebr_expression *derived = NULL;
  if (ebr_expression_is(text)) EBR_TRY(ebr_derive(parameter, text, &derived));
  else EBR_TRY(ebr_config_set(&sweep->base, parameter, text));
  ebr_expression_destroy(&sweep->derived[parameter]);
  sweep->derived[parameter] = derived;
done:
  return error;
}

static ebr_error *read_base_value(ebr_reader *reader, const char *name, const ebr_yaml *key, const ebr_yaml *value)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  int parameter;
  EBR_TRY(ebr_read_parameter(reader, key, name, &parameter));
  EBR_CHECK_AT(!reader->set_by[parameter], reader->path, key, "%s stands twice: first in line %d", name,
               reader->set_by[parameter]->line);
  EBR_CHECK_AT(value->kind != EBR_YAML_MAP, reader->path, value, "%s takes a value, not a map", name);
  EBR_TRY(ebr_read_value_text(reader, value, &text));
  EBR_TRY(ebr_yaml_locate(reader->path, value, set_base(reader->sweep, parameter, text.data)));
  reader->set_by[parameter] = value;
done:
  ebr_text_destroy(&text);
  return error;
}

/* Maps nest as deep as names have dots. */
static ebr_error *read_base(ebr_reader *reader, const char *prefix, const ebr_yaml *node)
{
  ebr_error *error = NULL;
  char name[EBR_TEXT_MOST];
  if (ebr_yaml_is_null(node)) return NULL;
  EBR_CHECK_AT(node->kind == EBR_YAML_MAP, reader->path, node, "%s takes a map of parameters",
               *prefix ? prefix : "base");
  for (int i = 0; i < node->count; i++) {
    const ebr_yaml *key = node->key[i];
    int length = snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "", key->text);
    EBR_CHECK_AT(length < (int)sizeof name, reader->path, key, "unknown parameter '%.60s...'", name);
    EBR_TRY(ebr_parameter_is_group(name) ? read_base(reader, name, node->item[i])
                                         : read_base_value(reader, name, key, node->item[i]));
  }
done:
  return error;
}

/* ---- overrides --------------------------------------------------------------------------------------------------- */

static void remove_axis(ebr_sweep *sweep, int parameter)
{
  for (int g = 0; g < sweep->group_count; g++) {
    ebr_group *group = &sweep->groups[g];
    for (int c = 0; c < group->column_count; c++) {
      if (group->columns[c].parameter != parameter) continue;
      ebr_column_clear(&group->columns[c], group->points);
      group->column_count--;
      memmove(&group->columns[c], &group->columns[c + 1], (size_t)(group->column_count - c) * sizeof *group->columns);
      break;
    }
    if (group->column_count > 0) continue;
    ebr_group_clear(group);
    sweep->group_count--;
    memmove(group, group + 1, (size_t)(sweep->group_count - g) * sizeof *group);
    return;
  }
}

static ebr_error *apply_override(ebr_reader *reader, const char *assignment)
{
  ebr_error *error = NULL;
  char name[EBR_TEXT_MOST];
  const char *equals = strchr(assignment, '=');
  EBR_CHECK(equals && equals > assignment && equals - assignment < (int)sizeof name, EBR_SWEEP,
            "--set %s: is not of the form name=value", assignment);
  snprintf(name, sizeof name, "%.*s", (int)(equals - assignment), assignment);
  int parameter = ebr_parameter_find(name);
  const char *nearest = ebr_parameter_nearest(name);
  EBR_CHECK(parameter >= 0, EBR_SWEEP, "--set %s: unknown parameter '%s'%s%s%s", assignment, name,
            nearest ? " (did you mean '" : "", nearest ? nearest : "", nearest ? "'?)" : "");
  ebr_error *inner = set_base(reader->sweep, parameter, equals + 1);
  if (inner && ebr_error_code(inner) == EBR_SWEEP)
    error = ebr_error_create(EBR_SWEEP, __FILE__, __LINE__, "--set %s: %s", assignment, ebr_error_message(inner));
  if (error) ebr_error_destroy(&inner);
  if (inner) error = inner;
  if (error) goto done;
  remove_axis(reader->sweep, parameter);
  reader->set_by[parameter] = NULL;
  reader->overridden_by[parameter] = assignment;
done:
  return error;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static const char *const top_level[] = {"name", "question", "base", "axes", "measure"};
enum { TOP_LEVEL_COUNT = sizeof top_level / sizeof top_level[0] };

static ebr_error *check_top_level(const ebr_reader *reader)
{
  ebr_error *error = NULL;
  for (int i = 0; i < reader->root->count; i++) {
    const ebr_yaml *key = reader->root->key[i];
    int most = ebr_text_distance_most(key->text), nearest = -1;
    for (int k = 0; k < TOP_LEVEL_COUNT; k++) {
      int distance = ebr_text_distance(key->text, top_level[k]);
      if (distance < most) nearest = k;
      if (distance < most) most = distance;
    }
    if (nearest >= 0 && most == 0) continue;
    bool of_axes = strcmp(key->text, "zip") == 0 || strcmp(key->text, "sample") == 0;
    bool of_base = ebr_parameter_find(key->text) >= 0 || ebr_parameter_is_group(key->text);
    if (of_axes || of_base)
      EBR_FAIL_AT(reader->path, key, "unknown key '%s': it belongs under %s", key->text, of_axes ? "axes" : "base");
    EBR_FAIL_AT(reader->path, key, "unknown key '%.60s'%s%s%s: a sweep has name, question, base, axes, measure",
                key->text, nearest >= 0 ? " (did you mean '" : "", nearest >= 0 ? top_level[nearest] : "",
                nearest >= 0 ? "'?)" : "");
  }
done:
  return error;
}

static ebr_error *read_words(const ebr_reader *reader, const char *key, char **words)
{
  ebr_error *error = NULL;
  const ebr_yaml *node = ebr_yaml_get(reader->root, key);
  EBR_CHECK_AT(!node || node->kind == EBR_YAML_SCALAR, reader->path, node, "%s takes a text", key);
  *words = strdup(node ? node->text : "");
  EBR_CHECK_MEMORY(*words, key);
done:
  return error;
}

static ebr_error *read_file(ebr_reader *reader, const ebr_overrides *overrides)
{
  ebr_error *error = NULL;
  ebr_sweep *sweep = reader->sweep;
  EBR_TRY(check_top_level(reader));
  EBR_TRY(read_words(reader, "name", &sweep->name));
  EBR_TRY(read_words(reader, "question", &sweep->question));
  EBR_CHECK_AT(sweep->name[0], reader->path, reader->root, "the sweep has no name: add `name: ...`");
  const ebr_yaml *base = ebr_yaml_get(reader->root, "base"), *measure = ebr_yaml_get(reader->root, "measure");
  const ebr_yaml *axes = ebr_yaml_get(reader->root, "axes");
  if (base) EBR_TRY(read_base(reader, "", base));
  if (measure) EBR_TRY(read_base(reader, "measure", measure));
  if (axes && !ebr_yaml_is_null(axes)) EBR_TRY(ebr_read_axes(reader, axes));
  for (int i = 0; overrides && i < overrides->count; i++) EBR_TRY(apply_override(reader, overrides->assignment[i]));
  EBR_TRY(ebr_expand(reader));
done:
  return error;
}

static ebr_error *sweep_create(const char *text, size_t length, const char *path, ebr_sweep **sweep)
{
  ebr_error *error = NULL;
  const char *slash = strrchr(path, '/');
  ebr_sweep *s = calloc(1, sizeof *s);
  EBR_CHECK_MEMORY(s, "a sweep");
  *sweep = s;
  s->text = malloc(length + 1);
  s->folder = slash == path ? strdup("/") : slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
  EBR_CHECK_MEMORY(s->text && s->folder ? s->text : NULL, "a sweep");
  memcpy(s->text, text, length);
  s->text[length] = 0;
  EBR_TRY(ebr_identity_create(&s->identity));
  s->base = *ebr_identity_defaults(s->identity);
done:
  return error;
}

ebr_error *ebr_sweep_parse(const char *text, size_t length, const char *path, const ebr_overrides *overrides,
                           ebr_sweep **sweep)
{
  ebr_error *error = NULL;
  ebr_yaml *nodes = NULL;
  ebr_reader reader = {.path = path};
  *sweep = NULL;
  EBR_CHECK(length <= EBR_SWEEP_BYTES_MOST, EBR_SWEEP, "%s:1:1: %zu bytes: a sweep file has at most %d", path, length,
            EBR_SWEEP_BYTES_MOST);
  EBR_TRY(sweep_create(text, length, path, &reader.sweep));
  EBR_TRY(ebr_yaml_parse(path, reader.sweep->text, length, &nodes, &reader.root));
  EBR_TRY(read_file(&reader, overrides));
  *sweep = reader.sweep;
  reader.sweep = NULL;
done:
  ebr_yaml_destroy(&nodes);
  ebr_sweep_destroy(&reader.sweep);
  return error;
}
