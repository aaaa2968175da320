/* Layout: what one row of /runs holds and where: the state of the run, then axes, other parameters, measures. Made from a
 * sweep and a schema, or read from a file. A row is packed bytes in this machine's own number formats. */
#ifndef EBR_STORE_LAYOUT_H
#define EBR_STORE_LAYOUT_H

#include "store/calls.h"

#include <ebrsweep/store.h>

typedef enum ebr_column_role { EBR_COLUMN_STATE, EBR_COLUMN_AXIS, EBR_COLUMN_PARAMETER, EBR_COLUMN_MEASURE } ebr_column_role;

typedef enum ebr_type {
  EBR_TYPE_TEXT, /* padded with NUL, not ended by it */
  EBR_TYPE_INT32,
  EBR_TYPE_INT64,
  EBR_TYPE_UINT64,
  EBR_TYPE_REAL, /* double */
  EBR_TYPE_BOOL  /* one byte; the enum that h5py shows as bool */
} ebr_type;

/* The fields that every row starts with. */
typedef enum ebr_state {
  EBR_STATE_ID,
  EBR_STATE_STATUS,
  EBR_STATE_REASON,
  EBR_STATE_STARTED,
  EBR_STATE_SECONDS,
  EBR_STATE_HOST,
  EBR_STATE_RANK,
  EBR_STATE_CHECKSUM,
  EBR_STATE_SERIES, /* since format 2 */
  EBR_STATE_COUNT
} ebr_state;

typedef struct ebr_field {
  char name[64], unit[16], meaning[160];
  ebr_column_role role;
  ebr_type type;
  int parameter;       /* index into the parameter table, or -1 */
  size_t size, offset; /* [bytes] */
} ebr_field;

typedef struct ebr_layout {
  ebr_field *field; /* the first EBR_STATE_COUNT are the state; in a file of format 1 all but the last of them */
  int count, capacity;
  size_t stride; /* of a row [bytes] */
} ebr_layout;

void ebr_layout_destroy(ebr_layout *layout);
/* Text columns become as wide as the sweep's longest value. Walks over all runs. */
EBR_FALLIBLE ebr_layout_plan(const ebr_sweep *sweep, const ebr_schema *schema, ebr_layout *layout);
EBR_FALLIBLE ebr_layout_copy(const ebr_layout *layout, ebr_layout *copy);
/* Columns of the state that older formats lack are added, and texts become wide enough for the defaults. */
EBR_FALLIBLE ebr_layout_renew(ebr_layout *layout);
/* Widens layout so that every row of old fits: old columns that it lacks, longer texts. */
EBR_FALLIBLE ebr_layout_merge(ebr_layout *layout, const ebr_layout *old, const char *path);
bool ebr_layout_same(const ebr_layout *a, const ebr_layout *b);
int ebr_layout_find(const ebr_layout *layout, const char *name); /* index, or -1 */

/* What the state fields are, and the two steps every layout is made by. */
typedef struct ebr_state_field {
  const char *name;
  ebr_type type;
  size_t size; /* [bytes] */
  const char *unit, *meaning;
} ebr_state_field;
const ebr_state_field *ebr_layout_state(int index);
EBR_FALLIBLE ebr_layout_add(ebr_layout *layout, const char *name, ebr_column_role role, ebr_type type, size_t size);
/* Orders fields as state, axes, parameters, measures, each as they were added, and gives them their offsets. */
EBR_FALLIBLE ebr_layout_place(ebr_layout *layout);

/* As an HDF5 compound type, and from one; names, roles and units beside it stand in /columns. */
EBR_FALLIBLE ebr_layout_type(const ebr_layout *layout, const char *path, hid_t *type);
EBR_FALLIBLE ebr_layout_read(const char *path, hid_t file, hid_t runs, ebr_layout *layout);
EBR_FALLIBLE ebr_layout_write_columns(const ebr_layout *layout, const char *path, hid_t file);

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* Writes parameters into row. before is the config whose parameters row already holds, or NULL: packing only what
 * changed makes a million rows cheap. */
EBR_FALLIBLE ebr_row_pack(const ebr_layout *layout, const ebr_config *config, const ebr_config *before,
                          unsigned char *row);
/* All measures become NaN. */
void ebr_row_forget(const ebr_layout *layout, unsigned char *row);
/* layout must be of the newest format. */
void ebr_row_set(const ebr_layout *layout, const ebr_row *state, unsigned char *row);
void ebr_row_get(const ebr_layout *layout, const unsigned char *row, ebr_row *state);
ebr_status ebr_row_status(const ebr_layout *layout, const unsigned char *row);
uint64_t ebr_row_id(const ebr_layout *layout, const unsigned char *row);
/* The checksum is over all other bytes of the row. */
void ebr_row_seal(const ebr_layout *layout, unsigned char *row);
bool ebr_row_intact(const ebr_layout *layout, const unsigned char *row);

double ebr_field_number(const ebr_field *field, const unsigned char *row); /* NaN for text */
size_t ebr_field_length(const ebr_field *field, const unsigned char *row); /* of a text, without padding */
/* Copies a value between rows of different layouts; a text must fit, numbers are converted. */
void ebr_field_copy(const ebr_field *from, const unsigned char *source, const ebr_field *to, unsigned char *target);

#endif
