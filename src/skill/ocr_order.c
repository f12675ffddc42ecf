/* SPDX-License-Identifier: MIT */
/* skill/ocr_order.c - words with boxes -> rows, and columns where there is prose in them.
 *
 * A word joins the row whose mean extent it overlaps by more than half of the lower one. A run of rows that
 * all leave the same gap free and have several words on either side of it is a pair of columns; a price list,
 * with one or two words on the right, is not, nor is a chat, whose sides take turns. */
#include "skill/ocr_order.h"

#include "base/error.h"
#include "base/memory.h"
#include "skill/ocr_merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int least_rows = 4;       /* that columns have on either side and beside each other */
static const float least_words = 2.5f; /* a row, on either side */
static const float least_gap = 1.0f;   /* in heights of the first row */
static const float near = 0.3f;        /* heights that rows beside each other may be apart */

struct row {
    float y0, y1; /* mean of its words, px */
    int first, n; /* its words, left to right */
};

static int by_middle(const void *a, const void *b) {
    const struct lp_ocr_word *p = a, *q = b;
    float m = p->box[1] + p->box[3], n = q->box[1] + q->box[3];
    return m != n ? (m > n) - (m < n) : (p->box[0] > q->box[0]) - (p->box[0] < q->box[0]);
}

static int by_row(const void *a, const void *b) {
    const struct lp_ocr_word *p = a, *q = b;
    if (p->line != q->line)
        return (p->line > q->line) - (p->line < q->line);
    return (p->box[0] > q->box[0]) - (p->box[0] < q->box[0]);
}

static int by_height(const void *a, const void *b) {
    const struct row *p = a, *q = b;
    float m = p->y0 + p->y1, n = q->y0 + q->y1;
    return m != n ? (m > n) - (m < n) : (p->first > q->first) - (p->first < q->first);
}

/* Whether the word's extent overlaps the row's by more than half of the lower one. */
static bool belongs(const struct row *row, const struct lp_ocr_word *word) {
    float overlap = fminf(row->y1, word->box[3]) - fmaxf(row->y0, word->box[1]);
    return overlap > 0.5f * fminf(row->y1 - row->y0, word->box[3] - word->box[1]);
}

/* Marks words with the number of their row; returns the count of rows. row->first is that number meanwhile.
 */
static int find_rows(struct lp_ocr_word *word, int n, struct row *row) {
    int rows = 0;
    qsort(word, (size_t)n, sizeof *word, by_middle);
    for (int i = 0; i < n; i++) {
        int at = rows - 1;
        while (at >= 0 && !belongs(&row[at], &word[i]))
            at--;
        if (at < 0) {
            at = rows++;
            row[at] = (struct row){.first = at};
        }
        float k = (float)++row[at].n;
        row[at].y0 += (word[i].box[1] - row[at].y0) / k;
        row[at].y1 += (word[i].box[3] - row[at].y1) / k;
        word[i].line = at;
    }
    return rows;
}

/* Rows from top to bottom, their words from left to right. `rank` has room for one int a row. */
static void sort_rows(struct lp_ocr_word *word, int n, struct row *row, int rows, int *rank) {
    qsort(row, (size_t)rows, sizeof *row, by_height);
    for (int i = 0; i < rows; i++)
        rank[row[i].first] = i;
    for (int i = 0; i < n; i++)
        word[i].line = rank[word[i].line];
    qsort(word, (size_t)n, sizeof *word, by_row);
    for (int i = 0, first = 0; i < rows; first += row[i++].n)
        row[i].first = first;
}

/* Dashes, bars and signs that an icon, a frame or a line beside the writing is taken for. */
static bool is_edge_mark(const char *text) {
    static const char *const marks[] = {
        "=",        "-",        "~",        "_",        "|",  "\xe2\x80\x93", "\xe2\x80\x94",
        "\xc2\xa9", "\xc2\xae", "\xc2\xab", "\xc2\xbb", "=>", "\xc2\xb0"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (!strcmp(text, marks[i]))
            return true;
    return false;
}

/* Takes marks off the ends of a row; a dash at the front stays, it begins items of lists. */
static void strip(struct lp_ocr_word *word, struct row *row) {
    while (row->n && is_edge_mark(word[row->first].text) && strcmp(word[row->first].text, "-")) {
        row->first++;
        row->n--;
    }
    while (row->n && is_edge_mark(word[row->first + row->n - 1].text))
        row->n--;
}

/* A gap that rows leave free, while they are walked from top to bottom. */
struct gutter {
    float x0, x1;              /* px, free of words */
    int rows, beside;          /* rows passed; rows with words on both sides or beside the row before */
    int left_rows, right_rows; /* rows with words on that side */
    int left, right;           /* words */
    int side;                  /* where the last row has words: 1 left, 2 right, 3 both */
};

/* Whether a row begins before the one above it has quite ended, as lines of neighbouring columns do. */
static bool is_beside(const struct row *row) {
    return row[0].y0 < row[-1].y1 + near * (row[-1].y1 - row[-1].y0);
}

/* Lets the gutter pass one more row, making it narrower; false when words close it. */
static bool pass(struct gutter *g, const struct lp_ocr_word *word, const struct row *row, float least) {
    int left = 0, right = 0;
    for (int i = row->first; i < row->first + row->n; i++) {
        bool is_left = word[i].box[0] + word[i].box[2] < g->x0 + g->x1;
        if (is_left)
            g->x0 = fmaxf(g->x0, word[i].box[2]);
        else
            g->x1 = fminf(g->x1, word[i].box[0]);
        left += is_left;
        right += !is_left;
    }
    if (g->x1 - g->x0 < least)
        return false;
    int side = (left > 0) + 2 * (right > 0);
    bool beside_last = g->rows && side + g->side == 3 && is_beside(row);
    g->rows++;
    g->beside += side == 3 || beside_last;
    g->left_rows += left > 0;
    g->right_rows += right > 0;
    g->left += left;
    g->right += right;
    g->side = side;
    return true;
}

static bool is_prose(const struct gutter *g) {
    return g->beside >= least_rows && g->left_rows >= least_rows && g->right_rows >= least_rows &&
           (float)g->left >= least_words * (float)g->left_rows &&
           (float)g->right >= least_words * (float)g->right_rows;
}

/* Walks down from the first row as far as the gap x0..x1 stays free. */
static struct gutter walk(const struct lp_ocr_word *word, const struct row *row, int rows, float x0,
                          float x1) {
    struct gutter g = {.x0 = x0, .x1 = x1}, passed = g;
    float least = least_gap * (row->y1 - row->y0);
    for (int i = 0; i < rows && (i == 0 || row[i].y0 > row[i - 1].y0) && pass(&g, word, &row[i], least); i++)
        passed = g;
    return passed;
}

/* The gutter of prose that begins in the row, or between it and the next, and passes the most rows; .rows is
 * 0 when there is none. */
static struct gutter find_gutter(const struct lp_ocr_word *word, const struct row *row, int rows) {
    struct gutter best = {0};
    for (int i = row->first; i + 1 < row->first + row->n; i++) {
        struct gutter g = walk(word, row, rows, word[i].box[2], word[i + 1].box[0]);
        if (is_prose(&g) && g.rows > best.rows)
            best = g;
    }
    if (!best.rows && rows > 1 && is_beside(row + 1)) {
        const struct lp_ocr_word *end = &word[row[0].first + row[0].n - 1],
                                 *next_end = &word[row[1].first + row[1].n - 1];
        bool is_left = end->box[2] < word[row[1].first].box[0];
        struct gutter g = is_left ? walk(word, row, rows, end->box[2], word[row[1].first].box[0])
                                  : walk(word, row, rows, next_end->box[2], word[row[0].first].box[0]);
        if (is_prose(&g))
            best = g;
    }
    return best;
}

/* Makes `count` rows that a gutter passes into their left parts and then their right parts; returns how many.
 */
static int split(struct lp_ocr_word *word, struct row *row, int count, const struct gutter *g,
                 struct lp_ocr_word *spare, struct row *spare_row) {
    int words = 0, made = 0, first = row[0].first;
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < count; i++) {
            struct row part = {.y0 = row[i].y0, .y1 = row[i].y1, .first = first + words};
            for (int k = row[i].first; k < row[i].first + row[i].n; k++) {
                if ((word[k].box[0] >= g->x1) == (side == 1)) {
                    spare[words++] = word[k];
                    part.n++;
                }
            }
            if (part.n)
                spare_row[made++] = part;
        }
    }
    memcpy(word + first, spare, (size_t)words * sizeof *word);
    return made;
}

/* Splits every run of rows that has columns. The rows have room for one a word; returns their new count. */
static int find_columns(struct lp_ocr_word *word, struct row *row, int rows, struct lp_ocr_word *spare,
                        struct row *spare_row) {
    for (int i = 0; i < rows; i++) {
        struct gutter g = find_gutter(word, row + i, rows - i);
        if (!g.rows)
            continue;
        int made = split(word, row + i, g.rows, &g, spare, spare_row);
        memmove(row + i + made, row + i + g.rows, (size_t)(rows - i - g.rows) * sizeof *row);
        memcpy(row + i, spare_row, (size_t)made * sizeof *row);
        rows += made - g.rows;
        i--; /* either side may have columns in turn */
    }
    return rows;
}

/* Drops the words that are in no row any more; the others get the number of their row. */
static int keep_rows(struct lp_ocr_word *word, struct row *row, int rows) {
    int n = 0, kept = 0;
    for (int i = 0; i < rows; i++) {
        int letters = 0;
        for (int k = row[i].first; k < row[i].first + row[i].n; k++)
            letters += lp_ocr_letters(word[k].text);
        if (!letters)
            continue;
        memmove(word + n, word + row[i].first, (size_t)row[i].n * sizeof *word);
        row[kept] = row[i];
        row[kept++].first = n;
        n += row[i].n;
    }
    return kept;
}

bool lp_ocr_order(struct lp_ocr_reading *reading, struct lp_error *err) {
    size_t n = (size_t)reading->n;
    if (n == 0)
        return true;
    struct row *row = lp_alloc_array(n + 1, sizeof *row), *spare_row = lp_alloc_array(n + 1, sizeof *row);
    struct lp_ocr_word *spare = lp_alloc_array(n + 1, sizeof *spare);
    int *rank = lp_alloc_array(n + 1, sizeof *rank);
    bool ok = row && spare_row && spare && rank;
    if (ok) {
        int rows = find_rows(reading->word, reading->n, row);
        sort_rows(reading->word, reading->n, row, rows, rank);
        for (int i = 0; i < rows; i++)
            strip(reading->word, &row[i]);
        rows = keep_rows(reading->word, row, rows);
        rows = find_columns(reading->word, row, rows, spare, spare_row);
        reading->n = rows ? row[rows - 1].first + row[rows - 1].n : 0;
        for (int i = 0; i < rows; i++)
            for (int k = row[i].first; k < row[i].first + row[i].n; k++)
                reading->word[k].line = i + 1;
    }
    lp_free(row);
    lp_free(spare_row);
    lp_free(spare);
    lp_free(rank);
    return ok || lp_error_memory(err);
}
