/* Verdicts as text, JSON and Markdown. */
#ifndef EBR_APP_CLAIM_PRINT_H
#define EBR_APP_CLAIM_PRINT_H

#include "app/claim_gather.h"

#include <stdio.h>

typedef enum ebr_claim_format {
  EBR_CLAIM_PLAIN,
  EBR_CLAIM_JSON,
  EBR_CLAIM_MARKDOWN,
  EBR_CLAIM_SUMMARY
} ebr_claim_format;

/* Local. Results of one sweep stand together. */
EBR_FALLIBLE ebr_claims_print(const ebr_claim_results *results, ebr_claim_format format, FILE *to);

#endif
