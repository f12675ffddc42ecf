/* SPDX-License-Identifier: MIT */
/* The page in headless Chromium, used as people use it: with a scripted planner and played skills, and once with the program
 * itself and the planner that comes with it. LP_SCREENSHOTS=FOLDER leaves pictures of it there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "image/image.h"
#include "serve/client.h"
#include "serve/webdriver.h"

#include <math.h>

enum { SKIPPED = 77 }; /* as CTest is told */

#define TURN(thoughts, actions, value)                                                                       \
    LP_MARK_THOUGHTS " " thoughts "\n" LP_MARK_ACTIONS " " actions "\n" LP_MARK_VALUE " " value "\n"
#define CALL(name, params) "{\"API_name\": \"" name "\", \"API_params\": {" params "}}"
#define HOUSES LP_SOURCE_DIR "/docs/pictures/scene-houses.jpg"

static const char *const village[] = {
    TURN("The houses are to be cut out and the banner is to be read.",
         "[" CALL("grounding_dino+sam", "\"caption\": \"house\"") ", " CALL("ocr", "") "]", "I will use both."),
    TURN("Both have answered.", "[]", "There are three houses, and the banner says Team meeting."),
    TURN("The picture is to be changed.", "[" CALL("instruct-pix2pix", "\"prompt\": \"make it night\"") "]", "I will use it."),
    TURN("It is changed.", "[]", "Here it is at night."),
    NULL,
};
static const char *const scenery[] = {
    TURN("Every pixel gets a class.", "[" CALL("openseed", "") "]", "I will use openseed."),
    TURN("It has answered.", "[]", "There is sky above grass, and some houses."),
    NULL,
};
static const char *const earlier[] = {
    TURN("The first picture is meant.", "[" CALL("ocr", "\"image\": \"img_1\"") ", "
         CALL("grounding_dino+sam", "\"caption\": \"house\"") "]",
         "I will use both."),
    TURN("Both have answered.", "[]", "The first says Team meeting, the second shows houses."),
    NULL,
};
#define NUMBERS "One two three four five six seven eight nine ten eleven twelve thirteen fourteen."
static const char *const numbers[] = {TURN("Nothing to run.", "[]", NUMBERS), TURN("Nothing to run.", "[]", "Once more."), NULL};

static struct browser browser, *const b = &browser;
static struct service service, *const s = &service; /* of the test that runs */

static const float house[3][4] = {{0.45f, 0.38f, 0.72f, 0.67f}, {0.55f, 0.52f, 0.85f, 0.83f}, {0.76f, 0.28f, 1, 0.54f}};

/* A house of the picture: a roof over a wall. */
static bool is_house(const float *box, float x, float y) {
    float u = (x - box[0]) / (box[2] - box[0]), v = (y - box[1]) / (box[3] - box[1]);
    float half = v < 0.4f ? v / 0.4f * 0.5f : 0.38f;
    return v >= 0 && v <= 1 && u > 0.5f - half && u < 0.5f + half;
}

static bool leave_houses(struct lp_call *call, struct lp_error *err) {
    int w = call->picture->width, h = call->picture->height;
    uint8_t *mask = lp_alloc((size_t)w * (size_t)h);
    bool done = mask != NULL;
    for (int i = 0; done && i < 3; i++)
        done = lp_objects_add_box(&call->made, house[i], "house", 0.9f, err);
    for (int i = 0; done && i < 3; i++) {
        for (int k = 0; k < w * h; k++)
            mask[k] = is_house(house[i], (float)(k % w) / (float)w, (float)(k / w) / (float)h);
        done = lp_objects_add_mask(&call->made, w, h, mask, "house", 0.9f, err);
    }
    lp_free(mask);
    return done;
}

static bool leave_night(struct lp_call *call, struct lp_error *err) {
    struct lp_image *night = lp_image_copy(call->picture, err);
    for (int i = 0; night && i < night->width * night->height * 3; i++)
        night->pixel[i] = (uint8_t)(night->pixel[i] * (i % 3 == 2 ? 0.55 : 0.3));
    return night && lp_objects_add_image(&call->made, night, err);
}

/* Sky above, grass below, houses in both; of ADE20K's classes. */
static bool leave_classes(struct lp_call *call, struct lp_error *err) {
    enum { SKY = 2, GRASS = 9, HOUSE = 25 };
    int w = call->picture->width, h = call->picture->height;
    uint8_t *map = lp_alloc((size_t)w * (size_t)h);
    for (int k = 0; map && k < w * h; k++) {
        map[k] = k / w < h / 2 ? SKY : GRASS;
        for (int i = 0; i < 3; i++)
            if (is_house(house[i], (float)(k % w) / (float)w, (float)(k / w) / (float)h))
                map[k] = HOUSE;
    }
    bool done = map && lp_objects_add_map(&call->made, w, h, map, err);
    lp_free(map);
    return done;
}

static bool play(void *context, struct lp_call *call, struct lp_error *err) {
    static const float banner[4] = {0.2f, 0.05f, 0.8f, 0.16f};
    (void)context;
    if (!strcmp(call->skill->name, "segment_instances"))
        return leave_houses(call, err);
    if (!strcmp(call->skill->name, "segment_semantic"))
        return leave_classes(call, err);
    if (!strcmp(call->skill->name, "edit"))
        return leave_night(call, err);
    return lp_objects_add_box(&call->made, banner, "Team meeting", 0.97f, err) &&
           lp_objects_add_text(&call->made, "Team meeting", 0.97f, err);
}

/* A server, and the page of it in the browser. `key`: that it asks for; NULL: none. */
static void begin_with(const char *const *script, const char *key) {
    char address[80];
    service_begin(s, script);
    s->agent.play = (struct lp_play){.run = play};
    s->settings.key = key;
    service_start(s);
    snprintf(address, sizeof address, "http://127.0.0.1:%d/", lp_server_port(s->server));
    browser_view(b, 1200, 760, false, false);
    browser_go(b, address);
}

static void begin(const char *const *script) {
    begin_with(script, NULL);
    browser_wait(b, "document.documentElement.dataset.ready !== undefined");
}

/* After a test, also one that failed. */
static int end(void **state) {
    (void)state;
    if (s->server)
        service_end(s);
    s->server = NULL;
    return 0;
}

/* The end of a test that went well. */
static void leave(void) {
    browser_quiet(b);
    browser_go(b, "about:blank");
}

#define ANSWERED(n) "document.querySelectorAll('.turn[aria-busy=false] .answer p').length === " #n
#define SHOWN "!document.getElementById('frame').hidden && document.querySelector('#frame img').naturalWidth > 0"

static void add_picture(void) {
    browser_type(b, "#files", HOUSES);
    browser_wait(b, SHOWN);
}

static void ask(const char *text) {
    browser_type(b, "#question", text);
    browser_click(b, "#send");
}

static void assert_text(const char *expression, const char *text) {
    char *is = browser_text(b, expression);
    if (strcmp(is, text))
        fail_msg("%s is '%s', not '%s'", expression, is, text);
    free(is);
}

/* Nothing is wrong with names, roles, sizes and contrast of what is seen, in both colours. */
static void assert_accessible(int width, int height) {
    size_t n;
    char *script = lp_file_read(LP_TESTS_DIR "/serve/page_checks.js", 1 << 20, &n, NULL);
    assert_non_null(script);
    for (int dark = 0; dark < 2; dark++) {
        browser_view(b, width, height, dark, width < 600);
        json_t *wrong = browser_run(b, script);
        if (json_array_size(wrong))
            fail_msg("%dx%d %s: %s", width, height, dark ? "dark" : "light", json_dumps(wrong, JSON_INDENT(1)));
        json_decref(wrong);
    }
    lp_free(script);
}

/* The session that is on the page, as the server tells it; owned by caller. */
static json_t *told_session(void) {
    char path[120], *id = browser_text(b, "location.hash.slice(1)");
    snprintf(path, sizeof path, "/v1/sessions/%s", id);
    free(id);
    struct answer a = client_do(s, "GET", path, "", NULL);
    json_t *all = json_loads(lp_str_text(&a.body), 0, NULL);
    assert_int_equal(a.status, 200);
    answer_done(&a);
    return all;
}

static void assert_near(const json_t *list, const double *want, size_t n) {
    assert_int_equal(json_array_size(list), n);
    for (size_t i = 0; i < n; i++)
        assert_true(fabs(json_number_value(json_array_get(list, i)) - want[i]) < 0.01);
}

static void a_picture_is_marked_and_asked_about(void **state) {
    (void)state;
    static const double at[2] = {0.7, 0.75}, off[2] = {0.2, 0.8}, corner[4] = {0.45, 0.3, 0.98, 0.85}, from[2] = {0.5, 0.6},
                        to[2] = {0.6, 0.5};
    begin(village);
    browser_shot(b, "page-empty");
    assert_accessible(1200, 760);
    add_picture();
    browser_drag(b, "#frame", at, at);
    browser_click(b, "label:has([value=not])");
    browser_drag(b, "#frame", off, off);
    browser_click(b, "label:has([value=box])");
    browser_drag(b, "#frame", corner, corner + 2);
    browser_click(b, "label:has([value=stroke])");
    browser_drag(b, "#frame", from, to);
    assert_text("document.querySelectorAll('#marks li').length", "4");
    assert_accessible(1200, 760);
    browser_view(b, 1200, 760, false, false);
    browser_shot(b, "page-marks");
    ask("Cut out the houses and read the banner.");
    browser_wait(b, ANSWERED(1));
    assert_text("document.querySelector('.answer').innerText", "There are three houses, and the banner says Team meeting.");
    assert_text("document.querySelectorAll('#marks li').length", "0"); /* used up */

    json_t *all = told_session(), *turn = json_array_get(json_object_get(all, "turns"), 0);
    const json_t *points = json_object_get(turn, "points"), *labels = json_object_get(turn, "labels");
    assert_near(json_array_get(points, 0), at, 2);
    assert_near(json_array_get(points, 1), off, 2);
    assert_near(labels, (const double[]){1, 0}, 2);
    assert_near(json_array_get(json_object_get(turn, "boxes"), 0), corner, 4);
    const json_t *stroke = json_object_get(json_array_get(json_object_get(turn, "strokes"), 0), "points");
    assert_near(json_array_get(stroke, 0), from, 2);
    assert_near(json_array_get(stroke, json_array_size(stroke) - 1), to, 2);
    json_decref(all);
    leave();
}

#define LIT "document.querySelectorAll('.region.lit').length"

static void what_was_found_is_on_the_picture(void **state) {
    (void)state;
    static const double middle[2] = {0.5, 0.5}, banner[2] = {0.5, 0.1};
    begin(village);
    add_picture();
    ask("Cut out the houses and read the banner.");
    browser_wait(b, ANSWERED(1) " && document.querySelectorAll('.region').length === 4");
    assert_text("[...document.querySelectorAll('#legend button')].map((e) => e.textContent).join()", "house × 3,Team meeting");
    assert_text("[...document.querySelectorAll('.steps .line')].map((e) => e.innerText.replace(/(under )?[0-9.]+ m?s/, 'T')"
                ".replace(/\\s+/g, ' ')).join()",
                "Planned T,segment_instances T 3 boxes, 3 masks,ocr T 1 box, 1 text");
    /* masks are where the skill left them: the middle of the front house, not the sky */
    assert_true(browser_is(b, "(() => { const c = document.querySelector('canvas.masks'), w = c.width, h = c.height;"
                              "const d = c.getContext('2d').getImageData(0, 0, w, h).data;"
                              "const on = (x, y) => d[4 * (Math.round(y * h) * w + Math.round(x * w)) + 3] > 0;"
                              "return on(0.7, 0.75) && !on(0.3, 0.3); })()"));
    browser_drag(b, ".phrase", middle, NULL); /* "houses" */
    browser_wait(b, LIT " === 3");
    browser_shot(b, "page-answer");
    browser_drag(b, "#frame", banner, NULL);
    browser_wait(b, LIT " === 1 && document.querySelector('.phrase.lit').innerText === 'Team meeting'");
    browser_drag(b, ".phrase", middle, NULL);
    browser_click(b, "#legend li:nth-child(1) button");
    browser_wait(b, "document.querySelectorAll('.region').length === 1");
    browser_click(b, "#legend li:nth-child(1) button");
    assert_accessible(390, 800);
    browser_view(b, 390, 800, false, true);
    browser_shot(b, "page-phone");
    assert_accessible(320, 500);
    browser_shot(b, "page-small");
    assert_accessible(1200, 760);
    browser_shot(b, "page-dark");
    leave();
}

/* Whether the canvas has a colour over a point of the picture, as near as its alpha lets it be. */
#define COLOUR_AT(x, y, colour)                                                                              \
    "(() => { const c = document.querySelector('canvas.masks'), is = c.getContext('2d').getImageData(" #x     \
    " * c.width, " #y " * c.height, 1, 1).data; return " colour ".every((v, i) => Math.abs(v - is[i]) <= 4); })()"

static void a_class_map_has_a_legend(void **state) {
    (void)state;
    static const double sky[2] = {0.2, 0.3}, middle[2] = {0.5, 0.5};
    begin(scenery);
    add_picture();
    ask("What is where?");
    browser_wait(b, ANSWERED(1) " && document.querySelectorAll('#legend button').length === 3");
    assert_text("[...document.querySelectorAll('#legend button')].map((e) => e.textContent.replace(/[0-9]+/, 'N')).join()",
                "sky N %,grass N %,house N %");
    assert_text("[...document.querySelectorAll('#legend .swatch')].map((e) => getComputedStyle(e).backgroundColor).join()",
                "rgb(6, 230, 230),rgb(4, 250, 7),rgb(255, 9, 224)");
    assert_true(browser_is(b, "document.querySelector('#legend button').ariaLabel.match(/^sky, [0-9]+ % of the picture$/)"));
    assert_true(browser_is(b, COLOUR_AT(0.2, 0.3, "[6, 230, 230, 136]"))); /* the legend's colours are the picture's */
    assert_true(browser_is(b, COLOUR_AT(0.7, 0.75, "[255, 9, 224, 136]")));
    browser_shot(b, "page-classes");
    browser_drag(b, "#legend li:nth-child(3) button", middle, NULL); /* houses are lit, the rest steps back */
    browser_wait(b, COLOUR_AT(0.7, 0.75, "[255, 9, 224, 160]") " && " COLOUR_AT(0.2, 0.3, "[6, 230, 230, 32]"));
    browser_drag(b, "#frame", sky, NULL);
    browser_wait(b, "document.querySelector('.phrase.lit').innerText === 'sky'");
    browser_click(b, "#legend li:nth-child(1) button"); /* hidden */
    browser_wait(b, COLOUR_AT(0.2, 0.3, "[0, 0, 0, 0]"));
    browser_click(b, "#legend li:nth-child(1) button");
    assert_accessible(1200, 760);
    assert_accessible(390, 800);
    browser_forget(b); /* the console minds how often a test reads the canvas */
    leave();
}

/* The server says on which picture an object lies; the planner had named an earlier one. */
static void what_lies_on_an_earlier_picture(void **state) {
    (void)state;
    begin(earlier);
    add_picture();
    browser_type(b, "#files", LP_SOURCE_DIR "/examples/sign.jpg");
    browser_wait(b, "document.querySelectorAll('#strip li').length === 2");
    ask("Read the first picture and cut out houses.");
    browser_wait(b, ANSWERED(1) " && document.querySelectorAll('.region').length === 3");
    assert_text("document.querySelector('#legend').textContent", "house × 3");
    browser_click(b, "#strip li:nth-child(1) button");
    browser_wait(b, "document.querySelectorAll('.region').length === 1");
    assert_text("document.querySelector('#legend').textContent", "Team meeting");
    json_t *all = told_session(), *object;
    size_t i;
    json_array_foreach(json_object_get(all, "objects"), i, object) {
        const char *kind = json_string_value(json_object_get(object, "kind"));
        const char *on = json_string_value(json_object_get(object, "picture"));
        const char *label = json_string_value(json_object_get(object, "label"));
        if (!strcmp(kind, "box") || !strcmp(kind, "mask"))
            assert_string_equal(on, !strcmp(label, "house") ? "img_2" : "img_1");
        else
            assert_null(on);
    }
    json_decref(all);
    leave();
}

static void a_result_becomes_the_next_picture(void **state) {
    (void)state;
    begin(village);
    add_picture();
    ask("Cut out the houses and read the banner.");
    browser_wait(b, ANSWERED(1));
    ask("Make it night.");
    browser_wait(b, ANSWERED(2) " && document.querySelectorAll('#strip li').length === 2");
    browser_wait(b, "document.querySelector('#strip [aria-current]').getAttribute('aria-label') === 'Picture img_2, made by a skill'");
    browser_click(b, "#settings-open");
    browser_click(b, "#details");
    browser_press(b, KEY_ESCAPE);
    browser_wait(b, "document.querySelector('#turns').innerText.includes('The picture is to be changed.') &&"
                    "document.querySelector('#turns').innerText.includes('\"prompt\": \"make it night\"')");
    browser_shot(b, "page-details");
    assert_accessible(1200, 760);
    browser_view(b, 1200, 760, false, false);
    browser_click(b, "#strip li:nth-child(1) button"); /* an earlier one has its regions, and no marks */
    browser_wait(b, "document.querySelectorAll('.region').length === 4 && !document.getElementById('earlier').hidden");
    browser_click(b, ".made button");
    browser_wait(b, "document.querySelectorAll('#strip li').length === 3 && document.getElementById('earlier').hidden");
    json_t *all = told_session(), *object, *list = json_object_get(all, "objects");
    int own = 0;
    size_t i;
    json_array_foreach(list, i, object)
        own += !strcmp(json_string_value(json_object_get(object, "kind")), "img") &&
               !strcmp(json_string_value(json_object_get(object, "by")), "user");
    assert_int_equal(own, 2);
    json_decref(all);
    browser_click(b, "#settings-open");
    browser_click(b, "#details");
    leave();
}

/* Instead of saving: what, as name, type and text of what is no picture, goes into the list `saved`. */
#define CATCH                                                                                                \
    "window.saved = []; let last; const make = URL.createObjectURL;"                                         \
    "URL.createObjectURL = (blob) => { last = blob; return make.call(URL, blob); };"                         \
    "HTMLAnchorElement.prototype.click = function () { const blob = last, name = this.download; "            \
    "blob.text().then((text) => saved.push({name, type: blob.type, text: blob.type === 'application/json' ? text : ''})); };"

static void what_is_seen_can_be_saved(void **state) {
    (void)state;
    begin(village);
    add_picture();
    json_decref(browser_run(b, CATCH));
    ask("Cut out the houses and read the banner.");
    browser_wait(b, ANSWERED(1) " && document.querySelectorAll('.region').length === 4");
    browser_click(b, "#save");
    browser_wait(b, "saved.length === 1 && saved[0].name === 'img_1.png' && saved[0].type === 'image/png'");
    browser_click(b, "[title='Save results as JSON']");
    browser_wait(b, "saved.length === 2 && saved[1].name === 'llava-plus-turn-1.json'");
    assert_text("JSON.parse(saved[1].text).answer", "There are three houses, and the banner says Team meeting.");
    assert_text("JSON.parse(saved[1].text).results.map((r) => r.skill).join()", "segment_instances,ocr");
    ask("Make it night.");
    browser_wait(b, ANSWERED(2));
    browser_click(b, "[title='Save picture img_2']");
    browser_wait(b, "saved.length === 3 && saved[2].name === 'img_2.png' && saved[2].type === 'image/png'");
    leave();
}

static void a_session_is_found_again(void **state) {
    (void)state;
    begin(village);
    add_picture();
    ask("Cut out the houses and read the banner.");
    browser_wait(b, ANSWERED(1));
    browser_click(b, "[title='Poor answer']");
    browser_wait(b, "document.querySelector(\"[title='Poor answer']\").ariaPressed === 'true'");
    browser_click(b, "[title='Good answer']");
    browser_wait(b, "document.querySelector(\"[title='Good answer']\").ariaPressed === 'true' &&"
                    "document.querySelector(\"[title='Poor answer']\").ariaPressed === 'false'");
    browser_tell(b, "/refresh", json_object());
    browser_wait(b, ANSWERED(1) " && document.querySelectorAll('.region').length === 4");
    assert_text("document.querySelector('.said p').innerText", "Cut out the houses and read the banner.");
    assert_true(browser_is(b, "document.querySelector(\"[title='Good answer']\").ariaPressed === 'true'"));
    browser_click(b, "#new");
    browser_wait(b, "!document.querySelector('.turn') && location.hash === ''");
    browser_click(b, "#history-open");
    browser_wait(b, "document.querySelectorAll('#sessions li').length === 1");
    assert_accessible(1200, 760);
    browser_view(b, 1200, 760, false, false);
    browser_click(b, ".session");
    browser_wait(b, ANSWERED(1) " && document.querySelectorAll('.region').length === 4");
    browser_click(b, "#history-open");
    browser_wait(b, "document.querySelector('.session[aria-current]')");
    browser_click(b, "#sessions li button:last-child");
    browser_wait(b, "!document.getElementById('none').hidden && !document.querySelector('.turn')");
    wait_for(s, "llava_plus_sessions", 0);
    leave();
}

/* Lets the held planner go on, token by token, until an expression is true. */
static void let_until(const char *expression) {
    double began = lp_clock_ms();
    while (!browser_is(b, expression)) {
        if (lp_clock_ms() - began > 120000)
            fail_msg("never true: %s", expression);
        atomic_fetch_add(&service_allowed, 1);
    }
}

static void an_answer_streams_and_is_stopped(void **state) {
    (void)state;
    begin(numbers);
    add_picture();
    atomic_store(&service_held, true);
    ask("Count.");
    browser_wait(b, "document.querySelector('.steps .now').innerText.startsWith('Planning')");
    let_until("document.querySelector('.streaming')?.innerText.includes('two')");
    assert_true(browser_is(b, "!document.querySelector('.streaming').innerText.includes('fourteen')"));
    assert_true(browser_is(b, "document.querySelector('.turn').ariaBusy === 'true'"));
    browser_shot(b, "page-streaming");
    assert_accessible(1200, 760);
    browser_view(b, 1200, 760, false, false);
    browser_click(b, "#stop");
    browser_wait(b, "document.querySelector('.note').innerText === 'Stopped.'");
    atomic_store(&service_held, false);
    browser_wait(b, "document.getElementById('stop').hidden");
    wait_for(s, "llava_plus_planner_busy", 0);
    json_t *all = told_session();
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(all, "turns"), 0), "status")), "canceled");
    json_decref(all);
    browser_click(b, "[title='Ask again']");
    browser_wait(b, "document.querySelectorAll('.turn').length === 2 &&"
                    "document.querySelector('.turn:last-child[aria-busy=false] .answer p')?.innerText === '" NUMBERS "'");
    leave();
}

/* Tabs until what has the focus matches a selector; every stop on the way can be seen. */
static void tab_to(const char *css) {
    char expression[200];
    snprintf(expression, sizeof expression, "document.activeElement.matches('%s')", css);
    for (int i = 0; !browser_is(b, expression); i++) {
        browser_press(b, KEY_TAB);
        if (i == 40)
            fail_msg("no tab leads to %s", css);
        if (!browser_is(b, "(() => { const e = document.activeElement, on = [e, e.closest('label'), e.closest('.field')];"
                           "return e === document.body || on.some((x) => x && (parseFloat(getComputedStyle(x).outlineWidth) >= 2 &&"
                           "getComputedStyle(x).outlineStyle !== 'none' || getComputedStyle(x).boxShadow !== 'none')); })()"))
            fail_msg("the focus cannot be seen on the way to %s: %s", css, browser_text(b, "document.activeElement.outerHTML"));
    }
}

static void the_keyboard_is_enough(void **state) {
    (void)state;
    begin(village);
    tab_to("#pick");
    browser_type(b, "#files", HOUSES); /* the system's own dialog is beyond a headless browser */
    browser_wait(b, SHOWN);
    tab_to("#frame");
    browser_press(b, "p" KEY_RIGHT KEY_RIGHT KEY_RIGHT KEY_RIGHT KEY_RIGHT KEY_DOWN KEY_DOWN KEY_DOWN KEY_DOWN KEY_DOWN KEY_ENTER);
    browser_press(b, "b" KEY_LEFT KEY_LEFT KEY_LEFT KEY_LEFT KEY_LEFT KEY_UP KEY_UP KEY_UP KEY_UP KEY_UP KEY_ENTER);
    browser_press(b, KEY_RIGHT KEY_RIGHT KEY_RIGHT KEY_RIGHT KEY_RIGHT KEY_DOWN KEY_DOWN KEY_DOWN KEY_DOWN KEY_DOWN KEY_ENTER);
    browser_press(b, "s" KEY_ENTER KEY_LEFT KEY_LEFT KEY_LEFT KEY_ENTER);
    browser_press(b, "n" KEY_ENTER KEY_BACKSPACE);
    browser_shot(b, "page-keyboard");
    tab_to("#question");
    browser_press(b, "Cut them out." KEY_ENTER);
    browser_wait(b, ANSWERED(1) " && document.querySelectorAll('.region').length === 4");
    json_t *all = told_session(), *turn = json_array_get(json_object_get(all, "turns"), 0);
    assert_near(json_array_get(json_object_get(turn, "points"), 0), (const double[]){0.6, 0.6}, 2);
    assert_int_equal(json_array_size(json_object_get(turn, "points")), 1);
    assert_near(json_array_get(json_object_get(turn, "boxes"), 0), (const double[]){0.5, 0.5, 0.6, 0.6}, 4);
    const json_t *stroke = json_object_get(json_array_get(json_object_get(turn, "strokes"), 0), "points");
    assert_near(json_array_get(stroke, json_array_size(stroke) - 1), (const double[]){0.54, 0.6}, 2);
    json_decref(all);
    tab_to("#legend button");
    browser_wait(b, LIT " === 3");
    tab_to(".phrase");
    browser_wait(b, LIT " === 3");
    tab_to("#history-open");
    browser_press(b, KEY_ENTER);
    browser_wait(b, "document.getElementById('history').open");
    browser_press(b, KEY_ESCAPE);
    browser_wait(b, "!document.getElementById('history').open && document.activeElement.id === 'history-open'");
    leave();
}

/* A script that gives the page a picture of one colour, as the clipboard or a drag does. */
#define GIVE(how)                                                                                            \
    "const c = document.createElement('canvas'); c.width = 40; c.height = 30; c.getContext('2d').fillRect(0, 0, 40, 30);" \
    "return new Promise((done) => c.toBlob((blob) => { const data = new DataTransfer();"                      \
    "data.items.add(new File([blob], 'a.png', {type: 'image/png'})); document.body.dispatchEvent(" how "); done(1); }))"

static void pictures_are_pasted_and_dropped(void **state) {
    (void)state;
    begin(numbers);
    json_decref(browser_run(b, GIVE("new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})")));
    browser_wait(b, SHOWN);
    json_decref(browser_run(b, GIVE("new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true})")));
    browser_wait(b, "document.querySelectorAll('#strip li').length === 2");
    json_t *all = told_session();
    assert_int_equal(json_array_size(json_object_get(all, "objects")), 2);
    json_decref(all);
    leave();
}

static void a_reference_shows_what_to_look_for(void **state) {
    (void)state;
    static const double corner[4] = {0.55, 0.52, 0.85, 0.83};
    begin(numbers);
    add_picture();
    browser_click(b, "#like-open");
    browser_type(b, "#like-file", HOUSES);
    browser_wait(b, "!document.getElementById('like-frame').hidden && document.querySelector('#like-frame img').naturalWidth > 0");
    browser_drag(b, "#like-frame", corner, corner + 2);
    browser_shot(b, "page-reference");
    assert_accessible(1200, 760);
    assert_accessible(390, 800);
    browser_view(b, 1200, 760, false, false);
    browser_click(b, "#like-use");
    browser_wait(b, "document.querySelector('#marks').innerText.includes('Reference')");
    ask("Find more like this.");
    browser_wait(b, ANSWERED(1));
    json_t *all = told_session(), *turn = json_array_get(json_object_get(all, "turns"), 0);
    assert_near(json_array_get(json_object_get(json_object_get(turn, "reference"), "boxes"), 0), corner, 4);
    json_decref(all);
    leave();
}

static void what_goes_wrong_is_said(void **state) {
    (void)state;
    begin(numbers);
    browser_type(b, "#files", LP_TESTS_DIR "/serve/page_checks.js");
    browser_wait(b, "document.getElementById('alerts').innerText.includes('That is no picture.')");
    json_decref(browser_run(b, "const data = new DataTransfer(); data.items.add(new File(['no'], 'a.png', {type: 'image/png'}));"
                               "document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}))"));
    browser_wait(b, "document.querySelectorAll('.alert').length === 2 && document.getElementById('frame').hidden");
    browser_click(b, ".alert button");
    browser_wait(b, "document.querySelectorAll('.alert').length === 1");
    assert_accessible(1200, 760);
    browser_forget(b); /* the console tells of the refusal */
    ask("What can you do?"); /* a session without pictures */
    browser_wait(b, ANSWERED(1));
    leave();
}

static void a_key_is_asked_for(void **state) {
    (void)state;
    begin_with(village, "secret");
    browser_wait(b, "document.getElementById('key').open");
    assert_accessible(1200, 760);
    browser_type(b, "#key-value", "wrong" KEY_ENTER);
    browser_wait(b, "document.getElementById('key').open && document.querySelector('.alert')");
    browser_type(b, "#key-value", "secret" KEY_ENTER);
    browser_wait(b, "document.documentElement.dataset.ready !== undefined && !document.getElementById('key').open");
    browser_forget(b);
    add_picture();
    ask("Cut out the houses and read the banner.");
    browser_wait(b, ANSWERED(1) " && document.querySelectorAll('.region').length === 4");
    json_decref(browser_run(b, "localStorage.clear()")); /* the server knows the sessions of a key */
    browser_click(b, "#history-open");
    browser_wait(b, "document.querySelector('#sessions .session span').innerText === 'Cut out the houses and read the banner.'");
    leave();
}

/* The planner that comes with the program, and the real reader of writing. */
static void the_program_serves_the_page(void **state) {
    (void)state;
    int ends[2], status;
    char address[100] = "";
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (!child) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        dup2(ends[1], STDOUT_FILENO);
        execl(LP_PROGRAM, LP_PROGRAM, "serve", "--port", "0", "--quiet", NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *says = fdopen(ends[0], "r");
    assert_non_null(fgets(address, sizeof address, says));
    address[strlen(address) - strlen("v1\n")] = 0;
    browser_view(b, 1200, 760, false, false);
    browser_go(b, address);
    browser_wait(b, "document.documentElement.dataset.ready !== undefined");
    browser_type(b, "#files", LP_SOURCE_DIR "/examples/sign.jpg");
    browser_wait(b, SHOWN);
    ask("What does the sign say?");
    browser_wait(b, ANSWERED(1) " && document.querySelectorAll('.region').length === 2");
    assert_true(browser_is(b, "document.querySelector('.answer').innerText.includes('OPEN DAILY\\n9AM-6PM')"));
    browser_shot(b, "page-sign");
    browser_quiet(b);
    browser_go(b, "about:blank");
    kill(child, SIGTERM);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    fclose(says);
}

static int open_browser(void **state) {
    (void)state;
    browser_open(b, 1200, 760);
    return 0;
}

static int close_browser(void **state) {
    (void)state;
    browser_close(b);
    return 0;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_picture_is_marked_and_asked_about, end),
        cmocka_unit_test_teardown(what_was_found_is_on_the_picture, end),
        cmocka_unit_test_teardown(a_class_map_has_a_legend, end),
        cmocka_unit_test_teardown(what_lies_on_an_earlier_picture, end),
        cmocka_unit_test_teardown(a_result_becomes_the_next_picture, end),
        cmocka_unit_test_teardown(what_is_seen_can_be_saved, end),
        cmocka_unit_test_teardown(a_session_is_found_again, end),
        cmocka_unit_test_teardown(an_answer_streams_and_is_stopped, end),
        cmocka_unit_test_teardown(the_keyboard_is_enough, end),
        cmocka_unit_test_teardown(pictures_are_pasted_and_dropped, end),
        cmocka_unit_test_teardown(a_reference_shows_what_to_look_for, end),
        cmocka_unit_test_teardown(what_goes_wrong_is_said, end),
        cmocka_unit_test_teardown(a_key_is_asked_for, end),
        cmocka_unit_test_teardown(the_program_serves_the_page, end),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    if (!browser_is_installed()) {
        printf("skipped: chromium and chromium-driver are not installed\n");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, open_browser, close_browser);
}
