#include "law/forms.h"

#include <math.h>

static double pairs(double m) { return m * (m - 1) / 2; }

/* P(at least two of m independent events of probability a), and its derivative by a. */
static double two_or_more(double m, double a) { return 1 - pow(1 - a, m) - m * a * pow(1 - a, m - 1); }
static double two_or_more_slope(double m, double a) { return m * (m - 1) * a * pow(1 - a, m - 2); }

/* Each form is c h(m, t) with at most one t; slope is dh/dt. */
static double linear(double m, double t) { return m - 1; }
static double quadratic(double m, double t) { return pairs(m); }
static double pairs_power(double m, double t) { return pow(pairs(m), t); }
static double pairs_power_slope(double m, double t) { return pairs_power(m, t) * log(pairs(m)); }
static double power(double m, double t) { return pow(m, t); }
static double power_slope(double m, double t) { return power(m, t) * log(m); }
/* In r = 1 / s, so that the claim is an inner point's neighbour, r = 0, and not infinitely far. */
static double saturating(double m, double t) { return pairs(m) / (1 + pairs(m) * t); }
static double saturating_slope(double m, double t) { return -saturating(m, t) * saturating(m, t); }

static const ebr_form_row forms[EBR_FORMS] = {
    {"linear", "c (m - 1)", 1, {"c", ""}, linear, NULL, 0, 0, 0},
    {"quadratic", "c m(m-1)/2", 1, {"c", ""}, quadratic, NULL, 0, 0, 0},
    {"pairs-power", "c (m(m-1)/2)^gamma", 2, {"c", "gamma"}, pairs_power, pairs_power_slope, 1, 0, 8},
    {"power", "c m^alpha", 2, {"c", "alpha"}, power, power_slope, 2, 0, 16},
    {"allocation",
     "c (1 - (1-a)^m - m a (1-a)^(m-1))",
     2,
     {"c", "a"},
     two_or_more,
     two_or_more_slope,
     0.2,
     1e-3,
     0.999},
    {"saturating", "c (m(m-1)/2) / (1 + r m(m-1)/2)", 2, {"c", "r"}, saturating, saturating_slope, 0.05, 0, 1e3},
};

const ebr_form_row *ebr_form_row_of(ebr_form form) { return &forms[form]; }
const char *ebr_form_name(ebr_form form) { return forms[form].name; }
const char *ebr_form_formula(ebr_form form) { return forms[form].formula; }
int ebr_form_parameters(ebr_form form) { return forms[form].parameters; }
const char *ebr_form_parameter_name(ebr_form form, int parameter) { return forms[form].parameter[parameter]; }

double ebr_form_value(ebr_form form, double m, const double *parameters)
{
  return parameters[0] * forms[form].shape(m, forms[form].parameters > 1 ? parameters[1] : 0);
}
