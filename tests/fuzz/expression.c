/* Derived values, evaluated with parameters of every size. */
#include "fuzz/fuzz.h"

#include <sweep/expression.h>

#include <stdlib.h>

typedef struct answers {
  int64_t value; /* of every parameter */
} answers;

static ebr_error *look_up(void *context, int parameter, int64_t *value)
{
  *value = ((const answers *)context)->value + parameter;
  return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  static const int64_t values[] = {0, 1, -3, 1000, INT64_MAX - 1000, INT64_MIN};
  ebr_expression *expression = NULL;
  char *text = fuzz_text(bytes, length);
  int64_t value = 0;
  ebr_expression_is(text);
  fuzz_end_error(ebr_expression_create(text, &expression), EBR_SWEEP);
  for (size_t i = 0; expression && i < sizeof values / sizeof *values; i++) {
    answers a = {values[i]};
    fuzz_end_error(ebr_expression_evaluate(expression, look_up, &a, &value), EBR_SWEEP);
  }
  ebr_expression_destroy(&expression);
  free(text);
  return 0;
}
