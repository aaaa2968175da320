/* Removal: the network without one of its modalities, whose fused slice becomes its mean over the training samples. */
#ifndef EBR_MEASURE_REMOVAL_H
#define EBR_MEASURE_REMOVAL_H

#include <ebrsweep/measure.h>

/* Called for each chunk of the test set, first whole (slot -1), then once without each slot in turn. */
typedef void ebr_removal_visit(void *context, ebr_network *network, int slot, const ebr_batch *batch);

/* In steps, where the passes are somebody else's: create; see all training samples, for the means; try the test set, where
 * the head runs once more for each of the network's slots; read the scores (m, or NaN before any test sample); destroy.
 * see and try are ebr_visit, whose context is the removal. Local. */
typedef struct ebr_removal ebr_removal;
EBR_FALLIBLE ebr_removal_create(const ebr_network *network, ebr_removal **removal);
void ebr_removal_see(void *context, ebr_network *network, int start, int count, const ebr_batch *batch);
void ebr_removal_try(void *context, ebr_network *network, int start, int count, const ebr_batch *batch);
void ebr_removal_scores(const ebr_removal *removal, ebr_scores *without);
void ebr_removal_destroy(ebr_removal **removal);

/* Both passes: encoders run once, the head once more for each of the network's slots [first, first + count). whole and
 * without (count) get the scores; visit may be NULL. */
EBR_FALLIBLE ebr_removal_pass(ebr_trainer *trainer, const ebr_samples *samples, int only, int first, int count,
                              ebr_removal_visit *visit, void *context, ebr_scores *whole, ebr_scores *without);

#endif
