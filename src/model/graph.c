#include "model/graph.h"

#include "model/kernels.h"

#include <math.h>
#include <string.h>

#ifdef EBR_TRAIN_DOUBLE
#define SQRT sqrt
#else
#define SQRT sqrtf
#endif

/* ---- layout ------------------------------------------------------------------------------------------------------ */

static void layout_layer(ebr_graph *graph, ebr_network *network, int t)
{
  ebr_graph_layer *layer = &graph->layer[t];
  int n = network->width, m = network->modalities, d = t ? n : network->features;
  ebr_tensor_kind bias = {.role = EBR_ROLE_BIAS}, weight = {.role = EBR_ROLE_WEIGHT, .uses = 2};
  ebr_tensor_kind first = {.role = t ? EBR_ROLE_WEIGHT : EBR_ROLE_HEAD_FIRST, .uses = m};
  layer->edge_width = d;
  layer->p = ebr_network_add_tensor(network, n + d, n, first, "phi.message.%d.weight", t);
  layer->p_bias = ebr_network_add_tensor(network, 1, n, bias, "phi.message.%d.bias", t);
  layer->q = ebr_network_add_tensor(network, 2 * n, n, weight, "phi.update.%d.weight", t);
  layer->q_bias = ebr_network_add_tensor(network, 1, n, bias, "phi.update.%d.bias", t);
  if (t == graph->layers - 1) return;
  weight.uses = m;
  layer->w = ebr_network_add_tensor(network, 2 * n + d, n, weight, "phi.edge.%d.weight", t);
  layer->w_bias = ebr_network_add_tensor(network, 1, n, bias, "phi.edge.%d.bias", t);
}

static void layout_view(const ebr_graph *graph, ebr_graph_view *view, const ebr_network *network, ebr_arena *arena)
{
  size_t n = (size_t)network->width, m = (size_t)network->modalities, batch = (size_t)network->batch;
  view->present = ebr_arena_take(arena, batch * m, 1);
  for (int t = 0; t <= graph->layers; t++) {
    view->u[t] = ebr_take_reals(arena, batch, n);
    view->v[t] = ebr_take_reals(arena, m, n);
  }
  for (int t = 0; t < graph->layers; t++) {
    view->u_norm[t] = ebr_take_reals(arena, batch, 1);
    view->v_norm[t] = ebr_take_reals(arena, m, 1);
    view->e[t] = t ? ebr_take_reals(arena, m * batch, n) : network->fused;
    view->edge_part[t] = ebr_take_reals(arena, m * batch, n);
    view->u_part[t] = ebr_take_reals(arena, batch, n);
    view->v_part[t] = ebr_take_reals(arena, m, n);
    view->u_mean[t] = ebr_take_reals(arena, batch, n);
    view->v_mean[t] = ebr_take_reals(arena, m, n);
  }
}

void ebr_graph_layout(ebr_graph *graph, ebr_network *network, ebr_arena *arena, int views)
{
  size_t n = (size_t)network->width, m = (size_t)network->modalities, batch = (size_t)network->batch;
  graph->layers = (int)network->config.model_layers;
  graph->nodes =
      ebr_network_add_tensor(network, (int)m, (int)n, (ebr_tensor_kind){.role = EBR_ROLE_WEIGHT}, "phi.nodes");
  for (int t = 0; t < graph->layers; t++) layout_layer(graph, network, t);
  for (int k = 0; k < views; k++) layout_view(graph, &graph->view[k], network, arena);
  size_t widest = n > (size_t)network->features ? n : (size_t)network->features;
  for (int k = 0; k < 2; k++) {
    graph->du[k] = ebr_take_reals(arena, batch, n);
    graph->dv[k] = ebr_take_reals(arena, m, n);
    graph->de[k] = ebr_take_reals(arena, m * batch, widest);
  }
  graph->dedge_part = ebr_take_reals(arena, m * batch, n);
  graph->du_sum = ebr_take_reals(arena, batch, n);
  graph->dv_sum = ebr_take_reals(arena, m, n);
  graph->du_mean = ebr_take_reals(arena, batch, n);
  graph->dv_mean = ebr_take_reals(arena, m, n);
}

/* ---- pieces ------------------------------------------------------------------------------------------------------ */

/* mean over present i of ReLU(edge_part_bi + v_part_i), and the same for modalities over samples. */
static void mean_messages(const ebr_graph_view *view, const ebr_network *network, int t, int count)
{
  int n = network->width, m = network->modalities;
  memset(view->u_mean[t], 0, (size_t)count * (size_t)n * sizeof(ebr_real));
  memset(view->v_mean[t], 0, (size_t)m * (size_t)n * sizeof(ebr_real));
  for (int i = 0; i < m; i++) {
    const ebr_real *v_part = view->v_part[t] + (size_t)i * n;
    ebr_real *v_mean = view->v_mean[t] + (size_t)i * n;
    for (int b = 0; b < count; b++) {
      if (!view->present[b * m + i]) continue;
      const ebr_real *edge = view->edge_part[t] + ((size_t)i * network->batch + (size_t)b) * n;
      const ebr_real *u_part = view->u_part[t] + (size_t)b * n;
      ebr_real *u_mean = view->u_mean[t] + (size_t)b * n;
      for (int c = 0; c < n; c++) {
        ebr_real to_sample = edge[c] + v_part[c], to_modality = edge[c] + u_part[c];
        u_mean[c] += to_sample > 0 ? to_sample : 0;
        v_mean[c] += to_modality > 0 ? to_modality : 0;
      }
    }
  }
}

static int degree_of_sample(const ebr_graph_view *view, int m, int b)
{
  int degree = 0;
  for (int i = 0; i < m; i++) degree += view->present[b * m + i];
  return degree > 0 ? degree : 1;
}

static int degree_of_modality(const ebr_graph_view *view, int m, int i, int count)
{
  int degree = 0;
  for (int b = 0; b < count; b++) degree += view->present[b * m + i];
  return degree > 0 ? degree : 1;
}

static void scale_means(const ebr_graph_view *view, const ebr_network *network, ebr_real *u, ebr_real *v, int count)
{
  int n = network->width, m = network->modalities;
  for (int b = 0; b < count; b++) {
    ebr_real factor = (ebr_real)1 / (ebr_real)degree_of_sample(view, m, b);
    for (int c = 0; c < n; c++) u[(size_t)b * n + c] *= factor;
  }
  for (int i = 0; i < m; i++) {
    ebr_real factor = (ebr_real)1 / (ebr_real)degree_of_modality(view, m, i, count);
    for (int c = 0; c < n; c++) v[(size_t)i * n + c] *= factor;
  }
}

/* x (rows x n) /= its row lengths, which are kept; rows of zeros stay. */
static void normalize_rows(int rows, int n, ebr_real *x, ebr_real *lengths)
{
  for (int r = 0; r < rows; r++) {
    ebr_real *row = x + (size_t)r * n, square = 0;
    for (int c = 0; c < n; c++) square += row[c] * row[c];
    lengths[r] = SQRT(square);
    ebr_real factor = lengths[r] > (ebr_real)1e-12 ? 1 / lengths[r] : 1;
    for (int c = 0; c < n; c++) row[c] *= factor;
  }
}

/* dx = (dy - (dy . y) y) / length, in place of dy. */
static void normalize_rows_backward(int rows, int n, const ebr_real *y, const ebr_real *lengths, ebr_real *dy)
{
  for (int r = 0; r < rows; r++) {
    const ebr_real *row = y + (size_t)r * n;
    ebr_real *drow = dy + (size_t)r * n, dot = 0;
    if (!(lengths[r] > (ebr_real)1e-12)) continue;
    for (int c = 0; c < n; c++) dot += drow[c] * row[c];
    for (int c = 0; c < n; c++) drow[c] = (drow[c] - dot * row[c]) / lengths[r];
  }
}

/* next = norm ReLU([mean | node] Q + q) */
static void update_nodes(const ebr_graph *graph, const ebr_network *network, int t, int rows, const ebr_real *mean,
                         const ebr_real *node, ebr_real *lengths, ebr_real *next)
{
  int n = network->width;
  const ebr_real *q = network->values + graph->layer[t].q;
  ebr_gemm_nn(rows, n, n, mean, n, q, n, 0, next, n);
  ebr_gemm_nn(rows, n, n, node, n, q + (size_t)n * n, n, 1, next, n);
  ebr_bias_activate(rows, n, network->values + graph->layer[t].q_bias, true, next);
  if (graph->normalize) normalize_rows(rows, n, next, lengths);
}

/* e' = ReLU(u W_u + v W_v + e W_e + w) */
static void update_edges(const ebr_graph *graph, const ebr_network *network, const ebr_graph_view *view, int t,
                         int count)
{
  int n = network->width, d = graph->layer[t].edge_width;
  const ebr_real *w = network->values + graph->layer[t].w, *bias = network->values + graph->layer[t].w_bias;
  size_t square = (size_t)n * (size_t)n;
  ebr_real *u_part = graph->du_sum, *v_part = graph->dv_sum; /* free during forward */
  ebr_gemm_nn(count, n, n, view->u[t + 1], n, w, n, 0, u_part, n);
  ebr_gemm_nn(network->modalities, n, n, view->v[t + 1], n, w + square, n, 0, v_part, n);
  for (int i = 0; i < network->modalities; i++) {
    ebr_real *edges = ebr_slice(view->e[t + 1], network, i, n);
    ebr_gemm_nn(count, n, d, ebr_slice(view->e[t], network, i, d), d, w + 2 * square, n, 0, edges, n);
    for (int b = 0; b < count; b++)
      for (int c = 0; c < n; c++) {
        ebr_real value = edges[(size_t)b * n + c] + u_part[(size_t)b * n + c] + v_part[(size_t)i * n + c] + bias[c];
        edges[(size_t)b * n + c] = value > 0 ? value : 0;
      }
  }
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

void ebr_graph_forward(ebr_graph *graph, ebr_network *network, ebr_graph_view *view, int count)
{
  int n = network->width, m = network->modalities;
  for (size_t k = 0; k < (size_t)count * (size_t)n; k++) view->u[0][k] = 1;
  memcpy(view->v[0], network->values + graph->nodes, (size_t)m * (size_t)n * sizeof(ebr_real));
  for (int t = 0; t < graph->layers; t++) {
    const ebr_real *p = network->values + graph->layer[t].p, *bias = network->values + graph->layer[t].p_bias;
    int d = graph->layer[t].edge_width;
    ebr_gemm_nn(count, n, n, view->u[t], n, p, n, 0, view->u_part[t], n);
    ebr_gemm_nn(m, n, n, view->v[t], n, p, n, 0, view->v_part[t], n);
    for (int i = 0; i < m; i++) {
      ebr_real *part = ebr_slice(view->edge_part[t], network, i, n);
      ebr_gemm_nn(count, n, d, ebr_slice(view->e[t], network, i, d), d, p + (size_t)n * n, n, 0, part, n);
      ebr_bias_activate(count, n, bias, false, part);
    }
    mean_messages(view, network, t, count);
    scale_means(view, network, view->u_mean[t], view->v_mean[t], count);
    update_nodes(graph, network, t, count, view->u_mean[t], view->u[t], view->u_norm[t], view->u[t + 1]);
    update_nodes(graph, network, t, m, view->v_mean[t], view->v[t], view->v_norm[t], view->v[t + 1]);
    if (t < graph->layers - 1) update_edges(graph, network, view, t, count);
  }
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* From de' (m x B x n) to W's gradients, du' and dv' (added to), and de (overwritten): what flows back through e'. */
static void backward_edges(ebr_graph *graph, ebr_network *network, const ebr_graph_view *view, int t, int count,
                           ebr_real *dedges, ebr_real *de, ebr_real beta)
{
  int n = network->width, m = network->modalities, d = graph->layer[t].edge_width;
  size_t square = (size_t)n * (size_t)n;
  const ebr_real *w = network->values + graph->layer[t].w;
  ebr_real *dw = network->gradients + graph->layer[t].w, *dbias = network->gradients + graph->layer[t].w_bias;
  memset(graph->du_sum, 0, (size_t)count * (size_t)n * sizeof(ebr_real));
  memset(graph->dv_sum, 0, (size_t)m * (size_t)n * sizeof(ebr_real));
  if (beta == 0) memset(dbias, 0, (size_t)n * sizeof(ebr_real));
  for (int i = 0; i < m; i++) {
    const ebr_real *edges = ebr_slice(view->e[t + 1], network, i, n);
    ebr_real *dedge = ebr_slice(dedges, network, i, n), *dv = graph->dv_sum + (size_t)i * n;
    for (int b = 0; b < count; b++)
      for (int c = 0; c < n; c++) {
        size_t k = (size_t)b * n + c;
        ebr_real kept = edges[k] > 0 ? dedge[k] : 0;
        dedge[k] = kept;
        graph->du_sum[k] += kept;
        dv[c] += kept;
      }
    ebr_gemm_tn(d, n, count, ebr_slice(view->e[t], network, i, d), d, dedge, n, i > 0 ? 1 : beta, dw + 2 * square, n);
    ebr_gemm_nt(count, d, n, dedge, n, w + 2 * square, n, 0, ebr_slice(de, network, i, d), d);
    ebr_add_scaled((size_t)n, 1, dv, dbias);
  }
  ebr_gemm_tn(n, n, count, view->u[t + 1], n, graph->du_sum, n, beta, dw, n);
  ebr_gemm_tn(n, n, m, view->v[t + 1], n, graph->dv_sum, n, beta, dw + square, n);
  ebr_gemm_nt(count, n, n, graph->du_sum, n, w, n, 1, graph->du[0], n);
  ebr_gemm_nt(m, n, n, graph->dv_sum, n, w + square, n, 1, graph->dv[0], n);
}

/* Through one node update: dnext is destroyed; dmean and dnode are overwritten. */
static void backward_update(const ebr_graph *graph, ebr_network *network, int t, int rows, const ebr_real *mean,
                            const ebr_real *node, const ebr_real *next, const ebr_real *lengths, ebr_real *dnext,
                            ebr_real beta, ebr_real *dmean, ebr_real *dnode)
{
  int n = network->width;
  size_t square = (size_t)n * (size_t)n;
  const ebr_real *q = network->values + graph->layer[t].q;
  ebr_real *dq = network->gradients + graph->layer[t].q, *dbias = network->gradients + graph->layer[t].q_bias;
  if (graph->normalize) normalize_rows_backward(rows, n, next, lengths, dnext);
  if (beta == 0) memset(dbias, 0, (size_t)n * sizeof(ebr_real));
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < n; c++) {
      size_t k = (size_t)r * n + c;
      dnext[k] = next[k] > 0 ? dnext[k] : 0;
      dbias[c] += dnext[k];
    }
  ebr_gemm_tn(n, n, rows, mean, n, dnext, n, beta, dq, n);
  ebr_gemm_tn(n, n, rows, node, n, dnext, n, beta, dq + square, n);
  ebr_gemm_nt(rows, n, n, dnext, n, q, n, 0, dmean, n);
  ebr_gemm_nt(rows, n, n, dnext, n, q + square, n, 0, dnode, n);
}

/* From dmean of both kinds to dedge_part (m x B x n), du_sum = d u_part, dv_sum = d v_part. */
static void backward_messages(ebr_graph *graph, const ebr_network *network, const ebr_graph_view *view, int t,
                              int count)
{
  int n = network->width, m = network->modalities;
  scale_means(view, network, graph->du_mean, graph->dv_mean, count);
  memset(graph->du_sum, 0, (size_t)count * (size_t)n * sizeof(ebr_real));
  memset(graph->dv_sum, 0, (size_t)m * (size_t)n * sizeof(ebr_real));
  for (int i = 0; i < m; i++) {
    const ebr_real *v_part = view->v_part[t] + (size_t)i * n, *dv_mean = graph->dv_mean + (size_t)i * n;
    ebr_real *dv = graph->dv_sum + (size_t)i * n;
    for (int b = 0; b < count; b++) {
      size_t row = ((size_t)i * network->batch + (size_t)b) * n;
      const ebr_real *edge = view->edge_part[t] + row, *u_part = view->u_part[t] + (size_t)b * n;
      const ebr_real *du_mean = graph->du_mean + (size_t)b * n;
      ebr_real *dedge = graph->dedge_part + row, *du = graph->du_sum + (size_t)b * n;
      if (!view->present[b * m + i]) {
        memset(dedge, 0, (size_t)n * sizeof(ebr_real));
        continue;
      }
      for (int c = 0; c < n; c++) {
        ebr_real to_sample = edge[c] + v_part[c] > 0 ? du_mean[c] : 0;
        ebr_real to_modality = edge[c] + u_part[c] > 0 ? dv_mean[c] : 0;
        dedge[c] = to_sample + to_modality;
        dv[c] += to_sample;
        du[c] += to_modality;
      }
    }
  }
}

/* From d edge_part, d u_part, d v_part to P's gradients, de (beta_edge: added to what the edge update left), du, dv. */
static void backward_parts(ebr_graph *graph, ebr_network *network, const ebr_graph_view *view, int t, int count,
                           ebr_real beta, ebr_real beta_edge, ebr_real *de)
{
  int n = network->width, m = network->modalities, d = graph->layer[t].edge_width;
  const ebr_real *p = network->values + graph->layer[t].p;
  ebr_real *dp = network->gradients + graph->layer[t].p, *dbias = network->gradients + graph->layer[t].p_bias;
  size_t square = (size_t)n * (size_t)n;
  if (beta == 0) memset(dbias, 0, (size_t)n * sizeof(ebr_real));
  for (int i = 0; i < m; i++) {
    const ebr_real *dedge = ebr_slice(graph->dedge_part, network, i, n);
    ebr_gemm_tn(d, n, count, ebr_slice(view->e[t], network, i, d), d, dedge, n, i > 0 ? 1 : beta, dp + square, n);
    ebr_gemm_nt(count, d, n, dedge, n, p + square, n, beta_edge, ebr_slice(de, network, i, d), d);
    for (int b = 0; b < count; b++) ebr_add_scaled((size_t)n, 1, dedge + (size_t)b * n, dbias);
  }
  ebr_gemm_tn(n, n, count, view->u[t], n, graph->du_sum, n, beta, dp, n);
  ebr_gemm_tn(n, n, m, view->v[t], n, graph->dv_sum, n, 1, dp, n);
  ebr_gemm_nt(count, n, n, graph->du_sum, n, p, n, 1, graph->du[1], n);
  ebr_gemm_nt(m, n, n, graph->dv_sum, n, p, n, 1, graph->dv[1], n);
}

static void swap(ebr_real *pair[2])
{
  ebr_real *first = pair[0];
  pair[0] = pair[1];
  pair[1] = first;
}

void ebr_graph_backward(ebr_graph *graph, ebr_network *network, ebr_graph_view *view, int count, bool accumulate)
{
  int n = network->width, m = network->modalities, last = graph->layers - 1;
  ebr_real beta = accumulate;
  for (int t = last; t >= 0; t--) {
    /* The first layer's edges are the fused features; a second view adds to what the first left there. */
    bool onto_fused = t == 0 && accumulate;
    ebr_real *de = t == 0 && !accumulate ? network->dfused : graph->de[1];
    if (t < last) backward_edges(graph, network, view, t, count, graph->de[0], de, beta);
    backward_update(graph, network, t, count, view->u_mean[t], view->u[t], view->u[t + 1], view->u_norm[t],
                    graph->du[0], beta, graph->du_mean, graph->du[1]);
    backward_update(graph, network, t, m, view->v_mean[t], view->v[t], view->v[t + 1], view->v_norm[t], graph->dv[0], 1,
                    graph->dv_mean, graph->dv[1]);
    backward_messages(graph, network, view, t, count);
    backward_parts(graph, network, view, t, count, beta, t < last, de);
    if (onto_fused)
      for (int i = 0; i < m; i++)
        ebr_add_scaled((size_t)count * (size_t)network->features, 1, ebr_slice(de, network, i, network->features),
                       ebr_slice(network->dfused, network, i, network->features));
    swap(graph->du);
    swap(graph->dv);
    swap(graph->de);
  }
  ebr_real *dnodes = network->gradients + graph->nodes;
  if (!accumulate) memset(dnodes, 0, (size_t)m * (size_t)n * sizeof(ebr_real));
  ebr_add_scaled((size_t)m * (size_t)n, 1, graph->dv[0], dnodes);
}

/* ---- classifier -------------------------------------------------------------------------------------------------- */

void ebr_graph_classifier_layout(ebr_network *network, ebr_arena *arena)
{
  int n = network->width;
  network->head = (ebr_mlp){.depth = 2, .width = {n, n, network->classes}};
  ebr_mlp_layout(
      &network->head, network, arena,
      &(ebr_mlp_place){"phi.classifier", -1, false, network->batch, 1, true, network->logits, network->dlogits});
  network->hidden = network->head.out[0];
  network->dhidden = network->head.dout[0];
}

void ebr_graph_classifier_forward(ebr_graph *graph, ebr_network *network, int count)
{
  ebr_mlp_forward(&network->head, network, count, graph->view[0].u[graph->layers]);
}

void ebr_graph_classifier_backward(ebr_graph *graph, ebr_network *network, int count)
{
  ebr_mlp_backward(&network->head, network, count, graph->view[0].u[graph->layers], true, graph->du[0]);
}
