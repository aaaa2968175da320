#include <ebrsweep/train.h>

#include <string.h>

/* Buffers of one evaluation, for chunks of the network's batch. */
typedef struct evaluation {
  ebr_network *network;
  const ebr_samples *samples;
  int only, modalities;
  int32_t *label;
  uint8_t *present;
  ebr_arena arena;
} evaluation;

static void layout(evaluation *e, ebr_arena *arena)
{
  size_t batch = (size_t)ebr_network_batch(e->network);
  e->label = ebr_arena_take(arena, batch, sizeof *e->label);
  e->present = ebr_arena_take(arena, batch * (size_t)e->modalities, 1);
}

static void gather(evaluation *e, const int32_t *rows, int count)
{
  const ebr_samples *samples = e->samples;
  for (int i = 0; i < e->modalities; i++)
    ebr_samples_gather(samples, e->only < 0 ? i : e->only, rows, count, ebr_network_input(e->network, i));
  ebr_samples_gather_truth(samples, e->only, rows, count, ebr_network_target(e->network));
  for (int b = 0; b < count; b++) e->label[b] = samples->label[rows[b]];
  memset(e->present, 1, (size_t)count * (size_t)e->modalities);
  for (int b = 0; b < count && samples->present; b++)
    for (int i = 0; i < e->modalities; i++)
      e->present[b * e->modalities + i] = samples->present[rows[b] * samples->modalities + (e->only < 0 ? i : e->only)];
}

ebr_error *ebr_evaluate(ebr_network *network, const ebr_samples *samples, int only, const int32_t *rows, int count,
                        ebr_intervene *intervene, ebr_visit *visit, void *context, ebr_scores *scores)
{
  ebr_error *error = NULL;
  evaluation e = {.network = network, .samples = samples, .only = only, .modalities = ebr_network_modalities(network)};
  ebr_arena measuring = ebr_arena_measuring();
  double loss = 0, correct = 0;
  layout(&e, &measuring);
  EBR_TRY(ebr_arena_create(measuring.used, &e.arena));
  layout(&e, &e.arena);
  for (int start = 0; start < count; start += ebr_network_batch(network)) {
    int chunk = count - start < ebr_network_batch(network) ? count - start : ebr_network_batch(network);
    ebr_batch batch = {.count = chunk, .label = e.label, .present = e.present};
    ebr_losses losses;
    unsigned mode = ebr_denormals_off();
    gather(&e, rows + start, chunk);
    ebr_network_encode(network, chunk);
    if (intervene) intervene(context, network, start, chunk, e.present);
    ebr_network_fuse(network, chunk, memchr(e.present, 0, (size_t)chunk * (size_t)e.modalities) ? e.present : NULL);
    ebr_network_loss(network, &batch, &losses);
    ebr_denormals_restore(mode);
    loss += losses.semantic * chunk;
    correct += losses.correct;
    if (visit) visit(context, network, start, chunk, &batch);
  }
  *scores = (ebr_scores){count > 0 ? loss / count : 0, count > 0 ? correct / count : 0};
done:
  ebr_arena_destroy(&e.arena);
  return error;
}
