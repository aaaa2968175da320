#include "measure/column.h"
#include "measure/passes.h"

/* In the order of the results' columns, one a line. */
/* clang-format off */
static const ebr_measure *const measures[] = {
    &ebr_measure_accuracy,
    &ebr_measure_ranking,
    &ebr_measure_contributions,
    &ebr_measure_spectra,
    &ebr_measure_collisions,
    &ebr_measure_probe,
    &ebr_measure_missing,
    &ebr_measure_similarity,
    &ebr_measure_angles,
    &ebr_measure_allocation,
};
/* clang-format on */

enum { MEASURES = sizeof measures / sizeof *measures };

int ebr_measure_count(void) { return MEASURES; }
const ebr_measure *ebr_measure_at(int index) { return measures[index]; }

int ebr_measure_points(const ebr_config *config)
{
  int64_t epochs = config->train_epochs, every = config->measure_every;
  if (epochs == 0) return 1;
  return every == 0 ? 2 : (int)(1 + (epochs + every - 1) / every);
}

int ebr_measure_point(const ebr_config *config, int epoch)
{
  if (epoch == 0) return 0;
  if (epoch == config->train_epochs) return ebr_measure_points(config) - 1;
  if (config->measure_every == 0 || epoch % config->measure_every != 0) return -1;
  return (int)(epoch / config->measure_every);
}

ebr_error *ebr_measures_declare(const ebr_config *config, const ebr_shape *shape, ebr_schema *schema)
{
  ebr_error *error = NULL;
  for (int k = 0; k < MEASURES; k++) EBR_TRY(measures[k]->declare(config, shape, schema));
done:
  return error;
}

size_t ebr_measures_bytes(const ebr_config *config, const ebr_shape *shape)
{
  size_t most = 0, kept = 0;
  for (int k = 0; k < MEASURES; k++) {
    size_t bytes = measures[k]->bytes ? measures[k]->bytes(config, shape) : 0;
    if (bytes > most) most = bytes;
    if (measures[k]->kept_bytes) kept += measures[k]->kept_bytes(config, shape);
  }
  return kept + most;
}

/* ---- taking ------------------------------------------------------------------------------------------------------ */

static void forget(const ebr_measure *measure, ebr_watcher *watcher)
{
  if (watcher->kept) measure->forget(watcher->kept);
  watcher->kept = NULL;
}

static ebr_error *take_list(const ebr_measure *const *list, int count, const ebr_subject *subject, ebr_record *record)
{
  ebr_error *error = NULL;
  ebr_watcher watchers[MEASURES] = {0};
  ebr_scores train, test;
  ebr_subject own = *subject;
  own.train_scores = &train;
  own.test_scores = &test;
  for (int k = 0; k < count; k++)
    if (list[k]->watch) EBR_TRY(list[k]->watch(subject, &watchers[k]));
  EBR_TRY(ebr_passes_make(subject, watchers, count, &train, &test));
  for (int k = 0; k < count; k++) {
    own.kept = watchers[k].kept;
    EBR_TRY(list[k]->take(&own, record));
    forget(list[k], &watchers[k]);
  }
done:
  for (int k = 0; k < count; k++) forget(list[k], &watchers[k]);
  return error;
}

ebr_error *ebr_measure_take(const ebr_measure *measure, const ebr_subject *subject, ebr_record *record)
{
  return take_list(&measure, 1, subject, record);
}

/* Spectra divide themselves; what else there is takes the rank that has the least of them. */
static ebr_error *take_share(const ebr_subject *subject, ebr_record *record)
{
  const ebr_measure *mine[MEASURES];
  int size = ebr_team_size(subject->team), rank = ebr_team_rank(subject->team), count = 0;
  for (int k = 0; k < MEASURES; k++)
    if (measures[k] == &ebr_measure_spectra || k % size == rank) mine[count++] = measures[k];
  return take_list(mine, count, subject, record);
}

ebr_error *ebr_measures_take(const ebr_subject *subject, ebr_record *record)
{
  ebr_error *error = NULL;
  if (ebr_team_rank(subject->team) > 0) ebr_record_clear(record);
  EBR_TRY(ebr_spectra_together(subject, record));
  EBR_TRY(ebr_team_agree(subject->team, take_share(subject, record)));
  ebr_team_merge(subject->team, record->values, ebr_schema_size(record->schema));
done:
  return error;
}
