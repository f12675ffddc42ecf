/* SPDX-License-Identifier: MIT */
/* plan/agent.c - the loop. An answer turn is never asked for more actions: one round of skills a request. */
#include "plan/agent.h"

#include "base/clock.h"
#include "base/memory.h"
#include "plan/run.h"
#include "text/utf8.h"

#include <ctype.h>
#include <string.h>

bool lp_agent_init(struct lp_agent *a, struct lp_lmm *lmm, struct lp_bench *bench,
                   const struct lp_sampling *sampling, struct lp_error *err) {
    *a = (struct lp_agent){.bench = bench, .sampling = *sampling};
    lp_rng_seed(&a->rng, sampling->seed);
    return lp_conversation_init(&a->talk, lmm, err);
}

void lp_agent_done(struct lp_agent *a) {
    lp_conversation_done(&a->talk);
}

void lp_reply_done(struct lp_reply *r) {
    lp_free(r->thoughts);
    lp_free(r->value);
    json_decref(r->actions);
    json_decref(r->skills);
    json_decref(r->results);
    *r = (struct lp_reply){0};
}

static void tell(const struct lp_hooks *hooks, struct lp_step step) {
    if (hooks->step)
        hooks->step(hooks->context, &step);
}

/* An answer on its way out. */
struct stream {
    const struct lp_agent *a;
    const struct lp_hooks *hooks;
    bool thought;      /* thoughts have been told */
    size_t from;       /* in the turn's text: what has been told ends here; 0: nothing yet */
    struct lp_str out; /* what has been told */
};

/* Whether the turn has got as far as a value without actions: an answer. */
static bool is_answer(const struct lp_turn *turn) {
    const char *text = lp_str_text(&turn->text);
    if (!turn->value_at)
        return false;
    const char *from = text + turn->actions_at + strlen(LP_MARK_ACTIONS);
    while (isspace((unsigned char)*from))
        from++;
    return from[0] == '[' && from[1] == ']';
}

/* Bytes at the end of text[0..n) that are the beginning of a character. */
static size_t half_character(const char *text, size_t n) {
    for (size_t k = 1; k <= 3 && k <= n; k++)
        if (lp_utf8_is_cut(text + n - k, k))
            return k;
    return 0;
}

/* Where text that can be told already ends: before what may become the stop string, white space that may be
 * the last, half a character, half a handle. */
static size_t tellable(const struct lp_turn *turn, size_t from, const char *stop) {
    const char *text = lp_str_text(&turn->text);
    size_t n = lp_stop_find(text + from, turn->text.n - from, stop) + from;
    n -= lp_stop_pending(text + from, n - from, stop);
    n -= half_character(text + from, n - from);
    while (n > from && isspace((unsigned char)text[n - 1]))
        n--;
    for (size_t k = n; k > from && n - k < sizeof((struct lp_object *)0)->handle + 1; k--) {
        if (text[k - 1] == '}')
            break;
        if (text[k - 1] == '{')
            return k - 1;
    }
    return n;
}

/* Tells a piece of the answer with its handles replaced. */
static void tell_answer(struct stream *s, const char *text, size_t n) {
    struct lp_str piece = {0}, clean = {0};
    lp_text_clean(&clean, text, n);
    lp_objects_quote(&s->a->talk.objects, lp_str_text(&clean), &piece);
    if (piece.n)
        tell(s->hooks, (struct lp_step){.kind = LP_STEP_ANSWER, .text = piece.s});
    lp_str_add(&s->out, lp_str_text(&piece), piece.n);
    s->out.failed = s->out.failed || piece.failed || clean.failed;
    lp_str_done(&piece);
    lp_str_done(&clean);
}

static size_t value_start(const struct lp_turn *turn) {
    size_t at = turn->value_at;
    while (at < turn->text.n && isspace((unsigned char)lp_str_text(&turn->text)[at]))
        at++;
    return at;
}

static void tell_thoughts(struct stream *s, const struct lp_turn *turn) {
    const char *text = lp_str_text(&turn->text);
    size_t from = turn->thoughts_at, to = turn->actions_at;
    while (from < to && isspace((unsigned char)text[from]))
        from++;
    while (to > from && isspace((unsigned char)text[to - 1]))
        to--;
    struct lp_str copy = {0};
    lp_str_add(&copy, text + from, to - from);
    tell(s->hooks, (struct lp_step){.kind = LP_STEP_THOUGHTS, .text = lp_str_text(&copy)});
    lp_str_done(&copy);
}

static void grew(void *context, const struct lp_turn *turn) {
    struct stream *s = context;
    if (!s->thought && turn->actions_at) {
        s->thought = true;
        tell_thoughts(s, turn);
    }
    if (!is_answer(turn))
        return;
    size_t from = s->from ? s->from : value_start(turn), to = tellable(turn, from, s->a->talk.facts.stop);
    if (to > from) {
        tell_answer(s, lp_str_text(&turn->text) + from, to - from);
        s->from = to;
    }
}

/* Lets the planner write a turn, tells of it as it comes, and reads it. The reply's value becomes the answer as
 * it was told, or what was told before the calls. */
static bool write_turn(struct lp_agent *a, bool answer, const struct lp_hooks *hooks, struct lp_plan *plan,
                       struct lp_reply *reply, struct lp_error *err) {
    struct stream s = {.a = a, .hooks = hooks};
    struct lp_turn turn;
    bool no_tools = answer || a->tools != LP_TOOLS_FLY;
    double began_ms = lp_clock_ms();
    struct lp_decoding how = {
        .sampling = a->sampling, .rng = &a->rng, .cancel = hooks->cancel, .grew = grew, .context = &s};
    bool done = lp_conversation_write(&a->talk, no_tools, &how, &turn, err) &&
                lp_plan_parse(lp_str_text(&turn.text), turn.text.n, plan, err);
    if (done && is_answer(&turn)) { /* what was held back */
        size_t from = s.from ? s.from : value_start(&turn), to = turn.text.n;
        while (to > from && isspace((unsigned char)turn.text.s[to - 1]))
            to--;
        if (to > from)
            tell_answer(&s, turn.text.s + from, to - from);
        lp_str_add(&s.out, "", 0);
        reply->value = s.out.failed ? NULL : s.out.s;
        s.out = (struct lp_str){.failed = s.out.failed};
        done = reply->value || lp_error_memory(err);
    } else if (done && s.out.n && !s.out.failed) { /* words that a server wrote before its calls */
        reply->value = s.out.s;
        s.out = (struct lp_str){0};
    }
    reply->cut_short = turn.cut_short;
    if (done)
        tell(hooks, (struct lp_step){.kind = LP_STEP_TURN,
                                     .text = a->talk.said[a->talk.n - 1].text,
                                     .turn = a->talk.lmm->remote ? NULL : &turn,
                                     .first_ms = turn.first_ms - began_ms});
    lp_str_done(&s.out);
    lp_turn_done(&turn);
    return done;
}

/* The reply's part that a plan tells. Takes what it needs out of the plan. */
static bool take_plan(struct lp_reply *reply, struct lp_plan *plan, struct lp_error *err) {
    reply->thoughts = plan->thoughts;
    reply->actions = plan->actions;
    plan->thoughts = NULL;
    plan->actions = NULL;
    reply->skills = json_array();
    reply->results = json_array();
    for (size_t i = 0; i < json_array_size(reply->actions); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(reply->actions, i), "API_name"));
        const struct lp_skill *skill = lp_skill_find(name);
        if (json_array_append_new(reply->skills, json_string(skill ? skill->name : name)))
            return lp_error_memory(err);
    }
    return reply->skills && reply->results ? true : lp_error_memory(err);
}

/* Whether `text` names a skill, as a word. */
static bool names(const char *text, const char *name) {
    static const char joins[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-";
    for (const char *at = text; (at = strstr(at, name)); at++) {
        char before = at == text ? ' ' : at[-1], after = at[strlen(name)];
        if (!strchr(joins, before) && (!after || !strchr(joins, after)))
            return true;
    }
    return false;
}

/* Says plainly which skills did not do their work where the planner's answer does not name them. */
static bool add_plain_words(struct lp_reply *reply, const struct lp_job *job, int n,
                            const struct lp_hooks *hooks, struct lp_error *err) {
    struct lp_str all = {0};
    lp_str_puts(&all, reply->value);
    for (int i = 0; i < n; i++) {
        if (job[i].ran || names(lp_str_text(&all), job[i].api_name) ||
            (job[i].skill && names(lp_str_text(&all), job[i].skill->name)))
            continue;
        size_t from = all.n;
        lp_str_puts(&all, all.n ? " " : "");
        if (job[i].lacks)
            lp_str_printf(&all,
                          "I wanted to use %s for this, but it is not ready on this machine: it needs %s.",
                          job[i].api_name, job[i].lacks);
        else
            lp_str_puts(&all, job[i].message);
        if (!all.failed)
            tell(hooks, (struct lp_step){.kind = LP_STEP_ANSWER, .text = all.s + from});
    }
    if (all.failed) {
        lp_str_done(&all);
        return lp_error_memory(err);
    }
    lp_free(reply->value);
    reply->value = all.s ? all.s : reply->value;
    return true;
}

static bool add_results(struct lp_reply *reply, const struct lp_job *job, int n, struct lp_error *err) {
    for (int i = 0; i < n; i++) {
        const char *status = job[i].ran ? "done" : job[i].lacks ? "not ready" : "failed";
        json_t *r = json_pack("{s:s, s:s, s:s}", "API_name", job[i].api_name, "skill",
                              job[i].skill ? job[i].skill->name : job[i].api_name, "status", status);
        bool done = r && !json_array_append(reply->results, r);
        if (done && job[i].message)
            done = !json_object_set_new(r, "message", json_string(job[i].message));
        if (done && job[i].ran)
            done = !json_object_set(r, "result", job[i].call.report);
        json_decref(r);
        if (!done)
            return lp_error_memory(err);
    }
    return true;
}

/* Puts what was told before the skills ran, which is given away and may be NULL, before the answer. */
static bool put_before(struct lp_reply *reply, char *words, struct lp_error *err) {
    struct lp_str all = {0};
    if (!words)
        return true;
    lp_str_printf(&all, "%s\n\n%s", words, reply->value);
    lp_free(words);
    if (all.failed) {
        lp_str_done(&all);
        return lp_error_memory(err);
    }
    lp_free(reply->value);
    reply->value = all.s;
    return true;
}

/* Runs the plan's actions, tells the planner and gets the answer. */
static bool act(struct lp_agent *a, const struct lp_request *request, const struct lp_hooks *hooks,
                struct lp_reply *reply, struct lp_error *err) {
    int n;
    struct lp_job *job = lp_jobs_new(reply->actions, &n);
    struct lp_outcome *outcome = lp_alloc_array((size_t)n, sizeof *outcome);
    struct lp_plan answer = {0};
    char *before = reply->value;
    reply->value = NULL;
    bool done = job && outcome;
    if (!done)
        lp_error_memory(err);
    done = done && lp_jobs_run(a, request, hooks, reply->actions, job, n, err) &&
           add_results(reply, job, n, err);
    for (int i = 0; done && i < n; i++)
        outcome[i] =
            (struct lp_outcome){job[i].api_name, job[i].ran ? job[i].call.result : NULL, job[i].message};
    done = done && lp_conversation_tell(&a->talk, outcome, n, false, err);
    if (done)
        tell(hooks, (struct lp_step){.kind = LP_STEP_TURN, .text = a->talk.said[a->talk.n - 1].text});
    if (done && before)
        tell(hooks, (struct lp_step){.kind = LP_STEP_ANSWER, .text = "\n\n"});
    done = done && write_turn(a, true, hooks, &answer, reply, err);
    if (done)
        done = put_before(reply, before, err) && add_plain_words(reply, job, n, hooks, err);
    else
        lp_free(before);
    lp_plan_done(&answer);
    lp_free(outcome);
    lp_jobs_done(job, n);
    return done;
}

/* The grammar's promise, held: what was decoded parses, and every call is a known skill's with legal
 * parameters. */
static bool verify(const struct lp_plan *plan, struct lp_error *err) {
    struct lp_error why = {0};
    bool good = plan->marked && !plan->bad_actions;
    for (size_t i = 0; good && i < json_array_size(plan->actions); i++) {
        const json_t *call = json_array_get(plan->actions, i);
        const struct lp_skill *skill = lp_skill_find(json_string_value(json_object_get(call, "API_name")));
        json_t *params = skill ? lp_skill_check(skill, json_object_get(call, "API_params"), &why) : NULL;
        good = params != NULL;
        json_decref(params);
    }
    if (!good && why.code == LP_EMEMORY)
        return lp_error_memory(err);
    return good || lp_error_set(err, LP_EINTERNAL, "the planner wrote a plan that is not legal (%s)",
                                *why.text ? why.text : "it does not parse");
}

/* The request's message and the plan for it. */
static bool make_plan(struct lp_agent *a, const struct lp_request *request, const struct lp_hooks *hooks,
                      struct lp_reply *reply, struct lp_plan *plan, struct lp_error *err) {
    struct lp_str known = {0};
    struct lp_request asked = *request;
    bool done = a->tools != LP_TOOLS_ALL || lp_agent_look(a, request, hooks, &known, err);
    if (known.n)
        asked.known = known.s;
    done = done && lp_conversation_ask(&a->talk, &asked, err);
    lp_str_done(&known);
    if (!done || !write_turn(a, false, hooks, plan, reply, err) || !verify(plan, err) ||
        !take_plan(reply, plan, err))
        return false;
    tell(hooks, (struct lp_step){.kind = LP_STEP_PLAN, .actions = reply->actions});
    return true;
}

static bool fail_reply(struct lp_agent *a, int messages, struct lp_reply *reply) {
    lp_conversation_rewind(&a->talk, messages < a->talk.n ? messages : a->talk.n);
    lp_reply_done(reply);
    return false;
}

bool lp_agent_ask(struct lp_agent *a, const struct lp_request *request, const struct lp_hooks *hooks,
                  struct lp_reply *reply, struct lp_error *err) {
    static const struct lp_hooks none = {0};
    struct lp_plan plan = {0};
    int before = a->talk.n;
    *reply = (struct lp_reply){0};
    hooks = hooks ? hooks : &none;
    bool done = make_plan(a, request, hooks, reply, &plan, err) &&
                (json_array_size(reply->actions) == 0 || act(a, request, hooks, reply, err));
    lp_plan_done(&plan);
    return done || fail_reply(a, before, reply);
}

bool lp_agent_answer(struct lp_agent *a, const struct lp_hooks *hooks, struct lp_reply *reply, struct lp_error *err) {
    static const struct lp_hooks none = {0};
    struct lp_plan plan = {0};
    int before = a->talk.n;
    *reply = (struct lp_reply){0};
    bool done = write_turn(a, true, hooks ? hooks : &none, &plan, reply, err) && take_plan(reply, &plan, err);
    lp_plan_done(&plan);
    return done || fail_reply(a, before, reply);
}

bool lp_agent_plan(struct lp_agent *a, const struct lp_request *request, const struct lp_hooks *hooks,
                   struct lp_reply *reply, struct lp_error *err) {
    static const struct lp_hooks none = {0};
    struct lp_plan plan = {0};
    int before = a->talk.n;
    *reply = (struct lp_reply){0};
    bool done = make_plan(a, request, hooks ? hooks : &none, reply, &plan, err);
    if (done && !reply->value) {
        reply->value = plan.value;
        plan.value = NULL;
    }
    lp_plan_done(&plan);
    if (!done)
        return fail_reply(a, before, reply);
    lp_conversation_rewind(&a->talk, before);
    return true;
}
