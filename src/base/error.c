#include <ebrsweep/base.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ebr_error {
  ebr_code code;
  char message[1024];
  char trace[2048];
};

static ebr_error *out_of_memory(void)
{
  static ebr_error shared = {EBR_MEMORY, "no memory, not even for an error message", ""};
  return &shared;
}

/* Messages quote what users and files say: it must stay one line, and must not steer the terminal. */
static void make_printable(char *message)
{
  for (unsigned char *c = (unsigned char *)message; *c; c++)
    if (*c < 0x20 || *c == 0x7f) *c = '?';
}

ebr_error *ebr_error_create(ebr_code code, const char *file, int line, const char *format, ...)
{
  ebr_error *error = calloc(1, sizeof *error);
  if (!error) return out_of_memory();
  error->code = code;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->message, sizeof error->message, format, arguments);
  va_end(arguments);
  make_printable(error->message);
  snprintf(error->trace, sizeof error->trace, "  %s:%d: %s\n", file, line, ebr_code_name(code));
  return error;
}

void ebr_error_destroy(ebr_error **error)
{
  if (*error != out_of_memory()) free(*error);
  *error = NULL;
}

void ebr_error_frame(ebr_error *error, const char *file, int line, const char *function)
{
  if (error == out_of_memory()) return;
  size_t length = strlen(error->trace);
  snprintf(error->trace + length, sizeof error->trace - length, "  %s:%d: %s\n", file, line, function);
}

ebr_code ebr_error_code(const ebr_error *error) { return error ? error->code : EBR_OK; }
const char *ebr_error_message(const ebr_error *error) { return error ? error->message : ""; }
const char *ebr_error_trace(const ebr_error *error) { return error ? error->trace : ""; }

int ebr_code_exit(ebr_code code)
{
  static const int exits[] = {
#define EBR_EXIT(name, exit, sentence) exit,
      EBR_CODES(EBR_EXIT)
#undef EBR_EXIT
  };
  return exits[code];
}

const char *ebr_code_name(ebr_code code)
{
  static const char *const names[] = {
#define EBR_NAME(name, exit, sentence) #name,
      EBR_CODES(EBR_NAME)
#undef EBR_NAME
  };
  return names[code];
}

const char *ebr_code_sentence(ebr_code code)
{
  static const char *const sentences[] = {
#define EBR_SENTENCE(name, exit, sentence) sentence,
      EBR_CODES(EBR_SENTENCE)
#undef EBR_SENTENCE
  };
  return sentences[code];
}
