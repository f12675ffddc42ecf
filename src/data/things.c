/* SPDX-License-Identifier: MIT */
/* data/things.c - slots of the grammar. The nouns come from the list <np> (data/words); a share of them is made up,
 * so that a planner learns to copy what was asked for instead of knowing it. */
#include "data/things.h"

#include "data/wording.h"

#include <string.h>

const char *const lp_things_slots[] = {"things", "thing", "bare", "plural", "singular", "word", "number",
                                       "money",  "date",  "time", "code", "phone",  NULL};

static uint32_t below(struct lp_expansion *x, uint32_t n) {
    return lp_rng_below(x->rng, n);
}

static const char *pick(struct lp_expansion *x, const char *const *from, uint32_t n) {
    return from[below(x, n)];
}

void lp_things_word(struct lp_rng *rng, struct lp_str *out) {
    static const char *const first[] = {"b",  "bl", "br", "c",  "ch", "cl", "cr", "d",  "dr", "f",  "fl",
                                        "g",  "gl", "gr", "h",  "j",  "k",  "kl", "l",  "m",  "n",  "p",
                                        "pl", "pr", "qu", "r",  "s",  "sh", "sk", "sl", "sn", "sp", "st",
                                        "t",  "th", "tr", "tw", "v",  "w",  "y",  "z",  "zh"};
    static const char *const middle[] = {"a", "e", "i", "o", "u", "a", "e", "i", "o", "oo", "ee", "ai", "ou"};
    static const char *const last[] = {"b",  "ck", "d",  "ff", "g",  "l",   "lm", "m",  "mp", "n",  "nd",
                                       "nk", "p",  "r",  "rd", "rt", "sk",  "sp", "st", "t",  "x",  "zz",
                                       "er", "or", "le", "in", "on", "ette", "um", "ish", "ex", "any", "ic"};
    uint32_t syllables = 1 + lp_rng_below(rng, 3);
    for (uint32_t i = 0; i < syllables; i++) {
        lp_str_puts(out, first[lp_rng_below(rng, sizeof first / sizeof *first)]);
        lp_str_puts(out, middle[lp_rng_below(rng, sizeof middle / sizeof *middle)]);
    }
    lp_str_puts(out, last[lp_rng_below(rng, sizeof last / sizeof *last)]);
}

/* Expands a list apart from x->text. */
static void expand_apart(struct lp_expansion *x, const struct lp_list *list, struct lp_str *out) {
    struct lp_str outer = x->text;
    x->text = (struct lp_str){0};
    int nested = x->nested;
    x->nested = 1;
    lp_grammar_expand(list, x);
    x->nested = nested;
    lp_str_puts(out, lp_str_text(&x->text));
    x->failed |= x->text.failed;
    lp_str_done(&x->text);
    x->text = outer;
}

/* A noun phrase without article: "red car", "dogs on the sofa". */
static void add_noun(const struct lp_grammar *g, struct lp_expansion *x, bool plural, struct lp_str *out) {
    const struct lp_list *np = lp_grammar_find(g, "np"), *tail = lp_grammar_find(g, "np_tail");
    struct lp_str both = {0};
    if (np)
        expand_apart(x, np, &both);
    lp_wording_number(lp_str_text(&both), plural, out);
    lp_str_cut(&both, 0);
    if (tail && below(x, 9) == 0) {
        lp_str_putc(&both, ' ');
        expand_apart(x, tail, &both);
        lp_wording_number(lp_str_text(&both), false, out);
    }
    x->failed |= both.failed;
    lp_str_done(&both);
    lp_wording_tidy(out);
}

/* One thing; `article`: as spoken of, else bare. number: 0 either, 1 singular, 2 plural. */
static void add_thing(const struct lp_grammar *g, struct lp_expansion *x, bool article, int number) {
    static const char *const many[] = {"the ", "the ", "all the ", "all ", "", "", "any ", "my ", "these ", "those ",
                                       "all of the ", "some ", "our ", "the two ", "the three ", "her ", "their "};
    static const char *const one[] = {"the ", "the ", "the ", "a ",    "a ",   "my ",   "that ", "this ",
                                      "our ", "his ", "her ", "every ", "each ", "any ", "the "};
    bool plural = number ? number == 2 : below(x, 2);
    if (article)
        lp_str_puts(&x->text, plural ? pick(x, many, sizeof many / sizeof *many)
                                     : pick(x, one, sizeof one / sizeof *one));
    struct lp_str noun = {0};
    add_noun(g, x, plural, &noun);
    lp_expansion_capture(x, "thing", lp_str_text(&noun));
    x->failed |= noun.failed;
    lp_str_done(&noun);
}

static void add_things(const struct lp_grammar *g, struct lp_expansion *x, bool article) {
    static const char *const last_joint[] = {" and ", " and ", " and ", " & ", " plus ", " as well as ", ", "};
    static const char *const bare_joint[] = {", ", ", ", " and ", " + ", ", and "};
    uint32_t roll = below(x, 100), n = roll < 66 ? 1 : roll < 89 ? 2 : 3;
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            lp_str_puts(&x->text, i + 1 < n  ? ", "
                                  : article ? pick(x, last_joint, sizeof last_joint / sizeof *last_joint)
                                            : pick(x, bare_joint, sizeof bare_joint / sizeof *bare_joint));
        add_thing(g, x, article, article ? 0 : below(x, 3) ? 2 : 1);
    }
}

static void add_money(struct lp_expansion *x) {
    static const char *const form[] = {"$%u.%02u", "%u.%02u", "%u.%02u EUR", "£%u.%02u", "€%u.%02u"};
    uint32_t whole = below(x, below(x, 3) ? 40 : 900), cents = below(x, 3) ? 5 * below(x, 20) : below(x, 100);
    const char *f = pick(x, form, sizeof form / sizeof *form);
    if (f == form[0])
        lp_str_printf(&x->text, "$%u.%02u", whole, cents);
    else if (f == form[2])
        lp_str_printf(&x->text, "%u.%02u EUR", whole, cents);
    else if (f == form[1])
        lp_str_printf(&x->text, "%u.%02u", whole, cents);
    else
        lp_str_printf(&x->text, "%s%u.%02u", f == form[3] ? "£" : "€", whole, cents);
}

static void add_date(struct lp_expansion *x) {
    static const char *const month[] = {"Jan", "Feb", "Mar", "Apr",  "May",  "Jun",  "Jul",
                                        "Aug", "Sep", "Oct", "Nov",  "Dec",  "March", "April",
                                        "June", "July"};
    const char *name = pick(x, month, sizeof month / sizeof *month);
    uint32_t day = 1 + below(x, 28), year = 1990 + below(x, 45);
    switch (below(x, 5)) {
    case 0:
        lp_str_printf(&x->text, "%02u/%02u/%u", day, 1 + below(x, 12), year);
        break;
    case 1:
        lp_str_printf(&x->text, "%u-%02u-%02u", year, 1 + below(x, 12), day);
        break;
    case 2:
        lp_str_printf(&x->text, "%u %s %u", day, name, year);
        break;
    case 3:
        lp_str_printf(&x->text, "%s %u, %u", name, day, year);
        break;
    default:
        lp_str_printf(&x->text, "%s %u", name, day);
    }
}

static void add_code(struct lp_expansion *x) {
    static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZ", digits[] = "0123456789";
    uint32_t n = 3 + below(x, 6), dash = below(x, 2) ? 2 + below(x, 2) : 99;
    for (uint32_t i = 0; i < n; i++) {
        if (i == dash)
            lp_str_putc(&x->text, '-');
        lp_str_putc(&x->text, below(x, 2) ? letters[below(x, 24)] : digits[below(x, 10)]);
    }
}

bool lp_things_fill(const struct lp_grammar *g, struct lp_expansion *x, const char *name) {
    if (!strcmp(name, "things"))
        add_things(g, x, true);
    else if (!strcmp(name, "bare"))
        add_things(g, x, false);
    else if (!strcmp(name, "thing"))
        add_thing(g, x, true, below(x, 10) < 7 ? 1 : 2);
    else if (!strcmp(name, "plural"))
        add_thing(g, x, false, 2);
    else if (!strcmp(name, "singular"))
        add_thing(g, x, false, 1);
    else if (!strcmp(name, "word"))
        lp_things_word(x->rng, &x->text);
    else if (!strcmp(name, "number"))
        lp_str_printf(&x->text, "%u", 1 + below(x, below(x, 2) ? 12 : 990));
    else if (!strcmp(name, "money"))
        add_money(x);
    else if (!strcmp(name, "date"))
        add_date(x);
    else if (!strcmp(name, "time"))
        lp_str_printf(&x->text, "%u:%02u", below(x, 24), 5 * below(x, 12));
    else if (!strcmp(name, "code"))
        add_code(x);
    else if (!strcmp(name, "phone"))
        lp_str_printf(&x->text, "%03u %03u %04u", below(x, 1000), below(x, 1000), below(x, 10000));
    else
        return false;
    return true;
}
