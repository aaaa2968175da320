/* Template: a job script from jobs/templates. {{name}} stands for a value; a line that names a value which nobody set
 * is left out, and one that names an empty value stays. */
#ifndef EBR_APP_TEMPLATE_H
#define EBR_APP_TEMPLATE_H

#include <ebrsweep/base.h>

typedef struct ebr_template_value {
  const char *name;
  const char *value; /* may have several lines; NULL: not set */
} ebr_template_value;

/* Reads `name` (slurm.sh.in) from $EBRSWEEP_TEMPLATES, from beside the program (../share/ebrsweep/templates), or from
 * the source tree that it was built in. *text belongs to the caller (free). EBR_ENVIRONMENT when there is none. */
EBR_FALLIBLE ebr_template_read(const char *name, char **text);
/* The path of a file that is installed as share/ebrsweep/`installed`, and is `source` in the source tree; "" if neither
 * is there. */
void ebr_template_find(const char *installed, const char *source, char *path, size_t capacity);
/* Adds the rendered template to out. EBR_INTERNAL for a name that values lacks. values ends with a NULL name. */
EBR_FALLIBLE ebr_template_render(const char *text, const ebr_template_value *values, ebr_text *out);
/* A shell word: in single quotes where it needs them. */
EBR_FALLIBLE ebr_template_quote(const char *word, ebr_text *out);

#endif
