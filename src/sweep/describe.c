/* The reference of all parameters. */
#include <ebrsweep/sweep.h>

#include <stdio.h>
#include <string.h>

static const char *kind_words(ebr_kind kind)
{
  static const char *const words[] = {
      [EBR_KIND_INT] = "whole number",      [EBR_KIND_REAL] = "number",     [EBR_KIND_BOOL] = "true or false",
      [EBR_KIND_CHOICE] = "one of",         [EBR_KIND_TEXT] = "text",       [EBR_KIND_INTS] = "list of whole numbers",
      [EBR_KIND_REALS] = "list of numbers", [EBR_KIND_CHOICES] = "list of",
  };
  return words[kind];
}

static ebr_error *add_conditions(unsigned conditions, const char *none, ebr_text *text)
{
  static const char *const words[] = {
      "data.source synthetic",        "data.source hdf5",          "methods kd, kd+ebr",
      "methods ebr, kd+ebr",          "train.optimizer adam",      "train.optimizer sgd",
      "model.fusion grape, muse",     "model.fusion muse",         "method unimodal",
      "not part of a run's identity", "allocation.trials above 0", "measure.missing, measure.missing_count",
      "model.convolution"};
  ebr_error *error = NULL;
  bool any = false;
  for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (!(conditions & 1u << i)) continue;
    EBR_TRY(ebr_text_add(text, "%s%s", any ? "; " : "", words[i]));
    any = true;
  }
  if (!any) EBR_TRY(ebr_text_add(text, "%s", none));
done:
  return error;
}

/* "one of adam, sgd", "number, 0 to 1" */
static ebr_error *add_values(const ebr_parameter *p, ebr_text *text)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_text_add(text, "%s", kind_words(p->kind)));
  for (const char *at = p->choices; *at;) {
    int length = (int)strcspn(at, "|");
    EBR_TRY(ebr_text_add(text, "%s%.*s", at == p->choices ? " " : ", ", length, at));
    at += length + (at[length] == '|');
  }
  if (p->maximum > p->minimum) EBR_TRY(ebr_text_add(text, ", %.12g to %.12g", p->minimum, p->maximum));
  if (strcmp(p->fallback, "none") == 0) EBR_TRY(ebr_text_add(text, ", or none"));
  if (*p->unit) EBR_TRY(ebr_text_add(text, " [%s]", p->unit));
done:
  return error;
}

static ebr_error *add_row(const ebr_parameter *p, ebr_text *text)
{
  ebr_error *error = NULL;
  EBR_TRY(
      ebr_text_add(text, "| `%s` | %s%s%s | ", p->name, *p->fallback ? "`" : "", p->fallback, *p->fallback ? "`" : ""));
  EBR_TRY(add_values(p, text));
  EBR_TRY(ebr_text_add(text, " | "));
  EBR_TRY(add_conditions(p->conditions, "", text));
  EBR_TRY(ebr_text_add(text, " | %s |\n", p->help));
done:
  return error;
}

static ebr_error *add_entry(const ebr_parameter *p, ebr_text *text)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_text_add(text, "%s  (%s; ", p->name, *p->fallback ? p->fallback : "empty"));
  EBR_TRY(add_values(p, text));
  EBR_TRY(ebr_text_add(text, ")\n    %s", p->help));
  if (p->conditions != EBR_ALWAYS) {
    EBR_TRY(ebr_text_add(text, " {"));
    EBR_TRY(add_conditions(p->conditions, "", text));
    EBR_TRY(ebr_text_add(text, "}"));
  }
  EBR_TRY(ebr_text_add(text, "\n"));
done:
  return error;
}

ebr_error *ebr_parameters_describe(bool markdown, ebr_text *text)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_text_add(text, "%s",
                       markdown
                           ? "# Parameters\n\nWritten by `ebrsweep plan --parameters --markdown` from the table in "
                             "include/ebrsweep/parameters.h,\nwhich the program itself reads. A parameter that "
                             "does not matter in a run is set back to its default there.\n\n"
                             "| parameter | default | values | matters with | meaning |\n"
                             "| --- | --- | --- | --- | --- |\n"
                           : "Parameters (default; values), what they mean {what they matter with}\n\n"));
  for (int i = 0; i < ebr_parameter_count(); i++)
    EBR_TRY(markdown ? add_row(ebr_parameter_at(i), text) : add_entry(ebr_parameter_at(i), text));
done:
  return error;
}
