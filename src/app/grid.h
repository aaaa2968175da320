/* Grid: rows and columns for a terminal, as CSV, or as a JSON array of objects. Cells are asked for one at a time, so that
 * a million rows need no memory. */
#ifndef EBR_APP_GRID_H
#define EBR_APP_GRID_H

#include <ebrsweep/base.h>

#include <stdio.h>

typedef enum ebr_format { EBR_FORMAT_PLAIN, EBR_FORMAT_CSV, EBR_FORMAT_JSON } ebr_format;

typedef struct ebr_grid {
  int64_t rows;
  int columns;
  void *context;
  const char *(*title)(void *context, int column);
  bool (*is_text)(void *context, int column); /* aligned left */
  /* Appends the cell: for JSON a whole value, for the others bare text. */
  ebr_error *(*cell)(void *context, ebr_format format, int64_t row, int column, ebr_text *text);
} ebr_grid;

/* EBR_FILE when `to` cannot be written. */
EBR_FALLIBLE ebr_grid_print(const ebr_grid *grid, ebr_format format, FILE *to);

#endif
