#include "model/network.h"

/* In the order of model.fusion's choices. */
const ebr_fusion *ebr_fusion_at(int choice)
{
  static const ebr_fusion *const fusions[] = {&ebr_fusion_concat, &ebr_fusion_grape, &ebr_fusion_muse};
  return fusions[choice];
}
