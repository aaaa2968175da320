/* Derived values: whole numbers, ${parameter}, + - * / and parentheses. Private to the sweep module. */
#ifndef EBR_SWEEP_EXPRESSION_H
#define EBR_SWEEP_EXPRESSION_H

#include <ebrsweep/base.h>

typedef struct ebr_expression ebr_expression;

enum { EBR_EXPRESSION_BYTES = 1024 /* at most what one takes */ };

/* Does a text ask to be derived? */
bool ebr_expression_is(const char *text);
/* Local. EBR_SWEEP and a sentence for what is no expression. */
EBR_FALLIBLE ebr_expression_create(const char *text, ebr_expression **expression);
void ebr_expression_destroy(ebr_expression **expression);
/* Answers the value of a parameter. */
typedef ebr_error *(*ebr_expression_lookup)(void *context, int parameter, int64_t *value);
/* EBR_SWEEP for a division by zero or with a rest, and for overflow; lookup's errors pass. */
EBR_FALLIBLE ebr_expression_evaluate(const ebr_expression *expression, ebr_expression_lookup lookup, void *context,
                                     int64_t *value);

#endif
