#include <ebrsweep/base.h>

#if defined(__SSE2__)
#include <xmmintrin.h>

/* Flush to zero, and denormals are zero. */
enum { FLUSH = 0x8040 };

unsigned ebr_denormals_off(void)
{
  unsigned mode = _mm_getcsr();
  _mm_setcsr(mode | FLUSH);
  return mode;
}

void ebr_denormals_restore(unsigned mode) { _mm_setcsr(mode); }
#else
unsigned ebr_denormals_off(void) { return 0; }

void ebr_denormals_restore(unsigned mode) { (void)mode; }
#endif
