#include "app/claim_table.h"

#include <stddef.h>

/* ---- arms -------------------------------------------------------------------------------------------------------- */

/* Modality dropout is one rate for all modalities, that of table-1-missing; other rates belong to the data. */
#define DROPPED "missing.train=='[0.5]'"
#define PLAIN " && auxiliary.weight==0 && !(" DROPPED ")"
#define EBR_WHERE(method, lambda, residual, form)                                                                      \
  "method=='" method "' && ebr.lambda" lambda " && ebr.residual==" residual " && ebr.form==" form PLAIN

typedef struct arm_row {
  const char *name, *where;
} arm_row;

static const arm_row *arm_at(ebr_arm arm)
{
  static const arm_row arms[EBR_ARMS] = {
      [EBR_ARM_NONE] = {"nothing", ""},
      [EBR_ARM_VANILLA] = {"vanilla", "method==vanilla" PLAIN},
      [EBR_ARM_CONCAT] = {"vanilla", "method==vanilla && model.fusion==concat" PLAIN},
      [EBR_ARM_AUXILIARY] = {"auxiliary supervision", "method==vanilla && auxiliary.weight>0 && !(" DROPPED ")"},
      [EBR_ARM_DROPOUT] = {"modality dropout", "method==vanilla && model.fusion==concat && " DROPPED},
      [EBR_ARM_GRAPE] = {"grape", "method==vanilla && model.fusion==grape"},
      [EBR_ARM_MUSE] = {"muse", "method==vanilla && model.fusion==muse"},
      [EBR_ARM_KD] = {"kd", "method==kd && kd.order==together" PLAIN},
      [EBR_ARM_KD_STRONG] = {"kd, strong first", "method==kd && kd.order=='strong-first'" PLAIN},
      [EBR_ARM_KD_WEAK] = {"kd, weak first", "method==kd && kd.order=='weak-first'" PLAIN},
      [EBR_ARM_EBR] = {"ebr", EBR_WHERE("ebr", ">0", "false", "reversal")},
      [EBR_ARM_EBR_0] = {"ebr at lambda = 0", EBR_WHERE("ebr", "==0", "false", "reversal")},
      [EBR_ARM_RESIDUAL] = {"residual ebr", EBR_WHERE("ebr", ">0", "true", "reversal")},
      [EBR_ARM_RESIDUAL_0] = {"residual ebr at lambda = 0", EBR_WHERE("ebr", "==0", "true", "reversal")},
      [EBR_ARM_CONFUSION] = {"confusion ebr", EBR_WHERE("ebr", ">0", "true", "confusion")},
      [EBR_ARM_KD_EBR] = {"kd+ebr", EBR_WHERE("kd+ebr", ">0", "false", "reversal")},
      [EBR_ARM_KD_EBR_0] = {"kd+ebr at lambda = 0", EBR_WHERE("kd+ebr", "==0", "false", "reversal")},
      [EBR_ARM_KD_RESIDUAL] = {"residual kd+ebr", EBR_WHERE("kd+ebr", ">0", "true", "reversal")},
      [EBR_ARM_KD_RESIDUAL_0] = {"residual kd+ebr at lambda = 0", EBR_WHERE("kd+ebr", "==0", "true", "reversal")},
      [EBR_ARM_KD_CONFUSION] = {"confusion kd+ebr", EBR_WHERE("kd+ebr", ">0", "true", "confusion")},
  };
  return &arms[arm];
}

const char *ebr_arm_name(ebr_arm arm) { return arm_at(arm)->name; }
const char *ebr_arm_where(ebr_arm arm) { return arm_at(arm)->where; }

/* ---- claims ------------------------------------------------------------------------------------------------------ */

/* What depth alone and auxiliary supervision alone do is not credited to reallocation. */
#define VANILLA_ALONE                                                                                                  \
  {                                                                                                                    \
    EBR_ARM_VANILLA                                                                                                    \
  }
#define AGAINST(treated, reference)                                                                                    \
  {                                                                                                                    \
    EBR_ARM_##treated, EBR_ARM_##reference                                                                             \
  }
#define CREDITED(treated, reference)                                                                                   \
  {                                                                                                                    \
    EBR_ARM_##treated, EBR_ARM_##reference, EBR_ARM_##treated##_0, EBR_ARM_AUXILIARY                                   \
  }
/* With distillation the teacher's part is not credited either. */
#define CREDITED_KD(treated, reference)                                                                                \
  {                                                                                                                    \
    EBR_ARM_##treated, EBR_ARM_##reference, EBR_ARM_##treated##_0, EBR_ARM_AUXILIARY, EBR_ARM_KD                       \
  }

#define LEVEL(name, says, measure, direction, smallest, by, ...)                                                       \
  {                                                                                                                    \
    name, says, EBR_CLAIM_LEVEL, measure, NULL, direction, smallest, __VA_ARGS__, NULL, by                             \
  }
#define CHANGE(name, says, measure, along, direction, smallest, by, ...)                                               \
  {                                                                                                                    \
    name, says, EBR_CLAIM_CHANGE, measure, along, direction, smallest, __VA_ARGS__, NULL, by                           \
  }

#define FIGURE_1 "figure-1-interference"
#define FIGURE_3 "figure-3-rank"
#define FIGURE_4 "figure-4-modalities"
#define ORDERS "figure-4-orders"
#define FIGURE_5 "figure-5-strength"
#define FIGURE_6 "figure-6-convergence"
#define FIGURE_7 "figure-7-noise"
#define TABLE_1 "table-1-missing"
#define AUDIO "table-1-audio"
#define TABLE_2 "table-2-agnostic"
#define ORDER "order-of-distillation"

#define SHARED "shared_neurons.relative.0.1"
#define FUSED "fused_standardised.effective_rank"
#define SIMILARITY "latent_similarity"
#define BETA "model.strength.last"
#define MODALITIES "data.modalities"
#define WATCHED "data.order"
#define NOISE "data.feature_noise"
#define FUSION "model.fusion"

/* One rival and its way of filling a gap. */
#define FILLED(treated_says, roles, rival, measure, filling)                                                           \
  {                                                                                                                    \
    TABLE_1, treated_says " with substitution is more accurate than " rival, EBR_CLAIM_LEVEL,                          \
        measure ".substitute.*", NULL, 1, 0.005, roles, measure "." filling ".*", NULL                                 \
  }
#define RATES "missing_accuracy"
#define COUNTS "missing_count_accuracy"
#define RIVALS(says, credit, treated)                                                                                  \
  FILLED(says, credit(treated, VANILLA), "zeros", RATES, "zero"),                                                      \
      FILLED(says, credit(treated, VANILLA), "the mean", RATES, "mean"),                                               \
      FILLED(says, credit(treated, VANILLA), "retrieval", RATES, "retrieve"),                                          \
      FILLED(says, credit(treated, VANILLA), "a cross-modal autoencoder", RATES, "autoencoder"),                       \
      FILLED(says, credit(treated, DROPOUT), "modality dropout with the mean", RATES, "mean"),                         \
      FILLED(says, credit(treated, GRAPE), "grape", RATES, "drop"),                                                    \
      FILLED(says, credit(treated, MUSE), "muse", RATES, "drop"),                                                      \
      FILLED(says, credit(treated, VANILLA), "zeros, k of m missing", COUNTS, "zero"),                                 \
      FILLED(says, credit(treated, VANILLA), "a cross-modal autoencoder, k of m missing", COUNTS, "autoencoder"),      \
      FILLED(says, credit(treated, GRAPE), "grape, k of m missing", COUNTS, "drop"),                                   \
      FILLED(says, credit(treated, MUSE), "muse, k of m missing", COUNTS, "drop")

/* With one modality scarce in training, at each rate. */
#define SCARCE(says, credit, treated)                                                                                  \
  LEVEL(AUDIO, says " is more accurate than vanilla", "test_accuracy", 1, 0.005, "missing.train",                      \
        credit(treated, CONCAT)),                                                                                      \
      LEVEL(AUDIO, says " is more accurate than grape", "test_accuracy", 1, 0.005, "missing.train",                    \
            credit(treated, GRAPE)),                                                                                   \
      LEVEL(AUDIO, says " is more accurate than muse", "test_accuracy", 1, 0.005, "missing.train",                     \
            credit(treated, MUSE))

const ebr_claim *ebr_claim_at(int index)
{
  static const ebr_claim claims[] = {
      {FIGURE_1, "where more neurons are shared, the weakest modality contributes less (over widths)",
       EBR_CLAIM_CORRELATION, "weakest_contribution", SHARED, -1, 0.1, VANILLA_ALONE, NULL, MODALITIES},
      LEVEL(FIGURE_1, "ebr has fewer shared neurons", SHARED, -1, 0.01, MODALITIES, CREDITED(EBR, VANILLA)),
      LEVEL(FIGURE_1, "residual ebr has fewer shared neurons", SHARED, -1, 0.01, MODALITIES,
            CREDITED(RESIDUAL, VANILLA)),
      LEVEL(FIGURE_1, "confusion ebr has fewer shared neurons", SHARED, -1, 0.01, MODALITIES,
            CREDITED(CONFUSION, VANILLA)),
      LEVEL(FIGURE_1, "with ebr the weakest modality contributes more", "weakest_contribution", 1, 0.01, MODALITIES,
            CREDITED(EBR, VANILLA)),
      LEVEL(FIGURE_1, "with residual ebr the weakest modality contributes more", "weakest_contribution", 1, 0.01,
            MODALITIES, CREDITED(RESIDUAL, VANILLA)),
      LEVEL(FIGURE_1, "with confusion ebr the weakest modality contributes more", "weakest_contribution", 1, 0.01,
            MODALITIES, CREDITED(CONFUSION, VANILLA)),

      {FIGURE_3, "updates of the head have a lower rank than the head", EBR_CLAIM_LEVEL, "updates.effective_rank", NULL,
       -1, 1, AGAINST(VANILLA, VANILLA), "head.effective_rank", NULL},
      LEVEL(FIGURE_3, "kd raises the rank of the updates", "updates.effective_rank", 1, 0.5, NULL,
            AGAINST(KD, VANILLA)),
      LEVEL(FIGURE_3, "ebr raises the rank of the updates", "updates.effective_rank", 1, 0.5, NULL,
            CREDITED(EBR, VANILLA)),
      LEVEL(FIGURE_3, "residual ebr raises the rank of the updates", "updates.effective_rank", 1, 0.5, NULL,
            CREDITED(RESIDUAL, VANILLA)),
      LEVEL(FIGURE_3, "confusion ebr raises the rank of the updates", "updates.effective_rank", 1, 0.5, NULL,
            CREDITED(CONFUSION, VANILLA)),
      LEVEL(FIGURE_3, "kd+ebr raises the rank of the updates", "updates.effective_rank", 1, 0.5, NULL,
            CREDITED_KD(KD_EBR, VANILLA)),
      LEVEL(FIGURE_3, "residual kd+ebr raises the rank of the updates", "updates.effective_rank", 1, 0.5, NULL,
            CREDITED_KD(KD_RESIDUAL, VANILLA)),
      LEVEL(FIGURE_3, "confusion kd+ebr raises the rank of the updates", "updates.effective_rank", 1, 0.5, NULL,
            CREDITED_KD(KD_CONFUSION, VANILLA)),
      LEVEL(FIGURE_3, "kd raises the rank of the head", "head.effective_rank", 1, 0.5, NULL, AGAINST(KD, VANILLA)),
      LEVEL(FIGURE_3, "ebr raises the rank of the head", "head.effective_rank", 1, 0.5, NULL, CREDITED(EBR, VANILLA)),
      LEVEL(FIGURE_3, "residual ebr raises the rank of the head", "head.effective_rank", 1, 0.5, NULL,
            CREDITED(RESIDUAL, VANILLA)),
      LEVEL(FIGURE_3, "confusion ebr raises the rank of the head", "head.effective_rank", 1, 0.5, NULL,
            CREDITED(CONFUSION, VANILLA)),

      CHANGE(FIGURE_4, "the weakest modality's loss rises with the number of modalities", "probe_loss.last", MODALITIES,
             1, 0.01, NULL, VANILLA_ALONE),
      LEVEL(FIGURE_4, "the weakest modality's loss lies above that of the modality trained alone", "probe_excess.last",
            1, 0.01, NULL, VANILLA_ALONE),
      LEVEL(FIGURE_4, "kd lowers the weakest modality's loss", "probe_loss.last", -1, 0.01, NULL, AGAINST(KD, VANILLA)),
      LEVEL(FIGURE_4, "ebr lowers the weakest modality's loss", "probe_loss.last", -1, 0.01, NULL,
            CREDITED(EBR, VANILLA)),
      LEVEL(FIGURE_4, "residual ebr lowers the weakest modality's loss", "probe_loss.last", -1, 0.01, NULL,
            CREDITED(RESIDUAL, VANILLA)),
      LEVEL(FIGURE_4, "confusion ebr lowers the weakest modality's loss", "probe_loss.last", -1, 0.01, NULL,
            CREDITED(CONFUSION, VANILLA)),
      CHANGE(FIGURE_4, "kd lowers the rise of the weakest modality's loss", "probe_loss.last", MODALITIES, -1, 0.01,
             NULL, AGAINST(KD, VANILLA)),
      CHANGE(FIGURE_4, "ebr lowers the rise of the weakest modality's loss", "probe_loss.last", MODALITIES, -1, 0.01,
             NULL, CREDITED(EBR, VANILLA)),
      CHANGE(FIGURE_4, "residual ebr lowers the rise of the weakest modality's loss", "probe_loss.last", MODALITIES, -1,
             0.01, NULL, CREDITED(RESIDUAL, VANILLA)),
      CHANGE(FIGURE_4, "confusion ebr lowers the rise of the weakest modality's loss", "probe_loss.last", MODALITIES,
             -1, 0.01, NULL, CREDITED(CONFUSION, VANILLA)),

      CHANGE(ORDERS, "the first modality's loss rises with the number of modalities", "probe_loss.0", MODALITIES, 1,
             0.01, WATCHED, VANILLA_ALONE),
      LEVEL(ORDERS, "the first modality's loss lies above that of the modality trained alone", "probe_excess.0", 1,
            0.01, WATCHED, VANILLA_ALONE),
      LEVEL(ORDERS, "kd lowers the first modality's loss", "probe_loss.0", -1, 0.01, WATCHED, AGAINST(KD, VANILLA)),
      LEVEL(ORDERS, "residual ebr lowers the first modality's loss", "probe_loss.0", -1, 0.01, WATCHED,
            CREDITED(RESIDUAL, VANILLA)),
      LEVEL(ORDERS, "confusion ebr lowers the first modality's loss", "probe_loss.0", -1, 0.01, WATCHED,
            CREDITED(CONFUSION, VANILLA)),

      CHANGE(FIGURE_5, "the representation's rank falls as beta grows", FUSED, BETA, -1, 0.5, NULL, VANILLA_ALONE),
      CHANGE(FIGURE_5, "with kd the representation's rank falls less", FUSED, BETA, 1, 0.5, NULL, AGAINST(KD, VANILLA)),
      CHANGE(FIGURE_5, "with ebr the representation's rank falls less", FUSED, BETA, 1, 0.5, NULL,
             CREDITED(EBR, VANILLA)),
      CHANGE(FIGURE_5, "with residual ebr the representation's rank falls less", FUSED, BETA, 1, 0.5, NULL,
             CREDITED(RESIDUAL, VANILLA)),
      CHANGE(FIGURE_5, "with confusion ebr the representation's rank falls less", FUSED, BETA, 1, 0.5, NULL,
             CREDITED(CONFUSION, VANILLA)),
      LEVEL(FIGURE_5, "kd raises the representation's rank", FUSED, 1, 0.5, NULL, AGAINST(KD, VANILLA)),
      LEVEL(FIGURE_5, "ebr raises the representation's rank", FUSED, 1, 0.5, NULL, CREDITED(EBR, VANILLA)),
      LEVEL(FIGURE_5, "residual ebr raises the representation's rank", FUSED, 1, 0.5, NULL,
            CREDITED(RESIDUAL, VANILLA)),
      LEVEL(FIGURE_5, "confusion ebr raises the representation's rank", FUSED, 1, 0.5, NULL,
            CREDITED(CONFUSION, VANILLA)),
      CHANGE(FIGURE_5, "modalities' latents grow more alike as beta grows", SIMILARITY, BETA, 1, 0.02, NULL,
             VANILLA_ALONE),
      LEVEL(FIGURE_5, "with kd latents are more alike", SIMILARITY, 1, 0.02, NULL, AGAINST(KD, VANILLA)),
      LEVEL(FIGURE_5, "with ebr latents are more alike", SIMILARITY, 1, 0.02, NULL, CREDITED(EBR, VANILLA)),
      LEVEL(FIGURE_5, "with residual ebr latents are more alike", SIMILARITY, 1, 0.02, NULL,
            CREDITED(RESIDUAL, VANILLA)),
      LEVEL(FIGURE_5, "with confusion ebr latents are more alike", SIMILARITY, 1, 0.02, NULL,
            CREDITED(CONFUSION, VANILLA)),

      LEVEL(FIGURE_6, "kd ends at a lower loss than vanilla", "test_loss", -1, 0.01, NULL, AGAINST(KD, VANILLA)),
      LEVEL(FIGURE_6, "ebr ends at a lower loss than vanilla", "test_loss", -1, 0.01, NULL, CREDITED(EBR, VANILLA)),
      LEVEL(FIGURE_6, "ebr ends at a lower loss than kd", "test_loss", -1, 0.01, NULL, CREDITED(EBR, KD)),
      LEVEL(FIGURE_6, "residual ebr ends at a lower loss than vanilla", "test_loss", -1, 0.01, NULL,
            CREDITED(RESIDUAL, VANILLA)),
      LEVEL(FIGURE_6, "confusion ebr ends at a lower loss than vanilla", "test_loss", -1, 0.01, NULL,
            CREDITED(CONFUSION, VANILLA)),
      LEVEL(FIGURE_6, "residual ebr ends at a lower loss than kd", "test_loss", -1, 0.01, NULL, CREDITED(RESIDUAL, KD)),
      LEVEL(FIGURE_6, "confusion ebr ends at a lower loss than kd", "test_loss", -1, 0.01, NULL,
            CREDITED(CONFUSION, KD)),

      CHANGE(FIGURE_7, "vanilla loses accuracy as noise grows", "test_accuracy", NOISE, -1, 0.05, FUSION,
             VANILLA_ALONE),
      CHANGE(FIGURE_7, "with kd accuracy falls less", "test_accuracy", NOISE, 1, 0.01, FUSION, AGAINST(KD, VANILLA)),
      CHANGE(FIGURE_7, "with ebr accuracy falls less", "test_accuracy", NOISE, 1, 0.01, FUSION, CREDITED(EBR, VANILLA)),
      CHANGE(FIGURE_7, "with residual ebr accuracy falls less", "test_accuracy", NOISE, 1, 0.01, FUSION,
             CREDITED(RESIDUAL, VANILLA)),
      CHANGE(FIGURE_7, "with confusion ebr accuracy falls less", "test_accuracy", NOISE, 1, 0.01, FUSION,
             CREDITED(CONFUSION, VANILLA)),
      LEVEL(FIGURE_7, "over noise rates kd is more accurate", "test_accuracy", 1, 0.005, FUSION, AGAINST(KD, VANILLA)),
      LEVEL(FIGURE_7, "over noise rates ebr is more accurate", "test_accuracy", 1, 0.005, FUSION,
            CREDITED(EBR, VANILLA)),
      LEVEL(FIGURE_7, "over noise rates residual ebr is more accurate", "test_accuracy", 1, 0.005, FUSION,
            CREDITED(RESIDUAL, VANILLA)),
      LEVEL(FIGURE_7, "over noise rates confusion ebr is more accurate", "test_accuracy", 1, 0.005, FUSION,
            CREDITED(CONFUSION, VANILLA)),
      LEVEL(FIGURE_7, "over noise rates ebr has a larger AUC-ROC", "auc_roc", 1, 0.005, FUSION, CREDITED(EBR, VANILLA)),
      LEVEL(FIGURE_7, "over noise rates residual ebr has a larger AUC-ROC", "auc_roc", 1, 0.005, FUSION,
            CREDITED(RESIDUAL, VANILLA)),
      LEVEL(FIGURE_7, "over noise rates confusion ebr has a larger AUC-ROC", "auc_roc", 1, 0.005, FUSION,
            CREDITED(CONFUSION, VANILLA)),

      RIVALS("kd", AGAINST, KD),
      RIVALS("ebr", CREDITED, EBR),
      RIVALS("residual ebr", CREDITED, RESIDUAL),
      RIVALS("confusion ebr", CREDITED, CONFUSION),
      RIVALS("kd+ebr", CREDITED_KD, KD_EBR),
      RIVALS("residual kd+ebr", CREDITED_KD, KD_RESIDUAL),
      RIVALS("confusion kd+ebr", CREDITED_KD, KD_CONFUSION),

      SCARCE("kd", AGAINST, KD),
      SCARCE("ebr", CREDITED, EBR),
      SCARCE("residual ebr", CREDITED, RESIDUAL),
      SCARCE("confusion ebr", CREDITED, CONFUSION),
      SCARCE("residual kd+ebr", CREDITED_KD, KD_RESIDUAL),

      LEVEL(TABLE_2, "kd is more accurate than vanilla", "test_accuracy", 1, 0.005, FUSION, AGAINST(KD, VANILLA)),
      LEVEL(TABLE_2, "ebr is more accurate than vanilla", "test_accuracy", 1, 0.005, FUSION, CREDITED(EBR, VANILLA)),
      LEVEL(TABLE_2, "residual ebr is more accurate than vanilla", "test_accuracy", 1, 0.005, FUSION,
            CREDITED(RESIDUAL, VANILLA)),
      LEVEL(TABLE_2, "confusion ebr is more accurate than vanilla", "test_accuracy", 1, 0.005, FUSION,
            CREDITED(CONFUSION, VANILLA)),
      LEVEL(TABLE_2, "kd+ebr is more accurate than vanilla", "test_accuracy", 1, 0.005, FUSION,
            CREDITED_KD(KD_EBR, VANILLA)),

      LEVEL(ORDER, "distilling strong or weak ones first differs in accuracy", "test_accuracy", 0, 0.005, NULL,
            AGAINST(KD_STRONG, KD_WEAK)),
      LEVEL(ORDER, "distilling strong or weak ones first differs in loss", "test_loss", 0, 0.01, NULL,
            AGAINST(KD_STRONG, KD_WEAK)),
      LEVEL(ORDER, "one after the other, strong first, differs in loss from together", "test_loss", 0, 0.01, NULL,
            AGAINST(KD_STRONG, KD)),
      LEVEL(ORDER, "one after the other, weak first, differs in loss from together", "test_loss", 0, 0.01, NULL,
            AGAINST(KD_WEAK, KD)),
  };
  return index < (int)(sizeof claims / sizeof *claims) ? &claims[index] : NULL;
}
