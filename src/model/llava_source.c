/* SPDX-License-Identifier: MIT */
/* model/llava_source.c - a LLaVA's configuration, tokenizer and weights, from folders or from GGUF files. */
#include "model/llava_source.h"

#include "base/file.h"
#include "text/template.h"
#include "weights/gguf_model.h"
#include "weights/mmproj.h"
#include "weights/tower.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static bool ends_in_gguf(const char *path) {
    size_t n = strlen(path);
    return n > 5 && strcasecmp(path + n - 5, ".gguf") == 0;
}

bool lp_llava_is_gguf(const char *path) {
    char magic[4] = {0};
    if (ends_in_gguf(path))
        return true;
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(magic, 1, sizeof magic, f) : 0;
    if (f)
        fclose(f);
    return lp_gguf_is(magic, n);
}

/* The last part of a path, without the slashes behind it and without ".gguf". */
static const char *last_part(struct lp_arena *arena, const char *path) {
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    size_t start = n;
    while (start > 0 && path[start - 1] != '/')
        start--;
    char *name = lp_arena_strndup(arena, path + start, n - start);
    if (name && ends_in_gguf(name))
        name[strlen(name) - 5] = 0;
    return name;
}

/* ---- a folder ---- */

static const char *file_in(struct lp_llava_source *s, const char *folder, const char *name, struct lp_error *err) {
    char path[PATH_MAX];
    if (!lp_file_join(path, sizeof path, folder, name, err))
        return NULL;
    const char *copy = lp_arena_strdup(&s->arena, path);
    if (!copy)
        lp_error_memory(err);
    return copy;
}

/* The picture encoder that the original's configuration only names: what its folder says of it becomes part of the model's
 * configuration. Where it is not found it may yet be among the model's tensors. */
static bool read_tower(struct lp_llava_source *s, const char *given, struct lp_error *err) {
    char folder[PATH_MAX], path[PATH_MAX];
    const char *name = json_string_value(json_object_get(s->config, "mm_vision_tower"));
    if (!given && (!name || !lp_tower_find(folder, sizeof folder, s->path, name, NULL)))
        return true;
    if (!(s->mmproj = lp_arena_strdup(&s->arena, given ? given : folder)))
        return lp_error_memory(err);
    if (!lp_file_join(path, sizeof path, s->mmproj, "config.json", err))
        return false;
    json_t *config = lp_json_load(path, err);
    json_t *vision = json_object_get(config, "vision_config");
    bool ok = config && (json_object_get(s->config, "vision_config") ||
                         json_object_set(s->config, "vision_config", vision ? vision : config) == 0 || lp_error_memory(err));
    json_decref(config);
    return ok;
}

static bool read_preprocessor(struct lp_llava_source *s, const char *folder, struct lp_error *err) {
    s->preprocessor_file = file_in(s, folder, "preprocessor_config.json", err);
    if (!s->preprocessor_file)
        return false;
    return !lp_file_exists(s->preprocessor_file) || (s->preprocessor = lp_json_load(s->preprocessor_file, err)) != NULL;
}

static bool open_folder(struct lp_llava_source *s, const char *tower, struct lp_error *err) {
    if (!(s->config_file = file_in(s, s->path, "config.json", err)) || !(s->config = lp_json_load(s->config_file, err)) ||
        !read_tower(s, tower, err) || !read_preprocessor(s, s->path, err))
        return false;
    return s->preprocessor || !s->mmproj || read_preprocessor(s, s->mmproj, err);
}

/* A model in the original's names without a picture encoder anywhere. */
static bool check_tower(const struct lp_llava_source *s, struct lp_error *err) {
    char folder[PATH_MAX];
    const char *name = json_string_value(json_object_get(s->config, "mm_vision_tower"));
    if (!name || s->mmproj || lp_weights_find(s->files, "model.vision_tower.vision_tower.vision_model.embeddings.class_embedding") ||
        lp_weights_find(s->files, "vision_model.embeddings.class_embedding"))
        return true;
    return lp_tower_find(folder, sizeof folder, s->path, name, err);
}

static bool load_folder(struct lp_llava_source *s, bool is_new, struct lp_error *err) {
    s->tokenizer_file = file_in(s, s->path, "tokenizer.model", err);
    if (s->tokenizer_file && !lp_file_exists(s->tokenizer_file))
        s->tokenizer_file = file_in(s, s->path, "tokenizer.json", err);
    return s->tokenizer_file && (s->tokenizer = lp_tokenizer_open(s->tokenizer_file, err)) &&
           (is_new || ((s->files = lp_weights_open_both(s->path, s->mmproj, err)) && check_tower(s, err)));
}

/* ---- GGUF files ---- */

/* The content of the i-th file, which must be of an architecture. */
static const struct lp_gguf *part(const struct lp_weights *w, size_t i, const char *path,
                                  const char *architecture, const char *what, struct lp_error *err) {
    struct lp_arena arena = {0};
    const char *name = "";
    const struct lp_gguf *g = lp_weights_gguf(w, i);
    bool ok = g || lp_error_set(err, LP_EINPUT, "%s: is no GGUF file", path);
    ok = ok && lp_gguf_string(g, "general.architecture", "", &arena, &name, err);
    if (ok && strcmp(name, architecture))
        ok = lp_error_set(err, LP_EINPUT, "%s: is no %s: its architecture is '%.60s', but only %s is known",
                          path, what, name, architecture);
    lp_arena_done(&arena);
    return ok ? g : NULL;
}

/* Whether a file can be one of the two: looked at alone first, so that a wrong one is told as what it is. */
static bool check_part(const char *path, const char *architecture, const char *what, struct lp_error *err) {
    struct lp_weights *w = lp_weights_open_file(path, err);
    bool ok = w && part(w, 0, path, architecture, what, err);
    lp_weights_close(w);
    return ok;
}

/* The picture encoder's rows must be as wide as the language model's. */
static bool check_widths(const struct lp_llava_source *s, struct lp_error *err) {
    const struct lp_weight *last = lp_weights_find(s->files, "model.mm_projector.2.weight");
    const struct lp_weight *table = lp_weights_find(s->files, "model.embed_tokens.weight");
    if (!last)
        last = lp_weights_find(s->files, "model.mm_projector.weight");
    if (!last || !table || last->ndim != 2 || table->ndim != 2 || last->dim[0] == table->dim[1])
        return true; /* what is missing is told by its name later */
    return lp_error_set(
        err, LP_EINPUT,
        "%s: is the picture encoder of another model: it gives rows of %lld numbers, but %s takes "
        "%lld",
        s->mmproj, (long long)last->dim[0], s->path, (long long)table->dim[1]);
}

/* The template that a file names, or else as the original chooses by names: the file's, the model's, the
 * folder's. None of them need say "llava": then LLaVA-1.5 is told by its projector of two layers. */
static bool choose_template(struct lp_llava_source *s, const struct lp_gguf *g, struct lp_error *err) {
    char folder[PATH_MAX];
    const char *key, *title;
    if (!lp_gguf_string(g, "llava_plus.template", NULL, &s->arena, &key, err) ||
        !lp_gguf_string(g, "general.name", "", &s->arena, &title, err))
        return false;
    snprintf(folder, sizeof folder, "%s", s->path);
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = 0;
    const char *beside = slash ? last_part(&s->arena, folder) : "", *names[] = {s->name, title, beside};
    for (size_t i = 0; !key && beside && i < sizeof names / sizeof *names; i++)
        if (strcasestr(names[i], "llava"))
            key = lp_template_key(lp_template_for_model(names[i]));
    if (!key)
        key = lp_weights_find(s->files, "model.mm_projector.2.weight") ? "llava_v1" : "llava_v0";
    return (beside && json_object_set_new(s->config, "llava_plus_template", json_string(key)) == 0) ||
           lp_error_memory(err);
}

/* What our own writer adds to be read back exactly. */
static bool read_ours(struct lp_llava_source *s, const struct lp_gguf *g, const struct lp_gguf *vision,
                      struct lp_error *err) {
    bool handles;
    const char *preprocessor = NULL;
    if (!lp_gguf_bool(g, "llava_plus.handles", false, &handles, err) ||
        (vision && !lp_gguf_string(vision, "llava_plus.preprocessor", NULL, &s->arena, &preprocessor, err)))
        return false;
    if (json_object_set_new(s->config, "llava_plus_handles", json_boolean(handles)) < 0)
        return lp_error_memory(err);
    if (preprocessor) {
        s->preprocessor = lp_json_parse(preprocessor, strlen(preprocessor), s->preprocessor_file, err);
        return s->preprocessor;
    }
    return !vision || (s->preprocessor = lp_gguf_preprocessor(vision, err)) != NULL;
}

static bool open_gguf(struct lp_llava_source *s, bool alone, struct lp_error *err) {
    if (s->mmproj && !check_part(s->mmproj, "clip", "picture encoder", err))
        return false;
    const char *paths[] = {s->path, s->mmproj};
    s->config_file = s->tokenizer_file = s->path;
    s->preprocessor_file = s->mmproj ? s->mmproj : s->path;
    s->files = lp_weights_open_files(paths, s->mmproj ? 2 : 1, err);
    const struct lp_gguf *g = s->files ? lp_weights_gguf(s->files, 0) : NULL,
                         *vision = s->files ? lp_weights_gguf(s->files, 1) : NULL;
    return g && (vision || alone) && check_widths(s, err) && (s->config = lp_gguf_config(g, vision, err)) &&
           choose_template(s, g, err) && read_ours(s, g, vision, err);
}

static bool load_gguf(struct lp_llava_source *s, struct lp_error *err) {
    s->tokenizer = lp_gguf_tokenizer(lp_weights_gguf(s->files, 0), err);
    return s->tokenizer;
}

/* ---- either ---- */

static bool find_mmproj(struct lp_llava_source *s, const char *given, bool alone, struct lp_error *err) {
    char found[PATH_MAX];
    struct lp_error none = {0};
    if (!given && !lp_mmproj_find(found, sizeof found, s->path, &none)) {
        if (alone && none.code == LP_EMISSING)
            return true;
        if (err)
            *err = none;
        return false;
    }
    s->mmproj = lp_arena_strdup(&s->arena, given ? given : found);
    return s->mmproj || lp_error_memory(err);
}

static bool open_source(struct lp_llava_source *s, const char *path, const char *mmproj, bool alone,
                        struct lp_error *err) {
    *s = (struct lp_llava_source){0};
    s->path = lp_arena_strdup(&s->arena, path);
    s->name = last_part(&s->arena, path);
    if (!s->path || !s->name)
        return lp_error_memory(err);
    if (lp_llava_is_gguf(path))
        return check_part(path, "llama", "language model", err) && find_mmproj(s, mmproj, alone, err) &&
               open_gguf(s, alone, err);
    if (mmproj && lp_llava_is_gguf(mmproj))
        return lp_error_set(err, LP_EUSAGE, "the GGUF file of --mmproj goes with a GGUF model, but '%s' is none", path);
    return open_folder(s, mmproj, err);
}

bool lp_llava_source_open(struct lp_llava_source *s, const char *path, const char *mmproj,
                          struct lp_error *err) {
    return open_source(s, path, mmproj, false, err);
}

bool lp_llava_source_open_alone(struct lp_llava_source *s, const char *path, const char *mmproj,
                                struct lp_error *err) {
    return open_source(s, path, mmproj, true, err);
}

bool lp_llava_source_load(struct lp_llava_source *s, bool is_new, struct lp_error *err) {
    return s->files ? load_gguf(s, err) : load_folder(s, is_new, err);
}

void lp_llava_source_done(struct lp_llava_source *s) {
    json_decref(s->config);
    json_decref(s->preprocessor);
    lp_tokenizer_close(s->tokenizer);
    lp_weights_close(s->files);
    lp_arena_done(&s->arena);
    *s = (struct lp_llava_source){0};
}

bool lp_llava_source_config(const struct lp_llava_source *s, struct lp_llava_config *c, bool *sees,
                            struct lp_error *err) {
    const char *type;
    *c = (struct lp_llava_config){0};
    *sees = false;
    bool ok = json_is_object(s->config) ? lp_json_string(s->config, "model_type", "", &type, err)
                                        : lp_error_set(err, LP_EINPUT, "it must hold a JSON object");
    if (ok && strcmp(type, "llama") == 0) {
        ok = lp_llama_read_config(s->config, &c->llama, err);
    } else if (ok) {
        ok = lp_llava_read_config(s->config, c, err);
        *sees = true;
    }
    return ok || lp_error_prefix(err, "%s", s->config_file);
}

enum lp_llava_place lp_llava_place(const struct lp_llava_config *c, const char *name,
                                   char gguf[LP_GGUF_NAME]) {
    long block;
    if (!lp_gguf_name_of(gguf, name) || strncmp(gguf, "v.post_ln.", 10) == 0)
        return LP_PLACE_NONE;
    if (sscanf(gguf, "v.blk.%ld.", &block) == 1)
        return block < c->depth ? LP_PLACE_PICTURE : LP_PLACE_NONE;
    if (strncmp(gguf, "v.", 2) == 0 || strncmp(gguf, "mm.", 3) == 0)
        return LP_PLACE_PICTURE;
    bool needed = sscanf(gguf, "blk.%ld.", &block) == 1 ? block < c->llama.layers
                                                        : !c->llama.tied || strcmp(gguf, "output.weight");
    return needed ? LP_PLACE_LANGUAGE : LP_PLACE_NONE;
}
