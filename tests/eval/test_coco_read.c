/* SPDX-License-Identifier: MIT */
/* COCO's files from outside: what is wrong is one sentence with the record's number. */
#include "eval/coco_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A picture of 8 x 6 px with a square and a crowd. */
#define CATEGORIES "'categories':[{'id':7,'name':'dog'},{'id':2,'name':'cat'}]"
#define IMAGES "'images':[{'id':5,'width':8,'height':6}]"
#define SQUARE "'id':1,'image_id':5,'category_id':7,'area':4"
#define OUTLINE "'segmentation':[[1,1,3,1,3,3,1,3]]"
#define TRUTH(annotation) "{" CATEGORIES "," IMAGES ",'annotations':[" annotation "]}"
#define GOOD TRUTH("{" SQUARE ",'bbox':[1,1,2,2]," OUTLINE "}")

/* JSON with ' for " */
static json_t *parse(const char *quoted, const char *name, struct lp_error *err) {
    char text[1024];
    size_t n = strlen(quoted);
    assert_true(n < sizeof text);
    for (size_t i = 0; i < n; i++)
        text[i] = quoted[i] == '\'' ? '"' : quoted[i];
    return lp_json_parse(text, n, name, err);
}

static bool take_truth(struct lp_coco *set, const char *quoted, struct lp_error *err) {
    json_t *json = parse(quoted, "truth", err);
    bool ok = json && lp_coco_take_truth(set, json, "truth", err);
    json_decref(json);
    return ok;
}

static bool take_results(struct lp_coco *set, const char *quoted, struct lp_error *err) {
    json_t *json = parse(quoted, "results", err);
    bool ok = json && lp_coco_take_results(set, json, "results", err);
    json_decref(json);
    return ok;
}

static void reads(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_coco set = {.masks = true};
    if (!take_truth(&set,
                    TRUTH("{" SQUARE ",'iscrowd':0," OUTLINE "},"
                          "{'id':9,'image_id':5,'category_id':2,'area':3.5,'iscrowd':1,'segmentation':{'size'"
                          ":[6,8],'counts':[6,3,39]}}"),
                    &err))
        fail_msg("%s", err.text);
    assert_int_equal(set.categories, 2);
    assert_string_equal(set.category[0].name, "cat"); /* by id */
    assert_int_equal(lp_coco_find_category(&set, 7), 1);
    assert_int_equal(lp_coco_find_picture(&set, 6), -1);
    const struct lp_coco_thing *crowd = &set.truth.thing[1];
    assert_true(crowd->crowd && crowd->area == 3.5 && crowd->box[0] == 1 && crowd->box[3] == 3);
    assert_int_equal(lp_rle_area(&set.truth.thing[0].mask), 4);

    if (!take_results(
            &set,
            "[{'image_id':5,'category_id':7,'score':0.5,'bbox':[1,1,2,2],'segmentation':null},"
            "{'image_id':5,'category_id':7,'score':1,'segmentation':{'size':[6,8],'counts':'63W1'}},"
            "{'image_id':5,'category_id':7,'score':-3,'bbox':[0,0,5,5]," OUTLINE "}]",
            &err))
        fail_msg("%s", err.text);
    const struct lp_coco_thing *found = set.found.thing;
    assert_int_equal(lp_rle_area(&found[0].mask), 4); /* a box is its own mask */
    assert_true(found[0].area == 4 && found[1].area == 3);
    assert_true(found[2].area == 25 && found[2].box[2] == 2); /* its box's area, as in pycocotools */
    assert_true(lp_coco_iou(&set, &found[2], &set.truth.thing[0]) == 1);
    lp_coco_done(&set);
}

/* Boxes alone need neither masks nor sizes; a mask's box is the one around it. */
static void reads_boxes(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_coco set = {0};
    assert_true(take_truth(
        &set,
        "{'categories':[{'id':1,'name':'x'}],'images':[{'id':1},{'id':2,'width':8,'height':6}],'annotations':"
        "[{'id':1,'image_id':1,'category_id':1,'area':4,'bbox':[1.5,2,3,4]}]}",
        &err));
    assert_true(take_results(
        &set,
        "[{'image_id':2,'category_id':1,'score':1,'segmentation':{'size':[6,8],'counts':[6,3,39]}},"
        "{'image_id':1,'category_id':1,'score':1,'bbox':[-1,2,3,4]}]",
        &err));
    assert_true(set.found.thing[0].box[0] == 1 && set.found.thing[0].area == 3 &&
                !set.found.thing[0].mask.run);
    lp_coco_done(&set);
}

static void refuses_truths(void **state) {
    (void)state;
    static const struct {
        const char *json, *text;
    } bad[] = {
        {"[]", "truth: it has no list 'categories'"},
        {"{" CATEGORIES "}", "truth: it has no list 'images'"},
        {"{" CATEGORIES "," IMAGES ",'annotations':{}}", "truth: it has no list 'annotations'"},
        {"{'categories':[{'name':'x'}],'images':[]}", "truth: category 1: it has no 'id'"},
        {"{'categories':[{'id':1}],'images':[]}", "truth: category 1: it has no 'name'"},
        {"{'categories':[{'id':1,'name':3}],'images':[]}", "truth: category 1: 'name' must be a string"},
        {"{'categories':[{'id':1,'name':'x'},{'id':1,'name':'y'}],'images':[]}",
         "truth: there are two categories of the id 1"},
        {"{" CATEGORIES ",'images':[7]}", "truth: image 1: it has no 'id'"},
        {"{" CATEGORIES ",'images':[{'id':1.5}]}", "truth: image 1: 'id' must be a whole number"},
        {"{" CATEGORIES ",'images':[{'id':1,'width':-4}]}",
         "truth: image 1: 'width' is -4, but must be 0 to 2147483647"},
        {"{" CATEGORIES ",'images':[{'id':1,'width':2000000000,'height':2000000000}]}",
         "truth: image 1: it has more than 178956970 pixels"},
        {"{" CATEGORIES ",'images':[{'id':1},{'id':1}]}", "truth: there are two images of the id 1"},
        {TRUTH("null"), "truth: annotation 1: it has no 'id'"},
        {TRUTH("{'id':1}"), "truth: annotation 1: it has no 'image_id'"},
        {TRUTH("{'id':1,'image_id':6,'category_id':7}"), "truth: annotation 1: there is no image 6"},
        {TRUTH("{'id':1,'image_id':'5','category_id':7}"),
         "truth: annotation 1: 'image_id' must be a whole number"},
        {TRUTH("{'id':1,'image_id':5,'category_id':8}"), "truth: annotation 1: there is no category 8"},
        {TRUTH("{" SQUARE "," OUTLINE "},{'id':1,'image_id':5,'category_id':7," OUTLINE "}"),
         "truth: annotation 2: it has no 'area'"},
        {TRUTH("{" SQUARE "," OUTLINE "},{" SQUARE "," OUTLINE "}"),
         "truth: there are two annotations of the id 1"},
        {TRUTH("{'id':1,'image_id':5,'category_id':7,'area':-1," OUTLINE "}"),
         "truth: annotation 1: its 'area' is not a number from 0 on"},
        {TRUTH("{'id':1,'image_id':5,'category_id':7,'area':1e300," OUTLINE "}"),
         "truth: annotation 1: its area is larger than any picture"},
        {TRUTH("{" SQUARE ",'iscrowd':2," OUTLINE "}"), "truth: annotation 1: 'iscrowd' is neither 0 nor 1"},
        {TRUTH("{" SQUARE "}"),
         "truth: annotation 1: its 'segmentation' is neither outlines nor run lengths"},
        {TRUTH("{" SQUARE ",'segmentation':[]}"),
         "truth: annotation 1: its 'segmentation' is neither outlines nor run lengths"},
        {TRUTH("{" SQUARE ",'segmentation':[[1,1,3,1]]}"),
         "truth: annotation 1: outline 1 of its mask is not the x and y of 3 corners or more"},
        {TRUTH("{" SQUARE ",'segmentation':[[1,1,3,1,2,2],5]}"),
         "truth: annotation 1: outline 2 of its mask is not the x and y of 3 corners or more"},
        {TRUTH("{" SQUARE ",'segmentation':[[1,1,3,1,3,'x']]}"),
         "truth: annotation 1: outline 1 of its mask has a corner that is not in pixels"},
        {TRUTH("{" SQUARE ",'segmentation':[[1,1,3,1,3,1e9]]}"),
         "truth: annotation 1: outline 1 of its mask has a corner that is not in pixels"},
        {TRUTH("{" SQUARE ",'segmentation':{'counts':[48]}}"),
         "truth: annotation 1: its mask has no 'size' [height, width]"},
        {TRUTH("{" SQUARE ",'segmentation':{'size':[8,6],'counts':[48]}}"),
         "truth: annotation 1: its mask is 6 x 8, the picture 8 x 6"},
        {TRUTH("{" SQUARE ",'segmentation':{'size':[6,8]}}"),
         "truth: annotation 1: its mask has no 'counts', a string or a list"},
        {TRUTH("{" SQUARE ",'segmentation':{'size':[6,8],'counts':[]}}"),
         "truth: annotation 1: the mask's run lengths cover 0 of its 48 pixels"},
        {TRUTH("{" SQUARE ",'segmentation':{'size':[6,8],'counts':[40,7]}}"),
         "truth: annotation 1: the mask's run lengths cover 47 of its 48 pixels"},
        {TRUTH("{" SQUARE ",'segmentation':{'size':[6,8],'counts':[40,100000000,100000000]}}"),
         "truth: annotation 1: the mask's run lengths do not fit its 8 x 6 pixels"},
        {TRUTH("{" SQUARE ",'segmentation':{'size':[6,8],'counts':[40,-1,9]}}"),
         "truth: annotation 1: run length 2 of its mask is not a whole number of pixels"},
        {TRUTH("{" SQUARE ",'segmentation':{'size':[6,8],'counts':'6'}}"),
         "truth: annotation 1: the mask's run lengths cover 6 of its 48 pixels"},
        {TRUTH("{" SQUARE ",'segmentation':{'size':[6,8],'counts':' '}}"),
         "truth: annotation 1: the mask's run lengths are malformed at character 1"},
        {"{" CATEGORIES ",'images':[{'id':5,'height':6}],'annotations':[{" SQUARE "," OUTLINE "}]}",
         "truth: annotation 1: image 5 has no 'width' and 'height', which masks need"},
        {"{'categories':[{'id':NaN}]}", "truth is not valid JSON (line 1: invalid token near 'NaN')"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct lp_coco set = {.masks = true};
        struct lp_error err = {0};
        assert_false(take_truth(&set, bad[i].json, &err));
        assert_string_equal(err.text, bad[i].text);
        assert_int_equal(err.code, LP_EINPUT);
        lp_coco_done(&set);
    }
}

static void refuses_results(void **state) {
    (void)state;
    static const struct {
        const char *json, *text;
        bool masks;
    } bad[] = {
        {"{}", "results is not a list of results", false},
        {"[1]", "results: result 1: it has no 'image_id'", false},
        {"[{'image_id':5,'category_id':7}]", "results: result 1: it has no 'score'", false},
        {"[{'image_id':4,'category_id':7}]", "results: result 1: there is no image 4", false},
        {"[{'image_id':5,'category_id':1}]", "results: result 1: there is no category 1", false},
        {"[{'image_id':5,'category_id':7,'score':null}]", "results: result 1: it has no 'score'", false},
        {"[{'image_id':5,'category_id':7,'score':'high'}]", "results: result 1: 'score' must be a number",
         false},
        {"[{'image_id':5,'category_id':7,'score':1}]",
         "results: result 1: it has neither 'bbox' nor 'segmentation'", false},
        {"[{'image_id':5,'category_id':7,'score':1,'bbox':[1,2,3]}]",
         "results: result 1: its 'bbox' is not [x, y, width, height]", false},
        {"[{'image_id':5,'category_id':7,'score':1,'bbox':[1,2,3,null]}]",
         "results: result 1: its 'bbox' is not [x, y, width, height]", false},
        {"[{'image_id':5,'category_id':7,'score':1,'bbox':[1,2,3,4]},{'image_id':5,'category_id':7,'score':1,"
         "'bbox':[1,2,-3,4]}]",
         "results: result 2: its box has a width or height below 0", false},
        {"[{'image_id':5,'category_id':7,'score':1,'bbox':[1,2,-3,4]}]",
         "results: result 1: its box has a width or height below 0", true},
        {"[{'image_id':5,'category_id':7,'score':1,'bbox':[1e308,2,1e308,4]}]",
         "results: result 1: its box is far outside any picture", false},
        {"[{'image_id':5,'category_id':7,'score':1,'bbox':[1e308,2,1e308,4]}]",
         "results: result 1: its box is far outside any picture", true},
        {"[{'image_id':5,'category_id':7,'score':1,'bbox':[],'segmentation':'x'}]",
         "results: result 1: its 'segmentation' is neither outlines nor run lengths", false},
        {"[{'image_id':9007199254740993,'category_id':7}]",
         "results: result 1: 'image_id' is 9007199254740993, but must be -9007199254740992 to "
         "9007199254740992",
         false},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct lp_coco set = {.masks = bad[i].masks};
        struct lp_error err = {0};
        assert_true(take_truth(&set, GOOD, &err));
        assert_false(take_results(&set, bad[i].json, &err));
        assert_string_equal(err.text, bad[i].text);
        assert_int_equal(err.code, LP_EINPUT);
        lp_coco_done(&set);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads), cmocka_unit_test(reads_boxes),
                                       cmocka_unit_test(refuses_truths), cmocka_unit_test(refuses_results)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
