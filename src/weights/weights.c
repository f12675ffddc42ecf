/* SPDX-License-Identifier: MIT */
/* weights/weights.c - a model's files as one sorted list of named tensors. */
#include "weights/weights.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "weights/gguf_names.h"
#include "weights/safetensors.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { SHARD_LIMIT = 10000 };

struct shard {
    const char *name; /* of its file, within the folder */
    struct lp_file file;
    struct lp_gguf_named *tensors;
    size_t count;
    struct lp_gguf *gguf; /* NULL: safetensors */
};

struct lp_weights {
    struct lp_arena arena;
    struct shard *shards;
    size_t shard_count;
    struct lp_gguf_named *all; /* sorted by name, so that no choice of names makes look-ups slow */
    size_t count;
};

static const struct {
    const char *name;
    size_t bytes; /* of a block */
    int64_t block;
} types[LP_WEIGHT_TYPES] = {
    [LP_WEIGHT_F32] = {"F32", 4, 1},         [LP_WEIGHT_F16] = {"F16", 2, 1},
    [LP_WEIGHT_BF16] = {"BF16", 2, 1},       [LP_WEIGHT_F64] = {"F64", 8, 1},
    [LP_WEIGHT_F8_E4M3] = {"F8_E4M3", 1, 1}, [LP_WEIGHT_F8_E5M2] = {"F8_E5M2", 1, 1},
    [LP_WEIGHT_I64] = {"I64", 8, 1},         [LP_WEIGHT_I32] = {"I32", 4, 1},
    [LP_WEIGHT_I16] = {"I16", 2, 1},         [LP_WEIGHT_I8] = {"I8", 1, 1},
    [LP_WEIGHT_U64] = {"U64", 8, 1},         [LP_WEIGHT_U32] = {"U32", 4, 1},
    [LP_WEIGHT_U16] = {"U16", 2, 1},         [LP_WEIGHT_U8] = {"U8", 1, 1},
    [LP_WEIGHT_BOOL] = {"BOOL", 1, 1},       [LP_WEIGHT_Q8_0] = {"Q8_0", 34, 32},
    [LP_WEIGHT_Q4_0] = {"Q4_0", 18, 32},     [LP_WEIGHT_Q4_K] = {"Q4_K", 144, 256},
    [LP_WEIGHT_Q6_K] = {"Q6_K", 210, 256},
};

const char *lp_weight_type_name(enum lp_weight_type type) {
    return types[type].name;
}

size_t lp_weight_type_bytes(enum lp_weight_type type) {
    return types[type].bytes;
}

int64_t lp_weight_type_block(enum lp_weight_type type) {
    return types[type].block;
}

int64_t lp_weight_elements(const struct lp_weight *t) {
    return (int64_t)(t->bytes / types[t->type].bytes) * types[t->type].block;
}

bool lp_weight_dtype(const struct lp_weight *t, enum lp_dtype *dtype) {
    static const struct {
        enum lp_weight_type weight;
        enum lp_dtype type;
    } known[] = {{LP_WEIGHT_F32, LP_F32},   {LP_WEIGHT_F16, LP_F16},   {LP_WEIGHT_BF16, LP_BF16},
                 {LP_WEIGHT_Q8_0, LP_Q8_0}, {LP_WEIGHT_Q4_0, LP_Q4_0}, {LP_WEIGHT_Q4_K, LP_Q4_K},
                 {LP_WEIGHT_Q6_K, LP_Q6_K}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].weight == t->type) {
            *dtype = known[i].type;
            return true;
        }
    return false;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct lp_gguf_named *)a)->weight.name,
                  ((const struct lp_gguf_named *)b)->weight.name);
}

static int name_to_weight(const void *name, const void *named) {
    return strcmp(name, ((const struct lp_gguf_named *)named)->weight.name);
}

/* Makes the one list of all shards' tensors. */
static bool merge(struct lp_weights *w, const char *path, struct lp_error *err) {
    size_t n = 0;
    for (size_t i = 0; i < w->shard_count; i++)
        n += w->shards[i].count;
    w->count = 0;
    w->all = lp_arena_array(&w->arena, n + 1, sizeof *w->all);
    if (!w->all)
        return lp_error_memory(err);
    for (size_t i = 0; i < w->shard_count; i++) {
        memcpy(w->all + w->count, w->shards[i].tensors, w->shards[i].count * sizeof *w->all);
        w->count += w->shards[i].count;
    }
    qsort(w->all, n, sizeof *w->all, by_name);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(w->all[i - 1].weight.name, w->all[i].weight.name) == 0)
            return lp_error_set(err, LP_EINPUT, "%s: the tensor '%.100s' is %s", path, w->all[i].weight.name,
                                w->shard_count > 1 ? "in two shards" : "there under two names");
    }
    return true;
}

static bool parse_safetensors(struct lp_weights *w, struct shard *shard, const char *path,
                              struct lp_error *err) {
    struct lp_safetensors content;
    if (!lp_safetensors_parse(&content, &w->arena, shard->file.data, shard->file.size, path, err))
        return false;
    shard->tensors = lp_arena_array(&w->arena, content.count + 1, sizeof *shard->tensors);
    if (!shard->tensors)
        return lp_error_memory(err);
    shard->count = content.count;
    for (size_t i = 0; i < content.count; i++)
        shard->tensors[i].weight = content.tensors[i];
    return true;
}

static bool parse_gguf(struct lp_weights *w, struct shard *shard, const char *path, struct lp_error *err) {
    int64_t pieces;
    shard->gguf = lp_arena_alloc(&w->arena, sizeof *shard->gguf);
    if (!shard->gguf)
        return lp_error_memory(err);
    if (!lp_gguf_parse(shard->gguf, &w->arena, shard->file.data, shard->file.size, path, err) ||
        !lp_gguf_int(shard->gguf, "split.count", 1, 0, UINT16_MAX, &pieces, err))
        return false;
    if (pieces > 1)
        return lp_error_set(err, LP_EINPUT,
                            "%s: is one of %lld pieces of a model; join them with "
                            "'llama-gguf-split --merge'",
                            path, (long long)pieces);
    shard->tensors = lp_gguf_name_tensors(shard->gguf, &w->arena, err);
    shard->count = shard->gguf->count;
    return shard->tensors;
}

static bool open_shard(struct lp_weights *w, struct shard *shard, const char *path, struct lp_error *err) {
    if (!lp_file_open(&shard->file, path, err))
        return false;
    lp_file_large_pages(&shard->file);
    return lp_gguf_is(shard->file.data, shard->file.size) ? parse_gguf(w, shard, path, err)
                                                          : parse_safetensors(w, shard, path, err);
}

static struct lp_weights *fail(struct lp_weights *w) {
    lp_weights_close(w);
    return NULL;
}

/* Makes room for n more shards. */
static bool grow(struct lp_weights *w, size_t n, struct lp_error *err) {
    struct shard *shards = lp_arena_array(&w->arena, w->shard_count + n + 1, sizeof *shards);
    if (!shards)
        return lp_error_memory(err);
    if (w->shard_count)
        memcpy(shards, w->shards, w->shard_count * sizeof *shards);
    w->shards = shards;
    return true;
}

static bool add_file(struct lp_weights *w, const char *path, struct lp_error *err) {
    return grow(w, 1, err) && open_shard(w, &w->shards[w->shard_count++], path, err);
}

struct lp_weights *lp_weights_open_files(const char *const *paths, size_t n, struct lp_error *err) {
    struct lp_weights *w = lp_alloc(sizeof *w);
    if (!w) {
        lp_error_memory(err);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        if (!add_file(w, paths[i], err))
            return fail(w);
    return merge(w, n ? paths[n - 1] : "", err) ? w : fail(w);
}

struct lp_weights *lp_weights_open_file(const char *path, struct lp_error *err) {
    return lp_weights_open_files(&path, 1, err);
}

/* A shard must lie in the folder itself: an index is data from outside. */
static bool is_plain_name(const char *name) {
    return name[0] && name[0] != '.' && !strchr(name, '/') && strlen(name) <= NAME_MAX;
}

/* Lists the distinct shard names of an index's weight_map. */
static bool list_shards(struct lp_weights *w, const json_t *map, const char *path, struct lp_error *err) {
    const char *tensor;
    json_t *file;
    json_t *seen = json_object();
    bool ok = seen || lp_error_memory(err);
    if (ok) {
        json_object_foreach((json_t *)map, tensor, file) {
            const char *name = json_string_value(file);
            if (!name || !is_plain_name(name))
                ok = lp_error_set(err, LP_EINPUT, "%s: '%.100s' must name a file in the same folder", path,
                                  tensor);
            else
                ok = json_object_set(seen, name, file) == 0 || lp_error_memory(err);
            if (!ok)
                break;
        }
    }
    if (ok && json_object_size(seen) > SHARD_LIMIT)
        ok = lp_error_set(err, LP_EINPUT, "%s: names more than %d shards", path, SHARD_LIMIT);
    if (ok && (ok = grow(w, json_object_size(seen), err))) {
        const char *name;
        json_object_foreach(seen, name, file) {
            w->shards[w->shard_count].name = lp_arena_strdup(&w->arena, name);
            ok = ok && (w->shards[w->shard_count++].name || lp_error_memory(err));
        }
    }
    json_decref(seen);
    return ok;
}

static bool check_map(const struct lp_weights *w, const json_t *map, const char *path, struct lp_error *err) {
    const char *tensor;
    json_t *file;
    json_object_foreach((json_t *)map, tensor, file) {
        if (!lp_weights_find(w, tensor))
            return lp_error_set(err, LP_EINPUT, "%s: the tensor '%.100s' is not in '%.60s'", path, tensor,
                                json_string_value(file));
    }
    return true;
}

static bool open_index(struct lp_weights *w, const char *folder, const char *path, struct lp_error *err) {
    json_t *index = lp_json_load(path, err);
    if (!index)
        return false;
    const json_t *map = json_object_get(index, "weight_map");
    size_t first = w->shard_count;
    bool ok =
        json_is_object(map) || lp_error_set(err, LP_EINPUT, "%s: there is no object 'weight_map'", path);
    ok = ok && list_shards(w, map, path, err);
    for (size_t i = first; ok && i < w->shard_count; i++) {
        char shard[PATH_MAX];
        ok = lp_file_join(shard, sizeof shard, folder, w->shards[i].name, err) &&
             open_shard(w, &w->shards[i], shard, err);
    }
    ok = ok && merge(w, path, err) && check_map(w, map, path, err);
    json_decref(index);
    return ok;
}

static bool ends_in_gguf(const char *path) {
    size_t n = strlen(path);
    return n > 5 && strcmp(path + n - 5, ".gguf") == 0;
}

static bool add_folder(struct lp_weights *w, const char *folder, struct lp_error *err) {
    char path[PATH_MAX];
    if (ends_in_gguf(folder))
        return add_file(w, folder, err) && merge(w, folder, err);
    if (!lp_file_join(path, sizeof path, folder, "model.safetensors", err))
        return false;
    if (lp_file_exists(path))
        return add_file(w, path, err) && merge(w, path, err);
    if (!lp_file_join(path, sizeof path, folder, "model.safetensors.index.json", err))
        return false;
    if (!lp_file_exists(path))
        return lp_error_set(err, LP_EMISSING, "'%s' has neither model.safetensors nor model.safetensors.index.json", folder);
    return open_index(w, folder, path, err);
}

struct lp_weights *lp_weights_open(const char *folder, struct lp_error *err) {
    return lp_weights_open_both(folder, NULL, err);
}

struct lp_weights *lp_weights_open_both(const char *folder, const char *other, struct lp_error *err) {
    struct lp_weights *w = lp_alloc(sizeof *w);
    if (!w) {
        lp_error_memory(err);
        return NULL;
    }
    return add_folder(w, folder, err) && (!other || add_folder(w, other, err)) ? w : fail(w);
}

void lp_weights_close(struct lp_weights *w) {
    if (!w)
        return;
    for (size_t i = 0; i < w->shard_count; i++)
        lp_file_close(&w->shards[i].file);
    lp_arena_done(&w->arena);
    lp_free(w);
}

const struct lp_weight *lp_weights_find(const struct lp_weights *w, const char *name) {
    const struct lp_gguf_named *t = bsearch(name, w->all, w->count, sizeof *w->all, name_to_weight);
    return t ? &t->weight : NULL;
}

size_t lp_weights_count(const struct lp_weights *w) {
    return w->count;
}

const struct lp_weight *lp_weights_at(const struct lp_weights *w, size_t i) {
    return &w->all[i].weight;
}

const struct lp_gguf *lp_weights_gguf(const struct lp_weights *w, size_t i) {
    return i < w->shard_count ? w->shards[i].gguf : NULL;
}

void lp_weights_hasten(const struct lp_weights *w) {
    for (size_t i = 0; i < w->shard_count; i++)
        lp_file_hasten(w->shards[i].file.data, w->shards[i].file.size);
}

void lp_weights_let_go(const struct lp_weights *w) {
    for (size_t i = 0; i < w->shard_count; i++)
        lp_file_let_go(w->shards[i].file.data, w->shards[i].file.size);
}

void lp_weight_hasten(const struct lp_weight *t) {
    lp_file_hasten(t->data, t->bytes);
}

void lp_weight_let_go(const struct lp_weights *w, const struct lp_weight *t) {
    lp_weights_let_go_of(w, t->data, t->bytes);
}

void lp_weights_let_go_of(const struct lp_weights *w, const void *data, size_t bytes) {
    for (size_t i = 0; i < w->shard_count; i++) {
        const struct lp_file *f = &w->shards[i].file;
        if ((uintptr_t)data - (uintptr_t)f->data < f->size)
            lp_file_let_go(data, bytes);
    }
}

int64_t lp_weights_changed_ns(const struct lp_weights *w) {
    int64_t newest = 0;
    for (size_t i = 0; i < w->shard_count; i++)
        newest = w->shards[i].file.changed_ns > newest ? w->shards[i].file.changed_ns : newest;
    return newest;
}

int64_t lp_weights_head_rows(const struct lp_weights *w, const struct lp_weight *t) {
    const struct lp_gguf_named *named = bsearch(t->name, w->all, w->count, sizeof *w->all, name_to_weight);
    return named ? named->head_rows : 0;
}

void lp_weights_copy(const struct lp_weights *w, const struct lp_weight *t, void *to) {
    int64_t head_rows = lp_weights_head_rows(w, t);
    if (head_rows)
        lp_gguf_rows_from_file(to, t->data, t->dim[0], head_rows, t->bytes / (size_t)t->dim[0]);
    else
        memcpy(to, t->data, t->bytes);
}
