/* SPDX-License-Identifier: MIT */
/* eval/coco_report.c - a set's score for people and for programs. */
#include "eval/coco_report.h"

#include "base/memory.h"
#include "image/chart.h"
#include "image/chart_bars.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *row_name(const struct lp_coco *set, const struct lp_coco_score *score, int row) {
    return score->place[row] < 0 ? "all categories as one" : set->category[score->place[row]].name;
}

/* ---- the table ---- */

/* In a column of 24 letters; what would move a terminal's cursor is a question mark. */
static void add_name(struct lp_str *out, const char *name) {
    int letters = 0;
    for (const char *c = name; *c; c++) {
        letters += (*c & 0xc0) != 0x80;
        lp_str_putc(out, (unsigned char)*c < 32 || *c == 127 ? '?' : *c);
    }
    for (; letters < 24; letters++)
        lp_str_putc(out, ' ');
}

static void add_rate(struct lp_str *out, double rate) {
    if (rate < 0)
        lp_str_printf(out, " %7s", "-");
    else
        lp_str_printf(out, " %7.4f", rate);
}

static void add_line(struct lp_str *out, const char *name, double rate, const char *iou, const char *size,
                     int most) {
    lp_str_printf(out, "%-9s", name);
    add_rate(out, rate);
    lp_str_printf(out, "   iou %-9s  %-6s  at most %d\n", iou, size, most);
}

static void add_summary(struct lp_str *out, const struct lp_coco_summary *s, int most) {
    static const char any[] = "0.50:0.95";
    char name[32];
    add_line(out, "AP", s->ap, any, "all", most);
    add_line(out, "AP50", s->ap50, "0.50", "all", most);
    add_line(out, "AP75", s->ap75, "0.75", "all", most);
    add_line(out, "AP small", s->ap_small, any, "small", most);
    add_line(out, "AP medium", s->ap_medium, any, "medium", most);
    add_line(out, "AP large", s->ap_large, any, "large", most);
    add_line(out, "AR 1", s->ar_1, any, "all", 1);
    add_line(out, "AR 10", s->ar_10, any, "all", 10);
    snprintf(name, sizeof name, "AR %d", most);
    add_line(out, name, s->ar_most, any, "all", most);
    add_line(out, "AR small", s->ar_small, any, "small", most);
    add_line(out, "AR medium", s->ar_medium, any, "medium", most);
    add_line(out, "AR large", s->ar_large, any, "large", most);
}

void lp_coco_table(const struct lp_coco *set, const struct lp_coco_score *score, struct lp_str *out) {
    lp_str_printf(out, "%-24s %7s %7s %7s %7s %7s %7s %7s %7s %7s\n", "category", "there", "found", "AP",
                  "AP50", "AP75", "small", "medium", "large", "AR");
    for (int k = 0; k < score->rows; k++) {
        const struct lp_coco_rates *r = &score->category[k];
        struct lp_coco_summary s = lp_coco_summarize(r, 1);
        if (!r->truths && !r->crowds && !r->found)
            continue;
        add_name(out, row_name(set, score, k));
        lp_str_printf(out, " %7lld %7lld", (long long)r->truths, (long long)r->found);
        add_rate(out, s.ap);
        add_rate(out, s.ap50);
        add_rate(out, s.ap75);
        add_rate(out, s.ap_small);
        add_rate(out, s.ap_medium);
        add_rate(out, s.ap_large);
        add_rate(out, s.ar_most);
        lp_str_putc(out, '\n');
    }
    lp_str_printf(out, "\n%lld pictures, %lld %s to find, %lld crowds, %lld found\n",
                  (long long)score->pictures, (long long)score->truths, set->masks ? "masks" : "boxes",
                  (long long)score->crowds, (long long)score->found);
    add_summary(out, &score->summary, score->most);
}

/* ---- JSON ---- */

static bool put_rate(json_t *to, const char *name, double rate) {
    return !json_object_set_new(to, name, rate < 0 ? json_null() : json_real(rate));
}

static bool put_summary(json_t *to, const struct lp_coco_summary *s, int most) {
    char name[32];
    snprintf(name, sizeof name, "AR_%d", most);
    return put_rate(to, "AP", s->ap) && put_rate(to, "AP50", s->ap50) && put_rate(to, "AP75", s->ap75) &&
           put_rate(to, "AP_small", s->ap_small) && put_rate(to, "AP_medium", s->ap_medium) &&
           put_rate(to, "AP_large", s->ap_large) && put_rate(to, "AR_1", s->ar_1) &&
           put_rate(to, "AR_10", s->ar_10) && put_rate(to, name, s->ar_most) &&
           put_rate(to, "AR_small", s->ar_small) && put_rate(to, "AR_medium", s->ar_medium) &&
           put_rate(to, "AR_large", s->ar_large);
}

static json_t *json_row(const struct lp_coco *set, const struct lp_coco_score *score, int row) {
    const struct lp_coco_rates *r = &score->category[row];
    struct lp_coco_summary s = lp_coco_summarize(r, 1);
    int place = score->place[row];
    json_t *one =
        json_pack("{s:s, s:I, s:I, s:I}", "name", row_name(set, score, row), "truths", (json_int_t)r->truths,
                  "crowds", (json_int_t)r->crowds, "found", (json_int_t)r->found);
    if (one && (place < 0 || !json_object_set_new(one, "id", json_integer(set->category[place].id))) &&
        put_summary(one, &s, score->most))
        return one;
    json_decref(one);
    return NULL;
}

json_t *lp_coco_json(const struct lp_coco *set, const struct lp_coco_score *score, struct lp_error *err) {
    json_t *all =
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:i}", "of", set->masks ? "masks" : "boxes", "pictures",
                  (json_int_t)score->pictures, "truths", (json_int_t)score->truths, "crowds",
                  (json_int_t)score->crowds, "found", (json_int_t)score->found, "most", score->most);
    json_t *rows = json_array();
    bool ok = all && rows && put_summary(all, &score->summary, score->most);
    for (int k = 0; ok && k < score->rows; k++)
        ok = !json_array_append_new(rows, json_row(set, score, k));
    ok = ok && !json_object_set(all, "categories", rows);
    json_decref(rows);
    if (ok)
        return all;
    json_decref(all);
    lp_error_memory(err);
    return NULL;
}

/* ---- pictures ---- */

struct lp_image *lp_coco_curves(const struct lp_coco *set, const struct lp_coco_score *score,
                                struct lp_error *err) {
    enum { LINES = 3, POINTS = LP_COCO_RECALLS + 1 };
    static const struct {
        const char *name;
        int iou;
        uint8_t color[3];
    } lines[LINES] = {{"iou 0.50", LP_COCO_IOU_50, {31, 119, 180}},
                      {"iou 0.75", LP_COCO_IOU_75, {44, 140, 60}},
                      {"iou 0.90", LP_COCO_IOUS - 2, {200, 60, 50}}};
    double recall[POINTS], precision[LINES][POINTS];
    struct lp_chart_line line[LINES];
    bool any = score->curve[0][0] >= 0;
    for (int i = 0; i < LINES; i++) {
        for (int r = 0; r < LP_COCO_RECALLS; r++) {
            recall[r] = r * 0.01;
            precision[i][r] = score->curve[lines[i].iou][r];
        }
        recall[POINTS - 1] = 1; /* every line ends on the ground, so that all diagrams begin at 0 */
        precision[i][POINTS - 1] = 0;
        line[i] = (struct lp_chart_line){
            .name = lines[i].name, .x = recall, .y = precision[i], .n = any ? POINTS : 0};
        memcpy(line[i].color, lines[i].color, sizeof line[i].color);
    }
    const struct lp_chart_lines c = {set->masks ? "precision, masks" : "precision, boxes", "recall", line,
                                     LINES};
    return lp_chart_lines(&c, err);
}

/* By AP, the worst first. */
struct ranked {
    double ap, ap50, recall;
    int row;
};

static int worst_first(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    int order = (x->ap > y->ap) - (x->ap < y->ap);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

struct lp_image *lp_coco_bars(const struct lp_coco *set, const struct lp_coco_score *score,
                              struct lp_error *err) {
    enum { MOST = 60 };
    struct ranked *ranked = lp_alloc_array((size_t)score->rows, sizeof *ranked);
    const char *name[MOST];
    double ap[MOST], ap50[MOST], recall[MOST];
    int n = 0;
    if (!ranked) {
        lp_error_memory(err);
        return NULL;
    }
    for (int k = 0; k < score->rows; k++) {
        struct lp_coco_summary s = lp_coco_summarize(&score->category[k], 1);
        if (s.ap >= 0)
            ranked[n++] = (struct ranked){s.ap, s.ap50, s.ar_most, k};
    }
    qsort(ranked, (size_t)n, sizeof *ranked, worst_first);
    n = n < MOST ? n : MOST;
    for (int k = 0; k < n; k++) {
        name[k] = row_name(set, score, ranked[k].row);
        ap[k] = ranked[k].ap;
        ap50[k] = ranked[k].ap50;
        recall[k] = ranked[k].recall;
    }
    lp_free(ranked);
    const struct lp_chart_panel panel[] = {{"AP50; dark: AP", ap50, ap, {31, 119, 180}, 3},
                                           {"AR", recall, NULL, {44, 140, 60}, 3}};
    const struct lp_chart_bars c = {NULL, name, n, panel, 2};
    return lp_chart_bars(&c, err);
}
