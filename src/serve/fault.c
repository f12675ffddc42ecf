/* SPDX-License-Identifier: MIT */
/* serve/fault.c - the one table from our errors to HTTP statuses. */
#include "serve/fault.h"

#include <stdarg.h>
#include <stdio.h>

bool lp_fault_set(struct lp_fault *fault, int status, const char *param, const char *code, const char *format,
                  ...) {
    char text[sizeof fault->err.text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    *fault = (struct lp_fault){.status = status, .param = param, .code = code};
    return lp_error_set(&fault->err, LP_EINPUT, "%s", text);
}

static int status_of(enum lp_code code) {
    switch (code) {
    case LP_EUSAGE:
    case LP_EINPUT:
        return 400;
    case LP_EMISSING: /* of a skill that is not ready */
        return 501;
    case LP_EIO: /* of a planner on another server, a worker or a skill's process */
        return 502;
    case LP_EMEMORY:
        return 503;
    case LP_ECANCELED:
        return LP_GONE;
    default:
        return 500;
    }
}

bool lp_fault_from(struct lp_fault *fault, const char *param, const struct lp_error *err) {
    int status = status_of(err->code);
    *fault = (struct lp_fault){.status = status, .param = status == 400 ? param : NULL, .err = *err};
    return false;
}

bool lp_fault_memory(struct lp_fault *fault) {
    struct lp_error err = {0};
    lp_error_memory(&err);
    return lp_fault_from(fault, NULL, &err);
}

json_t *lp_fault_json(const struct lp_fault *fault) {
    const char *type = fault->status == 429  ? "rate_limit_error"
                       : fault->status < 500 ? "invalid_request_error"
                                             : "server_error";
    return json_pack("{s:{s:s, s:s, s:s?, s:s?}}", "error", "message", fault->err.text, "type", type, "param",
                     fault->param, "code", fault->code);
}
