/* muse: the graph of grape with L2-normalised nodes and, in training, mutual-consistent contrastive learning: a second
 * view in which edges were dropped, and the cross-entropy between projected sample embeddings of the views, once with
 * the sample itself as the target and once with all samples of its class (Wu et al., ICLR 2024, Section 3.3). */
#include "model/graph.h"

#include "model/kernels.h"

#include <math.h>
#include <string.h>

#ifdef EBR_TRAIN_DOUBLE
#define EXP exp
#define SQRT sqrt
#else
#define EXP expf
#define SQRT sqrtf
#endif

static const double temperature = 0.07;

typedef struct muse {
  ebr_graph graph;
  size_t weight, bias;                       /* offsets: (n x n), (n): the projection */
  ebr_real *projected[2], *dprojected[2];    /* (B x n): normalised */
  ebr_real *lengths[2];                      /* (B) */
  ebr_real *similarity, *by_row, *by_column; /* (B x B); softmaxes of the first */
} muse;

static void layout(ebr_network *network, ebr_arena *arena)
{
  muse *g = network->fusion_state = ebr_arena_take(arena, 1, sizeof *g);
  muse measuring = {0};
  if (!g) g = &measuring;
  size_t n = (size_t)network->width, batch = (size_t)network->batch;
  g->graph.normalize = network->config.model_normalize;
  ebr_graph_layout(&g->graph, network, arena, 2);
  ebr_graph_classifier_layout(network, arena);
  g->weight = ebr_network_add_tensor(network, network->width, network->width,
                                     (ebr_tensor_kind){.role = EBR_ROLE_WEIGHT}, "phi.project.weight");
  g->bias =
      ebr_network_add_tensor(network, 1, network->width, (ebr_tensor_kind){.role = EBR_ROLE_BIAS}, "phi.project.bias");
  for (int k = 0; k < 2; k++) {
    g->projected[k] = ebr_take_reals(arena, batch, n);
    g->dprojected[k] = ebr_take_reals(arena, batch, n);
    g->lengths[k] = ebr_take_reals(arena, batch, 1);
  }
  g->similarity = ebr_take_reals(arena, batch, batch);
  g->by_row = ebr_take_reals(arena, batch, batch);
  g->by_column = ebr_take_reals(arena, batch, batch);
}

static void forward(ebr_network *network, int count)
{
  muse *g = network->fusion_state;
  for (int b = 0; b < count; b++)
    for (int i = 0; i < network->modalities; i++)
      g->graph.view[0].present[b * network->modalities + i] = network->row_present[i * network->batch + b];
  ebr_graph_forward(&g->graph, network, &g->graph.view[0], count);
  ebr_graph_classifier_forward(&g->graph, network, count);
}

/* Each sample, with probability 1/2, keeps a random number (at least one) of its present modalities. */
static void drop_edges(const ebr_network *network, const uint8_t *from, uint8_t *to, int count, ebr_stream *stream)
{
  int m = network->modalities;
  memcpy(to, from, (size_t)count * (size_t)m);
  for (int b = 0; b < count; b++) {
    uint8_t *row = to + (size_t)b * (size_t)m;
    int present = 0;
    for (int i = 0; i < m; i++) present += row[i];
    if (present < 2 || ebr_stream_bits(stream) & 1) continue;
    int keep = 1 + (int)ebr_stream_below(stream, (uint32_t)present);
    for (; present > keep; present--) {
      int drop = (int)ebr_stream_below(stream, (uint32_t)present), i = 0;
      while (!row[i] || drop-- > 0) i++;
      row[i] = 0;
    }
  }
}

static void project(muse *g, const ebr_network *network, int view, int count)
{
  int n = network->width;
  ebr_real *out = g->projected[view];
  ebr_linear(count, n, n, g->graph.view[view].u[g->graph.layers], network->values + g->weight,
             network->values + g->bias, false, out);
  for (int b = 0; b < count; b++) {
    ebr_real *row = out + (size_t)b * n, square = 0;
    for (int c = 0; c < n; c++) square += row[c] * row[c];
    g->lengths[view][b] = SQRT(square) + (ebr_real)1e-12;
    for (int c = 0; c < n; c++) row[c] /= g->lengths[view][b];
  }
}

/* by_row = softmax of each row of similarity, by_column = of each column; answers the sum of both log-normalisers. */
static double softmax_both_ways(muse *g, int count)
{
  double logs = 0;
  for (int a = 0; a < count; a++) {
    ebr_real row_most = g->similarity[(size_t)a * (size_t)count], column_most = g->similarity[a], row_sum = 0, column_sum = 0;
    for (int b = 1; b < count; b++) {
      ebr_real in_row = g->similarity[a * count + b], in_column = g->similarity[b * count + a];
      row_most = in_row > row_most ? in_row : row_most;
      column_most = in_column > column_most ? in_column : column_most;
    }
    for (int b = 0; b < count; b++) {
      row_sum += g->by_row[a * count + b] = EXP(g->similarity[a * count + b] - row_most);
      column_sum += g->by_column[b * count + a] = EXP(g->similarity[b * count + a] - column_most);
    }
    for (int b = 0; b < count; b++) {
      g->by_row[a * count + b] /= row_sum;
      g->by_column[b * count + a] /= column_sum;
    }
    logs += (double)row_most + log((double)row_sum) + (double)column_most + log((double)column_sum);
  }
  return logs;
}

/* Both losses, each the mean over samples and both directions; similarity becomes d loss / d similarity. */
static double contrast_loss(muse *g, const ebr_batch *batch, double weight)
{
  int count = batch->count;
  double logs = softmax_both_ways(g, count), same = 0, alike = 0;
  for (int a = 0; a < count; a++) {
    int friends = 0;
    for (int b = 0; b < count; b++) friends += batch->label[a] == batch->label[b];
    same += 2 * (double)g->similarity[a * count + a];
    for (int b = 0; b < count; b++) {
      ebr_real *s = &g->similarity[a * count + b];
      double target = batch->label[a] == batch->label[b] ? 1.0 / friends : 0;
      alike += 2 * target * (double)*s;
      *s = (ebr_real)(weight / count *
                      ((double)g->by_row[a * count + b] + (double)g->by_column[a * count + b] - (a == b) - target));
    }
  }
  return (2 * logs - same - alike) / (2.0 * count);
}

static void unproject(muse *g, ebr_network *network, int view, int count, ebr_real *du)
{
  int n = network->width;
  for (int b = 0; b < count; b++) {
    const ebr_real *row = g->projected[view] + (size_t)b * n;
    ebr_real *drow = g->dprojected[view] + (size_t)b * n, dot = 0;
    for (int c = 0; c < n; c++) dot += row[c] * drow[c];
    for (int c = 0; c < n; c++) drow[c] = (drow[c] - dot * row[c]) / g->lengths[view][b];
  }
  ebr_gemm_tn(n, n, count, g->graph.view[view].u[g->graph.layers], n, g->dprojected[view], n, view,
              network->gradients + g->weight, n);
  ebr_real *dbias = network->gradients + g->bias;
  if (view == 0) memset(dbias, 0, (size_t)n * sizeof(ebr_real));
  for (int b = 0; b < count; b++) ebr_add_scaled((size_t)n, 1, g->dprojected[view] + (size_t)b * n, dbias);
  ebr_gemm_nt(count, n, n, g->dprojected[view], n, network->values + g->weight, n, view == 0 ? 1 : 0, du, n);
}

static double contrast(muse *g, ebr_network *network, const ebr_batch *batch, ebr_stream *stream)
{
  int count = batch->count, n = network->width;
  ebr_graph *graph = &g->graph;
  drop_edges(network, graph->view[0].present, graph->view[1].present, count, stream);
  ebr_graph_forward(graph, network, &graph->view[1], count);
  project(g, network, 0, count);
  project(g, network, 1, count);
  ebr_gemm_nt(count, count, n, g->projected[0], n, g->projected[1], n, 0, g->similarity, count);
  for (int k = 0; k < count * count; k++) g->similarity[k] *= (ebr_real)(1 / temperature);
  double loss = contrast_loss(g, batch, network->config.model_contrast);
  for (int k = 0; k < count * count; k++) g->similarity[k] *= (ebr_real)(1 / temperature);
  ebr_gemm_nn(count, n, count, g->similarity, count, g->projected[1], n, 0, g->dprojected[0], n);
  ebr_gemm_tn(count, n, count, g->similarity, count, g->projected[0], n, 0, g->dprojected[1], n);
  return loss;
}

static void clear_modality_nodes(ebr_graph *graph, const ebr_network *network)
{
  memset(graph->dv[0], 0, (size_t)network->modalities * (size_t)network->width * sizeof(ebr_real));
}

static void backward(ebr_network *network, const ebr_batch *batch, ebr_stream *stream, ebr_losses *losses)
{
  muse *g = network->fusion_state;
  ebr_graph *graph = &g->graph;
  losses->contrast = contrast(g, network, batch, stream);
  ebr_graph_classifier_backward(graph, network, batch->count);
  unproject(g, network, 0, batch->count, graph->du[0]);
  clear_modality_nodes(graph, network);
  ebr_graph_backward(graph, network, &graph->view[0], batch->count, false);
  unproject(g, network, 1, batch->count, graph->du[0]);
  clear_modality_nodes(graph, network);
  ebr_graph_backward(graph, network, &graph->view[1], batch->count, true);
  ebr_announce(network, network->head_start, network->head_stop);
}

const ebr_fusion ebr_fusion_muse = {"muse", layout, forward, backward};
