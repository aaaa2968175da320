#include "measure/column.h"
#include "measure/encoding.h"
#include "measure/truth.h"

#include <math.h>
#include <stdio.h>

/* The kinds of thresholds by name and configuration. */
static const struct {
  const char *name, *unit, *meaning;
  size_t list;
} kinds[] = {
    [EBR_THRESHOLD_RELATIVE] = {"relative", "", "share of the head's largest E",
                                offsetof(ebr_config, measure_collisions_relative)},
    [EBR_THRESHOLD_ABSOLUTE] = {"absolute", "activation", "E itself",
                                offsetof(ebr_config, measure_collisions_absolute)},
    [EBR_THRESHOLD_NEURON] = {"neuron", "", "share of the neuron's summed E",
                              offsetof(ebr_config, measure_collisions_neuron)},
};

/* What is counted above each threshold. */
static const struct {
  const char *name, *unit, *meaning;
  size_t offset;
} counts[] = {
    {"colliding_pairs", "pairs", "Pairs of predictive features of two modalities on one neuron, all neurons",
     offsetof(ebr_sharing, colliding_pairs)},
    {"predictive_noise_pairs", "pairs", "Predictive and noise features of two modalities on one neuron, all neurons",
     offsetof(ebr_sharing, predictive_noise_pairs)},
    {"shared_neurons", "", "Share of neurons that encode two or more modalities",
     offsetof(ebr_sharing, shared_neurons)},
    {"occupancy", "", "Share of neurons that encode a modality, mean over modalities",
     offsetof(ebr_sharing, occupancy)},
    {"feature_occupancy", "", "Share of neurons that encode a predictive feature, mean over features",
     offsetof(ebr_sharing, feature_occupancy)},
    {"noise_occupancy", "", "Share of neurons that encode a noise feature, mean over features",
     offsetof(ebr_sharing, noise_occupancy)},
};

static const struct {
  const char *name, *meaning;
  size_t offset;
} geometries[] = {
    {"interference", "Sum of squared overlaps between features of different modalities, mean |w|^2 = 1",
     offsetof(ebr_geometry, interference)},
    {"dimensionality", "Dimensions of the head per predictive feature (Elhage et al. 2022)",
     offsetof(ebr_geometry, dimensionality)},
    {"capacity", "Dimensions of the head that all features use together (Scherlis et al. 2022)",
     offsetof(ebr_geometry, capacity)},
};

/* Ways to E beside the usual one; their scalars have the way's name in front. */
static const ebr_encoding_way *const ways[] = {
    [EBR_ENCODING_INFLUENCE] = &ebr_encoding_influence, [EBR_ENCODING_SENSITIVITY] = &ebr_encoding_sensitivity};

enum {
  WAYS = sizeof ways / sizeof *ways,
  KINDS = sizeof kinds / sizeof *kinds,
  COUNTS = sizeof counts / sizeof *counts,
  GEOMETRIES = sizeof geometries / sizeof *geometries
};

static const ebr_list *thresholds(const ebr_config *config, int kind)
{
  return (const ebr_list *)((const char *)config + kinds[kind].list);
}

static double field(const void *values, size_t offset) { return *(const double *)((const char *)values + offset); }

/* Data without truth has no noise features to count. */
static bool applies(const ebr_config *config, int count)
{
  size_t offset = counts[count].offset;
  bool of_noise =
      offset == offsetof(ebr_sharing, predictive_noise_pairs) || offset == offsetof(ebr_sharing, noise_occupancy);
  return !of_noise || (config->data_source == EBR_SOURCE_SYNTHETIC && config->data_noise > 0);
}

static bool wanted(const ebr_config *config, int way)
{
  return config->measure_collisions_also >> way & 1 &&
         (!ways[way]->concat_only || config->model_fusion == EBR_FUSION_CONCAT);
}

static ebr_error *declare_count(const ebr_list *list, int kind, int count, const char *prefix, bool curves,
                                ebr_schema *schema)
{
  ebr_error *error = NULL;
  const ebr_column_kind scalar = {counts[count].unit, counts[count].meaning, 1, 1};
  const ebr_column_kind curve = {counts[count].unit, counts[count].meaning, list->count, 1};
  for (int t = 0; t < list->count; t++)
    EBR_TRY(ebr_column_declare(schema, &scalar, "%s%s.%s.%g", prefix, counts[count].name, kinds[kind].name,
                               list->value[t]));
  if (!curves) goto done;
  EBR_TRY(ebr_column_declare(schema, &curve, "%s%s.%s.by_threshold", prefix, counts[count].name, kinds[kind].name));
done:
  return error;
}

static ebr_error *declare_counts(const ebr_config *config, const char *prefix, bool curves, ebr_schema *schema)
{
  ebr_error *error = NULL;
  for (int kind = 0; kind < KINDS; kind++)
    for (int count = 0; count < COUNTS && thresholds(config, kind)->count > 0; count++)
      if (applies(config, count)) EBR_TRY(declare_count(thresholds(config, kind), kind, count, prefix, curves, schema));
done:
  return error;
}

static ebr_error *declare_all(const ebr_config *config, const char *prefix, ebr_schema *schema)
{
  ebr_error *error = NULL;
  EBR_TRY(declare_counts(config, prefix, true, schema));
  for (int k = 0; k < GEOMETRIES; k++) {
    const ebr_column_kind scalar = {"", geometries[k].meaning, 1, 1};
    EBR_TRY(ebr_column_declare(schema, &scalar, "%s%s", prefix, geometries[k].name));
  }
done:
  return error;
}

static void name_prefix(int way, bool initial, char *prefix, size_t size)
{
  snprintf(prefix, size, "%s%s.", initial ? "initial." : "", ways[way]->name);
}

static ebr_error *declare(const ebr_config *config, const ebr_shape *shape, ebr_schema *schema)
{
  ebr_error *error = NULL;
  EBR_TRY(declare_all(config, "", schema));
  EBR_TRY(declare_all(config, "initial.", schema));
  for (int way = 0; way < WAYS; way++) {
    if (!wanted(config, way)) continue;
    char prefix[40];
    for (int initial = 0; initial < 2; initial++) {
      name_prefix(way, initial, prefix, sizeof prefix);
      EBR_TRY(declare_counts(config, prefix, false, schema));
    }
  }
  for (int kind = 0; kind < KINDS; kind++) {
    const ebr_column_kind curve = {kinds[kind].unit, kinds[kind].meaning, thresholds(config, kind)->count, 1};
    if (curve.points > 0) EBR_TRY(ebr_column_declare(schema, &curve, "threshold.%s", kinds[kind].name));
  }
done:
  return error;
  (void)shape;
}

/* One count at all thresholds of a kind. */
static ebr_error *record_count(const ebr_list *list, const ebr_sharing *sharing, int kind, int count, const char *prefix,
                               bool curves, ebr_record *record)
{
  ebr_error *error = NULL;
  size_t offset = counts[count].offset;
  for (int t = 0; t < list->count; t++)
    EBR_TRY(ebr_column_set(record, field(&sharing[t], offset), "%s%s.%s.%g", prefix, counts[count].name, kinds[kind].name,
                           list->value[t]));
  for (int t = 0; t < list->count && curves; t++)
    EBR_TRY(ebr_column_set_at(record, t, 0, field(&sharing[t], offset), "%s%s.%s.by_threshold", prefix, counts[count].name,
                              kinds[kind].name));
done:
  return error;
}

static ebr_error *record_counts(const ebr_config *config, const ebr_encoding *encoding, int kind, const char *prefix,
                                bool curves, ebr_record *record)
{
  ebr_error *error = NULL;
  const ebr_list *list = thresholds(config, kind);
  ebr_sharing sharing[EBR_LIST_MOST];
  for (int t = 0; t < list->count; t++)
    ebr_sharing_at(encoding, (ebr_threshold)kind, list->value[t], &sharing[t]);
  for (int count = 0; count < COUNTS && list->count > 0; count++)
    if (applies(config, count)) EBR_TRY(record_count(list, sharing, kind, count, prefix, curves, record));
done:
  return error;
}

static ebr_error *record_thresholds(const ebr_config *config, ebr_record *record)
{
  ebr_error *error = NULL;
  for (int kind = 0; kind < KINDS; kind++)
    for (int t = 0; t < thresholds(config, kind)->count; t++)
      EBR_TRY(ebr_column_set_at(record, t, 0, thresholds(config, kind)->value[t], "threshold.%s", kinds[kind].name));
done:
  return error;
}

static ebr_error *record_all(const ebr_config *config, const ebr_encoding *encoding, const char *prefix,
                             ebr_record *record)
{
  ebr_error *error = NULL;
  ebr_geometry geometry;
  for (int kind = 0; kind < KINDS; kind++) EBR_TRY(record_counts(config, encoding, kind, prefix, true, record));
  EBR_TRY(ebr_geometry_of(encoding, &geometry));
  for (int k = 0; k < GEOMETRIES; k++)
    EBR_TRY(ebr_column_set(record, field(&geometry, geometries[k].offset), "%s%s", prefix, geometries[k].name));
done:
  return error;
}

static ebr_error *take_way(const ebr_subject *subject, int way, ebr_record *record)
{
  ebr_error *error = NULL;
  ebr_encoding encoding = {0};
  char prefix[40];
  EBR_TRY(ways[way]->take(subject, &encoding));
  if (!ebr_encoding_finite(&encoding)) goto done;
  for (int initial = 0; initial < 2; initial++) {
    if (!(initial ? subject->point == 0 : subject->last)) continue;
    name_prefix(way, initial, prefix, sizeof prefix);
    for (int kind = 0; kind < KINDS; kind++)
      EBR_TRY(record_counts(subject->config, &encoding, kind, prefix, false, record));
  }
done:
  ebr_encoding_destroy(&encoding);
  return error;
}

static void forget(void *kept)
{
  ebr_regression *regression = kept;
  ebr_regression_destroy(&regression);
}

/* Without truth there is nothing to regress on: sensitivities take passes of their own. */
static ebr_error *watch(const ebr_subject *subject, ebr_watcher *watcher)
{
  ebr_error *error = NULL;
  ebr_regression *regression = NULL;
  if ((subject->point > 0 && !subject->last) || !subject->samples->truth[0]) goto done;
  EBR_TRY(ebr_regression_create(subject, ebr_network_width(ebr_trainer_network(subject->trainer)),
                                ebr_encoding_read_hidden, &regression));
  *watcher = (ebr_watcher){.test = true, .see_test = ebr_regression_see, .kept = regression};
done:
  return error;
}

static ebr_error *take(const ebr_subject *subject, ebr_record *record)
{
  ebr_error *error = NULL;
  ebr_encoding encoding = {0};
  if (subject->point > 0 && !subject->last) goto done;
  if (subject->kept) ebr_regression_solve(subject->kept, subject->test_scores, &encoding);
  else EBR_TRY(ebr_encoding_take(subject, &encoding));
  if (!ebr_encoding_finite(&encoding)) goto done;
  if (subject->point == 0) EBR_TRY(record_all(subject->config, &encoding, "initial.", record));
  if (subject->last) EBR_TRY(record_all(subject->config, &encoding, "", record));
  EBR_TRY(record_thresholds(subject->config, record));
  for (int way = 0; way < WAYS && subject->samples->truth[0]; way++)
    if (wanted(subject->config, way)) EBR_TRY(take_way(subject, way, record));
done:
  ebr_encoding_destroy(&encoding);
  return error;
}

static int features_of(const ebr_config *config, const ebr_shape *shape)
{
  int each = (int)(config->data_predictive + config->data_noise);
  return config->data_source == EBR_SOURCE_SYNTHETIC ? shape->modalities * each : ebr_measured_modalities(config, shape);
}

static int chunk_of(const ebr_config *config, const ebr_shape *shape)
{
  int batch = ebr_measured_batch(config, shape);
  return batch < shape->test_count ? batch : shape->test_count;
}

static size_t usual_bytes(const ebr_config *config, const ebr_shape *shape)
{
  return ebr_encoding_bytes((int)config->model_width, features_of(config, shape), chunk_of(config, shape),
                            config->data_source == EBR_SOURCE_SYNTHETIC);
}

/* The usual encoding is kept while another way is taken. */
static size_t bytes(const ebr_config *config, const ebr_shape *shape)
{
  bool truth = config->data_source == EBR_SOURCE_SYNTHETIC;
  size_t most = 0;
  for (int way = 0; way < WAYS && truth; way++) {
    size_t needed =
        wanted(config, way) ? ways[way]->bytes(config, shape, features_of(config, shape), chunk_of(config, shape)) : 0;
    if (needed > most) most = needed;
  }
  return most + (truth ? 0 : usual_bytes(config, shape));
}

static size_t kept_bytes(const ebr_config *config, const ebr_shape *shape)
{
  if (config->data_source != EBR_SOURCE_SYNTHETIC) return 0;
  return usual_bytes(config, shape) + ebr_truth_bytes(features_of(config, shape));
}

const ebr_measure ebr_measure_collisions = {.name = "collisions",
                                            .help = "Neurons of the head that modalities share",
                                            .declare = declare,
                                            .take = take,
                                            .watch = watch,
                                            .forget = forget,
                                            .bytes = bytes,
                                            .kept_bytes = kept_bytes};
