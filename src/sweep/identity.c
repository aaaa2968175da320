#include <sweep/identity.h>

#include <stdlib.h>
#include <string.h>

/* Room for the line of each kind, NUL and newline included. */
enum {
  LINE_INT = 32,
  LINE_REAL = 40,
  LINE_BOOL = 16,
  LINE_CHOICE = 64,
  LINE_TEXT = EBR_TEXT_MOST + 8,
  LINE_INTS = EBR_VALUE_TEXT_MOST,
  LINE_REALS = EBR_VALUE_TEXT_MOST,
  LINE_CHOICES = EBR_VALUE_TEXT_MOST,
  CANONICAL_MOST = 0
#define EBR_LINE(kind, field, name, ...) +(int)sizeof(name) + LINE_##kind
  EBR_PARAMETERS(EBR_LINE)
#undef EBR_LINE
};

struct ebr_identity {
  ebr_config defaults;
  int sorted[EBR_PARAMETER_COUNT]; /* parameters by name */
  ebr_config seen;                 /* the values behind lines */
  char *line[EBR_PARAMETER_COUNT]; /* into lines */
  size_t length[EBR_PARAMETER_COUNT];
  char lines[CANONICAL_MOST];
  char canonical[CANONICAL_MOST];
};

static int compare_names(const void *a, const void *b)
{
  return strcmp(ebr_parameter_at(*(const int *)a)->name, ebr_parameter_at(*(const int *)b)->name);
}

static void line_write(ebr_identity *identity, int index)
{
  const ebr_parameter *p = ebr_parameter_at(index);
  char *line = identity->line[index];
  size_t used = strlen(p->name);
  memcpy(line, p->name, used);
  line[used++] = '=';
  used += ebr_value_format(p, ebr_config_field(&identity->seen, p), line + used);
  line[used++] = '\n';
  identity->length[index] = used;
}

static size_t line_room(const ebr_parameter *p)
{
  static const int room[] = {[EBR_KIND_INT] = LINE_INT,   [EBR_KIND_REAL] = LINE_REAL,
                             [EBR_KIND_BOOL] = LINE_BOOL, [EBR_KIND_CHOICE] = LINE_CHOICE,
                             [EBR_KIND_TEXT] = LINE_TEXT, [EBR_KIND_INTS] = LINE_INTS,
                             [EBR_KIND_REALS] = LINE_REALS, [EBR_KIND_CHOICES] = LINE_CHOICES};
  return strlen(p->name) + 1 + (size_t)room[p->kind];
}

static void identity_start(ebr_identity *identity)
{
  ebr_config_defaults(&identity->defaults);
  identity->seen = identity->defaults;
  char *line = identity->lines;
  for (int i = 0; i < EBR_PARAMETER_COUNT; i++) {
    identity->sorted[i] = i;
    identity->line[i] = line;
    line += line_room(ebr_parameter_at(i));
    line_write(identity, i);
  }
  qsort(identity->sorted, EBR_PARAMETER_COUNT, sizeof identity->sorted[0], compare_names);
}

ebr_error *ebr_identity_create(ebr_identity **identity)
{
  ebr_error *error = NULL;
  *identity = malloc(sizeof **identity);
  EBR_CHECK_MEMORY(*identity, "run ids");
  identity_start(*identity);
done:
  return error;
}

void ebr_identity_destroy(ebr_identity **identity)
{
  free(*identity);
  *identity = NULL;
}

const ebr_config *ebr_identity_defaults(const ebr_identity *identity) { return &identity->defaults; }

static unsigned conditions_met(const ebr_config *config)
{
  unsigned met = EBR_WITHOUT_IDENTITY;
  met |= config->data_source == EBR_SOURCE_SYNTHETIC ? EBR_WITH_SYNTHETIC : EBR_WITH_DATASET;
  met |= config->train_optimizer == EBR_OPTIMIZER_ADAM ? EBR_WITH_ADAM : EBR_WITH_SGD;
  if (ebr_config_distils(config)) met |= EBR_WITH_TEACHER;
  if (ebr_config_reallocates(config)) met |= EBR_WITH_LATENT;
  if (config->model_fusion != EBR_FUSION_CONCAT) met |= EBR_WITH_GRAPH;
  if (config->model_fusion == EBR_FUSION_MUSE) met |= EBR_WITH_MUSE;
  if (config->method == EBR_METHOD_UNIMODAL) met |= EBR_WITH_UNIMODAL;
  if (config->allocation_trials > 0) met |= EBR_WITH_ALLOCATION;
  if (config->model_convolution.count > 0) met |= EBR_WITH_CONVOLUTION;
  if (config->measure_missing.count + config->measure_missing_count.count > 0) met |= EBR_WITH_MISSING;
  return met;
}

static bool relevant(unsigned met, const ebr_parameter *p) { return (p->conditions & ~met) == 0; }

bool ebr_config_relevant(const ebr_config *config, int parameter)
{
  return relevant(conditions_met(config), ebr_parameter_at(parameter));
}

/* Streams start from what a run's samples depend on, but for the gaps in them: modality dropout, which is missing.train, is
 * an arm that others are paired with. */
static bool of_the_data(const char *name) { return strncmp(name, "data.", 5) == 0 || strcmp(name, "seed") == 0; }

static uint64_t identity_hash(ebr_identity *identity, const ebr_config *config, bool data_only)
{
  unsigned met = conditions_met(config) & ~(unsigned)EBR_WITHOUT_IDENTITY;
  size_t used = 0;
  for (int i = 0; i < EBR_PARAMETER_COUNT; i++) {
    int index = identity->sorted[i];
    const ebr_parameter *p = ebr_parameter_at(index);
    const void *field = ebr_config_field(config, p);
    if (!relevant(met, p) || ebr_value_equal(p->kind, field, ebr_config_field(&identity->defaults, p))) continue;
    if (data_only && !of_the_data(p->name)) continue;
    if (!ebr_value_equal(p->kind, field, ebr_config_field(&identity->seen, p))) {
      memcpy(ebr_config_field_write(&identity->seen, p), field, ebr_value_size(p->kind));
      line_write(identity, index);
    }
    memcpy(identity->canonical + used, identity->line[index], identity->length[index]);
    used += identity->length[index];
  }
  return ebr_hash(identity->canonical, used, 0);
}

uint64_t ebr_identity_id(ebr_identity *identity, const ebr_config *config)
{
  return identity_hash(identity, config, false);
}

uint64_t ebr_config_id(const ebr_config *config)
{
  ebr_identity identity;
  identity_start(&identity);
  return identity_hash(&identity, config, false);
}

uint64_t ebr_config_pair(const ebr_config *config)
{
  ebr_identity identity;
  identity_start(&identity);
  return identity_hash(&identity, config, true);
}

void ebr_identity_canonicalize(const ebr_config *defaults, ebr_config *config)
{
  unsigned met = conditions_met(config);
  for (int i = 0; i < EBR_PARAMETER_COUNT; i++) {
    const ebr_parameter *p = ebr_parameter_at(i);
    if (relevant(met, p)) continue;
    memcpy(ebr_config_field_write(config, p), ebr_config_field(defaults, p), ebr_value_size(p->kind));
  }
}

void ebr_config_canonicalize(ebr_config *config)
{
  ebr_config defaults;
  ebr_config_defaults(&defaults);
  ebr_identity_canonicalize(&defaults, config);
}

void ebr_config_defaults(ebr_config *config)
{
  memset(config, 0, sizeof *config);
  for (int i = 0; i < EBR_PARAMETER_COUNT; i++) {
    ebr_error *error = ebr_config_set(config, i, ebr_parameter_at(i)->fallback);
    if (error) abort(); /* the table contradicts itself: a test would have told */
  }
}
