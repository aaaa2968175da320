#include "measure/column.h"
#include "measure/removal.h"

#include <math.h>

/* A modality that brings less than this by itself has nothing to lose: its collapse index would be noise over noise. */
static const double least_alone = 0.01; /* [nats] */

static bool has_baselines(const ebr_config *config)
{
  return config->measure_unimodal && config->method != EBR_METHOD_UNIMODAL;
}

static ebr_error *declare_baselines(int modality, ebr_schema *schema)
{
  ebr_error *error = NULL;
  const ebr_column_kind loss = {"nats", "Test loss of the network that was trained on this modality alone", 1, 1};
  const ebr_column_kind accuracy = {"", "Test accuracy of the network that was trained on this modality alone", 1, 1};
  const ebr_column_kind alone = {"nats", "Rise of that network's test loss when its modality is removed", 1, 1};
  const ebr_column_kind collapse = {"", "1 - contribution / alone_contribution; none if that is below 0.01 nats", 1, 1};
  EBR_TRY(ebr_column_declare(schema, &loss, "alone_loss.%d", modality));
  EBR_TRY(ebr_column_declare(schema, &accuracy, "alone_accuracy.%d", modality));
  EBR_TRY(ebr_column_declare(schema, &alone, "alone_contribution.%d", modality));
  EBR_TRY(ebr_column_declare(schema, &collapse, "collapse_index.%d", modality));
done:
  return error;
}

static ebr_error *declare(const ebr_config *config, const ebr_shape *shape, ebr_schema *schema)
{
  ebr_error *error = NULL;
  const ebr_column_kind rise = {"nats", "Rise of the test loss when this modality is replaced by its mean", 1, 1};
  const ebr_column_kind drop = {"", "Fall of the test accuracy when this modality is replaced by its mean", 1, 1};
  if (!config->measure_contributions) goto done;
  EBR_TRY(ebr_schema_add(schema, "weakest_contribution", "nats", "Smallest of the modalities' contributions", 1, 1));
  if (has_baselines(config))
    EBR_TRY(ebr_schema_add(schema, "collapse_index", "", "Mean of the modalities' collapse indices, each cut to [0, 1]",
                           1, 1));
  for (int k = 0; k < ebr_measured_modalities(config, shape); k++) {
    int modality = ebr_measured_modality(config, k);
    EBR_TRY(ebr_column_declare(schema, &rise, "contribution.%d", modality));
    EBR_TRY(ebr_column_declare(schema, &drop, "accuracy_drop.%d", modality));
    if (has_baselines(config)) EBR_TRY(declare_baselines(modality, schema));
  }
done:
  return error;
}

/* In the mean each index is cut to [0, 1]: one modality that matters more in company than alone, which happens when the
 * others were never learned, would hide that they were not. */
static ebr_error *record_baselines(const ebr_subject *subject, const double *contribution, int modalities,
                                   ebr_record *record)
{
  ebr_error *error = NULL;
  double sum = 0, defined = 0;
  for (int k = 0; k < modalities; k++) {
    int i = ebr_measured_modality(subject->config, k);
    double alone = subject->alone_contribution ? subject->alone_contribution[i] : NAN;
    double collapse = alone >= least_alone ? 1 - contribution[k] / alone : NAN;
    EBR_TRY(ebr_column_set(record, subject->alone[i].loss, "alone_loss.%d", i));
    EBR_TRY(ebr_column_set(record, subject->alone[i].accuracy, "alone_accuracy.%d", i));
    EBR_TRY(ebr_column_set(record, alone, "alone_contribution.%d", i));
    EBR_TRY(ebr_column_set(record, collapse, "collapse_index.%d", i));
    if (!(alone >= least_alone)) continue;
    sum += fmin(fmax(collapse, 0), 1);
    defined++;
  }
  EBR_TRY(ebr_record_set(record, "collapse_index", 0, 0, defined > 0 ? sum / defined : NAN));
done:
  return error;
}

static void forget(void *kept)
{
  ebr_removal *removal = kept;
  ebr_removal_destroy(&removal);
}

static ebr_error *watch(const ebr_subject *subject, ebr_watcher *watcher)
{
  ebr_error *error = NULL;
  ebr_removal *removal = NULL;
  if (!subject->last || !subject->config->measure_contributions) goto done;
  EBR_TRY(ebr_removal_create(ebr_trainer_network(subject->trainer), &removal));
  *watcher = (ebr_watcher){
      .train = true, .test = true, .see_train = ebr_removal_see, .try_test = ebr_removal_try, .kept = removal};
done:
  return error;
}

static ebr_error *take(const ebr_subject *subject, ebr_record *record)
{
  ebr_error *error = NULL;
  const ebr_scores *whole = subject->test_scores;
  ebr_scores without[EBR_MODALITIES_MOST];
  double contribution[EBR_MODALITIES_MOST], weakest = INFINITY;
  if (!subject->kept) goto done;
  int modalities = ebr_network_modalities(ebr_trainer_network(subject->trainer));
  ebr_removal_scores(subject->kept, without);
  for (int k = 0; k < modalities; k++) {
    int modality = ebr_measured_modality(subject->config, k);
    contribution[k] = without[k].loss - whole->loss;
    if (!(contribution[k] >= weakest)) weakest = contribution[k];
    EBR_TRY(ebr_column_set(record, contribution[k], "contribution.%d", modality));
    EBR_TRY(ebr_column_set(record, whole->accuracy - without[k].accuracy, "accuracy_drop.%d", modality));
  }
  EBR_TRY(ebr_record_set(record, "weakest_contribution", 0, 0, weakest));
  if (has_baselines(subject->config) && subject->alone)
    EBR_TRY(record_baselines(subject, contribution, modalities, record));
done:
  return error;
}

const ebr_measure ebr_measure_contributions = {.name = "contributions",
                                               .help = "What is lost when a modality is removed",
                                               .declare = declare,
                                               .take = take,
                                               .watch = watch,
                                               .forget = forget};
