/* SPDX-License-Identifier: MIT */
/* cli/cmd_model_info.c - `llava-plus model info`: what a model is, and what memory it will need. */
#include "base/memory.h"
#include "cli/cmd_model.h"
#include "cli/command.h"
#include "cli/options.h"
#include "model/llava_source.h"
#include "text/template.h"

#include <stdio.h>
#include <string.h>

struct kind {
    int64_t count, weights, bytes;
};

/* What is told. Bytes are those of the tensors that are needed. */
struct info {
    struct lp_llava_source source;
    struct lp_llava_config config;
    bool sees;
    const char *template;
    struct kind type[LP_WEIGHT_TYPES]; /* of all tensors */
    struct kind all, part[3];          /* by enum lp_llava_place */
    int64_t kv_bytes;
    struct lp_error lacks; /* what keeps it from being opened; LP_OK: nothing */
};

static const char *type_name(const struct lp_weight *t) {
    return lp_weight_type_name(t->type);
}

static void add(struct kind *k, const struct lp_weight *t) {
    k->count++;
    k->weights += lp_weight_elements(t);
    k->bytes += (int64_t)t->bytes;
}

/* Of the longest conversation. */
static int64_t keys_and_values_bytes(const struct info *n) {
    const struct lp_llama_config *c = &n->config.llama;
    bool precise = n->type[LP_F32].bytes == n->all.bytes; /* see lp_llama_cache_type */
    struct lp_kv_cache cache = {.layers = c->layers, .width = c->hidden / c->heads * c->key_heads,
                                .type = precise ? LP_F32 : LP_F16};
    return c->context * (int64_t)lp_kv_cache_row_bytes(&cache);
}

static bool look(struct info *n, const char *path, const char *mmproj, struct lp_error *err) {
    struct lp_llava_source *s = &n->source;
    struct lp_parameters needed;
    if (!lp_llava_source_open_alone(s, path, mmproj, err) ||
        !lp_llava_source_config(s, &n->config, &n->sees, err) || !lp_llava_source_load(s, false, err))
        return false;
    const struct lp_template *t = n->config.template;
    n->template = lp_template_key(t ? t : lp_template_for_model(s->name));
    if (!lp_llava_check(s->files, &n->config, n->sees, &s->arena, &needed, &n->lacks) &&
        n->lacks.code == LP_EMEMORY)
        return lp_error_memory(err);
    for (size_t i = 0; i < lp_weights_count(s->files); i++) {
        char name[LP_GGUF_NAME];
        const struct lp_weight *w = lp_weights_at(s->files, i);
        add(&n->all, w);
        add(&n->type[w->type], w);
        add(&n->part[lp_llava_place(&n->config, w->name, name)], w);
    }
    n->kv_bytes = keys_and_values_bytes(n);
    return true;
}

static int64_t total_bytes(const struct info *n) {
    return n->part[LP_PLACE_LANGUAGE].bytes + n->part[LP_PLACE_PICTURE].bytes + n->kv_bytes;
}

/* ---- as a table ---- */

static const char *words_of(double bytes, char text[32]) {
    static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB"};
    int unit = 0;
    for (; bytes >= 1000 && unit < 4; unit++)
        bytes /= 1000;
    snprintf(text, 32, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return text;
}

static void print_token(const char *what, const struct lp_tokenizer *t, int id) {
    size_t n;
    const char *name = lp_tokenizer_name(t, id, &n);
    if (id >= 0)
        printf(", %s %d '%.*s'", what, id, (int)n, name);
}

static void print_shape(const struct lp_weight *t) {
    printf("[");
    for (int d = 0; d < t->ndim; d++)
        printf("%s%lld", d ? "," : "", (long long)t->dim[d]);
    printf("]");
}

static void print_model(const struct info *n) {
    const struct lp_llama_config *l = &n->config.llama;
    const struct lp_clip_config *v = &n->config.clip;
    const struct lp_tokenizer *t = n->source.tokenizer;
    bool gguf = lp_weights_gguf(n->source.files, 0);
    printf("%s: %s, %s, %.2f million weights\n\n", n->source.name,
           n->sees ? "LLaVA" : "LLaMA without a picture encoder", gguf ? "GGUF" : "safetensors",
           (double)n->all.weights / 1e6);
    printf("language model   %lld wide, %lld blocks, %lld heads, %lld of keys, feed-forward %lld, %lld "
           "words%s\n",
           (long long)l->hidden, (long long)l->layers, (long long)l->heads, (long long)l->key_heads,
           (long long)l->ffn, (long long)l->vocabulary, l->tied ? ", output tied to the table" : "");
    printf("context          %lld positions, rotary base %g\n", (long long)l->context, (double)l->theta);
    if (n->sees)
        printf("picture encoder  %lld px in squares of %lld, %lld wide, %lld of %lld blocks are run, %lld "
               "positions a "
               "picture\n"
               "projector        %s\n",
               (long long)v->image_px, (long long)v->patch_px, (long long)v->hidden,
               (long long)n->config.depth, (long long)v->layers, (long long)lp_clip_patches(v),
               n->config.two_layers ? "two layers" : "one layer");
    if (n->source.mmproj)
        printf("                 from %s\n", n->source.mmproj);
    printf("tokenizer        %d tokens", lp_tokenizer_size(t));
    print_token("BOS", t, lp_tokenizer_bos(t));
    print_token("EOS", t, lp_tokenizer_eos(t));
    printf("\ntemplate         %s%s\n", n->template, n->config.knows_handles ? ", trained with handles" : "");
}

static void print_tensors(const struct info *n) {
    printf("\n");
    for (size_t i = 0; i < lp_weights_count(n->source.files); i++) {
        const struct lp_weight *w = lp_weights_at(n->source.files, i);
        printf("%-5s %s ", type_name(w), w->name);
        print_shape(w);
        printf("\n");
    }
}

static void print_memory(const struct info *n) {
    static const char *const parts[] = {"not needed", "language model", "picture encoder"};
    char text[32];
    printf("\ntensors   type   weights        bytes\n");
    for (int t = 0; t < LP_WEIGHT_TYPES; t++)
        if (n->type[t].count)
            printf("%7lld   %-5s %12lld  %s\n", (long long)n->type[t].count,
                   lp_weight_type_name((enum lp_weight_type)t), (long long)n->type[t].weights,
                   words_of((double)n->type[t].bytes, text));
    printf("\nmemory\n");
    for (int p = LP_PLACE_LANGUAGE; p <= LP_PLACE_PICTURE; p++)
        if (n->part[p].count)
            printf("  %-17s %s\n", parts[p], words_of((double)n->part[p].bytes, text));
    printf("  %-17s %s for all %lld positions\n", "keys and values", words_of((double)n->kv_bytes, text),
           (long long)n->config.llama.context);
    printf("  %-17s %s\n", "together", words_of((double)total_bytes(n), text));
    if (n->part[LP_PLACE_NONE].count)
        printf("  %lld tensors of %s are not needed\n", (long long)n->part[LP_PLACE_NONE].count,
               words_of((double)n->part[LP_PLACE_NONE].bytes, text));
    if (n->lacks.code)
        printf("\nit cannot be opened: %s\n", n->lacks.text);
}

/* ---- as JSON ---- */

static json_t *token_json(const struct lp_tokenizer *t, int id) {
    size_t n;
    const char *name = lp_tokenizer_name(t, id, &n);
    json_t *text = id < 0 ? NULL : json_stringn(name, n); /* NULL also where it is no UTF-8 */
    return id < 0 ? json_null() : json_pack("{s:i, s:o}", "id", id, "name", text ? text : json_null());
}

static json_t *kinds_json(const struct info *n) {
    json_t *list = json_array();
    for (int t = 0; t < LP_WEIGHT_TYPES; t++)
        if (n->type[t].count)
            json_array_append_new(
                list, json_pack("{s:s, s:I, s:I, s:I}", "type", lp_weight_type_name((enum lp_weight_type)t),
                                "tensors", (json_int_t)n->type[t].count, "weights",
                                (json_int_t)n->type[t].weights, "bytes", (json_int_t)n->type[t].bytes));
    return list;
}

static json_t *tensors_json(const struct info *n) {
    json_t *list = json_array();
    for (size_t i = 0; i < lp_weights_count(n->source.files); i++) {
        const struct lp_weight *w = lp_weights_at(n->source.files, i);
        json_t *shape = json_array();
        for (int d = 0; d < w->ndim; d++)
            json_array_append_new(shape, json_integer(w->dim[d]));
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:I}", "name", w->name, "type", type_name(w),
                                              "shape", shape, "bytes", (json_int_t)w->bytes));
    }
    return list;
}

static json_t *language_json(const struct lp_llama_config *c) {
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:b}", "hidden", (json_int_t)c->hidden,
                     "blocks", (json_int_t)c->layers, "heads", (json_int_t)c->heads, "key_heads",
                     (json_int_t)c->key_heads, "feed_forward", (json_int_t)c->ffn, "vocabulary",
                     (json_int_t)c->vocabulary, "context", (json_int_t)c->context, "rotary_base",
                     (double)c->theta, "tied", c->tied);
}

static json_t *picture_json(const struct info *n) {
    const struct lp_clip_config *c = &n->config.clip;
    return !n->sees ? json_null()
                    : json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "image_px", (json_int_t)c->image_px,
                                "patch_px", (json_int_t)c->patch_px, "hidden", (json_int_t)c->hidden,
                                "blocks", (json_int_t)c->layers, "blocks_run", (json_int_t)n->config.depth,
                                "positions", (json_int_t)lp_clip_patches(c), "projector",
                                n->config.two_layers ? "mlp2x_gelu" : "linear");
}

static bool print_json(const struct info *n, bool tensors, struct lp_error *err) {
    const struct lp_tokenizer *t = n->source.tokenizer;
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s?, s:s, s:o, s:o, s:{s:i, s:o, s:o}, s:s, s:b, s:o, s:{s:I, s:I, s:I, s:I}, "
        "s:s?}",
        "name", n->source.name, "path", n->source.path, "format",
        lp_weights_gguf(n->source.files, 0) ? "gguf" : "safetensors", "mmproj", n->source.mmproj,
        "architecture", n->sees ? "llava" : "llama", "language_model", language_json(&n->config.llama),
        "picture_encoder", picture_json(n), "tokenizer", "tokens", lp_tokenizer_size(t), "bos",
        token_json(t, lp_tokenizer_bos(t)), "eos", token_json(t, lp_tokenizer_eos(t)), "template",
        n->template, "handles", n->config.knows_handles, "types", kinds_json(n), "memory",
        "language_model_bytes", (json_int_t)n->part[LP_PLACE_LANGUAGE].bytes, "picture_encoder_bytes",
        (json_int_t)n->part[LP_PLACE_PICTURE].bytes, "keys_and_values_bytes", (json_int_t)n->kv_bytes,
        "bytes", (json_int_t)total_bytes(n), "lacks", n->lacks.code ? n->lacks.text : NULL);
    bool ok = json && (!tensors || json_object_set_new(json, "tensors", tensors_json(n)) == 0);
    char *text = ok ? lp_json_text(json) : NULL;
    ok = text || lp_error_memory(err);
    if (ok)
        puts(text);
    lp_free(text);
    json_decref(json);
    return ok;
}

int lp_cmd_model_info(int argc, char **argv) {
    bool json = false, tensors = false;
    const char *mmproj = NULL;
    const struct lp_option options[] = {
        {"mmproj", 0, "PATH", "the picture encoder of a GGUF model or an original folder (else what is found beside it)",
         LP_OPTION_STRING, NULL, &mmproj, 0, 0},
        {"tensors", 0, NULL, "list every tensor", LP_OPTION_FLAG, NULL, &tensors, 0, 0},
        {"json", 0, NULL, "print JSON", LP_OPTION_FLAG, NULL, &json, 0, 0},
        {0}};
    const struct lp_usage usage = {
        "model info",
        "PATH [options]",
        "Tells what a model folder or a GGUF file holds: sizes, tokenizer, template, types "
        "of tensors, and the memory that it will need.",
        options,
        1,
        1};
    struct lp_error err = {0};
    struct info n = {0};
    int status;
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    bool done = look(&n, argv[1], mmproj, &err);
    if (done && json)
        done = print_json(&n, tensors, &err);
    else if (done) {
        print_model(&n);
        if (tensors)
            print_tensors(&n);
        print_memory(&n);
    }
    lp_llava_source_done(&n.source);
    return done ? 0 : lp_command_fail("model info", &err);
}
