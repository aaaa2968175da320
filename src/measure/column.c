#include "measure/column.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define NAME_FROM(format)                                                                                              \
  char name[sizeof((ebr_column *)NULL)->name];                                                                         \
  va_list arguments;                                                                                                   \
  va_start(arguments, format);                                                                                         \
  int length = vsnprintf(name, sizeof name, format, arguments);                                                        \
  va_end(arguments);                                                                                                   \
  EBR_CHECK(length > 0 && length < (int)sizeof name, EBR_INTERNAL, "'%s...' is too long for a column's name", name)

ebr_error *ebr_column_declare(ebr_schema *schema, const ebr_column_kind *kind, const char *format, ...)
{
  ebr_error *error = NULL;
  NAME_FROM(format);
  EBR_TRY(ebr_schema_add(schema, name, kind->unit, kind->meaning, kind->points ? kind->points : 1,
                         kind->values ? kind->values : 1));
done:
  return error;
}

ebr_error *ebr_column_set(ebr_record *record, double value, const char *format, ...)
{
  ebr_error *error = NULL;
  NAME_FROM(format);
  EBR_TRY(ebr_record_set(record, name, 0, 0, value));
done:
  return error;
}

ebr_error *ebr_column_set_at(ebr_record *record, int point, int index, double value, const char *format, ...)
{
  ebr_error *error = NULL;
  NAME_FROM(format);
  EBR_TRY(ebr_record_set(record, name, point, index, value));
done:
  return error;
}

int ebr_measured_modalities(const ebr_config *config, const ebr_shape *shape)
{
  return config->method == EBR_METHOD_UNIMODAL ? 1 : shape->modalities;
}

int ebr_measured_modality(const ebr_config *config, int k)
{
  return config->method == EBR_METHOD_UNIMODAL ? (int)config->unimodal_modality : k;
}

int ebr_measured_slot(int only, int modality) { return only < 0 ? modality : 0; }

double ebr_measured_scale(double deviation, double mean)
{
  static const double rounding = 1e-6; /* of sums in float */
  return deviation > rounding * fabs(mean) ? 1 / deviation : 0;
}

int ebr_measured_features(const ebr_config *config)
{
  return (int)config->model_encoder.value[config->model_encoder.count - 1];
}

int ebr_measured_batch(const ebr_config *config, const ebr_shape *shape)
{
  int batch = config->train_batch < shape->train_count ? (int)config->train_batch : shape->train_count;
  int shards = ebr_config_shards(config);
  return batch % shards == 0 ? batch / shards : batch;
}
