/* What the harnesses share. A harness feeds bytes to one reader and aborts when the answer breaks the reader's contract:
 * beyond crashes, leaks and undefined behaviour, an error must be of the user's making, one line of text. */
#ifndef EBR_TESTS_FUZZ_H
#define EBR_TESTS_FUZZ_H

#include <ebrsweep/base.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Aborts, with the sentence on stderr. */
void fuzz_complain(const char *sentence, const char *detail) __attribute__((noreturn));
/* The bytes as text: a NUL is put behind them. The caller frees. */
char *fuzz_text(const uint8_t *bytes, size_t length);
/* The path of a file of this process, removed when the process ends; the same for an ending each time. Borrowed. */
const char *fuzz_path(const char *ending);
/* Such a file, with these bytes. */
const char *fuzz_file(const char *ending, const uint8_t *bytes, size_t length);
/* Ends an error, which may be NULL, after a look at its code and message. Memory and internal errors are no answer to a
 * bad input of a few kilobytes. */
void fuzz_end_error(ebr_error *error, ebr_code expected);
/* The same for messages that must begin with `path:line:column: `. */
void fuzz_end_located(ebr_error *error, const char *path);

#endif
