/* SPDX-License-Identifier: MIT */
/* cli/cmd_plan.c - llava-plus plan: plans as JSON, one or a file of them; nothing is run. */
#include "base/file.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/planner.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_LIMIT = 256 << 20 };

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

/* A picture that a line names; a relative path starts at the batch's folder. Owned by caller. */
static struct lp_image *open_picture(const char *batch, const char *name, struct lp_error *err) {
    char folder[PATH_MAX], path[PATH_MAX];
    const char *slash = strrchr(batch, '/');
    size_t n = !slash ? 0 : slash == batch ? 1 : (size_t)(slash - batch);
    if (n >= sizeof folder) {
        lp_error_set(err, LP_EINPUT, "the path is too long");
        return NULL;
    }
    memcpy(folder, batch, n);
    folder[n] = 0;
    return lp_file_join(path, sizeof path, folder, name, err) ? lp_image_open(path, err) : NULL;
}

/* The prompts of one line. */
static bool read_prompts(const char *batch, const json_t *line, struct lp_prompts *p, struct lp_error *err) {
    const json_t *points = json_object_get(line, "points"), *boxes = json_object_get(line, "boxes");
    const json_t *reference = json_object_get(line, "reference");
    const char *file = NULL;
    if (points && !json_is_null(points) && !lp_prompts_points(p, points, "'points'", err))
        return false;
    if (boxes && !json_is_null(boxes) && !lp_prompts_boxes(p, boxes, false, "'boxes'", err))
        return false;
    if (!reference || json_is_null(reference))
        return true;
    if (!json_is_object(reference) || !lp_json_string(reference, "image", NULL, &file, err) || !file)
        return lp_error_set(err, LP_EINPUT, "'reference' must be an object with an 'image'");
    boxes = json_object_get(reference, "boxes");
    if (boxes && !json_is_null(boxes) && !lp_prompts_boxes(p, boxes, true, "the reference's 'boxes'", err))
        return false;
    return (p->reference = open_picture(batch, file, err)) != NULL;
}

/* Checks and plans one line of the batch. */
static bool plan_line(struct plan_command *c, const json_t *line, struct lp_error *err) {
    struct lp_prompts prompts = {0};
    const json_t *id = json_object_get(line, "id");
    const char *text = NULL, *file = NULL;
    if (!json_is_object(line))
        return lp_error_set(err, LP_EINPUT, "it is not an object with id and instruction");
    if (!json_is_string(id) && !json_is_integer(id))
        return lp_error_set(err, LP_EINPUT, "'id' must be a string or a whole number");
    if (!lp_json_string(line, "instruction", NULL, &text, err) ||
        !lp_json_string(line, "image", NULL, &file, err))
        return false;
    if (!text)
        return lp_error_set(err, LP_EINPUT, "'instruction' is missing");
    lp_conversation_reset(&c->planner.agent.talk);
    bool done = read_prompts(c->batch, line, &prompts, err);
    struct lp_image *picture = done && file ? open_picture(c->batch, file, err) : NULL;
    done = done && (!file || (picture && lp_conversation_add_picture(&c->planner.agent.talk, picture, err)));
    struct lp_request request = lp_prompts_request(&prompts, text);
    done = done && plan(c, id, &request, err);
    lp_prompts_done(&prompts);
    return done;
}

/* Calls `each` for every line that is not blank, with its number; stops at the first failure, which names it.
 */
static bool for_lines(struct plan_command *c, const char *text, size_t size,
                      bool (*each)(struct plan_command *, const json_t *, struct lp_error *),
                      struct lp_error *err) {
    int number = 1;
    for (const char *at = text, *end = text + size; at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((stop ? stop : end) - at);
        char name[64];
        snprintf(name, sizeof name, "line %d", number);
        bool blank = n == 0 || n == strspn(at, " \t\r");
        json_t *line = blank ? NULL : lp_json_parse(at, n, name, err);
        bool parsed = blank || line, done = blank || (line && each(c, line, err));
        json_decref(line);
        if (!done && parsed)
            lp_error_prefix(err, "%s, line %d", c->batch, number);
        else if (!done)
            lp_error_prefix(err, "%s", c->batch);
        if (!done)
            return false;
        at += n + (stop != NULL);
    }
    return true;
}

/* First pass: every line is JSON, before the slow second pass begins. */
static bool accept(struct plan_command *c, const json_t *line, struct lp_error *err) {
    (void)c;
    (void)line;
    (void)err;
    return true;
}

static bool plan_batch(struct plan_command *c, struct lp_error *err) {
    size_t size;
    char *text = lp_file_read(c->batch, BATCH_LIMIT, &size, err);
    bool done = text && for_lines(c, text, size, accept, err) &&
                lp_planner_open(&c->planner, &c->flags, err) && for_lines(c, text, size, plan_line, err);
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
