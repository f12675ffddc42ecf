/* SPDX-License-Identifier: MIT */
/* serve/state_sql.c - the tables, and all that is ever asked of them. Times are seconds since 1970. */
#include "serve/state_inner.h"

/* sessions.id and the handles are what clients know; number and session are the tables' own. An object's number counts a
 * session's objects from 0, of all kinds; messages.marks are a request's points and
 * boxes, told is what a planner on a server is told of results; objects.picture is the number of the picture on which one
 * lies. */
const char lp_state_schema[] =
    "CREATE TABLE sessions(session INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, owner BLOB NOT NULL,"
    " created INTEGER NOT NULL, changed INTEGER NOT NULL);"
    "CREATE INDEX sessions_of_owner ON sessions(owner, changed);"
    "CREATE TABLE turns(session INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE, turn INTEGER NOT NULL,"
    " status TEXT NOT NULL, request TEXT NOT NULL, reply TEXT, began INTEGER NOT NULL, ended INTEGER,"
    " vote INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY(session, turn)) WITHOUT ROWID;"
    "CREATE TABLE messages(number INTEGER PRIMARY KEY, session INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,"
    " turn INTEGER NOT NULL, assistant INTEGER NOT NULL, request INTEGER NOT NULL, first INTEGER NOT NULL,"
    " pictures INTEGER NOT NULL, text TEXT NOT NULL, told TEXT, marks TEXT);"
    "CREATE INDEX messages_of_session ON messages(session, number);"
    "CREATE TABLE objects(session INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE, number INTEGER NOT NULL,"
    " turn INTEGER NOT NULL, handle TEXT NOT NULL, by_user INTEGER NOT NULL, hash BLOB, bytes INTEGER NOT NULL,"
    " width INTEGER NOT NULL, height INTEGER NOT NULL, x0 REAL, y0 REAL, x1 REAL, y1 REAL, score REAL,"
    " count INTEGER, text TEXT, runs TEXT, picture INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(session, number),"
    " UNIQUE(session, handle));"
    "CREATE INDEX objects_of_hash ON objects(hash) WHERE hash IS NOT NULL;";

/* Version 1 did not know on which picture an object lies: the newest one before it. */
const char *const lp_state_upgrade[LP_STATE_SCHEMA] = {
    [1] = "ALTER TABLE objects ADD COLUMN picture INTEGER NOT NULL DEFAULT 0;"
          "UPDATE objects SET picture = (SELECT count(*) FROM objects p WHERE p.session = objects.session"
          " AND p.number < objects.number AND p.handle GLOB 'img_*')"
          " WHERE handle GLOB 'box_*' OR handle GLOB 'mask_*' OR handle GLOB 'map_*' OR handle GLOB 'point_*';",
};

#define FIRST_TEXT "(SELECT json_extract(request, '$.text') FROM turns t WHERE t.session = s.session ORDER BY turn LIMIT 1)"
#define OBJECT_COLUMNS "handle, turn, by_user, hash, width, height, x0, y0, x1, y1, score, count, text, runs, picture"

const char *const lp_state_sql[LP_QUERIES] = {
    [LP_Q_BEGIN] = "BEGIN IMMEDIATE",
    [LP_Q_COMMIT] = "COMMIT",
    [LP_Q_ROLLBACK] = "ROLLBACK",
    [LP_Q_SESSION_ADD] = "INSERT INTO sessions(id, owner, created, changed) VALUES(?1, ?2, ?3, ?3)",
    [LP_Q_SESSION_FIND] = "SELECT session, created, changed, " FIRST_TEXT " FROM sessions s WHERE id = ? AND owner = ?",
    [LP_Q_SESSION_COUNT] = "SELECT count(*) FROM sessions WHERE owner = ?",
    [LP_Q_SESSION_LIST] = "SELECT id, created, changed, " FIRST_TEXT ", (SELECT count(*) FROM turns t WHERE t.session = s.session)"
                          " FROM sessions s WHERE owner = ? ORDER BY changed DESC, session DESC",
    [LP_Q_SESSION_TOUCH] = "UPDATE sessions SET changed = ? WHERE session = ?",
    [LP_Q_SESSION_DELETE] = "DELETE FROM sessions WHERE session = ?",
    [LP_Q_SESSION_HASHES] = "SELECT hash, max(bytes) FROM objects WHERE session = ? AND hash IS NOT NULL GROUP BY hash",
    [LP_Q_HASH_USED] = "SELECT 1 FROM objects WHERE hash = ? LIMIT 1",
    [LP_Q_TURN_ADD] = "INSERT INTO turns(session, turn, status, request, began) VALUES(?, ?, 'running', ?, ?)",
    [LP_Q_TURN_NEXT] = "SELECT coalesce(max(turn), 0) + 1 FROM turns WHERE session = ?",
    [LP_Q_TURN_SAVE] = "UPDATE turns SET status = ?3, reply = ?4, ended = ?5 WHERE session ="
                       " (SELECT session FROM sessions WHERE id = ?1) AND turn = ?2 RETURNING session",
    [LP_Q_TURN_FORGET] = "DELETE FROM turns WHERE session = (SELECT session FROM sessions WHERE id = ?) AND turn = ?",
    [LP_Q_TURN_LIST] = "SELECT turn, status, request, reply, began, ended, vote FROM turns WHERE session = ? ORDER BY turn",
    [LP_Q_TURN_VOTE] = "UPDATE turns SET vote = ? WHERE session = ? AND turn = ? RETURNING turn",
    [LP_Q_TURN_INTERRUPT] = "UPDATE turns SET status = 'interrupted' WHERE session = ? AND status = 'running'",
    [LP_Q_TURN_INTERRUPT_ALL] = "UPDATE turns SET status = 'interrupted' WHERE status = 'running'",
    [LP_Q_MESSAGE_ADD] = "INSERT INTO messages(session, turn, assistant, request, first, pictures, text, told,"
                         " marks) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [LP_Q_MESSAGE_LIST] = "SELECT turn, assistant, request, first, pictures, text, told, marks FROM messages"
                          " WHERE session = (SELECT session FROM sessions WHERE id = ?) ORDER BY number",
    [LP_Q_OBJECT_ADD] = "INSERT INTO objects(session, number, " OBJECT_COLUMNS ", bytes)"
                        " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [LP_Q_OBJECT_LIST] = "SELECT " OBJECT_COLUMNS " FROM objects WHERE session = (SELECT session FROM sessions WHERE id = ?)"
                         " AND number >= ? ORDER BY number",
    [LP_Q_OBJECT_FIND] = "SELECT " OBJECT_COLUMNS " FROM objects WHERE session = ? AND handle = ?",
    [LP_Q_OBJECT_COUNT] = "SELECT count(*) FROM objects WHERE session = ?",
    [LP_Q_PICTURE_COUNT] = "SELECT coalesce(sum(handle GLOB 'img_*'), 0), coalesce(sum(handle GLOB 'img_*' AND by_user), 0),"
                           " coalesce(sum((handle GLOB 'img_*' AND by_user) * width * height), 0), count(*)"
                           " FROM objects WHERE session = ?",
    [LP_Q_TOTALS] = "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM objects),"
                    " (SELECT coalesce(sum(bytes), 0) FROM"
                    " (SELECT max(bytes) AS bytes FROM objects WHERE hash IS NOT NULL GROUP BY hash))",
};
