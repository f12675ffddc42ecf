/* SPDX-License-Identifier: MIT */
/* serve/state_session.c - sessions: made, listed, told with their history, deleted. */
#include "base/memory.h"
#include "serve/state_inner.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static bool make_id(char id[LP_SESSION_ID], struct lp_fault *fault) {
    unsigned char random[16];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return lp_fault_set(fault, 503, NULL, NULL, "the system gives no random numbers");
    strcpy(id, "sess_");
    for (int i = 0; i < 16; i++)
        snprintf(id + 5 + 2 * i, 3, "%02x", random[i]);
    return true;
}

bool lp_state_create(struct lp_state *s, const struct lp_hash *owner, char id[LP_SESSION_ID], struct lp_fault *fault) {
    if (!make_id(id, fault) || !lp_state_enter(s, fault))
        return false;
    sqlite3_stmt *q = lp_state_bind(s, LP_Q_SESSION_COUNT, "h", owner);
    bool done = lp_state_row(s, q, fault);
    if (done && sqlite3_column_int64(q, 0) >= LP_SESSIONS_EACH)
        done = lp_fault_set(fault, 409, NULL, "too_many_sessions", "there are %d sessions already: delete some",
                            LP_SESSIONS_EACH);
    done = done && lp_state_run(s, lp_state_bind(s, LP_Q_SESSION_ADD, "thi", id, owner, (int64_t)time(NULL)), fault);
    done = lp_state_leave(s, done, fault);
    if (done)
        atomic_fetch_add(&s->sessions, 1);
    return done;
}

bool lp_state_own(struct lp_state *s, const struct lp_hash *owner, const char *id, int64_t *session,
                  struct lp_fault *fault) {
    sqlite3_stmt *q = lp_state_bind(s, LP_Q_SESSION_FIND, "th", id, owner);
    if (lp_state_row(s, q, fault)) {
        *session = sqlite3_column_int64(q, 0);
        return true;
    }
    return fault->status ? false : lp_fault_set(fault, 404, NULL, "session_not_found", "there is no such session");
}

bool lp_state_has(struct lp_state *s, const struct lp_hash *owner, const char *id, struct lp_fault *fault) {
    int64_t session;
    return lp_state_enter(s, fault) && lp_state_leave(s, lp_state_own(s, owner, id, &session, fault), fault);
}

/* The files that only one session names. */
struct freed {
    struct lp_hash *hash;
    int n;
    int64_t bytes;
};

static bool list_files(struct lp_state *s, int64_t session, struct freed *f, struct lp_fault *fault) {
    sqlite3_stmt *q = lp_state_bind(s, LP_Q_SESSION_HASHES, "i", session);
    while (lp_state_row(s, q, fault)) {
        struct lp_hash *grown = lp_realloc(f->hash, (size_t)(f->n + 1) * sizeof *grown);
        if (!grown)
            return lp_fault_memory(fault);
        f->hash = grown;
        if (sqlite3_column_bytes(q, 0) == (int)sizeof grown->byte)
            memcpy(grown[f->n++].byte, sqlite3_column_blob(q, 0), sizeof grown->byte);
    }
    return !fault->status;
}

/* Keeps those in the list that no row names any more. */
static bool drop_used(struct lp_state *s, struct freed *f, struct lp_fault *fault) {
    int n = 0;
    for (int i = 0; i < f->n && !fault->status; i++)
        if (!lp_state_row(s, lp_state_bind(s, LP_Q_HASH_USED, "h", &f->hash[i]), fault) && !fault->status)
            f->hash[n++] = f->hash[i];
    f->n = n;
    return !fault->status;
}

bool lp_state_delete(struct lp_state *s, const struct lp_hash *owner, const char *id, struct lp_fault *fault) {
    struct freed freed = {0};
    int64_t session = 0, objects = 0;
    if (!lp_state_enter(s, fault))
        return false;
    bool done = lp_state_own(s, owner, id, &session, fault) && list_files(s, session, &freed, fault);
    sqlite3_stmt *q = done ? lp_state_bind(s, LP_Q_OBJECT_COUNT, "i", session) : NULL;
    done = done && lp_state_row(s, q, fault);
    if (done)
        objects = sqlite3_column_int64(q, 0);
    done = done && lp_state_run(s, lp_state_bind(s, LP_Q_SESSION_DELETE, "i", session), fault) &&
           drop_used(s, &freed, fault) && lp_state_run(s, lp_state_bind(s, LP_Q_COMMIT, ""), fault);
    if (done) /* no row that comes back may name a file that does not */
        lp_state_sync_now(&s->sync);
    for (int i = 0; done && i < freed.n; i++) { /* after the rows are gone for good, before another may add the same */
        freed.bytes += lp_state_blob_drop(s, &freed.hash[i]);
        lp_pixels_forget(s->pixels, &freed.hash[i]);
    }
    if (done) {
        s->running = s->running == session ? 0 : s->running; /* its number may be another's next */
        atomic_fetch_sub(&s->sessions, 1);
        atomic_fetch_sub(&s->objects, objects);
        atomic_fetch_sub(&s->bytes, freed.bytes);
    }
    lp_state_leave(s, false, fault); /* committed, or to be undone */
    lp_free(freed.hash);
    return done;
}

/* A title: the beginning of the first message, at most 80 bytes of whole characters. */
static const char *cut(const char *text, char title[84]) {
    size_t n = text ? strlen(text) : 0;
    bool long_one = n > 80;
    n = long_one ? 80 : n;
    while (long_one && n && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    memcpy(title, text ? text : "", n);
    strcpy(title + n, long_one ? "\xe2\x80\xa6" : "");
    return text ? title : NULL;
}

/* {"id", "object", "created", "changed", "title"} of columns from `at` on; the id is given where it is no column. */
static json_t *head(sqlite3_stmt *q, const char *id, int at) {
    char title[84];
    return json_pack("{s:s, s:s, s:I, s:I, s:s?}", "id", id, "object", "session", "created",
                     (json_int_t)sqlite3_column_int64(q, at), "changed", (json_int_t)sqlite3_column_int64(q, at + 1),
                     "title", cut((const char *)sqlite3_column_text(q, at + 2), title));
}

json_t *lp_state_list(struct lp_state *s, const struct lp_hash *owner, struct lp_fault *fault) {
    json_t *data = json_array();
    if (!lp_state_enter(s, fault)) {
        json_decref(data);
        return NULL;
    }
    sqlite3_stmt *q = lp_state_bind(s, LP_Q_SESSION_LIST, "h", owner);
    bool good = data != NULL;
    while (good && lp_state_row(s, q, fault)) {
        json_t *one = head(q, (const char *)sqlite3_column_text(q, 0), 1);
        good = one && !json_object_set_new(one, "turns", json_integer(sqlite3_column_int64(q, 4)));
        good = !json_array_append_new(data, one) && good;
    }
    good = (good || lp_fault_memory(fault)) && !fault->status;
    good = lp_state_leave(s, good, fault);
    json_t *all = good ? json_pack("{s:s, s:O}", "object", "list", "data", data) : NULL;
    json_decref(data);
    if (good && !all)
        lp_fault_memory(fault);
    return all;
}

/* A turn: its request's and its reply's keys behind its own. One whose end could not be written does not run. */
static json_t *turn_json(sqlite3_stmt *q, bool runs) {
    const char *status = (const char *)sqlite3_column_text(q, 1);
    json_t *turn = json_pack("{s:I, s:s, s:I, s:n, s:I}", "turn", (json_int_t)sqlite3_column_int64(q, 0), "status",
                             strcmp(status, "running") || runs ? status : "interrupted", "created", (json_int_t)sqlite3_column_int64(q, 4),
                             "ended", "vote", (json_int_t)sqlite3_column_int64(q, 6));
    bool good = turn != NULL;
    if (sqlite3_column_type(q, 5) != SQLITE_NULL)
        good = good && !json_object_set_new(turn, "ended", json_integer(sqlite3_column_int64(q, 5)));
    for (int column = 2; good && column <= 3; column++) {
        const char *text = (const char *)sqlite3_column_text(q, column);
        json_t *part = text ? json_loads(text, 0, NULL) : NULL;
        good = !part || !json_object_update(turn, part);
        json_decref(part);
    }
    if (!good)
        json_decref(turn);
    return good ? turn : NULL;
}

static bool add_turns(struct lp_state *s, int64_t session, json_t *list, struct lp_fault *fault) {
    sqlite3_stmt *q = lp_state_bind(s, LP_Q_TURN_LIST, "i", session);
    while (lp_state_row(s, q, fault))
        if (json_array_append_new(list, turn_json(q, s->running == session)))
            return lp_fault_memory(fault);
    return !fault->status;
}

static bool add_objects(struct lp_state *s, const char *id, json_t *list, struct lp_fault *fault) {
    sqlite3_stmt *q = lp_state_bind(s, LP_Q_OBJECT_LIST, "ti", id, (int64_t)0);
    struct lp_arena arena = {0};
    while (!fault->status && lp_state_row(s, q, fault)) {
        struct lp_row row;
        if (lp_state_read_row(q, &arena, &row, fault) && json_array_append_new(list, lp_state_object_json(&row.object, row.user, row.turn)))
            lp_fault_memory(fault);
    }
    lp_arena_done(&arena);
    return !fault->status;
}

json_t *lp_state_session(struct lp_state *s, const struct lp_hash *owner, const char *id, struct lp_fault *fault) {
    int64_t session = 0;
    json_t *turns = json_array(), *objects = json_array(), *all = NULL;
    if (lp_state_enter(s, fault)) {
        bool good = lp_state_own(s, owner, id, &session, fault);
        all = good ? head(s->query[LP_Q_SESSION_FIND], id, 1) : NULL;
        good = good && ((all && turns && objects) || lp_fault_memory(fault)) && add_turns(s, session, turns, fault) &&
               add_objects(s, id, objects, fault) &&
               ((!json_object_set(all, "turns", turns) && !json_object_set(all, "objects", objects)) || lp_fault_memory(fault));
        good = lp_state_leave(s, good, fault);
        if (!good) {
            json_decref(all);
            all = NULL;
        }
    }
    json_decref(turns);
    json_decref(objects);
    return all;
}

bool lp_state_vote(struct lp_state *s, const struct lp_hash *owner, const char *id, int turn, int vote,
                   struct lp_fault *fault) {
    int64_t session = 0;
    if (!lp_state_enter(s, fault))
        return false;
    bool done = lp_state_own(s, owner, id, &session, fault);
    if (done && !lp_state_row(s, lp_state_bind(s, LP_Q_TURN_VOTE, "iii", (int64_t)vote, session, (int64_t)turn), fault))
        done = fault->status ? false : lp_fault_set(fault, 404, NULL, "turn_not_found", "there is no such turn");
    return lp_state_leave(s, done, fault);
}
