/* Allocations of k features of each modality to the head's n neurons, drawn at random: what law's exact expectations are
 * held against. Looks at no network. */
#include <ebrsweep/allocation.h>

#include "measure/column.h"

#include <stddef.h>

static const struct {
  const char *name, *unit, *meaning;
  size_t offset;
} columns[] = {
    {"pairs", "pairs", "Pairs of features of two modalities on one neuron, mean over random allocations",
     offsetof(ebr_allocated, pairs)},
    {"shared", "", "Share of neurons with two or more modalities, mean over random allocations",
     offsetof(ebr_allocated, shared)},
    {"occupancy", "", "Share of neurons that a modality is on, mean over modalities and random allocations",
     offsetof(ebr_allocated, occupancy)},
};

enum { COLUMNS = sizeof columns / sizeof *columns };

static ebr_error *declare(const ebr_config *config, const ebr_shape *shape, ebr_schema *schema)
{
  ebr_error *error = NULL;
  for (int k = 0; k < COLUMNS && config->allocation_trials > 0; k++) {
    const ebr_column_kind mean = {columns[k].unit, columns[k].meaning, 1, 1};
    const ebr_column_kind spread = {columns[k].unit, "Standard error of that mean", 1, 1};
    EBR_TRY(ebr_column_declare(schema, &mean, "allocation.%s", columns[k].name));
    EBR_TRY(ebr_column_declare(schema, &spread, "allocation.%s.standard_error", columns[k].name));
  }
done:
  return error;
  (void)shape;
}

static double field(const ebr_allocated *values, size_t offset)
{
  return *(const double *)((const char *)values + offset);
}

static ebr_error *take(const ebr_subject *subject, ebr_record *record)
{
  ebr_error *error = NULL;
  const ebr_config *config = subject->config;
  ebr_arena arena = {0};
  ebr_allocated mean, spread;
  ebr_allocation allocation = {.modalities = subject->samples->modalities,
                               .neurons = (int)config->model_width,
                               .redraws = config->allocation_modality == EBR_ALLOCATION_DRAWN};
  size_t cells = 3 * (size_t)allocation.neurons;
  if (!subject->last || config->allocation_trials == 0) goto done;
  for (int i = 0; i < allocation.modalities; i++)
    allocation.features[i] = ebr_config_allocated(config, i, allocation.modalities);
  EBR_TRY(ebr_arena_create(cells * sizeof(uint32_t), &arena));
  ebr_stream stream = ebr_stream_start(ebr_config_pair(config), EBR_PURPOSE_ALLOCATION, 0);
  ebr_allocation_sample(&allocation, config->allocation_trials, &stream, ebr_arena_take(&arena, cells, sizeof(uint32_t)),
                        &mean, &spread);
  for (int k = 0; k < COLUMNS; k++) {
    EBR_TRY(ebr_column_set(record, field(&mean, columns[k].offset), "allocation.%s", columns[k].name));
    EBR_TRY(
        ebr_column_set(record, field(&spread, columns[k].offset), "allocation.%s.standard_error", columns[k].name));
  }
done:
  ebr_arena_destroy(&arena);
  return error;
}

const ebr_measure ebr_measure_allocation = {.name = "allocation",
                                            .help = "Random allocations of features to neurons",
                                            .declare = declare,
                                            .take = take};
