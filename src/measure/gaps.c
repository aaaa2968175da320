#include "measure/gaps.h"

/* Indices of the streams: rates by their place in the list, counts by themselves. */
enum { BY_RATE = 0x10000, BY_COUNT = 0x20000 };

static bool has(const ebr_samples *samples, int k, int modality)
{
  return !samples->present || samples->present[samples->test[k] * samples->modalities + modality];
}

void ebr_gaps_at_rate(const ebr_samples *samples, uint64_t key, int rate_index, double rate, uint8_t *present)
{
  ebr_stream stream = ebr_stream_start(key, EBR_PURPOSE_MISSING, BY_RATE + (uint32_t)rate_index);
  int m = samples->modalities;
  for (int k = 0; k < samples->test_count; k++) {
    uint8_t *row = present + (size_t)k * (size_t)m;
    int kept = 0, have = 0, keep = (int)ebr_stream_below(&stream, (uint32_t)m);
    for (int i = 0; i < m; i++) {
      bool there = has(samples, k, i);
      row[i] = ebr_stream_uniform(&stream) >= rate && there;
      kept += row[i];
      have += there;
    }
    for (int i = keep; kept == 0 && have > 0; i = (i + 1) % m)
      if (has(samples, k, i)) row[i] = 1, kept = 1;
  }
}

/* Selection sampling (Knuth, The Art of Computer Programming, volume 2, Algorithm 3.4.2 S) among those that are there.
 */
void ebr_gaps_exactly(const ebr_samples *samples, uint64_t key, int k, uint8_t *present)
{
  ebr_stream stream = ebr_stream_start(key, EBR_PURPOSE_MISSING, BY_COUNT + (uint32_t)k);
  int m = samples->modalities;
  for (int s = 0; s < samples->test_count; s++) {
    uint8_t *row = present + (size_t)s * (size_t)m;
    int ahead = 0;
    for (int i = 0; i < m; i++) ahead += row[i] = has(samples, s, i);
    for (int i = 0, hide = k - (m - ahead); i < m; i++) {
      if (!row[i]) continue;
      if (hide > 0 && (int)ebr_stream_below(&stream, (uint32_t)ahead) < hide) row[i] = 0, hide--;
      ahead--;
    }
  }
}
