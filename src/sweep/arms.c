/* arms: under sample: what is compared at every drawn point. Each point becomes one run an arm, with the arm's values in
 * place of the drawn ones, so that arms differ in nothing but what they name. */
#include <sweep/plan.h>

#include <stdlib.h>
#include <string.h>

/* Far above any comparison. */
enum { ARMS_MOST = 64 };

/* Repeats each drawn value for all arms. */
static ebr_error *spread(ebr_reader *reader, ebr_column *column, const ebr_yaml *arms, int64_t points)
{
  ebr_error *error = NULL;
  size_t size = ebr_value_size(ebr_parameter_at(column->parameter)->kind), count = (size_t)arms->count;
  void *room = NULL;
  EBR_TRY(ebr_reader_allocate(reader, arms, (size_t)points * count, size, &room));
  unsigned char *wide = room;
  for (size_t i = 0; i < (size_t)points * count; i++)
    memcpy(wide + i * size, column->values + i / count * size, size);
  free(column->values);
  column->values = wide;
done:
  return error;
}

static ebr_column *column_in(const ebr_group *group, int parameter)
{
  for (int c = 0; c < group->column_count; c++)
    if (group->columns[c].parameter == parameter) return &group->columns[c];
  return NULL;
}

/* A parameter that is not drawn has a value only where an arm gives one, so all must. */
static ebr_error *add_column(ebr_reader *reader, ebr_group *group, const ebr_yaml *arms, const ebr_yaml *key,
                             ebr_column **column)
{
  ebr_error *error = NULL;
  void *room = NULL;
  EBR_TRY(ebr_read_column(reader, group, key, column));
  for (int a = 0; a < arms->count; a++)
    EBR_CHECK_AT(ebr_yaml_get(arms->item[a], key->text), reader->path, arms->item[a],
                 "this arm lacks %s, which another arm sets and the sample does not draw", key->text);
  size_t size = ebr_value_size(ebr_parameter_at((*column)->parameter)->kind);
  EBR_TRY(ebr_reader_allocate(reader, key, (size_t)group->points, size, &room));
  (*column)->values = room;
done:
  return error;
}

static ebr_error *set_in_arm(ebr_reader *reader, ebr_group *group, const ebr_yaml *arms, int arm, int at)
{
  ebr_error *error = NULL;
  const ebr_yaml *key = arms->item[arm]->key[at], *node = arms->item[arm]->item[at];
  int parameter;
  EBR_TRY(ebr_read_parameter(reader, key, key->text, &parameter));
  ebr_column *column = column_in(group, parameter);
  if (!column) EBR_TRY(add_column(reader, group, arms, key, &column));
  size_t size = ebr_value_size(ebr_parameter_at(parameter)->kind);
  unsigned char *first = column->values + (size_t)arm * size;
  EBR_TRY(ebr_read_value(reader, parameter, node, first));
  for (int64_t i = arm + arms->count; i < group->points; i += arms->count)
    memcpy(column->values + (size_t)i * size, first, size);
done:
  return error;
}

ebr_error *ebr_read_arms(ebr_reader *reader, ebr_group *group, const ebr_yaml *arms)
{
  ebr_error *error = NULL;
  EBR_CHECK_AT(arms->kind == EBR_YAML_SEQUENCE && arms->count > 0 && arms->count <= ARMS_MOST, reader->path, arms,
               "arms takes a list of 1 to %d maps from parameters to values", ARMS_MOST);
  for (int a = 0; a < arms->count; a++)
    EBR_CHECK_AT(arms->item[a]->kind == EBR_YAML_MAP && arms->item[a]->count > 0, reader->path, arms->item[a],
                 "an arm is a map from parameters to values");
  int64_t points = group->points;
  for (int c = 0; c < group->column_count; c++) EBR_TRY(spread(reader, &group->columns[c], arms, points));
  group->points = points * arms->count;
  for (int a = 0; a < arms->count; a++)
    for (int i = 0; i < arms->item[a]->count; i++) EBR_TRY(set_in_arm(reader, group, arms, a, i));
done:
  return error;
}
