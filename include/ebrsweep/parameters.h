/* The parameters of a run: one table that the sweep reader, the canonical form, `plan --parameters`, the reference page
 * and the columns of the results file all read. To add one: a line here, and code that uses the field. */
#ifndef EBRSWEEP_PARAMETERS_H
#define EBRSWEEP_PARAMETERS_H

#include <ebrsweep/base.h>

enum { EBR_LIST_MOST = 16, EBR_TEXT_MOST = 256, EBR_MODALITIES_MOST = 64, EBR_SHARDS_MOST = 16, EBR_CONVOLUTION_MOST = 4 };

/* A short list of numbers. */
typedef struct ebr_list {
  int count;
  double value[EBR_LIST_MOST];
} ebr_list;

/* When a parameter matters. One that does not is set back to its default before a run gets its id, so that it cannot
 * make two runs out of one. A row's conditions are joined by AND. */
enum {
  EBR_ALWAYS = 0,
  EBR_WITH_SYNTHETIC = 1 << 0, /* data.source: synthetic */
  EBR_WITH_DATASET = 1 << 1,   /* data.source: hdf5 */
  EBR_WITH_TEACHER = 1 << 2,   /* methods that distil */
  EBR_WITH_LATENT = 1 << 3,    /* methods with basis reallocation */
  EBR_WITH_ADAM = 1 << 4,
  EBR_WITH_SGD = 1 << 5,
  EBR_WITH_GRAPH = 1 << 6,     /* fusion: grape, muse */
  EBR_WITH_MUSE = 1 << 7,
  EBR_WITH_UNIMODAL = 1 << 8,
  EBR_WITH_ALLOCATION = 1 << 10, /* allocation.trials above 0 */
  EBR_WITH_MISSING = 1 << 11,    /* measure.missing or measure.missing_count asks for something */
  EBR_WITH_CONVOLUTION = 1 << 12, /* model.convolution has layers */
  EBR_WITHOUT_IDENTITY = 1 << 9 /* how a run is carried out, not what it is: never part of the id */
};

/* X(kind, field, name, default, minimum, maximum, choices, unit, conditions, help)
 * kind: INT REAL BOOL CHOICE TEXT INTS REALS CHOICES. Ranges hold for each element of a list and are inclusive; choices
 * are separated by |. A REAL whose default is "none" may be none (NaN). */
/* clang-format off */
#define EBR_PARAMETERS(X)                                                                                              \
  X(CHOICE, method, "method", "vanilla", 0, 0, "vanilla|unimodal|kd|ebr|kd+ebr", "", EBR_ALWAYS,                       \
    "Which remedies are applied")                                                                                      \
  X(INT, seed, "seed", "0", 0, 4294967295.0, "", "", EBR_ALWAYS,                                                       \
    "Picks the random numbers; runs that differ in method only share data and initial weights")                        \
  X(CHOICE, data_source, "data.source", "synthetic", 0, 0, "synthetic|hdf5", "", EBR_ALWAYS,                           \
    "Where samples come from")                                                                                         \
  X(TEXT, data_file, "data.file", "", 0, 0, "", "", EBR_WITH_DATASET, "HDF5 dataset, relative to the sweep file")      \
  X(INT, data_modalities, "data.modalities", "0", 0, EBR_MODALITIES_MOST, "", "", EBR_ALWAYS,                          \
    "How many modalities; 0 = all that data.file has (synthetic data needs a number)")                                 \
  X(INTS, data_order, "data.order", "[]", 0, EBR_MODALITIES_MOST - 1, "", "", EBR_WITH_DATASET,                        \
    "Which of the file's modalities are used and in what order, by index; [] = as in the file")                        \
  X(INT, data_train, "data.train", "0", 0, 1e9, "", "samples", EBR_ALWAYS,                                             \
    "Training samples; 0 = all that data.file has")                                                                    \
  X(INT, data_test, "data.test", "0", 0, 1e9, "", "samples", EBR_ALWAYS, "Test samples; 0 = all that data.file has")   \
  X(REAL, data_test_fraction, "data.test_fraction", "0.3", 0.01, 0.99, "", "", EBR_WITH_DATASET,                       \
    "Share of samples held out, by class, where the file has no /split")                                               \
  X(INT, data_classes, "data.classes", "8", 2, 10000, "", "", EBR_WITH_SYNTHETIC, "Classes C")                         \
  X(INT, data_predictive, "data.predictive", "4", 1, 4096, "", "", EBR_WITH_SYNTHETIC,                                 \
    "Latent features of a modality that carry the label")                                                              \
  X(INT, data_noise, "data.noise", "8", 0, 4096, "", "", EBR_WITH_SYNTHETIC,                                           \
    "Latent features of a modality that do not")                                                                       \
  X(REAL, data_noise_scale, "data.noise_scale", "1", 0, 1e6, "", "", EBR_WITH_SYNTHETIC,                               \
    "Standard deviation of the noise features")                                                                        \
  X(CHOICE, data_noise_kind, "data.noise_kind", "gaussian", 0, 0, "gaussian|sparse|heavy", "", EBR_WITH_SYNTHETIC,     \
    "Distribution of the noise features (heavy: Student t with 3 degrees of freedom)")                                 \
  X(REAL, data_within, "data.within", "0.5", 0, 1e6, "", "", EBR_WITH_SYNTHETIC,                                       \
    "Standard deviation of the predictive features within a class")                                                    \
  X(REAL, data_redundancy, "data.redundancy", "0.5", 0, 1, "", "", EBR_WITH_SYNTHETIC,                                 \
    "Share of a class prototype's variance that all modalities have in common")                                        \
  X(CHOICE, data_mixing, "data.mixing", "linear", 0, 0, "none|linear|tanh", "", EBR_WITH_SYNTHETIC,                    \
    "How the latent becomes the input: as it is, by a fixed random matrix, or by one and tanh")                        \
  X(INT, data_dimension, "data.dimension", "0", 0, 65536, "", "", EBR_WITH_SYNTHETIC,                                  \
    "Input features of a modality; 0 = predictive + noise")                                                            \
  X(REALS, data_strength_each, "data.strength.each", "[1]", 0, 1e6, "", "", EBR_WITH_SYNTHETIC,                        \
    "Factor on each modality's predictive features; the last entry holds for the modalities behind it")                \
  X(REAL, data_strength_last, "data.strength.last", "none", 0, 1e6, "", "", EBR_WITH_SYNTHETIC,                        \
    "The same for the last modality alone; none = as data.strength.each says")                                         \
  X(REAL, data_sparsity, "data.sparsity", "0", 0, 0.999, "", "", EBR_WITH_SYNTHETIC,                                   \
    "Probability that a latent feature is off in a sample")                                                            \
  X(REAL, data_label_noise, "data.label_noise", "0", 0, 1, "", "", EBR_ALWAYS,                                         \
    "Share of training labels replaced by random ones")                                                                \
  X(REAL, data_feature_noise, "data.feature_noise", "0", 0, 1, "", "", EBR_ALWAYS,                                     \
    "Share of input values, train and test, replaced by standard normal ones after standardising")                     \
  X(INTS, model_encoder, "model.encoder", "[64, 32]", 1, 65536, "", "", EBR_ALWAYS,                                    \
    "Widths of each encoder f_i; the last is the feature size l")                                                      \
  X(INTS, model_convolution, "model.convolution", "[]", 1, 1024, "", "", EBR_WITH_DATASET,                             \
    "Channels of up to 4 convolution layers in front of model.encoder, each at every second row and column, for "      \
    "modalities whose samples have a shape; [] = none")                                                                \
  X(INT, model_kernel, "model.kernel", "5", 1, 31, "", "", EBR_WITH_DATASET | EBR_WITH_CONVOLUTION,                    \
    "Rows and columns that a convolution looks at")                                                                    \
  X(CHOICE, model_activation, "model.activation", "relu", 0, 0, "relu|none", "", EBR_ALWAYS,                           \
    "Between layers; none makes the whole network linear")                                                             \
  X(CHOICE, model_fusion, "model.fusion", "concat", 0, 0, "concat|grape|muse", "", EBR_ALWAYS, "The fusion head phi")  \
  X(INT, model_width, "model.width", "128", 1, 65536, "", "", EBR_ALWAYS, "Neurons n of the head's first layer")       \
  X(REAL, model_init_scale, "model.init_scale", "1", 1e-6, 1e3, "", "", EBR_ALWAYS,                                    \
    "Factor on the initial weights of the head's first layer")                                                         \
  X(REALS, model_strength_each, "model.strength.each", "[1]", 0, 1e6, "", "", EBR_ALWAYS,                              \
    "Modality strengths b_i in front of the head; the last entry holds for the modalities behind it")                  \
  X(REAL, model_strength_last, "model.strength.last", "none", 0, 1e6, "", "", EBR_ALWAYS,                              \
    "b of the last modality alone (beta of the paper's Figure 5); none = as model.strength.each says")                 \
  X(INT, model_layers, "model.layers", "3", 1, 8, "", "", EBR_WITH_GRAPH, "Message-passing layers")                    \
  X(BOOL, model_normalize, "model.normalize", "true", 0, 0, "", "", EBR_WITH_MUSE, "L2-normalise node updates")        \
  X(REAL, model_contrast, "model.contrast", "1", 0, 1e6, "", "", EBR_WITH_MUSE, "Weight of the contrastive losses")    \
  X(REAL, model_impute, "model.impute", "1", 0, 1e6, "", "", EBR_WITH_GRAPH, "Weight of grape's edge regression")      \
  X(INT, train_epochs, "train.epochs", "30", 0, 1e6, "", "", EBR_ALWAYS, "Passes over the training samples")           \
  X(INT, train_batch, "train.batch", "128", 1, 1e6, "", "samples", EBR_ALWAYS,                                         \
    "Mini-batch B; a shorter rest at the end of an epoch is left out")                                                 \
  X(INT, train_shards, "train.shards", "0", 0, EBR_SHARDS_MOST, "", "", EBR_ALWAYS,                                    \
    "Equal parts of a mini-batch that a team may divide among its ranks; 0 = by model.width and train.batch")          \
  X(CHOICE, train_optimizer, "train.optimizer", "adam", 0, 0, "adam|sgd", "", EBR_ALWAYS, "Optimiser")                 \
  X(REAL, train_rate, "train.rate", "1e-3", 0, 1e3, "", "", EBR_ALWAYS, "Learning rate")                               \
  X(CHOICE, train_loss, "train.loss", "cross-entropy", 0, 0, "cross-entropy|squared|reconstruction", "", EBR_ALWAYS,    \
    "The semantic loss; squared: half the squared distance to the one-hot label; reconstruction: mean squared error "  \
    "of the true features")                                                                                            \
  X(REAL, train_momentum, "train.momentum", "0.9", 0, 0.9999, "", "", EBR_WITH_SGD, "Momentum")                        \
  X(REAL, train_beta1, "train.beta1", "0.9", 0, 0.9999, "", "", EBR_WITH_ADAM, "Adam's first decay")                   \
  X(REAL, train_beta2, "train.beta2", "0.999", 0, 0.999999, "", "", EBR_WITH_ADAM, "Adam's second decay")              \
  X(REAL, train_epsilon, "train.epsilon", "1e-8", 1e-16, 1, "", "", EBR_WITH_ADAM, "Adam's epsilon")                   \
  X(REAL, train_weight_decay, "train.weight_decay", "0", 0, 1e3, "", "", EBR_ALWAYS,                                   \
    "Decoupled decay of all weights, per step as a share of the rate; biases are spared")                              \
  X(REAL, train_l1, "train.l1", "0", 0, 1e3, "", "", EBR_ALWAYS, "L1 penalty on the head's first layer")               \
  X(REAL, train_limit, "train.limit", "1e6", 1, 1e300, "", "nats", EBR_ALWAYS,                                         \
    "A loss above this counts as divergence")                                                                          \
  X(INT, unimodal_modality, "unimodal.modality", "0", 0, EBR_MODALITIES_MOST - 1, "", "", EBR_WITH_UNIMODAL,           \
    "Which modality the unimodal method keeps")                                                                        \
  X(REAL, kd_weight, "kd.weight", "1", 0, 1e6, "", "", EBR_WITH_TEACHER, "Weight w_kd of the distillation loss")       \
  X(CHOICE, kd_form, "kd.form", "mse", 0, 0, "mse|cosine|logits", "", EBR_WITH_TEACHER, "What is distilled")           \
  X(REAL, kd_temperature, "kd.temperature", "2", 0.01, 1e3, "", "", EBR_WITH_TEACHER, "Temperature T (form logits)")   \
  X(INT, kd_teacher, "kd.teacher", "-1", -1, EBR_MODALITIES_MOST - 1, "", "", EBR_WITH_TEACHER,                        \
    "Which modality teaches; -1 = the one with the lowest training loss by itself")                                    \
  X(CHOICE, kd_order, "kd.order", "together", 0, 0, "together|strong-first|weak-first", "", EBR_WITH_TEACHER,          \
    "Students start together, or one after the other by their strength alone")                                         \
  X(INT, kd_epochs, "kd.epochs", "0", 0, 1e6, "", "", EBR_WITH_TEACHER, "Epochs of the teacher; 0 = train.epochs")     \
  X(REAL, ebr_lambda, "ebr.lambda", "0.3", 0, 1e3, "", "", EBR_WITH_LATENT,                                            \
    "Weight of the adversary; 0 is the control with EBR's depth alone")                                                \
  X(REAL, ebr_ramp, "ebr.ramp", "0", 0, 1, "", "", EBR_WITH_LATENT,                                                    \
    "Share of training over which lambda rises linearly from 0")                                                       \
  X(INT, ebr_latent, "ebr.latent", "0", 0, 65536, "", "", EBR_WITH_LATENT, "Size q of G_i; 0 = l")                     \
  X(INT, ebr_hidden, "ebr.hidden", "0", 0, 65536, "", "", EBR_WITH_LATENT, "Hidden width of h_i and h_i^-1; 0 = l")    \
  X(BOOL, ebr_residual, "ebr.residual", "false", 0, 0, "", "", EBR_WITH_LATENT,                                        \
    "G_i = F_i + h_i(F_i), R_i = G_i + h_i^-1(G_i), starting as the identity")                                         \
  X(CHOICE, ebr_form, "ebr.form", "reversal", 0, 0, "reversal|hinge|confusion", "", EBR_WITH_LATENT,                   \
    "What the encoders get from the adversary")                                                                        \
  X(INT, ebr_psi_hidden, "ebr.psi.hidden", "32", 1, 65536, "", "", EBR_WITH_LATENT, "Hidden width of psi")             \
  X(REAL, ebr_psi_rate, "ebr.psi.rate", "none", 0, 1e3, "", "", EBR_WITH_LATENT, "psi's rate; none = train.rate")      \
  X(INT, ebr_psi_steps, "ebr.psi.steps", "1", 1, 100, "", "", EBR_WITH_LATENT, "Steps of psi a step")                  \
  X(BOOL, ebr_psi_conditional, "ebr.psi.conditional", "false", 0, 0, "", "", EBR_WITH_LATENT,                          \
    "psi sees the class as well")                                                                                      \
  X(REAL, auxiliary_weight, "auxiliary.weight", "0", 0, 1e6, "", "", EBR_ALWAYS,                                       \
    "Weight a of the shared classifier on each modality's own features")                                               \
  X(REALS, missing_train, "missing.train", "[0]", 0, 1, "", "", EBR_ALWAYS,                                            \
    "Rate at which each modality is missing in training; the last entry holds for those behind it")                    \
  X(CHOICE, missing_pattern, "missing.pattern", "random", 0, 0, "random|label", "", EBR_ALWAYS,                        \
    "Missing completely at random, or twice as often in the upper half of the classes")                                \
  X(REALS, measure_missing, "measure.missing", "[]", 0, 1, "", "", EBR_ALWAYS,                                         \
    "Rates of missing modalities at test at which every imputation is scored")                                         \
  X(INTS, measure_missing_count, "measure.missing_count", "[]", 0, EBR_MODALITIES_MOST - 1, "", "", EBR_ALWAYS,        \
    "Numbers k of missing modalities at test: exactly k of every sample's, and every imputation is scored")            \
  X(INT, measure_autoencoder, "measure.autoencoder", "0", 0, 65536, "", "", EBR_WITH_MISSING,                          \
    "Hidden width of a cross-modal autoencoder that rebuilds missing modalities at test from the others; 0 = none")    \
  X(CHOICES, measure_spectra, "measure.spectra", "[head, fused]", 0, 0, "head|fused|latent|updates|weights", "", EBR_ALWAYS,   \
    "Whose singular values are kept")                                                                                  \
  X(INT, measure_every, "measure.every", "0", 0, 1e6, "", "epochs", EBR_ALWAYS,                                        \
    "How often curves and spectra get a point; 0 = at the start and the end only")                                     \
  X(INT, measure_curve_samples, "measure.curve_samples", "256", 0, 1e9, "", "", EBR_ALWAYS,                            \
    "Training samples that the points of the curves before the end look at, the same each time; 0 = all")              \
  X(REALS, measure_collisions_relative, "measure.collisions.relative", "[0.05, 0.1, 0.2]", 0, 1, "", "", EBR_ALWAYS,   \
    "Thresholds as shares of the head's largest encoding strength")                                                    \
  X(REALS, measure_collisions_absolute, "measure.collisions.absolute", "[]", 0, 1e6, "", "", EBR_ALWAYS,               \
    "Thresholds on the encoding strength itself")                                                                      \
  X(REALS, measure_collisions_neuron, "measure.collisions.neuron", "[]", 0, 1, "", "", EBR_ALWAYS,                     \
    "Thresholds as shares of the neuron's summed encoding strength")                                                   \
  X(CHOICES, measure_collisions_also, "measure.collisions.also", "[]", 0, 0, "influence|sensitivity", "",              \
    EBR_WITH_SYNTHETIC, "Other ways to find encoding strengths, counted in columns of their own: weights times what "  \
    "the neuron does to the outputs; response to changed inputs")                                                      \
  X(BOOL, measure_contributions, "measure.contributions", "true", 0, 0, "", "", EBR_ALWAYS,                            \
    "Remove each modality in turn and measure what is lost")                                                           \
  X(BOOL, measure_unimodal, "measure.unimodal", "true", 0, 0, "", "", EBR_ALWAYS,                                      \
    "Train each modality alone as well: the collapse index needs it")                                                  \
  X(INT, measure_bootstrap, "measure.bootstrap", "0", 0, 100000, "", "", EBR_ALWAYS,                                   \
    "Resamples of the test set behind the intervals of scores; 0 = no intervals")                                      \
  X(BOOL, measure_probe, "measure.probe", "false", 0, 0, "", "", EBR_ALWAYS,                                           \
    "Fit a fresh linear classifier on each modality's slice of the fused representation")                              \
  X(INT, allocation_trials, "allocation.trials", "0", 0, 1e9, "", "", EBR_ALWAYS,                                      \
    "Random allocations of k features of each modality to the head's n neurons; 0 = none")                             \
  X(INTS, allocation_features, "allocation.features", "[]", 0, 4096, "", "", EBR_WITH_ALLOCATION,                      \
    "k of each modality; the last entry holds for those behind it; [] = data.predictive")                              \
  X(CHOICE, allocation_modality, "allocation.modality", "fixed", 0, 0, "fixed|drawn", "", EBR_WITH_ALLOCATION,         \
    "drawn: each feature draws its modality too, with replacement, which is another law: a control")                   \
  X(INT, measure_distributed, "measure.distributed", "0", 0, 1e9, "", "", EBR_WITHOUT_IDENTITY,                        \
    "Heads at least this wide are measured by ScaLAPACK over the team, to 15 eps and not to the bit; 0 = none")        \
  X(INT, schedule_team, "schedule.team", "0", 0, EBR_SHARDS_MOST, "", "ranks", EBR_WITHOUT_IDENTITY,                   \
    "Ranks that work on one run, at most as many as it has shards; 0 = by how much longer than others it takes")

/* clang-format on */

/* ---- one run's values -------------------------------------------------------------------------------------------- */

#define EBR_FIELD_INT int64_t
#define EBR_FIELD_REAL double
#define EBR_FIELD_BOOL bool
#define EBR_FIELD_CHOICE int
#define EBR_FIELD_CHOICES unsigned /* bit c is set when choice c is in */
#define EBR_FIELD_INTS ebr_list
#define EBR_FIELD_REALS ebr_list
struct ebr_parameter_text {
  char text[EBR_TEXT_MOST];
};
#define EBR_FIELD_TEXT struct ebr_parameter_text

/* One fully resolved run. Plain data: copy with =. */
typedef struct ebr_config {
#define EBR_FIELD(kind, field, ...) EBR_FIELD_##kind field;
  EBR_PARAMETERS(EBR_FIELD)
#undef EBR_FIELD
} ebr_config;

/* Choices by name, in the order of the table. */
enum { EBR_METHOD_VANILLA, EBR_METHOD_UNIMODAL, EBR_METHOD_KD, EBR_METHOD_EBR, EBR_METHOD_KD_EBR };
enum { EBR_SOURCE_SYNTHETIC, EBR_SOURCE_HDF5 };
enum { EBR_NOISE_GAUSSIAN, EBR_NOISE_SPARSE, EBR_NOISE_HEAVY };
enum { EBR_MIXING_NONE, EBR_MIXING_LINEAR, EBR_MIXING_TANH };
enum { EBR_ACTIVATION_RELU, EBR_ACTIVATION_NONE };
enum { EBR_FUSION_CONCAT, EBR_FUSION_GRAPE, EBR_FUSION_MUSE };
enum { EBR_OPTIMIZER_ADAM, EBR_OPTIMIZER_SGD };
enum { EBR_LOSS_CROSS_ENTROPY, EBR_LOSS_SQUARED, EBR_LOSS_RECONSTRUCTION };
enum { EBR_KD_MSE, EBR_KD_COSINE, EBR_KD_LOGITS };
enum { EBR_ORDER_TOGETHER, EBR_ORDER_STRONG_FIRST, EBR_ORDER_WEAK_FIRST };
enum { EBR_FORM_REVERSAL, EBR_FORM_HINGE, EBR_FORM_CONFUSION };
enum { EBR_ALLOCATION_FIXED, EBR_ALLOCATION_DRAWN };
enum { EBR_ENCODING_INFLUENCE, EBR_ENCODING_SENSITIVITY };
enum { EBR_MISSING_RANDOM, EBR_MISSING_LABEL };
enum { EBR_SPECTRUM_HEAD, EBR_SPECTRUM_FUSED, EBR_SPECTRUM_LATENT, EBR_SPECTRUM_UPDATES, EBR_SPECTRUM_WEIGHTS };

typedef enum ebr_kind {
  EBR_KIND_INT,
  EBR_KIND_REAL,
  EBR_KIND_BOOL,
  EBR_KIND_CHOICE,
  EBR_KIND_TEXT,
  EBR_KIND_INTS,
  EBR_KIND_REALS,
  EBR_KIND_CHOICES
} ebr_kind;

typedef struct ebr_parameter {
  ebr_kind kind;
  const char *name;     /* dotted, as in sweep files and results */
  const char *fallback; /* the default, as text */
  double minimum, maximum;
  const char *choices; /* "a|b|c" or "" */
  const char *unit;
  unsigned conditions;
  const char *help;
  size_t offset; /* of the field in ebr_config [bytes] */
} ebr_parameter;

/* All of the following are local. */
int ebr_parameter_count(void);
const ebr_parameter *ebr_parameter_at(int index); /* in the table's order */
int ebr_parameter_find(const char *name);         /* index, or -1 */
const char *ebr_parameter_nearest(const char *name); /* the known name that is closest, or NULL if none is close */

void ebr_config_defaults(ebr_config *config);
/* Sets one parameter from text as it stands in YAML flow style ("0.5", "[64, 32]", "kd+ebr"). Fails with EBR_SWEEP and a
 * sentence about the value (wrong type, out of range, unknown choice with the nearest); the config is then unchanged. */
EBR_FALLIBLE ebr_config_set(ebr_config *config, int parameter, const char *text);
/* The value as text that ebr_config_set reads back to the same bits. */
EBR_FALLIBLE ebr_config_get(const ebr_config *config, int parameter, ebr_text *text);
/* Does this parameter matter in this run? */
bool ebr_config_relevant(const ebr_config *config, int parameter);
/* Sets what does not matter back to its default. */
void ebr_config_canonicalize(ebr_config *config);
/* Checks what ranges cannot tell (synthetic data without modalities, unimodal of a modality that is not there, ...).
 * EBR_SWEEP and *parameter = the one to blame. */
EBR_FALLIBLE ebr_config_validate(const ebr_config *config, int *parameter);

/* The id of a run: a hash of all parameters that matter and differ from their defaults. */
uint64_t ebr_config_id(const ebr_config *config);
/* What the run's random streams start from: a hash of the seed and of what makes its data. Runs that differ in method,
 * model, training or gaps (missing.*) share it, so that they can be compared in pairs. A function of the id's configuration. */
uint64_t ebr_config_pair(const ebr_config *config);

/* Is the gradient of a mini-batch the sum of its shards'? Not where a loss looks at the whole of it at once. */
bool ebr_config_divides(const ebr_config *config);
/* S, a power of two: the shards of a mini-batch, whose gradients are summed in a fixed tree. A function of the id's
 * configuration, so that a run has the same bits whatever team trains it; 1 for small runs. */
int ebr_config_shards(const ebr_config *config);

/* list[i], with the last entry standing for all behind it, and last (unless NaN) for index count - 1. */
double ebr_list_at(const ebr_list *list, double last, int index, int count);
/* k of modality i of m in random allocations. */
int ebr_config_allocated(const ebr_config *config, int modality, int modalities);
/* What trains a modality alone: vanilla with a concat head, whatever trains the whole. */
static inline void ebr_config_make_lone(ebr_config *config, int modality)
{
  config->method = EBR_METHOD_UNIMODAL;
  config->unimodal_modality = modality;
  config->model_fusion = EBR_FUSION_CONCAT;
  config->auxiliary_weight = 0;
}
static inline bool ebr_config_distils(const ebr_config *config)
{
  return config->method == EBR_METHOD_KD || config->method == EBR_METHOD_KD_EBR;
}
static inline bool ebr_config_reallocates(const ebr_config *config)
{
  return config->method == EBR_METHOD_EBR || config->method == EBR_METHOD_KD_EBR;
}

#endif
