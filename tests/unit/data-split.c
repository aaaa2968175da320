/* How a dataset becomes a run's samples: split, strata, sizes, order and presence. */
#include "made_library.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char sweep_text[] = "name: split\n"
                                 "base: {data: {source: hdf5, file: made.h5}, train: {batch: 4}}\n"
                                 "axes: {seed: {from: 0, count: 2}}\n";

typedef struct fixture {
  char folder[64], path[96];
  ebr_sweep *sweep;
  ebr_library *library;
} fixture;

static void fixture_open(fixture *f)
{
  f->sweep = made_sweep(f->folder, sweep_text);
  must(ebr_library_create(MPI_COMM_SELF, f->sweep, &f->library));
}

static int set_up(void **state)
{
  fixture *f = calloc(1, sizeof *f);
  made_folder(MPI_COMM_SELF, f->folder);
  snprintf(f->path, sizeof f->path, "%s/made.h5", f->folder);
  made_dataset(f->path);
  *state = f;
  return 0;
}

static int tear_down(void **state)
{
  fixture *f = *state;
  ebr_library_destroy(&f->library);
  ebr_sweep_destroy(&f->sweep);
  made_folder_end(MPI_COMM_SELF, f->folder);
  free(f);
  return 0;
}

static ebr_config run_of(const fixture *f)
{
  ebr_config config;
  ebr_sweep_run(f->sweep, 0, &config);
  return config;
}

static ebr_samples *make(const fixture *f, const ebr_config *config)
{
  ebr_samples *samples = NULL;
  must(ebr_samples_create(f->library, config, &samples));
  return samples;
}

static void values_are_the_files(void **state)
{
  fixture *f = *state;
  fixture_open(f);
  ebr_config config = run_of(f);
  ebr_samples *s = make(f, &config);
  assert_int_equal(s->modalities, 2);
  assert_int_equal(s->classes, 3);
  assert_int_equal(s->total, MADE_ROWS);
  assert_string_equal(s->name[0], "sight"); /* alphabetical without the attribute order */
  assert_string_equal(s->name[1], "sound");
  assert_null(s->present);
  assert_null(s->truth[0]);
  for (int n = 0; n < MADE_ROWS; n++) {
    assert_int_equal(s->label[n], made_label(n));
    for (int c = 0; c < MADE_SIGHT; c++) assert_true(s->x[0][n * MADE_SIGHT + c] == made_sight(n, c));
    for (int c = 0; c < MADE_SOUND; c++) assert_true(s->x[1][n * MADE_SOUND + c] == made_sound(n, c));
  }
  ebr_samples_destroy(&s);
}

/* Every sample is on one side, and each class is cut at the fraction: 24, 24, 12 -> 7, 7, 4 of 30 %. */
static void split_is_by_class(void **state)
{
  fixture *f = *state;
  fixture_open(f);
  ebr_config config = run_of(f);
  ebr_samples *s = make(f, &config);
  int seen[MADE_ROWS] = {0}, test[3] = {0};
  for (int t = 0; t < s->train_count; t++) seen[s->train[t]]++;
  for (int t = 0; t < s->test_count; t++) {
    seen[s->test[t]]++;
    test[s->label[s->test[t]]]++;
  }
  for (int n = 0; n < MADE_ROWS; n++) assert_int_equal(seen[n], 1);
  assert_int_equal(test[0], 7);
  assert_int_equal(test[1], 7);
  assert_int_equal(test[2], 4);
  assert_int_equal(s->train_count, 42);
  ebr_samples_destroy(&s);
}

static void split_depends_on_the_seed_alone(void **state)
{
  fixture *f = *state;
  fixture_open(f);
  ebr_config config = run_of(f), other = config;
  ebr_samples *one = make(f, &config), *same, *apart;
  set(&other, "method", "ebr");
  same = make(f, &other);
  assert_memory_equal(one->test, same->test, (size_t)one->test_count * sizeof(int32_t));
  assert_ptr_equal(one->x[0], same->x[0]); /* and nothing was copied */
  set(&other, "seed", "1");
  apart = make(f, &other);
  assert_memory_not_equal(one->test, apart->test, (size_t)one->test_count * sizeof(int32_t));
  ebr_samples_destroy(&one);
  ebr_samples_destroy(&same);
  ebr_samples_destroy(&apart);
}

static void sizes_are_cut(void **state)
{
  fixture *f = *state;
  fixture_open(f);
  ebr_config config = run_of(f);
  ebr_shape shape;
  set(&config, "data.train", "10");
  set(&config, "data.test", "18");
  must(ebr_samples_shape(f->library, &config, &shape));
  ebr_samples *s = make(f, &config);
  assert_int_equal(shape.train_count, 10);
  assert_int_equal(s->train_count, 10);
  assert_int_equal(s->test_count, 18);
  for (int t = 0; t < 10; t++)
    for (int u = 0; u < 18; u++) assert_int_not_equal(s->train[t], s->test[u]);
  ebr_samples_destroy(&s);
}

static void files_own_split_is_kept(void **state)
{
  fixture *f = *state;
  int split[MADE_ROWS];
  for (int n = 0; n < MADE_ROWS; n++) split[n] = n % 3 == 0;
  hid_t file = H5Fopen(f->path, H5F_ACC_RDWR, H5P_DEFAULT);
  write_ints(file, "/split", MADE_ROWS, split);
  H5Fclose(file);
  fixture_open(f);
  ebr_config config = run_of(f);
  ebr_samples *s = make(f, &config);
  assert_int_equal(s->train_count, 40);
  assert_int_equal(s->test_count, 20);
  for (int t = 0; t < 40; t++) assert_int_not_equal(s->train[t] % 3, 0);
  for (int t = 0; t < 20; t++) assert_int_equal(s->test[t] % 3, 0);
  ebr_samples_destroy(&s);
}

static void write_order(const char *path, const char *first, const char *second)
{
  const char *names[2] = {first, second};
  hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  hid_t space = H5Screate_simple(1, (hsize_t[1]){2}, NULL);
  hid_t order = H5Acreate_by_name(file, "/modality", "order", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (H5Awrite(order, type, names) < 0) abort();
  H5Aclose(order);
  H5Sclose(space);
  H5Tclose(type);
  H5Fclose(file);
}

static void modalities_are_ordered(void **state)
{
  fixture *f = *state;
  write_order(f->path, "sound", "sight");
  fixture_open(f);
  ebr_config config = run_of(f);
  ebr_samples *s = make(f, &config);
  assert_string_equal(s->name[0], "sound");
  assert_int_equal(s->inputs[0], MADE_SOUND);
  ebr_samples_destroy(&s);
  set(&config, "data.modalities", "1");
  s = make(f, &config);
  assert_int_equal(s->modalities, 1);
  assert_string_equal(s->name[0], "sound");
  ebr_samples_destroy(&s);
  set(&config, "data.order", "[1]");
  s = make(f, &config);
  assert_int_equal(s->modalities, 1);
  assert_string_equal(s->name[0], "sight");
  assert_true(s->x[0][MADE_SIGHT + 1] == made_sight(1, 1));
  ebr_samples_destroy(&s);
}

/* Absent values may be NaN; they enter neither the standard nor a batch, and missing.train comes on top. */
static void write_shape(const char *path, int rows, int columns)
{
  const int extent[2] = {rows, columns};
  hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), space = H5Screate_simple(1, (hsize_t[1]){2}, NULL);
  hid_t shape = H5Acreate_by_name(file, "/modality/sight", "shape", H5T_STD_I64BE, space, H5P_DEFAULT, H5P_DEFAULT,
                                  H5P_DEFAULT);
  if (H5Awrite(shape, H5T_NATIVE_INT, extent) < 0) abort();
  H5Aclose(shape);
  H5Sclose(space);
  H5Fclose(file);
}

static void pictures_go_with_their_modality(void **state)
{
  fixture *f = *state;
  write_shape(f->path, 4, 1);
  fixture_open(f);
  ebr_config config = run_of(f);
  set(&config, "data.order", "[1, 0]");
  ebr_samples *s = make(f, &config);
  ebr_shape shape = ebr_samples_describe(s);
  assert_int_equal(shape.picture[0].height, 0);
  assert_int_equal(shape.picture[1].height, 4);
  assert_int_equal(shape.picture[1].width, 1);
  assert_int_equal(shape.picture[1].channels, 1);
  assert_int_equal(shape.inputs[1], MADE_SIGHT);
  ebr_samples_destroy(&s);
  set(&config, "data.order", "[1]");
  set(&config, "model.convolution", "[2]");
  ebr_error *error = ebr_samples_create(f->library, &config, &s);
  assert_non_null(error);
  assert_non_null(strstr(ebr_error_message(error), "model.convolution needs samples with a shape"));
  ebr_error_destroy(&error);
}

static void presence_is_the_files(void **state)
{
  fixture *f = *state;
  float sight[MADE_ROWS][MADE_SIGHT];
  int present[MADE_ROWS][2];
  for (int n = 0; n < MADE_ROWS; n++) {
    present[n][0] = n % 4 != 0;
    present[n][1] = 1;
    for (int c = 0; c < MADE_SIGHT; c++) sight[n][c] = present[n][0] ? 5 : (float)(0.0 / 0.0);
    if (n == 1) sight[n][0] = 6;
  }
  hid_t file = H5Fopen(f->path, H5F_ACC_RDWR, H5P_DEFAULT);
  H5Ldelete(file, "/modality/sight", H5P_DEFAULT);
  write_floats(file, "/modality/sight", MADE_ROWS, MADE_SIGHT, &sight[0][0]);
  write_field(file, "/present", 2, (hsize_t[2]){MADE_ROWS, 2}, H5T_STD_U8LE, H5T_NATIVE_INT, present);
  H5Fclose(file);
  fixture_open(f);
  ebr_config config = run_of(f);
  set(&config, "data.order", "[1, 0]");
  ebr_samples *s = make(f, &config);
  ebr_real out[MADE_SIGHT];
  for (int32_t n = 0; n < MADE_ROWS; n++) {
    assert_int_equal(s->present[2 * n], 1);
    assert_int_equal(s->present[2 * n + 1], n % 4 != 0);
    ebr_samples_gather(s, 1, &n, 1, out);
    for (int c = 0; c < MADE_SIGHT; c++) assert_true(n % 4 != 0 || out[c] == 0);
  }
  assert_true(s->mean[1][1] == 5 && s->scale[1][1] == 0);
  ebr_samples_destroy(&s);
  set(&config, "missing.train", "[1]");
  s = make(f, &config);
  for (int t = 0; t < s->train_count; t++) {
    const uint8_t *row = s->present + 2 * s->train[t];
    assert_int_equal(row[0] + row[1], 1);
    if (s->train[t] % 4 == 0) assert_int_equal(row[0], 1); /* what the file lacks cannot be kept */
  }
  for (int t = 0; t < s->test_count; t++) assert_int_equal(s->present[2 * s->test[t]], 1);
  ebr_samples_destroy(&s);
}

static void feature_noise_leaves_the_library_alone(void **state)
{
  fixture *f = *state;
  fixture_open(f);
  ebr_config config = run_of(f), clean = config;
  set(&config, "data.feature_noise", "1");
  set(&config, "data.label_noise", "1");
  ebr_samples *noisy = make(f, &config), *s = make(f, &clean);
  assert_ptr_not_equal(noisy->x[0], s->x[0]);
  assert_true(noisy->x[1][0] != made_sound(0, 0));
  for (int n = 0; n < MADE_ROWS; n++) {
    assert_true(s->x[1][n * MADE_SOUND] == made_sound(n, 0));
    assert_int_equal(s->label[n], made_label(n));
  }
  ebr_samples_destroy(&noisy);
  ebr_samples_destroy(&s);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
  const struct CMUnitTest tests[] = {TEST(values_are_the_files),
                                     TEST(split_is_by_class),
                                     TEST(split_depends_on_the_seed_alone),
                                     TEST(sizes_are_cut),
                                     TEST(files_own_split_is_kept),
                                     TEST(modalities_are_ordered),
                                     TEST(pictures_go_with_their_modality),
                                     TEST(presence_is_the_files),
                                     TEST(feature_noise_leaves_the_library_alone)};
  if (ebr_mpi_start()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
