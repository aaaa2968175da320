/* grape: the bipartite graph with edge updates, and the feature-imputation head as an auxiliary loss: from the two
 * nodes of an edge, a linear map guesses the edge's value (You et al., NeurIPS 2020, Section 3). The guessed value is a
 * constant there: otherwise the encoders would make it easy by shrinking it. */
#include "model/graph.h"

#include "model/kernels.h"

#include <string.h>

typedef struct grape {
  ebr_graph graph;
  size_t weight, bias;                               /* offsets: ((n + n) x l), sample rows first; (l) */
  ebr_real *u_guess, *v_guess, *du_guess, *dv_guess; /* (B x l), (m x l) */
} grape;

static void layout(ebr_network *network, ebr_arena *arena)
{
  grape *g = network->fusion_state = ebr_arena_take(arena, 1, sizeof *g);
  grape measuring = {0};
  if (!g) g = &measuring;
  size_t l = (size_t)network->features, m = (size_t)network->modalities, batch = (size_t)network->batch;
  ebr_graph_layout(&g->graph, network, arena, 1);
  ebr_graph_classifier_layout(network, arena);
  g->weight = ebr_network_add_tensor(network, 2 * network->width, network->features,
                                     (ebr_tensor_kind){.role = EBR_ROLE_WEIGHT}, "phi.impute.weight");
  g->bias = ebr_network_add_tensor(network, 1, network->features, (ebr_tensor_kind){.role = EBR_ROLE_BIAS},
                                   "phi.impute.bias");
  g->u_guess = ebr_take_reals(arena, batch, l);
  g->v_guess = ebr_take_reals(arena, m, l);
  g->du_guess = ebr_take_reals(arena, batch, l);
  g->dv_guess = ebr_take_reals(arena, m, l);
}

static void forward(ebr_network *network, int count)
{
  grape *g = network->fusion_state;
  for (int b = 0; b < count; b++)
    for (int i = 0; i < network->modalities; i++)
      g->graph.view[0].present[b * network->modalities + i] = network->row_present[i * network->batch + b];
  ebr_graph_forward(&g->graph, network, &g->graph.view[0], count);
  ebr_graph_classifier_forward(&g->graph, network, count);
}

/* mean over edges and features of (u_b U + v_i V + c - e_bi)^2; leaves d / d (u_b U) and d / d (v_i V). */
static double impute_loss(grape *g, ebr_network *network, int count, double weight)
{
  int l = network->features, m = network->modalities, edges = 0;
  const ebr_real *bias = network->values + g->bias;
  double sum = 0;
  memset(g->du_guess, 0, (size_t)count * (size_t)l * sizeof(ebr_real));
  memset(g->dv_guess, 0, (size_t)m * (size_t)l * sizeof(ebr_real));
  for (int k = 0; k < count * m; k++) edges += g->graph.view[0].present[k];
  ebr_real factor = (ebr_real)(2 * weight / ((double)(edges > 0 ? edges : 1) * l));
  for (int i = 0; i < m; i++)
    for (int b = 0; b < count; b++) {
      if (!g->graph.view[0].present[b * m + i]) continue;
      const ebr_real *target = ebr_slice(network->fused, network, i, l) + (size_t)b * l;
      for (int c = 0; c < l; c++) {
        ebr_real difference = g->u_guess[(size_t)b * l + c] + g->v_guess[(size_t)i * l + c] + bias[c] - target[c];
        sum += (double)difference * (double)difference;
        g->du_guess[(size_t)b * l + c] += factor * difference;
        g->dv_guess[(size_t)i * l + c] += factor * difference;
      }
    }
  return sum / ((double)(edges > 0 ? edges : 1) * l);
}

/* Adds to du[0], and sets dv[0], the gradients of the last nodes. */
static void impute(grape *g, ebr_network *network, int count, ebr_losses *losses)
{
  ebr_graph *graph = &g->graph;
  int n = network->width, l = network->features, m = network->modalities;
  const ebr_real *u = graph->view[0].u[graph->layers], *v = graph->view[0].v[graph->layers];
  const ebr_real *weight = network->values + g->weight;
  ebr_real *dweight = network->gradients + g->weight, *dbias = network->gradients + g->bias;
  size_t block = (size_t)n * (size_t)l;
  ebr_gemm_nn(count, l, n, u, n, weight, l, 0, g->u_guess, l);
  ebr_gemm_nn(m, l, n, v, n, weight + block, l, 0, g->v_guess, l);
  losses->impute = impute_loss(g, network, count, network->config.model_impute);
  ebr_gemm_tn(n, l, count, u, n, g->du_guess, l, 0, dweight, l);
  ebr_gemm_tn(n, l, m, v, n, g->dv_guess, l, 0, dweight + block, l);
  ebr_gemm_nt(count, n, l, g->du_guess, l, weight, l, 1, graph->du[0], n);
  ebr_gemm_nt(m, n, l, g->dv_guess, l, weight + block, l, 0, graph->dv[0], n);
  memset(dbias, 0, (size_t)l * sizeof(ebr_real));
  for (int b = 0; b < count; b++) ebr_add_scaled((size_t)l, 1, g->du_guess + (size_t)b * l, dbias);
}

static void backward(ebr_network *network, const ebr_batch *batch, ebr_stream *stream, ebr_losses *losses)
{
  grape *g = network->fusion_state;
  ebr_graph_classifier_backward(&g->graph, network, batch->count);
  impute(g, network, batch->count, losses);
  ebr_graph_backward(&g->graph, network, &g->graph.view[0], batch->count, false);
  ebr_announce(network, network->head_start, network->head_stop);
  (void)stream;
}

const ebr_fusion ebr_fusion_grape = {"grape", layout, forward, backward};
