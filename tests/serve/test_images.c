/* SPDX-License-Identifier: MIT */
/* POST /v1/images/generations and /v1/images/edits, with skills that are played, that a worker has, or that nobody has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "image/make.h"
#include "plan/workers.h"
#include "serve/peer.h"
#include "serve/talk.h"

#define GENERATIONS "/v1/images/generations"
#define EDITS "/v1/images/edits"
#define FORM_TYPE "Content-Type: multipart/form-data; boundary=edge\r\n"

static const char *const silent[] = {NULL};
static atomic_int runs;

static bool has_pictures(void *context, const struct lp_skill *skill) {
    (void)context;
    return skill == lp_skill_find("generate") || skill == lp_skill_find("edit") || skill == lp_skill_find("inpaint");
}

/* Makes 8x6 pixels of the number of its run; turns a picture's colours over; paints 200 where the mask is. */
static bool paint(void *context, struct lp_call *call, struct lp_error *err) {
    (void)context;
    const char *prompt = json_string_value(json_object_get(call->params, "prompt"));
    const struct lp_object *mask = lp_objects_newest(call->objects, LP_OBJECT_MASK);
    int run = atomic_fetch_add(&runs, 1) + 1;
    while (!strcmp(prompt, "wait") && !lp_call_canceled(call))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (lp_call_canceled(call))
        return lp_error_set(err, LP_ECANCELED, "stopped");
    if (!strcmp(prompt, "nothing"))
        return true;
    if (!strcmp(prompt, "refused"))
        return lp_error_set(err, LP_EINPUT, "that is not painted");
    struct lp_image *made = call->picture ? lp_image_copy(call->picture, err) : lp_image_new(8, 6, err);
    assert_non_null(made);
    for (int i = 0; i < made->width * made->height * 3; i++) {
        if (!call->picture)
            made->pixel[i] = (uint8_t)run;
        else if (!mask)
            made->pixel[i] = (uint8_t)(255 - made->pixel[i]);
        else if (mask->pixel[i / 3])
            made->pixel[i] = 200;
    }
    return lp_objects_add_image(&call->made, made, err) != NULL;
}

static void begin(struct service *s) {
    service_begin(s, silent);
    atomic_store(&runs, 0);
    s->agent.play = (struct lp_play){has_pictures, paint, NULL};
}

static struct answer generate(const struct service *s, const char *body) {
    return client_do(s, "POST", GENERATIONS, JSON_TYPE, body);
}

/* A form's field; file NULL: a text. */
static void field(struct lp_str *form, const char *name, const char *file, const char *value, size_t n) {
    lp_str_printf(form, "--edge\r\nContent-Disposition: form-data; name=\"%s\"", name);
    if (file)
        lp_str_printf(form, "; filename=\"%s\"\r\nContent-Type: image/png", file);
    lp_str_puts(form, "\r\n\r\n");
    lp_str_add(form, value, n);
    lp_str_puts(form, "\r\n");
}

/* Sends a form, which is ended and freed. */
static struct answer edit(const struct service *s, struct lp_str *form) {
    lp_str_puts(form, "--edge--\r\n");
    struct answer a = talk_post(lp_server_port(s->server), EDITS, FORM_TYPE, form->s, form->n);
    lp_str_done(form);
    return a;
}

/* White pixels as PNG, of which the first `transparent` are. */
static struct lp_str mask_of(int width, int height, int transparent) {
    struct lp_str png = {0};
    uint8_t rows[200] = {0};
    size_t n = 0;
    for (int i = 0; i < width * height; i++) {
        n += i % width == 0; /* the filter byte */
        memset(rows + n, 255, 4);
        rows[n + 3] = i < transparent ? 0 : 255;
        n += 4;
    }
    png_begin(&png, (uint32_t)width, (uint32_t)height, 8, 6);
    png_end(&png, rows, n);
    return png;
}

/* The i-th picture of an answer, which must have n; end with lp_image_close. */
static struct lp_image *picture_in(const struct answer *a, size_t n, size_t i) {
    json_t *all = answer_json(a);
    const json_t *data = json_object_get(all, "data");
    struct lp_str png = {0};
    if (a->status != 200 || json_array_size(data) != n)
        fail_msg("%d %s", a->status, lp_str_text(&a->body));
    const char *text = text_of(json_array_get(data, i), "b64_json");
    assert_true(lp_base64_parse(&png, text, strlen(text)));
    assert_memory_equal(png.s, "\x89PNG", 4);
    assert_true(json_integer_value(json_object_get(all, "created")) > 1600000000);
    struct lp_image *image = lp_image_decode(png.s, png.n, "answer", NULL);
    assert_non_null(image);
    lp_str_done(&png);
    json_decref(all);
    return image;
}

static void pictures_from_words(void **state) {
    (void)state;
    struct service s;
    begin(&s);
    service_start(&s);
    static const struct {
        const char *body;
        size_t n;
    } cases[] = {{"{\"prompt\":\"a dog\"}", 1},
                 {"{\"prompt\":\"a dog\",\"model\":\"any\",\"user\":\"me\",\"quality\":\"hd\",\"n\":null,\"size\":\"auto\"}", 1},
                 {"{\"prompt\":\"a dog\",\"output_format\":\"png\",\"background\":\"opaque\",\"stream\":false}", 1},
                 {"{\"prompt\":\"a dog\",\"n\":3,\"size\":\"8x6\",\"response_format\":\"b64_json\"}", 3}};
    int run = 0;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct answer a = generate(&s, cases[k].body);
        for (size_t i = 0; i < cases[k].n; i++) {
            struct lp_image *image = picture_in(&a, cases[k].n, i);
            assert_true(image->width == 8 && image->height == 6);
            assert_int_equal(image->pixel[0], ++run);
            lp_image_close(image);
        }
        answer_done(&a);
    }
    service_end(&s);
}

static void what_is_not_done_is_refused(void **state) {
    (void)state;
    struct service s;
    begin(&s);
    s.settings.most_body = 5000;
    service_start(&s);
#define ASKED(more) "{\"prompt\":\"a dog\"," more "}"
    static const struct {
        const char *body;
        int status;
        const char *says;
    } cases[] = {{"{}", 400, "'prompt' is missing"},
                 {"{\"prompt\":7}", 400, "'prompt' must be a text"},
                 {"{\"prompt\":\"\"}", 400, "'prompt' is empty"},
                 {"[]", 400, "must be a JSON object"},
                 {"{", 400, "not valid JSON"},
                 {ASKED("\"n\":0"), 400, "must be 1 to 4"},
                 {ASKED("\"n\":5"), 400, "must be 1 to 4"},
                 {ASKED("\"n\":\"2\""), 400, "whole number"},
                 {ASKED("\"size\":\"big\""), 400, "'size' must be"},
                 {ASKED("\"size\":512"), 400, "'size' must be"},
                 {ASKED("\"size\":\"0x6\""), 400, "'size' must be"},
                 {ASKED("\"size\":\"1024x1024\""), 400, "makes a picture of 8x6 here"},
                 {ASKED("\"response_format\":\"url\""), 400, "gives no URLs"},
                 {ASKED("\"output_format\":\"webp\""), 400, "must be 'png'"},
                 {ASKED("\"background\":\"transparent\""), 400, "'background' must be"},
                 {ASKED("\"stream\":true"), 400, "not streamed"},
                 {"{\"prompt\":\"refused\"}", 400, "that is not painted"},
                 {"{\"prompt\":\"nothing\"}", 502, "generate came to an end without a picture"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        answer_refused(generate(&s, cases[i].body), cases[i].status, cases[i].says);
    answer_refused(client_do(&s, "POST", GENERATIONS, FORM_TYPE, "--edge--"), 415, "application/json");
    answer_refused(client_do(&s, "POST", EDITS, JSON_TYPE, "{}"), 415, "multipart/form-data");
    answer_refused(client_do(&s, "GET", EDITS, "", NULL), 405, "POST");
    char large[6000];
    memset(large, 'x', sizeof large);
    answer_refused(talk_post(lp_server_port(s.server), EDITS, FORM_TYPE, large, sizeof large), 413, "larger than 5000 bytes");
    answer_refused(talk_post(lp_server_port(s.server), GENERATIONS, JSON_TYPE, large, sizeof large), 413, "larger than 5000 bytes");
    service_end(&s);
}

static void a_picture_is_edited(void **state) {
    (void)state;
    struct service s;
    struct lp_str png = talk_picture(5, 4, 10), form = {0};
    begin(&s);
    service_start(&s);
    for (int list = 0; list < 2; list++) { /* as the client in Python names one picture, and a list of one */
        field(&form, "prompt", NULL, "turn it over", 12);
        field(&form, "n", NULL, "2", 1);
        field(&form, "size", NULL, "5x4", 3);
        field(&form, list ? "image[]" : "image", "a.png", png.s, png.n);
        struct answer a = edit(&s, &form);
        struct lp_image *image = picture_in(&a, 2, 1);
        assert_true(image->width == 5 && image->height == 4 && image->pixel[0] == 245);
        lp_image_close(image);
        answer_done(&a);
    }
    lp_str_done(&png);
    service_end(&s);
}

static void a_masks_transparent_pixels_are_painted_anew(void **state) {
    (void)state;
    struct service s;
    struct lp_str png = talk_picture(5, 4, 10), mask = mask_of(5, 4, 7), form = {0};
    begin(&s);
    service_start(&s);
    field(&form, "image", "a.png", png.s, png.n);
    field(&form, "mask", "m.png", mask.s, mask.n);
    field(&form, "prompt", NULL, "a cat", 5);
    struct answer a = edit(&s, &form);
    struct lp_image *image = picture_in(&a, 1, 0);
    for (int i = 0; i < 5 * 4; i++)
        assert_int_equal(image->pixel[3 * i], i < 7 ? 200 : 10);
    lp_image_close(image);
    answer_done(&a);
    lp_str_done(&png);
    lp_str_done(&mask);
    service_end(&s);
}

static void bad_forms_are_refused(void **state) {
    (void)state;
    struct service s;
    struct lp_str png = talk_picture(5, 4, 10), clear = mask_of(5, 4, 0), small = mask_of(4, 4, 2), form = {0};
    begin(&s);
    service_start(&s);
    const struct {
        const char *name, *file, *value;
        size_t n;
        const char *says;
    } cases[] = {{"image", "a.png", png.s, png.n, "more than one 'image'"},
                 {"image[]", "a.png", png.s, png.n, "more than one 'image'"},
                 {"image", NULL, "aa", 2, "more than one 'image'"},
                 {"mask", NULL, "aa", 2, "'mask' must be a file"},
                 {"mask", "m.png", "", 0, "'mask' must be a file"},
                 {"mask", "m.png", "aa", 2, "'mask' is not a picture"},
                 {"mask", "m.png", png.s, png.n, "without transparency"},
                 {"mask", "m.png", clear.s, clear.n, "no transparent pixel"},
                 {"mask", "m.png", small.s, small.n, "the mask has 4 x 4 pixels, the picture 5 x 4"},
                 {"mask", "m.png", clear.s, clear.n - 20, "damaged or cut off"},
                 {"n", NULL, "9", 1, "must be 1 to 4"},
                 {"n", NULL, "two", 3, "whole number"},
                 {"response_format", NULL, "url", 3, "gives no URLs"},
                 {"note", NULL, "\xff", 1, "UTF-8"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        field(&form, "prompt", NULL, "a cat", 5);
        field(&form, "image", "a.png", png.s, png.n);
        field(&form, cases[i].name, cases[i].file, cases[i].value, cases[i].n);
        answer_refused(edit(&s, &form), 400, cases[i].says);
    }
    field(&form, "image", "a.png", png.s, png.n);
    answer_refused(edit(&s, &form), 400, "'prompt' is missing");
    field(&form, "prompt", NULL, "a cat", 5);
    answer_refused(edit(&s, &form), 400, "'image' is missing");
    field(&form, "prompt", NULL, "a cat", 5);
    field(&form, "image", "a.png", "no picture", 10);
    answer_refused(edit(&s, &form), 400, "'image' is not a picture");
    for (int i = 0; i < 70; i++)
        field(&form, "note", NULL, "x", 1);
    answer_refused(edit(&s, &form), 400, "at most 64 fields");
    answer_refused(client_do(&s, "POST", EDITS, FORM_TYPE, "--ed"), 400, "the form cannot be read");
    answer_refused(client_do(&s, "POST", EDITS, "Content-Type: multipart/form-data\r\n", "--edge"), 400, "the form cannot be read");
    assert_int_equal(atomic_load(&runs), 0);
    lp_str_done(&png);
    lp_str_done(&clear);
    lp_str_done(&small);
    service_end(&s);
}

static void who_has_no_skill_says_what_it_lacks(void **state) {
    (void)state;
    struct service s;
    struct lp_str png = talk_picture(5, 4, 10), mask = mask_of(5, 4, 7), form = {0};
    service_begin(&s, silent);
    service_start(&s);
    struct answer a = generate(&s, "{\"prompt\":\"a dog\"}");
    assert_non_null(strstr(lp_str_text(&a.body), "\"type\":\"server_error\""));
    answer_refused(a, 501, "generate is not ready on this machine: it needs Stable Diffusion weights");
    for (int masked = 0; masked < 2; masked++) {
        field(&form, "prompt", NULL, "a cat", 5);
        field(&form, "image", "a.png", png.s, png.n);
        if (masked)
            field(&form, "mask", "m.png", mask.s, mask.n);
        answer_refused(edit(&s, &form), 501, masked ? "inpaint is not ready" : "edit is not ready on this machine: it needs");
    }
    lp_str_done(&png);
    lp_str_done(&mask);
    service_end(&s);
}

static void keys_and_origins(void **state) {
    (void)state;
    struct service s;
    begin(&s);
    s.settings.key = "secret";
    service_start(&s);
    answer_refused(generate(&s, "{\"prompt\":\"a dog\"}"), 401, "API key");
    answer_refused(client_do(&s, "POST", GENERATIONS, JSON_TYPE "Origin: http://elsewhere.example\r\n", "{}"), 403, "another origin");
    answer_refused(client_do(&s, "POST", EDITS, FORM_TYPE "Origin: null\r\n", "--edge--"), 403, "another origin"); /* no preflight */
    struct answer a = client_do(&s, "POST", GENERATIONS, JSON_TYPE "Authorization: Bearer secret\r\n", "{\"prompt\":\"a dog\"}");
    lp_image_close(picture_in(&a, 1, 0));
    answer_done(&a);
    service_end(&s);
}

static void the_line_is_the_planners(void **state) {
    (void)state;
    struct service s;
    int fd[2];
    begin(&s);
    s.settings.most_waiting = 1;
    service_start(&s);
    for (int i = 0; i < 2; i++) {
        fd[i] = client_connect(lp_server_port(s.server));
        client_ask(fd[i], "POST", GENERATIONS, JSON_TYPE, i ? "{\"prompt\":\"a dog\"}" : "{\"prompt\":\"wait\",\"n\":4}");
        wait_for(&s, i ? "llava_plus_queue_depth" : "llava_plus_planner_busy", 1);
    }
    struct answer a = generate(&s, "{\"prompt\":\"a dog\"}");
    assert_non_null(strcasestr(lp_str_text(&a.all), "\r\nRetry-After: "));
    answer_refused(a, 429, "too many requests wait");
    close(fd[0]); /* who goes away is not worked for */
    a = client_read(fd[1]);
    lp_image_close(picture_in(&a, 1, 0));
    answer_done(&a);
    assert_int_equal(atomic_load(&runs), 2);
    assert_true(metric(&s, "llava_plus_canceled_total") == 1);
    service_end(&s);
}

static void a_worker_makes_the_picture(void **state) {
    (void)state;
    struct control c;
    struct service s;
    struct peer p = {0};
    struct lp_reach here = {0};
    struct lp_workers_settings settings;
    struct lp_str png = talk_picture(7, 5, 99), response = {0};
    struct lp_error err = {0};
    lp_str_puts(&response, "{\"edited_image\":\"");
    lp_base64_add(&response, (const uint8_t *)png.s, png.n);
    lp_str_puts(&response, "\"}");
    p.response = response.s;
    control_begin(&c);
    control_start(&c);
    peer_start(&p);
    enlist(&c, p.url, "\"stable-diffusion\"", true);
    lp_workers_defaults(&settings);
    settings.controller = c.url;
    settings.reach = &here;
    struct lp_workers *workers = lp_workers_open(&settings, &err);
    assert_non_null(workers);
    service_begin(&s, silent);
    s.agent.play = lp_workers_play(workers);
    service_start(&s);
    struct answer a = generate(&s, "{\"prompt\":\"a dog\"}");
    struct lp_image *image = picture_in(&a, 1, 0);
    assert_true(image->width == 7 && image->height == 5 && image->pixel[0] == 99);
    assert_non_null(strstr(p.last, "\"a dog\""));
    lp_image_close(image);
    answer_done(&a);
    service_end(&s);
    lp_workers_close(workers);
    peer_stop(&p);
    control_end(&c);
    lp_str_done(&png);
    lp_str_done(&response);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_from_words),
        cmocka_unit_test(what_is_not_done_is_refused),
        cmocka_unit_test(a_picture_is_edited),
        cmocka_unit_test(a_masks_transparent_pixels_are_painted_anew),
        cmocka_unit_test(bad_forms_are_refused),
        cmocka_unit_test(who_has_no_skill_says_what_it_lacks),
        cmocka_unit_test(keys_and_origins),
        cmocka_unit_test(the_line_is_the_planners),
        cmocka_unit_test(a_worker_makes_the_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
