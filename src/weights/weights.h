/* SPDX-License-Identifier: MIT */
/* weights.h - named tensors of a model, mapped from disk.
 *
 * A Hugging Face folder: model.safetensors, or model.safetensors.index.json with the shards it names. Or GGUF
 * files, whose tensors go by their Hugging Face names (gguf_names.h). Weights are const and may be shared by
 * threads. */
#ifndef LP_WEIGHTS_WEIGHTS_H
#define LP_WEIGHTS_WEIGHTS_H

#include "base/error.h"
#include "kernel/kernel.h"

enum lp_weight_type {
    LP_WEIGHT_F32,
    LP_WEIGHT_F16,
    LP_WEIGHT_BF16,
    LP_WEIGHT_F64,
    LP_WEIGHT_F8_E4M3,
    LP_WEIGHT_F8_E5M2,
    LP_WEIGHT_I64,
    LP_WEIGHT_I32,
    LP_WEIGHT_I16,
    LP_WEIGHT_I8,
    LP_WEIGHT_U64,
    LP_WEIGHT_U32,
    LP_WEIGHT_U16,
    LP_WEIGHT_U8,
    LP_WEIGHT_BOOL,
    LP_WEIGHT_Q8_0, /* from here on GGML's blocks: numbers that lie together along a row and share scales */
    LP_WEIGHT_Q4_0,
    LP_WEIGHT_Q4_K,
    LP_WEIGHT_Q6_K,
    LP_WEIGHT_TYPES /* how many */
};

enum { LP_WEIGHT_DIMS = 8 };

struct lp_weight {
    const char *name;
    enum lp_weight_type type;
    int ndim;                    /* 0 is a scalar */
    int64_t dim[LP_WEIGHT_DIMS]; /* row-major, outermost first */
    const void *data; /* aligned to its element, blocks to 8 bytes; not NULL even when bytes is 0 */
    size_t bytes;     /* the last dimension is a whole number of blocks */
};

struct lp_gguf;
struct lp_weights;

/* Opens all tensors of a folder, or of the file where the path ends in ".gguf". NULL on failure: LP_EMISSING
 * where there are none, LP_EINPUT where a file is malformed. The tensors and their names live until
 * lp_weights_close. */
struct lp_weights *lp_weights_open(const char *path, struct lp_error *err);
/* The same of two folders as one list; other may be NULL. No name may be in both. */
struct lp_weights *lp_weights_open_both(const char *folder, const char *other, struct lp_error *err);
/* Opens one safetensors or GGUF file; the content decides. */
struct lp_weights *lp_weights_open_file(const char *path, struct lp_error *err);
/* Opens n files as one list: a GGUF language model with its mmproj file. */
struct lp_weights *lp_weights_open_files(const char *const *paths, size_t n, struct lp_error *err);
void lp_weights_close(struct lp_weights *w); /* NULL is fine */

const struct lp_weight *lp_weights_find(const struct lp_weights *w, const char *name); /* NULL where absent */
size_t lp_weights_count(const struct lp_weights *w);
const struct lp_weight *lp_weights_at(const struct lp_weights *w, size_t i); /* i < count; sorted by name */
/* The content of the i-th file opened, for its metadata; NULL for a safetensors file and behind the last. */
const struct lp_gguf *lp_weights_gguf(const struct lp_weights *w, size_t i);

/* When the newest of the files was last changed, nanoseconds since 1970. */
int64_t lp_weights_changed_ns(const struct lp_weights *w);

/* 0: the rows of t lie as Hugging Face has them, which is true of all tensors but the queries and keys of
 * GGUF language models. These lie as positions that rotate neighbours want them: row 2i+p of the file's head
 * is Hugging Face's row p*head_rows/2+i, p 0 or 1; the result is head_rows. Who uses t must either rotate
 * neighbours or put the rows back. */
int64_t lp_weights_head_rows(const struct lp_weights *w, const struct lp_weight *t);
/* Copies t (of w, of any type) to `to`, t->bytes, its rows as Hugging Face has them. */
void lp_weights_copy(const struct lp_weights *w, const struct lp_weight *t, void *to);

/* Says that all of the files will be read, and often (lp_file_hasten). */
void lp_weights_hasten(const struct lp_weights *w);
/* Says that t's data will be read again and again (lp_file_hasten). */
void lp_weight_hasten(const struct lp_weight *t);

/* Says that t's data, of w, will hardly be read again (lp_file_let_go). What was copied to be aligned stays. */
void lp_weight_let_go(const struct lp_weights *w, const struct lp_weight *t);
/* The same of `bytes` at data, if they lie in w's files and not in memory. */
void lp_weights_let_go_of(const struct lp_weights *w, const void *data, size_t bytes);
/* The same of all of the files. */
void lp_weights_let_go(const struct lp_weights *w);

const char *
lp_weight_type_name(enum lp_weight_type type); /* "F32", "BF16", "Q4_K": safetensors' and GGUF's names */
size_t lp_weight_type_bytes(enum lp_weight_type type);  /* of an element, or of a block */
int64_t lp_weight_type_block(enum lp_weight_type type); /* elements of a block, else 1 */
int64_t lp_weight_elements(const struct lp_weight *t);
/* The kernels' type of F32, F16, BF16 and blocks; false for the others. */
bool lp_weight_dtype(const struct lp_weight *t, enum lp_dtype *dtype);

#endif
