/* SPDX-License-Identifier: MIT */
/* data/journal.c - a file of JSON lines, appended and synced one by one. */
#include "data/journal.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct lp_journal {
    int fd;
    char *path;
    json_t *lines; /* object: key to value */
};

static bool write_line(struct lp_journal *j, const json_t *line, struct lp_error *err) {
    char *text = lp_json_text(line);
    if (!text)
        return lp_error_memory(err);
    size_t n = strlen(text);
    text[n] = '\n'; /* in place of the NUL: the line goes out in one piece */
    bool ok = true;
    for (size_t at = 0; ok && at < n + 1;) {
        ssize_t put = write(j->fd, text + at, n + 1 - at);
        if (put > 0)
            at += (size_t)put;
        else
            ok = put < 0 && errno == EINTR;
    }
    ok = ok && fsync(j->fd) == 0;
    lp_free(text);
    return ok || lp_error_set(err, LP_EIO, "cannot write '%s': %s", j->path, strerror(errno));
}

/* The lines of text, whose last one is ended. */
static bool read_lines(struct lp_journal *j, const json_t *head, const char *text, struct lp_error *err) {
    int number = 0;
    bool ok = true;
    for (const char *end; ok && *text; text = end + 1) {
        end = strchr(text, '\n');
        struct lp_error bad = {0};
        json_t *line = lp_json_parse(text, (size_t)(end - text), j->path, &bad);
        const char *key = json_string_value(json_object_get(line, "key"));
        json_t *value = json_object_get(line, "value");
        if (bad.code == LP_EMEMORY)
            ok = lp_error_memory(err);
        else if (++number == 1 && !json_equal(line, head))
            ok = lp_error_set(err, LP_EUSAGE, "'%s' was begun with other settings: remove it to begin anew", j->path);
        else if (number > 1 && (!key || !value))
            ok = lp_error_set(err, LP_EINPUT, "%s, line %d is damaged: remove that line", j->path, number);
        else if (number > 1 && json_object_set(j->lines, key, value))
            ok = lp_error_memory(err);
        json_decref(line);
    }
    return ok;
}

static bool read_file(struct lp_journal *j, const json_t *head, struct lp_error *err) {
    size_t n;
    char *text = lp_file_read(j->path, (size_t)1 << 30, &n, err);
    if (!text)
        return false;
    size_t all = n;
    while (n && text[n - 1] != '\n')
        n--;
    text[n] = 0;
    bool ok = strlen(text) == n || lp_error_set(err, LP_EINPUT, "'%s' is damaged: it holds a NUL", j->path);
    ok = ok && read_lines(j, head, text, err);
    lp_free(text);
    if (ok && n < all && ftruncate(j->fd, (off_t)n))
        ok = lp_error_set(err, LP_EIO, "cannot write '%s': %s", j->path, strerror(errno));
    return ok && (n || write_line(j, head, err));
}

struct lp_journal *lp_journal_open(const char *path, const json_t *head, struct lp_error *err) {
    struct lp_journal *j = lp_alloc(sizeof *j);
    if (j)
        j->fd = -1;
    if (!j || !(j->path = lp_alloc(strlen(path) + 1)) || !(j->lines = json_object())) {
        lp_error_memory(err);
        goto fail;
    }
    memcpy(j->path, path, strlen(path) + 1);
    j->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (j->fd < 0) {
        lp_error_set(err, LP_EIO, "cannot write '%s': %s", path, strerror(errno));
        goto fail;
    }
    if (flock(j->fd, LOCK_EX | LOCK_NB)) {
        lp_error_set(err, LP_EIO, "another run is writing '%s'", path);
        goto fail;
    }
    if (read_file(j, head, err))
        return j;
fail:
    lp_journal_close(j);
    return NULL;
}

void lp_journal_close(struct lp_journal *j) {
    if (!j)
        return;
    if (j->fd >= 0)
        close(j->fd);
    json_decref(j->lines);
    lp_free(j->path);
    lp_free(j);
}

const json_t *lp_journal_find(const struct lp_journal *j, const char *key) {
    return json_object_get(j->lines, key);
}

bool lp_journal_put(struct lp_journal *j, const char *key, json_t *value, struct lp_error *err) {
    json_t *line = json_pack("{s:s, s:O}", "key", key, "value", value);
    bool ok = line && !json_object_set(j->lines, key, value) ? true : lp_error_memory(err);
    ok = ok && write_line(j, line, err);
    json_decref(line);
    return ok;
}

size_t lp_journal_size(const struct lp_journal *j) {
    return json_object_size(j->lines);
}

bool lp_journal_remove(struct lp_journal *j, struct lp_error *err) {
    return unlink(j->path) == 0 || lp_error_set(err, LP_EIO, "cannot remove '%s': %s", j->path, strerror(errno));
}
