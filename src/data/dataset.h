/* An HDF5 dataset in memory: plain data and pointers into one block that a library holds once a node. */
#ifndef EBRSWEEP_DATA_DATASET_H
#define EBRSWEEP_DATA_DATASET_H

#include <ebrsweep/data.h>

enum { EBR_CLASSES_MOST = 10000, EBR_NAME_MOST = 32 };

/* What can be told before the values are read; copied between ranks as bytes. */
typedef struct ebr_dataset_header {
  int total, modalities, classes;
  int split_count[2]; /* training and test samples by /split; 0 and 0 without it */
  bool has_split, has_present;
  int inputs[EBR_MODALITIES_MOST];
  ebr_picture picture[EBR_MODALITIES_MOST];
  char name[EBR_MODALITIES_MOST][EBR_NAME_MOST];
} ebr_dataset_header;

typedef struct ebr_dataset {
  char path[2 * EBR_TEXT_MOST + 4096];
  ebr_dataset_header header;
  /* Into the block. */
  const int32_t *label;               /* (N) */
  const int32_t *class_count;         /* (C) samples of each class */
  const uint8_t *split;               /* (N) 0 train, 1 test; or NULL */
  const uint8_t *present;             /* (N x modalities) or NULL */
  const float *x[EBR_MODALITIES_MOST]; /* (N x d_i) */
} ebr_dataset;

/* Points the dataset's arrays into block (NULL to measure) and answers the block's size [bytes]. */
size_t ebr_dataset_layout(ebr_dataset *dataset, unsigned char *block);

/* Opens dataset->path and fills the header. */
EBR_FALLIBLE ebr_dataset_inspect(ebr_dataset *dataset);
/* Reads all values into the block that the dataset was laid out in, and checks them. */
EBR_FALLIBLE ebr_dataset_read(const ebr_dataset *dataset);

/* The dataset of that data.file, or NULL. */
const ebr_dataset *ebr_library_find(const ebr_library *library, const char *file);

#endif
