/* Site: what a cluster's users would otherwise type for every job: ~/.config/ebrsweep/site.yaml. */
#ifndef EBRSWEEP_SITE_H
#define EBRSWEEP_SITE_H

#include <ebrsweep/base.h>

/* X(key, whether it may be a list, meaning) */
#define EBR_SITE_KEYS(X)                                                                \
  X(scheduler, false, "slurm, pbs, lsf, flux or sge; without it the one that is found")  \
  X(account, false, "who pays")                                                         \
  X(partition, false, "partition or queue")                                             \
  X(launcher, false, "what starts ranks, instead of the scheduler's usual one")          \
  X(environment, false, "Grid Engine's parallel environment (default: mpi)")            \
  X(ranks_per_node, false, "cores of a node")                                           \
  X(time, false, "walltime, instead of the predicted one")                              \
  X(modules, true, "to load")                                                           \
  X(setup, true, "lines of shell before the program starts")                            \
  X(extra, true, "lines below the scheduler's directives")

/* A list's items are lines. NULL for what the file does not say. */
typedef struct ebr_site {
#define EBR_SITE_FIELD(key, list, meaning) char *key;
  EBR_SITE_KEYS(EBR_SITE_FIELD)
#undef EBR_SITE_FIELD
} ebr_site;

/* Local. Reads YAML text; path is for messages. EBR_SWEEP, `path:line:column: sentence`, for an unknown key (with the nearest
 * known one) and for values that are neither words nor, where they may be, lists of words. */
EBR_FALLIBLE ebr_site_parse(const char *path, const char *text, size_t length, ebr_site *site);
void ebr_site_release(ebr_site *site);

#endif
