/* Run: one run from start to finish: data, model, train, measure, record. Knows no MPI: a team is handed in. */
#ifndef EBRSWEEP_RUN_H
#define EBRSWEEP_RUN_H

#include <ebrsweep/measure.h>

/* How modalities did that were trained alone: known to a rank for some thousand of its last runs. */
typedef struct ebr_baselines ebr_baselines;
EBR_FALLIBLE ebr_baselines_create(ebr_baselines **baselines);
void ebr_baselines_destroy(ebr_baselines **baselines);

/* What a run is given beside its configuration, and how it ended. */
typedef struct ebr_run_limits {
  double seconds;              /* after which it has failed; INFINITY: as long as it takes */
  bool (*tick)(void *context); /* called after every epoch, false asks the run to stop; or NULL */
  void *context;
  const char *checkpoint; /* path; a run that is stopped is kept there, and goes on from what is there; or NULL */
  ebr_team *team;         /* who carries it out together; or NULL */
  ebr_baselines *known;   /* saves training again what another arm has trained; the bits are the same; or NULL */
  ebr_times *times;       /* is charged for data, alone, training and measuring; or NULL */
  bool stopped;           /* set: it was asked to stop, and is not over */
  char notice[256];       /* set: "", or why a checkpoint was of no use or could not be kept */
} ebr_run_limits;

/* Collective on limits->team, the same arguments on all of its ranks; path and record are those of its rank 0, the
 * others' records are scratch. Carries out one run and fills record (cleared first). A run that diverges is a result:
 * *reason gets a sentence (capacity bytes, "" when all went well) and the record keeps what was measured until then. So
 * is one that takes too long, which is looked at after every epoch. A run that was stopped and goes on from its
 * checkpoint has the same bits in the end, and so has one on a team of any size; errors are agreed. */
EBR_FALLIBLE ebr_run_execute(const ebr_config *config, const ebr_library *library, ebr_run_limits *limits,
                             ebr_record *record, char *reason, size_t capacity);
/* Local. What only the data's shape can tell: EBR_SWEEP when this configuration cannot be trained on it. */
EBR_FALLIBLE ebr_run_check(const ebr_config *config, const ebr_shape *shape);
/* Predicted floating-point operations of the whole run, for the schedule. */
double ebr_run_cost(const ebr_config *config, const ebr_shape *shape);
/* Predicted peak memory of the run on one rank [bytes]. */
size_t ebr_run_bytes(const ebr_config *config, const ebr_shape *shape);

#endif
