/*
 * The memory of the engine: size classes over chunks of fresh pages. A freed block goes to the list of its
 * class and nothing goes back to the system, since the process is short; so a malloc with locks, coalescing
 * and trimming is not needed. The limit is that of JS_SetMemoryLimit.
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* 16 bytes, so that what follows is aligned like any C object. */
typedef struct {
  size_t bytes; /* of the block without this header */
  size_t unused;
} Header;

enum {
  STEP = 16,
  SMALL = 1024,
  CLASSES = SMALL / STEP + 1,
  POWERS = 64,
  FIRST_CHUNK = 1 << 20,
  MOST_CHUNK = 1 << 24,
};

static uint8_t *chunk_at, *chunk_end;
static size_t next_chunk = FIRST_CHUNK;
static void *small_free[CLASSES]; /* by size / STEP, headers included */
static void *large_free[POWERS];  /* by the power of two */

static void *fresh_pages(size_t bytes) {
  void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? NULL : pages;
}

/* By chunks and not one large reservation: under strict overcommit and RLIMIT_AS a reservation counts. */
static Header *fresh_block(size_t bytes) {
  if ((size_t)(chunk_end - chunk_at) < bytes) {
    size_t size = next_chunk < bytes ? (bytes + 0xffff) & ~(size_t)0xffff : next_chunk;
    uint8_t *pages = fresh_pages(size);
    if (pages == NULL) return NULL;
    if (next_chunk < MOST_CHUNK) next_chunk *= 2;
    chunk_at = pages;
    chunk_end = pages + size;
  }
  Header *block = (Header *)chunk_at;
  chunk_at += bytes;
  return block;
}

static int power_of(size_t bytes) { return 63 - __builtin_clzll(bytes); }

static void **list_for(size_t bytes) {
  return bytes <= SMALL ? &small_free[bytes / STEP] : &large_free[power_of(bytes)];
}

static void *arena_get(size_t wanted) {
  if (wanted > (size_t)1 << 40) return NULL;
  size_t bytes = wanted + sizeof(Header);
  bytes = bytes <= SMALL ? (bytes + STEP - 1) & ~(size_t)(STEP - 1) : (size_t)1 << (power_of(bytes - 1) + 1);
  void **list = list_for(bytes);
  if (*list != NULL) {
    void *block = *list;
    *list = *(void **)block;
    return block;
  }
  Header *header = fresh_block(bytes);
  if (header == NULL) return NULL;
  header->bytes = bytes - sizeof(Header);
  return header + 1;
}

static size_t arena_size(const void *block) { return block == NULL ? 0 : ((const Header *)block - 1)->bytes; }

static void *arena_malloc(JSMallocState *state, size_t bytes) {
  if (bytes == 0 || state->malloc_size + bytes + sizeof(Header) > state->malloc_limit) return NULL;
  void *block = arena_get(bytes);
  if (block == NULL) return NULL;
  state->malloc_count++;
  state->malloc_size += arena_size(block) + sizeof(Header);
  return block;
}

static void arena_free(JSMallocState *state, void *block) {
  if (block == NULL) return;
  size_t bytes = arena_size(block) + sizeof(Header);
  state->malloc_count--;
  state->malloc_size -= bytes;
  void **list = list_for(bytes);
  *(void **)block = *list;
  *list = block;
}

static void *arena_realloc(JSMallocState *state, void *block, size_t bytes) {
  if (block == NULL) return arena_malloc(state, bytes);
  if (bytes == 0) {
    arena_free(state, block);
    return NULL;
  }
  size_t old = arena_size(block);
  if (bytes <= old) return block;
  void *larger = arena_malloc(state, bytes);
  if (larger == NULL) return NULL;
  memcpy(larger, block, old);
  arena_free(state, block);
  return larger;
}

static const JSMallocFunctions arena = {arena_malloc, arena_free, arena_realloc, arena_size};
