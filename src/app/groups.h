/* Groups: runs that agree in some columns, and the mean and standard error of other columns over each group's runs. */
#ifndef EBR_APP_GROUPS_H
#define EBR_APP_GROUPS_H

#include "app/selection.h"

/* One line a group, in order of first appearance: the columns of `by`, the number of runs that are done, and for each
 * column of `of` mean +- standard error (EBR_FORMAT_CSV and JSON: two columns, NAME and NAME.standard_error). */
EBR_FALLIBLE ebr_groups_print(const ebr_selection *by, const ebr_selection *of, ebr_format format, FILE *to);

#endif
