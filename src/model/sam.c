/* SPDX-License-Identifier: MIT */
/* model/sam.c - Segment Anything, Kirillov et al. 2023, arXiv:2304.02643.
 *   picture --sam_picture.c--> pixels [3,S,S] --sam_encoder.c--> features [side*side,O]        once a picture
 *   points, box, mask --sam_prompt.c--> sparse [n,O], dense [side*side,O]                      once a prompt:
 *   features, sparse, dense --sam_decoder.c--> logits [masks,(4*side)^2], scores [masks] --sam_picture.c-->
 * masks Weight names: sam_config.c. */
#include "model/sam_model.h"

#include "base/file.h"
#include "base/memory.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* Address space for one pass; pages are taken as they are used. */
static const size_t run_limit_bytes = (size_t)8 << 30;

static bool bind(struct lp_sam *m, const struct lp_sam_names *names, struct lp_error *err) {
    struct lp_bind b = {
        .arena = &m->arena, .kernels = m->kernels, .files = m->files, .parameters = &m->parameters};
    struct lp_sam_names n = *names;
    if (!lp_weights_find(m->files, n.gauss) && !lp_sam_names_are_original(names))
        n.gauss =
            "prompt_encoder.shared_embedding.positional_embedding"; /* tied: either may have been saved */
    b.failed = !lp_sam_bind_encoder(&b, &m->config, &n, &m->encoder);
    lp_sam_bind_prompts(&b, &m->config, &n, &m->prompts);
    b.failed = !lp_sam_bind_decoder(&b, &m->config, &n, &m->decoder) || b.failed;
    return lp_bind_done(&b, err) && (lp_sam_make_grid(m) || lp_error_memory(err));
}

/* The JSON object of a file in the folder; NULL also where there is no such file, which `is_there` tells. */
static json_t *load(const char *folder, const char *name, char path[PATH_MAX], bool *is_there,
                    struct lp_error *err) {
    if (!lp_file_join(path, PATH_MAX, folder, name, err))
        return NULL;
    *is_there = lp_file_exists(path);
    return *is_there ? lp_json_load(path, err) : NULL;
}

static bool read_sizes(struct lp_sam *m, const char *folder, const struct lp_sam_names *names,
                       struct lp_error *err) {
    char path[PATH_MAX];
    if (lp_sam_names_are_original(names))
        return lp_sam_read_shapes(m->files, &m->config, err) || lp_error_prefix(err, "%s", folder);
    if (!lp_file_join(path, sizeof path, folder, "config.json", err))
        return false;
    json_t *config = lp_json_load(path, err);
    bool ok = config && (lp_sam_read_config(config, &m->config, err) || lp_error_prefix(err, "%s", path));
    json_decref(config);
    return ok;
}

/* What SAM's processor says beyond what pictures become anyway must be that. */
static bool check_processor(const json_t *config, int64_t S, struct lp_error *err) {
    int64_t size;
    const json_t *pad = json_object_get(config, "pad_size");
    return lp_json_int(json_object_get(config, "size"), "longest_edge", S, S, S, &size, err) &&
           lp_json_int(pad, "height", S, S, S, &size, err) &&
           lp_json_int(pad, "width", S, S, S, &size, err) &&
           lp_json_int(config, "resample", 2, 2, 2, &size, err);
}

/* Means and deviations: preprocessor_config.json's, without one those of ImageNet, as the original has them.
 */
static bool read_preprocess(struct lp_sam *m, const char *folder, struct lp_error *err) {
    static const double mean[3] = {0.485, 0.456, 0.406}, deviation[3] = {0.229, 0.224, 0.225};
    char path[PATH_MAX];
    bool is_there = false;
    struct lp_error failed = {0};
    json_t *config = load(folder, "preprocessor_config.json", path, &is_there, &failed);
    bool ok = !failed.code;
    if (ok && is_there)
        ok = json_is_object(config) ? check_processor(config, m->config.image_px, &failed)
                                    : lp_error_set(&failed, LP_EINPUT, "it must hold a JSON object");
    json_object_del(config, "size");
    ok = ok && lp_preprocess_read(&m->preprocess, config, &failed);
    for (int c = 0; c < 3; c++) {
        if (!json_object_get(config, "image_mean"))
            m->preprocess.mean[c] = mean[c];
        if (!json_object_get(config, "image_std"))
            m->preprocess.std[c] = deviation[c];
    }
    m->preprocess.size = m->preprocess.crop = (int)m->config.image_px;
    json_decref(config);
    return ok || lp_error_set(err, failed.code, "%s: %s", path, failed.text);
}

struct lp_sam *lp_sam_open(const char *folder, const struct lp_kernels *kernels, struct lp_error *err) {
    struct lp_sam *m = lp_alloc(sizeof *m);
    if (!m) {
        lp_error_memory(err);
        return NULL;
    }
    m->kernels = kernels;
    m->files = lp_weights_open(folder, err);
    const struct lp_sam_names *names = m->files ? lp_sam_find_names(m->files) : NULL;
    if (names && read_sizes(m, folder, names, err) && read_preprocess(m, folder, err)) {
        if (bind(m, names, err))
            return m;
        lp_error_prefix(err, "%s", folder);
    }
    lp_sam_close(m);
    return NULL;
}

void lp_sam_close(struct lp_sam *m) {
    if (!m)
        return;
    lp_weights_close(m->files);
    lp_arena_done(&m->arena);
    lp_free(m);
}

void lp_sam_set_rough(struct lp_sam *m, bool rough) {
    m->rough = rough;
}

static lp_run *open_run(const struct lp_sam *m, const atomic_bool *cancel, struct lp_error *err) {
    lp_run *r = lp_run_open(m->kernels, run_limit_bytes, err);
    if (r) {
        r->cancel = (const volatile bool *)cancel;
        r->rough = m->rough;
    }
    return r;
}

static lp_tensor *copy(struct lp_arena *arena, const lp_tensor *x) {
    lp_tensor *y = lp_arena_alloc(arena, sizeof *y);
    float *data = lp_arena_array(arena, (size_t)lp_count(x), sizeof *data);
    if (!y || !data)
        return NULL;
    *y = *x;
    y->data = memcpy(data, lp_f32(x), sizeof *data * (size_t)lp_count(x));
    return y;
}

static struct lp_sam_embedding *keep(const struct lp_sam *m, const struct lp_image *image, const lp_tensor *features,
                                     const struct lp_sam_start *start, struct lp_error *err) {
    struct lp_sam_embedding *e = lp_alloc(sizeof *e);
    lp_tensor *x = e ? copy(&e->arena, features) : NULL;
    if (x && (e->start = lp_arena_alloc(&e->arena, sizeof *e->start))) {
        *e->start = (struct lp_sam_start){copy(&e->arena, start->picture), copy(&e->arena, start->keys),
                                          copy(&e->arena, start->values), copy(&e->arena, start->queries)};
        e->width = image->width;
        e->height = image->height;
        lp_sam_fit(m, e->width, e->height, &e->scaled_width, &e->scaled_height);
        e->rows = lp_rows(x);
        e->channels = lp_dim(x, -1);
        e->data = lp_f32(x);
        if (e->start->picture && e->start->keys && e->start->values && e->start->queries)
            return e;
    }
    lp_error_memory(err);
    lp_sam_embedding_close(e);
    return NULL;
}

struct lp_sam_embedding *lp_sam_see(const struct lp_sam *m, const struct lp_image *image,
                                    const atomic_bool *cancel, struct lp_error *err) {
    lp_run *r = open_run(m, cancel, err);
    if (!r)
        return NULL;
    struct lp_sam_embedding *e = NULL;
    int64_t S = m->config.image_px;
    lp_tensor *pixels = lp_new(r, 4, (int64_t)1, (int64_t)3, S, S);
    if (!pixels) {
        lp_run_check(r, err);
    } else if (lp_sam_prepare(m, image, lp_f32(pixels), err)) {
        lp_tensor *x = lp_sam_neck(r, m, lp_sam_blocks(r, m, pixels, m->config.layers));
        const struct lp_sam_start start = lp_sam_begin(r, m, x, m->prompts.no_mask);
        if (lp_run_check(r, err))
            e = keep(m, image, x, &start, err);
    }
    lp_run_close(r);
    return e;
}

void lp_sam_embedding_close(struct lp_sam_embedding *e) {
    if (!e)
        return;
    lp_arena_done(&e->arena);
    lp_free(e);
}

/* NaN is nowhere. */
static bool is_inside(const struct lp_sam_embedding *e, float x, float y) {
    return x >= 0 && x <= (float)e->width && y >= 0 && y <= (float)e->height;
}

static bool check_prompt(const struct lp_sam_embedding *e, const struct lp_sam_prompt *p,
                         struct lp_error *err) {
    if (p->points < 1 && !p->box && !p->mask)
        return lp_error_set(err, LP_EINPUT, "there is neither a point nor a box nor a mask to go by");
    for (int64_t i = 0; i < p->points; i++)
        if (!is_inside(e, p->point[i][0], p->point[i][1]))
            return lp_error_set(err, LP_EINPUT, "the point (%g, %g) lies outside the picture of %d x %d px",
                                p->point[i][0], p->point[i][1], e->width, e->height);
    const float *b = p->box;
    if (b && (!isfinite(b[0]) || !isfinite(b[1]) || !isfinite(b[2]) || !isfinite(b[3]) || b[0] > b[2] ||
              b[1] > b[3] || b[0] > (float)e->width || b[1] > (float)e->height || b[2] < 0 || b[3] < 0))
        return lp_error_set(err, LP_EINPUT, "the box (%g, %g, %g, %g) is none in the picture of %d x %d px",
                            b[0], b[1], b[2], b[3], e->width, e->height);
    return true;
}

static struct lp_sam_masks *new_masks(const struct lp_sam *m, const struct lp_sam_embedding *e,
                                      int64_t prompts, enum lp_sam_choice choice, struct lp_error *err) {
    struct lp_sam_masks *a = lp_alloc(sizeof *a);
    int64_t side = 4 * lp_sam_side(&m->config), each = choice == LP_SAM_THREE ? m->config.masks - 1 : 1;
    if (!a || !(a->mask = lp_alloc_array((size_t)(prompts * each), sizeof *a->mask)))
        goto fail;
    a->width = e->width;
    a->height = e->height;
    a->side = side;
    a->per_prompt = each;
    for (; a->count < prompts * each; a->count++) {
        struct lp_sam_mask *one = &a->mask[a->count];
        one->pixel = lp_alloc_array((size_t)a->width, (size_t)a->height);
        one->logits = lp_alloc_array((size_t)(side * side), sizeof(float));
        if (!one->pixel || !one->logits) {
            a->count++;
            goto fail;
        }
    }
    return a;
fail:
    lp_error_memory(err);
    lp_sam_masks_close(a);
    return NULL;
}

void lp_sam_masks_close(struct lp_sam_masks *a) {
    if (!a)
        return;
    for (int64_t i = 0; i < a->count; i++) {
        lp_free(a->mask[i].pixel);
        lp_free(a->mask[i].logits);
    }
    lp_free(a->mask);
    lp_free(a);
}

/* Which of the decoder's masks is answer i. */
static int64_t choose(const float *scores, int64_t masks, enum lp_sam_choice choice, int64_t i) {
    if (choice == LP_SAM_ONE)
        return 0;
    int64_t best = 1 + i;
    for (int64_t j = 2; j < masks && choice == LP_SAM_BEST; j++)
        best = scores[j] > scores[best] ? j : best;
    return best;
}

/* The answers to one prompt, into answer[per_prompt]. */
static void answer_prompt(lp_run *r, const struct lp_sam *m, const struct lp_sam_embedding *e,
                          const struct lp_sam_prompt *p, enum lp_sam_choice choice, int64_t per_prompt,
                          struct lp_sam_mask *answer) {
    lp_tensor features = {.type = LP_F32, .ndim = 2, .dim = {e->rows, e->channels}, .data = e->data}, *scores;
    lp_mark mark = lp_here(r);
    lp_tensor *sparse =
        lp_sam_sparse(r, m, p, (double)e->scaled_width / e->width, (double)e->scaled_height / e->height);
    const struct lp_sam_start start = p->mask ? lp_sam_begin(r, m, &features, lp_sam_dense(r, m, p->mask)) : *e->start;
    lp_tensor *logits = lp_sam_decode(r, m, &start, sparse, &scores);
    for (int64_t i = 0; i < per_prompt && logits; i++) {
        int64_t at = choose(lp_f32(scores), m->config.masks, choice, i), n = lp_dim(logits, -1);
        answer[i].score = lp_f32(scores)[at];
        memcpy(answer[i].logits, lp_f32(logits) + at * n, sizeof(float) * (size_t)n);
        lp_sam_finish(r, m, e, answer[i].logits, answer[i].pixel);
    }
    lp_back_to(r, mark);
}

struct lp_sam_masks *lp_sam_segment(const struct lp_sam *m, const struct lp_sam_embedding *e,
                                    const struct lp_sam_prompt *prompt, int64_t prompts,
                                    enum lp_sam_choice choice, const atomic_bool *cancel,
                                    struct lp_error *err) {
    int64_t side = lp_sam_side(&m->config);
    if (e->rows != side * side || e->channels != m->config.channels) {
        lp_error_set(err, LP_EUSAGE, "the picture was seen by another model");
        return NULL;
    }
    for (int64_t i = 0; i < prompts; i++)
        if (!check_prompt(e, &prompt[i], err))
            return NULL;
    lp_run *r = open_run(m, cancel, err);
    struct lp_sam_masks *a = r ? new_masks(m, e, prompts, choice, err) : NULL;
    for (int64_t i = 0; i < prompts && a; i++)
        answer_prompt(r, m, e, &prompt[i], choice, a->per_prompt, a->mask + i * a->per_prompt);
    if (a && !lp_run_check(r, err)) {
        lp_sam_masks_close(a);
        a = NULL;
    }
    lp_run_close(r);
    return a;
}
