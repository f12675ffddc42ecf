/* SPDX-License-Identifier: MIT */
/* model/llava.c - LLaVA, Liu et al. 2023, arXiv:2304.08485.
 *   picture --CLIP, hidden state before the last block--> [p,C] --projector--> [p,hidden]
 *   ids with a picture's mark --> token embeddings, the picture's rows in place of the mark --> LLaMA --> logits
 * Weight names: transformers models/llava (three generations of prefixes) and the original
 * llava/model/llava_arch.py. */
#include "model/llava_model.h"
#include "model/llava_packed.h"
#include "model/llava_room.h"
#include "model/llava_source.h"

#include "base/available.h"
#include "base/file.h"
#include "base/memory.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Where each generation of files keeps its parts. The probe is a weight that only it has. */
static const struct layout {
    const char *probe, *model, *head, *tower, *first, *second;
} layouts[] = {
    {"language_model.model.embed_tokens.weight", "language_model.model", "language_model.lm_head",
     "vision_tower.vision_model", "multi_modal_projector.linear_1", "multi_modal_projector.linear_2"},
    {"model.language_model.embed_tokens.weight", "model.language_model", "lm_head",
     "model.vision_tower.vision_model", "model.multi_modal_projector.linear_1",
     "model.multi_modal_projector.linear_2"},
    {"model.mm_projector.0.weight", "model", "lm_head", "model.vision_tower.vision_tower.vision_model",
     "model.mm_projector.0", "model.mm_projector.2"},
    {"model.mm_projector.weight", "model", "lm_head", "model.vision_tower.vision_tower.vision_model",
     "model.mm_projector", NULL},
};

static const struct layout *find_layout(const struct lp_weights *files) {
    for (size_t i = 0; files && i < sizeof layouts / sizeof *layouts; i++)
        if (lp_weights_find(files, layouts[i].probe))
            return &layouts[i];
    return &layouts[0];
}

/* Where the picture encoder's tensors are: within the model's, else as CLIP's own files have them. */
static const char *find_tower(const struct lp_weights *files, const struct layout *layout) {
    char name[200];
    snprintf(name, sizeof name, "%s.embeddings.class_embedding", layout->tower);
    bool alone = files && !lp_weights_find(files, name) && lp_weights_find(files, "vision_model.embeddings.class_embedding");
    return alone ? "vision_model" : layout->tower;
}

static bool bind(struct lp_llava *m, struct lp_bind b, struct lp_error *err) {
    const struct layout *layout = find_layout(m->files);
    const struct lp_llava_config *c = &m->config;
    b.arena = b.arena ? b.arena : &m->arena;
    b.kernels = m->kernels;
    b.files = m->files;
    b.packed = m->packed;
    b.parameters = &m->parameters;
    size_t up = lp_bind_enter(&b, "%s", find_tower(m->files, layout));
    b.failed = !lp_clip_bind(&b, &c->clip, c->depth, &m->clip);
    lp_bind_leave(&b, up);
    m->part_end[LP_PART_PICTURE] = m->parameters.count;
    m->projector = (struct lp_projector){.two_layers = c->two_layers, .act = c->act};
    lp_bind_linear(&b, layout->first, &m->projector.first, c->clip.hidden, c->llama.hidden, true);
    if (c->two_layers)
        lp_bind_linear(&b, layout->second ? layout->second : "model.mm_projector.2", &m->projector.second,
                       c->llama.hidden, c->llama.hidden, true);
    m->part_end[LP_PART_PROJECTOR] = m->parameters.count;
    b.packs_half = m->packs_half;
    b.failed = !lp_llama_bind(&b, &c->llama, layout->model, layout->head, &m->llama) || b.failed;
    m->part_end[LP_PART_LANGUAGE] = m->parameters.count;
    return lp_bind_done(&b, err);
}

bool lp_llava_check(const struct lp_weights *files, const struct lp_llava_config *c, bool sees, struct lp_arena *arena,
                    struct lp_parameters *needed, struct lp_error *err) {
    struct lp_llava m = {.files = (struct lp_weights *)files, .config = *c};
    struct lp_bind alone = {.arena = arena, .files = files, .checks = true, .parameters = &m.parameters};
    bool ok;
    if (sees) {
        ok = bind(&m, (struct lp_bind){.arena = arena, .checks = true}, err);
    } else {
        alone.failed = !lp_llama_bind(&alone, &c->llama, "model", "lm_head", &m.llama);
        ok = lp_bind_done(&alone, err);
    }
    *needed = m.parameters;
    return ok;
}

/* How pictures are prepared: preprocessor_config.json; without one CLIP's way at the encoder's size. */
static bool read_preprocess(struct lp_llava *m, const struct lp_llava_source *s, struct lp_error *err) {
    bool ok = lp_preprocess_read(&m->preprocess, s->preprocessor, err);
    if (!s->preprocessor)
        m->preprocess.size = m->preprocess.crop = (int)m->config.clip.image_px;
    if (ok && m->preprocess.crop != m->config.clip.image_px)
        ok = lp_error_set(err, LP_EINPUT, "pictures are cut to %d px, but the encoder takes %ld", m->preprocess.crop,
                          (long)m->config.clip.image_px);
    return ok || lp_error_prefix(err, "%s", s->preprocessor_file);
}

static bool read_configs(struct lp_llava *m, const struct lp_llava_source *s, struct lp_error *err) {
    const char *aspect;
    if (!lp_llava_read_config(s->config, &m->config, err) ||
        !lp_json_string(s->config, "image_aspect_ratio", NULL, &aspect, err))
        return lp_error_prefix(err, "%s", s->config_file);
    return read_preprocess(m, s, err) && lp_preprocess_set_aspect(&m->preprocess, aspect, err);
}

/* Takes over what the source has opened. */
static bool take(struct lp_llava *m, struct lp_llava_source *s, bool is_new, struct lp_error *err) {
    bool ok = lp_llava_source_load(s, is_new, err);
    m->tokenizer = s->tokenizer;
    m->files = s->files;
    s->tokenizer = NULL;
    s->files = NULL;
    if (ok && lp_tokenizer_size(m->tokenizer) > m->config.llama.vocabulary)
        return lp_error_set(err, LP_EINPUT, "%s has %d tokens, but the model's vocabulary is %ld", s->tokenizer_file,
                            lp_tokenizer_size(m->tokenizer), (long)m->config.llama.vocabulary);
    m->name = ok ? lp_arena_strdup(&m->arena, s->name) : NULL;
    return ok && (m->name || lp_error_memory(err));
}

static void find_packed(struct lp_llava *m, const char *path) {
    m->digest = lp_llava_digest(m->files, lp_weights_changed_ns(m->files));
    m->packed = lp_llava_packed_open(path, &m->digest);
}

/* Every token reads the language model's matrices: they are brought in at once, where they are packed and where they stay
 * as they lie in the model's file. Of that nothing else is needed yet. */
static void hasten(const struct lp_llava *m) {
    lp_weights_let_go(m->files);
    if (m->packed)
        lp_weights_hasten(m->packed);
    for (int64_t i = m->part_end[LP_PART_PROJECTOR]; i < m->part_end[LP_PART_LANGUAGE]; i++) {
        const struct lp_parameter *p = &m->parameters.item[i];
        const struct lp_weight *stored = lp_weights_find(m->files, p->name);
        if (stored && p->tensor->data == stored->data && p->tensor != m->llama.embedding)
            lp_weight_hasten(stored);
    }
}

enum purpose { TO_USE, TO_PACK, TO_LEARN };

/* rng: of a new model, that is only TO_LEARN; else NULL. */
static struct lp_llava *open_model(const char *path, const char *mmproj, const struct lp_kernels *kernels,
                                   enum purpose purpose, struct lp_rng *rng, struct lp_error *err) {
    bool learns = purpose == TO_LEARN;
    struct lp_llava_source s;
    struct lp_llava *m = lp_alloc(sizeof *m);
    if (!m) {
        lp_error_memory(err);
        return NULL;
    }
    m->kernels = kernels;
    m->packs_half = purpose == TO_PACK;
    bool ok = lp_llava_source_open(&s, path, mmproj, err) && read_configs(m, &s, err) && take(m, &s, rng, err);
    lp_llava_source_done(&s);
    if (ok && !learns)
        find_packed(m, path);
    int64_t available = ok && !learns ? lp_memory_available("") : INT64_MAX;
    if (ok && !learns && lp_llava_copied_bytes(m) > available)
        ok = lp_llava_no_room(m, path, available, err);
    if (ok && (bind(m, (struct lp_bind){.rng = rng, .learns = learns}, err) || lp_error_prefix(err, "%s", path))) {
        if (!learns) {
            hasten(m);
            lp_llava_identify(m);
        }
        return m;
    }
    lp_llava_close(m);
    return NULL;
}

struct lp_llava *lp_llava_open(const char *path, const struct lp_kernels *kernels, struct lp_error *err) {
    return open_model(path, NULL, kernels, TO_USE, NULL, err);
}

struct lp_llava *lp_llava_open_with(const char *path, const char *mmproj, const struct lp_kernels *kernels,
                                    struct lp_error *err) {
    return open_model(path, mmproj, kernels, TO_USE, NULL, err);
}

struct lp_llava *lp_llava_open_to_pack(const char *path, const char *mmproj, const struct lp_kernels *kernels,
                                       struct lp_error *err) {
    return open_model(path, mmproj, kernels, TO_PACK, NULL, err);
}

struct lp_llava *lp_llava_open_to_learn(const char *folder, const struct lp_kernels *kernels, uint64_t seed,
                                        struct lp_error *err) {
    char single[PATH_MAX], index[PATH_MAX];
    if (lp_llava_is_gguf(folder)) {
        lp_error_set(err, LP_EINPUT, "%s: a GGUF file cannot be trained; give the model's Hugging Face folder", folder);
        return NULL;
    }
    if (!lp_file_join(single, sizeof single, folder, "model.safetensors", err) ||
        !lp_file_join(index, sizeof index, folder, "model.safetensors.index.json", err))
        return NULL;
    struct lp_rng rng;
    lp_rng_seed(&rng, seed);
    bool is_new = !lp_file_exists(single) && !lp_file_exists(index);
    return open_model(folder, NULL, kernels, TO_LEARN, is_new ? &rng : NULL, err);
}

void lp_llava_learn(struct lp_llava *m, unsigned parts) {
    int64_t i = 0;
    for (int part = 0; part < LP_PARTS; part++)
        for (; i < m->part_end[part]; i++)
            m->parameters.item[i].tensor->learns = parts >> part & 1;
}

void lp_llava_close(struct lp_llava *m) {
    if (!m)
        return;
    lp_tokenizer_close(m->tokenizer);
    lp_weights_close(m->packed);
    lp_weights_close(m->files);
    lp_arena_done(&m->arena);
    lp_free(m);
}

const struct lp_tokenizer *lp_llava_tokenizer(const struct lp_llava *m) {
    return m->tokenizer;
}

const char *lp_llava_name(const struct lp_llava *m) {
    return m->name;
}

const struct lp_template *lp_llava_template(const struct lp_llava *m) {
    return m->config.template ? m->config.template : lp_template_for_model(m->name);
}

bool lp_llava_knows_handles(const struct lp_llava *m) {
    return m->config.knows_handles;
}

int64_t lp_llava_vocabulary(const struct lp_llava *m) {
    return m->config.llama.vocabulary;
}

int64_t lp_llava_context(const struct lp_llava *m) {
    return m->config.llama.context;
}

int64_t lp_llava_rows_a_picture(const struct lp_llava *m) {
    return lp_clip_patches(&m->config.clip);
}

int64_t lp_llava_count_rows(const struct lp_llava *m, const int32_t *id, int64_t n) {
    int64_t rows = n;
    for (int64_t i = 0; i < n; i++)
        if (id[i] == LP_IMAGE_TOKEN)
            rows += lp_llava_rows_a_picture(m) - 1;
    return rows;
}

lp_tensor *lp_llava_project(lp_run *r, const struct lp_llava *m, lp_tensor *pixels) {
    lp_mark mark = lp_here(r);
    bool taping = r->taping;
    r->taping = taping && m->clip.class_embedding->learns; /* frozen: no more memory than one block's */
    lp_tensor *x = lp_clip_features(r, &m->clip, pixels);
    r->taping = taping;
    x = lp_linear(r, &m->projector.first, x);
    if (m->projector.two_layers)
        x = lp_linear(r, &m->projector.second, lp_act(r, x, m->projector.act));
    return lp_keep(r, mark, x);
}

lp_tensor *lp_llava_embed(lp_run *r, const struct lp_llava *m, const int32_t *id, int64_t n, lp_tensor *seen) {
    int64_t rows = lp_llava_count_rows(m, id, n), picture = lp_llava_rows_a_picture(m), words = 0, taken = 0, at = 0;
    int32_t *word = lp_run_alloc(r, sizeof(int32_t) * (size_t)n);
    int32_t *index = lp_run_alloc(r, sizeof(int32_t) * (size_t)rows);
    if (!word || !index)
        return NULL;
    for (int64_t i = 0; i < n; i++) {
        if (id[i] != LP_IMAGE_TOKEN) {
            index[at++] = (int32_t)words;
            word[words++] = id[i];
        } else {
            for (int64_t j = 0; j < picture; j++)
                index[at++] = (int32_t)(-1 - taken++);
        }
    }
    return lp_pick_rows(r, lp_embedding(r, m->llama.embedding, word, words), seen, index, rows);
}
