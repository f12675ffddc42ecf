/* SPDX-License-Identifier: MIT */
/* Scenes that are drawn, written and read back say what the picture shows. */
#include "weights/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/scene_write.h"
#include "data/truth.h"
#include "image/rle.h"

static void require(bool ok, const struct lp_error *err) {
    if (!ok)
        fail_msg("%s", err->text);
}

static void write_scenes(char folder[64], int64_t count) {
    struct lp_error err = {0};
    folder_make(folder);
    struct lp_scenes_request q = {.folder = folder, .stickers = lp_stickers_folder(), .seed = 11, .count = count, .side = 96};
    require(lp_scenes_write(&q, &err), &err);
}

static char *read_file(const char *folder, const char *name, size_t *n) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return lp_file_read(path, (size_t)1 << 26, n, NULL);
}

static void truth_is_what_is_drawn(void **state) {
    (void)state;
    char folder[64];
    struct lp_error err = {0};
    write_scenes(folder, 12);
    struct lp_stickers *stickers = lp_stickers_open(lp_stickers_folder(), &err);
    struct lp_truth *truth = lp_truth_open(folder, &err);
    require(stickers && truth, &err);
    assert_true(truth->categories == stickers->count && truth->categories > 250);
    assert_int_equal(truth->pictures, 12);
    uint8_t mask[96 * 96];
    int8_t owner[96 * 96];
    for (int n = 0; n < 12; n++) {
        struct lp_scene scene;
        const struct lp_truth_picture *p = &truth->picture[n];
        lp_scene_make(&scene, stickers, 11, n);
        lp_image_close(lp_scene_draw(&scene, stickers, 96, owner, &err));
        assert_int_equal(p->wholes, scene.items);
        assert_int_equal(p->captions, 2);
        assert_string_equal(p->background, lp_backdrops[scene.backdrop].name);
        for (int i = 0; i < p->wholes; i++) {
            const struct lp_truth_object *o = &p->object[i];
            int area = 0;
            assert_int_equal(o->category, scene.item[i].sticker);
            assert_int_equal(o->depth, i);
            require(lp_rle_decode(mask, 96, 96, o->rle, strlen(o->rle), &err), &err);
            for (int k = 0; k < 96 * 96; k++) {
                area += mask[k];
                assert_int_equal(mask[k], owner[k] == i);
                bool inside = (float)(k % 96) >= o->box[0] && (float)(k % 96) < o->box[2] && (float)(k / 96) >= o->box[1] &&
                              (float)(k / 96) < o->box[3];
                assert_true(inside || !mask[k]);
            }
            assert_int_equal(area, (int)o->area);
        }
    }
    lp_truth_close(truth);
    lp_stickers_close(stickers);
    folder_remove(folder);
}

static void more_scenes_begin_with_the_same(void **state) {
    (void)state;
    char a[64], b[64];
    static const char *const names[] = {"000000.jpg", "000001.jpg", "000002.jpg"};
    write_scenes(a, 3);
    write_scenes(b, 5);
    for (int i = 0; i < 3; i++) {
        size_t n, m;
        char *x = read_file(a, names[i], &n), *y = read_file(b, names[i], &m);
        assert_true(x && y && n == m && !memcmp(x, y, n));
        lp_free(x);
        lp_free(y);
    }
    folder_remove(a);
    folder_remove(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truth_is_what_is_drawn),
        cmocka_unit_test(more_scenes_begin_with_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
