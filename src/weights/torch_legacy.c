/* SPDX-License-Identifier: MIT */
/* weights/torch_legacy.c - as torch/serialization.py (_legacy_save) writes it. */
#include "weights/torch_legacy.h"

#include <stdlib.h>
#include <string.h>

enum { PROTOCOL = 1001, COUNT_BYTES = 8 };
static const char magic[] = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"; /* 0x1950a86a20f9469cfc6c */

/* One reading of one file. */
struct reader {
    struct lp_arena *arena;
    const char *file;
    const uint8_t *at, *end;
    struct lp_error *err;
};

static bool refuse(const struct reader *r, const char *what) {
    return lp_error_set(r->err, LP_EINPUT, "%s: %s", r->file, what);
}

static bool next_pickle(struct reader *r, struct lp_pickle *pickle) {
    bool ok = lp_pickle_read(pickle, r->arena, r->at, (size_t)(r->end - r->at), r->file, r->err);
    r->at += pickle->used;
    return ok;
}

static bool read_head(struct reader *r) {
    struct lp_pickle pickle;
    if (!next_pickle(r, &pickle))
        return false;
    const struct lp_pickle_value *v = pickle.root;
    if (v->kind != LP_PICKLE_BIG || v->text.n != sizeof magic - 1 ||
        memcmp(v->text.s, magic, sizeof magic - 1) != 0)
        return refuse(r, "is a pickle that torch.save did not write");
    if (!next_pickle(r, &pickle))
        return false;
    if (pickle.root->kind != LP_PICKLE_INT || pickle.root->integer != PROTOCOL)
        return refuse(r, "has an unknown version of torch.save's format");
    if (!next_pickle(r, &pickle))
        return false;
    v = pickle.root->kind == LP_PICKLE_DICT ? lp_pickle_get(pickle.root, "little_endian") : NULL;
    if (!v || v->kind != LP_PICKLE_BOOL || !v->integer)
        return refuse(r, "does not say that its numbers are little-endian");
    return true;
}

static int by_key(const void *a, const void *b) {
    const struct lp_pickle_storage *x = *(const struct lp_pickle_storage *const *)a,
                                   *y = *(const struct lp_pickle_storage *const *)b;
    if (x->key_bytes != y->key_bytes)
        return x->key_bytes < y->key_bytes ? -1 : 1;
    return memcmp(x->key, y->key, x->key_bytes);
}

/* The distinct storages that the object names, sorted by key. NULL: err is set. */
static const struct lp_pickle_storage **list_storages(const struct reader *r, const struct lp_pickle *object,
                                                      size_t *count) {
    size_t n = 0, kept = 0;
    for (const struct lp_pickle_storage *s = object->storages; s; s = s->next)
        n++;
    const struct lp_pickle_storage **list = lp_arena_array(r->arena, n + 1, sizeof *list);
    if (!list) {
        lp_error_memory(r->err);
        return NULL;
    }
    for (const struct lp_pickle_storage *s = object->storages; s; s = s->next)
        list[kept++] = s;
    qsort(list, n, sizeof *list, by_key);
    kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || by_key(&list[kept - 1], &list[i]) != 0) {
            list[kept++] = list[i];
        } else if (list[kept - 1]->type != list[i]->type || list[kept - 1]->elements != list[i]->elements) {
            refuse(r, "has a storage of two types or sizes");
            return NULL;
        }
    }
    *count = kept;
    return list;
}

/* A count of elements, then the elements. */
static bool read_storage(struct reader *r, const struct lp_pickle_storage *s, struct lp_torch_part *part) {
    uint64_t count = 0, bytes = (uint64_t)s->elements * lp_weight_type_bytes(s->type);
    if (r->end - r->at < COUNT_BYTES)
        return refuse(r, "is cut short before its last storage");
    for (int i = COUNT_BYTES - 1; i >= 0; i--)
        count = count << 8 | r->at[i];
    r->at += COUNT_BYTES;
    if (count != (uint64_t)s->elements)
        return refuse(r, "has a storage of another size than its pickle says");
    if (bytes > (uint64_t)(r->end - r->at))
        return refuse(r, "is cut short within a storage");
    *part = (struct lp_torch_part){s->key, s->key_bytes, r->at, (size_t)bytes};
    r->at += bytes;
    return true;
}

static bool read_storages(struct reader *r, const struct lp_pickle *object,
                          const struct lp_pickle_value *keys, struct lp_torch_parts *out) {
    size_t count = 0;
    const struct lp_pickle_storage **list = list_storages(r, object, &count);
    if (!list)
        return false;
    if (keys->kind != LP_PICKLE_LIST || keys->items.n != count)
        return refuse(r, "does not list the storages that its tensors need");
    out->part = lp_arena_array(r->arena, count + 1, sizeof *out->part);
    if (!out->part)
        return lp_error_memory(r->err);
    for (size_t i = 0; i < count; i++) {
        const struct lp_pickle_value *key = keys->items.item[i];
        struct lp_pickle_storage wanted = {0}, *want = &wanted;
        if (key->kind == LP_PICKLE_TEXT) {
            wanted.key = key->text.s;
            wanted.key_bytes = key->text.n;
        }
        const struct lp_pickle_storage **s =
            wanted.key ? bsearch(&want, list, count, sizeof *list, by_key) : NULL;
        if (!s)
            return refuse(r, "lists a storage that no tensor needs");
        if (!read_storage(r, *s, &out->part[out->count++]))
            return false;
    }
    return lp_torch_parts_sort(out) || refuse(r, "lists a storage twice");
}

bool lp_torch_legacy_parse(struct lp_torch_parts *out, const struct lp_pickle_value **root,
                           struct lp_arena *arena, const void *data, size_t size, const char *name,
                           struct lp_error *err) {
    struct reader r = {arena, name, data, (const uint8_t *)data + size, err};
    struct lp_pickle object, keys;
    *out = (struct lp_torch_parts){0};
    if (!read_head(&r) || !next_pickle(&r, &object) || !next_pickle(&r, &keys) ||
        !read_storages(&r, &object, keys.root, out))
        return false;
    *root = object.root;
    return true;
}
