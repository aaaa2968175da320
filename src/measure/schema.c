#include <ebrsweep/measure.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ebr_schema {
  ebr_column *column;
  int count, capacity;
  size_t size;
};

ebr_error *ebr_schema_create(ebr_schema **schema)
{
  ebr_error *error = NULL;
  *schema = calloc(1, sizeof **schema);
  EBR_CHECK_MEMORY(*schema, "a schema");
done:
  return error;
}

void ebr_schema_destroy(ebr_schema **schema)
{
  if (!*schema) return;
  free((*schema)->column);
  free(*schema);
  *schema = NULL;
}

static ebr_error *grow(ebr_schema *schema)
{
  ebr_error *error = NULL;
  if (schema->count < schema->capacity) goto done;
  int capacity = schema->capacity * 2 + 32;
  ebr_column *column = realloc(schema->column, (size_t)capacity * sizeof *column);
  EBR_CHECK_MEMORY(column, "a schema");
  schema->column = column;
  schema->capacity = capacity;
done:
  return error;
}

static void place(ebr_schema *schema)
{
  schema->size = 0;
  for (int i = 0; i < schema->count; i++) {
    schema->column[i].offset = schema->size;
    schema->size += (size_t)schema->column[i].points * (size_t)schema->column[i].values;
  }
}

static void widen(ebr_schema *schema, ebr_column *column, int points, int values)
{
  if (points <= column->points && values <= column->values) return;
  if (points > column->points) column->points = points;
  if (values > column->values) column->values = values;
  place(schema);
}

ebr_error *ebr_schema_add(ebr_schema *schema, const char *name, const char *unit, const char *meaning, int points,
                          int values)
{
  ebr_error *error = NULL;
  ebr_column column = {.points = points, .values = values, .offset = schema->size};
  EBR_CHECK(name[0] && !strchr(name, '/') && strlen(name) < sizeof column.name, EBR_INTERNAL,
            "'%s' cannot name a column: 1 to %zu characters and no slash", name, sizeof column.name - 1);
  EBR_CHECK(points >= 1 && values >= 1, EBR_INTERNAL, "column '%s' is to have %d points of %d values", name, points,
            values);
  int known = ebr_schema_find(schema, name);
  if (known >= 0) {
    widen(schema, &schema->column[known], points, values);
    goto done;
  }
  snprintf(column.name, sizeof column.name, "%s", name);
  snprintf(column.unit, sizeof column.unit, "%s", unit);
  snprintf(column.meaning, sizeof column.meaning, "%s", meaning);
  EBR_TRY(grow(schema));
  schema->column[schema->count++] = column;
  schema->size += (size_t)points * (size_t)values;
done:
  return error;
}

int ebr_schema_count(const ebr_schema *schema) { return schema->count; }

const ebr_column *ebr_schema_at(const ebr_schema *schema, int index) { return &schema->column[index]; }

/* Round from the place start. */
static int find_from(const ebr_schema *schema, int start, const char *name)
{
  for (int k = 0, i = start; k < schema->count; k++, i++) {
    if (i >= schema->count) i = 0;
    if (strcmp(schema->column[i].name, name) == 0) return i;
  }
  return -1;
}

int ebr_schema_find(const ebr_schema *schema, const char *name) { return find_from(schema, 0, name); }

size_t ebr_schema_size(const ebr_schema *schema) { return schema->size; }

ebr_error *ebr_record_create(const ebr_schema *schema, ebr_record **record)
{
  ebr_error *error = NULL;
  ebr_record *made = calloc(1, sizeof *made);
  EBR_CHECK_MEMORY(made, "a record");
  made->schema = schema;
  made->values = malloc((schema->size + 1) * sizeof *made->values);
  EBR_CHECK_MEMORY(made->values, "a record");
  ebr_record_clear(made);
  *record = made;
  made = NULL;
done:
  ebr_record_destroy(&made);
  return error;
}

void ebr_record_destroy(ebr_record **record)
{
  if (!*record) return;
  free((*record)->values);
  free(*record);
  *record = NULL;
}

void ebr_record_clear(ebr_record *record)
{
  for (size_t i = 0; i < record->schema->size; i++) record->values[i] = NAN;
}

ebr_error *ebr_record_set(ebr_record *record, const char *name, int point, int index, double value)
{
  return ebr_record_fill(record, name, point, index, 1, &value);
}

ebr_error *ebr_record_fill(ebr_record *record, const char *name, int point, int index, int count, const double *values)
{
  ebr_error *error = NULL;
  int known = find_from(record->schema, record->next, name);
  EBR_CHECK(known >= 0, EBR_INTERNAL, "nobody declared the column '%s'", name);
  record->next = known;
  const ebr_column *column = ebr_schema_at(record->schema, known);
  int last = index + count - 1;
  EBR_CHECK(point >= 0 && point < column->points && index >= 0 && count >= 1 && last < column->values, EBR_INTERNAL,
            "column '%s' has no place [%d][%d]: it was declared with %d points of %d values", name, point, last,
            column->points, column->values);
  memcpy(record->values + column->offset + (size_t)point * (size_t)column->values + (size_t)index, values,
         (size_t)count * sizeof *values);
done:
  return error;
}
