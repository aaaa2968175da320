/* Encoding: how strongly each neuron of the head encodes each feature, E[j][f], and what the head's neurons share. */
#ifndef EBR_MEASURE_ENCODING_H
#define EBR_MEASURE_ENCODING_H

#include <ebrsweep/measure.h>

/* A zeroed struct is an empty one. */
typedef struct ebr_encoding {
  int neurons, features, modalities;
  int *modality;    /* (features) whose feature it is; [0, modalities) */
  bool *predictive; /* (features) */
  double *weight;   /* (neurons x features), signed: |weight| is E */
  ebr_arena arena;
} ebr_encoding;

EBR_FALLIBLE ebr_encoding_create(int neurons, int features, int modalities, ebr_encoding *encoding);
/* What finding an encoding takes at most [bytes]; chunk: rows of an evaluation at once; truth: from the true features,
 * else from sensitivity. */
size_t ebr_encoding_bytes(int neurons, int features, int chunk, bool truth);
void ebr_encoding_destroy(ebr_encoding *encoding);
bool ebr_encoding_finite(const ebr_encoding *encoding);

/* E on the test set. With the truth at hand, weight[j][f] is the change of neuron j's activation for one standard
 * deviation of true feature f, the others fixed (linear regression on all features of all modalities). Without it there
 * is one feature a modality, and weight[j][i] is the root mean square change of the activation when modality i is
 * replaced by its mean. The caller destroys. */
EBR_FALLIBLE ebr_encoding_take(const ebr_subject *subject, ebr_encoding *encoding);

/* Writes out (count x columns) of the chunk that was just evaluated. */
typedef void ebr_encoding_read(ebr_network *network, int count, int columns, double *out);
void ebr_encoding_read_hidden(ebr_network *network, int count, int columns, double *out);
/* The regression alone, of whatever read reads: encoding->neurons is columns. Truth must be at hand. In steps, where
 * the pass over the test set is somebody else's: create, see (an ebr_visit on it) all of the set, solve with that pass's
 * scores, destroy. */
typedef struct ebr_regression ebr_regression;
EBR_FALLIBLE ebr_regression_create(const ebr_subject *subject, int columns, ebr_encoding_read *read,
                                   ebr_regression **regression);
void ebr_regression_see(void *context, ebr_network *network, int start, int count, const ebr_batch *batch);
void ebr_regression_solve(ebr_regression *regression, const ebr_scores *scores, ebr_encoding *encoding);
void ebr_regression_destroy(ebr_regression **regression);
EBR_FALLIBLE ebr_encoding_regress(const ebr_subject *subject, int columns, ebr_encoding_read *read,
                                  ebr_encoding *encoding);

/* Other ways to E, with the truth at hand: one file and one line in ebr_encoding_ways each, in the order of the choices
 * of measure.collisions.also. */
typedef struct ebr_encoding_way {
  const char *name;
  bool concat_only;
  ebr_error *(*take)(const ebr_subject *subject, ebr_encoding *encoding); /* the caller destroys */
  size_t (*bytes)(const ebr_config *config, const ebr_shape *shape, int features, int chunk);
} ebr_encoding_way;

/* weight[j][f]: pre-activation of neuron j for one standard deviation of feature f, by way of the head's weights, times
 * the norm of j's weights to the outputs. */
extern const ebr_encoding_way ebr_encoding_influence;
/* weight[j][f]: root mean square change of neuron j's activation when the inputs change as they do, on average, with one
 * standard deviation of feature f. */
extern const ebr_encoding_way ebr_encoding_sensitivity;

typedef enum ebr_threshold { EBR_THRESHOLD_RELATIVE, EBR_THRESHOLD_ABSOLUTE, EBR_THRESHOLD_NEURON } ebr_threshold;

/* What neurons share where a neuron encodes a feature when E exceeds a threshold: a share of the largest E, E itself,
 * or a share of the neuron's sum of E. */
typedef struct ebr_sharing {
  double colliding_pairs;        /* (neuron, predictive feature, predictive feature of another modality) */
  double predictive_noise_pairs; /* (neuron, predictive feature, noise feature of another modality) */
  double shared_neurons;         /* share of neurons with predictive features of two or more modalities */
  double occupancy;         /* share of neurons that encode a modality's predictive features, mean over modalities */
  double feature_occupancy; /* share of neurons that encode a predictive feature, mean over these */
  double noise_occupancy;   /* share of neurons that encode a noise feature, mean over these; NaN without any */
} ebr_sharing;

void ebr_sharing_at(const ebr_encoding *encoding, ebr_threshold kind, double threshold, ebr_sharing *sharing);

/* Threshold-free. w_f is feature f's column of weight; all weights are first scaled so that the mean of |w_f|^2 is 1.
 */
typedef struct ebr_geometry {
  double interference;   /* sum over pairs of features of different modalities of (w_f . w_f')^2 */
  double dimensionality; /* mean over predictive features of |w_f|^4 / sum_g (w_f . w_g)^2 */
  double capacity;       /* sum of the same over all features */
} ebr_geometry;

EBR_FALLIBLE ebr_geometry_of(const ebr_encoding *encoding, ebr_geometry *geometry);

#endif
