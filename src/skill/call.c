/* SPDX-License-Identifier: MIT */
/* skill/call.c - running one call of a skill, and the bench on which opened skills stay. */
#include "base/memory.h"
#include "skill/skill.h"

#include <pthread.h>
#include <string.h>

struct lp_bench {
    struct {
        pthread_mutex_t busy;
        void *opened; /* NULL: not yet */
    } slot[LP_SKILL_COUNT];
};

struct lp_bench *lp_bench_open(struct lp_error *err) {
    struct lp_bench *bench = lp_alloc(sizeof *bench);
    if (!bench) {
        lp_error_memory(err);
        return NULL;
    }
    for (int i = 0; i < LP_SKILL_COUNT; i++)
        pthread_mutex_init(&bench->slot[i].busy, NULL);
    return bench;
}

void lp_bench_close(struct lp_bench *bench) {
    if (!bench)
        return;
    for (int i = 0; i < LP_SKILL_COUNT; i++) {
        if (bench->slot[i].opened)
            lp_skills[i]->close(bench->slot[i].opened);
        pthread_mutex_destroy(&bench->slot[i].busy);
    }
    lp_free(bench);
}

bool lp_call_canceled(const struct lp_call *call) {
    return call->cancel && atomic_load(call->cancel);
}

static const struct lp_object *newest(const struct lp_call *call, enum lp_object_kind kind) {
    return call->objects ? lp_objects_newest(call->objects, kind) : NULL;
}

static const struct lp_object *find(const struct lp_call *call, const char *handle) {
    return call->objects ? lp_objects_find(call->objects, handle) : NULL;
}

const struct lp_object *lp_call_object(const struct lp_call *call, const struct lp_param *param) {
    const char *handle = json_string_value(json_object_get(call->params, param->name));
    return handle ? find(call, handle) : newest(call, param->handle);
}

static bool no_object(const char *handle, struct lp_error *err) {
    return lp_error_set(err, LP_EINPUT, "there is no %s in this conversation", handle);
}

/* Every handle that is written, or required and not written, must mean an object. */
static bool check_handles(const struct lp_call *call, struct lp_error *err) {
    const struct lp_param *p;
    for (int i = 0; (p = lp_skill_param(call->skill, i)); i++) {
        const json_t *value = json_object_get(call->params, p->name);
        if (p->kind == LP_PARAM_HANDLE && (value || p->required) && !lp_call_object(call, p))
            return value ? no_object(json_string_value(value), err)
                         : lp_error_set(err, LP_EINPUT, "'%s' is missing: %s", p->name, p->about);
        for (size_t k = 0; p->kind == LP_PARAM_BOXES && k < json_array_size(value); k++) {
            const char *handle = json_string_value(json_array_get(value, k));
            if (handle && !find(call, handle))
                return no_object(handle, err);
        }
    }
    return true;
}

static bool pick_picture(struct lp_call *call, struct lp_error *err) {
    if (!(call->skill->needs & LP_NEEDS_PICTURE))
        return true;
    const char *handle = json_string_value(json_object_get(call->params, "image"));
    const struct lp_object *object = handle ? find(call, handle) : newest(call, LP_OBJECT_IMAGE);
    if (object && (handle || !call->picture)) {
        call->picture = object->picture;
        call->on = object->number;
    }
    return call->picture ||
           lp_error_set(err, LP_EINPUT, "%s needs a picture: give one with --image", call->skill->name);
}

bool lp_play_has(const struct lp_play *play, const struct lp_skill *skill) {
    return play->run && (!play->has || play->has(play->context, skill));
}

static bool run_opened(struct lp_call *call, bool played, struct lp_error *err) {
    const struct lp_skill *skill = call->skill;
    if (played)
        return call->play.run(call->play.context, call, err);
    if (!skill->open)
        return skill->run(call, NULL, err);
    if (!call->bench) {
        void *opened = skill->open(err);
        bool ok = opened && skill->run(call, opened, err);
        if (opened)
            skill->close(opened);
        return ok;
    }
    int i = lp_skill_index(skill);
    pthread_mutex_lock(&call->bench->slot[i].busy);
    void **opened = &call->bench->slot[i].opened;
    if (!*opened)
        *opened = skill->open(err);
    bool ok = *opened && skill->run(call, *opened, err);
    pthread_mutex_unlock(&call->bench->slot[i].busy);
    return ok;
}

bool lp_call_work(struct lp_call *call, struct lp_error *err) {
    bool played = lp_play_has(&call->play, call->skill);
    if ((!played && !lp_skill_ready(call->skill, err)) || !check_handles(call, err) || !pick_picture(call, err))
        return false;
    if ((call->skill->needs & LP_NEEDS_REFERENCE) && !call->reference)
        return lp_error_set(err, LP_EINPUT, "%s needs a reference picture", call->skill->name);
    call->result = json_object();
    call->report = json_pack("{s:s}", "skill", call->skill->name);
    if (!call->result || !call->report)
        return lp_error_memory(err);
    if (lp_call_canceled(call))
        return lp_error_set(err, LP_ECANCELED, "%s was stopped", call->skill->name);
    return run_opened(call, played, err);
}

static bool add_handles(const struct lp_call *call, struct lp_error *err) {
    struct lp_str text = {0};
    lp_objects_format_handles(call->objects, call->first, &text);
    bool ok = !text.failed;
    if (ok && text.n)
        ok = !json_object_set_new(call->result, "handles", json_string(text.s)) &&
             !json_object_set_new(call->report, "handles", json_string(text.s));
    lp_str_done(&text);
    return ok || lp_error_memory(err);
}

static bool lies_on_picture(const struct lp_object *o) {
    return o->kind == LP_OBJECT_BOX || o->kind == LP_OBJECT_MASK || o->kind == LP_OBJECT_MAP;
}

bool lp_call_keep(struct lp_call *call, struct lp_error *err) {
    call->first = call->objects->n;
    call->count = call->made.n;
    for (int i = 0; i < call->made.n; i++)
        call->made.item[i]->on = lies_on_picture(call->made.item[i]) ? call->on : 0;
    if (!lp_objects_move(call->objects, &call->made, err))
        return false;
    if (add_handles(call, err))
        return true;
    lp_objects_cut(call->objects, call->first);
    call->count = 0;
    return false;
}

bool lp_skill_run(struct lp_call *call, struct lp_error *err) {
    return lp_call_work(call, err) && lp_call_keep(call, err);
}

void lp_call_done(struct lp_call *call) {
    json_decref(call->result);
    json_decref(call->report);
    lp_objects_done(&call->made);
    call->result = call->report = NULL;
}
