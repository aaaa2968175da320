/* Selection: which runs and columns of a results file a table shows, in what order. */
#ifndef EBR_APP_SELECTION_H
#define EBR_APP_SELECTION_H

#include "app/grid.h"

#include <ebrsweep/store.h>

typedef struct ebr_selection {
  ebr_results *results; /* borrowed */
  int *column, columns;
  int64_t *run, runs;
} ebr_selection;

void ebr_selection_release(ebr_selection *selection);
/* Runs that the expression lets pass; NULL for all. */
EBR_FALLIBLE ebr_selection_filter(ebr_selection *selection, const char *where);
/* Adds columns named "a,b,c.*" (shell patterns) or "all". EBR_USAGE names the option and the nearest column. */
EBR_FALLIBLE ebr_selection_add(ebr_selection *selection, const char *option, const char *names);
/* Adds the axes that vary, the status if not all runs are done, and the main measures. */
EBR_FALLIBLE ebr_selection_add_usual(ebr_selection *selection);
EBR_FALLIBLE ebr_selection_add_measures(ebr_selection *selection);
/* By one column; "-name" is descending. Runs without a value come last. */
EBR_FALLIBLE ebr_selection_sort(ebr_selection *selection, const char *name);

/* One cell as any format wants it. */
EBR_FALLIBLE ebr_selection_cell(ebr_results *results, ebr_format format, int64_t run, int column, ebr_text *text);
EBR_FALLIBLE ebr_selection_print(const ebr_selection *selection, ebr_format format, FILE *to);

#endif
