/* SPDX-License-Identifier: MIT */
/* skill/children.c - the server's side. Memory is looked at rather than limited by the kernel: networks reserve more address
 * space than they use, and map their weights. */
#include "skill/children.h"

#include "base/memory.h"
#include "base/process.h"
#include "skill/channel.h"

#include <string.h>

enum { MOST_SENT = 256 }; /* objects: a list of boxes has at most 64 */

struct lp_children {
    struct lp_children_settings settings;
    struct lp_process child[LP_SKILL_COUNT];
    char **environment; /* owned */
};

void lp_children_defaults(struct lp_children_settings *s) {
    *s = (struct lp_children_settings){.program = "/proc/self/exe", .memory_mib = 4096, .wait_s = 300};
}

struct lp_children *lp_children_open(const struct lp_children_settings *s, struct lp_error *err) {
    struct lp_children *c = lp_alloc(sizeof *c);
    if (!c) {
        lp_error_memory(err);
        return NULL;
    }
    c->settings = *s;
    if ((c->environment = lp_process_environment(err)))
        return c;
    lp_free(c);
    return NULL;
}

void lp_children_close(struct lp_children *c) {
    for (int i = 0; c && i < LP_SKILL_COUNT; i++)
        lp_process_end(&c->child[i]);
    if (c)
        lp_free(c->environment);
    lp_free(c);
}

/* The skill's process, one that still lives. */
static bool wake(const struct lp_children *c, const struct lp_skill *skill, struct lp_process *k, struct lp_error *err) {
    const char *const argument[] = {"llava-plus", "skill", "child", skill->name, NULL};
    return lp_process_lives(k) || lp_process_start(k, c->settings.program, argument, c->environment, err);
}

/* A call that is worked on. */
struct talk {
    const struct lp_children_settings *settings;
    const struct lp_call *call;
    struct lp_watch watch;
    bool ended; /* by us: the error tells why */
};

static bool go_on(void *context, struct lp_error *err) {
    struct talk *t = context;
    bool stopped = lp_call_canceled(t->call);
    enum lp_watched seen = lp_watch_look(&t->watch);
    t->ended = stopped || seen != LP_WATCH_FINE;
    if (!t->ended)
        return true;
    if (stopped)
        return lp_error_set(err, LP_ECANCELED, "%s was stopped", t->call->skill->name);
    if (seen == LP_WATCH_LATE)
        return lp_error_set(err, LP_EIO, "it took longer than %g s (--skill-timeout)", t->settings->wait_s);
    return lp_error_set(err, LP_EIO, "it ran out of memory: it took more than %lld MiB (--skill-memory)",
                        (long long)t->settings->memory_mib);
}

/* What a call is sent with. */
struct parcel {
    const struct lp_object *object[MOST_SENT];
    int n;
};

static void pack(struct parcel *p, const struct lp_object *object) {
    if (object && p->n < MOST_SENT)
        p->object[p->n++] = object;
}

/* The objects that the parameters mean, pictures aside. */
static void pack_named(struct parcel *parcel, const struct lp_call *call) {
    const struct lp_param *p;
    for (int i = 0; (p = lp_skill_param(call->skill, i)); i++) {
        const json_t *value = json_object_get(call->params, p->name);
        if (p->kind == LP_PARAM_HANDLE && p->handle != LP_OBJECT_IMAGE)
            pack(parcel, lp_call_object(call, p));
        for (size_t k = 0; p->kind == LP_PARAM_BOXES && k < json_array_size(value); k++) {
            const char *handle = json_string_value(json_array_get(value, k));
            pack(parcel, handle ? lp_objects_find(call->objects, handle) : NULL);
        }
    }
}

/* Where to look in the reference; null without one. NULL when out of memory. */
static json_t *reference_boxes(const struct lp_call *call) {
    json_t *list = call->reference ? json_array() : json_null();
    for (int i = 0; list && call->reference && i < call->reference_boxes; i++) {
        const float *b = call->reference_box[i];
        if (json_array_append_new(list, json_pack("[f,f,f,f]", (double)b[0], (double)b[1], (double)b[2], (double)b[3]))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Sends the call: its picture, under the handle that the parameters may name it by, what else they mean, and last the
 * reference. */
static bool ask(const struct lp_stream *stream, const struct lp_call *call, struct lp_error *err) {
    struct lp_object picture = {.kind = LP_OBJECT_IMAGE, .number = 1, .picture = (struct lp_image *)call->picture},
                     reference = {.kind = LP_OBJECT_IMAGE, .picture = (struct lp_image *)call->reference};
    const char *handle = json_string_value(json_object_get(call->params, "image"));
    struct parcel parcel = {.n = 0};
    if (handle)
        lp_handle_parse(handle, &picture.kind, &picture.number);
    pack(&parcel, call->picture ? &picture : NULL);
    pack_named(&parcel, call);
    pack(&parcel, call->reference ? &reference : NULL);
    json_t *request = json_pack("{s:O?, s:o}", "params", call->params, "reference_boxes", reference_boxes(call));
    bool done = request ? lp_channel_send(stream, request, parcel.object, parcel.n, err) : lp_error_memory(err);
    json_decref(request);
    return done;
}

/* Takes what the call left, or why it failed: *answered tells that the process is ready for the next one. */
static bool take_answer(const struct lp_stream *stream, struct lp_call *call, size_t most, bool *answered,
                        struct lp_error *err) {
    json_t *answer = lp_channel_receive(stream, &call->made, most, err);
    json_t *result = json_object_get(answer, "result"), *report = json_object_get(answer, "report");
    const char *why = json_string_value(json_object_get(answer, "error"));
    bool done = json_is_object(result) && json_is_object(report);
    *answered = done || why;
    if (done) {
        json_decref(call->result);
        json_decref(call->report);
        call->result = json_incref(result);
        call->report = json_incref(report);
    } else if (why) {
        lp_error_set(err, LP_EIO, "%s", why); /* also where memory ran out: the server has some */
    } else if (answer) {
        lp_error_set(err, LP_EIO, "its process says what makes no sense");
    }
    json_decref(answer);
    return done;
}

static bool run(void *context, struct lp_call *call, struct lp_error *err) {
    struct lp_children *c = context;
    const struct lp_children_settings *s = &c->settings;
    struct lp_process *k = &c->child[lp_skill_index(call->skill)];
    struct talk talk = {s, call, lp_watch_begin(k, s->memory_mib, s->wait_s), false};
    struct lp_error why = {0};
    bool answered = false;
    if (lp_play_has(&s->first, call->skill))
        return s->first.run(s->first.context, call, err);
    if (!wake(c, call->skill, k, err))
        return false;
    const struct lp_stream stream = {k->socket, go_on, &talk};
    const size_t most = s->memory_mib ? (size_t)s->memory_mib << 20 : SIZE_MAX;
    bool done = ask(&stream, call, &why) && take_answer(&stream, call, most, &answered, &why);
    if (!answered) {
        int status = lp_process_end(k);
        if (why.code == LP_EIO && !talk.ended)
            lp_process_explain("the skill", status, LP_EIO, &why);
    }
    return done || lp_error_set(err, why.code, "%s", why.text);
}

static bool has(void *context, const struct lp_skill *skill) {
    const struct lp_children *c = context;
    return lp_play_has(&c->settings.first, skill) || !lp_skill_lacks(skill);
}

struct lp_play lp_children_play(struct lp_children *c) {
    return (struct lp_play){has, run, c};
}
