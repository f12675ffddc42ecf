/* SPDX-License-Identifier: MIT */
/* text/phrases.c - a caption's tokens, which of them see each other, and where in its phrase each stands.
 * The reference writes the first of these as a matrix of allowed pairs, transformers'
 * generate_masks_with_special_tokens_and_transfer_map; what it allows are stretches of neighbours, so the
 * stretches are kept instead. */
#include "text/phrases.h"

#include "base/memory.h"
#include "text/utf8.h"

#include <string.h>
#include <utf8proc.h>

static bool is_space(uint32_t cp) { /* what Python strips */
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)cp);
    return (cp >= '\t' && cp <= '\r') || (cp >= 0x1c && cp <= 0x1f) || cp == 0x85 ||
           (category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_ZP);
}

bool lp_phrases_caption(const char *caption, size_t n, struct lp_str *out, struct lp_error *err) {
    size_t from = out->n, end = from; /* behind the last character that is no space */
    for (size_t at = 0; at < n;) {
        uint32_t cp = 0xfffd;
        int bytes = lp_utf8_next(caption + at, n - at, &cp);
        at += bytes ? (size_t)bytes : 1;
        bool space = is_space(cp);
        if (space && end == from)
            continue;
        char small[4];
        lp_str_add(out, small, (size_t)lp_utf8_put(small, (uint32_t)utf8proc_tolower((utf8proc_int32_t)cp)));
        end = space ? end : out->n;
    }
    lp_str_cut(out, end);
    if (out->n == from || (out->s && out->s[out->n - 1] != '.'))
        lp_str_putc(out, '.');
    return !out->failed || lp_error_memory(err);
}

bool lp_phrases_join(const char *const *phrase, size_t count, struct lp_str *out, struct lp_error *err) {
    for (size_t i = 0; i < count; i++)
        lp_str_printf(out, "%s%s .", i ? " " : "", phrase[i]);
    return !out->failed || lp_error_memory(err);
}

/* Whether a token ends a phrase, or is one of the two around the caption. */
static bool parts(const struct lp_wordpiece *w, int32_t id) {
    return id == lp_wordpiece_cls(w) || id == lp_wordpiece_sep(w) || id == lp_wordpiece_find(w, ".", 1) ||
           id == lp_wordpiece_find(w, "?", 1);
}

/* Tokens first..end-1 are a stretch. */
static void add_stretch(struct lp_phrases *p, size_t first, size_t end) {
    for (size_t i = first; i < end; i++)
        p->position[i] = (int32_t)(i - first);
    p->start[p->count++] = (int32_t)first;
}

bool lp_phrases_part(const struct lp_wordpiece *w, struct lp_phrases *p, struct lp_error *err) {
    size_t n = p->ids.n, first = 0;
    p->position = lp_alloc_array(n + 1, sizeof *p->position);
    p->start = lp_alloc_array(n + 1, sizeof *p->start);
    if (!p->position || !p->start)
        return lp_error_memory(err);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && !parts(w, p->ids.id[i]))
            continue;
        if (i + 1 == n) /* the last token stands alone, and so do those that no mark ends */
            break;
        add_stretch(p, first, i + 1);
        first = i + 1;
    }
    for (; first < n; first++)
        add_stretch(p, first, first + 1);
    p->start[p->count] = (int32_t)n;
    if (n <= LP_PHRASES_TOKENS)
        return true;
    p->cut = true; /* as the reference: behind the masks, so that a phrase may lose its end */
    p->ids.n = LP_PHRASES_TOKENS;
    while (p->start[p->count - 1] >= LP_PHRASES_TOKENS)
        p->count--;
    p->start[p->count] = LP_PHRASES_TOKENS;
    return true;
}

bool lp_phrases_read(const struct lp_wordpiece *w, const char *caption, size_t n, struct lp_phrases *p,
                     struct lp_error *err) {
    struct lp_str text = {0};
    bool good;
    if (lp_wordpiece_find(w, ".", 1) < 0)
        return lp_error_set(err, LP_EINPUT, "the vocabulary has no '.', which ends every phrase");
    good = lp_phrases_caption(caption, n, &text, err) && lp_ids_push(&p->ids, lp_wordpiece_cls(w), err) &&
           lp_wordpiece_encode(w, text.s, text.n, &p->ids, err) &&
           lp_ids_push(&p->ids, lp_wordpiece_sep(w), err) && lp_phrases_part(w, p, err);
    lp_str_done(&text);
    return good;
}

void lp_phrases_done(struct lp_phrases *p) {
    lp_ids_done(&p->ids);
    lp_free(p->position);
    lp_free(p->start);
    *p = (struct lp_phrases){0};
}
