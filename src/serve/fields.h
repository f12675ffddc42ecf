/* SPDX-License-Identifier: MIT */
/* Reading the JSON of a request's body: what is wrong becomes a fault that names the key. */
#ifndef LP_SERVE_FIELDS_H
#define LP_SERVE_FIELDS_H

#include "serve/fault.h"

enum { LP_BODY_DEPTH = 32, LP_BODY_VALUES = 100000 };

/* Whether JSON text nests no deeper and holds no more values than the limits above. */
bool lp_body_is_modest(const char *text, size_t n);
/* The body's object; owned by caller; NULL on failure. */
json_t *lp_take_body(const char *body, size_t n, struct lp_fault *fault);

/* A value that is there and not null; borrowed. */
const json_t *lp_given(const json_t *object, const char *key);

/* Each leaves *out as it is where the key is absent; a flag is then false. Keys are static texts. */
bool lp_take_number(const json_t *body, const char *key, double hi, double *out, struct lp_fault *fault);
bool lp_take_integer(const json_t *body, const char *key, int64_t lo, int64_t hi, int64_t *out, struct lp_fault *fault);
bool lp_take_flag(const json_t *object, const char *key, bool *out, struct lp_fault *fault);

/* A 400 that says `what`. Returns false. */
bool lp_bad(struct lp_fault *fault, const char *param, const char *what);

#endif
