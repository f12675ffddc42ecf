/* SPDX-License-Identifier: MIT */
/* weights/pickle_torch.c - the only globals that a pickle may name, and what the machine makes of them: data,
 * never a call.
 *
 * As torch/_utils.py (_rebuild_tensor_v2, _rebuild_parameter) and torch/serialization.py (persistent_id)
 * write them. */
#include "weights/pickle_inner.h"

#include <string.h>

enum { ORDERED_DICT, SIZE, REBUILD_TENSOR, REBUILD_PARAMETER, STORAGE /* and all behind it */ };

static const struct {
    const char *module, *name;
    enum lp_weight_type type; /* of a storage */
} globals[] = {
    {"collections", "OrderedDict", 0},
    {"torch", "Size", 0},
    {"torch._utils", "_rebuild_tensor_v2", 0},
    {"torch._utils", "_rebuild_parameter", 0},
    {"torch", "FloatStorage", LP_WEIGHT_F32},
    {"torch", "HalfStorage", LP_WEIGHT_F16},
    {"torch", "BFloat16Storage", LP_WEIGHT_BF16},
    {"torch", "DoubleStorage", LP_WEIGHT_F64},
    {"torch", "LongStorage", LP_WEIGHT_I64},
    {"torch", "IntStorage", LP_WEIGHT_I32},
    {"torch", "ShortStorage", LP_WEIGHT_I16},
    {"torch", "CharStorage", LP_WEIGHT_I8},
    {"torch", "ByteStorage", LP_WEIGHT_U8},
    {"torch", "BoolStorage", LP_WEIGHT_BOOL},
};
enum { GLOBALS = sizeof globals / sizeof *globals };

static bool same(const char *a, size_t n, const char *b) {
    return n == strlen(b) && memcmp(a, b, n) == 0;
}

struct lp_pickle_value *lp_pickle_global(struct lp_pickle_machine *m, const char *module, size_t module_bytes,
                                         const char *name, size_t name_bytes) {
    for (int i = 0; i < GLOBALS; i++) {
        if (!same(module, module_bytes, globals[i].module) || !same(name, name_bytes, globals[i].name))
            continue;
        struct lp_pickle_value *v = lp_pickle_make(m, LP_PICKLE_GLOBAL);
        if (v)
            v->integer = i;
        return v;
    }
    lp_pickle_refuse(m, "asks for '%.*s.%.*s', which is no tensor and is refused: save the weights alone",
                     (int)(module_bytes < 60 ? module_bytes : 60), module,
                     (int)(name_bytes < 60 ? name_bytes : 60), name);
    return NULL;
}

/* OrderedDict(), or OrderedDict([[key, value], ..]) as Python 2 wrote it. */
static struct lp_pickle_value *ordered_dict(struct lp_pickle_machine *m,
                                            const struct lp_pickle_value *arguments) {
    struct lp_pickle_value *v = lp_pickle_make(m, LP_PICKLE_DICT);
    if (!v || arguments->items.n == 0)
        return v;
    const struct lp_pickle_value *pairs = arguments->items.item[0];
    if (arguments->items.n != 1 || pairs->kind != LP_PICKLE_LIST) {
        lp_pickle_refuse(m, "makes an OrderedDict of something that is no list");
        return NULL;
    }
    for (size_t i = 0; i < pairs->items.n; i++) {
        const struct lp_pickle_value *pair = pairs->items.item[i];
        if ((pair->kind != LP_PICKLE_LIST && pair->kind != LP_PICKLE_TUPLE) || pair->items.n != 2) {
            lp_pickle_refuse(m, "makes an OrderedDict of something that is no pair");
            return NULL;
        }
        if (++m->pushed && !lp_pickle_append(m, v, pair->items.item, 2))
            return NULL;
    }
    return v;
}

/* One axis: its length and stride; *last is the place of the tensor's last element so far, *count their
 * number. */
static bool read_axis(const struct lp_pickle_value *length, const struct lp_pickle_value *stride,
                      struct lp_pickle_tensor *t, int64_t *last, int64_t *count) {
    int64_t n = length->integer, s = stride->integer, reach;
    if (length->kind != LP_PICKLE_INT || stride->kind != LP_PICKLE_INT || n < 0 || s < 0)
        return false;
    t->dim[t->ndim] = n;
    t->stride[t->ndim++] = s;
    if (__builtin_mul_overflow(*count, n, count))
        return false;
    return n == 0 ||
           (!__builtin_mul_overflow(n - 1, s, &reach) && !__builtin_add_overflow(*last, reach, last));
}

static bool read_shape(struct lp_pickle_machine *m, const struct lp_pickle_value *size,
                       const struct lp_pickle_value *stride, struct lp_pickle_tensor *t) {
    int64_t count = 1, last = t->offset, bytes = (int64_t)lp_weight_type_bytes(t->storage->type);
    if (size->kind != LP_PICKLE_TUPLE || stride->kind != LP_PICKLE_TUPLE || size->items.n != stride->items.n)
        return lp_pickle_refuse(m, "has a tensor whose size or strides are no tuples of one length");
    if (size->items.n > LP_WEIGHT_DIMS)
        return lp_pickle_refuse(m, "has a tensor of more than %d dimensions", LP_WEIGHT_DIMS);
    for (size_t i = 0; i < size->items.n; i++)
        if (!read_axis(size->items.item[i], stride->items.item[i], t, &last, &count))
            return lp_pickle_refuse(
                m, "has a tensor whose size or strides are negative, too large or no whole numbers");
    if (__builtin_mul_overflow(count, bytes, &bytes))
        return lp_pickle_refuse(m, "has a tensor too large for any file");
    t->bytes = (size_t)bytes;
    if (t->offset < 0 || t->offset > t->storage->elements || (count > 0 && last >= t->storage->elements))
        return lp_pickle_refuse(m, "has a tensor that reaches beyond its storage");
    return true;
}

/* storage, offset, size, stride, requires_grad, backward_hooks[, metadata]; what comes behind the strides
 * says nothing to us. */
static struct lp_pickle_value *tensor(struct lp_pickle_machine *m, const struct lp_pickle_value *arguments) {
    struct lp_pickle_value *const *a = arguments->items.item;
    size_t n = arguments->items.n;
    if (n < 6 || n > 7 || a[0]->kind != LP_PICKLE_STORAGE || a[1]->kind != LP_PICKLE_INT) {
        lp_pickle_refuse(m,
                         "makes a tensor of something that is no storage with an offset, size and strides");
        return NULL;
    }
    struct lp_pickle_value *v = lp_pickle_make(m, LP_PICKLE_TENSOR);
    struct lp_pickle_tensor *t = v ? lp_arena_alloc(m->arena, sizeof *t) : NULL;
    if (!t) {
        lp_error_memory(m->err);
        return NULL;
    }
    t->storage = a[0]->storage;
    t->offset = a[1]->integer;
    v->tensor = t;
    return read_shape(m, a[2], a[3], t) ? v : NULL;
}

struct lp_pickle_value *lp_pickle_reduce(struct lp_pickle_machine *m, const struct lp_pickle_value *what,
                                         struct lp_pickle_value *arguments) {
    if (arguments->kind != LP_PICKLE_TUPLE) {
        lp_pickle_refuse(m, "calls something with arguments that are no tuple");
        return NULL;
    }
    struct lp_pickle_value *first = arguments->items.n ? arguments->items.item[0] : NULL;
    switch (what->kind == LP_PICKLE_GLOBAL ? what->integer : -1) {
    case ORDERED_DICT:
        return ordered_dict(m, arguments);
    case REBUILD_TENSOR:
        return tensor(m, arguments);
    case REBUILD_PARAMETER: /* data, requires_grad, backward_hooks */
        if (arguments->items.n == 3 && first->kind == LP_PICKLE_TENSOR)
            return first;
        lp_pickle_refuse(m, "makes a parameter of something that is no tensor");
        return NULL;
    case SIZE:
        if (arguments->items.n == 1 && first->kind == LP_PICKLE_TUPLE)
            return first;
        lp_pickle_refuse(m, "makes a torch.Size of something that is no tuple");
        return NULL;
    default:
        lp_pickle_refuse(m, "calls something that is no tensor, which is refused");
        return NULL;
    }
}

/* ('storage', type, key, where it was, elements[, None]) */
struct lp_pickle_value *lp_pickle_persistent(struct lp_pickle_machine *m, const struct lp_pickle_value *id) {
    struct lp_pickle_value *const *a = id->items.item;
    int64_t bytes;
    if (id->kind != LP_PICKLE_TUPLE || id->items.n < 5 || id->items.n > 6 || !lp_pickle_is(a[0], "storage") ||
        a[1]->kind != LP_PICKLE_GLOBAL || a[1]->integer < STORAGE || a[2]->kind != LP_PICKLE_TEXT ||
        a[4]->kind != LP_PICKLE_INT) {
        lp_pickle_refuse(m, "names something by a persistent id that is no storage");
        return NULL;
    }
    enum lp_weight_type type = globals[a[1]->integer].type;
    if (a[4]->integer < 0 ||
        __builtin_mul_overflow(a[4]->integer, (int64_t)lp_weight_type_bytes(type), &bytes)) {
        lp_pickle_refuse(m, "has a storage whose size makes no sense");
        return NULL;
    }
    if (id->items.n == 6 && a[5]->kind != LP_PICKLE_NONE) {
        lp_pickle_refuse(
            m, "has a storage that is part of another, which torch writes no more: save the file again");
        return NULL;
    }
    struct lp_pickle_value *v = lp_pickle_make(m, LP_PICKLE_STORAGE);
    struct lp_pickle_storage *s = v ? lp_arena_alloc(m->arena, sizeof *s) : NULL;
    if (!s) {
        lp_error_memory(m->err);
        return NULL;
    }
    *s = (struct lp_pickle_storage){type, a[2]->text.s, a[2]->text.n, a[4]->integer, m->storages};
    v->storage = m->storages = s;
    return v;
}
