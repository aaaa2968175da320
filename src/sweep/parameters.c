#include <sweep/values.h>

#include <math.h>
#include <string.h>

static const ebr_parameter table[] = {
#define EBR_ROW(kind, field, name, fallback, minimum, maximum, choices, unit, conditions, help) \
  {EBR_KIND_##kind, name, fallback, minimum, maximum, choices, unit, conditions, help, offsetof(ebr_config, field)},
    EBR_PARAMETERS(EBR_ROW)
#undef EBR_ROW
};

int ebr_parameter_count(void) { return (int)(sizeof table / sizeof table[0]); }
const ebr_parameter *ebr_parameter_at(int index) { return &table[index]; }

int ebr_parameter_find(const char *name)
{
  for (int i = 0; i < ebr_parameter_count(); i++)
    if (strcmp(table[i].name, name) == 0) return i;
  return -1;
}

/* A word without a dot may also be meant as the end of a name: lambda is ebr.lambda. */
static int name_distance(const char *word, const char *name)
{
  int whole = ebr_text_distance(word, name);
  const char *dot = strrchr(name, '.');
  if (!dot || strchr(word, '.')) return whole;
  int end = ebr_text_distance(word, dot + 1);
  return end < whole ? end : whole;
}

const char *ebr_parameter_nearest(const char *name)
{
  int most = ebr_text_distance_most(name);
  const char *nearest = NULL;
  for (int i = 0; i < ebr_parameter_count(); i++) {
    int distance = name_distance(name, table[i].name);
    if (distance >= most) continue;
    most = distance;
    nearest = table[i].name;
  }
  return nearest;
}

int ebr_text_distance_most(const char *word)
{
  size_t length = strlen(word);
  return length > 96 ? 0 : (int)length / 3 + 2;
}

bool ebr_parameter_is_group(const char *prefix)
{
  size_t length = strlen(prefix);
  for (int i = 0; i < ebr_parameter_count(); i++)
    if (strncmp(table[i].name, prefix, length) == 0 && table[i].name[length] == '.') return true;
  return false;
}

double ebr_list_at(const ebr_list *list, double last, int index, int count)
{
  if (index == count - 1 && !isnan(last)) return last;
  if (list->count == 0) return NAN;
  return list->value[index < list->count ? index : list->count - 1];
}

int ebr_config_allocated(const ebr_config *config, int modality, int modalities)
{
  double features = ebr_list_at(&config->allocation_features, NAN, modality, modalities);
  return isnan(features) ? (int)config->data_predictive : (int)features;
}
