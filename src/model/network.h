/* The inside of a network, for the files of this module. See ebrsweep/model.h for the picture. */
#ifndef EBR_MODEL_NETWORK_H
#define EBR_MODEL_NETWORK_H

#include <ebrsweep/model.h>

enum { EBR_DEPTH_MOST = EBR_LIST_MOST };

/* A stack of linear layers with the activation between them, none behind the last. */
typedef struct ebr_mlp {
  int depth;
  int width[EBR_DEPTH_MOST + 1];  /* width[0] inputs, width[depth] outputs */
  size_t weight[EBR_DEPTH_MOST];  /* offsets: (width[k] x width[k + 1]) */
  size_t bias[EBR_DEPTH_MOST];    /* offsets: (width[k + 1]) */
  ebr_real *out[EBR_DEPTH_MOST];  /* (rows x width[k + 1]) */
  ebr_real *dout[EBR_DEPTH_MOST]; /* gradients of the same */
} ebr_mlp;

/* Convolution layers between an input and its encoder's MLP; depth 0: none. H', W' rows and columns behind a layer, k
 * model.kernel, c and c' the channels below and above it. */
typedef struct ebr_convolution {
  int depth, kernel;
  ebr_picture picture[EBR_CONVOLUTION_MOST + 1]; /* of the input, then of what each layer makes */
  size_t weight[EBR_CONVOLUTION_MOST];           /* offsets: (k k c x c') */
  size_t bias[EBR_CONVOLUTION_MOST];             /* offsets: (c') */
  ebr_real *patches[EBR_CONVOLUTION_MOST];       /* (rows H' W' x k k c) */
  ebr_real *out[EBR_CONVOLUTION_MOST];           /* (rows H' W' x c') */
  ebr_real *dout[EBR_CONVOLUTION_MOST];          /* gradients of the same */
} ebr_convolution;

/* A fusion head: one file, one line in ebr_fusion_at. Its state is made by layout, from the network's arena. */
typedef struct ebr_fusion {
  const char *name;
  /* Adds tensors and takes buffers; called once measuring and once for real. */
  void (*layout)(ebr_network *network, ebr_arena *arena);
  /* fused, present -> hidden, logits. */
  void (*forward)(ebr_network *network, int count);
  /* dlogits -> dfused and the head's gradients, announced by ebr_announce; may add losses of its own. dfused rows of
   * absent modalities are 0. */
  void (*backward)(ebr_network *network, const ebr_batch *batch, ebr_stream *stream, ebr_losses *losses);
} ebr_fusion;

extern const ebr_fusion ebr_fusion_concat, ebr_fusion_grape, ebr_fusion_muse;
const ebr_fusion *ebr_fusion_at(int choice);

struct ebr_network {
  ebr_config config;
  int modalities, classes, features, latent, width, batch; /* m C l q n B; latent is 0 without reallocation */
  int outputs;                                             /* of the head: C, or all true features */
  int inputs[EBR_MODALITIES_MOST];
  uint64_t key;
  bool relu;
  const ebr_fusion *fusion;

  int tensor_count, tensor_capacity;
  ebr_tensor *tensors;
  size_t size, psi_start;       /* [scalars] */
  size_t head_start, head_stop; /* the fusion head's part of the parameters [scalars] */
  ebr_ready ready;
  double flops;           /* of one sample's forward pass */
  ebr_real *values, *gradients;
  ebr_arena arena;
  bool counting; /* layout's first pass: tensors are only counted */

  ebr_real *input[EBR_MODALITIES_MOST];
  ebr_convolution convolution[EBR_MODALITIES_MOST];
  ebr_mlp f[EBR_MODALITIES_MOST], h[EBR_MODALITIES_MOST], inverse[EBR_MODALITIES_MOST], psi, auxiliary;
  double strength[EBR_MODALITIES_MOST]; /* b_i */
  bool scaled;                          /* any b_i is not 1: fused is a buffer of its own */
  /* (m x B x l), (m x B x q), (m x B x l), (m x B x l); without reallocation G and R are F; fused is R unless scaled */
  ebr_real *F, *G, *R, *fused, *dF, *dG, *dR, *dfused;
  ebr_real *hidden, *dhidden; /* (B x n) */
  ebr_real *logits, *dlogits; /* (B x outputs) */
  ebr_real *target;           /* (B x outputs) of a reconstruction, or NULL */
  uint8_t *present;           /* (B x m) */
  uint8_t *row_present;       /* (m B): present, modality-major */
  bool all_present;
  int32_t *row_modality;      /* (m B): psi's labels */
  int32_t *row_label;         /* (m B): the class, once per modality */
  ebr_real *psi_input;        /* (m B x (q + C)) when psi is conditional, else G */
  ebr_real *psi_dinput;       /* (m B x psi's inputs) */
  ebr_real *auxiliary_dinput; /* (m B x q or l) */
  ebr_real *joined;           /* (B x m l): a wide concat head's slices beside one another, or NULL */
  ebr_real *transposed;       /* as large as the largest weight: scratch of backward */
  size_t largest_weight;      /* of those that may be transposed [scalars] */
  ebr_real *dpatches;         /* as large as the largest patches of an upper layer: scratch of backward */
  size_t most_patches;        /* [scalars] */
  double *softened;           /* (2 x C): distillation's probabilities of one sample */
  ebr_mlp head;               /* concat: the two layers of phi */
  void *fusion_state;         /* of grape and muse */
};

/* NULL while the arena measures. */
static inline ebr_real *ebr_slice(ebr_real *block, const ebr_network *network, int modality, int width)
{
  return !block ? NULL : block + (size_t)modality * (size_t)network->batch * (size_t)width;
}

/* ---- layout ------------------------------------------------------------------------------------------------------ */

/* What a new tensor is. */
typedef struct ebr_tensor_kind {
  ebr_role role;
  bool psi;
  int uses; /* how often one sample's forward pass multiplies by it; 0 counts as 1 */
} ebr_tensor_kind;

/* The room of a tensor of count scalars: whole cache lines. */
static inline size_t ebr_padded(size_t count)
{
  size_t line = 64 / sizeof(ebr_real);
  return (count + line - 1) / line * line;
}

/* Adds a tensor (rows x cols) and answers its offset. */
size_t ebr_network_add_tensor(ebr_network *network, int rows, int cols, ebr_tensor_kind kind, const char *format, ...)
    EBR_PRINTF(5, 6);
ebr_real *ebr_take_reals(ebr_arena *arena, size_t rows, size_t cols);
/* Adds the tensors of an MLP named part[.modality] (modality < 0: none), and takes activations for rows rows. */
typedef struct ebr_mlp_place {
  const char *part;
  int modality;
  bool psi;
  int rows;
  int uses;
  bool given;           /* out and dout are where the last layer's go; else these are taken from the arena */
  ebr_real *out, *dout; /* NULL in the measuring pass */
} ebr_mlp_place;
void ebr_mlp_layout(ebr_mlp *mlp, ebr_network *network, ebr_arena *arena, const ebr_mlp_place *place);

/* ---- MLPs -------------------------------------------------------------------------------------------------------- */

void ebr_mlp_forward(ebr_mlp *mlp, const ebr_network *network, int rows, const ebr_real *x);
/* From dout of the last layer (destroyed); parameters: fill the gradients; dx may be NULL. */
void ebr_mlp_backward(ebr_mlp *mlp, ebr_network *network, int rows, const ebr_real *x, bool parameters, ebr_real *dx);

/* values[start, stop) have their gradient and are done with: see ebr_network_on_ready. */
static inline void ebr_announce(const ebr_network *network, size_t start, size_t stop)
{
  if (network->ready.call) network->ready.call(network->ready.context, start, stop);
}
/* The same for all of an MLP's parameters. */
void ebr_mlp_announce(const ebr_mlp *mlp, const ebr_network *network);

/* ---- convolutions ------------------------------------------------------------------------------------------------ */

/* The layers of config's model.convolution for inputs of that picture; none if its height is 0. */
void ebr_convolution_shape(ebr_convolution *convolution, const ebr_config *config, const ebr_picture *picture);
/* The values of one sample that the MLP behind it gets. */
int ebr_convolution_outputs(const ebr_convolution *convolution);
void ebr_convolution_layout(ebr_convolution *convolution, ebr_network *network, ebr_arena *arena, int modality);
/* x (count x d_i) -> what the MLP gets (count x outputs): x itself without layers. */
const ebr_real *ebr_convolution_forward(ebr_convolution *convolution, const ebr_network *network, int count,
                                        const ebr_real *x);
/* From dout of the last layer (destroyed) to the gradients, and announces them. Nothing without layers. */
void ebr_convolution_backward(ebr_convolution *convolution, ebr_network *network, int count);
/* Multiply-adds of one sample's first layer, each counted as two; there must be a layer. */
double ebr_convolution_input_flops(const ebr_convolution *convolution);

/* ---- losses ------------------------------------------------------------------------------------------------------ */

/* How many rows have modality i (all modalities: i < 0) in what losses are means over; 1 where there is none. */
int ebr_rows_present(const ebr_network *network, const ebr_batch *batch, int modality);

/* The mean semantic loss of a batch; dlogits may be NULL. */
double ebr_semantic_loss(const ebr_network *network, const ebr_batch *batch, ebr_real *dlogits, double *correct);

/* ---- remedies: each adds its loss, and its gradient to dG (m x B x q, or dF without reallocation) ---------------- */

void ebr_remedy_adversary(ebr_network *network, const ebr_batch *batch, double lambda, ebr_losses *losses);
void ebr_remedy_distillation(ebr_network *network, const ebr_batch *batch, const double *weight, ebr_losses *losses);
void ebr_remedy_auxiliary(ebr_network *network, const ebr_batch *batch, const ebr_remedies *remedies,
                          ebr_losses *losses);

#endif
