/* SPDX-License-Identifier: MIT */
/* weights/gguf_tokenizer.c - the tokenizer of a GGUF language model, from the metadata tokenizer.ggml.*. */
#include "weights/gguf_model.h"

#include "base/memory.h"

#include <string.h>

/* The three arrays that describe the pieces, all of one length. */
struct arrays {
    const struct lp_gguf_value *tokens, *scores, *types;
};

static bool find_arrays(const struct lp_gguf *g, struct arrays *a, struct lp_error *err) {
    if (!lp_gguf_array(g, "tokenizer.ggml.tokens", LP_GGUF_STRING, &a->tokens, err) ||
        !lp_gguf_array(g, "tokenizer.ggml.scores", LP_GGUF_F32, &a->scores, err) ||
        !lp_gguf_array(g, "tokenizer.ggml.token_type", LP_GGUF_I32, &a->types, err))
        return false;
    if (!a->tokens || !a->scores || !a->types)
        return lp_error_set(err, LP_EINPUT, "%s: has no tokenizer of tokens, scores and token types",
                            g->file);
    if (a->tokens->count != a->scores->count || a->tokens->count != a->types->count)
        return lp_error_set(err, LP_EINPUT,
                            "%s: its tokenizer has %llu tokens, %llu scores and %llu token types", g->file,
                            (unsigned long long)a->tokens->count, (unsigned long long)a->scores->count,
                            (unsigned long long)a->types->count);
    return a->tokens->count <= LP_TOKENS_MOST ||
           lp_error_set(err, LP_EINPUT, "%s: its tokenizer has more than %d tokens", g->file, LP_TOKENS_MOST);
}

/* User-defined pieces have their spaces as such in GGUF files, all others as U+2581. The name then lives in
 * the arena; NULL when out of memory. */
static const char *mark_spaces(struct lp_arena *arena, const char *name, size_t *n) {
    size_t spaces = 0;
    for (size_t i = 0; i < *n; i++)
        spaces += name[i] == ' ';
    if (spaces == 0)
        return name;
    char *marked = lp_arena_alloc(arena, *n + 2 * spaces), *to = marked;
    for (size_t i = 0; marked && i < *n; i++) {
        if (name[i] == ' ')
            to = mempcpy(to, LP_SPACE_MARK, strlen(LP_SPACE_MARK));
        else
            *to++ = name[i];
    }
    *n += 2 * spaces;
    return marked;
}

static bool fill(const struct lp_gguf *g, const struct arrays *a, struct lp_arena *arena,
                 struct lp_token *token, struct lp_error *err) {
    struct lp_gguf_value tokens = *a->tokens, scores = *a->scores, types = *a->types, name, value;
    for (size_t i = 0; lp_gguf_next(&tokens, &name); i++) {
        double score = 0;
        int64_t type = 0;
        if (!lp_gguf_next(&scores, &value) || !lp_gguf_value_number(&value, &score) ||
            !lp_gguf_next(&types, &value) || !lp_gguf_value_int(&value, &type))
            return lp_error_set(err, LP_EINPUT, "%s: token %zu has a score that is not a finite number",
                                g->file, i);
        token[i] = (struct lp_token){(const char *)name.at, (size_t)name.count, (float)score, (int)type};
        if (type == LP_TOKEN_USER && !(token[i].name = mark_spaces(arena, token[i].name, &token[i].n)))
            return lp_error_memory(err);
    }
    return true;
}

/* An id that may be absent (-1). */
static bool read_id(const struct lp_gguf *g, const char *key, int *id, struct lp_error *err) {
    int64_t value;
    bool ok = lp_gguf_int(g, key, -1, -1, UINT32_MAX, &value, err);
    *id = value > LP_TOKENS_MOST ? LP_TOKENS_MOST : (int)value;
    return ok;
}

static bool read_settings(const struct lp_gguf *g, struct lp_token_list *list, struct lp_error *err) {
    static const char model[] = "llama";
    const struct lp_gguf_value *v = lp_gguf_find(g, "tokenizer.ggml.model");
    if (!v || v->type != LP_GGUF_STRING)
        return lp_error_set(err, LP_EINPUT, "%s: has no tokenizer ('tokenizer.ggml.model' is missing)",
                            g->file);
    if (v->count != strlen(model) || memcmp(v->at, model, strlen(model)) != 0)
        return lp_error_set(err, LP_EINPUT,
                            "%s: its tokenizer is a '%.*s', but only SentencePiece's ('llama') is known",
                            g->file, v->count < 40 ? (int)v->count : 40, (const char *)v->at);
    return lp_gguf_bool(g, "tokenizer.ggml.add_bos_token", true, &list->add_bos, err) &&
           lp_gguf_bool(g, "tokenizer.ggml.add_space_prefix", true, &list->space_prefix, err) &&
           lp_gguf_bool(g, "tokenizer.ggml.remove_extra_whitespaces", false, &list->remove_spaces, err) &&
           read_id(g, "tokenizer.ggml.bos_token_id", &list->bos, err) &&
           read_id(g, "tokenizer.ggml.eos_token_id", &list->eos, err) &&
           read_id(g, "tokenizer.ggml.padding_token_id", &list->pad, err);
}

struct lp_tokenizer *lp_gguf_tokenizer(const struct lp_gguf *g, struct lp_error *err) {
    struct arrays a;
    struct lp_arena arena = {0};
    struct lp_token_list list = {0};
    if (!read_settings(g, &list, err) || !find_arrays(g, &a, err))
        return NULL;
    struct lp_token *token = lp_alloc_array((size_t)a.tokens->count + 1, sizeof *token);
    struct lp_tokenizer *t = NULL;
    if (!token)
        lp_error_memory(err);
    list.token = token;
    list.count = (int64_t)a.tokens->count;
    if (token && fill(g, &a, &arena, token, err))
        t = lp_tokenizer_open_list(&list, g->file, err);
    lp_free(token);
    lp_arena_done(&arena);
    return t;
}
