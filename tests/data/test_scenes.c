/* SPDX-License-Identifier: MIT */
/* Scenes that are drawn, written and read back say what the picture shows: masks, parts, print, classes, edits. */
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
#include "base/json.h"
#include "data/scene_edit.h"
#include "data/scene_page.h"
#include "data/scene_text.h"
#include "data/scene_write.h"
#include "data/truth.h"
#include "image/image.h"
#include "image/rle.h"

static void require(bool ok, const struct lp_error *err) {
    if (!ok)
        fail_msg("%s", err->text);
}

enum { COUNT = 40, SIDE = 96, SEED = 11 };

/* Made once for all tests: a folder with COUNT scenes. */
static char folder[64];
static struct lp_stickers *stickers;
static struct lp_truth *truth;

static void write_scenes(const char *to, int64_t count, int side) {
    struct lp_error err = {0};
    struct lp_scenes_request q = {.folder = to, .stickers = lp_stickers_folder(), .seed = SEED, .count = count, .side = side};
    require(lp_scenes_write(&q, &err), &err);
}

static void remove_scenes(const char *from) {
    static const char *const below[] = {"maps", "edits"};
    char path[100];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", from, below[i]);
        folder_remove(path);
    }
    folder_remove(from);
}

static char *read_file(const char *from, const char *name, size_t *n) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s", from, name);
    return lp_file_read(path, (size_t)1 << 26, n, NULL);
}

static json_t *load(const char *name) {
    char path[300];
    struct lp_error err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    json_t *value = lp_json_load(path, &err);
    require(value, &err);
    return value;
}

static struct lp_image *open_picture(const char *name) {
    char path[300];
    struct lp_error err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    struct lp_image *image = lp_image_open(path, &err);
    require(image, &err);
    return image;
}

static int set_up(void **state) {
    (void)state;
    struct lp_error err = {0};
    folder_make(folder);
    write_scenes(folder, COUNT, SIDE);
    stickers = lp_stickers_open(lp_stickers_folder(), &err);
    truth = lp_truth_open(folder, &err);
    require(stickers && truth, &err);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    lp_truth_close(truth);
    lp_stickers_close(stickers);
    remove_scenes(folder);
    return 0;
}

static struct lp_scene scene_of(int n) {
    struct lp_scene scene;
    lp_scene_make(&scene, stickers, SEED, n);
    return scene;
}

static void check_mask(const struct lp_truth_object *o, const struct lp_scene_view *view, int item, int part) {
    static uint8_t mask[SIDE * SIDE];
    struct lp_error err = {0};
    int area = 0;
    require(lp_rle_decode(mask, SIDE, SIDE, o->rle, strlen(o->rle), &err), &err);
    for (int k = 0; k < SIDE * SIDE; k++) {
        area += mask[k];
        assert_int_equal(mask[k], view->owner[k] == item && (part == 0 || view->part[k] == part));
        bool inside = (float)(k % SIDE) >= o->box[0] && (float)(k % SIDE) < o->box[2] && (float)(k / SIDE) >= o->box[1] &&
                      (float)(k / SIDE) < o->box[3];
        assert_true(inside || !mask[k]);
    }
    assert_int_equal(area, (int)o->area);
}

static void truth_is_what_is_drawn(void **state) {
    (void)state;
    int parts = 0;
    assert_true(truth->categories == stickers->names && truth->categories > 250);
    assert_int_equal(truth->pictures, COUNT);
    for (int n = 0; n < COUNT; n++) {
        struct lp_error err = {0};
        struct lp_scene scene = scene_of(n);
        struct lp_scene_view view;
        const struct lp_truth_picture *p = &truth->picture[n];
        require(lp_scene_draw(&view, &scene, stickers, SIDE, &err), &err);
        assert_int_equal(p->wholes, scene.items);
        assert_true(p->captions == 2 || p->captions == 3);
        assert_string_equal(p->background, lp_backdrops[scene.backdrop].name);
        for (int i = 0; i < p->wholes; i++) {
            const struct lp_truth_object *o = &p->object[i];
            assert_int_equal(o->category, scene.item[i].sticker);
            assert_int_equal(o->depth, i);
            check_mask(o, &view, i, 0);
        }
        for (int i = p->wholes; i < p->objects; i++, parts++) {
            const struct lp_truth_object *o = &p->object[i], *whole = &p->object[o->part_of];
            int part = (int)(o->id - whole->id);
            assert_int_equal(o->category, stickers->item[whole->category].part[part - 1]);
            check_mask(o, &view, o->part_of, part);
        }
        lp_scene_view_done(&view);
    }
    assert_true(parts > 10);
}

static void nothing_is_much_hidden(void **state) {
    (void)state;
    for (int n = 0; n < 200; n++) {
        struct lp_scene scene = scene_of(n);
        assert_true(scene.items >= 1 && scene.items <= LP_SCENE_ITEMS);
        assert_true(lp_scene_sound(&scene, stickers));
    }
}

/* The ink of print is inside its boxes and nothing of it elsewhere on the card; words lie in their line. */
static void words_have_boxes(void **state) {
    (void)state;
    int cards = 0, words = 0;
    for (int n = 0; n < 120 && cards < 12; n++) {
        struct lp_error err = {0};
        struct lp_scene_view view;
        struct lp_scene scene = scene_of(n);
        if (!scene.cards)
            continue;
        scene.grain = 0;
        scene.items = 0;
        for (int i = 0; i < scene.cards; i++) {
            memset(scene.card[i].paper, 250, 3);
            memset(scene.card[i].ink, 0, 3);
            scene.card[i].framed = false;
        }
        require(lp_scene_draw(&view, &scene, stickers, 256, &err), &err);
        for (int k = 0; k < 256 * 256; k++) {
            bool boxed = false;
            for (int i = 0; i < view.lines; i++)
                for (int w = 0; w < view.line[i].words; w++) {
                    const int *b = view.line[i].word[w].box;
                    boxed |= k % 256 >= b[0] && k % 256 < b[2] && k / 256 >= b[1] && k / 256 < b[3];
                }
            if (view.owner[k] == LP_SCENE_CARD && view.image->pixel[3 * k] < 100)
                assert_true(boxed);
        }
        for (int i = 0; i < view.lines; i++) {
            const struct lp_scene_line *line = &view.line[i];
            int spaces = 0;
            for (const char *c = line->text; *c; c++)
                spaces += *c == ' ';
            assert_int_equal(line->words, spaces + 1);
            for (int w = 0; w < line->words; w++, words++) {
                const int *b = line->word[w].box;
                assert_true(b[0] < b[2] && b[1] < b[3] && b[0] >= line->box[0] && b[2] <= line->box[2] &&
                            b[1] >= line->box[1] && b[3] <= line->box[3]);
                assert_true(w == 0 || b[0] > line->word[w - 1].box[2]);
            }
        }
        cards += scene.cards;
        lp_scene_view_done(&view);
    }
    assert_true(cards >= 12 && words > cards);
}

static void texts_are_written(void **state) {
    (void)state;
    int lines = 0;
    for (int n = 0; n < COUNT; n++) {
        struct lp_scene scene = scene_of(n);
        int expected = 0;
        for (int i = 0; i < scene.cards; i++)
            for (const char *c = scene.card[i].text; c; c = strchr(c, '\n') ? strchr(c, '\n') + 1 : NULL)
                expected++;
        assert_int_equal(truth->picture[n].texts, expected);
        lines += expected;
    }
    assert_true(lines > 3);
}

static void map_names_every_pixel(void **state) {
    (void)state;
    json_t *file = load("semantic.json"), *classes = json_object_get(file, "classes");
    for (int n = 0; n < 6; n++) {
        char name[32];
        struct lp_error err = {0};
        struct lp_scene scene = scene_of(n);
        struct lp_scene_view view;
        snprintf(name, sizeof name, "maps/%06d.png", n);
        struct lp_image *map = open_picture(name);
        require(lp_scene_draw(&view, &scene, stickers, SIDE, &err), &err);
        for (int k = 0; k < SIDE * SIDE; k++) {
            const json_t *entry = json_array_get(classes, map->pixel[3 * k]);
            int8_t owner = view.owner[k];
            const char *expected = owner >= 0 ? stickers->name[scene.item[owner].sticker].supercategory
                                              : owner == LP_SCENE_CARD ? "sign" : lp_backdrops[scene.backdrop].stuff[-1 - owner];
            assert_string_equal(json_string_value(json_object_get(entry, "name")), expected);
            assert_int_equal(json_is_true(json_object_get(entry, "stuff")), owner < 0);
        }
        lp_scene_view_done(&view);
        lp_image_close(map);
    }
    json_decref(file);
}

static void edits_keep_the_rest(void **state) {
    (void)state;
    json_t *edits = load("edits.json"), *edit;
    size_t i;
    assert_true(json_array_size(edits) > COUNT / 4 - 3);
    json_array_foreach(edits, i, edit) {
        struct lp_image *before = open_picture(json_string_value(json_object_get(edit, "before")));
        struct lp_image *after = open_picture(json_string_value(json_object_get(edit, "after")));
        assert_int_equal(after->width, before->width);
        assert_memory_not_equal(after->pixel, before->pixel, (size_t)(SIDE * SIDE * 3));
        assert_true(json_string_length(json_object_get(edit, "instruction")) > 5);
        assert_true(json_string_length(json_object_get(edit, "caption")) > 5);
        lp_image_close(before);
        lp_image_close(after);
    }
    json_decref(edits);
}

/* All five ways of editing: what changed is one thing, and what is there stays visible. */
static void edits_are_of_five_kinds(void **state) {
    (void)state;
    int kinds[5] = {0};
    for (int n = 0; n < 300; n++) {
        struct lp_scene scene = scene_of(n), after;
        struct lp_rng rng;
        struct lp_str instruction = {0};
        lp_rng_seed(&rng, (uint64_t)n);
        if (!lp_scene_edit(&after, &scene, stickers, &rng, &instruction))
            continue;
        assert_true(lp_scene_sound(&after, stickers));
        assert_null(strpbrk(lp_str_text(&instruction), "$%@"));
        struct lp_scene_kind a[LP_SCENE_ITEMS], b[LP_SCENE_ITEMS];
        int before = lp_scene_kinds(&scene, a), now = lp_scene_kinds(&after, b), same = 0;
        for (int i = 0; i < before; i++)
            for (int j = 0; j < now; j++)
                same += a[i].sticker == b[j].sticker && a[i].count == b[j].count && a[i].color == b[j].color;
        if (after.backdrop != scene.backdrop)
            kinds[0]++, assert_true(same == before && same == now);
        else if (now < before)
            kinds[1]++, assert_true(same == now && now == before - 1);
        else if (now > before)
            kinds[2]++, assert_true(same == before && now == before + 1);
        else
            kinds[3 + (same == before - 1)]++, assert_true(same >= before - 1);
        lp_str_done(&instruction);
    }
    for (int i = 0; i < 5; i++)
        assert_true(i == 3 || kinds[i] > 15);
    assert_int_equal(kinds[3], 0);
}

static void things_stand_on_things(void **state) {
    (void)state;
    int standing = 0;
    for (int n = 0; n < 300; n++) {
        struct lp_scene scene = scene_of(n);
        for (int i = 0; i < scene.items; i++) {
            const struct lp_scene_item *item = &scene.item[i];
            if (item->on < 0)
                continue;
            standing++;
            assert_true(item->on < i && stickers->item[scene.item[item->on].sticker].support);
            assert_true(item->y < scene.item[item->on].y);
        }
    }
    assert_true(standing > 8);
}

static void more_scenes_begin_with_the_same(void **state) {
    (void)state;
    char again[64];
    static const char *const names[] = {"000000.jpg", "000004.jpg", "maps/000003.png", "edits/000000_after.jpg"};
    folder_make(again);
    write_scenes(again, 5, SIDE);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n, m;
        char *x = read_file(folder, names[i], &n), *y = read_file(again, names[i], &m);
        assert_true(x && y && n == m && !memcmp(x, y, n));
        lp_free(x);
        lp_free(y);
    }
    struct lp_error err = {0};
    struct lp_truth *fewer = lp_truth_open(again, &err);
    require(fewer, &err);
    for (int n = 0; n < 5; n++)
        assert_string_equal(fewer->picture[n].caption[0], truth->picture[n].caption[0]);
    lp_truth_close(fewer);
    remove_scenes(again);
}

static void names_are_unique(void **state) {
    (void)state;
    assert_true(stickers->plain >= 250);
    for (int i = 0; i < stickers->names; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(stickers->name[i].name, stickers->name[k].name);
}

static void refuses_bad_tables(void **state) {
    (void)state;
    static const struct {
        const char *table, *signs, *reason;
    } bad[] = {
        {"", "A\n", "names no stickers"},
        {"# nothing\n", "A\n", "names no stickers"},
        {"\xf0\x9f\x90\x95 | dog | puppy\n", "A\n", "line 1: a line is"},
        {"\n\xf0\x9f\x90\x95 | dog | puppy | animal | flies\n", "A\n", "line 2: a line is"},
        {"\xf0\x9f\x90\x95 | | puppy | animal\n", "A\n", "line 1: a line is"},
        {"\xf0\x9f\x90\x95 | dog | puppy | animal | support | x\n", "A\n", "line 1: a line is"},
        {"\xf0\x9f\x90\x95 | dog | puppy | animal\n", "A\nThis is much too long for any sign that one would see\n", "line 2: a sign"},
    };
    char odd[64];
    folder_make(odd);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct lp_error err = {0};
        folder_put(odd, "stickers.txt", bad[i].table, strlen(bad[i].table));
        folder_put(odd, "signs.txt", bad[i].signs, strlen(bad[i].signs));
        assert_null(lp_stickers_open(odd, &err));
        if (err.code != LP_EINPUT || !strstr(err.text, bad[i].reason))
            fail_msg("expected '%s', got '%s'", bad[i].reason, err.text);
    }
    folder_remove(odd);
    struct lp_error err = {0};
    assert_null(lp_stickers_open(odd, &err));
    assert_int_equal(err.code, LP_EIO);
}

/* One scene, with a sign and an edit, for each allocation that may fail. */
static void survives_no_memory(void **state) {
    (void)state;
    char to[64], path[100];
    struct lp_error err = {0};
    struct lp_scenes_request q = {.folder = to, .seed = SEED, .side = 40};
    struct lp_scene_classes classes;
    int64_t number = 0;
    while (!scene_of((int)number).cards)
        number += 4;
    folder_make(to);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", to, i ? "maps" : "edits");
        require(lp_file_make_folder(path, &err), &err);
    }
    require(lp_scene_classes_init(&classes, stickers, &err), &err);
    bool made = false;
    for (long n = 1; !made && n < 2000; n++) {
        struct lp_scene_page page;
        err = (struct lp_error){0};
        lp_test_fail_alloc(n);
        made = lp_scene_page_make(&page, &q, stickers, &classes, NULL, number, &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_true(made ? !failed : err.code == LP_EMEMORY);
        lp_scene_page_done(&page);
    }
    assert_true(made);
    lp_scene_classes_done(&classes);
    remove_scenes(to);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(truth_is_what_is_drawn),
        cmocka_unit_test(nothing_is_much_hidden),
        cmocka_unit_test(words_have_boxes),
        cmocka_unit_test(texts_are_written),
        cmocka_unit_test(map_names_every_pixel),
        cmocka_unit_test(things_stand_on_things),
        cmocka_unit_test(edits_are_of_five_kinds),
        cmocka_unit_test(edits_keep_the_rest),
        cmocka_unit_test(more_scenes_begin_with_the_same),
        cmocka_unit_test(refuses_bad_tables),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
