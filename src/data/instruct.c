/* SPDX-License-Identifier: MIT */
/* data/instruct.c - who says what: a family of instructions, its prompts and pictures, the plan that suits it, a
 * simulated outcome, an answer, and at times a second round. Modelled on arXiv:2311.05437, section 2.3. */
#include "data/instruct.h"

#include "base/memory.h"
#include "data/draft.h"
#include "data/see.h"
#include "data/seen.h"
#include "data/wording.h"
#include "data/told.h"

#include <stdio.h>
#include <string.h>

static const struct lp_family families[] = {
    {"phrasings/detect", LP_TASK_DETECT, LP_TASK_NONE, LP_PLACES_NONE, 100, 10},
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
    {"phrasings/generate", LP_TASK_GENERATE, LP_TASK_NONE, LP_PLACES_NONE, 20, 8},
    {"phrasings/generate/post", LP_TASK_GENERATE, LP_TASK_NONE, LP_PLACES_NONE, 10, 1},
    {"phrasings/edit", LP_TASK_EDIT, LP_TASK_NONE, LP_PLACES_NONE, 100, 8},
    {"phrasings/edit/post", LP_TASK_EDIT, LP_TASK_NONE, LP_PLACES_NONE, 100, 1},
    {"phrasings/inpaint/click", LP_TASK_INPAINT, LP_TASK_SEGMENT_AT, LP_PLACES_ANY, 100, 4},
    {"phrasings/inpaint/named", LP_TASK_INPAINT, LP_TASK_SEGMENT_INSTANCES, LP_PLACES_NONE, 100, 5},
    {"phrasings/generate_from_layout", LP_TASK_LAYOUT, LP_TASK_SEGMENT_SEMANTIC, LP_PLACES_NONE, 100, 6},
    {"phrasings/look", LP_TASK_NONE, LP_TASK_NONE, LP_PLACES_NONE, 100, 12},
    {"phrasings/look/slips", LP_TASK_NONE, LP_TASK_NONE, LP_PLACES_ANY, 100, 1},
    {"phrasings/none", LP_TASK_NONE, LP_TASK_NONE, LP_PLACES_NONE, 50, 26},
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
    struct lp_instruct_settings settings;
    struct lp_rng rng;
    uint64_t number;
    int only; /* the one skill that is asked for, SEE, REPEAT, or -1 */
    struct lp_seen seen;
};

enum { SEE = LP_TASKS + 1, REPEAT }; /* visual chat and copying, as skills' names */

void lp_instruct_defaults(struct lp_instruct_settings *s) {
    *s = (struct lp_instruct_settings){.seed = 1, .tools = LP_INSTRUCT_FLY, .chat_percent = 25, .skills = lp_skills_imperfect};
    s->skills.unready = 15;
}

struct lp_instruct *lp_instruct_open(const struct lp_grammar *grammar, const struct lp_instruct_settings *settings,
                                     struct lp_error *err) {
    const char *skill = settings->skill;
    int only = !skill ? -1 : !strcmp(skill, "see") ? SEE : !strcmp(skill, "repeat") ? REPEAT : lp_task_find(skill);
    if (skill && only < 0) {
        lp_error_set(err, LP_EUSAGE, "there is no skill '%s'; 'detect', 'none' and 'see' are three of the names", skill);
        return NULL;
    }
    if (!settings->truth->pictures) {
        lp_error_set(err, LP_EINPUT, "the folder of scenes shows no pictures; make some with 'data scenes'");
        return NULL;
    }
    struct lp_instruct *m = lp_alloc(sizeof *m);
    if (!m) {
        lp_error_memory(err);
        return NULL;
    }
    m->grammar = grammar;
    m->settings = *settings;
    m->only = only;
    lp_rng_seed(&m->rng, settings->seed);
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

/* Whether the results that are given with the question (--tools all) answer such a request. */
static bool answered_by_given(enum lp_task task) {
    return task == LP_TASK_DETECT || task == LP_TASK_OCR ||
           (task >= LP_TASK_CAPTION && task <= LP_TASK_TAG_GROUND);
}

/* With --tools all, what the given results cannot answer is not asked. */
static bool wanted(const struct lp_instruct *m, const struct lp_family *family, int only) {
    if (only >= 0)
        return family->task == (enum lp_task)only;
    return m->settings.tools == LP_INSTRUCT_FLY || family->task == LP_TASK_NONE || answered_by_given(family->task);
}

static const struct lp_family *pick_family(struct lp_instruct *m, int only) {
    uint32_t total = 0;
    for (int i = 0; i < FAMILIES; i++)
        total += wanted(m, &families[i], only) ? families[i].weight : 0;
    uint32_t roll = lp_rng_below(&m->rng, total);
    for (int i = 0;; i++) {
        if (!wanted(m, &families[i], only))
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

/* The names of what the picture shows, for answers that list all: "dog . car". */
static const char *all_names(struct lp_dialogue *d) {
    struct lp_kind kind[12];
    struct lp_str s = {0};
    int n = lp_told_kinds(d->world.truth, d->world.picture, kind, 12);
    for (int i = 0; i < n; i++)
        lp_str_printf(&s, "%s%s", i ? " . " : "", kind[i].name);
    char *kept = s.failed ? NULL : lp_arena_strdup(&d->arena, lp_str_text(&s));
    d->failed |= !kept;
    lp_str_done(&s);
    return kept ? kept : "";
}

/* Plan, results and answer for a draft that has been asked. `picture`: img_N when it is not the newest, else 0. */
static void work(struct lp_dialogue *d, const struct lp_family *family, const struct lp_draft *draft, int picture) {
    d->asked = draft->asked;
    d->wish = draft->wish;
    if (d->given_text[LP_TASK_CAPTION] && answered_by_given(family->task)) {
        const char *caption = family->task == LP_TASK_DETECT ? draft->caption : all_names(d);
        lp_dialogue_answer_given(d, family->task, draft->section, caption);
        return;
    }
    if (family->before != LP_TASK_NONE)
        call(d, draft, family->before, picture);
    call(d, draft, family->task, picture);
    lp_dialogue_run(d);
    lp_dialogue_answer(d, draft->section);
}

/* The skill's answer to a draft, or the reply that stands in the phrase. */
static void respond(struct lp_dialogue *d, const struct lp_family *family, const struct lp_draft *draft, int picture) {
    if (family->task == LP_TASK_NONE)
        lp_dialogue_reply(d, "none", draft->reply);
    else
        work(d, family, draft, picture);
}

static const struct lp_truth_picture *random_picture(struct lp_instruct *m) {
    return &m->settings.truth->picture[lp_rng_below(&m->rng, (uint32_t)m->settings.truth->pictures)];
}

/* The user brings a picture, with something to read if he wants to read; it is spoken of. */
static void bring(struct lp_instruct *m, struct lp_dialogue *d, enum lp_task task) {
    d->world.picture = random_picture(m);
    for (int tries = 0; task == LP_TASK_OCR && !d->world.picture->texts && tries < 4; tries++)
        d->world.picture = random_picture(m);
    lp_dialogue_show(d, d->world.picture);
}

/* With --tools all the first question comes with results. */
static void give(struct lp_instruct *m, struct lp_dialogue *d) {
    if (m->settings.tools == LP_INSTRUCT_ALL && d->shows == 1)
        lp_dialogue_give(d);
}

/* Visual chat: questions that the pixels answer; of those with brief answers many a picture, as LLaVA-1.5 joins them. */
static void see_record(struct lp_instruct *m, struct lp_dialogue *d) {
    uint32_t roll = lp_rng_below(&m->rng, 100);
    uint32_t brief = roll < 45 ? 100 : roll < 78 ? 0 : 50; /* percent of the questions */
    uint32_t questions = brief == 100 ? 7 + lp_rng_below(&m->rng, 6) : 3 + lp_rng_below(&m->rng, 3);
    bring(m, d, LP_TASK_NONE);
    give(m, d);
    bool first = true;
    for (uint32_t i = 0; i < questions; i++) {
        bool short_answer = chance(m, brief);
        enum lp_see kind = (enum lp_see)lp_rng_below(&m->rng, short_answer ? LP_SEE_BRIEFS : LP_SEE_CAPTION);
        kind = i + 1 == questions && chance(m, 50) ? LP_SEE_CAPTION : kind; /* last, as it answers the others */
        first &= !lp_see_ask(d, kind, short_answer, first);
    }
}

/* Words that are to be said again: nothing else is learnt from it than to copy. */
static void repeat_record(struct lp_instruct *m, struct lp_dialogue *d) {
    static const char *const lists[] = {"common", "common", "common_adjective", "common_verb", "animal"};
    struct lp_str said = {0}, asked = {0};
    for (uint32_t i = 0, n = 2 + lp_rng_below(&m->rng, 12); i < n; i++) {
        lp_str_puts(&said, i ? " " : "");
        if (chance(m, 15))
            lp_things_word(&m->rng, &said);
        else
            lp_wording_number(lp_dialogue_words(d, lists[lp_rng_below(&m->rng, 5)], NULL), chance(m, 20), &said);
    }
    lp_str_printf(&asked, "%s %s", lp_dialogue_words(d, "phrasings/repeat/order", NULL), lp_str_text(&said));
    d->failed |= said.failed || asked.failed;
    lp_dialogue_ask(d, 0, 0, lp_str_text(&asked), NULL);
    lp_dialogue_reply(d, "none", lp_str_text(&said));
    lp_str_done(&said);
    lp_str_done(&asked);
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
        lp_dialogue_reply(d, "none", lp_dialogue_phrase(d, "answers/no_picture", NULL));
    }
    lp_draft_done(&draft);
}

static void first_round(struct lp_instruct *m, struct lp_dialogue *d, const struct lp_family *family) {
    if (family->task == LP_TASK_NONE && chance(m, 8)) {
        missing_picture_round(m, d);
        return;
    }
    struct lp_draft draft = {0};
    int pictures = chance(m, family->picture);
    pictures += m->settings.tools == LP_INSTRUCT_FLY && family->picture == 100 && family->places == LP_PLACES_NONE &&
                chance(m, 4);
    for (int i = 0; i < pictures; i++)
        bring(m, d, family->task);
    if (fresh_draft(m, d, family, pictures, &draft)) {
        give(m, d);
        lp_dialogue_ask(d, pictures, pictures, draft.text, draft.prompts);
        respond(d, family, &draft, draft.picture);
    }
    lp_draft_done(&draft);
}

/* The turn after a skill has made a picture shows it: a changed picture looks much as it did, a new one as any. */
static int show_made(struct lp_instruct *m, struct lp_dialogue *d) {
    int n = 0;
    for (; d->shows < d->made[LP_LEFT_IMAGE] && !d->failed; n++) {
        bool changed = (d->last == LP_TASK_EDIT || d->last == LP_TASK_INPAINT) && d->world.picture;
        if (changed)
            lp_dialogue_show(d, d->world.picture);
        else
            bring(m, d, LP_TASK_NONE);
    }
    return n;
}

/* A remark or question that what is there already answers. */
static void remark(struct lp_instruct *m, struct lp_dialogue *d, const char *list) {
    struct lp_family family = {list, LP_TASK_NONE, LP_TASK_NONE, LP_PLACES_NONE, 0, 0};
    struct lp_draft draft = {0};
    if (lp_draft_make(&draft, d, &family, 0)) {
        lp_dialogue_ask(d, 0, show_made(m, d), draft.text, NULL);
        lp_dialogue_reply(d, "none", draft.reply);
    }
    lp_draft_done(&draft);
}

/* Takes from the first round what the follow-up needs. */
static void inherit(struct lp_dialogue *d, int of, struct lp_draft *draft) {
    if (of == ASKED) {
        draft->caption = d->sought;
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

static void follow_up(struct lp_instruct *m, struct lp_dialogue *d) {
    int fit[FOLLOW_UPS], n = 0;
    for (int i = 0; i < FOLLOW_UPS; i++)
        if (follow_ups[i].after == d->last)
            fit[n++] = i;
    if (!n) {
        remark(m, d, "phrasings/followup/any");
        return;
    }
    int i = fit[lp_rng_below(&m->rng, (uint32_t)n)];
    struct lp_draft draft = {0};
    if (lp_draft_make(&draft, d, &follow_ups[i].next, 0)) {
        inherit(d, follow_ups[i].of, &draft);
        lp_dialogue_ask(d, 0, show_made(m, d), draft.text, NULL);
        work(d, &follow_ups[i].next, &draft, 0);
    }
    lp_draft_done(&draft);
}

/* Detection, segmentation, captions, tags and texts: what the paper's mixes are made of. */
static bool looks(const struct lp_family *family) {
    return family->task <= LP_TASK_SEGMENT_SEMANTIC || (family->task >= LP_TASK_CAPTION && family->task <= LP_TASK_OCR);
}

/* Another request, of any kind or for another look at the same picture. */
static void another_round(struct lp_instruct *m, struct lp_dialogue *d, bool look) {
    const struct lp_family *family;
    do
        family = pick_family(m, -1);
    while (look && !looks(family));
    struct lp_draft draft = {0};
    int shown = show_made(m, d);
    if (fresh_draft(m, d, family, 1, &draft)) {
        lp_dialogue_ask(d, 0, shown, draft.text, draft.prompts);
        respond(d, family, &draft, 0);
    }
    lp_draft_done(&draft);
}

static void see_round(struct lp_instruct *m, struct lp_dialogue *d) {
    static const enum lp_see kinds[] = {LP_SEE_COLOR, LP_SEE_RELATION,   LP_SEE_PRESENCE,
                                        LP_SEE_PLACE, LP_SEE_COMPARISON, LP_SEE_DETAIL};
    lp_see_ask(d, kinds[lp_rng_below(&m->rng, 6)], chance(m, 25), false);
}

static void next_round(struct lp_instruct *m, struct lp_dialogue *d) {
    char list[64];
    uint32_t roll = lp_rng_below(&m->rng, 100);
    bool worked = d->last != LP_TASK_NONE;
    if (!d->made[LP_LEFT_IMAGE] || (!worked && roll < 60)) {
        remark(m, d, "phrasings/followup/any");
    } else if (worked && roll < 22) {
        snprintf(list, sizeof list, "phrasings/followup/%s",
                 d->outcome == LP_DONE ? lp_task_names[d->last] : d->outcome == LP_EMPTY ? "empty" : "amiss");
        remark(m, d, chance(m, 15) ? "phrasings/followup/any" : list);
    } else if (worked && roll < 64 && d->outcome == LP_DONE) {
        follow_up(m, d);
    } else if (roll < 74 && d->world.picture && d->shows == d->made[LP_LEFT_IMAGE]) {
        see_round(m, d);
    } else {
        another_round(m, d, chance(m, 55));
    }
}

/* One picture is a name, several are an array. */
static bool add_images(const struct lp_dialogue *d, json_t *record) {
    json_t *images = json_array();
    bool bad = !images;
    for (int i = 0; i < d->shows; i++)
        bad |= json_array_append_new(images, json_string(d->shown[i]->file));
    if (d->shows == 1)
        bad |= json_object_set(record, "image", json_array_get(images, 0));
    else if (d->shows)
        bad |= json_object_set(record, "image", images);
    json_decref(images);
    return !bad;
}

/* The record around the turns. */
static json_t *record_of(struct lp_instruct *m, struct lp_dialogue *d, const char *skill) {
    char id[64];
    snprintf(id, sizeof id, "%llu.%06llu", (unsigned long long)m->settings.seed, (unsigned long long)m->number);
    json_t *record = json_object();
    json_int_t picture = d->shows ? (json_int_t)d->shown[0]->id : (json_int_t)m->number;
    bool bad = json_object_set_new(record, "unique_id", json_string(id));
    bad |= json_object_set_new(record, "image_id", json_integer(picture));
    bad |= json_object_set_new(record, "data_source", json_string("llava-plus-scenes"));
    bad |= json_object_set_new(record, "skill", json_string(skill));
    bad |= !add_images(d, record);
    bad |= json_object_set(record, "conversations", d->turns);
    d->failed |= bad;
    return record;
}

/* A dialogue that is no visual chat: a first round and up to three that follow. */
static void talk(struct lp_instruct *m, struct lp_dialogue *d, const struct lp_family *family) {
    uint32_t roll = lp_rng_below(&m->rng, 100);
    bool leaves = family->task <= LP_TASK_SEGMENT_LIKE; /* boxes, masks or a map to go on with */
    int more = roll < (leaves ? 45u : 66u) ? 0 : roll < 86 ? 1 : roll < 95 ? 2 : 3;
    bool mix = looks(family) && chance(m, 18);
    first_round(m, d, family);
    for (int i = 0; i < more + mix && !d->failed; i++)
        if (mix && d->made[LP_LEFT_IMAGE])
            another_round(m, d, true);
        else
            next_round(m, d);
}

json_t *lp_instruct_next(struct lp_instruct *m, enum lp_task *task, struct lp_error *err) {
    struct lp_dialogue d;
    bool see = m->only == SEE || (m->only < 0 && chance(m, (uint32_t)m->settings.chat_percent));
    bool repeat = m->only == REPEAT;
    const struct lp_family *family = see || repeat ? NULL : pick_family(m, m->only);
    lp_dialogue_start(&d, m->grammar, m->settings.truth, &m->settings.skills, &m->rng);
    *task = family ? family->task : LP_TASK_NONE;
    if (see)
        see_record(m, &d);
    else if (repeat)
        repeat_record(m, &d);
    else
        talk(m, &d, family);
    m->number++;
    json_t *record = record_of(m, &d, see ? "see" : repeat ? "repeat" : lp_task_names[*task]);
    if (d.wants)
        lp_error_set(err, LP_EINPUT, "the grammar has no list '%s'; give --grammar the data folder", d.wants);
    else if (d.failed)
        lp_error_memory(err);
    if (d.failed) {
        json_decref(record);
        record = NULL;
    }
    lp_dialogue_done(&d);
    return record;
}
