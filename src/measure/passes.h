/* Passes: the network's runs over training and test samples that all measures of a point share. */
#ifndef EBR_MEASURE_PASSES_H
#define EBR_MEASURE_PASSES_H

#include <ebrsweep/measure.h>

/* Local. Runs the passes that any of the watchers (count) needs, and shows each what it wants to see, chunk by chunk in
 * the order of the list. Scores of a pass that nobody needs are NaN. */
EBR_FALLIBLE ebr_passes_make(const ebr_subject *subject, const ebr_watcher *watchers, int count, ebr_scores *train,
                             ebr_scores *test);

#endif
