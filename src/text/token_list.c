/* SPDX-License-Identifier: MIT */
/* text/token_list.c - a SentencePiece vocabulary given in arrays. */
#include "text/vocabulary.h"

#include "base/memory.h"

#include <string.h>

static bool check_id(const struct lp_token_list *list, const char *what, int id, struct lp_error *err) {
    return id < list->count || lp_error_set(err, LP_EINPUT, "its %s token %d is not one of its %lld tokens",
                                            what, id, (long long)list->count);
}

/* Converters of some files call the marks around a text normal or user-defined pieces. */
static bool is_mark(const struct lp_token_list *list, int id) {
    return id == list->bos || id == list->eos || id == list->pad;
}

static bool set_token(struct lp_tokenizer *t, const struct lp_token_list *list, int id,
                      struct lp_error *err) {
    const struct lp_token *token = &list->token[id];
    enum lp_piece_type type = (enum lp_piece_type)token->type;
    if (token->type < LP_PIECE_NORMAL || token->type > LP_PIECE_BYTE)
        return lp_error_set(err, LP_EINPUT, "token %d has the unknown type %d", id, token->type);
    if (is_mark(list, id) && (type == LP_PIECE_NORMAL || type == LP_PIECE_USER))
        type = LP_PIECE_CONTROL;
    t->byte_fallback |= type == LP_PIECE_BYTE;
    return lp_vocabulary_set(t, id, type, token->name, token->n, token->score, err);
}

bool lp_token_list_read(struct lp_tokenizer *t, const struct lp_token_list *list, struct lp_error *err) {
    if (!check_id(list, "BOS", list->bos, err) || !check_id(list, "EOS", list->eos, err) ||
        !check_id(list, "padding", list->pad, err) || !lp_vocabulary_init(t, list->count, err))
        return false;
    t->dummy_prefix = list->space_prefix;
    t->remove_spaces = list->remove_spaces;
    t->escape_spaces = true;
    t->omits_bos = !list->add_bos;
    for (int id = 0; id < (int)list->count; id++)
        if (!set_token(t, list, id, err))
            return false;
    if (!lp_vocabulary_finish(t, LP_UNKNOWN_TEXT, strlen(LP_UNKNOWN_TEXT), err))
        return false;
    if (t->unk < 0)
        return lp_error_set(err, LP_EINPUT, "it has no token for the unknown");
    t->bos = list->bos;
    t->eos = list->eos;
    t->pad = list->pad;
    return true;
}

/* Arrays know no merges: a pair becomes the piece of the best score. In LLaMA's files the merge that comes
 * first makes the piece with the best score. */
static void score_merges(const struct lp_tokenizer *t, struct lp_token *token, int64_t count) {
    for (int64_t id = 0; id < count; id++)
        token[id].score = -(float)LP_TOKENS_MOST;
    for (size_t i = 0; i <= t->merge_mask; i++) {
        const struct lp_merge *m = &t->merge[i];
        if (m->id >= 0 && -(float)m->rank > token[m->id].score)
            token[m->id].score = -(float)m->rank;
    }
}

static bool fill(const struct lp_tokenizer *t, struct lp_token *token, int64_t count,
                 struct lp_arena *arena) {
    for (int64_t id = 0; id < count; id++) {
        const struct lp_piece *p = id < t->n_pieces ? &t->piece[id] : NULL;
        if (p && p->type != LP_PIECE_NONE) {
            token[id] = (struct lp_token){p->name, p->n_name, p->score, p->type};
            continue;
        }
        char *name = lp_arena_printf(arena, "[PAD%lld]", (long long)id);
        if (!name)
            return false;
        token[id] = (struct lp_token){name, strlen(name), -(float)LP_TOKENS_MOST, LP_PIECE_UNUSED};
    }
    if (t->merge)
        score_merges(t, token, count);
    return true;
}

/* Whether both make the same ids of a text. */
static bool agree(const struct lp_tokenizer *a, const struct lp_tokenizer *b, const struct lp_str *text,
                  bool *same, struct lp_error *err) {
    struct lp_ids x = {0}, y = {0};
    bool ok = (!text->failed || lp_error_memory(err)) &&
              lp_tokenizer_encode(a, lp_str_text(text), text->n, &x, err) &&
              lp_tokenizer_encode(b, lp_str_text(text), text->n, &y, err);
    *same = ok && x.n == y.n && (x.n == 0 || memcmp(x.id, y.id, x.n * sizeof *x.id) == 0);
    lp_ids_done(&x);
    lp_ids_done(&y);
    return ok;
}

static bool try_all(const struct lp_tokenizer *t, const struct lp_tokenizer *list, struct lp_error *err) {
    struct lp_str text = {0};
    bool ok = true, same = true;
    for (int id = 0; ok && same && id < t->n_pieces; id++) {
        const struct lp_piece *a = &t->piece[id], *b = &t->piece[((int64_t)id * 7919 + 13) % t->n_pieces];
        lp_str_cut(&text, 0);
        lp_str_add(&text, a->text ? a->text : "", a->n_text);
        ok = agree(t, list, &text, &same, err);
        lp_str_add(&text, b->text ? b->text : "", b->n_text);
        ok = ok && same ? agree(t, list, &text, &same, err) : ok;
    }
    lp_str_done(&text);
    return ok && (same || lp_error_set(err, LP_EINPUT,
                                       "a list of tokens cannot say what this tokenizer does; use the "
                                       "model's tokenizer.model"));
}

bool lp_tokenizer_list(const struct lp_tokenizer *t, int64_t count, struct lp_arena *arena,
                       struct lp_token_list *list, struct lp_error *err) {
    struct lp_token *token = lp_arena_array(arena, (size_t)count + 1, sizeof *token);
    if (!token || !fill(t, token, count, arena))
        return lp_error_memory(err);
    *list = (struct lp_token_list){.token = token,
                                   .count = count,
                                   .bos = t->bos,
                                   .eos = t->eos,
                                   .pad = t->pad,
                                   .add_bos = !t->omits_bos,
                                   .space_prefix = t->dummy_prefix,
                                   .remove_spaces = t->remove_spaces};
    struct lp_tokenizer *back = lp_tokenizer_open_list(list, "as a list of tokens", err);
    bool ok = back && try_all(t, back, err);
    lp_tokenizer_close(back);
    return ok;
}
