/* SPDX-License-Identifier: MIT */
/* base/http.c - libcurl, held to what http.h promises. */
#include "base/http.h"

#include "base/memory.h"
#include "base/str.h"

#include <curl/curl.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

struct lp_http {
    CURL *curl;
    struct curl_slist *header;
    struct lp_str body;
    size_t limit;
    bool over; /* the answer was longer than the limit */
    char *url;
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
    return !strcasecmp(host, "localhost") || !strncmp(host, "127.", 4) || !strcmp(host, "[::1]");
}

static char *part_of(CURLU *url, CURLUPart part) {
    char *text = NULL;
    return curl_url_get(url, part, &text, 0) == CURLUE_OK ? text : NULL;
}

static bool check_address(const struct lp_http_settings *s, struct lp_error *err) {
    CURLU *url = curl_url();
    if (!url)
        return lp_error_memory(err);
    bool ok = curl_url_set(url, CURLUPART_URL, s->url, 0) == CURLUE_OK;
    char *scheme = part_of(url, CURLUPART_SCHEME), *host = part_of(url, CURLUPART_HOST), *user = part_of(url, CURLUPART_USER);
    if (!ok || !scheme || !host || (strcasecmp(scheme, "https") && strcasecmp(scheme, "http")))
        ok = lp_error_set(err, LP_EUSAGE, "'%s' is no address: it must be https://HOST/.. or http://HOST/..", s->url);
    else if (user)
        ok = lp_error_set(err, LP_EUSAGE, "the address must not hold a user or password: keys come from the environment");
    else if (s->key && strcasecmp(scheme, "https") && !is_here(host))
        ok = lp_error_set(err, LP_EUSAGE, "the key would travel to %s in clear text: use https, or unset the key", host);
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(url);
    return ok;
}

static size_t take(char *bytes, size_t one, size_t n, void *context) {
    struct lp_http *h = context;
    h->over = n > h->limit - h->body.n;
    if (!h->over)
        lp_str_add(&h->body, bytes, n);
    return h->over || h->body.failed ? 0 : n * one;
}

static bool add_header(struct lp_http *h, const char *line) {
    struct curl_slist *longer = curl_slist_append(h->header, line);
    if (longer)
        h->header = longer;
    return longer;
}

static bool add_key(struct lp_http *h, const char *key) {
    struct lp_str line = {0};
    lp_str_printf(&line, "Authorization: Bearer %s", key);
    bool ok = !line.failed && add_header(h, line.s);
    lp_str_done(&line);
    return ok;
}

static bool set_up(struct lp_http *h, const struct lp_http_settings *s) {
    CURL *c = h->curl;
    return add_header(h, "Content-Type: application/json") && add_header(h, "Accept: application/json") &&
           add_header(h, "Expect:") && (!s->key || add_key(h, s->key)) &&
           !curl_easy_setopt(c, CURLOPT_URL, h->url) && !curl_easy_setopt(c, CURLOPT_HTTPHEADER, h->header) &&
           !curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") && !curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) &&
           !curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) && !curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, s->wait_ms) &&
           !curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, s->wait_ms) &&
           !curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->trouble) && !curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take) &&
           !curl_easy_setopt(c, CURLOPT_WRITEDATA, h) && !curl_easy_setopt(c, CURLOPT_USERAGENT, "llava-plus");
}

struct lp_http *lp_http_open(const struct lp_http_settings *s, struct lp_error *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
    if (!started) {
        lp_error_set(err, LP_EINTERNAL, "libcurl does not start");
        return NULL;
    }
    if (!check_address(s, err))
        return NULL;
    struct lp_http *h = lp_alloc(sizeof *h);
    if (h && (h->curl = curl_easy_init()) && (h->url = lp_alloc(strlen(s->url) + 1))) {
        memcpy(h->url, s->url, strlen(s->url) + 1);
        h->limit = s->limit;
        if (set_up(h, s))
            return h;
    }
    lp_error_memory(err);
    lp_http_close(h);
    return NULL;
}

void lp_http_close(struct lp_http *h) {
    if (!h)
        return;
    curl_easy_cleanup(h->curl);
    curl_slist_free_all(h->header);
    lp_str_done(&h->body);
    lp_free(h->url);
    lp_free(h);
}

bool lp_http_post(struct lp_http *h, const char *json, struct lp_http_reply *reply, struct lp_error *err) {
    long status = 0;
    curl_off_t again = 0;
    *reply = (struct lp_http_reply){0};
    lp_str_cut(&h->body, 0);
    h->body.failed = h->over = false;
    h->trouble[0] = 0;
    if (curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(json)) ||
        curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, json))
        return lp_error_memory(err);
    CURLcode code = curl_easy_perform(h->curl);
    if (h->over)
        return lp_error_set(err, LP_EINPUT, "%s answers with more than %zu KiB", h->url, h->limit >> 10);
    if (h->body.failed || code == CURLE_OUT_OF_MEMORY)
        return lp_error_memory(err);
    if (code)
        return lp_error_set(err, LP_EIO, "no answer from %s: %s", h->url, h->trouble[0] ? h->trouble : curl_easy_strerror(code));
    curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(h->curl, CURLINFO_RETRY_AFTER, &again);
    *reply = (struct lp_http_reply){(int)status, (double)again, lp_str_text(&h->body), h->body.n};
    return true;
}
