/* SPDX-License-Identifier: MIT */
/* plan/look.c - "all tools": what understanding skills see is told with the question. LLaVA-Plus, section 2.4. */
#include "plan/run.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 12 }; /* items of a list */

/* Runs one skill on image number n and adds its line; a skill that is not ready or fails says nothing. *tags: the
 * tag skill's, parted by " . " as detect wants them. */
static bool look(struct lp_agent *a, const struct lp_request *q, const struct lp_hooks *hooks, const char *name, int n,
                 struct lp_str *tags, struct lp_str *lines, struct lp_error *err) {
    const struct lp_skill *skill = lp_skill_find(name);
    bool detects = !strcmp(name, "detect");
    if (detects && !tags->n)
        return true;
    char handle[24];
    snprintf(handle, sizeof handle, "img_%d", n);
    json_t *actions = json_pack("[{s:s, s:{s:s}}]", "API_name", skill->api_name, "API_params", "image", handle);
    json_t *params = json_object_get(json_array_get(actions, 0), "API_params");
    if (detects && json_object_set_new(params, "caption", json_string(tags->s)))
        params = NULL;
    int count;
    struct lp_job *job = params ? lp_jobs_new(actions, &count) : NULL;
    bool done = job ? lp_jobs_run(a, q, hooks, actions, job, 1, err) : lp_error_memory(err);
    if (done && job->ran) {
        struct lp_outcome outcome = {job->api_name, job->call.result, NULL};
        lp_result_lines(lines, &outcome, 1, MOST, a->talk.lmm->knows_handles);
        const char *tag = json_string_value(json_object_get(job->call.result, "tags")); /* "dog | cat" */
        for (; tag && *tag; tag++)
            lp_str_putc(tags, *tag == '|' ? '.' : *tag);
        done = (!lines->failed && !tags->failed) || lp_error_memory(err);
    }
    lp_jobs_done(job, job ? 1 : 0);
    json_decref(actions);
    return done;
}

bool lp_tools_parse(const char *name, enum lp_tools *tools, struct lp_error *err) {
    static const char *const names[] = {"fly", "all", "none"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(name, names[i])) {
            *tools = (enum lp_tools)i;
            return true;
        }
    return lp_error_set(err, LP_EUSAGE, "tools are 'fly', 'all' or 'none', not '%s'", name);
}

bool lp_agent_look(struct lp_agent *a, const struct lp_request *request, const struct lp_hooks *hooks,
                   struct lp_str *lines, struct lp_error *err) {
    static const char *const names[] = {"tag", "detect", "caption", "ocr"};
    bool done = true;
    int images = lp_objects_count(&a->talk.objects, LP_OBJECT_IMAGE);
    for (int n = a->talk.shown + 1; done && n <= images; n++) {
        struct lp_str tags = {0};
        for (size_t i = 0; done && i < sizeof names / sizeof *names; i++)
            done = look(a, request, hooks, names[i], n, &tags, lines, err);
        lp_str_done(&tags);
    }
    return done;
}
