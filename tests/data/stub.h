/* SPDX-License-Identifier: MIT */
/* A chat endpoint on this machine that answers by a script, one letter a request:
 *   g good   4 429 with Retry-After: 7   5 500   s never answers   c cut off   j no JSON   e no choices
 *   t no list   l a list with faults   h huge   r a redirect   k refuses the key
 * and g when the script has ended. */
#ifndef TEST_STUB_H
#define TEST_STUB_H

#include "base/memory.h"
#include "base/str.h"

#include <jansson.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STUB_MOST = 64 };

struct stub {
    const char *script;
    int listener, asked;
    char url[64];
    char request[STUB_MOST][256], key[STUB_MOST][64]; /* what was asked to be rewritten; the bearer token */
    pthread_t thread;
    sem_t silent; /* posted where a request is not answered */
};

static void stub_open(struct stub *s, const char *script) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    *s = (struct stub){.script = script, .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &n), 0);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d/v1", ntohs(at.sin_port));
    sem_init(&s->silent, 0, 0);
}

static void stub_send(int fd, const char *head, const char *body) {
    struct lp_str all = {0};
    lp_str_printf(&all, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", head,
                  strlen(body), body);
    for (size_t at = 0; at < all.n;) {
        ssize_t put = send(fd, all.s + at, all.n - at, MSG_NOSIGNAL);
        if (put <= 0)
            break;
        at += (size_t)put;
    }
    lp_str_done(&all);
}

/* A completion whose content is this. */
static void stub_say(int fd, const char *content) {
    json_t *reply = json_pack("{s:[{s:{s:s, s:s}}]}", "choices", "message", "role", "assistant", "content", content);
    char *text = json_dumps(reply, 0);
    stub_send(fd, "200 OK", text);
    lp_free(text);
    json_decref(reply);
}

static void stub_answer(int fd, char how, const char *request, int number) {
    json_t *list = how == 'l' ? json_pack("[s, s, i, s, o, o]", "nothing at all", request, 7, "",
                                          json_sprintf("two\nlines %s", request), json_sprintf("<image> %s", request))
                              : json_array();
    for (int i = 0; i < number; i++)
        json_array_append_new(list, json_sprintf("hey you%c, %s", 'a' + i, request));
    json_t *root = json_pack("{s:o}", "wordings", list), *content;
    char *text = json_dumps(root, 0);
    content = json_sprintf("Sure:\n```json\n%s\n```", text);
    stub_say(fd, json_string_value(content));
    lp_free(text);
    json_decref(content);
    json_decref(root);
}

/* Reads a whole request into text; false when the client has gone. */
static bool stub_read(int fd, struct lp_str *text) {
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

static void stub_serve(struct stub *s, int fd, const char *text) {
    static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"choi";
    json_t *root = json_loads(strstr(text, "\r\n\r\n") + 4, 0, NULL);
    json_t *user = json_array_get(json_object_get(root, "messages"), 1);
    json_t *question = json_loads(json_string_value(json_object_get(user, "content")), 0, NULL);
    const char *request = json_string_value(json_object_get(question, "request")), *key = strstr(text, "Bearer ");
    int i = s->asked, number = (int)json_integer_value(json_object_get(question, "number"));
    char how = *s->script ? *s->script++ : 'g', byte;
    snprintf(s->request[i], sizeof s->request[i], "%s", request);
    if (key)
        snprintf(s->key[i], sizeof s->key[i], "%.*s", (int)strcspn(key + 7, "\r"), key + 7);
    s->asked++;
    if (how == 'g' || how == 'l')
        stub_answer(fd, how, request, number);
    else if (how == '4')
        stub_send(fd, "429 Too Many Requests\r\nRetry-After: 7", "{\"error\": {\"message\": \"slow down\"}}");
    else if (how == '5')
        stub_send(fd, "500 Internal Server Error", "oops");
    else if (how == 'j')
        stub_send(fd, "200 OK", "<html>hello</html>");
    else if (how == 'e')
        stub_send(fd, "200 OK", "{\"choices\": []}");
    else if (how == 't')
        stub_say(fd, "I am sorry, I cannot do that.");
    else if (how == 'r')
        stub_send(fd, "302 Found\r\nLocation: /v1/elsewhere", "");
    else if (how == 'k')
        stub_send(fd, "401 Unauthorized", "{\"error\": {\"message\": \"no such\\nkey\"}}");
    else if (how == 'c')
        send(fd, cut, sizeof cut - 1, MSG_NOSIGNAL);
    if (how == 'h') {
        char *huge = malloc((5u << 20) + 1);
        memset(huge, ' ', 5u << 20);
        huge[5u << 20] = 0;
        stub_send(fd, "200 OK", huge);
        free(huge);
    } else if (how == 's') {
        sem_post(&s->silent);
        while (recv(fd, &byte, 1, 0) > 0) {
        }
    }
    json_decref(question);
    json_decref(root);
}

static void *stub_run(void *context) {
    struct stub *s = context;
    for (int fd; s->asked < STUB_MOST && (fd = accept(s->listener, NULL, NULL)) >= 0; close(fd)) {
        struct lp_str text = {0};
        if (stub_read(fd, &text))
            stub_serve(s, fd, text.s);
        lp_str_done(&text);
    }
    return NULL;
}

static void stub_start(struct stub *s) {
    assert_int_equal(pthread_create(&s->thread, NULL, stub_run, s), 0);
}

static void stub_close(struct stub *s) {
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
    sem_destroy(&s->silent);
}

#endif
