#include <sweep/yaml.h>

#include <libfyaml.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Far above any sweep, far below what would hurt. */
enum { NODES_MOST = 2000000, MAP_MOST = 400, ANCHORS_MOST = 400, DEPTH_MOST = 32 };

typedef struct anchor {
  char *name;
  ebr_yaml *node;
} anchor;

typedef struct builder {
  const char *path;
  const char *text; /* NUL-terminated */
  ebr_yaml *nodes;
  int entries; /* nodes, and entries that merges copied */
  ebr_yaml *open[DEPTH_MOST];
  ebr_yaml *key[DEPTH_MOST]; /* of an open map: the key that waits for its value */
  int depth;
  ebr_yaml *root;
  int documents;
  anchor anchors[ANCHORS_MOST];
  int anchor_count;
} builder;

ebr_error *ebr_yaml_error(const char *file, int line, const char *path, const ebr_yaml *node, const char *format, ...)
{
  char message[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return ebr_error_create(EBR_SWEEP, file, line, "%s:%d:%d: %s", path, node->line, node->column, message);
}

ebr_error *ebr_yaml_locate(const char *path, const ebr_yaml *node, ebr_error *inner)
{
  if (!inner || ebr_error_code(inner) != EBR_SWEEP) return inner;
  ebr_error *error = ebr_yaml_error(__FILE__, __LINE__, path, node, "%s", ebr_error_message(inner));
  ebr_error_destroy(&inner);
  return error;
}

void ebr_yaml_destroy(ebr_yaml **nodes)
{
  while (*nodes) {
    ebr_yaml *node = *nodes;
    *nodes = node->next;
    free(node->text);
    free(node->item);
    free(node->key);
    free(node);
  }
}

const ebr_yaml *ebr_yaml_get(const ebr_yaml *map, const char *key)
{
  for (int i = 0; i < map->count; i++)
    if (strcmp(map->key[i]->text, key) == 0) return map->item[i];
  return NULL;
}

static ebr_error *count_entry(builder *b, const ebr_yaml *at)
{
  ebr_error *error = NULL;
  EBR_CHECK_AT(++b->entries <= NODES_MOST, b->path, at, "the file has more than %d entries", NODES_MOST);
done:
  return error;
}

static ebr_error *node_create(builder *b, ebr_yaml_kind kind, struct fy_event *event, ebr_yaml **node)
{
  ebr_error *error = NULL;
  const struct fy_mark *mark = fy_event_start_mark(event);
  *node = calloc(1, sizeof **node);
  EBR_CHECK_MEMORY(*node, "the sweep file");
  (*node)->kind = kind;
  (*node)->line = mark ? mark->line + 1 : 1;
  (*node)->column = mark ? mark->column + 1 : 1;
  (*node)->next = b->nodes;
  b->nodes = *node;
  EBR_TRY(count_entry(b, *node));
done:
  return error;
}

/* Arrays double when their count is a power of two. */
static ebr_error *grow(ebr_yaml ***array, int count)
{
  ebr_error *error = NULL;
  if (count & (count - 1)) return NULL;
  ebr_yaml **larger = realloc(*array, (count ? 2 * (size_t)count : 1) * sizeof **array);
  EBR_CHECK_MEMORY(larger, "the sweep file");
  *array = larger;
done:
  return error;
}

static ebr_error *append(builder *b, ebr_yaml *parent, ebr_yaml *key, ebr_yaml *value)
{
  ebr_error *error = NULL;
  if (parent->kind == EBR_YAML_MAP) {
    EBR_CHECK_AT(parent->count < MAP_MOST, b->path, key, "a map with more than %d entries", MAP_MOST);
    EBR_TRY(grow(&parent->key, parent->count));
    EBR_TRY(grow(&parent->item, parent->count));
    parent->key[parent->count] = key;
  } else {
    EBR_TRY(grow(&parent->item, parent->count));
  }
  parent->item[parent->count++] = value;
done:
  return error;
}

/* `<<` stays in the map until it is complete, and may stand there more than once. */
static bool is_merge(const ebr_yaml *key) { return key->plain && strcmp(key->text, "<<") == 0; }

static ebr_error *check_key(const builder *b, const ebr_yaml *map, const ebr_yaml *key)
{
  ebr_error *error = NULL;
  EBR_CHECK_AT(key->kind == EBR_YAML_SCALAR, b->path, key, "a key must be a word");
  for (int i = 0; i < map->count && !is_merge(key); i++)
    EBR_CHECK_AT(strcmp(map->key[i]->text, key->text) != 0, b->path, key, "'%s' stands twice: first in line %d",
                 key->text, map->key[i]->line);
done:
  return error;
}

static ebr_error *place(builder *b, ebr_yaml *node)
{
  ebr_error *error = NULL;
  if (b->depth == 0) {
    b->root = node;
    goto done;
  }
  ebr_yaml *parent = b->open[b->depth - 1];
  ebr_yaml **key = &b->key[b->depth - 1];
  if (parent->kind == EBR_YAML_MAP && !*key) {
    EBR_TRY(check_key(b, parent, node));
    *key = node;
    goto done;
  }
  EBR_TRY(append(b, parent, *key, node));
  *key = NULL;
done:
  return error;
}

static ebr_error *merge_map(builder *b, ebr_yaml *into, const ebr_yaml *key, const ebr_yaml *from)
{
  ebr_error *error = NULL;
  EBR_CHECK_AT(from->kind == EBR_YAML_MAP, b->path, key, "<< merges a map or a list of maps");
  for (int i = 0; i < from->count; i++) {
    EBR_TRY(count_entry(b, key));
    if (!ebr_yaml_get(into, from->key[i]->text)) EBR_TRY(append(b, into, from->key[i], from->item[i]));
  }
done:
  return error;
}

/* YAML's merge keys: what the map says itself goes first, then the merged maps in their order. */
static ebr_error *resolve_merges(builder *b, ebr_yaml *map)
{
  ebr_error *error = NULL;
  for (int i = 0; i < map->count; i++) {
    if (!is_merge(map->key[i])) continue;
    ebr_yaml *key = map->key[i], *from = map->item[i];
    memmove(&map->key[i], &map->key[i + 1], (size_t)(map->count - i - 1) * sizeof map->key[0]);
    memmove(&map->item[i], &map->item[i + 1], (size_t)(map->count - i - 1) * sizeof map->item[0]);
    map->count--;
    i--;
    if (from->kind != EBR_YAML_SEQUENCE) EBR_TRY(merge_map(b, map, key, from));
    for (int j = 0; from->kind == EBR_YAML_SEQUENCE && j < from->count; j++)
      EBR_TRY(merge_map(b, map, key, from->item[j]));
  }
done:
  return error;
}

static ebr_error *read_anchor(builder *b, struct fy_event *event, ebr_yaml *node)
{
  ebr_error *error = NULL;
  struct fy_token *token = fy_event_get_anchor_token(event);
  if (!token) return NULL;
  EBR_CHECK_AT(b->anchor_count < ANCHORS_MOST, b->path, node, "more than %d anchors", ANCHORS_MOST);
  size_t length;
  const char *name = fy_token_get_text(token, &length);
  anchor *a = &b->anchors[b->anchor_count];
  a->name = strndup(name, length);
  EBR_CHECK_MEMORY(a->name, "an anchor");
  a->node = node;
  b->anchor_count++;
done:
  return error;
}

static ebr_error *read_alias(builder *b, struct fy_event *event)
{
  ebr_error *error = NULL;
  const struct fy_mark *mark = fy_event_start_mark(event);
  ebr_yaml here = {.line = mark->line + 1, .column = mark->column}; /* the mark points behind the * */
  size_t length;
  const char *name = fy_token_get_text(fy_event_get_token(event), &length);
  EBR_TRY(count_entry(b, &here));
  for (int i = b->anchor_count - 1; i >= 0; i--) {
    const anchor *a = &b->anchors[i];
    if (strlen(a->name) != length || memcmp(a->name, name, length) != 0) continue;
    EBR_CHECK_AT(!a->node->open, b->path, &here, "*%s stands inside of what it refers to", a->name);
    EBR_TRY(place(b, a->node));
    goto done;
  }
  EBR_FAIL_AT(b->path, &here, "*%.*s refers to no anchor above", (int)(length < 60 ? length : 60), name);
done:
  return error;
}

static ebr_error *read_scalar(builder *b, struct fy_event *event)
{
  ebr_error *error = NULL;
  ebr_yaml *node;
  size_t length = 0;
  struct fy_token *token = fy_event_get_token(event);
  const char *text = token ? fy_token_get_text(token, &length) : NULL;
  EBR_TRY(node_create(b, EBR_YAML_SCALAR, event, &node));
  node->text = strndup(text ? text : "", length);
  EBR_CHECK_MEMORY(node->text, "the sweep file");
  EBR_CHECK_AT(strlen(node->text) == length, b->path, node, "a text with a zero byte in it");
  enum fy_scalar_style style = token ? fy_token_scalar_style(token) : FYSS_PLAIN;
  node->plain = style == FYSS_PLAIN;
  if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) node->column--; /* the mark points behind the quote */
  EBR_TRY(read_anchor(b, event, node));
  EBR_TRY(place(b, node));
done:
  return error;
}

static ebr_error *open_node(builder *b, ebr_yaml_kind kind, struct fy_event *event)
{
  ebr_error *error = NULL;
  ebr_yaml *node = NULL;
  EBR_TRY(node_create(b, kind, event, &node));
  EBR_CHECK_AT(b->depth < DEPTH_MOST, b->path, node, "lists and maps nested deeper than %d", DEPTH_MOST);
  EBR_TRY(read_anchor(b, event, node));
  EBR_TRY(place(b, node));
  EBR_HAS(node);
  node->open = true;
  b->key[b->depth] = NULL;
  b->open[b->depth++] = node;
done:
  return error;
}

static ebr_error *close_node(builder *b)
{
  ebr_error *error = NULL;
  ebr_yaml *node = b->open[--b->depth];
  EBR_HAS(node);
  node->open = false;
  if (node->kind == EBR_YAML_MAP) EBR_TRY(resolve_merges(b, node));
done:
  return error;
}

static ebr_error *read_event(builder *b, struct fy_event *event)
{
  ebr_error *error = NULL;
  switch (event->type) {
  case FYET_DOCUMENT_START:
    EBR_CHECK(++b->documents == 1, EBR_SWEEP, "%s:%d:1: a second document begins: a sweep file has one", b->path,
              fy_event_start_mark(event) ? fy_event_start_mark(event)->line + 1 : 1);
    break;
  case FYET_MAPPING_START: EBR_TRY(open_node(b, EBR_YAML_MAP, event)); break;
  case FYET_SEQUENCE_START: EBR_TRY(open_node(b, EBR_YAML_SEQUENCE, event)); break;
  case FYET_MAPPING_END:
  case FYET_SEQUENCE_END: EBR_TRY(close_node(b)); break;
  case FYET_SCALAR: EBR_TRY(read_scalar(b, event)); break;
  case FYET_ALIAS: EBR_TRY(read_alias(b, event)); break;
  default: break;
  }
done:
  return error;
}

/* libfyaml's first complaint as one line. */
static ebr_error *syntax_error(const builder *b, struct fy_diag *diag)
{
  void *at = NULL;
  const struct fy_diag_error *found = fy_diag_errors_iterate(diag, &at);
  if (!found) return ebr_error_create(EBR_SWEEP, __FILE__, __LINE__, "%s:1:1: is not YAML", b->path);
  int length = (int)strcspn(found->msg, "\n");
  const char *hint = strstr(b->text, "${") ? " (inside [] and {} a derived value needs quotes)" : "";
  return ebr_error_create(EBR_SWEEP, __FILE__, __LINE__, "%s:%d:%d: is not YAML: %.*s%s", b->path,
                          found->line > 0 ? found->line : 1, found->column > 0 ? found->column : 1, length, found->msg,
                          hint);
}

static ebr_error *read_events(builder *b, struct fy_parser *parser, struct fy_diag *diag)
{
  ebr_error *error = NULL;
  struct fy_event *event;
  while ((event = fy_parser_parse(parser))) {
    error = read_event(b, event);
    bool end = event->type == FYET_STREAM_END;
    fy_parser_event_free(parser, event);
    if (error) goto done;
    if (end) break;
  }
  if (!event || fy_diag_got_error(diag)) EBR_TRY(syntax_error(b, diag));
done:
  return error;
}

/* One place of the text, for errors that come before there are nodes. */
static ebr_yaml place_of(const char *text, size_t offset)
{
  ebr_yaml at = {.line = 1, .column = 1};
  for (size_t i = 0; i < offset; i++) {
    at.column += ((unsigned char)text[i] & 0xc0) != 0x80;
    if (text[i] != '\n') continue;
    at.line++;
    at.column = 1;
  }
  return at;
}

/* The length of the UTF-8 sequence (RFC 3629) at bytes, 0 if it is none or a control character. */
static size_t utf8_length(const unsigned char *bytes, size_t left)
{
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  unsigned char first = bytes[0];
  if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
  size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || length > left) return 0;
  uint32_t point = first & (0x7fu >> length);
  for (size_t i = 1; i < length; i++) {
    if ((bytes[i] & 0xc0) != 0x80) return 0;
    point = point << 6 | (bytes[i] & 0x3fu);
  }
  return point < least[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ? 0 : length;
}

static bool is_blank(char c) { return strchr(" \t\r\n", c) != NULL; }

/* libfyaml 0.7.12 writes where it must not at some keys that are introduced by a question mark; no sweep needs one. Where it
 * introduces a key it stands alone, first in its line or behind another such mark. */
static ebr_error *check_keys(const char *path, const char *text, size_t length)
{
  ebr_error *error = NULL;
  char before = '\n'; /* the last in this line that is not blank */
  for (size_t i = 0; i < length; i++) {
    bool alone = (i == 0 || is_blank(text[i - 1])) && (i + 1 == length || is_blank(text[i + 1]));
    if (text[i] == '?' && alone && strchr("\n:-?,[{", before)) {
      ebr_yaml at = place_of(text, i);
      EBR_FAIL_AT(path, &at, "a question mark introduces a key: write the key alone, as in KEY: VALUE");
    }
    if (text[i] == '\n' || text[i] == '\r') before = '\n';
    else if (!is_blank(text[i])) before = text[i];
  }
done:
  return error;
}

static ebr_error *check_text(const char *path, const char *text, size_t length)
{
  ebr_error *error = NULL;
  for (size_t i = 0; i < length;) {
    size_t step = utf8_length((const unsigned char *)text + i, length - i);
    if (step == 0) {
      ebr_yaml at = place_of(text, i);
      EBR_FAIL_AT(path, &at, "byte 0x%02x is no text (UTF-8)", (unsigned char)text[i]);
    }
    i += step;
  }
done:
  return error;
}

static ebr_error *build(builder *b, const char *text, size_t length)
{
  ebr_error *error = NULL;
  struct fy_parser *parser = NULL;
  struct fy_diag *diag = fy_diag_create(NULL);
  EBR_CHECK_MEMORY(diag, "libfyaml");
  fy_diag_set_collect_errors(diag, true);
  struct fy_parse_cfg cfg = {.search_path = "", .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG, .diag = diag};
  parser = fy_parser_create(&cfg);
  EBR_CHECK_MEMORY(parser, "libfyaml");
  EBR_CHECK(fy_parser_set_string(parser, text, length) == 0, EBR_LIBRARY, "libfyaml does not take the text");
  EBR_TRY(read_events(b, parser, diag));
done:
  if (diag) fy_diag_set_collect_errors(diag, false); /* lets go of the errors, which hold the parser's tokens */
  if (parser) fy_parser_destroy(parser);
  fy_diag_destroy(diag);
  return error;
}

ebr_error *ebr_yaml_parse(const char *path, const char *text, size_t length, ebr_yaml **nodes, const ebr_yaml **root)
{
  ebr_error *error = NULL;
  builder *b = calloc(1, sizeof *b);
  EBR_CHECK_MEMORY(b, "the sweep file");
  b->path = path;
  b->text = text;
  EBR_TRY(check_text(path, text, length));
  EBR_TRY(check_keys(path, text, length));
  EBR_CHECK(length > 0, EBR_SWEEP, "%s:1:1: the file is empty", path);
  EBR_TRY(build(b, text, length));
  EBR_CHECK(b->root && !ebr_yaml_is_null(b->root), EBR_SWEEP, "%s:1:1: the file is empty", path);
  EBR_CHECK_AT(b->root->kind == EBR_YAML_MAP, path, b->root,
               "a sweep file is a map: name, question, base, axes, measure");
  *root = b->root;
  *nodes = b->nodes;
  b->nodes = NULL;
done:
  if (b) {
    ebr_yaml_destroy(&b->nodes);
    for (int i = 0; i < b->anchor_count; i++) free(b->anchors[i].name);
  }
  free(b);
  return error;
}
