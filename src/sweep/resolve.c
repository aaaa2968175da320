/* From a run's position to its values. */
#include <sweep/plan.h>

#include <stdio.h>
#include <string.h>

ebr_error *ebr_derive(int parameter, const char *text, ebr_expression **expression)
{
  ebr_error *error = NULL;
  const ebr_parameter *p = ebr_parameter_at(parameter);
  EBR_CHECK(p->kind == EBR_KIND_INT || p->kind == EBR_KIND_REAL, EBR_SWEEP,
            "only parameters that take one number can be derived, %s is none", p->name);
  EBR_TRY(ebr_expression_create(text, expression));
done:
  return error;
}

int64_t ebr_group_radix(const ebr_group *group) { return group->points + (group->condition_count > 0); }

void ebr_position_split(const ebr_sweep *sweep, uint64_t position, int64_t *points)
{
  for (int g = sweep->group_count - 1; g >= 0; g--) {
    uint64_t radix = (uint64_t)ebr_group_radix(&sweep->groups[g]);
    points[g] = (int64_t)(position % radix) - (sweep->groups[g].condition_count > 0);
    position /= radix;
  }
}

typedef struct resolver {
  ebr_config *config;
  const ebr_expression *derived[EBR_PARAMETER_COUNT];
  bool under_way[EBR_PARAMETER_COUNT];
  int *blame;
} resolver;

static ebr_error *look_up(void *context, int parameter, int64_t *value);

static ebr_error *derive(resolver *r, int parameter)
{
  ebr_error *error = NULL;
  char text[32];
  int64_t value;
  *r->blame = parameter;
  EBR_CHECK(!r->under_way[parameter], EBR_SWEEP, "%s is derived from itself", ebr_parameter_at(parameter)->name);
  r->under_way[parameter] = true;
  EBR_TRY(ebr_expression_evaluate(r->derived[parameter], look_up, r, &value));
  *r->blame = parameter;
  snprintf(text, sizeof text, "%lld", (long long)value);
  EBR_TRY(ebr_config_set(r->config, parameter, text));
  r->derived[parameter] = NULL;
done:
  return error;
}

static ebr_error *look_up(void *context, int parameter, int64_t *value)
{
  ebr_error *error = NULL;
  resolver *r = context;
  if (r->derived[parameter]) EBR_TRY(derive(r, parameter));
  memcpy(value, ebr_config_field(r->config, ebr_parameter_at(parameter)), sizeof *value);
done:
  return error;
}

static void column_apply(const ebr_column *column, int64_t point, resolver *r)
{
  const ebr_parameter *p = ebr_parameter_at(column->parameter);
  void *field = ebr_config_field_write(r->config, p);
  int64_t value = column->from + point * column->step;
  size_t size = ebr_value_size(p->kind);
  if (column->values) memcpy(field, column->values + (size_t)point * size, size);
  else memcpy(field, &value, sizeof value);
  r->derived[column->parameter] = column->derived ? column->derived[point] : NULL;
}

ebr_error *ebr_run_resolve(const ebr_sweep *sweep, const int64_t *points, ebr_config *config, int *parameter)
{
  ebr_error *error = NULL;
  resolver r = {.config = config, .blame = parameter};
  *config = sweep->base;
  memcpy(r.derived, sweep->derived, sizeof r.derived);
  for (int g = 0; g < sweep->group_count; g++)
    for (int c = 0; points[g] >= 0 && c < sweep->groups[g].column_count; c++)
      column_apply(&sweep->groups[g].columns[c], points[g], &r);
  for (int i = 0; i < EBR_PARAMETER_COUNT; i++)
    if (r.derived[i]) EBR_TRY(derive(&r, i));
done:
  return error;
}
