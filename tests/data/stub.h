/* SPDX-License-Identifier: MIT */
/* A chat endpoint on this machine that answers by a script, one letter a request:
 *   g good   4 429 with Retry-After: 7   5 500   s never answers   c cut off   j no JSON   e no choices
 *   t no list   l a list with faults   h huge   r a redirect   k refuses the key
 * and g when the script has ended. */
#ifndef TEST_STUB_H
#define TEST_STUB_H

#include "http_stub.h"

#include <jansson.h>
#include <semaphore.h>

enum { STUB_MOST = 64 };

struct stub {
    struct http_stub http;
    const char *script, *url;
    int asked;
    char request[STUB_MOST][256], key[STUB_MOST][64]; /* what was asked to be rewritten; the bearer token */
    sem_t silent; /* posted where a request is not answered */
};

static void stub_send(int fd, const char *head, const char *body) {
    http_stub_send(fd, head, "application/json", body);
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

static bool stub_serve(void *context, int fd, const char *text) {
    struct stub *s = context;
    static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"choi";
    json_t *root = json_loads(strstr(text, "\r\n\r\n") + 4, 0, NULL);
    json_t *user = json_array_get(json_object_get(root, "messages"), 1);
    json_t *question = json_loads(json_string_value(json_object_get(user, "content")), 0, NULL);
    const char *request = json_string_value(json_object_get(question, "request")), *key = strstr(text, "Bearer ");
    int i = s->asked, number = (int)json_integer_value(json_object_get(question, "number"));
    char how = *s->script ? *s->script++ : 'g';
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
        http_stub_be_silent(fd);
    }
    json_decref(question);
    json_decref(root);
    return s->asked < STUB_MOST;
}

static void stub_open(struct stub *s, const char *script) {
    *s = (struct stub){.script = script};
    http_stub_open(&s->http, stub_serve, s);
    s->url = s->http.url;
    sem_init(&s->silent, 0, 0);
}

static void stub_start(struct stub *s) {
    http_stub_start(&s->http);
}

static void stub_close(struct stub *s) {
    http_stub_close(&s->http);
    sem_destroy(&s->silent);
}

#endif
