/* sample: points of a box instead of a grid. Numbers depend on the sample's seed, the parameter's name and, for sobol,
 * the parameter's place; uniform and sobol keep their first points when count grows. */
#include <sweep/plan.h>
#include <sweep/sobol.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct sampler {
  enum { UNIFORM, LATIN_HYPERCUBE, SOBOL } method;
  int64_t count;
  uint64_t seed;
  double *unit; /* [count] in [0, 1): one parameter's coordinates */
} sampler;

static ebr_error *read_method(const ebr_reader *reader, const ebr_yaml *node, sampler *s)
{
  static const char *const names[] = {"uniform", "latin-hypercube", "sobol"};
  ebr_error *error = NULL;
  s->method = UNIFORM;
  if (!node) return NULL;
  for (int i = 0; node->kind == EBR_YAML_SCALAR && i < 3; i++) {
    if (strcmp(names[i], node->text) != 0) continue;
    s->method = i;
    return NULL;
  }
  EBR_FAIL_AT(reader->path, node, "method takes one of uniform, latin-hypercube, sobol%s%.60s%s",
              node->kind == EBR_YAML_SCALAR ? ", not '" : "", node->kind == EBR_YAML_SCALAR ? node->text : "",
              node->kind == EBR_YAML_SCALAR ? "'" : "");
done:
  return error;
}

static ebr_stream sampler_stream(const sampler *s, int parameter)
{
  const char *name = ebr_parameter_at(parameter)->name;
  return ebr_stream_start(s->seed, EBR_PURPOSE_SAMPLING, (uint32_t)ebr_hash(name, strlen(name), 0));
}

/* McKay, Beckman, Conover 1979: one point in each of count slices, in random order. */
static ebr_error *draw_latin_hypercube(sampler *s, ebr_stream *stream)
{
  ebr_error *error = NULL;
  int32_t *slice = malloc((size_t)s->count * sizeof *slice);
  EBR_CHECK_MEMORY(slice, "a sample");
  for (int64_t i = 0; i < s->count; i++) slice[i] = (int32_t)i;
  ebr_stream_shuffle(stream, slice, (size_t)s->count);
  for (int64_t i = 0; i < s->count; i++) s->unit[i] = (slice[i] + ebr_stream_uniform(stream)) / (double)s->count;
done:
  free(slice);
  return error;
}

static ebr_error *draw(sampler *s, int parameter, int dimension)
{
  ebr_error *error = NULL;
  ebr_stream stream = sampler_stream(s, parameter);
  if (s->method == LATIN_HYPERCUBE) {
    EBR_TRY(draw_latin_hypercube(s, &stream));
  } else if (s->method == UNIFORM) {
    for (int64_t i = 0; i < s->count; i++) s->unit[i] = ebr_stream_uniform(&stream);
  } else {
    /* A random digital shift keeps the net's evenness and spares the corner that the first point is. */
    uint32_t shift = ebr_stream_bits(&stream);
    for (int64_t i = 0; i < s->count; i++) s->unit[i] = (ebr_sobol(dimension, (uint32_t)i) ^ shift) * 0x1p-32;
  }
done:
  return error;
}

static ebr_error *read_bounds(const ebr_reader *reader, int parameter, const ebr_yaml *node, bool logarithmic,
                              double *bounds)
{
  ebr_error *error = NULL;
  const ebr_parameter *p = ebr_parameter_at(parameter);
  ebr_config config;
  EBR_CHECK_AT(p->kind == EBR_KIND_INT || p->kind == EBR_KIND_REAL, reader->path, node,
               "%s takes no single number: sample it by choice: [...]", p->name);
  EBR_CHECK_AT(node->kind == EBR_YAML_SEQUENCE && node->count == 2, reader->path, node,
               "the bounds of %s are two numbers, [least, most]", p->name);
  for (int i = 0; i < 2; i++) {
    const ebr_yaml *bound = node->item[i];
    EBR_CHECK_AT(bound->kind == EBR_YAML_SCALAR, reader->path, bound, "a bound of %s is one number", p->name);
    EBR_TRY(ebr_yaml_locate(reader->path, bound, ebr_config_set(&config, parameter, bound->text)));
    const void *field = ebr_config_field(&config, p);
    bounds[i] = p->kind == EBR_KIND_INT ? (double)*(const int64_t *)field : *(const double *)field;
  }
  EBR_CHECK_AT(bounds[0] < bounds[1], reader->path, node, "the bounds of %s must rise", p->name);
  EBR_CHECK_AT(!logarithmic || bounds[0] > 0, reader->path, node, "log needs bounds of %s above 0", p->name);
done:
  return error;
}

/* Nine digits: values that a person can read, and the same ones whatever the last bit of a machine's pow says. */
static double round_digits(double value)
{
  char digits[32];
  snprintf(digits, sizeof digits, "%.9g", value);
  return strtod(digits, NULL);
}

/* Whole numbers share the unit interval evenly when uniform and are rounded when logarithmic. */
static double place_between(const double *bounds, double unit, bool logarithmic, bool whole)
{
  double value;
  if (logarithmic) value = bounds[0] * pow(bounds[1] / bounds[0], unit);
  else value = bounds[0] + (bounds[1] - bounds[0] + whole) * unit;
  if (!whole) value = round_digits(value);
  else value = logarithmic ? round(value) : floor(value);
  return fmin(fmax(value, bounds[0]), bounds[1]);
}

static ebr_error *fill_between(ebr_reader *reader, const sampler *s, ebr_column *column, const ebr_yaml *node,
                               bool logarithmic)
{
  ebr_error *error = NULL;
  double bounds[2];
  void *room = NULL;
  bool whole = ebr_parameter_at(column->parameter)->kind == EBR_KIND_INT;
  EBR_TRY(read_bounds(reader, column->parameter, node, logarithmic, bounds));
  EBR_TRY(ebr_reader_allocate(reader, node, (size_t)s->count, sizeof(double), &room));
  column->values = room;
  for (int64_t i = 0; i < s->count; i++) {
    double value = place_between(bounds, s->unit[i], logarithmic, whole);
    int64_t integer = (int64_t)value;
    memcpy(column->values + (size_t)i * sizeof value, whole ? (void *)&integer : (void *)&value, sizeof value);
  }
done:
  return error;
}

static ebr_error *fill_choice(ebr_reader *reader, const sampler *s, ebr_column *column, const ebr_yaml *node)
{
  ebr_error *error = NULL;
  size_t size = ebr_value_size(ebr_parameter_at(column->parameter)->kind);
  void *room = NULL, *read = NULL;
  EBR_CHECK_AT(node->kind == EBR_YAML_SEQUENCE && node->count > 0, reader->path, node, "choice takes a list of values");
  EBR_TRY(ebr_reader_allocate(reader, node, (size_t)node->count, size, &read));
  EBR_TRY(ebr_reader_allocate(reader, node, (size_t)s->count, size, &room));
  column->values = room;
  unsigned char *known = read;
  for (int i = 0; i < node->count; i++)
    EBR_TRY(ebr_read_value(reader, column->parameter, node->item[i], known + (size_t)i * size));
  for (int64_t i = 0; i < s->count; i++)
    memcpy(column->values + (size_t)i * size, known + (size_t)(s->unit[i] * node->count) * size, size);
done:
  free(read);
  return error;
}

static ebr_error *read_sampled(ebr_reader *reader, sampler *s, ebr_group *group, const ebr_yaml *key,
                               const ebr_yaml *node)
{
  ebr_error *error = NULL;
  ebr_column *column;
  EBR_TRY(ebr_read_column(reader, group, key, &column));
  EBR_CHECK_AT(node->kind == EBR_YAML_MAP && node->count == 1, reader->path, node,
               "a sampled parameter takes {uniform: [a, b]}, {log: [a, b]} or {choice: [...]}");
  EBR_CHECK_AT(s->method != SOBOL || group->column_count <= EBR_SOBOL_DIMENSIONS, reader->path, key,
               "sobol draws at most %d parameters", EBR_SOBOL_DIMENSIONS);
  EBR_TRY(draw(s, column->parameter, group->column_count - 1));
  const char *how = node->key[0]->text;
  if (strcmp(how, "choice") == 0) EBR_TRY(fill_choice(reader, s, column, node->item[0]));
  else if (strcmp(how, "uniform") == 0) EBR_TRY(fill_between(reader, s, column, node->item[0], false));
  else if (strcmp(how, "log") == 0) EBR_TRY(fill_between(reader, s, column, node->item[0], true));
  else EBR_FAIL_AT(reader->path, node->key[0], "unknown key '%s': uniform, log or choice belongs here", how);
done:
  return error;
}

static ebr_error *check_sample_keys(const ebr_reader *reader, const ebr_yaml *sample)
{
  static const char *const known[] = {"count", "method", "seed", "parameters", "arms", "when"};
  ebr_error *error = NULL;
  EBR_CHECK_AT(sample->kind == EBR_YAML_MAP, reader->path, sample,
               "sample takes a map: count, method, seed, parameters");
  for (int i = 0; i < sample->count; i++) {
    bool found = false;
    for (int k = 0; k < 6; k++) found |= strcmp(known[k], sample->key[i]->text) == 0;
    EBR_CHECK_AT(found, reader->path, sample->key[i],
                 "unknown key '%s': sample takes count, method, seed, parameters, arms, when", sample->key[i]->text);
  }
done:
  return error;
}

ebr_error *ebr_read_sample(ebr_reader *reader, const ebr_yaml *key, const ebr_yaml *sample)
{
  ebr_error *error = NULL;
  sampler s = {0};
  ebr_group *group;
  int64_t seed = 0;
  EBR_TRY(check_sample_keys(reader, sample));
  const ebr_yaml *count = ebr_yaml_get(sample, "count"), *parameters = ebr_yaml_get(sample, "parameters");
  const ebr_yaml *seed_node = ebr_yaml_get(sample, "seed"), *when = ebr_yaml_get(sample, "when");
  const ebr_yaml *arms = ebr_yaml_get(sample, "arms");
  EBR_CHECK_AT(count, reader->path, key, "sample needs a count");
  EBR_CHECK_AT(parameters && parameters->kind == EBR_YAML_MAP && parameters->count > 0, reader->path, key,
               "sample needs a map of parameters");
  EBR_TRY(ebr_read_integer(reader, count, "count", 1, EBR_POINTS_MOST, &s.count));
  if (seed_node) EBR_TRY(ebr_read_integer(reader, seed_node, "seed", 0, 4294967295, &seed));
  EBR_TRY(read_method(reader, ebr_yaml_get(sample, "method"), &s));
  s.seed = (uint64_t)seed;
  s.unit = malloc((size_t)s.count * sizeof *s.unit);
  EBR_CHECK_MEMORY(s.unit, "a sample");
  EBR_TRY(ebr_read_group(reader, key, &group));
  group->points = s.count;
  if (when) EBR_TRY(ebr_read_conditions(reader, group, when));
  for (int i = 0; i < parameters->count; i++)
    EBR_TRY(read_sampled(reader, &s, group, parameters->key[i], parameters->item[i]));
  if (arms) EBR_TRY(ebr_read_arms(reader, group, arms));
done:
  free(s.unit);
  return error;
}
