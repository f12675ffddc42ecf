/* SPDX-License-Identifier: MIT */
/* plan/run.c - a plan's calls in order: what they name is resolved, what they leave becomes objects. */
#include "plan/run.h"

#include "base/memory.h"
#include "text/python.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct lp_job *lp_jobs_new(const json_t *actions, int *n) {
    *n = (int)json_array_size(actions);
    struct lp_job *job = *n ? lp_alloc_array((size_t)*n, sizeof *job) : NULL;
    for (int i = 0; job && i < *n; i++) {
        job[i].api_name = json_string_value(json_object_get(json_array_get(actions, (size_t)i), "API_name"));
        job[i].skill = lp_skill_find(job[i].api_name);
    }
    return job;
}

void lp_jobs_done(struct lp_job *job, int n) {
    for (int i = 0; job && i < n; i++) {
        lp_call_done(&job[i].call);
        json_decref(job[i].params);
        lp_free(job[i].message);
    }
    lp_free(job);
}

/* Sets the job's message, clean UTF-8. */
static bool explain(struct lp_job *job, struct lp_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool explain(struct lp_job *job, struct lp_error *err, const char *format, ...) {
    char text[1024];
    struct lp_str clean = {0};
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    lp_text_clean(&clean, text, strlen(text));
    if (clean.failed) {
        lp_str_done(&clean);
        return lp_error_memory(err);
    }
    job->message = clean.s;
    return true;
}

static bool explain_failure(struct lp_job *job, struct lp_error *why, struct lp_error *err) {
    size_t n = strlen(why->text);
    if (n && why->text[n - 1] == '.')
        why->text[n - 1] = 0;
    return explain(job, err, "The %s failed: %s.", job->api_name, why->text);
}

/* What a plan's handles mean: those beyond what existed when it was made are the first thing of their kind
 * that its first, second, .. call with such things leaves. */
struct scope {
    const struct lp_objects *objects;
    int before[LP_OBJECT_KINDS];
    const struct lp_job *job;
    int jobs; /* that have had their turn */
};

/* The handle to use instead, borrowed; NULL: the call that was to leave it (*by) left none. */
static const char *resolve(const struct scope *s, const char *handle, const struct lp_job **by) {
    enum lp_object_kind kind;
    int number;
    if (!lp_handle_parse(handle, &kind, &number) || number <= s->before[kind])
        return handle;
    int promised = number - s->before[kind];
    for (int i = 0; i < s->jobs; i++) {
        if (!s->job[i].skill || !((s->job[i].skill->leaves >> kind) & 1) || --promised)
            continue;
        *by = &s->job[i];
        const struct lp_call *call = &s->job[i].call;
        for (int k = call->first; s->job[i].ran && k < call->first + call->count; k++)
            if (s->objects->item[k]->kind == kind)
                return s->objects->item[k]->handle;
        return NULL;
    }
    return handle;
}

/* The value with its handle replaced where it is one; a new reference, NULL on failure. */
static json_t *resolved(const struct scope *s, json_t *value, struct lp_error *why) {
    const struct lp_job *by = NULL;
    const char *handle = json_string_value(value);
    const char *now = handle ? resolve(s, handle, &by) : NULL;
    if (handle && !now) {
        lp_error_set(why, LP_EINPUT, "it needs %s, which %s did not leave", handle, by->api_name);
        return NULL;
    }
    if (!handle || !strcmp(now, handle))
        return json_incref(value);
    json_t *out = json_string(now);
    if (!out)
        lp_error_memory(why);
    return out;
}

static bool resolve_params(struct lp_job *job, const struct scope *s, struct lp_error *why) {
    const struct lp_param *p;
    for (int i = 0; (p = lp_skill_param(job->skill, i)); i++) {
        json_t *value = json_object_get(job->params, p->name), *now;
        if (value && p->kind == LP_PARAM_HANDLE) {
            if (!(now = resolved(s, value, why)))
                return false;
            if (json_object_set_new(job->params, p->name, now))
                return lp_error_memory(why);
        }
        for (size_t k = 0; p->kind == LP_PARAM_BOXES && k < json_array_size(value); k++)
            if (!(now = resolved(s, json_array_get(value, k), why)) || json_array_set_new(value, k, now))
                return why->code != LP_OK ? false : lp_error_memory(why);
    }
    return true;
}

/* Plans have two decimals; where they repeat what the user gave, the user's own numbers are meant: which of the n, or
 * -1. */
static int sharpen(json_t *item, const float *given, int width, int n) {
    for (int i = 0; i < n; i++) {
        bool same = json_array_size(item) == (size_t)width;
        for (int k = 0; same && k < width; k++)
            same = fabs(json_number_value(json_array_get(item, (size_t)k)) -
                        lp_python_round(given[i * width + k], 2)) < 1e-9;
        for (int k = 0; same && k < width; k++)
            json_array_set_new(item, (size_t)k, json_real(given[i * width + k]));
        if (same)
            return i;
    }
    return -1;
}

/* The parameter that tells which points are on the thing; NULL: it has none. */
static const char *labels_name(const struct lp_skill *skill) {
    const struct lp_param *p;
    for (int i = 0; (p = lp_skill_param(skill, i)); i++)
        if (p->kind == LP_PARAM_LABELS)
            return p->name;
    return NULL;
}

/* The user's own numbers, and where the user said which points are on the thing, that too. */
static void sharpen_params(struct lp_job *job, const struct lp_request *q) {
    json_t *points = json_object_get(job->params, "points"), *boxes = json_object_get(job->params, "boxes");
    const char *name = labels_name(job->skill);
    bool labelled = points && q->point_label && name && !json_object_get(job->params, name);
    json_t *labels = labelled ? json_array() : NULL;
    for (size_t i = 0; q->points && i < json_array_size(points); i++) {
        int k = sharpen(json_array_get(points, i), q->point[0], 2, q->points);
        labelled = labelled && k >= 0 && !json_array_append_new(labels, json_integer(q->point_label[k]));
    }
    if (labelled)
        json_object_set(job->params, name, labels);
    json_decref(labels);
    for (size_t i = 0; q->boxes && i < json_array_size(boxes); i++)
        sharpen(json_array_get(boxes, i), q->box[0], 4, q->boxes);
}

/* Checks and resolves the parameters and runs the skill; `why` tells what went wrong. */
static bool attempt(struct lp_agent *a, const struct lp_request *q, const struct lp_hooks *hooks,
                    struct lp_job *job, const json_t *raw, const struct scope *scope, struct lp_error *why) {
    job->params = lp_skill_check(job->skill, raw, why);
    if (!job->params || !resolve_params(job, scope, why))
        return false;
    sharpen_params(job, q);
    job->call = (struct lp_call){.skill = job->skill,
                                 .params = job->params,
                                 .objects = &a->talk.objects,
                                 .reference = q->reference,
                                 .reference_box = q->reference_box,
                                 .reference_boxes = q->reference_boxes,
                                 .bench = a->bench,
                                 .play = a->play,
                                 .cancel = hooks->cancel};
    job->ran = lp_skill_run(&job->call, why);
    return job->ran;
}

/* A picture-only result says in words that there is one. */
static bool complete(struct lp_job *job, struct lp_error *err) {
    json_t *handles = json_object_get(job->call.result, "handles");
    if (json_object_size(job->call.result) > (handles != NULL))
        return true;
    char text[128];
    snprintf(text, sizeof text, "The %s has processed the image.", job->api_name);
    json_t *whole = json_pack("{s:s}", "message", text);
    if (!whole || (handles && json_object_set(whole, "handles", handles))) {
        json_decref(whole);
        return lp_error_memory(err);
    }
    json_decref(job->call.result);
    job->call.result = whole;
    return true;
}

static bool run_one(struct lp_agent *a, const struct lp_request *q, const struct lp_hooks *hooks,
                    struct lp_job *job, const json_t *raw, const struct scope *scope, struct lp_error *err) {
    struct lp_error why = {0};
    if (!job->skill)
        return explain(job, err, "The %s failed: there is no such skill.", job->api_name);
    job->lacks = lp_play_has(&a->play, job->skill) ? NULL : lp_skill_lacks(job->skill);
    if (job->lacks)
        return explain(job, err, "The %s is not ready on this machine: it needs %s.", job->api_name,
                       job->lacks);
    if (attempt(a, q, hooks, job, raw, scope, &why))
        return complete(job, err);
    if (why.code == LP_EMEMORY || why.code == LP_ECANCELED) {
        if (err)
            *err = why;
        return false;
    }
    return explain_failure(job, &why, err);
}

bool lp_jobs_run(struct lp_agent *a, const struct lp_request *request, const struct lp_hooks *hooks,
                 const json_t *actions, struct lp_job *job, int n, struct lp_error *err) {
    struct scope scope = {.objects = &a->talk.objects, .job = job};
    for (int kind = 0; kind < LP_OBJECT_KINDS; kind++)
        scope.before[kind] = lp_objects_count(scope.objects, (enum lp_object_kind)kind);
    for (int i = 0; i < n; i++) {
        const json_t *raw = json_object_get(json_array_get(actions, (size_t)i), "API_params");
        struct lp_step step = {.kind = LP_STEP_START, .text = job[i].api_name};
        if (hooks->cancel && atomic_load(hooks->cancel))
            return lp_error_set(err, LP_ECANCELED, "stopped as asked");
        if (hooks->step)
            hooks->step(hooks->context, &step);
        scope.jobs = i;
        if (!run_one(a, request, hooks, &job[i], raw, &scope, err))
            return false;
        step = (struct lp_step){.kind = LP_STEP_RESULT,
                                .text = job[i].api_name,
                                .message = job[i].message,
                                .call = job[i].ran ? &job[i].call : NULL};
        if (hooks->step)
            hooks->step(hooks->context, &step);
    }
    return true;
}
