/* SPDX-License-Identifier: MIT */
/* data/draft.c - from a family's phrases to a typed instruction, its prompt lines and its parameters. */
#include "data/draft.h"

#include "base/memory.h"
#include "data/wording.h"
#include "text/python.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static uint32_t below(struct lp_dialogue *d, uint32_t n) {
    return lp_rng_below(d->rng, n);
}

/* Is `name` the family's list or a section of it? */
static bool belongs(const char *name, const char *list) {
    size_t n = strlen(list);
    return !strncmp(name, list, n) && (name[n] == 0 || name[n] == '/');
}

/* One of the family's lists, so that every line is as likely as any other. */
static const struct lp_list *pick_list(struct lp_dialogue *d, const char *list, const char **section) {
    const struct lp_list *each;
    const char *name;
    size_t total = 0;
    for (size_t i = 0; (each = lp_grammar_at(d->grammar, i, &name)); i++)
        total += belongs(name, list) ? lp_list_entries(each) : 0;
    if (!total)
        return NULL;
    size_t roll = below(d, (uint32_t)total);
    for (size_t i = 0; (each = lp_grammar_at(d->grammar, i, &name)); i++) {
        if (!belongs(name, list))
            continue;
        if (roll < lp_list_entries(each)) {
            *section = strrchr(name, '/') + 1;
            return each;
        }
        roll -= lp_list_entries(each);
    }
    return NULL;
}

static const char *keep(struct lp_dialogue *d, struct lp_str *s) {
    char *kept = s->failed ? NULL : lp_arena_strdup(&d->arena, lp_str_text(s));
    d->failed |= !kept;
    lp_str_done(s);
    return kept ? kept : "";
}

/* All captured things, joined; the last joint may differ. */
static const char *join_things(struct lp_dialogue *d, const struct lp_expansion *x, const char *joint, const char *last,
                               bool lower) {
    struct lp_str s = {0};
    int n = 0, i = 0;
    for (int k = 0; k < x->n_captures; k++)
        n += !strcmp(x->capture[k].name, "thing");
    for (int k = 0; k < x->n_captures; k++) {
        if (strcmp(x->capture[k].name, "thing"))
            continue;
        lp_str_puts(&s, i == 0 ? "" : i + 1 < n ? joint : last);
        lp_str_puts(&s, x->capture[k].text);
        i++;
    }
    for (size_t k = 0; lower && k < s.n; k++)
        s.s[k] = (char)tolower((unsigned char)s.s[k]);
    return keep(d, &s);
}

/* Text without marks, tidy, in lower case if the instruction is. */
static const char *plain(struct lp_dialogue *d, const char *marked, bool lower) {
    struct lp_str s = {0};
    lp_wording_unmark(marked, &s);
    lp_wording_tidy(&s);
    for (size_t k = 0; lower && k < s.n; k++)
        s.s[k] = (char)tolower((unsigned char)s.s[k]);
    return keep(d, &s);
}

static int ordinal_of(const char *word) {
    static const char *const words[] = {"first", "second", "third", "fourth", "fifth", "sixth"};
    for (int i = 0; word && i < 6; i++)
        if (!strcmp(word, words[i]))
            return i + 1;
    return word && !strcmp(word, "last") ? -1 : 0;
}

static void put_before(struct lp_str *text, const char *before) {
    struct lp_str s = {0};
    lp_str_printf(&s, "%s %s", before, lp_str_text(text));
    s.failed |= text->failed;
    lp_str_done(text);
    *text = s;
}

/* Adds to the end, before the last punctuation. */
static void put_after(struct lp_str *text, const char *after) {
    char stop = text->n && strchr(".?!", text->s[text->n - 1]) ? text->s[text->n - 1] : 0;
    if (stop)
        lp_str_cut(text, text->n - 1);
    lp_str_printf(text, " %s", after);
    if (stop)
        lp_str_putc(text, stop);
}

/* Greetings, context and small talk around the instruction; which of several pictures is meant. */
static void surround(struct lp_dialogue *d, const struct lp_family *family, int pictures, struct lp_draft *draft,
                     struct lp_str *text) {
    if (pictures > 1) {
        bool first = draft->picture == 1;
        if (below(d, 2))
            put_before(text, lp_dialogue_words(d, first ? "in_first" : "in_second", "before"));
        else
            put_after(text, lp_dialogue_words(d, first ? "in_first" : "in_second", NULL));
    }
    bool chat = family->task == LP_TASK_NONE;
    if (below(d, 100) < (chat ? 6 : 8))
        put_before(text, lp_dialogue_words(d, "greeting", NULL));
    else if (pictures && !chat && below(d, 100) < 14)
        put_before(text, lp_dialogue_words(d, "context", NULL));
    if (!chat && below(d, 100) < 10) {
        bool stopped = text->n && strchr(".?!", text->s[text->n - 1]);
        lp_str_puts(text, stopped ? " " : below(d, 2) ? ". " : ", ");
        lp_str_puts(text, lp_dialogue_words(d, "closing", NULL));
    }
}

/* A thing of the picture that is pointed at, mostly; NULL: anywhere. */
static const struct lp_truth_object *target(struct lp_dialogue *d) {
    const struct lp_truth_picture *p = d->world.picture;
    return p && p->objects && below(d, 100) < 80 ? &p->object[below(d, (uint32_t)p->objects)] : NULL;
}

/* x of px in hundredths of the picture's side, off by up to `off`. */
static double hundredths(struct lp_dialogue *d, float px, int side, uint32_t off) {
    int x = (int)lrintf(100 * px / (float)side) + (int)below(d, 2 * off + 1) - (int)off;
    return (x < 0 ? 0 : x > 100 ? 100 : x) / 100.0;
}

static json_t *random_point(struct lp_dialogue *d) {
    const struct lp_truth_object *o = target(d);
    if (!o)
        return json_pack("[f,f]", (2 + below(d, 97)) / 100.0, (2 + below(d, 97)) / 100.0);
    const struct lp_truth_picture *p = d->world.picture;
    double x = hundredths(d, (o->box[0] + o->box[2]) / 2, p->width, 3);
    double y = hundredths(d, (o->box[1] + o->box[3]) / 2, p->height, 3);
    return json_pack("[f,f]", x, y);
}

static json_t *random_box(struct lp_dialogue *d) {
    const struct lp_truth_object *o = target(d);
    const struct lp_truth_picture *p = d->world.picture;
    uint32_t x0 = below(d, 80), y0 = below(d, 80), w = 8 + below(d, 92 - x0), h = 8 + below(d, 92 - y0);
    double box[4] = {x0 / 100.0, y0 / 100.0, (x0 + w) / 100.0, (y0 + h) / 100.0};
    double at[4] = {0};
    for (int k = 0; o && k < 4; k++)
        at[k] = hundredths(d, o->box[k], k % 2 ? p->height : p->width, 2);
    if (o && at[2] > at[0] && at[3] > at[1])
        memcpy(box, at, sizeof box);
    return json_pack("[f,f,f,f]", box[0], box[1], box[2], box[3]);
}

static const char *one_or_many(struct lp_dialogue *d, json_t *list, const char *one, const char *many) {
    char *text = lp_python_json(json_array_size(list) == 1 ? json_array_get(list, 0) : list);
    const char *line = text ? lp_arena_printf(&d->arena, "%s: %s", json_array_size(list) == 1 ? one : many, text) : NULL;
    d->failed |= !line;
    lp_free(text);
    return line ? line : "";
}

/* In any case; text may be mistyped. */
static bool says_any(const char *text, const char *const *word) {
    for (; *word; word++)
        for (const char *s = text; *s; s++)
            if (!strncasecmp(s, *word, strlen(*word)))
                return true;
    return false;
}

/* Who speaks of a click has clicked, and who speaks of a box has drawn one. */
static bool by_point(struct lp_dialogue *d, const char *text) {
    static const char *const click[] = {"click", "tap", "point", "cursor", "finger", "touch", "the dot", "my pin",
                                        "the cross", NULL};
    static const char *const box[] = {"box", "framed", "rectangle", "my frame", "the frame", "roi", NULL};
    bool clicked = says_any(text, click), boxed = says_any(text, box);
    return clicked != boxed ? clicked : below(d, 100) < 60;
}

static void mark_places(struct lp_dialogue *d, enum lp_places places, struct lp_draft *draft) {
    uint32_t roll = below(d, 100);
    int n = roll < 80 ? 1 : roll < 93 ? 2 : 3;
    if (places == LP_PLACES_REFERENCE && below(d, 8) == 0) {
        draft->prompts = "Reference image given.";
        return;
    }
    bool points = places == LP_PLACES_POINT || (places == LP_PLACES_ANY && by_point(d, draft->text));
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        d->failed |= json_array_append_new(list, points ? random_point(d) : random_box(d)) != 0;
    if (points) {
        draft->prompts = one_or_many(d, list, "Input point", "The input points are");
        draft->points = list;
    } else if (places == LP_PLACES_REFERENCE) {
        draft->prompts = one_or_many(d, list, "Reference box", "The reference boxes are");
        json_decref(list);
    } else {
        draft->prompts = one_or_many(d, list, "Input box", "The input boxes are");
        draft->boxes = list;
    }
}

bool lp_draft_make(struct lp_draft *draft, struct lp_dialogue *d, const struct lp_family *family, int pictures) {
    lp_draft_done(draft);
    const struct lp_list *list = pick_list(d, family->list, &draft->section);
    if (!list) {
        d->wants = d->wants ? d->wants : family->list;
        d->failed = true;
        return false;
    }
    struct lp_expansion x = {.rng = d->rng, .fill = lp_dialogue_fill, .context = d};
    struct lp_typing typing;
    draft->picture = pictures > 1 && below(d, 2) ? 1 : 0;
    if (pictures > 1)
        d->world.picture = d->shown[draft->picture ? 0 : d->shows - 1];
    lp_typing_random(&typing, d->rng);
    lp_grammar_expand(list, &x);
    surround(d, family, pictures, draft, &x.text);
    lp_wording_tidy(&x.text);
    lp_wording_type(&x.text, &typing, d->rng);
    d->failed |= x.failed || x.text.failed || x.param.failed;
    draft->text = plain(d, lp_str_text(&x.text), false);
    draft->caption = join_things(d, &x, " . ", " . ", typing.lower);
    draft->asked = join_things(d, &x, ", ", " and ", typing.lower);
    const char *wish = lp_expansion_find(&x, "prompt");
    if (family->task == LP_TASK_NONE)
        draft->reply = plain(d, lp_str_text(&x.param), false);
    else
        draft->wish = plain(d, x.param.n || !wish ? lp_str_text(&x.param) : wish, typing.lower);
    draft->ordinal = ordinal_of(lp_expansion_find(&x, "ordinal"));
    lp_expansion_done(&x);
    if (family->places != LP_PLACES_NONE)
        mark_places(d, family->places, draft);
    return !d->failed;
}

void lp_draft_done(struct lp_draft *draft) {
    json_decref(draft->points);
    json_decref(draft->boxes);
    *draft = (struct lp_draft){.text = "", .caption = "", .asked = "", .wish = "", .reply = ""};
}
