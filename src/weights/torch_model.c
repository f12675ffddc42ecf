/* SPDX-License-Identifier: MIT */
/* weights/torch_model.c - a model's files in torch.save's format. */
#include "weights/torch_model.h"

#include "base/json.h"
#include "base/memory.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SHARD_LIMIT = 10000 };

/* A tensor's name and the shard that it is in. */
struct place {
    const char *name;
    const struct lp_torch_shard *shard;
};

static bool open_shard(struct lp_torch_model *m, struct lp_torch_shard *s, const char *entry,
                       struct lp_error *err) {
    char path[PATH_MAX];
    return lp_file_join(path, sizeof path, m->folder, s->name, err) && lp_file_open(&s->file, path, err) &&
           lp_torch_file_parse(&s->content, &m->arena, s->file.data, s->file.size, path, entry, err);
}

static bool open_one(struct lp_torch_model *m, const char *name, const char *entry, struct lp_error *err) {
    m->shards = lp_arena_alloc(&m->arena, sizeof *m->shards);
    if (!m->shards)
        return lp_error_memory(err);
    m->shard_count = 1;
    m->shards->name = name;
    return open_shard(m, m->shards, entry, err);
}

/* A shard must lie in the folder itself: an index is data from outside. */
static bool is_plain_name(const char *name) {
    return name && name[0] && name[0] != '.' && !strchr(name, '/') && strlen(name) <= NAME_MAX;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The distinct files of the index's weight_map, sorted. */
static bool list_shards(struct lp_torch_model *m, const json_t *map, const char *path, struct lp_error *err) {
    size_t n = 0, kept = 0;
    const char **names = lp_alloc_array(json_object_size(map) + 1, sizeof *names), *tensor;
    json_t *file;
    bool ok = names || lp_error_memory(err);
    if (ok) {
        json_object_foreach((json_t *)map, tensor, file) {
            names[n++] = json_string_value(file);
            ok = ok && (is_plain_name(names[n - 1]) ||
                        lp_error_set(err, LP_EINPUT, "%s: '%.100s' must name a file in the same folder", path,
                                     tensor));
        }
    }
    if (ok) {
        qsort(names, n, sizeof *names, by_text);
        for (size_t i = 0; i < n; i++)
            if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
                names[kept++] = names[i];
        ok = kept <= SHARD_LIMIT ||
             lp_error_set(err, LP_EINPUT, "%s: names more than %d shards", path, SHARD_LIMIT);
    }
    m->shards = ok ? lp_arena_array(&m->arena, kept + 1, sizeof *m->shards) : NULL;
    ok = ok && (m->shards || lp_error_memory(err));
    for (size_t i = 0; ok && i < kept; i++) {
        m->shards[i].name = lp_arena_strdup(&m->arena, names[i]);
        ok = m->shards[i].name || lp_error_memory(err);
        m->shard_count += ok;
    }
    lp_free(names);
    return ok;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct place *)a)->name, ((const struct place *)b)->name);
}

/* No tensor may be in two shards, and each must be where the index says. */
static bool check_places(const struct lp_torch_model *m, const json_t *map, const char *path,
                         struct lp_error *err) {
    size_t n = 0, put = 0;
    for (size_t i = 0; i < m->shard_count; i++)
        n += m->shards[i].content.count;
    struct place *list = lp_alloc_array(n + 1, sizeof *list);
    if (!list)
        return lp_error_memory(err);
    for (size_t i = 0; i < m->shard_count; i++)
        for (size_t j = 0; j < m->shards[i].content.count; j++)
            list[put++] = (struct place){m->shards[i].content.tensors[j].name, &m->shards[i]};
    qsort(list, n, sizeof *list, by_name);
    bool ok = true;
    for (size_t i = 1; ok && i < n; i++)
        if (strcmp(list[i - 1].name, list[i].name) == 0)
            ok = lp_error_set(err, LP_EINPUT, "%s: the tensor '%.100s' is in two shards", path, list[i].name);
    const char *tensor;
    json_t *file;
    json_object_foreach((json_t *)map, tensor, file) {
        struct place key = {tensor, NULL}, *found = ok ? bsearch(&key, list, n, sizeof *list, by_name) : NULL;
        if (ok && (!found || strcmp(found->shard->name, json_string_value(file)) != 0))
            ok = lp_error_set(err, LP_EINPUT, "%s: the tensor '%.100s' is not in '%.60s'", path, tensor,
                              json_string_value(file));
    }
    lp_free(list);
    return ok;
}

static bool open_index(struct lp_torch_model *m, const char *path, const char *entry, struct lp_error *err) {
    json_t *index = lp_json_load(path, err);
    if (!index)
        return false;
    const json_t *map = json_object_get(index, "weight_map");
    bool ok = (json_is_object(map) && json_object_size(map)) ||
              lp_error_set(err, LP_EINPUT, "%s: there is no object 'weight_map' with tensors", path);
    ok = ok && list_shards(m, map, path, err);
    for (size_t i = 0; ok && i < m->shard_count; i++)
        ok = open_shard(m, &m->shards[i], entry, err);
    ok = ok && check_places(m, map, path, err);
    json_decref(index);
    return ok;
}

bool lp_torch_model_open(struct lp_torch_model *m, const char *path, const char *entry,
                         struct lp_error *err) {
    char file[PATH_MAX];
    struct stat st;
    *m = (struct lp_torch_model){0};
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return open_one(m, path, entry, err);
    m->folder = path;
    if (!lp_file_join(file, sizeof file, path, "pytorch_model.bin", err))
        return false;
    if (lp_file_exists(file))
        return open_one(m, "pytorch_model.bin", entry, err);
    if (!lp_file_join(file, sizeof file, path, "pytorch_model.bin.index.json", err))
        return false;
    if (!lp_file_exists(file))
        return lp_error_set(
            err, LP_EMISSING,
            "'%s' has neither pytorch_model.bin nor pytorch_model.bin.index.json: name the file itself",
            path);
    return open_index(m, file, entry, err);
}

void lp_torch_model_close(struct lp_torch_model *m) {
    for (size_t i = 0; i < m->shard_count; i++)
        lp_file_close(&m->shards[i].file);
    lp_arena_done(&m->arena);
    *m = (struct lp_torch_model){0};
}
