/* Autoencoder: rebuilds the latents of missing modalities from those that are there; one network for all patterns of
 * missing ones. Its input is all latents, standardised, those not shown being 0, and a flag a modality that tells which
 * are shown; it learns to say what was hidden, of training samples from which it hides some at random (Ngiam et al.,
 * Multimodal Deep Learning, ICML 2011, Section 3). The network is an MLP with one hidden layer.
 *
 * Workflow: create, which learns; rebuild as often as wanted; destroy. Local. */
#ifndef EBR_MEASURE_AUTOENCODER_H
#define EBR_MEASURE_AUTOENCODER_H

#include <ebrsweep/base.h>

typedef struct ebr_autoencoder ebr_autoencoder;

/* What it is made of and learns from. Borrowed. */
typedef struct ebr_latents {
  int count, modalities, width; /* N m q */
  const float *latent;          /* (N x m x q) */
  const uint8_t *known;         /* (N x m) */
} ebr_latents;

/* hidden: its width; relu: an activation behind it, without which it is linear; key: of its weights and of the order
 * and the gaps in which it learns. The caller destroys. */
EBR_FALLIBLE ebr_autoencoder_create(const ebr_latents *latents, int hidden, bool relu, uint64_t key,
                                    ebr_autoencoder **autoencoder);
void ebr_autoencoder_destroy(ebr_autoencoder **autoencoder);
/* What ebr_autoencoder_create would allocate for so many latents [bytes]; the arrays may be NULL. */
size_t ebr_autoencoder_bytes(const ebr_latents *latents, int hidden);
/* latent[i] (count x q) of modality i: rows of what present (count x m) says is missing are overwritten. */
void ebr_autoencoder_rebuild(ebr_autoencoder *autoencoder, int count, const uint8_t *present, ebr_real *const *latent);

#endif
