/* SPDX-License-Identifier: MIT */
/* skill/ocr.c - reads the writing in a picture with Tesseract, which sees it several times over: as it is,
 * and with what is lighter or darker than its surroundings cut out; the most credible words of all readings
 * win. */
#include "base/memory.h"
#include "image/image.h"
#include "skill/ocr_engine.h"
#include "skill/ocr_merge.h"
#include "skill/ocr_order.h"
#include "skill/ocr_prepare.h"
#include "skill/table.h"
#include "text/python.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum { PASSES = 4, ENGINES = 2 };

struct opened {
    struct lp_ocr_engine *engine[ENGINES];
};

static void ocr_close(void *opened) {
    struct opened *o = opened;
    for (int i = 0; o && i < ENGINES; i++)
        lp_ocr_engine_close(o->engine[i]);
    lp_free(o);
}

static void *ocr_open(struct lp_error *err) {
    struct opened *o = lp_alloc(sizeof *o);
    bool ok = o || lp_error_memory(err);
    for (int i = 0; ok && i < ENGINES; i++)
        ok = (o->engine[i] = lp_ocr_engine_open(err)) != NULL;
    if (ok)
        return o;
    ocr_close(o);
    return NULL;
}

/* Reads the views in every way that has proved useful, on as many threads as there are engines. */
static bool read_views(const struct opened *o, const struct lp_ocr_views *views, const atomic_bool *cancel,
                       struct lp_ocr_reading reading[PASSES], struct lp_error *err) {
    const struct {
        const uint8_t *pixel;
        enum lp_ocr_layout layout;
    } pass[PASSES] = {{views->grey, LP_OCR_BLOCK},
                      {views->grey, LP_OCR_SCATTERED},
                      {views->light, LP_OCR_SCATTERED},
                      {views->dark, LP_OCR_SCATTERED}};
    struct lp_error errors[PASSES] = {{0}};
#pragma omp parallel for num_threads(ENGINES) schedule(dynamic, 1)
    for (int i = 0; i < PASSES; i++)
        lp_ocr_engine_read(o->engine[omp_get_thread_num()], pass[i].pixel, views->width, views->height,
                           pass[i].layout, cancel, &reading[i], &errors[i]);
    for (int i = 0; i < PASSES; i++)
        if (errors[i].code)
            return lp_error_set(err, errors[i].code, "%s", errors[i].text);
    return true;
}

/* The picture's words, rows numbered from 1, boxes in px of the picture. `out` is empty before. */
static bool read_picture(const struct lp_call *call, const struct opened *o, struct lp_ocr_reading *out,
                         struct lp_error *err) {
    struct lp_ocr_views views = {0};
    struct lp_ocr_reading reading[PASSES] = {{{0}, NULL, 0, 0}};
    bool ok = lp_ocr_prepare(&views, call->picture, err) &&
              read_views(o, &views, call->cancel, reading, err) && lp_ocr_merge(reading, PASSES, out, err) &&
              lp_ocr_order(out, err);
    for (int i = 0; ok && i < out->n; i++)
        lp_ocr_views_box(&views, out->word[i].box);
    for (int i = 0; i < PASSES; i++)
        lp_ocr_reading_done(&reading[i]);
    lp_ocr_views_done(&views);
    return ok;
}

/* One row of words, put together. */
struct row {
    struct lp_str text;
    float box[4]; /* px */
    float confidence;
};

static struct row join_row(const struct lp_ocr_word *word, int n) {
    struct row row = {.box = {INFINITY, INFINITY, -INFINITY, -INFINITY}};
    float letters = 0;
    for (int i = 0; i < n; i++) {
        float weight = (float)strlen(word[i].text);
        if (i)
            lp_str_putc(&row.text, ' ');
        lp_str_puts(&row.text, word[i].text);
        for (int k = 0; k < 4; k++)
            row.box[k] = k < 2 ? fminf(row.box[k], word[i].box[k]) : fmaxf(row.box[k], word[i].box[k]);
        row.confidence += weight * word[i].confidence;
        letters += weight;
    }
    row.confidence /= letters;
    return row;
}

/* {"text", "box": whole px, "confidence"}; NULL when out of memory. */
static json_t *report_of(const char *text, const float box[4], float confidence) {
    return json_pack("{s:s,s:[i,i,i,i],s:f}", "text", text, "box", (int)floorf(box[0]), (int)floorf(box[1]),
                     (int)ceilf(box[2]), (int)ceilf(box[3]), "confidence", lp_python_round(confidence, 4));
}

static bool report_row(json_t *lines, const struct row *row, const struct lp_ocr_word *word, int n) {
    json_t *line = report_of(row->text.s, row->box, row->confidence), *words = json_array();
    bool ok = line && words && !json_array_append(lines, line);
    for (int i = 0; ok && i < n; i++)
        ok = !json_array_append_new(words, report_of(word[i].text, word[i].box, word[i].confidence));
    ok = ok && !json_object_set(line, "words", words);
    json_decref(words);
    json_decref(line);
    return ok;
}

/* Adds the row to the lists of the result turn: [0..1 box], text, score, each to two decimals. */
static bool give_row(struct lp_call *call, const struct row *row, struct lp_error *err) {
    float w = (float)call->picture->width, h = (float)call->picture->height;
    float box[4] = {row->box[0] / w, row->box[1] / h, row->box[2] / w, row->box[3] / h};
    json_t *list = json_pack("[f,f,f,f]", lp_python_round(box[0], 2), lp_python_round(box[1], 2),
                             lp_python_round(box[2], 2), lp_python_round(box[3], 2));
    bool ok = !json_array_append_new(json_object_get(call->result, "boxes"), list) &&
              !json_array_append_new(json_object_get(call->result, "texts"), json_string(row->text.s)) &&
              !json_array_append_new(json_object_get(call->result, "scores"),
                                     json_real(lp_python_round(row->confidence, 2)));
    if (!ok)
        return lp_error_memory(err);
    return lp_objects_add_box(&call->made, box, row->text.s, row->confidence, err) != NULL;
}

/* Gives every row and adds it to the whole text. */
static bool give_rows(struct lp_call *call, const struct lp_ocr_reading *reading, struct lp_str *text,
                      json_t *lines, struct lp_error *err) {
    bool ok = true;
    for (int i = 0, n; ok && i < reading->n; i += n) {
        const struct lp_ocr_word *word = &reading->word[i];
        for (n = 1; i + n < reading->n && word[n].line == word[0].line;)
            n++;
        struct row row = join_row(word, n);
        ok = !row.text.failed || lp_error_memory(err);
        ok = ok && give_row(call, &row, err) && (report_row(lines, &row, word, n) || lp_error_memory(err));
        if (ok && text->n)
            lp_str_putc(text, '\n');
        lp_str_puts(text, lp_str_text(&row.text));
        lp_str_done(&row.text);
    }
    return ok && (!text->failed || lp_error_memory(err));
}

static bool give(struct lp_call *call, const struct lp_ocr_reading *reading, struct lp_error *err) {
    struct lp_str text = {0};
    json_t *lines = json_array();
    bool ok = lines && !json_object_set_new(call->result, "boxes", json_array()) &&
              !json_object_set_new(call->result, "texts", json_array()) &&
              !json_object_set_new(call->result, "scores", json_array());
    ok = (ok || lp_error_memory(err)) && give_rows(call, reading, &text, lines, err);
    if (ok && text.n)
        ok = lp_objects_add_text(&call->made, text.s, 1, err) != NULL;
    if (ok && (json_object_set_new(call->report, "text", json_string(lp_str_text(&text))) ||
               json_object_set(call->report, "lines", lines)))
        ok = lp_error_memory(err);
    json_decref(lines);
    lp_str_done(&text);
    return ok;
}

static bool run(struct lp_call *call, void *opened, struct lp_error *err) {
    struct lp_ocr_reading reading = {{0}, NULL, 0, 0};
    bool ok = read_picture(call, opened, &reading, err) && give(call, &reading, err);
    lp_ocr_reading_done(&reading);
    return ok;
}

static const char *const aliases[] = {"easyocr", NULL};

const struct lp_skill lp_skill_ocr = {
    .name = "ocr",
    .api_name = "ocr",
    .aliases = aliases,
    .about = "reads the writing in the picture, line by line",
    .needs = LP_NEEDS_PICTURE,
    .leaves = LP_LEAVES_TEXT | LP_LEAVES_BOX,
    .missing = lp_ocr_engine_missing,
    .open = ocr_open,
    .close = ocr_close,
    .run = run,
};
