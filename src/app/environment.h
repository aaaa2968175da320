/* Environment: MPI writes variables of its own into it, which a job that is submitted must not inherit. */
#ifndef EBR_APP_ENVIRONMENT_H
#define EBR_APP_ENVIRONMENT_H

#include <ebrsweep/base.h>

typedef struct ebr_environment ebr_environment;

/* A copy of all variables as they are. EBR_MEMORY. */
EBR_FALLIBLE ebr_environment_keep(ebr_environment **kept);
/* Makes them so again, and releases the copy; *kept NULL: nothing. */
void ebr_environment_restore(ebr_environment **kept);

#endif
