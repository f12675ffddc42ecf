/* SPDX-License-Identifier: MIT */
/* weights/gguf_value.c - metadata values of a GGUF file and how they are looked up. */
#include "weights/gguf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_LIMIT = 4, TEXT_LIMIT = 64 << 10 };

static const uint8_t sizes[LP_GGUF_TYPES] = {
    [LP_GGUF_U8] = 1,   [LP_GGUF_I8] = 1,  [LP_GGUF_U16] = 2, [LP_GGUF_I16] = 2,
    [LP_GGUF_U32] = 4,  [LP_GGUF_I32] = 4, [LP_GGUF_F32] = 4, [LP_GGUF_U64] = 8,
    [LP_GGUF_BOOL] = 1, [LP_GGUF_I64] = 8, [LP_GGUF_F64] = 8,
};

size_t lp_gguf_type_bytes(enum lp_gguf_type type) {
    return sizes[type];
}

static uint64_t get(const uint8_t *at, size_t n) {
    uint64_t value = 0;
    for (size_t i = n; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

static const char cut_short[] = "is cut short or claims to be longer than the file";

static const char *read_value(const uint8_t **at, const uint8_t *end, enum lp_gguf_type type, int depth,
                              struct lp_gguf_value *v);

static const char *read_string(const uint8_t **at, const uint8_t *end, struct lp_gguf_value *v) {
    if (end - *at < 8)
        return cut_short;
    v->count = get(*at, 8);
    v->at = *at + 8;
    if (v->count > (uint64_t)(end - v->at))
        return cut_short;
    *at = v->end = v->at + v->count;
    return NULL;
}

/* Elements without a size of their own are walked; each takes 8 bytes at least, so that the walk ends soon.
 */
static const char *read_array(const uint8_t **at, const uint8_t *end, int depth, struct lp_gguf_value *v) {
    if (depth >= DEPTH_LIMIT)
        return "has arrays nested more than 4 deep";
    if (end - *at < 12)
        return cut_short;
    uint64_t element = get(*at, 4);
    if (element >= LP_GGUF_TYPES)
        return "has elements of an unknown type";
    v->element = (enum lp_gguf_type)element;
    v->count = get(*at + 4, 8);
    v->at = *at + 12;
    size_t size = sizes[element];
    if (v->count > (uint64_t)(end - v->at) / (size ? size : 8))
        return cut_short;
    *at = v->at + v->count * size;
    for (uint64_t i = 0; size == 0 && i < v->count; i++) {
        struct lp_gguf_value ignored;
        const char *wrong = read_value(at, end, v->element, depth + 1, &ignored);
        if (wrong)
            return wrong;
    }
    v->end = *at;
    return NULL;
}

static const char *read_value(const uint8_t **at, const uint8_t *end, enum lp_gguf_type type, int depth,
                              struct lp_gguf_value *v) {
    *v = (struct lp_gguf_value){.type = type, .element = type, .count = 1, .at = *at};
    if (type >= LP_GGUF_TYPES)
        return "has an unknown type";
    if (type == LP_GGUF_STRING)
        return read_string(at, end, v);
    if (type == LP_GGUF_ARRAY)
        return read_array(at, end, depth, v);
    if (end - *at < sizes[type])
        return cut_short;
    if (type == LP_GGUF_BOOL && **at > 1)
        return "is neither true nor false";
    *at = v->end = v->at + sizes[type];
    return NULL;
}

const char *lp_gguf_read_value(const uint8_t **at, const uint8_t *end, enum lp_gguf_type type,
                               struct lp_gguf_value *v) {
    return read_value(at, end, type, 0, v);
}

bool lp_gguf_next(struct lp_gguf_value *array, struct lp_gguf_value *element) {
    if (array->count == 0)
        return false;
    array->count--;
    return !read_value(&array->at, array->end, array->element, 0, element);
}

static int key_to_entry(const void *key, const void *entry) {
    return strcmp(key, ((const struct lp_gguf_entry *)entry)->key);
}

const struct lp_gguf_value *lp_gguf_find(const struct lp_gguf *g, const char *key) {
    const struct lp_gguf_entry *e =
        bsearch(key, g->entries, g->entry_count, sizeof *g->entries, key_to_entry);
    return e ? &e->value : NULL;
}

const struct lp_weight *lp_gguf_find_tensor(const struct lp_gguf *g, const char *name) {
    for (size_t i = 0; i < g->count; i++)
        if (strcmp(g->tensors[i].name, name) == 0)
            return &g->tensors[i];
    return NULL;
}

bool lp_gguf_value_int(const struct lp_gguf_value *v, int64_t *out) {
    uint64_t bits = v->type < LP_GGUF_TYPES ? get(v->at, sizes[v->type]) : 0;
    switch (v->type) {
    case LP_GGUF_I8:
        *out = (int8_t)bits;
        return true;
    case LP_GGUF_I16:
        *out = (int16_t)bits;
        return true;
    case LP_GGUF_I32:
        *out = (int32_t)bits;
        return true;
    case LP_GGUF_U8:
    case LP_GGUF_U16:
    case LP_GGUF_U32:
    case LP_GGUF_U64:
    case LP_GGUF_I64:
        *out = (int64_t)bits;
        return v->type != LP_GGUF_U64 || bits <= INT64_MAX;
    default:
        return false;
    }
}

bool lp_gguf_value_number(const struct lp_gguf_value *v, double *out) {
    int64_t whole;
    if (v->type == LP_GGUF_F64) {
        uint64_t bits = get(v->at, 8);
        memcpy(out, &bits, sizeof *out);
    } else if (v->type == LP_GGUF_F32) {
        uint32_t bits = (uint32_t)get(v->at, 4);
        float value;
        memcpy(&value, &bits, sizeof value);
        *out = value;
    } else if (lp_gguf_value_int(v, &whole)) {
        *out = (double)whole;
    } else {
        return false;
    }
    return isfinite(*out);
}

static bool must_be(const struct lp_gguf *g, const char *key, const char *what, struct lp_error *err) {
    return lp_error_set(err, LP_EINPUT, "%s: '%s' must be %s", g->file, key, what);
}

bool lp_gguf_int(const struct lp_gguf *g, const char *key, int64_t fallback, int64_t lo, int64_t hi,
                 int64_t *out, struct lp_error *err) {
    const struct lp_gguf_value *v = lp_gguf_find(g, key);
    *out = fallback;
    if (v && !lp_gguf_value_int(v, out))
        return must_be(g, key, "a whole number", err);
    if (*out < lo || *out > hi)
        return lp_error_set(err, LP_EINPUT, "%s: '%s' is %lld, but must be %lld to %lld", g->file, key,
                            (long long)*out, (long long)lo, (long long)hi);
    return true;
}

bool lp_gguf_number(const struct lp_gguf *g, const char *key, double fallback, double *out,
                    struct lp_error *err) {
    const struct lp_gguf_value *v = lp_gguf_find(g, key);
    *out = fallback;
    return !v || lp_gguf_value_number(v, out) || must_be(g, key, "a finite number", err);
}

bool lp_gguf_bool(const struct lp_gguf *g, const char *key, bool fallback, bool *out, struct lp_error *err) {
    const struct lp_gguf_value *v = lp_gguf_find(g, key);
    *out = fallback;
    if (v && v->type != LP_GGUF_BOOL)
        return must_be(g, key, "true or false", err);
    if (v)
        *out = *v->at;
    return true;
}

bool lp_gguf_string(const struct lp_gguf *g, const char *key, const char *fallback, struct lp_arena *arena,
                    const char **out, struct lp_error *err) {
    const struct lp_gguf_value *v = lp_gguf_find(g, key);
    *out = fallback;
    if (!v)
        return true;
    if (v->type != LP_GGUF_STRING || v->count > TEXT_LIMIT || memchr(v->at, 0, (size_t)v->count))
        return must_be(g, key, "a text of at most 65536 bytes", err);
    *out = lp_arena_strndup(arena, (const char *)v->at, (size_t)v->count);
    return *out || lp_error_memory(err);
}

bool lp_gguf_array(const struct lp_gguf *g, const char *key, enum lp_gguf_type element,
                   const struct lp_gguf_value **out, struct lp_error *err) {
    static const char *const names[LP_GGUF_TYPES] = {"uint8",  "int8",    "uint16", "int16", "uint32",
                                                     "int32",  "float32", "bool",   "text",  "array",
                                                     "uint64", "int64",   "float64"};
    *out = lp_gguf_find(g, key);
    if (*out && ((*out)->type != LP_GGUF_ARRAY || (*out)->element != element))
        return lp_error_set(err, LP_EINPUT, "%s: '%s' must be an array of %s", g->file, key, names[element]);
    return true;
}
