/* SPDX-License-Identifier: MIT */
/* torch_zip.h - the zip container of torch.save since 1.6: stored entries below one folder of any name.
 *
 * A small reader of its own and not libzip: a stored entry is a range of the mapped file, so that 13 GB of
 * weights are written from where they lie, while libzip gives bytes by copying alone. Checksums are not
 * compared: torch does not compare them either and can be told to write none. */
#ifndef LP_WEIGHTS_TORCH_ZIP_H
#define LP_WEIGHTS_TORCH_ZIP_H

#include "base/arena.h"
#include "base/error.h"

struct lp_torch_part {
    const char *name; /* without the top folder; borrowed from the bytes, no NUL behind */
    size_t name_bytes;
    const uint8_t *data; /* borrowed from the bytes, at any address */
    size_t size;
};

struct lp_torch_parts {
    struct lp_torch_part *part; /* sorted by name, all distinct; lives in the arena */
    size_t count;
};

/* Reads the directory of a whole file that lies at data; `name` names it in errors. zip64 is read. LP_EINPUT:
 * what is compressed, encrypted, in two volumes, outside the file, over another entry, named twice or not
 * below one folder. */
bool lp_torch_zip_parse(struct lp_torch_parts *out, struct lp_arena *arena, const void *data, size_t size,
                        const char *name, struct lp_error *err);

/* Sorts by name; false where two have the same. */
bool lp_torch_parts_sort(struct lp_torch_parts *parts);
const struct lp_torch_part *lp_torch_parts_find(const struct lp_torch_parts *parts, const char *name,
                                                size_t name_bytes);

#endif
