/* What makes two runs the same run. Private to the sweep module.
 *
 * The id of a run is ebr_hash (XXH3, seed 0) of its canonical text: a line `name=value` for each parameter that matters
 * in the run, is part of the identity and differs from its default, sorted by name. A new parameter whose default keeps
 * the old behaviour therefore leaves every old id as it was. */
#ifndef EBR_SWEEP_IDENTITY_H
#define EBR_SWEEP_IDENTITY_H

#include <sweep/values.h>

enum {
  EBR_PARAMETER_COUNT = 0
#define EBR_ONE(...) +1
  EBR_PARAMETERS(EBR_ONE)
#undef EBR_ONE
};

typedef struct ebr_identity ebr_identity;

/* Holds the defaults and remembers the lines of the run before, as neighbours in a sweep share most of them. */
EBR_FALLIBLE ebr_identity_create(ebr_identity **identity);
void ebr_identity_destroy(ebr_identity **identity);
const ebr_config *ebr_identity_defaults(const ebr_identity *identity); /* borrowed */
uint64_t ebr_identity_id(ebr_identity *identity, const ebr_config *config);

/* ebr_config_canonicalize with the defaults at hand. */
void ebr_identity_canonicalize(const ebr_config *defaults, ebr_config *config);

#endif
