#include "app/app.h"

/* show and status land with the next merge. */
ebr_error *ebr_app_show(int argc, char **argv)
{
  return ebr_error_create(EBR_USAGE, __FILE__, __LINE__, "%s is not there yet", argv[argc - argc]);
}

ebr_error *ebr_app_status(int argc, char **argv) { return ebr_app_show(argc, argv); }
