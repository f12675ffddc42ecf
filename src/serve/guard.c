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

/* The keys of which the route wants one; NULL: none. */
static const char *wanted_keys(const struct lp_exchange *x) {
    const struct lp_server_settings *s = &x->server->settings;
    int ways = x->route ? x->route->ways : 0;
    return ways & LP_ROUTE_OPEN ? NULL : ways & LP_ROUTE_WORKER && s->worker_key ? s->worker_key : s->key;
}

static const char *bearer_key(const struct lp_exchange *x) {
    const char *given = header(x, MHD_HTTP_HEADER_AUTHORIZATION);
    static const char scheme[] = "Bearer ";
    return given && !strncasecmp(given, scheme, sizeof scheme - 1) ? given + sizeof scheme - 1 : NULL;
}

/* Every key is compared, whether one before was the right one or not. */
static bool is_one_of(const char *given, const char *keys) {
    bool good = false;
    while (given && *(keys += strspn(keys, " "))) {
        size_t n = strcspn(keys, " ");
        good = same_key(given, keys, n) || good;
        keys += n;
    }
    return good;
}

/* As a bearer token; or as the password of an address that holds one, which is all that FastChat's processes can
 * be told. */
static bool has_key(const struct lp_exchange *x, const char *keys) {
    const char *bearer = bearer_key(x);
    if (bearer)
        return is_one_of(bearer, keys);
    char *password = NULL, *user = MHD_basic_auth_get_username_password(x->connection, &password);
    bool good = user && is_one_of(password, keys);
    MHD_free(user);
    MHD_free(password);
    return good;
}

struct lp_hash lp_guard_owner(const struct lp_exchange *x) {
    const char *key = x->server->settings.key ? bearer_key(x) : NULL;
    return lp_sha256_of(key ? key : "", key ? strlen(key) : 0);
}

static bool has_type(const struct lp_exchange *x, const char *name) {
    const char *type = header(x, MHD_HTTP_HEADER_CONTENT_TYPE);
    size_t n = strlen(name);
    return type && !strncasecmp(type, name, n) && (name[n - 1] == '/' || !type[n] || strchr("; ", type[n]));
}

/* Whether the body is of a kind that the route reads. */
static bool is_readable(const struct lp_exchange *x) {
    if (x->route->ways & LP_ROUTE_FORM)
        return has_type(x, "multipart/form-data");
    return has_type(x, "application/json") ||
           (x->route->ways & LP_ROUTE_PICTURES && (has_type(x, "image/") || has_type(x, "multipart/form-data")));
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
    if (wanted_keys(x) && !has_key(x, wanted_keys(x)))
        return lp_fault_set(fault, 401, NULL, "invalid_api_key", "the API key is missing or wrong");
    if (x->route && !(x->route->ways & LP_ROUTE_PLAIN) && !strcmp(method, MHD_HTTP_METHOD_POST) && !is_readable(x))
        return lp_fault_set(fault, 415, NULL, NULL, "the body must have the Content-Type %s",
                            x->route->ways & LP_ROUTE_FORM       ? "multipart/form-data"
                            : x->route->ways & LP_ROUTE_PICTURES ? "application/json, image/.. or multipart/form-data"
                                                                 : "application/json");
    return true;
}
