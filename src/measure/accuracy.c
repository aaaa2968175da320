#include "measure/column.h"

/* The remedies' losses are means over the epoch's mini-batches: they have no meaning on the test set. */
static ebr_error *declare_remedies(const ebr_config *config, int points, ebr_schema *schema)
{
  ebr_error *error = NULL;
  const ebr_column_kind discrimination = {"nats", "Loss of psi, mean over the epoch before; ln m is chance", points, 1};
  const ebr_column_kind distillation = {"", "Distillation loss, weighted, mean over the epoch before", points, 1};
  const ebr_column_kind auxiliary = {"nats", "Auxiliary loss, mean over the epoch before", points, 1};
  if (ebr_config_reallocates(config))
    EBR_TRY(ebr_column_declare(schema, &discrimination, "discrimination_loss.by_epoch"));
  if (ebr_config_distils(config)) EBR_TRY(ebr_column_declare(schema, &distillation, "distillation_loss.by_epoch"));
  if (config->auxiliary_weight > 0) EBR_TRY(ebr_column_declare(schema, &auxiliary, "auxiliary_loss.by_epoch"));
done:
  return error;
}

static ebr_error *declare(const ebr_config *config, const ebr_shape *shape, ebr_schema *schema)
{
  ebr_error *error = NULL;
  int points = ebr_measure_points(config);
  static const struct {
    const char *name, *unit, *meaning;
  } columns[] = {{"train_loss", "nats", "Mean semantic cross-entropy of the training samples"},
                 {"train_accuracy", "", "Share of training samples classified as labelled"},
                 {"test_loss", "nats", "Mean semantic cross-entropy of the test samples"},
                 {"test_accuracy", "", "Share of test samples classified as labelled"}};
  for (int k = 0; k < 4; k++)
    EBR_TRY(ebr_schema_add(schema, columns[k].name, columns[k].unit, columns[k].meaning, 1, 1));
  EBR_TRY(
      ebr_schema_add(schema, "epoch", "epochs", "Epochs done at each point of the curves named .by_epoch", points, 1));
  for (int k = 0; k < 4; k++) {
    const ebr_column_kind curve = {columns[k].unit, columns[k].meaning, points, 1};
    EBR_TRY(ebr_column_declare(schema, &curve, "%s.by_epoch", columns[k].name));
  }
  EBR_TRY(declare_remedies(config, points, schema));
done:
  return error;
  (void)shape;
}

static ebr_error *take_remedies(const ebr_subject *subject, ebr_record *record)
{
  ebr_error *error = NULL;
  const ebr_losses *losses = subject->losses;
  if (!losses) goto done;
  if (ebr_config_reallocates(subject->config))
    EBR_TRY(ebr_record_set(record, "discrimination_loss.by_epoch", subject->point, 0, losses->discrimination));
  if (ebr_config_distils(subject->config))
    EBR_TRY(ebr_record_set(record, "distillation_loss.by_epoch", subject->point, 0, losses->distillation));
  if (subject->config->auxiliary_weight > 0)
    EBR_TRY(ebr_record_set(record, "auxiliary_loss.by_epoch", subject->point, 0, losses->auxiliary));
done:
  return error;
}

static double epoch_of(const ebr_subject *subject)
{
  return subject->last ? (double)subject->config->train_epochs
                       : (double)subject->point * (double)subject->config->measure_every;
}

static ebr_error *set_part(const ebr_subject *subject, const char *part, const ebr_scores *scores, ebr_record *record)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_column_set_at(record, subject->point, 0, scores->loss, "%s_loss.by_epoch", part));
  EBR_TRY(ebr_column_set_at(record, subject->point, 0, scores->accuracy, "%s_accuracy.by_epoch", part));
  if (!subject->last) goto done;
  EBR_TRY(ebr_column_set(record, scores->loss, "%s_loss", part));
  EBR_TRY(ebr_column_set(record, scores->accuracy, "%s_accuracy", part));
done:
  return error;
}

static ebr_error *watch(const ebr_subject *subject, ebr_watcher *watcher)
{
  watcher->train = watcher->test = true;
  return NULL;
  (void)subject;
}

static ebr_error *take(const ebr_subject *subject, ebr_record *record)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_record_set(record, "epoch", subject->point, 0, epoch_of(subject)));
  EBR_TRY(set_part(subject, "train", subject->train_scores, record));
  EBR_TRY(set_part(subject, "test", subject->test_scores, record));
  EBR_TRY(take_remedies(subject, record));
done:
  return error;
}

const ebr_measure ebr_measure_accuracy = {.name = "accuracy",
                                          .help = "Loss and accuracy, at the end and over training",
                                          .declare = declare,
                                          .take = take,
                                          .watch = watch};
