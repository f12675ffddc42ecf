/* SPDX-License-Identifier: MIT */
/* data/see.c - questions of presence, number, colour, relation, place and size, and captions, from the truth of a
 * picture. */
#include "data/see.h"

#include "data/names.h"
#include "data/scene.h"
#include "data/told.h"
#include "data/wording.h"
#include "image/boxes.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { KINDS = 12, PAIRS = 64 };

static uint32_t below(struct lp_dialogue *d, uint32_t n) {
    return lp_rng_below(d->rng, n);
}

static const char *keep(struct lp_dialogue *d, struct lp_str *s) {
    char *kept = s->failed ? NULL : lp_arena_strdup(&d->arena, lp_str_text(s));
    d->failed |= !kept;
    lp_str_done(s);
    return kept ? kept : "";
}

static int count_of(const struct lp_dialogue *d, const char *name) {
    const struct lp_truth_picture *p = d->world.picture;
    int n = 0;
    for (int i = 0; i < p->wholes; i++)
        n += lp_phrase_fits(name, d->world.truth, &p->object[i]);
    return n;
}

/* Names what the question is about, and how often it is there. */
static void speak_of(struct lp_dialogue *d, const char *name, int n) {
    struct lp_str it = {0}, one = {0}, many = {0}, counted = {0};
    lp_name_singular(name, &it);
    lp_name_counted(name, 1, &one);
    lp_name_plural(name, &many);
    lp_name_counted(name, n ? n : 1, &counted);
    bool many_only = !strcmp(lp_str_text(&it), lp_str_text(&many)) && it.n && it.s[it.n - 1] == 's';
    if (many_only) {
        lp_str_cut(&one, 0);
        lp_str_printf(&one, "any %s", lp_str_text(&it));
    }
    d->fact.is = many_only ? "are" : "is";
    d->fact.it = keep(d, &it);
    d->fact.one = keep(d, &one);
    d->fact.them = keep(d, &many);
    d->fact.counted = keep(d, &counted);
}

static const char *place_of(const struct lp_dialogue *d, const struct lp_truth_object *o) {
    const struct lp_truth_picture *p = d->world.picture;
    float box[4];
    for (int k = 0; k < 4; k++)
        box[k] = o->box[k] / (float)(k % 2 ? p->height : p->width);
    return lp_place_names[lp_box_place(box)];
}

/* Whether a thing that is there has a name within this one or around it: fish, angelfish. */
static bool resembles(const struct lp_dialogue *d, const char *name) {
    const struct lp_truth_picture *p = d->world.picture;
    for (int i = 0; i < p->objects; i++) {
        const char *there = d->world.truth->category[p->object[i].category].name;
        if (strstr(there, name) || strstr(name, there))
            return true;
    }
    return false;
}

/* Anything that can be spoken of and is not there. */
static const char *open_name(struct lp_dialogue *d) {
    for (int tries = 0; tries < 10; tries++) {
        const char *name = lp_dialogue_words(d, "common", NULL);
        struct lp_str one = {0};
        lp_wording_number(name, false, &one);
        name = keep(d, &one);
        if (*name && !count_of(d, name) && !resembles(d, name))
            return name;
    }
    return NULL;
}

/* Something that is not there; half of the time of a kind with something that is. `open`: any word may do. */
static const char *absent_name(struct lp_dialogue *d, bool open) {
    if (open && below(d, 100) < 45)
        return open_name(d);
    const struct lp_truth *t = d->world.truth;
    const struct lp_truth_picture *p = d->world.picture;
    const char *near = p->wholes && below(d, 2)
                           ? t->category[p->object[below(d, (uint32_t)p->wholes)].category].supercategory
                           : NULL;
    for (int tries = 0; tries < 30; tries++) {
        int category = lp_things_absent(&d->world, d->rng);
        if (category < 0)
            return NULL;
        const char *name = lp_things_name(t, category, d->rng);
        bool alike = !near || (t->category[category].supercategory && !strcmp(t->category[category].supercategory, near));
        if ((alike || tries > 20) && !count_of(d, name) && !resembles(d, name))
            return name;
    }
    return NULL;
}

static const char *presence(struct lp_dialogue *d, bool brief) {
    const struct lp_truth_picture *p = d->world.picture;
    if (p->wholes && below(d, 2)) {
        const struct lp_truth_object *o = &p->object[below(d, (uint32_t)p->wholes)];
        const char *name = lp_things_name(d->world.truth, o->category, d->rng);
        int n = count_of(d, name);
        speak_of(d, name, n);
        d->fact.brief = "Yes";
        d->fact.side = n == 1 ? place_of(d, o) : "";
        return n == 1 ? "presence/one" : "presence/some";
    }
    const char *name = absent_name(d, !brief);
    if (!name)
        return NULL;
    speak_of(d, name, 0);
    d->fact.brief = "No";
    return "presence/none";
}

static const char *counting(struct lp_dialogue *d, bool brief) {
    const struct lp_truth_picture *p = d->world.picture;
    if (!brief) /* asked as people ask, it is the detector's matter */
        return NULL;
    bool none = !p->wholes || below(d, 100) < 14;
    const char *name = none ? absent_name(d, false)
                            : lp_things_name(d->world.truth, p->object[below(d, (uint32_t)p->wholes)].category, d->rng);
    int n = name ? count_of(d, name) : 0;
    if (!name || n > 6)
        return NULL;
    speak_of(d, name, n);
    struct lp_str digits = {0};
    lp_str_printf(&digits, "%d", n);
    d->fact.brief = keep(d, &digits);
    return n ? "count/some" : "count/none";
}

/* The only one of its name. */
static bool unique(const struct lp_dialogue *d, const struct lp_truth_object *o) {
    return count_of(d, d->world.truth->category[o->category].name) == 1;
}

static const char *coloring(struct lp_dialogue *d, bool brief) {
    const struct lp_truth_picture *p = d->world.picture;
    const char *absent = !brief && below(d, 100) < 20 ? absent_name(d, true) : NULL;
    if (absent) {
        speak_of(d, absent, 0);
        return "colour/absent";
    }
    uint32_t start = p->wholes ? below(d, (uint32_t)p->wholes) : 0;
    for (int i = 0; i < p->wholes; i++) {
        const struct lp_truth_object *o = &p->object[((int)start + i) % p->wholes];
        if (!o->color || !unique(d, o))
            continue;
        speak_of(d, d->world.truth->category[o->category].name, 1);
        d->fact.brief = o->color;
        d->fact.side = place_of(d, o);
        return "colour/there";
    }
    return NULL;
}

struct pair {
    const struct lp_truth_object *subject, *object;
    const char *predicate;
};

/* Side by side or one above the other, by a good quarter of the picture. */
static const char *position(const struct lp_truth_picture *p, const struct lp_truth_object *a,
                            const struct lp_truth_object *b) {
    float dx = (b->box[0] + b->box[2] - a->box[0] - a->box[2]) / 2 / (float)p->width;
    float dy = (b->box[1] + b->box[3] - a->box[1] - a->box[3]) / 2 / (float)p->height;
    if (fabsf(dx) > 0.25f && fabsf(dx) > fabsf(dy))
        return dx > 0 ? "left of" : "right of";
    if (fabsf(dy) > 0.25f && fabsf(dy) > fabsf(dx))
        return dy > 0 ? "above" : "below";
    return NULL;
}

static int pairs_of(const struct lp_dialogue *d, struct pair *pair) {
    const struct lp_truth_picture *p = d->world.picture;
    int n = 0;
    for (int i = 0; i < p->relations && n < PAIRS; i++) {
        const struct lp_truth_relation *r = &p->relation[i];
        if (r->subject < p->wholes && r->object < p->wholes)
            pair[n++] = (struct pair){&p->object[r->subject], &p->object[r->object], r->predicate};
    }
    for (int i = 0; !p->relations && i < p->wholes; i++)
        for (int k = 0; k < p->wholes && n < PAIRS; k++) {
            const char *predicate = i == k ? NULL : position(p, &p->object[i], &p->object[k]);
            if (predicate)
                pair[n++] = (struct pair){&p->object[i], &p->object[k], predicate};
        }
    int kept = 0;
    for (int i = 0; i < n; i++)
        if (unique(d, pair[i].subject) && unique(d, pair[i].object))
            pair[kept++] = pair[i];
    return kept;
}

static const char *opposite(const char *predicate) {
    static const char *const facing[][2] = {{"left of", "right of"}, {"above", "below"}, {"behind", "in front of"}};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++)
            if (!strcmp(predicate, facing[i][k]))
                return facing[i][!k];
    return NULL;
}

static const char *spoken(const char *predicate) {
    return !strcmp(predicate, "left of")    ? "to the left of"
           : !strcmp(predicate, "right of") ? "to the right of"
                                            : predicate;
}

static const char *relating(struct lp_dialogue *d, bool brief) {
    (void)brief;
    struct pair pair[PAIRS];
    const struct lp_truth_category *c = d->world.truth->category;
    int n = pairs_of(d, pair), same = 0;
    if (!n)
        return NULL;
    struct pair chosen = pair[below(d, (uint32_t)n)];
    for (int i = 0; i < n; i++)
        same += pair[i].object == chosen.object && !strcmp(pair[i].predicate, chosen.predicate);
    bool what = same == 1 && below(d, 100) < (opposite(chosen.predicate) ? 20 : 60);
    bool yes = what || below(d, 2);
    const char *facing = opposite(chosen.predicate);
    if (!yes && !(facing && below(d, 2))) { /* the other way round */
        struct pair swapped = {chosen.object, chosen.subject, chosen.predicate};
        chosen = swapped;
    } else if (!yes) {
        chosen.predicate = facing;
    }
    speak_of(d, c[chosen.subject->category].name, 1);
    d->fact.other = c[chosen.object->category].name;
    d->fact.relation = spoken(chosen.predicate);
    d->fact.brief = what ? d->fact.it : yes ? "Yes" : "No";
    return what ? "what" : yes ? "relation/yes" : "relation/no";
}

/* The place that the picture shows. */
static const char *placing(struct lp_dialogue *d, bool brief) {
    const char *background = d->world.picture->background;
    uint32_t at = below(d, (uint32_t)lp_backdrop_count);
    int own = -1;
    for (int i = 0; background && i < lp_backdrop_count; i++)
        own = strcmp(lp_backdrops[i].name, background) ? own : i;
    if (own < 0 || brief)
        return NULL;
    bool yes = below(d, 2);
    at = yes ? (uint32_t)own : at;
    d->fact.relation = lp_backdrops[own].place;
    d->fact.brief = lp_backdrops[at].place;
    if (below(d, 100) < 35)
        return "place";
    return (int)at == own ? "setting/yes" : "setting/no";
}

/* Which of two is larger, or of which there are more. */
static const char *comparing(struct lp_dialogue *d, bool brief) {
    const struct lp_truth_picture *p = d->world.picture;
    struct lp_kind kind[KINDS];
    int kinds = lp_told_kinds(d->world.truth, p, kind, KINDS);
    if (brief || kinds < 2)
        return NULL;
    int a = (int)below(d, (uint32_t)kinds), b = (a + 1 + (int)below(d, (uint32_t)(kinds - 1))) % kinds;
    bool swap = below(d, 2);
    if (kind[a].n != kind[b].n) {
        int more = kind[a].n > kind[b].n ? a : b;
        speak_of(d, kind[more].name, kind[more].n);
        d->fact.other = d->fact.them;
        const char *them = d->fact.them;
        speak_of(d, kind[a + b - more].name, kind[a + b - more].n);
        d->fact.relation = swap ? them : d->fact.them; /* first and second spoken of */
        d->fact.brief = swap ? d->fact.them : them;
        return "more";
    }
    float area[2] = {0, 0};
    for (int i = 0; i < p->wholes; i++) {
        const char *name = d->world.truth->category[p->object[i].category].name;
        const float *box = p->object[i].box;
        area[0] += !strcmp(name, kind[a].name) ? (box[2] - box[0]) * (box[3] - box[1]) : 0;
        area[1] += !strcmp(name, kind[b].name) ? (box[2] - box[0]) * (box[3] - box[1]) : 0;
    }
    if (kind[a].n != 1 || (area[0] < 1.5f * area[1] && area[1] < 1.5f * area[0]))
        return NULL;
    d->fact.other = area[0] > area[1] ? kind[a].name : kind[b].name;
    d->fact.relation = swap ? kind[a].name : kind[b].name;
    d->fact.brief = swap ? kind[b].name : kind[a].name;
    return "larger";
}

/* Whether a thing is large or small, or what is at a side of the picture. */
static const char *detailing(struct lp_dialogue *d, bool brief) {
    const struct lp_truth_picture *p = d->world.picture;
    if (brief || !p->wholes)
        return NULL;
    const struct lp_truth_object *o = &p->object[below(d, (uint32_t)p->wholes)];
    const char *name = d->world.truth->category[o->category].name, *side = place_of(d, o);
    speak_of(d, name, 1);
    d->fact.side = side;
    if (o->size && strcmp(o->size, "medium") && unique(d, o) && below(d, 2)) {
        d->fact.brief = o->size;
        return "size";
    }
    for (int i = 0; i < p->wholes; i++)
        if (&p->object[i] != o && place_of(d, &p->object[i]) == side)
            return NULL;
    return "side";
}

static const char *captioning(struct lp_dialogue *d, bool brief) {
    (void)brief;
    struct lp_kind kind[KINDS];
    struct lp_str text = {0};
    int kinds = lp_told_kinds(d->world.truth, d->world.picture, kind, KINDS);
    lp_told_scene(kind, kinds, d->world.picture->background, &text);
    lp_str_putc(&text, '.');
    char *told = (char *)keep(d, &text);
    if (*told)
        *told = (char)toupper((unsigned char)*told);
    d->fact.brief = told;
    return "caption";
}

/* The section of the answers that fits, or NULL when the picture gives no such question. */
static const char *find_fact(struct lp_dialogue *d, enum lp_see kind, bool brief) {
    static const char *(*const makers[])(struct lp_dialogue *, bool) = {presence, counting,  coloring,  relating,
                                                                        placing,  comparing, detailing, captioning};
    d->fact = lp_fact_none;
    return makers[kind](d, brief);
}

/* A question as it is typed. */
static const char *typed(struct lp_dialogue *d, const char *text) {
    struct lp_typing typing;
    struct lp_str s = {0};
    lp_typing_random(&typing, d->rng);
    typing.typos = typing.typos && below(d, 3) == 0;
    lp_str_puts(&s, text);
    lp_wording_type(&s, &typing, d->rng);
    return keep(d, &s);
}

/* Chooses what to ask about; the list of the question and of the answer. False: the picture gives nothing. */
static bool choose(struct lp_dialogue *d, enum lp_see kind, bool brief, char question[64], const char **answer) {
    *answer = NULL;
    for (int i = 0; !*answer && i < LP_SEES; i++) {
        enum lp_see next = (enum lp_see)((kind + i) % LP_SEES);
        *answer = i && next == LP_SEE_CAPTION ? NULL : find_fact(d, next, brief);
    }
    const char *section = *answer, *slash = section ? strchr(section, '/') : NULL;
    if (section)
        snprintf(question, 64, "phrasings/see/%.*s", slash ? (int)(slash - section) : 20, section);
    return section != NULL;
}

/* Whether it has been asked in the same dialogue already. */
static bool asked_before(const struct lp_dialogue *d, const char *question) {
    const json_t *turn;
    size_t i;
    json_array_foreach(d->turns, i, turn) {
        const char *text = json_string_value(json_object_get(turn, "value"));
        const char *found = text ? strstr(text, question) : NULL;
        if (found)
            return true;
    }
    return false;
}

/* Whether there is a form that LLaVA-1.5's questions and the measuring ones have. */
static bool kind_has_plain(const char *answer) {
    static const char *const kinds[] = {"presence", "count", "colour", "relation", "what"};
    for (int i = 0; i < 5; i++)
        if (!strncmp(answer, kinds[i], strlen(kinds[i])))
            return true;
    return false;
}

bool lp_see_ask(struct lp_dialogue *d, enum lp_see kind, bool brief, bool shown) {
    static const char short_form[] = "\nAnswer the question using a single word or phrase.";
    char list[64];
    const char *answer, *text = "";
    bool caption = false, again = true;
    for (int tries = 0; again && tries < 6; tries++) {
        if (!choose(d, tries ? (enum lp_see)below(d, LP_SEE_CAPTION) : kind, brief, list, &answer))
            return false;
        caption = !strcmp(answer, "caption");
        if (!caption && below(d, 100) < (brief ? 55 : 12) && kind_has_plain(answer))
            strcat(list, "/plain");
        text = lp_dialogue_phrase(d, list, NULL);
        again = asked_before(d, text);
    }
    if (again || d->failed)
        return false;
    struct lp_str question = {0};
    lp_str_puts(&question, brief || caption ? text : typed(d, text));
    if (brief && !caption)
        lp_str_puts(&question, short_form);
    lp_dialogue_ask(d, shown, shown, keep(d, &question), NULL);
    snprintf(list, sizeof list, "answers/see/%s", answer);
    lp_dialogue_reply(d, "see", brief || caption ? d->fact.brief : lp_dialogue_phrase(d, list, NULL));
    return true;
}
