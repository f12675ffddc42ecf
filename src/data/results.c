/* SPDX-License-Identifier: MIT */
/* data/results.c - skills played from the truth. Key order and roundings are those of the skills. */
#include "data/results.h"

#include "base/memory.h"
#include "data/names.h"
#include "data/told.h"
#include "data/wording.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 12, FOUND = 48, KINDS = 12, PHRASES = 12, LINES = 40 };

const struct lp_imperfection lp_skills_perfect = {0};
const struct lp_imperfection lp_skills_imperfect = {
    .missed = 8, .spurious = 10, .low = 12, .jitter = 2, .mistaken = 12, .misread = 12, .failed = 1};

/* A skill at work. */
struct play {
    const struct lp_stage *stage;
    const struct lp_truth *truth;
    const struct lp_imperfection *how;
    const struct lp_truth_picture *picture; /* may be NULL */
    struct lp_result *result;
    enum lp_task task;
    const json_t *params;
    bool failed; /* out of memory */

    struct found {
        float box[4]; /* 0..1 */
        int score;    /* hundredths */
        char phrase[96];
    } found[FOUND];
    int n;
};

static uint32_t below(struct play *p, uint32_t n) {
    return lp_rng_below(p->stage->rng, n);
}

static bool chance(struct play *p, int percent) {
    return percent > 0 && (int)below(p, 100) < percent;
}

static void put(struct play *p, const char *key, json_t *value) {
    p->failed |= json_object_set_new(p->result->dict, key, value) != 0;
}

static void leave(struct play *p, enum lp_left kind, int n) {
    p->result->left[kind] += n;
}

static void leave_text(struct play *p, json_t *text) {
    p->failed |= json_array_append_new(p->result->texts, text) != 0;
    leave(p, LP_LEFT_TEXT, 1);
}

static json_t *hundredths(int n) {
    return json_real(n / 100.0);
}

/* An edge 0..1 in hundredths, off by some of them. */
static int edge(struct play *p, float x) {
    int off = p->how->jitter ? (int)below(p, (uint32_t)(2 * p->how->jitter + 1)) - p->how->jitter : 0;
    int at = (int)lrintf(100 * x) + off;
    return at < 0 ? 0 : at > 100 ? 100 : at;
}

static void add_found(struct play *p, const float box[4], int score, const char *phrase) {
    if (p->n == FOUND)
        return;
    struct found *f = &p->found[p->n++];
    int e[4];
    for (int k = 0; k < 4; k++)
        e[k] = edge(p, box[k]);
    for (int k = 0; k < 2; k++) { /* never an empty box */
        e[k + 2] = e[k + 2] > e[k] ? e[k + 2] : e[k] + 1;
        if (e[k + 2] > 100) {
            e[k] = 99;
            e[k + 2] = 100;
        }
    }
    for (int k = 0; k < 4; k++)
        f->box[k] = (float)e[k] / 100;
    f->score = score;
    snprintf(f->phrase, sizeof f->phrase, "%s", phrase);
}

static void relative(const struct lp_truth_picture *picture, const float px[4], float box[4]) {
    for (int k = 0; k < 4; k++)
        box[k] = px[k] / (float)(k % 2 ? picture->height : picture->width);
}

/* Of a thing that is there. */
static int sure_score(struct play *p) {
    if (chance(p, p->how->low))
        return LP_DOUBTFUL + (int)below(p, 12);
    return p->how->low ? 48 + (int)below(p, 51) : 90 + (int)below(p, 10);
}

static void add_spurious(struct play *p, const char *phrase) {
    int x = (int)below(p, 80), y = (int)below(p, 80), w = 6 + (int)below(p, 30), h = 6 + (int)below(p, 30);
    float box[4] = {(float)x / 100, (float)y / 100, fminf(1, (float)(x + w) / 100), fminf(1, (float)(y + h) / 100)};
    add_found(p, box, 26 + (int)below(p, LP_DOUBTFUL - 26), phrase);
}

/* Whether a box is where the phrase says, if it says: "the dogs on the left". */
static bool at_side(const char *phrase, const float box[4]) {
    static const struct {
        const char *words;
        int axis;
        bool low;
    } sides[] = {{"left", 0, true}, {"right", 0, false}, {"top", 1, true}, {"bottom", 1, false}};
    const char *at = strstr(phrase, " on the ") ? strstr(phrase, " on the ") : strstr(phrase, " at the ");
    for (size_t i = 0; at && i < sizeof sides / sizeof *sides; i++) {
        const char *word = strstr(at, sides[i].words);
        float middle = (box[sides[i].axis] + box[sides[i].axis + 2]) / 2;
        if (word && word[-1] == ' ' && !isalpha((unsigned char)word[strlen(sides[i].words)]) &&
            (middle < 0.5f) != sides[i].low)
            return false;
    }
    return true;
}

/* All objects that one of the phrases speaks of, each once. */
static void find_phrases(struct play *p, char phrase[][96], int phrases) {
    bool taken[FOUND] = {false};
    for (int k = 0; k < phrases; k++)
        for (int i = 0; p->picture && i < p->picture->objects && i < FOUND; i++) {
            const struct lp_truth_object *o = &p->picture->object[i];
            float box[4];
            if (taken[i] || !lp_phrase_fits(phrase[k], p->truth, o))
                continue;
            relative(p->picture, o->box, box);
            if (!at_side(phrase[k], box))
                continue;
            taken[i] = true;
            if (chance(p, p->how->missed))
                continue;
            add_found(p, box, sure_score(p), phrase[k]);
        }
    if (phrases && chance(p, p->n ? p->how->spurious : 2 * p->how->spurious))
        add_spurious(p, phrase[below(p, (uint32_t)phrases)]);
}

static int split_caption(const char *caption, char phrase[][96]) {
    int n = 0;
    while (caption && n < PHRASES) {
        const char *end = strstr(caption, " . ");
        size_t length = end ? (size_t)(end - caption) : strlen(caption);
        while (length && strchr(" .", caption[length - 1]))
            length--;
        snprintf(phrase[n++], 96, "%.*s", (int)length, caption);
        caption = end ? end + 3 : NULL;
    }
    return n;
}

static void sort_found(struct play *p) {
    for (int i = 1; i < p->n; i++)
        for (int j = i; j > 0 && p->found[j].score > p->found[j - 1].score; j--) {
            struct found swap = p->found[j];
            p->found[j] = p->found[j - 1];
            p->found[j - 1] = swap;
        }
}

/* The found things into the result's own lists, and their first twelve into the dict under the keys given. */
static void tell_found(struct play *p, const char *scores_key, const char *phrases_key, bool phrases_first) {
    struct lp_result *r = p->result;
    json_t *shown[3] = {json_array(), json_array(), json_array()};
    for (int i = 0; i < p->n; i++) {
        const struct found *f = &p->found[i];
        json_t *box = json_array(), *item[3];
        for (int k = 0; k < 4; k++)
            p->failed |= json_array_append_new(box, hundredths((int)lrintf(100 * f->box[k]))) != 0;
        item[0] = box;
        item[1] = hundredths(f->score);
        item[2] = json_string(f->phrase);
        json_t *all[3] = {r->boxes, r->scores, r->phrases};
        for (int k = 0; k < 3; k++) {
            p->failed |= json_array_append(all[k], item[k]) != 0;
            if (i < SHOWN)
                p->failed |= json_array_append(shown[k], item[k]) != 0;
            json_decref(item[k]);
        }
    }
    put(p, "boxes", shown[0]);
    if (phrases_first)
        put(p, phrases_key, shown[2]);
    put(p, scores_key, shown[1]);
    if (!phrases_first)
        put(p, phrases_key, shown[2]);
    leave(p, LP_LEFT_BOX, p->n);
}

static void finish_detection(struct play *p, bool masks) {
    sort_found(p);
    tell_found(p, "logits", "phrases", false);
    if (p->n == 0)
        p->result->outcome = LP_EMPTY;
    leave(p, LP_LEFT_COUNT, 1);
    leave(p, LP_LEFT_MASK, masks ? p->n : 0);
}

static void detect(struct play *p) {
    char phrase[PHRASES][96];
    int n = split_caption(json_string_value(json_object_get(p->params, "caption")), phrase);
    find_phrases(p, phrase, n);
    finish_detection(p, p->task == LP_TASK_SEGMENT_INSTANCES);
}

static const char *other_name(struct play *p) {
    return p->truth->category[below(p, (uint32_t)p->truth->categories)].name;
}

/* The kinds a captioner or tagger sees. `wrong`: one of them is taken for something else or overlooked. */
static int kinds_seen(struct play *p, struct lp_kind *kind, bool wrong) {
    int kinds = p->picture ? lp_told_kinds(p->truth, p->picture, kind, KINDS) : 0;
    if (!wrong || !kinds)
        return kinds;
    uint32_t at = below(p, (uint32_t)kinds);
    if (kinds > 1 && below(p, 2)) {
        memmove(kind + at, kind + at + 1, (size_t)(kinds - 1 - (int)at) * sizeof *kind);
        return kinds - 1;
    }
    kind[at].name = other_name(p);
    return kinds;
}

/* As captioners write: no capital, no full stop. */
static json_t *plain_caption(struct play *p, const char *text) {
    size_t n = strlen(text);
    while (n && strchr(". ", text[n - 1]))
        n--;
    char *copy = lp_alloc(n + 1);
    p->failed |= !copy;
    if (!copy)
        return NULL;
    memcpy(copy, text, n);
    if (n > 1 && (copy[1] == ' ' || islower((unsigned char)copy[1])))
        copy[0] = (char)tolower((unsigned char)copy[0]);
    json_t *value = json_string(copy);
    lp_free(copy);
    return value;
}

static json_t *caption_of(struct play *p) {
    struct lp_kind kind[KINDS];
    bool wrong = chance(p, p->how->mistaken);
    if (p->picture && p->picture->captions && !wrong)
        return plain_caption(p, p->picture->caption[below(p, (uint32_t)p->picture->captions)]);
    struct lp_str text = {0};
    int kinds = kinds_seen(p, kind, wrong);
    if (p->picture)
        lp_told_scene(kind, kinds, p->picture->background, &text);
    else
        lp_str_puts(&text, "a picture");
    json_t *value = json_string(lp_str_text(&text));
    p->failed |= text.failed;
    lp_str_done(&text);
    return value;
}

static void caption(struct play *p) {
    json_t *text = caption_of(p);
    p->failed |= !text;
    put(p, "caption", json_incref(text));
    leave_text(p, text);
}

/* What a tagger lists: kinds, background, at times something else. */
static int tags_of(struct play *p, char tag[][96], int *things) {
    struct lp_kind kind[KINDS];
    int kinds = kinds_seen(p, kind, false), n = 0;
    for (int i = 0; i < kinds && n < PHRASES - 2; i++)
        if (!chance(p, p->how->missed))
            snprintf(tag[n++], 96, "%s", kind[i].name);
    if (chance(p, 2 * p->how->spurious))
        snprintf(tag[n++], 96, "%s", other_name(p));
    *things = n;
    if (p->picture && p->picture->background)
        snprintf(tag[n++], 96, "%s", p->picture->background);
    return n;
}

static void tag(struct play *p, bool ground) {
    char name[PHRASES][96];
    struct lp_str text = {0};
    int things, n = tags_of(p, name, &things);
    if (ground) {
        find_phrases(p, name, things);
        finish_detection(p, false);
    }
    for (int i = 0; i < n; i++)
        lp_str_printf(&text, "%s%s", i ? " | " : "", name[i]);
    p->failed |= text.failed;
    put(p, "tags", json_string(lp_str_text(&text)));
    put(p, "tags_chinese", json_string(""));
    leave_text(p, json_string(lp_str_text(&text)));
    lp_str_done(&text);
    p->result->outcome = n ? LP_DONE : LP_EMPTY;
}

static void caption_ground(struct play *p) {
    struct lp_kind kind[KINDS];
    char phrase[PHRASES][96];
    int kinds = kinds_seen(p, kind, false);
    for (int i = 0; i < kinds; i++)
        snprintf(phrase[i], 96, "%s", kind[i].name);
    find_phrases(p, phrase, kinds);
    finish_detection(p, false);
    caption(p);
    p->result->outcome = LP_DONE;
}

/* A line as a reader sees it: letters taken for similar ones, or lost. */
static void misread(struct play *p, const char *line, char *out, size_t size) {
    static const char confused[][2] = {{'o', '0'}, {'0', 'O'}, {'l', '1'}, {'1', 'l'}, {'i', 'l'}, {'s', '5'}, {'5', 'S'},
                                       {'e', 'c'}, {'a', 'o'}, {'n', 'm'}, {'u', 'v'}, {'b', '6'}, {'8', 'B'}, {'g', 'q'}};
    size_t n = 0;
    for (; *line && n + 1 < size; line++) {
        out[n] = *line;
        if ((unsigned char)*line < 128 && p->how->misread && (int)below(p, 1000) < p->how->misread) {
            if (below(p, 5) == 0)
                continue; /* lost */
            for (size_t k = 0; k < sizeof confused / sizeof *confused; k++)
                if (tolower((unsigned char)*line) == confused[k][0])
                    out[n] = confused[k][1];
        }
        n++;
    }
    out[n] = 0;
}

static int by_height(const void *a, const void *b) {
    const struct lp_truth_text *s = *(const struct lp_truth_text *const *)a, *t = *(const struct lp_truth_text *const *)b;
    float d = s->box[1] - t->box[1] ? s->box[1] - t->box[1] : s->box[0] - t->box[0];
    return d < 0 ? -1 : d > 0 ? 1 : (s > t) - (s < t);
}

static void read_texts(struct play *p) {
    const struct lp_truth_text *line[LINES];
    struct lp_str all = {0};
    int lines = 0;
    for (int i = 0; p->picture && i < p->picture->texts && lines < LINES; i++)
        line[lines++] = &p->picture->text[i];
    qsort(line, (size_t)lines, sizeof *line, by_height);
    for (int i = 0; i < lines; i++) {
        char text[96];
        float box[4];
        misread(p, line[i]->text, text, sizeof text);
        if (!*text || chance(p, p->how->missed))
            continue;
        relative(p->picture, line[i]->box, box);
        add_found(p, box, p->how->low ? 50 + (int)below(p, 50) : 95 + (int)below(p, 5), text);
    }
    if (chance(p, p->how->spurious / 2)) {
        char text[] = {"lI|-.oO1"[below(p, 8)], "lI|-.oO1"[below(p, 8)], 0};
        add_spurious(p, text);
    }
    for (int i = 0; i < p->n; i++)
        lp_str_printf(&all, "%s%s", i ? "\n" : "", p->found[i].phrase);
    tell_found(p, "scores", "texts", true);
    if (p->n)
        leave_text(p, json_string(lp_str_text(&all)));
    else
        p->result->outcome = LP_EMPTY;
    p->failed |= all.failed;
    lp_str_done(&all);
}

static const char *word(struct play *p, const char *list) {
    static const char *const plain[][3] = {
        {"reason", "it ran out of memory", "the picture could not be read"},
        {"lacking", "its weights", "its weights"},
        {"web_caption", "a stock photo of everyday things", "an illustration for children"}};
    if (p->stage->word)
        return p->stage->word(p->stage->context, list, p->task);
    size_t i = 0;
    while (i < 2 && strcmp(list, plain[i][0]))
        i++;
    return plain[i][1 + below(p, 2)];
}

static void retrieve(struct play *p) {
    json_t *list = json_array();
    int n = 2 + (int)below(p, 4), similarity = 26 + (int)below(p, 14);
    for (int i = 0; i < n; i++) {
        json_t *item = json_object(), *text;
        bool near = i == 0 ? !chance(p, p->how->mistaken) : below(p, 3) == 0;
        text = near && p->picture ? caption_of(p) : json_string(word(p, "web_caption"));
        p->failed |= !text || json_object_set(item, "caption", text) != 0;
        p->failed |= json_object_set_new(item, "similarity", hundredths(similarity)) != 0;
        p->failed |= json_array_append_new(list, item) != 0;
        leave_text(p, text);
        similarity -= (int)below(p, 3);
    }
    put(p, "retrieval_results", list);
}

/* Parts, things and the rest around them at a point. */
static int levels_at(struct play *p) {
    const json_t *point = json_array_get(json_object_get(p->params, "points"), 0);
    double x = json_number_value(json_array_get(point, 0)), y = json_number_value(json_array_get(point, 1));
    int n = 1;
    for (int i = 0; p->picture && i < p->picture->objects; i++) {
        float box[4];
        relative(p->picture, p->picture->object[i].box, box);
        n += x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3];
    }
    n += n < 2;
    return n < 6 ? n : 6;
}

/* Skills whose result is pixels only say that they are done. */
static void pictured(struct play *p) {
    char message[96];
    snprintf(message, sizeof message, "The %s has processed the image.", lp_task_api[p->task]);
    put(p, "message", json_string(message));
    size_t places = json_array_size(json_object_get(p->params, "points"));
    places += json_array_size(json_object_get(p->params, "boxes"));
    switch (p->task) {
    case LP_TASK_SEGMENT_AT:
        leave(p, LP_LEFT_MASK, places ? (int)places : 1);
        break;
    case LP_TASK_SEGMENT_LEVELS:
        leave(p, LP_LEFT_MASK, levels_at(p));
        break;
    case LP_TASK_SEGMENT_LIKE:
        leave(p, LP_LEFT_MASK, 1);
        break;
    case LP_TASK_SEGMENT_SEMANTIC:
        leave(p, LP_LEFT_MAP, 1);
        break;
    default:
        leave(p, LP_LEFT_IMAGE, 1);
    }
}

static void succeed(struct play *p) {
    switch (p->task) {
    case LP_TASK_DETECT:
    case LP_TASK_SEGMENT_INSTANCES:
        detect(p);
        break;
    case LP_TASK_CAPTION:
        caption(p);
        break;
    case LP_TASK_TAG:
    case LP_TASK_TAG_GROUND:
        tag(p, p->task == LP_TASK_TAG_GROUND);
        break;
    case LP_TASK_CAPTION_GROUND:
        caption_ground(p);
        break;
    case LP_TASK_OCR:
        read_texts(p);
        break;
    case LP_TASK_RETRIEVE:
        retrieve(p);
        break;
    default:
        pictured(p);
    }
}

static void go_wrong(struct play *p, bool bereft) {
    struct lp_str message = {0};
    struct lp_result *r = p->result;
    const char *handle = json_string_value(json_object_get(p->params, "mask"));
    if (!handle)
        handle = json_string_value(json_object_get(p->params, "layout"));
    if (r->outcome == LP_NOT_READY) {
        r->what = word(p, "lacking");
    } else if (bereft) {
        snprintf(r->kept, sizeof r->kept, "there is no %.100s", handle ? handle : "picture");
        r->what = r->kept;
    } else {
        r->what = word(p, "reason");
    }
    if (r->outcome == LP_FAILED)
        lp_str_printf(&message, "The %s failed: %s.", lp_task_api[p->task], r->what);
    else
        lp_str_printf(&message, "The %s is not ready on this machine: it needs %s.", lp_task_api[p->task], r->what);
    put(p, "message", json_string(lp_str_text(&message)));
    p->failed |= message.failed;
    lp_str_done(&message);
}

/* "text_1, box_1..box_4" */
static void add_handles(struct play *p, int made[LP_LEFTS]) {
    struct lp_str s = {0};
    for (int k = 0; k < LP_LEFTS; k++) {
        int n = p->result->left[k];
        p->result->first[k] = made[k] + 1;
        made[k] += n;
        if (n > 0)
            lp_str_printf(&s, "%s%s_%d", s.n ? ", " : "", lp_left_names[k], p->result->first[k]);
        if (n > 1)
            lp_str_printf(&s, "..%s_%d", lp_left_names[k], made[k]);
    }
    if (s.n)
        put(p, "handles", json_string(s.s));
    p->failed |= s.failed;
    lp_str_done(&s);
}

bool lp_result_play(struct lp_result *r, const struct lp_stage *stage, enum lp_task task, const json_t *params,
                    const struct lp_truth_picture *picture, bool bereft, int made[LP_LEFTS], struct lp_error *err) {
    struct play p = {.stage = stage,   .truth = stage->truth, .how = stage->how, .picture = picture,
                     .result = r,      .task = task,          .params = params};
    *r = (struct lp_result){.dict = json_object(),
                            .boxes = json_array(),
                            .phrases = json_array(),
                            .scores = json_array(),
                            .texts = json_array()};
    int roll = (int)below(&p, 100), unready = stage->how->unready;
    r->outcome = roll < unready ? LP_NOT_READY : roll < unready + stage->how->failed || bereft ? LP_FAILED : LP_DONE;
    if (r->outcome == LP_DONE)
        succeed(&p);
    else
        go_wrong(&p, bereft);
    add_handles(&p, made);
    if (p.failed || !r->dict || !r->boxes || !r->phrases || !r->scores || !r->texts)
        return lp_error_memory(err);
    return true;
}

void lp_result_done(struct lp_result *r) {
    json_decref(r->dict);
    json_decref(r->boxes);
    json_decref(r->phrases);
    json_decref(r->scores);
    json_decref(r->texts);
    *r = (struct lp_result){0};
}
