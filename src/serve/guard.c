/* SPDX-License-Identifier: MIT */
/* serve/guard.c - what a request's headers must be before anything of it is looked at: small, for this
 * machine by its name, from a page that may call, with the key. docs/security.md says against whom. */
#include "serve/exchange.h"

#include <string.h>
#include <strings.h>

static const char *header(const struct lp_exchange *x, const char *name) {
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

bool lp_guard_same_key(const char *given, const char *key) {
    size_t n = strlen(given), m = strlen(key);
    unsigned char differs = n != m;
    for (size_t i = 0; i < n; i++)
        differs |= (unsigned char)given[i] ^ (unsigned char)key[m ? i % m : 0];
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

/* The key that the route wants; NULL: none. */
static const char *wanted_key(const struct lp_exchange *x) {
    const struct lp_server_settings *s = &x->server->settings;
    int ways = x->route ? x->route->ways : 0;
    return ways & LP_ROUTE_OPEN ? NULL : ways & LP_ROUTE_WORKER && s->worker_key ? s->worker_key : s->key;
}

/* As a bearer token; or as the password of an address that holds one, which is all that FastChat's processes can
 * be told. */
static bool has_key(const struct lp_exchange *x, const char *key) {
    const char *given = header(x, MHD_HTTP_HEADER_AUTHORIZATION);
    static const char scheme[] = "Bearer ";
    if (given && !strncasecmp(given, scheme, sizeof scheme - 1))
        return lp_guard_same_key(given + sizeof scheme - 1, key);
    char *password = NULL, *user = MHD_basic_auth_get_username_password(x->connection, &password);
    bool good = user && password && lp_guard_same_key(password, key);
    MHD_free(user);
    MHD_free(password);
    return good;
}

static bool is_json(const struct lp_exchange *x) {
    const char *type = header(x, MHD_HTTP_HEADER_CONTENT_TYPE);
    static const char json[] = "application/json";
    return type && !strncasecmp(type, json, sizeof json - 1) &&
           (!type[sizeof json - 1] || strchr("; ", type[sizeof json - 1]));
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
    if (wanted_key(x) && !has_key(x, wanted_key(x)))
        return lp_fault_set(fault, 401, NULL, "invalid_api_key", "the API key is missing or wrong");
    if (x->route && !(x->route->ways & LP_ROUTE_PLAIN) && !strcmp(method, MHD_HTTP_METHOD_POST) && !is_json(x))
        return lp_fault_set(fault, 415, NULL, NULL, "the body must have the Content-Type application/json");
    return true;
}
