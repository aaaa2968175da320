#include <ebrsweep/base.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGNMENT = 64, LARGE = 1 << 20 };

/* Large blocks are pages of their own, so that a run's memory goes back to the system when the next run wants blocks of
 * other sizes: malloc would keep the holes. They are zeros always. Huge pages where there are any: a step walks over all
 * parameters, and a wide network's are more than a processor keeps the addresses of. */
static unsigned char *allocate(size_t size, bool zeroed)
{
  if (size < LARGE) {
    unsigned char *block = aligned_alloc(ALIGNMENT, size);
    return block && zeroed ? memset(block, 0, size) : block;
  }
  void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return NULL;
  (void)madvise(pages, size, MADV_HUGEPAGE);
#ifdef MADV_POPULATE_WRITE
  /* All at once: each page that is asked for when it is first touched interrupts the work. */
  (void)madvise(pages, size, MADV_POPULATE_WRITE);
#endif
  return pages;
}

void ebr_memory_prepare(void)
{
#ifdef __GLIBC__
  enum { KEPT = 64 << 20, FROM_HEAP = 2 * LARGE };
  (void)mallopt(M_TRIM_THRESHOLD, KEPT);
  (void)mallopt(M_MMAP_THRESHOLD, FROM_HEAP);
#endif
}

ebr_arena ebr_arena_measuring(void) { return (ebr_arena){0}; }

static ebr_error *create(size_t bytes, bool zeroed, ebr_arena *arena)
{
  ebr_error *error = NULL;
  size_t size = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + ALIGNMENT;
  *arena = (ebr_arena){0};
  EBR_CHECK(size > bytes, EBR_MEMORY, "no memory for %zu bytes", bytes);
  arena->block = allocate(size, zeroed);
  EBR_CHECK(arena->block, EBR_MEMORY, "no memory for %zu bytes (%.1f GiB)", size, (double)size / (1u << 30));
  arena->size = size;
done:
  return error;
}

ebr_error *ebr_arena_create(size_t bytes, ebr_arena *arena) { return create(bytes, true, arena); }

ebr_error *ebr_arena_create_unset(size_t bytes, ebr_arena *arena) { return create(bytes, false, arena); }

void ebr_arena_destroy(ebr_arena *arena)
{
  if (arena->block && arena->size >= LARGE) munmap(arena->block, arena->size);
  else free(arena->block);
  *arena = (ebr_arena){0};
}

void *ebr_arena_take(ebr_arena *arena, size_t count, size_t size)
{
  size_t bytes = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  size_t start = arena->used;
  arena->used += bytes;
  if (!arena->block) return NULL;
  if (arena->used > arena->size) {
    fprintf(stderr, "ebrsweep: an arena of %zu bytes was asked for %zu: its layout changed since it was measured\n",
            arena->size, arena->used);
    abort();
  }
  return arena->block + start;
}
