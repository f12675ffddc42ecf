/* SPDX-License-Identifier: MIT */
/* base/json.c - jansson with our errors. */
#include "base/json.h"

#include "base/file.h"
#include "base/memory.h"

#include <string.h>

json_t *lp_json_load(const char *path, struct lp_error *err) {
    size_t n;
    char *text = lp_file_read(path, (size_t)256 << 20, &n, err);
    json_t *value = text ? lp_json_parse(text, n, path, err) : NULL;
    lp_free(text);
    return value;
}

char *lp_json_text(const json_t *value) {
    return json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
}

bool lp_json_save(const char *path, const json_t *value, struct lp_error *err) {
    char *text = value ? lp_json_text(value) : NULL;
    bool ok = text ? lp_file_write(path, text, strlen(text), err) : lp_error_memory(err);
    lp_free(text);
    return ok;
}

static const json_t *find(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

bool lp_json_int(const json_t *object, const char *key, int64_t fallback, int64_t lo, int64_t hi, int64_t *out,
                 struct lp_error *err) {
    const json_t *value = find(object, key);
    *out = value ? json_integer_value(value) : fallback;
    if (value && !json_is_integer(value))
        return lp_error_set(err, LP_EINPUT, "'%s' must be a whole number", key);
    if (*out < lo || *out > hi)
        return lp_error_set(err, LP_EINPUT, "'%s' is %lld, but must be %lld to %lld", key, (long long)*out,
                            (long long)lo, (long long)hi);
    return true;
}

bool lp_json_number(const json_t *object, const char *key, double fallback, double *out, struct lp_error *err) {
    const json_t *value = find(object, key);
    *out = value ? json_number_value(value) : fallback;
    if (value && !json_is_number(value))
        return lp_error_set(err, LP_EINPUT, "'%s' must be a number", key);
    return true;
}

bool lp_json_string(const json_t *object, const char *key, const char *fallback, const char **out,
                    struct lp_error *err) {
    const json_t *value = find(object, key);
    *out = value ? json_string_value(value) : fallback;
    if (value && !json_is_string(value))
        return lp_error_set(err, LP_EINPUT, "'%s' must be a string", key);
    return true;
}

bool lp_json_object(const json_t *object, const char *key, const json_t **out, struct lp_error *err) {
    const json_t *value = find(object, key);
    *out = json_is_object(value) ? value : NULL;
    return !value || *out || lp_error_set(err, LP_EINPUT, "'%s' must be an object", key);
}
