/* SPDX-License-Identifier: MIT */
/* cli/cmd_eval_plan.c - llava-plus eval plan: a planner against a set of instructions with the plans that are fair. */
#include "base/file.h"
#include "base/memory.h"
#include "cli/batch.h"
#include "cli/cmd_eval.h"
#include "cli/progress.h"
#include "eval/plan_score.h"

#include <stdio.h>
#include <string.h>

struct eval_plan {
    struct lp_planner_flags flags;
    const char *set, *json, *picture, *misses;
    double least_skills, least_arguments, most_needless;
    struct lp_planner planner;
    struct lp_plan_score score;
    struct lp_str missed; /* JSONL */
    int lines, done;
    double told_ms; /* when progress was last shown */
};

/* First pass: the form of every line, before the slow second pass. */
static bool check_line(void *context, const json_t *line, struct lp_error *err) {
    struct eval_plan *e = context;
    e->lines++;
    if (!json_is_string(json_object_get(line, "instruction")))
        return lp_error_set(err, LP_EINPUT, "'instruction' must be a string");
    return lp_expected_check(json_object_get(line, "expected"), err);
}

static bool note_miss(struct eval_plan *e, const json_t *line, const struct lp_reply *reply,
                      enum lp_plan_verdict verdict, struct lp_error *err) {
    json_t *miss = json_pack("{s:O, s:O, s:s, s:O, s:O}", "id", json_object_get(line, "id"), "instruction",
                             json_object_get(line, "instruction"), "wrong",
                             verdict == LP_PLAN_WRONG_SKILLS ? "skills" : "arguments", "expected",
                             json_object_get(line, "expected"), "actions", reply->actions);
    char *text = miss ? lp_json_text(miss) : NULL;
    if (text)
        lp_str_printf(&e->missed, "%s\n", text);
    bool done = text && !e->missed.failed;
    lp_free(text);
    json_decref(miss);
    return done || lp_error_memory(err);
}

static bool plan_line(void *context, const json_t *line, struct lp_error *err) {
    struct eval_plan *e = context;
    const json_t *expected = json_object_get(line, "expected");
    struct lp_prompts prompts = {0};
    struct lp_request request;
    struct lp_reply reply = {0};
    enum lp_plan_verdict verdict;
    bool done = lp_batch_request(e->set, line, &e->planner.agent.talk, &prompts, &request, err) &&
                lp_agent_plan(&e->planner.agent, &request, NULL, &reply, err) &&
                lp_plan_match(expected, reply.actions, &verdict, err);
    if (done) {
        lp_plan_score_add(&e->score, expected, reply.actions, verdict);
        done = verdict == LP_PLAN_RIGHT || note_miss(e, line, &reply, verdict, err);
        lp_progress_show(++e->done, e->lines, "lines", &e->told_ms);
    }
    lp_reply_done(&reply);
    lp_prompts_done(&prompts);
    return done;
}

static bool measure(struct eval_plan *e, struct lp_error *err) {
    size_t size;
    char *text = lp_batch_open(e->set, &size, err);
    bool done = text && lp_batch_lines(e->set, text, size, check_line, e, err) &&
                lp_planner_open(&e->planner, &e->flags, err) &&
                lp_batch_lines(e->set, text, size, plan_line, e, err);
    lp_free(text);
    return done;
}

static bool write_json(const struct eval_plan *e, struct lp_error *err) {
    json_t *json = lp_plan_score_json(&e->score, err);
    bool done = lp_json_save(e->json, json, err);
    json_decref(json);
    return done;
}

static bool write_picture(const struct eval_plan *e, struct lp_error *err) {
    struct lp_image *picture = lp_plan_score_picture(&e->score, err);
    bool done = picture && lp_image_save(picture, e->picture, err);
    lp_image_close(picture);
    return done;
}

/* The files that were asked for, then the table. */
static bool report(const struct eval_plan *e, struct lp_error *err) {
    struct lp_str table = {0};
    if ((e->json && !write_json(e, err)) || (e->picture && !write_picture(e, err)) ||
        (e->misses && !lp_file_write(e->misses, lp_str_text(&e->missed), e->missed.n, err)))
        return false;
    lp_plan_score_table(&e->score, &table);
    return lp_eval_print(&table, err);
}

static bool good_enough(const struct eval_plan *e, struct lp_error *err) {
    struct lp_plan_rates r = lp_plan_score_rates(&e->score);
    if (r.skills < e->least_skills)
        return lp_error_set(err, LP_EINPUT, "right skill: %.4f is below %.4f", r.skills, e->least_skills);
    if (r.arguments < e->least_arguments)
        return lp_error_set(err, LP_EINPUT, "right arguments: %.4f is below %.4f", r.arguments, e->least_arguments);
    if (r.needless > e->most_needless)
        return lp_error_set(err, LP_EINPUT, "needless calls: %.4f is above %.4f", r.needless, e->most_needless);
    return true;
}

int lp_cmd_eval_plan(int argc, char **argv) {
    struct eval_plan e = {.flags = {.tools = "fly", .top_p = 1, .most_tokens = 512}};
    struct lp_option cache[LP_CACHE_OPTIONS];
    lp_cache_options(&e.flags, cache);
    const struct lp_option options[] = {
        {"set", 's', "FILE", "instructions with `expected` plans, one JSON object a line (data/heldout/README.md)",
         LP_OPTION_STRING, NULL, &e.set, 0, 0},
        {"model", 'm', "PATH", "the planner: a model folder or a GGUF file (else $LLAVA_PLUS_MODEL, else the nano planner)",
         LP_OPTION_STRING, NULL, &e.flags.model, 0, 0},
        {"mmproj", 0, "PATH", "the picture encoder of a GGUF model or an original folder (else what is found beside it)", LP_OPTION_STRING, NULL,
         &e.flags.mmproj, 0, 0},
        {"json", 0, "OUT", "write the counts to this file", LP_OPTION_STRING, NULL, &e.json, 0, 0},
        {"picture", 0, "FILE", "draw the confusion table into this file (.png)", LP_OPTION_STRING, NULL, &e.picture, 0, 0},
        {"misses", 0, "FILE", "write the lines that were planned wrongly, one JSON object a line", LP_OPTION_STRING, NULL,
         &e.misses, 0, 0},
        {"temperature", 0, "T", "0 always takes the most likely word", LP_OPTION_FLOAT, "0", &e.flags.temperature, 0, 10},
        {"seed", 0, "N", "of the sampling", LP_OPTION_INT, "0", &e.flags.seed, 0, 9e15},
        {"least-skill", 0, "R", "fail when the rate of right skills is below", LP_OPTION_FLOAT, "0", &e.least_skills, 0, 1},
        {"least-arguments", 0, "R", "fail when the rate of right arguments is below", LP_OPTION_FLOAT, "0",
         &e.least_arguments, 0, 1},
        {"most-needless", 0, "R", "fail when the rate of needless calls is above", LP_OPTION_FLOAT, "1", &e.most_needless,
         0, 1},
        cache[0], cache[1], cache[2],
        {0}};
    const struct lp_usage usage = {"eval plan", "--set FILE.jsonl [options]",
                                   "Plans for every line and prints the rates of right skills, right arguments, missed "
                                   "and needless calls.",
                                   options, 0, 0};
    struct lp_error err = {0};
    int status;
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    bool done = e.set ? measure(&e, &err) : lp_error_set(&err, LP_EUSAGE, "say with --set FILE.jsonl what to plan for");
    done = done && report(&e, &err) && good_enough(&e, &err);
    lp_planner_close(&e.planner);
    lp_str_done(&e.missed);
    return done ? 0 : lp_command_fail("eval plan", &err);
}
