/* SPDX-License-Identifier: MIT */
/* A planner's server on this machine that replays files of tests/plan/replies, one a request: the first line
 * is the status, lines up to one that begins the body with '{', '[', 'd' or 'e' are headers. Instead of a
 * file: !silent  never answers     !drop  goes away   !words  an endless answer    !pings  endless comments
 *   !huge    20 MiB of JSON    !line  one endless line       ={..}  this body, as it is */
#ifndef LP_TESTS_PLAN_REPLY_STUB_H
#define LP_TESTS_PLAN_REPLY_STUB_H

#include "http_stub.h"

#include "base/file.h"

#include <jansson.h>
#include <semaphore.h>

enum { ASKED_MOST = 16 };

struct reply_stub {
    struct http_stub http;
    const char *const *script; /* ended by NULL */
    int asked;
    json_t *question[ASKED_MOST]; /* as they came */
    char key[64];
    sem_t silent; /* posted where an answer does not end */
};

static void reply_stub_file(int fd, const char *name) {
    char path[512];
    size_t n;
    snprintf(path, sizeof path, LP_TESTS_DIR "/plan/replies/%s", name);
    char *text = lp_file_read(path, 1 << 20, &n, NULL);
    assert_non_null(text);
    char *body = strchr(text, '\n');
    struct lp_str head = {0};
    lp_str_add(&head, text, (size_t)(body - text));
    for (body++; !strchr("{[de", *body); body = strchr(body, '\n') + 1) {
        lp_str_puts(&head, "\r\n");
        lp_str_add(&head, body, strcspn(body, "\n"));
    }
    http_stub_send(fd, head.s, strstr(name, ".sse") ? "text/event-stream" : "application/json", body);
    lp_str_done(&head);
    lp_free(text);
}

/* Writes the same until the client goes. */
static void reply_stub_endless(struct reply_stub *s, int fd, const char *piece) {
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    bool more = http_stub_write(fd, head, sizeof head - 1);
    sem_post(&s->silent);
    while (more) {
        more = http_stub_write(fd, piece, strlen(piece));
        usleep(200);
    }
}

static void reply_stub_huge(int fd) {
    size_t n = (size_t)20 << 20;
    char *huge = malloc(n + 1);
    memset(huge, ' ', n);
    huge[0] = '{';
    huge[n] = 0;
    http_stub_send(fd, "200 OK", "application/json", huge);
    free(huge);
}

static bool reply_stub_serve(void *context, int fd, const char *request) {
    struct reply_stub *s = context;
    const char *key = strstr(request, "Bearer "), *how = s->script[s->asked];
    if (!how || s->asked == ASKED_MOST)
        return false;
    s->question[s->asked++] = json_loads(strstr(request, "\r\n\r\n") + 4, 0, NULL);
    if (key)
        snprintf(s->key, sizeof s->key, "%.*s", (int)strcspn(key + 7, "\r"), key + 7);
    if (!strcmp(how, "!silent")) {
        sem_post(&s->silent);
        http_stub_be_silent(fd);
    } else if (!strcmp(how, "!words")) {
        reply_stub_endless(s, fd,
                           "data: {\"choices\":[{\"delta\":{\"content\":\"more and more words \"}}]}\n\n");
    } else if (!strcmp(how, "!pings")) {
        reply_stub_endless(s, fd, ": ping\n\n");
    } else if (!strcmp(how, "!line")) {
        char line[4096];
        memset(line, 'l', sizeof line - 1);
        line[sizeof line - 1] = 0;
        reply_stub_endless(s, fd, line);
    } else if (!strcmp(how, "!huge")) {
        reply_stub_huge(fd);
    } else if (*how == '=') {
        http_stub_send(fd, "200 OK", "application/json", how + 1);
    } else if (strcmp(how, "!drop")) {
        reply_stub_file(fd, how);
    }
    return true;
}

static void reply_stub_open(struct reply_stub *s, const char *const *script) {
    *s = (struct reply_stub){.script = script};
    sem_init(&s->silent, 0, 0);
    http_stub_open(&s->http, reply_stub_serve, s);
}

static inline void reply_stub_start(struct reply_stub *s, const char *const *script) {
    reply_stub_open(s, script);
    http_stub_start(&s->http);
}

static inline void reply_stub_close(struct reply_stub *s) {
    http_stub_close(&s->http);
    for (int i = 0; i < s->asked; i++)
        json_decref(s->question[i]);
    sem_destroy(&s->silent);
}

#endif
