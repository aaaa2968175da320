#include "store/layout.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The checksums of rows and series are of little-endian numbers, in memory as in the files of every machine so far. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "big-endian machines would need checksums of swapped bytes");

static void put_text(const ebr_field *field, unsigned char *row, const char *text, size_t length)
{
  if (length > field->size) length = field->size;
  memcpy(row + field->offset, text, length);
  memset(row + field->offset + length, 0, field->size - length);
}

static void put_number(const ebr_field *field, unsigned char *row, double value)
{
  int32_t narrow = 0;
  int64_t wide = 0;
  uint64_t positive = 0;
  unsigned char flag = value != 0;
  bool fits = fabs(value) < 9e18; /* false for NaN: an integer has no such thing */
  if (fits) wide = (int64_t)value;
  if (fits && value >= 0) positive = (uint64_t)value;
  if (fits && wide >= INT32_MIN && wide <= INT32_MAX) narrow = (int32_t)wide;
  switch (field->type) {
    case EBR_TYPE_TEXT: break;
    case EBR_TYPE_INT32: memcpy(row + field->offset, &narrow, sizeof narrow); break;
    case EBR_TYPE_INT64: memcpy(row + field->offset, &wide, sizeof wide); break;
    case EBR_TYPE_UINT64: memcpy(row + field->offset, &positive, sizeof positive); break;
    case EBR_TYPE_REAL: memcpy(row + field->offset, &value, sizeof value); break;
    case EBR_TYPE_BOOL: row[field->offset] = flag; break;
  }
}

double ebr_field_number(const ebr_field *field, const unsigned char *row)
{
  int32_t narrow;
  int64_t wide;
  uint64_t positive;
  double real;
  const unsigned char *from = row + field->offset;
  switch (field->type) {
    case EBR_TYPE_TEXT: return NAN;
    case EBR_TYPE_INT32: return memcpy(&narrow, from, sizeof narrow), narrow;
    case EBR_TYPE_INT64: return memcpy(&wide, from, sizeof wide), (double)wide;
    case EBR_TYPE_UINT64: return memcpy(&positive, from, sizeof positive), (double)positive;
    case EBR_TYPE_REAL: return memcpy(&real, from, sizeof real), real;
    case EBR_TYPE_BOOL: return *from != 0;
  }
  return NAN;
}

size_t ebr_field_length(const ebr_field *field, const unsigned char *row)
{
  return strnlen((const char *)row + field->offset, field->size);
}

void ebr_field_copy(const ebr_field *from, const unsigned char *source, const ebr_field *to, unsigned char *target)
{
  if (from->type == EBR_TYPE_TEXT && to->type == EBR_TYPE_TEXT)
    put_text(to, target, (const char *)source + from->offset, ebr_field_length(from, source));
  else if (from->type == to->type)
    memcpy(target + to->offset, source + from->offset, to->size);
  else
    put_number(to, target, ebr_field_number(from, source));
}

/* ---- parameters -------------------------------------------------------------------------------------------------- */

static size_t config_bytes(ebr_kind kind)
{
  switch (kind) {
    case EBR_KIND_INT: return sizeof(EBR_FIELD_INT);
    case EBR_KIND_REAL: return sizeof(EBR_FIELD_REAL);
    case EBR_KIND_BOOL: return sizeof(EBR_FIELD_BOOL);
    case EBR_KIND_CHOICE: return sizeof(EBR_FIELD_CHOICE);
    case EBR_KIND_TEXT: return sizeof(EBR_FIELD_TEXT);
    case EBR_KIND_INTS:
    case EBR_KIND_REALS: return sizeof(ebr_list);
    case EBR_KIND_CHOICES: return sizeof(EBR_FIELD_CHOICES);
  }
  return 0;
}

static ebr_error *pack_text(const ebr_field *field, const ebr_config *config, unsigned char *row)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  EBR_TRY(ebr_config_get(config, field->parameter, &text));
  EBR_CHECK(text.length <= field->size, EBR_INTERNAL, "column '%s' has %zu bytes, too few for '%s'", field->name,
            field->size, text.data);
  put_text(field, row, text.data ? text.data : "", text.length);
done:
  ebr_text_destroy(&text);
  return error;
}

static ebr_error *pack_field(const ebr_field *field, const ebr_config *config, const ebr_config *before,
                             unsigned char *row)
{
  ebr_error *error = NULL;
  const ebr_parameter *parameter = ebr_parameter_at(field->parameter);
  const unsigned char *value = (const unsigned char *)config + parameter->offset;
  if (before && memcmp(value, (const unsigned char *)before + parameter->offset, config_bytes(parameter->kind)) == 0)
    goto done;
  switch (parameter->kind) {
    case EBR_KIND_INT: put_number(field, row, (double)*(const EBR_FIELD_INT *)value); break;
    case EBR_KIND_REAL: put_number(field, row, *(const EBR_FIELD_REAL *)value); break;
    case EBR_KIND_BOOL: put_number(field, row, *(const EBR_FIELD_BOOL *)value); break;
    default: EBR_TRY(pack_text(field, config, row));
  }
done:
  return error;
}

ebr_error *ebr_row_pack(const ebr_layout *layout, const ebr_config *config, const ebr_config *before, unsigned char *row)
{
  ebr_error *error = NULL;
  for (int i = 0; i < layout->count; i++)
    if (layout->field[i].parameter >= 0) EBR_TRY(pack_field(&layout->field[i], config, before, row));
done:
  return error;
}

void ebr_row_forget(const ebr_layout *layout, unsigned char *row)
{
  for (int i = 0; i < layout->count; i++)
    if (layout->field[i].role == EBR_COLUMN_MEASURE) put_number(&layout->field[i], row, NAN);
}

/* ---- state ------------------------------------------------------------------------------------------------------- */

void ebr_row_set(const ebr_layout *layout, const ebr_row *state, unsigned char *row)
{
  const ebr_field *field = layout->field;
  const char *status = ebr_status_name(state->status);
  char id[20];
  snprintf(id, sizeof id, "%016" PRIx64, state->id);
  put_text(&field[EBR_STATE_ID], row, id, strlen(id));
  put_text(&field[EBR_STATE_STATUS], row, status, strlen(status));
  put_text(&field[EBR_STATE_REASON], row, state->reason, strnlen(state->reason, sizeof state->reason));
  put_text(&field[EBR_STATE_HOST], row, state->host, strnlen(state->host, sizeof state->host));
  put_number(&field[EBR_STATE_STARTED], row, state->started);
  put_number(&field[EBR_STATE_SECONDS], row, state->seconds);
  put_number(&field[EBR_STATE_RANK], row, state->rank);
  memcpy(row + field[EBR_STATE_SERIES].offset, &state->series, sizeof state->series);
}

static bool has_series(const ebr_layout *layout)
{
  return layout->count > EBR_STATE_SERIES && layout->field[EBR_STATE_SERIES].role == EBR_COLUMN_STATE;
}

uint64_t ebr_row_id(const ebr_layout *layout, const unsigned char *row)
{
  char text[17] = "";
  memcpy(text, row + layout->field[EBR_STATE_ID].offset, 16);
  return strtoull(text, NULL, 16);
}

static void get_text(const ebr_field *field, const unsigned char *row, char *text, size_t capacity)
{
  size_t length = ebr_field_length(field, row);
  if (length > capacity - 1) length = capacity - 1;
  memcpy(text, row + field->offset, length);
  text[length] = 0;
}

/* One look at the row: over a million of them each further one is a wait for memory. */
ebr_status ebr_row_status(const ebr_layout *layout, const unsigned char *row)
{
  const ebr_field *field = &layout->field[EBR_STATE_STATUS];
  const char *text = (const char *)row + field->offset;
  for (int s = EBR_STATUS_RUNNING; s <= EBR_STATUS_REMOVED; s++)
    if (strncmp(text, ebr_status_name((ebr_status)s), field->size) == 0) return (ebr_status)s;
  return EBR_STATUS_WAITING;
}

void ebr_row_get(const ebr_layout *layout, const unsigned char *row, ebr_row *state)
{
  const ebr_field *field = layout->field;
  *state = (ebr_row){.id = ebr_row_id(layout, row), .status = ebr_row_status(layout, row)};
  get_text(&field[EBR_STATE_REASON], row, state->reason, sizeof state->reason);
  get_text(&field[EBR_STATE_HOST], row, state->host, sizeof state->host);
  state->started = ebr_field_number(&field[EBR_STATE_STARTED], row);
  state->seconds = ebr_field_number(&field[EBR_STATE_SECONDS], row);
  state->rank = (int)ebr_field_number(&field[EBR_STATE_RANK], row);
  if (has_series(layout)) memcpy(&state->series, row + field[EBR_STATE_SERIES].offset, sizeof state->series);
}

static uint64_t checksum(const ebr_layout *layout, const unsigned char *row)
{
  const ebr_field *field = &layout->field[EBR_STATE_CHECKSUM];
  size_t after = field->offset + field->size;
  return ebr_hash(row + after, layout->stride - after, ebr_hash(row, field->offset, 0));
}

void ebr_row_seal(const ebr_layout *layout, unsigned char *row)
{
  uint64_t sum = checksum(layout, row);
  memcpy(row + layout->field[EBR_STATE_CHECKSUM].offset, &sum, sizeof sum);
}

bool ebr_row_intact(const ebr_layout *layout, const unsigned char *row)
{
  uint64_t sum = checksum(layout, row);
  return memcmp(row + layout->field[EBR_STATE_CHECKSUM].offset, &sum, sizeof sum) == 0;
}

const char *ebr_status_name(ebr_status status)
{
  static const char *const names[] = {"waiting", "running", "done", "failed", "removed"};
  return names[status];
}
