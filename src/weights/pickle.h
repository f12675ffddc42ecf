/* SPDX-License-Identifier: MIT */
/* pickle.h - the pickles that torch.save writes for dictionaries of tensors, read by a machine that can make
 * nothing else.
 *
 * Protocols 2 to 5. It knows None, bools, numbers, texts, tuples, lists, dictionaries, storages and tensors;
 * there is no opcode in it that calls, imports or builds anything. Every other opcode and every other global
 * is refused by its name. */
#ifndef LP_WEIGHTS_PICKLE_H
#define LP_WEIGHTS_PICKLE_H

#include "base/arena.h"
#include "weights/weights.h"

enum lp_pickle_kind {
    LP_PICKLE_NONE,
    LP_PICKLE_BOOL,  /* integer: 0 or 1 */
    LP_PICKLE_INT,   /* integer */
    LP_PICKLE_BIG,   /* text: little-endian bytes of an integer that 64 bits do not hold */
    LP_PICKLE_FLOAT, /* number */
    LP_PICKLE_TEXT,  /* text: any bytes */
    LP_PICKLE_TUPLE, /* items */
    LP_PICKLE_LIST,  /* items */
    LP_PICKLE_DICT,  /* items: key, value, key, value, ..; an OrderedDict, too */
    LP_PICKLE_STORAGE,
    LP_PICKLE_TENSOR,
    LP_PICKLE_GLOBAL /* integer: which, see pickle_torch.c */
};

struct lp_pickle_storage {
    enum lp_weight_type type;
    const char *key; /* names the bytes in the file; borrowed from the pickle, no NUL behind */
    size_t key_bytes;
    int64_t elements;
    struct lp_pickle_storage *next; /* the one that the pickle named before */
};

/* Lies within its storage: the machine has checked. */
struct lp_pickle_tensor {
    const struct lp_pickle_storage *storage;
    int64_t offset; /* of the first element, elements */
    int ndim;
    int64_t dim[LP_WEIGHT_DIMS], stride[LP_WEIGHT_DIMS]; /* outermost first; strides in elements, 0 or more */
    size_t bytes;                                        /* when written without gaps */
};

/* May hold itself, as Python's may: who walks one needs a limit. */
struct lp_pickle_value {
    enum lp_pickle_kind kind;
    union {
        int64_t integer;
        double number;
        struct {
            const char *s; /* borrowed from the pickle, no NUL behind */
            size_t n;
        } text;
        struct {
            struct lp_pickle_value **item;
            size_t n, room;
        } items;
        struct lp_pickle_storage *storage;
        struct lp_pickle_tensor *tensor;
    };
};

struct lp_pickle {
    const struct lp_pickle_value *root;
    const struct lp_pickle_storage *storages; /* all that it named, the last first */
    size_t used;                              /* bytes up to the end of the pickle */
};

/* Reads the pickle that begins at data; bytes behind its end are fine. `name` names it in errors. All of it
 * lives in the arena and borrows from data. LP_EINPUT where it is malformed, asks for anything but tensors,
 * or is beyond the limits: 64 MiB, 8 million values, 256 marks. Memory is bounded by a small multiple of the
 * bytes read. */
bool lp_pickle_read(struct lp_pickle *out, struct lp_arena *arena, const void *data, size_t size,
                    const char *name, struct lp_error *err);

bool lp_pickle_is(const struct lp_pickle_value *v, const char *text); /* whether it is that text */
/* The value of a text key, the last of several; NULL where absent. v must be a dictionary. */
const struct lp_pickle_value *lp_pickle_get(const struct lp_pickle_value *v, const char *key);

#endif
