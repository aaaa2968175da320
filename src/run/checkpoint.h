/* Checkpoint: a run that was stopped in the middle, in a file of its own: what was measured so far, and everything that
 * the next step of training depends on. What is trained before it (the modalities alone) is trained anew, to the same
 * bits. */
#ifndef EBR_RUN_CHECKPOINT_H
#define EBR_RUN_CHECKPOINT_H

#include <ebrsweep/measure.h>

/* Local, of a trainer whose moments are collected. Writes beside path, to the disk, and renames; path's folder is made
 * when it is not there. EBR_FILE. */
EBR_FALLIBLE ebr_checkpoint_save(const char *path, const ebr_config *config, const ebr_record *record,
                                 const ebr_trainer *trainer, int64_t epoch);
/* Collective on the team: its rank 0 reads. *epoch gets how many epochs are done: 0 where there is no such file, and
 * record and trainer are then as they were. EBR_FILE for one that is damaged, of another version, of another run, or of
 * other measures. */
EBR_FALLIBLE ebr_checkpoint_load(const char *path, const ebr_config *config, ebr_team *team, ebr_record *record,
                                 ebr_trainer *trainer, int64_t *epoch);

#endif
