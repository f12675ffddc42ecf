/* SPDX-License-Identifier: MIT */
/* data/instruct.c - who says what: a family of instructions, its prompts and pictures, the plan that suits it, a
 * simulated outcome, an answer, and at times a second round. Modelled on arXiv:2311.05437, section 2.3. */
#include "data/instruct.h"

#include "base/memory.h"
#include "data/draft.h"
#include "data/pictures.h"
#include "data/seen.h"

#include <stdio.h>
#include <string.h>

static const struct lp_family families[] = {
    {"phrasings/detect", LP_TASK_DETECT, LP_TASK_NONE, LP_PLACES_NONE, 100, 9},
    {"phrasings/segment_instances", LP_TASK_SEGMENT_INSTANCES, LP_TASK_NONE, LP_PLACES_NONE, 100, 8},
    {"phrasings/segment_semantic", LP_TASK_SEGMENT_SEMANTIC, LP_TASK_NONE, LP_PLACES_NONE, 100, 6},
    {"phrasings/segment_at", LP_TASK_SEGMENT_AT, LP_TASK_NONE, LP_PLACES_ANY, 100, 6},
    {"phrasings/segment_levels", LP_TASK_SEGMENT_LEVELS, LP_TASK_NONE, LP_PLACES_POINT, 100, 6},
    {"phrasings/segment_like", LP_TASK_SEGMENT_LIKE, LP_TASK_NONE, LP_PLACES_REFERENCE, 100, 5},
    {"phrasings/caption", LP_TASK_CAPTION, LP_TASK_NONE, LP_PLACES_NONE, 100, 6},
    {"phrasings/tag", LP_TASK_TAG, LP_TASK_NONE, LP_PLACES_NONE, 100, 6},
    {"phrasings/caption_ground", LP_TASK_CAPTION_GROUND, LP_TASK_NONE, LP_PLACES_NONE, 100, 6},
    {"phrasings/tag_ground", LP_TASK_TAG_GROUND, LP_TASK_NONE, LP_PLACES_NONE, 100, 6},
    {"phrasings/ocr", LP_TASK_OCR, LP_TASK_NONE, LP_PLACES_NONE, 100, 9},
    {"phrasings/retrieve", LP_TASK_RETRIEVE, LP_TASK_NONE, LP_PLACES_NONE, 100, 6},
    {"phrasings/generate", LP_TASK_GENERATE, LP_TASK_NONE, LP_PLACES_NONE, 20, 7},
    {"phrasings/edit", LP_TASK_EDIT, LP_TASK_NONE, LP_PLACES_NONE, 100, 7},
    {"phrasings/inpaint/click", LP_TASK_INPAINT, LP_TASK_SEGMENT_AT, LP_PLACES_ANY, 100, 4},
    {"phrasings/inpaint/named", LP_TASK_INPAINT, LP_TASK_SEGMENT_INSTANCES, LP_PLACES_NONE, 100, 5},
    {"phrasings/generate_from_layout", LP_TASK_LAYOUT, LP_TASK_SEGMENT_SEMANTIC, LP_PLACES_NONE, 100, 6},
    {"phrasings/none", LP_TASK_NONE, LP_TASK_NONE, LP_PLACES_NONE, 50, 13},
};

/* A second round that builds on what the first left. `of`: what its calls take. */
static const struct {
    enum lp_task after;
    struct lp_family next;
    enum { OWN, ASKED, BOX, MASK, MAP } of;
} follow_ups[] = {
    {LP_TASK_DETECT, {"phrasings/then/box", LP_TASK_SEGMENT_AT, LP_TASK_NONE, LP_PLACES_NONE, 0, 0}, BOX},
    {LP_TASK_DETECT, {"phrasings/then/cut", LP_TASK_SEGMENT_INSTANCES, LP_TASK_NONE, LP_PLACES_NONE, 0, 0}, ASKED},
    {LP_TASK_DETECT, {"phrasings/then/also", LP_TASK_DETECT, LP_TASK_NONE, LP_PLACES_NONE, 0, 0}, OWN},
    {LP_TASK_SEGMENT_INSTANCES,
     {"phrasings/then/also", LP_TASK_SEGMENT_INSTANCES, LP_TASK_NONE, LP_PLACES_NONE, 0, 0}, OWN},
    {LP_TASK_SEGMENT_INSTANCES, {"phrasings/then/mask", LP_TASK_INPAINT, LP_TASK_NONE, LP_PLACES_NONE, 0, 0}, MASK},
    {LP_TASK_SEGMENT_AT, {"phrasings/then/mask", LP_TASK_INPAINT, LP_TASK_NONE, LP_PLACES_NONE, 0, 0}, MASK},
    {LP_TASK_SEGMENT_LEVELS, {"phrasings/then/mask", LP_TASK_INPAINT, LP_TASK_NONE, LP_PLACES_NONE, 0, 0}, MASK},
    {LP_TASK_SEGMENT_LIKE, {"phrasings/then/mask", LP_TASK_INPAINT, LP_TASK_NONE, LP_PLACES_NONE, 0, 0}, MASK},
    {LP_TASK_SEGMENT_SEMANTIC, {"phrasings/then/map", LP_TASK_LAYOUT, LP_TASK_NONE, LP_PLACES_NONE, 0, 0}, MAP},
    {LP_TASK_CAPTION,
     {"phrasings/then/caption_ground", LP_TASK_CAPTION_GROUND, LP_TASK_NONE, LP_PLACES_NONE, 0, 0}, OWN},
    {LP_TASK_TAG, {"phrasings/then/tag_ground", LP_TASK_TAG_GROUND, LP_TASK_NONE, LP_PLACES_NONE, 0, 0}, OWN},
    {LP_TASK_GENERATE, {"phrasings/then/another", LP_TASK_GENERATE, LP_TASK_NONE, LP_PLACES_NONE, 0, 0}, OWN},
    {LP_TASK_GENERATE, {"phrasings/then/edit", LP_TASK_EDIT, LP_TASK_NONE, LP_PLACES_NONE, 0, 0}, OWN},
    {LP_TASK_EDIT, {"phrasings/then/edit", LP_TASK_EDIT, LP_TASK_NONE, LP_PLACES_NONE, 0, 0}, OWN},
    {LP_TASK_INPAINT, {"phrasings/then/edit", LP_TASK_EDIT, LP_TASK_NONE, LP_PLACES_NONE, 0, 0}, OWN},
    {LP_TASK_LAYOUT, {"phrasings/then/edit", LP_TASK_EDIT, LP_TASK_NONE, LP_PLACES_NONE, 0, 0}, OWN},
};

enum { FAMILIES = sizeof families / sizeof *families, FOLLOW_UPS = sizeof follow_ups / sizeof *follow_ups };

struct lp_instruct {
    const struct lp_grammar *grammar;
    struct lp_rng rng;
    uint64_t seed, number;
    int only; /* the one skill that is asked for, or -1 */
    struct lp_seen seen;
};

struct lp_instruct *lp_instruct_open(const struct lp_grammar *grammar, uint64_t seed, const char *skill,
                                     struct lp_error *err) {
    struct lp_instruct *m = lp_alloc(sizeof *m);
    if (!m) {
        lp_error_memory(err);
        return NULL;
    }
    m->grammar = grammar;
    m->seed = seed;
    m->only = -1;
    lp_rng_seed(&m->rng, seed);
    for (int i = 0; skill && i <= LP_TASKS; i++)
        if (!strcmp(skill, lp_task_names[i]))
            m->only = i;
    if (skill && m->only < 0) {
        lp_error_set(err, LP_EUSAGE, "there is no skill '%s'; 'detect' or 'none' are two of the names", skill);
        lp_free(m);
        return NULL;
    }
    return m;
}

void lp_instruct_close(struct lp_instruct *m) {
    if (!m)
        return;
    lp_seen_done(&m->seen);
    lp_free(m);
}

static bool chance(struct lp_instruct *m, uint32_t percent) {
    return lp_rng_below(&m->rng, 100) < percent;
}

static const struct lp_family *pick_family(struct lp_instruct *m, int only) {
    uint32_t total = 0;
    for (int i = 0; i < FAMILIES; i++)
        total += only < 0 || families[i].task == (enum lp_task)only ? families[i].weight : 0;
    uint32_t roll = lp_rng_below(&m->rng, total);
    for (int i = 0;; i++) {
        if (only >= 0 && families[i].task != (enum lp_task)only)
            continue;
        if (roll < families[i].weight)
            return &families[i];
        roll -= families[i].weight;
    }
}

/* A draft whose wording no other skill has used in this run. */
static bool fresh_draft(struct lp_instruct *m, struct lp_dialogue *d, const struct lp_family *family, int pictures,
                        struct lp_draft *draft) {
    for (int tries = 0; tries < 8; tries++) {
        if (!lp_draft_make(draft, d, family, pictures))
            return false;
        bool clash = false;
        if (!lp_seen_claim(&m->seen, draft->text, draft->prompts ? 2 : pictures > 0, (int)family->task, &clash)) {
            d->failed = true;
            return false;
        }
        if (!clash)
            return true;
    }
    return true;
}

static json_t *params_of(const struct lp_draft *draft, enum lp_task task) {
    switch (task) {
    case LP_TASK_DETECT:
    case LP_TASK_SEGMENT_INSTANCES:
        return json_pack("{s:s}", "caption", draft->caption);
    case LP_TASK_SEGMENT_AT:
    case LP_TASK_SEGMENT_LEVELS:
        return draft->points ? json_pack("{s:O}", "points", draft->points)
                             : json_pack("{s:O}", "boxes", draft->boxes);
    case LP_TASK_GENERATE:
    case LP_TASK_EDIT:
    case LP_TASK_INPAINT:
    case LP_TASK_LAYOUT:
        return json_pack("{s:s}", "prompt", draft->wish);
    default:
        return json_object();
    }
}

static void name_handle(struct lp_dialogue *d, json_t *params, const char *key, const char *kind, int number) {
    char handle[32];
    snprintf(handle, sizeof handle, "%s_%d", kind, number);
    d->failed |= json_object_set_new(params, key, json_string(handle)) != 0;
}

static void call(struct lp_dialogue *d, const struct lp_draft *draft, enum lp_task task, int picture) {
    json_t *params = params_of(draft, task);
    if (task == LP_TASK_INPAINT)
        name_handle(d, params, "mask", "mask", draft->mask ? draft->mask : d->made[LP_LEFT_MASK] + 1);
    if (task == LP_TASK_LAYOUT)
        name_handle(d, params, "layout", "map", draft->map ? draft->map : d->made[LP_LEFT_MAP] + 1);
    if (picture && task != LP_TASK_GENERATE && task != LP_TASK_LAYOUT)
        name_handle(d, params, "image", "img", picture);
    lp_dialogue_call(d, task, params);
}

/* Plan, results and answer for a draft that has been asked. `picture`: img_N when it is not the newest, else 0. */
static void work(struct lp_dialogue *d, const struct lp_family *family, const struct lp_draft *draft, int picture) {
    d->asked = draft->asked;
    d->wish = draft->wish;
    if (family->before != LP_TASK_NONE)
        call(d, draft, family->before, picture);
    call(d, draft, family->task, picture);
    lp_dialogue_run(d);
    lp_dialogue_answer(d, draft->section);
}

static void add_image(struct lp_dialogue *d, json_t *images, int number) {
    struct lp_picture picture;
    lp_picture_describe(&picture, number);
    d->failed |= json_array_append_new(images, json_string(picture.name)) != 0;
}

static int random_picture(struct lp_instruct *m) {
    return (int)lp_rng_below(&m->rng, LP_PICTURES);
}

/* "what colour is the circle?": answered from what the pool's picture shows. */
static void shape_round(struct lp_instruct *m, struct lp_dialogue *d, json_t *images) {
    struct lp_picture picture;
    struct lp_draft draft = {0};
    int number = random_picture(m);
    lp_picture_describe(&picture, number);
    const struct lp_picture_shape *shape = &picture.shape[lp_rng_below(&m->rng, (uint32_t)picture.shapes)];
    struct lp_family family = {"phrasings/shape/color", LP_TASK_NONE, LP_TASK_NONE, LP_PLACES_NONE, 100, 0};
    d->asked = shape->kind;
    d->wish = shape->color;
    if (picture.background && chance(m, 30)) {
        family.list = "phrasings/shape/background";
        d->wish = picture.background;
    } else if (chance(m, 40)) {
        family.list = "phrasings/shape/kind";
    }
    add_image(d, images, number);
    if (lp_draft_make(&draft, d, &family, 1)) {
        lp_dialogue_ask(d, 1, 1, draft.text, NULL);
        lp_dialogue_reply(d, draft.reply);
    }
    lp_draft_done(&draft);
}

/* A request about a picture that is not there. */
static void missing_picture_round(struct lp_instruct *m, struct lp_dialogue *d) {
    const struct lp_family *family;
    do
        family = pick_family(m, -1);
    while (family->picture < 100 || family->places != LP_PLACES_NONE);
    struct lp_draft draft = {0};
    if (lp_draft_make(&draft, d, family, 0)) {
        lp_dialogue_ask(d, 0, 0, draft.text, NULL);
        lp_dialogue_reply(d, lp_dialogue_phrase(d, "answers/no_picture", NULL));
    }
    lp_draft_done(&draft);
}

static void first_round(struct lp_instruct *m, struct lp_dialogue *d, const struct lp_family *family, json_t *images) {
    uint32_t kind = lp_rng_below(&m->rng, 100);
    if (family->task == LP_TASK_NONE && kind < 10) {
        shape_round(m, d, images);
        return;
    }
    if (family->task == LP_TASK_NONE && kind < 18) {
        missing_picture_round(m, d);
        return;
    }
    struct lp_draft draft = {0};
    int pictures = chance(m, family->picture);
    bool several = family->picture == 100 && family->places == LP_PLACES_NONE && chance(m, 4);
    if (fresh_draft(m, d, family, pictures + several, &draft)) {
        for (int i = 0; i < pictures + several; i++)
            add_image(d, images, random_picture(m));
        lp_dialogue_ask(d, pictures + several, pictures + several, draft.text, draft.prompts);
        if (family->task == LP_TASK_NONE)
            lp_dialogue_reply(d, draft.reply);
        else
            work(d, family, &draft, draft.picture);
    }
    lp_draft_done(&draft);
}

/* The turn after a skill has made a picture shows it. */
static int show_made(struct lp_instruct *m, struct lp_dialogue *d, json_t *images) {
    if (!d->left[LP_LEFT_IMAGE])
        return 0;
    add_image(d, images, random_picture(m));
    return 1;
}

/* A remark or question that what is there already answers. */
static void remark(struct lp_instruct *m, struct lp_dialogue *d, json_t *images, const char *list) {
    struct lp_family family = {list, LP_TASK_NONE, LP_TASK_NONE, LP_PLACES_NONE, 0, 0};
    struct lp_draft draft = {0};
    if (lp_draft_make(&draft, d, &family, 0)) {
        lp_dialogue_ask(d, 0, show_made(m, d, images), draft.text, NULL);
        lp_dialogue_reply(d, draft.reply);
    }
    lp_draft_done(&draft);
}

/* Takes from the first round what the follow-up needs. */
static void inherit(struct lp_dialogue *d, int of, struct lp_draft *draft) {
    if (of == ASKED) {
        const char *caption = json_string_value(json_object_get(d->call[d->calls - 1].params, "caption"));
        char *kept = lp_arena_strdup(&d->arena, caption ? caption : "");
        d->failed |= !kept;
        draft->caption = kept ? kept : "";
        draft->asked = d->asked;
    }
    int boxes = d->left[LP_LEFT_BOX], masks = d->left[LP_LEFT_MASK];
    int place = draft->ordinal < 0 ? 1000 : draft->ordinal ? draft->ordinal - 1 : 0;
    if (of == BOX) {
        char handle[32];
        snprintf(handle, sizeof handle, "box_%d", d->first[LP_LEFT_BOX] + (place < boxes ? place : boxes - 1));
        draft->boxes = json_pack("[s]", handle);
    }
    if (of == MASK)
        draft->mask = d->first[LP_LEFT_MASK] + (place < masks ? place : masks - 1);
    if (of == MAP)
        draft->map = d->first[LP_LEFT_MAP];
}

static void follow_up(struct lp_instruct *m, struct lp_dialogue *d, json_t *images) {
    int fit[FOLLOW_UPS], n = 0;
    for (int i = 0; i < FOLLOW_UPS; i++)
        if (follow_ups[i].after == d->last)
            fit[n++] = i;
    if (!n) {
        remark(m, d, images, "phrasings/followup/any");
        return;
    }
    int i = fit[lp_rng_below(&m->rng, (uint32_t)n)];
    struct lp_draft draft = {0};
    if (lp_draft_make(&draft, d, &follow_ups[i].next, 0)) {
        inherit(d, follow_ups[i].of, &draft);
        lp_dialogue_ask(d, 0, show_made(m, d, images), draft.text, NULL);
        work(d, &follow_ups[i].next, &draft, 0);
    }
    lp_draft_done(&draft);
}

static void another_round(struct lp_instruct *m, struct lp_dialogue *d, json_t *images) {
    const struct lp_family *family = pick_family(m, -1);
    struct lp_draft draft = {0};
    if (fresh_draft(m, d, family, 1, &draft)) {
        lp_dialogue_ask(d, 0, show_made(m, d, images), draft.text, draft.prompts);
        if (family->task == LP_TASK_NONE)
            lp_dialogue_reply(d, draft.reply);
        else
            work(d, family, &draft, 0);
    }
    lp_draft_done(&draft);
}

static void second_round(struct lp_instruct *m, struct lp_dialogue *d, json_t *images) {
    char list[64];
    uint32_t roll = lp_rng_below(&m->rng, 100);
    if (d->last == LP_TASK_NONE || !d->made[LP_LEFT_IMAGE]) {
        remark(m, d, images, "phrasings/followup/any");
    } else if (roll < 35) {
        snprintf(list, sizeof list, "phrasings/followup/%s",
                 d->outcome == LP_DONE ? lp_task_names[d->last] : d->outcome == LP_EMPTY ? "empty" : "amiss");
        remark(m, d, images, chance(m, 15) ? "phrasings/followup/any" : list);
    } else if (roll < 72 && d->outcome == LP_DONE) {
        follow_up(m, d, images);
    } else {
        another_round(m, d, images);
    }
}

/* The record around the turns. One picture is a string, several are an array. */
static json_t *record_of(struct lp_instruct *m, struct lp_dialogue *d, json_t *images) {
    char id[64];
    snprintf(id, sizeof id, "%llu.%06llu", (unsigned long long)m->seed, (unsigned long long)m->number);
    json_t *record = json_object();
    bool bad = json_object_set_new(record, "unique_id", json_string(id));
    bad |= json_object_set_new(record, "image_id", json_integer((json_int_t)m->number));
    bad |= json_object_set_new(record, "data_source", json_string("llava-plus-grammar"));
    if (json_array_size(images) == 1)
        bad |= json_object_set(record, "image", json_array_get(images, 0));
    else if (json_array_size(images))
        bad |= json_object_set(record, "image", images);
    bad |= json_object_set(record, "conversations", d->turns);
    d->failed |= bad;
    return record;
}

json_t *lp_instruct_next(struct lp_instruct *m, enum lp_task *task, struct lp_error *err) {
    struct lp_dialogue d;
    json_t *images = json_array(), *record = NULL;
    const struct lp_family *family = pick_family(m, m->only);
    lp_dialogue_start(&d, m->grammar, &m->rng);
    *task = family->task;
    first_round(m, &d, family, images);
    if (chance(m, 20))
        second_round(m, &d, images);
    m->number++;
    record = record_of(m, &d, images);
    if (d.wants)
        lp_error_set(err, LP_EINPUT, "the grammar has no list '%s'; give --grammar the data folder", d.wants);
    else if (d.failed || !images)
        lp_error_memory(err);
    if (d.failed || !images) {
        json_decref(record);
        record = NULL;
    }
    json_decref(images);
    lp_dialogue_done(&d);
    return record;
}
