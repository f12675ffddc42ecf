/* SPDX-License-Identifier: MIT */
/* plan/remote_words.c - what a server's model is told about its task and the skills. */
#include "base/memory.h"
#include "plan/remote_inner.h"
#include "skill/skill.h"

#include <string.h>

static const char task[] = "You are an assistant that looks at the user's pictures and answers. Pictures, "
                           "boxes, masks and texts of the "
                           "conversation have handles such as img_1, box_2, mask_1 or text_1; a picture's "
                           "handle stands before it. Coordinates are "
                           "0 to 1 of the picture, from its left upper corner.";

static const char skills[] =
    " Skills do what you cannot do or not exactly: finding and outlining things, reading, making and "
    "changing pictures. Use "
    "one where it helps, and none where you can answer by yourself. All calls of a request are made at once, "
    "before any "
    "result is known; they run in order, and a later call may name what an earlier one will leave, such as "
    "mask_1. Then you "
    "get the results and answer. In that answer {text_1} stands for the exact text of that object, {count_1} "
    "for its "
    "number: write these rather than copies. Where a skill was not ready or failed, say so plainly.";

static const char format[] =
    "\n\nWrite every turn in exactly this form, three lines with these marks:\n" LP_MARK_THOUGHTS
    " why, in a sentence\n" LP_MARK_ACTIONS
    " [{\"API_name\": \"detect\", \"API_params\": {\"caption\": \"dog\"}}]\n" LP_MARK_VALUE
    " what you say to the user\nWith " LP_MARK_ACTIONS
    " [] the value is your answer. When results have come, the actions are [].";

static bool is_offered(int i, const struct lp_facts *facts) {
    return !((facts->barred >> i) & 1) && (facts->reference || !(lp_skills[i]->needs & LP_NEEDS_REFERENCE));
}

/* What it does, and what stands in its way. */
static void describe(struct lp_str *out, const struct lp_skill *skill) {
    const char *lacks = lp_skill_lacks(skill);
    const char *one_of = "; give exactly one of ";
    const struct lp_param *p;
    lp_str_puts(out, skill->about);
    for (int i = 0; (p = lp_skill_param(skill, i)); i++)
        if (p->one_of) {
            lp_str_printf(out, "%s%s", one_of, p->name);
            one_of = ", ";
        }
    if (lacks)
        lp_str_printf(out, " (not ready on this machine: it needs %s)", lacks);
}

static void list(struct lp_str *out, const struct lp_skill *skill) {
    const struct lp_param *p;
    lp_str_printf(out, "\n- %s: ", skill->name);
    describe(out, skill);
    for (int i = 0; (p = lp_skill_param(skill, i)); i++)
        if (!p->hidden)
            lp_str_printf(out, "\n  %s%s: %s", p->name, p->required ? "" : " (may be left out)", p->about);
}

void lp_remote_words(struct lp_str *out, bool text, bool tools, const struct lp_facts *facts) {
    lp_str_puts(out, task);
    if (!tools)
        return;
    lp_str_puts(out, skills);
    if (!text)
        return;
    lp_str_puts(out, format);
    lp_str_puts(out, "\n\nThe skills and their parameters:");
    for (int i = 0; lp_skills[i]; i++)
        if (is_offered(i, facts))
            list(out, lp_skills[i]);
}

/* The schema without what OpenAI's server refuses at its top. */
static json_t *parameters(const struct lp_skill *skill) {
    json_t *schema = lp_skill_schema(skill, NULL);
    json_object_del(schema, "oneOf");
    return schema;
}

static json_t *tool(const struct lp_skill *skill) {
    struct lp_str about = {0};
    describe(&about, skill);
    json_t *schema = parameters(skill);
    json_t *out = !about.failed && schema
                      ? json_pack("{s:s, s:{s:s, s:s, s:O}}", "type", "function", "function", "name",
                                  skill->name, "description", about.s, "parameters", schema)
                      : NULL;
    json_decref(schema);
    lp_str_done(&about);
    return out;
}

json_t *lp_remote_tool_list(const struct lp_facts *facts) {
    json_t *all = json_array();
    for (int i = 0; all && lp_skills[i]; i++)
        if (is_offered(i, facts) && json_array_append_new(all, tool(lp_skills[i]))) {
            json_decref(all);
            return NULL;
        }
    return all;
}
