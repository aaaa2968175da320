#include "app/claim_print.h"

#include <math.h>
#include <string.h>

static bool new_sweep(const ebr_claim_results *results, int index)
{
  return index == 0 || strcmp(results->result[index].claim->sweep, results->result[index - 1].claim->sweep) != 0;
}

static bool judged(const ebr_claim_result *result) { return result->test.main.seeds > 0; }

static bool has_reference(const ebr_claim *claim) { return claim->role[1] != EBR_ARM_NONE; }

static void print_effect(const ebr_comparison *comparison, FILE *to)
{
  fprintf(to, "%+.3g [%+.3g, %+.3g]", comparison->effect, comparison->interval[0], comparison->interval[1]);
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

static void print_claim(const ebr_claim *claim, FILE *to)
{
  static const char *const kinds[] = {"", "change of ", "correlation of "};
  fprintf(to, "  %s\n    %s%s", claim->says, kinds[claim->kind], claim->measure);
  if (claim->along) fprintf(to, " %s %s", claim->kind == EBR_CLAIM_CHANGE ? "along" : "with", claim->along);
  fprintf(to, ": %s", ebr_arm_name(claim->role[0]));
  if (has_reference(claim)) fprintf(to, " - %s", ebr_arm_name(claim->role[1]));
  if (claim->reference_measure) fprintf(to, " (%s)", claim->reference_measure);
  fprintf(to, "\n");
}

static void print_result(const ebr_claim_result *result, FILE *to)
{
  const ebr_claim_case *test = &result->test;
  fprintf(to, "    %s: %s, %s\n", result->group, ebr_verdict_name(result->verdict), result->words);
  if (!judged(result)) return;
  fprintf(to, "      ");
  print_effect(&test->main, to);
  fprintf(to, ", d = %.2f, p = %.2g, %d seeds", test->main.standardised, test->main.adjusted, test->main.seeds);
  if (result->left_out > 0) fprintf(to, ", %d left out", result->left_out);
  for (int i = 0; i < test->controls; i++) {
    fprintf(to, "\n      beyond %s: ", test->control_name[i]);
    print_effect(&test->control[i], to);
    fprintf(to, ", p = %.2g", test->control[i].adjusted);
  }
  fprintf(to, "\n");
}

static void print_text(const ebr_claim_results *results, FILE *to)
{
  for (int i = 0; i < results->count; i++) {
    const ebr_claim_result *result = &results->result[i];
    if (new_sweep(results, i)) fprintf(to, "%s%s\n", i ? "\n" : "", result->claim->sweep);
    if (i == 0 || result->claim != results->result[i - 1].claim) print_claim(result->claim, to);
    print_result(result, to);
  }
}

/* ---- Markdown ---------------------------------------------------------------------------------------------------- */

static void print_row(const ebr_claim_result *result, FILE *to)
{
  const ebr_claim_case *test = &result->test;
  fprintf(to, "| %s | %s | ", result->claim->says, result->group);
  if (judged(result)) {
    fprintf(to, "%d | ", test->main.seeds);
    print_effect(&test->main, to);
    fprintf(to, " | %.2g | ", test->main.adjusted);
  } else {
    fprintf(to, " | | | ");
  }
  for (int i = 0; i < test->controls; i++) {
    fprintf(to, "%s%s: ", i ? "; " : "", test->control_name[i]);
    print_effect(&test->control[i], to);
  }
  fprintf(to, " | %s: %s |\n", ebr_verdict_name(result->verdict), result->words);
}

static void print_markdown(const ebr_claim_results *results, FILE *to)
{
  for (int i = 0; i < results->count; i++) {
    if (new_sweep(results, i))
      fprintf(to,
              "%s### %s\n\n| claim | data | seeds | effect | p | beyond the controls | verdict |\n"
              "| --- | --- | --- | --- | --- | --- | --- |\n",
              i ? "\n" : "", results->result[i].claim->sweep);
    print_row(&results->result[i], to);
  }
}

/* Verdicts of one kind among those of the sweep that begins at `first`. */
static int count_verdicts(const ebr_claim_results *results, int first, ebr_verdict verdict)
{
  int count = 0;
  for (int i = first; i < results->count && (i == first || !new_sweep(results, i)); i++)
    count += results->result[i].verdict == verdict;
  return count;
}

static void print_summary(const ebr_claim_results *results, FILE *to)
{
  fprintf(to, "| verdict |");
  for (int i = 0; i < results->count; i++)
    if (new_sweep(results, i)) fprintf(to, " %s |", results->result[i].claim->sweep);
  fprintf(to, "\n| --- |");
  for (int i = 0; i < results->count; i++)
    if (new_sweep(results, i)) fprintf(to, " --- |");
  for (int verdict = EBR_VERDICT_SUPPORTED; verdict <= EBR_VERDICT_CANNOT_TELL; verdict++) {
    fprintf(to, "\n| %s |", ebr_verdict_name((ebr_verdict)verdict));
    for (int i = 0; i < results->count; i++)
      if (new_sweep(results, i)) fprintf(to, " %d |", count_verdicts(results, i, (ebr_verdict)verdict));
  }
  fprintf(to, "\n");
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static ebr_error *add_number(ebr_text *text, const char *before, double value)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_text_add(text, "%s", before));
  EBR_TRY(ebr_text_add_number(text, value));
done:
  return error;
}

static ebr_error *add_string(ebr_text *text, const char *before, const char *value)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_text_add(text, "%s", before));
  if (value) EBR_TRY(ebr_text_add_json(text, value));
  else EBR_TRY(ebr_text_add(text, "null"));
done:
  return error;
}

static ebr_error *add_comparison(ebr_text *text, const ebr_comparison *comparison)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_text_add(text, "\"seeds\": %d", comparison->seeds));
  if (comparison->seeds == 0) goto done;
  EBR_TRY(add_number(text, ", \"effect\": ", comparison->effect));
  EBR_TRY(add_number(text, ", \"interval\": [", comparison->interval[0]));
  EBR_TRY(add_number(text, ", ", comparison->interval[1]));
  EBR_TRY(add_number(text, "], \"standardised\": ", comparison->standardised));
  EBR_TRY(add_number(text, ", \"p\": ", comparison->p));
  EBR_TRY(add_number(text, ", \"adjusted\": ", comparison->adjusted));
done:
  return error;
}

static ebr_error *add_result(ebr_text *text, const ebr_claim_result *result)
{
  ebr_error *error = NULL;
  static const char *const kinds[] = {"level", "change", "correlation"};
  const ebr_claim *claim = result->claim;
  EBR_TRY(add_string(text, "{\"claim\": ", claim->sweep));
  EBR_TRY(add_string(text, ", \"says\": ", claim->says));
  EBR_TRY(add_string(text, ", \"group\": ", result->group));
  EBR_TRY(add_string(text, ", \"kind\": ", kinds[claim->kind]));
  EBR_TRY(add_string(text, ", \"measure\": ", claim->measure));
  EBR_TRY(add_string(text, ", \"reference_measure\": ", claim->reference_measure));
  EBR_TRY(add_string(text, ", \"along\": ", claim->along));
  EBR_TRY(add_string(text, ", \"treated\": ", ebr_arm_name(claim->role[0])));
  EBR_TRY(add_string(text, ", \"reference\": ", has_reference(claim) ? ebr_arm_name(claim->role[1]) : NULL));
  EBR_TRY(ebr_text_add(text, ", \"direction\": %d", claim->direction));
  EBR_TRY(add_number(text, ", \"smallest\": ", claim->smallest));
  EBR_TRY(ebr_text_add(text, ", \"left_out\": %d, ", result->left_out));
  EBR_TRY(add_comparison(text, &result->test.main));
  EBR_TRY(ebr_text_add(text, ", \"controls\": ["));
  for (int i = 0; i < result->test.controls; i++) {
    EBR_TRY(add_string(text, i ? ", {\"control\": " : "{\"control\": ", result->test.control_name[i]));
    EBR_TRY(ebr_text_add(text, ", "));
    EBR_TRY(add_comparison(text, &result->test.control[i]));
    EBR_TRY(ebr_text_add(text, "}"));
  }
  EBR_TRY(add_string(text, "], \"verdict\": ", ebr_verdict_name(result->verdict)));
  EBR_TRY(add_string(text, ", \"words\": ", result->words));
  EBR_TRY(ebr_text_add(text, "}"));
done:
  return error;
}

static ebr_error *print_json(const ebr_claim_results *results, FILE *to)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  for (int i = 0; i < results->count; i++) {
    EBR_TRY(ebr_text_add(&text, i ? ",\n " : "["));
    EBR_TRY(add_result(&text, &results->result[i]));
  }
  fprintf(to, "%s]\n", text.data);
done:
  ebr_text_destroy(&text);
  return error;
}

ebr_error *ebr_claims_print(const ebr_claim_results *results, ebr_claim_format format, FILE *to)
{
  switch (format) {
    case EBR_CLAIM_JSON: return print_json(results, to);
    case EBR_CLAIM_MARKDOWN: print_markdown(results, to); break;
    case EBR_CLAIM_SUMMARY: print_summary(results, to); break;
    case EBR_CLAIM_PLAIN: print_text(results, to); break;
  }
  return NULL;
}
