/* The paper's claims, one row each: which arms of which sweep, what is measured, and what would show it. */
#ifndef EBR_APP_CLAIM_TABLE_H
#define EBR_APP_CLAIM_TABLE_H

/* Arms of the sweeps; ebr_arm_where says which runs they are. */
typedef enum ebr_arm {
  EBR_ARM_NONE,
  EBR_ARM_VANILLA,
  EBR_ARM_CONCAT,    /* vanilla, where other heads are rivals */
  EBR_ARM_AUXILIARY, /* vanilla with auxiliary supervision: a control */
  EBR_ARM_DROPOUT,   /* vanilla, trained with modalities missing */
  EBR_ARM_GRAPE,
  EBR_ARM_MUSE,
  EBR_ARM_KD,
  EBR_ARM_KD_STRONG,
  EBR_ARM_KD_WEAK,
  EBR_ARM_EBR,
  EBR_ARM_EBR_0, /* lambda = 0: depth without the adversary, a control; so are the other _0 */
  EBR_ARM_RESIDUAL,
  EBR_ARM_RESIDUAL_0,
  EBR_ARM_CONFUSION, /* residual ebr whose adversary is bounded */
  EBR_ARM_KD_EBR,
  EBR_ARM_KD_EBR_0,
  EBR_ARM_KD_RESIDUAL,
  EBR_ARM_KD_RESIDUAL_0,
  EBR_ARM_KD_CONFUSION,
  EBR_ARMS,
  EBR_ARM_CONFUSION_0 = EBR_ARM_RESIDUAL_0, /* lambda = 0 leaves no adversary to have a form */
  EBR_ARM_KD_CONFUSION_0 = EBR_ARM_KD_RESIDUAL_0
} ebr_arm;

typedef enum ebr_claim_kind {
  EBR_CLAIM_LEVEL,  /* the mean of the measure over the cells that differ in other axes */
  EBR_CLAIM_CHANGE, /* its change from the first to the last value of `along`, by a straight line through all, evenly
                       spaced */
  EBR_CLAIM_CORRELATION /* Pearson's r of it with `along`, over cells */
} ebr_claim_kind;

enum { EBR_CLAIM_ROLES = 5 }; /* treated, reference, up to three controls */

typedef struct ebr_claim {
  const char *sweep; /* name of the sweep whose results are judged, and of the claim */
  const char *says;  /* a sentence */
  ebr_claim_kind kind;
  /* A column of /runs; NAME.last is that of a run's last modality, NAME.* the mean over those
   * NAME.<number> that the run has. */
  const char *measure;
  const char *along;             /* NULL for EBR_CLAIM_LEVEL */
  int direction;                 /* of treated - reference: 1, -1, or 0 if it is only said to differ */
  double smallest;               /* the smallest effect that matters, in units of the measure */
  ebr_arm role[EBR_CLAIM_ROLES]; /* treated, reference (NONE: compare with 0), controls; the rest is NONE */
  const char *reference_measure; /* NULL: the same */
  const char *by;                /* a column that makes groups beside the data set, or NULL */
} ebr_claim;

/* NULL behind the last. */
const ebr_claim *ebr_claim_at(int index);
const char *ebr_arm_name(ebr_arm arm);
/* An expression for ebr_filter. */
const char *ebr_arm_where(ebr_arm arm);

#endif
