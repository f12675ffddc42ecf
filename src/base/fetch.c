/* SPDX-License-Identifier: MIT */
/* base/fetch.c - one hop after the other: look at the address, look up its host, ask there. */
#include "base/fetch.h"

#include "base/clock.h"
#include "base/http.h"
#include "base/memory.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONGEST = 4096 /* bytes of an address */ };

void lp_fetch_defaults(struct lp_fetch_settings *s) {
    *s = (struct lp_fetch_settings){.reach = {.global = true},
                                    .port = 443,
                                    .redirects = 3,
                                    .limit = (size_t)32 << 20,
                                    .wait_ms = 20000,
                                    .accept = "*/*"};
}

/* Plain ASCII, so that no two parsers can read it in two ways. */
static bool is_plain(const char *url) {
    size_t n = 0;
    while (n <= LONGEST && url[n] > ' ' && url[n] < 127 && url[n] != '\\')
        n++;
    return n && n <= LONGEST && !url[n];
}

/* What all hops share. */
struct way {
    const struct lp_fetch_settings *settings;
    const atomic_bool *cancel;
    double until_ms;
};

static long left_ms(const struct way *w) {
    return (long)(w->until_ms - lp_clock_ms());
}

/* The host of an address that may be fetched as far as it tells; owned by caller (curl_free). NULL on failure. */
static char *check(const struct way *w, const char *text, struct lp_error *err) {
    CURLU *url = is_plain(text) ? curl_url() : NULL;
    char *scheme = NULL, *host = NULL, *port = NULL, *zone = NULL;
    bool good = false;
    if (url && curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER) == CURLUE_OK) {
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
        curl_url_get(url, CURLUPART_HOST, &host, 0);
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
        curl_url_get(url, CURLUPART_ZONEID, &zone, 0);
    }
    if (!scheme || !host || !port || zone)
        lp_error_set(err, LP_EUSAGE, "'%.80s' is no address: it must be https://HOST/.., plain ASCII, without user or password",
                     text);
    else if (strcasecmp(scheme, "https"))
        lp_error_set(err, LP_EUSAGE, "'%.80s' is not fetched: only https:// is", text);
    else if (atoi(port) != w->settings->port)
        lp_error_set(err, LP_EUSAGE, "'%.80s' is not fetched: only port %d is asked", text, w->settings->port);
    else
        good = true;
    curl_free(scheme);
    curl_free(port);
    curl_free(zone);
    curl_url_cleanup(url);
    if (good)
        return host;
    curl_free(host);
    return NULL;
}

/* Takes what an answer holds: where it leads, or what is there. */
static bool take(const struct lp_http_reply *reply, const char *host, struct lp_str *next, struct lp_str *out,
                 struct lp_error *err) {
    if (reply->location)
        lp_str_puts(next, reply->location);
    else if (reply->status != 200)
        return lp_error_set(err, LP_EIO, "%s answers with the status %d", host, reply->status);
    else
        lp_str_add(out, reply->body, reply->size);
    return (!next->failed && !out->failed) || lp_error_memory(err);
}

/* One hop; `next` is empty where it leads no further. */
static bool ask(const struct way *w, const char *url, struct lp_str *next, struct lp_str *out, struct lp_error *err) {
    const struct lp_fetch_settings *s = w->settings;
    const struct lp_http_listener listener = {.cancel = w->cancel};
    struct lp_addresses at;
    struct lp_http_reply reply;
    char *host = check(w, url, err);
    bool done = host && lp_reach_host(&s->reach, host, left_ms(w), w->cancel, &at, err);
    const struct lp_http_settings settings = {.url = url,
                                              .reach = &s->reach,
                                              .at = &at,
                                              .https = true,
                                              .accept = s->accept,
                                              .authorities = s->authorities,
                                              .limit = s->limit,
                                              .wait_ms = left_ms(w)};
    if (done && settings.wait_ms <= 0)
        done = lp_error_set(err, LP_EIO, "%s takes longer than %g seconds", host, 1e-3 * (double)s->wait_ms);
    struct lp_http *http = done ? lp_http_open(&settings, err) : NULL;
    done = http && lp_http_get(http, &listener, &reply, err) && take(&reply, host, next, out, err);
    lp_http_close(http);
    curl_free(host);
    return done;
}

bool lp_fetch(const struct lp_fetch_settings *s, const char *url, const atomic_bool *cancel, struct lp_str *out,
              struct lp_error *err) {
    const struct way w = {s, cancel, lp_clock_ms() + (double)s->wait_ms};
    struct lp_str at = {0}, next = {0};
    bool done = ask(&w, url, &next, out, err);
    for (int hops = 0; done && next.n; hops++) {
        lp_str_done(&at);
        at = next;
        next = (struct lp_str){0};
        if (hops == s->redirects)
            done = lp_error_set(err, LP_EIO, "'%.80s' leads on and on: more than %d redirects", url, s->redirects);
        else
            done = ask(&w, at.s, &next, out, err);
    }
    lp_str_done(&at);
    lp_str_done(&next);
    return done;
}
