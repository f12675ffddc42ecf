/* SPDX-License-Identifier: MIT */
/* data/told.c - results and scenes in words. */
#include "data/told.h"

#include "data/names.h"
#include "data/scene.h"
#include "data/wording.h"
#include "image/boxes.h"

#include <string.h>

enum { GROUPS = 8, EACH = 4 };

/* Boxes of one phrase. */
struct group {
    const char *phrase;
    size_t item[64];
    int n;
};

static int group_items(const json_t *phrases, const json_t *scores, double least, struct group *group) {
    int groups = 0;
    for (size_t i = 0; i < json_array_size(phrases); i++) {
        const char *phrase = json_string_value(json_array_get(phrases, i));
        int g = 0;
        if (!phrase || json_number_value(json_array_get(scores, i)) < least)
            continue;
        while (g < groups && strcasecmp(group[g].phrase, phrase))
            g++;
        if (g == GROUPS)
            continue;
        if (g == groups)
            group[groups++] = (struct group){.phrase = phrase};
        if (group[g].n < 64)
            group[g].item[group[g].n++] = i;
    }
    return groups;
}

static void joint(struct lp_str *out, int i, int n) {
    lp_str_puts(out, i == 0 ? "" : i + 1 < n ? ", " : " and ");
}

int lp_told_found(const json_t *phrases, const json_t *scores, double least, int count, struct lp_str *out) {
    struct group group[GROUPS];
    int groups = group_items(phrases, scores, least, group), total = 0;
    if (count && groups == 1 && group[0].n > 1 && group[0].n == (int)json_array_size(phrases)) {
        lp_str_printf(out, "{count_%d} ", count);
        lp_name_plural(group[0].phrase, out);
        return group[0].n;
    }
    for (int g = 0; g < groups; g++) {
        joint(out, g, groups);
        lp_name_counted(group[g].phrase, group[g].n, out);
        total += group[g].n;
    }
    return total;
}

static void tell_place(const json_t *boxes, size_t i, int first, struct lp_str *out) {
    float box[4];
    for (size_t k = 0; k < 4; k++)
        box[k] = (float)json_number_value(json_array_get(json_array_get(boxes, i), k));
    if (first)
        lp_str_printf(out, "{place_%d}", first + (int)i);
    else
        lp_str_puts(out, lp_place_names[lp_box_place(box)]);
}

/* "one is on the left, one at the top and one in the middle" */
static void tell_each(const struct group *g, const json_t *boxes, int first, struct lp_str *out) {
    for (int i = 0; i < g->n; i++) {
        joint(out, i, g->n);
        lp_str_puts(out, i ? "one " : "one is ");
        tell_place(boxes, g->item[i], first, out);
    }
}

/* "the dog is on the left, the car at the top and the three birds are all over the picture" */
static void tell_kinds(const struct group *group, int groups, const json_t *boxes, int first, struct lp_str *out) {
    for (int g = 0; g < groups; g++) {
        struct lp_str name = {0};
        bool one = group[g].n == 1;
        joint(out, g, groups);
        if (one)
            lp_name_singular(group[g].phrase, &name);
        else
            lp_name_counted(group[g].phrase, group[g].n, &name);
        lp_str_printf(out, "the %s %s ", lp_str_text(&name), one ? "is" : "are");
        for (int i = 0; i < group[g].n && i < 3; i++) {
            lp_str_puts(out, i ? " and " : "");
            tell_place(boxes, group[g].item[i], first, out);
        }
        out->failed |= name.failed;
        lp_str_done(&name);
    }
}

int lp_told_places(const json_t *boxes, const json_t *phrases, const json_t *scores, double least, int first,
                   struct lp_str *out) {
    struct group group[GROUPS];
    int groups = group_items(phrases, scores, least, group), total = 0;
    for (int g = 0; g < groups; g++)
        total += group[g].n;
    if (groups == 1 && total == 1) {
        lp_str_puts(out, "it is ");
        tell_place(boxes, group[0].item[0], first, out);
    } else if (groups == 1 && total <= EACH)
        tell_each(&group[0], boxes, first, out);
    else if (groups > 1 && total <= EACH + 1)
        tell_kinds(group, groups, boxes, first, out);
    else if (total)
        lp_str_puts(out, "they are all over the picture");
    return total;
}

/* The n-th phrase of "a . b . c" into text; false after the last. */
static bool phrase_at(const char *caption, int n, char *text, size_t size) {
    for (; n && caption; n--) {
        caption = strstr(caption, " . ");
        caption = caption ? caption + 3 : NULL;
    }
    if (!caption)
        return false;
    const char *end = strstr(caption, " . ");
    size_t length = end ? (size_t)(end - caption) : strlen(caption);
    length = length < size - 1 ? length : size - 1;
    memcpy(text, caption, length);
    text[length] = 0;
    return true;
}

int lp_told_missing(const char *caption, const json_t *phrases, const json_t *scores, double least, struct lp_str *out) {
    struct group group[GROUPS];
    int groups = group_items(phrases, scores, least, group), missing = 0;
    char phrase[160];
    for (int i = 0; phrase_at(caption, i, phrase, sizeof phrase); i++) {
        bool found = false;
        for (int g = 0; g < groups; g++)
            found |= !strcasecmp(group[g].phrase, phrase);
        if (found)
            continue;
        lp_str_puts(out, missing++ ? " or " : "");
        lp_name_singular(phrase, out);
    }
    return missing;
}

static int find_kind(const struct lp_kind *kind, int kinds, const char *name) {
    int k = 0;
    while (k < kinds && strcmp(kind[k].name, name))
        k++;
    return k;
}

int lp_told_kinds(const struct lp_truth *truth, const struct lp_truth_picture *picture, struct lp_kind *kind, int most) {
    int kinds = 0;
    for (int i = 0; i < picture->wholes; i++) {
        const struct lp_truth_object *o = &picture->object[i];
        const char *name = truth->category[o->category].name;
        int k = find_kind(kind, kinds, name);
        if (k == most)
            continue;
        if (k == kinds) {
            kind[kinds++] = (struct lp_kind){.name = name, .color = o->color, .n = 1};
            continue;
        }
        kind[k].n++;
        if (!o->color || !kind[k].color || strcmp(o->color, kind[k].color))
            kind[k].color = NULL;
    }
    for (int i = 1; i < kinds; i++)
        for (int j = i; j > 0 && kind[j].n > kind[j - 1].n; j--) {
            struct lp_kind swap = kind[j];
            kind[j] = kind[j - 1];
            kind[j - 1] = swap;
        }
    return kinds;
}

/* " on a beach" */
static void tell_background(const char *background, struct lp_str *out) {
    for (int i = 0; i < lp_backdrop_count; i++)
        if (!strcmp(lp_backdrops[i].name, background))
            lp_str_printf(out, " %s", lp_backdrops[i].place);
}

void lp_told_scene(const struct lp_kind *kind, int kinds, const char *background, struct lp_str *out) {
    struct lp_str text = {0};
    for (int k = 0; k < kinds; k++) {
        struct lp_str name = {0};
        joint(&text, k, kinds);
        if (kind[k].color)
            lp_str_printf(&name, "%s ", kind[k].color);
        lp_str_puts(&name, kind[k].name);
        lp_name_counted(lp_str_text(&name), kind[k].n, &text);
        text.failed |= name.failed;
        lp_str_done(&name);
    }
    if (!kinds)
        lp_str_puts(&text, "an empty scene");
    if (background)
        tell_background(background, &text);
    lp_wording_tidy(&text);
    lp_str_puts(out, lp_str_text(&text));
    out->failed |= text.failed;
    lp_str_done(&text);
}
