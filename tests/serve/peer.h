/* SPDX-License-Identifier: MIT */
/* A peer of the original's kind for tests, written from the protocol's text (docs/workers.md): a worker, planner's or
 * tool's, or a controller, on bare sockets. And a controller of ours with a client. */
#ifndef LP_TESTS_SERVE_PEER_H
#define LP_TESTS_SERVE_PEER_H

#include "http_stub.h"
#include "serve/client.h"
#include "serve/controller.h"

#include <stdatomic.h>

/* What it answers, by path: a whole body. `stream` is sent in pieces of three bytes, then the connection is closed, in
 * order or with `dies` before the last chunk. NULL: it says nothing until the client goes. */
struct peer {
    struct http_stub stub;
    char url[64];
    const char *status, *response;
    const char *stream;
    size_t stream_n;
    bool dies;
    atomic_int asked, registered, beats;
    atomic_bool known; /* a controller: what it says about heart beats */
    char last[4096];   /* the last request's body, cut */
};

static void peer_stream(const struct peer *p, int fd) {
    static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", end[] = "0\r\n\r\n";
    bool more = http_stub_write(fd, head, sizeof head - 1);
    for (size_t i = 0; more && i < p->stream_n; i += 3) {
        size_t n = p->stream_n - i < 3 ? p->stream_n - i : 3;
        char size[8];
        int k = snprintf(size, sizeof size, "%zx\r\n", n);
        more = http_stub_write(fd, size, (size_t)k) && http_stub_write(fd, p->stream + i, n) && http_stub_write(fd, "\r\n", 2);
    }
    if (more && !p->dies)
        http_stub_write(fd, end, sizeof end - 1);
}

static bool peer_serve(void *context, int fd, const char *request) {
    struct peer *p = context;
    const char *body = strstr(request, "\r\n\r\n") + 4, *path = request + strlen("POST ");
    const char *json = NULL;
    char beat[32];
    atomic_fetch_add(&p->asked, 1);
    snprintf(p->last, sizeof p->last, "%s", body);
    if (!strncmp(path, "/worker_get_status ", 19)) {
        json = p->status;
    } else if (!strncmp(path, "/worker_generate ", 17) || !strncmp(path, "/list_models ", 13) ||
               !strncmp(path, "/get_worker_address ", 20)) {
        json = p->response;
    } else if (!strncmp(path, "/register_worker ", 17)) {
        atomic_store(&p->known, true);
        atomic_fetch_add(&p->registered, 1);
        json = "null";
    } else if (!strncmp(path, "/receive_heart_beat ", 20)) {
        atomic_fetch_add(&p->beats, 1);
        snprintf(beat, sizeof beat, "{\"exist\":%s}", atomic_load(&p->known) ? "true" : "false");
        json = beat;
    } else if (!strncmp(path, "/worker_generate_stream ", 24)) {
        peer_stream(p, fd);
        return true;
    }
    if (json)
        http_stub_send(fd, "200 OK", "application/json", json);
    else
        http_stub_be_silent(fd);
    return true;
}

#define STATUS(names) "{\"model_names\":[" names "],\"speed\":1,\"queue_length\":0}"

static inline void peer_start(struct peer *p) {
    http_stub_open(&p->stub, peer_serve, p);
    snprintf(p->url, sizeof p->url, "%.*s", (int)(strlen(p->stub.url) - 3), p->stub.url);
    http_stub_start(&p->stub);
}

static inline void peer_stop(struct peer *p) {
    http_stub_close(&p->stub);
}

/* A controller of ours on any free port; `settings` may be changed between. */
struct control {
    struct lp_server_settings server_settings;
    struct lp_controller_settings settings;
    struct lp_controller *controller;
    struct lp_server *server;
    char url[64];
};

static inline void control_begin(struct control *c) {
    memset(c, 0, sizeof *c);
    lp_server_defaults(&c->server_settings);
    lp_controller_defaults(&c->settings);
    c->server_settings.port = 0;
}

static inline void control_start(struct control *c) {
    struct lp_error err = {0};
    c->controller = lp_controller_open(&c->settings, &err);
    assert_non_null(c->controller);
    const struct lp_site site = lp_controller_site(c->controller);
    c->server = lp_server_open_site(&c->server_settings, &site, &err);
    if (!c->server)
        fail_msg("%s", err.text);
    snprintf(c->url, sizeof c->url, "http://127.0.0.1:%d", lp_server_port(c->server));
}

static inline void control_end(struct control *c) {
    lp_server_close(c->server);
    lp_controller_close(c->controller);
}

/* Posts as Python's requests does: no Content-Type where there is no body. End with answer_done. */
static inline struct answer post(struct lp_server *server, const char *path, const char *body) {
    int fd = client_connect(lp_server_port(server));
    client_ask(fd, "POST", path, body ? JSON_TYPE : "Content-Length: 0\r\n", body);
    return client_read(fd);
}

/* Posts and compares the whole answer. */
static inline void expect(struct lp_server *server, const char *path, const char *body, const char *answer) {
    struct answer a = post(server, path, body);
    if (a.status != 200 || strcmp(lp_str_text(&a.body), answer))
        fail_msg("%s %s: %d %s", path, body ? body : "", a.status, lp_str_text(&a.all));
    answer_done(&a);
}

static inline void expect_status(struct lp_server *server, const char *path, const char *body, int status, const char *says) {
    struct answer a = post(server, path, body);
    if (a.status != status || !strstr(lp_str_text(&a.body), says))
        fail_msg("%s %s: %d %s", path, body ? body : "", a.status, lp_str_text(&a.all));
    answer_done(&a);
}

/* Registers a peer with its own words. */
static inline void enlist(struct control *c, const char *url, const char *names, bool check) {
    char body[512];
    snprintf(body, sizeof body, "{\"worker_name\":\"%s\",\"check_heart_beat\":%s,\"worker_status\":" STATUS("%s") "}", url,
             check ? "true" : "false", names);
    expect(c->server, "/register_worker", body, "null");
}

/* Waits until a count is reached; fails after ten seconds. */
static inline void wait_count(atomic_int *count, int n) {
    double began = lp_clock_ms();
    while (atomic_load(count) < n) {
        if (lp_clock_ms() - began > 10000)
            fail_msg("%d, not %d", atomic_load(count), n);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

/* Waits until a path answers so; fails after ten seconds. */
static inline void wait_answer(struct lp_server *server, const char *path, const char *answer) {
    double began = lp_clock_ms();
    for (bool same = false; !same;) {
        struct answer a = post(server, path, NULL);
        same = !strcmp(lp_str_text(&a.body), answer);
        if (!same && lp_clock_ms() - began > 10000)
            fail_msg("%s: %s, not %s", path, lp_str_text(&a.body), answer);
        answer_done(&a);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

/* The n-th frame of a stream that came to n frames, none of them empty; its text ends with the answer. */
static inline int frames_in(const struct lp_str *body) {
    int n = 0;
    for (size_t i = 0; i < body->n; i++)
        n += !body->s[i] && i && body->s[i - 1];
    return n;
}
static inline const char *last_frame(const struct lp_str *body) {
    size_t end = body->n;
    while (end && !body->s[end - 1])
        end--;
    size_t at = end;
    while (at && body->s[at - 1])
        at--;
    return end ? body->s + at : "";
}

#endif
