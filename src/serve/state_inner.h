/* SPDX-License-Identifier: MIT */
/* What the state_*.c files share. */
#ifndef LP_SERVE_STATE_INNER_H
#define LP_SERVE_STATE_INNER_H

#include "base/arena.h"
#include "serve/pixels.h"
#include "serve/state.h"

#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

enum { LP_STATE_SCHEMA = 2, LP_STATE_APPLICATION = 0x6c6c7670 /* "llvp" in the file's header */ };

/* The statements, see state_sql.c. */
enum lp_query {
    LP_Q_BEGIN,
    LP_Q_COMMIT,
    LP_Q_ROLLBACK,
    LP_Q_SESSION_ADD,
    LP_Q_SESSION_FIND,
    LP_Q_SESSION_COUNT,
    LP_Q_SESSION_LIST,
    LP_Q_SESSION_TOUCH,
    LP_Q_SESSION_DELETE,
    LP_Q_SESSION_HASHES,
    LP_Q_HASH_USED,
    LP_Q_TURN_ADD,
    LP_Q_TURN_NEXT,
    LP_Q_TURN_SAVE,
    LP_Q_TURN_FORGET,
    LP_Q_TURN_LIST,
    LP_Q_TURN_INTERRUPT,
    LP_Q_TURN_INTERRUPT_ALL,
    LP_Q_TURN_VOTE,
    LP_Q_MESSAGE_ADD,
    LP_Q_MESSAGE_LIST,
    LP_Q_OBJECT_ADD,
    LP_Q_OBJECT_LIST,
    LP_Q_OBJECT_FIND,
    LP_Q_OBJECT_COUNT,
    LP_Q_PICTURE_COUNT,
    LP_Q_TOTALS,
    LP_QUERIES
};
extern const char *const lp_state_sql[LP_QUERIES];
extern const char lp_state_schema[];
extern const char *const lp_state_upgrade[LP_STATE_SCHEMA]; /* what makes version i + 1 of version i; [0]: NULL */

/* Who has the disk take what was committed. Zeroed: nobody, as a temporary state wants it. */
struct lp_state_sync {
    pthread_mutex_t lock;
    pthread_cond_t bell;
    pthread_t thread;
    bool started, due, closing; /* locked but `started` */
    char log[PATH_MAX];         /* SQLite's write-ahead log */
};
bool lp_state_sync_init(struct lp_state_sync *y, const char *folder, struct lp_fault *fault);
void lp_state_sync_ask(struct lp_state_sync *y);       /* soon, on its thread */
void lp_state_sync_now(const struct lp_state_sync *y); /* waits for the disk */
void lp_state_sync_done(struct lp_state_sync *y);

struct lp_state {
    sqlite3 *db;
    sqlite3_stmt *query[LP_QUERIES]; /* prepared when first used */
    pthread_mutex_t lock;            /* of the two above and the files */
    char folder[PATH_MAX];
    bool temporary;
    int lock_file; /* held while the state is open; -1: none */
    struct lp_state_sync sync;
    struct lp_pixels *pixels;
    size_t most_bytes;
    int64_t running; /* locked: the session that has a turn; 0: none */
    atomic_int_fast64_t sessions, objects, bytes;
};

/* The statement, ready to run, its parameters bound by `types`: t text (NULL is null), i int64_t, r double, h const struct
 * lp_hash * (NULL is null). Failures show when it is run. */
sqlite3_stmt *lp_state_bind(struct lp_state *s, enum lp_query q, const char *types, ...);
/* One more row. False: there is none, or a failure, which fills *fault (status 0 before). */
bool lp_state_row(struct lp_state *s, sqlite3_stmt *q, struct lp_fault *fault);
/* Runs a statement that gives no rows. */
bool lp_state_run(struct lp_state *s, sqlite3_stmt *q, struct lp_fault *fault);
/* The fault of what SQLite did last. Returns false. */
bool lp_state_failed(struct lp_state *s, struct lp_fault *fault);
bool lp_state_damaged(struct lp_fault *fault, const char *what);

/* Locks and begins a transaction; ends it, with `good` false or on failure as if nothing had been. */
bool lp_state_enter(struct lp_state *s, struct lp_fault *fault);
bool lp_state_leave(struct lp_state *s, bool good, struct lp_fault *fault);

/* Locked. The session's number in the tables; 404. */
bool lp_state_own(struct lp_state *s, const struct lp_hash *owner, const char *id, int64_t *session,
                  struct lp_fault *fault);

/* An object's row. */
struct lp_row {
    struct lp_object object; /* text borrowed from the arena; no pixels */
    bool user;               /* brought by the user, not made by a skill */
    int turn;                /* of which it is part */
    bool filed;              /* its content is a file, */
    struct lp_hash hash;     /* of that name */
    char *runs;              /* of a mask; borrowed from the arena */
};
/* Locked. The row at which a statement stands. */
bool lp_state_read_row(sqlite3_stmt *q, struct lp_arena *arena, struct lp_row *row, struct lp_fault *fault);
/* Fills object->picture, or pixels of a map or a mask, also on failure. */
bool lp_state_read_content(struct lp_state *s, const struct lp_row *row, struct lp_object *object, struct lp_fault *fault);

/* What of an object does not fit into a row: bytes of a file and their hash, or a mask's runs. Owned. */
struct lp_state_content {
    uint8_t *bytes;
    size_t n;
    struct lp_hash hash;
    char *runs;
};
bool lp_state_encode(const struct lp_object *object, struct lp_state_content *content, struct lp_error *err);
void lp_state_content_done(struct lp_state_content *content);
/* Locked. Adds an object as the number-th of its session, its file first; *added grows by the file's bytes where it is new. */
bool lp_state_add_row(struct lp_state *s, int64_t session, int64_t number, const struct lp_row *row,
                      const struct lp_state_content *content, int64_t *added, struct lp_fault *fault);
/* Locked. The number of the turn that may begin now; 409 while one runs. */
bool lp_state_next_turn(struct lp_state *s, int64_t session, int *turn, struct lp_fault *fault);

/* A file of content. put: locked; writes it where it is not there yet, whole or not at all; *added gets the bytes. */
bool lp_state_blob_put(struct lp_state *s, const struct lp_hash *hash, const void *bytes, size_t n, int64_t *added,
                       struct lp_fault *fault);
bool lp_state_blob_get(struct lp_state *s, const struct lp_hash *hash, struct lp_str *out, struct lp_fault *fault);
int64_t lp_state_blob_drop(struct lp_state *s, const struct lp_hash *hash); /* the bytes that it had */
/* Locked. Deletes files that nothing names, as a kill may leave them. */
bool lp_state_blob_sweep(struct lp_state *s, struct lp_error *err);
bool lp_state_blob_path(const struct lp_state *s, const char *name, char path[PATH_MAX], struct lp_error *err);

#endif
