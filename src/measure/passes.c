#include "measure/passes.h"

#include <math.h>
#include <stdlib.h>

typedef struct audience {
  const ebr_watcher *watchers;
  int count;
  bool train;
} audience;

static void show(void *context, ebr_network *network, int start, int count, const ebr_batch *batch)
{
  const audience *a = context;
  for (int k = 0; k < a->count; k++) {
    ebr_visit *see = a->train ? a->watchers[k].see_train : a->watchers[k].see_test;
    if (see) see(a->watchers[k].kept, network, start, count, batch);
  }
  for (int k = 0; k < a->count && !a->train; k++)
    if (a->watchers[k].try_test) a->watchers[k].try_test(a->watchers[k].kept, network, start, count, batch);
}

/* The same ones each time: a curve's course is more exact than its height. */
int ebr_measure_train_rows(const ebr_config *config, int train_count, bool last)
{
  int64_t most = config->measure_curve_samples;
  return last || most == 0 || train_count < most ? train_count : (int)most;
}

/* At even distances: a file's order may go by class. */
static ebr_error *pick_rows(const ebr_subject *subject, int32_t **picked, int *count)
{
  ebr_error *error = NULL;
  const ebr_samples *samples = subject->samples;
  *picked = NULL;
  *count = ebr_measure_train_rows(subject->config, samples->train_count, subject->last);
  if (*count == samples->train_count) goto done;
  *picked = malloc((size_t)*count * sizeof **picked);
  EBR_CHECK_MEMORY(*picked, "training samples for a point of the curves");
  for (int k = 0; k < *count; k++) (*picked)[k] = samples->train[(int64_t)k * samples->train_count / *count];
done:
  return error;
}

ebr_error *ebr_passes_make(const ebr_subject *subject, const ebr_watcher *watchers, int count, ebr_scores *train,
                           ebr_scores *test)
{
  ebr_error *error = NULL;
  ebr_network *network = ebr_trainer_network(subject->trainer);
  const ebr_samples *samples = subject->samples;
  audience all = {watchers, count, true};
  int32_t *picked = NULL;
  bool needs_train = false, needs_test = false;
  for (int k = 0; k < count; k++) {
    needs_train = needs_train || watchers[k].train;
    needs_test = needs_test || watchers[k].test;
  }
  *train = *test = (ebr_scores){NAN, NAN};
  if (needs_train) {
    int rows;
    EBR_TRY(pick_rows(subject, &picked, &rows));
    EBR_TRY(ebr_evaluate(network, samples, subject->only, picked ? picked : samples->train, rows, NULL, show, &all, train));
  }
  all.train = false;
  if (needs_test)
    EBR_TRY(ebr_evaluate(network, samples, subject->only, samples->test, samples->test_count, NULL, show, &all, test));
done:
  free(picked);
  return error;
}
