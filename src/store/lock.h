/* One job at a time: a lock on PATH.lock, not on PATH itself, because an extended file is a new file renamed over the old,
 * and because other tools' HDF5 locks the results while it reads them. The lock dies with the process. */
#ifndef EBR_STORE_LOCK_H
#define EBR_STORE_LOCK_H

#include <ebrsweep/base.h>

typedef struct ebr_lock ebr_lock;

/* EBR_FILE when another job holds it (its message names that job) or the folder cannot be written. */
EBR_FALLIBLE ebr_lock_take(const char *path, ebr_lock **lock);
/* What the holder wrote about itself: "process 123 on node7"; "" without a lock file, or when that process was killed on
 * this host. On another host it may have been killed as well. */
void ebr_lock_holder(const char *path, char *holder, size_t capacity);
void ebr_lock_drop(ebr_lock **lock);

#endif
