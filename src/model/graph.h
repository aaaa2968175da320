/* The bipartite graph of samples and modalities that grape and muse fuse with: an edge where a sample has a modality,
 * the fused feature b_i R_i as the edge's first value. Layer t of L, with sample nodes u (B x n), modality nodes v (m x
 * n) and edges e (m x B x d), d = l in the first layer and n behind it:
 *
 *   message   a_bi = ReLU(P [v_i | e_bi] + p) to sample b,  c_bi = ReLU(P [u_b | e_bi] + p) to modality i
 *   update    u_b = norm ReLU(Q [mean_i a_bi | u_b] + q),   v_i = norm ReLU(Q [mean_b c_bi | v_i] + q)
 *   edges     e_bi = ReLU(W [u_b | v_i | e_bi] + w)         between layers
 *
 * You, Ma, Ding, Kochenderfer, Leskovec, NeurIPS 2020 (GRAPE); Wu, Dadu, Tustison, ..., Sun, ICLR 2024 (MUSE). P, Q, W
 * act on concatenations, so each is split by rows and the product with the edges serves both directions. */
#ifndef EBR_MODEL_GRAPH_H
#define EBR_MODEL_GRAPH_H

#include "model/network.h"

enum { EBR_LAYERS_MOST = 8 };

typedef struct ebr_graph_layer {
  int edge_width;   /* d */
  size_t p, p_bias; /* offsets: ((n + d) x n), node rows first; (n) */
  size_t q, q_bias; /* ((n + n) x n), message rows first */
  size_t w, w_bias; /* ((n + n + d) x n): sample, modality, edge rows; not in the last layer */
} ebr_graph_layer;

/* One pass over the graph: what forward leaves for backward. */
typedef struct ebr_graph_view {
  uint8_t *present;                                            /* (B x m) */
  ebr_real *u[EBR_LAYERS_MOST + 1];                            /* (B x n) before layer t; u[0] = 1 */
  ebr_real *v[EBR_LAYERS_MOST + 1];                            /* (m x n); v[0] = the learned nodes, a copy */
  ebr_real *u_norm[EBR_LAYERS_MOST], *v_norm[EBR_LAYERS_MOST]; /* (B), (m): lengths before normalising */
  ebr_real *e[EBR_LAYERS_MOST];                                /* (m x B x d) into layer t; e[0] = fused */
  ebr_real *edge_part[EBR_LAYERS_MOST];                        /* (m x B x n): e P_e + p */
  ebr_real *u_part[EBR_LAYERS_MOST];                           /* (B x n): u P_n */
  ebr_real *v_part[EBR_LAYERS_MOST];                           /* (m x n): v P_n */
  ebr_real *u_mean[EBR_LAYERS_MOST], *v_mean[EBR_LAYERS_MOST]; /* (B x n), (m x n): mean messages */
} ebr_graph_view;

typedef struct ebr_graph {
  int layers;
  bool normalize;
  ebr_graph_layer layer[EBR_LAYERS_MOST];
  size_t nodes; /* offset: (m x n), learned modality nodes */
  ebr_graph_view view[2];
  /* gradients, shared by the views: two of each, the layer's output and its input */
  ebr_real *du[2], *dv[2], *de[2];
  ebr_real *dedge_part, *du_sum, *dv_sum, *du_mean, *dv_mean; /* (m x B x n), (B x n), (m x n), ... */
} ebr_graph;

void ebr_graph_layout(ebr_graph *graph, ebr_network *network, ebr_arena *arena, int views);
/* From network->fused and view->present (filled by the caller) to view->u[layers], view->v[layers]. */
void ebr_graph_forward(ebr_graph *graph, ebr_network *network, ebr_graph_view *view, int count);
/* From du[0], dv[0] (gradients of the last nodes; destroyed) to the graph's gradients and dfused; accumulate: adds to
 * both instead of overwriting. */
void ebr_graph_backward(ebr_graph *graph, ebr_network *network, ebr_graph_view *view, int count, bool accumulate);

/* The two-layer classifier on sample nodes that both heads end in: layout, and backward into graph->du[0]. */
void ebr_graph_classifier_layout(ebr_network *network, ebr_arena *arena);
void ebr_graph_classifier_forward(ebr_graph *graph, ebr_network *network, int count);
void ebr_graph_classifier_backward(ebr_graph *graph, ebr_network *network, int count);

#endif
