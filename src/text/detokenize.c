/* SPDX-License-Identifier: MIT */
/* text/detokenize.c - ids -> text, all at once or as they come. Byte tokens in a row make characters; the
 * space that encoding put before the text is taken off again. */
#include "base/memory.h"
#include "text/utf8.h"
#include "text/vocabulary.h"

#include <string.h>

void lp_token_stream_init(struct lp_token_stream *s, const struct lp_tokenizer *t) {
    *s = (struct lp_token_stream){.t = t};
}

static void put(struct lp_token_stream *s, struct lp_str *out, const char *bytes, size_t n) {
    lp_str_add(out, bytes, n);
    s->started |= n > 0;
}

static void push_byte(struct lp_token_stream *s, char byte, struct lp_str *out) {
    s->held[s->n_held++] = byte;
    while (s->n_held && !lp_utf8_is_cut(s->held, s->n_held)) {
        int whole = lp_utf8_next(s->held, s->n_held, NULL), used = whole ? whole : 1;
        if (whole)
            put(s, out, s->held, (size_t)whole);
        else
            put(s, out, LP_UTF8_REPLACEMENT, strlen(LP_UTF8_REPLACEMENT));
        s->n_held = (uint8_t)(s->n_held - used);
        memmove(s->held, s->held + used, s->n_held);
    }
}

void lp_token_stream_end(struct lp_token_stream *s, struct lp_str *out) {
    for (; s->n_held; s->n_held--)
        put(s, out, LP_UTF8_REPLACEMENT, strlen(LP_UTF8_REPLACEMENT));
}

void lp_token_stream_push(struct lp_token_stream *s, int32_t id, struct lp_str *out) {
    const struct lp_tokenizer *t = s->t;
    const struct lp_piece *p = id >= 0 && id < t->n_pieces ? &t->piece[id] : NULL;
    if (!p || p->type == LP_PIECE_NONE)
        return;
    if (p->type == LP_PIECE_BYTE) {
        push_byte(s, p->text[0], out);
        return;
    }
    lp_token_stream_end(s, out);
    bool spaced = p->type != LP_PIECE_CONTROL && p->type != LP_PIECE_UNKNOWN && p->n_name >= 3 &&
                  memcmp(p->name, LP_SPACE, 3) == 0;
    bool strip = spaced && !s->started && (t->dummy_prefix || t->remove_spaces);
    put(s, out, p->text + strip, p->n_text - strip);
    if (strip && !t->remove_spaces)
        s->started = true;
}

bool lp_tokenizer_decode(const struct lp_tokenizer *t, const int32_t *id, size_t n, struct lp_str *out,
                         struct lp_error *err) {
    struct lp_token_stream s;
    lp_token_stream_init(&s, t);
    for (size_t i = 0; i < n; i++)
        lp_token_stream_push(&s, id[i], out);
    lp_token_stream_end(&s, out);
    return !out->failed || lp_error_memory(err);
}
