/* SPDX-License-Identifier: MIT */
/* train/lora.c - low-rank adapters on all linear layers of the language model's blocks, which are frozen otherwise, as
 * the original LLaVA does it. Hu et al. 2021, arXiv:2106.09685: y = x w^T + (alpha/rank) (x A^T) B^T, A [rank,in] drawn,
 * B [out,rank] zero. Names in files: Hugging Face's peft, utils/save_and_load.py. */
#include "train/train.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "weights/safetensors.h"

#include <limits.h>
#include <math.h>
#include <string.h>

static const char *stem_of(struct lp_llava *m, const lp_tensor *w) {
    for (int64_t i = 0; i < m->parameters.count; i++)
        if (m->parameters.item[i].tensor == w) {
            const char *name = m->parameters.item[i].name, *end = strrchr(name, '.');
            return lp_arena_strndup(&m->arena, name, end ? (size_t)(end - name) : strlen(name));
        }
    return NULL;
}

/* A matrix of numbers below 1/sqrt(columns) in size, as peft draws them, or of zeros, at the end of the parameters. */
static lp_tensor *new_matrix(struct lp_llava *m, const char *stem, const char *name, int64_t rows, int64_t columns,
                             struct lp_rng *rng) {
    lp_tensor *x = lp_arena_alloc(&m->arena, sizeof *x);
    float *data = lp_arena_array(&m->arena, (size_t)(rows * columns), sizeof *data);
    const char *full = lp_arena_printf(&m->arena, "%s.%s.weight", stem, name);
    if (!x || !data || !full)
        return NULL;
    for (int64_t i = 0; rng && i < rows * columns; i++)
        data[i] = (2 * lp_rng_float(rng) - 1) / sqrtf((float)columns);
    *x = (lp_tensor){.type = LP_F32, .ndim = 2, .dim = {rows, columns}, .data = data, .learns = true};
    m->parameters.item[m->parameters.count++] = (struct lp_parameter){full, x};
    return x;
}

static bool add_to(struct lp_llava *m, struct lp_linear *l, int64_t rank, float scale, struct lp_rng *rng) {
    const char *stem = stem_of(m, l->w);
    struct lp_lora *lora = lp_arena_alloc(&m->arena, sizeof *lora);
    if (!stem || !lora)
        return false;
    lora->scale = scale;
    lora->down = new_matrix(m, stem, "lora_A", rank, lp_dim(l->w, 1), rng);
    lora->up = new_matrix(m, stem, "lora_B", lp_dim(l->w, 0), rank, NULL);
    l->lora = lora;
    return lora->down && lora->up;
}

bool lp_lora_add(struct lp_llava *m, int64_t rank, double alpha, uint64_t seed, struct lp_error *err) {
    struct lp_parameters *p = &m->parameters;
    int64_t more = 2 * LP_LLAMA_LINEARS * m->config.llama.layers;
    struct lp_parameter *item = lp_arena_array(&m->arena, (size_t)(p->count + more), sizeof *item);
    if (!item)
        return lp_error_memory(err);
    memcpy(item, p->item, (size_t)p->count * sizeof *item);
    p->item = item;
    p->capacity = p->count + more;
    for (int64_t i = m->part_end[LP_PART_PROJECTOR]; i < p->count; i++)
        item[i].tensor->learns = false;
    struct lp_rng rng;
    lp_rng_seed(&rng, seed ^ 0x6c6f7261);
    for (int64_t i = 0; i < m->config.llama.layers; i++) {
        struct lp_linear *linear[LP_LLAMA_LINEARS];
        lp_llama_linears(&m->llama, i, linear);
        for (int j = 0; j < LP_LLAMA_LINEARS; j++)
            if (!add_to(m, linear[j], rank, (float)(alpha / (double)rank), &rng))
                return lp_error_memory(err);
    }
    return true;
}

/* w += scale B A, row by row. */
static void merge(struct lp_linear *l) {
    const struct lp_lora *lora = l->lora;
    int64_t N = lp_dim(l->w, 0), K = lp_dim(l->w, 1), rank = lp_dim(lora->down, 0);
    for (int64_t n = 0; n < N; n++)
        for (int64_t r = 0; r < rank; r++) {
            float by = lora->scale * lp_f32(lora->up)[n * rank + r];
            for (int64_t k = 0; k < K; k++)
                lp_f32(l->w)[n * K + k] += by * lp_f32(lora->down)[r * K + k];
        }
    l->w->learns = true; /* no longer what is stored */
    l->lora = NULL;
}

void lp_lora_merge(struct lp_llava *m) {
    for (int64_t i = 0; i < m->config.llama.layers; i++) {
        struct lp_linear *linear[LP_LLAMA_LINEARS];
        lp_llama_linears(&m->llama, i, linear);
        for (int j = 0; j < LP_LLAMA_LINEARS; j++)
            if (linear[j]->lora)
                merge(linear[j]);
    }
    m->parameters.count = m->part_end[LP_PART_LANGUAGE];
}

static bool save_config(const struct lp_llava *m, const char *base, const char *folder, struct lp_error *err) {
    struct lp_linear *linear[LP_LLAMA_LINEARS];
    lp_llama_linears(&m->llama, 0, linear);
    const char *name = m->parameters.item[m->part_end[LP_PART_LANGUAGE]].name, *layers = strstr(name, "layers.");
    double alpha = linear[0]->lora->scale * (double)lp_dim(linear[0]->lora->down, 0);
    char path[PATH_MAX], before[200] = "";
    for (size_t n = 0; layers && name < layers && n + 3 < sizeof before; name++) {
        if (*name == '.')
            before[n++] = '\\';
        before[n++] = *name;
        before[n] = 0;
    }
    json_t *modules = json_sprintf("%slayers\\.\\d+\\.(self_attn|mlp)\\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)",
                                   before);
    json_t *config = json_pack("{s:s, s:s, s:s, s:i, s:f, s:f, s:s, s:b, s:b, s:b, s:n, s:o}", "peft_type", "LORA",
                               "task_type", "CAUSAL_LM", "base_model_name_or_path", base, "r",
                               (int)lp_dim(linear[0]->lora->down, 0), "lora_alpha", alpha, "lora_dropout", 0.0, "bias",
                               "none", "fan_in_fan_out", 0, "inference_mode", 1, "init_lora_weights", 1,
                               "modules_to_save", "target_modules", modules);
    char *text = config ? json_dumps(config, JSON_INDENT(2)) : NULL;
    bool ok = (text || lp_error_memory(err)) && lp_file_join(path, sizeof path, folder, "adapter_config.json", err) &&
              lp_file_write(path, text, strlen(text), err);
    lp_free(text);
    json_decref(config);
    return ok;
}

bool lp_lora_save(const struct lp_llava *m, const char *base, const char *folder, struct lp_error *err) {
    int64_t from = m->part_end[LP_PART_LANGUAGE], count = m->parameters.count - from;
    char path[PATH_MAX];
    struct lp_arena arena = {0};
    struct lp_weight *w = lp_arena_array(&arena, (size_t)count, sizeof *w);
    bool ok = w;
    for (int64_t i = 0; ok && i < count; i++) {
        const struct lp_parameter *p = &m->parameters.item[from + i];
        const char *name = lp_arena_printf(&arena, "base_model.model.%s", p->name);
        ok = name;
        w[i] = (struct lp_weight){.name = name, .type = LP_WEIGHT_F32, .ndim = 2, .dim = {lp_dim(p->tensor, 0), lp_dim(p->tensor, 1)},
                                  .data = p->tensor->data, .bytes = sizeof(float) * (size_t)lp_count(p->tensor)};
    }
    ok = (ok || lp_error_memory(err)) && lp_file_make_folder(folder, err) &&
         lp_file_join(path, sizeof path, folder, "adapter_model.safetensors", err) &&
         lp_safetensors_write(path, w, (size_t)count, NULL, err) && save_config(m, base, folder, err);
    lp_arena_done(&arena);
    return ok;
}
