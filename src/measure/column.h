/* Column: names made of parts, for measures that declare and set many columns of a kind; and the measures themselves.
 */
#ifndef EBR_MEASURE_COLUMN_H
#define EBR_MEASURE_COLUMN_H

#include <ebrsweep/measure.h>

extern const ebr_measure ebr_measure_accuracy, ebr_measure_spectra, ebr_measure_contributions, ebr_measure_collisions,
    ebr_measure_probe, ebr_measure_ranking, ebr_measure_missing, ebr_measure_angles, ebr_measure_similarity,
    ebr_measure_allocation;

/* Collective on the subject's team: the spectra that all of its ranks find at once (measure.distributed), into rank 0's
 * record; ebr_measure_spectra has the others. Errors are agreed. */
EBR_FALLIBLE ebr_spectra_together(const ebr_subject *subject, ebr_record *record);

/* What ebr_schema_add wants beside the name. */
typedef struct ebr_column_kind {
  const char *unit, *meaning;
  int points, values; /* 0 counts as 1 */
} ebr_column_kind;

EBR_FALLIBLE ebr_column_declare(ebr_schema *schema, const ebr_column_kind *kind, const char *format, ...)
    EBR_PRINTF(3, 4);
EBR_FALLIBLE ebr_column_set(ebr_record *record, double value, const char *format, ...) EBR_PRINTF(3, 4);
EBR_FALLIBLE ebr_column_set_at(ebr_record *record, int point, int index, double value, const char *format, ...)
    EBR_PRINTF(5, 6);

/* Modalities that the run's network has, and the data's index of its k-th; before and after the network is made. */
int ebr_measured_modalities(const ebr_config *config, const ebr_shape *shape);
/* l, and rows of an evaluation's chunks: the network's batch. */
int ebr_measured_features(const ebr_config *config);
int ebr_measured_batch(const ebr_config *config, const ebr_shape *shape);
int ebr_measured_modality(const ebr_config *config, int k);
int ebr_measured_slot(int only, int modality);

/* 1 / deviation, or 0 where that is no more than what rounding in the network leaves of a constant. */
double ebr_measured_scale(double deviation, double mean);

#endif
