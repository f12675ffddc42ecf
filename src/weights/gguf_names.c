/* SPDX-License-Identifier: MIT */
/* weights/gguf_names.c - llama.cpp's names of tensors and Hugging Face's.
 * Names: gguf-py/gguf/tensor_mapping.py and, for mmproj files, tools/mtmd/legacy-models/
 * convert_image_encoder_to_gguf.py, which calls CLIP's fc1 ffn_down and its fc2 ffn_up. Rows:
 * LlamaModel.permute in convert_hf_to_gguf.py. */
#include "weights/gguf_names.h"

#include <stdio.h>
#include <string.h>

#define TOWER "model.vision_tower.vision_tower.vision_model."

struct pair {
    const char *file, *hugging_face; /* without ".weight" and ".bias" */
};

static const struct pair llama_parts[] = {
    {"token_embd", "model.embed_tokens"},
    {"output_norm", "model.norm"},
    {"output", "lm_head"},
    {NULL, NULL},
};
static const struct pair llama_block[] = {
    {"attn_norm", "input_layernorm"},    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},      {"attn_v", "self_attn.v_proj"},
    {"attn_output", "self_attn.o_proj"}, {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},       {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},       {NULL, NULL},
};
static const struct pair clip_parts[] = {
    {"v.class_embd", TOWER "embeddings.class_embedding"},
    {"v.patch_embd", TOWER "embeddings.patch_embedding"},
    {"v.position_embd", TOWER "embeddings.position_embedding"},
    {"v.pre_ln", TOWER "pre_layrnorm"},
    {"v.post_ln", TOWER "post_layernorm"},
    {"mm.0", "model.mm_projector.0"},
    {"mm.2", "model.mm_projector.2"},
    {NULL, NULL},
};
static const struct pair clip_block[] = {
    {"ln1", "layer_norm1"},
    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},
    {"attn_out", "self_attn.out_proj"},
    {"ln2", "layer_norm2"},
    {"ffn_up", "mlp.fc1"},
    {"ffn_down", "mlp.fc2"},
    {NULL, NULL},
};
/* As clip_block, but for the exporter that swapped two names. */
static const struct pair clip_block_swapped[] = {
    {"ln1", "layer_norm1"},
    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},
    {"attn_out", "self_attn.out_proj"},
    {"ln2", "layer_norm2"},
    {"ffn_down", "mlp.fc1"},
    {"ffn_up", "mlp.fc2"},
    {NULL, NULL},
};

/* Where a kind of model keeps its parts and its blocks. */
struct naming {
    const struct pair *parts, *block;
    const char *file, *hugging_face; /* before a block's number */
};
static const struct naming llama = {llama_parts, llama_block, "blk.", "model.layers."};
static const struct naming clip = {clip_parts, clip_block, "v.blk.", TOWER "encoder.layers."};
static const struct naming clip_swapped = {clip_parts, clip_block_swapped, "v.blk.", TOWER "encoder.layers."};

/* A name taken apart: "blk." "12." "attn_q" ".weight". */
struct parts {
    int n_number, n_stem; /* bytes; n_number 0: not of a block */
    const char *number, *stem, *suffix;
};

static struct parts take_apart(const char *name, const char *block) {
    struct parts p = {.stem = name};
    size_t n = strlen(block), digits = strncmp(name, block, n) == 0 ? strspn(name + n, "0123456789") : 0;
    if (digits > 0 && digits < 6 && name[n + digits] == '.') {
        p.number = name + n;
        p.n_number = (int)digits + 1;
        p.stem = p.number + p.n_number;
    }
    const char *dot = strrchr(p.stem, '.');
    p.suffix =
        dot && (strcmp(dot, ".weight") == 0 || strcmp(dot, ".bias") == 0) ? dot : p.stem + strlen(p.stem);
    p.n_stem = (int)(p.suffix - p.stem);
    return p;
}

static bool is_stem(const struct parts *p, const char *stem) {
    return strlen(stem) == (size_t)p->n_stem && memcmp(stem, p->stem, (size_t)p->n_stem) == 0;
}

static const struct pair *find_pair(const struct naming *naming, const struct parts *p, bool from_file) {
    for (const struct pair *pair = p->n_number ? naming->block : naming->parts; pair->file; pair++)
        if (is_stem(p, from_file ? pair->file : pair->hugging_face))
            return pair;
    return NULL;
}

static void put_together(char out[LP_GGUF_NAME], const char *block, const struct parts *p, const char *stem) {
    snprintf(out, LP_GGUF_NAME, "%s%.*s%s%s", p->n_number ? block : "", p->n_number,
             p->n_number ? p->number : "", stem, p->suffix);
}

/* Legacy files are told by shape, as llama.cpp does: their ffn_down leads out of the hidden size. */
static bool is_swapped(const struct lp_gguf *g) {
    const struct lp_weight *down = lp_gguf_find_tensor(g, "v.blk.0.ffn_down.weight");
    int64_t hidden;
    return down && down->ndim == 2 &&
           lp_gguf_int(g, "clip.vision.embedding_length", 0, 1, INT32_MAX, &hidden, NULL) &&
           down->dim[1] == hidden;
}

static bool has_architecture(const struct lp_gguf *g, const char *name) {
    const struct lp_gguf_value *v = lp_gguf_find(g, "general.architecture");
    return v && v->type == LP_GGUF_STRING && v->count == strlen(name) &&
           memcmp(v->at, name, strlen(name)) == 0;
}

static const struct naming *find_naming(const struct lp_gguf *g) {
    if (has_architecture(g, "llama"))
        return &llama;
    if (has_architecture(g, "clip"))
        return is_swapped(g) ? &clip_swapped : &clip;
    return NULL;
}

static bool find_head_rows(const struct lp_gguf *g, const struct parts *p, struct lp_gguf_named *t,
                           struct lp_error *err) {
    bool key = is_stem(p, "attn_k");
    int64_t heads, key_heads, rows = t->weight.ndim ? t->weight.dim[0] : 1;
    if (!p->n_number || (!key && !is_stem(p, "attn_q")))
        return true;
    if (!lp_gguf_int(g, "llama.attention.head_count", 0, 1, INT32_MAX, &heads, err) ||
        !lp_gguf_int(g, "llama.attention.head_count_kv", heads, 1, INT32_MAX, &key_heads, err))
        return false;
    heads = key ? key_heads : heads;
    if (rows % (2 * heads))
        return lp_error_set(err, LP_EINPUT,
                            "%s: the %lld rows of the tensor '%.100s' do not divide among %lld heads",
                            g->file, (long long)rows, t->weight.name, (long long)heads);
    t->head_rows = rows / heads;
    return true;
}

static bool name_tensor(const struct lp_gguf *g, const struct naming *naming, bool linear,
                        struct lp_arena *arena, struct lp_gguf_named *t, struct lp_error *err) {
    char name[LP_GGUF_NAME];
    struct parts p = take_apart(t->weight.name, naming->file);
    const struct pair *pair = find_pair(naming, &p, true);
    if (!pair)
        return true;
    if (naming == &llama && !find_head_rows(g, &p, t, err))
        return false;
    bool only_layer = linear && strcmp(pair->file, "mm.0") == 0;
    put_together(name, naming->hugging_face, &p, only_layer ? "model.mm_projector" : pair->hugging_face);
    t->weight.name = lp_arena_strdup(arena, name);
    return t->weight.name || lp_error_memory(err);
}

struct lp_gguf_named *lp_gguf_name_tensors(const struct lp_gguf *g, struct lp_arena *arena,
                                           struct lp_error *err) {
    const struct naming *naming = find_naming(g);
    bool linear = !lp_gguf_find_tensor(g, "mm.2.weight");
    struct lp_gguf_named *named = lp_arena_array(arena, g->count + 1, sizeof *named);
    if (!named)
        lp_error_memory(err);
    for (size_t i = 0; named && i < g->count; i++) {
        named[i].weight = g->tensors[i];
        if (naming && !name_tensor(g, naming, linear, arena, &named[i], err))
            return NULL;
    }
    return named;
}

/* What other layouts put before a name instead of the second. */
static const struct pair prefixes[] = {
    {"language_model.", ""},
    {"model.language_model.", "model."},
    {"vision_tower.vision_model.", TOWER},
    {"model.vision_tower.vision_model.", TOWER},
    {"vision_model.", TOWER},
    {"multi_modal_projector.linear_1", "model.mm_projector.0"},
    {"multi_modal_projector.linear_2", "model.mm_projector.2"},
    {"model.multi_modal_projector.linear_1", "model.mm_projector.0"},
    {"model.multi_modal_projector.linear_2", "model.mm_projector.2"},
    {"model.mm_projector.weight", "model.mm_projector.0.weight"},
    {"model.mm_projector.bias", "model.mm_projector.0.bias"},
};

bool lp_gguf_name_of(char out[LP_GGUF_NAME], const char *hugging_face) {
    static const struct naming *const namings[] = {&llama, &clip};
    char name[LP_GGUF_NAME];
    int n = snprintf(name, sizeof name, "%s", hugging_face);
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t length = strlen(prefixes[i].file);
        if (strncmp(hugging_face, prefixes[i].file, length) == 0) {
            n = snprintf(name, sizeof name, "%s%s", prefixes[i].hugging_face, hugging_face + length);
            break;
        }
    }
    for (size_t i = 0; n < LP_GGUF_NAME && i < sizeof namings / sizeof *namings; i++) {
        struct parts p = take_apart(name, namings[i]->hugging_face);
        const struct pair *pair = find_pair(namings[i], &p, false);
        if (pair) {
            put_together(out, namings[i]->file, &p, pair->file);
            return true;
        }
    }
    return false;
}

/* Row `plain` of Hugging Face's order as a row of the file. */
static int64_t file_row(int64_t plain, int64_t head_rows) {
    int64_t in_head = plain % head_rows, half = head_rows / 2;
    return plain - in_head + 2 * (in_head % half) + in_head / half;
}

void lp_gguf_rows_from_file(void *restrict to, const void *restrict from, int64_t rows, int64_t head_rows,
                            size_t bytes) {
    for (int64_t i = 0; i < rows; i++)
        memcpy((char *)to + (size_t)i * bytes, (const char *)from + (size_t)file_row(i, head_rows) * bytes,
               bytes);
}

void lp_gguf_rows_to_file(void *restrict to, const void *restrict from, int64_t rows, int64_t head_rows,
                          size_t bytes) {
    for (int64_t i = 0; i < rows; i++)
        memcpy((char *)to + (size_t)file_row(i, head_rows) * bytes, (const char *)from + (size_t)i * bytes,
               bytes);
}
