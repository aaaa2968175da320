/* Filter: which runs `--where` asks for. An expression over the columns of a results file: comparisons == != < <= > >= of
 * columns with numbers, texts and other columns, joined by && || ! and parentheses. A text may stand bare or quoted;
 * `none` is "not measured"; a column alone holds when it is neither 0 nor none. */
#ifndef EBR_APP_FILTER_H
#define EBR_APP_FILTER_H

#include <ebrsweep/store.h>

typedef struct ebr_filter ebr_filter;

/* EBR_USAGE with the column (from 1) of what is wrong. text is borrowed while this runs; NULL lets all runs pass. */
EBR_FALLIBLE ebr_filter_create(const ebr_results *results, const char *text, ebr_filter **filter);
void ebr_filter_destroy(ebr_filter **filter);
bool ebr_filter_match(const ebr_filter *filter, ebr_results *results, int64_t run);

/* The known column that is nearest to a name, or NULL. */
const char *ebr_filter_nearest(const ebr_results *results, const char *name);

#endif
