/* SPDX-License-Identifier: MIT */
/* llava_plus.c - the public functions: thin. */
#include "llava_plus.h"

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/store.h"
#include "image/image.h"
#include "kernel/kernel.h"
#include "plan/agent.h"
#include "plan/folder.h"

#include <limits.h>
#include <string.h>

const char *lp_version(void) {
    return "0.1.0";
}

void lp_text_free(char *text) {
    lp_free(text);
}

struct lp_image *lp_image_from_pixels(const uint8_t *pixel, int width, int height, struct lp_error *err) {
    struct lp_image *image = lp_image_new(width, height, err);
    if (image)
        memcpy(image->pixel, pixel, (size_t)width * (size_t)height * 3);
    return image;
}

const uint8_t *lp_image_pixels(const struct lp_image *image, int *width, int *height) {
    if (width)
        *width = image->width;
    if (height)
        *height = image->height;
    return image->pixel;
}

struct lp_assistant {
    struct lp_llava *model;
    struct lp_store *store; /* NULL: nothing is kept */
    struct lp_lmm lmm;
    struct lp_bench *bench;
    struct lp_agent agent;
    atomic_bool cancel;
};

void lp_settings_defaults(struct lp_settings *s) {
    struct lp_sampling sampling;
    lp_sampling_defaults(&sampling);
    *s = (struct lp_settings){.temperature = sampling.temperature,
                              .top_p = sampling.top_p,
                              .seed = sampling.seed,
                              .most_tokens = sampling.most_tokens,
                              .cache_memory_mib = 256,
                              .cache_disk_mib = 8192};
}

static size_t mib(int64_t n) {
    return n < 0 ? 0 : (uint64_t)n > SIZE_MAX >> 21 ? SIZE_MAX >> 1 : (size_t)n << 20;
}

struct lp_assistant *lp_assistant_open(const struct lp_settings *settings, struct lp_error *err) {
    char folder[PATH_MAX];
    struct lp_settings s;
    lp_settings_defaults(&s);
    s = settings ? *settings : s;
    const struct lp_sampling sampling = {s.temperature, s.top_p, s.seed, s.most_tokens};
    struct lp_assistant *a = lp_alloc(sizeof *a);
    if (!a) {
        lp_error_memory(err);
        return NULL;
    }
    const struct lp_store_settings cache = {mib(s.cache_memory_mib), s.cache, mib(s.cache_disk_mib)};
    if ((cache.memory_bytes || cache.folder) && !(a->store = lp_store_open(&cache, err)))
        goto fail;
    if (!lp_planner_folder(s.model, folder, sizeof folder, err))
        goto fail;
    a->model = lp_llava_open_with(folder, s.mmproj, lp_kernels_cpu(), err);
    if (!a->model)
        goto fail;
    lp_llava_set_rough(a->model, true);
    a->bench = lp_bench_open(err);
    if (!a->bench || !lp_lmm_open_llava(&a->lmm, a->model, a->store, err) ||
        !lp_agent_init(&a->agent, &a->lmm, a->bench, &sampling, err))
        goto fail;
    return a;
fail:
    lp_assistant_close(a);
    return NULL;
}

void lp_assistant_close(struct lp_assistant *a) {
    if (!a)
        return;
    lp_agent_done(&a->agent);
    lp_lmm_close(&a->lmm);
    lp_bench_close(a->bench);
    lp_llava_close(a->model);
    lp_store_close(a->store);
    lp_free(a);
}

void lp_assistant_reset(struct lp_assistant *a) {
    lp_conversation_reset(&a->agent.talk);
}

const char *lp_assistant_show(struct lp_assistant *a, const struct lp_image *image, struct lp_error *err) {
    struct lp_image *copy = lp_image_copy(image, err);
    struct lp_object *object = copy ? lp_conversation_add_picture(&a->agent.talk, copy, err) : NULL;
    return object ? object->handle : NULL;
}

void lp_question_defaults(struct lp_question *q) {
    memset(q, 0, sizeof *q);
}

static bool to_request(const struct lp_question *q, struct lp_request *r, struct lp_error *err) {
    if (!q->text)
        return lp_error_set(err, LP_EINPUT, "the question has no text: say what to do");
    if (q->point_count > 10000 || q->box_count > 10000 || q->reference_box_count > 10000)
        return lp_error_set(err, LP_EINPUT, "the question has too many points or boxes");
    *r = (struct lp_request){.text = q->text,
                             .point = q->points,
                             .points = (int)q->point_count,
                             .box = q->boxes,
                             .boxes = (int)q->box_count,
                             .reference = q->reference,
                             .reference_box = q->reference_boxes,
                             .reference_boxes = (int)q->reference_box_count};
    return true;
}

/* The text of a JSON value, which is given away. Owned by caller; NULL when out of memory. */
static char *text_of(json_t *value, struct lp_error *err) {
    char *text = value ? lp_json_text(value) : NULL;
    json_decref(value);
    if (!text)
        lp_error_memory(err);
    return text;
}

struct listener {
    lp_event_callback *callback;
    void *context;
};

static json_t *result_json(const struct lp_step *s) {
    if (s->call)
        return json_pack("{s:s, s:s, s:O}", "API_name", s->text, "status", "done", "result", s->call->report);
    return json_pack("{s:s, s:s, s:s}", "API_name", s->text, "status", "not done", "message", s->message);
}

static void pass_on(void *context, const struct lp_step *s) {
    static const enum lp_event_kind kinds[] = {
        [LP_STEP_THOUGHTS] = LP_EVENT_THOUGHTS, [LP_STEP_PLAN] = LP_EVENT_PLAN,
        [LP_STEP_START] = LP_EVENT_SKILL,       [LP_STEP_RESULT] = LP_EVENT_RESULT,
        [LP_STEP_ANSWER] = LP_EVENT_ANSWER,     [LP_STEP_TURN] = LP_EVENT_TURN};
    const struct listener *l = context;
    char *json = s->kind == LP_STEP_PLAN     ? lp_json_text(s->actions)
                 : s->kind == LP_STEP_RESULT ? text_of(result_json(s), NULL)
                                             : NULL;
    struct lp_event event = {kinds[s->kind], json ? json : s->text};
    if (event.text)
        l->callback(l->context, &event);
    lp_free(json);
}

char *lp_assistant_ask(struct lp_assistant *a, const struct lp_question *question,
                       lp_event_callback *callback, void *context, struct lp_error *err) {
    struct lp_request request;
    struct lp_reply reply;
    struct listener listener = {callback, context};
    struct lp_hooks hooks = {.step = callback ? pass_on : NULL, .context = &listener, .cancel = &a->cancel};
    bool done = to_request(question, &request, err) && lp_agent_ask(&a->agent, &request, &hooks, &reply, err);
    atomic_store(&a->cancel, false);
    if (!done)
        return NULL;
    char *text = text_of(lp_reply_json(&reply, &a->agent.talk.objects), err);
    lp_reply_done(&reply);
    return text;
}

char *lp_assistant_plan(struct lp_assistant *a, const struct lp_question *question, struct lp_error *err) {
    struct lp_request request;
    struct lp_reply reply;
    struct lp_hooks hooks = {.cancel = &a->cancel};
    bool done =
        to_request(question, &request, err) && lp_agent_plan(&a->agent, &request, &hooks, &reply, err);
    atomic_store(&a->cancel, false);
    if (!done)
        return NULL;
    json_t *all = json_pack("{s:s, s:O, s:O, s:s}", "thoughts", reply.thoughts, "actions", reply.actions,
                            "skills", reply.skills, "value", reply.value);
    lp_reply_done(&reply);
    return text_of(all, err);
}

void lp_assistant_cancel(struct lp_assistant *a) {
    atomic_store(&a->cancel, true);
}

char *lp_assistant_objects(const struct lp_assistant *a, struct lp_error *err) {
    return text_of(lp_objects_json(&a->agent.talk.objects), err);
}

struct lp_image *lp_assistant_image(const struct lp_assistant *a, const char *handle, struct lp_error *err) {
    const struct lp_object *o = lp_objects_find(&a->agent.talk.objects, handle);
    if (!o || (!o->picture && !o->pixel)) {
        lp_error_set(err, LP_EMISSING, "there is no %s with pixels in this conversation", handle);
        return NULL;
    }
    if (o->picture)
        return lp_image_copy(o->picture, err);
    struct lp_image *image = lp_image_new(o->width, o->height, err);
    for (size_t i = 0; image && i < (size_t)o->width * (size_t)o->height; i++)
        memset(image->pixel + 3 * i, o->kind == LP_OBJECT_MASK ? o->pixel[i] * 255 : o->pixel[i], 3);
    return image;
}

char *lp_skills_list(struct lp_error *err) {
    json_t *all = json_array();
    for (int i = 0; all && i < LP_SKILL_COUNT; i++) {
        const struct lp_skill *s = lp_skills[i];
        const char *lacks = lp_skill_lacks(s);
        json_t *one =
            json_pack("{s:s, s:s, s:s, s:b, s:s*, s:o}", "name", s->name, "api_name", s->api_name, "about",
                      s->about, "ready", lacks == NULL, "lacks", lacks, "params", lp_skill_schema(s, NULL));
        if (json_array_append_new(all, one)) {
            json_decref(all);
            all = NULL;
        }
    }
    return text_of(all, err);
}

char *lp_skills_run(const char *name, const struct lp_image *image, const char *params,
                    struct lp_error *err) {
    const struct lp_skill *skill = lp_skill_find(name);
    if (!skill) {
        lp_error_set(err, LP_EUSAGE, "there is no skill '%s'; lp_skills_list tells all names", name);
        return NULL;
    }
    json_t *raw = params ? lp_json_parse(params, strlen(params), "the parameters", err) : NULL;
    json_t *normal = params && !raw ? NULL : lp_skill_check(skill, raw, err);
    struct lp_objects objects = {0};
    struct lp_call call = {.skill = skill, .params = normal, .objects = &objects, .picture = image};
    char *text = NULL;
    if (normal && lp_skill_run(&call, err))
        text = text_of(json_incref(call.report), err);
    lp_call_done(&call);
    lp_objects_done(&objects);
    json_decref(raw);
    json_decref(normal);
    return text;
}
