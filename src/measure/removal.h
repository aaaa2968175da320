/* Removal: the network without one of its modalities, whose fused slice becomes its mean over the training samples. */
#ifndef EBR_MEASURE_REMOVAL_H
#define EBR_MEASURE_REMOVAL_H

#include <ebrsweep/measure.h>

/* Called for each chunk of the test set, first whole (slot -1), then once without each slot in turn. */
typedef void ebr_removal_visit(void *context, ebr_network *network, int slot, const ebr_batch *batch);

/* One pass over the test set: encoders run once, the head once more for each of the network's slots [first, first +
 * count). whole and without (count) get the scores; visit may be NULL. */
EBR_FALLIBLE ebr_removal_pass(ebr_trainer *trainer, const ebr_samples *samples, int only, int first, int count,
                              ebr_removal_visit *visit, void *context, ebr_scores *whole, ebr_scores *without);

#endif
