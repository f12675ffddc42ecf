/* SPDX-License-Identifier: MIT */
/* weights/safetensors.c - reads and writes safetensors. Format: github.com/huggingface/safetensors, README.
 */
#include "weights/safetensors.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum {
    LENGTH_BYTES = 8,
    HEADER_LIMIT = 100 * 1000 * 1000, /* the format's own limit */
    NAME_LIMIT = 1000,
    DATA_ALIGN = 64
};

struct range {
    size_t begin, end;
    const char *name;
};

/* One reading of one file. */
struct reader {
    struct lp_arena *arena;
    const char *file;
    const uint8_t *data; /* behind the header */
    size_t size;         /* bytes of data */
    struct lp_error *err;
};

static bool refuse(const struct reader *r, const char *tensor, const char *what) {
    return lp_error_set(r->err, LP_EINPUT, "%s: the tensor '%.100s' %s", r->file, tensor, what);
}

static bool read_type(const struct reader *r, const char *name, const json_t *entry,
                      enum lp_weight_type *type) {
    const char *text = json_string_value(json_object_get(entry, "dtype"));
    if (!text)
        return refuse(r, name, "has no dtype");
    for (int i = 0; i < LP_WEIGHT_TYPES; i++) {
        bool plain = lp_weight_type_block((enum lp_weight_type)i) == 1;
        if (plain && strcmp(text, lp_weight_type_name((enum lp_weight_type)i)) == 0) {
            *type = (enum lp_weight_type)i;
            return true;
        }
    }
    return lp_error_set(r->err, LP_EINPUT, "%s: the tensor '%.100s' has the unknown dtype '%.20s'", r->file,
                        name, text);
}

/* Fills ndim and dim, and *bytes = the size that shape and type ask for. */
static bool read_shape(const struct reader *r, const char *name, const json_t *entry, struct lp_weight *t,
                       size_t *bytes) {
    const json_t *shape = json_object_get(entry, "shape");
    if (!json_is_array(shape))
        return refuse(r, name, "has no shape");
    if (json_array_size(shape) > LP_WEIGHT_DIMS)
        return refuse(r, name, "has more than 8 dimensions");
    t->ndim = (int)json_array_size(shape);
    size_t total = lp_weight_type_bytes(t->type);
    bool empty = false, fits = true;
    for (int i = 0; i < t->ndim; i++) {
        const json_t *dim = json_array_get(shape, (size_t)i);
        if (!json_is_integer(dim) || json_integer_value(dim) < 0)
            return refuse(r, name, "has a dimension that is not a whole number of 0 or more");
        t->dim[i] = json_integer_value(dim);
        empty = empty || t->dim[i] == 0;
        fits = fits && !__builtin_mul_overflow(total, (size_t)t->dim[i], &total);
    }
    if (!fits && !empty)
        return refuse(r, name, "has a shape too large for any file");
    *bytes = empty ? 0 : total;
    return true;
}

static bool read_range(const struct reader *r, const char *name, const json_t *entry, struct range *range) {
    const json_t *pair = json_object_get(entry, "data_offsets");
    const json_t *begin = json_array_get(pair, 0), *end = json_array_get(pair, 1);
    if (json_array_size(pair) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return refuse(r, name, "has no data_offsets of two whole numbers");
    int64_t from = json_integer_value(begin), to = json_integer_value(end);
    if (from < 0 || to < from)
        return refuse(r, name, "has data_offsets that run backwards");
    if ((uint64_t)to > r->size)
        return lp_error_set(
            r->err, LP_EINPUT,
            "%s: the tensor '%.100s' ends %llu bytes behind the end of the file, which is cut short "
            "or malformed",
            r->file, name, (unsigned long long)((uint64_t)to - r->size));
    *range = (struct range){(size_t)from, (size_t)to, name};
    return true;
}

/* Kernels read elements through typed pointers; the format does not promise that they are aligned. */
static const void *aligned(const struct reader *r, const uint8_t *at, size_t bytes,
                           enum lp_weight_type type) {
    if ((uintptr_t)at % lp_weight_type_bytes(type) == 0)
        return at;
    void *copy = lp_arena_alloc(r->arena, bytes ? bytes : 1);
    if (copy)
        memcpy(copy, at, bytes);
    return copy;
}

static bool read_tensor(const struct reader *r, const char *key, const json_t *entry, struct lp_weight *t,
                        struct range *range) {
    size_t bytes = 0;
    if (!key[0] || strlen(key) > NAME_LIMIT)
        return refuse(r, key, "has an empty or overlong name");
    if (!json_is_object(entry))
        return refuse(r, key, "is not described by an object");
    if (!read_type(r, key, entry, &t->type) || !read_shape(r, key, entry, t, &bytes) ||
        !read_range(r, key, entry, range))
        return false;
    t->bytes = range->end - range->begin;
    if (t->bytes != bytes)
        return lp_error_set(r->err, LP_EINPUT,
                            "%s: the tensor '%.100s' has %zu bytes of data, its shape needs %zu", r->file,
                            key, t->bytes, bytes);
    t->name = range->name = lp_arena_strdup(r->arena, key);
    t->data = aligned(r, r->data + range->begin, t->bytes, t->type);
    return (t->name && t->data) || lp_error_memory(r->err);
}

static int by_begin(const void *a, const void *b) {
    const struct range *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

static bool check_overlap(const struct reader *r, struct range *range, size_t n) {
    qsort(range, n, sizeof *range, by_begin);
    const struct range *last = NULL; /* the last range that is not empty */
    for (size_t i = 0; i < n; i++) {
        if (range[i].begin == range[i].end)
            continue;
        if (last && range[i].begin < last->end)
            return lp_error_set(r->err, LP_EINPUT, "%s: the tensors '%.80s' and '%.80s' overlap", r->file,
                                last->name, range[i].name);
        last = &range[i];
    }
    return true;
}

static bool read_all(const struct reader *r, json_t *header, struct lp_safetensors *out) {
    size_t n = json_object_size(header);
    struct range *range = lp_alloc_array(n + 1, sizeof *range);
    out->tensors = lp_arena_array(r->arena, n + 1, sizeof *out->tensors);
    out->count = 0;
    bool ok = (range && out->tensors) || lp_error_memory(r->err);
    const char *key;
    json_t *entry;
    if (ok) {
        json_object_foreach(header, key, entry) {
            if (strcmp(key, "__metadata__") == 0)
                continue;
            ok = read_tensor(r, key, entry, &out->tensors[out->count], &range[out->count]);
            if (!ok)
                break;
            out->count++;
        }
    }
    ok = ok && check_overlap(r, range, out->count);
    lp_free(range);
    return ok;
}

bool lp_safetensors_parse(struct lp_safetensors *out, struct lp_arena *arena, const void *data, size_t size,
                          const char *name, struct lp_error *err) {
    const uint8_t *bytes = data;
    uint64_t length = 0;
    *out = (struct lp_safetensors){0};
    if (size < LENGTH_BYTES)
        return lp_error_set(err, LP_EINPUT, "%s: too short to be a safetensors file", name);
    for (int i = LENGTH_BYTES - 1; i >= 0; i--)
        length = length << 8 | bytes[i];
    if (length > HEADER_LIMIT)
        return lp_error_set(err, LP_EINPUT, "%s: not a safetensors file (a header of %llu bytes)", name,
                            (unsigned long long)length);
    if (length > size - LENGTH_BYTES)
        return lp_error_set(err, LP_EINPUT, "%s: the header is cut short", name);
    json_t *header = lp_json_parse((const char *)bytes + LENGTH_BYTES, (size_t)length, name, err);
    if (!header)
        return false;
    struct reader r = {arena, name, bytes + LENGTH_BYTES + length, size - LENGTH_BYTES - (size_t)length, err};
    bool ok = json_is_object(header) ? read_all(&r, header, out)
                                     : lp_error_set(err, LP_EINPUT, "%s: the header is not an object", name);
    json_decref(header);
    return ok;
}

/* The header's entry of a tensor whose data begins at `at`. NULL when out of memory. */
static json_t *describe(const struct lp_weight *t, size_t at) {
    json_t *shape = json_array();
    for (int i = 0; i < t->ndim; i++) {
        if (json_array_append_new(shape, json_integer(t->dim[i])) < 0) {
            json_decref(shape);
            return NULL;
        }
    }
    /* "o" takes shape, also where packing fails */
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", lp_weight_type_name(t->type), "shape", shape,
                     "data_offsets", (json_int_t)at, (json_int_t)(at + t->bytes));
}

static bool check_writable(const struct lp_weight *t, const json_t *header, const char *path,
                           struct lp_error *err) {
    size_t total = lp_weight_type_bytes(t->type);
    bool fits = t->ndim >= 0 && t->ndim <= LP_WEIGHT_DIMS;
    for (int i = 0; fits && i < t->ndim; i++)
        fits = t->dim[i] >= 0 && !__builtin_mul_overflow(total, (size_t)t->dim[i], &total);
    if (!fits || total != t->bytes)
        return lp_error_set(err, LP_EUSAGE, "%s: the tensor '%.100s' to be written does not fit its shape",
                            path, t->name);
    if (!t->name[0] || strcmp(t->name, "__metadata__") == 0 || json_object_get(header, t->name))
        return lp_error_set(err, LP_EUSAGE, "%s: the tensor name '%.100s' is reserved or written twice", path,
                            t->name);
    return true;
}

/* Fills the header and the order, that of falling element size. */
static bool lay_out(json_t *header, size_t *order, const char *path, const struct lp_weight *tensors,
                    size_t n, struct lp_error *err) {
    size_t at = 0, put = 0;
    for (size_t i = 0; i < n; i++)
        if (lp_weight_type_block(tensors[i].type) > 1)
            return lp_error_set(err, LP_EUSAGE,
                                "%s: the tensor '%.100s' of type %s cannot be written as safetensors", path,
                                tensors[i].name, lp_weight_type_name(tensors[i].type));
    for (size_t width = 8; width > 0; width /= 2) {
        for (size_t i = 0; i < n; i++) {
            const struct lp_weight *t = &tensors[i];
            if (lp_weight_type_bytes(t->type) != width)
                continue;
            if (!check_writable(t, header, path, err))
                return false;
            if (json_object_set_new(header, t->name, describe(t, at)) < 0)
                return lp_error_memory(err);
            order[put++] = i;
            at += t->bytes;
        }
    }
    return true;
}

bool lp_safetensors_head(struct lp_str *head, size_t *order, const char *path,
                         const struct lp_weight *tensors, size_t n, const json_t *metadata,
                         struct lp_error *err) {
    json_t *header = json_object();
    bool ok = header || lp_error_memory(err);
    if (ok && metadata)
        ok = json_object_set(header, "__metadata__", (json_t *)metadata) == 0 || lp_error_memory(err);
    ok = ok && lay_out(header, order, path, tensors, n, err);
    char *json = ok ? lp_json_text(header) : NULL;
    size_t begin = head->n;
    if (ok) {
        lp_str_add(head, "\0\0\0\0\0\0\0\0", LENGTH_BYTES);
        lp_str_puts(head, json ? json : "");
        while ((head->n - begin) % DATA_ALIGN && !head->failed)
            lp_str_putc(head, ' ');
        ok = (json && !head->failed) || lp_error_memory(err);
    }
    for (int i = 0; ok && i < LENGTH_BYTES; i++)
        head->s[begin + i] = (char)((uint64_t)(head->n - begin - LENGTH_BYTES) >> (8 * i));
    lp_free(json);
    json_decref(header);
    return ok;
}

bool lp_safetensors_write(const char *path, const struct lp_weight *tensors, size_t n, const json_t *metadata,
                          struct lp_error *err) {
    struct lp_str head = {0};
    struct lp_file_part *parts = lp_alloc_array(n + 1, sizeof *parts);
    size_t *order = lp_alloc_array(n + 1, sizeof *order);
    bool ok = (parts && order) || lp_error_memory(err);
    ok = ok && lp_safetensors_head(&head, order, path, tensors, n, metadata, err);
    if (ok) {
        parts[0] = (struct lp_file_part){head.s, head.n};
        for (size_t i = 0; i < n; i++)
            parts[i + 1] = (struct lp_file_part){tensors[order[i]].data, tensors[order[i]].bytes};
        ok = lp_file_write_parts(path, parts, n + 1, err);
    }
    lp_free(parts);
    lp_free(order);
    lp_str_done(&head);
    return ok;
}
