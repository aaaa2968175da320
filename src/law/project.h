/* Fits of resamples: the same least squares as ebr_fitter_fit's, some hundred times cheaper, for one unknown beside c.
 */
#ifndef EBR_LAW_PROJECT_H
#define EBR_LAW_PROJECT_H

#include "law/forms.h"

/* Local, allocates nothing. points (count, ascending in m) have a finite mean and error, one mean above 0. start: t
 * that the search goes downhill from, a fit of nearby points. */
void ebr_law_project(ebr_form form, const ebr_law_point *points, int count, double start,
                     double parameters[EBR_FORM_PARAMETERS_MOST]);

/* The standard error that a point counts with, where top is the largest mean. */
double ebr_law_error_of(const ebr_law_point *point, double top);

#endif
