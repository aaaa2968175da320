#include "app/grid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Characters, not bytes, of UTF-8. */
static int width_of(const char *text)
{
  int width = 0;
  for (; *text; text++) width += ((unsigned char)*text & 0xC0) != 0x80;
  return width;
}

static ebr_error *format_cell(const ebr_grid *grid, ebr_format format, int64_t row, int column, ebr_text *text)
{
  ebr_error *error = NULL;
  text->length = 0;
  EBR_TRY(ebr_text_add(text, "%s", ""));
  EBR_TRY(grid->cell(grid->context, format, row, column, text));
done:
  return error;
}

static void print_padded(const char *text, int width, bool left, bool last, FILE *to)
{
  int missing = width - width_of(text);
  if (missing < 0) missing = 0;
  if (left) fprintf(to, "%s%*s", text, last ? 0 : missing, "");
  else fprintf(to, "%*s%s", missing, "", text);
  fputs(last ? "\n" : "  ", to);
}

static ebr_error *find_widths(const ebr_grid *grid, int *width)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  for (int column = 0; column < grid->columns; column++) width[column] = width_of(grid->title(grid->context, column));
  for (int64_t row = 0; row < grid->rows; row++)
    for (int column = 0; column < grid->columns; column++) {
      EBR_TRY(format_cell(grid, EBR_FORMAT_PLAIN, row, column, &text));
      if (width_of(text.data) > width[column]) width[column] = width_of(text.data);
    }
done:
  ebr_text_destroy(&text);
  return error;
}

static ebr_error *print_plain(const ebr_grid *grid, FILE *to)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  int last = grid->columns - 1;
  int *width = calloc((size_t)grid->columns + 1, sizeof *width);
  EBR_CHECK_MEMORY(width, "a table");
  EBR_TRY(find_widths(grid, width));
  for (int column = 0; column < grid->columns; column++)
    print_padded(grid->title(grid->context, column), width[column], grid->is_text(grid->context, column),
                 column == last, to);
  for (int64_t row = 0; row < grid->rows; row++)
    for (int column = 0; column < grid->columns; column++) {
      EBR_TRY(format_cell(grid, EBR_FORMAT_PLAIN, row, column, &text));
      print_padded(text.data, width[column], grid->is_text(grid->context, column), column == last, to);
    }
done:
  ebr_text_destroy(&text);
  free(width);
  return error;
}

/* RFC 4180 */
static void print_quoted(const char *text, FILE *to)
{
  if (!text[strcspn(text, ",\"\n\r")]) {
    fputs(text, to);
    return;
  }
  fputc('"', to);
  for (; *text; text++) {
    if (*text == '"') fputc('"', to);
    fputc(*text, to);
  }
  fputc('"', to);
}

static ebr_error *print_csv(const ebr_grid *grid, FILE *to)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  for (int column = 0; column < grid->columns; column++) {
    if (column > 0) fputc(',', to);
    print_quoted(grid->title(grid->context, column), to);
  }
  fputc('\n', to);
  for (int64_t row = 0; row < grid->rows; row++) {
    for (int column = 0; column < grid->columns; column++) {
      EBR_TRY(format_cell(grid, EBR_FORMAT_CSV, row, column, &text));
      if (column > 0) fputc(',', to);
      print_quoted(text.data, to);
    }
    fputc('\n', to);
  }
done:
  ebr_text_destroy(&text);
  return error;
}

static ebr_error *print_json(const ebr_grid *grid, FILE *to)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  fputc('[', to);
  for (int64_t row = 0; row < grid->rows; row++) {
    fputs(row > 0 ? ",\n {" : "\n {", to);
    for (int column = 0; column < grid->columns; column++) {
      text.length = 0;
      EBR_TRY(ebr_text_add_json(&text, grid->title(grid->context, column)));
      fprintf(to, "%s%s: ", column > 0 ? ", " : "", text.data);
      EBR_TRY(format_cell(grid, EBR_FORMAT_JSON, row, column, &text));
      fputs(text.data, to);
    }
    fputc('}', to);
  }
  fputs("\n]\n", to);
done:
  ebr_text_destroy(&text);
  return error;
}

ebr_error *ebr_grid_print(const ebr_grid *grid, ebr_format format, FILE *to)
{
  ebr_error *error = NULL;
  switch (format) {
    case EBR_FORMAT_PLAIN: EBR_TRY(print_plain(grid, to)); break;
    case EBR_FORMAT_CSV: EBR_TRY(print_csv(grid, to)); break;
    case EBR_FORMAT_JSON: EBR_TRY(print_json(grid, to)); break;
  }
  EBR_CHECK(fflush(to) == 0 && !ferror(to), EBR_FILE, "the output cannot be written: %s", strerror(errno));
done:
  return error;
}
