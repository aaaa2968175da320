#include <sweep/expression.h>

#include <ebrsweep/parameters.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_MOST = 64, NAME_MOST = 96 };

/* Reverse Polish: n pushes value, $ pushes the parameter value, the rest act on the stack; ~ negates. */
struct ebr_expression {
  int count;
  char step[STEPS_MOST];
  int64_t value[STEPS_MOST];
  char text[EBR_TEXT_MOST];
};

_Static_assert(sizeof(ebr_expression) <= EBR_EXPRESSION_BYTES, "an expression is larger than it says");

typedef struct reader {
  ebr_expression *out;
  const char *at;
  int depth;
} reader;

bool ebr_expression_is(const char *text) { return strstr(text, "${") != NULL; }

void ebr_expression_destroy(ebr_expression **expression)
{
  free(*expression);
  *expression = NULL;
}

static ebr_error *emit(reader *r, char step, int64_t value)
{
  ebr_error *error = NULL;
  EBR_CHECK(r->out->count < STEPS_MOST, EBR_SWEEP, "'%s' has more than %d terms", r->out->text, STEPS_MOST);
  r->out->step[r->out->count] = step;
  r->out->value[r->out->count++] = value;
done:
  return error;
}

static char peek(reader *r)
{
  while (isspace((unsigned char)*r->at)) r->at++;
  return *r->at;
}

static ebr_error *read_number(reader *r)
{
  ebr_error *error = NULL;
  int64_t value = 0;
  for (; isdigit((unsigned char)*r->at); r->at++)
    EBR_CHECK(!__builtin_mul_overflow(value, 10, &value) && !__builtin_add_overflow(value, *r->at - '0', &value),
              EBR_SWEEP, "'%s' has a number that is too large", r->out->text);
  EBR_CHECK(*r->at != '.', EBR_SWEEP, "'%s' has a fraction: derived values are whole numbers", r->out->text);
  EBR_TRY(emit(r, 'n', value));
done:
  return error;
}

static ebr_error *read_reference(reader *r)
{
  ebr_error *error = NULL;
  char name[NAME_MOST];
  size_t length = strcspn(r->at, "}");
  EBR_CHECK(r->at[length] == '}' && length - 2 < sizeof name, EBR_SWEEP, "'%s' has a ${ without its }", r->out->text);
  snprintf(name, sizeof name, "%.*s", (int)length - 2, r->at + 2);
  int parameter = ebr_parameter_find(name);
  const char *nearest = ebr_parameter_nearest(name);
  EBR_CHECK(parameter >= 0, EBR_SWEEP, "'%s' refers to an unknown parameter%s%s%s", r->out->text,
            nearest ? " (did you mean '" : "", nearest ? nearest : "", nearest ? "'?)" : "");
  EBR_CHECK(ebr_parameter_at(parameter)->kind == EBR_KIND_INT, EBR_SWEEP,
            "'%s' refers to %s, which is no whole number", r->out->text, name);
  r->at += length + 1;
  EBR_TRY(emit(r, '$', parameter));
done:
  return error;
}

/* The grammar's levels call each other through this one: 0 = sum, 1 = product, 2 = factor. */
static ebr_error *read_level(reader *r, int level)
{
  ebr_error *error = NULL;
  static const char *const operators[] = {"+-", "*/"};
  char next = peek(r);
  if (level < 2) {
    EBR_TRY(read_level(r, level + 1));
    while ((next = peek(r)) && strchr(operators[level], next)) {
      r->at++;
      EBR_TRY(read_level(r, level + 1));
      EBR_TRY(emit(r, next, 0));
    }
    goto done;
  }
  EBR_CHECK(++r->depth < STEPS_MOST, EBR_SWEEP, "'%s' is nested too deeply", r->out->text);
  if (isdigit((unsigned char)next)) {
    EBR_TRY(read_number(r));
  } else if (next == '$' && r->at[1] == '{') {
    EBR_TRY(read_reference(r));
  } else if (next == '-') {
    r->at++;
    EBR_TRY(read_level(r, 2));
    EBR_TRY(emit(r, '~', 0));
  } else if (next == '(') {
    r->at++;
    EBR_TRY(read_level(r, 0));
    EBR_CHECK(peek(r) == ')', EBR_SWEEP, "'%s' has a ( without its )", r->out->text);
    r->at++;
  } else {
    EBR_FAIL(EBR_SWEEP, "'%s' is no expression of whole numbers, ${parameter}, + - * / and ()%s%.20s%s", r->out->text,
             *r->at ? ": see '" : "", r->at, *r->at ? "'" : "");
  }
  r->depth--;
done:
  return error;
}

ebr_error *ebr_expression_create(const char *text, ebr_expression **expression)
{
  ebr_error *error = NULL;
  ebr_expression *out = calloc(1, sizeof *out);
  EBR_CHECK_MEMORY(out, "a derived value");
  EBR_CHECK(strlen(text) < sizeof out->text, EBR_SWEEP, "a derived value of more than %zu characters",
            sizeof out->text - 1);
  memcpy(out->text, text, strlen(text) + 1);
  reader r = {.out = out, .at = text};
  EBR_TRY(read_level(&r, 0));
  EBR_CHECK(peek(&r) == 0, EBR_SWEEP, "'%s' is no expression: '%.20s' is left over", text, r.at);
  *expression = out;
  out = NULL;
done:
  free(out);
  return error;
}

static ebr_error *apply(const ebr_expression *e, char step, int64_t *left, int64_t right)
{
  ebr_error *error = NULL;
  bool overflow = false;
  if (step == '/') {
    EBR_CHECK(right != 0, EBR_SWEEP, "'%s' divides by zero", e->text);
    EBR_CHECK(right == -1 || *left % right == 0, EBR_SWEEP, "'%s' does not divide evenly: %lld / %lld", e->text,
              (long long)*left, (long long)right);
    if (right == -1) overflow = __builtin_sub_overflow(0, *left, left);
    else *left /= right;
  } else if (step == '*') {
    overflow = __builtin_mul_overflow(*left, right, left);
  } else if (step == '+') {
    overflow = __builtin_add_overflow(*left, right, left);
  } else {
    overflow = __builtin_sub_overflow(*left, right, left);
  }
  EBR_CHECK(!overflow, EBR_SWEEP, "'%s' is too large", e->text);
done:
  return error;
}

ebr_error *ebr_expression_evaluate(const ebr_expression *expression, ebr_expression_lookup lookup, void *context,
                                   int64_t *value)
{
  ebr_error *error = NULL;
  int64_t stack[STEPS_MOST] = {0};
  int top = 0;
  for (int i = 0; i < expression->count; i++) {
    char step = expression->step[i];
    if (step == 'n') {
      stack[top++] = expression->value[i];
    } else if (step == '$') {
      EBR_TRY(lookup(context, (int)expression->value[i], &stack[top]));
      top++;
    } else if (step == '~') {
      EBR_CHECK(!__builtin_sub_overflow(0, stack[top - 1], &stack[top - 1]), EBR_SWEEP, "'%s' is too large",
                expression->text);
    } else {
      EBR_TRY(apply(expression, step, &stack[top - 2], stack[top - 1]));
      top--;
    }
  }
  *value = stack[0];
done:
  return error;
}
