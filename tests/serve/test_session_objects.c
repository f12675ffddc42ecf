/* SPDX-License-Identifier: MIT */
/* Sessions: their pictures, marks and other objects, and messages that bring them. */
#include "serve/sessions.h"

#include "base/base64.h"
#include "image/rle.h"

/* The handle of the picture on which an object of a list lies; "" for none. */
static const char *lies_on(const json_t *list, const char *handle) {
    const json_t *object;
    size_t i;
    json_array_foreach(list, i, object)
        if (!strcmp(text_of(object, "handle"), handle))
            return text_of(object, "picture");
    fail_msg("no %s", handle);
    return NULL;
}

/* What the call says, what the one before it made, or else the newest picture; also after a restart. */
static void objects_tell_on_which_picture_they_lie(void **state) {
    (void)state;
    static const char *const twice[] = {TURN("Both.", "[" CALL("sam", "\"points\": [[0.25, 0.5]], \"image\": \"img_1\"") ", "
                                                          CALL("sam", "\"points\": [[0.25, 0.5]]") "]", "I will use sam."),
                                        TURN("Thanks.", "[]", "Done."), NULL};
    static const struct {
        const char *handle, *on;
    } objects[] = {{"mask_1", "img_2"}, {"point_1", "img_2"}, {"mask_2", "img_1"}, {"map_1", "img_1"}, {"img_3", ""},
                   {"text_1", ""},      {"mask_3", "img_3"},  {"map_2", "img_3"}};
    struct service s;
    char path[80], folder[] = "/tmp/llava-plus-test-XXXXXX", command[80];
    begin(&s, twice);
    s.settings.state = mkdtemp(folder);
    service_start(&s);
    talk_begin(port_of(&s), "", path);
    assert_int_equal(talk_add(port_of(&s), path, 20, 10, 200), 201);
    assert_int_equal(talk_add(port_of(&s), path, 30, 10, 100), 201);
    struct answer a = ask(&s, path, "{\"text\":\"Cut\",\"points\":[[0.25,0.5]],\"strokes\":[{\"points\":[[0.5,0.5]]}],"
                                    "\"stream\":false}");
    assert_int_equal(a.status, 200);
    json_t *turn = answer_json(&a), *results = json_object_get(turn, "results");
    assert_string_equal(lies_on(json_object_get(json_array_get(results, 0), "objects"), "map_1"), "img_1");
    assert_string_equal(lies_on(json_object_get(json_array_get(results, 1), "objects"), "map_2"), "img_3");
    const json_t *map = json_array_get(json_object_get(json_array_get(results, 0), "objects"), 1);
    char *classes = json_dumps(json_object_get(map, "classes"), JSON_COMPACT);
    assert_string_equal(classes, "[{\"class\":0,\"label\":\"wall\",\"color\":\"#787878\",\"share\":0.5},"
                                 "{\"class\":1,\"label\":\"building\",\"color\":\"#b47878\",\"share\":0.5}]");
    free(classes);
    json_decref(turn);
    answer_done(&a);
    for (int restarted = 0; restarted < 2; restarted++) {
        json_t *session = talk_session(port_of(&s), path);
        for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
            assert_string_equal(lies_on(json_object_get(session, "objects"), objects[i].handle), objects[i].on);
        json_decref(session);
        lp_server_close(s.server);
        service_start(&s);
    }
    service_end(&s);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

static void objects_by_their_handles(void **state) {
    (void)state;
    struct service s;
    char path[80];
    begin(&s, cuts);
    service_start(&s);
    talk_begin(port_of(&s), "", path);
    assert_int_equal(talk_add(port_of(&s), path, 20, 10, 200), 201);
    struct answer a = ask(&s, path, "{\"text\":\"Cut\",\"points\":[[0.25,0.5],[0.75,0.5]],\"stream\":false}");
    assert_int_equal(a.status, 200);
    answer_done(&a);

    static const struct {
        const char *handle;
        int width, height, pixel; /* of the first one */
    } pictures[] = {{"img_1", 20, 10, 200}, {"img_2.png", 8, 6, 77}, {"mask_1.png", 20, 10, 255}, {"map_1", 20, 10, 1}};
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        char rest[40];
        snprintf(rest, sizeof rest, "/objects/%s", pictures[i].handle);
        a = talk_do(port_of(&s), "GET", path, rest, "", NULL);
        assert_int_equal(a.status, 200);
        assert_non_null(strcasestr(lp_str_text(&a.all), "Content-Type: image/png"));
        const char *bytes = strstr(a.all.s, "\r\n\r\n") + 4;
        struct lp_image *image = lp_image_decode(bytes, a.all.n - (size_t)(bytes - a.all.s), "it", NULL);
        assert_non_null(image);
        assert_int_equal(image->width, pictures[i].width);
        assert_int_equal(image->height, pictures[i].height);
        assert_int_equal(image->pixel[0], pictures[i].pixel);
        lp_image_close(image);
        answer_done(&a);
    }

    a = talk_do(port_of(&s), "GET", path, "/objects/mask_1", "", NULL);
    json_t *mask = answer_json(&a);
    const json_t *runs = json_object_get(mask, "segmentation");
    const char *counts = text_of(runs, "counts");
    uint8_t pixel[200];
    assert_string_equal(text_of(mask, "label"), "half");
    assert_string_equal(text_of(mask, "by"), "skill");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(runs, "size"), 0)), 10);
    assert_true(lp_rle_decode(pixel, 20, 10, counts, strlen(counts), NULL));
    for (int i = 0; i < 200; i++)
        assert_int_equal(pixel[i], i % 20 < 10);
    json_decref(mask);
    answer_done(&a);

    a = talk_do(port_of(&s), "GET", path, "/objects/text_1", "", NULL);
    assert_non_null(strstr(lp_str_text(&a.body), "\"text\":\"played\""));
    answer_done(&a);
    static const char *const missing[] = {"img_3", "text_1.png", "x", "img_1.jpg", "mask_0"};
    for (int i = 0; i < 5; i++) {
        char rest[40];
        snprintf(rest, sizeof rest, "/objects/%s", missing[i]);
        answer_refused(talk_do(port_of(&s), "GET", path, rest, "", NULL), 404, "object");
    }
    service_end(&s);
}

/* As bytes, as a data URL, by a handle, in a form. */
static void pictures_come_in_four_ways(void **state) {
    (void)state;
    struct service s;
    struct lp_str png = talk_picture(5, 4, 9), json = {0}, form = {0};
    char path[80], images[100];
    begin(&s, cuts);
    service_start(&s);
    talk_begin(port_of(&s), "", path);
    snprintf(images, sizeof images, "%s/images", path);
    lp_str_puts(&json, "{\"image\":\"data:image/png;base64,");
    lp_base64_add(&json, (const uint8_t *)png.s, png.n);
    lp_str_puts(&json, "\"}");
    for (int i = 0; i < 2; i++) {
        lp_str_printf(&form, "--xx\r\nContent-Disposition: form-data; name=\"f\"; filename=\"%d.png\"\r\n\r\n", i);
        lp_str_add(&form, png.s, png.n);
        lp_str_puts(&form, "\r\n--xx\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nno file\r\n");
    }
    lp_str_puts(&form, "--xx--\r\n");
    const struct {
        const char *type, *body;
        size_t n;
        const char *says;
    } cases[] = {{"image/png", png.s, png.n, "{\"objects\":[{\"handle\":\"img_1\",\"kind\":\"img\",\"width\":5,"},
                 {"application/json", json.s, json.n, "\"img_2\""},
                 {"application/json", "{\"image\":\"img_1\"}", 17, "\"img_3\""},
                 {"multipart/form-data; boundary=xx", form.s, form.n, "\"img_5\""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char type[80];
        snprintf(type, sizeof type, "Content-Type: %s\r\n", cases[i].type);
        struct answer a = talk_post(port_of(&s), images, type, cases[i].body, cases[i].n);
        if (a.status != 201 || !strstr(lp_str_text(&a.body), cases[i].says))
            fail_msg("%s: %s", cases[i].type, lp_str_text(&a.all));
        answer_done(&a);
    }
    assert_true(metric(&s, "llava_plus_objects") == 5);
    assert_true(metric(&s, "llava_plus_state_bytes") == (double)png.n); /* one file for all five */
#define NOTE "--yy\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nno file\r\n"
#define ONE_FILE "--yy\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.png\"\r\n\r\nx\r\n"
#define FILES ONE_FILE ONE_FILE ONE_FILE
    static const struct {
        const char *type, *body;
        int status;
        const char *says;
    } bad[] = {{"image/png", "no picture", 400, "a picture"},
               {"image/svg+xml", "<svg/>", 400, "a picture"},
               {"text/plain", "x", 415, "multipart/form-data"},
               {"application/json", "{\"image\":\"/etc/passwd\"}", 400, "not fetched"},
               {"application/json", "{\"image\":\"https://example.org/a.png\"}", 400, "not fetched"},
               {"application/json", "{\"image\":\"img_9\"}", 404, "no such object"},
               {"application/json", "{}", 400, "'image' must be"},
               {"application/json", "[[", 400, "not valid JSON"},
               {"multipart/form-data; boundary=yy", "--xx", 400, "the form"},
               {"multipart/form-data; boundary=yy", NOTE "--yy--\r\n", 400, "the form has no file in it"},
               {"multipart/form-data; boundary=yy", FILES FILES FILES FILES FILES FILES "--yy--\r\n", 400, "at most 16 pictures"},
               {"multipart/form-data", "--xx", 400, "the form"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char type[80];
        snprintf(type, sizeof type, "Content-Type: %s\r\n", bad[i].type);
        answer_refused(talk_post(port_of(&s), images, type, bad[i].body, strlen(bad[i].body)), bad[i].status, bad[i].says);
    }
    lp_str_done(&png);
    lp_str_done(&json);
    lp_str_done(&form);
    service_end(&s);
}

static void the_state_takes_so_many_bytes(void **state) {
    (void)state;
    struct service s;
    char path[80];
    begin(&s, cuts);
    s.settings.most_state = 100;
    service_start(&s);
    talk_begin(port_of(&s), "", path);
    assert_int_equal(talk_add(port_of(&s), path, 4, 4, 1), 201);
    assert_int_equal(talk_add(port_of(&s), path, 4, 4, 1), 201); /* the same file */
    assert_int_equal(talk_add(port_of(&s), path, 4, 4, 2), 507);
    service_end(&s);
}

static void malformed_messages_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *body, *says;
    } cases[] = {
        {"", "not valid JSON"},
        {"[]", "must be a JSON object"},
        {"{}", "'text'"},
        {"{\"text\":\" \"}", "'text'"},
        {"{\"text\":7}", "'text'"},
        {"{\"text\":\"x\",\"pionts\":[]}", "no 'pionts'"},
        {"{\"text\":\"x\",\"points\":\"here\"}", "'points' must be a list"},
        {"{\"text\":\"x\",\"points\":[[0.5,1.5]]}", "0 to 1"},
        {"{\"text\":\"x\",\"points\":[[0.5,0.5]],\"labels\":[2]}", "'labels'"},
        {"{\"text\":\"x\",\"points\":[[0.5,0.5]],\"labels\":[1,0]}", "'labels'"},
        {"{\"text\":\"x\",\"labels\":[]}", "'labels'"},
        {"{\"text\":\"x\",\"boxes\":[[0,0,1]]}", "'boxes' must be a list"},
        {"{\"text\":\"x\",\"boxes\":[[0,0,1,-1]]}", "0 to 1"},
        {"{\"text\":\"x\",\"strokes\":{}}", "'strokes' must be a list"},
        {"{\"text\":\"x\",\"strokes\":[[0.5,0.5]]}", "a stroke must be"},
        {"{\"text\":\"x\",\"strokes\":[{\"points\":[]}]}", "must have a point"},
        {"{\"text\":\"x\",\"strokes\":[{\"points\":[[0.5,0.5]],\"width\":0.5}]}", "'width' must be 0 to 0.2"},
        {"{\"text\":\"x\",\"strokes\":[{\"points\":[[0.5,0.5]],\"colour\":1}]}", "no 'colour'"},
        {"{\"text\":\"x\",\"reference\":\"img_1\"}", "'reference' must be"},
        {"{\"text\":\"x\",\"reference\":{\"image\":\"/etc/passwd\"}}", "no data URL and no picture"},
        {"{\"text\":\"x\",\"reference\":{\"image\":\"data:image/png;base64,AAAA\"}}", "a picture"},
        {"{\"text\":\"x\",\"temperature\":3}", "'temperature' must be 0 to 2"},
        {"{\"text\":\"x\",\"stream\":\"yes\"}", "'stream' must be true or false"},
        {"{\"text\":\"x\",\"points\":[[0.5,0.5]]}", "need a picture"},
    };
    struct service s;
    char path[80];
    begin(&s, cuts);
    service_start(&s);
    talk_begin(port_of(&s), "", path);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        answer_refused(ask(&s, path, cases[i].body), 400, cases[i].says);
    json_t *session = talk_session(port_of(&s), path);
    assert_int_equal(json_array_size(json_object_get(session, "turns")), 0);
    assert_int_equal(json_array_size(json_object_get(session, "objects")), 0);
    assert_int_equal(s.fake.feeds, 0);
    json_decref(session);
    answer_refused(ask(&s, "/v1/sessions/sess_00000000000000000000000000000000", "{\"text\":\"x\"}"), 404, "no such session");
    answer_refused(ask(&s, "/v1/sessions/x", "{\"text\":\"x\"}"), 404, "no such session");
    answer_refused(talk_do(port_of(&s), "PUT", path, "", JSON_TYPE, "{}"), 405, "for ");
    struct answer a = talk_do(port_of(&s), "PUT", path, "", JSON_TYPE, "{}");
    assert_non_null(strcasestr(lp_str_text(&a.all), "Allow: GET, DELETE\r\n"));
    answer_done(&a);
    service_end(&s);
}

/* A stroke is a mask that skills can name, and its box is told to the planner. */
static void strokes_become_masks(void **state) {
    (void)state;
    static const char *const plain[] = {TURN("No.", "[]", "Yes."), NULL};
    struct service s;
    char path[80];
    begin(&s, plain);
    service_start(&s);
    talk_begin(port_of(&s), "", path);
    assert_int_equal(talk_add(port_of(&s), path, 100, 50, 1), 201);
    struct answer a = ask(&s, path,
                          "{\"text\":\"This\",\"stream\":false,\"strokes\":[{\"points\":[[0.2,0.5],[0.6,0.5]],\"width\":0.1}],"
                          "\"reference\":{\"image\":\"img_1\",\"strokes\":[{\"points\":[[0.5,0.5]],\"width\":0.2}]}}");
    assert_int_equal(a.status, 200);
    answer_done(&a);
    assert_string_equal(s.agent.talk.said[0].text,
                        "<image>\nThis\n\nInput box: [0.15, 0.4, 0.65, 0.6]\nReference box: [0.4, 0.4, 0.6, 0.6]");
    a = talk_do(port_of(&s), "GET", path, "/objects/mask_1", "", NULL);
    assert_non_null(strstr(lp_str_text(&a.body), "\"label\":\"stroke\""));
    assert_non_null(strstr(lp_str_text(&a.body), "\"by\":\"user\""));
    answer_done(&a);
    service_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_tell_on_which_picture_they_lie),
        cmocka_unit_test(objects_by_their_handles),
        cmocka_unit_test(pictures_come_in_four_ways),
        cmocka_unit_test(the_state_takes_so_many_bytes),
        cmocka_unit_test(malformed_messages_are_refused),
        cmocka_unit_test(strokes_become_masks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
