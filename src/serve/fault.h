/* SPDX-License-Identifier: MIT */
/* Why a request gets no answer: an HTTP status and OpenAI's words for it. */
#ifndef LP_SERVE_FAULT_H
#define LP_SERVE_FAULT_H

#include "base/json.h"

enum { LP_GONE = 499 }; /* the client went away: for the log */

struct lp_fault {
    int status;        /* 0: none */
    const char *param; /* which part of the request; static or NULL */
    const char *code;  /* "model_not_found"; static or NULL */
    struct lp_error err;
};

/* Fills it and returns false. */
bool lp_fault_set(struct lp_fault *fault, int status, const char *param, const char *code, const char *format,
                  ...) __attribute__((format(printf, 5, 6)));
/* From an error of the planner's. Returns false. */
bool lp_fault_from(struct lp_fault *fault, const char *param, const struct lp_error *err);

/* Out of memory: 503. Returns false. */
bool lp_fault_memory(struct lp_fault *fault);

/* {"error": {"message", "type", "param", "code"}}; NULL when out of memory; owned by caller. */
json_t *lp_fault_json(const struct lp_fault *fault);

#endif
