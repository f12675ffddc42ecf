/* SPDX-License-Identifier: MIT */
/* eval/coco_score.c - precision and recall of a set. A row is a category, or all of them where they count as
 * one. */
#include "eval/coco_score.h"

#include "base/memory.h"
#include "eval/coco_match.h"

#include <stdlib.h>
#include <string.h>

/* A thing in its row and picture. */
struct entry {
    int row, picture;
    const struct lp_coco_thing *thing;
};

static int compare(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

/* By row and picture; then the surest first (truths have no score), then by category, then as they came. */
static int entry_order(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    int order = compare(x->row, y->row);
    if (!order)
        order = compare(x->picture, y->picture);
    if (!order)
        order = (x->thing->score < y->thing->score) - (x->thing->score > y->thing->score);
    if (!order)
        order = compare(x->thing->category, y->thing->category);
    return order ? order : (x->thing > y->thing) - (x->thing < y->thing);
}

static int verdict_order(const void *a, const void *b) {
    const struct lp_coco_verdict *x = a, *y = b;
    int order = (x->score < y->score) - (x->score > y->score);
    return order ? order : compare(x->order, y->order);
}

struct work {
    const struct lp_coco *set;
    const struct lp_coco_settings *settings;
    struct lp_coco_score *score;
    int *row; /* [categories]: which row counts it, or -1 */
    struct entry *truth, *found;
    size_t truths, finds;
    const struct lp_coco_thing **group; /* room for the things of one picture */
    struct lp_coco_verdict *verdict;    /* [verdicts], of the present row */
    size_t verdicts;
    double *precision, *recall; /* room for each verdict of a row */
    int curves;                 /* rows in score->curve */
    int64_t told;
};

static void work_done(struct work *w) {
    lp_free(w->row);
    lp_free(w->truth);
    lp_free(w->found);
    lp_free(w->group);
    lp_free(w->verdict);
    lp_free(w->precision);
    lp_free(w->recall);
}

static size_t list_entries(const struct work *w, const struct lp_coco_list *list, struct entry *entry) {
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        const struct lp_coco_thing *t = &list->thing[i];
        if (w->row[t->category] >= 0)
            entry[n++] = (struct entry){w->row[t->category], t->picture, t};
    }
    qsort(entry, n, sizeof *entry, entry_order);
    return n;
}

static bool prepare(struct work *w, struct lp_error *err) {
    const struct lp_coco *set = w->set;
    size_t n = set->truth.n > set->found.n ? set->truth.n : set->found.n,
           categories = (size_t)set->categories;
    struct lp_coco_score *s = w->score;
    s->category = lp_alloc_array(categories + 1, sizeof *s->category);
    s->place = lp_alloc_array(categories + 1, sizeof *s->place);
    w->row = lp_alloc_array(categories, sizeof *w->row);
    w->truth = lp_alloc_array(set->truth.n, sizeof *w->truth);
    w->found = lp_alloc_array(set->found.n, sizeof *w->found);
    w->group = lp_alloc_array(2 * n, sizeof *w->group);
    w->verdict = lp_alloc_array(set->found.n, sizeof *w->verdict);
    w->precision = lp_alloc_array(set->found.n, sizeof *w->precision);
    w->recall = lp_alloc_array(set->found.n, sizeof *w->recall);
    if (!s->category || !s->place || !w->row || !w->truth || !w->found || !w->group || !w->verdict ||
        !w->precision || !w->recall)
        return lp_error_memory(err);
    for (int c = 0; c < set->categories; c++) {
        bool counts = !w->settings->chosen || w->settings->chosen[c];
        w->row[c] = !counts ? -1 : w->settings->agnostic ? 0 : s->rows;
        if (counts && !w->settings->agnostic)
            s->place[s->rows++] = c;
    }
    if (w->settings->agnostic)
        s->place[s->rows++] = -1;
    w->truths = list_entries(w, &set->truth, w->truth);
    w->finds = list_entries(w, &set->found, w->found);
    s->most = w->settings->most;
    s->pictures = set->pictures;
    memset(s->curve, 0, sizeof s->curve);
    return true;
}

/* How many entries from `at` on are of this row and picture; their things. */
static size_t take_group(const struct entry *entry, size_t n, size_t at, int row, int picture,
                         const struct lp_coco_thing **thing) {
    size_t k = 0;
    for (; at + k < n && entry[at + k].row == row && entry[at + k].picture == picture; k++)
        thing[k] = entry[at + k].thing;
    return k;
}

/* Whether a row has things left, and the first picture of which. */
static bool next_picture(const struct work *w, size_t truth, size_t found, int row, int *picture) {
    bool a = truth < w->truths && w->truth[truth].row == row,
         b = found < w->finds && w->found[found].row == row;
    int x = a ? w->truth[truth].picture : 0, y = b ? w->found[found].picture : 0;
    *picture = a && b ? (x < y ? x : y) : a ? x : y;
    return a || b;
}

/* Matches a row picture by picture; *truth and *found go on behind it. */
static bool match_row(struct work *w, int row, size_t *truth, size_t *found, int64_t to_find[LP_COCO_SIZES],
                      struct lp_error *err) {
    struct lp_coco_rates *rates = &w->score->category[row];
    int picture;
    w->verdicts = 0;
    while (next_picture(w, *truth, *found, row, &picture)) {
        size_t truths = take_group(w->truth, w->truths, *truth, row, picture, w->group);
        const struct lp_coco_thing **finds_group = w->group + truths;
        size_t finds = take_group(w->found, w->finds, *found, row, picture, finds_group), all = finds;
        if (finds > (size_t)w->settings->most)
            finds = (size_t)w->settings->most;
        struct lp_coco_verdict *v = w->verdict + w->verdicts;
        for (size_t i = 0; i < finds; i++)
            v[i] = (struct lp_coco_verdict){
                .score = finds_group[i]->score, .rank = (int)i, .order = (uint32_t)(w->verdicts + i)};
        if (!lp_coco_match(w->set, w->group, truths, finds_group, finds, v, to_find, &w->score->forgets, err))
            return false;
        for (size_t i = 0; i < truths; i++)
            rates->crowds += w->group[i]->crowd;
        rates->truths += (int64_t)truths;
        rates->found += (int64_t)all;
        w->verdicts += finds;
        *truth += truths;
        *found += all;
        w->told += (int64_t)(truths + all);
        if (w->settings->tell)
            w->settings->tell(w->settings->context, w->told, (int64_t)(w->truths + w->finds));
    }
    rates->truths -= rates->crowds;
    qsort(w->verdict, w->verdicts, sizeof *w->verdict, verdict_order);
    return true;
}

/* Precision and recall after each verdict that counts, of the first `most` in each picture. Returns how many
 * there are. */
static size_t follow(struct work *w, int size, int iou, int most, int64_t to_find) {
    size_t n = 0;
    int64_t right = 0;
    for (size_t i = 0; i < w->verdicts; i++) {
        const struct lp_coco_verdict *v = &w->verdict[i];
        if (v->rank >= most || v->ignored[size] >> iou & 1)
            continue;
        right += v->right[size] >> iou & 1;
        w->recall[n] = (double)right / (double)to_find;
        w->precision[n] = (double)right / (double)(n + 1);
        n++;
    }
    return n;
}

/* The best precision that is had at each recall or beyond, and its mean. */
static double read_off(struct work *w, size_t n, double at[LP_COCO_RECALLS]) {
    double sum = 0;
    for (size_t i = n; i > 1; i--)
        if (w->precision[i - 1] > w->precision[i - 2])
            w->precision[i - 2] = w->precision[i - 1];
    size_t i = 0;
    for (int r = 0; r < LP_COCO_RECALLS; r++) {
        double recall = r == LP_COCO_RECALLS - 1 ? 1 : r * 0.01;
        while (i < n && w->recall[i] < recall)
            i++;
        at[r] = i < n ? w->precision[i] : 0;
        sum += at[r];
    }
    return sum / LP_COCO_RECALLS;
}

static void rate_row(struct work *w, struct lp_coco_rates *rates, const int64_t to_find[LP_COCO_SIZES]) {
    const int cut[LP_COCO_CUTS] = {1, 10, w->settings->most};
    for (int size = 0; size < LP_COCO_SIZES; size++)
        for (int iou = 0; iou < LP_COCO_IOUS; iou++) {
            double at[LP_COCO_RECALLS];
            for (int c = 0; c < LP_COCO_CUTS; c++) {
                size_t n = to_find[size] ? follow(w, size, iou, cut[c], to_find[size]) : 0;
                rates->recall[size][c][iou] = !to_find[size] ? -1 : n ? w->recall[n - 1] : 0;
                if (c == LP_COCO_MOST)
                    rates->precision[size][iou] = to_find[size] ? read_off(w, n, at) : -1;
            }
            for (int r = 0; size == LP_COCO_ALL && to_find[size] && r < LP_COCO_RECALLS; r++)
                w->score->curve[iou][r] += at[r];
        }
    w->curves += to_find[LP_COCO_ALL] > 0;
}

static void sum_up(struct work *w) {
    struct lp_coco_score *s = w->score;
    for (int k = 0; k < s->rows; k++) {
        s->truths += s->category[k].truths;
        s->crowds += s->category[k].crowds;
        s->found += s->category[k].found;
    }
    for (int iou = 0; iou < LP_COCO_IOUS; iou++)
        for (int r = 0; r < LP_COCO_RECALLS; r++)
            s->curve[iou][r] = w->curves ? s->curve[iou][r] / w->curves : -1;
    s->summary = lp_coco_summarize(s->category, s->rows);
}

bool lp_coco_score(const struct lp_coco *set, const struct lp_coco_settings *settings,
                   struct lp_coco_score *score, struct lp_error *err) {
    struct work w = {.set = set, .settings = settings, .score = score};
    *score = (struct lp_coco_score){0};
    bool ok = prepare(&w, err);
    size_t truth = 0, found = 0;
    for (int row = 0; ok && row < score->rows; row++) {
        int64_t to_find[LP_COCO_SIZES] = {0};
        ok = match_row(&w, row, &truth, &found, to_find, err);
        if (ok)
            rate_row(&w, &score->category[row], to_find);
    }
    if (ok)
        sum_up(&w);
    work_done(&w);
    return ok;
}

void lp_coco_score_done(struct lp_coco_score *score) {
    lp_free(score->category);
    lp_free(score->place);
    *score = (struct lp_coco_score){0};
}

/* The mean over rows that have something to find, and over ious first .. last. */
static double mean_precision(const struct lp_coco_rates *row, int rows, int size, int first, int last) {
    double sum = 0;
    int n = 0;
    for (int k = 0; k < rows; k++)
        for (int iou = first; iou <= last && row[k].precision[size][iou] >= 0; iou++, n++)
            sum += row[k].precision[size][iou];
    return n ? sum / n : -1;
}

static double mean_recall(const struct lp_coco_rates *row, int rows, int size, int cut) {
    double sum = 0;
    int n = 0;
    for (int k = 0; k < rows; k++)
        for (int iou = 0; iou < LP_COCO_IOUS && row[k].recall[size][cut][iou] >= 0; iou++, n++)
            sum += row[k].recall[size][cut][iou];
    return n ? sum / n : -1;
}

struct lp_coco_summary lp_coco_summarize(const struct lp_coco_rates *row, int rows) {
    const int last = LP_COCO_IOUS - 1;
    return (struct lp_coco_summary){
        .ap = mean_precision(row, rows, LP_COCO_ALL, 0, last),
        .ap50 = mean_precision(row, rows, LP_COCO_ALL, LP_COCO_IOU_50, LP_COCO_IOU_50),
        .ap75 = mean_precision(row, rows, LP_COCO_ALL, LP_COCO_IOU_75, LP_COCO_IOU_75),
        .ap_small = mean_precision(row, rows, LP_COCO_SMALL, 0, last),
        .ap_medium = mean_precision(row, rows, LP_COCO_MEDIUM, 0, last),
        .ap_large = mean_precision(row, rows, LP_COCO_LARGE, 0, last),
        .ar_1 = mean_recall(row, rows, LP_COCO_ALL, LP_COCO_FIRST),
        .ar_10 = mean_recall(row, rows, LP_COCO_ALL, LP_COCO_TEN),
        .ar_most = mean_recall(row, rows, LP_COCO_ALL, LP_COCO_MOST),
        .ar_small = mean_recall(row, rows, LP_COCO_SMALL, LP_COCO_MOST),
        .ar_medium = mean_recall(row, rows, LP_COCO_MEDIUM, LP_COCO_MOST),
        .ar_large = mean_recall(row, rows, LP_COCO_LARGE, LP_COCO_MOST),
    };
}
