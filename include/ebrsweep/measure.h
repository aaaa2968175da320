/* Measure: what is read off a trained network. Each measure is one file and one line in ebr_measures (src/measure/
 * table.c): it declares its columns, curves and spectra for a run's configuration, and later fills them.
 *
 * A schema is the union of what the runs of a sweep declare; a record is one run's values in a schema's layout; store
 * writes records without knowing what they mean. */
#ifndef EBRSWEEP_MEASURE_H
#define EBRSWEEP_MEASURE_H

#include <ebrsweep/train.h>

/* ---- schema and record ------------------------------------------------------------------------------------------- */

/* points = values = 1: a scalar column of /runs. values = 1: a curve, /curves/<name> (runs x points).
 * Otherwise /spectra/<name> (runs x points x values). */
typedef struct ebr_column {
  char name[64];
  char unit[16];
  char meaning[160];
  int points, values;
  size_t offset; /* into a record's values [doubles] */
} ebr_column;

typedef struct ebr_schema ebr_schema;

EBR_FALLIBLE ebr_schema_create(ebr_schema **schema);
void ebr_schema_destroy(ebr_schema **schema);
/* Adds a column, or widens the one of that name to at least these points and values. Order of first mention is kept. */
EBR_FALLIBLE ebr_schema_add(ebr_schema *schema, const char *name, const char *unit, const char *meaning, int points,
                            int values);
int ebr_schema_count(const ebr_schema *schema);
const ebr_column *ebr_schema_at(const ebr_schema *schema, int index);
int ebr_schema_find(const ebr_schema *schema, const char *name); /* index, or -1 */
size_t ebr_schema_size(const ebr_schema *schema);                /* of a record's values [doubles] */

typedef struct ebr_record {
  const ebr_schema *schema; /* borrowed */
  double *values;           /* (ebr_schema_size), NaN = not measured; a curve's or spectrum's points are contiguous */
  int next;                 /* where the search for a column begins: who fills in the schema's order, searches little */
} ebr_record;

EBR_FALLIBLE ebr_record_create(const ebr_schema *schema, ebr_record **record);
void ebr_record_destroy(ebr_record **record);
void ebr_record_clear(ebr_record *record); /* all NaN */
/* Sets value [point][index] of a column; EBR_INTERNAL for a column or place that nobody declared. */
EBR_FALLIBLE ebr_record_set(ebr_record *record, const char *name, int point, int index, double value);
/* The same for count >= 1 values from [point][index] on. */
EBR_FALLIBLE ebr_record_fill(ebr_record *record, const char *name, int point, int index, int count,
                             const double *values);

/* ---- measures ---------------------------------------------------------------------------------------------------- */

/* Points at which curves and spectra are taken: epoch 0, every measure.every epochs, and the last. */
int ebr_measure_points(const ebr_config *config);
/* The point that epoch [0, train.epochs] is, or -1. */
int ebr_measure_point(const ebr_config *config, int epoch);

/* Training samples that a point of the curves looks at: all at the last, before that at most measure.curve_samples. */
int ebr_measure_train_rows(const ebr_config *config, int train_count, bool last);

/* What regressions on the true features behind a test set have in common: found by the first, for all runs of these data
 * that have it from their subject. Local. */
typedef struct ebr_truth ebr_truth;
EBR_FALLIBLE ebr_truth_create(ebr_truth **truth);
void ebr_truth_destroy(ebr_truth **truth);

/* What a measure may look at. Borrowed. */
typedef struct ebr_subject {
  const ebr_config *config;
  const ebr_samples *samples;
  ebr_trainer *trainer;
  ebr_team *team;           /* who measures it together; NULL: this rank alone */
  ebr_truth *truth;         /* to look into first, and to leave it in; NULL: found anew for each regression */
  int only;                 /* as in ebr_network_create */
  int point;                /* which point of the curves this is */
  bool last;                /* the end of training: scalars are taken now */
  const ebr_losses *losses; /* means over the last epoch, or NULL before the first */
  const ebr_scores *alone;  /* (m) test scores of each modality's unimodal network, or NULL */
  const double
      *alone_contribution; /* (m) rise of that network's test loss when its modality is removed [nats], or NULL */
  /* Of the passes that a measure asked for in watch: scores, and what it kept. */
  const ebr_scores *train_scores, *test_scores;
  void *kept;
} ebr_subject;

/* What a measure wants of the two passes over the samples that all measures of a point share: one over the test set,
 * one over ebr_measure_train_rows of the training samples, at even distances. */
typedef struct ebr_watcher {
  bool train, test;                /* which passes it needs */
  ebr_visit *see_train, *see_test; /* called for each chunk with kept as context, to read only; NULL: scores do */
  ebr_visit *try_test;             /* called when all have seen a test chunk: may fuse anew, puts fused back; or NULL */
  void *kept;                      /* what take finds in its subject, and forget frees */
} ebr_watcher;

typedef struct ebr_measure {
  const char *name;
  const char *help;
  /* Declares what take will set for this configuration; shape is that of the run's data. */
  ebr_error *(*declare)(const ebr_config *config, const ebr_shape *shape, ebr_schema *schema);
  ebr_error *(*take)(const ebr_subject *subject, ebr_record *record);
  /* The rest is optional, which is NULL. */
  ebr_error *(*watch)(const ebr_subject *subject, ebr_watcher *watcher); /* before the passes of this point */
  void (*forget)(void *kept);                                           /* after take, or an error */
  /* What take allocates at most at one time, beside trainer and samples, and what is kept for it [bytes]. */
  size_t (*bytes)(const ebr_config *config, const ebr_shape *shape);
  size_t (*kept_bytes)(const ebr_config *config, const ebr_shape *shape);
} ebr_measure;

int ebr_measure_count(void);
const ebr_measure *ebr_measure_at(int index);
/* All measures: the whole of what run needs. */
EBR_FALLIBLE ebr_measures_declare(const ebr_config *config, const ebr_shape *shape, ebr_schema *schema);
/* Collective on the subject's team: its ranks divide the measures among them, and rank 0's record gets them all; the
 * others' are left with part. Errors are agreed. */
EBR_FALLIBLE ebr_measures_take(const ebr_subject *subject, ebr_record *record);
/* Local. One measure by itself. */
EBR_FALLIBLE ebr_measure_take(const ebr_measure *measure, const ebr_subject *subject, ebr_record *record);
/* What is kept of the passes is there at one time, what else they need one after the other [bytes]. */
size_t ebr_measures_bytes(const ebr_config *config, const ebr_shape *shape);

/* Mean-replaced loss: removes modality (the data's index; its fused slice becomes its mean over the training samples
 * that have it) and scores the test set. For contributions, and for the unimodal baselines in run. */
EBR_FALLIBLE ebr_measure_without(ebr_trainer *trainer, const ebr_samples *samples, int only, int modality,
                                 ebr_scores *scores);

/* ---- spectra ----------------------------------------------------------------------------------------------------- */

/* Rank measures of a list of singular values s, descending. Design, 'Measures'; Roy & Vetterli 2007 for effective rank.
 */
typedef struct ebr_ranks {
  double numerical;     /* s > max(rows, cols) eps s_1 */
  double numerical_2;   /* s > 1e-2 s_1 */
  double numerical_3;   /* s > 1e-3 s_1 */
  double effective;     /* exp(-sum p log p), p = s / sum s */
  double stable;        /* ||A||_F^2 / s_1^2 */
  double participation; /* (sum s^2)^2 / sum s^4 */
  double nuclear;       /* sum s */
  double condition;     /* s_1 / s_last */
} ebr_ranks;

/* All zero: ranks 0, condition NaN. Any not finite: all NaN. */
void ebr_ranks_from(const double *singular, int count, int rows, int cols, ebr_ranks *ranks);
/* Singular values of a row-major (rows x cols) matrix, descending, min(rows, cols) of them: up to 1024 of them in a core's
 * cache, more by LAPACK. a is destroyed. All NaN if an entry of a is not finite: a network that diverged is a result. */
EBR_FALLIBLE ebr_singular_values(double *a, int rows, int cols, double *singular);

#endif
