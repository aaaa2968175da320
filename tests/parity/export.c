/* Trains every method with every fusion head for 200 steps and writes down all that another implementation needs to do
 * the same: one HDF5 group a setting with the configuration as text attributes, the standardised samples, the teacher,
 * the mini-batches, muse's dropped edges, the first and last weights, and the losses of each step. compare.py replays
 * it. */
#include <ebrsweep/train.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "made_samples.h"
#include "model/graph.h"

enum { STEPS = 200, BATCH = 8, TRUE_FEATURES = 3, KEY = 11, TEACHER = 1, LOSSES = 7, CHANGES_MOST = 6,
       INPUTS_MOST = 24 };

typedef struct setting {
  const char *name;
  const char *changes[CHANGES_MOST][2];
  bool missing;
  bool concat_only;
} setting;

/* Names are unique; each is trained with every head unless concat_only. */
static const setting settings[] = {
    {"vanilla", {{"method", "vanilla"}}, false, false},
    {"unimodal", {{"method", "unimodal"}, {"unimodal.modality", "1"}}, false, true},
    {"kd-mse", {{"method", "kd"}, {"kd.weight", "0.5"}}, false, false},
    {"kd-cosine", {{"method", "kd"}, {"kd.form", "cosine"}, {"kd.order", "strong-first"}}, false, false},
    {"kd-logits", {{"method", "kd"}, {"kd.form", "logits"}, {"kd.order", "weak-first"}}, false, false},
    {"kd-missing", {{"method", "kd"}, {"kd.form", "logits"}, {"auxiliary.weight", "0.3"}}, true, false},
    {"ebr", {{"method", "ebr"}}, false, false},
    {"ebr-zero", {{"method", "ebr"}, {"ebr.lambda", "0"}}, false, false},
    {"ebr-hinge", {{"method", "ebr"}, {"ebr.form", "hinge"}, {"ebr.latent", "4"}}, false, false},
    {"ebr-confusion", {{"method", "ebr"}, {"ebr.form", "confusion"}, {"ebr.hidden", "6"}}, false, false},
    {"ebr-residual", {{"method", "ebr"}, {"ebr.residual", "true"}}, false, false},
    {"ebr-conditional", {{"method", "ebr"}, {"ebr.psi.conditional", "true"}}, false, false},
    {"ebr-psi-steps", {{"method", "ebr"}, {"ebr.psi.steps", "2"}, {"ebr.psi.rate", "2e-3"}}, false, false},
    {"ebr-ramp", {{"method", "ebr"}, {"ebr.ramp", "0.5"}, {"ebr.lambda", "0.6"}}, false, false},
    {"ebr-missing", {{"method", "ebr"}, {"ebr.form", "confusion"}, {"ebr.psi.conditional", "true"}}, true, false},
    {"kd+ebr", {{"method", "kd+ebr"}}, false, false},
    {"kd+ebr-missing", {{"method", "kd+ebr"}, {"ebr.residual", "true"}, {"auxiliary.weight", "0.3"}}, true, false},
    {"auxiliary", {{"method", "vanilla"}, {"auxiliary.weight", "0.7"}}, false, false},
    {"missing", {{"method", "vanilla"}}, true, false},
    {"strengths",
     {{"method", "vanilla"}, {"model.strength.each", "[0.5, 1]"}, {"model.strength.last", "2"}},
     false,
     false},
    {"sgd",
     {{"method", "ebr"}, {"train.optimizer", "sgd"}, {"train.rate", "5e-4"}, {"train.weight_decay", "0.1"}},
     false,
     false},
    {"decay-l1", {{"method", "ebr"}, {"train.weight_decay", "0.1"}, {"train.l1", "1e-3"}}, false, false},
    {"other-adam",
     {{"method", "vanilla"}, {"train.beta1", "0.8"}, {"train.beta2", "0.99"}, {"train.epsilon", "1e-6"}},
     false,
     true},
    {"squared", {{"method", "vanilla"}, {"train.loss", "squared"}}, false, true},
    {"reconstruction", {{"method", "vanilla"}, {"train.loss", "reconstruction"}}, false, true},
    {"reconstruction-kd+ebr", {{"method", "kd+ebr"}, {"train.loss", "reconstruction"}}, true, true},
    {"convolution",
     {{"data.source", "hdf5"}, {"model.convolution", "[2, 3]"}, {"model.kernel", "3"}, {"method", "ebr"}},
     false,
     true},
    {"convolution-missing",
     {{"data.source", "hdf5"}, {"model.convolution", "[3, 2, 2]"}, {"method", "kd"}, {"kd.form", "logits"}},
     true,
     true},
    {"linear", {{"method", "ebr"}, {"model.activation", "none"}, {"model.encoder", "[5]"}}, false, true},
};

static const char *const heads[] = {"concat", "grape", "muse"};
static const char *const loss_names[LOSSES] = {"semantic", "discrimination", "distillation", "auxiliary",
                                               "contrast", "impute",         "correct"};

/* ---- HDF5 -------------------------------------------------------------------------------------------------------- */

static ebr_error *write_array(hid_t group, const char *name, hid_t type, int rank, const hsize_t *shape,
                              const void *data)
{
  ebr_error *error = NULL;
  hid_t space = H5Screate_simple(rank, shape, NULL);
  hid_t set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  EBR_CHECK(set >= 0 && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0, EBR_FILE, "cannot write %s",
            name);
done:
  if (set >= 0) H5Dclose(set);
  H5Sclose(space);
  return error;
}

static hid_t real_type(void) { return sizeof(ebr_real) == sizeof(double) ? H5T_NATIVE_DOUBLE : H5T_NATIVE_FLOAT; }

static ebr_error *write_reals(hid_t group, const char *name, int rows, int cols, const ebr_real *data)
{
  return write_array(group, name, real_type(), 2, (hsize_t[]){(hsize_t)rows, (hsize_t)cols}, data);
}

static ebr_error *write_text(hid_t group, const char *name, const char *text)
{
  ebr_error *error = NULL;
  hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR), attribute = -1;
  H5Tset_size(type, strlen(text) + 1);
  attribute = H5Acreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  EBR_CHECK(attribute >= 0 && H5Awrite(attribute, type, text) >= 0, EBR_FILE, "cannot write attribute %s", name);
done:
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
  return error;
}

/* ---- one setting ------------------------------------------------------------------------------------------------- */

static ebr_error *configure(const setting *s, const char *head, ebr_config *config)
{
  static const char *const common[][2] = {{"model.encoder", "[6, 5]"}, {"model.width", "10"},  {"ebr.psi.hidden", "6"},
                                          {"train.batch", "8"},        {"train.epochs", "17"}, {"model.layers", "2"},
                                          {"train.rate", "1e-4"},      {"data.predictive", "2"}, {"data.noise", "1"}};
  ebr_error *error = NULL;
  ebr_config_defaults(config);
  for (size_t k = 0; k < sizeof common / sizeof *common; k++)
    EBR_TRY(ebr_config_set(config, ebr_parameter_find(common[k][0]), common[k][1]));
  EBR_TRY(ebr_config_set(config, ebr_parameter_find("model.fusion"), head));
  for (int k = 0; k < CHANGES_MOST && s->changes[k][0]; k++)
    EBR_TRY(ebr_config_set(config, ebr_parameter_find(s->changes[k][0]), s->changes[k][1]));
done:
  return error;
}

static ebr_error *write_config(hid_t group, const ebr_config *config)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  for (int p = 0; p < ebr_parameter_count(); p++) {
    text.length = 0;
    EBR_TRY(ebr_config_get(config, p, &text));
    EBR_TRY(write_text(group, ebr_parameter_at(p)->name, text.data && text.length ? text.data : ""));
  }
done:
  ebr_text_destroy(&text);
  return error;
}

static ebr_error *write_samples(hid_t group, const ebr_samples *samples)
{
  ebr_error *error = NULL;
  int count = samples->train_count;
  ebr_real gathered[MADE_TRAIN * INPUTS_MOST];
  for (int i = 0; i < samples->modalities; i++) {
    char name[32];
    snprintf(name, sizeof name, "x.%d", i);
    ebr_samples_gather(samples, i, samples->train, count, gathered);
    EBR_TRY(write_reals(group, name, count, samples->inputs[i], gathered));
    const int picture[] = {samples->picture[i].height, samples->picture[i].width, samples->picture[i].channels};
    snprintf(name, sizeof name, "picture.%d", i);
    EBR_TRY(write_array(group, name, H5T_NATIVE_INT, 1, (hsize_t[]){3}, picture));
  }
  EBR_TRY(write_array(group, "label", H5T_NATIVE_INT32, 1, (hsize_t[]){(hsize_t)count}, samples->label));
  for (int i = 0; i < samples->modalities && samples->truth[0]; i++) {
    char name[32];
    snprintf(name, sizeof name, "truth.%d", i);
    ebr_samples_gather_truth(samples, i, samples->train, count, gathered);
    EBR_TRY(write_reals(group, name, count, TRUE_FEATURES, gathered));
  }
  if (samples->present)
    EBR_TRY(write_array(group, "present", H5T_NATIVE_UINT8, 2, (hsize_t[]){(hsize_t)count, MADE_MODALITIES},
                        samples->present));
done:
  return error;
}

static ebr_error *write_teaching(hid_t group, const ebr_teaching *teaching, int features)
{
  ebr_error *error = NULL;
  EBR_TRY(write_reals(group, "teacher.features", MADE_TRAIN, features, teaching->features));
  EBR_TRY(write_reals(group, "teacher.logits", MADE_TRAIN, MADE_CLASSES, teaching->logits));
  EBR_TRY(write_array(group, "teacher.order", H5T_NATIVE_INT, 1, (hsize_t[]){MADE_MODALITIES}, teaching->order));
  EBR_TRY(write_array(group, "teacher.modality", H5T_NATIVE_INT, 1, (hsize_t[]){1}, &teaching->modality));
done:
  return error;
}

static ebr_error *write_weights(hid_t group, const char *when, ebr_network *network)
{
  ebr_error *error = NULL;
  hid_t inside = H5Gcreate2(group, when, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  EBR_CHECK(inside >= 0, EBR_FILE, "cannot write %s", when);
  for (int t = 0; t < ebr_network_tensor_count(network); t++) {
    const ebr_tensor *tensor = ebr_network_tensor(network, t);
    EBR_TRY(
        write_reals(inside, tensor->name, tensor->rows, tensor->cols, ebr_network_values(network) + tensor->offset));
  }
done:
  if (inside >= 0) H5Gclose(inside);
  return error;
}

/* What the steps leave behind. */
typedef struct history {
  int32_t rows[STEPS][BATCH];
  uint8_t view[STEPS][BATCH * MADE_MODALITIES]; /* edges that muse kept in its second view */
  double losses[LOSSES][STEPS];
} history;

/* An epoch's order as the trainer draws it. */
static void note_batch(int step, int32_t *order, history *past)
{
  int steps = MADE_TRAIN / BATCH, index = step % steps;
  ebr_stream stream = ebr_stream_start(KEY, EBR_PURPOSE_SHUFFLE, (uint32_t)(step / steps));
  for (int i = 0; i < MADE_TRAIN; i++) order[i] = i;
  ebr_stream_shuffle(&stream, order, MADE_TRAIN);
  memcpy(past->rows[step], order + index * BATCH, sizeof past->rows[step]);
}

static void train(ebr_trainer *trainer, bool muse, history *past)
{
  int32_t order[MADE_TRAIN];
  for (int step = 0; step < STEPS; step++) {
    ebr_losses l;
    (void)ebr_trainer_step(trainer, &l);
    const double values[LOSSES] = {l.semantic, l.discrimination, l.distillation, l.auxiliary,
                                   l.contrast, l.impute,         l.correct};
    for (int k = 0; k < LOSSES; k++) past->losses[k][step] = values[k];
    note_batch(step, order, past);
    if (!muse) continue;
    /* The graph is the first member of muse's state. */
    const ebr_graph *graph = ebr_trainer_network(trainer)->fusion_state;
    memcpy(past->view[step], graph->view[1].present, sizeof past->view[step]);
  }
}

static ebr_error *write_history(hid_t group, bool muse, const history *past)
{
  ebr_error *error = NULL;
  EBR_TRY(write_array(group, "batches", H5T_NATIVE_INT32, 2, (hsize_t[]){STEPS, BATCH}, past->rows));
  for (int k = 0; k < LOSSES; k++) {
    char name[32];
    snprintf(name, sizeof name, "loss.%s", loss_names[k]);
    EBR_TRY(write_array(group, name, H5T_NATIVE_DOUBLE, 1, (hsize_t[]){STEPS}, past->losses[k]));
  }
  if (muse)
    EBR_TRY(write_array(group, "view", H5T_NATIVE_UINT8, 3, (hsize_t[]){STEPS, BATCH, MADE_MODALITIES}, past->view));
done:
  return error;
}

static void make_teaching(int features, ebr_real *known, ebr_teaching *teaching)
{
  static const int order[MADE_MODALITIES] = {TEACHER, 2, 0};
  ebr_stream stream = ebr_stream_start(KEY, EBR_PURPOSE_TEST, 3);
  for (int k = 0; k < MADE_TRAIN * (features + MADE_CLASSES); k++) known[k] = (ebr_real)ebr_stream_normal(&stream);
  *teaching = (ebr_teaching){TEACHER, known, known + MADE_TRAIN * features, order};
}

/* One sample has nothing at all, and every modality is missing somewhere. */
static void make_present(uint8_t *present)
{
  for (int b = 0; b < MADE_TOTAL; b++)
    for (int i = 0; i < MADE_MODALITIES; i++) present[b * MADE_MODALITIES + i] = b != 17 && (b / 4 + i) % 4 != 0;
}

/* True features that have nothing to do with x: a reconstruction's arithmetic is all that is compared. */
static void make_truth(float (*truth)[MADE_TOTAL * TRUE_FEATURES], ebr_samples *samples)
{
  ebr_stream stream = ebr_stream_start(KEY, EBR_PURPOSE_TEST, 4);
  for (int i = 0; i < MADE_MODALITIES; i++) {
    for (int k = 0; k < MADE_TOTAL * TRUE_FEATURES; k++) truth[i][k] = (float)ebr_stream_normal(&stream);
    samples->truth[i] = truth[i];
  }
  samples->predictive = 2;
  samples->noise = TRUE_FEATURES - 2;
}

/* Two of three modalities are pictures: of 5 x 4 pixels, and of 2 x 3 with two channels. */
static void make_pictures(float *x, ebr_samples *samples)
{
  static const ebr_picture picture[MADE_MODALITIES] = {{5, 4, 1}, {0}, {2, 3, 2}};
  ebr_stream stream = ebr_stream_start(KEY, EBR_PURPOSE_TEST, 5);
  for (int i = 0; i < MADE_MODALITIES; i++) {
    int d = picture[i].height * picture[i].width * picture[i].channels;
    if (d == 0) continue;
    for (int k = 0; k < MADE_TOTAL * d; k++)
      x[k] = (float)ebr_stream_normal(&stream) + (k % d == samples->label[k / d] ? 2 : 0);
    for (int c = 0; c < d; c++) x[MADE_TOTAL * d + c] = 1;
    samples->inputs[i] = d;
    samples->picture[i] = picture[i];
    samples->x[i] = x;
    samples->mean[i] = x + (MADE_TOTAL + 1) * d;
    samples->scale[i] = x + MADE_TOTAL * d;
    x += (MADE_TOTAL + 2) * d;
  }
}

static ebr_error *export_setting(hid_t file, const setting *s, const char *head, ebr_samples samples)
{
  ebr_error *error = NULL;
  ebr_config config;
  ebr_trainer *trainer = NULL;
  ebr_teaching teaching;
  uint8_t present[MADE_TOTAL * MADE_MODALITIES];
  ebr_real known[MADE_TRAIN * 16];
  float truth[MADE_MODALITIES][MADE_TOTAL * TRUE_FEATURES];
  static float pixels[2 * (MADE_TOTAL + 2) * INPUTS_MOST]; /* zeros where they are nothing else: the means */
  char name[64];
  hid_t group = -1;
  history *past = calloc(1, sizeof *past);
  EBR_CHECK_MEMORY(past, "a history");
  snprintf(name, sizeof name, "%s %s", head, s->name);
  EBR_TRY(configure(s, head, &config));
  make_present(present);
  if (s->missing) samples.present = present;
  if (config.model_convolution.count > 0) make_pictures(pixels, &samples);
  if (config.train_loss == EBR_LOSS_RECONSTRUCTION) make_truth(truth, &samples);
  bool distils = ebr_config_distils(&config), muse = config.model_fusion == EBR_FUSION_MUSE;
  int features = (int)config.model_encoder.value[config.model_encoder.count - 1];
  make_teaching(features, known, &teaching);
  EBR_TRY(ebr_trainer_create(&config, &samples, -1, KEY, distils ? &teaching : NULL, &trainer));
  group = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  EBR_CHECK(group >= 0, EBR_FILE, "cannot write %s", name);
  EBR_TRY(write_config(group, &config));
  EBR_TRY(write_samples(group, &samples));
  if (distils) EBR_TRY(write_teaching(group, &teaching, features));
  EBR_TRY(write_weights(group, "first", ebr_trainer_network(trainer)));
  train(trainer, muse, past);
  EBR_TRY(write_weights(group, "last", ebr_trainer_network(trainer)));
  EBR_TRY(write_history(group, muse, past));
done:
  if (group >= 0) H5Gclose(group);
  ebr_trainer_destroy(&trainer);
  free(past);
  return error;
}

static ebr_error *export_all(const char *path)
{
  ebr_error *error = NULL;
  ebr_samples samples = {0};
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  EBR_CHECK(file >= 0, EBR_FILE, "cannot create %s", path);
  EBR_TRY(made_samples(KEY, &samples));
  for (size_t k = 0; k < sizeof settings / sizeof *settings; k++)
    for (size_t head = 0; head < (settings[k].concat_only ? 1 : sizeof heads / sizeof *heads); head++)
      EBR_TRY(export_setting(file, &settings[k], heads[head], samples));
done:
  ebr_arena_destroy(&samples.owned);
  if (file >= 0) H5Fclose(file);
  return error;
}

int main(int argc, char **argv)
{
  if (argc != 2) {
    fprintf(stderr, "usage: %s FILE\n", argv[0]);
    return 2;
  }
  (void)ebr_blas_prepare();
  ebr_error *error = export_all(argv[1]);
  if (error) fprintf(stderr, "%s: %s\n", argv[0], ebr_error_message(error));
  int status = error ? 1 : 0;
  ebr_error_destroy(&error);
  return status;
}
