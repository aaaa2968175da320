/* Philox4x32-10 from Random123: Salmon, Moraes, Dror, Shaw, 'Parallel random numbers: as easy as 1, 2, 3', SC 2011. */
#include <ebrsweep/base.h>

#include <math.h>
#include <Random123/philox.h>

ebr_stream ebr_stream_start(uint64_t key, ebr_purpose purpose, uint32_t index)
{
  return (ebr_stream){
      .key = {(uint32_t)key, (uint32_t)(key >> 32)}, .counter = {0, 0, (uint32_t)purpose, index}, .used = 4};
}

uint32_t ebr_stream_bits(ebr_stream *stream)
{
  if (stream->used == 4) {
    philox4x32_ctr_t counter = {{stream->counter[0], stream->counter[1], stream->counter[2], stream->counter[3]}};
    philox4x32_key_t key = {{stream->key[0], stream->key[1]}};
    philox4x32_ctr_t block = philox4x32(counter, key);
    for (int i = 0; i < 4; i++) stream->block[i] = block.v[i];
    if (++stream->counter[0] == 0) stream->counter[1]++;
    stream->used = 0;
  }
  return stream->block[stream->used++];
}

double ebr_stream_uniform(ebr_stream *stream)
{
  uint64_t high = ebr_stream_bits(stream), low = ebr_stream_bits(stream);
  return ((double)((high << 32 | low) >> 11) + 0.5) * 0x1p-53;
}

double ebr_stream_normal(ebr_stream *stream)
{
  if (stream->has_spare) {
    stream->has_spare = false;
    return stream->spare;
  }
  double radius = sqrt(-2 * log(ebr_stream_uniform(stream)));
  double angle = 2 * 3.14159265358979323846 * ebr_stream_uniform(stream);
  stream->spare = radius * sin(angle);
  stream->has_spare = true;
  return radius * cos(angle);
}

uint32_t ebr_stream_below(ebr_stream *stream, uint32_t bound)
{
  /* Lemire's multiply-shift with rejection. */
  uint64_t product = (uint64_t)ebr_stream_bits(stream) * bound;
  uint32_t threshold = -bound % bound;
  while ((uint32_t)product < threshold) product = (uint64_t)ebr_stream_bits(stream) * bound;
  return (uint32_t)(product >> 32);
}

void ebr_stream_shuffle(ebr_stream *stream, int32_t *items, size_t count)
{
  for (size_t i = count; i > 1; i--) {
    size_t j = ebr_stream_below(stream, (uint32_t)i);
    int32_t item = items[i - 1];
    items[i - 1] = items[j];
    items[j] = item;
  }
}
