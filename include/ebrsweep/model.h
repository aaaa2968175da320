/* Model: one multimodal network, forward and backward. Knows no MPI, no files, no optimiser.
 *
 *   x_i --f_i--> F_i [--h_i--> G_i --h_i^-1--> R_i] --b_i--> fused --phi--> logits
 *                         \--psi--> which modality?   \--shared classifier--> auxiliary logits
 *
 * All activations are modality-major: (m x B x l) is one block of B x l a modality, so that what all modalities share
 * (psi, the auxiliary classifier) is one matrix product over m B rows, and nothing is ever packed or copied.
 *
 * Workflow: create; fill ebr_network_input; encode; fuse; backward; read gradients; change values; again. After
 * creation nothing allocates and nothing fails. Paper: Chaudhuri et al., ICML 2025, arXiv 2505.22483, Section 3.3
 * (EBR). */
#ifndef EBRSWEEP_MODEL_H
#define EBRSWEEP_MODEL_H

#include <ebrsweep/data.h>

typedef struct ebr_network ebr_network;

/* What a parameter tensor is, for optimisers, penalties and measures. */
typedef enum ebr_role {
  EBR_ROLE_WEIGHT,     /* (in x out) */
  EBR_ROLE_HEAD_FIRST, /* a weight of the head's first layer: L1 and spectra act on it */
  EBR_ROLE_BIAS        /* (1 x out): spared by weight decay */
} ebr_role;

typedef struct ebr_tensor {
  char name[48]; /* "f.0.weight.1": part, modality, kind, layer */
  int rows, cols;
  size_t offset; /* into values and gradients [scalars]; a multiple of 64 bytes */
  ebr_role role;
  bool psi; /* belongs to the discriminator, which has its own optimiser */
} ebr_tensor;

/* The mini-batch that a shard is cut from: what its losses are means over. */
typedef struct ebr_whole {
  int count;                        /* its samples */
  int present[EBR_MODALITIES_MOST]; /* those that have modality i */
} ebr_whole;

/* One mini-batch, or a shard of one, beside the inputs. Borrowed. */
typedef struct ebr_batch {
  int count;              /* B, at most the network's */
  /* NULL: the batch is the whole. Otherwise losses and gradients are the shard's part of the whole's, and add up to
   * them where ebr_config_divides. */
  const ebr_whole *whole;
  const int32_t *label;   /* (B) */
  const uint8_t *present; /* (B x m), or NULL when all are there */
  /* Distillation: the teacher's features (N x l) and logits (N x C), or NULL; those of sample b are in row
   * teacher_row[b], or b if that is NULL. */
  const ebr_real *teacher_features, *teacher_logits;
  const int32_t *teacher_row; /* (B) */
} ebr_batch;

/* Weights of the remedies in this step. */
typedef struct ebr_remedies {
  double lambda;                            /* of the adversary */
  double auxiliary;                         /* a */
  double distillation[EBR_MODALITIES_MOST]; /* w_kd a student; 0 for the teacher and those not yet started */
} ebr_remedies;

/* Mean losses of a batch [nats]. */
typedef struct ebr_losses {
  double semantic, discrimination, distillation, auxiliary, contrast, impute;
  double correct; /* samples whose largest logit is their label's; NaN in a reconstruction */
} ebr_losses;

/* Local. batch is the largest B; key starts the weights' random stream (ebr_config_pair). only >= 0 makes the unimodal
 * network of that modality, with a plain concat head, whatever the config's method: teachers and baselines. Weights of
 * one name are the same numbers in every network of one key and shape. The caller destroys. */
EBR_FALLIBLE ebr_network_create(const ebr_config *config, const ebr_shape *shape, int only, int batch, uint64_t key,
                                ebr_network **network);
void ebr_network_destroy(ebr_network **network);
/* What ebr_network_create would allocate, optimiser's moments not included [bytes]. */
size_t ebr_network_bytes(const ebr_config *config, const ebr_shape *shape, int only, int batch);
/* Scalars in its parameter array, padding included; and multiply-adds of one sample's forward pass, each counted as
 * two. */
size_t ebr_network_parameter_count(const ebr_config *config, const ebr_shape *shape, int only);
double ebr_network_flops(const ebr_config *config, const ebr_shape *shape, int only);
/* Those of the layers that read the inputs, whose gradient nobody wants. */
double ebr_network_input_flops(const ebr_config *config, const ebr_shape *shape, int only);

/* ---- shapes and parameters --------------------------------------------------------------------------------------- */

int ebr_network_modalities(const ebr_network *network);
int ebr_network_classes(const ebr_network *network);
int ebr_network_features(const ebr_network *network); /* l */
int ebr_network_latent(const ebr_network *network);   /* q; 0 without basis reallocation */
int ebr_network_width(const ebr_network *network);    /* n */
int ebr_network_batch(const ebr_network *network);    /* largest B */

int ebr_network_tensor_count(const ebr_network *network);
const ebr_tensor *ebr_network_tensor(const ebr_network *network, int index);
int ebr_network_tensor_find(const ebr_network *network, const char *name); /* index, or -1 */
/* All parameters in one array, and their gradients in another of the same layout: [0, psi_start) belong to the main
 * optimiser, [psi_start, size) to psi's. Gaps between tensors stay zero. */
ebr_real *ebr_network_values(ebr_network *network);
ebr_real *ebr_network_gradients(ebr_network *network);
/* From now on gradients are written to that array (borrowed; size scalars, zeros in the gaps). */
void ebr_network_gradients_into(ebr_network *network, ebr_real *gradients);
size_t ebr_network_size(const ebr_network *network);
size_t ebr_network_psi_start(const ebr_network *network);
/* The head's first layer as one (m l x n) matrix in double, row-major, biases left out: copied to out. For grape and
 * muse it is the first message layer's weight. Rows and cols by the next two. */
void ebr_network_head(const ebr_network *network, double *out);
int ebr_network_head_rows(const ebr_network *network);
int ebr_network_head_cols(const ebr_network *network);

/* ---- activations (borrowed; valid until the next call) ----------------------------------------------------------- */

ebr_real *ebr_network_input(ebr_network *network, int modality); /* (B x d_i), standardised: write before encode */
/* (B x all true features) of the network's modalities, what a reconstruction (train.loss) is held against: write before
 * loss and backward. NULL with any other loss. */
ebr_real *ebr_network_target(ebr_network *network);
ebr_real *ebr_network_fused(ebr_network *network,
                            int modality); /* (B x l) b_i R_i; may be changed between encode and fuse */
const ebr_real *ebr_network_encoded(const ebr_network *network, int modality);     /* (B x l) F_i */
const ebr_real *ebr_network_reallocated(const ebr_network *network, int modality); /* (B x q) G_i, or NULL */
const ebr_real *ebr_network_hidden(const ebr_network *network);                    /* (B x n) after the activation */
const ebr_real *ebr_network_logits(const ebr_network *network); /* (B x C), or the reconstruction, as target is laid out */

/* ---- computing --------------------------------------------------------------------------------------------------- */

/* Inputs -> F, G, R, fused. Design, 'The model, exactly'. */
void ebr_network_encode(ebr_network *network, int count);
/* From G (written by the caller in ebr_network_latent_edit) -> R, fused: for substitution of missing modalities. */
ebr_real *ebr_network_latent_edit(ebr_network *network, int modality); /* (B x q), or (B x l) F_i without h */
void ebr_network_decode(ebr_network *network, int count);
/* fused -> hidden, logits. Modalities that are absent become zero rows (concat) or absent edges (grape, muse). */
void ebr_network_fuse(ebr_network *network, int count, const uint8_t *present);
/* Losses of a batch after fuse, and gradients of every parameter: psi descends L_md; h_i o f_i descend
 * L_sem - lambda L_md (or its hinge or confusion form) + the other remedies; h_i^-1 and phi descend L_sem. Overwrites
 * all gradients. stream draws muse's dropped edges (may be NULL elsewhere). */
void ebr_network_backward(ebr_network *network, const ebr_batch *batch, const ebr_remedies *remedies,
                          ebr_stream *stream, ebr_losses *losses);
/* Calls back during ebr_network_backward as soon as values[start, stop) have their gradient and are not needed again
 * before the next encode: an optimiser that updates them then finds them in the cache. The ranges of one backward cover
 * [0, psi_start) once. ready.call NULL: nobody is called. */
typedef struct ebr_ready {
  void (*call)(void *context, size_t start, size_t stop);
  void *context;
} ebr_ready;
void ebr_network_on_ready(ebr_network *network, ebr_ready ready);
/* One more step of psi on the same G: its loss and its gradients alone. */
void ebr_network_backward_psi(ebr_network *network, const ebr_batch *batch, ebr_losses *losses);
/* The semantic loss of a batch after fuse, without gradients. */
void ebr_network_loss(ebr_network *network, const ebr_batch *batch, ebr_losses *losses);
/* d logits[c] / d hidden and d hidden / d fused at the last fuse are what measures of influence need: writes the
 * gradient of sum_b logits[b][c] with respect to hidden, (B x n). */
void ebr_network_influence(ebr_network *network, int count, int class_index, ebr_real *out);

#endif
