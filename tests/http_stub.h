/* SPDX-License-Identifier: MIT */
/* A web server on this machine for tests: one request after the other, each on a connection of its own. */
#ifndef LP_TESTS_HTTP_STUB_H
#define LP_TESTS_HTTP_STUB_H

#include "base/memory.h"
#include "base/str.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct http_stub {
    int listener;
    char url[64]; /* http://127.0.0.1:PORT/v1 */
    pthread_t thread;
    /* Answers a request, head and body, on fd; false ends the server. */
    bool (*serve)(void *context, int fd, const char *request);
    void *context;
};

static void http_stub_open(struct http_stub *s, bool (*serve)(void *, int, const char *), void *context) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    *s = (struct http_stub){
        .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .serve = serve, .context = context};
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &n), 0);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d/v1", ntohs(at.sin_port));
}

/* False when the client has gone. */
static bool http_stub_write(int fd, const char *bytes, size_t n) {
    while (n) {
        ssize_t put = send(fd, bytes, n, MSG_NOSIGNAL);
        if (put <= 0)
            return false;
        bytes += put;
        n -= (size_t)put;
    }
    return true;
}

/* `head`: the status, and further lines without the last line's end. */
static void http_stub_send(int fd, const char *head, const char *type, const char *body) {
    struct lp_str all = {0};
    lp_str_printf(&all,
                  "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                  head, type, strlen(body), body);
    http_stub_write(fd, lp_str_text(&all), all.n);
    lp_str_done(&all);
}

/* Until the client goes. */
static void http_stub_be_silent(int fd) {
    char byte;
    while (recv(fd, &byte, 1, 0) > 0) {
    }
}

/* Reads a whole request into text; false when the client has gone. */
static bool http_stub_read(int fd, struct lp_str *text) {
    char block[4096];
    for (;;) {
        const char *body = text->s ? strstr(text->s, "\r\n\r\n") : NULL;
        const char *length = body ? strcasestr(text->s, "content-length:") : NULL;
        if (length && text->n >= (size_t)(body + 4 - text->s) + strtoul(length + 15, NULL, 10))
            return true;
        ssize_t got = recv(fd, block, sizeof block, 0);
        if (got <= 0)
            return false;
        lp_str_add(text, block, (size_t)got);
    }
}

static void *http_stub_run(void *context) {
    struct http_stub *s = context;
    bool more = true;
    for (int fd; more && (fd = accept(s->listener, NULL, NULL)) >= 0; close(fd)) {
        struct lp_str text = {0};
        if (http_stub_read(fd, &text))
            more = s->serve(s->context, fd, text.s);
        lp_str_done(&text);
    }
    return NULL;
}

static void http_stub_start(struct http_stub *s) {
    assert_int_equal(pthread_create(&s->thread, NULL, http_stub_run, s), 0);
}

static void http_stub_close(struct http_stub *s) {
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
}

#endif
