/* ebrsweep merge: results of several jobs of one sweep in one file. */
#include "app/app.h"

#include <ebrsweep/store.h>

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static void print_help(void)
{
  printf(
      "Usage: ebrsweep merge OUT IN... [OPTION...]\n"
      "Joins the results files IN of one sweep's jobs into the new file OUT. A run that several of them have is taken\n"
      "from the one that finished it; two that finished it differently are refused.\n\n"
      "  -f, --force  replace OUT\n"
      "  -q, --quiet  say nothing\n"
      "  -h, --help   this text\n");
}

typedef struct merge_options {
  const char *out;
  char *const *in;
  int count;
  bool force, quiet, help;
} merge_options;

static ebr_error *parse_options(int argc, char **argv, merge_options *options)
{
  ebr_error *error = NULL;
  static const struct option longs[] = {{"force", no_argument, NULL, 'f'},
                                        {"quiet", no_argument, NULL, 'q'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};
  int choice;
  opterr = 0;
  optind = 1;
  while ((choice = getopt_long(argc, argv, ":fqh", longs, NULL)) != -1) switch (choice) {
      case 'f': options->force = true; break;
      case 'q': options->quiet = true; break;
      case 'h': options->help = true; break;
      default: EBR_FAIL(EBR_USAGE, "merge: there is no option '%s'; see ebrsweep merge --help", argv[optind - 1]);
    }
  if (options->help) goto done;
  EBR_CHECK(argc - optind >= 2, EBR_USAGE, "merge: which files? OUT and at least one IN; see ebrsweep merge --help");
  options->out = argv[optind];
  options->in = argv + optind + 1;
  options->count = argc - optind - 1;
done:
  return error;
}

static ebr_error *command_line(int argc, char **argv, ebr_text *text)
{
  ebr_error *error = NULL;
  EBR_TRY(ebr_text_add(text, "ebrsweep"));
  for (int i = 0; i < argc && text->length < 50000; i++) EBR_TRY(ebr_text_add(text, " %s", argv[i]));
done:
  return error;
}

/* A job may still write there; what it has finished is taken, and the rest can be merged later. */
static ebr_error *warn_of_writers(const merge_options *options)
{
  ebr_error *error = NULL;
  ebr_results *results = NULL;
  for (int k = 0; k < options->count; k++) {
    EBR_TRY(ebr_results_open(options->in[k], &results));
    if (ebr_results_writer(results)[0])
      fprintf(stderr, "%s: is being written by %s: what is done so far is taken\n", options->in[k],
              ebr_results_writer(results));
    ebr_results_close(&results);
  }
done:
  ebr_results_close(&results);
  return error;
}

ebr_error *ebr_app_merge(int argc, char **argv)
{
  ebr_error *error = NULL;
  merge_options options = {0};
  ebr_text command = {0};
  int64_t runs[EBR_STATUS_REMOVED + 1] = {0}, all = 0;
  EBR_TRY(parse_options(argc, argv, &options));
  if (options.help) {
    print_help();
    goto done;
  }
  EBR_TRY(command_line(argc, argv, &command));
  EBR_TRY(warn_of_writers(&options));
  EBR_TRY(ebr_results_merge(options.out, options.in, options.count, options.force, command.data, runs));
  for (int status = 0; status <= EBR_STATUS_REMOVED; status++) all += runs[status];
  if (options.quiet) goto done;
  printf("%s: %lld runs of %d file%s:", options.out, (long long)all, options.count, options.count == 1 ? "" : "s");
  for (int status = EBR_STATUS_REMOVED; status >= 0; status--)
    if (runs[status] > 0 || status == EBR_STATUS_DONE)
      printf(" %lld %s", (long long)runs[status], ebr_status_name((ebr_status)status));
  printf("\n");
done:
  ebr_text_destroy(&command);
  return error;
}
