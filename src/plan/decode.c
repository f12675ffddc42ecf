/* SPDX-License-Identifier: MIT */
/* plan/decode.c - constrained decoding. A token is sampled from the whole distribution and kept when the
 * grammar can take all its bytes; else it is sampled anew among the tokens that the grammar can take, which
 * together equals sampling from the renormalised legal ones. Of stretches that the grammar forces the whole
 * words are fed in their canonical tokenisation, which is what models are trained on; the last word is
 * sampled, as its tokens depend on what follows (" [" before "]" is " []"), and so is what a longer piece could begin. */
#include "plan/decode.h"

#include "base/clock.h"
#include "base/memory.h"
#include "text/template.h"

#include <string.h>

enum { HURRY = 96 }; /* tokens that must remain to end a plan in order */

void lp_prompt_done(struct lp_prompt *prompt) {
    lp_ids_done(&prompt->ids);
    lp_free(prompt->picture);
    *prompt = (struct lp_prompt){0};
}

int64_t lp_prompt_rows(const struct lp_prompt *p) {
    int64_t rows = 0, picture = 0;
    for (size_t i = 0; i < p->ids.n; i++)
        rows += p->ids.id[i] == LP_IMAGE_TOKEN ? p->picture[picture++]->rows : 1;
    return rows;
}

void lp_turn_done(struct lp_turn *turn) {
    lp_str_done(&turn->text);
    *turn = (struct lp_turn){0};
}

bool lp_decoder_init(struct lp_decoder *d, struct lp_lmm *lmm, struct lp_error *err) {
    int64_t n = lp_tokenizer_size(lmm->tokenizer) < lmm->vocabulary ? lp_tokenizer_size(lmm->tokenizer)
                                                                    : lmm->vocabulary;
    *d = (struct lp_decoder){.lmm = lmm};
    d->by_first_byte = lp_alloc_array((size_t)n, sizeof *d->by_first_byte);
    d->legal = lp_alloc_array((size_t)lmm->vocabulary, sizeof *d->legal);
    d->scratch = lp_alloc_array((size_t)lmm->vocabulary, sizeof *d->scratch);
    if (!d->by_first_byte || !d->legal || !d->scratch) {
        lp_decoder_done(d);
        return lp_error_memory(err);
    }
    for (int pass = 0; pass < 2; pass++) { /* counts, then places: a counting sort */
        int32_t at[256];
        memcpy(at, d->first, sizeof at);
        for (int32_t id = 0; id < n; id++) {
            size_t length;
            const char *piece = lp_tokenizer_piece(lmm->tokenizer, id, &length);
            if (length && pass == 0)
                d->first[(uint8_t)piece[0] + 1]++;
            else if (length)
                d->by_first_byte[at[(uint8_t)piece[0]]++] = id;
        }
        for (int b = 0; pass == 0 && b < 256; b++)
            d->first[b + 1] += d->first[b];
    }
    return true;
}

void lp_decoder_done(struct lp_decoder *d) {
    lp_sequence_done(&d->held);
    lp_free(d->by_first_byte);
    lp_free(d->legal);
    lp_free(d->scratch);
    *d = (struct lp_decoder){0};
}

/* One turn being written. */
struct writer {
    struct lp_decoder *d;
    const struct lp_syntax *syntax;
    const struct lp_decoding *how;
    struct lp_turn *turn;
    struct lp_place place;
    struct lp_ids waiting; /* chosen but not fed */
    const struct lp_llava_picture *const *picture;
    int64_t pictures;
    const float *logits; /* after the last id fed */
    int left;            /* tokens that may still be written */
};

/* Forgets what the model holds beyond what the prompt begins with, loads more of that, and queues the rest. */
static bool start(struct writer *w, const struct lp_prompt *prompt, struct lp_error *err) {
    struct lp_decoder *d = w->d;
    struct lp_sequence wanted = {0};
    if (!lp_sequence_add(&wanted, &prompt->ids, prompt->picture, err)) {
        lp_sequence_done(&wanted);
        return false;
    }
    size_t same = lp_sequence_common(&d->held, &wanted);
    if (same > 0 && same == wanted.ids.n)
        same--; /* logits come from feeding */
    d->lmm->kind->cut(d->lmm->self, lp_sequence_rows(&wanted, same));
    same = lp_prefix_load(d->lmm, &wanted, same);
    w->turn->reused = lp_sequence_rows(&wanted, same);
    w->turn->fed = lp_sequence_rows(&wanted, wanted.ids.n) - w->turn->reused;
    lp_sequence_done(&d->held);
    d->held = wanted;
    lp_sequence_cut(&d->held, same);
    w->picture = prompt->picture + d->held.pictures;
    w->pictures = prompt->pictures - d->held.pictures;
    for (size_t i = same; i < prompt->ids.n; i++)
        if (!lp_ids_push(&w->waiting, prompt->ids.id[i], err))
            return false;
    return true;
}

/* Feeds what waits; afterwards logits are those after it. */
static bool feed(struct writer *w, struct lp_error *err) {
    struct lp_lmm *lmm = w->d->lmm;
    if (!w->waiting.n)
        return true;
    size_t before = w->d->held.ids.n;
    w->logits = NULL;
    if (lp_sequence_add(&w->d->held, &w->waiting, w->picture, err))
        w->logits = lmm->kind->feed(lmm->self, w->waiting.id, (int64_t)w->waiting.n, w->picture, w->pictures, err);
    if (!w->logits) {
        lp_sequence_cut(&w->d->held, before);
        return false;
    }
    w->pictures = 0;
    w->waiting.n = 0;
    return true;
}

/* Whether the grammar can take all bytes of a token from `place`, which moves. */
static bool take_bytes(struct writer *w, struct lp_place *place, int32_t id) {
    size_t n;
    const char *piece = lp_tokenizer_piece(w->d->lmm->tokenizer, id, &n);
    if (id == lp_tokenizer_eos(w->d->lmm->tokenizer))
        return lp_place_may_end(place);
    if (id == lp_tokenizer_unk(w->d->lmm->tokenizer))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!lp_place_step(place, w->syntax, (uint8_t)piece[i]))
            return false;
    return n > 0;
}

static void find_legal(struct writer *w) {
    struct lp_decoder *d = w->d;
    bool byte[256];
    lp_place_legal(&w->place, w->syntax, byte);
    memset(d->legal, 0, (size_t)d->lmm->vocabulary * sizeof *d->legal);
    for (int b = 0; b < 256; b++)
        for (int32_t i = d->first[b]; byte[b] && i < d->first[b + 1]; i++) {
            struct lp_place place = w->place;
            d->legal[d->by_first_byte[i]] = take_bytes(w, &place, d->by_first_byte[i]);
        }
    int eos = lp_tokenizer_eos(d->lmm->tokenizer);
    if (eos >= 0 && eos < d->lmm->vocabulary)
        d->legal[eos] = lp_place_may_end(&w->place);
}

/* Adds a token to the turn; the place has taken its bytes. */
static bool write_token(struct writer *w, int32_t id, struct lp_error *err) {
    size_t n;
    const char *piece = lp_tokenizer_piece(w->d->lmm->tokenizer, id, &n);
    lp_str_add(&w->turn->text, piece, n);
    w->turn->tokens++;
    w->left--;
    if (w->turn->text.failed)
        return lp_error_memory(err);
    return lp_ids_push(&w->waiting, id, err);
}

/* Notes where the parts begin. */
static void note_parts(struct writer *w) {
    struct lp_turn *t = w->turn;
    const char *text = lp_str_text(&t->text);
    const char *at;
    if (!t->thoughts_at && (at = memmem(text, t->text.n, LP_MARK_THOUGHTS, strlen(LP_MARK_THOUGHTS))))
        t->thoughts_at = (size_t)(at - text) + strlen(LP_MARK_THOUGHTS);
    if (!t->actions_at && (at = memmem(text, t->text.n, LP_MARK_ACTIONS, strlen(LP_MARK_ACTIONS))))
        t->actions_at = (size_t)(at - text);
    if (!t->value_at && t->actions_at && lp_place_in_value(&w->place) &&
        (at = memmem(text, t->text.n, LP_MARK_VALUE, strlen(LP_MARK_VALUE))))
        t->value_at = (size_t)(at - text) + strlen(LP_MARK_VALUE);
}

/* Where the word begins that the text ends in: words begin at spaces and after line feeds, and no token spans
 * two. */
static size_t word_start(const struct lp_str *text) {
    size_t at = text->n;
    while (at > 0 && text->s[at - 1] != ' ' && text->s[at - 1] != '\n')
        at--;
    return at > 0 && text->s[at - 1] == ' ' ? at - 1 : at;
}

/* Ids of the bytes after the first `before` of a stretch of text. False when no token begins there, or when
 * tokens cannot write the bytes exactly. */
static bool encode_after(const struct lp_tokenizer *t, const char *bytes, size_t n, size_t before,
                         struct lp_ids *out) {
    struct lp_str text = {0};
    struct lp_ids all = {0};
    size_t done = 0, from = 0, k;
    lp_str_putc(&text, '\n'); /* a token by itself, behind the dummy prefix */
    lp_str_add(&text, bytes, n);
    bool good = !text.failed && lp_tokenizer_encode(t, text.s, text.n, &all, NULL);
    for (bool begun = false; good && from < all.n && !begun; from++) {
        const char *piece = lp_tokenizer_piece(t, all.id[from], &k);
        begun = k == 1 && piece[0] == '\n';
    }
    for (size_t i = from; good && i < all.n; i++) {
        const char *piece = lp_tokenizer_piece(t, all.id[i], &k);
        good = done + k <= n && !memcmp(piece, bytes + done, k) && (done >= before || done + k <= before) &&
               (done < before || lp_ids_push(out, all.id[i], NULL));
        done += k;
    }
    lp_ids_done(&all);
    lp_str_done(&text);
    return good && done == n;
}

/* Ids of forced bytes: as a part of the word that they go on with, or else by themselves. */
static bool encode_forced(struct writer *w, const char *bytes, size_t n, struct lp_ids *out) {
    const struct lp_tokenizer *t = w->d->lmm->tokenizer;
    struct lp_str stretch = {0};
    size_t start = word_start(&w->turn->text), before = w->turn->text.n - start;
    lp_str_add(&stretch, lp_str_text(&w->turn->text) + start, before);
    lp_str_add(&stretch, bytes, n);
    bool good = !stretch.failed && encode_after(t, stretch.s, stretch.n, before, out);
    lp_str_done(&stretch);
    if (good)
        return true;
    out->n = 0;
    return encode_after(t, bytes, n, 0, out);
}

/* Whether a piece of the vocabulary begins with all these bytes and goes on. */
static bool goes_on(const struct lp_decoder *d, const char *bytes, size_t n) {
    size_t k;
    for (int32_t i = d->first[(uint8_t)bytes[0]]; i < d->first[(uint8_t)bytes[0] + 1]; i++) {
        const char *piece = lp_tokenizer_piece(d->lmm->tokenizer, d->by_first_byte[i], &k);
        if (k > n && !memcmp(piece, bytes, n))
            return true;
    }
    return false;
}

/* Queues the whole words of what the grammar leaves no choice about. */
static bool write_forced(struct writer *w, struct lp_error *err) {
    char bytes[LP_SYNTAX_FORCED];
    size_t n = lp_place_is_text(&w->place) ? 0 : lp_syntax_forced(w->syntax, &w->place, bytes), whole = 0, k;
    struct lp_ids ids = {0};
    bool done = true;
    if (n > 1 && encode_forced(w, bytes, n, &ids))
        for (size_t i = 0; i < ids.n; i++)
            if (lp_tokenizer_piece(w->d->lmm->tokenizer, ids.id[i], &k)[0] == ' ')
                whole = i; /* the word before this one is complete */
    for (size_t i = 0, at = 0; i < whole; i++, at += k) {
        lp_tokenizer_piece(w->d->lmm->tokenizer, ids.id[i], &k);
        if (goes_on(w->d, bytes + at, n - at))
            whole = i;
    }
    for (size_t i = 0; done && i < whole; i++) {
        take_bytes(w, &w->place, ids.id[i]);
        done = write_token(w, ids.id[i], err);
    }
    lp_ids_done(&ids);
    return done;
}

/* Chooses the next token; -1 when there is none. */
static int32_t choose(struct writer *w) {
    struct lp_decoder *d = w->d;
    struct lp_place place = w->place;
    int32_t id = lp_sample(w->logits, d->lmm->vocabulary, NULL, &w->how->sampling, w->how->rng, d->scratch);
    w->turn->sampled++;
    if (id >= 0 && take_bytes(w, &place, id))
        return id;
    find_legal(w);
    return lp_sample(w->logits, d->lmm->vocabulary, d->legal, &w->how->sampling, w->how->rng, d->scratch);
}

/* One round: what is forced, then one sampled token. *more turns false at the end of the turn. */
static bool write_next(struct writer *w, bool *more, struct lp_error *err) {
    w->place.hurry = w->left < HURRY;
    if (!write_forced(w, err) || !feed(w, err))
        return false;
    int32_t id = choose(w);
    if (w->turn->first_ms <= 0)
        w->turn->first_ms = lp_clock_ms();
    if (id < 0)
        return lp_error_set(err, LP_EINPUT,
                            "the model's vocabulary cannot write a plan: it lacks single bytes");
    if (id == lp_tokenizer_eos(w->d->lmm->tokenizer)) {
        *more = false;
        return true;
    }
    take_bytes(w, &w->place, id);
    if (!write_token(w, id, err))
        return false;
    note_parts(w);
    if (w->how->grew)
        w->how->grew(w->how->context, w->turn);
    *more = !lp_place_ended(&w->place) && w->left > 0;
    w->turn->cut_short = w->left <= 0 && !lp_place_ended(&w->place);
    return true;
}

bool lp_decode(struct lp_decoder *d, const struct lp_prompt *prompt, const struct lp_syntax *syntax,
               const struct lp_decoding *how, struct lp_turn *turn, struct lp_error *err) {
    struct writer w = {.d = d, .syntax = syntax, .how = how, .turn = turn};
    *turn = (struct lp_turn){0};
    int64_t room = d->lmm->context - lp_prompt_rows(prompt);
    w.left = room < how->sampling.most_tokens ? (int)room : how->sampling.most_tokens;
    lp_place_init(&w.place, syntax);
    bool more = w.left > HURRY, done = start(&w, prompt, err);
    if (done && !more)
        done = lp_error_set(err, LP_EINPUT, "only %d tokens are left for a turn, which needs more than %d",
                            w.left, HURRY);
    while (done && more) {
        if (how->cancel && atomic_load(how->cancel))
            done = lp_error_set(err, LP_ECANCELED, "stopped as asked");
        else
            done = write_next(&w, &more, err);
    }
    lp_prefix_keep(d->lmm, &d->held); /* also of a turn that failed: what was fed is right */
    const char *text = lp_str_text(&turn->text);
    if (turn->value_at)
        lp_str_cut(&turn->text,
                   turn->value_at + lp_stop_find(text + turn->value_at, turn->text.n - turn->value_at,
                                                 syntax->facts.stop));
    lp_ids_done(&w.waiting);
    return done;
}

/* Cuts the text at a stop text that its last token, of k bytes, has completed. */
static bool stops(struct lp_str *text, size_t k, const char *const *stop, int n) {
    size_t first = text->n;
    for (int i = 0; i < n; i++) {
        size_t new = k + strlen(stop[i]), from = text->n > new ? text->n - new : 0;
        size_t at = from + lp_stop_find(text->s + from, text->n - from, stop[i]);
        first = at < first ? at : first;
    }
    bool found = first < text->n;
    lp_str_cut(text, first);
    return found;
}

bool lp_decode_text(struct lp_decoder *d, const struct lp_prompt *prompt, const char *const *stop, int n,
                    const struct lp_decoding *how, struct lp_turn *turn, struct lp_error *err) {
    struct writer w = {.d = d, .how = how, .turn = turn, .left = how->sampling.most_tokens};
    *turn = (struct lp_turn){0};
    bool more = w.left > 0, done = start(&w, prompt, err);
    while (done && more) {
        if (how->cancel && atomic_load(how->cancel)) {
            done = lp_error_set(err, LP_ECANCELED, "stopped as asked");
            break;
        }
        done = feed(&w, err);
        int32_t id = done ? lp_sample(w.logits, d->lmm->vocabulary, NULL, &how->sampling, how->rng, d->scratch) : -1;
        if (!done || id < 0 || id == lp_tokenizer_eos(d->lmm->tokenizer))
            break;
        size_t before = turn->text.n;
        done = write_token(&w, id, err);
        more = done && !stops(&turn->text, turn->text.n - before, stop, n);
        turn->cut_short = more && w.left <= 0;
        more = more && w.left > 0;
        if (done && how->grew)
            how->grew(how->context, turn);
    }
    lp_prefix_keep(d->lmm, &d->held);
    lp_ids_done(&w.waiting);
    return done;
}
