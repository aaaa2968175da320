/* Law: does the number of collisions grow quadratically with the number of modalities? Theory, fits, verdicts; and
 * verdicts about claims that compare arms.
 * Paper: Chaudhuri et al., ICML 2025, arXiv 2505.22483, Lemma 1. */
#ifndef EBRSWEEP_LAW_H
#define EBRSWEEP_LAW_H

#include <ebrsweep/allocation.h>
#include <ebrsweep/parallel.h>

/* ---- random allocation: the null model --------------------------------------------------------------------------- */

/* Exact: E[pairs] = sum_{i<j} k_i k_j / n; a_i = 1 - (1 - 1/n)^k_i is a modality's occupancy, and a neuron holds two or
 * more with probability 1 - prod(1 - a_i) - sum_i a_i prod_{j!=i} (1 - a_j). Design, 'The law'. redraws is ignored. */
void ebr_allocation_expected(const ebr_allocation *allocation, ebr_allocated *expected);

/* ---- forms ------------------------------------------------------------------------------------------------------- */

/* A count of collisions at m modalities; p = m(m-1)/2 is the number of pairs of modalities. */
typedef enum ebr_form {
  EBR_FORM_LINEAR,      /* c (m - 1) */
  EBR_FORM_QUADRATIC,   /* c p: the claim */
  EBR_FORM_PAIRS_POWER, /* c p^gamma: gamma = 1 is the claim */
  EBR_FORM_POWER,       /* c m^alpha */
  EBR_FORM_ALLOCATION,  /* c P(a neuron holds two or more modalities), each with occupancy a */
  EBR_FORM_SATURATING,  /* c p / (1 + r p) */
  EBR_FORMS
} ebr_form;

enum { EBR_FORM_PARAMETERS_MOST = 2 };

const char *ebr_form_name(ebr_form form);
const char *ebr_form_formula(ebr_form form);
int ebr_form_parameters(ebr_form form);
const char *ebr_form_parameter_name(ebr_form form, int parameter); /* "c", "gamma", ... */
double ebr_form_value(ebr_form form, double m, const double *parameters);

/* ---- fits -------------------------------------------------------------------------------------------------------- */

/* Means over seeds at one m. */
typedef struct ebr_law_point {
  double m, mean;
  double error; /* standard error of the mean; 0 is taken as a millionth of the largest mean */
} ebr_law_point;

typedef struct ebr_law_fit {
  double parameters[EBR_FORM_PARAMETERS_MOST];
  double squares; /* sum of squared residuals in standard errors */
  double aicc;    /* squares + 2 k + 2 k (k + 1) / (N - k - 1); Inf if N <= k + 1. Hurvich & Tsai, Biometrika 1989 */
} ebr_law_fit;

typedef struct ebr_fitter ebr_fitter;

/* Local. Bounded weighted least squares by PETSc's TAO (BRGN); PETSc must be initialised, and the fitter destroyed
 * before it is finalised. points (count) is copied by each fit; count is fixed. */
EBR_FALLIBLE ebr_fitter_create(int count, ebr_fitter **fitter);
void ebr_fitter_destroy(ebr_fitter **fitter);
/* EBR_RESULTS if the means are not finite or none is positive. m >= 2, ascending. */
EBR_FALLIBLE ebr_fitter_fit(ebr_fitter *fitter, ebr_form form, const ebr_law_point *points, ebr_law_fit *fit);

/* ---- one group of runs ------------------------------------------------------------------------------------------- */

/* The counts of runs that differ in m and seed alone. */
typedef struct ebr_law_run {
  double m, count;
} ebr_law_run;

enum { EBR_LAW_MODALITIES_MOST = 64, EBR_LAW_WORDS = 512 };

typedef enum ebr_verdict { EBR_VERDICT_SUPPORTED, EBR_VERDICT_REFUTED, EBR_VERDICT_CANNOT_TELL } ebr_verdict;

typedef struct ebr_law_study {
  int points;
  ebr_law_point point[EBR_LAW_MODALITIES_MOST];
  int seeds[EBR_LAW_MODALITIES_MOST];          /* runs at each point */
  double local_gamma[EBR_LAW_MODALITIES_MOST]; /* between points k and k + 1: d ln count / d ln p */
  ebr_law_fit fit[EBR_FORMS];
  double weight[EBR_FORMS]; /* AICc weights: sum 1. Burnham & Anderson 2002 */
  ebr_form best;            /* fewest parameters among those with an AICc within 2 of the least */
  double residual[EBR_FORMS][EBR_LAW_MODALITIES_MOST]; /* (mean - fitted) / standard error at each point */
  double interval[EBR_FORMS][EBR_FORM_PARAMETERS_MOST][2]; /* 95 %, bootstrap over seeds */
  double quadratic_alpha; /* alpha that an exactly quadratic count has at these m with these relative errors */
  ebr_verdict alpha_verdict; /* what one would say who takes alpha = 2 for the claim; it misleads if not verdict */
  ebr_verdict verdict;
  char words[EBR_LAW_WORDS]; /* the verdict with its numbers */
} ebr_law_study;

const char *ebr_verdict_name(ebr_verdict verdict);

/* Collective over comm; every rank passes the same runs (count, any order), key and resamples and gets the same bits,
 * whatever the number of ranks. Fits all forms to the means over seeds, weighted by their standard errors; resamples
 * seeds within each m for intervals. Too little data (fewer than three m, one run at an m, no count above 0) is a
 * verdict 'cannot tell' whose words say why, with nothing fitted. EBR_RESULTS for a count that is not finite. */
EBR_FALLIBLE ebr_law_study_make(MPI_Comm comm, const ebr_law_run *runs, int64_t count, uint64_t key, int resamples,
                                ebr_law_study *study);

/* ---- a claim about two arms -------------------------------------------------------------------------------------- */

/* Differences, one a seed, between runs that share their data and initial weights. */
typedef struct ebr_comparison {
  int seeds;
  double effect;       /* mean difference; NaN with no seed */
  double interval[2];  /* 95 %, bootstrap over seeds; NaN with fewer than two */
  double standardised; /* mean / standard deviation: Cohen's d of paired samples */
  double p;            /* Wilcoxon signed-rank, two-sided; 1 with no difference other than 0 */
  double adjusted;     /* p after Holm's correction, by ebr_comparisons_correct; p until then */
} ebr_comparison;

enum { EBR_CLAIM_CONTROLS_MOST = 4 };

/* What is said of the arms, and what would show it. Effects are treated - reference, and treated - control. */
typedef struct ebr_claim_case {
  int direction;   /* 1: the effect is said to be positive; -1: negative; 0: there is said to be one */
  double smallest; /* the smallest effect that matters, > 0 */
  ebr_comparison main;
  int controls;
  ebr_comparison control[EBR_CLAIM_CONTROLS_MOST]; /* treated - control */
  const char *control_name[EBR_CLAIM_CONTROLS_MOST];
} ebr_claim_case;

/* Two-sided p of the signed-rank statistic (Wilcoxon 1945), zeros left out, ties by mean ranks: exactly, over all signs,
 * up to 200 differences, by the normal approximation with its correction for ties beyond. Local. */
EBR_FALLIBLE ebr_wilcoxon(const double *differences, int count, double *p);

/* Local. differences (count), finite; their order changes no bit. key picks the resamples, of which there are >= 1. */
EBR_FALLIBLE ebr_comparison_make(const double *differences, int count, uint64_t key, int resamples,
                                 ebr_comparison *comparison);

/* Sets adjusted of all (Holm, Scand. J. Statistics 1979); those without seeds are not counted. Local. */
EBR_FALLIBLE ebr_comparisons_correct(ebr_comparison *const *comparisons, int count);

/* Fewest seeds with which the exact test can reach 5 % among so many comparisons. */
int ebr_comparisons_seeds_needed(int comparisons);

/* Supported: the interval leaves 0 out on the claimed side, p is below 5 % after correction, and the same holds against
 * every control. Refuted: the interval ends below the smallest effect that matters, or that against a control ends below
 * both it and a fifth of the effect: the control does it alone. Else, or with too few seeds for so many
 * comparisons: cannot tell. words (size) gets the reason, without the verdict. */
ebr_verdict ebr_claim_judge(const ebr_claim_case *claim, int comparisons, char *words, size_t size);

/* ---- marginal contribution against collisions -------------------------------------------------------------------- */

typedef struct ebr_law_pair {
  double m, count;
  double contribution; /* of a modality, mean over the run's modalities, in test loss */
} ebr_law_pair;

typedef struct ebr_law_slope {
  double slope;       /* change of contribution when collisions double; NaN if either does not vary within any m */
  double interval[2]; /* 95 %, bootstrap over seeds */
  double correlation; /* within m */
  int64_t runs;
} ebr_law_slope;

/* Local. Theorem 1: a modality contributes less where collisions are more. Least squares of contribution on
 * count / mean count, both centred within each m; the order of runs changes no bit. All values must be finite;
 * resamples at least 1. */
EBR_FALLIBLE ebr_law_slope_make(const ebr_law_pair *runs, int64_t count, uint64_t key, int resamples,
                                ebr_law_slope *slope);

#endif
