/* SPDX-License-Identifier: MIT */
/* text/wordpiece.c - uncased BERT's ids of a text, and the text of ids.
 *   characters: control characters go, spaces and CJK ideographs part words, accents go (canonical
 *   decomposition less non-spacing marks), letters become small, each punctuation mark is a word
 *   words: the longest piece that one starts with, then the longest "##" piece that the rest starts with, ..
 * transformers' slow BertTokenizer differs in one letter: a capital sigma that ends a word becomes its final
 * form there; here, as in the fast one, it becomes the common small sigma. */
#include "text/wordpiece.h"

#include "text/utf8.h"
#include "text/wordpiece_inner.h"

#include <string.h>
#include <utf8proc.h>

/* A word while its characters arrive. Marks that combine are kept in canonical order. */
struct word {
    uint32_t cp[LP_WORD_MOST];
    int n;     /* LP_WORD_MOST + 1: it is too long, whatever cp holds */
    int sorts; /* from here on characters may still change places */
};

static bool is_ideograph(uint32_t cp) { /* the blocks that BERT's authors chose */
    static const uint32_t block[][2] = {{0x4e00, 0x9fff},   {0x3400, 0x4dbf},   {0x20000, 0x2a6df},
                                        {0x2a700, 0x2b73f}, {0x2b740, 0x2b81f}, {0x2b820, 0x2ceaf},
                                        {0xf900, 0xfaff},   {0x2f800, 0x2fa1f}};
    for (size_t i = 0; i < sizeof block / sizeof block[0]; i++)
        if (cp >= block[i][0] && cp <= block[i][1])
            return true;
    return false;
}

static bool is_space(uint32_t cp, utf8proc_category_t category) {
    return cp == '\t' || cp == '\n' || cp == '\r' || category == UTF8PROC_CATEGORY_ZS ||
           category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

static bool is_dropped(uint32_t cp, utf8proc_category_t category) { /* control, format, private, unassigned */
    return cp == 0xfffd || category == UTF8PROC_CATEGORY_CN || category >= UTF8PROC_CATEGORY_CC;
}

static bool is_punctuation(uint32_t cp) {
    if (cp < 128) /* all marks, also those that Unicode calls symbols */
        return (cp > ' ' && cp < '0') || (cp > '9' && cp < 'A') || (cp > 'Z' && cp < 'a') ||
               (cp > 'z' && cp < 127);
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)cp);
    return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

/* Appends the pieces of a word. A word that pieces cannot make is [UNK] whole. */
static bool end_word(const struct lp_wordpiece *w, struct word *word, struct lp_ids *out,
                     struct lp_error *err) {
    char bytes[2 + 4 * LP_WORD_MOST];
    size_t offset[LP_WORD_MOST + 1] = {2}, before = out->n; /* two bytes are left for a "##" */
    int n = word->n, start = n > LP_WORD_MOST ? n : 0;
    word->n = word->sorts = 0;
    for (int i = 0; i < n && n <= LP_WORD_MOST; i++)
        offset[i + 1] = offset[i] + (size_t)lp_utf8_put(bytes + offset[i], word->cp[i]);
    for (int end; start < n; start = end) {
        char *name = bytes + offset[start] - (start ? 2 : 0);
        if (start) /* over characters that are done */
            memcpy(name, "##", 2);
        int32_t id = -1;
        for (end = n; end > start; end--) {
            size_t length = (size_t)(bytes + offset[end] - name);
            id = length > w->longest ? -1 : lp_vocabulary_find(w->pieces, name, length);
            if (id >= 0)
                break;
        }
        if (id < 0)
            break;
        if (!lp_ids_push(out, id, err))
            return false;
    }
    if (start < n || n > LP_WORD_MOST) {
        out->n = before;
        return lp_ids_push(out, w->unk, err);
    }
    return true;
}

static void add_letter(struct word *word, uint32_t cp, int class) {
    if (word->n >= LP_WORD_MOST) {
        word->n = LP_WORD_MOST + 1;
        return;
    }
    int at = word->n++;
    for (; class > 0 && at > word->sorts; at--) {
        if (utf8proc_get_property((utf8proc_int32_t)word->cp[at - 1])->combining_class <= class)
            break;
        word->cp[at] = word->cp[at - 1];
    }
    word->cp[at] = cp;
    if (class == 0)
        word->sorts = word->n;
}

/* One character of a decomposition: an accent goes, a punctuation mark is a word of its own. */
static bool add_part(const struct lp_wordpiece *w, struct word *word, utf8proc_int32_t cp, struct lp_ids *out,
                     struct lp_error *err) {
    const utf8proc_property_t *property = utf8proc_get_property(cp);
    if (property->category == UTF8PROC_CATEGORY_MN) {
        if (property->combining_class == 0)
            word->sorts = word->n;
        return true;
    }
    uint32_t small = (uint32_t)utf8proc_tolower(cp);
    if (!is_punctuation(small)) {
        add_letter(word, small, property->combining_class);
        return true;
    }
    if (!end_word(w, word, out, err))
        return false;
    add_letter(word, small, 0);
    return end_word(w, word, out, err);
}

static bool encode_stretch(const struct lp_wordpiece *w, const char *text, size_t n, struct lp_ids *out,
                           struct lp_error *err) {
    struct word word = {0};
    for (size_t at = 0; at < n;) {
        uint32_t cp;
        int bytes = lp_utf8_next(text + at, n - at, &cp);
        at += bytes ? (size_t)bytes : 1;
        utf8proc_category_t category = bytes ? utf8proc_category((utf8proc_int32_t)cp) : UTF8PROC_CATEGORY_CN;
        bool space = bytes && is_space(cp, category), ideograph = bytes && is_ideograph(cp);
        if ((space || ideograph) && !end_word(w, &word, out, err))
            return false;
        if (!bytes || space || is_dropped(cp, category))
            continue;
        utf8proc_int32_t part[16]; /* the longest canonical decomposition has 4 */
        int boundary = 0;
        utf8proc_ssize_t parts =
            utf8proc_decompose_char((utf8proc_int32_t)cp, part, 16, UTF8PROC_DECOMPOSE, &boundary);
        for (utf8proc_ssize_t i = 0; i < parts && i < 16; i++)
            if (!add_part(w, &word, part[i], out, err))
                return false;
        if (ideograph && !end_word(w, &word, out, err))
            return false;
    }
    return end_word(w, &word, out, err);
}

/* The special token whose name s starts with, the longest one; NULL where there is none. */
static const struct lp_piece *match_mark(const struct lp_wordpiece *w, const char *s, size_t n, int32_t *id) {
    const struct lp_piece *best = NULL;
    for (int i = 0; i < w->marks; i++) {
        const struct lp_piece *p = &w->pieces->piece[w->mark[i]];
        if (p->n_name <= n && memcmp(p->name, s, p->n_name) == 0 && (!best || p->n_name > best->n_name)) {
            best = p;
            *id = w->mark[i];
        }
    }
    return best;
}

bool lp_wordpiece_encode(const struct lp_wordpiece *w, const char *text, size_t n, struct lp_ids *out,
                         struct lp_error *err) {
    size_t before = out->n, start = 0;
    bool good = true;
    for (size_t at = 0; good && at < n;) {
        int32_t id;
        const struct lp_piece *mark = match_mark(w, text + at, n - at, &id);
        if (mark) {
            good = encode_stretch(w, text + start, at - start, out, err) && lp_ids_push(out, id, err);
            start = at + mark->n_name;
        }
        at += mark ? mark->n_name : 1;
    }
    if (good && encode_stretch(w, text + start, n - start, out, err))
        return true;
    out->n = before;
    return false;
}

/* Wherever `pattern` stands behind `from`, its spaces go. */
static void close_up(struct lp_str *str, size_t from, const char *pattern) {
    size_t n = strlen(pattern), to = from;
    for (size_t at = from; at < str->n;) {
        bool here = str->n - at >= n && memcmp(str->s + at, pattern, n) == 0;
        for (size_t i = 0; i < (here ? n : 1); i++, at++)
            if (!here || str->s[at] != ' ')
                str->s[to++] = str->s[at];
    }
    lp_str_cut(str, to);
}

bool lp_wordpiece_decode(const struct lp_wordpiece *w, const int32_t *id, size_t n, struct lp_str *out,
                         struct lp_error *err) {
    static const char *const tight[] = {" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're"};
    size_t from = out->n;
    for (size_t i = 0; i < n; i++) {
        if (id[i] < 0 || id[i] >= w->pieces->n_pieces || !w->pieces->piece[id[i]].name)
            continue;
        const struct lp_piece *p = &w->pieces->piece[id[i]];
        bool joins = i > 0 && p->n_name > 2 && memcmp(p->name, "##", 2) == 0;
        if (i > 0 && !joins)
            lp_str_putc(out, ' ');
        lp_str_add(out, p->name + (joins ? 2 : 0), p->n_name - (joins ? 2 : 0));
    }
    if (out->failed)
        return lp_error_memory(err);
    for (size_t i = 0; i < sizeof tight / sizeof tight[0]; i++)
        close_up(out, from, tight[i]);
    return true;
}

int lp_wordpiece_size(const struct lp_wordpiece *w) {
    return w->pieces->n_pieces;
}

int lp_wordpiece_find(const struct lp_wordpiece *w, const char *name, size_t n) {
    return (int)lp_vocabulary_find(w->pieces, name, n);
}

int lp_wordpiece_cls(const struct lp_wordpiece *w) {
    return w->cls;
}

int lp_wordpiece_sep(const struct lp_wordpiece *w) {
    return w->sep;
}
