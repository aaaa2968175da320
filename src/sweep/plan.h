/* The inside of a sweep. Private to the sweep module.
 *
 * Read top-level keys (sweep.c) -> axes (axes.c, sample.c) -> overrides (sweep.c) -> expand and check (expand.c).
 *
 * Axes that walk together form a group; groups are crossed. A run is one number, its position: mixed radix over the
 * groups in the file's order, the first one slowest, so that a run costs 16 bytes. A group with conditions has one more
 * digit value, 0 = the conditions do not hold and the group leaves everything as it is. */
#ifndef EBR_SWEEP_PLAN_H
#define EBR_SWEEP_PLAN_H

#include <ebrsweep/sweep.h>
#include <sweep/expression.h>
#include <sweep/identity.h>
#include <sweep/yaml.h>

/* A fuzzer would spend its time on expanding. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
enum { EBR_RUNS_MOST = 2000, EBR_POINTS_MOST = 2000 };
#else
enum { EBR_RUNS_MOST = EBR_SWEEP_RUNS_MOST, EBR_POINTS_MOST = 1000000 /* of a sample */ };
#endif

/* One parameter of a group. */
typedef struct ebr_column {
  int parameter;
  int64_t from, step;       /* of a range */
  unsigned char *values;    /* [points x ebr_value_size]; NULL for a range */
  ebr_expression **derived; /* [points]; NULL if none is derived */
  const ebr_yaml *where;    /* the key; valid while the file is read */
  const ebr_yaml *list;     /* one node a point, or NULL; valid while the file is read */
} ebr_column;

typedef struct ebr_condition {
  int parameter;
  int count;
  unsigned char *values; /* [count x ebr_value_size] */
  int owner, column;     /* the group that sets the parameter and where in it; -1 = the base does */
  const ebr_yaml *where;
} ebr_condition;

typedef struct ebr_group {
  int64_t points;
  int column_count;
  ebr_column *columns;
  int condition_count;
  ebr_condition *conditions;
  const ebr_yaml *where;
} ebr_group;

struct ebr_sweep {
  char *name, *question, *text, *folder;
  ebr_config base;
  ebr_expression *derived[EBR_PARAMETER_COUNT]; /* of the base; NULL = not derived */
  int group_count;
  ebr_group *groups;
  int64_t count;
  uint64_t *positions; /* [count]; NULL = the run's number is its position */
  uint64_t *ids;       /* [count] */
  ebr_identity *identity;
};

/* What is needed only while the file is read. */
typedef struct ebr_reader {
  ebr_sweep *sweep;
  const char *path;
  const ebr_yaml *root;
  const ebr_yaml *set_by[EBR_PARAMETER_COUNT];    /* the node behind each base value, or NULL */
  const char *overridden_by[EBR_PARAMETER_COUNT]; /* the --set behind it, or NULL */
  size_t bytes;                                   /* of the values of axes and conditions so far */
} ebr_reader;

/* A value as text in flow style; EBR_SWEEP for a map. */
EBR_FALLIBLE ebr_read_value_text(const ebr_reader *reader, const ebr_yaml *node, ebr_text *text);
/* One value to its place in an array of field bytes. */
EBR_FALLIBLE ebr_read_value(const ebr_reader *reader, int parameter, const ebr_yaml *node, unsigned char *place);
/* Index of a parameter; an error with the nearest name if there is none. */
EBR_FALLIBLE ebr_read_parameter(const ebr_reader *reader, const ebr_yaml *key, const char *name, int *parameter);
/* Appends the groups under axes:. */
EBR_FALLIBLE ebr_read_axes(ebr_reader *reader, const ebr_yaml *axes);
EBR_FALLIBLE ebr_read_sample(ebr_reader *reader, const ebr_yaml *key, const ebr_yaml *sample);
/* The arms of a sample, whose columns are drawn: multiplies the group's points by their number. */
EBR_FALLIBLE ebr_read_arms(ebr_reader *reader, ebr_group *group, const ebr_yaml *arms);
EBR_FALLIBLE ebr_read_group(ebr_reader *reader, const ebr_yaml *where, ebr_group **group);
EBR_FALLIBLE ebr_read_conditions(ebr_reader *reader, ebr_group *group, const ebr_yaml *when);
/* A new column of the last group. */
EBR_FALLIBLE ebr_read_column(ebr_reader *reader, ebr_group *group, const ebr_yaml *key, ebr_column **column);
EBR_FALLIBLE ebr_read_integer(const ebr_reader *reader, const ebr_yaml *node, const char *what, int64_t least,
                              int64_t most, int64_t *value);
/* Room for count values of size bytes each, all zero, which the caller frees. EBR_SWEEP once all of the sweep's values
 * together are larger than any sweep needs: an alias repeats a long list in four letters. */
EBR_FALLIBLE ebr_reader_allocate(ebr_reader *reader, const ebr_yaml *where, size_t count, size_t size, void **room);
void ebr_group_clear(ebr_group *group);
void ebr_column_clear(ebr_column *column, int64_t points);

/* Counts, checks and names all runs. */
EBR_FALLIBLE ebr_expand(ebr_reader *reader);

/* An expression for a parameter that takes one number. */
EBR_FALLIBLE ebr_derive(int parameter, const char *text, ebr_expression **expression);
int64_t ebr_group_radix(const ebr_group *group);
/* Index of each group's point in a run; -1 where its conditions do not hold. */
void ebr_position_split(const ebr_sweep *sweep, uint64_t position, int64_t *points);
/* The values of one run, derived ones too, not canonical. On an error *parameter is the one that cannot be derived. */
EBR_FALLIBLE ebr_run_resolve(const ebr_sweep *sweep, const int64_t *points, ebr_config *config, int *parameter);

#endif
