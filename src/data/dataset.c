#include "data/dataset.h"

#include "data/field.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_NAME_MOST = EBR_NAME_MOST + 16 };

static void modality_field(const ebr_dataset *dataset, int modality, char field[FIELD_NAME_MOST])
{
  snprintf(field, FIELD_NAME_MOST, "/modality/%s", dataset->header.name[modality]);
}

size_t ebr_dataset_layout(ebr_dataset *dataset, unsigned char *block)
{
  const ebr_dataset_header *h = &dataset->header;
  size_t total = (size_t)h->total;
  ebr_arena arena = {.block = block, .size = SIZE_MAX};
  dataset->label = ebr_arena_take(&arena, total, sizeof(int32_t));
  dataset->class_count = ebr_arena_take(&arena, (size_t)h->classes, sizeof(int32_t));
  dataset->split = h->has_split ? ebr_arena_take(&arena, total, 1) : NULL;
  dataset->present = h->has_present ? ebr_arena_take(&arena, total * (size_t)h->modalities, 1) : NULL;
  for (int i = 0; i < h->modalities; i++)
    dataset->x[i] = ebr_arena_take(&arena, total * (size_t)h->inputs[i], sizeof(float));
  return arena.used;
}

/* ---- what is in the file ----------------------------------------------------------------------------------------- */

static ebr_error *check_total(const ebr_source *source, const char *field, hsize_t rows, int total)
{
  ebr_error *error = NULL;
  EBR_CHECK(rows == (hsize_t)total, EBR_DATA, "%s: %s has %llu samples, but /label has %d", source->path, field,
            (unsigned long long)rows, total);
done:
  return error;
}

static ebr_error *inspect_modalities(const ebr_source *source, ebr_dataset *dataset)
{
  ebr_error *error = NULL;
  ebr_dataset_header *h = &dataset->header;
  for (int i = 0; i < h->modalities; i++) {
    char field[FIELD_NAME_MOST];
    hsize_t size[2];
    modality_field(dataset, i, field);
    EBR_TRY(ebr_field_size(source, field, 2, EBR_FIELD_OF_NUMBERS, size));
    EBR_TRY(check_total(source, field, size[0], h->total));
    h->inputs[i] = (int)size[1];
    EBR_TRY(ebr_field_picture(source, field, h->inputs[i], &h->picture[i]));
  }
done:
  return error;
}

static ebr_error *inspect_split(const ebr_source *source, ebr_dataset_header *h)
{
  ebr_error *error = NULL;
  uint8_t *split = NULL;
  hsize_t size[2];
  h->has_split = ebr_source_has(source, "/split");
  if (!h->has_split) goto done;
  EBR_TRY(ebr_field_size(source, "/split", 1, EBR_FIELD_OF_INTEGERS, size));
  EBR_TRY(check_total(source, "/split", size[0], h->total));
  split = malloc((size_t)h->total);
  EBR_CHECK_MEMORY(split, "a split");
  EBR_TRY(ebr_field_flags(source, "/split", (size_t)h->total, split));
  for (int n = 0; n < h->total; n++) h->split_count[split[n]]++;
  for (int side = 0; side < 2; side++)
    EBR_CHECK(h->split_count[side] > 0, EBR_DATA, "%s: /split has no %s sample (%d); 0 is train and 1 is test",
              source->path, side == 0 ? "training" : "test", side);
done:
  free(split);
  return error;
}

static ebr_error *inspect_present(const ebr_source *source, ebr_dataset_header *h)
{
  ebr_error *error = NULL;
  hsize_t size[2];
  h->has_present = ebr_source_has(source, "/present");
  if (!h->has_present) goto done;
  EBR_TRY(ebr_field_size(source, "/present", 2, EBR_FIELD_OF_INTEGERS, size));
  EBR_TRY(check_total(source, "/present", size[0], h->total));
  EBR_CHECK(size[1] == (hsize_t)h->modalities, EBR_DATA, "%s: /present is %llu x %llu, but there are %d modalities",
            source->path, (unsigned long long)size[0], (unsigned long long)size[1], h->modalities);
done:
  return error;
}

ebr_error *ebr_dataset_inspect(ebr_dataset *dataset)
{
  ebr_error *error = NULL;
  ebr_dataset_header *h = &dataset->header;
  ebr_source source = {.file = -1};
  int64_t *label = NULL;
  hsize_t size[2];
  memset(h, 0, sizeof *h);
  EBR_TRY(ebr_source_open(dataset->path, &source));
  EBR_TRY(ebr_field_modalities(&source, h->name, &h->modalities));
  EBR_TRY(ebr_field_size(&source, "/label", 1, EBR_FIELD_OF_INTEGERS, size));
  h->total = (int)size[0];
  EBR_TRY(inspect_modalities(&source, dataset));
  EBR_TRY(ebr_field_labels(&source, h->total, &label, &h->classes));
  EBR_TRY(inspect_split(&source, h));
  EBR_TRY(inspect_present(&source, h));
done:
  free(label);
  ebr_source_close(&source);
  return error;
}

/* ---- its values -------------------------------------------------------------------------------------------------- */

static ebr_error *read_labels(const ebr_source *source, const ebr_dataset *dataset)
{
  ebr_error *error = NULL;
  int64_t *label = NULL;
  int classes;
  int32_t *to = (int32_t *)dataset->label, *count = (int32_t *)dataset->class_count;
  EBR_TRY(ebr_field_labels(source, dataset->header.total, &label, &classes));
  EBR_CHECK(classes == dataset->header.classes, EBR_DATA, "%s: /label changed while it was read", dataset->path);
  memset(count, 0, (size_t)classes * sizeof *count);
  for (int n = 0; n < dataset->header.total; n++) {
    to[n] = (int32_t)label[n];
    count[to[n]]++;
  }
done:
  free(label);
  return error;
}

/* A sample without the modality may hold anything there, NaN for instance; nothing of it is kept. */
static ebr_error *check_values(const ebr_dataset *dataset, int modality, const char *field, float *x)
{
  ebr_error *error = NULL;
  const ebr_dataset_header *h = &dataset->header;
  for (int n = 0; n < h->total; n++) {
    float *row = x + (size_t)n * (size_t)h->inputs[modality];
    if (dataset->present && !dataset->present[(size_t)n * (size_t)h->modalities + (size_t)modality])
      memset(row, 0, (size_t)h->inputs[modality] * sizeof *row);
    for (int c = 0; c < h->inputs[modality]; c++)
      EBR_CHECK(isfinite(row[c]), EBR_DATA, "%s: %s, row %d, column %d (counted from 0): %s is no usable value",
                dataset->path, field, n, c, isnan(row[c]) ? "NaN" : "an infinite value");
  }
done:
  return error;
}

ebr_error *ebr_dataset_read(const ebr_dataset *dataset)
{
  ebr_error *error = NULL;
  const ebr_dataset_header *h = &dataset->header;
  ebr_source source = {.file = -1};
  size_t total = (size_t)h->total;
  EBR_TRY(ebr_source_open(dataset->path, &source));
  EBR_TRY(read_labels(&source, dataset));
  if (h->has_split) EBR_TRY(ebr_field_flags(&source, "/split", total, (uint8_t *)dataset->split));
  if (h->has_present)
    EBR_TRY(ebr_field_flags(&source, "/present", total * (size_t)h->modalities, (uint8_t *)dataset->present));
  for (int i = 0; i < h->modalities; i++) {
    char field[FIELD_NAME_MOST];
    modality_field(dataset, i, field);
    EBR_TRY(ebr_field_read(&source, field, H5T_NATIVE_FLOAT, (float *)dataset->x[i]));
    EBR_TRY(check_values(dataset, i, field, (float *)dataset->x[i]));
  }
done:
  ebr_source_close(&source);
  return error;
}
