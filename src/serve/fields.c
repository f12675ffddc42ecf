/* SPDX-License-Identifier: MIT */
/* serve/fields.c - what bodies of several routes are read by. */
#include "serve/fields.h"

#include "base/json.h"

bool lp_body_is_modest(const char *text, size_t n) {
    const char *end = text + n;
    int depth = 0;
    long values = 0;
    for (const char *at = text; at < end; at++) {
        if (*at == '"') {
            if (!(at = lp_json_string_end(at + 1, end)))
                return true; /* which is no JSON */
        } else if (*at == '[' || *at == '{') {
            if (++depth > LP_BODY_DEPTH || ++values > LP_BODY_VALUES)
                return false;
        } else if (*at == ']' || *at == '}') {
            depth--;
        } else if (*at == ',' && ++values > LP_BODY_VALUES) {
            return false;
        }
    }
    return true;
}

bool lp_bad(struct lp_fault *fault, const char *param, const char *what) {
    return lp_fault_set(fault, 400, param, NULL, "%s", what);
}

const json_t *lp_given(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

json_t *lp_take_body(const char *body, size_t n, struct lp_fault *fault) {
    struct lp_error err = {0};
    if (!lp_body_is_modest(body, n)) {
        lp_fault_set(fault, 400, NULL, NULL, "the body nests deeper than %d or holds more than %d values", LP_BODY_DEPTH,
                     LP_BODY_VALUES);
        return NULL;
    }
    json_t *value = lp_json_parse(body, n, "the body", &err);
    if (!value) {
        lp_fault_from(fault, NULL, &err);
    } else if (!json_is_object(value)) {
        lp_bad(fault, NULL, "the body must be a JSON object");
        json_decref(value);
        value = NULL;
    }
    return value;
}

bool lp_take_number(const json_t *body, const char *key, double hi, double *out, struct lp_fault *fault) {
    struct lp_error err = {0};
    if (!lp_json_number(body, key, *out, out, &err))
        return lp_fault_from(fault, key, &err);
    return (*out >= 0 && *out <= hi) || lp_fault_set(fault, 400, key, NULL, "'%s' must be 0 to %g", key, hi);
}

bool lp_take_integer(const json_t *body, const char *key, int64_t lo, int64_t hi, int64_t *out,
                         struct lp_fault *fault) {
    struct lp_error err = {0};
    if (!lp_given(body, key))
        return true;
    return lp_json_int(body, key, lo, lo, hi, out, &err) || lp_fault_from(fault, key, &err);
}

bool lp_take_flag(const json_t *object, const char *key, bool *out, struct lp_fault *fault) {
    const json_t *value = lp_given(object, key);
    *out = json_is_true(value);
    return !value || json_is_boolean(value) ||
           lp_fault_set(fault, 400, key, NULL, "'%s' must be true or false", key);
}
