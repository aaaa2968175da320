#include "measure/removal.h"

#include "measure/column.h"

#include <stdlib.h>
#include <string.h>

struct ebr_removal {
  int modalities, features, first, count; /* slots [first, first + count) are removed */
  ebr_removal_visit *visit;
  void *context;
  double *sum; /* (m x l) */
  double present[EBR_MODALITIES_MOST];
  ebr_real *mean; /* (m x l) */
  ebr_real *kept; /* (B x l) */
  double loss[EBR_MODALITIES_MOST], correct[EBR_MODALITIES_MOST], tested;
  ebr_arena arena;
};

static void layout(ebr_removal *r, ebr_arena *arena, int batch)
{
  size_t all = (size_t)r->modalities * (size_t)r->features;
  r->sum = ebr_arena_take(arena, all, sizeof *r->sum);
  r->mean = ebr_arena_take(arena, all, sizeof *r->mean);
  r->kept = ebr_arena_take(arena, (size_t)batch * (size_t)r->features, sizeof *r->kept);
}

EBR_VECTOR
static void add_row(int count, const ebr_real *restrict row, double *restrict sum)
{
  for (int k = 0; k < count; k++) sum[k] += (double)row[k];
}

void ebr_removal_see(void *context, ebr_network *network, int start, int count, const ebr_batch *batch)
{
  ebr_removal *r = context;
  for (int i = 0; i < r->modalities; i++) {
    const ebr_real *slice = ebr_network_fused(network, i);
    double *sum = r->sum + (size_t)i * (size_t)r->features;
    for (int b = 0; b < count; b++) {
      if (batch->present && !batch->present[b * r->modalities + i]) continue;
      add_row(r->features, slice + (size_t)b * (size_t)r->features, sum);
      r->present[i]++;
    }
  }
  (void)start;
}

static void find_means(ebr_removal *r)
{
  for (int i = 0; i < r->modalities; i++)
    for (int k = 0; k < r->features && r->present[i] > 0; k++)
      r->mean[i * r->features + k] = (ebr_real)(r->sum[i * r->features + k] / r->present[i]);
}

static void remove_one(ebr_removal *r, ebr_network *network, int slot, const ebr_batch *batch, const uint8_t *present)
{
  size_t row = (size_t)r->features * sizeof(ebr_real);
  ebr_real *slice = ebr_network_fused(network, slot);
  ebr_losses losses;
  memcpy(r->kept, slice, (size_t)batch->count * row);
  for (int b = 0; b < batch->count; b++)
    memcpy(slice + (size_t)b * (size_t)r->features, r->mean + (size_t)slot * (size_t)r->features, row);
  ebr_network_fuse(network, batch->count, present);
  ebr_network_loss(network, batch, &losses);
  r->loss[slot] += losses.semantic * batch->count;
  r->correct[slot] += losses.correct;
  if (r->visit) r->visit(r->context, network, slot, batch);
  memcpy(slice, r->kept, (size_t)batch->count * row);
}

void ebr_removal_try(void *context, ebr_network *network, int start, int count, const ebr_batch *batch)
{
  ebr_removal *r = context;
  bool gaps = batch->present && memchr(batch->present, 0, (size_t)count * (size_t)r->modalities);
  if (start == 0) find_means(r);
  if (r->visit) r->visit(r->context, network, -1, batch);
  for (int k = 0; k < r->count; k++) remove_one(r, network, r->first + k, batch, gaps ? batch->present : NULL);
  r->tested += count;
}

void ebr_removal_scores(const ebr_removal *r, ebr_scores *without)
{
  for (int k = 0; k < r->count; k++)
    without[k] = (ebr_scores){r->loss[r->first + k] / r->tested, r->correct[r->first + k] / r->tested};
}

ebr_error *ebr_removal_create(const ebr_network *network, ebr_removal **out)
{
  ebr_error *error = NULL;
  ebr_arena measuring = ebr_arena_measuring();
  ebr_removal *r = calloc(1, sizeof *r);
  EBR_CHECK_MEMORY(r, "training means");
  r->modalities = ebr_network_modalities(network);
  r->features = ebr_network_features(network);
  r->count = r->modalities;
  layout(r, &measuring, ebr_network_batch(network));
  EBR_TRY(ebr_arena_create(measuring.used, &r->arena));
  layout(r, &r->arena, ebr_network_batch(network));
  *out = r;
  r = NULL;
done:
  ebr_removal_destroy(&r);
  return error;
}

void ebr_removal_destroy(ebr_removal **removal)
{
  if (!*removal) return;
  ebr_arena_destroy(&(*removal)->arena);
  free(*removal);
  *removal = NULL;
}

ebr_error *ebr_removal_pass(ebr_trainer *trainer, const ebr_samples *samples, int only, int first, int count,
                            ebr_removal_visit *visit, void *context, ebr_scores *whole, ebr_scores *without)
{
  ebr_error *error = NULL;
  ebr_network *network = ebr_trainer_network(trainer);
  ebr_removal *removal = NULL;
  ebr_scores scores;
  EBR_TRY(ebr_removal_create(network, &removal));
  removal->first = first;
  removal->count = count;
  removal->visit = visit;
  removal->context = context;
  EBR_TRY(ebr_evaluate(network, samples, only, samples->train, samples->train_count, NULL, ebr_removal_see, removal,
                       &scores));
  EBR_TRY(ebr_evaluate(network, samples, only, samples->test, samples->test_count, NULL, ebr_removal_try, removal, whole));
  ebr_removal_scores(removal, without);
done:
  ebr_removal_destroy(&removal);
  return error;
}

ebr_error *ebr_measure_without(ebr_trainer *trainer, const ebr_samples *samples, int only, int modality,
                               ebr_scores *scores)
{
  ebr_scores whole;
  return ebr_removal_pass(trainer, samples, only, ebr_measured_slot(only, modality), 1, NULL, NULL, &whole, scores);
}
