/* SPDX-License-Identifier: MIT */
/* data/show_map.c - one byte a pixel, made visible. */
#include "data/show_map.h"

#include "base/file.h"
#include "image/draw.h"
#include "image/page.h"

#include <limits.h>
#include <string.h>

static const char *name_of(const json_t *classes, int id) {
    const json_t *item;
    size_t i;
    json_array_foreach(json_object_get(classes, "classes"), i, item) {
        const char *name = json_string_value(json_object_get(item, "name"));
        if (name && json_integer_value(json_object_get(item, "id")) == id)
            return name;
    }
    return "?";
}

static void color_of(int id, uint8_t rgb[3]) {
    static const uint8_t none[3] = {232, 232, 236};
    lp_draw_color(id * 5, rgb);
    for (int c = 0; c < 3; c++) /* paler than boxes, in another shade each time the row of colours starts again */
        rgb[c] = id ? (uint8_t)(rgb[c] + (255 - rgb[c]) * (3 + id / 12 % 3 * 2) / 10) : none[c];
}

/* Names of the classes that are there, each in its colour's box, as lines from the bottom up. */
static bool write_legend(struct lp_image *map, const json_t *classes, const int *area, struct lp_error *err) {
    static const struct lp_page_pen pen = {"sans bold", 14, {20, 22, 28}};
    static const uint8_t paper[3] = {255, 255, 255}, dark[3] = {60, 64, 72};
    int n = 0, most = (map->height - 16) / 22;
    for (int id = 0; id < 256; id++)
        n += area[id] > 0;
    n = n < most ? n : most;
    int y = map->height - 8 - n * 22;
    lp_page_panel(map, 8, y - 4, 150, n * 22 + 8, 6, paper);
    for (int id = 0; id < 256 && n > 0; id++) {
        uint8_t rgb[3];
        if (!area[id])
            continue;
        color_of(id, rgb);
        lp_page_panel(map, 14, y + 3, 16, 16, 3, dark);
        lp_page_panel(map, 15, y + 4, 14, 14, 3, rgb);
        if (lp_page_write(map, name_of(classes, id), &pen, 38, y + 2, 116, err) < 0)
            return false;
        y += 22;
        n--;
    }
    return true;
}

bool lp_show_map(const char *folder, const json_t *classes, const struct lp_truth_picture *p, int side, struct lp_image **map,
                 struct lp_error *err) {
    char path[PATH_MAX], name[300];
    int area[256] = {0};
    const char *dot = strrchr(p->file, '.');
    *map = NULL;
    snprintf(name, sizeof name, "maps/%.*s.png", dot && dot - p->file < 256 ? (int)(dot - p->file) : 0, p->file);
    if (!lp_file_join(path, sizeof path, folder, name, err))
        return false;
    if (!lp_file_exists(path))
        return true;
    struct lp_image *raw = lp_image_open(path, err);
    int longer = raw ? (raw->width > raw->height ? raw->width : raw->height) : 1;
    int width = raw ? (int)((int64_t)raw->width * side / longer) : 1, height = raw ? (int)((int64_t)raw->height * side / longer) : 1;
    struct lp_image *wide = raw ? lp_image_new(width ? width : 1, height ? height : 1, err) : NULL;
    for (int y = 0; wide && y < wide->height; y++)
        for (int x = 0; x < wide->width; x++) {
            int64_t from = (int64_t)y * raw->height / wide->height * raw->width + (int64_t)x * raw->width / wide->width;
            int id = raw->pixel[3 * from];
            color_of(id, wide->pixel + 3 * ((size_t)y * (size_t)wide->width + (size_t)x));
            area[id]++;
        }
    lp_image_close(raw);
    if (wide && write_legend(wide, classes, area, err)) {
        *map = wide;
        return true;
    }
    lp_image_close(wide);
    return false;
}
