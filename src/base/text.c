#include <ebrsweep/base.h>

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static double clock_read(clockid_t clock)
{
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double ebr_clock_seconds(void) { return clock_read(CLOCK_MONOTONIC); }
double ebr_clock_wall(void) { return clock_read(CLOCK_REALTIME); }

size_t ebr_memory_peak(void)
{
  char line[128];
  unsigned long kilobytes = 0;
  FILE *status = fopen("/proc/self/status", "re");
  if (!status) return 0;
  while (fgets(line, sizeof line, status))
    if (sscanf(line, "VmHWM: %lu kB", &kilobytes) == 1) break;
  fclose(status);
  return kilobytes * 1024;
}

uint64_t ebr_hash(const void *bytes, size_t count, uint64_t seed) { return XXH3_64bits_withSeed(bytes, count, seed); }

static ebr_error *text_grow(ebr_text *text, size_t more)
{
  ebr_error *error = NULL;
  if (text->length + more < text->capacity) goto done;
  size_t capacity = (text->capacity + more + 64) * 2;
  char *data = realloc(text->data, capacity);
  EBR_CHECK_MEMORY(data, "a text");
  text->data = data;
  text->capacity = capacity;
done:
  return error;
}

ebr_error *ebr_text_add(ebr_text *text, const char *format, ...)
{
  ebr_error *error = NULL;
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  EBR_CHECK(length >= 0, EBR_INTERNAL, "the format '%s' cannot be printed", format);
  EBR_TRY(text_grow(text, (size_t)length + 1));
  vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
  text->length += (size_t)length;
done:
  va_end(again);
  va_end(arguments);
  return error;
}

ebr_error *ebr_text_add_json(ebr_text *text, const char *string)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_text_add(text, "\""));
  for (const unsigned char *c = (const unsigned char *)string; *c; c++) {
    if (*c == '"' || *c == '\\') EBR_TRY(ebr_text_add(text, "\\%c", *c));
    else if (*c == '\n') EBR_TRY(ebr_text_add(text, "\\n"));
    else if (*c < 0x20) EBR_TRY(ebr_text_add(text, "\\u%04x", *c));
    else EBR_TRY(ebr_text_add(text, "%c", *c));
  }
  EBR_TRY(ebr_text_add(text, "\""));
done:
  return error;
}

ebr_error *ebr_text_add_number(ebr_text *text, double value)
{
  if (!isfinite(value)) return ebr_text_add(text, "null");
  char digits[40];
  for (int precision = 1; precision <= 17; precision++) {
    snprintf(digits, sizeof digits, "%.*g", precision, value);
    if (strtod(digits, NULL) == value) break;
  }
  return ebr_text_add(text, "%s", digits);
}

void ebr_text_destroy(ebr_text *text)
{
  free(text->data);
  *text = (ebr_text){0};
}

ebr_error *ebr_file_read(const char *path, size_t most, char **bytes, size_t *count)
{
  ebr_error *error = NULL;
  char *content = NULL;
  struct stat about;
  FILE *file = fopen(path, "rb");
  EBR_CHECK(file, EBR_FILE, "%s: %s", path, strerror(errno));
  EBR_CHECK(fstat(fileno(file), &about) == 0, EBR_FILE, "%s: %s", path, strerror(errno));
  EBR_CHECK(S_ISREG(about.st_mode), EBR_FILE, "%s: is no regular file", path);
  EBR_CHECK((size_t)about.st_size <= most, EBR_FILE, "%s: %lld bytes are more than the %zu that are read", path,
            (long long)about.st_size, most);
  content = malloc((size_t)about.st_size + 1);
  EBR_CHECK_MEMORY(content, path);
  size_t got = fread(content, 1, (size_t)about.st_size, file);
  EBR_CHECK(!ferror(file), EBR_FILE, "%s: %s", path, strerror(errno));
  content[got] = 0;
  *bytes = content;
  *count = got;
  content = NULL;
done:
  free(content);
  if (file) fclose(file);
  return error;
}

int ebr_text_distance(const char *a, const char *b)
{
  enum { MOST = 96 };
  const size_t longest = 2 * (size_t)MOST;
  int row[MOST + 1];
  size_t columns = strlen(b);
  if (columns > MOST || strnlen(a, longest) == longest) return MOST; /* a hostile file's words are megabytes long */
  for (size_t j = 0; j <= columns; j++) row[j] = (int)j;
  for (size_t i = 1; a[i - 1]; i++) {
    int diagonal = row[0];
    row[0] = (int)i;
    for (size_t j = 1; j <= columns; j++) {
      int substitute = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      int best = row[j] < row[j - 1] ? row[j] : row[j - 1];
      row[j] = substitute < best + 1 ? substitute : best + 1;
    }
  }
  return row[columns];
}
