/* SPDX-License-Identifier: MIT */
/* skill/check.c - a call's parameters: from what a planner or a user wrote to their normal form. Tolerant
 * where other planners and released dialogues differ in form, strict in meaning. */
#include "skill/skill.h"

#include <math.h>
#include <string.h>

/* All makers below return a new value, owned by the caller, or NULL with err filled. */

static json_t *no_memory(struct lp_error *err) {
    lp_error_memory(err);
    return NULL;
}

/* The value under the parameter's name or alias; NULL when absent, null or an empty list. */
static const json_t *written(const struct lp_param *p, const json_t *params) {
    const json_t *value = json_object_get(params, p->name);
    if (!value && p->alias)
        value = json_object_get(params, p->alias);
    return json_is_null(value) || (json_is_array(value) && !json_array_size(value)) ? NULL : value;
}

static json_t *check_text(const struct lp_param *p, const json_t *value, struct lp_error *err) {
    if (json_is_object(value)) /* controlnet's {"prompt": {"caption": ..}} */
        value = json_object_get(value, "caption");
    const char *text = json_string_value(value);
    if (!text) {
        lp_error_set(err, LP_EINPUT, "'%s' must be a text", p->name);
        return NULL;
    }
    text += strspn(text, " \t\r\n");
    size_t n = strlen(text);
    while (n && strchr(" \t\r\n", text[n - 1]))
        n--;
    if (!n || n > (size_t)p->most) {
        lp_error_set(err, LP_EINPUT,
                     n ? "'%s' is longer than %d bytes" : "'%s' is empty: write what is meant", p->name,
                     p->most);
        return NULL;
    }
    json_t *out = json_stringn(text, n);
    return out ? out : no_memory(err);
}

static bool all_numbers(const json_t *list) {
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_is_number(json_array_get(list, i)))
            return false;
    return json_array_size(list) > 0;
}

/* `want` numbers 0..1: a point (2) or a box (4), whose corners are put in order. */
static json_t *check_numbers(const struct lp_param *p, const json_t *list, size_t want,
                             struct lp_error *err) {
    double x[4] = {0};
    bool ok = all_numbers(list) && json_array_size(list) == want;
    for (size_t i = 0; ok && i < want; i++) {
        x[i] = json_number_value(json_array_get(list, i));
        ok = x[i] >= 0 && x[i] <= 1;
    }
    if (!ok) {
        lp_error_set(err, LP_EINPUT, "'%s' must be a list of %s with numbers from 0 to 1", p->name,
                     want == 2 ? "points [x,y]" : "boxes [x0,y0,x1,y1]");
        return NULL;
    }
    json_t *out = want == 2 ? json_pack("[f,f]", x[0], x[1])
                            : json_pack("[f,f,f,f]", fmin(x[0], x[2]), fmin(x[1], x[3]), fmax(x[0], x[2]),
                                        fmax(x[1], x[3]));
    return out ? out : no_memory(err);
}

static json_t *check_handle(const struct lp_param *p, enum lp_object_kind wanted, const json_t *value,
                            struct lp_error *err) {
    enum lp_object_kind kind;
    int number;
    const char *text = json_string_value(value);
    if (!text || !lp_handle_parse(text, &kind, &number) || kind != wanted) {
        lp_error_set(err, LP_EINPUT, "'%s' must be the handle of a %s, such as %s_1", p->name,
                     lp_object_kind_name(wanted), lp_object_kind_name(wanted));
        return NULL;
    }
    json_t *out = json_string(text);
    return out ? out : no_memory(err);
}

static json_t *check_item(const struct lp_param *p, const json_t *item, struct lp_error *err) {
    if (p->kind == LP_PARAM_BOXES && json_is_string(item))
        return check_handle(p, LP_OBJECT_BOX, item, err);
    return check_numbers(p, item, p->kind == LP_PARAM_POINTS ? 2 : 4, err);
}

/* Appends the points or boxes of `value` to out: one alone, a list of them, or a list of groups of them. */
static bool gather(const struct lp_param *p, const json_t *value, int depth, json_t *out,
                   struct lp_error *err) {
    bool groups = json_is_array(value) && json_array_size(value) && !all_numbers(value);
    if (!groups || depth == 3) {
        json_t *item = check_item(p, value, err);
        if (!item)
            return false;
        if (json_array_size(out) >= (size_t)p->most) {
            json_decref(item);
            return lp_error_set(err, LP_EINPUT, "'%s' has more than %d items", p->name, p->most);
        }
        return json_array_append_new(out, item) == 0 || lp_error_memory(err);
    }
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!gather(p, json_array_get(value, i), depth + 1, out, err))
            return false;
    return true;
}

static json_t *check_list(const struct lp_param *p, const json_t *value, struct lp_error *err) {
    json_t *out = json_array();
    if (!out)
        return no_memory(err);
    if (gather(p, value, 0, out, err))
        return out;
    json_decref(out);
    return NULL;
}

/* [1,0] or [[1,0]]. */
static json_t *check_labels(const struct lp_param *p, const json_t *value, struct lp_error *err) {
    if (json_array_size(value) == 1 && json_is_array(json_array_get(value, 0)))
        value = json_array_get(value, 0);
    json_t *out = json_array();
    if (!out)
        return no_memory(err);
    size_t n = json_array_size(value);
    bool ok = n > 0 && n <= (size_t)p->most;
    for (size_t i = 0; ok && i < n; i++) {
        const json_t *item = json_array_get(value, i);
        ok = json_is_integer(item) && (json_integer_value(item) == 0 || json_integer_value(item) == 1);
        if (ok && json_array_append_new(out, json_integer(json_integer_value(item)))) {
            json_decref(out);
            return no_memory(err);
        }
    }
    if (ok)
        return out;
    json_decref(out);
    lp_error_set(err, LP_EINPUT, "'%s' must be a list of 1 and 0", p->name);
    return NULL;
}

static json_t *check_param(const struct lp_param *p, const json_t *value, struct lp_error *err) {
    switch (p->kind) {
    case LP_PARAM_TEXT:
        return check_text(p, value, err);
    case LP_PARAM_HANDLE:
        return check_handle(p, p->handle, value, err);
    case LP_PARAM_LABELS:
        return check_labels(p, value, err);
    default:
        return check_list(p, value, err);
    }
}

/* Other planners write the picture itself, a path or nothing useful: the program knows the picture. */
static bool is_droppable(const struct lp_param *p, const json_t *value) {
    enum lp_object_kind kind;
    int number;
    const char *text = json_string_value(value);
    return p->kind == LP_PARAM_HANDLE && p->handle == LP_OBJECT_IMAGE &&
           !(text && lp_handle_parse(text, &kind, &number) && kind == LP_OBJECT_IMAGE);
}

static bool fill(const struct lp_skill *skill, const json_t *params, json_t *out, struct lp_error *err) {
    const struct lp_param *p;
    for (int i = 0; (p = lp_skill_param(skill, i)); i++) {
        const json_t *value = written(p, params);
        if (!value && p->required && p->kind != LP_PARAM_HANDLE)
            return lp_error_set(err, LP_EINPUT, "'%s' is missing: %s", p->name, p->about);
        if (!value || is_droppable(p, value))
            continue;
        json_t *normal = check_param(p, value, err);
        if (!normal)
            return false;
        if (json_object_set_new(out, p->name, normal))
            return lp_error_memory(err);
    }
    return true;
}

/* What one parameter alone cannot tell. */
static bool check_together(const struct lp_skill *skill, json_t *out, struct lp_error *err) {
    const struct lp_param *p, *one[2] = {NULL, NULL};
    int marked = 0, given = 0;
    for (int i = 0; (p = lp_skill_param(skill, i)); i++)
        if (p->one_of) {
            one[marked++ ? 1 : 0] = p;
            given += json_object_get(out, p->name) != NULL;
        }
    if (marked && given != 1)
        return lp_error_set(err, LP_EINPUT, "exactly one of '%s' and '%s' must be given", one[0]->name,
                            one[1]->name);
    for (int i = 0; (p = lp_skill_param(skill, i)); i++) {
        const json_t *labels = p->kind == LP_PARAM_LABELS ? json_object_get(out, p->name) : NULL;
        const json_t *points = json_object_get(out, "points");
        if (labels && !points)
            json_object_del(out, p->name);
        else if (labels && json_array_size(labels) != json_array_size(points))
            return lp_error_set(err, LP_EINPUT, "'%s' must have one item for each point", p->name);
    }
    return true;
}

json_t *lp_skill_check(const struct lp_skill *skill, const json_t *params, struct lp_error *err) {
    if (params && !json_is_object(params) && !json_is_null(params)) {
        lp_error_set(err, LP_EINPUT, "the parameters must be an object with names and values");
        return NULL;
    }
    json_t *out = json_object();
    if (!out)
        return no_memory(err);
    if (fill(skill, params, out, err) && check_together(skill, out, err))
        return out;
    json_decref(out);
    return NULL;
}
