#include <ebrsweep/law.h>

#include <math.h>

static double occupancy_of(int features, int neurons) { return -expm1(features * log1p(-1.0 / neurons)); }

void ebr_allocation_expected(const ebr_allocation *allocation, ebr_allocated *expected)
{
  /* none and one: the chance that a neuron holds no modality, and just one, among those seen so far. */
  double all = 0, squares = 0, none = 1, one = 0, occupancy = 0;
  for (int i = 0; i < allocation->modalities; i++) {
    double k = allocation->features[i], a = occupancy_of(allocation->features[i], allocation->neurons);
    all += k;
    squares += k * k;
    one = one * (1 - a) + none * a;
    none *= 1 - a;
    occupancy += a;
  }
  *expected = (ebr_allocated){.pairs = (all * all - squares) / 2 / allocation->neurons,
                              .shared = 1 - none - one,
                              .occupancy = occupancy / allocation->modalities};
}
