/* A folder with one good dataset, changed by tests, and libraries of sweeps that name it. */
#ifndef EBRSWEEP_TESTS_MADE_LIBRARY_H
#define EBRSWEEP_TESTS_MADE_LIBRARY_H

#include "made_data.h"

#include <ebrsweep/library.h>

#include <string.h>
#include <unistd.h>

enum { MADE_ROWS = 60, MADE_SOUND = 3, MADE_SIGHT = 4 };

static inline float made_sound(int row, int column) { return (float)(10 * row + column) / 7; }
static inline float made_sight(int row, int column) { return (float)(row * row - column); }
static inline int made_label(int row) { return row % 5 == 0 ? 2 : row % 2; } /* 24, 24 and 12 samples */

/* /modality/sight, /modality/sound and /label. */
static inline void made_dataset(const char *path)
{
  float sound[MADE_ROWS][MADE_SOUND], sight[MADE_ROWS][MADE_SIGHT];
  int label[MADE_ROWS];
  for (int n = 0; n < MADE_ROWS; n++) {
    for (int c = 0; c < MADE_SOUND; c++) sound[n][c] = made_sound(n, c);
    for (int c = 0; c < MADE_SIGHT; c++) sight[n][c] = made_sight(n, c);
    label[n] = made_label(n);
  }
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  if (file < 0) abort();
  write_floats(file, "/modality/sound", MADE_ROWS, MADE_SOUND, &sound[0][0]);
  write_floats(file, "/modality/sight", MADE_ROWS, MADE_SIGHT, &sight[0][0]);
  write_ints(file, "/label", MADE_ROWS, label);
  H5Fclose(file);
}

/* Collective: a fresh folder in the current one that all ranks know; made_folder_end empties and removes it. */
static inline void made_folder(MPI_Comm comm, char folder[64])
{
  int rank;
  MPI_Comm_rank(comm, &rank);
  snprintf(folder, 64, "library.XXXXXX");
  if (rank == 0 && !mkdtemp(folder)) abort();
  MPI_Bcast(folder, 64, MPI_CHAR, 0, comm);
}

static inline void made_folder_end(MPI_Comm comm, const char *folder)
{
  int rank;
  char command[128];
  MPI_Comm_rank(comm, &rank);
  MPI_Barrier(comm);
  snprintf(command, sizeof command, "rm -r '%s'", folder);
  if (rank == 0 && system(command) != 0) abort();
}

/* A sweep of that text, as if it lay in the folder. */
static inline ebr_sweep *made_sweep(const char *folder, const char *text)
{
  char path[128];
  ebr_sweep *sweep = NULL;
  snprintf(path, sizeof path, "%s/sweep.yaml", folder);
  must(ebr_sweep_parse(text, strlen(text), path, &(ebr_overrides){0}, &sweep));
  return sweep;
}

#endif
