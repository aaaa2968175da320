/* What a job that writes holds. */
#ifndef EBR_STORE_STORE_H
#define EBR_STORE_STORE_H

#include "store/lock.h"
#include "store/results.h"

/* Where one column of the schema goes: a field of the row, or a dataset of its own. */
typedef struct ebr_outlet {
  int field; /* or -1 */
  MPI_Offset start;   /* of the dataset's first row [bytes] */
  int points, values; /* as the file has them: at least the schema's */
  uint64_t seed;      /* of its checksum */
} ebr_outlet;

struct ebr_store {
  MPI_Comm comm;
  int rank, ranks;
  char *path;
  ebr_lock *lock;           /* rank 0's */
  const ebr_sweep *sweep;   /* borrowed */
  const ebr_schema *schema; /* borrowed */
  int64_t count;            /* runs of the sweep */
  int64_t *row_of;          /* (count) row of the file */
  uint8_t *status;          /* (count) ebr_status; rows that must be written anew are EBR_STATUS_RUNNING until then */
  hid_t file;
  MPI_File *handle; /* HDF5's own */
  MPI_Offset start; /* of the first row [bytes] */
  ebr_layout layout;
  ebr_outlet *outlet; /* (columns of the schema) */
  double *scratch;    /* one row of the longest dataset */
  unsigned char *row; /* one row of /runs, with the parameters of packed */
  ebr_config packed;
  bool has_packed;
};

/* Root only: takes the lock, creates or extends the file, fills row_of and status. */
EBR_FALLIBLE ebr_store_prepare(ebr_store *store, const char *command);

#endif
