/* ebrsweep status: how far a sweep is, from any terminal, also while it runs. */
#include "app/app.h"

#include <ebrsweep/store.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STATUSES = EBR_STATUS_REMOVED + 1, FAILURES_SHOWN = 10, RANKS_SHOWN = 16 };
static const double recent = 600; /* the rate is that of the last ten minutes [s] */

typedef struct rank_load {
  int64_t runs;
  double seconds;
} rank_load;

typedef struct summary {
  int64_t total, count[STATUSES];
  double rate, left;          /* runs a second; [s], NaN when it cannot be told */
  double first_start, last_end; /* since 1970 [s] */
  rank_load *load;            /* (ranks) */
  int ranks;
  int64_t *failure;           /* (count[EBR_STATUS_FAILED]) rows */
} summary;

static void print_help(void)
{
  printf("Usage: ebrsweep status RESULTS [OPTION...]\n"
         "Tells how many runs are done, running, failed and waiting, how fast it goes and how long it will take.\n\n"
         "  -w, --watch [SECONDS]  again every SECONDS (2) until all runs are done\n"
         "      --json             one object, with --watch one a line\n"
         "  -h, --help             this text\n");
}

static bool finished(const ebr_row *row)
{
  return (row->status == EBR_STATUS_DONE || row->status == EBR_STATUS_FAILED) && isfinite(row->seconds);
}

/* ---- summing up -------------------------------------------------------------------------------------------------- */

static ebr_error *count_rank(summary *s, const ebr_row *row)
{
  ebr_error *error = NULL;
  if (row->rank < 0) goto done;
  if (row->rank >= s->ranks) {
    int ranks = row->rank + 1;
    rank_load *load = realloc(s->load, (size_t)ranks * sizeof *load);
    EBR_CHECK_MEMORY(load, "the load of each rank");
    memset(load + s->ranks, 0, (size_t)(ranks - s->ranks) * sizeof *load);
    s->load = load;
    s->ranks = ranks;
  }
  s->load[row->rank].runs++;
  s->load[row->rank].seconds += row->seconds;
done:
  return error;
}

static ebr_error *count_runs(const ebr_results *results, summary *s)
{
  ebr_error *error = NULL;
  ebr_row row;
  s->total = ebr_results_count(results);
  s->first_start = s->last_end = NAN;
  for (int64_t run = 0; run < s->total; run++) {
    ebr_status status = ebr_results_status(results, run);
    s->count[status]++;
    if (status != EBR_STATUS_DONE && status != EBR_STATUS_FAILED) continue;
    ebr_results_row(results, run, &row);
    if (!finished(&row)) continue;
    s->first_start = fmin(s->first_start, row.started);
    s->last_end = fmax(s->last_end, row.started + row.seconds);
    EBR_TRY(count_rank(s, &row));
  }
done:
  return error;
}

static ebr_error *list_failures(const ebr_results *results, summary *s)
{
  ebr_error *error = NULL;
  int64_t next = 0;
  s->failure = malloc(((size_t)s->count[EBR_STATUS_FAILED] + 1) * sizeof *s->failure);
  EBR_CHECK_MEMORY(s->failure, "the list of failures");
  for (int64_t run = 0; run < s->total && next < s->count[EBR_STATUS_FAILED]; run++) {
    if (ebr_results_status(results, run) == EBR_STATUS_FAILED) s->failure[next++] = run;
  }
  s->count[EBR_STATUS_FAILED] = next;
done:
  return error;
}

static bool is_open(const ebr_results *results, int64_t run)
{
  ebr_status status = ebr_results_status(results, run);
  return status == EBR_STATUS_WAITING || status == EBR_STATUS_RUNNING;
}

/* Over the time since the first of the runs that ended in the last ten minutes began. */
static void estimate(const ebr_results *results, summary *s)
{
  ebr_row row;
  int64_t ended = 0;
  double from = s->last_end;
  s->rate = s->left = NAN;
  if (isnan(s->last_end)) return;
  for (int64_t run = 0; run < s->total; run++) {
    if (is_open(results, run)) continue;
    ebr_results_row(results, run, &row);
    if (!finished(&row) || row.started + row.seconds < s->last_end - recent) continue;
    ended++;
    if (row.started < from) from = row.started;
  }
  if (from < s->last_end - recent) from = s->last_end - recent;
  if (ended == 0 || s->last_end <= from) return;
  s->rate = (double)ended / (s->last_end - from);
  s->left = (double)(s->count[EBR_STATUS_WAITING] + s->count[EBR_STATUS_RUNNING]) / s->rate;
}

static void release(summary *s)
{
  free(s->load);
  free(s->failure);
  *s = (summary){0};
}

static ebr_error *sum_up(const ebr_results *results, summary *s)
{
  ebr_error *error = NULL;
  *s = (summary){0};
  EBR_TRY(count_runs(results, s));
  EBR_TRY(list_failures(results, s));
  estimate(results, s);
done:
  return error;
}

/* ---- for people -------------------------------------------------------------------------------------------------- */

static void print_time(const char *label, double seconds)
{
  char text[40];
  struct tm utc;
  if (!(fabs(seconds) < 1e12)) return; /* there is none, or a damaged one that no calendar has */
  time_t then = (time_t)seconds;
  gmtime_r(&then, &utc);
  strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc);
  printf("  %-9s %s\n", label, text);
}

static void print_duration(double seconds)
{
  long long s = (long long)(seconds + 0.5);
  if (s >= 86400) printf("%lld d %lld h", s / 86400, s % 86400 / 3600);
  else if (s >= 3600) printf("%lld h %02lld min", s / 3600, s % 3600 / 60);
  else printf("%lld min %02lld s", s / 60, s % 60);
}

static void print_counts(const summary *s)
{
  static const ebr_status order[] = {EBR_STATUS_DONE, EBR_STATUS_RUNNING, EBR_STATUS_FAILED, EBR_STATUS_WAITING,
                                     EBR_STATUS_REMOVED};
  int64_t wanted = s->total - s->count[EBR_STATUS_REMOVED];
  for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
    if (order[i] == EBR_STATUS_REMOVED && s->count[order[i]] == 0) continue;
    printf("  %-9s %10lld", ebr_status_name(order[i]), (long long)s->count[order[i]]);
    if (order[i] != EBR_STATUS_REMOVED && wanted > 0)
      printf("  %5.1f %%", 100.0 * (double)s->count[order[i]] / (double)wanted);
    putchar('\n');
  }
}

static void print_load(const summary *s)
{
  double least = INFINITY, most = 0, sum = 0;
  for (int r = 0; r < s->ranks; r++) {
    least = fmin(least, s->load[r].seconds);
    most = fmax(most, s->load[r].seconds);
    sum += s->load[r].seconds;
  }
  if (s->ranks == 0) return;
  printf("load of %d rank%s: least %.1f s, mean %.1f s, most %.1f s\n", s->ranks, s->ranks == 1 ? "" : "s", least,
         sum / s->ranks, most);
  for (int r = 0; r < s->ranks && s->ranks <= RANKS_SHOWN; r++)
    printf("  rank %-4d %10lld runs %10.1f s\n", r, (long long)s->load[r].runs, s->load[r].seconds);
}

static void print_failures(const ebr_results *results, const summary *s, const char *path)
{
  ebr_row row;
  int64_t count = s->count[EBR_STATUS_FAILED];
  if (count > 0) printf("failed:\n");
  for (int64_t i = 0; i < count && i < FAILURES_SHOWN; i++) {
    ebr_results_row(results, s->failure[i], &row);
    printf("  %016" PRIx64 "  %s\n", row.id, row.reason);
  }
  if (count > FAILURES_SHOWN)
    printf("  and %lld more: ebrsweep show %s --where 'status==failed' --columns id,reason\n",
           (long long)(count - FAILURES_SHOWN), path);
}

static void print_plain(ebr_results *results, const summary *s, const char *path)
{
  const char *question = ebr_results_text(results, "question"), *writer = ebr_results_writer(results);
  printf("%s: %s%s%s\n", path, ebr_results_text(results, "name"), question[0] ? ": " : "", question);
  print_counts(s);
  print_time("began", s->first_start);
  print_time("last end", s->last_end);
  printf("  %-9s %s\n", "writer", writer[0] ? writer : "none");
  if (isfinite(s->rate)) printf("  %-9s %.3g runs a second\n", "rate", s->rate);
  if (s->left > 0 && writer[0]) {
    printf("  %-9s ", "left");
    print_duration(s->left);
    putchar('\n');
  }
  print_load(s);
  print_failures(results, s, path);
}

/* ---- for scripts ------------------------------------------------------------------------------------------------- */

static ebr_error *add_number(ebr_text *text, const char *name, double value)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_text_add(text, ", \"%s\": ", name));
  EBR_TRY(ebr_text_add_number(text, value));
done:
  return error;
}

static ebr_error *add_text(ebr_text *text, const char *name, const char *value)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_text_add(text, ", \"%s\": ", name));
  EBR_TRY(ebr_text_add_json(text, value));
done:
  return error;
}

static ebr_error *add_failures(const ebr_results *results, const summary *s, ebr_text *text)
{
  ebr_error *error = NULL;
  ebr_row row;
  EBR_TRY(ebr_text_add(text, ", \"failures\": ["));
  for (int64_t i = 0; i < s->count[EBR_STATUS_FAILED]; i++) {
    ebr_results_row(results, s->failure[i], &row);
    EBR_TRY(ebr_text_add(text, "%s{\"id\": \"%016" PRIx64 "\", \"reason\": ", i > 0 ? ", " : "", row.id));
    EBR_TRY(ebr_text_add_json(text, row.reason));
    EBR_TRY(ebr_text_add(text, "}"));
  }
  EBR_TRY(ebr_text_add(text, "]"));
done:
  return error;
}

static ebr_error *add_load(const summary *s, ebr_text *text)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_text_add(text, ", \"ranks\": ["));
  for (int r = 0; r < s->ranks; r++) {
    EBR_TRY(ebr_text_add(text, "%s{\"rank\": %d, \"runs\": %lld", r > 0 ? ", " : "", r, (long long)s->load[r].runs));
    EBR_TRY(add_number(text, "seconds", s->load[r].seconds));
    EBR_TRY(ebr_text_add(text, "}"));
  }
  EBR_TRY(ebr_text_add(text, "]"));
done:
  return error;
}

static ebr_error *print_json(ebr_results *results, const summary *s, const char *path)
{
  ebr_error *error = NULL;
  ebr_text text = {0};
  EBR_TRY(ebr_text_add(&text, "{\"total\": %lld", (long long)s->total));
  for (int status = 0; status < STATUSES; status++)
    EBR_TRY(add_number(&text, ebr_status_name((ebr_status)status), (double)s->count[status]));
  EBR_TRY(add_text(&text, "path", path));
  EBR_TRY(add_text(&text, "name", ebr_results_text(results, "name")));
  EBR_TRY(add_text(&text, "question", ebr_results_text(results, "question")));
  EBR_TRY(add_text(&text, "writer", ebr_results_writer(results)));
  EBR_TRY(add_text(&text, "finished", ebr_results_text(results, "finished")));
  EBR_TRY(add_number(&text, "first_start", s->first_start));
  EBR_TRY(add_number(&text, "last_end", s->last_end));
  EBR_TRY(add_number(&text, "runs_per_second", s->rate));
  EBR_TRY(add_number(&text, "seconds_left", s->left));
  EBR_TRY(add_load(s, &text));
  EBR_TRY(add_failures(results, s, &text));
  printf("%s}\n", text.data);
done:
  ebr_text_destroy(&text);
  return error;
}

/* ---- command ----------------------------------------------------------------------------------------------------- */

typedef struct status_options {
  const char *path;
  bool watch, json, help;
  double every; /* [s] */
} status_options;

static bool is_time(const char *text, double *seconds)
{
  char *end;
  double number = strtod(text, &end);
  if (end == text || *end || !(number > 0) || !isfinite(number)) return false;
  *seconds = number;
  return true;
}

/* `--watch 5 RESULTS` and `RESULTS --watch 5`: what getopt leaves of both is two words. */
static ebr_error *parse_words(int count, char **words, status_options *options)
{
  ebr_error *error = NULL;
  options->every = 2;
  if (options->watch && count == 2) {
    bool first = is_time(words[0], &options->every);
    if (first || is_time(words[1], &options->every)) count = 1;
    words += first;
  }
  EBR_CHECK(count > 0, EBR_USAGE, "status: which results file? See ebrsweep status --help");
  options->path = words[0];
  EBR_CHECK(count == 1, EBR_USAGE, "status: one results file at a time, '%s' is left over", words[1]);
done:
  return error;
}

static ebr_error *parse_options(int argc, char **argv, status_options *options)
{
  ebr_error *error = NULL;
  static const struct option longs[] = {{"watch", no_argument, NULL, 'w'},
                                        {"json", no_argument, NULL, 'J'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};
  int choice;
  opterr = 0;
  optind = 1;
  while ((choice = getopt_long(argc, argv, ":wh", longs, NULL)) != -1) switch (choice) {
      case 'w': options->watch = true; break;
      case 'J': options->json = true; break;
      case 'h': options->help = true; goto done;
      default: EBR_FAIL(EBR_USAGE, "status: there is no option '%s'; see ebrsweep status --help", argv[optind - 1]);
    }
  EBR_TRY(parse_words(argc - optind, argv + optind, options));
done:
  return error;
}

/* *over: nothing is left to be done. */
static ebr_error *print_once(ebr_results *results, const status_options *options, bool *over)
{
  ebr_error *error = NULL;
  summary s;
  EBR_TRY(sum_up(results, &s));
  *over = s.count[EBR_STATUS_WAITING] + s.count[EBR_STATUS_RUNNING] == 0;
  if (options->json) EBR_TRY(print_json(results, &s, options->path));
  else print_plain(results, &s, options->path);
  EBR_CHECK(fflush(stdout) == 0, EBR_FILE, "the output cannot be written: %s", strerror(errno));
done:
  release(&s);
  return error;
}

ebr_error *ebr_app_status(int argc, char **argv)
{
  ebr_error *error = NULL;
  status_options options = {0};
  ebr_results *results = NULL;
  bool over = false;
  EBR_TRY(parse_options(argc, argv, &options));
  if (options.help) {
    print_help();
    goto done;
  }
  EBR_TRY(ebr_results_open(options.path, &results));
  EBR_TRY(print_once(results, &options, &over));
  while (options.watch && !over) {
    time_t whole = (time_t)options.every;
    nanosleep(&(struct timespec){whole, (long)(1e9 * (options.every - (double)whole))}, NULL);
    EBR_TRY(ebr_results_refresh(results));
    if (isatty(STDOUT_FILENO) && !options.json) printf("\033[H\033[J");
    EBR_TRY(print_once(results, &options, &over));
  }
done:
  ebr_results_close(&results);
  return error;
}
