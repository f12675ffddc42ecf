/* SPDX-License-Identifier: MIT */
/* image/rle.c - mask[height,width] <-> COCO's run lengths (pycocotools' maskApi: rleEncode, rleToString,
 * rleFrString).
 *
 * Runs go down the columns, the first one outside (it may be 0 long). From the fourth on a run is written as
 * its difference to the one two before. A number goes out in groups of 5 bits, least first, each plus 48 as a
 * character; bit 5 says that more follow, bit 4 of the last group is the sign. */
#include "image/rle.h"

#include "base/memory.h"
#include "base/str.h"

static void put_number(struct lp_str *text, int64_t x) {
    bool more = true;
    while (more) {
        int group = (int)(x & 31);
        x >>= 5;
        more = group & 16 ? x != -1 : x != 0;
        lp_str_putc(text, (char)((more ? group | 32 : group) + 48));
    }
}

char *lp_rle_text(const struct lp_rle *rle, struct lp_error *err) {
    struct lp_str text = {0};
    lp_str_puts(&text, "");
    for (size_t i = 0; i < rle->n; i++)
        put_number(&text, (int64_t)rle->run[i] - (i > 2 ? rle->run[i - 2] : 0));
    if (!text.failed)
        return text.s;
    lp_str_done(&text);
    lp_error_memory(err);
    return NULL;
}

char *lp_rle_encode(const uint8_t *mask, int width, int height, struct lp_error *err) {
    struct lp_rle rle = {0};
    char *text = lp_rle_from_mask(&rle, mask, width, height, err) ? lp_rle_text(&rle, err) : NULL;
    lp_rle_done(&rle);
    return text;
}

/* Reads a number at *at, before end. False when it is cut off, holds another character or is longer than 40
 * bits. */
static bool get_number(const char **at, const char *end, int64_t *out) {
    int64_t x = 0;
    for (int shift = 0; *at < end && shift < 40; shift += 5) {
        int group = *(*at)++ - 48;
        if (group < 0 || group > 63)
            return false;
        x |= (int64_t)(group & 31) << shift;
        if (!(group & 32)) {
            *out = group & 16 ? x - ((int64_t)1 << (shift + 5)) : x;
            return true;
        }
    }
    return false;
}

struct runs {
    const char *begin, *at, *end;
    int width, height;
    unsigned index;
    int64_t before[2], filled;
};

/* The next run, which is inside where index was odd. False at the end and after an error. */
static bool next_run(struct runs *r, int64_t *run, struct lp_error *err) {
    if (r->at == r->end)
        return false;
    if (!get_number(&r->at, r->end, run))
        return lp_error_set(err, LP_EINPUT, "the mask's run lengths are malformed at character %zu", (size_t)(r->at - r->begin));
    *run += r->index > 2 ? r->before[r->index % 2] : 0;
    if (*run < 0 || *run > (int64_t)r->width * r->height - r->filled)
        return lp_error_set(err, LP_EINPUT, "the mask's run lengths do not fit its %d x %d pixels", r->width, r->height);
    r->before[r->index % 2] = *run;
    r->filled += *run;
    r->index++;
    return true;
}

/* Whether the runs ended where they must. */
static bool all_run(const struct runs *r, const struct lp_error *failed, struct lp_error *err) {
    int64_t total = (int64_t)r->width * r->height;
    if (failed->code) {
        if (err)
            *err = *failed;
        return false;
    }
    return r->filled == total || lp_error_set(err, LP_EINPUT, "the mask's run lengths cover %lld of its %lld pixels",
                                              (long long)r->filled, (long long)total);
}

bool lp_rle_decode(uint8_t *mask, int width, int height, const char *counts, size_t n, struct lp_error *err) {
    struct runs r = {.begin = counts, .at = counts, .end = counts + n, .width = width, .height = height};
    struct lp_error failed = {0};
    int64_t run = 0;
    int x = 0, y = 0;
    while (next_run(&r, &run, &failed))
        for (; run > 0; run--) {
            mask[(size_t)y * (size_t)width + (size_t)x] = r.index % 2 == 0;
            if (++y == height) {
                y = 0;
                x++;
            }
        }
    return all_run(&r, &failed, err);
}

bool lp_rle_check(const char *counts, size_t n, int width, int height, int64_t *area, struct lp_error *err) {
    struct runs r = {.begin = counts, .at = counts, .end = counts + n, .width = width, .height = height};
    struct lp_error failed = {0};
    int64_t run = 0;
    *area = 0;
    while (next_run(&r, &run, &failed))
        *area += r.index % 2 == 0 ? run : 0;
    return all_run(&r, &failed, err);
}

bool lp_rle_read(struct lp_rle *out, const char *counts, size_t n, int width, int height, struct lp_error *err) {
    struct runs r = {.begin = counts, .at = counts, .end = counts + n, .width = width, .height = height};
    struct lp_error failed = {0};
    int64_t run = 0;
    size_t most = 0; /* as many as there are numbers' last characters */
    for (size_t i = 0; i < n; i++)
        most += !((counts[i] - 48) & 32);
    *out = (struct lp_rle){width, height, lp_alloc_array(most + 1, sizeof *out->run), 0};
    if (!out->run)
        return lp_error_memory(err);
    while (next_run(&r, &run, &failed))
        out->run[out->n++] = (uint32_t)run;
    return all_run(&r, &failed, err);
}
