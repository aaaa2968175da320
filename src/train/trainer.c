#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int batch_of(const ebr_config *config, int train_count)
{
  return config->train_batch < train_count ? (int)config->train_batch : train_count;
}

static void divide(ebr_trainer *trainer, const ebr_config *config, int train_count)
{
  trainer->batch = batch_of(config, train_count);
  trainer->shards = ebr_config_shards(config);
  if (trainer->batch % trainer->shards != 0) trainer->shards = 1;
  trainer->rows_each = trainer->batch / trainer->shards;
}

static void layout(ebr_trainer *trainer, ebr_arena *arena, size_t size, int train_count, int modalities)
{
  size_t batch = (size_t)trainer->batch;
  trainer->first = ebr_arena_take(arena, size, sizeof(ebr_real));
  trainer->second = ebr_arena_take(arena, size, sizeof(ebr_real));
  trainer->order = ebr_arena_take(arena, (size_t)train_count, sizeof(int32_t));
  trainer->rows = ebr_arena_take(arena, batch, sizeof(int32_t));
  trainer->label = ebr_arena_take(arena, batch, sizeof(int32_t));
  trainer->present = ebr_arena_take(arena, batch * (size_t)modalities, 1);
  for (int k = 0; 1 << k < trainer->shards; k++)
    trainer->folding.partial[k] = ebr_arena_take(arena, size, sizeof(ebr_real));
}

static ebr_error *allocate(ebr_trainer *trainer)
{
  ebr_error *error = NULL;
  size_t size = ebr_network_size(trainer->network);
  int modalities = ebr_network_modalities(trainer->network), train_count = trainer->samples->train_count;
  ebr_arena arena = ebr_arena_measuring();
  layout(trainer, &arena, size, train_count, modalities);
  EBR_TRY(ebr_arena_create(arena.used, &trainer->arena));
  layout(trainer, &trainer->arena, size, train_count, modalities);
done:
  return error;
}

ebr_error *ebr_trainer_create(const ebr_config *config, const ebr_samples *samples, int only, uint64_t key,
                              const ebr_teaching *teaching, ebr_trainer **out)
{
  ebr_error *error = NULL;
  ebr_shape shape = ebr_samples_describe(samples);
  ebr_trainer *trainer = calloc(1, sizeof *trainer);
  EBR_CHECK_MEMORY(trainer, "a trainer");
  EBR_CHECK(samples->train_count >= 1, EBR_DATA, "there are no training samples");
  if (only < 0 && config->method == EBR_METHOD_UNIMODAL) only = (int)config->unimodal_modality;
  trainer->config = *config;
  trainer->samples = samples;
  trainer->teaching = teaching;
  trainer->only = only;
  trainer->key = key;
  divide(trainer, config, samples->train_count);
  trainer->steps = samples->train_count / trainer->batch;
  trainer->optimizer = ebr_optimizer_at(config->train_optimizer);
  EBR_TRY(ebr_network_create(config, &shape, only, trainer->rows_each, key, &trainer->network));
  EBR_TRY(allocate(trainer));
  trainer->gradients = ebr_network_gradients(trainer->network);
  *out = trainer;
  trainer = NULL;
done:
  ebr_trainer_destroy(&trainer);
  return error;
}

void ebr_trainer_destroy(ebr_trainer **trainer)
{
  if (!*trainer) return;
  ebr_network_destroy(&(*trainer)->network);
  ebr_arena_destroy(&(*trainer)->arena);
  free(*trainer);
  *trainer = NULL;
}

size_t ebr_trainer_bytes(const ebr_config *config, const ebr_shape *shape, int only)
{
  ebr_trainer trainer = {0};
  divide(&trainer, config, shape->train_count);
  ebr_arena arena = ebr_arena_measuring();
  size_t network = ebr_network_bytes(config, shape, only, trainer.rows_each);
  size_t parameters = ebr_network_parameter_count(config, shape, only);
  layout(&trainer, &arena, parameters, shape->train_count, only < 0 ? shape->modalities : 1);
  return network + arena.used + sizeof trainer;
}

int ebr_trainer_steps(const ebr_config *config, const ebr_shape *shape)
{
  int batch = batch_of(config, shape->train_count);
  return batch > 0 ? shape->train_count / batch : 0;
}

/* Forward, and twice that backward, but for the gradient of the inputs, which nobody wants. */
double ebr_trainer_flops(const ebr_config *config, const ebr_shape *shape, int only)
{
  if (only < 0 && config->method == EBR_METHOD_UNIMODAL) only = (int)config->unimodal_modality;
  double forward = ebr_network_flops(config, shape, only), inputs = ebr_network_input_flops(config, shape, only);
  return (3 * forward - inputs) * batch_of(config, shape->train_count);
}

void ebr_trainer_join(ebr_trainer *trainer, ebr_team *team) { trainer->team = trainer->shards > 1 ? team : NULL; }

ebr_network *ebr_trainer_network(ebr_trainer *trainer) { return trainer->network; }
int64_t ebr_trainer_step_count(const ebr_trainer *trainer) { return trainer->now.step; }

/* ---- one mini-batch ---------------------------------------------------------------------------------------------- */

/* The order of an epoch depends on the key and the epoch alone, so that a checkpoint needs only the step. */
static void shuffle(ebr_trainer *trainer, int64_t epoch)
{
  ebr_stream stream = ebr_stream_start(trainer->key, EBR_PURPOSE_SHUFFLE, (uint32_t)epoch);
  for (int i = 0; i < trainer->samples->train_count; i++) trainer->order[i] = i;
  ebr_stream_shuffle(&stream, trainer->order, (size_t)trainer->samples->train_count);
}

static void gather_present(const ebr_samples *samples, int only, const int32_t *rows, int count, uint8_t *present)
{
  int m = only < 0 ? samples->modalities : 1;
  for (int b = 0; b < count; b++)
    for (int i = 0; i < m; i++)
      present[b * m + i] = samples->present[rows[b] * samples->modalities + (only < 0 ? i : only)];
}

static void count_present(const ebr_trainer *trainer, ebr_whole *whole)
{
  int m = ebr_network_modalities(trainer->network);
  *whole = (ebr_whole){.count = trainer->batch};
  for (int i = 0; i < m; i++) whole->present[i] = trainer->samples->present ? 0 : trainer->batch;
  for (int k = 0; k < trainer->batch * m && trainer->samples->present; k++)
    whole->present[k % m] += trainer->present[k];
}

void ebr_trainer_gather(ebr_trainer *trainer, int index, ebr_whole *whole)
{
  const ebr_samples *samples = trainer->samples;
  const int32_t *positions = trainer->order + (size_t)index * (size_t)trainer->batch;
  for (int b = 0; b < trainer->batch; b++) {
    trainer->rows[b] = samples->train[positions[b]];
    trainer->label[b] = samples->label[trainer->rows[b]];
  }
  if (samples->present) gather_present(samples, trainer->only, trainer->rows, trainer->batch, trainer->present);
  if (trainer->shards > 1) count_present(trainer, whole);
}

void ebr_trainer_gather_shard(ebr_trainer *trainer, int index, int shard, ebr_batch *batch)
{
  const ebr_samples *samples = trainer->samples;
  int m = ebr_network_modalities(trainer->network), first = shard * trainer->rows_each;
  for (int i = 0; i < m; i++)
    ebr_samples_gather(samples, trainer->only < 0 ? i : trainer->only, trainer->rows + first, trainer->rows_each,
                       ebr_network_input(trainer->network, i));
  ebr_samples_gather_truth(samples, trainer->only, trainer->rows + first, trainer->rows_each,
                           ebr_network_target(trainer->network));
  *batch = (ebr_batch){.count = trainer->rows_each, .label = trainer->label + first};
  if (samples->present) batch->present = trainer->present + (size_t)first * (size_t)m;
  if (trainer->teaching) {
    batch->teacher_features = trainer->teaching->features;
    batch->teacher_logits = trainer->teaching->logits;
    batch->teacher_row = trainer->order + (size_t)index * (size_t)trainer->batch + first;
  }
}

/* ---- remedies over time ------------------------------------------------------------------------------------------ */

/* Students in kd.order start one after the other, each after an equal share of training. */
static double distillation_weight(const ebr_trainer *trainer, int modality, double progress)
{
  const ebr_teaching *teaching = trainer->teaching;
  const ebr_config *config = &trainer->config;
  if (!teaching || modality == teaching->modality) return 0;
  if (config->kd_order == EBR_ORDER_TOGETHER) return config->kd_weight;
  int students = trainer->samples->modalities - 1, place = 0;
  for (int k = 0; teaching->order[k] != modality; k++) place += teaching->order[k] != teaching->modality;
  if (config->kd_order == EBR_ORDER_WEAK_FIRST) place = students - 1 - place;
  return progress * students >= place ? config->kd_weight : 0;
}

static void remedies_now(const ebr_trainer *trainer, ebr_remedies *remedies)
{
  const ebr_config *config = &trainer->config;
  double total = (double)config->train_epochs * trainer->steps;
  double progress = total > 0 ? (double)trainer->now.step / total : 0;
  double ramp = config->ebr_ramp > 0 ? fmin(1, progress / config->ebr_ramp) : 1;
  remedies->lambda = config->ebr_lambda * ramp;
  remedies->auxiliary = config->auxiliary_weight;
  for (int i = 0; i < ebr_network_modalities(trainer->network); i++)
    remedies->distillation[i] = distillation_weight(trainer, i, progress);
}

/* ---- updates ----------------------------------------------------------------------------------------------------- */

static void add_l1(ebr_trainer *trainer, size_t start, size_t stop)
{
  const ebr_real *values = ebr_network_values(trainer->network);
  ebr_real *gradients = ebr_network_gradients(trainer->network);
  ebr_real l1 = (ebr_real)trainer->config.train_l1;
  for (size_t i = start; i < stop; i++) gradients[i] += values[i] > 0 ? l1 : values[i] < 0 ? -l1 : 0;
}

static void update_range(ebr_trainer *trainer, size_t start, size_t stop, double decay)
{
  trainer->optimizer->pass(
      &trainer->step, stop - start, (ebr_real)(1 - decay), ebr_network_values(trainer->network) + start,
      ebr_network_gradients(trainer->network) + start, trainer->first + start, trainer->second + start);
}

/* Biases are spared the weight decay, and only the head's first layer knows L1. */
static void update_tensor(ebr_trainer *trainer, const ebr_tensor *tensor, double rate, size_t start, size_t stop)
{
  size_t end = tensor->offset + (size_t)tensor->rows * (size_t)tensor->cols;
  start = start > tensor->offset ? start : tensor->offset;
  stop = stop < end ? stop : end;
  if (start >= stop) return;
  if (tensor->role == EBR_ROLE_HEAD_FIRST && trainer->config.train_l1 > 0) add_l1(trainer, start, stop);
  update_range(trainer, start, stop, tensor->role == EBR_ROLE_BIAS ? 0 : rate * trainer->config.train_weight_decay);
}

/* Without penalties one pass serves all tensors of a range. */
static void update(ebr_trainer *trainer, double rate, size_t start, size_t stop)
{
  if (trainer->config.train_weight_decay == 0 && trainer->config.train_l1 == 0) update_range(trainer, start, stop, 0);
  else
    for (int t = 0; t < ebr_network_tensor_count(trainer->network); t++)
      update_tensor(trainer, ebr_network_tensor(trainer->network, t), rate, start, stop);
}

static double psi_rate(const ebr_trainer *trainer)
{
  const ebr_config *config = &trainer->config;
  return isnan(config->ebr_psi_rate) ? config->train_rate : config->ebr_psi_rate;
}

void ebr_trainer_update_main(ebr_trainer *trainer, size_t start, size_t stop)
{
  trainer->optimizer->prepare(&trainer->config, trainer->config.train_rate, trainer->now.step + 1, &trainer->step);
  update(trainer, trainer->config.train_rate, start, stop);
}

void ebr_trainer_update_psi(ebr_trainer *trainer, size_t start, size_t stop)
{
  trainer->optimizer->prepare(&trainer->config, psi_rate(trainer), trainer->now.psi_step, &trainer->step);
  update(trainer, psi_rate(trainer), start, stop);
}

/* An ebr_ready: the main optimiser follows backward through the network. */
static void update_main(void *context, size_t start, size_t stop)
{
  ebr_trainer *trainer = context;
  update(trainer, trainer->config.train_rate, start, stop);
}

static void update_psi(ebr_trainer *trainer)
{
  trainer->now.psi_step++;
  ebr_trainer_update_psi(trainer, ebr_network_psi_start(trainer->network), ebr_network_size(trainer->network));
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static void add_losses(ebr_losses *sum, const ebr_losses *losses)
{
  sum->semantic += losses->semantic;
  sum->discrimination += losses->discrimination;
  sum->distillation += losses->distillation;
  sum->auxiliary += losses->auxiliary;
  sum->contrast += losses->contrast;
  sum->impute += losses->impute;
  sum->correct += losses->correct;
}

/* All of the mini-batch at once. */
static void step_whole(ebr_trainer *trainer, int index, const ebr_remedies *remedies, ebr_losses *losses)
{
  ebr_batch batch;
  ebr_stream edges = ebr_stream_start(trainer->key, EBR_PURPOSE_EDGES, (uint32_t)trainer->now.step);
  ebr_trainer_gather(trainer, index, NULL);
  ebr_trainer_gather_shard(trainer, index, 0, &batch);
  ebr_network_encode(trainer->network, batch.count);
  ebr_network_fuse(trainer->network, batch.count, batch.present);
  for (int64_t k = 1; k < trainer->config.ebr_psi_steps && ebr_network_latent(trainer->network) > 0; k++) {
    ebr_network_backward_psi(trainer->network, &batch, losses);
    update_psi(trainer);
  }
  trainer->optimizer->prepare(&trainer->config, trainer->config.train_rate, trainer->now.step + 1, &trainer->step);
  ebr_network_on_ready(trainer->network, (ebr_ready){update_main, trainer});
  ebr_network_backward(trainer->network, &batch, remedies, &edges, losses);
  if (ebr_network_latent(trainer->network) > 0) update_psi(trainer);
}

bool ebr_trainer_step(ebr_trainer *trainer, ebr_losses *losses)
{
  ebr_remedies remedies;
  int64_t epoch = trainer->now.step / trainer->steps;
  int index = (int)(trainer->now.step % trainer->steps);
  if (index == 0) {
    shuffle(trainer, epoch);
    trainer->now.sum = (ebr_losses){0};
  }
  unsigned mode = ebr_denormals_off();
  remedies_now(trainer, &remedies);
  if (trainer->shards > 1) ebr_trainer_step_sharded(trainer, index, &remedies, losses);
  else step_whole(trainer, index, &remedies, losses);
  add_losses(&trainer->now.sum, losses);
  trainer->now.step++;
  ebr_denormals_restore(mode);
  return index < trainer->steps - 1;
}

static bool has_diverged(const ebr_trainer *trainer, const ebr_losses *losses)
{
  double total = losses->semantic + losses->discrimination + losses->distillation + losses->auxiliary +
                 losses->contrast + losses->impute;
  return !(total <= trainer->config.train_limit);
}

void ebr_trainer_epoch(ebr_trainer *trainer, ebr_losses *losses, int64_t *diverged)
{
  bool more = true;
  *diverged = -1;
  while (more) {
    more = ebr_trainer_step(trainer, losses);
    if (has_diverged(trainer, losses)) {
      *diverged = trainer->now.step - 1;
      return;
    }
  }
  double inverse = 1.0 / trainer->steps;
  *losses = trainer->now.sum;
  losses->semantic *= inverse;
  losses->discrimination *= inverse;
  losses->distillation *= inverse;
  losses->auxiliary *= inverse;
  losses->contrast *= inverse;
  losses->impute *= inverse;
  losses->correct *= inverse / trainer->batch;
}

/* ---- checkpoints ------------------------------------------------------------------------------------------------- */

typedef struct state_head {
  uint64_t mark, size;
  training_progress now;
} state_head;

enum { STATE_MARK = 0x65627231 }; /* changes whenever the state's layout does */

size_t ebr_trainer_state_bytes(const ebr_trainer *trainer)
{
  return sizeof(state_head) + 3 * ebr_network_size(trainer->network) * sizeof(ebr_real);
}

void ebr_trainer_collect(ebr_trainer *trainer)
{
  size_t size = ebr_network_size(trainer->network);
  ebr_team_collect(trainer->team, trainer->first, size);
  ebr_team_collect(trainer->team, trainer->second, size);
}

void ebr_trainer_state_save(const ebr_trainer *trainer, void *state)
{
  size_t size = ebr_network_size(trainer->network), bytes = size * sizeof(ebr_real);
  state_head head = {STATE_MARK, size, trainer->now};
  char *to = state;
  memcpy(to, &head, sizeof head);
  memcpy(to + sizeof head, ebr_network_values(trainer->network), bytes);
  memcpy(to + sizeof head + bytes, trainer->first, bytes);
  memcpy(to + sizeof head + 2 * bytes, trainer->second, bytes);
}

ebr_error *ebr_trainer_state_load(ebr_trainer *trainer, const void *state, size_t count)
{
  ebr_error *error = NULL;
  size_t bytes = ebr_network_size(trainer->network) * sizeof(ebr_real);
  const char *from = state;
  state_head head;
  EBR_CHECK(count == ebr_trainer_state_bytes(trainer), EBR_FILE, "a checkpoint of %zu bytes instead of %zu", count,
            ebr_trainer_state_bytes(trainer));
  memcpy(&head, from, sizeof head);
  EBR_CHECK(head.mark == STATE_MARK, EBR_FILE, "a checkpoint of another version");
  trainer->now = head.now;
  memcpy(ebr_network_values(trainer->network), from + sizeof head, bytes);
  memcpy(trainer->first, from + sizeof head + bytes, bytes);
  memcpy(trainer->second, from + sizeof head + 2 * bytes, bytes);
  if (head.now.step % trainer->steps) shuffle(trainer, head.now.step / trainer->steps);
done:
  return error;
}
