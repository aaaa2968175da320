/* A mini-batch as S shards whose gradients are summed in a fixed tree: on one rank or on a team, to the same bits. On a
 * team each rank computes S / T shards, gets the sums of its slice of the gradients, updates these parameters, and the
 * slices go back to all. So the moments of the optimiser are up to date in a rank's own slice alone. */
#include "train/trainer.h"

#include "model/kernels.h"

#include <string.h>

EBR_VECTOR
static void add(size_t count, const ebr_real *restrict x, const ebr_real *restrict y, ebr_real *restrict sum)
{
  for (size_t i = 0; i < count; i++) sum[i] = x[i] + y[i];
}

/* gradients[start, stop) of one shard are there: carries as in counting, and what cannot be added yet stays aside. */
static void fold(ebr_folding *folding, ebr_real *gradients, size_t start, size_t stop)
{
  for (int level = 0; folding->shard >> level & 1; level++) {
    bool aside = !(folding->shard >> (level + 1) & 1) && folding->shard != folding->last;
    const ebr_real *other = folding->partial[level] + start;
    if (aside) add(stop - start, other, gradients + start, folding->partial[level + 1] + start);
    else ebr_add_scaled(stop - start, 1, other, gradients + start);
  }
}

static void fold_losses(ebr_folding *folding, double *losses)
{
  int level = 0;
  for (; folding->shard >> level & 1; level++)
    for (int k = 0; k < EBR_LOSSES; k++) losses[k] += folding->losses[level][k];
  if (folding->shard != folding->last) memcpy(folding->losses[level], losses, sizeof folding->losses[level]);
}

/* An ebr_ready. Alone, the optimiser follows the last shard through the network. */
static void follow(void *context, size_t start, size_t stop)
{
  ebr_trainer *trainer = context;
  fold(&trainer->folding, ebr_network_gradients(trainer->network), start, stop);
  if (!trainer->team && trainer->folding.shard == trainer->folding.last) ebr_trainer_update_main(trainer, start, stop);
}

static void one_shard(ebr_trainer *trainer, int index, int shard, const ebr_whole *whole, const ebr_remedies *remedies,
                      double *losses)
{
  ebr_network *network = trainer->network;
  ebr_batch batch;
  ebr_losses part;
  bool aside = !(trainer->folding.shard & 1) && trainer->folding.shard != trainer->folding.last;
  ebr_network_gradients_into(network, aside ? trainer->folding.partial[0] : trainer->gradients);
  ebr_trainer_gather_shard(trainer, index, shard, &batch);
  batch.whole = whole;
  ebr_network_encode(network, batch.count);
  ebr_network_fuse(network, batch.count, batch.present);
  ebr_network_on_ready(network, (ebr_ready){follow, trainer});
  ebr_network_backward(network, &batch, remedies, NULL, &part);
  fold(&trainer->folding, ebr_network_gradients(network), ebr_network_psi_start(network), ebr_network_size(network));
  memcpy(losses, &part, sizeof part);
  fold_losses(&trainer->folding, losses);
}

static void update_slice(ebr_trainer *trainer)
{
  ebr_network *network = trainer->network;
  size_t start = 0, stop = ebr_network_size(network), psi = ebr_network_psi_start(network);
  ebr_team_sum(trainer->team, ebr_network_gradients(network), ebr_network_size(network), &start, &stop);
  if (trainer->team && start < psi) ebr_trainer_update_main(trainer, start, stop < psi ? stop : psi);
  trainer->now.psi_step += ebr_network_latent(network) > 0;
  if (stop > psi) ebr_trainer_update_psi(trainer, start > psi ? start : psi, stop);
  ebr_team_collect(trainer->team, ebr_network_values(network), ebr_network_size(network));
}

void ebr_trainer_step_sharded(ebr_trainer *trainer, int index, const ebr_remedies *remedies, ebr_losses *losses)
{
  ebr_whole whole;
  double sums[EBR_LOSSES];
  int size = ebr_team_size(trainer->team), each = trainer->shards / size, first = ebr_team_rank(trainer->team) * each;
  ebr_trainer_gather(trainer, index, &whole);
  trainer->folding.last = each - 1;
  for (int k = 0; k < each; k++) {
    trainer->folding.shard = k;
    one_shard(trainer, index, first + k, &whole, remedies, sums);
  }
  ebr_team_total(trainer->team, sums, EBR_LOSSES);
  memcpy(losses, sums, sizeof *losses);
  update_slice(trainer);
}
