/* Which modalities a dataset file has, and in what order. */
#include "data/field.h"

#include <stdlib.h>
#include <string.h>

static ebr_error *list_names(const ebr_source *source, hid_t group, char name[][EBR_NAME_MOST], int *count)
{
  ebr_error *error = NULL;
  H5G_info_t about;
  EBR_CHECK(H5Gget_info(group, &about) >= 0, EBR_DATA, "%s: /modality cannot be read", source->path);
  EBR_CHECK(about.nlinks > 0, EBR_DATA, "%s: /modality is empty", source->path);
  EBR_CHECK(about.nlinks <= EBR_MODALITIES_MOST, EBR_DATA, "%s: has %llu modalities, more than %d", source->path,
            (unsigned long long)about.nlinks, EBR_MODALITIES_MOST);
  *count = (int)about.nlinks;
  for (int i = 0; i < *count; i++) {
    ssize_t length =
        H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)i, name[i], EBR_NAME_MOST, H5P_DEFAULT);
    EBR_CHECK(length > 0, EBR_DATA, "%s: /modality cannot be read", source->path);
    EBR_CHECK(length < EBR_NAME_MOST, EBR_DATA, "%s: the modality's name '%s...' is longer than %d bytes", source->path,
              name[i], EBR_NAME_MOST - 1);
  }
done:
  return error;
}

/* An attribute's strings as they lie in memory: pointers, or pieces of `size` bytes padded with NUL or blanks. */
typedef struct strings {
  hid_t attribute, type, space;
  int count;
  bool varying;
  size_t size;
  char *data;
} strings;

static ebr_error *strings_read(const ebr_source *source, hid_t group, strings *s)
{
  ebr_error *error = NULL;
  s->attribute = H5Aopen(group, "order", H5P_DEFAULT);
  s->type = H5Aget_type(s->attribute);
  s->space = H5Aget_space(s->attribute);
  EBR_CHECK(H5Tget_class(s->type) == H5T_STRING, EBR_DATA, "%s: the attribute order of /modality holds no names",
            source->path);
  s->count = (int)H5Sget_simple_extent_npoints(s->space);
  s->varying = H5Tis_variable_str(s->type) > 0;
  s->size = s->varying ? sizeof(char *) : H5Tget_size(s->type);
  s->data = calloc((size_t)s->count + 1, s->size);
  EBR_CHECK_MEMORY(s->data, "names of modalities");
  EBR_CHECK(H5Aread(s->attribute, s->type, s->data) >= 0, EBR_DATA,
            "%s: the attribute order of /modality cannot be read", source->path);
done:
  return error;
}

static void strings_close(strings *s)
{
  if (s->data && s->varying) H5Dvlen_reclaim(s->type, s->space, H5P_DEFAULT, s->data);
  free(s->data);
  if (s->space >= 0) H5Sclose(s->space);
  if (s->type >= 0) H5Tclose(s->type);
  if (s->attribute >= 0) H5Aclose(s->attribute);
}

static void string_at(const strings *s, int index, char word[EBR_NAME_MOST + 1])
{
  const char *from = s->data + (size_t)index * s->size;
  size_t most = s->size < EBR_NAME_MOST ? s->size : EBR_NAME_MOST;
  if (s->varying) {
    memcpy(&from, s->data + (size_t)index * s->size, sizeof from);
    most = EBR_NAME_MOST;
  }
  size_t length = from ? strnlen(from, most) : 0;
  memcpy(word, from ? from : "", length);
  while (!s->varying && length > 0 && word[length - 1] == ' ') length--;
  word[length] = 0;
}

/* Moves the name that is called for to place i, among those from i on. */
static ebr_error *call_up(const ebr_source *source, const char *word, char name[][EBR_NAME_MOST], int i, int count)
{
  ebr_error *error = NULL;
  char moved[EBR_NAME_MOST];
  int at = i;
  while (at < count && strcmp(name[at], word) != 0) at++;
  EBR_CHECK(at < count, EBR_DATA, "%s: the attribute order of /modality names '%s', which is not there or named before",
            source->path, word);
  memcpy(moved, name[i], sizeof moved);
  memcpy(name[i], name[at], sizeof moved);
  memcpy(name[at], moved, sizeof moved);
done:
  return error;
}

static ebr_error *apply_order(const ebr_source *source, hid_t group, char name[][EBR_NAME_MOST], int count)
{
  ebr_error *error = NULL;
  strings order = {.attribute = -1, .type = -1, .space = -1};
  EBR_TRY(strings_read(source, group, &order));
  EBR_CHECK(order.count == count, EBR_DATA,
            "%s: the attribute order of /modality is of length %d, but there are %d modalities", source->path,
            order.count, count);
  for (int i = 0; i < count; i++) {
    char word[EBR_NAME_MOST + 1];
    string_at(&order, i, word);
    EBR_TRY(call_up(source, word, name, i, count));
  }
done:
  strings_close(&order);
  return error;
}

ebr_error *ebr_field_modalities(const ebr_source *source, char name[][EBR_NAME_MOST], int *count)
{
  ebr_error *error = NULL;
  hid_t group = -1;
  EBR_CHECK(ebr_source_has(source, "/modality"), EBR_DATA,
            "%s: has no /modality; a dataset has /modality/<name> and /label (see doc/datasets.md)", source->path);
  group = H5Gopen2(source->file, "/modality", H5P_DEFAULT);
  EBR_CHECK(group >= 0, EBR_DATA, "%s: /modality is not a group", source->path);
  EBR_TRY(list_names(source, group, name, count));
  if (H5Aexists(group, "order") > 0) EBR_TRY(apply_order(source, group, name, *count));
done:
  if (group >= 0) H5Gclose(group);
  return error;
}
