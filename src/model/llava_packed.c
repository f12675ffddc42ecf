/* SPDX-License-Identifier: MIT */
/* model/llava_packed.c - a safetensors file of bytes: each matrix under its name in the model, and what it was
 * made of. Written aside and synced, so that it is whole where it is there. */
#include "model/llava_packed.h"

#include "base/arena.h"
#include "base/file.h"
#include "model/llava_model.h"
#include "weights/safetensors.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define SOURCE "packed:source"

/* What a packed file was made of, and how matrices lie in it: FORM is to be raised when they lie otherwise. */
enum { FORM = 2 };
struct source {
    struct lp_hash digest;
    uint64_t form;
};

static struct lp_weight bytes_of(const char *name, const void *data, size_t bytes) {
    return (struct lp_weight){
        .name = name, .type = LP_WEIGHT_U8, .ndim = 1, .dim = {(int64_t)bytes}, .data = data, .bytes = bytes};
}

static bool path_of(char *path, const char *model) {
    return snprintf(path, PATH_MAX, "%s.packed", model) < PATH_MAX;
}

struct lp_weights *lp_llava_packed_open(const char *model, const struct lp_hash *digest) {
    char path[PATH_MAX];
    if (!path_of(path, model) || !lp_file_exists(path))
        return NULL;
    struct lp_weights *packed = lp_weights_open_file(path, NULL);
    const struct lp_weight *source = packed ? lp_weights_find(packed, SOURCE) : NULL;
    const struct source want = {*digest, FORM};
    if (source && source->bytes == sizeof want && !memcmp(source->data, &want, sizeof want))
        return packed;
    lp_weights_close(packed);
    return NULL;
}

/* Whether opening gave the weight another layout than it has in the file; *bytes of it. */
static bool was_laid_out(const struct lp_llava *m, const struct lp_parameter *p, size_t *bytes) {
    const struct lp_weight *stored = lp_weights_find(m->files, p->name);
    enum lp_dtype type;
    int64_t N = p->tensor->dim[0], K = lp_count(p->tensor) / N;
    if (p->tensor->ndim == 1 || p->tensor->data == stored->data || !lp_weight_dtype(stored, &type) || type != p->tensor->type)
        return false; /* as it is, or a copy in float32, as vectors are */
    *bytes = p->tensor->packed ? (size_t)m->kernels->packed_bytes(type, N, K) : stored->bytes;
    return true;
}

static bool write_packed(const struct lp_llava *m, struct lp_packed_report *r, struct lp_error *err) {
    struct lp_arena arena = {0};
    const struct source source = {m->digest, FORM};
    struct lp_weight *w = lp_arena_array(&arena, (size_t)m->parameters.count + 1, sizeof *w);
    for (int64_t i = 0; w && i < m->parameters.count; i++) {
        const struct lp_parameter *p = &m->parameters.item[i];
        size_t bytes;
        if (!was_laid_out(m, p, &bytes))
            continue;
        w[r->matrices++] = bytes_of(p->name, p->tensor->data, bytes);
        r->bytes += (int64_t)bytes;
    }
    bool ok = w || lp_error_memory(err);
    if (ok && !r->matrices)
        ok = lp_error_set(err, LP_EINPUT,
                          "all its matrices can be used as they are: it opens as fast as it can");
    if (ok)
        w[r->matrices] = bytes_of(SOURCE, &source, sizeof source);
    ok = ok && lp_safetensors_write(r->path, w, (size_t)r->matrices + 1, NULL, err);
    if (ok)
        lp_file_forget(r->path); /* written pages are small ones */
    lp_arena_done(&arena);
    return ok;
}

bool lp_llava_pack(const char *model, const char *mmproj, const struct lp_kernels *kernels,
                   struct lp_packed_report *r, struct lp_error *err) {
    *r = (struct lp_packed_report){0};
    if (!path_of(r->path, model))
        return lp_error_set(err, LP_EINPUT, "%s: the path is too long", model);
    struct lp_llava *m = lp_llava_open_to_pack(model, mmproj, kernels, err);
    bool ok = m && (write_packed(m, r, err) || lp_error_prefix(err, "%s", model));
    lp_llava_close(m);
    return ok;
}
