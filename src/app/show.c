/* ebrsweep show: a table of runs, or of groups of runs. */
#include "app/app.h"
#include "app/groups.h"
#include "app/selection.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct show_options {
  const char *path, *columns, *where, *sort, *by;
  int64_t limit; /* -1: all */
  ebr_format format;
  bool help;
} show_options;

static void print_help(void)
{
  printf("Usage: ebrsweep show RESULTS [OPTION...]\n"
         "Prints the runs of RESULTS, also while they are being made.\n\n"
         "  -c, --columns A,B,...  which columns, by name or shell pattern, or all (default: axes and main measures;\n"
         "                         all with --csv and --json)\n"
         "  -w, --where EXPRESSION only the runs for which it holds: columns, numbers and texts compared by\n"
         "                         == != < <= > >=, joined by && || ! and parentheses; none is not measured\n"
         "  -b, --by A,B,...       one line a group of runs that agree in these columns: mean and standard error\n"
         "  -s, --sort COLUMN      ascending, or -COLUMN descending\n"
         "  -n, --limit N          at most N runs\n"
         "      --csv              comma-separated values\n"
         "      --json             an array of objects, one a run or group\n"
         "  -h, --help             this text\n\n"
         "Example: ebrsweep show demo.h5 --where 'method==ebr && seed<3' --columns 'seed,contribution.*'\n");
}

static ebr_error *parse_limit(const char *text, int64_t *limit)
{
  ebr_error *error = NULL;
  char *end;
  errno = 0;
  *limit = strtoll(text, &end, 10);
  EBR_CHECK(end != text && *end == 0 && errno == 0 && *limit >= 0, EBR_USAGE,
            "show: --limit wants a whole number from 0 on, not '%s'", text);
done:
  return error;
}

static ebr_error *parse_options(int argc, char **argv, show_options *options)
{
  ebr_error *error = NULL;
  static const struct option longs[] = {
      {"columns", required_argument, NULL, 'c'}, {"where", required_argument, NULL, 'w'},
      {"by", required_argument, NULL, 'b'},      {"sort", required_argument, NULL, 's'},
      {"limit", required_argument, NULL, 'n'},   {"csv", no_argument, NULL, 'C'},
      {"json", no_argument, NULL, 'J'},          {"help", no_argument, NULL, 'h'},
      {NULL, 0, NULL, 0}};
  int choice;
  opterr = 0;
  optind = 1;
  while ((choice = getopt_long(argc, argv, ":c:w:b:s:n:h", longs, NULL)) != -1) switch (choice) {
      case 'c': options->columns = optarg; break;
      case 'w': options->where = optarg; break;
      case 'b': options->by = optarg; break;
      case 's': options->sort = optarg; break;
      case 'n': EBR_TRY(parse_limit(optarg, &options->limit)); break;
      case 'C': options->format = EBR_FORMAT_CSV; break;
      case 'J': options->format = EBR_FORMAT_JSON; break;
      case 'h': options->help = true; goto done;
      case ':': EBR_FAIL(EBR_USAGE, "show: option '%s' needs a value", argv[optind - 1]);
      default: EBR_FAIL(EBR_USAGE, "show: there is no option '%s'; see ebrsweep show --help", argv[optind - 1]);
    }
  EBR_CHECK(optind < argc, EBR_USAGE, "show: which results file? See ebrsweep show --help");
  options->path = argv[optind];
  EBR_CHECK(optind + 1 >= argc, EBR_USAGE, "show: one results file at a time, '%s' is left over", argv[optind + 1]);
done:
  return error;
}

static ebr_error *show_runs(ebr_selection *selection, const show_options *options)
{
  ebr_error *error = NULL;
  bool all = !options->columns && options->format != EBR_FORMAT_PLAIN;
  if (options->columns || all) EBR_TRY(ebr_selection_add(selection, "--columns", all ? "all" : options->columns));
  else EBR_TRY(ebr_selection_add_usual(selection));
  EBR_TRY(ebr_selection_print(selection, options->format, stdout));
done:
  return error;
}

/* Columns that groups agree in are shown anyway. */
static void drop_groupers(ebr_selection *of, const ebr_selection *by)
{
  int kept = 0;
  for (int i = 0; i < of->columns; i++) {
    bool groups = false;
    for (int k = 0; k < by->columns; k++) groups |= by->column[k] == of->column[i];
    if (!groups) of->column[kept++] = of->column[i];
  }
  of->columns = kept;
}

static ebr_error *show_groups(ebr_selection *selection, const show_options *options)
{
  ebr_error *error = NULL;
  ebr_selection of = {.results = selection->results};
  EBR_TRY(ebr_selection_add(selection, "--by", options->by));
  if (options->columns) EBR_TRY(ebr_selection_add(&of, "--columns", options->columns));
  else EBR_TRY(ebr_selection_add_measures(&of));
  drop_groupers(&of, selection);
  for (int i = 0; i < of.columns; i++)
    EBR_CHECK(!ebr_results_column_is_text(of.results, of.column[i]), EBR_USAGE,
              "show: '%s' is text and has no mean; name it in --by instead",
              ebr_results_column_name(of.results, of.column[i]));
  EBR_TRY(ebr_groups_print(selection, &of, options->format, stdout));
done:
  ebr_selection_release(&of);
  return error;
}

ebr_error *ebr_app_show(int argc, char **argv)
{
  ebr_error *error = NULL;
  show_options options = {.limit = -1, .format = EBR_FORMAT_PLAIN};
  ebr_results *results = NULL;
  ebr_selection selection = {0};
  EBR_TRY(parse_options(argc, argv, &options));
  if (options.help) {
    print_help();
    goto done;
  }
  EBR_TRY(ebr_results_open(options.path, &results));
  selection.results = results;
  EBR_TRY(ebr_selection_filter(&selection, options.where));
  if (options.sort) EBR_TRY(ebr_selection_sort(&selection, options.sort));
  if (options.limit >= 0 && options.limit < selection.runs) selection.runs = options.limit;
  if (options.by) EBR_TRY(show_groups(&selection, &options));
  else EBR_TRY(show_runs(&selection, &options));
done:
  ebr_selection_release(&selection);
  ebr_results_close(&results);
  return error;
}
