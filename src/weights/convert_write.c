/* SPDX-License-Identifier: MIT */
/* weights/convert_write.c - tensors from where they lie to safetensors, a few MiB at a time. */
#include "base/file.h"
#include "base/memory.h"
#include "weights/convert_inner.h"
#include "weights/safetensors.h"

#include <errno.h>
#include <string.h>

enum { BLOCK_BYTES = 4 << 20 };

/* {"format": "pt"}, which transformers asks for, and each tied tensor with the one that it is. NULL when out
 * of memory. */
static json_t *describe(const struct lp_convert_shard *s) {
    json_t *metadata = json_object();
    bool ok = metadata;
    for (size_t i = 0; ok && i < s->count; i++)
        if (s->tensor[i]->tied)
            ok = json_object_set_new(metadata, s->tensor[i]->name, json_string(s->tensor[i]->tied)) == 0;
    if (ok && json_object_set_new(metadata, "format", json_string("pt")) == 0)
        return metadata;
    json_decref(metadata);
    return NULL;
}

static bool write_tensor(FILE *to, const struct lp_torch_tensor *t, uint8_t *block,
                         void (*wrote)(void *, size_t), void *context) {
    int64_t width = (int64_t)lp_weight_type_bytes(t->type), elements = (int64_t)t->bytes / width,
            most = BLOCK_BYTES / width;
    for (int64_t at = 0; at < elements; at += most) {
        int64_t n = elements - at < most ? elements - at : most;
        lp_torch_tensor_gather(t, at, n, block);
        if (fwrite(block, (size_t)width, (size_t)n, to) != (size_t)n)
            return false;
        wrote(context, (size_t)(n * width));
    }
    return true;
}

static bool write_file(const char *path, const struct lp_str *head,
                       const struct lp_torch_tensor *const *tensor, const size_t *order, size_t n,
                       void (*wrote)(void *, size_t), void *context, struct lp_error *err) {
    struct lp_file_writing w;
    uint8_t *block = lp_alloc(BLOCK_BYTES);
    if (!block)
        return lp_error_memory(err);
    bool ok = lp_file_begin(&w, path, err);
    if (ok) {
        bool good = fwrite(head->s, 1, head->n, w.to) == head->n;
        for (size_t i = 0; good && i < n; i++)
            good = write_tensor(w.to, tensor[order[i]], block, wrote, context);
        if (!good)
            lp_error_set(err, LP_EIO, "cannot write '%s': %s", path, strerror(errno));
        ok = lp_file_end(&w, good, err);
    }
    lp_free(block);
    return ok;
}

bool lp_convert_write_shard(const char *path, const struct lp_convert_shard *s,
                            void (*wrote)(void *context, size_t bytes), void *context, struct lp_error *err) {
    struct lp_str head = {0};
    size_t n = 0;
    struct lp_weight *weight = lp_alloc_array(s->count + 1, sizeof *weight);
    const struct lp_torch_tensor **tensor = lp_alloc_array(s->count + 1, sizeof *tensor);
    size_t *order = lp_alloc_array(s->count + 1, sizeof *order);
    json_t *metadata = describe(s);
    bool ok = (weight && tensor && order && metadata) || lp_error_memory(err);
    for (size_t i = 0; ok && i < s->count; i++) {
        const struct lp_torch_tensor *t = s->tensor[i];
        if (t->tied)
            continue;
        weight[n] = (struct lp_weight){.name = t->name, .type = t->type, .ndim = t->ndim, .bytes = t->bytes};
        memcpy(weight[n].dim, t->dim, sizeof t->dim);
        tensor[n++] = t;
    }
    ok = ok && lp_safetensors_head(&head, order, path, weight, n, metadata, err) &&
         write_file(path, &head, tensor, order, n, wrote, context, err);
    json_decref(metadata);
    lp_free(order);
    lp_free(tensor);
    lp_free(weight);
    lp_str_done(&head);
    return ok;
}

bool lp_convert_write_index(const char *path, const struct lp_convert_shard *shards, size_t n,
                            struct lp_error *err) {
    uint64_t total = 0;
    json_t *map = json_object();
    bool ok = map;
    for (size_t i = 0; ok && i < n; i++) {
        total += shards[i].bytes;
        for (size_t j = 0; ok && j < shards[i].count; j++)
            if (!shards[i].tensor[j]->tied)
                ok = json_object_set_new(map, shards[i].tensor[j]->name, json_string(shards[i].name)) == 0;
    }
    json_t *index =
        ok ? json_pack("{s:{s:I}, s:O}", "metadata", "total_size", (json_int_t)total, "weight_map", map)
           : NULL;
    char *text = index ? json_dumps(index, JSON_INDENT(2)) : NULL;
    ok = text ? lp_file_write(path, text, strlen(text), err) : lp_error_memory(err);
    lp_free(text);
    json_decref(index);
    json_decref(map);
    return ok;
}
