/* SPDX-License-Identifier: MIT */
/* jansson with our errors: loading, and typed look-ups with defaults. */
#ifndef LP_BASE_JSON_H
#define LP_BASE_JSON_H

#include "base/error.h"

#include <jansson.h>

/* Parses text (duplicate keys refused, any top-level value allowed). `name` names the source in errors.
 * Owned by caller (json_decref); NULL on failure. */
json_t *lp_json_parse(const char *text, size_t n, const char *name, struct lp_error *err);
/* Where the string ends whose content begins at `from`: its quotation mark, or NULL where there is none before `end`. */
const char *lp_json_string_end(const char *from, const char *end);
json_t *lp_json_load(const char *path, struct lp_error *err); /* a file of at most 256 MiB */

/* Compact text in insertion order, numbers with at most 15 digits; owned by caller (lp_free); NULL when out of memory. */
char *lp_json_text(const json_t *value);

/* Writes that text to a file, as lp_file_write does. `value` NULL, which a failed maker of it left, is LP_EMEMORY. */
bool lp_json_save(const char *path, const json_t *value, struct lp_error *err);

/* Values of an object's key; the default when the key is absent or null. A value of another type or outside
 * lo..hi is LP_EINPUT that names the key. */
bool lp_json_int(const json_t *object, const char *key, int64_t fallback, int64_t lo, int64_t hi, int64_t *out,
                 struct lp_error *err);
bool lp_json_number(const json_t *object, const char *key, double fallback, double *out, struct lp_error *err);
/* *out is borrowed from the object, or the fallback. */
bool lp_json_string(const json_t *object, const char *key, const char *fallback, const char **out,
                    struct lp_error *err);
/* *out is borrowed from the object; NULL where the key is absent or null. */
bool lp_json_object(const json_t *object, const char *key, const json_t **out, struct lp_error *err);

#endif
