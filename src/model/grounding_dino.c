/* SPDX-License-Identifier: MIT */
/* model/grounding_dino.c - Grounding DINO, Liu et al. 2023, arXiv:2303.05499.
 *   picture --grounding_dino_picture.c, swin.c--> places of four maps [N,C]
 *   caption --phrases, bert.c--> tokens [T,C]
 *   both --grounding_dino_encoder.c, _fusion.c--> both anew
 *     --grounding_dino_decoder.c--> queries: logits [n,T], boxes [n,4]
 *     --grounding_dino_answer.c--> boxes with phrases
 * Weight names: grounding_dino_config.c. */
#include "model/grounding_dino_model.h"

#include "base/file.h"
#include "base/memory.h"

#include <limits.h>
#include <string.h>

/* Address space for one pass; pages are taken as they are used. */
static const size_t run_limit_bytes = (size_t)8 << 30;

static const float group_eps = 1e-5f; /* PyTorch's, no configuration changes it */

/* ---- weights ---- */

/* 1x1 convolutions from the backbone's maps, then 3x3 ones: the first from its last map, others from the one
 * before. */
static void bind_projections(struct lp_bind *b, const struct lp_dino_names *n, struct lp_grounding_dino *m) {
    const struct lp_swin_config *swin = &m->config.backbone;
    int64_t C = m->config.channels, stage = 0, from = 0;
    for (int64_t i = 0; i < m->config.levels; i++) {
        while (stage < swin->stages && !swin->gives[stage])
            stage++;
        bool extra = stage >= swin->stages;
        if (!extra)
            from = lp_swin_channels(swin, stage++);
        size_t up = lp_bind_enter(b, "%s.%ld", n->project, (long)i);
        lp_bind_conv(b, "0", &m->project[i], from, C, extra ? 3 : 1, true);
        lp_bind_layer_norm(b, "1", &m->project_norm[i], C, group_eps);
        lp_bind_leave(b, up);
        from = extra ? C : from;
    }
}

static bool bind(struct lp_grounding_dino *m, const struct lp_dino_names *n, const char *prefix,
                 struct lp_error *err) {
    struct lp_bind b = {
        .arena = &m->arena, .kernels = m->kernels, .files = m->files, .parameters = &m->parameters};
    const char *text = lp_bert_prefix(m->files);
    bool ok = lp_bert_bind(&b, text ? text : "bert", &m->config.text, &m->text);
    snprintf(b.prefix, sizeof b.prefix, "%s", prefix);
    size_t up = lp_bind_enter(&b, "%s", n->backbone);
    ok = lp_swin_bind(&b, &m->config.backbone, &m->backbone) && ok;
    lp_bind_leave(&b, up);
    bind_projections(&b, n, m);
    lp_bind_linear(&b, n->words, &m->words, m->config.text.hidden, m->config.channels, true);
    m->level_code =
        lp_bind_tensor(&b, n->level_code, LP_BIND_EMBEDDING, 2, m->config.levels, m->config.channels);
    ok = lp_dino_bind_encoder(&b, n, m) && ok;
    ok = lp_dino_bind_decoder(&b, n, m) && ok;
    b.failed = b.failed || !ok;
    return lp_bind_done(&b, err);
}

/* ---- files ---- */

/* The JSON object of a file in the folder; NULL on failure, and, without failing, where there is no such
 * file. */
static json_t *load(const char *folder, const char *name, char path[PATH_MAX], struct lp_error *err) {
    if (!lp_file_join(path, PATH_MAX, folder, name, err) || !lp_file_exists(path))
        return NULL;
    json_t *config = lp_json_load(path, err);
    if (!config || json_is_object(config))
        return config;
    json_decref(config);
    lp_error_set(err, LP_EINPUT, "%s: it must hold a JSON object", path);
    return NULL;
}

static bool read_sizes(struct lp_grounding_dino *m, const char *folder, const struct lp_dino_names *names,
                       const char *prefix, struct lp_error *err) {
    char path[PATH_MAX];
    if (lp_dino_names_are_original(names))
        return lp_dino_read_shapes(m->files, prefix, &m->config, err) || lp_error_prefix(err, "%s", folder);
    if (!lp_file_join(path, sizeof path, folder, "config.json", err))
        return false;
    json_t *config = lp_json_load(path, err);
    bool ok = config && (lp_dino_read_config(config, &m->config, err) || lp_error_prefix(err, "%s", path));
    json_decref(config);
    return ok;
}

/* preprocessor_config.json's sizes, means and deviations; without one 800 and 1333 px, and ImageNet's. */
static bool read_preprocess(struct lp_grounding_dino *m, const char *folder, struct lp_error *err) {
    static const double mean[3] = {0.485, 0.456, 0.406}, deviation[3] = {0.229, 0.224, 0.225};
    enum { MOST_PX = 4096 };
    char path[PATH_MAX];
    struct lp_error failed = {0};
    int64_t filter;
    json_t *config = load(folder, "preprocessor_config.json", path, &failed);
    const json_t *size = NULL;
    bool ok = !failed.code && lp_json_object(config, "size", &size, &failed) &&
              lp_json_int(size, "shortest_edge", 800, 1, MOST_PX, &m->shortest_px, &failed) &&
              lp_json_int(size, "longest_edge", 1333, m->shortest_px, MOST_PX, &m->longest_px, &failed) &&
              lp_json_int(config, "resample", 2, 2, 2, &filter, &failed);
    json_object_del(config, "size");
    ok = ok && lp_preprocess_read(&m->preprocess, config, &failed);
    m->preprocess.filter = LP_BILINEAR;
    for (int c = 0; c < 3; c++) {
        if (!json_object_get(config, "image_mean"))
            m->preprocess.mean[c] = mean[c];
        if (!json_object_get(config, "image_std"))
            m->preprocess.std[c] = deviation[c];
    }
    json_decref(config);
    return ok || lp_error_set(err, failed.code, "%s: %s", path, failed.text);
}

static bool open_files(struct lp_grounding_dino *m, const char *folder, struct lp_error *err) {
    const char *prefix;
    if (!(m->files = lp_weights_open(folder, err)))
        return false;
    const struct lp_dino_names *names = lp_dino_find_names(m->files, &prefix);
    if (!names)
        return lp_error_set(err, LP_EINPUT, "%s: these are no weights of a Grounding DINO", folder);
    if (!read_sizes(m, folder, names, prefix, err) || !read_preprocess(m, folder, err) ||
        !(m->vocabulary = lp_wordpiece_open(folder, err)))
        return false;
    if (!bind(m, names, prefix, err))
        return lp_error_prefix(err, "%s", folder);
    return lp_wordpiece_size(m->vocabulary) <= m->config.text.vocabulary ||
           lp_error_set(err, LP_EINPUT, "%s: the vocabulary has %d words, the model %ld", folder,
                        lp_wordpiece_size(m->vocabulary), (long)m->config.text.vocabulary);
}

struct lp_grounding_dino *lp_grounding_dino_open(const char *folder, const struct lp_kernels *kernels,
                                                 struct lp_error *err) {
    struct lp_grounding_dino *m = lp_alloc(sizeof *m);
    if (!m) {
        lp_error_memory(err);
        return NULL;
    }
    m->kernels = kernels;
    if (open_files(m, folder, err))
        return m;
    lp_grounding_dino_close(m);
    return NULL;
}

void lp_grounding_dino_close(struct lp_grounding_dino *m) {
    if (!m)
        return;
    lp_wordpiece_close(m->vocabulary);
    lp_weights_close(m->files);
    lp_arena_done(&m->arena);
    lp_free(m);
}

/* ---- detection ---- */

/* The whole network. pixels [1,3,h,w] -> logits [n,tokens] and *box [n,4]. */
static lp_tensor *run_network(lp_run *r, const struct lp_grounding_dino *m, lp_tensor *pixels,
                              const struct lp_phrases *phrases, lp_tensor **box) {
    struct lp_dino_scene scene = {.phrases = phrases};
    struct lp_dino_queries queries = {0};
    struct lp_dino_both x = {.token = lp_dino_read(r, m, phrases)};
    x.place = lp_dino_see(r, m, pixels, &scene.maps);
    scene.place_code = lp_dino_place_codes(r, m, &scene.maps);
    scene.middle = lp_dino_middles(r, &scene.maps);
    scene.token_code = lp_dino_token_codes(r, m, phrases);
    for (int64_t i = 0; i < m->config.encoder_layers; i++) {
        lp_dino_fuse(r, &m->encoder[i].fusion, &x);
        lp_dino_enhance(r, m, i, &scene, &x);
    }
    lp_dino_choose(r, m, &scene.maps, &x, &queries);
    for (int64_t i = 0; i < m->config.decoder_layers; i++)
        lp_dino_decode(r, m, i, &scene.maps, &x, &queries);
    return lp_dino_conclude(r, m, &x, &queries, box);
}

/* What the network makes of a picture and a caption. Zero-initialised is valid and empty. */
struct look {
    lp_run *r;
    struct lp_phrases phrases;
    lp_tensor *logits, *box; /* [n,tokens], [n,4]; live in the run */
};

static bool look(struct look *l, const struct lp_grounding_dino *m, const struct lp_image *image,
                 const char *caption, size_t n, const atomic_bool *cancel, struct lp_error *err) {
    int w, h;
    if (!(l->r = lp_run_open(m->kernels, run_limit_bytes, err)) ||
        !lp_phrases_read(m->vocabulary, caption, n, &l->phrases, err) ||
        !lp_dino_fit(m, image->width, image->height, &w, &h, err))
        return false;
    l->r->cancel = (const volatile bool *)cancel;
    lp_tensor *pixels = lp_new(l->r, 4, (int64_t)1, (int64_t)3, (int64_t)h, (int64_t)w);
    if (pixels && !lp_dino_prepare(m, image, w, h, lp_f32(pixels), err))
        return false;
    l->logits = run_network(l->r, m, pixels, &l->phrases, &l->box);
    return lp_run_check(l->r, err);
}

static void look_away(struct look *l) {
    lp_phrases_done(&l->phrases);
    lp_run_close(l->r);
}

struct lp_detections *lp_grounding_dino_detect(const struct lp_grounding_dino *m,
                                               const struct lp_image *image, const char *caption, size_t n,
                                               const struct lp_detect_limits *limits,
                                               const atomic_bool *cancel, struct lp_error *err) {
    struct look l = {0};
    struct lp_detections *found = NULL;
    if (look(&l, m, image, caption, n, cancel, err))
        found = lp_dino_answer(m->vocabulary, &l.phrases.ids, lp_f32(l.logits), lp_f32(l.box), lp_rows(l.box),
                               image->width, image->height, limits, err);
    look_away(&l);
    return found;
}

int64_t lp_grounding_dino_rank(const struct lp_grounding_dino *m, const struct lp_image *image,
                               const char *caption, size_t n, double share, struct lp_ranked *best,
                               int64_t most, struct lp_error *err) {
    struct look l = {0};
    int64_t count = -1;
    if (look(&l, m, image, caption, n, NULL, err))
        count = lp_dino_rank(&l.phrases, lp_f32(l.logits), lp_f32(l.box), lp_rows(l.box), image->width,
                             image->height, share, best, most, err);
    look_away(&l);
    return count;
}

int64_t lp_grounding_dino_phrases(const struct lp_grounding_dino *m, const char *caption, size_t n,
                                  struct lp_error *err) {
    struct lp_phrases phrases = {0};
    int64_t count = -1;
    if (lp_phrases_read(m->vocabulary, caption, n, &phrases, err))
        count = phrases.cut ? 0 : phrases.count - 2; /* [CLS] and [SEP] stand alone */
    lp_phrases_done(&phrases);
    return count;
}
