/* SPDX-License-Identifier: MIT */
/* serve/exchange.c - answers, and the line that is logged about them. */
#include "serve/exchange.h"

#include "base/memory.h"
#include "serve/frame.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The methods that the path has. */
static void allow(const struct lp_exchange *x, struct MHD_Response *response) {
    struct lp_str methods = {0};
    for (int i = 0; i < lp_routes_count(); i++)
        if (!strcmp(lp_routes[i].path, x->route->path))
            lp_str_printf(&methods, "%s%s", methods.n ? ", " : "", lp_routes[i].method);
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, lp_str_text(&methods));
    lp_str_done(&methods);
}

void lp_answer(struct lp_exchange *x, int status, const char *type, struct MHD_Response *response) {
    const char *origin = lp_guard_origin(x);
    if (!response)
        return;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, "X-Request-Id", x->id);
    if (!MHD_get_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL))
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (origin) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Origin");
    }
    if (origin && status == 204) {
        MHD_add_response_header(response, "Access-Control-Allow-Methods", "GET, POST, DELETE");
        MHD_add_response_header(response, "Access-Control-Allow-Headers", "Authorization, Content-Type");
    }
    if (status == 429 || status == 503)
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    if (status == 401)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    if (status == 405)
        allow(x, response);
    if (x->refused.status ||
        atomic_load(&x->server->stopping)) /* the rest of the body may not have been read */
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (MHD_queue_response(x->connection, (unsigned)status, response) == MHD_YES)
        x->status = status;
    MHD_destroy_response(response);
}

void lp_answer_text(struct lp_exchange *x, int status, const char *type, const char *text) {
    lp_answer(x, status, type,
           MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY));
}

void lp_answer_bytes(struct lp_exchange *x, int status, const char *type, void *taken, size_t n) {
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback(n, taken, lp_free);
    if (!response)
        lp_free(taken);
    lp_answer(x, status, type, response);
}

void lp_answer_json(struct lp_exchange *x, int status, const json_t *value) {
    char *text = value ? lp_json_text(value) : NULL;
    if (text)
        lp_answer_text(x, status, "application/json", text);
    else
        lp_answer_text(x, 503, "application/json",
                       "{\"error\":{\"message\":\"out of memory\",\"type\":\"server_error\",\"param\":null,"
                       "\"code\":null}}");
    lp_free(text);
}

void lp_answer_fault(struct lp_exchange *x, const struct lp_fault *fault) {
    json_t *value = lp_fault_json(fault);
    lp_answer_json(x, fault->status, value);
    json_decref(value);
}

void lp_answer_trouble(struct lp_exchange *x, int status, int code, const char *why, bool frame) {
    struct lp_str text = {0};
    lp_frame_add_trouble(&text, code, why);
    if (text.failed)
        lp_answer_json(x, 503, NULL);
    else
        lp_answer(x, status, "application/json",
               MHD_create_response_from_buffer(text.n - !frame, text.s, MHD_RESPMEM_MUST_COPY));
    lp_str_done(&text);
}

static ssize_t read_stream(void *context, uint64_t at, char *out, size_t n) {
    struct lp_exchange *x = context;
    (void)at;
    long k = lp_desk_read(&x->server->desk, x->order, out, n);
    return k < 0 ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)k;
}

void lp_answer_stream(struct lp_exchange *x, const char *type) {
    lp_answer(x, 200, type, MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_stream, x, NULL));
}

bool lp_exchange_order(struct lp_exchange *x, struct lp_desk *desk, struct lp_order *o, struct lp_fault *fault) {
    o->connection = x->connection;
    o->socket = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    if (atomic_load(&x->server->stopping))
        return lp_fault_set(fault, 503, NULL, "stopping", "the server is being stopped");
    return lp_desk_put(desk, o) ||
           lp_fault_set(fault, 429, NULL, "queue_full", "too many requests wait already: try again");
}

void lp_exchange_log(const struct lp_exchange *x, double ms, double planner_ms) {
    struct timespec now;
    struct tm day;
    char when[32], line[512];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &day);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &day);
    int n = snprintf(
        line, sizeof line,
        "{\"time\":\"%s.%03ldZ\",\"request\":\"%s\",\"method\":\"%s\",\"route\":\"%s\",\"status\":%d,"
        "\"ms\":%.3f,\"planner_ms\":%.3f,\"body_bytes\":%zu}\n",
        when, now.tv_nsec / 1000000, x->id, x->route ? x->route->method : "",
        x->route ? x->route->path : "other", x->status, ms, planner_ms, x->received);
    if (x->server->settings.log >= 0 && n > 0 && write(x->server->settings.log, line, (size_t)n) < 0)
        return; /* a log that cannot be written stops nobody's request */
}
