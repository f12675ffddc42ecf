/* SPDX-License-Identifier: MIT */
/* What the server remembers: sessions, their turns, messages and objects in SQLite, pictures as files named by their
 * SHA-256. A turn is finished when lp_state_keep has returned true; after that a kill does not lose it, and a power cut only
 * within the milliseconds that the disk needs. What was running when the process ended is found as "interrupted". For any
 * number of threads of one process. */
#ifndef LP_SERVE_STATE_H
#define LP_SERVE_STATE_H

#include "base/arena.h"
#include "base/sha256.h"
#include "plan/conversation.h"
#include "serve/fault.h"

enum {
    LP_SESSION_ID = 38,        /* "sess_", 32 digits of 128 random bits, NUL */
    LP_SESSIONS_EACH = 1000,   /* of an owner */
    LP_SESSION_PICTURES = 64,  /* that users add to a session */
    LP_SESSION_OBJECTS = 4096, /* of a session: no turn begins beyond */
    LP_SESSION_TURNS = 1000
};
#define LP_SESSION_PIXELS 100000000 /* of all pictures that users add to a session */

struct lp_state;
struct lp_pixels; /* serve/pixels.h */

/* Opens, or makes, the state in a folder; NULL: a new one in a folder for temporary files, which lp_state_close deletes.
 * `most_bytes` of all pictures together. Owned by caller. NULL: LP_EIO for a folder that cannot be made, is in use by another
 * process or is full; LP_EINPUT for a damaged state or that of a newer program; LP_EMEMORY. */
struct lp_state *lp_state_open(const char *folder, size_t most_bytes, struct lp_error *err);
void lp_state_close(struct lp_state *s); /* NULL is fine */

struct lp_state_counts {
    int64_t sessions, objects, bytes; /* bytes: of pictures' files */
};
struct lp_state_counts lp_state_counts(struct lp_state *s); /* without waiting */
struct lp_state_memory {
    int64_t database, pixels; /* bytes that SQLite has taken, and pictures that are kept decoded */
};
struct lp_state_memory lp_state_memory(struct lp_state *s);
struct lp_pixels *lp_state_pixels(struct lp_state *s); /* borrowed */

/* All of these fill *fault on failure: 404 where there is no such session of that owner, 409 where a limit is reached or a
 * turn runs, 507 where the disk is full, 500 where the state is damaged, 503 out of memory. `owner`: the hash of a key. */

bool lp_state_create(struct lp_state *s, const struct lp_hash *owner, char id[LP_SESSION_ID], struct lp_fault *fault);
bool lp_state_has(struct lp_state *s, const struct lp_hash *owner, const char *id, struct lp_fault *fault);
/* With all that only it has. What runs in it comes to nothing. */
bool lp_state_delete(struct lp_state *s, const struct lp_hash *owner, const char *id, struct lp_fault *fault);
/* {"object": "list", "data": [..]}, the last used first, and a session with its history, as docs/api.md says. Owned by
 * caller. */
json_t *lp_state_list(struct lp_state *s, const struct lp_hash *owner, struct lp_fault *fault);
json_t *lp_state_session(struct lp_state *s, const struct lp_hash *owner, const char *id, struct lp_fault *fault);

/* What a user thinks of a turn: 1, 0 or -1. 404 where there is no such turn. */
bool lp_state_vote(struct lp_state *s, const struct lp_hash *owner, const char *id, int turn, int vote,
                   struct lp_fault *fault);

/* A user's picture, known to be one. All borrowed. */
struct lp_state_picture {
    const void *bytes; /* its file, */
    size_t n;
    struct lp_hash file; /* and the hash of that */
    int width, height;
};
/* Adds it. 409 while a turn runs. The new object as JSON; owned by caller. */
json_t *lp_state_add_picture(struct lp_state *s, const struct lp_hash *owner, const char *id,
                             const struct lp_state_picture *picture, struct lp_fault *fault);

/* An object. Zero it first; lp_state_found_done also after failure. */
struct lp_state_found {
    struct lp_object object; /* without picture and pixels, but with their size; its text lives in the arena */
    bool user;               /* brought by the user, not made by a skill */
    int turn;                /* of which it is part */
    const char *runs;        /* of a mask: COCO's "counts" */
    struct lp_str bytes;     /* with `content`, of an image or a map: its file */
    struct lp_arena arena;
};
bool lp_state_find(struct lp_state *s, const struct lp_hash *owner, const char *id, const char *handle, bool content,
                   struct lp_state_found *found, struct lp_fault *fault);
void lp_state_found_done(struct lp_state_found *found);

/* An object as clients see it; owned by caller; NULL: out of memory. */
json_t *lp_state_object_json(const struct lp_object *object, bool user, int turn);

/* For the planner's thread. Begins a turn: it is "running" from now on. `request` is what its client asked. */
bool lp_state_begin(struct lp_state *s, const struct lp_hash *owner, const char *id, const json_t *request, int *turn,
                    struct lp_fault *fault);
/* Puts into a conversation what it does not have yet of the session: objects from number objects.n on, and where it has no
 * messages those. */
bool lp_state_load(struct lp_state *s, const char *id, struct lp_conversation *c, struct lp_fault *fault);

/* What a turn has come to. All borrowed. */
struct lp_state_turn {
    const char *id;
    int turn;
    const char *status;  /* "running", "done", "failed", "canceled" */
    const json_t *reply; /* what its client was told */
    const struct lp_objects *objects;
    int kept;              /* of these, how many are in the state */
    int first, count;      /* of these, what a skill made; others are the user's */
    const struct lp_said *said; /* messages for later turns; NULL: none */
    int messages;
    const json_t *marks; /* {"points", "boxes"} of the request among them; NULL: none */
};
/* Keeps it, all or nothing. */
bool lp_state_keep(struct lp_state *s, const struct lp_state_turn *turn, struct lp_fault *fault);
/* As if it had never begun. */
void lp_state_forget(struct lp_state *s, const char *id, int turn);

#endif
