/* SPDX-License-Identifier: MIT */
/* serve/state_turn.c - a turn from its beginning to its end, and a session put back into a conversation. */
#include "base/memory.h"
#include "plan/prompts.h"
#include "serve/state_inner.h"

#include <string.h>
#include <time.h>

bool lp_state_begin(struct lp_state *s, const struct lp_hash *owner, const char *id, const json_t *request, int *turn,
                    struct lp_fault *fault) {
    char *text = lp_json_text(request);
    int64_t session, now = (int64_t)time(NULL);
    if (!text)
        return lp_fault_memory(fault);
    bool done = lp_state_enter(s, fault);
    if (done) {
        done = lp_state_own(s, owner, id, &session, fault) && lp_state_next_turn(s, session, turn, fault) &&
               (*turn <= LP_SESSION_TURNS ||
                lp_fault_set(fault, 409, NULL, "session_full", "a session has at most %d turns", LP_SESSION_TURNS));
        sqlite3_stmt *q = done ? lp_state_bind(s, LP_Q_OBJECT_COUNT, "i", session) : NULL;
        done = done && lp_state_row(s, q, fault) &&
               (sqlite3_column_int64(q, 0) <= LP_SESSION_OBJECTS ||
                lp_fault_set(fault, 409, NULL, "session_full", "a session holds at most %d objects", LP_SESSION_OBJECTS));
        done = done && /* one that runs here has an end that could not be written */
               lp_state_run(s, lp_state_bind(s, LP_Q_TURN_INTERRUPT, "i", session), fault) &&
               lp_state_run(s, lp_state_bind(s, LP_Q_TURN_ADD, "iiti", session, (int64_t)*turn, text, now), fault) &&
               lp_state_run(s, lp_state_bind(s, LP_Q_SESSION_TOUCH, "ii", now, session), fault);
        if (done)
            s->running = session;
        done = lp_state_leave(s, done, fault);
    }
    lp_free(text);
    return done;
}

/* Nothing runs any more, whether that could be written or not. */
static void end_running(struct lp_state *s) {
    pthread_mutex_lock(&s->lock);
    s->running = 0;
    pthread_mutex_unlock(&s->lock);
}

void lp_state_forget(struct lp_state *s, const char *id, int turn) {
    struct lp_fault fault = {0};
    end_running(s);
    if (!lp_state_enter(s, &fault))
        return;
    lp_state_leave(s, lp_state_run(s, lp_state_bind(s, LP_Q_TURN_FORGET, "ti", id, (int64_t)turn), &fault), &fault);
}

static bool add_messages(struct lp_state *s, const struct lp_state_turn *t, int64_t session, struct lp_fault *fault) {
    for (int i = 0; i < t->messages; i++) {
        const struct lp_said *said = &t->said[i];
        char *told = said->told ? lp_json_text(said->told) : NULL;
        char *marks = said->request && t->marks ? lp_json_text(t->marks) : NULL;
        bool done = (!said->told || told) && (!said->request || !t->marks || marks);
        done = (done || lp_fault_memory(fault)) &&
               lp_state_run(s,
                            lp_state_bind(s, LP_Q_MESSAGE_ADD, "iiiiiittt", session, (int64_t)t->turn,
                                          (int64_t)said->assistant, (int64_t)said->request, (int64_t)said->first,
                                          (int64_t)said->pictures, said->text, told, marks),
                            fault);
        lp_free(told);
        lp_free(marks);
        if (!done)
            return false;
    }
    return true;
}

static bool add_objects(struct lp_state *s, const struct lp_state_turn *t, int64_t session,
                        const struct lp_state_content *content, int64_t *added, struct lp_fault *fault) {
    bool done = true;
    for (int i = t->kept; done && t->objects && i < t->objects->n; i++) {
        const struct lp_row row = {
            .object = *t->objects->item[i], .user = i < t->first || i >= t->first + t->count, .turn = t->turn};
        done = lp_state_add_row(s, session, i, &row, &content[i - t->kept], added, fault);
    }
    return done;
}

/* Within the transaction. Where the session was deleted there is no turn to save. */
static bool save(struct lp_state *s, const struct lp_state_turn *t, const char *reply,
                 const struct lp_state_content *content, int64_t *added, struct lp_fault *fault) {
    bool running = !strcmp(t->status, "running");
    sqlite3_stmt *q = lp_state_bind(s, LP_Q_TURN_SAVE, "titti", t->id, (int64_t)t->turn, t->status, reply,
                                    running ? (int64_t)0 : (int64_t)time(NULL));
    if (!lp_state_row(s, q, fault))
        return fault->status ? false : lp_fault_set(fault, 404, NULL, "session_not_found", "the session was deleted");
    int64_t session = sqlite3_column_int64(q, 0);
    sqlite3_reset(q);
    return add_objects(s, t, session, content, added, fault) && add_messages(s, t, session, fault);
}

bool lp_state_keep(struct lp_state *s, const struct lp_state_turn *t, struct lp_fault *fault) {
    int n = t->objects ? t->objects->n - t->kept : 0;
    struct lp_error err = {0};
    struct lp_state_content *content = lp_alloc_array((size_t)n + 1, sizeof *content);
    char *reply = lp_json_text(t->reply);
    int64_t added = 0;
    bool done = (content && reply) || lp_fault_memory(fault);
    for (int i = 0; done && i < n; i++)
        done = lp_state_encode(t->objects->item[t->kept + i], &content[i], &err) || lp_fault_from(fault, NULL, &err);
    if (done && (done = lp_state_enter(s, fault)))
        done = lp_state_leave(s, save(s, t, reply, content, &added, fault), fault);
    if (strcmp(t->status, "running"))
        end_running(s);
    if (done) {
        atomic_fetch_add(&s->objects, n);
        atomic_fetch_add(&s->bytes, added);
    }
    for (int i = 0; content && i < n; i++)
        lp_state_content_done(&content[i]);
    lp_free(content);
    lp_free(reply);
    return done;
}

/* What of a session is read under the lock. */
struct stored {
    struct lp_arena arena;
    struct lp_row *row;
    struct {
        struct lp_said said;
        int turn;
        const char *marks; /* JSON or NULL */
    } * message;
    int rows, messages;
};

static void stored_done(struct stored *t) {
    for (int i = 0; i < t->messages; i++)
        json_decref(t->message[i].said.told);
    lp_free(t->row);
    lp_free(t->message);
    lp_arena_done(&t->arena);
}

static bool read_rows(struct lp_state *s, const char *id, int from, struct stored *t, struct lp_fault *fault) {
    sqlite3_stmt *q = lp_state_bind(s, LP_Q_OBJECT_LIST, "ti", id, (int64_t)from);
    while (!fault->status && lp_state_row(s, q, fault)) {
        struct lp_row *grown = lp_realloc(t->row, (size_t)(t->rows + 1) * sizeof *grown);
        if (!grown)
            return lp_fault_memory(fault);
        t->row = grown;
        if (lp_state_read_row(q, &t->arena, &t->row[t->rows], fault))
            t->rows++;
    }
    return !fault->status;
}

static bool read_messages(struct lp_state *s, const char *id, struct stored *t, struct lp_fault *fault) {
    sqlite3_stmt *q = lp_state_bind(s, LP_Q_MESSAGE_LIST, "t", id);
    while (lp_state_row(s, q, fault)) {
        void *grown = lp_realloc(t->message, (size_t)(t->messages + 1) * sizeof *t->message);
        if (!grown)
            return lp_fault_memory(fault);
        t->message = grown;
        const char *told = (const char *)sqlite3_column_text(q, 6);
        const struct lp_said said = {.text = lp_arena_strdup(&t->arena, (const char *)sqlite3_column_text(q, 5)),
                                     .assistant = sqlite3_column_int(q, 1),
                                     .request = sqlite3_column_int(q, 2),
                                     .first = sqlite3_column_int(q, 3),
                                     .pictures = sqlite3_column_int(q, 4),
                                     .told = told ? json_loads(told, 0, NULL) : NULL};
        t->message[t->messages].said = said;
        t->message[t->messages].turn = sqlite3_column_int(q, 0);
        const char *marks = (const char *)sqlite3_column_text(q, 7);
        t->message[t->messages].marks = marks ? lp_arena_strdup(&t->arena, marks) : NULL;
        if ((marks && !t->message[t->messages].marks) || !t->message[t->messages++].said.text)
            return lp_fault_memory(fault);
    }
    return !fault->status;
}

/* Adds an object under the handle that it had. */
static bool put_object(struct lp_state *s, const struct lp_row *row, struct lp_conversation *c, struct lp_fault *fault) {
    struct lp_object read = row->object, *o = NULL;
    struct lp_objects *all = &c->objects;
    struct lp_error err = {0};
    read.picture = NULL;
    if (!lp_state_read_content(s, row, &read, fault)) {
        lp_image_close(read.picture);
        lp_free(read.pixel);
        return false;
    }
    switch (read.kind) {
    case LP_OBJECT_IMAGE:
        o = row->user ? lp_conversation_add_picture(c, read.picture, &err) : lp_objects_add_image(all, read.picture, &err);
        break;
    case LP_OBJECT_MASK:
        o = lp_objects_add_mask(all, read.width, read.height, read.pixel, read.text, read.score, &err);
        break;
    case LP_OBJECT_MAP:
        o = lp_objects_add_map(all, read.width, read.height, read.pixel, &err);
        break;
    case LP_OBJECT_BOX:
        o = lp_objects_add_box(all, read.box, read.text, read.score, &err);
        break;
    case LP_OBJECT_POINT:
        o = lp_objects_add_point(all, read.box[0], read.box[1], &err);
        break;
    case LP_OBJECT_TEXT:
        o = lp_objects_add_text(all, read.text ? read.text : "", read.score, &err);
        break;
    default:
        o = lp_objects_add_count(all, read.count, read.text, &err);
    }
    if (o)
        o->on = read.on;
    lp_free(read.pixel);
    if (!o)
        return lp_fault_from(fault, NULL, &err);
    return !strcmp(o->handle, read.handle) || lp_state_damaged(fault, "an object is missing");
}

/* Adds a message; `marks`: points and boxes that can still be named, or NULL. */
static bool put_message(const struct lp_said *said, const char *marks, struct lp_conversation *c, struct lp_fault *fault) {
    struct lp_prompts prompts = {0};
    struct lp_error err = {0};
    json_t *value = marks ? json_loads(marks, 0, NULL) : NULL;
    const json_t *points = json_object_get(value, "points"), *boxes = json_object_get(value, "boxes");
    bool good = (!points || lp_prompts_points(&prompts, points, "points", &err)) &&
                (!boxes || lp_prompts_boxes(&prompts, boxes, false, "boxes", &err));
    const struct lp_request request = lp_prompts_request(&prompts, "");
    good = good && lp_conversation_restore(c, said, &request, &err);
    lp_prompts_done(&prompts);
    json_decref(value);
    return good || (err.code == LP_EINPUT ? lp_state_damaged(fault, "a message cannot be read")
                                          : lp_fault_from(fault, NULL, &err));
}

bool lp_state_load(struct lp_state *s, const char *id, struct lp_conversation *c, struct lp_fault *fault) {
    struct stored t = {0};
    int newest = 0; /* turn of the user's newest picture */
    if (!lp_state_enter(s, fault))
        return false;
    bool done = read_rows(s, id, c->objects.n, &t, fault) && (c->n || read_messages(s, id, &t, fault));
    done = lp_state_leave(s, done, fault);
    for (int i = 0; done && i < t.rows; i++) {
        if (t.row[i].user && t.row[i].object.kind == LP_OBJECT_IMAGE)
            newest = t.row[i].turn;
        done = put_object(s, &t.row[i], c, fault);
    }
    for (int i = 0; done && i < t.messages; i++)
        done = put_message(&t.message[i].said, t.message[i].turn >= newest ? t.message[i].marks : NULL, c, fault);
    stored_done(&t);
    return done;
}
