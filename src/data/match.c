/* SPDX-License-Identifier: MIT */
/* data/match.c - phrase trees as automata: all positions of the text that a phrase's beginning can reach are kept as one
 * set of bits, once without typos and once with one (Wu and Manber 1992, "Fast text searching allowing errors"). A list
 * met again with the same set gives the same set: that is remembered. */
#include "data/match.h"

#include "base/memory.h"
#include "data/grammar_inner.h"
#include "data/scene.h"
#include "data/things.h"
#include "data/wording.h"

#include <ctype.h>
#include <string.h>

enum { WORDS = 8, LONGEST = 64 * WORDS - 2, SYMBOLS = 36, MEMOS = 2048 };

/* at[0]: positions reached without a typo; at[1]: with one. */
struct set {
    uint64_t at[2][WORDS];
};

struct memo {
    const void *what; /* a list or a slot's name; NULL: free */
    bool plural;
    struct set from, to;
};

struct lp_matcher {
    const struct lp_grammar *grammar;
    const char *const *nouns;
    int typos;

    /* The text: letters and digits alone. */
    char text[LONGEST];
    int n, words; /* letters; 64-bit words in use */
    uint64_t is[SYMBOLS][WORDS];
    uint64_t article[WORDS]; /* the n of a whole word "an" */
    uint64_t begins[WORDS], ends[WORDS], valid[WORDS];
    struct memo *memo;
};

static int symbol(char c) {
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'z' ? c - 'a' : c >= '0' && c <= '9' ? 26 + c - '0' : -1;
}

static void put_bit(uint64_t *bits, int i) {
    bits[i / 64] |= (uint64_t)1 << (i % 64);
}

static bool has_bit(const uint64_t *bits, int i) {
    return bits[i / 64] >> (i % 64) & 1;
}

static bool read_text(struct lp_matcher *m, const char *text, int typos) {
    bool inside = false;
    memset(m->is, 0, sizeof m->is);
    memset(m->article, 0, sizeof m->article);
    memset(m->begins, 0, sizeof m->begins);
    memset(m->ends, 0, sizeof m->ends);
    memset(m->valid, 0, sizeof m->valid);
    memset(m->memo, 0, MEMOS * sizeof *m->memo);
    m->typos = typos;
    m->n = 0;
    int start = 0;
    for (const char *p = text;; p++) {
        int s = symbol(*p);
        if (s >= 0) {
            if (m->n == LONGEST)
                return false;
            if (!inside)
                put_bit(m->begins, start = m->n);
            put_bit(m->is[s], m->n);
            m->text[m->n++] = (char)tolower((unsigned char)*p);
        } else if (inside && *p != '\'') { /* "dog's" is one word */
            put_bit(m->ends, m->n);
            if (m->n - start == 2 && !strncmp(m->text + start, "an", 2))
                put_bit(m->article, m->n - 1);
        }
        inside = s >= 0 || (inside && *p == '\'');
        if (!*p)
            break;
    }
    for (int i = 0; i <= m->n; i++)
        put_bit(m->valid, i);
    m->words = m->n / 64 + 1;
    return true;
}

static bool is_empty(const struct lp_matcher *m, const struct set *s) {
    uint64_t any = 0;
    for (int w = 0; w < m->words; w++)
        any |= s->at[0][w] | s->at[1][w];
    return !any;
}

static void unite(const struct lp_matcher *m, struct set *a, const struct set *b) {
    for (int w = 0; w < m->words; w++) {
        a->at[0][w] |= b->at[0][w];
        a->at[1][w] |= b->at[1][w];
    }
}

/* out |= (in & mask) << by, within the text. mask NULL: all. */
static void advance(const struct lp_matcher *m, const uint64_t *in, const uint64_t *mask, int by, uint64_t *out) {
    uint64_t carry = 0;
    for (int w = 0; w < m->words; w++) {
        uint64_t x = mask ? in[w] & mask[w] : in[w];
        out[w] |= ((x << by) | carry) & m->valid[w];
        carry = x >> (64 - by);
    }
}

/* One letter c of the phrase; `swapped` carries what a swap with the letter before reaches, and gets what one with the
 * letter `next` (or -1) will. */
static void step(const struct lp_matcher *m, struct set *s, int c, int next, uint64_t *swapped) {
    struct set to = {0};
    advance(m, s->at[0], m->is[c], 1, to.at[0]);
    if (m->typos) {
        uint64_t extra[WORDS] = {0}, swap[WORDS] = {0}, second[WORDS] = {0};
        advance(m, s->at[1], m->is[c], 1, to.at[1]);
        advance(m, s->at[0], NULL, 1, to.at[1]); /* another letter stands there */
        advance(m, s->at[0], NULL, 1, extra);
        advance(m, extra, m->is[c], 1, to.at[1]); /* a letter too many before it */
        if (next >= 0) {
            advance(m, s->at[0], m->is[next], 1, swap);
            advance(m, swap, m->is[c], 1, second);
        }
        for (int w = 0; w < m->words; w++) {
            to.at[1][w] |= s->at[0][w] | swapped[w]; /* it is lacking */
            swapped[w] = second[w];
        }
    }
    advance(m, to.at[0], m->article, 1, to.at[0]); /* "a" may be "an" */
    advance(m, to.at[1], m->article, 1, to.at[1]);
    *s = to;
}

static void run_letters(const struct lp_matcher *m, const char *text, size_t n, struct set *s) {
    uint64_t swapped[WORDS] = {0};
    size_t i = 0;
    while (i < n && symbol(text[i]) < 0)
        i++;
    while (i < n && !is_empty(m, s)) {
        int c = symbol(text[i++]);
        while (i < n && symbol(text[i]) < 0)
            i++;
        step(m, s, c, i < n ? symbol(text[i]) : -1, swapped);
    }
}

/* A phrase's text, in either number where it has "mouse~mice"; `plural`: also with -ies for its last -y. */
static void run_text(const struct lp_matcher *m, const char *text, bool plural, struct set *s) {
    for (const char *mark; (mark = strchr(text, '~'));) {
        const char *word = mark;
        while (word > text && word[-1] != ' ')
            word--;
        size_t many = lp_wording_other(word, mark);
        run_letters(m, text, (size_t)(word - text), s);
        struct set other = *s;
        run_letters(m, word, (size_t)(mark - word), s);
        if (mark[1] != '-') {
            run_letters(m, mark + 1, many, &other);
            unite(m, s, &other);
        }
        text = mark + 1 + many;
    }
    size_t n = strlen(text);
    struct set ies = *s;
    run_letters(m, text, n, s);
    if (plural && n > 1 && tolower((unsigned char)text[n - 1]) == 'y') {
        run_letters(m, text, n - 1, &ies);
        run_letters(m, "ies", 3, &ies);
        unite(m, s, &ies);
    }
}

/* Any one of the texts, ended by NULL. */
static void run_either(const struct lp_matcher *m, const char *const *texts, bool plural, struct set *s) {
    struct set all = {0};
    for (; *texts; texts++) {
        struct set one = *s;
        run_text(m, *texts, plural, &one);
        unite(m, &all, &one);
    }
    *s = all;
}

static void run_any(const struct lp_matcher *m, const char *const *texts, struct set *s) {
    run_either(m, texts, false, s);
}

/* As it is, or with the ending of a plural. */
static void run_ending(const struct lp_matcher *m, struct set *s) {
    static const char *const endings[] = {"", "s", "es", NULL};
    run_any(m, endings, s);
}

static void run_list(struct lp_matcher *m, const struct lp_list *list, bool plural, struct set *s);

static void run_named(struct lp_matcher *m, const char *name, bool plural, struct set *s) {
    const struct lp_list *list = lp_grammar_find(m->grammar, name);
    if (list)
        run_list(m, list, plural, s);
    else
        *s = (struct set){0};
}

/* Positions from which [words] of the text begin, or at which they end. */
static void keep(const struct lp_matcher *m, struct set *s, const uint64_t *which) {
    for (int w = 0; w < m->words; w++) {
        s->at[0][w] &= which[w];
        s->at[1][w] &= which[w];
    }
}

static void run_made_up(const struct lp_matcher *m, struct set *s) {
    struct set all = {0};
    keep(m, s, m->begins);
    for (int i = 0; i < LP_WORD_SYLLABLES; i++) {
        run_any(m, lp_word_first, s);
        run_any(m, lp_word_middle, s);
        struct set one = *s;
        run_either(m, lp_word_last, true, &one);
        unite(m, &all, &one);
    }
    run_ending(m, &all);
    keep(m, &all, m->ends);
    *s = all;
}

/* A run of 1 to 10 digits; `code`: of 3 to 8 digits and letters other than I and O. */
static void run_figures(const struct lp_matcher *m, bool code, struct set *s) {
    struct set all = {0};
    for (int e = 0; e < 2; e++)
        for (int i = 0; i < m->n; i++)
            for (int k = i; has_bit(s->at[e], i) && k < m->n && k < i + (code ? 8 : 10); k++) {
                bool digit = isdigit((unsigned char)m->text[k]) != 0;
                if (code ? strchr("io", m->text[k]) != NULL : !digit)
                    break;
                if (!code || (k - i >= 2 && has_bit(m->ends, k + 1)))
                    put_bit(all.at[e], k + 1);
            }
    *s = all;
}

/* A price, with its currency behind it or in letters that are no letters of ours. */
static void run_money(const struct lp_matcher *m, struct set *s) {
    static const char *const currency[] = {"", "eur", NULL};
    run_figures(m, false, s);
    run_any(m, currency, s);
}

static void run_date(const struct lp_matcher *m, struct set *s) {
    static const char *const months[] = {"jan", "feb", "mar", "apr",   "may",   "jun",  "jul",  "aug", "sep",
                                         "oct", "nov", "dec", "march", "april", "june", "july", NULL};
    struct set day = *s, month = *s;
    run_figures(m, false, &day);
    unite(m, &month, &day);
    run_any(m, months, &month);
    *s = month;
    run_figures(m, false, s);
    unite(m, s, &month);
    unite(m, s, &day);
}

/* The name of a thing that scenes show, in either number. */
static void run_name(struct lp_matcher *m, struct set *s) {
    static const char *const none[] = {NULL};
    struct set common = *s;
    run_named(m, "common", true, &common);
    run_any(m, m->nouns ? m->nouns : none, s);
    unite(m, s, &common);
    run_ending(m, s);
}

static void run_color(struct lp_matcher *m, struct set *s) {
    static const char *const colors[] = {"red",  "orange", "yellow", "green", "blue", "purple",
                                         "pink", "brown",  "black",  "white", "gray", NULL};
    struct set listed = *s;
    run_named(m, "colour", false, &listed);
    run_any(m, colors, s);
    unite(m, s, &listed);
}

/* A noun phrase without article. */
static void run_noun(struct lp_matcher *m, struct set *s) {
    static const char *const before[] = {"adjective", "which", NULL}, *const sizes[] = {"", "small", "big", NULL};
    static const char *const any[] = {"thing", "object", NULL}; /* where the colour says which */
    struct set listed = *s, named = *s, colored = *s;
    run_named(m, "np", true, &listed);
    run_any(m, sizes, &named);
    run_any(m, sizes, &colored);
    run_color(m, &colored);
    unite(m, &named, &colored);
    run_any(m, any, &colored);
    for (const char *const *name = before; *name; name++) {
        struct set one = *s;
        run_named(m, *name, false, &one);
        unite(m, &named, &one);
    }
    struct set kind = named;
    run_any(m, lp_things_kinds, &kind);
    run_name(m, &named);
    unite(m, &listed, &named);
    unite(m, &listed, &kind);
    unite(m, &listed, &colored);
    run_ending(m, &listed);
    struct set tail = listed;
    run_named(m, "np_tail", false, &tail);
    unite(m, &listed, &tail);
    *s = listed;
}

/* One, or two colours of it. */
static void run_thing(struct lp_matcher *m, struct set *s) {
    static const char *const and[] = {"and", "and the", NULL};
    static const char *const articles[] = {
        "",   "the",   "a",     "all the", "all", "any",        "my",   "these", "those",     "that", "this",
        "our", "every", "each", "his",     "her", "all of the", "some", "their", "the two", "the three", "two",
        "the four", "both", NULL};
    run_any(m, articles, s);
    struct set two = *s;
    run_noun(m, s);
    run_color(m, &two);
    run_any(m, and, &two);
    run_color(m, &two);
    run_noun(m, &two);
    unite(m, s, &two);
}

/* One to three of them. */
static void run_things(struct lp_matcher *m, struct set *s) {
    static const char *const joints[] = {"", "and", "plus", "as well as", NULL};
    run_thing(m, s);
    struct set more = *s;
    for (int i = 0; i < 2 && !is_empty(m, &more); i++) {
        run_any(m, joints, &more);
        run_thing(m, &more);
        unite(m, s, &more);
    }
}

/* What visual questions are about: a thing in any number ("two dogs", "12 dogs"), where it is, a colour, yes or no. */
static void run_fact(struct lp_matcher *m, struct set *s) {
    static const char *const numbers[] = {"no", "one", "two", "three", "four", "five", "six", NULL};
    static const char *const short_ones[] = {
        "left of", "to the left of", "on the left of", "right of", "to the right of", "on the right of", "above",
        "below", "under", "on", "on top of", "behind", "in front of", "is", "are", "yes", "no", "red", "orange",
        "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "gray",
        "on the left", "in the middle", "on the right", "at the top", "at the bottom", "at the top left",
        "at the top right", "at the bottom left", "at the bottom right", "small", "medium", "large", NULL};
    struct set thing = *s, counted = *s, figures = *s, place = *s;
    run_any(m, short_ones, s);
    run_figures(m, false, &figures);
    unite(m, s, &figures);
    run_any(m, numbers, &counted);
    unite(m, &counted, &figures);
    run_noun(m, &counted);
    unite(m, s, &counted);
    run_thing(m, &thing);
    unite(m, s, &thing);
    for (int i = 0; i < lp_backdrop_count; i++) {
        struct set one = place;
        run_text(m, lp_backdrops[i].place, false, &one);
        unite(m, s, &one);
    }
}

static bool is_among(const char *name, const char *const *list) {
    for (; *list; list++)
        if (!strcmp(name, *list))
            return true;
    return false;
}

/* What a slot that is no list can stand for. */
static void run_slot(struct lp_matcher *m, const char *name, struct set *s) {
    static const char *const one[] = {"thing", "plural", "singular", NULL}, *const many[] = {"things", "bare", NULL};
    static const char *const figures[] = {"number", "time", "code", "phone", NULL};
    static const char *const facts[] = {"it", "them", "one", "counted", "other", "relation", "brief", "side", "is", NULL};
    if (is_among(name, one))
        run_thing(m, s);
    else if (is_among(name, many))
        run_things(m, s);
    else if (is_among(name, figures))
        run_figures(m, !strcmp(name, "code"), s);
    else if (!strcmp(name, "money"))
        run_money(m, s);
    else if (!strcmp(name, "date"))
        run_date(m, s);
    else if (is_among(name, facts))
        run_fact(m, s);
    else if (!strcmp(name, "seen"))
        run_name(m, s);
    else if (!strcmp(name, "word"))
        run_made_up(m, s);
    else
        *s = (struct set){0}; /* of thoughts and answers */
}

/* The place where the result for `what` and `from` is remembered or may be. */
static struct memo *memo_of(const struct lp_matcher *m, const void *what, bool plural, const struct set *from) {
    uint64_t h = (uint64_t)(uintptr_t)what * 0x9e3779b97f4a7c15u + plural;
    for (int w = 0; w < m->words; w++) {
        h = (h ^ from->at[0][w]) * 0x9e3779b97f4a7c15u;
        h = (h ^ from->at[1][w]) * 0xc2b2ae3d27d4eb4fu;
        h ^= h >> 29;
    }
    return &m->memo[h % MEMOS];
}

static bool remembers(const struct memo *memo, const void *what, bool plural, const struct set *from) {
    return memo->what == what && memo->plural == plural && !memcmp(&memo->from, from, sizeof *from);
}

static void run_sequence(struct lp_matcher *m, const struct lp_node *node, bool plural, struct set *s);

static void run_branches(struct lp_matcher *m, const struct lp_branch *b, bool plural, struct set *s) {
    struct set all = {0};
    for (; b; b = b->next) {
        struct set one = *s;
        run_sequence(m, b->first, plural, &one);
        unite(m, &all, &one);
    }
    *s = all;
}

static void run_list(struct lp_matcher *m, const struct lp_list *list, bool plural, struct set *s) {
    const struct set from = *s;
    struct memo *memo = memo_of(m, list, plural, &from);
    if (!remembers(memo, list, plural, &from)) {
        run_branches(m, list->first, plural, s);
        *memo = (struct memo){list, plural, from, *s};
    }
    *s = memo->to;
}

static void run_reference(struct lp_matcher *m, const struct lp_node *node, bool plural, struct set *s) {
    if (node->list) {
        run_list(m, node->list, plural || node->plural, s);
        if (node->plural)
            run_ending(m, s);
        return;
    }
    const struct set from = *s;
    struct memo *memo = memo_of(m, node->slot, node->plural, &from);
    if (!remembers(memo, node->slot, node->plural, &from)) {
        run_slot(m, node->slot, s);
        if (node->plural)
            run_ending(m, s);
        *memo = (struct memo){node->slot, node->plural, from, *s};
    }
    *s = memo->to;
}

static void run_sequence(struct lp_matcher *m, const struct lp_node *node, bool plural, struct set *s) {
    for (; node && !is_empty(m, s); node = node->next) {
        struct set before = *s;
        if (node->kind == TEXT)
            run_text(m, node->text, plural, s);
        else if (node->kind == REFERENCE)
            run_reference(m, node, plural, s);
        else
            run_branches(m, node->branch, plural, s);
        if (node->kind == OPTION)
            unite(m, s, &before);
    }
}

static bool at_end(const struct lp_matcher *m, const struct set *s) {
    return has_bit(s->at[0], m->n) || has_bit(s->at[1], m->n);
}

bool lp_grammar_matches(struct lp_matcher *m, const struct lp_list *list, const char *text, int typos) {
    struct set s = {0};
    if (!read_text(m, text, typos))
        return false;
    put_bit(s.at[0], 0);
    run_list(m, list, false, &s);
    return at_end(m, &s);
}

/* As it is, or after one of the lists' phrases. */
static void run_optional(struct lp_matcher *m, const char *const *lists, struct set *s) {
    const struct set from = *s;
    for (; *lists; lists++) {
        struct set one = from;
        run_named(m, *lists, false, &one);
        unite(m, s, &one);
    }
}

static bool begins_with(const char *name, const char *start) {
    return !strncmp(name, start, strlen(start));
}

const char *lp_grammar_says(struct lp_matcher *m, const char *text, int typos) {
    static const char *const greeting[] = {"greeting", "context", NULL}, *const closing[] = {"closing", NULL};
    static const char *const picture[] = {"in_first", "in_second", "in_first/before", "in_second/before", NULL};
    const struct lp_list *list;
    const char *name;
    struct set start = {0};
    if (!read_text(m, text, typos))
        return NULL;
    put_bit(start.at[0], 0);
    run_optional(m, greeting, &start);
    run_optional(m, picture, &start);
    for (size_t i = 0; (list = lp_grammar_at(m->grammar, i, &name)); i++) {
        if (!begins_with(name, "phrasings/"))
            continue;
        struct set s = start;
        run_list(m, list, false, &s);
        run_optional(m, picture, &s);
        run_optional(m, closing, &s);
        if (at_end(m, &s))
            return name;
    }
    return NULL;
}

struct lp_matcher *lp_matcher_open(const struct lp_grammar *grammar, const char *const *nouns, struct lp_error *err) {
    struct lp_matcher *m = lp_alloc(sizeof *m);
    if (m)
        m->memo = lp_alloc_array(MEMOS, sizeof *m->memo);
    if (!m || !m->memo) {
        lp_matcher_close(m);
        lp_error_memory(err);
        return NULL;
    }
    m->grammar = grammar;
    m->nouns = nouns;
    return m;
}

void lp_matcher_close(struct lp_matcher *m) {
    if (m)
        lp_free(m->memo);
    lp_free(m);
}
