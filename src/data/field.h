/* Fields: the arrays of an HDF5 dataset file, opened with checks whose messages start with the file's path. */
#ifndef EBRSWEEP_DATA_FIELD_H
#define EBRSWEEP_DATA_FIELD_H

#include "data/dataset.h"

#include <hdf5.h>

/* An open file while HDF5 keeps its own error messages to itself. */
typedef struct ebr_source {
  const char *path; /* borrowed */
  hid_t file;
  bool measured; /* its array is known to be as long as it says */
  H5E_auto2_t report;
  void *report_data;
} ebr_source;

EBR_FALLIBLE ebr_source_open(const char *path, ebr_source *source);
void ebr_source_close(ebr_source *source);
bool ebr_source_has(const ebr_source *source, const char *name);

/* What a field's values must be. */
enum { EBR_FIELD_OF_NUMBERS, EBR_FIELD_OF_INTEGERS };

/* size gets the field's extents; EBR_DATA unless it has `rank` of them, none 0, and values of that kind. */
EBR_FALLIBLE ebr_field_size(const ebr_source *source, const char *name, int rank, int kind, hsize_t size[2]);
/* Reads a whole field, converted to type, into values. */
EBR_FALLIBLE ebr_field_read(const ebr_source *source, const char *name, hid_t type, void *values);

/* /label as class numbers: *label (total) belongs to the caller (free). EBR_DATA for a negative or too large one and
 * for a class between 0 and the largest that no sample has. */
EBR_FALLIBLE ebr_field_labels(const ebr_source *source, int total, int64_t **label, int *classes);
/* /split or /present: bytes that must be 0 or 1. */
EBR_FALLIBLE ebr_field_flags(const ebr_source *source, const char *name, size_t count, uint8_t *flag);
/* What a row of a modality (name, with `inputs` columns) looks like by its attribute shape, rows x columns [x channels];
 * height 0 where there is none, or one of other ranks. EBR_DATA for one that does not fit the row. */
EBR_FALLIBLE ebr_field_picture(const ebr_source *source, const char *name, int inputs, ebr_picture *picture);
/* The names of the modalities in the order of the attribute `order`, or else of the alphabet. */
EBR_FALLIBLE ebr_field_modalities(const ebr_source *source, char name[][EBR_NAME_MOST], int *count);

#endif
