#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 3 };

static char file_name[FILES][256]; /* one an ending */

void fuzz_complain(const char *sentence, const char *detail)
{
  fprintf(stderr, "fuzz: %s: %s\n", sentence, detail);
  abort();
}

char *fuzz_text(const uint8_t *bytes, size_t length)
{
  char *text = malloc(length + 1);
  if (!text) abort();
  if (length > 0) memcpy(text, bytes, length);
  text[length] = 0;
  return text;
}

static void remove_files(void)
{
  for (int i = 0; i < FILES && file_name[i][0]; i++) unlink(file_name[i]);
}

const char *fuzz_path(const char *ending)
{
  char wanted[256];
  const char *folder = getenv("FUZZ_SCRATCH");
  int i = 0;
  snprintf(wanted, sizeof wanted, "%s/fuzz-%ld%s", folder ? folder : "/dev/shm", (long)getpid(), ending);
  while (i < FILES && file_name[i][0] && strcmp(file_name[i], wanted) != 0) i++;
  if (i == FILES) fuzz_complain("too many files", ending);
  if (i == 0 && !file_name[i][0]) atexit(remove_files);
  memcpy(file_name[i], wanted, sizeof wanted);
  return file_name[i];
}

const char *fuzz_file(const char *ending, const uint8_t *bytes, size_t length)
{
  const char *path = fuzz_path(ending);
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(bytes, 1, length, file) != length || fclose(file) != 0) fuzz_complain("cannot write", path);
  return path;
}

static void check_sentence(const char *message)
{
  if (!message[0]) fuzz_complain("an error without a message", "");
  for (const unsigned char *c = (const unsigned char *)message; *c; c++)
    if (*c < 0x20 || *c == 0x7f) fuzz_complain("a message with a control character", message);
}

void fuzz_end_error(ebr_error *error, ebr_code expected)
{
  if (!error) return;
  check_sentence(ebr_error_message(error));
  if (ebr_error_code(error) != expected) fuzz_complain(ebr_code_name(ebr_error_code(error)), ebr_error_message(error));
  ebr_error_destroy(&error);
}

void fuzz_end_located(ebr_error *error, const char *path)
{
  if (!error) return;
  int line = 0, column = 0;
  const char *message = ebr_error_message(error);
  size_t length = strlen(path);
  if (strncmp(message, path, length) != 0 || sscanf(message + length, ":%d:%d: ", &line, &column) != 2 || line < 1 ||
      column < 1)
    fuzz_complain("no line and column", message);
  fuzz_end_error(error, EBR_SWEEP);
}
