/* SPDX-License-Identifier: MIT */
/* data/wording.c - plurals, articles, spaces and typing noise. Letters are ASCII; other bytes pass through. */
#include "data/wording.h"

#include "data/grammar.h"

#include <ctype.h>
#include <string.h>

static bool is_mark(char c) {
    return c == LP_MARK_BEGIN || c == LP_MARK_END;
}

static void add_regular_plural(const char *word, size_t n, struct lp_str *out) {
    char last = n ? word[n - 1] : 0, before = n > 1 ? word[n - 2] : 0;
    bool hiss = strchr("sxz", last) || (last == 'h' && (before == 'c' || before == 's'));
    if (last == 'y' && !strchr("aeiou", before)) {
        lp_str_add(out, word, n - 1);
        lp_str_puts(out, "ies");
    } else {
        lp_str_add(out, word, n);
        lp_str_puts(out, hiss ? "es" : "s");
    }
}

size_t lp_wording_other(const char *word, const char *mark) {
    int joints = 0;
    size_t n = 1;
    if (mark[1] == '-')
        return 1;
    for (; word < mark; word++)
        joints += *word == '-' || *word == '\'';
    while (isalpha((unsigned char)mark[n]) || ((mark[n] == '-' || mark[n] == '\'') && joints-- > 0))
        n++;
    return n - 1;
}

void lp_wording_number(const char *text, bool plural, struct lp_str *out) {
    const char *slash = strchr(text, '~');
    if (!slash) {
        if (plural)
            add_regular_plural(text, strlen(text), out);
        else
            lp_str_puts(out, text);
        return;
    }
    while ((slash = strchr(text, '~'))) {
        const char *word = slash;
        while (word > text && word[-1] != ' ')
            word--;
        size_t many = lp_wording_other(word, slash);
        lp_str_add(out, text, (size_t)(word - text));
        if (plural && slash[1] != '-')
            lp_str_add(out, slash + 1, many);
        else
            lp_str_add(out, word, (size_t)(slash - word));
        text = slash + 1 + many;
    }
    lp_str_puts(out, text);
}

void lp_wording_unmark(const char *text, struct lp_str *out) {
    for (; *text; text++)
        if (!is_mark(*text))
            lp_str_putc(out, *text);
}

static bool starts_with(const char *text, const char *start) {
    return !strncmp(text, start, strlen(start));
}

/* Whether the word at s is spoken with a vowel first. */
static bool vowel_sound(const char *s) {
    static const char *const silent[] = {"hour", "honest", "heir", "honour", "honor"};
    static const char *const glide[] = {"uni", "use", "usu", "eu", "one ", "one-", "ute", "unic", "ukulele", "urin"};
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        if (starts_with(s, silent[i]))
            return true;
    for (size_t i = 0; i < sizeof glide / sizeof *glide; i++)
        if (starts_with(s, glide[i]) && !starts_with(s, "unin") && !starts_with(s, "unim"))
            return false;
    return *s && strchr("aeiouAEIOU", *s);
}

/* The article "a" that ends at s[i]: does it want an n? */
static bool wants_n(const char *s, size_t n, size_t i) {
    if (tolower((unsigned char)s[i]) != 'a' || i + 1 >= n || s[i + 1] != ' ')
        return false;
    if (i > 0 && s[i - 1] != ' ' && !is_mark(s[i - 1]))
        return false;
    size_t next = i + 2;
    while (next < n && is_mark(s[next]))
        next++;
    return next < n && vowel_sound(s + next);
}

/* Drops what has no place: a space at the start, before another, or before punctuation. */
static bool needless_space(const char *s, size_t n, size_t i, const struct lp_str *done) {
    if (s[i] != ' ')
        return false;
    size_t last = done->n, next = i + 1;
    while (last && is_mark(done->s[last - 1]))
        last--;
    while (next < n && is_mark(s[next]))
        next++;
    if (next + 1 < n && s[next] == '\'' && strchr("smdrv", s[next + 1])) /* I 'm, the man 's */
        return true;
    return !last || done->s[last - 1] == ' ' || next >= n || (strchr(",.?!;:", s[next]) && s[next + 1] != '.');
}

void lp_wording_tidy(struct lp_str *text) {
    struct lp_str spaced = {0}, done = {0};
    for (size_t i = 0; i < text->n; i++)
        if (!needless_space(text->s, text->n, i, &spaced))
            lp_str_putc(&spaced, text->s[i]);
    for (size_t i = 0; i < spaced.n; i++) {
        lp_str_putc(&done, spaced.s[i]);
        if (wants_n(spaced.s, spaced.n, i))
            lp_str_putc(&done, 'n');
    }
    done.failed |= text->failed || spaced.failed;
    lp_str_done(&spaced);
    lp_str_done(text);
    *text = done;
}

void lp_typing_random(struct lp_typing *typing, struct lp_rng *rng) {
    uint32_t roll = lp_rng_below(rng, 100), typos = lp_rng_below(rng, 100);
    *typing = (struct lp_typing){
        .lower = roll < 27,
        .upper = roll >= 98,
        .unstopped = lp_rng_below(rng, 100) < 38,
        .begin = lp_rng_below(rng, 100) < 75,
        .typos = typos < 10 ? 1 : typos < 13 ? 2 : 0,
    };
}

/* Swaps, drops, doubles or mistypes the letter at i. */
static void one_typo(struct lp_str *text, size_t i, struct lp_rng *rng) {
    static const char near[] = "snvfrdghujklnmopqwtesyuzxcvb"; /* a neighbour on the keyboard, near enough */
    char *s = text->s;
    switch (lp_rng_below(rng, 4)) {
    case 0: {
        char c = s[i];
        s[i] = s[i + 1];
        s[i + 1] = c;
        break;
    }
    case 1:
        memmove(s + i, s + i + 1, text->n - i);
        text->n--;
        break;
    case 2:
        lp_str_putc(text, ' ');
        if (text->failed)
            return;
        memmove(text->s + i + 1, text->s + i, text->n - 1 - i);
        break;
    default:
        s[i] = near[tolower((unsigned char)s[i]) - 'a'];
    }
}

/* A place inside a word of at least four letters and not between marks; 0: none was found. */
static size_t typo_place(const struct lp_str *text, struct lp_rng *rng) {
    for (int tries = 0; tries < 12 && text->n > 6; tries++) {
        size_t at = 1 + lp_rng_below(rng, (uint32_t)text->n - 4);
        int depth = 0;
        for (size_t i = 0; i < at + 3; i++)
            depth += text->s[i] == LP_MARK_BEGIN ? 1 : text->s[i] == LP_MARK_END ? -1 : 0;
        bool letters = depth == 0;
        for (size_t i = at - 1; i < at + 3; i++)
            letters = letters && isalpha((unsigned char)text->s[i]);
        if (letters)
            return at;
    }
    return 0;
}

void lp_wording_type(struct lp_str *text, const struct lp_typing *typing, struct lp_rng *rng) {
    if (!text->n || text->failed)
        return;
    if (typing->unstopped && strchr(".?!", text->s[text->n - 1]))
        lp_str_cut(text, text->n - 1);
    for (int i = 0; i < typing->typos; i++) {
        size_t at = typo_place(text, rng);
        if (at)
            one_typo(text, at, rng);
    }
    int depth = 0;
    for (size_t i = 0; i < text->n; i++) {
        char c = text->s[i];
        depth += c == LP_MARK_BEGIN ? 1 : c == LP_MARK_END ? -1 : 0;
        if (typing->lower)
            text->s[i] = (char)tolower((unsigned char)c);
        else if (typing->upper && depth == 0)
            text->s[i] = (char)toupper((unsigned char)c);
    }
    if (typing->begin && !typing->lower && text->n)
        text->s[0] = (char)toupper((unsigned char)text->s[0]);
}
