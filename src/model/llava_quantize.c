/* SPDX-License-Identifier: MIT */
/* model/llava_quantize.c - a model becomes GGUF files.
 * Which matrices get more bits beside the type asked for: llama.cpp, src/llama-quant.cpp. */
#include "model/llava_quantize.h"

#include "base/file.h"
#include "base/memory.h"
#include "weights/mmproj.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PIECE = 1 << 20 }; /* numbers that are converted at a time, or one row */

/* One tensor of a file to be written. */
struct item {
    const struct lp_weight *from;
    enum lp_dtype stored, type;
    int64_t head_rows; /* 0: its rows lie as the file wants them */
};

struct work {
    const struct lp_quantize_request *q;
    struct lp_quantize_report *report;
    struct lp_llava_source source;
    struct lp_llava_config config;
    bool sees;
    struct lp_arena arena;
    struct lp_parameters needed;
    struct lp_weight *out[3]; /* by enum lp_llava_place */
    struct item *item[3];
    size_t count[3];
    enum lp_llava_place writing;
    float *numbers; /* a piece */
    uint8_t *blocks,
        *in_turn; /* the largest tensor as it is written; the same with its rows in the file's order */
    int64_t done, weights;
};

static const enum lp_weight_type weight_types[LP_DTYPES] = {
    [LP_F32] = LP_WEIGHT_F32,   [LP_F16] = LP_WEIGHT_F16,   [LP_BF16] = LP_WEIGHT_BF16,
    [LP_Q8_0] = LP_WEIGHT_Q8_0, [LP_Q4_0] = LP_WEIGHT_Q4_0, [LP_Q4_K] = LP_WEIGHT_Q4_K,
    [LP_Q6_K] = LP_WEIGHT_Q6_K};

/* llama.cpp's number of a mixture: Q8_0, Q4_0, Q4_K_M, Q6_K. */
static uint32_t file_type(enum lp_dtype type) {
    return type == LP_Q8_0 ? 7 : type == LP_Q4_0 ? 2 : type == LP_Q4_K ? 15 : 18;
}

static bool is_part(const char *name, const char *part) {
    const char *dot = strchr(name + strlen("blk."), '.');
    return strncmp(name, "blk.", 4) == 0 && dot && strcmp(dot + 1, part) == 0;
}

/* The first and the last eighth of the blocks, and every third between. */
static bool has_more_bits(const char *name, int64_t blocks) {
    long i;
    if (!is_part(name, "attn_v.weight") && !is_part(name, "ffn_down.weight"))
        return false;
    return sscanf(name, "blk.%ld.", &i) == 1 &&
           (i < blocks / 8 || i >= 7 * blocks / 8 || (i - blocks / 8) % 3 == 2);
}

/* The type of a matrix with rows of K numbers. */
static enum lp_dtype choose(const struct work *w, const char *name, int64_t K) {
    enum lp_dtype type = w->q->type;
    bool four_bits = type == LP_Q4_0 || type == LP_Q4_K;
    const char *last = w->config.llama.tied ? "token_embd.weight" : "output.weight";
    if ((four_bits && strcmp(name, last) == 0) ||
        (type == LP_Q4_K && has_more_bits(name, w->config.llama.layers)))
        type = LP_Q6_K;
    if (K % lp_dtype_block(type))
        type = K % lp_dtype_block(LP_Q8_0) ? LP_F16 : LP_Q8_0;
    w->report->others += type == LP_F16 || (type == LP_Q8_0 && w->q->type != LP_Q8_0);
    return type;
}

static int64_t head_rows(const struct work *w, const struct lp_weight *t, const char *name) {
    const struct lp_llama_config *c = &w->config.llama;
    bool key = is_part(name, "attn_k.weight");
    if ((!key && !is_part(name, "attn_q.weight")) || lp_weights_head_rows(w->source.files, t))
        return 0;
    return t->dim[0] / (key ? c->key_heads : c->heads);
}

static bool plan_tensor(struct work *w, const struct lp_weight *t, struct lp_error *err) {
    char name[LP_GGUF_NAME];
    enum lp_llava_place place = lp_llava_place(&w->config, t->name, name);
    if (place == LP_PLACE_NONE)
        return lp_error_set(err, LP_EINTERNAL, "GGUF has no name for the tensor '%.100s'", t->name);
    struct item *item = &w->item[place][w->count[place]];
    struct lp_weight *out = &w->out[place][w->count[place]++];
    int64_t n = lp_weight_elements(t), K = t->dim[t->ndim - 1];
    *item = (struct item){.from = t, .head_rows = place == LP_PLACE_LANGUAGE ? head_rows(w, t, name) : 0};
    lp_weight_dtype(t, &item->stored); /* the check has seen that it is known */
    item->type = t->ndim < 2 ? LP_F32 : place == LP_PLACE_PICTURE ? LP_F16 : choose(w, name, K);
    *out = *t;
    out->type = weight_types[item->type];
    out->bytes = (size_t)lp_dtype_row_bytes(item->type, n);
    out->data = NULL;
    w->weights += n;
    return (out->name = lp_arena_strdup(&w->arena, name)) != NULL || lp_error_memory(err);
}

static bool plan(struct work *w, struct lp_error *err) {
    size_t n = (size_t)w->needed.count;
    for (int place = LP_PLACE_LANGUAGE; place <= LP_PLACE_PICTURE; place++) {
        w->item[place] = lp_arena_array(&w->arena, n, sizeof *w->item[place]);
        w->out[place] = lp_arena_array(&w->arena, n, sizeof *w->out[place]);
        if (!w->item[place] || !w->out[place])
            return lp_error_memory(err);
    }
    for (size_t i = 0; i < n; i++)
        if (!plan_tensor(w, lp_weights_find(w->source.files, w->needed.item[i].name), err))
            return false;
    return true;
}

static bool reserve(struct work *w, struct lp_error *err) {
    size_t most = 1, most_turned = 1;
    int64_t piece = PIECE;
    for (int place = LP_PLACE_LANGUAGE; place <= LP_PLACE_PICTURE; place++)
        for (size_t i = 0; i < w->count[place]; i++) {
            const struct lp_weight *out = &w->out[place][i];
            int64_t row = lp_weight_elements(out) / out->dim[0];
            piece = row > piece ? row : piece;
            most = out->bytes > most ? out->bytes : most;
            if (w->item[place][i].head_rows && out->bytes > most_turned)
                most_turned = out->bytes;
        }
    w->numbers = lp_alloc_array((size_t)piece, sizeof *w->numbers);
    w->blocks = lp_alloc(most);
    w->in_turn = lp_alloc(most_turned);
    return (w->numbers && w->blocks && w->in_turn) || lp_error_memory(err);
}

static bool convert(struct work *w, const struct item *t, struct lp_error *err) {
    const struct lp_kernels *k = w->q->kernels;
    int64_t total = lp_weight_elements(t->from), row = total / t->from->dim[0];
    int64_t most = row > PIECE ? row : PIECE / row * row;
    for (int64_t at = 0; at < total; at += most) {
        int64_t n = total - at < most ? total - at : most;
        const char *from = (const char *)t->from->data + lp_dtype_row_bytes(t->stored, at);
        k->to_f32(w->numbers, from, t->stored, n);
        for (int64_t i = 0; i < n; i++)
            if (!isfinite(w->numbers[i]))
                return lp_error_set(err, LP_EINPUT, "the tensor '%.100s' holds a number that is not finite",
                                    t->from->name);
        k->from_f32(w->blocks + lp_dtype_row_bytes(t->type, at), w->numbers, t->type, n);
        w->done += n;
        if (w->q->progress)
            w->q->progress(w->q->context, w->done, w->weights);
    }
    return true;
}

/* lp_gguf_source: tensor i of the file that is being written. */
static const void *give(void *context, size_t i, struct lp_error *err) {
    struct work *w = context;
    const struct item *t = &w->item[w->writing][i];
    const struct lp_weight *out = &w->out[w->writing][i];
    if (t->stored == t->type && !t->head_rows) { /* nothing is rounded twice */
        w->done += lp_weight_elements(out);
        return t->from->data;
    }
    if (!convert(w, t, err))
        return NULL;
    if (!t->head_rows)
        return w->blocks;
    lp_gguf_rows_to_file(w->in_turn, w->blocks, out->dim[0], t->head_rows, out->bytes / (size_t)out->dim[0]);
    return w->in_turn;
}

static bool write_file(struct work *w, enum lp_llava_place place, const char *path, struct lp_error *err) {
    struct lp_gguf_metadata m = {0};
    const struct lp_template *t =
        w->config.template ? w->config.template : lp_template_for_model(w->source.name);
    w->writing = place;
    bool ok = place == LP_PLACE_PICTURE
                  ? lp_llava_put_picture(&m, &w->source, &w->config, err)
                  : lp_llava_put_language(&m, &w->source, &w->config, w->sees ? lp_template_key(t) : NULL,
                                          file_type(w->q->type), err);
    ok = ok && lp_gguf_write(path, &m, w->out[place], w->count[place], give, w, err);
    lp_gguf_metadata_done(&m);
    return ok;
}

static bool check_free(const struct work *w, const char *path, struct lp_error *err) {
    return w->q->force || !lp_file_exists(path) ||
           lp_error_set(err, LP_EUSAGE, "'%s' is there already; say --force to replace it", path);
}

static bool check_request(struct work *w, struct lp_error *err) {
    struct lp_quantize_report *r = w->report;
    const char *to = w->q->to;
    size_t n = strlen(to);
    if (lp_dtype_block(w->q->type) == 1)
        return lp_error_set(err, LP_EUSAGE, "the type must be q8_0, q4_0, q4_K or q6_K");
    if (n <= 5 || strcmp(to + n - 5, ".gguf") != 0)
        return lp_error_set(err, LP_EUSAGE, "the file to be written must end in .gguf, which '%s' does not",
                            to);
    return lp_mmproj_path(r->mmproj, sizeof r->mmproj, to, err) && check_free(w, to, err);
}

static bool open_source(struct work *w, struct lp_error *err) {
    struct lp_llava_source *s = &w->source;
    if (!lp_llava_source_open_alone(s, w->q->from, w->q->mmproj, err) ||
        !lp_llava_source_config(s, &w->config, &w->sees, err) || !lp_llava_source_load(s, false, err))
        return false;
    if (lp_tokenizer_size(s->tokenizer) > w->config.llama.vocabulary)
        return lp_error_set(err, LP_EINPUT, "%s has %d tokens, but the model's vocabulary is %ld",
                            s->tokenizer_file, lp_tokenizer_size(s->tokenizer),
                            (long)w->config.llama.vocabulary);
    return lp_llava_check(s->files, &w->config, w->sees, &w->arena, &w->needed, err) ||
           lp_error_prefix(err, "%s", s->path);
}

static void count(struct work *w) {
    struct lp_quantize_report *r = w->report;
    r->tensors = (int64_t)w->count[LP_PLACE_LANGUAGE];
    for (size_t i = 0; i < w->count[LP_PLACE_LANGUAGE]; i++)
        r->bytes += (int64_t)w->out[LP_PLACE_LANGUAGE][i].bytes;
    for (size_t i = 0; i < w->count[LP_PLACE_PICTURE]; i++)
        r->picture_bytes += (int64_t)w->out[LP_PLACE_PICTURE][i].bytes;
    if (!w->sees)
        r->mmproj[0] = 0;
}

bool lp_llava_quantize(const struct lp_quantize_request *q, struct lp_quantize_report *report,
                       struct lp_error *err) {
    struct work w = {.q = q, .report = report};
    *report = (struct lp_quantize_report){0};
    bool ok = check_request(&w, err) && open_source(&w, err) &&
              (!w.sees || check_free(&w, report->mmproj, err)) && plan(&w, err) && reserve(&w, err) &&
              (!w.sees || write_file(&w, LP_PLACE_PICTURE, report->mmproj, err)) &&
              write_file(&w, LP_PLACE_LANGUAGE, q->to, err);
    count(&w);
    lp_free(w.numbers);
    lp_free(w.blocks);
    lp_free(w.in_turn);
    lp_llava_source_done(&w.source);
    lp_arena_done(&w.arena);
    return ok;
}
