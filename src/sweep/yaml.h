/* YAML text as a tree whose nodes know their line and column. Private to the sweep module.
 *
 * Built from libfyaml's events rather than its documents: an alias is a second pointer to the same node, so that no
 * file unfolds into more memory than it has entries. */
#ifndef EBR_SWEEP_YAML_H
#define EBR_SWEEP_YAML_H

#include <ebrsweep/base.h>

typedef enum ebr_yaml_kind { EBR_YAML_SCALAR, EBR_YAML_SEQUENCE, EBR_YAML_MAP } ebr_yaml_kind;

typedef struct ebr_yaml ebr_yaml;
struct ebr_yaml {
  ebr_yaml_kind kind;
  int line, column;  /* from 1 */
  bool plain;        /* a scalar without quotes */
  bool open;         /* still being read: an alias must not point here */
  char *text;        /* of a scalar */
  int count;         /* items of a sequence, entries of a map */
  ebr_yaml **item;   /* [count]: items, or the values of a map */
  ebr_yaml **key;    /* [count] of a map: scalars */
  ebr_yaml *next;    /* all nodes of a tree, to free them */
};

/* The one document of text (NUL-terminated); its root is a map. path is for messages. */
EBR_FALLIBLE ebr_yaml_parse(const char *path, const char *text, size_t length, ebr_yaml **nodes, const ebr_yaml **root);
void ebr_yaml_destroy(ebr_yaml **nodes);

const ebr_yaml *ebr_yaml_get(const ebr_yaml *map, const char *key); /* NULL if absent */
static inline bool ebr_yaml_is_null(const ebr_yaml *node)
{
  return node->kind == EBR_YAML_SCALAR && node->plain && node->text[0] == 0;
}

/* An error of the user's making at a node: `path:line:column: sentence`. */
EBR_FALLIBLE ebr_yaml_error(const char *file, int line, const char *path, const ebr_yaml *node, const char *format, ...)
    EBR_PRINTF(5, 6);
/* Puts the place in front of an error's message (NULL passes); other codes than EBR_SWEEP pass unchanged. */
EBR_FALLIBLE ebr_yaml_locate(const char *path, const ebr_yaml *node, ebr_error *inner);

#define EBR_FAIL_AT(path, node, ...)                                          \
  do {                                                                        \
    error = ebr_yaml_error(__FILE__, __LINE__, (path), (node), __VA_ARGS__);  \
    EBR_LEAVE;                                                                \
  } while (0)
#define EBR_CHECK_AT(condition, path, node, ...)                  \
  do {                                                            \
    if (!(condition)) EBR_FAIL_AT((path), (node), __VA_ARGS__);   \
  } while (0)

#endif
