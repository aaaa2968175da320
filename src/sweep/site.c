#include <ebrsweep/site.h>

#include "sweep/yaml.h"

#include <stdlib.h>
#include <string.h>

typedef struct site_key {
  const char *name;
  bool list;
  size_t offset;
} site_key;

static const site_key keys[] = {
#define KEY(key, list, meaning) {#key, list, offsetof(ebr_site, key)},
    EBR_SITE_KEYS(KEY)
#undef KEY
};

enum { KEYS = sizeof keys / sizeof *keys };

static ebr_error *find(const char *path, const ebr_yaml *key, const site_key **found)
{
  ebr_error *error = NULL;
  const char *nearest = NULL;
  int least = 4;
  for (int i = 0; i < KEYS; i++) {
    int distance = ebr_text_distance(key->text, keys[i].name);
    *found = &keys[i];
    if (distance == 0) goto done;
    if (distance < least) {
      least = distance;
      nearest = keys[i].name;
    }
  }
  EBR_FAIL_AT(path, key, "a site has no '%s'%s%s%s", key->text, nearest ? " (did you mean '" : "",
              nearest ? nearest : "", nearest ? "'?)" : "");
done:
  return error;
}

static ebr_error *read_value(const char *path, const site_key *key, const ebr_yaml *value, char **text)
{
  ebr_error *error = NULL;
  ebr_text lines = {0};
  EBR_CHECK_AT(value->kind == EBR_YAML_SCALAR || (key->list && value->kind == EBR_YAML_SEQUENCE), path, value,
               "%s wants %s", key->name, key->list ? "a word or a list of them" : "one word");
  EBR_CHECK_AT(!*text, path, value, "%s is there twice", key->name);
  if (value->kind == EBR_YAML_SCALAR) EBR_TRY(ebr_text_add(&lines, "%s", value->text));
  for (int i = 0; value->kind == EBR_YAML_SEQUENCE && i < value->count; i++) {
    EBR_CHECK_AT(value->item[i]->kind == EBR_YAML_SCALAR, path, value->item[i], "%s is a list of words", key->name);
    EBR_TRY(ebr_text_add(&lines, "%s%s", i ? "\n" : "", value->item[i]->text));
  }
  *text = lines.data;
  lines = (ebr_text){0};
done:
  ebr_text_destroy(&lines);
  return error;
}

ebr_error *ebr_site_parse(const char *path, const char *text, size_t length, ebr_site *site)
{
  ebr_error *error = NULL;
  ebr_yaml *nodes = NULL;
  const ebr_yaml *root = NULL;
  *site = (ebr_site){0};
  EBR_TRY(ebr_yaml_parse(path, text, length, &nodes, &root));
  for (int i = 0; i < root->count; i++) {
    const site_key *key = NULL;
    EBR_TRY(find(path, root->key[i], &key));
    EBR_TRY(read_value(path, key, root->item[i], (char **)((char *)site + key->offset)));
  }
done:
  ebr_yaml_destroy(&nodes);
  if (error) ebr_site_release(site);
  return error;
}

void ebr_site_release(ebr_site *site)
{
  for (int i = 0; i < KEYS; i++) free(*(char **)((char *)site + keys[i].offset));
  *site = (ebr_site){0};
}
