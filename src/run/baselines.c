#include "run/baselines.h"

#include <stdlib.h>

enum { PLACES = 4096 };

struct ebr_baselines {
  ebr_truth *truth;
  ebr_baseline at[PLACES];
};

ebr_error *ebr_baselines_create(ebr_baselines **baselines)
{
  ebr_error *error = NULL;
  *baselines = calloc(1, sizeof **baselines);
  EBR_CHECK_MEMORY(*baselines, "what is known of modalities trained alone");
  EBR_TRY(ebr_truth_create(&(*baselines)->truth));
done:
  if (error) ebr_baselines_destroy(baselines);
  return error;
}

void ebr_baselines_destroy(ebr_baselines **baselines)
{
  if (!*baselines) return;
  ebr_truth_destroy(&(*baselines)->truth);
  free(*baselines);
  *baselines = NULL;
}

ebr_truth *ebr_baselines_truth(const ebr_baselines *baselines) { return baselines ? baselines->truth : NULL; }

uint64_t ebr_baseline_key(const ebr_config *config, uint64_t pair, int modality, int64_t epochs)
{
  ebr_config lone = *config;
  ebr_config_make_lone(&lone, modality);
  ebr_config_canonicalize(&lone);
  /* Whether a mini-batch is cut up is a matter of the whole configuration. */
  const uint64_t parts[] = {ebr_config_id(&lone), pair, (uint64_t)epochs, (uint64_t)ebr_config_shards(config)};
  uint64_t key = ebr_hash(parts, sizeof parts, 0);
  return key ? key : 1;
}

const ebr_baseline *ebr_baselines_find(const ebr_baselines *baselines, uint64_t key)
{
  const ebr_baseline *found = baselines ? &baselines->at[key % PLACES] : NULL;
  return found && found->key == key ? found : NULL;
}

void ebr_baselines_keep(ebr_baselines *baselines, const ebr_baseline *baseline)
{
  if (baselines) baselines->at[baseline->key % PLACES] = *baseline;
}
