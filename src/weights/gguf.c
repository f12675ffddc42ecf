/* SPDX-License-Identifier: MIT */
/* weights/gguf.c - reads GGUF: the header, the list of metadata and the list of tensors. */
#include "weights/gguf.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum {
    TENSOR_LIMIT = 1 << 18,
    ENTRY_LIMIT = 1 << 16,
    KEY_LIMIT = UINT16_MAX, /* the format's own */
    NAME_LIMIT = 255,
    DIMS_LIMIT = 4, /* the format's own */
    ALIGNMENT = 32, /* where nothing else is said */
    ALIGNMENT_LEAST = 8,
    ALIGNMENT_MOST = 1 << 16,
    ENTRY_LEAST = 14, /* bytes of the shortest entry */
    TENSOR_LEAST = 25
};

/* One reading of one file. */
struct reader {
    struct lp_arena *arena;
    const char *file;
    const uint8_t *begin, *at, *end;
    struct lp_error *err;
};

struct range {
    uint64_t begin, end;
    const char *name;
};

/* The format's types of tensors. Those without a name are gone from it. */
static const struct {
    const char *name;
    int type; /* enum lp_weight_type, -1: not read */
} types[] = {
    {"F32", LP_WEIGHT_F32},
    {"F16", LP_WEIGHT_F16},
    {"Q4_0", LP_WEIGHT_Q4_0},
    {"Q4_1", -1},
    {"Q4_2", -1},
    {"Q4_3", -1},
    {"Q5_0", -1},
    {"Q5_1", -1},
    {"Q8_0", LP_WEIGHT_Q8_0},
    {"Q8_1", -1},
    {"Q2_K", -1},
    {"Q3_K", -1},
    {"Q4_K", LP_WEIGHT_Q4_K},
    {"Q5_K", -1},
    {"Q6_K", LP_WEIGHT_Q6_K},
    {"Q8_K", -1},
    {"IQ2_XXS", -1},
    {"IQ2_XS", -1},
    {"IQ3_XXS", -1},
    {"IQ1_S", -1},
    {"IQ4_NL", -1},
    {"IQ3_S", -1},
    {"IQ2_S", -1},
    {"IQ4_XS", -1},
    {"I8", -1},
    {"I16", -1},
    {"I32", -1},
    {"I64", -1},
    {"F64", -1},
    {"IQ1_M", -1},
    {"BF16", LP_WEIGHT_BF16},
    {NULL, -1},
    {NULL, -1},
    {NULL, -1},
    {"TQ1_0", -1},
    {"TQ2_0", -1},
    {NULL, -1},
    {NULL, -1},
    {NULL, -1},
    {"MXFP4", -1},
};
enum { TYPES = sizeof types / sizeof *types };

int lp_gguf_weight_type(enum lp_weight_type type) {
    for (int i = 0; i < TYPES; i++)
        if (types[i].type == (int)type)
            return i;
    return -1;
}

bool lp_gguf_find_weight_type(uint32_t number, enum lp_weight_type *type) {
    bool known = number < TYPES && types[number].type >= 0;
    if (known)
        *type = (enum lp_weight_type)types[number].type;
    return known;
}

static bool cut_short(const struct reader *r) {
    return lp_error_set(r->err, LP_EINPUT,
                        "%s: ends in the middle of its header; it is cut short or malformed", r->file);
}

static bool read_number(struct reader *r, size_t bytes, uint64_t *value) {
    *value = 0;
    if ((size_t)(r->end - r->at) < bytes)
        return cut_short(r);
    for (size_t i = bytes; i-- > 0;)
        *value = *value << 8 | r->at[i];
    r->at += bytes;
    return true;
}

/* A key or a name, copied to the arena. */
static bool read_name(struct reader *r, const char *what, uint64_t limit, const char **name) {
    uint64_t n;
    if (!read_number(r, 8, &n))
        return false;
    if (n == 0 || n > limit)
        return lp_error_set(r->err, LP_EINPUT, "%s: has a %s of %llu bytes, but it must be 1 to %llu",
                            r->file, what, (unsigned long long)n, (unsigned long long)limit);
    if (n > (uint64_t)(r->end - r->at))
        return cut_short(r);
    if (memchr(r->at, 0, (size_t)n))
        return lp_error_set(r->err, LP_EINPUT, "%s: has a %s with a NUL in it", r->file, what);
    *name = lp_arena_strndup(r->arena, (const char *)r->at, (size_t)n);
    r->at += n;
    return *name || lp_error_memory(r->err);
}

static bool read_entry(struct reader *r, struct lp_gguf_entry *e) {
    uint64_t type;
    if (!read_name(r, "metadata key", KEY_LIMIT, &e->key) || !read_number(r, 4, &type))
        return false;
    const char *wrong = "has an unknown type";
    if (type < LP_GGUF_TYPES)
        wrong = lp_gguf_read_value(&r->at, r->end, (enum lp_gguf_type)type, &e->value);
    return !wrong || lp_error_set(r->err, LP_EINPUT, "%s: the metadata '%.100s' %s", r->file, e->key, wrong);
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const struct lp_gguf_entry *)a)->key, ((const struct lp_gguf_entry *)b)->key);
}

static bool read_entries(struct reader *r, struct lp_gguf *g) {
    for (size_t i = 0; i < g->entry_count; i++)
        if (!read_entry(r, &g->entries[i]))
            return false;
    qsort(g->entries, g->entry_count, sizeof *g->entries, by_key);
    for (size_t i = 1; i < g->entry_count; i++)
        if (strcmp(g->entries[i - 1].key, g->entries[i].key) == 0)
            return lp_error_set(r->err, LP_EINPUT, "%s: has the metadata '%.100s' twice", r->file,
                                g->entries[i].key);
    return true;
}

static bool refuse(const struct reader *r, const char *tensor, const char *what) {
    return lp_error_set(r->err, LP_EINPUT, "%s: the tensor '%.100s' %s", r->file, tensor, what);
}

static bool read_type(struct reader *r, struct lp_weight *t) {
    static const char known[] = "F32, F16, BF16, Q8_0, Q4_0, Q4_K and Q6_K are read";
    uint64_t type;
    if (!read_number(r, 4, &type))
        return false;
    if (lp_gguf_find_weight_type((uint32_t)type, &t->type))
        return true;
    if (type < TYPES && types[type].name)
        return lp_error_set(r->err, LP_EINPUT, "%s: the tensor '%.100s' is of type %s; %s", r->file, t->name,
                            types[type].name, known);
    return lp_error_set(r->err, LP_EINPUT, "%s: the tensor '%.100s' is of the unknown type %u; %s", r->file,
                        t->name, (unsigned)type, known);
}

/* The file gives the innermost dimension first. */
static bool read_shape(struct reader *r, struct lp_weight *t) {
    uint64_t ndim, dim;
    if (!read_number(r, 4, &ndim))
        return false;
    if (ndim > DIMS_LIMIT)
        return refuse(r, t->name, "has more than 4 dimensions");
    t->ndim = (int)ndim;
    for (int i = t->ndim - 1; i >= 0; i--) {
        if (!read_number(r, 8, &dim))
            return false;
        if (dim == 0 || dim > INT64_MAX)
            return refuse(r, t->name, "has a dimension that is 0 or too large for any file");
        t->dim[i] = (int64_t)dim;
    }
    return true;
}

static bool count_bytes(const struct reader *r, struct lp_weight *t) {
    int64_t block = lp_weight_type_block(t->type), row = t->ndim ? t->dim[t->ndim - 1] : 1;
    if (row % block)
        return lp_error_set(r->err, LP_EINPUT,
                            "%s: the tensor '%.100s' has rows of %lld numbers, not whole blocks of %lld",
                            r->file, t->name, (long long)row, (long long)block);
    size_t total = lp_weight_type_bytes(t->type);
    bool fits = !__builtin_mul_overflow(total, (size_t)(row / block), &total);
    for (int i = 0; i < t->ndim - 1; i++)
        fits = fits && !__builtin_mul_overflow(total, (size_t)t->dim[i], &total);
    t->bytes = total;
    return fits || refuse(r, t->name, "has a shape too large for any file");
}

static bool read_tensor(struct reader *r, struct lp_weight *t, struct range *range) {
    if (!read_name(r, "tensor name", NAME_LIMIT, &t->name) || !read_shape(r, t) || !read_type(r, t) ||
        !count_bytes(r, t) || !read_number(r, 8, &range->begin))
        return false;
    range->name = t->name;
    return !__builtin_add_overflow(range->begin, t->bytes, &range->end) ||
           refuse(r, t->name, "begins too far behind for any file");
}

static int by_begin(const void *a, const void *b) {
    const struct range *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct range *)a)->name, ((const struct range *)b)->name);
}

/* No two tensors share a name or bytes. */
static bool check_apart(const struct reader *r, struct range *range, size_t n) {
    qsort(range, n, sizeof *range, by_begin);
    for (size_t i = 1; i < n; i++)
        if (range[i].begin < range[i - 1].end)
            return lp_error_set(r->err, LP_EINPUT, "%s: the tensors '%.80s' and '%.80s' overlap", r->file,
                                range[i - 1].name, range[i].name);
    qsort(range, n, sizeof *range, by_name);
    for (size_t i = 1; i < n; i++)
        if (strcmp(range[i - 1].name, range[i].name) == 0)
            return refuse(r, range[i].name, "is there twice");
    return true;
}

/* Data begins at the first multiple of the alignment behind the header; offsets count from there. */
static bool place(const struct reader *r, struct lp_gguf *g, const struct range *range) {
    int64_t alignment;
    if (!lp_gguf_int(g, "general.alignment", ALIGNMENT, ALIGNMENT_LEAST, ALIGNMENT_MOST, &alignment, r->err))
        return false;
    if (alignment & (alignment - 1))
        return lp_error_set(r->err, LP_EINPUT, "%s: 'general.alignment' is %lld, but must be a power of two",
                            r->file, (long long)alignment);
    size_t header = (size_t)(r->at - r->begin),
           begin = (header + (size_t)alignment - 1) & ~(size_t)(alignment - 1);
    uint64_t size = begin < (size_t)(r->end - r->begin) ? (size_t)(r->end - r->begin) - begin : 0;
    for (size_t i = 0; i < g->count; i++) {
        struct lp_weight *t = &g->tensors[i];
        if (range[i].begin % (uint64_t)alignment)
            return refuse(r, t->name, "does not begin at a multiple of the file's alignment");
        if (range[i].end > size)
            return lp_error_set(r->err, LP_EINPUT,
                                "%s: the tensor '%.100s' ends %llu bytes behind the end of the file, "
                                "which is cut short or malformed",
                                r->file, t->name, (unsigned long long)(range[i].end - size));
        t->data = r->begin + begin + range[i].begin;
    }
    return true;
}

static bool read_tensors(struct reader *r, struct lp_gguf *g) {
    struct range *range = lp_alloc_array(g->count + 1, sizeof *range);
    bool ok = range || lp_error_memory(r->err);
    for (size_t i = 0; ok && i < g->count; i++)
        ok = read_tensor(r, &g->tensors[i], &range[i]);
    ok = ok && place(r, g, range) && check_apart(r, range, g->count);
    lp_free(range);
    return ok;
}

static bool read_version(struct reader *r, struct lp_gguf *g) {
    uint64_t magic, version;
    if (!lp_gguf_is(r->begin, (size_t)(r->end - r->begin)))
        return lp_error_set(r->err, LP_EINPUT, "%s: not a GGUF file", r->file);
    if (!read_number(r, 4, &magic) || !read_number(r, 4, &version))
        return false;
    if (version && version % 65536 == 0)
        return lp_error_set(r->err, LP_EINPUT, "%s: a big-endian GGUF file; get the usual little-endian one",
                            r->file);
    if (version < 2 || version > 3)
        return lp_error_set(r->err, LP_EINPUT, "%s: a GGUF file of version %u, but only 2 and 3 are read%s",
                            r->file, (unsigned)version,
                            version == 1 ? "; convert it again with a newer llama.cpp" : "");
    g->version = (int)version;
    return true;
}

/* The counts are believed only as far as the rest of the file could hold them. */
static bool read_counts(struct reader *r, struct lp_gguf *g) {
    uint64_t tensors, entries;
    if (!read_number(r, 8, &tensors) || !read_number(r, 8, &entries))
        return false;
    uint64_t left = (uint64_t)(r->end - r->at);
    if (tensors > TENSOR_LIMIT || entries > ENTRY_LIMIT ||
        tensors * TENSOR_LEAST + entries * ENTRY_LEAST > left)
        return lp_error_set(r->err, LP_EINPUT,
                            "%s: claims %llu tensors and %llu metadata entries, which do not fit into it",
                            r->file, (unsigned long long)tensors, (unsigned long long)entries);
    g->count = (size_t)tensors;
    g->entry_count = (size_t)entries;
    g->tensors = lp_arena_array(r->arena, g->count + 1, sizeof *g->tensors);
    g->entries = lp_arena_array(r->arena, g->entry_count + 1, sizeof *g->entries);
    return (g->tensors && g->entries) || lp_error_memory(r->err);
}

bool lp_gguf_is(const void *data, size_t size) {
    return size >= 4 && memcmp(data, "GGUF", 4) == 0;
}

bool lp_gguf_parse(struct lp_gguf *out, struct lp_arena *arena, const void *data, size_t size,
                   const char *name, struct lp_error *err) {
    struct reader r = {arena, name, data, data, (const uint8_t *)data + size, err};
    *out = (struct lp_gguf){.file = lp_arena_strdup(arena, name)};
    if (!out->file)
        return lp_error_memory(err);
    return read_version(&r, out) && read_counts(&r, out) && read_entries(&r, out) && read_tensors(&r, out);
}
