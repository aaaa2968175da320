#include <sweep/values.h>

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef union value {
  int64_t integer;
  double real;
  bool truth;
  int choice;
  unsigned choices;
  ebr_list list;
  struct ebr_parameter_text text;
} value;

/* A piece of the text that the user wrote, without the spaces around it. */
typedef struct word {
  const char *start;
  int length;
} word;

static word word_trim(const char *start, const char *end)
{
  while (start < end && isspace((unsigned char)*start)) start++;
  while (end > start && isspace((unsigned char)end[-1])) end--;
  return (word){start, (int)(end - start)};
}

static bool word_is(word w, const char *text)
{
  return strlen(text) == (size_t)w.length && memcmp(w.start, text, (size_t)w.length) == 0;
}

/* How much of a word an error shows. */
static int word_shown(word w) { return w.length < 60 ? w.length : 60; }

/* Decimal only: strtod alone would let through nan, inf and hexadecimals. */
static bool word_number(word w, double *number)
{
  char digits[64];
  if (w.length == 0 || w.length >= (int)sizeof digits) return false;
  memcpy(digits, w.start, (size_t)w.length);
  digits[w.length] = 0;
  if (strspn(digits, "0123456789+-.eE") != (size_t)w.length || !strpbrk(digits, "0123456789")) return false;
  char *end;
  *number = strtod(digits, &end) + 0.0; /* -0 becomes 0, so that both are one run */
  return *end == 0 && isfinite(*number);
}

static const char *list_example(const ebr_parameter *parameter)
{
  if (parameter->kind == EBR_KIND_CHOICES) return parameter->fallback;
  return parameter->kind == EBR_KIND_INTS ? "[64, 32]" : "[0.5, 1]";
}

static ebr_error *check_range(const ebr_parameter *p, double number, word w)
{
  ebr_error *error = NULL;
  char most[EBR_VALUE_TEXT_MOST], least[EBR_VALUE_TEXT_MOST];
  if (number >= p->minimum && number <= p->maximum) return NULL;
  snprintf(least, sizeof least, "%.12g", p->minimum);
  snprintf(most, sizeof most, "%.12g", p->maximum);
  EBR_FAIL(EBR_SWEEP, "%s takes values from %s to %s, not %.*s", p->name, least, most, word_shown(w), w.start);
done:
  return error;
}

static ebr_error *parse_integer(const ebr_parameter *p, word w, double *number)
{
  ebr_error *error = NULL;
  EBR_CHECK(word_number(w, number) && *number == floor(*number), EBR_SWEEP, "%s takes %s, not '%.*s'", p->name,
            p->kind == EBR_KIND_INTS ? "whole numbers" : "a whole number", word_shown(w), w.start);
  EBR_TRY(check_range(p, *number, w));
done:
  return error;
}

static ebr_error *parse_real(const ebr_parameter *p, word w, double *number)
{
  ebr_error *error = NULL;
  bool may_be_none = strcmp(p->fallback, "none") == 0;
  *number = NAN;
  if (may_be_none && word_is(w, "none")) return NULL;
  EBR_CHECK(word_number(w, number), EBR_SWEEP, "%s takes %s%s, not '%.*s'", p->name,
            p->kind == EBR_KIND_REALS ? "numbers" : "a number", may_be_none ? " or none" : "", word_shown(w), w.start);
  EBR_TRY(check_range(p, *number, w));
done:
  return error;
}

static ebr_error *parse_truth(const ebr_parameter *p, word w, bool *truth)
{
  ebr_error *error = NULL;
  *truth = word_is(w, "true") || word_is(w, "yes") || word_is(w, "on");
  EBR_CHECK(*truth || word_is(w, "false") || word_is(w, "no") || word_is(w, "off"), EBR_SWEEP,
            "%s takes true or false, not '%.*s'", p->name, word_shown(w), w.start);
done:
  return error;
}

/* The i-th of "a|b|c"; length 0 behind the last. */
static word choice_at(const char *choices, int index)
{
  for (; index > 0 && *choices; index--) {
    choices += strcspn(choices, "|");
    if (*choices == '|') choices++;
  }
  return (word){choices, (int)strcspn(choices, "|")};
}

static ebr_error *fail_choice(const ebr_parameter *p, word w)
{
  ebr_error *error = NULL;
  char known[EBR_VALUE_TEXT_MOST] = "", given[64], candidate[64], nearest[100] = "";
  snprintf(given, sizeof given, "%.*s", word_shown(w), w.start);
  int most = ebr_text_distance_most(given);
  size_t used = 0;
  for (int i = 0; choice_at(p->choices, i).length; i++) {
    word choice = choice_at(p->choices, i);
    used += (size_t)snprintf(known + used, sizeof known - used, "%s%.*s", i ? ", " : "", choice.length, choice.start);
    snprintf(candidate, sizeof candidate, "%.*s", choice.length, choice.start);
    int distance = ebr_text_distance(given, candidate);
    if (distance >= most) continue;
    most = distance;
    snprintf(nearest, sizeof nearest, " (did you mean '%s'?)", candidate);
  }
  EBR_FAIL(EBR_SWEEP, "%s takes one of %s, not '%s'%s", p->name, known, given, nearest);
done:
  return error;
}

static ebr_error *parse_choice(const ebr_parameter *p, word w, int *choice)
{
  ebr_error *error = NULL;
  for (int i = 0; choice_at(p->choices, i).length; i++) {
    word known = choice_at(p->choices, i);
    if (known.length != w.length || memcmp(known.start, w.start, (size_t)w.length) != 0) continue;
    *choice = i;
    return NULL;
  }
  EBR_TRY(fail_choice(p, w));
done:
  return error;
}

static ebr_error *parse_text(const ebr_parameter *p, word w, struct ebr_parameter_text *text)
{
  ebr_error *error = NULL;
  EBR_CHECK(w.length < EBR_TEXT_MOST, EBR_SWEEP, "%s takes at most %d bytes, not %d", p->name, EBR_TEXT_MOST - 1,
            w.length);
  for (int i = 0; i < w.length; i++)
    EBR_CHECK((unsigned char)w.start[i] >= 0x20, EBR_SWEEP, "%s takes one line of text without control characters",
              p->name);
  memset(text, 0, sizeof *text);
  memcpy(text->text, w.start, (size_t)w.length);
done:
  return error;
}

static ebr_error *parse_item(const ebr_parameter *p, word item, value *out)
{
  ebr_error *error = NULL;
  if (p->kind == EBR_KIND_CHOICES) {
    int choice = 0;
    EBR_TRY(parse_choice(p, item, &choice));
    EBR_CHECK(!(out->choices & 1u << choice), EBR_SWEEP, "%s names '%.*s' twice", p->name, item.length, item.start);
    out->choices |= 1u << choice;
    goto done;
  }
  EBR_CHECK(out->list.count < EBR_LIST_MOST, EBR_SWEEP, "%s takes at most %d values", p->name, EBR_LIST_MOST);
  double *number = &out->list.value[out->list.count++];
  EBR_TRY(p->kind == EBR_KIND_INTS ? parse_integer(p, item, number) : parse_real(p, item, number));
done:
  return error;
}

static ebr_error *parse_list(const ebr_parameter *p, word w, value *out)
{
  ebr_error *error = NULL;
  EBR_CHECK(w.length >= 2 && w.start[0] == '[' && w.start[w.length - 1] == ']', EBR_SWEEP,
            "%s takes a list such as %s, not '%.*s'", p->name, list_example(p), word_shown(w), w.start);
  const char *at = w.start + 1, *end = w.start + w.length - 1;
  if (word_trim(at, end).length == 0) goto done;
  while (at <= end) {
    const char *comma = memchr(at, ',', (size_t)(end - at));
    if (!comma) comma = end;
    EBR_TRY(parse_item(p, word_trim(at, comma), out));
    at = comma + 1;
  }
done:
  return error;
}

static ebr_error *parse(const ebr_parameter *p, word w, value *out)
{
  ebr_error *error = NULL;
  switch (p->kind) {
  case EBR_KIND_INT: {
    double number = 0;
    EBR_TRY(parse_integer(p, w, &number));
    out->integer = (int64_t)number;
    break;
  }
  case EBR_KIND_REAL: EBR_TRY(parse_real(p, w, &out->real)); break;
  case EBR_KIND_BOOL: EBR_TRY(parse_truth(p, w, &out->truth)); break;
  case EBR_KIND_CHOICE: EBR_TRY(parse_choice(p, w, &out->choice)); break;
  case EBR_KIND_TEXT: EBR_TRY(parse_text(p, w, &out->text)); break;
  case EBR_KIND_INTS:
  case EBR_KIND_REALS:
  case EBR_KIND_CHOICES: EBR_TRY(parse_list(p, w, out)); break;
  }
done:
  return error;
}

ebr_error *ebr_config_set(ebr_config *config, int parameter, const char *text)
{
  ebr_error *error = NULL;
  const ebr_parameter *p = ebr_parameter_at(parameter);
  value parsed;
  memset(&parsed, 0, sizeof parsed);
  EBR_TRY(parse(p, word_trim(text, text + strlen(text)), &parsed));
  memcpy(ebr_config_field_write(config, p), &parsed, ebr_value_size(p->kind));
done:
  return error;
}

size_t ebr_value_size(ebr_kind kind)
{
  switch (kind) {
  case EBR_KIND_INT: return sizeof(int64_t);
  case EBR_KIND_REAL: return sizeof(double);
  case EBR_KIND_BOOL: return sizeof(bool);
  case EBR_KIND_CHOICE: return sizeof(int);
  case EBR_KIND_CHOICES: return sizeof(unsigned);
  case EBR_KIND_TEXT: return sizeof(struct ebr_parameter_text);
  case EBR_KIND_INTS:
  case EBR_KIND_REALS: return sizeof(ebr_list);
  }
  return 0;
}

static bool real_equal(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

static bool list_equal(const ebr_list *a, const ebr_list *b)
{
  if (a->count != b->count) return false;
  for (int i = 0; i < a->count; i++)
    if (!real_equal(a->value[i], b->value[i])) return false;
  return true;
}

bool ebr_value_equal(ebr_kind kind, const void *a, const void *b)
{
  if (kind == EBR_KIND_TEXT) return strcmp(a, b) == 0;
  if (kind == EBR_KIND_INTS || kind == EBR_KIND_REALS) return list_equal(a, b);
  if (kind != EBR_KIND_REAL) return memcmp(a, b, ebr_value_size(kind)) == 0;
  double x, y;
  memcpy(&x, a, sizeof x);
  memcpy(&y, b, sizeof y);
  return real_equal(x, y);
}

/* 15 digits name every number that a person writes; up to 17 are tried so that all bits survive. */
static size_t format_number(double number, char *text)
{
  if (isnan(number)) return (size_t)sprintf(text, "none");
  int length = 0;
  for (int digits = 15; digits <= 17; digits++) {
    length = sprintf(text, "%.*g", digits, number);
    if (strtod(text, NULL) == number) break;
  }
  return (size_t)length;
}

static size_t format_list(const ebr_list *list, char *text)
{
  size_t used = 0;
  text[used++] = '[';
  for (int i = 0; i < list->count; i++) {
    if (i) used += (size_t)sprintf(text + used, ", ");
    used += format_number(list->value[i], text + used);
  }
  used += (size_t)sprintf(text + used, "]");
  return used;
}

static size_t format_choices(const char *choices, unsigned set, char *text)
{
  size_t used = (size_t)sprintf(text, "[");
  for (int i = 0; choice_at(choices, i).length; i++) {
    if (!(set & 1u << i)) continue;
    word choice = choice_at(choices, i);
    used += (size_t)sprintf(text + used, "%s%.*s", used > 1 ? ", " : "", choice.length, choice.start);
  }
  return used + (size_t)sprintf(text + used, "]");
}

size_t ebr_value_format(const ebr_parameter *parameter, const void *field, char *text)
{
  value v;
  memset(&v, 0, sizeof v);
  memcpy(&v, field, ebr_value_size(parameter->kind));
  switch (parameter->kind) {
  case EBR_KIND_INT: return (size_t)sprintf(text, "%lld", (long long)v.integer);
  case EBR_KIND_REAL: return format_number(v.real, text);
  case EBR_KIND_BOOL: return (size_t)sprintf(text, "%s", v.truth ? "true" : "false");
  case EBR_KIND_CHOICE: {
    word choice = choice_at(parameter->choices, v.choice);
    return (size_t)sprintf(text, "%.*s", choice.length, choice.start);
  }
  case EBR_KIND_TEXT: return (size_t)sprintf(text, "%s", v.text.text);
  case EBR_KIND_INTS:
  case EBR_KIND_REALS: return format_list(&v.list, text);
  case EBR_KIND_CHOICES: return format_choices(parameter->choices, v.choices, text);
  }
  return 0;
}

ebr_error *ebr_config_get(const ebr_config *config, int parameter, ebr_text *text)
{
  const ebr_parameter *p = ebr_parameter_at(parameter);
  char formatted[EBR_VALUE_TEXT_MOST];
  ebr_value_format(p, ebr_config_field(config, p), formatted);
  return ebr_text_add(text, "%s", formatted);
}
