/* SPDX-License-Identifier: MIT */
/* model/swin_config.c - Swin's sizes, from a config.json or from the shapes of the original's weights. */
#include "model/swin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WIDTH = 1 << 12, MOST_DEPTH = 64, MOST_WINDOW = 32 };

int64_t lp_swin_channels(const struct lp_swin_config *c, int64_t stage) {
    return c->width << stage;
}

static bool check_sizes(const struct lp_swin_config *c, struct lp_error *err) {
    for (int64_t i = 0; i < c->stages; i++)
        if (lp_swin_channels(c, i) % c->heads[i])
            return lp_error_set(err, LP_EINPUT, "stage %ld's %ld channels do not divide into %ld heads",
                                (long)i + 1, (long)lp_swin_channels(c, i), (long)c->heads[i]);
    return true;
}

/* ---- config.json ---- */

/* A list of one number a stage; `usual` where there is none. */
static bool read_list(const json_t *config, const char *key, const int64_t *usual, int64_t most,
                      int64_t *stages, int64_t value[LP_SWIN_MOST_STAGES], struct lp_error *err) {
    const json_t *list = json_object_get(config, key);
    size_t n = list && !json_is_null(list) ? json_array_size(list) : LP_SWIN_MOST_STAGES;
    if (n < 1 || n > LP_SWIN_MOST_STAGES)
        return lp_error_set(err, LP_EINPUT, "'%s' must be a list of 1 to %d numbers", key,
                            LP_SWIN_MOST_STAGES);
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(list, i);
        value[i] = one ? json_integer_value(one) : usual[i];
        if ((one && !json_is_integer(one)) || value[i] < 1 || value[i] > most)
            return lp_error_set(err, LP_EINPUT, "'%s' must hold whole numbers from 1 to %ld", key,
                                (long)most);
    }
    *stages = (int64_t)n;
    return true;
}

static bool read_act(const json_t *config, enum lp_act *act, struct lp_error *err) {
    const char *name;
    if (!lp_json_string(config, "hidden_act", "gelu", &name, err))
        return false;
    *act = strcmp(name, "relu") ? LP_GELU : LP_RELU;
    return !strcmp(name, "gelu") || !strcmp(name, "relu") ||
           lp_error_set(err, LP_EINPUT, "'hidden_act' is '%s'; gelu and relu are known", name);
}

static bool read_switch(const json_t *config, const char *key, bool usual, bool *on, struct lp_error *err) {
    const json_t *value = json_object_get(config, key);
    *on = value && !json_is_null(value) ? json_is_true(value) : usual;
    return !value || json_is_null(value) || json_is_boolean(value) ||
           lp_error_set(err, LP_EINPUT, "'%s' must be true or false", key);
}

/* The stage that an entry of "out_features" or "out_indices" means, from 1; 0 for none. */
static int64_t stage_of(const json_t *entry) {
    if (json_is_integer(entry))
        return json_integer_value(entry);
    const char *name = json_string_value(entry);
    return name && !strncmp(name, "stage", 5) && strlen(name) == 6 ? name[5] - '0' : 0;
}

/* "out_features" ("stage2") or "out_indices" (2) say which stages' maps are wanted; without, the last's is.
 */
static bool read_wanted(const json_t *config, struct lp_swin_config *c, struct lp_error *err) {
    const char *key = "out_features";
    const json_t *list = json_object_get(config, key);
    if (!list || json_is_null(list))
        list = json_object_get(config, key = "out_indices");
    if (!list || json_is_null(list)) {
        c->gives[c->stages - 1] = true;
        return true;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        int64_t stage = stage_of(json_array_get(list, i));
        if (stage < 1 || stage > c->stages)
            return lp_error_set(err, LP_EINPUT, "'%s' must name some of the %ld stages", key,
                                (long)c->stages);
        c->gives[stage - 1] = true;
    }
    return json_array_size(list) > 0 ||
           lp_error_set(err, LP_EINPUT, "'%s' must name some of the %ld stages", key, (long)c->stages);
}

bool lp_swin_read_config(const json_t *config, struct lp_swin_config *c, struct lp_error *err) {
    static const int64_t depth[] = {2, 2, 6, 2}, heads[] = {3, 6, 12, 24};
    int64_t colors, stages;
    double eps;
    bool has_positions;
    *c = (struct lp_swin_config){0};
    if (!lp_json_int(config, "embed_dim", 96, 1, MOST_WIDTH, &c->width, err) ||
        !lp_json_int(config, "patch_size", 4, 1, 64, &c->patch_px, err) ||
        !lp_json_int(config, "window_size", 7, 1, MOST_WINDOW, &c->window, err) ||
        !lp_json_int(config, "num_channels", 3, 3, 3, &colors, err) ||
        !read_list(config, "depths", depth, MOST_DEPTH, &c->stages, c->depth, err) ||
        !read_list(config, "num_heads", heads, MOST_WIDTH, &stages, c->heads, err) ||
        !lp_json_number(config, "mlp_ratio", 4, &c->mlp_ratio, err) ||
        !lp_json_number(config, "layer_norm_eps", 1e-5, &eps, err) ||
        !read_switch(config, "qkv_bias", true, &c->qkv_bias, err) ||
        !read_switch(config, "use_absolute_embeddings", false, &has_positions, err) ||
        !read_act(config, &c->act, err) || !read_wanted(config, c, err))
        return false;
    c->eps = (float)eps;
    if (stages != c->stages)
        return lp_error_set(err, LP_EINPUT, "'depths' and 'num_heads' differ in length");
    if (!(c->eps > 0 && c->eps < 1))
        return lp_error_set(err, LP_EINPUT, "'layer_norm_eps' must be above 0 and below 1");
    if (!(c->mlp_ratio * (double)c->width >= 1 && c->mlp_ratio <= 64))
        return lp_error_set(err, LP_EINPUT, "'mlp_ratio' must leave at least one channel and be at most 64");
    if (has_positions)
        return lp_error_set(err, LP_EINPUT,
                            "'use_absolute_embeddings' must be false: a picture may have any size");
    return check_sizes(c, err);
}

/* ---- shapes ---- */

struct shapes {
    const struct lp_weights *files;
    const char *prefix;
};

/* A weight's size along an axis; 0 where there is no such weight, or it is no size. */
static int64_t size_of(const struct shapes *s, int axis, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int64_t size_of(const struct shapes *s, int axis, const char *format, ...) {
    char name[256];
    int length = snprintf(name, sizeof name, "%s", s->prefix);
    if (length < 0 || (size_t)length >= sizeof name)
        return 0;
    va_list args;
    va_start(args, format);
    vsnprintf(name + length, sizeof name - (size_t)length, format, args);
    va_end(args);
    const struct lp_weight *w = lp_weights_find(s->files, name);
    return w && axis < w->ndim && w->dim[axis] <= 1 << 18 ? w->dim[axis] : 0;
}

/* How many parts "<prefix><before>.0", ".1", .. have weights: the highest number tells, so that a missing
 * weight does not pass for the end. */
static int64_t count(const struct shapes *s, const char *before) {
    char start[256];
    int64_t n = 0;
    int length = snprintf(start, sizeof start, "%s%s.", s->prefix, before);
    for (size_t i = 0; i < lp_weights_count(s->files) && length > 0; i++) {
        const char *name = lp_weights_at(s->files, i)->name;
        if (strncmp(name, start, (size_t)length))
            continue;
        int64_t number = strtol(name + length, NULL, 10);
        n = number >= n && number < INT32_MAX ? number + 1 : n;
    }
    return n;
}

bool lp_swin_read_shapes(const struct lp_weights *files, const char *prefix, struct lp_swin_config *c,
                         struct lp_error *err) {
    struct shapes s = {files, prefix};
    *c = (struct lp_swin_config){.act = LP_GELU, .eps = 1e-5f};
    int64_t places = size_of(&s, 0, "layers.0.blocks.0.attn.relative_position_bias_table"), last = -1;
    c->width = size_of(&s, 0, "patch_embed.proj.weight");
    c->patch_px = size_of(&s, 2, "patch_embed.proj.weight");
    while ((2 * c->window + 1) * (2 * c->window + 1) <= places && c->window < MOST_WINDOW)
        c->window++;
    c->stages = count(&s, "layers");
    c->qkv_bias = size_of(&s, 0, "layers.0.blocks.0.attn.qkv.bias");
    if (c->width)
        c->mlp_ratio = (double)size_of(&s, 0, "layers.0.blocks.0.mlp.fc1.weight") / (double)c->width;
    bool whole = c->width && c->width <= MOST_WIDTH && c->patch_px && c->patch_px <= 64 && c->window &&
                 c->mlp_ratio > 0 && c->mlp_ratio <= 64 && c->stages && c->stages <= LP_SWIN_MOST_STAGES;
    for (int64_t i = 0; i < c->stages && whole; i++) {
        char blocks[48];
        snprintf(blocks, sizeof blocks, "layers.%ld.blocks", (long)i);
        c->depth[i] = count(&s, blocks);
        c->heads[i] = size_of(&s, 1, "layers.%ld.blocks.0.attn.relative_position_bias_table", (long)i);
        c->gives[i] = size_of(&s, 0, "norm%ld.weight", (long)i);
        last = c->gives[i] ? i : last;
        whole = c->depth[i] && c->depth[i] <= MOST_DEPTH && c->heads[i];
    }
    if (!whole || last < 0)
        return lp_error_set(err, LP_EMISSING,
                            "these are no weights of a Swin, or not all that tells its sizes");
    return check_sizes(c, err);
}
