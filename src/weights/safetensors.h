/* SPDX-License-Identifier: MIT */
/* safetensors.h - the safetensors format: 8 bytes of little-endian header length, a JSON header, the data. */
#ifndef LP_WEIGHTS_SAFETENSORS_H
#define LP_WEIGHTS_SAFETENSORS_H

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"
#include "weights/weights.h"

/* The tensors of a file's bytes. */
struct lp_safetensors {
    struct lp_weight *tensors; /* lives in the arena, as the names do; the data is borrowed from the bytes,
                                * save that a tensor at an address that its element cannot have is copied */
    size_t count;
};

/* Reads a whole file that lies at data; `name` names it in errors. The __metadata__ entry is not read.
 * Refuses (LP_EINPUT) whatever does not describe its own bytes exactly: unknown types, sizes that do not fit
 * the shape, ranges outside the file or over each other. Ranges in any order and gaps between them are
 * accepted. */
bool lp_safetensors_parse(struct lp_safetensors *out, struct lp_arena *arena, const void *data, size_t size,
                          const char *name, struct lp_error *err);

/* Writes tensors to a file that appears whole or not at all. Data begins at a multiple of 64 bytes and lies
 * in order of falling element size, so that every tensor is aligned to its element. `metadata` is NULL or a
 * JSON object of strings (borrowed). */
bool lp_safetensors_write(const char *path, const struct lp_weight *tensors, size_t n, const json_t *metadata,
                          struct lp_error *err);

/* The file's bytes before its data, for writers that bring the data themselves; added to `head`. order[i] (n
 * places) is the number of the tensor whose data comes i-th; nothing lies between. What `data` points at is
 * not read. */
bool lp_safetensors_head(struct lp_str *head, size_t *order, const char *path,
                         const struct lp_weight *tensors, size_t n, const json_t *metadata,
                         struct lp_error *err);

#endif
