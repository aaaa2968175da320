/* The table of forms: a new one is one line here and one name in ebr_form. */
#ifndef EBR_LAW_FORMS_H
#define EBR_LAW_FORMS_H

#include <ebrsweep/law.h>

/* c shape(m, t); slope is d shape / d t, NULL without t, which starts at start and stays in [least, most]. */
typedef struct ebr_form_row {
  const char *name, *formula;
  int parameters;
  const char *parameter[EBR_FORM_PARAMETERS_MOST];
  double (*shape)(double m, double t);
  double (*slope)(double m, double t);
  double start, least, most;
} ebr_form_row;

const ebr_form_row *ebr_form_row_of(ebr_form form);

#endif
