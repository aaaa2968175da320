/* Team: the ranks that work on one run together, as training and measuring see them: sums and copies of numbers,
 * without a word of MPI or of networks. The schedule makes teams (schedule.h).
 *
 * A team has 1, 2, 4, 8 or 16 ranks. NULL is a rank by itself, for whom every call here does nothing and costs nothing.
 * All calls but the first two are collective on the team, with the same count on all of its ranks. Sums go up a binary
 * tree over the ranks, (((0 + 1) + (2 + 3)) + ...), whatever the timing: together with a tree over what each rank has,
 * a sum has the same bits on teams of every size. A fault of MPI in a call that returns nothing is kept, and is what
 * the next ebr_team_agree returns. */
#ifndef EBRSWEEP_TEAM_H
#define EBRSWEEP_TEAM_H

#include <ebrsweep/base.h>

typedef struct ebr_team ebr_team;

int ebr_team_size(const ebr_team *team); /* 1 for NULL */
int ebr_team_rank(const ebr_team *team); /* 0 for NULL */

/* values (count, a multiple of 16) are summed over the ranks; each is left with the sums of its own slice [*start,
 * *stop), multiples of 16, and with anything elsewhere. */
void ebr_team_sum(ebr_team *team, ebr_real *values, size_t count, size_t *start, size_t *stop);
/* Every rank gets the others' slices of values (count) into its own. */
void ebr_team_collect(ebr_team *team, ebr_real *values, size_t count);
/* values (count) become their sums, on all ranks. */
void ebr_team_total(ebr_team *team, double *values, int count);
/* Does any rank say so? */
bool ebr_team_any(ebr_team *team, bool mine);
/* Rank 0's bytes to all. */
void ebr_team_share(ebr_team *team, void *bytes, size_t count);
/* Where rank 0's values (count) are NaN they become another rank's that are not; the others' stay. */
void ebr_team_merge(ebr_team *team, double *values, size_t count);
/* As ebr_agree does: one error on all ranks, or none. Takes mine. */
EBR_FALLIBLE ebr_team_agree(ebr_team *team, ebr_error *mine);

#endif
