/* SPDX-License-Identifier: MIT */
/* train/checkpoint.c - all of a training's state in one safetensors file, replaced whole: weights that learn in
 * float32 under their names, moments under "first." and "second.", the step in the metadata's place as a tensor. */
#include "train/train.h"

#include "base/file.h"
#include "base/memory.h"
#include "weights/safetensors.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct lp_weight describe(const char *name, const lp_tensor *shape, const void *data) {
    struct lp_weight w = {.name = name, .type = LP_WEIGHT_F32, .ndim = shape->ndim, .data = data,
                          .bytes = sizeof(float) * (size_t)lp_count(shape)};
    for (int i = 0; i < shape->ndim; i++)
        w.dim[i] = shape->dim[i];
    return w;
}

bool lp_checkpoint_save(const char *path, const struct lp_llava *model, const struct lp_optimizer *o,
                        const json_t *note, struct lp_error *err) {
    struct lp_arena arena = {0};
    int64_t count = model->parameters.count, n = 0;
    struct lp_weight *w = lp_arena_array(&arena, (size_t)(3 * count + 2), sizeof *w);
    char *text = note ? lp_json_text(note) : NULL;
    bool ok = w && (text || !note);
    for (int64_t i = 0, at = 0; ok && i < count; i++) {
        const struct lp_parameter *p = &model->parameters.item[i];
        if (!p->tensor->learns)
            continue;
        const char *first = lp_arena_printf(&arena, "first.%s", p->name);
        const char *second = lp_arena_printf(&arena, "second.%s", p->name);
        ok = first && second;
        w[n++] = describe(p->name, p->tensor, p->tensor->data);
        w[n++] = describe(first, p->tensor, o->first + at);
        w[n++] = describe(second, p->tensor, o->second + at);
        at += lp_count(p->tensor);
    }
    if (ok) {
        w[n++] = (struct lp_weight){.name = "step", .type = LP_WEIGHT_I64, .ndim = 1, .dim = {1},
                                    .data = &o->step, .bytes = sizeof o->step};
        if (text)
            w[n++] = (struct lp_weight){.name = "note", .type = LP_WEIGHT_U8, .ndim = 1, .dim = {(int64_t)strlen(text)},
                                        .data = text, .bytes = strlen(text)};
        ok = lp_safetensors_write(path, w, (size_t)n, NULL, err);
    } else {
        lp_error_memory(err);
    }
    lp_free(text);
    lp_arena_done(&arena);
    return ok;
}

/* Whether the file was made with the same settings; a file without a note does not say. */
static bool compare(const struct lp_weights *files, const json_t *now, struct lp_error *err) {
    const struct lp_weight *w = lp_weights_find(files, "note");
    if (!w || !now)
        return true;
    json_t *then = lp_json_parse(w->data, w->bytes, "its note", err);
    bool ok = then && lp_train_note_compare(then, now, err);
    json_decref(then);
    return ok;
}

static bool take(const struct lp_weights *files, const char *name, float *to, const lp_tensor *shape,
                 struct lp_error *err) {
    const struct lp_weight *w = lp_weights_find(files, name);
    size_t bytes = sizeof(float) * (size_t)lp_count(shape);
    bool fits = w && w->type == LP_WEIGHT_F32 && w->bytes == bytes && w->ndim == shape->ndim;
    for (int i = 0; fits && i < shape->ndim; i++)
        fits = w->dim[i] == shape->dim[i];
    if (!fits)
        return lp_error_set(err, LP_EINPUT, "it has no '%s' of this model: it is another model's checkpoint, or other parts learnt", name);
    memcpy(to, w->data, bytes);
    return true;
}

bool lp_checkpoint_load(const char *path, struct lp_llava *model, struct lp_optimizer *o, const json_t *note,
                        bool *found, struct lp_error *err) {
    *found = lp_file_exists(path);
    if (!*found)
        return true;
    struct lp_arena arena = {0};
    struct lp_weights *files = lp_weights_open_file(path, err);
    bool ok = files && compare(files, note, err);
    for (int64_t i = 0, at = 0; ok && i < model->parameters.count; i++) {
        const struct lp_parameter *p = &model->parameters.item[i];
        if (!p->tensor->learns)
            continue;
        const char *first = lp_arena_printf(&arena, "first.%s", p->name);
        const char *second = lp_arena_printf(&arena, "second.%s", p->name);
        if (!first || !second)
            ok = lp_error_memory(err);
        ok = ok && take(files, p->name, lp_f32(p->tensor), p->tensor, err) &&
             take(files, first, o->first + at, p->tensor, err) && take(files, second, o->second + at, p->tensor, err);
        at += lp_count(p->tensor);
    }
    const struct lp_weight *step = ok ? lp_weights_find(files, "step") : NULL;
    if (ok && (!step || step->type != LP_WEIGHT_I64 || step->bytes != sizeof o->step))
        ok = lp_error_set(err, LP_EINPUT, "it does not say its step");
    if (ok)
        memcpy(&o->step, step->data, sizeof o->step);
    if (ok && o->step < 0)
        ok = lp_error_set(err, LP_EINPUT, "its step is %ld", (long)o->step);
    if (!ok)
        lp_error_prefix(err, "the checkpoint %s", path);
    lp_weights_close(files);
    lp_arena_done(&arena);
    return ok;
}

/* base/file.c writes beside, under the name with a point and six letters. */
void lp_checkpoint_tidy(const char *path) {
    char folder[PATH_MAX], file[PATH_MAX];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = strlen(name);
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 2, slash ? path : "./");
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (!strncmp(e->d_name, name, n) && e->d_name[n] == '.' && strlen(e->d_name) == n + 7 &&
            snprintf(file, sizeof file, "%s%s", folder, e->d_name) < (int)sizeof file)
            unlink(file);
    if (dir)
        closedir(dir);
}
