/* SPDX-License-Identifier: MIT */
/* torch_legacy.h - what torch.save wrote before 1.6: five pickles (a magic number, 1001, the machine, the
 * object, the storages' keys), then for each key 8 bytes of its element count and its elements. */
#ifndef LP_WEIGHTS_TORCH_LEGACY_H
#define LP_WEIGHTS_TORCH_LEGACY_H

#include "weights/pickle.h"
#include "weights/torch_zip.h"

/* Reads a whole file that lies at data. *root is the object, the parts are its storages by key. LP_EINPUT:
 * other pickles, another byte order, storages that are missing, cut short or not as the object says. */
bool lp_torch_legacy_parse(struct lp_torch_parts *out, const struct lp_pickle_value **root,
                           struct lp_arena *arena, const void *data, size_t size, const char *name,
                           struct lp_error *err);

#endif
