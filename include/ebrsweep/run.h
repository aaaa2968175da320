/* Run: one run from start to finish: data, model, train, measure, record. Knows no MPI. */
#ifndef EBRSWEEP_RUN_H
#define EBRSWEEP_RUN_H

#include <ebrsweep/measure.h>

/* What a run is given beside its configuration. */
typedef struct ebr_run_limits {
  double seconds;              /* after which it has failed; INFINITY: as long as it takes */
  void (*tick)(void *context); /* called after every epoch; or NULL */
  void *context;
} ebr_run_limits;

/* Local. Carries out one run and fills record (cleared first). A run that diverges is a result: *reason gets a sentence
 * (capacity bytes, "" when all went well) and the record keeps what was measured until then. So is one that takes too long,
 * which is looked at after every epoch. */
EBR_FALLIBLE ebr_run_execute(const ebr_config *config, const ebr_library *library, const ebr_run_limits *limits,
                             ebr_record *record, char *reason, size_t capacity);
/* Local. What only the data's shape can tell: EBR_SWEEP when this configuration cannot be trained on it. */
EBR_FALLIBLE ebr_run_check(const ebr_config *config, const ebr_shape *shape);
/* Predicted floating-point operations of the whole run, for the schedule. */
double ebr_run_cost(const ebr_config *config, const ebr_shape *shape);
/* Predicted peak memory of the run on one rank [bytes]. */
size_t ebr_run_bytes(const ebr_config *config, const ebr_shape *shape);

#endif
