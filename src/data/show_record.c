/* SPDX-License-Identifier: MIT */
/* data/show_record.c - a dialogue beside its pictures: bubbles of who says what; boxes and points drawn where they belong. */
#include "data/show.h"

#include "base/memory.h"
#include "base/str.h"
#include "image/draw.h"
#include "image/page.h"
#include "text/literal.h"
#include "text/utf8.h"

#include <stdio.h>
#include <string.h>

enum { SIDE = 448, TALK = 600, EDGE = 14, PAD = 10, PICTURES = 4, SHOWN = 16, BOXES = 64, LONGEST = 900 /* bytes of a text that is shown */ };

static const char image_mark[] = "<image>\n", outputs[] = " model outputs: ";

static const struct lp_page_pen user_pen = {"sans bold", 15, {24, 52, 96}}, result_pen = {"monospace", 12, {96, 98, 106}},
                                thought_pen = {"sans italic", 13, {120, 124, 134}}, call_pen = {"monospace bold", 13, {176, 84, 16}},
                                answer_pen = {"sans", 15, {22, 88, 54}};
static const uint8_t user_paper[3] = {226, 236, 250}, result_paper[3] = {244, 244, 246}, answer_paper[3] = {232, 246, 237};

struct board {
    struct lp_image *picture[PICTURES]; /* each file once */
    int n;
    int place[SHOWN], shows; /* which picture img_1 .. are */
    struct lp_image *newest; /* the one that was shown last; NULL: none */
    int color;               /* of the next boxes */
};

/* ---- marks ---- */

static const char *label_of(const json_t *result, size_t i, char text[96]) {
    static const char *const names[] = {"phrases", "texts"}, *const shares[] = {"logits", "scores"};
    const char *name = NULL;
    const json_t *score = NULL;
    for (int k = 0; k < 2; k++) {
        name = name ? name : json_string_value(json_array_get(json_object_get(result, names[k]), i));
        score = score ? score : json_array_get(json_object_get(result, shares[k]), i);
    }
    if (json_is_number(score))
        snprintf(text, 96, "%.80s %.2f", name ? name : "", json_number_value(score));
    else
        snprintf(text, 96, "%.80s", name ? name : "");
    return text;
}

/* [x0, y0, x1, y1] or [x, y], 0..1; how many numbers it has. */
static int read_numbers(const json_t *list, float v[4]) {
    int n = (int)json_array_size(list);
    if (n != 2 && n != 4)
        return 0;
    for (int i = 0; i < n; i++) {
        if (!json_is_number(json_array_get(list, (size_t)i)))
            return 0;
        v[i] = (float)json_number_value(json_array_get(list, (size_t)i));
    }
    return n;
}

/* Draws a list of boxes and points; result: where names and scores stand, or NULL, then `name` is on all. */
static bool draw_marks(struct board *b, const json_t *list, const json_t *result, const char *name, struct lp_error *err) {
    struct lp_image *image = b->newest;
    struct lp_draw_box box[BOXES];
    char label[BOXES][96];
    size_t n = 0;
    for (size_t i = 0; image && i < json_array_size(list) && n < BOXES; i++) {
        float v[4], w = (float)image->width, h = (float)image->height;
        int numbers = read_numbers(json_array_get(list, i), v);
        if (numbers == 2)
            lp_draw_point(image, v[0] * w, v[1] * h, true);
        if (numbers != 4)
            continue;
        box[n] = (struct lp_draw_box){v[0] * w, v[1] * h, v[2] * w, v[3] * h, result ? label_of(result, i, label[n]) : name, b->color++};
        n++;
    }
    return n == 0 || lp_draw_boxes(image, box, n, err);
}

/* A value that dialogues hold, NULL where it is malformed. False only when out of memory. */
static bool read_value(const char *text, json_t **value, struct lp_error *err) {
    struct lp_error bad = {0};
    *value = lp_literal_parse(text, strcspn(text, "\n"), &bad);
    return bad.code != LP_EMEMORY || lp_error_memory(err);
}

/* The user's own: "Input point: [..]", "The input boxes are: [[..], ..]". */
static bool draw_input(struct board *b, const char *turn, struct lp_error *err) {
    static const char *const leads[] = {"Input point: ", "The input points are: ", "Input box: ", "The input boxes are: "};
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof leads / sizeof *leads; i++) {
        const char *at = strstr(turn, leads[i]);
        if (!at)
            continue;
        json_t *value, *list = NULL;
        ok = read_value(at + strlen(leads[i]), &value, err);
        if (ok && value) {
            list = json_is_array(json_array_get(value, 0)) ? json_incref(value) : json_pack("[O]", value);
            ok = list ? draw_marks(b, list, NULL, "given", err) : lp_error_memory(err);
        }
        json_decref(list);
        json_decref(value);
    }
    return ok;
}

/* Each line "API model outputs: {..}". */
static bool draw_results(struct board *b, const char *turn, struct lp_error *err) {
    bool ok = true;
    for (const char *at = turn; ok && (at = strstr(at, outputs));) {
        at += sizeof outputs - 1;
        json_t *result;
        ok = read_value(at, &result, err) && draw_marks(b, json_object_get(result, "boxes"), result, NULL, err);
        json_decref(result);
    }
    return ok;
}

static bool draw_turns(struct board *b, const json_t *turns, struct lp_error *err) {
    const json_t *turn;
    size_t i;
    int shown = 0;
    json_array_foreach(turns, i, turn) {
        const char *text = json_string_value(json_object_get(turn, "value"));
        if (!text || i % 2)
            continue;
        for (const char *at = text; !strncmp(at, image_mark, sizeof image_mark - 1); at += sizeof image_mark - 1)
            shown++;
        if (b->shows)
            b->newest = b->picture[b->place[shown && shown <= b->shows ? shown - 1 : 0]];
        if (!draw_input(b, text, err) || !draw_results(b, text, err))
            return false;
    }
    return true;
}

/* ---- words ---- */

/* Writes text in a bubble; returns the y below it, or -1. */
static int bubble(struct lp_image *page, const char *text, const struct lp_page_pen *pen, const uint8_t paper[3], int x, int y,
                  int width, struct lp_error *err) {
    struct lp_str cut = {0};
    size_t n = strlen(text), most = n > LONGEST ? LONGEST : n;
    for (size_t k = 1; most < n && k <= 3; k++)
        if (lp_utf8_is_cut(text + most - k, k))
            most -= k;
    lp_str_add(&cut, text, most);
    lp_str_puts(&cut, most < n ? " \xe2\x80\xa6" : "");
    int inside = paper ? PAD : 2;
    int high = cut.failed ? -1 : lp_page_write(NULL, cut.s, pen, 0, 0, width - 2 * PAD, err);
    if (cut.failed)
        lp_error_memory(err);
    if (high > 0 && page && paper)
        lp_page_panel(page, x, y, width, high + 2 * inside, 8, paper);
    if (high > 0 && page && lp_page_write(page, cut.s, pen, x + PAD, y + inside, width - 2 * PAD, err) < 0)
        high = -1;
    lp_str_done(&cut);
    return high < 0 ? -1 : high == 0 ? y : y + high + 2 * inside + 6;
}

/* "grounding_dino(caption: dog . cat)", a call a line. Owned by caller. */
static char *tell_calls(const json_t *actions) {
    struct lp_str out = {0};
    const json_t *action;
    size_t i;
    lp_str_puts(&out, "");
    json_array_foreach(actions, i, action) {
        const char *name = json_string_value(json_object_get(action, "API_name")), *key;
        json_t *value;
        bool first = true;
        lp_str_printf(&out, "%s\xe2\x86\x92 %s(", i ? "\n" : "", name ? name : "?");
        json_object_foreach(json_object_get(action, "API_params"), key, value) {
            char *text = json_is_string(value) ? NULL : lp_json_text(value);
            lp_str_printf(&out, "%s%s: %s", first ? "" : ", ", key, text ? text : json_is_string(value) ? json_string_value(value) : "");
            lp_free(text);
            first = false;
        }
        lp_str_puts(&out, ")");
    }
    if (!out.failed)
        return out.s;
    lp_str_done(&out);
    return NULL;
}

static int write_assistant(struct lp_image *page, const json_t *turn, int x, int y, struct lp_error *err) {
    const char *thoughts = json_string_value(json_object_get(turn, "thoughts"));
    const char *value = json_string_value(json_object_get(turn, "value"));
    const json_t *actions = json_object_get(turn, "actions");
    bool calls = json_array_size(actions) > 0;
    char *text = tell_calls(actions);
    if (!text)
        lp_error_memory(err);
    y = text ? bubble(page, thoughts ? thoughts : "", &thought_pen, NULL, x + 40, y, TALK - 40, err) : -1;
    if (y >= 0)
        y = bubble(page, text, &call_pen, NULL, x + 40, y, TALK - 40, err);
    if (y >= 0)
        y = bubble(page, value ? value : "", &answer_pen, calls ? NULL : answer_paper, x + 40, y, TALK - 40, err);
    lp_free(text);
    return y;
}

/* All turns; page NULL: measures. Returns the y below, or -1. */
static int write_turns(struct lp_image *page, const json_t *turns, int x, struct lp_error *err) {
    int y = EDGE;
    size_t i;
    bool results = false; /* whether the next human turn holds them */
    const json_t *turn;
    json_array_foreach(turns, i, turn) {
        const char *value = json_string_value(json_object_get(turn, "value"));
        value = value ? value : "";
        if (i % 2) {
            y = write_assistant(page, turn, x, y, err);
            results = json_array_size(json_object_get(turn, "actions")) > 0;
        } else {
            while (!strncmp(value, image_mark, sizeof image_mark - 1))
                value += sizeof image_mark - 1;
            y = results ? bubble(page, value, &result_pen, result_paper, x, y, TALK - 40, err)
                        : bubble(page, value, &user_pen, user_paper, x, y, TALK - 40, err);
        }
        if (y < 0)
            return -1;
        y += i % 2 ? 6 : 0;
    }
    return y + EDGE;
}

static bool open_pictures(struct board *b, const json_t *files, const char *folder, struct lp_error *err) {
    size_t from[PICTURES];
    for (size_t i = 0; i < json_array_size(files) && b->shows < SHOWN; i++) {
        const char *file = json_string_value(json_array_get(files, i));
        int at = 0;
        float scale;
        while (at < b->n && strcmp(file, json_string_value(json_array_get(files, from[at]))))
            at++;
        if (at == PICTURES)
            break;
        if (at == b->n) {
            if (!(b->picture[at] = lp_show_picture(folder, file, SIDE, &scale, err)))
                return false;
            from[b->n++] = i;
        }
        b->place[b->shows++] = at;
    }
    return true;
}

struct lp_image *lp_show_record(const json_t *record, const char *folder, struct lp_error *err) {
    const json_t *turns = json_object_get(record, "conversations");
    struct board b = {0};
    struct lp_image *page = NULL;
    bool ok = (!folder || open_pictures(&b, json_object_get(record, "images"), folder, err)) && draw_turns(&b, turns, err);
    int x = b.n ? SIDE + 2 * EDGE : EDGE, high = EDGE, talk = ok ? write_turns(NULL, turns, x, err) : -1;
    for (int i = 0; i < b.n; i++)
        high += b.picture[i]->height + EDGE;
    if (talk >= 0)
        page = lp_page_new(x + TALK + EDGE, talk > high ? talk : high, err);
    for (int i = 0, y = EDGE; page && i < b.n; y += b.picture[i++]->height + EDGE)
        lp_page_paste(page, b.picture[i], EDGE, y);
    if (page && write_turns(page, turns, x, err) < 0) {
        lp_image_close(page);
        page = NULL;
    }
    for (int i = 0; i < b.n; i++)
        lp_image_close(b.picture[i]);
    return page;
}
