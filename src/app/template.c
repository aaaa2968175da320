#include "app/template.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Beside bin/, or up from the build's folder to the source tree. */
void ebr_template_find(const char *installed, const char *source, char *path, size_t capacity)
{
  char program[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  program[length > 0 ? length : 0] = 0;
  for (char *slash = strrchr(program, '/'); slash; slash = strrchr(program, '/')) {
    *slash = 0;
    snprintf(path, capacity, "%s/share/ebrsweep/%s", program, installed);
    if (access(path, R_OK) == 0) return;
    snprintf(path, capacity, "%s/%s", program, source);
    if (access(path, R_OK) == 0) return;
  }
  path[0] = 0;
}

ebr_error *ebr_template_read(const char *name, char **text)
{
  ebr_error *error = NULL;
  const char *chosen = getenv("EBRSWEEP_TEMPLATES");
  char path[PATH_MAX + 64], installed[128], source[128];
  size_t length;
  snprintf(installed, sizeof installed, "templates/%s", name);
  snprintf(source, sizeof source, "jobs/templates/%s", name);
  if (chosen) snprintf(path, sizeof path, "%s/%s", chosen, name);
  else ebr_template_find(installed, source, path, sizeof path);
  EBR_CHECK(path[0] && access(path, R_OK) == 0, EBR_ENVIRONMENT,
            "there is no job template %s %s; EBRSWEEP_TEMPLATES can say where they are", name,
            chosen ? "in EBRSWEEP_TEMPLATES" : "beside this program");
  EBR_TRY(ebr_file_read(path, 1 << 20, text, &length));
done:
  return error;
}

/* The value of the name in [start, end). */
static ebr_error *look_up(const char *start, const char *end, const ebr_template_value *values, const char **value)
{
  ebr_error *error = NULL;
  size_t length = (size_t)(end - start);
  for (; values->name; values++)
    if (strlen(values->name) == length && memcmp(values->name, start, length) == 0) {
      *value = values->value;
      goto done;
    }
  EBR_FAIL(EBR_INTERNAL, "a job template asks for '%.*s', which nothing sets", (int)length, start);
done:
  return error;
}

static ebr_error *render_line(const char *line, size_t length, const ebr_template_value *values, ebr_text *out)
{
  ebr_error *error = NULL;
  ebr_text made = {0};
  const char *end = line + length, *open;
  while ((open = memmem(line, (size_t)(end - line), "{{", 2)) != NULL) {
    const char *name = open + 2, *close = memmem(name, (size_t)(end - name), "}}", 2), *value = NULL;
    if (!close) break;
    EBR_TRY(look_up(name, close, values, &value));
    if (!value) goto done;
    EBR_TRY(ebr_text_add(&made, "%.*s%s", (int)(open - line), line, value));
    line = close + 2;
  }
  EBR_TRY(ebr_text_add(out, "%s%.*s\n", made.data ? made.data : "", (int)(end - line), line));
done:
  ebr_text_destroy(&made);
  return error;
}

ebr_error *ebr_template_render(const char *text, const ebr_template_value *values, ebr_text *out)
{
  ebr_error *error = NULL;
  while (*text) {
    size_t length = strcspn(text, "\n");
    EBR_TRY(render_line(text, length, values, out));
    text += length + (text[length] == '\n');
  }
done:
  return error;
}

ebr_error *ebr_template_quote(const char *word, ebr_text *out)
{
  ebr_error *error = NULL;
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=,:+@%";
  if (word[0] && strspn(word, plain) == strlen(word)) return ebr_text_add(out, "%s", word);
  EBR_TRY(ebr_text_add(out, "'"));
  for (; *word; word++) EBR_TRY(*word == '\'' ? ebr_text_add(out, "'\\''") : ebr_text_add(out, "%c", *word));
  EBR_TRY(ebr_text_add(out, "'"));
done:
  return error;
}
