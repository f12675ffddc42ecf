/* SPDX-License-Identifier: MIT */
/* base/http.c - libcurl, held to what http.h promises. */
#include "base/http.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

enum {
    GLANCE_MS = 50,    /* how often a request looks whether to stop */
    LONGEST = 10,      /* most time, in waits */
    HEADERS = 64 << 10 /* most bytes of an answer's headers */
};

struct lp_http {
    CURL *curl;
    CURLM *multi; /* keeps the connection */
    struct curl_slist *header; /* the first is about what is posted */
    struct curl_slist *meaning; /* of the host, as CURLOPT_RESOLVE wants it; NULL: the system is asked */
    struct lp_http_listener listener; /* of the present request */
    struct lp_str body;
    size_t limit, got, heard; /* bytes: most of an answer, so far, those that the listener got */
    size_t headers;           /* bytes */
    long wait_ms;
    double begun_ms, last_ms; /* when the request began, when something came last */
    bool over;                /* the answer was longer than the limit */
    bool enough;              /* the listener wants no more */
    char *url;
    const struct lp_reach *reach;
    const struct lp_addresses *at;
    char trouble[CURL_ERROR_SIZE];
};

void lp_http_defaults(struct lp_http_settings *s) {
    *s = (struct lp_http_settings){.limit = (size_t)4 << 20, .wait_ms = 120000};
}

static bool started;

static void start(void) {
    started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static bool is_here(const char *host) {
    struct in_addr four;
    return !strcasecmp(host, "localhost") || !strcmp(host, "[::1]") ||
           (inet_pton(AF_INET, host, &four) == 1 && ntohl(four.s_addr) >> 24 == 127);
}

static char *part_of(CURLU *url, CURLUPart part) {
    char *text = NULL;
    return curl_url_get(url, part, &text, 0) == CURLUE_OK ? text : NULL;
}

/* *here: it names this machine. */
static bool check_address(const struct lp_http_settings *s, bool *here, struct lp_error *err) {
    CURLU *url = curl_url();
    if (!url)
        return lp_error_memory(err);
    bool ok = curl_url_set(url, CURLUPART_URL, s->url, 0) == CURLUE_OK;
    char *scheme = part_of(url, CURLUPART_SCHEME), *host = part_of(url, CURLUPART_HOST), *user = part_of(url, CURLUPART_USER);
    if (!ok || !scheme || !host || (strcasecmp(scheme, "https") && (s->https || strcasecmp(scheme, "http"))))
        ok = lp_error_set(err, LP_EUSAGE, "'%s' is no address: it must be https://HOST/..%s", s->url,
                          s->https ? "" : " or http://HOST/..");
    else if (user)
        ok = lp_error_set(err, LP_EUSAGE, "the address must not hold a user or password: keys come from the environment");
    else if (s->key && !s->in_clear && strcasecmp(scheme, "https") && !is_here(host))
        ok = lp_error_set(err, LP_EUSAGE, "the key would travel to %s in clear text: use https, or unset the key", host);
    *here = host && is_here(host);
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(url);
    return ok;
}

static bool is_good(CURL *curl) {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status <= 299;
}

static size_t take(char *bytes, size_t one, size_t n, void *context) {
    struct lp_http *h = context;
    h->over = n > h->limit - h->got;
    if (h->over)
        return 0;
    h->got += n;
    h->last_ms = lp_clock_ms();
    if (h->listener.piece && is_good(h->curl)) {
        h->heard += n;
        h->enough = !h->listener.piece(h->listener.context, bytes, n);
        return h->enough ? 0 : n * one;
    }
    lp_str_add(&h->body, bytes, n);
    return h->body.failed ? 0 : n * one;
}

static size_t take_header(char *bytes, size_t one, size_t n, void *context) {
    struct lp_http *h = context;
    (void)bytes;
    h->headers += n;
    return h->headers > HEADERS ? 0 : n * one;
}

static bool append(struct curl_slist **list, const char *line) {
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer)
        *list = longer;
    return longer;
}

static bool add_header(struct lp_http *h, const char *name, const char *value) {
    struct lp_str line = {0};
    lp_str_printf(&line, "%s%s", name, value);
    bool ok = !line.failed && append(&h->header, line.s);
    lp_str_done(&line);
    return ok;
}

/* Tells libcurl what the host means; where it is a number, libcurl asks nobody. */
static bool add_meaning(struct lp_http *h, const struct lp_addresses *at) {
    CURLU *url = curl_url();
    bool ok = url && curl_url_set(url, CURLUPART_URL, h->url, 0) == CURLUE_OK;
    char *host = part_of(url, CURLUPART_HOST), *port = NULL, number[INET6_ADDRSTRLEN];
    struct lp_str line = {0};
    ok = ok && host && curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;
    if (ok && *host != '[') {
        lp_str_printf(&line, "%s:%s:", host, port);
        for (int i = 0; i < at->n; i++) {
            lp_address_format(&at->item[i], number);
            lp_str_printf(&line, at->item[i].any.sa_family == AF_INET6 ? "%s[%s]" : "%s%s", i ? "," : "", number);
        }
        ok = !line.failed && append(&h->meaning, line.s) && !curl_easy_setopt(h->curl, CURLOPT_RESOLVE, h->meaning);
    }
    lp_str_done(&line);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    return ok;
}

/* A socket only to where the request may go: looked at here, a name cannot mean another address later. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    const struct lp_http *h = context;
    (void)purpose;
    if (!lp_reach_has(h->reach, &address->addr) || (h->at && !lp_addresses_have(h->at, &address->addr)))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool stay_within(struct lp_http *h, const struct lp_http_settings *s) {
    h->reach = s->reach;
    h->at = s->at;
    return (!s->at || add_meaning(h, s->at)) && !curl_easy_setopt(h->curl, CURLOPT_OPENSOCKETFUNCTION, open_socket) &&
           !curl_easy_setopt(h->curl, CURLOPT_OPENSOCKETDATA, h);
}

static bool add_headers(struct lp_http *h, const struct lp_http_settings *s) {
    return add_header(h, "Content-Type: ", "application/json") &&
           add_header(h, "Accept: ", s->accept ? s->accept : "application/json, text/event-stream") &&
           add_header(h, "Expect:", "") && (!s->key || add_header(h, "Authorization: Bearer ", s->key));
}

static bool set_up(struct lp_http *h, const struct lp_http_settings *s, bool here) {
    CURL *c = h->curl;
    return (!(here || s->reach) || !curl_easy_setopt(c, CURLOPT_PROXY, "")) && (!s->reach || stay_within(h, s)) &&
           add_headers(h, s) && (!s->authorities || !curl_easy_setopt(c, CURLOPT_CAINFO, s->authorities)) &&
           !curl_easy_setopt(c, CURLOPT_URL, h->url) &&
           !curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, s->https ? "https" : "http,https") &&
           !curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) && !curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) &&
           !curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, s->wait_ms) &&
           !curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->trouble) && !curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take) &&
           !curl_easy_setopt(c, CURLOPT_WRITEDATA, h) && !curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header) &&
           !curl_easy_setopt(c, CURLOPT_HEADERDATA, h) && !curl_easy_setopt(c, CURLOPT_USERAGENT, "llava-plus");
}

struct lp_http *lp_http_open(const struct lp_http_settings *s, struct lp_error *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    bool here = false;
    pthread_once(&once, start);
    if (!started) {
        lp_error_set(err, LP_EINTERNAL, "libcurl does not start");
        return NULL;
    }
    if (!check_address(s, &here, err))
        return NULL;
    struct lp_http *h = lp_alloc(sizeof *h);
    if (h && (h->curl = curl_easy_init()) && (h->multi = curl_multi_init()) && (h->url = lp_alloc(strlen(s->url) + 1))) {
        memcpy(h->url, s->url, strlen(s->url) + 1);
        h->limit = s->limit;
        h->wait_ms = s->wait_ms;
        if (set_up(h, s, here))
            return h;
    }
    lp_error_memory(err);
    lp_http_close(h);
    return NULL;
}

struct lp_http *lp_http_open_path(const struct lp_http_settings *s, const char *path, struct lp_error *err) {
    struct lp_http_settings below = *s;
    struct lp_str url = {0};
    size_t n = strlen(s->url);
    while (n && s->url[n - 1] == '/')
        n--;
    lp_str_add(&url, s->url, n);
    lp_str_puts(&url, path);
    below.url = lp_str_text(&url);
    struct lp_http *h = url.failed ? NULL : lp_http_open(&below, err);
    if (url.failed)
        lp_error_memory(err);
    lp_str_done(&url);
    return h;
}

void lp_http_close(struct lp_http *h) {
    if (!h)
        return;
    curl_easy_cleanup(h->curl);
    curl_multi_cleanup(h->multi);
    curl_slist_free_all(h->header);
    curl_slist_free_all(h->meaning);
    lp_str_done(&h->body);
    lp_free(h->url);
    lp_free(h);
}

/* Whether an answer that is followed takes too long: it is silent, or it never ends. */
static bool is_slow(const struct lp_http *h) {
    double now = lp_clock_ms(), wait = (double)h->wait_ms;
    return h->listener.piece ? now - h->last_ms > wait || now - h->begun_ms > LONGEST * wait : now - h->begun_ms > wait;
}

static bool is_canceled(const struct lp_http *h) {
    return h->listener.cancel && atomic_load(h->listener.cancel);
}

/* Sends the request and takes the answer, unless it is canceled or takes too long. */
static CURLcode perform(struct lp_http *h) {
    CURLcode code = CURLE_OK;
    const CURLMsg *message;
    int running = 1, left;
    if (curl_multi_add_handle(h->multi, h->curl))
        return CURLE_OUT_OF_MEMORY;
    while (running && !is_canceled(h) && !code) {
        if (curl_multi_perform(h->multi, &running))
            code = CURLE_OUT_OF_MEMORY;
        else if (running && is_slow(h))
            code = CURLE_OPERATION_TIMEDOUT;
        else if (running)
            curl_multi_poll(h->multi, NULL, 0, GLANCE_MS, NULL);
    }
    while ((message = curl_multi_info_read(h->multi, &left)))
        if (message->msg == CURLMSG_DONE)
            code = message->data.result;
    curl_multi_remove_handle(h->multi, h->curl);
    return code;
}

static void begin(struct lp_http *h, const struct lp_http_listener *listener) {
    lp_str_cut(&h->body, 0);
    h->listener = listener ? *listener : (struct lp_http_listener){0};
    h->body.failed = h->over = h->enough = false;
    h->got = h->heard = h->headers = 0;
    h->begun_ms = h->last_ms = lp_clock_ms();
    h->trouble[0] = 0;
}

/* Makes the request that was set up. */
static bool ask(struct lp_http *h, const struct lp_http_listener *listener, struct lp_http_reply *reply, struct lp_error *err) {
    long status = 0;
    curl_off_t again = 0;
    char *location = NULL;
    begin(h, listener);
    CURLcode code = perform(h);
    reply->heard = h->heard;
    if (is_canceled(h))
        return lp_error_set(err, LP_ECANCELED, "stopped as asked");
    if (h->headers > HEADERS)
        return lp_error_set(err, LP_EINPUT, "%.120s answers with headers of more than %d KiB", h->url, HEADERS >> 10);
    if (h->over)
        return lp_error_set(err, LP_EINPUT, "%.120s answers with more than %zu KiB", h->url, h->limit >> 10);
    if (h->body.failed || code == CURLE_OUT_OF_MEMORY)
        return lp_error_memory(err);
    curl_off_t connected_us = 0;
    curl_easy_getinfo(h->curl, CURLINFO_CONNECT_TIME_T, &connected_us);
    reply->busy = code == CURLE_OPERATION_TIMEDOUT && connected_us > 0;
    if (code == CURLE_OPERATION_TIMEDOUT)
        return lp_error_set(err, LP_EIO, "no answer from %.120s: it takes longer than %g seconds", h->url,
                            (h->heard && lp_clock_ms() - h->last_ms < (double)h->wait_ms ? LONGEST : 1) * 1e-3 * (double)h->wait_ms);
    if (code && !h->enough)
        return lp_error_set(err, LP_EIO, "no answer from %.120s: %s", h->url,
                            h->trouble[0] ? h->trouble : curl_easy_strerror(code));
    curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(h->curl, CURLINFO_RETRY_AFTER, &again);
    curl_easy_getinfo(h->curl, CURLINFO_REDIRECT_URL, &location);
    *reply = (struct lp_http_reply){.status = (int)status,
                                    .again_s = (double)again,
                                    .location = location,
                                    .body = lp_str_text(&h->body),
                                    .size = h->body.n,
                                    .heard = h->heard};
    return true;
}

bool lp_http_post(struct lp_http *h, const char *json, const struct lp_http_listener *listener,
                  struct lp_http_reply *reply, struct lp_error *err) {
    *reply = (struct lp_http_reply){.body = ""};
    if (curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(json)) ||
        curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, json) || curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, h->header))
        return lp_error_memory(err);
    return ask(h, listener, reply, err);
}

bool lp_http_get(struct lp_http *h, const struct lp_http_listener *listener, struct lp_http_reply *reply,
                 struct lp_error *err) {
    *reply = (struct lp_http_reply){.body = ""};
    if (curl_easy_setopt(h->curl, CURLOPT_HTTPGET, 1L) || curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, h->header->next))
        return lp_error_memory(err);
    return ask(h, listener, reply, err);
}
