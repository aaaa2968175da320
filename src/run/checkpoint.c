#include "run/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Changes whenever the file's layout does. */
static const char mark[8] = "ebrckpt1";

typedef struct checkpoint_head {
  char mark[8];
  uint64_t config, schema; /* hashes: of which run, and of what record */
  int64_t epoch;
  uint64_t record_bytes, trainer_bytes;
  uint64_t checksum; /* of what follows */
} checkpoint_head;

static uint64_t schema_hash(const ebr_schema *schema)
{
  uint64_t hash = 0;
  for (int i = 0; i < ebr_schema_count(schema); i++) {
    const ebr_column *column = ebr_schema_at(schema, i);
    int size[2] = {column->points, column->values};
    hash = ebr_hash(size, sizeof size, ebr_hash(column->name, strlen(column->name), hash));
  }
  return hash;
}

static checkpoint_head head_of(const ebr_config *config, const ebr_record *record, const ebr_trainer *trainer)
{
  ebr_config run = *config;
  run.schedule_team = 0; /* another team goes on to the same bits */
  checkpoint_head head = {.config = ebr_hash(&run, sizeof run, 0), .schema = schema_hash(record->schema)};
  memcpy(head.mark, mark, sizeof mark);
  head.record_bytes = ebr_schema_size(record->schema) * sizeof *record->values;
  head.trainer_bytes = ebr_trainer_state_bytes(trainer);
  return head;
}

/* ---- saving ------------------------------------------------------------------------------------------------------ */

static ebr_error *make_folder(const char *path)
{
  ebr_error *error = NULL;
  char *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
  EBR_CHECK_MEMORY(folder, "a path");
  if (slash && slash > folder) *slash = 0;
  EBR_CHECK(!slash || slash == folder || mkdir(folder, 0777) == 0 || errno == EEXIST, EBR_FILE,
            "%s: cannot be made: %s", folder, strerror(errno));
done:
  free(folder);
  return error;
}

static ebr_error *write_file(const char *path, const void *bytes, size_t count)
{
  ebr_error *error = NULL;
  FILE *file = fopen(path, "wb");
  EBR_CHECK(file, EBR_FILE, "%s: %s", path, strerror(errno));
  bool written = fwrite(bytes, 1, count, file) == count && fflush(file) == 0 && fsync(fileno(file)) == 0;
  int reason = errno;
  if (fclose(file) != 0) written = false;
  EBR_CHECK(written, EBR_FILE, "%s: %s", path, strerror(reason));
done:
  return error;
}

ebr_error *ebr_checkpoint_save(const char *path, const ebr_config *config, const ebr_record *record,
                               const ebr_trainer *trainer, int64_t epoch)
{
  ebr_error *error = NULL;
  checkpoint_head head = head_of(config, record, trainer);
  size_t count = sizeof head + head.record_bytes + head.trainer_bytes;
  char *bytes = calloc(1, count);
  ebr_text beside = {0};
  EBR_CHECK_MEMORY(bytes, "a checkpoint");
  head.epoch = epoch;
  memcpy(bytes + sizeof head, record->values, head.record_bytes);
  ebr_trainer_state_save(trainer, bytes + sizeof head + head.record_bytes);
  head.checksum = ebr_hash(bytes + sizeof head, count - sizeof head, 0);
  memcpy(bytes, &head, sizeof head);
  EBR_TRY(make_folder(path));
  EBR_TRY(ebr_text_add(&beside, "%s.new", path));
  EBR_TRY(write_file(beside.data, bytes, count));
  EBR_CHECK(rename(beside.data, path) == 0, EBR_FILE, "%s: %s", path, strerror(errno));
done:
  if (error && beside.data) unlink(beside.data);
  ebr_text_destroy(&beside);
  free(bytes);
  return error;
}

/* ---- loading ----------------------------------------------------------------------------------------------------- */

static ebr_error *check(const char *path, const char *bytes, size_t count, const checkpoint_head *wanted,
                        checkpoint_head *head)
{
  ebr_error *error = NULL;
  EBR_CHECK(count >= sizeof *head, EBR_FILE, "%s: is cut short", path);
  memcpy(head, bytes, sizeof *head);
  EBR_CHECK(memcmp(head->mark, wanted->mark, sizeof head->mark) == 0, EBR_FILE,
            "%s: is a checkpoint of another version", path);
  EBR_CHECK(head->config == wanted->config, EBR_FILE, "%s: is the checkpoint of another run", path);
  EBR_CHECK(head->schema == wanted->schema && head->record_bytes == wanted->record_bytes, EBR_FILE,
            "%s: is a checkpoint with other measures", path);
  EBR_CHECK(head->trainer_bytes == wanted->trainer_bytes &&
                count == sizeof *head + head->record_bytes + head->trainer_bytes &&
                ebr_hash(bytes + sizeof *head, count - sizeof *head, 0) == head->checksum,
            EBR_FILE, "%s: is damaged", path);
done:
  return error;
}

/* *bytes: NULL where there is no such file. */
static ebr_error *read_checked(const char *path, const checkpoint_head *wanted, size_t count, char **bytes)
{
  ebr_error *error = NULL;
  checkpoint_head head;
  size_t found = 0;
  if (access(path, F_OK) != 0) goto done;
  EBR_TRY(ebr_file_read(path, count + 1, bytes, &found));
  EBR_TRY(check(path, *bytes, found, wanted, &head));
done:
  if (error) {
    free(*bytes);
    *bytes = NULL;
  }
  return error;
}

/* Rank 0's bytes, NULL for none, become everybody's. */
static ebr_error *share(ebr_team *team, size_t count, char **bytes)
{
  ebr_error *error = NULL;
  bool found = *bytes != NULL;
  ebr_team_share(team, &found, sizeof found);
  if (!found) goto done;
  if (!*bytes) *bytes = malloc(count);
  EBR_TRY(ebr_team_agree(
      team, *bytes ? NULL : ebr_error_create(EBR_MEMORY, __FILE__, __LINE__, "no memory for a checkpoint")));
  ebr_team_share(team, *bytes, count);
done:
  return error;
}

ebr_error *ebr_checkpoint_load(const char *path, const ebr_config *config, ebr_team *team, ebr_record *record,
                               ebr_trainer *trainer, int64_t *epoch)
{
  ebr_error *error = NULL;
  char *bytes = NULL;
  checkpoint_head head = head_of(config, record, trainer);
  size_t count = sizeof head + head.record_bytes + head.trainer_bytes;
  *epoch = 0;
  EBR_TRY(ebr_team_agree(team, ebr_team_rank(team) == 0 ? read_checked(path, &head, count, &bytes) : NULL));
  EBR_TRY(share(team, count, &bytes));
  if (!bytes) goto done;
  memcpy(&head, bytes, sizeof head);
  EBR_TRY(ebr_team_agree(team,
                         ebr_trainer_state_load(trainer, bytes + sizeof head + head.record_bytes, head.trainer_bytes)));
  memcpy(record->values, bytes + sizeof head, head.record_bytes);
  *epoch = head.epoch;
done:
  free(bytes);
  return error;
}
