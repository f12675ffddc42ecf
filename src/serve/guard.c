/* SPDX-License-Identifier: MIT */
/* serve/guard.c - what a request's headers must be before anything of it is looked at: small, for this
 * machine by its name, from a page that may call, with the key. docs/security.md says against whom. */
#include "serve/exchange.h"

#include <string.h>
#include <strings.h>

static const char *header(const struct lp_exchange *x, const char *name) {
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

/* In a time that does not tell how much of the key[0..m), m > 0, is right. */
static bool same_key(const char *given, const char *key, size_t m) {
    size_t n = strlen(given);
    unsigned char differs = n != m;
    for (size_t i = 0; i < n; i++)
        differs |= (unsigned char)given[i] ^ (unsigned char)key[i % m];
    return !differs;
}

/* Whether "name" or "name:port" is a name of this machine for itself, or `own`, the address listened on. */
static bool is_local(const char *host, const char *own) {
    const char *const names[] = {"localhost", "127.0.0.1", "[::1]", own};
    for (int i = 0; i < 4; i++) {
        size_t n = strlen(names[i]);
        if (!strncasecmp(host, names[i], n) && (!host[n] || host[n] == ':'))
            return true;
    }
    return false;
}

static bool is_own(const char *origin, const char *host) {
    return host && !strncmp(origin, "http://", 7) && !strcasecmp(origin + 7, host);
}

/* An origin that may call: the server's own or one of the settings'. */
static bool may_call(const struct lp_exchange *x, const char *origin) {
    const struct lp_server_settings *s = &x->server->settings;
    bool good = is_own(origin, header(x, MHD_HTTP_HEADER_HOST));
    for (int i = 0; i < s->origins; i++)
        good = good || !strcasecmp(origin, s->origin[i]);
    return good;
}

const char *lp_guard_origin(const struct lp_exchange *x) {
    const char *origin = header(x, MHD_HTTP_HEADER_ORIGIN);
    return origin && may_call(x, origin) ? origin : NULL;
}

struct sum {
    size_t bytes;
};

static enum MHD_Result add_header(void *context, enum MHD_ValueKind kind, const char *key,
                                  const char *value) {
    struct sum *sum = context;
    (void)kind;
    sum->bytes += strlen(key) + (value ? strlen(value) : 0) + 4;
    return MHD_YES;
}

/* The key that was shown; NULL: none. */
static const char *shown_key(const struct lp_exchange *x) {
    const char *given = header(x, MHD_HTTP_HEADER_AUTHORIZATION);
    static const char scheme[] = "Bearer ";
    return given && !strncasecmp(given, scheme, sizeof scheme - 1) ? given + sizeof scheme - 1 : NULL;
}

/* Every key is compared, whether one before was the right one or not. */
static bool has_key(const struct lp_exchange *x) {
    const char *given = shown_key(x), *at = x->server->settings.key;
    bool good = false;
    while (given && *(at += strspn(at, " "))) {
        size_t n = strcspn(at, " ");
        good = same_key(given, at, n) || good;
        at += n;
    }
    return good;
}

struct lp_hash lp_guard_owner(const struct lp_exchange *x) {
    const char *key = x->server->settings.key ? shown_key(x) : NULL;
    struct lp_sha256 sum;
    lp_sha256_init(&sum);
    lp_sha256_add(&sum, key ? key : "", key ? strlen(key) : 0);
    return lp_sha256_end(&sum);
}

static bool has_type(const struct lp_exchange *x, const char *name) {
    const char *type = header(x, MHD_HTTP_HEADER_CONTENT_TYPE);
    size_t n = strlen(name);
    return type && !strncasecmp(type, name, n) && (name[n - 1] == '/' || !type[n] || strchr("; ", type[n]));
}

/* Whether the body is of a kind that the route reads. */
static bool is_readable(const struct lp_exchange *x) {
    return has_type(x, "application/json") ||
           (x->route->pictures && (has_type(x, "image/") || has_type(x, "multipart/form-data")));
}

bool lp_guard(const struct lp_exchange *x, const char *method, struct lp_fault *fault) {
    const char *host = header(x, MHD_HTTP_HEADER_HOST), *origin = header(x, MHD_HTTP_HEADER_ORIGIN);
    struct sum sum = {0};
    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, add_header, &sum);
    if (sum.bytes + strlen(x->path) > LP_SERVE_HEADERS)
        return lp_fault_set(fault, 431, NULL, NULL, "the headers are longer than %d bytes", LP_SERVE_HEADERS);
    if (x->server->loopback && host && !is_local(host, x->server->settings.host))
        return lp_fault_set(fault, 403, NULL, "wrong_host",
                            "this server is for this machine only: call it localhost or 127.0.0.1");
    if (origin && !may_call(x, origin))
        return lp_fault_set(fault, 403, NULL, "wrong_origin",
                            "pages of another origin may not call this server; see --allow-origin");
    if (!strcmp(method, MHD_HTTP_METHOD_OPTIONS) && origin)
        return true; /* asks what it may send, and cannot send a key */
    if (x->server->settings.key && !(x->route && x->route->open) && !has_key(x))
        return lp_fault_set(fault, 401, NULL, "invalid_api_key", "the API key is missing or wrong");
    if (x->route && !strcmp(method, MHD_HTTP_METHOD_POST) && !is_readable(x))
        return lp_fault_set(fault, 415, NULL, NULL, "the body must have the Content-Type application/json%s",
                            x->route->pictures ? ", image/.. or multipart/form-data" : "");
    return true;
}
