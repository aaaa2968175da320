/* Variable projection (Golub & Pereyra, SIAM J. Numerical Analysis 1973): c, which is linear, is the best one at each
 * t, and leaves one bounded unknown. The least of the squares is where their slope by t changes sign. */
#include "law/project.h"

#include <math.h>

enum { STEPS_MOST = 200 };

typedef struct problem {
  const ebr_form_row *form;
  const ebr_law_point *points;
  int count;
  double top;
} problem;

/* At one t. */
typedef struct place {
  double t, c, squares;
  double slope, curvature; /* of squares by t; the curvature is Gauss and Newton's */
} place;

double ebr_law_error_of(const ebr_law_point *point, double top) { return fmax(point->error, 1e-6 * top); }

/* h is taken relative to that at the largest m, so that no t makes it overflow. */
static place look(const problem *p, double t)
{
  const ebr_form_row *form = p->form;
  double last = p->points[p->count - 1].m, whole = form->shape(last, t), bend = 0;
  double hh = 0, hy = 0, yy = 0, sh = 0, sy = 0, ss = 0;
  if (form->slope) bend = form->slope(last, t) / whole;
  for (int k = 0; k < p->count; k++) {
    double error = ebr_law_error_of(&p->points[k], p->top), m = p->points[k].m;
    double h = form->shape(m, t) / whole / error, y = p->points[k].mean / error;
    double s = form->slope ? form->slope(m, t) / whole / error - h * bend : 0;
    hh += h * h;
    hy += h * y;
    yy += y * y;
    sh += s * h;
    sy += s * y;
    ss += s * s;
  }
  double u = fmax(0, hy / hh);
  return (place){.t = t,
                 .c = u / whole,
                 .squares = yy - 2 * u * hy + u * u * hh,
                 .slope = 2 * u * (u * sh - sy),
                 .curvature = 2 * u * u * (ss - sh * sh / hh)};
}

static double within(const ebr_form_row *form, double t) { return fmin(fmax(t, form->least), form->most); }

/* Downhill from start in growing steps until the slope has changed sign; false if a bound comes first. A step that ends
 * higher, yet downhill, has passed over a valley. */
static bool bracket(const problem *p, place *from, place *to)
{
  double way = from->slope > 0 ? -1 : 1, scale = 1 + fabs(from->t);
  double step = fmin(fmax(fabs(from->slope) / from->curvature, 1e-9 * scale), 0.1 * scale);
  for (int k = 0; k < STEPS_MOST; k++) {
    double t = within(p->form, from->t + way * step);
    if (t == from->t) return false;
    *to = look(p, t);
    if (to->slope * way >= 0) return true;
    bool higher = to->squares > from->squares * (1 + 1e-9);
    if (!higher) *from = *to;
    step *= higher ? 0.25 : 2;
  }
  return false;
}

/* Regula falsi with Illinois' halving: Dowell & Jarratt, BIT 1971. */
static place narrow(const problem *p, place a, place b)
{
  place found = b;
  double at_a = a.slope, at_b = b.slope;
  for (int k = 0; k < STEPS_MOST && fabs(b.t - a.t) > 1e-12 * (1 + fabs(b.t)) && at_a != at_b; k++) {
    place next = look(p, (a.t * at_b - b.t * at_a) / (at_b - at_a));
    bool close = fabs(next.t - found.t) <= 1e-11 * (1 + fabs(next.t));
    found = next;
    if (next.slope == 0 || close) break;
    if ((next.slope > 0) == (at_b > 0)) {
      at_a /= 2;
    } else {
      a = b;
      at_a = at_b;
    }
    b = next;
    at_b = next.slope;
  }
  return found;
}

void ebr_law_project(ebr_form form, const ebr_law_point *points, int count, double start,
                     double parameters[EBR_FORM_PARAMETERS_MOST])
{
  problem p = {ebr_form_row_of(form), points, count, 0};
  for (int k = 0; k < count; k++) p.top = fmax(p.top, points[k].mean);
  place from = look(&p, p.form->parameters > 1 ? within(p.form, start) : 0), to = from;
  if (p.form->parameters > 1 && from.slope != 0) from = bracket(&p, &from, &to) ? narrow(&p, from, to) : from;
  parameters[0] = from.c;
  parameters[1] = from.t;
}
