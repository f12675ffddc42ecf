/* SPDX-License-Identifier: MIT */
/* text/token_list.c - a SentencePiece vocabulary given in arrays. */
#include "text/vocabulary.h"

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
