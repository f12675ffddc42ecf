/* SPDX-License-Identifier: MIT */
/* serve/session_order.c - a session's message on the planner's thread. The session comes out of the state, unless the agent
 * still holds it from the turn before; what skills leave is kept as it comes; the turn is finished once its end is kept, and
 * only then its client hears "done". */
#include "base/clock.h"
#include "base/memory.h"
#include "image/stroke.h"
#include "serve/chat.h"
#include "serve/session.h"

#include <stdio.h>
#include <string.h>

/* A turn that runs. */
struct turn {
    struct lp_session_order *o;
    struct lp_agent *agent;
    struct lp_prompts marks; /* points and boxes, those of strokes too */
    struct lp_image *reference; /* owned */
    int number, kept;        /* kept: how many of the agent's objects the state has */
    int calls;
    json_t *thoughts, *results; /* lists of what was told */
    json_t *actions;            /* NULL: no plan yet */
    struct lp_str answer;
    bool memory; /* there was none for some of it */
    double began_ms, told_ms; /* told_ms: spent on telling, while the planner waited */
    struct lp_fault fault; /* of what a callback could not keep */
};

/* Tells an event; data is given away and NULL when memory ran out. */
static void tell(struct turn *t, const char *event, json_t *data) {
    char *text = data ? lp_json_text(data) : NULL;
    struct lp_str all = {0};
    if (t->o->ask.stream) {
        lp_str_printf(&all, "event: %s\ndata: %s\n\n", event, text ? text : "");
        if (text && !all.failed)
            lp_order_write(&t->o->order, all.s, all.n);
    }
    t->memory = t->memory || !text || all.failed;
    lp_str_done(&all);
    lp_free(text);
    json_decref(data);
}

/* The turn so far, as its history has it. Owned by caller; NULL when out of memory. */
static json_t *reply_json(struct turn *t, const char *error, bool cut_short) {
    json_t *out = json_pack("{s:O, s:O?, s:O, s:s, s:b, s:s?}", "thoughts", t->thoughts, "actions", t->actions, "results",
                            t->results, "answer", lp_str_text(&t->answer), "cut_short", cut_short, "error", error);
    if (out && !t->actions)
        json_object_set_new(out, "actions", json_array());
    return out;
}

/* Keeps the turn as it is; `call`: whose objects are new, or NULL. */
static bool keep(struct turn *t, const char *status, const json_t *reply, const struct lp_call *call,
                 const json_t *marks, bool messages, struct lp_fault *fault) {
    const struct lp_conversation *talk = &t->agent->talk;
    struct lp_state_turn turn = {.id = t->o->order.tag,
                                 .turn = t->number,
                                 .status = status,
                                 .reply = reply,
                                 .objects = &talk->objects,
                                 .kept = t->kept,
                                 .first = call ? call->first : 0,
                                 .count = call ? call->count : 0,
                                 .marks = marks};
    int from = talk->n - 1;
    while (messages && from > 0 && !talk->said[from].request)
        from--;
    if (messages) {
        turn.said = talk->said + from;
        turn.messages = talk->n - from;
    }
    if (!lp_state_keep(t->o->state, &turn, fault))
        return false;
    t->kept = talk->objects.n;
    return true;
}

/* What a call left; NULL when out of memory. */
static json_t *made(const struct turn *t, const struct lp_call *call) {
    json_t *list = json_array();
    for (int i = call ? call->first : 0; list && call && i < call->first + call->count; i++)
        if (json_array_append_new(list, lp_state_object_json(call->objects->item[i], false, t->number))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static const char *task(const char *api_name) {
    const struct lp_skill *skill = lp_skill_find(api_name);
    return skill ? skill->name : api_name;
}

static void tell_start(struct turn *t, const char *api_name) {
    atomic_store(&t->o->began_ms, lp_clock_ms());
    atomic_store(&t->o->call, ++t->calls);
    tell(t, "skill_started", json_pack("{s:i, s:s, s:s}", "call", t->calls, "skill", task(api_name), "API_name", api_name));
}

static void tell_result(struct turn *t, const struct lp_step *s) {
    double ms = lp_clock_ms() - atomic_load(&t->o->began_ms);
    atomic_store(&t->o->call, 0);
    const char *status = lp_skill_ends[lp_seat_end_of(s)];
    json_t *one = json_pack("{s:i, s:s, s:s, s:s, s:s?, s:O?, s:o, s:i}", "call", t->calls, "skill", task(s->text), "API_name",
                            s->text, "status", status, "message", s->message, "result", s->call ? s->call->report : NULL,
                            "objects", made(t, s->call), "ms", (int)ms);
    if (!one || json_array_append(t->results, one)) {
        t->memory = true;
    } else if (s->call && s->call->count) { /* so that its client can fetch them when it hears of them */
        json_t *reply = reply_json(t, NULL, false);
        if (!reply)
            t->memory = true;
        else if (!keep(t, "running", reply, s->call, NULL, false, &t->fault))
            atomic_store(&t->o->order.cancel, true);
        json_decref(reply);
    }
    if (!t->fault.status)
        tell(t, "skill_result", json_incref(one));
    json_decref(one);
}

static json_t *task_names(const json_t *actions) {
    json_t *list = json_array();
    for (size_t i = 0; list && i < json_array_size(actions); i++)
        json_array_append_new(
            list, json_string(task(json_string_value(json_object_get(json_array_get(actions, i), "API_name")))));
    return list;
}

static void begin(struct turn *t) {
    if (lp_order_has_begun(&t->o->order))
        return;
    lp_order_begin(&t->o->order);
    tell(t, "turn", json_pack("{s:s, s:i}", "session", t->o->order.tag, "turn", t->number));
}

static void step(void *context, const struct lp_step *s) {
    struct turn *t = context;
    double began_ms = lp_clock_ms();
    lp_seat_note(t->o->seat, s);
    begin(t);
    switch (s->kind) {
    case LP_STEP_THOUGHTS:
        t->memory = json_array_append_new(t->thoughts, json_string(s->text)) || t->memory;
        tell(t, "thought", json_pack("{s:s}", "text", s->text));
        break;
    case LP_STEP_PLAN:
        t->actions = json_deep_copy(s->actions);
        tell(t, "plan", json_pack("{s:O, s:o}", "actions", s->actions, "skills", task_names(s->actions)));
        break;
    case LP_STEP_START:
        tell_start(t, s->text);
        break;
    case LP_STEP_RESULT:
        tell_result(t, s);
        break;
    case LP_STEP_ANSWER:
        lp_str_puts(&t->answer, s->text);
        tell(t, "answer", json_pack("{s:s}", "text", s->text));
        break;
    case LP_STEP_TURN:
        if (t->o->ask.debug)
            tell(t, "dialogue", json_pack("{s:s}", "text", s->text));
    }
    t->memory = t->memory || t->answer.failed;
    if (t->memory)
        atomic_store(&t->o->order.cancel, true);
    t->told_ms += lp_clock_ms() - began_ms;
}

/* The reference picture, decoded. */
static bool open_reference(struct turn *t, struct lp_fault *fault) {
    const char *reference = t->o->ask.reference;
    struct lp_error err = {0};
    if (!reference)
        return true;
    const struct lp_object *o = lp_objects_find(&t->agent->talk.objects, reference);
    if (o && o->kind == LP_OBJECT_IMAGE)
        t->reference = lp_image_share(o->picture);
    else if (strncmp(reference, "data:", 5))
        return lp_fault_set(fault, 400, "reference", NULL, "the reference is no data URL and no picture of this session");
    else
        t->reference = lp_chat_picture(reference, t->o->seat->pixels, &err);
    if (!t->reference)
        return lp_fault_from(fault, "reference", &err);
    return (int64_t)t->reference->width * t->reference->height <= LP_CHAT_PIXELS ||
           lp_fault_set(fault, 400, "reference", NULL, "the reference has more than %d pixels", LP_CHAT_PIXELS);
}

/* A stroke becomes a mask that skills can name, and its box is told to the planner. */
static bool add_stroke(struct turn *t, const struct lp_stroke *stroke, const struct lp_object *picture, struct lp_error *err) {
    const struct lp_image *on = picture->picture;
    struct lp_prompts *m = &t->marks;
    float(*box)[4] = lp_realloc(m->box, (size_t)(m->boxes + 1) * sizeof *box);
    float(*xy)[2] = lp_alloc_array((size_t)stroke->n, sizeof *xy);
    uint8_t *mask = lp_alloc((size_t)on->width * (size_t)on->height);
    m->box = box ? box : m->box;
    bool done = box && xy && mask;
    for (int i = 0; done && i < stroke->n; i++) {
        xy[i][0] = t->o->ask.corner[stroke->first + i][0] * (float)on->width;
        xy[i][1] = t->o->ask.corner[stroke->first + i][1] * (float)on->height;
    }
    if (done) {
        float longer = (float)(on->width > on->height ? on->width : on->height);
        lp_stroke_fill(mask, on->width, on->height, (const float(*)[2])xy, stroke->n, stroke->width * longer / 2);
        lp_mask_box(mask, on->width, on->height, m->box[m->boxes++]);
        struct lp_object *made =
            lp_objects_add_mask(&t->agent->talk.objects, on->width, on->height, mask, "stroke", 1, err);
        done = made != NULL;
        if (made)
            made->on = picture->number;
    } else {
        lp_error_memory(err);
    }
    lp_free(mask);
    lp_free(xy);
    return done;
}

/* The marks of the message: the message's own points and boxes, which move here, and strokes' boxes. */
static bool take_marks(struct turn *t, struct lp_fault *fault) {
    const struct lp_object *on = lp_objects_newest(&t->agent->talk.objects, LP_OBJECT_IMAGE);
    struct lp_ask *ask = &t->o->ask;
    struct lp_error err = {0};
    t->marks = ask->prompts;
    ask->prompts = (struct lp_prompts){0};
    if (!on && (t->marks.points || t->marks.boxes || ask->strokes))
        return lp_fault_set(fault, 400, NULL, NULL, "points, boxes and strokes need a picture: add one first");
    for (int i = 0; i < ask->strokes; i++)
        if (!add_stroke(t, &ask->stroke[i], on, &err))
            return lp_fault_from(fault, NULL, &err);
    return true;
}

static json_t *rows(const float *x, int width, int n) {
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
        json_t *row = json_array();
        for (int k = 0; k < width; k++)
            json_array_append_new(row, json_real(x[i * width + k]));
        json_array_append_new(list, row);
    }
    return list;
}

/* Lets the agent hold the session. */
static bool load(struct turn *t, struct lp_fault *fault) {
    char *holds = t->o->seat->held;
    bool held = !strcmp(holds, t->o->order.tag);
    holds[0] = 0; /* until the turn has ended well */
    if (!held)
        lp_conversation_reset(&t->agent->talk);
    bool done = lp_state_load(t->o->state, t->o->order.tag, &t->agent->talk, fault);
    t->kept = t->agent->talk.objects.n;
    return done;
}

static bool ask(struct turn *t, struct lp_reply *reply, struct lp_fault *fault) {
    const struct lp_ask *ask = &t->o->ask;
    const struct lp_hooks hooks = {.step = step, .context = t, .cancel = &t->o->order.cancel};
    const struct lp_sampling before = t->agent->sampling;
    struct lp_error err = {0};
    t->thoughts = json_array();
    t->results = json_array();
    if (!t->thoughts || !t->results)
        return lp_fault_memory(fault);
    if (!load(t, fault) || !take_marks(t, fault) || !open_reference(t, fault))
        return false;
    struct lp_request request = lp_prompts_request(&t->marks, ask->text);
    request.point_label = ask->label;
    request.reference = t->reference;
    t->agent->sampling.temperature = ask->temperature;
    t->agent->sampling.top_p = ask->top_p;
    lp_rng_seed(&t->agent->rng, (uint64_t)ask->seed);
    double began_ms = lp_clock_ms();
    bool done = lp_agent_ask(t->agent, &request, &hooks, reply, &err);
    lp_seat_note_end(t->o->seat, done, &err);
    atomic_store(&t->o->order.planner_ms, lp_clock_ms() - began_ms - t->told_ms);
    t->agent->sampling = before;
    if (t->fault.status)
        *fault = t->fault;
    else if (t->memory)
        lp_fault_memory(fault);
    else if (!done)
        lp_fault_from(fault, NULL, &err);
    return done && !fault->status;
}

/* Keeps the end of a turn that went well. */
static bool finish(struct turn *t, const struct lp_reply *reply, struct lp_fault *fault) {
    json_t *marks = json_object(), *all = NULL;
    if (t->marks.points)
        json_object_set_new(marks, "points", rows(t->marks.point[0], 2, t->marks.points));
    if (t->marks.boxes)
        json_object_set_new(marks, "boxes", rows(t->marks.box[0], 4, t->marks.boxes));
    lp_str_cut(&t->answer, 0);
    lp_str_puts(&t->answer, reply->value);
    all = t->answer.failed ? NULL : reply_json(t, NULL, reply->cut_short);
    bool done = all && marks ? keep(t, "done", all, NULL, json_object_size(marks) ? marks : NULL, true, fault)
                             : lp_fault_memory(fault);
    json_decref(marks);
    json_decref(all);
    return done;
}

/* Keeps the end of one that did not: as if it had never been where the request was at fault. */
static void give_up(struct turn *t, struct lp_fault *fault) {
    struct lp_fault again = {0};
    bool canceled = fault->status == LP_GONE;
    fault->code = canceled ? "canceled" : fault->code;
    if (fault->status < 500 && !canceled) {
        lp_state_forget(t->o->state, t->o->order.tag, t->number);
        return;
    }
    json_t *all = reply_json(t, canceled ? NULL : fault->err.text, false);
    if (!keep(t, canceled ? "canceled" : "failed", all, NULL, NULL, false, &again)) {
        t->kept = t->agent->talk.objects.n; /* once more without what may be too much */
        keep(t, "failed", all, NULL, NULL, false, &again);
    }
    json_decref(all);
}

static json_t *usage(const struct turn *t) {
    int64_t prompt, completion;
    lp_chat_count(t->agent, lp_str_text(&t->answer), t->answer.n, &prompt, &completion);
    struct lp_metrics *metrics = t->o->seat->metrics;
    atomic_fetch_add(&metrics->prompt_tokens, (uint_fast64_t)prompt);
    atomic_fetch_add(&metrics->completion_tokens, (uint_fast64_t)completion);
    return json_pack("{s:I, s:I}", "prompt_tokens", (json_int_t)prompt, "completion_tokens", (json_int_t)completion);
}

/* The turn's end for its client. */
static void tell_end(struct turn *t, const struct lp_reply *reply, const struct lp_fault *fault) {
    struct lp_session_order *o = t->o;
    if (fault->status) {
        if (lp_order_has_begun(&o->order))
            tell(t, "error", lp_fault_json(fault));
        return;
    }
    begin(t);
    json_t *all = reply_json(t, NULL, reply->cut_short);
    o->turn = json_pack("{s:i, s:s}", "turn", t->number, "status", "done");
    if (!o->turn || json_object_update(o->turn, all) || json_object_set_new(o->turn, "usage", usage(t)) ||
        json_object_set_new(o->turn, "ms", json_integer((json_int_t)(lp_clock_ms() - t->began_ms)))) {
        json_decref(o->turn);
        o->turn = NULL; /* kept it is: its client can ask for its session */
    }
    json_decref(all);
    tell(t, "done", json_incref(o->turn));
}

static void work(struct lp_order *order) {
    struct lp_session_order *o = (struct lp_session_order *)order;
    struct turn t = {.o = o, .agent = o->seat->agent, .began_ms = lp_clock_ms()};
    struct lp_reply reply = {0};
    struct lp_fault *fault = &order->fault;
    json_t *history = lp_ask_history(&o->ask);
    if (!history)
        lp_fault_memory(fault);
    else if (lp_state_begin(o->state, &o->owner, order->tag, history, &t.number, fault)) {
        if (ask(&t, &reply, fault) && finish(&t, &reply, fault))
            strcpy(o->seat->held, order->tag);
        else
            give_up(&t, fault);
        tell_end(&t, &reply, fault);
        if (fault->status == LP_GONE)
            atomic_fetch_add(&o->seat->metrics->canceled, 1);
    }
    json_decref(history);
    lp_reply_done(&reply);
    json_decref(t.thoughts);
    json_decref(t.results);
    json_decref(t.actions);
    lp_str_done(&t.answer);
    lp_prompts_done(&t.marks);
    lp_image_close(t.reference);
}

/* Every second that a skill takes. */
static void watch(struct lp_order *order, struct lp_str *events) {
    struct lp_session_order *o = (struct lp_session_order *)order;
    if (!o->ask.stream)
        return;
    int call = atomic_load(&o->call);
    double ms = call ? lp_clock_ms() - atomic_load(&o->began_ms) : 0;
    if (ms < 1000 * (o->told_s + 1) && call == o->told_call)
        return;
    o->told_s = call == o->told_call ? (int)(ms / 1000) : 0;
    o->told_call = call;
    if (!o->told_s)
        return;
    lp_str_printf(events, "event: skill_progress\ndata: {\"call\":%d,\"ms\":%d}\n\n", call, (int)ms);
}

static void close_order(struct lp_order *order) {
    struct lp_session_order *o = (struct lp_session_order *)order;
    lp_ask_done(&o->ask);
    json_decref(o->turn);
    lp_free(o);
}

struct lp_session_order *lp_session_order_new(struct lp_seat *seat) {
    struct lp_session_order *o = lp_alloc(sizeof *o);
    if (!o)
        return NULL;
    o->seat = seat;
    lp_order_init(&o->order, work, close_order);
    o->order.watch = watch;
    return o;
}
