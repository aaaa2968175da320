/* Configurations and HDF5 files for the tests of data. */
#ifndef EBRSWEEP_TESTS_MADE_DATA_H
#define EBRSWEEP_TESTS_MADE_DATA_H

#include <ebrsweep/data.h>

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>

static inline void must(ebr_error *error)
{
  if (!error) return;
  fprintf(stderr, "%s\n%s", ebr_error_message(error), ebr_error_trace(error));
  abort();
}

static inline void set(ebr_config *config, const char *name, const char *value)
{
  must(ebr_config_set(config, ebr_parameter_find(name), value));
}

/* Synthetic: 3 modalities, 4 classes, 3 predictive and 2 noise features, 4000 + 1000 samples. */
static inline ebr_config made_config(void)
{
  ebr_config config;
  ebr_config_defaults(&config);
  set(&config, "data.modalities", "3");
  set(&config, "data.classes", "4");
  set(&config, "data.predictive", "3");
  set(&config, "data.noise", "2");
  set(&config, "data.train", "4000");
  set(&config, "data.test", "1000");
  return config;
}

static inline void write_field(hid_t file, const char *name, int rank, const hsize_t *size, hid_t stored, hid_t type,
                               const void *values)
{
  hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  hid_t space = H5Screate_simple(rank, size, NULL);
  hid_t field = H5Dcreate2(file, name, stored, space, links, H5P_DEFAULT, H5P_DEFAULT);
  if (H5Dwrite(field, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) abort();
  H5Dclose(field);
  H5Sclose(space);
  H5Pclose(links);
}

static inline void write_floats(hid_t file, const char *name, hsize_t rows, hsize_t columns, const float *values)
{
  write_field(file, name, 2, (hsize_t[2]){rows, columns}, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, values);
}

static inline void write_ints(hid_t file, const char *name, hsize_t rows, const int *values)
{
  write_field(file, name, 1, &rows, H5T_STD_I32LE, H5T_NATIVE_INT, values);
}

#endif
