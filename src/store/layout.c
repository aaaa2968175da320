#include "store/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const ebr_state_field *ebr_layout_state(int index)
{
  static const ebr_state_field fields[EBR_STATE_COUNT] = {
      {"id", EBR_TYPE_TEXT, 16, "", "Hash of what the run is, in hexadecimal: the same configuration has the same id"},
      {"status", EBR_TYPE_TEXT, 8, "", "waiting, running, done, failed, or removed (no longer in the sweep file)"},
      {"reason", EBR_TYPE_TEXT, 96, "", "Why the run failed"},
      {"started", EBR_TYPE_REAL, 8, "s", "When the run began, since 1970-01-01 UTC"},
      {"seconds", EBR_TYPE_REAL, 8, "s", "How long the run took"},
      {"host", EBR_TYPE_TEXT, 32, "", "Where it ran"},
      {"rank", EBR_TYPE_INT32, 4, "", "MPI rank that ran it"},
      {"checksum", EBR_TYPE_UINT64, 8, "", "XXH3 of the row's other bytes: a row whose checksum is wrong was cut short"},
      {"series_checksum", EBR_TYPE_UINT64, 8, "", "Of the run's curves and spectra, see doc/results.md; 0: it has none"}};
  return &fields[index];
}

void ebr_layout_destroy(ebr_layout *layout)
{
  free(layout->field);
  *layout = (ebr_layout){0};
}

int ebr_layout_find(const ebr_layout *layout, const char *name)
{
  for (int i = 0; i < layout->count; i++)
    if (strcmp(layout->field[i].name, name) == 0) return i;
  return -1;
}

ebr_error *ebr_layout_add(ebr_layout *layout, const char *name, ebr_column_role role, ebr_type type, size_t size)
{
  ebr_error *error = NULL;
  if (layout->count == layout->capacity) {
    int capacity = layout->capacity * 2 + 128;
    ebr_field *field = realloc(layout->field, (size_t)capacity * sizeof *field);
    EBR_CHECK_MEMORY(field, "the columns of a results file");
    layout->field = field;
    layout->capacity = capacity;
  }
  ebr_field *field = &layout->field[layout->count++];
  *field = (ebr_field){.role = role, .type = type, .size = size, .parameter = -1};
  snprintf(field->name, sizeof field->name, "%s", name);
  if (role == EBR_COLUMN_AXIS || role == EBR_COLUMN_PARAMETER) field->parameter = ebr_parameter_find(name);
done:
  return error;
}

static void describe(ebr_layout *layout, const char *unit, const char *meaning)
{
  ebr_field *field = &layout->field[layout->count - 1];
  snprintf(field->unit, sizeof field->unit, "%s", unit);
  snprintf(field->meaning, sizeof field->meaning, "%s", meaning);
}

ebr_error *ebr_layout_place(ebr_layout *layout)
{
  ebr_error *error = NULL;
  size_t count = (size_t)layout->count, next = 0;
  ebr_field *sorted = malloc((count + 1) * sizeof *sorted);
  EBR_CHECK_MEMORY(sorted, "the columns of a results file");
  for (int role = EBR_COLUMN_STATE; role <= EBR_COLUMN_MEASURE; role++)
    for (size_t i = 0; i < count; i++)
      if ((int)layout->field[i].role == role) sorted[next++] = layout->field[i];
  layout->stride = 0;
  for (size_t i = 0; i < count; i++) {
    sorted[i].offset = layout->stride;
    layout->stride += sorted[i].size;
  }
  memcpy(layout->field, sorted, count * sizeof *sorted);
done:
  free(sorted);
  return error;
}

/* ---- from a sweep ------------------------------------------------------------------------------------------------ */

static size_t longest_choice(const char *choices)
{
  size_t longest = 1;
  for (const char *c = choices; *c; c += strcspn(c, "|"), c += *c == '|')
    if (strcspn(c, "|") > longest) longest = strcspn(c, "|");
  return longest;
}

static ebr_error *add_parameter(ebr_layout *layout, int index, ebr_column_role role)
{
  ebr_error *error = NULL;
  const ebr_parameter *parameter = ebr_parameter_at(index);
  ebr_type type = EBR_TYPE_TEXT;
  size_t size = 1;
  if (ebr_layout_find(layout, parameter->name) >= 0) goto done;
  if (parameter->kind == EBR_KIND_INT) type = parameter->maximum <= INT32_MAX ? EBR_TYPE_INT32 : EBR_TYPE_INT64;
  if (parameter->kind == EBR_KIND_REAL) type = EBR_TYPE_REAL;
  if (parameter->kind == EBR_KIND_BOOL) type = EBR_TYPE_BOOL;
  if (type == EBR_TYPE_INT32) size = 4;
  if (type == EBR_TYPE_INT64 || type == EBR_TYPE_REAL) size = 8;
  if (parameter->kind == EBR_KIND_CHOICE) size = longest_choice(parameter->choices);
  EBR_TRY(ebr_layout_add(layout, parameter->name, role, type, size));
  describe(layout, parameter->unit, parameter->help);
done:
  return error;
}

/* Packs a run into texts of any length to see how long they get; only what differs from the run before is looked at. */
static ebr_error *widen_texts(ebr_layout *layout, const ebr_config *config, const ebr_config *before)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  for (int i = 0; i < layout->count; i++) {
    ebr_field *field = &layout->field[i];
    const ebr_parameter *parameter = field->parameter < 0 ? NULL : ebr_parameter_at(field->parameter);
    if (!parameter || field->type != EBR_TYPE_TEXT || (before && parameter->kind == EBR_KIND_CHOICE)) continue;
    size_t bytes = parameter->kind == EBR_KIND_TEXT      ? sizeof(EBR_FIELD_TEXT)
                   : parameter->kind == EBR_KIND_CHOICES ? sizeof(EBR_FIELD_CHOICES)
                                                         : sizeof(ebr_list);
    const unsigned char *now = (const unsigned char *)config + parameter->offset;
    if (before && memcmp(now, (const unsigned char *)before + parameter->offset, bytes) == 0) continue;
    text.length = 0;
    EBR_TRY(ebr_config_get(config, field->parameter, &text));
    if (text.length > field->size) field->size = text.length;
  }
done:
  ebr_text_destroy(&text);
  return error;
}

static ebr_error *widen_for_sweep(ebr_layout *layout, const ebr_sweep *sweep)
{
  ebr_error *error = NULL;
  ebr_config config[2];
  /* A row that nobody has filled yet holds the defaults, which the sweep itself may never use. */
  ebr_config_defaults(&config[1]);
  EBR_TRY(widen_texts(layout, &config[1], NULL));
  for (int64_t run = 0; run < ebr_sweep_count(sweep); run++) {
    ebr_sweep_run(sweep, run, &config[run % 2]);
    EBR_TRY(widen_texts(layout, &config[run % 2], &config[(run + 1) % 2]));
  }
done:
  return error;
}

static ebr_error *add_state(ebr_layout *layout, int index)
{
  ebr_error *error = NULL;
  const ebr_state_field *state = ebr_layout_state(index);
  EBR_TRY(ebr_layout_add(layout, state->name, EBR_COLUMN_STATE, state->type, state->size));
  describe(layout, state->unit, state->meaning);
done:
  return error;
}

ebr_error *ebr_layout_plan(const ebr_sweep *sweep, const ebr_schema *schema, ebr_layout *layout)
{
  ebr_error *error = NULL;
  *layout = (ebr_layout){0};
  for (int i = 0; i < EBR_STATE_COUNT; i++) EBR_TRY(add_state(layout, i));
  for (int i = 0; i < ebr_sweep_axis_count(sweep); i++)
    EBR_TRY(add_parameter(layout, ebr_sweep_axis_parameter(sweep, i), EBR_COLUMN_AXIS));
  for (int i = 0; i < ebr_parameter_count(); i++) EBR_TRY(add_parameter(layout, i, EBR_COLUMN_PARAMETER));
  for (int i = 0; i < ebr_schema_count(schema); i++) {
    const ebr_column *column = ebr_schema_at(schema, i);
    if (column->points * column->values > 1) continue;
    EBR_CHECK(ebr_layout_find(layout, column->name) < 0, EBR_INTERNAL, "a measure and a parameter are both called '%s'",
              column->name);
    EBR_TRY(ebr_layout_add(layout, column->name, EBR_COLUMN_MEASURE, EBR_TYPE_REAL, 8));
    describe(layout, column->unit, column->meaning);
  }
  EBR_TRY(widen_for_sweep(layout, sweep));
  EBR_TRY(ebr_layout_place(layout));
done:
  return error;
}

/* ---- two layouts ------------------------------------------------------------------------------------------------- */

static ebr_error *widen_field(ebr_field *field, const ebr_field *old, const char *path)
{
  ebr_error *error = NULL;
  EBR_CHECK((field->type == EBR_TYPE_TEXT) == (old->type == EBR_TYPE_TEXT), EBR_RESULTS,
            "%s: column '%s' is %s, and this ebrsweep writes %s", path, old->name,
            old->type == EBR_TYPE_TEXT ? "text" : "a number", field->type == EBR_TYPE_TEXT ? "text" : "a number");
  if (field->type == EBR_TYPE_TEXT) {
    if (old->size > field->size) field->size = old->size;
  } else if (old->type == EBR_TYPE_REAL || (old->type == EBR_TYPE_INT64 && field->type == EBR_TYPE_INT32)) {
    field->type = old->type;
    field->size = old->size;
  }
done:
  return error;
}

static int count_states(const ebr_layout *layout)
{
  int count = 0;
  while (count < layout->count && layout->field[count].role == EBR_COLUMN_STATE) count++;
  return count;
}

ebr_error *ebr_layout_renew(ebr_layout *layout)
{
  ebr_error *error = NULL;
  ebr_config defaults;
  ebr_config_defaults(&defaults);
  for (int i = count_states(layout); i < EBR_STATE_COUNT; i++) EBR_TRY(add_state(layout, i));
  EBR_TRY(widen_texts(layout, &defaults, NULL));
  EBR_TRY(ebr_layout_place(layout));
done:
  return error;
}

ebr_error *ebr_layout_merge(ebr_layout *layout, const ebr_layout *old, const char *path)
{
  ebr_error *error = NULL;
  for (int i = 0; i < old->count; i++) {
    int known = ebr_layout_find(layout, old->field[i].name);
    if (known >= 0) {
      EBR_CHECK((layout->field[known].role == EBR_COLUMN_STATE) == (old->field[i].role == EBR_COLUMN_STATE), EBR_RESULTS,
                "%s: is damaged: its column '%s' is not where it should be", path, old->field[i].name);
      EBR_TRY(widen_field(&layout->field[known], &old->field[i], path));
      continue;
    }
    ebr_column_role role = old->field[i].role == EBR_COLUMN_AXIS ? EBR_COLUMN_PARAMETER : old->field[i].role;
    EBR_TRY(ebr_layout_add(layout, old->field[i].name, role, old->field[i].type, old->field[i].size));
    layout->field[layout->count - 1].parameter = old->field[i].parameter;
    describe(layout, old->field[i].unit, old->field[i].meaning);
  }
  EBR_TRY(ebr_layout_place(layout));
done:
  return error;
}

ebr_error *ebr_layout_copy(const ebr_layout *layout, ebr_layout *copy)
{
  ebr_error *error = NULL;
  *copy = (ebr_layout){.count = layout->count, .capacity = layout->count, .stride = layout->stride};
  copy->field = malloc((size_t)layout->count * sizeof *copy->field);
  EBR_CHECK_MEMORY(copy->field, "columns");
  memcpy(copy->field, layout->field, (size_t)layout->count * sizeof *copy->field);
done:
  return error;
}

bool ebr_layout_same(const ebr_layout *a, const ebr_layout *b)
{
  bool same = a->count == b->count && a->stride == b->stride;
  for (int i = 0; same && i < a->count; i++) {
    const ebr_field *left = &a->field[i], *right = &b->field[i];
    same = strcmp(left->name, right->name) == 0 && left->role == right->role && left->type == right->type &&
           left->size == right->size;
  }
  return same;
}
