/* SPDX-License-Identifier: MIT */
/* serve/http.c - the server: libmicrohttpd's threads read requests and write answers, the desk's threads do
 * what takes its time. */
#include "serve/http.h"

#include "base/clock.h"
#include "base/memory.h"
#include "serve/exchange.h"
#include "serve/fetching.h"
#include "serve/slice.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
    THREADS = 4,
    FETCHERS = 8,                /* requests whose pictures are fetched at a time */
    SLICE_US = 100,              /* of theirs, so that they need not wait for the planner's to have enough of the processor */
    BODIES = 8,                  /* times the limit of one: what all bodies together may take */
    SILENCE_S = 30,              /* after which a connection that sends or takes nothing is closed */
    CONNECTION_BYTES = 64 << 10, /* of a connection's buffers; longer headers get libmicrohttpd's own 431 */
    SWALLOWED = 4,     /* times the limit: a body that is refused is read so far, to be answered in order */
    PATIENCE_MS = 5000 /* for answers that clients are slow to take, when the server stops */
};

void lp_server_defaults(struct lp_server_settings *s) {
    *s = (struct lp_server_settings){.host = "127.0.0.1",
                                     .port = 8080,
                                     .most_body = 32 << 20,
                                     .most_waiting = 16,
                                     .most_connections = 512,
                                     .most_state = (size_t)10 << 30,
                                     .log = -1};
}

static bool is_method(const struct lp_route *route, const char *method) {
    return !strcmp(method, route->method) ||
           (!strcmp(method, MHD_HTTP_METHOD_HEAD) && !strcmp(route->method, MHD_HTTP_METHOD_GET));
}

static bool matches(const char *route, const char *path) {
    const char *begin = route;
    while (*route && *route == (*route == '*' ? '*' : *path)) {
        size_t n = *route == '*' ? strcspn(path, "/") : 1;
        if (!n)
            return false;
        route++;
        path += n;
    }
    return !*route && (!*path || (route[-1] == '/' && route > begin + 1)); /* "/" is only itself */
}

/* The route of a path; of several, that of the method, else any. */
static const struct lp_route *find_route(const struct lp_site *site, const char *path, const char *method) {
    const struct lp_route *other = NULL;
    for (int i = 0; i < site->routes; i++) {
        const struct lp_route *r = &site->route[i];
        size_t n = strlen(r->path);
        if (!matches(r->path, path) || (n > 1 && r->path[n - 1] == '/' && !path[n]))
            continue;
        if (is_method(r, method))
            return r;
        other = r;
    }
    return other;
}

void lp_exchange_part(const struct lp_exchange *x, int i, char *out, size_t size) {
    const char *route = x->route->path, *path = x->path;
    for (; *route && (*route != '*' || i--); route++)
        path += *route == '*' ? strcspn(path, "/") : 1;
    size_t n = strcspn(path, "/");
    snprintf(out, size, "%.*s", n < size ? (int)n : 0, path);
}

static struct lp_exchange *exchange_new(struct lp_server *s, struct MHD_Connection *connection,
                                        const char *path, const char *method) {
    struct lp_exchange *x = lp_alloc(sizeof *x);
    unsigned char random[12] = {0};
    if (!x)
        return NULL;
    x->server = s;
    x->connection = connection;
    x->path = path;
    x->route = find_route(&s->site, path, method);
    x->began_ms = lp_clock_ms();
    if (getrandom(random, sizeof random, GRND_NONBLOCK) < 0)
        memcpy(random, &x->began_ms, sizeof x->began_ms);
    strcpy(x->id, "req_");
    for (int i = 0; i < 12; i++)
        snprintf(x->id + 4 + 2 * i, 3, "%02x", random[i]);
    atomic_fetch_add(&s->open, 1);
    return x;
}

static void completed(void *context, struct MHD_Connection *connection, void **own,
                      enum MHD_RequestTerminationCode why) {
    struct lp_server *s = context;
    struct lp_exchange *x = *own;
    (void)connection;
    if (!x)
        return;
    lp_fetching_end(x);
    double planner_ms = x->order ? atomic_load(&x->order->planner_ms) : 0;
    if (x->order)
        lp_desk_leave(&s->desk, x->order);
    if (!x->status || (why != MHD_REQUEST_TERMINATED_COMPLETED_OK && x->status == 200))
        x->status = LP_GONE;
    double ms = lp_clock_ms() - x->began_ms;
    lp_metrics_add(&s->metrics, x->route ? (int)(x->route - s->site.route) : s->site.routes, x->status, ms);
    lp_exchange_log(x, ms, planner_ms);
    atomic_fetch_sub(&s->held, x->kept);
    lp_str_done(&x->body);
    lp_errand_done(&x->errand);
    lp_free(x);
    *own = NULL;
    atomic_fetch_sub(&s->open, 1);
}

static bool is_preflight(const struct lp_exchange *x, const char *method) {
    return !strcmp(method, MHD_HTTP_METHOD_OPTIONS) && lp_guard_origin(x);
}

/* What the headers already refuse. */
static void look_at_headers(struct lp_exchange *x, const char *method) {
    if (!lp_guard(x, method, &x->refused) || is_preflight(x, method))
        return;
    if (!x->route)
        lp_fault_set(&x->refused, 404, NULL, "not_found", "there is nothing at this path");
    else if (!is_method(x->route, method))
        lp_fault_set(&x->refused, 405, NULL, "method_not_allowed", "this path is for %s only",
                     x->route->method);
}

static void refuse_size(struct lp_exchange *x) {
    if (!x->refused.status)
        lp_fault_set(&x->refused, 413, NULL, "body_too_large", "the body is larger than %zu bytes",
                     x->server->settings.most_body);
}

/* The first call for a request: its headers are there. True: go on; false: it has its answer. */
static bool begin(struct lp_exchange *x, const char *method) {
    const char *length =
        MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    bool asks = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT);
    unsigned long long n = length ? strtoull(length, NULL, 10) : 0;
    look_at_headers(x, method);
    if (n > x->server->settings.most_body)
        refuse_size(x);
    if (!x->refused.status || !(asks || n > SWALLOWED * (unsigned long long)x->server->settings.most_body))
        return true;
    lp_answer_fault(x, &x->refused);
    return false;
}

bool lp_exchange_hold(struct lp_exchange *x, size_t n, struct lp_fault *fault) {
    x->kept += n;
    atomic_fetch_add(&x->server->held, n);
    return atomic_load(&x->server->held) <= BODIES * x->server->settings.most_body ||
           lp_fault_set(fault, 503, NULL, "busy", "too many large bodies are here at once: try again");
}

static void drop_body(struct lp_exchange *x) {
    atomic_fetch_sub(&x->server->held, x->kept);
    x->kept = 0;
    lp_str_done(&x->body);
}

/* More of the body. False: it shall be no more. */
static bool take_body(struct lp_exchange *x, const char *bytes, size_t n) {
    x->received += n;
    if (x->received > x->server->settings.most_body)
        refuse_size(x);
    if (x->refused.status || (x->route && !strcmp(x->route->method, MHD_HTTP_METHOD_GET))) {
        drop_body(x);
        return x->received <= SWALLOWED * x->server->settings.most_body;
    }
    lp_str_add(&x->body, bytes, n);
    lp_exchange_hold(x, n, &x->refused);
    return true;
}

/* What its route has left. */
static bool is_under_way(const struct lp_exchange *x) {
    return x->fetching || x->order || x->errand.run;
}

/* The whole request is there, or its order has changed. */
static void answer(struct lp_exchange *x, const char *method) {
    if (x->refused.status)
        lp_answer_fault(x, &x->refused);
    else if (is_preflight(x, method))
        lp_answer_text(x, 204, "text/plain", "");
    else if (x->body.failed)
        lp_answer_json(x, 503, NULL);
    else if (!is_under_way(x))
        x->route->run(x);
    if (!x->status && is_under_way(x))
        x->route->finish(x);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *bytes, size_t *n,
                              void **own) {
    struct lp_exchange *x = *own;
    (void)version;
    if (!x) {
        *own = x = exchange_new(context, connection, path, method);
        if (!x)
            return MHD_NO;
        return begin(x, method) || x->status ? MHD_YES : MHD_NO;
    }
    if (*n) {
        bool more = take_body(x, bytes, *n);
        *n = 0;
        return more ? MHD_YES : MHD_NO;
    }
    if (x->status)
        return MHD_YES;
    answer(x, method);
    return x->status || is_under_way(x) ? MHD_YES : MHD_NO;
}

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

/* The address of the settings' host and port. */
static bool find_address(const struct lp_server_settings *s, union address *at, bool *loopback,
                         struct lp_error *err) {
    const char *host = strcmp(s->host, "localhost") ? s->host : "127.0.0.1";
    memset(at, 0, sizeof *at);
    if (inet_pton(AF_INET, host, &at->four.sin_addr) == 1) {
        at->four.sin_family = AF_INET;
        at->four.sin_port = htons((uint16_t)s->port);
        *loopback = ntohl(at->four.sin_addr.s_addr) >> 24 == 127;
    } else if (inet_pton(AF_INET6, host, &at->six.sin6_addr) == 1) {
        at->six.sin6_family = AF_INET6;
        at->six.sin6_port = htons((uint16_t)s->port);
        *loopback = IN6_IS_ADDR_LOOPBACK(&at->six.sin6_addr);
    } else {
        return lp_error_set(err, LP_EUSAGE, "'%s' is no address such as 127.0.0.1 or ::1", s->host);
    }
    if (!*loopback && !s->key)
        return lp_error_set(err, LP_EUSAGE, "%s can be reached from other machines: that needs an API key",
                            s->host);
    return true;
}

static bool start(struct lp_server *s, union address *at, struct lp_error *err) {
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     (at->any.sa_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    lp_slice_set(SLICE_US);
    s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle, s, MHD_OPTION_SOCK_ADDR, &at->any,
                                 MHD_OPTION_NOTIFY_COMPLETED, completed, s, MHD_OPTION_THREAD_POOL_SIZE,
                                 (unsigned)THREADS, MHD_OPTION_CONNECTION_LIMIT,
                                 (unsigned)s->settings.most_connections, MHD_OPTION_CONNECTION_TIMEOUT,
                                 (unsigned)SILENCE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                 (size_t)CONNECTION_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    lp_slice_set(0);
    return s->daemon || lp_error_set(err, LP_EIO, "cannot listen on %s port %d: it may be in use",
                                     s->settings.host, s->settings.port);
}

/* Of a site with a planner. */
static bool open_state(struct lp_server *s, struct lp_error *err) {
    if (!s->site.model)
        return true;
    if (!(s->state = lp_state_open(s->settings.state, s->settings.most_state, err)))
        return false;
    s->seat = (struct lp_seat){.agent = s->site.self, .metrics = &s->metrics, .pixels = lp_state_pixels(s->state)};
    return lp_clerks_init(&s->clerks, err);
}

struct lp_server *lp_server_open_site(const struct lp_server_settings *settings, const struct lp_site *site,
                                      struct lp_error *err) {
    struct lp_server *s = lp_alloc(sizeof *s);
    union address at;
    if (!s) {
        lp_error_memory(err);
        return NULL;
    }
    s->settings = *settings;
    s->site = *site;
    s->began = (int64_t)time(NULL);
    if (find_address(settings, &at, &s->loopback, err) && open_state(s, err) &&
        (!settings->pictures || lp_desk_init(&s->fetchers, FETCHERS, settings->most_waiting, err)) &&
        lp_desk_init(&s->desk, site->threads, settings->most_waiting, err) && start(s, &at, err))
        return s;
    lp_server_close(s);
    return NULL;
}

struct lp_server *lp_server_open(const struct lp_server_settings *settings, struct lp_agent *agent,
                                 struct lp_error *err) {
    const struct lp_site site = {lp_routes, lp_routes_count(), 1, agent, agent->talk.lmm->name};
    return lp_server_open_site(settings, &site, err);
}

int lp_server_port(const struct lp_server *s) {
    return MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static void pause_ms(long ms) {
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static bool is_idle(struct lp_desk *d) {
    int waiting, working;
    lp_desk_state(d, &waiting, &working);
    return !waiting && !working;
}

void lp_server_stop(struct lp_server *s) {
    atomic_store(&s->stopping, true);
    int listener = MHD_quiesce_daemon(s->daemon);
    if (listener >= 0)
        close(listener);
    while (!is_idle(&s->fetchers) || !is_idle(&s->desk))
        pause_ms(10);
    for (int ms = 0; ms < PATIENCE_MS && atomic_load(&s->open); ms += 10)
        pause_ms(10);
    s->stopped = true;
}

void lp_server_hurry(struct lp_server *s) {
    lp_desk_cancel_all(&s->fetchers);
    lp_desk_cancel_all(&s->desk);
}

void lp_server_close(struct lp_server *s) {
    if (!s)
        return;
    atomic_store(&s->stopping, true);
    if (s->daemon && !s->stopped) {
        lp_desk_close(&s->fetchers);
        lp_desk_close(&s->desk);
        lp_server_hurry(s);
    }
    lp_desk_done(&s->fetchers); /* all wake every connection that waits, which MHD_stop_daemon needs */
    lp_desk_done(&s->desk);
    lp_clerks_done(&s->clerks);
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    lp_state_close(s->state);
    lp_free(s);
}
