#include "app/filter.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum node_kind { NODE_OR, NODE_AND, NODE_NOT, NODE_HOLDS, NODE_NUMBER, NODE_TEXT, NODE_COLUMN } node_kind;
typedef enum comparison { EQUAL, UNEQUAL, LESS, LESS_EQUAL, MORE, MORE_EQUAL, NO_COMPARISON } comparison;

typedef struct node {
  node_kind kind;
  comparison comparison;
  int left, right; /* nodes; of comparisons: columns */
  double number;
  char text[EBR_TEXT_MOST];
} node;

struct ebr_filter {
  node *nodes;
  int count, capacity;
  int root; /* -1: all runs pass */
};

typedef struct parser {
  ebr_filter *filter;
  const ebr_results *results;
  const char *text, *at;
  int depth;
} parser;

/* One side of a comparison as it stands. */
typedef struct operand {
  int place; /* column of the text, from 1 */
  bool quoted;
  char word[EBR_TEXT_MOST];
} operand;

enum { DEPTH_MOST = 200 };

const char *ebr_filter_nearest(const ebr_results *results, const char *name)
{
  const char *nearest = NULL;
  int least = (int)strlen(name) / 3 + 2;
  for (int c = 0; c < ebr_results_column_count(results); c++) {
    int distance = ebr_text_distance(name, ebr_results_column_name(results, c));
    if (distance >= least) continue;
    least = distance;
    nearest = ebr_results_column_name(results, c);
  }
  return nearest;
}

static int place_of(const parser *p) { return (int)(p->at - p->text) + 1; }

static void skip_blanks(parser *p)
{
  while (isspace((unsigned char)*p->at)) p->at++;
}

static bool take(parser *p, const char *symbol)
{
  skip_blanks(p);
  if (strncmp(p->at, symbol, strlen(symbol)) != 0) return false;
  p->at += strlen(symbol);
  return true;
}

static ebr_error *add_node(parser *p, node content, int *index)
{
  ebr_error *error = NULL;
  ebr_filter *filter = p->filter;
  if (filter->count == filter->capacity) {
    int capacity = filter->capacity * 2 + 16;
    node *nodes = realloc(filter->nodes, (size_t)capacity * sizeof *nodes);
    EBR_CHECK_MEMORY(nodes, "a filter");
    filter->nodes = nodes;
    filter->capacity = capacity;
  }
  *index = filter->count;
  filter->nodes[filter->count++] = content;
done:
  return error;
}

/* ---- comparisons ------------------------------------------------------------------------------------------------- */

static ebr_error *read_operand(parser *p, operand *side)
{
  ebr_error *error = NULL;
  size_t length;
  skip_blanks(p);
  *side = (operand){.place = place_of(p)};
  const char *start = p->at, quote = *start;
  if (quote == '\'' || quote == '"') {
    const char *end = strchr(++start, quote);
    EBR_CHECK(end, EBR_USAGE, "--where, column %d: the text is not closed by %c", side->place, quote);
    side->quoted = true;
    length = (size_t)(end - start);
    p->at = end + 1;
  } else {
    length = strcspn(start, " \t\n()!=<>&|'\"");
    p->at = start + length;
    EBR_CHECK(length > 0, EBR_USAGE, "--where, column %d: expected a column or a value %s%.1s%s", side->place,
              *start ? "instead of '" : "at the end", start, *start ? "'" : "");
  }
  EBR_CHECK(length < sizeof side->word, EBR_USAGE, "--where, column %d: a text of %zu characters is too long",
            side->place, length);
  memcpy(side->word, start, length);
done:
  return error;
}

static comparison read_comparison(parser *p)
{
  static const struct {
    const char *symbol;
    comparison value;
  } known[] = {{"==", EQUAL}, {"!=", UNEQUAL}, {"<=", LESS_EQUAL}, {">=", MORE_EQUAL}, {"<", LESS}, {">", MORE}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (take(p, known[i].symbol)) return known[i].value;
  return NO_COMPARISON;
}

static ebr_error *find_column(const parser *p, const operand *side, int *column)
{
  ebr_error *error = NULL;
  *column = side->quoted ? -1 : ebr_results_column_find(p->results, side->word);
  const char *nearest = ebr_filter_nearest(p->results, side->word);
  EBR_CHECK(*column >= 0, EBR_USAGE, "--where, column %d: there is no column '%s'%s%s%s", side->place, side->word,
            nearest ? ", did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
done:
  return error;
}

static bool read_number(const char *word, double *number)
{
  char *end;
  *number = NAN;
  if (strcmp(word, "none") == 0) return true;
  if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0) return *number = word[0] == 't', true;
  *number = strtod(word, &end);
  return end != word && *end == 0;
}

/* A choice that cannot be would silently match nothing. */
static ebr_error *check_choice(const parser *p, int column, const operand *side)
{
  ebr_error *error = NULL;
  const char *name = ebr_results_column_name(p->results, column);
  int index = ebr_parameter_find(name);
  const ebr_parameter *parameter = index < 0 ? NULL : ebr_parameter_at(index);
  if (!parameter || parameter->kind != EBR_KIND_CHOICE) goto done;
  for (const char *c = parameter->choices; *c; c += strcspn(c, "|"), c += *c == '|')
    if (strcspn(c, "|") == strlen(side->word) && strncmp(c, side->word, strlen(side->word)) == 0) goto done;
  EBR_FAIL(EBR_USAGE, "--where, column %d: %s is never '%s'; it is one of %s", side->place, name, side->word,
           parameter->choices);
done:
  return error;
}

static ebr_error *parse_comparison(parser *p, int *index)
{
  ebr_error *error = NULL;
  operand left, right;
  node made = {.kind = NODE_HOLDS};
  EBR_TRY(read_operand(p, &left));
  EBR_TRY(find_column(p, &left, &made.left));
  made.comparison = read_comparison(p);
  skip_blanks(p);
  EBR_CHECK(*p->at != '=', EBR_USAGE, "--where, column %d: '=' alone compares nothing, write ==", place_of(p));
  bool text = ebr_results_column_is_text(p->results, made.left);
  if (made.comparison == NO_COMPARISON) {
    EBR_CHECK(!text, EBR_USAGE, "--where, column %d: compare the text '%s' with something", left.place, left.word);
    EBR_TRY(add_node(p, made, index));
    goto done;
  }
  EBR_TRY(read_operand(p, &right));
  made.right = right.quoted ? -1 : ebr_results_column_find(p->results, right.word);
  if (made.right >= 0 && ebr_results_column_is_text(p->results, made.right) == text) {
    made.kind = NODE_COLUMN;
  } else if (text) {
    made.kind = NODE_TEXT;
    memcpy(made.text, right.word, sizeof made.text);
    EBR_TRY(check_choice(p, made.left, &right));
  } else {
    made.kind = NODE_NUMBER;
    EBR_CHECK(!right.quoted && read_number(right.word, &made.number), EBR_USAGE,
              "--where, column %d: '%s' is a number, '%s' is none", right.place, left.word, right.word);
  }
  EBR_TRY(add_node(p, made, index));
done:
  return error;
}

/* ---- and, or, not ------------------------------------------------------------------------------------------------ */

static ebr_error *parse_or(parser *p, int *index);

static ebr_error *parse_not(parser *p, int *index)
{
  ebr_error *error = NULL;
  EBR_CHECK(++p->depth < DEPTH_MOST, EBR_USAGE, "--where, column %d: more than %d levels deep", place_of(p),
            DEPTH_MOST);
  if (take(p, "!")) {
    node made = {.kind = NODE_NOT};
    EBR_TRY(parse_not(p, &made.left));
    EBR_TRY(add_node(p, made, index));
  } else if (take(p, "(")) {
    int opened = place_of(p) - 1;
    EBR_TRY(parse_or(p, index));
    EBR_CHECK(take(p, ")"), EBR_USAGE, "--where, column %d: the parenthesis of column %d is not closed", place_of(p),
              opened);
  } else {
    EBR_TRY(parse_comparison(p, index));
  }
  p->depth--;
done:
  return error;
}

static ebr_error *parse_and(parser *p, int *index)
{
  ebr_error *error = NULL;
  EBR_TRY(parse_not(p, index));
  while (take(p, "&&")) {
    node made = {.kind = NODE_AND, .left = *index};
    EBR_TRY(parse_not(p, &made.right));
    EBR_TRY(add_node(p, made, index));
  }
done:
  return error;
}

static ebr_error *parse_or(parser *p, int *index)
{
  ebr_error *error = NULL;
  EBR_TRY(parse_and(p, index));
  while (take(p, "||")) {
    node made = {.kind = NODE_OR, .left = *index};
    EBR_TRY(parse_and(p, &made.right));
    EBR_TRY(add_node(p, made, index));
  }
done:
  return error;
}

ebr_error *ebr_filter_create(const ebr_results *results, const char *text, ebr_filter **filter)
{
  ebr_error *error = NULL;
  ebr_filter *made = calloc(1, sizeof *made);
  EBR_CHECK_MEMORY(made, "a filter");
  made->root = -1;
  if (text) {
    parser p = {made, results, text, text, 0};
    EBR_TRY(parse_or(&p, &made->root));
    skip_blanks(&p);
    EBR_CHECK(!*p.at, EBR_USAGE, "--where, column %d: '%s' is left over; join comparisons by && or ||", place_of(&p),
              p.at);
  }
  *filter = made;
  made = NULL;
done:
  ebr_filter_destroy(&made);
  return error;
}

void ebr_filter_destroy(ebr_filter **filter)
{
  if (!*filter) return;
  free((*filter)->nodes);
  free(*filter);
  *filter = NULL;
}

/* ---- matching ---------------------------------------------------------------------------------------------------- */

static bool compare_numbers(comparison how, double left, double right)
{
  if (isnan(right) && how == EQUAL) return isnan(left);
  if (isnan(right) && how == UNEQUAL) return !isnan(left);
  switch (how) {
    case EQUAL: return left == right;
    case UNEQUAL: return left != right;
    case LESS: return left < right;
    case LESS_EQUAL: return left <= right;
    case MORE: return left > right;
    case MORE_EQUAL: return left >= right;
    case NO_COMPARISON: break;
  }
  return left == left && left != 0;
}

static bool compare_columns(const node *n, ebr_results *results, int64_t run)
{
  if (!ebr_results_column_is_text(results, n->left))
    return compare_numbers(n->comparison, ebr_results_number(results, run, n->left),
                           ebr_results_number(results, run, n->right));
  char left[2 * EBR_TEXT_MOST];
  size_t length = strlen(ebr_results_cell(results, run, n->left));
  if (length >= sizeof left) length = sizeof left - 1;
  memcpy(left, ebr_results_cell(results, run, n->left), length);
  left[length] = 0;
  return compare_numbers(n->comparison, (double)strcmp(left, ebr_results_cell(results, run, n->right)), 0);
}

static bool match(const ebr_filter *filter, int index, ebr_results *results, int64_t run)
{
  const node *n = &filter->nodes[index];
  switch (n->kind) {
    case NODE_OR: return match(filter, n->left, results, run) || match(filter, n->right, results, run);
    case NODE_AND: return match(filter, n->left, results, run) && match(filter, n->right, results, run);
    case NODE_NOT: return !match(filter, n->left, results, run);
    case NODE_TEXT:
      return compare_numbers(n->comparison, (double)strcmp(ebr_results_cell(results, run, n->left), n->text), 0);
    case NODE_COLUMN: return compare_columns(n, results, run);
    case NODE_HOLDS:
    case NODE_NUMBER: return compare_numbers(n->comparison, ebr_results_number(results, run, n->left), n->number);
  }
  return false;
}

bool ebr_filter_match(const ebr_filter *filter, ebr_results *results, int64_t run)
{
  return filter->root < 0 || match(filter, filter->root, results, run);
}
