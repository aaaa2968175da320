/* What rank 0 does alone before all ranks open the file. */
#include "store/build.h"
#include "store/store.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static ebr_error *open_old(const ebr_store *store, ebr_results **old)
{
  ebr_error *error = NULL;
  const char *path = store->path, *name = ebr_sweep_name(store->sweep);
  int64_t damaged;
  if (access(path, F_OK) != 0) {
    EBR_CHECK(errno == ENOENT, EBR_FILE, "%s: %s", path, strerror(errno));
    goto done;
  }
  EBR_TRY(ebr_results_open(path, old));
  EBR_CHECK(access(path, W_OK) == 0, EBR_FILE, "%s: cannot be written: %s", path, strerror(errno));
  EBR_CHECK(strcmp(ebr_results_text(*old, "name"), name) == 0, EBR_RESULTS,
            "%s: holds the results of the sweep '%s', not of '%s': choose another file with --output", path,
            ebr_results_text(*old, "name"), name);
  EBR_TRY(ebr_results_check(*old, &damaged));
done:
  return error;
}

static ebr_error *bring_up_to_date(ebr_store *store, const ebr_results *old, const char *command,
                                    bool *anew)
{
  ebr_error *error = NULL;
  ebr_build build = {0};
  EBR_TRY(ebr_build_plan(store->path, store->sweep, store->schema, old, &build));
  build.command = command;
  build.ranks = store->ranks;
  EBR_CHECK(!old || ebr_build_common(&build) > 0, EBR_RESULTS,
            "%s: holds the results of another sweep of the name '%s', none of whose runs are in this one: choose "
            "another file with --output",
            store->path, ebr_sweep_name(store->sweep));
  *anew = ebr_build_needed(&build);
  if (*anew) EBR_TRY(ebr_build_write(&build));
  for (int64_t run = 0; run < store->count; run++) store->row_of[run] = *anew ? run : build.source[run];
done:
  ebr_build_release(&build);
  return error;
}

static void survey(ebr_store *store, const ebr_results *results)
{
  ebr_row state;
  for (int64_t run = 0; run < store->count; run++) {
    ebr_row_get(&results->layout, ebr_results_bytes(results, store->row_of[run]), &state);
    bool intact = ebr_results_intact(results, store->row_of[run]);
    store->status[run] = (uint8_t)(intact ? state.status : EBR_STATUS_RUNNING);
  }
}

ebr_error *ebr_store_prepare(ebr_store *store, const char *command)
{
  ebr_error *error = NULL;
  ebr_results *results = NULL;
  bool anew = false;
  EBR_TRY(ebr_lock_take(store->path, &store->lock));
  EBR_TRY(open_old(store, &results));
  EBR_TRY(bring_up_to_date(store, results, command, &anew));
  if (anew) {
    ebr_results_close(&results);
    EBR_TRY(ebr_results_open(store->path, &results));
  }
  survey(store, results);
done:
  ebr_results_close(&results);
  return error;
}
