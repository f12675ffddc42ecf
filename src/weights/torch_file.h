/* SPDX-License-Identifier: MIT */
/* torch_file.h - the named tensors of a .pth, .pt or .bin file of torch.save. */
#ifndef LP_WEIGHTS_TORCH_FILE_H
#define LP_WEIGHTS_TORCH_FILE_H

#include "base/arena.h"
#include "weights/weights.h"

struct lp_torch_tensor {
    const char *name; /* UTF-8 */
    enum lp_weight_type type;
    int ndim;
    int64_t dim[LP_WEIGHT_DIMS], stride[LP_WEIGHT_DIMS]; /* outermost first; strides in elements, 0 or more */
    const uint8_t *data; /* the first element, borrowed from the bytes, at any address */
    size_t bytes;        /* when written without gaps */
    const char
        *tied; /* the first tensor of the file that is the same memory seen the same way; NULL: none before */
};

struct lp_torch_file {
    struct lp_torch_tensor *tensors; /* in the file's order; live in the arena, as the texts do */
    size_t count;
    const char *entry;   /* the dictionary that they were in: "model"; "" where they lay at the top */
    const char *skipped; /* "'optimizer', 'epoch'": what lay beside them; "" for nothing */
};

/* Reads a whole file that lies at data, in torch.save's zip format or the one before; `name` names it in
 * errors. Tensors are those of the dictionary at the top, or of its entry 'state_dict', 'model_state_dict',
 * 'model' or 'module' where it has such a dictionary, or of `entry`, if that is not NULL. LP_EINPUT:
 * malformed, or anything but tensors, or together more than four times as large as the file (a bomb of
 * views). LP_EMISSING: there are no named tensors. */
bool lp_torch_file_parse(struct lp_torch_file *out, struct lp_arena *arena, const void *data, size_t size,
                         const char *name, const char *entry, struct lp_error *err);

/* Writes the elements number first .. first + count - 1 (row-major) without gaps to `to`. */
void lp_torch_tensor_gather(const struct lp_torch_tensor *t, int64_t first, int64_t count, void *to);

#endif
