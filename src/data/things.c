/* SPDX-License-Identifier: MIT */
/* data/things.c - slots of the grammar. The nouns come from the list <np> (data/words); a share of them is made up,
 * so that a planner learns to copy what was asked for instead of knowing it. */
#include "data/things.h"

#include "data/names.h"
#include "data/wording.h"

#include <string.h>

const char *const lp_things_slots[] = {"things", "thing", "bare", "plural", "singular", "seen", "word", "number",
                                       "money",  "date",  "time", "code", "phone",  NULL};

const char *const lp_things_kinds[] = {"animal", "vehicle", "tool", "device", "appliance", NULL};

enum { TRIES = 8 }; /* to draw something else than before */

static uint32_t below(struct lp_expansion *x, uint32_t n) {
    return lp_rng_below(x->rng, n);
}

static const char *pick(struct lp_expansion *x, const char *const *from, uint32_t n) {
    return from[below(x, n)];
}

const char *const lp_word_first[] = {"b",  "bl", "br", "c",  "ch", "cl", "cr", "d",  "dr", "f",  "fl", "g",  "gl", "gr",
                                     "h",  "j",  "k",  "kl", "l",  "m",  "n",  "p",  "pl", "pr", "qu", "r",  "s",  "sh",
                                     "sk", "sl", "sn", "sp", "st", "t",  "th", "tr", "tw", "v",  "w",  "y",  "z",  "zh",
                                     NULL};
const char *const lp_word_middle[] = {"a", "e", "i", "o", "u", "a", "e", "i", "o", "oo", "ee", "ai", "ou", NULL};
const char *const lp_word_last[] = {"b",  "ck", "d",  "ff", "g",  "l",  "lm", "m",  "mp",   "n",  "nd",  "nk",
                                    "p",  "r",  "rd", "rt", "sk", "sp", "st", "t",  "x",    "zz", "er",  "or",
                                    "le", "in", "on", "ette", "um", "ish", "ex", "any", "ic", NULL};

static void add_any(struct lp_rng *rng, const char *const *from, struct lp_str *out) {
    uint32_t n = 0;
    while (from[n])
        n++;
    lp_str_puts(out, from[lp_rng_below(rng, n)]);
}

void lp_things_word(struct lp_rng *rng, struct lp_str *out) {
    uint32_t syllables = 1 + lp_rng_below(rng, LP_WORD_SYLLABLES);
    for (uint32_t i = 0; i < syllables; i++) {
        add_any(rng, lp_word_first, out);
        add_any(rng, lp_word_middle, out);
    }
    add_any(rng, lp_word_last, out);
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

/* Whether something like this, in either number, was asked for before in the same sentence. */
static bool was_said(const struct lp_expansion *x, const char *noun) {
    for (int i = 0; i < x->n_captures; i++) {
        const char *other = x->capture[i].text;
        size_t n = strlen(noun), m = strlen(other);
        if (!strcmp(x->capture[i].name, "thing") && !strncmp(noun, other, n < m ? n : m))
            return true;
    }
    return false;
}

/* A noun phrase without article from the lists: "red car", "dogs on the sofa". */
static void add_listed(const struct lp_grammar *g, struct lp_expansion *x, bool plural, struct lp_str *out) {
    const struct lp_list *np = lp_grammar_find(g, "np");
    struct lp_str text = {0};
    if (np)
        expand_apart(x, np, &text);
    lp_wording_number(lp_str_text(&text), plural, out);
    x->failed |= text.failed;
    lp_str_done(&text);
}

static void add_tail(const struct lp_grammar *g, struct lp_expansion *x, struct lp_str *out) {
    const struct lp_list *tail = lp_grammar_find(g, "np_tail");
    struct lp_str text = {0};
    if (!tail)
        return;
    lp_str_putc(&text, ' ');
    expand_apart(x, tail, &text);
    lp_wording_number(lp_str_text(&text), false, out);
    x->failed |= text.failed;
    lp_str_done(&text);
}

const char *lp_things_name(const struct lp_truth *truth, int category, struct lp_rng *rng) {
    const struct lp_truth_category *c = &truth->category[category];
    uint32_t n = 0;
    while (c->synonym && c->synonym[n])
        n++;
    return n && lp_rng_below(rng, 100) < 30 ? c->synonym[lp_rng_below(rng, n)] : c->name;
}

int lp_things_absent(const struct lp_world *w, struct lp_rng *rng) {
    for (int tries = 0; tries < 20 && w->truth->categories; tries++) {
        int category = (int)lp_rng_below(rng, (uint32_t)w->truth->categories);
        bool there = false;
        for (int i = 0; w->picture && i < w->picture->objects; i++)
            there |= lp_phrase_fits(w->truth->category[category].name, w->truth, &w->picture->object[i]);
        if (!there)
            return category;
    }
    return -1;
}

/* Something the picture shows, in *object, or something it does not show (NULL); -1: neither. */
static int choose_category(struct lp_expansion *x, const struct lp_world *w, uint32_t absent,
                           const struct lp_truth_object **object) {
    const struct lp_truth_picture *p = w->picture;
    *object = NULL;
    if (!p || !p->objects || below(x, 100) < absent)
        return lp_things_absent(w, x->rng);
    bool part = p->objects > p->wholes && (!p->wholes || below(x, 100) < 12);
    int i = part ? p->wholes + (int)below(x, (uint32_t)(p->objects - p->wholes)) : (int)below(x, (uint32_t)p->wholes);
    *object = &p->object[i];
    return p->object[i].category;
}

static void add_word(const struct lp_grammar *g, struct lp_expansion *x, const char *list, struct lp_str *out) {
    const struct lp_list *words = lp_grammar_find(g, list);
    if (!words)
        return;
    expand_apart(x, words, out);
    lp_str_putc(out, ' ');
}

/* Words before the noun: a colour, which is at times the wrong one; a size; both; which one of several; any other. */
static void add_before(const struct lp_grammar *g, struct lp_expansion *x, const struct lp_truth_object *object,
                       struct lp_str *out) {
    uint32_t roll = below(x, 100);
    if (roll >= 18 && roll < 24 && object && object->size && strcmp(object->size, "medium"))
        lp_str_printf(out, "%s ", strcmp(object->size, "large") ? "small" : "big");
    if (roll < 21 && object && object->color)
        lp_str_printf(out, "%s ", object->color);
    else if (roll >= 24 && roll < 30)
        add_word(g, x, below(x, 2) ? "colour" : "adjective", out);
    else if (roll >= 30 && roll < 32)
        add_word(g, x, "which", out);
}

/* The object's kind ("animal") or, where its colour says which, just "thing"; mostly its name. */
static const char *name_object(struct lp_expansion *x, const struct lp_world *w, int category,
                               const struct lp_truth_object *object, bool colored) {
    static const char *const any[] = {"thing", "thing", "object"};
    uint32_t roll = below(x, 100);
    const char *kind = w->truth->category[category].supercategory;
    if (object && colored && roll < 6)
        return pick(x, any, sizeof any / sizeof *any);
    for (int i = 0; object && kind && roll >= 6 && roll < 10 && lp_things_kinds[i]; i++)
        if (!strcmp(kind, lp_things_kinds[i]))
            return lp_things_kinds[i];
    return lp_things_name(w->truth, category, x->rng);
}

/* A noun phrase from the scenes. number: 0 that of the picture, mostly; 1 singular, 2 plural. False: there is none. */
static bool add_from_scene(const struct lp_grammar *g, const struct lp_world *w, struct lp_expansion *x, bool *plural,
                           int number, struct lp_str *out) {
    const struct lp_truth_object *object;
    int category = choose_category(x, w, 18, &object);
    if (category < 0)
        return false;
    int there = object ? lp_truth_count(w->picture, category) : 0;
    if (!number && there)
        *plural = below(x, 100) < (there > 1 ? 80u : 15u);
    add_before(g, x, object, out);
    bool colored = out->n && object && object->color && strstr(lp_str_text(out), object->color);
    const char *name = name_object(x, w, category, object, colored);
    if (*plural)
        lp_name_plural(name, out);
    else
        lp_str_puts(out, name);
    return true;
}

/* Mostly what the picture shows; a good part from the lists, so that a planner learns to copy any word. */
static void add_noun(const struct lp_grammar *g, const struct lp_world *w, struct lp_expansion *x, bool *plural,
                     int number, struct lp_str *out) {
    uint32_t scene = !w->truth ? 0 : w->picture ? 64 : 25;
    if (below(x, 100) >= scene || !add_from_scene(g, w, x, plural, number, out))
        add_listed(g, x, *plural, out);
    if (below(x, 10) == 0)
        add_tail(g, x, out);
    lp_wording_tidy(out);
}

/* "mouse~mice" for a list's entry. */
static void add_seen(const struct lp_grammar *g, const struct lp_world *w, struct lp_expansion *x) {
    const struct lp_truth_object *object;
    int category = w->truth ? choose_category(x, w, 30, &object) : -1;
    for (int tries = 0; tries < TRIES && category >= 0 && was_said(x, w->truth->category[category].name); tries++)
        category = choose_category(x, w, 30, &object);
    struct lp_str many = {0};
    if (category < 0) {
        const struct lp_list *list = lp_grammar_find(g, "common");
        if (list)
            expand_apart(x, list, &x->text);
        return;
    }
    const char *name = lp_things_name(w->truth, category, x->rng);
    lp_name_plural(name, &many);
    const char *last = strrchr(lp_str_text(&many), ' ');
    lp_str_printf(&x->text, "%s~%s", name, last ? last + 1 : lp_str_text(&many));
    x->failed |= many.failed;
    lp_str_done(&many);
}

/* "leftmost chair": there is but one. */
static bool is_superlative(const char *noun) {
    size_t n = strcspn(noun, " ");
    return (n > 4 && !strncmp(noun + n - 4, "most", 4)) || (n > 4 && !strncmp(noun + n - 3, "est", 3));
}

/* One thing; `article`: as spoken of, else bare. number: 0 either, 1 singular, 2 plural. */
static void add_thing(const struct lp_grammar *g, const struct lp_world *w, struct lp_expansion *x, bool article,
                      int number) {
    static const char *const many[] = {"the ", "the ", "all the ", "all ", "", "", "any ", "my ", "these ", "those ",
                                       "all of the ", "some ", "our ", "the two ", "the three ", "her ", "their ", "two ",
                                       "the four ", "both "};
    static const char *const one[] = {"the ", "the ", "the ", "a ",    "a ",   "my ",   "that ", "this ",
                                      "our ", "his ", "her ", "every ", "each ", "any ", "the "};
    bool plural = number ? number == 2 : below(x, 2);
    struct lp_str noun = {0};
    for (int tries = 0; !noun.n || (tries < TRIES && was_said(x, lp_str_text(&noun)) && !noun.failed); tries++) {
        lp_str_cut(&noun, 0);
        add_noun(g, w, x, &plural, number, &noun);
    }
    if (article)
        lp_str_puts(&x->text, is_superlative(lp_str_text(&noun)) ? "the "
                              : plural                          ? pick(x, many, sizeof many / sizeof *many)
                                                                : pick(x, one, sizeof one / sizeof *one));
    lp_expansion_capture(x, "thing", lp_str_text(&noun));
    x->failed |= noun.failed;
    lp_str_done(&noun);
}

/* Two colours of one thing: "the red and blue cars", "the red and the blue car" are red cars and blue cars. */
static void add_two_colors(const struct lp_grammar *g, const struct lp_world *w, struct lp_expansion *x, bool article) {
    static const char *const many[] = {"the ", "the ", "all ", "all the ", ""};
    const struct lp_truth_object *object = NULL;
    int category = w->truth ? choose_category(x, w, 18, &object) : -1;
    bool plural = !article || below(x, 3);
    struct lp_str noun = {0}, color[2] = {{0}, {0}};
    if (category < 0)
        add_listed(g, x, plural, &noun);
    else if (plural)
        lp_name_plural(lp_things_name(w->truth, category, x->rng), &noun);
    else
        lp_str_puts(&noun, lp_things_name(w->truth, category, x->rng));
    if (object && object->color)
        lp_str_printf(&color[0], "%s ", object->color);
    else
        add_word(g, x, "colour", &color[0]);
    for (int tries = 0; tries < TRIES && (!color[1].n || !strcmp(lp_str_text(&color[1]), lp_str_text(&color[0]))); tries++) {
        lp_str_cut(&color[1], 0);
        add_word(g, x, "colour", &color[1]);
    }
    lp_str_puts(&x->text, !article ? "" : plural ? pick(x, many, sizeof many / sizeof *many) : "the ");
    lp_str_putc(&x->text, LP_MARK_BEGIN);
    lp_str_printf(&x->text, "%sand %s%s%s", lp_str_text(&color[0]), plural ? "" : "the ", lp_str_text(&color[1]),
                  lp_str_text(&noun));
    lp_str_putc(&x->text, LP_MARK_END);
    for (int i = 0; i < 2; i++) {
        lp_str_puts(&color[i], lp_str_text(&noun));
        lp_expansion_remember(x, "thing", lp_str_text(&color[i]));
        x->failed |= color[i].failed;
        lp_str_done(&color[i]);
    }
    x->failed |= noun.failed;
    lp_str_done(&noun);
}

static void add_things(const struct lp_grammar *g, const struct lp_world *w, struct lp_expansion *x, bool article) {
    static const char *const last_joint[] = {" and ", " and ", " and ", " & ", " plus ", " as well as ", ", "};
    static const char *const bare_joint[] = {", ", ", ", " and ", " + ", ", and "};
    uint32_t roll = below(x, 100), n = roll < 63 ? 1 : roll < 85 ? 2 : 3;
    if (roll >= 96) {
        add_two_colors(g, w, x, article);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            lp_str_puts(&x->text, i + 1 < n  ? ", "
                                  : article ? pick(x, last_joint, sizeof last_joint / sizeof *last_joint)
                                            : pick(x, bare_joint, sizeof bare_joint / sizeof *bare_joint));
        add_thing(g, w, x, article, article ? 0 : below(x, 3) ? 2 : 1);
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

bool lp_things_fill(const struct lp_grammar *g, const struct lp_world *w, struct lp_expansion *x, const char *name) {
    if (!strcmp(name, "things"))
        add_things(g, w, x, true);
    else if (!strcmp(name, "bare"))
        add_things(g, w, x, false);
    else if (!strcmp(name, "thing"))
        add_thing(g, w, x, true, below(x, 10) < 7 ? 1 : 2);
    else if (!strcmp(name, "plural") && below(x, 25) == 0)
        add_two_colors(g, w, x, false);
    else if (!strcmp(name, "plural"))
        add_thing(g, w, x, false, 2);
    else if (!strcmp(name, "singular"))
        add_thing(g, w, x, false, 1);
    else if (!strcmp(name, "seen"))
        add_seen(g, w, x);
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
