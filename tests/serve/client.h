/* SPDX-License-Identifier: MIT */
/* For tests of the server: a scripted planner that can be held at its work, a server on it, and a client of
 * bare sockets. */
#ifndef LP_TESTS_SERVE_CLIENT_H
#define LP_TESTS_SERVE_CLIENT_H

#include "base/clock.h"
#include "plan/fake_lmm.h"
#include "serve/http.h"

#include <jansson.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct service {
    struct fake fake;
    struct lp_agent agent;
    struct lp_server_settings settings;
    struct lp_server *server;
};

/* The planner stops before its next token while this is set; but it may take as many as `service_allowed`. */
static atomic_bool service_held;
static atomic_int service_allowed;
static atomic_bool service_waits; /* it stands there */

static const float *service_feed(void *self, const int32_t *id, int64_t n,
                                 const struct lp_llava_picture *const *pictures, int64_t picture_count,
                                 struct lp_error *err) {
    do {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        atomic_store(&service_waits, atomic_load(&service_held));
    } while (atomic_load(&service_held) && !atomic_load(&service_allowed));
    if (atomic_load(&service_allowed))
        atomic_fetch_sub(&service_allowed, 1);
    return fake_feed(self, id, n, pictures, picture_count, err);
}

static const struct lp_lmm_kind service_kind = {fake_see,  fake_rows, fake_cut,  service_feed,
                                                 fake_save, fake_load, fake_close, NULL};

/* A server on any free port; settings may be changed before service_start. */
static inline void service_begin(struct service *s, const char *const *script) {
    struct lp_sampling sampling = {.temperature = 0, .top_p = 1, .most_tokens = 300};
    memset(s, 0, sizeof *s);
    atomic_store(&service_held, false);
    atomic_store(&service_allowed, 0);
    assert_true(fake_open(&s->fake, script, 0, 4000));
    s->fake.lmm.kind = &service_kind;
    assert_true(lp_agent_init(&s->agent, &s->fake.lmm, NULL, &sampling, NULL));
    lp_server_defaults(&s->settings);
    s->settings.port = 0;
}

static inline void service_start(struct service *s) {
    struct lp_error err = {0};
    s->server = lp_server_open(&s->settings, &s->agent, &err);
    if (!s->server)
        fail_msg("%s", err.text);
}

static inline void service_end(struct service *s) {
    atomic_store(&service_held, false);
    lp_server_close(s->server);
    lp_agent_done(&s->agent);
    lp_lmm_close(&s->fake.lmm);
}

static int client_connect(int port) {
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    struct timeval most = {.tv_sec = 60};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void client_send(int fd, const char *bytes, size_t n) {
    while (n) {
        ssize_t put = send(fd, bytes, n, MSG_NOSIGNAL);
        if (put <= 0)
            return; /* refused early: the answer tells */
        bytes += put;
        n -= (size_t)put;
    }
}

/* Sends a request: `headers` are further lines, each ended by CR LF. body NULL: none. */
static void client_ask(int fd, const char *method, const char *path, const char *headers, const char *body) {
    struct lp_str all = {0};
    lp_str_printf(&all, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s", method, path,
                  headers);
    if (body)
        lp_str_printf(&all, "Content-Length: %zu\r\n", strlen(body));
    lp_str_puts(&all, "\r\n");
    lp_str_puts(&all, body ? body : "");
    client_send(fd, lp_str_text(&all), all.n);
    lp_str_done(&all);
}

#define JSON_TYPE "Content-Type: application/json\r\n"
#define CHAT "/v1/chat/completions"

/* An answer. End with answer_done. */
struct answer {
    int status;
    struct lp_str all;
    struct lp_str body; /* without the marks of its chunks */
};

static void answer_done(struct answer *a) {
    lp_str_done(&a->all);
    lp_str_done(&a->body);
}

static void answer_read_chunks(struct answer *a, const char *at) {
    for (;;) {
        char *end;
        size_t n = strtoul(at, &end, 16);
        if (!n || strncmp(end, "\r\n", 2) || (size_t)(a->all.s + a->all.n - (end + 2)) < n) /* NULs may be within */
            return;
        lp_str_add(&a->body, end + 2, n);
        at = end + 2 + n + 2;
    }
}

/* Reads more of an answer; false: the server has closed. */
static bool client_read_some(int fd, struct answer *a) {
    char block[4096];
    ssize_t n = recv(fd, block, sizeof block, 0);
    if (n > 0)
        lp_str_add(&a->all, block, (size_t)n);
    return n > 0;
}

/* Reads the rest of an answer, until the server closes. */
static void client_read_rest(int fd, struct answer *a) {
    while (client_read_some(fd, a)) {
    }
    close(fd);
    const char *text = lp_str_text(&a->all), *body = strstr(text, "\r\n\r\n");
    if (!body)
        return;
    a->status = atoi(text + strcspn(text, " "));
    const char *chunked = strcasestr(text, "Transfer-Encoding: chunked");
    if (chunked && chunked < body)
        answer_read_chunks(a, body + 4);
    else
        lp_str_add(&a->body, body + 4, (size_t)(a->all.s + a->all.n - (body + 4)));
}

static struct answer client_read(int fd) {
    struct answer a = {0};
    client_read_rest(fd, &a);
    return a;
}

static inline struct answer client_do(const struct service *s, const char *method, const char *path,
                               const char *headers, const char *body) {
    int fd = client_connect(lp_server_port(s->server));
    client_ask(fd, method, path, headers, body);
    return client_read(fd);
}

static inline struct answer client_chat(const struct service *s, const char *body) {
    return client_do(s, "POST", CHAT, JSON_TYPE, body);
}

/* What a text of the server's /metrics says of a name, or -1. */
static inline double metric(const struct service *s, const char *name) {
    struct answer a = client_do(s, "GET", "/metrics", "", NULL);
    char line[200];
    snprintf(line, sizeof line, "\n%s ", name);
    const char *at = strstr(lp_str_text(&a.body), line);
    double value = at ? atof(at + strlen(line)) : -1;
    answer_done(&a);
    return value;
}

/* Waits until a metric has a value; fails after ten seconds. */
static inline void wait_for(const struct service *s, const char *name, double value) {
    double began = lp_clock_ms();
    while (metric(s, name) != value) {
        if (lp_clock_ms() - began > 10000)
            fail_msg("%s is %g, not %g", name, metric(s, name), value);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

#endif
