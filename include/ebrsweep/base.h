/* Base: errors, counter-based random numbers, memory arenas, clocks and hashes. Below every other module; knows no MPI
 * (see parallel.h for the parts that do).
 *
 * Errors. Every function that can fail returns an `ebr_error *`: NULL is success, anything else is owned by the caller,
 * who passes it on (EBR_TRY), acts on its code, or ends it with ebr_error_destroy. There is no global error state. A
 * function that uses the macros declares `ebr_error *error = NULL;`, ends in a label `done:` that releases what it holds,
 * and returns `error`. */
#ifndef EBRSWEEP_BASE_H
#define EBRSWEEP_BASE_H

#include <ebrsweep/config.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The scalar of training arithmetic; measures are always double. */
#ifdef EBR_TRAIN_DOUBLE
typedef double ebr_real;
#else
typedef float ebr_real;
#endif

/* ---- errors ------------------------------------------------------------------------------------------------------ */

/* X(code, exit code of the program, sentence) */
#define EBR_CODES(X)                                                \
  X(EBR_OK, 0, "success")                                           \
  X(EBR_FAILED_RUNS, 1, "some runs failed")                         \
  X(EBR_USAGE, 2, "the command was used wrongly")                   \
  X(EBR_SWEEP, 2, "the sweep file cannot be used")                  \
  X(EBR_DATA, 2, "the dataset cannot be used")                      \
  X(EBR_RESULTS, 2, "the results file cannot be used")              \
  X(EBR_MEMORY, 3, "out of memory")                                 \
  X(EBR_FILE, 3, "a file cannot be read or written")                \
  X(EBR_ENVIRONMENT, 3, "the machine or its software refused")      \
  X(EBR_LIBRARY, 3, "a library call failed")                        \
  X(EBR_INTERNAL, 3, "ebrsweep contradicts itself: please report")  \
  X(EBR_STOPPED, 75, "stopped early with work left")

typedef enum ebr_code {
#define EBR_CODE_ENUM(code, exit, sentence) code,
  EBR_CODES(EBR_CODE_ENUM)
#undef EBR_CODE_ENUM
} ebr_code;

typedef struct ebr_error ebr_error;

#define EBR_FALLIBLE __attribute__((warn_unused_result)) ebr_error *
#define EBR_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* Local. Never fails: without memory a static error is returned. */
EBR_FALLIBLE ebr_error_create(ebr_code code, const char *file, int line, const char *format, ...) EBR_PRINTF(4, 5);
void ebr_error_destroy(ebr_error **error);
/* Adds one frame to the trace that ebr_error_trace prints. */
void ebr_error_frame(ebr_error *error, const char *file, int line, const char *function);
ebr_code ebr_error_code(const ebr_error *error);      /* EBR_OK for NULL */
const char *ebr_error_message(const ebr_error *error); /* borrowed; "" for NULL */
const char *ebr_error_trace(const ebr_error *error);   /* borrowed; one frame a line */
int ebr_code_exit(ebr_code code);
const char *ebr_code_name(ebr_code code);
const char *ebr_code_sentence(ebr_code code);

#define EBR_TRY(call)                                      \
  do {                                                     \
    error = (call);                                        \
    if (error) {                                           \
      ebr_error_frame(error, __FILE__, __LINE__, __func__); \
      goto done;                                           \
    }                                                      \
  } while (0)
/* Whatever makes an error always makes one: what follows it is not looked at, by compilers and checkers alike. */
#define EBR_LEAVE                      \
  if (!error) __builtin_unreachable(); \
  goto done
#define EBR_FAIL(code, ...)                                            \
  do {                                                                 \
    error = ebr_error_create((code), __FILE__, __LINE__, __VA_ARGS__); \
    EBR_LEAVE;                                                         \
  } while (0)
#define EBR_CHECK(condition, code, ...)             \
  do {                                              \
    if (!(condition)) EBR_FAIL((code), __VA_ARGS__); \
  } while (0)
/* Behind an agreement, which all leave when one of them has no memory: what a checker of one rank cannot see. */
#define EBR_HAS(pointer)                     \
  do {                                       \
    if (!(pointer)) __builtin_unreachable(); \
  } while (0)
/* For malloc and its kin: names what could not be had. */
#define EBR_CHECK_MEMORY(pointer, what) EBR_CHECK((pointer) != NULL, EBR_MEMORY, "no memory for %s", (what))
/* For LAPACK and ScaLAPACK: names the routine. */
#define EBR_CHECK_INFO(info, routine) \
  EBR_CHECK((info) == 0, EBR_LIBRARY, "%s returned info = %d", (routine), (int)(info))

/* A function that is compiled for several vector widths; the processor picks one when the program starts. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define EBR_VECTOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EBR_VECTOR
#endif

/* ---- random numbers ---------------------------------------------------------------------------------------------- */

/* What a stream of random numbers is for. Streams of one key with different purposes or indices are independent.
 * The numbers are part of the file format: append only. */
typedef enum ebr_purpose {
  EBR_PURPOSE_PROTOTYPES = 1,
  EBR_PURPOSE_MIXING,
  EBR_PURPOSE_SAMPLES,
  EBR_PURPOSE_LABEL_NOISE,
  EBR_PURPOSE_FEATURE_NOISE,
  EBR_PURPOSE_SPLIT,
  EBR_PURPOSE_WEIGHTS,
  EBR_PURPOSE_SHUFFLE,
  EBR_PURPOSE_MISSING,
  EBR_PURPOSE_EDGES,
  EBR_PURPOSE_BOOTSTRAP,
  EBR_PURPOSE_ALLOCATION,
  EBR_PURPOSE_SAMPLING,
  EBR_PURPOSE_TEST
} ebr_purpose;

/* A Philox4x32-10 stream (Salmon et al., SC 2011; Random123): a counter and a key, so that a number depends on
 * (key, purpose, index, position) alone. A value: copy it to fork it. */
typedef struct ebr_stream {
  uint32_t key[2];
  uint32_t counter[4];
  uint32_t block[4];
  int used;       /* how many of block are spent; 4 = none left */
  bool has_spare; /* the second half of a Box-Muller pair */
  double spare;
} ebr_stream;

ebr_stream ebr_stream_start(uint64_t key, ebr_purpose purpose, uint32_t index);
uint32_t ebr_stream_bits(ebr_stream *stream);                  /* uniform in [0, 2^32) */
double ebr_stream_uniform(ebr_stream *stream);                 /* uniform in (0, 1), 53 bits */
double ebr_stream_normal(ebr_stream *stream);                  /* mean 0, variance 1 */
uint32_t ebr_stream_below(ebr_stream *stream, uint32_t bound); /* uniform in [0, bound), unbiased; bound >= 1 */
void ebr_stream_shuffle(ebr_stream *stream, int32_t *items, size_t count);

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* An arena hands out zeroed, 64-byte aligned arrays from one block and frees them together. A measuring arena has no
 * block: ebr_arena_take returns NULL and only counts, so that one layout function predicts memory and claims it. */
typedef struct ebr_arena {
  unsigned char *block; /* NULL while measuring */
  size_t size;          /* [bytes] */
  size_t used;          /* [bytes] */
} ebr_arena;

/* Small arenas come from malloc, which from here on keeps what is freed (with glibc, up to 64 MiB) instead of returning it
 * to the system: the next point of a run wants the same blocks, and fresh pages are cleared anew. Once, by a program. */
void ebr_memory_prepare(void);
ebr_arena ebr_arena_measuring(void);
EBR_FALLIBLE ebr_arena_create(size_t bytes, ebr_arena *arena);
/* The same without zeros: what it holds must be written before it is read. */
EBR_FALLIBLE ebr_arena_create_unset(size_t bytes, ebr_arena *arena);
void ebr_arena_destroy(ebr_arena *arena);
/* count elements of size bytes; NULL while measuring. Taking more than was measured is a bug and aborts. */
void *ebr_arena_take(ebr_arena *arena, size_t count, size_t size);

/* ---- clocks, hashes, text ---------------------------------------------------------------------------------------- */

double ebr_clock_seconds(void); /* monotonic [s] */
double ebr_clock_wall(void);    /* since 1970 [s] */

/* Where the time of a rank goes. It is charged from one mark to the next, so that all of it is. */
typedef enum ebr_time {
  EBR_TIME_PREPARING,
  EBR_TIME_DRAWING,
  EBR_TIME_DATA,
  EBR_TIME_ALONE,
  EBR_TIME_TRAINING,
  EBR_TIME_MEASURING,
  EBR_TIME_STORING,
  EBR_TIME_WAITING,
  EBR_TIMES
} ebr_time;

typedef struct ebr_times {
  double seconds[EBR_TIMES];
  double since; /* the last mark, by ebr_clock_seconds */
} ebr_times;

ebr_times ebr_times_start(void);
/* What has passed since the last mark goes to this; nothing without times. */
void ebr_times_charge(ebr_times *times, ebr_time what);
const char *ebr_time_name(ebr_time what);
const char *ebr_time_sentence(ebr_time what);

size_t ebr_memory_peak(void);   /* of this process so far, resident [bytes]; 0 where the system does not tell */
uint64_t ebr_hash(const void *bytes, size_t count, uint64_t seed); /* XXH3, 64 bits, the same on every machine */

/* A growing text. A zeroed struct is an empty one. */
typedef struct ebr_text {
  char *data; /* NUL-terminated once anything was added, else NULL */
  size_t length, capacity;
} ebr_text;

EBR_FALLIBLE ebr_text_add(ebr_text *text, const char *format, ...) EBR_PRINTF(2, 3);
EBR_FALLIBLE ebr_text_add_json(ebr_text *text, const char *string); /* quoted and escaped */
EBR_FALLIBLE ebr_text_add_number(ebr_text *text, double value);      /* shortest that reads back; null for NaN, Inf */
void ebr_text_destroy(ebr_text *text);
/* Reads a whole file; *bytes gets a NUL behind the end and belongs to the caller (free). */
EBR_FALLIBLE ebr_file_read(const char *path, size_t most, char **bytes, size_t *count);
/* Edits between two words (Levenshtein), for "did you mean". */
int ebr_text_distance(const char *a, const char *b);

/* ---- floating-point mode ----------------------------------------------------------------------------------------- */

/* Denormal numbers, in which dying activations and their gradients end, cost a hundred times a normal operation. Between
 * these two calls they count as zero on this thread; training and evaluation run in between, measures do not. */
unsigned ebr_denormals_off(void);
void ebr_denormals_restore(unsigned mode);

/* ---- BLAS -------------------------------------------------------------------------------------------------------- */

/* Sets one BLAS thread and answers the kernel's name ("SkylakeX"; "unknown" for a BLAS that does not tell). */
const char *ebr_blas_prepare(void);
/* OpenBLAS from before a processor was made falls back to a generic kernel, many times slower. If that is the case here,
 * answers the value OPENBLAS_CORETYPE should have when the process starts, else NULL. */
const char *ebr_blas_better_kernel(void);

/* Row-major C (m x n) = op(A) op(B) + beta C, in the training scalar. nn: A (m x k), B (k x n); nt: B is (n x k);
 * tn: A is (k x m). Leading dimensions are row lengths in memory. */
void ebr_gemm_nn(int m, int n, int k, const ebr_real *a, int lda, const ebr_real *b, int ldb, ebr_real beta,
                 ebr_real *c, int ldc);
void ebr_gemm_nt(int m, int n, int k, const ebr_real *a, int lda, const ebr_real *b, int ldb, ebr_real beta,
                 ebr_real *c, int ldc);
void ebr_gemm_tn(int m, int n, int k, const ebr_real *a, int lda, const ebr_real *b, int ldb, ebr_real beta,
                 ebr_real *c, int ldc);
/* C (m x n) += A' B in double, A (k x m), B (k x n): a third faster than dgemm where a batch's rows are few. */
void ebr_add_products(int m, int n, int k, const double *a, int lda, const double *b, int ldb, double *c, int ldc);
/* Whether nn of this size, with B's rows side by side, runs without BLAS packing its operands, so that transposing B and
 * nn is faster than nt. A product's last digits depend on the kernel and on this alone. */
bool ebr_gemm_goes_unpacked(int m, int n, int k);

#endif
