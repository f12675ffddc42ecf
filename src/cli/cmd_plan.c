/* SPDX-License-Identifier: MIT */
/* cli/cmd_plan.c - llava-plus plan: plans as JSON, one or a file of them; nothing is run. */
#include "base/memory.h"
#include "cli/batch.h"
#include "cli/command.h"

#include <stdio.h>

struct plan_command {
    struct lp_planner_flags flags;
    const char *batch;
    int64_t samples;
    struct lp_planner planner;
    struct lp_str out; /* printed only when all is done: no partial output */
};

/* Adds one line of output. */
static bool add_line(struct plan_command *c, const json_t *id, const struct lp_reply *r,
                     struct lp_error *err) {
    json_t *line = json_pack("{s:O*, s:s, s:O, s:O, s:s}", "id", id, "thoughts", r->thoughts, "actions",
                             r->actions, "skills", r->skills, "value", r->value);
    char *text = line ? lp_json_text(line) : NULL;
    if (text)
        lp_str_printf(&c->out, "%s\n", text);
    bool done = text && !c->out.failed;
    lp_free(text);
    json_decref(line);
    return done || lp_error_memory(err);
}

/* Plans a request as often as asked. */
static bool plan(struct plan_command *c, const json_t *id, const struct lp_request *request,
                 struct lp_error *err) {
    for (int64_t i = 0; i < c->samples; i++) {
        struct lp_reply reply;
        if (!lp_agent_plan(&c->planner.agent, request, NULL, &reply, err))
            return false;
        bool done = add_line(c, id, &reply, err);
        lp_reply_done(&reply);
        if (!done)
            return false;
    }
    return true;
}

/* Plans one line of the batch. */
static bool plan_line(void *context, const json_t *line, struct lp_error *err) {
    struct plan_command *c = context;
    struct lp_prompts prompts = {0};
    struct lp_request request;
    bool done = lp_batch_request(c->batch, line, &c->planner.agent.talk, &prompts, &request, err) &&
                plan(c, json_object_get(line, "id"), &request, err);
    lp_prompts_done(&prompts);
    return done;
}

/* Every line must be JSON before the slow part begins. */
static bool plan_batch(struct plan_command *c, struct lp_error *err) {
    size_t size;
    char *text = lp_batch_open(c->batch, &size, err);
    bool done = text && lp_batch_lines(c->batch, text, size, NULL, NULL, err) &&
                lp_planner_open(&c->planner, &c->flags, err) &&
                lp_batch_lines(c->batch, text, size, plan_line, c, err);
    lp_free(text);
    return done;
}

static bool plan_one(struct plan_command *c, const char *text, struct lp_error *err) {
    struct lp_prompts prompts = {0};
    bool done = lp_planner_prompts(&c->flags, &prompts, err) &&
                lp_planner_open(&c->planner, &c->flags, err) &&
                lp_planner_add_pictures(&c->planner, &c->flags.image, err);
    struct lp_request request = lp_prompts_request(&prompts, text);
    done = done && plan(c, NULL, &request, err);
    lp_prompts_done(&prompts);
    return done;
}

int lp_cmd_plan(int argc, char **argv) {
    struct plan_command c = {0};
    struct lp_error err = {0};
    struct lp_option options[LP_PLANNER_OPTIONS + 3];
    int status;
    lp_planner_options(&c.flags, options);
    options[LP_PLANNER_OPTIONS] = (struct lp_option){
        .name = "batch",
        .argument = "FILE",
        .kind = LP_OPTION_STRING,
        .target = &c.batch,
        .help = "plan for every line of a JSONL file: id, instruction, image, points, boxes, reference"};
    options[LP_PLANNER_OPTIONS + 1] = (struct lp_option){.name = "samples",
                                                         .argument = "N",
                                                         .kind = LP_OPTION_INT,
                                                         .target = &c.samples,
                                                         .fallback = "1",
                                                         .lo = 1,
                                                         .hi = 1000000,
                                                         .help = "plan so often for every request"};
    options[LP_PLANNER_OPTIONS + 2] = (struct lp_option){.name = NULL};
    const struct lp_usage usage = {
        "plan",
        "[--image FILE] SENTENCE | --batch FILE.jsonl",
        "Prints the plan for a request as JSON: thoughts, actions, skills and value. Runs "
        "nothing.",
        options,
        0,
        1};
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    bool done;
    c.flags.once = !c.batch && c.samples == 1;
    if ((argc == 2) == (c.batch != NULL))
        done = lp_error_set(&err, LP_EUSAGE, "give either a sentence or --batch FILE.jsonl");
    else if (c.batch && (c.flags.image.n || c.flags.points || c.flags.boxes || c.flags.reference))
        done = lp_error_set(&err, LP_EUSAGE, "with --batch, pictures and prompts stand in the file");
    else
        done = c.batch ? plan_batch(&c, &err) : plan_one(&c, argv[1], &err);
    lp_planner_close(&c.planner);
    if (done)
        fputs(lp_str_text(&c.out), stdout);
    lp_str_done(&c.out);
    return done ? 0 : lp_command_fail("plan", &err);
}
