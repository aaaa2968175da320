/* Runs a harness over files and folders of inputs, for builds without libFuzzer: what was found once stays a test. */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int replay(const char *path)
{
  struct stat about;
  char *bytes = NULL;
  size_t length = 0;
  if (stat(path, &about) != 0) fuzz_complain("there is no", path);
  if (!S_ISDIR(about.st_mode)) {
    ebr_error *error = ebr_file_read(path, 1 << 28, &bytes, &length);
    if (error) fuzz_complain("cannot read", ebr_error_message(error));
    LLVMFuzzerTestOneInput((const uint8_t *)bytes, length);
    free(bytes);
    return 1;
  }
  int count = 0;
  DIR *folder = opendir(path);
  if (!folder) fuzz_complain("cannot list", path);
  for (struct dirent *entry; (entry = readdir(folder));) {
    char inside[1024];
    if (entry->d_name[0] == '.') continue;
    if (snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name) >= (int)sizeof inside) abort();
    count += replay(inside);
  }
  closedir(folder);
  return count;
}

int main(int count, char **arguments)
{
  int inputs = 0;
  for (int i = 1; i < count; i++) inputs += replay(arguments[i]);
  printf("%d inputs\n", inputs);
  return inputs > 0 ? 0 : 1;
}
