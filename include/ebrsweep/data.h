/* Data: what one run trains and tests on: a synthetic draw with known truth, or a split of an HDF5 dataset from a
 * library (library.h). All of this is local and knows no MPI.
 *
 * Workflow: ebr_library_create (collective), then any number of ebr_samples_create / destroy (local), then
 * ebr_library_destroy (collective). */
#ifndef EBRSWEEP_DATA_H
#define EBRSWEEP_DATA_H

#include <ebrsweep/sweep.h>

typedef struct ebr_library ebr_library; /* library.h makes it */

/* What a row of a modality looks like, channel by channel within a column and column by column within a row: attribute
 * shape of the file. height 0: it has no such shape. */
typedef struct ebr_picture {
  int height, width, channels;
} ebr_picture;

/* One run's samples. Plain data; arrays are borrowed from the library or owned by `owned`. */
typedef struct ebr_samples {
  int modalities; /* m */
  int classes;    /* C */
  int total;      /* N samples in x and label; train and test index into them */
  int train_count, test_count;
  const int32_t *train;            /* (train_count) */
  const int32_t *test;             /* (test_count) */
  const int32_t *label;            /* (N), in [0, C); training labels carry the label noise */
  const uint8_t *present;          /* (N x m) or NULL when all are there; missing.train is applied to training rows */
  int inputs[EBR_MODALITIES_MOST]; /* d_i */
  ebr_picture picture[EBR_MODALITIES_MOST];
  const float *x[EBR_MODALITIES_MOST];     /* (N x d_i) row-major, raw */
  const float *mean[EBR_MODALITIES_MOST];  /* (d_i) over the training samples that have the modality */
  const float *scale[EBR_MODALITIES_MOST]; /* (d_i) 1 / standard deviation over the same; 0 for a constant feature */
  char name[EBR_MODALITIES_MOST][32];      /* of each modality */
  /* Synthetic data only, else NULL and 0: the latents behind x. */
  const float *truth[EBR_MODALITIES_MOST]; /* (N x (predictive + noise)): predictive features first */
  int predictive, noise;
  ebr_arena owned;
} ebr_samples;

/* Local. The same bits for the same ebr_config_pair, whatever the method. */
EBR_FALLIBLE ebr_samples_create(const ebr_library *library, const ebr_config *config, ebr_samples **samples);
void ebr_samples_destroy(ebr_samples **samples);

/* Shapes without samples, for plan: what ebr_samples_create would give. Local. */
typedef struct ebr_shape {
  int modalities, classes, train_count, test_count;
  int total; /* N; at least train_count + test_count */
  int inputs[EBR_MODALITIES_MOST];
  ebr_picture picture[EBR_MODALITIES_MOST];
} ebr_shape;
EBR_FALLIBLE ebr_samples_shape(const ebr_library *library, const ebr_config *config, ebr_shape *shape);
/* The shape of samples that are there. Local. */
ebr_shape ebr_samples_describe(const ebr_samples *samples);

/* What ebr_samples_create would allocate, the library's share not included [bytes]. Local. */
size_t ebr_samples_bytes(const ebr_config *config, const ebr_shape *shape);

/* Standardised rows: out (count x d_i) gets (x[row] - mean) * scale for row = rows[0 .. count), with the run's feature
 * noise; rows without the modality become 0. Local, allocates nothing. */
void ebr_samples_gather(const ebr_samples *samples, int modality, const int32_t *rows, int count, ebr_real *out);
/* The true features of all modalities (of only, if that is >= 0), modality by modality: out (count x features). out NULL:
 * nothing. Synthetic data only. Local, allocates nothing. */
void ebr_samples_gather_truth(const ebr_samples *samples, int only, const int32_t *rows, int count, ebr_real *out);

#endif
