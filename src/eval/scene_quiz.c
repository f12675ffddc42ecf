/* SPDX-License-Identifier: MIT */
/* eval/scene_quiz.c - asking about what is known, reading answers in words. */
#include "eval/scene_quiz.h"

#include "base/memory.h"
#include "data/stickers.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const lp_quiz_names[LP_QUESTION_KINDS] = {"presence", "count", "color", "relation", "caption"};

static const char brief_end[] = "\nAnswer the question using a single word or phrase.";
static const char *const numbers[] = {"no", "one", "two", "three", "four", "five", "six"};

static const char *article(const char *name) {
    return strchr("aeiou", name[0]) ? "an" : "a";
}

/* Scissors and the like have one number only. */
static bool has_singular(const struct lp_truth_category *c) {
    return strcmp(c->name, c->plural) != 0 || c->name[strlen(c->name) - 1] != 's';
}

static int absent(const struct lp_truth *t, const struct lp_truth_picture *p, struct lp_rng *rng) {
    for (int tries = 0; tries < 50; tries++) {
        int category = (int)lp_rng_below(rng, (uint32_t)t->categories);
        if (!lp_truth_shows(p, category))
            return category;
    }
    return -1;
}

static int present(const struct lp_truth_picture *p, struct lp_rng *rng) {
    return p->object[lp_rng_below(rng, (uint32_t)p->wholes)].category;
}

static struct lp_quiz *add(struct lp_quiz *list, int *n, enum lp_quiz_kind kind, const char *answer) {
    struct lp_quiz *q = &list[(*n)++];
    q->kind = kind;
    snprintf(q->answer, sizeof q->answer, "%s", answer);
    return q;
}

static void ask_presence(const struct lp_truth_category *c, const char *answer, const char *end, struct lp_quiz *list, int *n) {
    struct lp_quiz *q = add(list, n, LP_ASK_PRESENCE, answer);
    if (has_singular(c))
        snprintf(q->text, sizeof q->text, "Is there %s %s in the picture?%s", article(c->name), c->name, end);
    else
        snprintf(q->text, sizeof q->text, "Are there any %s in the picture?%s", c->name, end);
}

static void ask_color(const struct lp_truth *t, const struct lp_truth_picture *p, const char *end, struct lp_rng *rng,
                      struct lp_quiz *list, int *n) {
    uint32_t start = lp_rng_below(rng, (uint32_t)p->wholes);
    for (int i = 0; i < p->wholes; i++) {
        const struct lp_truth_object *o = &p->object[((int)start + i) % p->wholes];
        if (!o->color || lp_truth_count(p, o->category) != 1)
            continue;
        struct lp_quiz *q = add(list, n, LP_ASK_COLOR, o->color);
        const struct lp_truth_category *c = &t->category[o->category];
        snprintf(q->text, sizeof q->text, "What color %s the %s?%s", has_singular(c) ? "is" : "are", c->name, end);
        return;
    }
}

/* Of things there is one of; half of the time the other way round. */
static void ask_relation(const struct lp_truth *t, const struct lp_truth_picture *p, const char *end, struct lp_rng *rng,
                         struct lp_quiz *list, int *n) {
    static const char *const facing[][3] = {{"left of", "right of", "to the left of"}, {"right of", "left of", "to the right of"},
                                            {"above", "below", "above"}, {"below", "above", "below"}};
    uint32_t start = p->relations ? lp_rng_below(rng, (uint32_t)p->relations) : 0;
    for (int i = 0; i < p->relations; i++) {
        const struct lp_truth_relation *r = &p->relation[((int)start + i) % p->relations];
        if (r->subject >= p->wholes || r->object >= p->wholes)
            continue;
        int a = p->object[r->subject].category, b = p->object[r->object].category;
        for (int k = 0; k < 4; k++) {
            if (strcmp(r->predicate, facing[k][0]) || lp_truth_count(p, a) != 1 || lp_truth_count(p, b) != 1)
                continue;
            bool yes = lp_rng_below(rng, 2);
            struct lp_quiz *q = add(list, n, LP_ASK_RELATION, yes ? "Yes" : "No");
            snprintf(q->text, sizeof q->text, "%s the %s %s the %s?%s", has_singular(&t->category[a]) ? "Is" : "Are",
                     t->category[a].name, facing[yes ? k : k ^ 1][2], t->category[b].name, end);
            return;
        }
    }
}

int lp_quiz_make(const struct lp_truth *t, const struct lp_truth_picture *p, bool brief, struct lp_rng *rng,
                      struct lp_quiz question[LP_QUESTIONS]) {
    const char *end = brief ? brief_end : "";
    int n = 0, other = absent(t, p, rng);
    if (p->wholes)
        ask_presence(&t->category[present(p, rng)], "Yes", end, question, &n);
    if (other >= 0)
        ask_presence(&t->category[other], "No", end, question, &n);
    int counted = p->wholes && lp_rng_below(rng, 100) >= 14 ? present(p, rng) : absent(t, p, rng);
    int count = counted >= 0 ? lp_truth_count(p, counted) : 7;
    if (count <= 6) {
        char digits[16];
        snprintf(digits, sizeof digits, "%d", count);
        struct lp_quiz *q = add(question, &n, LP_ASK_COUNT, digits);
        snprintf(q->text, sizeof q->text, "How many %s are there in the picture?%s", t->category[counted].plural, end);
    }
    if (p->wholes) {
        ask_color(t, p, end, rng, question, &n);
        ask_relation(t, p, end, rng, question, &n);
    }
    struct lp_quiz *q = add(question, &n, LP_ASK_CAPTION, "");
    snprintf(q->text, sizeof q->text, "%s", brief ? "Provide a one-sentence caption for the provided image." : "Describe the picture in one sentence.");
    return n;
}

/* The next word of letters or digits; 0 at the end. */
static size_t next_word(const char **at) {
    while (**at && !isalnum((unsigned char)**at))
        (*at)++;
    size_t n = 0;
    while (isalnum((unsigned char)(*at)[n]))
        n++;
    return n;
}

static bool is(const char *word, size_t n, const char *text) {
    return strlen(text) == n && !strncasecmp(word, text, n);
}

static int number_of(const char *word, size_t n) {
    if (n <= 6 && strspn(word, "0123456789") >= n)
        return atoi(word);
    for (int i = 0; i <= 6; i++)
        if (is(word, n, numbers[i]))
            return i;
    return is(word, n, "none") || is(word, n, "zero") ? 0 : is(word, n, "a") || is(word, n, "an") ? 1 : -1;
}

int lp_quiz_number(const char *text) {
    int number = -1;
    for (size_t n; number < 0 && (n = next_word(&text)); text += n)
        number = number_of(text, n);
    return number;
}

static const char *color_of(const char *word, size_t n) {
    for (int i = 0; i < LP_COLORS; i++)
        if (is(word, n, lp_color_names[i]))
            return lp_color_names[i];
    return is(word, n, "grey") ? "gray" : NULL;
}

bool lp_quiz_right(const struct lp_quiz *q, const char *answer) {
    const char *at = answer;
    if (q->kind == LP_ASK_COUNT)
        return lp_quiz_number(answer) == q->answer[0] - '0';
    for (size_t n; (n = next_word(&at)); at += n) {
        if (q->kind == LP_ASK_PRESENCE || q->kind == LP_ASK_RELATION) {
            if (is(at, n, "yes") || is(at, n, "no"))
                return is(at, n, q->answer);
        } else {
            const char *color = color_of(at, n);
            if (color)
                return !strcmp(color, q->answer);
        }
    }
    return false;
}

/* Bytes of `name` at `at` as whole words, or 0. */
static size_t starts(const char *at, const char *name) {
    size_t n = strlen(name);
    return n && !strncasecmp(at, name, n) && !isalnum((unsigned char)at[n]) ? n : 0;
}

/* The longest name of the category at `at`. */
static size_t names(const char *at, const struct lp_truth_category *c) {
    size_t longest = starts(at, c->name), n = starts(at, c->plural);
    longest = n > longest ? n : longest;
    for (int i = 0; c->synonym[i]; i++) {
        char plural[64];
        size_t length = strlen(c->synonym[i]);
        bool y = length && c->synonym[i][length - 1] == 'y';
        n = starts(at, c->synonym[i]);
        snprintf(plural, sizeof plural, "%.*s%s", (int)(length - y), c->synonym[i], y ? "ies" : "s");
        n = n ? n : starts(at, plural);
        longest = n > longest ? n : longest;
    }
    return longest;
}

/* The longest name at `at`, of what is there where two kinds have it; *which: -1 for none. */
static size_t name_at(const struct lp_truth *t, const struct lp_truth_picture *p, const char *at, int *which) {
    size_t longest = 0;
    bool there = false;
    *which = -1;
    for (int i = 0; i < t->categories; i++) {
        size_t n = names(at, &t->category[i]);
        bool here = n && lp_truth_count(p, i) > 0;
        if (n > longest || (n && n == longest && here && !there)) {
            longest = n;
            there = here;
            *which = i;
        }
    }
    return longest;
}

/* "orange" in "an orange hat" is no fruit. */
static bool is_adjective(const struct lp_truth *t, const struct lp_truth_picture *p, const char *at, size_t n) {
    int which;
    return color_of(at, n) && at[n] == ' ' && name_at(t, p, at + n + 1, &which);
}

bool lp_caption_check(const struct lp_truth *t, const struct lp_truth_picture *p, const char *caption, struct lp_naming *naming) {
    bool *named = lp_alloc_array((size_t)t->categories + 1, sizeof *named);
    *naming = (struct lp_naming){0};
    if (!named)
        return false;
    for (const char *at = caption; *at;) {
        int which;
        size_t n = name_at(t, p, at, &which);
        if (n && !named[which] && !is_adjective(t, p, at, n)) {
            bool there = lp_truth_count(p, which) > 0;
            named[which] = true;
            naming->named++;
            naming->wrong += !lp_truth_shows(p, which);
            naming->found += there;
        }
        at += n;
        while (!n && isalnum((unsigned char)*at))
            at++;
        while (*at && !isalnum((unsigned char)*at))
            at++;
    }
    for (int i = 0; i < t->categories; i++)
        naming->there += lp_truth_count(p, i) > 0;
    lp_free(named);
    return true;
}
