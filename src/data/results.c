/* SPDX-License-Identifier: MIT */
/* data/results.c - simulated results. Key order and roundings are those of the skills (two decimals). */
#include "data/results.h"

#include "data/wording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 12 }; /* items of a list that a prompt shows */

const char *const lp_left_names[LP_LEFTS] = {"text", "count", "box", "mask", "map", "img"};

static uint32_t below(struct lp_dialogue *d, uint32_t n) {
    return lp_rng_below(d->rng, n);
}

static void put(struct lp_dialogue *d, json_t *object, const char *key, json_t *value) {
    d->failed |= json_object_set_new(object, key, value) != 0;
}

static void leave(struct lp_dialogue *d, enum lp_left kind, int n) {
    d->made[kind] += n;
    d->left[kind] += n;
}

/* 0.00 .. 1.00 */
static json_t *hundredths(uint32_t n) {
    return json_real(n / 100.0);
}

static json_t *random_box(struct lp_dialogue *d) {
    uint32_t x0 = below(d, 85), y0 = below(d, 85), w = 5 + below(d, 95 - x0), h = 5 + below(d, 95 - y0);
    return json_pack("[o,o,o,o]", hundredths(x0), hundredths(y0), hundredths(x0 + w), hundredths(y0 + h));
}

static json_t *boxes(struct lp_dialogue *d, int n) {
    json_t *list = json_array();
    for (int i = 0; i < n && i < SHOWN; i++)
        d->failed |= json_array_append_new(list, random_box(d)) != 0;
    return list;
}

static json_t *scores(struct lp_dialogue *d, int n, uint32_t least) {
    json_t *list = json_array();
    for (int i = 0; i < n && i < SHOWN; i++)
        d->failed |= json_array_append_new(list, hundredths(least + below(d, 100 - least))) != 0;
    return list;
}

/* The n-th (0, 1, ..) of the phrases in "a . b . c", wrapping around. */
static json_t *phrase_of(const char *caption, int n) {
    int count = 1;
    for (const char *p = caption; (p = strstr(p, " . ")); p += 3)
        count++;
    for (n %= count; n; n--)
        caption = strstr(caption, " . ") + 3;
    const char *end = strstr(caption, " . ");
    return json_stringn(caption, end ? (size_t)(end - caption) : strlen(caption));
}

static json_t *phrases(struct lp_dialogue *d, int n, const char *caption) {
    json_t *list = json_array();
    uint32_t turn = below(d, 3);
    for (int i = 0; i < n && i < SHOWN; i++) {
        bool spurious = !caption || below(d, 25) == 0;
        json_t *phrase;
        if (spurious)
            phrase = json_string(lp_dialogue_words(d, "tag_noun", NULL));
        else
            phrase = phrase_of(caption, (int)turn + i);
        d->failed |= json_array_append_new(list, phrase) != 0;
    }
    return list;
}

/* How many things were found: often few, at times none or many. */
static int how_many(struct lp_dialogue *d, bool may_be_none) {
    uint32_t roll = below(d, 100);
    if (may_be_none && roll < 9)
        return 0;
    return roll < 45 ? 1 : roll < 70 ? 2 : roll < 92 ? 3 + (int)below(d, 4) : 7 + (int)below(d, 10);
}

static void found(struct lp_dialogue *d, json_t *result, struct lp_call_made *call, const char *caption) {
    bool masks = call->task == LP_TASK_SEGMENT_INSTANCES;
    int n = how_many(d, caption != NULL);
    put(d, result, "boxes", boxes(d, n));
    put(d, result, "logits", scores(d, n, 26));
    put(d, result, "phrases", phrases(d, n, caption));
    if (n == 0)
        call->outcome = LP_EMPTY;
    if (n || below(d, 2))
        leave(d, LP_LEFT_COUNT, 1);
    leave(d, LP_LEFT_BOX, n);
    leave(d, LP_LEFT_MASK, masks ? n : 0);
}

/* What a captioner says. */
static json_t *said(struct lp_dialogue *d, const char *list) {
    return json_string(lp_dialogue_words(d, list, NULL));
}

static json_t *tags(struct lp_dialogue *d) {
    struct lp_str text = {0};
    for (int i = 0, n = 3 + (int)below(d, 7); i < n; i++)
        lp_str_printf(&text, "%s%s", i ? " | " : "", lp_dialogue_words(d, "tag_noun", NULL));
    json_t *value = json_string(lp_str_text(&text));
    d->failed |= text.failed;
    lp_str_done(&text);
    return value;
}

static void tagged(struct lp_dialogue *d, json_t *result) {
    put(d, result, "tags", tags(d));
    put(d, result, "tags_chinese", json_string(below(d, 6) ? "" : lp_dialogue_words(d, "chinese_tags", NULL)));
    leave(d, LP_LEFT_TEXT, 1);
}

/* The lines of a <document>, parted by " // ". */
static void read_texts(struct lp_dialogue *d, json_t *result, struct lp_call_made *call) {
    json_t *list = json_array();
    int n = 0;
    if (below(d, 100) >= 7) {
        const char *text = lp_dialogue_words(d, "document", NULL);
        for (const char *end; text; text = end ? end + 4 : NULL, n++) {
            end = strstr(text, " // ");
            if (n < SHOWN)
                d->failed |= json_array_append_new(list, json_stringn(text, end ? (size_t)(end - text)
                                                                                : strlen(text))) != 0;
        }
    }
    put(d, result, "boxes", boxes(d, n));
    put(d, result, "texts", list);
    put(d, result, "scores", scores(d, n, 40));
    leave(d, LP_LEFT_TEXT, n > 0);
    leave(d, LP_LEFT_BOX, n);
    if (n == 0)
        call->outcome = LP_EMPTY;
}

static void retrieved(struct lp_dialogue *d, json_t *result) {
    json_t *list = json_array();
    int n = 2 + (int)below(d, 4);
    uint32_t similarity = 24 + below(d, 15);
    for (int i = 0; i < n; i++) {
        json_t *item = json_object();
        put(d, item, "caption", said(d, "web_caption"));
        put(d, item, "similarity", hundredths(similarity));
        similarity -= below(d, 3);
        d->failed |= json_array_append_new(list, item) != 0;
    }
    put(d, result, "retrieval_results", list);
    leave(d, LP_LEFT_TEXT, n);
}

/* Skills whose result is pixels only say that they are done. */
static void pictured(struct lp_dialogue *d, json_t *result, struct lp_call_made *call) {
    char message[96];
    snprintf(message, sizeof message, "The %s has processed the image.", lp_task_api[call->task]);
    put(d, result, "message", json_string(message));
    size_t places = json_array_size(json_object_get(call->params, "points"));
    places += json_array_size(json_object_get(call->params, "boxes"));
    switch (call->task) {
    case LP_TASK_SEGMENT_AT:
        leave(d, LP_LEFT_MASK, places ? (int)places : 1);
        break;
    case LP_TASK_SEGMENT_LEVELS:
        leave(d, LP_LEFT_MASK, 2 + (int)below(d, 5));
        break;
    case LP_TASK_SEGMENT_LIKE:
        leave(d, LP_LEFT_MASK, 1);
        break;
    case LP_TASK_SEGMENT_SEMANTIC:
        leave(d, LP_LEFT_MAP, 1);
        break;
    default:
        leave(d, LP_LEFT_IMAGE, 1);
    }
}

static void succeed(struct lp_dialogue *d, json_t *result, struct lp_call_made *call) {
    switch (call->task) {
    case LP_TASK_DETECT:
    case LP_TASK_SEGMENT_INSTANCES:
        found(d, result, call, json_string_value(json_object_get(call->params, "caption")));
        break;
    case LP_TASK_CAPTION:
        put(d, result, "caption", said(d, "scene_caption"));
        leave(d, LP_LEFT_TEXT, 1);
        break;
    case LP_TASK_TAG:
        tagged(d, result);
        break;
    case LP_TASK_CAPTION_GROUND:
        found(d, result, call, NULL);
        put(d, result, "caption", said(d, "scene_caption"));
        leave(d, LP_LEFT_TEXT, 1);
        break;
    case LP_TASK_TAG_GROUND:
        found(d, result, call, NULL);
        tagged(d, result);
        break;
    case LP_TASK_OCR:
        read_texts(d, result, call);
        break;
    case LP_TASK_RETRIEVE:
        retrieved(d, result);
        break;
    default:
        pictured(d, result, call);
    }
}

/* "text_1, box_1..box_4": what the call left, given what was there before it. */
static void add_handles(struct lp_dialogue *d, json_t *result, const int before[LP_LEFTS]) {
    struct lp_str s = {0};
    for (int k = 0; k < LP_LEFTS; k++) {
        int n = d->made[k] - before[k];
        if (n > 0)
            lp_str_printf(&s, "%s%s_%d", s.n ? ", " : "", lp_left_names[k], before[k] + 1);
        if (n > 1)
            lp_str_printf(&s, "..%s_%d", lp_left_names[k], d->made[k]);
    }
    if (s.n)
        put(d, result, "handles", json_string(s.s));
    d->failed |= s.failed;
    lp_str_done(&s);
}

/* Why the call gave nothing, as a clause. */
static const char *reason(struct lp_dialogue *d, const struct lp_call_made *call, bool bereft) {
    if (call->outcome == LP_NOT_READY)
        return lp_dialogue_words(d, "lacking", lp_task_names[call->task]);
    if (!bereft)
        return lp_dialogue_words(d, "reason", NULL);
    const char *handle = json_string_value(json_object_get(call->params, "mask"));
    if (!handle)
        handle = json_string_value(json_object_get(call->params, "layout"));
    char *text = lp_arena_printf(&d->arena, "there is no %s", handle ? handle : "picture");
    d->failed |= !text;
    return text ? text : "";
}

static void go_wrong(struct lp_dialogue *d, json_t *result, struct lp_call_made *call, bool bereft) {
    struct lp_str message = {0};
    const char *tool = lp_task_api[call->task], *what = reason(d, call, bereft);
    if (call->outcome == LP_FAILED)
        lp_str_printf(&message, "The %s failed: %s.", tool, what);
    else
        lp_str_printf(&message, "The %s is not ready on this machine: it needs %s.", tool, what);
    put(d, result, "message", json_string(lp_str_text(&message)));
    d->failed |= message.failed;
    lp_str_done(&message);
    if (d->outcome == LP_DONE) {
        d->what = what;
        d->tool = tool;
    }
}

json_t *lp_result_simulate(struct lp_dialogue *d, int i) {
    struct lp_call_made *call = &d->call[i];
    json_t *result = json_object();
    int before[LP_LEFTS];
    memcpy(before, d->made, sizeof before);
    bool bereft = i > 0 && d->call[i - 1].outcome != LP_DONE; /* what it needs was not made */
    uint32_t roll = below(d, 100), unready = call->task == LP_TASK_OCR ? 6 : d->calls == 2 ? 24 : 36;
    call->outcome = roll < unready ? LP_NOT_READY : roll < unready + 4 || bereft ? LP_FAILED : LP_DONE;
    if (call->outcome == LP_DONE) {
        succeed(d, result, call);
        add_handles(d, result, before);
    } else {
        go_wrong(d, result, call, bereft);
    }
    return result;
}
