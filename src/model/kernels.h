/* Element-wise passes and losses of the training arithmetic. Everything here runs over whole arrays, allocates nothing,
 * and is compiled for several vector widths; the processor picks one when the program starts. */
#ifndef EBR_MODEL_KERNELS_H
#define EBR_MODEL_KERNELS_H

#include <ebrsweep/base.h>

/* y (rows x cols) += bias (cols), then max(y, 0) if relu. */
void ebr_bias_activate(int rows, int cols, const ebr_real *bias, bool relu, ebr_real *y);
/* dy (rows x cols) becomes 0 where y <= 0 if relu; dbias (cols) gets the column sums of what is left. */
void ebr_bias_activate_backward(int rows, int cols, const ebr_real *y, bool relu, ebr_real *dy, ebr_real *dbias);
/* b (cols x rows) = a' for a (rows x cols); they must not overlap. */
void ebr_transpose(int rows, int cols, const ebr_real *a, ebr_real *b);
/* y += a x, y = a x, over count values. */
void ebr_add_scaled(size_t count, ebr_real a, const ebr_real *x, ebr_real *y);
void ebr_copy_scaled(size_t count, ebr_real a, const ebr_real *x, ebr_real *y);

/* No larger weight is ever transposed, and heads whose products have more multiply-adds join their modalities. */
enum { EBR_TRANSPOSED_MOST = 1000000 };

/* y (rows x out) = act(x (rows x in) w (in x out) + bias). */
void ebr_linear(int rows, int in, int out, const ebr_real *x, const ebr_real *w, const ebr_real *bias, bool relu,
                ebr_real *y);
/* From dy = dL/dy (destroyed: masked by the activation): dw, dbias (NULL: parameters are not wanted), dx (NULL: not
 * wanted; otherwise overwritten). transposed is scratch for w. */
void ebr_linear_backward(int rows, int in, int out, const ebr_real *x, const ebr_real *w, const ebr_real *y, bool relu,
                         ebr_real *dy, ebr_real *dw, ebr_real *dbias, ebr_real *dx, ebr_real *transposed);
/* dx (rows x in) = dy (rows x out) w^T with w (in x out) transposed first: products with a transposed operand leave
 * BLAS's fast path for small matrices, and the copy costs far less than that. */
void ebr_linear_backward_input(int rows, int in, int out, const ebr_real *dy, const ebr_real *w, ebr_real *dx,
                               ebr_real *transposed);

/* Cross-entropy of softmax(logits (rows x cols)) against label (rows), summed over the rows whose weight is not 0
 * [nats]. weight (rows) may be NULL (all ones). dlogits, if not NULL, gets scale * d sum / d logits; rows of weight 0
 * get zeros. correct, if not NULL, is increased by the number of rows whose largest logit is the label's. */
double ebr_cross_entropy(int rows, int cols, const ebr_real *logits, const int32_t *label, const uint8_t *weight,
                         ebr_real scale, ebr_real *dlogits, double *correct);
/* The same for half the squared distance of logits to the one-hot label: what theorems on linear networks are about. */
double ebr_squared_error(int rows, int cols, const ebr_real *logits, const int32_t *label, ebr_real scale,
                         ebr_real *dlogits, double *correct);
/* Mean of (y - target)^2 over count values; dy, if not NULL, gets its gradient. Reconstruction, as in Elhage et al., Toy
 * Models of Superposition, 2022, with all features of one importance. */
double ebr_mean_squares(size_t count, const ebr_real *y, const ebr_real *target, ebr_real *dy);
/* Cross-entropy of the uniform distribution against softmax(logits): the confusion form of the adversary. */
double ebr_confusion(int rows, int cols, const ebr_real *logits, const uint8_t *weight, ebr_real scale,
                     ebr_real *dlogits);

#endif
