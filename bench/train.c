/* bench/train: how near training comes to the processor's peak, and how far ahead of PyTorch it is, measured in one run
 * on one pinned core. Prints a table, or with --json an array of objects. --no-pytorch leaves the comparison out;
 * --config and --method pick one row. */
#include <ebrsweep/train.h>

#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct bench_config {
  const char *name;
  int inputs;
  const char *encoder, *width, *batch;
} bench_config;

static const bench_config configs[] = {
    {"S", 16, "[32, 16]", "64", "128"}, {"R", 32, "[64, 32]", "128", "128"}, {"W", 256, "[512, 256]", "2048", "256"}};
static const char *const methods[] = {"vanilla", "ebr", "kd"};

enum { MODALITIES = 4, CLASSES = 8, SAMPLES = 4096 };

typedef struct options {
  bool json, pytorch;
  const char *config, *method;
} options;

static void fatal(ebr_error *error)
{
  if (!error) return;
  fprintf(stderr, "bench/train: %s\n", ebr_error_message(error));
  exit(3);
}

/* Random inputs: the speed does not depend on what they say. */
static void make_samples(int inputs, ebr_samples *samples, ebr_stream *stream)
{
  *samples = (ebr_samples){.modalities = MODALITIES, .classes = CLASSES, .total = SAMPLES, .train_count = SAMPLES};
  fatal(ebr_arena_create((size_t)MODALITIES * (size_t)inputs * (SAMPLES + 32) * sizeof(float) + SAMPLES * 8 + 4096,
                         &samples->owned));
  int32_t *rows = ebr_arena_take(&samples->owned, SAMPLES, sizeof *rows);
  int32_t *label = ebr_arena_take(&samples->owned, SAMPLES, sizeof *label);
  for (int i = 0; i < SAMPLES; i++) {
    rows[i] = i;
    label[i] = (int32_t)ebr_stream_below(stream, CLASSES);
  }
  samples->train = rows;
  samples->label = label;
  for (int m = 0; m < MODALITIES; m++) {
    float *x = ebr_arena_take(&samples->owned, (size_t)SAMPLES * (size_t)inputs, sizeof *x);
    float *mean = ebr_arena_take(&samples->owned, (size_t)inputs, sizeof *mean);
    float *scale = ebr_arena_take(&samples->owned, (size_t)inputs, sizeof *scale);
    for (int k = 0; k < SAMPLES * inputs; k++) x[k] = (float)ebr_stream_normal(stream);
    for (int k = 0; k < inputs; k++) scale[k] = 1;
    samples->inputs[m] = inputs;
    samples->x[m] = x;
    samples->mean[m] = mean;
    samples->scale[m] = scale;
  }
}

static void set(ebr_config *config, const char *name, const char *value)
{
  fatal(ebr_config_set(config, ebr_parameter_find(name), value));
}

/* GFLOP/s of products of two 768 x 768 matrices, over a stretch of them. */
static double peak_gflops(double stretch)
{
  enum { SIDE = 768 };
  ebr_arena arena;
  int products = 0;
  fatal(ebr_arena_create(3 * SIDE * SIDE * sizeof(ebr_real), &arena));
  ebr_real *a = ebr_arena_take(&arena, SIDE * SIDE, sizeof *a), *b = ebr_arena_take(&arena, SIDE * SIDE, sizeof *b);
  ebr_real *c = ebr_arena_take(&arena, SIDE * SIDE, sizeof *c);
  ebr_gemm_nn(SIDE, SIDE, SIDE, a, SIDE, b, SIDE, 0, c, SIDE);
  double start = ebr_clock_seconds(), seconds = 0;
  for (; seconds < stretch; seconds = ebr_clock_seconds() - start) {
    ebr_gemm_nn(SIDE, SIDE, SIDE, a, SIDE, b, SIDE, 0, c, SIDE);
    products++;
  }
  ebr_arena_destroy(&arena);
  return 2e-9 * SIDE * SIDE * SIDE * products / seconds;
}

/* The fastest of many short stretches of steps, and of as many as long of products beside them: the clock of a shared
 * processor wanders by a fifth within seconds, and what takes longer has the less of its best moments. */
static double steps_per_second(ebr_trainer *trainer, double *peak)
{
  enum { STRETCHES = 30 };
  static const double stretch = 0.05;
  double best = 0;
  *peak = 0;
  ebr_losses losses;
  for (int k = 0; k < 3; k++) (void)ebr_trainer_step(trainer, &losses);
  for (int repeat = 0; repeat < STRETCHES; repeat++) {
    double start = ebr_clock_seconds(), seconds = 0;
    int64_t steps = 0;
    while (seconds < stretch) {
      (void)ebr_trainer_step(trainer, &losses);
      steps++;
      seconds = ebr_clock_seconds() - start;
    }
    best = fmax(best, (double)steps / seconds);
    *peak = fmax(*peak, peak_gflops(stretch));
  }
  return best;
}

/* The same training by bench/train_pytorch.py on this core; 0 if it cannot be run. */
static double pytorch_steps(const char *config, const char *method)
{
  char command[1024], line[4096];
  double steps = 0;
  snprintf(command, sizeof command, "/usr/bin/python3 '%s/train_pytorch.py' --config %s --method %s --json",
           EBR_BENCH_SOURCE, config, method);
  FILE *pipe = popen(command, "r");
  if (!pipe) return 0;
  while (fgets(line, sizeof line, pipe)) {
    const char *found = strstr(line, "\"steps_per_second\":");
    if (found) steps = atof(found + strlen("\"steps_per_second\":"));
  }
  return pclose(pipe) == 0 ? steps : 0;
}

static void measure(const options *o, const bench_config *bench, const char *method, bool first)
{
  ebr_config config;
  ebr_samples samples;
  ebr_trainer *trainer = NULL;
  ebr_stream stream = ebr_stream_start(1, EBR_PURPOSE_TEST, 0);
  ebr_config_defaults(&config);
  set(&config, "method", method);
  set(&config, "model.encoder", bench->encoder);
  set(&config, "model.width", bench->width);
  set(&config, "train.batch", bench->batch);
  make_samples(bench->inputs, &samples, &stream);
  ebr_shape shape = ebr_samples_describe(&samples);
  size_t l = (size_t)config.model_encoder.value[1];
  ebr_arena arena;
  fatal(ebr_arena_create(SAMPLES * (l + CLASSES) * sizeof(ebr_real), &arena));
  ebr_real *known = ebr_arena_take(&arena, SAMPLES * (l + CLASSES), sizeof *known);
  for (size_t k = 0; k < SAMPLES * (l + CLASSES); k++) known[k] = (ebr_real)ebr_stream_normal(&stream);
  static const int order[MODALITIES] = {0, 1, 2, 3};
  ebr_teaching teaching = {.features = known, .logits = known + SAMPLES * l, .order = order};
  fatal(ebr_trainer_create(&config, &samples, -1, 1, ebr_config_distils(&config) ? &teaching : NULL, &trainer));
  double peak, steps = steps_per_second(trainer, &peak), gflops = 1e-9 * steps * ebr_trainer_flops(&config, &shape, -1);
  double megabytes = 1e-6 * (double)ebr_trainer_bytes(&config, &shape, -1);
  double other = o->pytorch ? pytorch_steps(bench->name, method) : 0, speedup = other > 0 ? steps / other : 0;
  if (o->json)
    printf("%s{\"config\": \"%s\", \"method\": \"%s\", \"gflops\": %.1f, \"peak_gflops\": %.1f, "
           "\"fraction_of_peak\": %.3f, \"steps_per_second\": %.1f, \"pytorch_steps_per_second\": %.1f, "
           "\"speedup\": %.2f, \"trainer_megabytes\": %.1f}",
           first ? "[" : ",\n ", bench->name, method, gflops, peak, gflops / peak, steps, other, speedup, megabytes);
  else
    printf("%-2s %-8s %7.1f GFLOP/s = %3.0f %% of peak %5.1f  %9.1f steps/s  PyTorch %8.1f  speedup %5.1f\n",
           bench->name, method, gflops, 100 * gflops / peak, peak, steps, other, speedup);
  fflush(stdout);
  ebr_trainer_destroy(&trainer);
  ebr_arena_destroy(&samples.owned);
  ebr_arena_destroy(&arena);
}

static void pin(void)
{
  cpu_set_t set_of_one;
  CPU_ZERO(&set_of_one);
  CPU_SET(sched_getcpu(), &set_of_one);
  (void)sched_setaffinity(0, sizeof set_of_one, &set_of_one);
}

int main(int argc, char **argv)
{
  static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
                                        {"no-pytorch", no_argument, NULL, 'n'},
                                        {"config", required_argument, NULL, 'c'},
                                        {"method", required_argument, NULL, 'm'},
                                        {NULL, 0, NULL, 0}};
  options o = {.pytorch = true};
  int choice;
  bool first = true;
  if (ebr_blas_better_kernel() && !getenv("OPENBLAS_CORETYPE")) {
    setenv("OPENBLAS_CORETYPE", ebr_blas_better_kernel(), 1);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);
  }
  while ((choice = getopt_long(argc, argv, "", longs, NULL)) != -1) switch (choice) {
      case 'j': o.json = true; break;
      case 'n': o.pytorch = false; break;
      case 'c': o.config = optarg; break;
      case 'm': o.method = optarg; break;
      default: return 2;
    }
  ebr_blas_prepare();
  pin();
  for (size_t c = 0; c < sizeof configs / sizeof *configs; c++)
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
      if ((o.config && strcmp(o.config, configs[c].name)) || (o.method && strcmp(o.method, methods[m]))) continue;
      measure(&o, &configs[c], methods[m], first);
      first = false;
    }
  if (o.json) printf("%s\n", first ? "[]" : "]");
  return 0;
}
