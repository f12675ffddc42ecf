/* SPDX-License-Identifier: MIT */
/* serve/state_object.c - objects as rows and files. Pictures and class maps are files, masks are run lengths in their
 * row. */
#include "base/memory.h"
#include "image/rle.h"
#include "plan/agent.h"
#include "serve/pixels.h"
#include "serve/state_inner.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Columns of a row, in the order of OBJECT_COLUMNS. */
enum { HANDLE, TURN, BY_USER, HASH, WIDTH, HEIGHT, X0, SCORE = X0 + 4, COUNT, TEXT, RUNS, PICTURE };

static char *column_text(sqlite3_stmt *q, int i, struct lp_arena *arena, bool *good) {
    const char *text = (const char *)sqlite3_column_text(q, i);
    char *copy = text ? lp_arena_strdup(arena, text) : NULL;
    *good = *good && (!text || copy);
    return copy;
}

bool lp_state_read_row(sqlite3_stmt *q, struct lp_arena *arena, struct lp_row *row, struct lp_fault *fault) {
    struct lp_object *o = &row->object;
    const char *handle = (const char *)sqlite3_column_text(q, HANDLE);
    bool good = true;
    *row = (struct lp_row){.turn = sqlite3_column_int(q, TURN), .user = sqlite3_column_int(q, BY_USER)};
    if (!handle || !lp_handle_parse(handle, &o->kind, &o->number))
        return lp_state_damaged(fault, "an object has no handle");
    snprintf(o->handle, sizeof o->handle, "%s", handle);
    row->filed = sqlite3_column_bytes(q, HASH) == (int)sizeof row->hash.byte;
    if (row->filed)
        memcpy(row->hash.byte, sqlite3_column_blob(q, HASH), sizeof row->hash.byte);
    o->width = sqlite3_column_int(q, WIDTH);
    o->height = sqlite3_column_int(q, HEIGHT);
    for (int i = 0; i < 4; i++)
        o->box[i] = (float)sqlite3_column_double(q, X0 + i);
    o->score = (float)sqlite3_column_double(q, SCORE);
    o->count = sqlite3_column_int(q, COUNT);
    o->on = sqlite3_column_int(q, PICTURE);
    o->text = column_text(q, TEXT, arena, &good);
    row->runs = column_text(q, RUNS, arena, &good);
    return good || lp_fault_memory(fault);
}

json_t *lp_state_object_json(const struct lp_object *object, bool user, int turn) {
    json_t *one = lp_object_json(object);
    if (one && !json_object_set_new(one, "by", json_string(user ? "user" : "skill")) &&
        !json_object_set_new(one, "turn", json_integer(turn)))
        return one;
    json_decref(one);
    return NULL;
}

/* The pixels of a class map, which is a picture of equal channels. */
static bool take_map(struct lp_object *o, const struct lp_image *image, struct lp_fault *fault) {
    size_t n = (size_t)image->width * (size_t)image->height;
    if (image->width != o->width || image->height != o->height)
        return lp_state_damaged(fault, "a class map has another size");
    o->pixel = lp_alloc(n);
    for (size_t i = 0; o->pixel && i < n; i++)
        o->pixel[i] = image->pixel[3 * i];
    return o->pixel || lp_fault_memory(fault);
}

static bool take_mask(struct lp_object *o, const char *runs, struct lp_fault *fault) {
    struct lp_error err = {0};
    if (o->width < 1 || o->height < 1 || (int64_t)o->width * o->height > LP_IMAGE_MAX_PIXELS)
        return lp_state_damaged(fault, "a mask has no size");
    o->pixel = lp_alloc((size_t)o->width * (size_t)o->height);
    if (!o->pixel)
        return lp_fault_memory(fault);
    return (runs && lp_rle_decode(o->pixel, o->width, o->height, runs, strlen(runs), &err)) ||
           lp_state_damaged(fault, "a mask cannot be read");
}

bool lp_state_read_content(struct lp_state *s, const struct lp_row *row, struct lp_object *object, struct lp_fault *fault) {
    struct lp_str file = {0};
    struct lp_error err = {0};
    if (object->kind == LP_OBJECT_MASK)
        return take_mask(object, row->runs, fault);
    if (object->kind != LP_OBJECT_IMAGE && object->kind != LP_OBJECT_MAP)
        return true;
    if (!row->filed)
        return lp_state_damaged(fault, "a picture has no file");
    struct lp_image *image = lp_pixels_find(s->pixels, &row->hash);
    bool done = image || lp_state_blob_get(s, &row->hash, &file, fault);
    if (done && !image && !(image = lp_pixels_decode(s->pixels, &row->hash, lp_str_text(&file), file.n, &err)))
        done = err.code == LP_EMEMORY ? lp_fault_from(fault, NULL, &err)
                                      : lp_state_damaged(fault, "a picture cannot be read");
    if (done && object->kind == LP_OBJECT_MAP) {
        done = take_map(object, image, fault);
        lp_image_close(image);
    } else {
        object->picture = image;
    }
    lp_str_done(&file);
    return done;
}

bool lp_state_encode(const struct lp_object *o, struct lp_state_content *content, struct lp_error *err) {
    *content = (struct lp_state_content){0};
    if (o->kind == LP_OBJECT_MASK)
        return (content->runs = lp_rle_encode(o->pixel, o->width, o->height, err)) != NULL;
    if (o->kind == LP_OBJECT_IMAGE)
        content->bytes = lp_image_encode_png(o->picture, &content->n, err);
    else if (o->kind == LP_OBJECT_MAP)
        content->bytes = lp_image_encode(o->pixel, o->width, o->height, 1, "map.png", &content->n, err);
    else
        return true;
    if (content->bytes)
        content->hash = lp_sha256_of(content->bytes, content->n);
    return content->bytes != NULL;
}

void lp_state_content_done(struct lp_state_content *content) {
    lp_free(content->bytes);
    lp_free(content->runs);
    *content = (struct lp_state_content){0};
}

bool lp_state_add_row(struct lp_state *s, int64_t session, int64_t number, const struct lp_row *row,
                      const struct lp_state_content *content, int64_t *added, struct lp_fault *fault) {
    const struct lp_object *o = &row->object;
    const struct lp_hash *named = content->bytes ? &content->hash : NULL;
    if (named && !lp_state_blob_put(s, named, content->bytes, content->n, added, fault))
        return false;
    int width = o->kind == LP_OBJECT_IMAGE && o->picture ? o->picture->width : o->width;
    int height = o->kind == LP_OBJECT_IMAGE && o->picture ? o->picture->height : o->height;
    sqlite3_stmt *q = lp_state_bind(s, LP_Q_OBJECT_ADD, "iitiihiirrrrrittii", session, number, o->handle,
                                    (int64_t)row->turn, (int64_t)row->user, named, (int64_t)width, (int64_t)height,
                                    (double)o->box[0], (double)o->box[1], (double)o->box[2], (double)o->box[3],
                                    (double)o->score, (int64_t)o->count, o->text, content->runs, (int64_t)o->on,
                                    (int64_t)content->n);
    return lp_state_run(s, q, fault);
}

/* What limits a session's pictures. `number`: of the new one among all objects and among pictures. */
static bool check_room(struct lp_state *s, int64_t session, int64_t pixels, int64_t *number, int64_t *picture,
                       struct lp_fault *fault) {
    sqlite3_stmt *q = lp_state_bind(s, LP_Q_PICTURE_COUNT, "i", session);
    if (!lp_state_row(s, q, fault))
        return false;
    *picture = sqlite3_column_int64(q, 0) + 1;
    *number = sqlite3_column_int64(q, 3);
    if (sqlite3_column_int64(q, 1) >= LP_SESSION_PICTURES)
        return lp_fault_set(fault, 409, NULL, "session_full", "a session takes at most %d pictures", LP_SESSION_PICTURES);
    if (sqlite3_column_int64(q, 2) + pixels > LP_SESSION_PIXELS)
        return lp_fault_set(fault, 409, NULL, "session_full", "the pictures of a session may have at most %d pixels together",
                            LP_SESSION_PIXELS);
    return *number < LP_SESSION_OBJECTS ||
           lp_fault_set(fault, 409, NULL, "session_full", "a session holds at most %d objects", LP_SESSION_OBJECTS);
}

bool lp_state_next_turn(struct lp_state *s, int64_t session, int *turn, struct lp_fault *fault) {
    if (s->running == session)
        return lp_fault_set(fault, 409, NULL, "turn_running", "a turn of this session runs: wait for its end or cancel it");
    sqlite3_stmt *q = lp_state_bind(s, LP_Q_TURN_NEXT, "i", session);
    if (!lp_state_row(s, q, fault))
        return false;
    *turn = sqlite3_column_int(q, 0);
    return true;
}

json_t *lp_state_add_picture(struct lp_state *s, const struct lp_hash *owner, const char *id,
                             const struct lp_state_picture *p, struct lp_fault *fault) {
    struct lp_row row = {.object = {.kind = LP_OBJECT_IMAGE, .width = p->width, .height = p->height, .score = 1}, .user = true};
    const struct lp_state_content content = {.bytes = (uint8_t *)p->bytes, .n = p->n, .hash = p->file};
    int64_t session, number, picture, added = 0;
    if (!lp_state_enter(s, fault))
        return NULL;
    bool done = lp_state_own(s, owner, id, &session, fault) && lp_state_next_turn(s, session, &row.turn, fault) &&
                check_room(s, session, (int64_t)p->width * p->height, &number, &picture, fault);
    if (done)
        snprintf(row.object.handle, sizeof row.object.handle, "img_%d", (int)picture);
    done = done && lp_state_add_row(s, session, number, &row, &content, &added, fault) &&
           lp_state_run(s, lp_state_bind(s, LP_Q_SESSION_TOUCH, "ii", (int64_t)time(NULL), session), fault);
    if (!lp_state_leave(s, done, fault))
        return NULL;
    atomic_fetch_add(&s->objects, 1);
    atomic_fetch_add(&s->bytes, added);
    json_t *one = lp_state_object_json(&row.object, true, row.turn);
    if (!one)
        lp_fault_memory(fault);
    return one;
}

bool lp_state_find(struct lp_state *s, const struct lp_hash *owner, const char *id, const char *handle, bool content,
                   struct lp_state_found *found, struct lp_fault *fault) {
    struct lp_arena *arena = &found->arena;
    struct lp_row row;
    int64_t session;
    if (!lp_state_enter(s, fault))
        return false;
    bool done = lp_state_own(s, owner, id, &session, fault);
    sqlite3_stmt *q = done ? lp_state_bind(s, LP_Q_OBJECT_FIND, "it", session, handle) : NULL;
    bool there = done && lp_state_row(s, q, fault);
    if (done && !there && !fault->status)
        lp_fault_set(fault, 404, NULL, "object_not_found", "there is no such object in this session");
    done = there && lp_state_read_row(q, arena, &row, fault);
    done = lp_state_leave(s, done, fault);
    if (!done)
        return false;
    found->object = row.object;
    found->user = row.user;
    found->turn = row.turn;
    found->runs = row.runs;
    return !content || !row.filed || lp_state_blob_get(s, &row.hash, &found->bytes, fault);
}

void lp_state_found_done(struct lp_state_found *found) {
    lp_str_done(&found->bytes);
    lp_arena_done(&found->arena);
}
