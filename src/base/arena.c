#include <ebrsweep/base.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

ebr_arena ebr_arena_measuring(void) { return (ebr_arena){0}; }

ebr_error *ebr_arena_create(size_t bytes, ebr_arena *arena)
{
  ebr_error *error = NULL;
  size_t size = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + ALIGNMENT;
  *arena = (ebr_arena){0};
  EBR_CHECK(size > bytes, EBR_MEMORY, "no memory for %zu bytes", bytes);
  arena->block = aligned_alloc(ALIGNMENT, size);
  EBR_CHECK(arena->block, EBR_MEMORY, "no memory for %zu bytes (%.1f GiB)", size, (double)size / (1u << 30));
  memset(arena->block, 0, size);
  arena->size = size;
done:
  return error;
}

void ebr_arena_destroy(ebr_arena *arena)
{
  free(arena->block);
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
