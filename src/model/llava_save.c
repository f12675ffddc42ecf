/* SPDX-License-Identifier: MIT */
/* model/llava_save.c - a model as a Hugging Face folder. */
#include "model/llava_model.h"

#include "base/file.h"
#include "base/memory.h"
#include "weights/safetensors.h"

#include <limits.h>
#include <string.h>

static bool copy_file(const char *from, const char *to, const char *name, struct lp_error *err) {
    char source[PATH_MAX], target[PATH_MAX];
    if (!lp_file_join(source, sizeof source, from, name, err) || !lp_file_join(target, sizeof target, to, name, err))
        return false;
    if (!lp_file_exists(source))
        return true;
    size_t n;
    char *bytes = lp_file_read(source, (size_t)256 << 20, &n, err);
    bool ok = bytes && lp_file_write(target, bytes, n, err);
    lp_free(bytes);
    return ok;
}

/* config.json with the template's key, in the order it had. */
static bool write_config(const struct lp_llava *m, const char *from, const char *to, struct lp_error *err) {
    char path[PATH_MAX];
    if (!lp_file_join(path, sizeof path, from, "config.json", err))
        return false;
    json_t *config = lp_json_load(path, err);
    if (!config)
        return false;
    bool ok = !json_object_set_new(config, "llava_plus_template", json_string(lp_template_key(lp_llava_template(m))));
    char *text = ok ? json_dumps(config, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    ok = text || lp_error_memory(err);
    ok = ok && lp_file_join(path, sizeof path, to, "config.json", err) && lp_file_write(path, text, strlen(text), err);
    lp_free(text);
    json_decref(config);
    return ok;
}

static bool describe(const struct lp_llava *m, const struct lp_parameter *p, enum lp_dtype type,
                     struct lp_arena *arena, struct lp_weight *w) {
    static const enum lp_weight_type stored[] = {[LP_F32] = LP_WEIGHT_F32, [LP_F16] = LP_WEIGHT_F16,
                                                 [LP_BF16] = LP_WEIGHT_BF16};
    const struct lp_weight *before = m->files && !p->tensor->learns ? lp_weights_find(m->files, p->name) : NULL;
    if (before) {
        *w = *before;
        return true;
    }
    int64_t n = lp_count(p->tensor);
    void *data = lp_arena_alloc(arena, (size_t)lp_dtype_row_bytes(type, n));
    if (!data)
        return false;
    m->kernels->from_f32(data, lp_f32(p->tensor), type, n);
    *w = (struct lp_weight){.name = p->name, .type = stored[type], .ndim = p->tensor->ndim, .data = data,
                            .bytes = (size_t)lp_dtype_row_bytes(type, n)};
    memcpy(w->dim, p->tensor->dim, sizeof p->tensor->dim);
    return true;
}

bool lp_llava_save(const struct lp_llava *m, const char *from, const char *to, enum lp_dtype type,
                   struct lp_error *err) {
    static const char *const beside[] = {"preprocessor_config.json", "tokenizer.model", "tokenizer.json"};
    char path[PATH_MAX];
    struct lp_arena arena = {0};
    int64_t count = m->parameters.count;
    struct lp_weight *w = lp_arena_array(&arena, (size_t)count, sizeof *w);
    bool ok = w;
    for (int64_t i = 0; ok && i < count; i++)
        ok = describe(m, &m->parameters.item[i], type, &arena, &w[i]);
    if (!ok)
        lp_error_memory(err);
    ok = ok && lp_file_make_folder(to, err) && lp_file_join(path, sizeof path, to, "model.safetensors", err) &&
         lp_safetensors_write(path, w, (size_t)count, NULL, err) && write_config(m, from, to, err);
    for (size_t i = 0; ok && strcmp(from, to) && i < sizeof beside / sizeof *beside; i++)
        ok = copy_file(from, to, beside[i], err);
    lp_arena_done(&arena);
    return ok;
}
