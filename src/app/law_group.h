/* The groups of runs that the law is asked of: runs that differ in modalities and seed alone. */
#ifndef EBR_APP_LAW_GROUP_H
#define EBR_APP_LAW_GROUP_H

#include "app/filter.h"
#include "app/selection.h"

#include <ebrsweep/law.h>

typedef struct ebr_law_group {
  uint64_t hash;
  int64_t run;                           /* one of its runs, for labels */
  int64_t count;                         /* runs with a count */
  ebr_law_run *trained, *untrained;      /* (count) */
  double *null;                          /* (count) expected count of random allocation, with the run's own occupancy */
  double *stated;                        /* (count) standard error that a run states of its own count, or NaN */
  ebr_law_pair *pair;                    /* (pairs) */
  int64_t pairs;                         /* runs whose contributions were measured */
  ebr_law_slope slope;                   /* of contribution against collisions; runs 0 if that was not measured */
  ebr_law_study study;                   /* of the trained heads */
  ebr_law_study start;                   /* of the same heads before training; points 0 if that was not measured */
  /* Of draws of random allocation alone: from the exact expectation at each point, in standard errors. */
  double deviation[EBR_LAW_MODALITIES_MOST], worst;
  double ratio[EBR_LAW_MODALITIES_MOST]; /* mean observed pairs / mean null pairs at each point; NaN if not known */
} ebr_law_group;

typedef struct ebr_law_groups {
  ebr_selection by;    /* columns that groups agree in, and the runs that were asked for */
  const char *measure; /* "colliding_pairs.relative.0.1" */
  ebr_law_group *group;
  int count;
  int64_t left_out; /* runs that were asked for and are not done */
} ebr_law_groups;

/* Draws of random allocation agree with its exact expectation if none is off by more standard errors than this. */
static const double ebr_law_agreement = 4;
/* Is this column a draw of random allocation? */
bool ebr_law_is_allocation(const char *measure);

/* Local. by: names, or NULL for all axes that vary but data.modalities and seed. measure may be NULL: the middle
 * threshold of colliding_pairs. EBR_USAGE for names that are not there. The caller releases; results stays borrowed. */
EBR_FALLIBLE ebr_law_groups_collect(ebr_results *results, const char *where, const char *by, const char *measure,
                                    ebr_law_groups *groups);
/* Whether groups differ in this column: the others need not be in labels. */
bool ebr_law_groups_differ(const ebr_law_groups *groups, int column);
void ebr_law_groups_release(ebr_law_groups *groups);
/* Collective: see ebr_law_study_make. */
EBR_FALLIBLE ebr_law_groups_study(MPI_Comm comm, int resamples, ebr_law_groups *groups);

#endif
