/* SPDX-License-Identifier: MIT */
/* weights/gguf_write.c - writes GGUF version 3. */
#include "weights/gguf.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 32, NAME_LIMIT = 63 /* llama.cpp's */, DIMS_LIMIT = 4, PREFIX_BYTES = 24 };

static void put_number(struct lp_str *s, uint64_t value, size_t bytes) {
    char little[8];
    for (size_t i = 0; i < bytes; i++)
        little[i] = (char)(value >> (8 * i));
    lp_str_add(s, little, bytes);
}

static void put_text(struct lp_str *s, const char *text, size_t n) {
    put_number(s, n, 8);
    lp_str_add(s, text, n);
}

static void put_key(struct lp_gguf_metadata *m, const char *key, enum lp_gguf_type type) {
    put_text(&m->bytes, key, strlen(key));
    put_number(&m->bytes, type, 4);
    m->count++;
}

void lp_gguf_put_u32(struct lp_gguf_metadata *m, const char *key, uint32_t value) {
    put_key(m, key, LP_GGUF_U32);
    put_number(&m->bytes, value, 4);
}

void lp_gguf_put_f32(struct lp_gguf_metadata *m, const char *key, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(m, key, LP_GGUF_F32);
    put_number(&m->bytes, bits, 4);
}

void lp_gguf_put_bool(struct lp_gguf_metadata *m, const char *key, bool value) {
    put_key(m, key, LP_GGUF_BOOL);
    put_number(&m->bytes, value, 1);
}

void lp_gguf_put_string(struct lp_gguf_metadata *m, const char *key, const char *text) {
    put_key(m, key, LP_GGUF_STRING);
    put_text(&m->bytes, text, strlen(text));
}

void lp_gguf_put_array(struct lp_gguf_metadata *m, const char *key, enum lp_gguf_type element,
                       const void *numbers, size_t n) {
    put_key(m, key, LP_GGUF_ARRAY);
    put_number(&m->bytes, element, 4);
    put_number(&m->bytes, n, 8);
    lp_str_add(&m->bytes, numbers, n * lp_gguf_type_bytes(element));
}

void lp_gguf_put_strings(struct lp_gguf_metadata *m, const char *key, size_t n) {
    put_key(m, key, LP_GGUF_ARRAY);
    put_number(&m->bytes, LP_GGUF_STRING, 4);
    put_number(&m->bytes, n, 8);
}

void lp_gguf_put_element(struct lp_gguf_metadata *m, const char *text, size_t bytes) {
    put_text(&m->bytes, text, bytes);
}

void lp_gguf_put_value(struct lp_gguf_metadata *m, const char *key, const struct lp_gguf_value *v) {
    put_key(m, key, v->type);
    if (v->type == LP_GGUF_ARRAY)
        put_number(&m->bytes, v->element, 4);
    if (v->type == LP_GGUF_ARRAY || v->type == LP_GGUF_STRING)
        put_number(&m->bytes, v->count, 8);
    lp_str_add(&m->bytes, (const char *)v->at, (size_t)(v->end - v->at));
}

void lp_gguf_put_all(struct lp_gguf_metadata *m, const struct lp_gguf *g, const char *const *except) {
    for (size_t i = 0; i < g->entry_count; i++) {
        const char *key = g->entries[i].key;
        bool skip = strcmp(key, "general.alignment") == 0 || strncmp(key, "split.", 6) == 0;
        for (size_t k = 0; !skip && except[k]; k++)
            skip = strcmp(key, except[k]) == 0;
        if (!skip)
            lp_gguf_put_value(m, key, &g->entries[i].value);
    }
}

void lp_gguf_metadata_done(struct lp_gguf_metadata *m) {
    lp_str_done(&m->bytes);
    m->count = 0;
}

static uint64_t padded(uint64_t n) {
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void put_prefix(struct lp_str *s, size_t tensors, uint64_t entries) {
    lp_str_add(s, "GGUF", 4);
    put_number(s, 3, 4);
    put_number(s, tensors, 8);
    put_number(s, entries, 8);
}

/* Reads the metadata as a file without tensors; it must ask for the alignment that we write with. */
static bool check_metadata(const struct lp_gguf_metadata *m, const char *path, struct lp_error *err) {
    struct lp_str s = {0};
    struct lp_arena arena = {0};
    struct lp_gguf g;
    struct lp_error wrong = {0};
    int64_t alignment;
    put_prefix(&s, 0, m->count);
    lp_str_add(&s, lp_str_text(&m->bytes), m->bytes.n);
    bool ok = !s.failed && !m->bytes.failed && s.n == PREFIX_BYTES + m->bytes.n;
    if (!ok)
        lp_error_memory(err);
    else if (!lp_gguf_parse(&g, &arena, s.s, s.n, path, &wrong) ||
             !lp_gguf_int(&g, "general.alignment", ALIGNMENT, ALIGNMENT, ALIGNMENT, &alignment, &wrong))
        ok = lp_error_set(err, wrong.code == LP_EMEMORY ? LP_EMEMORY : LP_EUSAGE, "%s", wrong.text);
    lp_arena_done(&arena);
    lp_str_done(&s);
    return ok;
}

static bool check_tensor(const struct lp_weight *t, const char *path, struct lp_error *err) {
    if (lp_gguf_weight_type(t->type) < 0)
        return lp_error_set(err, LP_EUSAGE, "%s: the tensor '%.100s' of type %s cannot be written as GGUF",
                            path, t->name, lp_weight_type_name(t->type));
    size_t n = strlen(t->name), total = 0;
    if (n == 0 || n > NAME_LIMIT)
        return lp_error_set(err, LP_EUSAGE, "%s: the tensor name '%.100s' must have 1 to %d bytes", path,
                            t->name, NAME_LIMIT);
    int64_t row = t->ndim > 0 && t->ndim <= DIMS_LIMIT ? t->dim[t->ndim - 1] : 1,
            block = lp_weight_type_block(t->type);
    bool fits = t->ndim >= 0 && t->ndim <= DIMS_LIMIT && row > 0 && row % block == 0;
    fits = fits && !__builtin_mul_overflow(lp_weight_type_bytes(t->type), (size_t)(row / block), &total);
    for (int i = 0; fits && i < t->ndim - 1; i++)
        fits = t->dim[i] > 0 && !__builtin_mul_overflow(total, (size_t)t->dim[i], &total);
    return (fits && total == t->bytes) ||
           lp_error_set(err, LP_EUSAGE, "%s: the tensor '%.100s' to be written does not fit its shape", path,
                        t->name);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool check_names(const struct lp_weight *tensors, size_t n, const char *path, struct lp_error *err) {
    const char **names = lp_alloc_array(n + 1, sizeof *names);
    if (!names)
        return lp_error_memory(err);
    for (size_t i = 0; i < n; i++)
        names[i] = tensors[i].name;
    qsort(names, n, sizeof *names, by_name);
    bool ok = true;
    for (size_t i = 1; ok && i < n; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            ok = lp_error_set(err, LP_EUSAGE, "%s: the tensor '%.100s' is to be written twice", path,
                              names[i]);
    lp_free(names);
    return ok;
}

static bool make_header(struct lp_str *s, const struct lp_gguf_metadata *m, const struct lp_weight *tensors,
                        size_t n, struct lp_error *err) {
    uint64_t at = 0;
    put_prefix(s, n, m->count);
    lp_str_add(s, lp_str_text(&m->bytes), m->bytes.n);
    for (size_t i = 0; i < n; i++) {
        const struct lp_weight *t = &tensors[i];
        put_text(s, t->name, strlen(t->name));
        put_number(s, (uint64_t)t->ndim, 4);
        for (int d = t->ndim - 1; d >= 0; d--)
            put_number(s, (uint64_t)t->dim[d], 8);
        put_number(s, (uint64_t)lp_gguf_weight_type(t->type), 4);
        put_number(s, at, 8);
        at += padded(t->bytes);
    }
    while (s->n % ALIGNMENT && !s->failed)
        lp_str_putc(s, 0);
    return !s->failed || lp_error_memory(err);
}

static bool write_bytes(FILE *to, const void *data, size_t n, const char *path, struct lp_error *err) {
    return n == 0 || fwrite(data, 1, n, to) == n ||
           lp_error_set(err, LP_EIO, "%s: cannot be written; is the disk full?", path);
}

static bool write_tensors(FILE *to, const char *path, const struct lp_weight *tensors, size_t n,
                          lp_gguf_source *source, void *context, struct lp_error *err) {
    static const char zeros[ALIGNMENT];
    for (size_t i = 0; i < n; i++) {
        const void *data = source ? source(context, i, err) : tensors[i].data;
        size_t bytes = tensors[i].bytes;
        if (!data || !write_bytes(to, data, bytes, path, err) ||
            !write_bytes(to, zeros, (size_t)(padded(bytes) - bytes), path, err))
            return false;
    }
    return true;
}

bool lp_gguf_write(const char *path, const struct lp_gguf_metadata *metadata, const struct lp_weight *tensors,
                   size_t n, lp_gguf_source *source, void *context, struct lp_error *err) {
    struct lp_str header = {0};
    struct lp_file_writing writing;
    bool ok = check_metadata(metadata, path, err) && check_names(tensors, n, path, err);
    for (size_t i = 0; ok && i < n; i++)
        ok = check_tensor(&tensors[i], path, err);
    ok = ok && make_header(&header, metadata, tensors, n, err);
    if (ok && (ok = lp_file_begin(&writing, path, err)))
        ok = lp_file_end(&writing,
                         write_bytes(writing.to, header.s, header.n, path, err) &&
                             write_tensors(writing.to, path, tensors, n, source, context, err),
                         err);
    lp_str_done(&header);
    return ok;
}
