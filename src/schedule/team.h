/* The making of teams, for the schedule alone. */
#ifndef EBR_SCHEDULE_TEAM_H
#define EBR_SCHEDULE_TEAM_H

#include <ebrsweep/parallel.h>
#include <ebrsweep/team.h>

/* Collective on comm. The ranks of each team of `size` (or of the next smaller powers of two, for those that are left
 * over) get it; a rank by itself gets NULL. */
EBR_FALLIBLE ebr_team_create(MPI_Comm comm, int size, ebr_team **team);
/* Collective on the team, which ends: each half becomes a team. */
EBR_FALLIBLE ebr_team_halve(ebr_team **team);
/* Collective on the team. Takes NULL inside. */
EBR_FALLIBLE ebr_team_destroy(ebr_team **team);

#endif
