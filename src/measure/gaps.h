/* Gaps: which modalities each test sample lacks while a measure looks. A function of the run's pair key
 * (ebr_config_pair) and the rate's index or the count alone, so that all methods meet the same gaps. Local; allocates
 * nothing. */
#ifndef EBR_MEASURE_GAPS_H
#define EBR_MEASURE_GAPS_H

#include <ebrsweep/data.h>

/* present (test x m): each modality is missing with this probability; a sample keeps at least one of those it has. */
void ebr_gaps_at_rate(const ebr_samples *samples, uint64_t key, int rate_index, double rate, uint8_t *present);
/* present (test x m): exactly k in [0, m) of the m modalities are missing, every such subset being equally likely. What
 * the data lack counts among the k; a sample that lacks k or more already stays as it is. */
void ebr_gaps_exactly(const ebr_samples *samples, uint64_t key, int k, uint8_t *present);

#endif
