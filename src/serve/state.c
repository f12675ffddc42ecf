/* SPDX-License-Identifier: MIT */
/* serve/state.c - opening and closing the state, its transactions, and what SQLite's failures mean. */
#include "base/file.h"
#include "base/memory.h"
#include "serve/state_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATIENCE_MS = 5000,      /* for another program that looks into the database */
    PIXELS_BYTES = 32 << 20  /* most memory of pictures that stay decoded */
};

bool lp_state_damaged(struct lp_fault *fault, const char *what) {
    return lp_fault_set(fault, 500, NULL, "state_damaged", "the server's state is damaged: %s", what);
}

bool lp_state_failed(struct lp_state *s, struct lp_fault *fault) {
    struct lp_error err = {0};
    switch (sqlite3_errcode(s->db) & 0xff) {
    case SQLITE_NOMEM:
        lp_error_memory(&err);
        return lp_fault_from(fault, NULL, &err);
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
        return lp_fault_set(fault, 507, NULL, "state_not_written", "the server's state cannot be written: %s",
                            sqlite3_errmsg(s->db));
    default:
        return lp_state_damaged(fault, sqlite3_errmsg(s->db));
    }
}

/* Binds one parameter. */
static int bind(sqlite3_stmt *q, int i, char type, va_list *args) {
    const struct lp_hash *hash;
    switch (type) {
    case 't':
        return sqlite3_bind_text(q, i, va_arg(*args, const char *), -1, SQLITE_TRANSIENT);
    case 'i':
        return sqlite3_bind_int64(q, i, va_arg(*args, int64_t));
    case 'r':
        return sqlite3_bind_double(q, i, va_arg(*args, double));
    default:
        hash = va_arg(*args, const struct lp_hash *);
        return hash ? sqlite3_bind_blob(q, i, hash->byte, sizeof hash->byte, SQLITE_TRANSIENT) : sqlite3_bind_null(q, i);
    }
}

sqlite3_stmt *lp_state_bind(struct lp_state *s, enum lp_query q, const char *types, ...) {
    va_list args;
    bool good = true;
    if (!s->query[q] &&
        sqlite3_prepare_v3(s->db, lp_state_sql[q], -1, SQLITE_PREPARE_PERSISTENT, &s->query[q], NULL) != SQLITE_OK)
        return NULL;
    sqlite3_reset(s->query[q]);
    va_start(args, types);
    for (int i = 0; types[i]; i++)
        good = bind(s->query[q], i + 1, types[i], &args) == SQLITE_OK && good;
    va_end(args);
    return good ? s->query[q] : NULL;
}

bool lp_state_row(struct lp_state *s, sqlite3_stmt *q, struct lp_fault *fault) {
    int got = q ? sqlite3_step(q) : SQLITE_ERROR;
    if (got == SQLITE_ROW)
        return true;
    if (got != SQLITE_DONE)
        lp_state_failed(s, fault);
    sqlite3_reset(q);
    return false;
}

bool lp_state_run(struct lp_state *s, sqlite3_stmt *q, struct lp_fault *fault) {
    bool done = q && sqlite3_step(q) == SQLITE_DONE;
    if (!done)
        lp_state_failed(s, fault);
    sqlite3_reset(q);
    return done;
}

bool lp_state_enter(struct lp_state *s, struct lp_fault *fault) {
    pthread_mutex_lock(&s->lock);
    if (lp_state_run(s, lp_state_bind(s, LP_Q_BEGIN, ""), fault))
        return true;
    pthread_mutex_unlock(&s->lock);
    return false;
}

bool lp_state_leave(struct lp_state *s, bool good, struct lp_fault *fault) {
    for (int i = 0; i < LP_QUERIES; i++)
        sqlite3_reset(s->query[i]);
    good = good && lp_state_run(s, lp_state_bind(s, LP_Q_COMMIT, ""), fault);
    if (!good && !sqlite3_get_autocommit(s->db))
        sqlite3_step(lp_state_bind(s, LP_Q_ROLLBACK, ""));
    pthread_mutex_unlock(&s->lock);
    if (good)
        lp_state_sync_ask(&s->sync);
    return good;
}

static bool exec(struct lp_state *s, const char *sql, struct lp_fault *fault) {
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK || lp_state_failed(s, fault);
}

/* A whole number that a statement gives; -1 on failure. */
static int64_t ask_number(struct lp_state *s, const char *sql) {
    sqlite3_stmt *q;
    int64_t value = -1;
    if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        value = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return value;
}

/* Makes an older version this one, all or nothing. */
static bool upgrade(struct lp_state *s, int64_t version, struct lp_fault *fault) {
    char mark[60];
    snprintf(mark, sizeof mark, "PRAGMA user_version = %d;", LP_STATE_SCHEMA);
    if (version == LP_STATE_SCHEMA)
        return true;
    bool done = exec(s, "BEGIN", fault);
    for (; done && version < LP_STATE_SCHEMA; version++)
        done = exec(s, lp_state_upgrade[version], fault);
    return done && exec(s, mark, fault) && exec(s, "COMMIT", fault);
}

/* A new database gets its tables; another must be ours, of this version and whole. */
static bool check_schema(struct lp_state *s, struct lp_fault *fault) {
    char mark[100];
    int64_t application = ask_number(s, "PRAGMA application_id"), version = ask_number(s, "PRAGMA user_version");
    int64_t tables = ask_number(s, "SELECT count(*) FROM sqlite_master");
    if (application < 0 || version < 0 || tables < 0)
        return lp_state_failed(s, fault);
    if (!tables) {
        snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %d;", LP_STATE_APPLICATION,
                 LP_STATE_SCHEMA);
        return exec(s, "BEGIN", fault) && exec(s, lp_state_schema, fault) && exec(s, mark, fault) &&
               exec(s, "COMMIT", fault);
    }
    if (application != LP_STATE_APPLICATION)
        return lp_state_damaged(fault, "state.db is another program's database");
    if (version < 1 || version > LP_STATE_SCHEMA)
        return lp_fault_set(fault, 500, NULL, NULL, "the server's state has the version %lld, this program knows those up to %d",
                            (long long)version, LP_STATE_SCHEMA);
    sqlite3_stmt *q;
    bool whole = sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &q, NULL) == SQLITE_OK &&
                 sqlite3_step(q) == SQLITE_ROW && !strcmp((const char *)sqlite3_column_text(q, 0), "ok");
    sqlite3_finalize(q);
    return whole ? upgrade(s, version, fault) : lp_state_damaged(fault, "state.db fails SQLite's check");
}

static bool open_database(struct lp_state *s, struct lp_fault *fault) {
    char path[PATH_MAX];
    if (!lp_file_join(path, sizeof path, s->folder, "state.db", &fault->err))
        return lp_fault_set(fault, 507, NULL, NULL, "the path of the state is too long");
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* SQLite's other files get the same rights */
    if (file >= 0)
        close(file);
    if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return lp_state_failed(s, fault);
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_busy_timeout(s->db, PATIENCE_MS);
    return exec(s, "PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;", fault) &&
           exec(s, "PRAGMA cache_size = -1000;", fault) && check_schema(s, fault) &&
           exec(s, "PRAGMA journal_mode = WAL;", fault) &&
           exec(s, s->temporary ? "PRAGMA synchronous = OFF;" : "PRAGMA synchronous = NORMAL;", fault) &&
           (s->temporary || lp_state_sync_init(&s->sync, s->folder, fault));
}

/* What was running belongs to a process that is no more. */
static bool take_over(struct lp_state *s, struct lp_fault *fault) {
    bool done = lp_state_enter(s, fault);
    if (!done)
        return false;
    done = lp_state_run(s, lp_state_bind(s, LP_Q_TURN_INTERRUPT_ALL, ""), fault);
    sqlite3_stmt *q = lp_state_bind(s, LP_Q_TOTALS, "");
    if (done && lp_state_row(s, q, fault)) {
        s->sessions = sqlite3_column_int64(q, 0);
        s->objects = sqlite3_column_int64(q, 1);
        s->bytes = sqlite3_column_int64(q, 2);
    }
    done = done && !fault->status && lp_state_blob_sweep(s, &fault->err);
    if (!done && !fault->status)
        fault->status = 507;
    return lp_state_leave(s, done, fault);
}

static bool make_temporary(struct lp_state *s, struct lp_error *err) {
    const char *parent = getenv("TMPDIR");
    s->temporary = true;
    if (snprintf(s->folder, sizeof s->folder, "%s/llava-plus-XXXXXX", parent && *parent ? parent : "/tmp") >=
            (int)sizeof s->folder ||
        !mkdtemp(s->folder)) {
        s->temporary = false; /* nothing to delete */
        return lp_error_set(err, LP_EIO, "cannot make a folder for the state in '%s': %s",
                            parent && *parent ? parent : "/tmp", strerror(errno));
    }
    return true;
}

/* A folder that only its owner can read, where it is made here. */
static bool make_folder(const char *path, struct lp_error *err) {
    bool there = lp_file_exists(path);
    return lp_file_make_folder(path, err) && (there || !chmod(path, 0700) ||
                                              lp_error_set(err, LP_EIO, "cannot write '%s': %s", path, strerror(errno)));
}

/* The folders, and that no other process has them. */
static bool open_folder(struct lp_state *s, const char *folder, struct lp_error *err) {
    char path[PATH_MAX];
    if (!folder && !make_temporary(s, err))
        return false;
    if (folder && snprintf(s->folder, sizeof s->folder, "%s", folder) >= (int)sizeof s->folder)
        return lp_error_set(err, LP_EIO, "the path '%s' is too long", folder);
    if (folder && !make_folder(folder, err))
        return false;
    if (!lp_state_blob_path(s, "", path, err) || !make_folder(path, err) ||
        !lp_file_join(path, sizeof path, s->folder, "lock", err))
        return false;
    s->lock_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_file < 0)
        return lp_error_set(err, LP_EIO, "cannot write '%s': %s", path, strerror(errno));
    return !flock(s->lock_file, LOCK_EX | LOCK_NB) ||
           lp_error_set(err, LP_EIO, "the state in '%s' is in use by another server", s->folder);
}

struct lp_state *lp_state_open(const char *folder, size_t most_bytes, struct lp_error *err) {
    struct lp_state *s = lp_alloc(sizeof *s);
    struct lp_fault fault = {0};
    if (!s) {
        lp_error_memory(err);
        return NULL;
    }
    s->lock_file = -1;
    s->most_bytes = most_bytes;
    pthread_mutex_init(&s->lock, NULL);
    if (!(s->pixels = lp_pixels_open(PIXELS_BYTES, err))) {
        lp_state_close(s);
        return NULL;
    }
    if (folder && !*folder) {
        lp_error_set(err, LP_EUSAGE, "the state's folder has no name");
    } else if (open_folder(s, folder, err)) {
        if (open_database(s, &fault) && take_over(s, &fault))
            return s;
        lp_error_set(err, fault.status == 507 ? LP_EIO : fault.status == 503 ? LP_EMEMORY : LP_EINPUT, "%s",
                     fault.err.text);
        lp_error_prefix(err, "'%s'", s->folder);
    }
    lp_state_close(s);
    return NULL;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *place) {
    (void)st;
    (void)kind;
    (void)place;
    remove(path);
    return 0;
}

void lp_state_close(struct lp_state *s) {
    if (!s)
        return;
    lp_state_sync_done(&s->sync);
    for (int i = 0; i < LP_QUERIES; i++)
        sqlite3_finalize(s->query[i]);
    sqlite3_close(s->db);
    if (s->temporary)
        nftw(s->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    if (s->lock_file >= 0)
        close(s->lock_file);
    lp_pixels_close(s->pixels);
    pthread_mutex_destroy(&s->lock);
    lp_free(s);
}

struct lp_state_counts lp_state_counts(struct lp_state *s) {
    return (struct lp_state_counts){atomic_load(&s->sessions), atomic_load(&s->objects), atomic_load(&s->bytes)};
}

struct lp_pixels *lp_state_pixels(struct lp_state *s) {
    return s->pixels;
}

struct lp_state_memory lp_state_memory(struct lp_state *s) {
    return (struct lp_state_memory){sqlite3_memory_used(), (int64_t)lp_pixels_memory(s->pixels)};
}
