/* SPDX-License-Identifier: MIT */
/* cli/skill_text.c - skills and their results, printed. */
#include "cli/skill_text.h"

#include "base/memory.h"
#include "cli/options.h"
#include "image/image.h"

#include <string.h>

enum { COLUMNS = 100, LABEL = 12 };

static bool written(FILE *to, struct lp_error *err) {
    return !fflush(to) || lp_error_set(err, LP_EIO, "writing the result failed");
}

/* "    label       text", wrapped under the text. */
static void put_field(FILE *to, const char *label, const char *text) {
    int column = 4 + LABEL, at = fprintf(to, "    %-*s", LABEL, label);
    while (*text) {
        int n = (int)strcspn(text, " ");
        if (at > column && at + 1 + n > COLUMNS) {
            fprintf(to, "\n%*s", column, "");
            at = column;
        }
        at += fprintf(to, "%s%.*s", at > column ? " " : "", n, text);
        text += n;
        text += strspn(text, " ");
    }
    putc('\n', to);
}

static void put_params(FILE *to, const struct lp_skill *skill) {
    const struct lp_param *p;
    for (int i = 0; (p = lp_skill_param(skill, i)); i++) {
        char text[300];
        const char *must = p->required ? " (required)" : p->one_of ? " (one of these)" : "";
        snprintf(text, sizeof text, "%s%s: %s", p->name, must, p->about);
        put_field(to, i ? "" : "parameters", text);
    }
}

static const char *needs_of(const struct lp_skill *skill) {
    if (skill->needs & LP_NEEDS_REFERENCE)
        return "a picture, a reference picture";
    return skill->needs & LP_NEEDS_PICTURE ? "a picture" : NULL;
}

static void put_skill(FILE *to, const struct lp_skill *skill) {
    char text[200];
    const char *lacks = lp_skill_lacks(skill);
    int n = snprintf(text, sizeof text, "%s", skill->api_name);
    for (const char *const *a = skill->aliases; a && *a; a++)
        n += snprintf(text + n, sizeof text - (size_t)n, ", %s", *a);
    fprintf(to, "%s  (%s)\n", skill->name, text);
    put_field(to, "does", skill->about);
    put_params(to, skill);
    if (needs_of(skill))
        put_field(to, "needs", needs_of(skill));
    n = 0;
    for (int kind = 0; kind < LP_OBJECT_KINDS; kind++)
        if (skill->leaves >> kind & 1)
            n +=
                snprintf(text + n, sizeof text - (size_t)n, "%s%s", n ? ", " : "", lp_object_kind_name(kind));
    put_field(to, "leaves", text);
    put_field(to, lacks ? "lacks" : "ready", lacks ? lacks : "yes");
}

bool lp_skill_print_list(FILE *to, struct lp_error *err) {
    int ready = 0;
    for (int i = 0; lp_skills[i]; i++) {
        put_skill(to, lp_skills[i]);
        putc('\n', to);
        ready += !lp_skill_lacks(lp_skills[i]);
    }
    fprintf(to, "%d of %d skills are ready on this machine.\n", ready, LP_SKILL_COUNT);
    return written(to, err);
}

static json_t *json_of(const struct lp_skill *skill, struct lp_error *err) {
    json_t *aliases = json_array(), *needs = json_array(), *leaves = json_array();
    json_t *schema = lp_skill_schema(skill, err);
    for (const char *const *a = skill->aliases; a && *a; a++)
        json_array_append_new(aliases, json_string(*a));
    if (skill->needs & LP_NEEDS_PICTURE)
        json_array_append_new(needs, json_string("picture"));
    if (skill->needs & LP_NEEDS_REFERENCE)
        json_array_append_new(needs, json_string("reference"));
    for (int kind = 0; kind < LP_OBJECT_KINDS; kind++)
        if (skill->leaves >> kind & 1)
            json_array_append_new(leaves, json_string(lp_object_kind_name(kind)));
    const char *lacks = lp_skill_lacks(skill);
    return json_pack("{s:s,s:s,s:o,s:s,s:o,s:o,s:o,s:b,s:s?}", "name", skill->name, "api_name",
                     skill->api_name, "aliases", aliases, "about", skill->about, "parameters", schema,
                     "needs", needs, "leaves", leaves, "ready", lacks == NULL, "lacks", lacks);
}

/* 15 digits: 0.97 is written so, not as 0.96999999999999997. */
static bool print_json(FILE *to, const json_t *value, struct lp_error *err) {
    if (json_dumpf(value, to, JSON_INDENT(2) | JSON_REAL_PRECISION(15)))
        return lp_error_set(err, LP_EIO, "writing the result failed");
    putc('\n', to);
    return written(to, err);
}

bool lp_skill_print_json(FILE *to, struct lp_error *err) {
    json_t *all = json_array();
    bool ok = all || lp_error_memory(err);
    for (int i = 0; ok && lp_skills[i]; i++)
        ok = !json_array_append_new(all, json_of(lp_skills[i], err)) || lp_error_memory(err);
    ok = ok && print_json(to, all, err);
    json_decref(all);
    return ok;
}

bool lp_skill_print_report(FILE *to, const struct lp_call *call, struct lp_error *err) {
    return print_json(to, call->report, err);
}

bool lp_skill_print_line(FILE *to, const struct lp_call *call, const char *file, struct lp_error *err) {
    json_t *line = json_pack("{s:s}", "file", file);
    char *text = line && !json_object_update(line, call->report) ? lp_json_text(line) : NULL;
    bool ok = text != NULL;
    if (ok)
        fprintf(to, "%s\n", text);
    else
        lp_error_memory(err);
    lp_free(text);
    json_decref(line);
    return ok && written(to, err);
}

static void put_object(FILE *to, const struct lp_object *o, const struct lp_image *picture) {
    fprintf(to, "%s", o->handle);
    if (o->kind == LP_OBJECT_COUNT)
        fprintf(to, " %d", o->count);
    if (o->kind == LP_OBJECT_IMAGE)
        fprintf(to, " %dx%d", o->picture->width, o->picture->height);
    if (o->kind == LP_OBJECT_BOX && picture)
        fprintf(to, " [%.0f, %.0f, %.0f, %.0f]", o->box[0] * (float)picture->width,
                o->box[1] * (float)picture->height, o->box[2] * (float)picture->width,
                o->box[3] * (float)picture->height);
    if (o->kind == LP_OBJECT_BOX || o->kind == LP_OBJECT_MASK)
        fprintf(to, " %.2f", o->score);
    fprintf(to, "%s%s\n", o->text ? " " : "", o->text ? o->text : "");
}

bool lp_skill_print_call(FILE *to, const struct lp_call *call, struct lp_error *err) {
    bool texts = call->skill->leaves & LP_LEAVES_TEXT;
    for (int i = call->first; i < call->first + call->count; i++) {
        const struct lp_object *o = call->objects->item[i];
        if (!texts)
            put_object(to, o, call->picture);
        else if (o->kind == LP_OBJECT_TEXT)
            fprintf(to, "%s\n", o->text);
    }
    return written(to, err);
}

bool lp_skill_unknown(const char *name, struct lp_error *err) {
    const char *names[LP_SKILL_COUNT + 1] = {NULL};
    for (int i = 0; lp_skills[i]; i++)
        names[i] = lp_skills[i]->name;
    const char *nearest = lp_option_nearest(name, names);
    if (nearest)
        return lp_error_set(err, LP_EUSAGE, "there is no skill '%s'; did you mean '%s'?", name, nearest);
    return lp_error_set(err, LP_EUSAGE, "there is no skill '%s'; see 'llava-plus skill list'", name);
}
