/* SPDX-License-Identifier: MIT */
/* For tests of sessions: skills that are played, a client that follows events, and small pictures. */
#ifndef LP_TESTS_SERVE_TALK_H
#define LP_TESTS_SERVE_TALK_H

#include "image/image.h"
#include "serve/client.h"

#define TURN(thoughts, actions, value)                                                                       \
    LP_MARK_THOUGHTS " " thoughts "\n" LP_MARK_ACTIONS " " actions "\n" LP_MARK_VALUE " " value "\n"
#define CALL(name, params) "{\"API_name\": \"" name "\", \"API_params\": {" params "}}"

/* Plays a skill that leaves a mask of the picture's left half, a picture and a text, and says how it was called. */
static inline bool talk_play(void *context, struct lp_call *call, struct lp_error *err) {
    (void)context;
    int w = call->picture->width, h = call->picture->height;
    struct lp_image *made = lp_image_new(8, 6, err);
    uint8_t *mask = lp_alloc((size_t)w * (size_t)h);
    assert_true(made && mask);
    memset(made->pixel, 77, 8 * 6 * 3);
    for (int i = 0; i < w * h; i++)
        mask[i] = i % w < w / 2;
    bool done = lp_objects_add_mask(&call->made, w, h, mask, "half", 0.5f, err) &&
                lp_objects_add_map(&call->made, w, h, mask, err) && lp_objects_add_image(&call->made, made, err) &&
                lp_objects_add_text(&call->made, "played", 1, err);
    lp_free(mask);
    json_object_set_new(call->result, "said", json_string("left"));
    json_object_set(call->report, "params", (json_t *)call->params);
    return done;
}

/* A picture of one colour as PNG. */
static inline struct lp_str talk_picture(int width, int height, int color) {
    struct lp_image *image = lp_image_new(width, height, NULL);
    struct lp_str out = {0};
    size_t n;
    assert_non_null(image);
    memset(image->pixel, color, (size_t)width * (size_t)height * 3);
    uint8_t *bytes = lp_image_encode_png(image, &n, NULL);
    assert_non_null(bytes);
    lp_str_add(&out, (const char *)bytes, n);
    lp_free(bytes);
    lp_image_close(image);
    return out;
}

/* Sends a body of any bytes to a port; `headers` as client_ask has them. */
static inline struct answer talk_post(int port, const char *path, const char *headers, const char *body, size_t n) {
    struct lp_str all = {0};
    int fd = client_connect(port);
    lp_str_printf(&all, "POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n", path,
                  headers, n);
    lp_str_add(&all, body, n);
    client_send(fd, all.s, all.n);
    lp_str_done(&all);
    return client_read(fd);
}

static inline json_t *answer_json(const struct answer *a) {
    return json_loads(lp_str_text(&a->body), 0, NULL);
}

static inline const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* Compares an error with what it must be, and frees it. */
static inline void answer_refused(struct answer a, int status, const char *says) {
    json_t *all = answer_json(&a);
    const char *message = text_of(json_object_get(all, "error"), "message");
    if (a.status != status || !strstr(message, says))
        fail_msg("%d, not %d '%s': %s", a.status, status, says, lp_str_text(&a.all));
    json_decref(all);
    answer_done(&a);
}

/* Makes a session; its path ("/v1/sessions/sess_..") is in `path`. */
static inline void talk_begin(int port, const char *headers, char path[80]) {
    char all[200];
    snprintf(all, sizeof all, JSON_TYPE "%s", headers);
    struct answer a = talk_post(port, "/v1/sessions", all, "{}", 2);
    json_t *session = answer_json(&a);
    if (a.status != 201)
        fail_msg("%s", lp_str_text(&a.all));
    snprintf(path, 80, "/v1/sessions/%s", text_of(session, "id"));
    json_decref(session);
    answer_done(&a);
}

static inline struct answer talk_do(int port, const char *method, const char *session, const char *rest,
                                    const char *headers, const char *body) {
    char path[200];
    int fd = client_connect(port);
    snprintf(path, sizeof path, "%s%s", session, rest);
    client_ask(fd, method, path, headers, body);
    return client_read(fd);
}

/* Adds a picture of one colour: its status, 201 when it went well. */
static inline int talk_add(int port, const char *session, int width, int height, int color) {
    char path[200];
    struct lp_str png = talk_picture(width, height, color);
    snprintf(path, sizeof path, "%s/images", session);
    struct answer a = talk_post(port, path, "Content-Type: image/png\r\n", png.s, png.n);
    int status = a.status;
    answer_done(&a);
    lp_str_done(&png);
    return status;
}

/* The next event of a stream from *at on: its name, and data owned by caller; NULL at the end or where it is cut. */
static inline json_t *next_event(const char **at, char name[32]) {
    const char *end = strstr(*at, "\n\n"), *data = strstr(*at, "\ndata: ");
    if (!end || !data || data > end || sscanf(*at, "event: %31[a-z_]", name) != 1)
        return NULL;
    json_t *value = json_loadb(data + 7, (size_t)(end - data - 7), 0, NULL);
    assert_non_null(value);
    *at = end + 2;
    return value;
}

/* The session's JSON; owned by caller. */
static inline json_t *talk_session(int port, const char *session) {
    struct answer a = talk_do(port, "GET", session, "", "", NULL);
    json_t *all = answer_json(&a);
    if (a.status != 200 || !all)
        fail_msg("%s", lp_str_text(&a.all));
    answer_done(&a);
    return all;
}

#endif
