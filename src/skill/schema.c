/* SPDX-License-Identifier: MIT */
/* skill/schema.c - a skill's parameters as JSON Schema. */
#include "skill/skill.h"

#include <stdio.h>

/* Each returns a new value; NULL when out of memory. */

static json_t *numbers(int n) {
    return json_pack("{s:s,s:{s:s,s:i,s:i},s:i,s:i}", "type", "array", "items", "type", "number", "minimum",
                     0, "maximum", 1, "minItems", n, "maxItems", n);
}

static json_t *handle(enum lp_object_kind kind) {
    char pattern[40];
    snprintf(pattern, sizeof pattern, "^%s_[1-9][0-9]{0,5}$", lp_object_kind_name(kind));
    return json_pack("{s:s,s:s}", "type", "string", "pattern", pattern);
}

static json_t *list(const struct lp_param *p, json_t *item) {
    return json_pack("{s:s,s:o,s:i,s:i}", "type", "array", "items", item, "minItems", 1, "maxItems", p->most);
}

static json_t *property(const struct lp_param *p) {
    switch (p->kind) {
    case LP_PARAM_TEXT:
        return json_pack("{s:s,s:i,s:i}", "type", "string", "minLength", 1, "maxLength", p->most);
    case LP_PARAM_POINTS:
        return list(p, numbers(2));
    case LP_PARAM_BOXES:
        return list(p, json_pack("{s:[o,o]}", "anyOf", numbers(4), handle(LP_OBJECT_BOX)));
    case LP_PARAM_LABELS:
        return list(p, json_pack("{s:[i,i]}", "enum", 0, 1));
    default:
        return handle(p->handle);
    }
}

static bool add(const struct lp_param *p, json_t *properties, json_t *required, json_t *one_of) {
    json_t *schema = property(p);
    if (json_object_set_new(schema, "description", json_string(p->about))) {
        json_decref(schema);
        return false;
    }
    if (json_object_set_new(properties, p->name, schema))
        return false;
    if (p->required && json_array_append_new(required, json_string(p->name)))
        return false;
    return !p->one_of || json_array_append_new(one_of, json_pack("{s:[s]}", "required", p->name)) == 0;
}

json_t *lp_skill_schema(const struct lp_skill *skill, struct lp_error *err) {
    json_t *properties = json_object(), *required = json_array(), *one_of = json_array(), *schema = NULL;
    bool ok = properties && required && one_of;
    const struct lp_param *p;
    for (int i = 0; ok && (p = lp_skill_param(skill, i)); i++)
        ok = add(p, properties, required, one_of);
    if (ok)
        schema = json_pack("{s:s,s:O,s:O,s:b}", "type", "object", "properties", properties, "required",
                           required, "additionalProperties", 0);
    if (schema && json_array_size(one_of) && json_object_set(schema, "oneOf", one_of)) {
        json_decref(schema);
        schema = NULL;
    }
    json_decref(properties);
    json_decref(required);
    json_decref(one_of);
    if (!schema)
        lp_error_memory(err);
    return schema;
}
