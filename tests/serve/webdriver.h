/* SPDX-License-Identifier: MIT */
/* For tests of the page: headless Chromium, driven over WebDriver (w3.org/TR/webdriver2) as a person would. What goes wrong
 * fails the test; waits are for conditions, two minutes at most. */
#ifndef LP_TESTS_SERVE_WEBDRIVER_H
#define LP_TESTS_SERVE_WEBDRIVER_H

#include "base/base64.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/str.h"

#include <curl/curl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct browser {
    pid_t driver;
    FILE *says; /* the driver */
    char session[200]; /* its address */
    CURL *curl;
};

static size_t browser_take(char *bytes, size_t size, size_t n, void *out) {
    lp_str_add(out, bytes, size * n);
    return size * n;
}

/* Sends a command; `body` is taken, NULL: none. Its value, owned by caller. */
static json_t *browser_do(struct browser *b, const char *method, const char *path, json_t *body) {
    struct lp_str address = {0}, answer = {0};
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    long status = 0;
    lp_str_printf(&address, "%s%s", b->session, path);
    curl_easy_reset(b->curl);
    curl_easy_setopt(b->curl, CURLOPT_URL, lp_str_text(&address));
    curl_easy_setopt(b->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(b->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(b->curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(b->curl, CURLOPT_TIMEOUT, 240L);
    curl_easy_setopt(b->curl, CURLOPT_WRITEFUNCTION, browser_take);
    curl_easy_setopt(b->curl, CURLOPT_WRITEDATA, &answer);
    if (text)
        curl_easy_setopt(b->curl, CURLOPT_POSTFIELDS, text);
    CURLcode code = curl_easy_perform(b->curl);
    curl_easy_getinfo(b->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status != 200)
        fail_msg("WebDriver %s %s %.300s: %s %ld %.600s", method, path, text ? text : "", curl_easy_strerror(code), status,
                 lp_str_text(&answer));
    json_t *all = json_loads(lp_str_text(&answer), 0, NULL), *value = json_incref(json_object_get(all, "value"));
    json_decref(all);
    json_decref(body);
    free(text);
    curl_slist_free_all(headers);
    lp_str_done(&address);
    lp_str_done(&answer);
    return value;
}

static void browser_tell(struct browser *b, const char *path, json_t *body) {
    json_decref(browser_do(b, "POST", path, body));
}

static bool browser_is_installed(void) {
    return !system("command -v chromedriver >/dev/null && command -v chromium >/dev/null");
}

/* Starts the driver on any free port, which it tells. */
static void browser_start_driver(struct browser *b) {
    int ends[2], port = 0;
    char line[300];
    assert_int_equal(pipe(ends), 0);
    b->driver = fork();
    if (!b->driver) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        setpgid(0, 0);
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execlp("chromedriver", "chromedriver", "--port=0", NULL);
        _exit(127);
    }
    close(ends[1]);
    b->says = fdopen(ends[0], "r");
    while (!port && fgets(line, sizeof line, b->says))
        sscanf(line, "ChromeDriver was started successfully on port %d", &port);
    assert_true(port > 0);
    snprintf(b->session, sizeof b->session, "http://127.0.0.1:%d/session", port);
}

static void browser_open(struct browser *b, int width, int height) {
    char size[40];
    *b = (struct browser){.curl = curl_easy_init()};
    assert_non_null(b->curl);
    browser_start_driver(b);
    snprintf(size, sizeof size, "--window-size=%d,%d", width, height);
    json_t *value = browser_do(
        b, "POST", "",
        json_pack("{s:{s:{s:s, s:{s:[s,s,s,s,s,s]}, s:{s:s}}}}", "capabilities", "alwaysMatch", "browserName", "chrome",
                  "goog:chromeOptions", "args", "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                  geteuid() ? "--no-first-run" : "--no-sandbox" /* Chromium refuses root a sandbox */, size,
                  "goog:loggingPrefs", "browser", "ALL"));
    size_t n = strlen(b->session);
    snprintf(b->session + n, sizeof b->session - n, "/%s", json_string_value(json_object_get(value, "sessionId")));
    json_decref(value);
}

static void browser_close(struct browser *b) {
    json_decref(browser_do(b, "DELETE", "", NULL));
    kill(-b->driver, SIGTERM);
    waitpid(b->driver, NULL, 0);
    fclose(b->says);
    curl_easy_cleanup(b->curl);
}

/* The size of what is seen; `dark`: the system's colours; `touch`: as on a phone. */
static inline void browser_view(struct browser *b, int width, int height, bool dark, bool touch) {
    browser_tell(b, "/goog/cdp/execute",
                 json_pack("{s:s, s:{s:i, s:i, s:i, s:b}}", "cmd", "Emulation.setDeviceMetricsOverride", "params", "width", width,
                           "height", height, "deviceScaleFactor", 1, "mobile", touch));
    browser_tell(b, "/goog/cdp/execute",
                 json_pack("{s:s, s:{s:[{s:s, s:s}]}}", "cmd", "Emulation.setEmulatedMedia", "params", "features", "name",
                           "prefers-color-scheme", "value", dark ? "dark" : "light"));
}

/* What a script returns; owned by caller. */
static json_t *browser_run(struct browser *b, const char *script) {
    return browser_do(b, "POST", "/execute/sync", json_pack("{s:s, s:[]}", "script", script, "args"));
}

/* What cannot be evaluated yet is not true. */
static bool browser_is(struct browser *b, const char *expression) {
    struct lp_str script = {0};
    lp_str_printf(&script, "try { return !!(%s) } catch { return false }", expression);
    json_t *value = browser_run(b, lp_str_text(&script));
    bool is = json_is_true(value);
    lp_str_done(&script);
    json_decref(value);
    return is;
}

/* An expression's value as text; owned by caller (free). */
static char *browser_text(struct browser *b, const char *expression) {
    struct lp_str script = {0};
    lp_str_printf(&script, "return String(%s)", expression);
    json_t *value = browser_run(b, lp_str_text(&script));
    char *text = strdup(json_string_value(value));
    lp_str_done(&script);
    json_decref(value);
    return text;
}

static void browser_wait(struct browser *b, const char *expression) {
    double began = lp_clock_ms();
    while (!browser_is(b, expression)) {
        if (lp_clock_ms() - began > 120000) {
            char *seen = browser_text(b, "document.body.innerText");
            fail_msg("never true: %s\n%s", expression, seen);
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

static void browser_go(struct browser *b, const char *address) {
    browser_tell(b, "/url", json_pack("{s:s}", "url", address));
}

/* "/element/ID" of the first one that a CSS selector finds. */
static void browser_find(struct browser *b, const char *css, char path[200]) {
    json_t *value = browser_do(b, "POST", "/element", json_pack("{s:s, s:s}", "using", "css selector", "value", css));
    snprintf(path, 200, "/element/%s",
             json_string_value(json_object_iter_value(json_object_iter(value))));
    json_decref(value);
}

static void browser_click(struct browser *b, const char *css) {
    char path[240];
    browser_find(b, css, path);
    strcat(path, "/click");
    browser_tell(b, path, json_object());
}

/* Types into an element; for an input of files: their paths. */
static void browser_type(struct browser *b, const char *css, const char *text) {
    char path[240];
    browser_find(b, css, path);
    strcat(path, "/value");
    browser_tell(b, path, json_pack("{s:s}", "text", text));
}

/* Keys that go to what has the focus: W3C's code points in the private use area are special ones. */
#define KEY_BACKSPACE "\xee\x80\x83"
#define KEY_TAB "\xee\x80\x84"
#define KEY_ENTER "\xee\x80\x87"
#define KEY_ESCAPE "\xee\x80\x8c"
#define KEY_LEFT "\xee\x80\x92"
#define KEY_UP "\xee\x80\x93"
#define KEY_RIGHT "\xee\x80\x94"
#define KEY_DOWN "\xee\x80\x95"

static void browser_press(struct browser *b, const char *keys) {
    json_t *list = json_array();
    for (size_t n; *keys; keys += n) {
        n = *(const unsigned char *)keys < 0x80 ? 1 : *(const unsigned char *)keys < 0xe0 ? 2 : 3;
        json_array_append_new(list, json_pack("{s:s, s:s%}", "type", "keyDown", "value", keys, n));
        json_array_append_new(list, json_pack("{s:s, s:s%}", "type", "keyUp", "value", keys, n));
    }
    browser_tell(b, "/actions", json_pack("{s:[{s:s, s:s, s:o}]}", "actions", "type", "key", "id", "keys", "actions", list));
}

/* Presses the mouse over an element at from[2] and lets it go at to[2], 0..1 of it; NULL: only moves there. */
static void browser_drag(struct browser *b, const char *css, const double *from, const double *to) {
    struct lp_str script = {0};
    double x, y, w, h;
    lp_str_printf(&script,
                  "const e = document.querySelector('%s'); e.scrollIntoView({block: 'nearest'});"
                  "const r = e.getBoundingClientRect(); return [r.left, r.top, r.width, r.height].map((x) => x + 1e-9)",
                  css);
    json_t *r = browser_run(b, lp_str_text(&script));
    lp_str_done(&script);
    assert_int_equal(json_unpack(r, "[F,F,F,F]", &x, &y, &w, &h), 0);
    json_decref(r);
    json_t *list = json_pack("[{s:s, s:i, s:i, s:i}]", "type", "pointerMove", "duration", 0, "x", (int)(x + w * from[0] + 0.5), "y",
                             (int)(y + h * from[1] + 0.5));
    if (to) {
        json_array_append_new(list, json_pack("{s:s, s:i}", "type", "pointerDown", "button", 0));
        for (int i = 1; i <= 4; i++)
            json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:i}", "type", "pointerMove", "duration", 0, "x",
                                                  (int)(x + w * (from[0] + (to[0] - from[0]) * i / 4) + 0.5), "y",
                                                  (int)(y + h * (from[1] + (to[1] - from[1]) * i / 4) + 0.5)));
        json_array_append_new(list, json_pack("{s:s, s:i}", "type", "pointerUp", "button", 0));
    }
    browser_tell(b, "/actions", json_pack("{s:[{s:s, s:s, s:o}]}", "actions", "type", "pointer", "id", "mouse", "actions", list));
}

/* Where LP_SCREENSHOTS names a folder: what is seen, into NAME.png there. */
static void browser_shot(struct browser *b, const char *name) {
    const char *folder = getenv("LP_SCREENSHOTS");
    char path[400];
    if (!folder)
        return;
    json_t *value = browser_do(b, "GET", "/screenshot", NULL);
    struct lp_str bytes = {0};
    snprintf(path, sizeof path, "%s/%s.png", folder, name);
    FILE *file = fopen(path, "wb");
    assert_true(file && lp_base64_parse(&bytes, json_string_value(value), json_string_length(value)));
    fwrite(bytes.s, 1, bytes.n, file);
    fclose(file);
    lp_str_done(&bytes);
    json_decref(value);
}

static json_t *browser_console(struct browser *b) {
    return browser_do(b, "POST", "/se/log", json_pack("{s:s}", "type", "browser"));
}

/* Fails where the console tells of an error since the last look. */
static void browser_quiet(struct browser *b) {
    json_t *list = browser_console(b), *one;
    size_t i;
    json_array_foreach(list, i, one) {
        const char *text = json_string_value(json_object_get(one, "message"));
        const char *level = json_string_value(json_object_get(one, "level"));
        if (!strcmp(level, "SEVERE") || !strcmp(level, "WARNING"))
            fail_msg("console: %s %s", level, text);
    }
    json_decref(list);
}

/* What the console has told is as it should be. */
static void browser_forget(struct browser *b) {
    json_decref(browser_console(b));
}

#endif
