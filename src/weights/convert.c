/* SPDX-License-Identifier: MIT */
/* weights/convert.c - which tensor goes into which file, and the folder that appears whole. */
#include "weights/convert.h"

#include "base/file.h"
#include "base/memory.h"
#include "weights/convert_inner.h"
#include "weights/torch_model.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_LIMIT = 1000, COPY_BYTES = 256 << 20, TIES_TOLD = 5 };
static const char aside_name[] = ".llava-plus-convert.part", one_name[] = "model.safetensors",
                  index_name[] = "model.safetensors.index.json";

struct work {
    const struct lp_convert_request *q;
    struct lp_torch_model model;
    struct lp_convert_shard *shard;
    size_t shards;
    const char **copy; /* names of files */
    size_t copies;
    char aside[PATH_MAX];
    uint64_t bytes, done; /* of tensors */
    struct lp_error *err;
};

static void tell(const struct work *w, const char *format, const char *a, const char *b) {
    struct lp_error sentence; /* for its manners: one line, without control characters */
    lp_error_set(&sentence, LP_OK, format, a, b);
    if (w->q->tell)
        w->q->tell(w->q->context, sentence.text);
}

/* In the files' order, so that a file is read from its beginning to its end. */
static bool plan_shards(struct work *w, struct lp_convert_report *report) {
    size_t n = 0;
    for (size_t i = 0; i < w->model.shard_count; i++)
        n += w->model.shards[i].content.count;
    const struct lp_torch_tensor **list = lp_arena_array(&w->model.arena, n, sizeof *list);
    w->shard = lp_arena_array(&w->model.arena, n, sizeof *w->shard);
    if (!list || !w->shard)
        return lp_error_memory(w->err);
    struct lp_convert_shard *s = NULL;
    for (size_t i = 0; i < w->model.shard_count; i++) {
        const struct lp_torch_file *f = &w->model.shards[i].content;
        for (size_t j = 0; j < f->count; j++) {
            const struct lp_torch_tensor *t = &f->tensors[j];
            if (!s || (!t->tied && s->count && s->bytes + t->bytes > w->q->shard_bytes)) {
                s = &w->shard[w->shards++];
                s->tensor = list;
            }
            *list++ = t;
            s->count++;
            s->bytes += t->tied ? 0 : t->bytes;
            report->tied += t->tied != NULL;
            report->tensors += !t->tied;
        }
    }
    return true;
}

static void name_shards(struct work *w) {
    for (size_t i = 0; i < w->shards; i++) {
        if (w->shards == 1)
            snprintf(w->shard[i].name, sizeof w->shard[i].name, "%s", one_name);
        else
            snprintf(w->shard[i].name, sizeof w->shard[i].name, "model-%05zu-of-%05zu.safetensors", i + 1,
                     w->shards);
        w->bytes += w->shard[i].bytes;
    }
}

static void tell_all(const struct work *w, size_t tied) {
    size_t told = 0;
    for (size_t i = 0; i < w->model.shard_count; i++) {
        const struct lp_torch_file *f = &w->model.shards[i].content;
        if (f->skipped[0])
            tell(w, "%s: left out what is no tensor of the model: %s", w->model.shards[i].name, f->skipped);
        for (size_t j = 0; j < f->count; j++)
            if (f->tensors[j].tied && told++ < TIES_TOLD)
                tell(w, "'%s' is tied to '%s' and written once, under that name", f->tensors[j].name,
                     f->tensors[j].tied);
    }
    if (tied > TIES_TOLD)
        tell(w, "%s%s", "more tensors are tied; the files' metadata names them", "");
}

static bool has_suffix(const char *name, const char *suffix) {
    size_t n = strlen(name), m = strlen(suffix);
    return n > m && strcmp(name + n - m, suffix) == 0;
}

/* Configuration, tokenizer and words about the model; never weights or their index. */
static bool goes_along(const char *name) {
    static const char *const suffixes[] = {".json", ".model", ".txt", ".jinja", ".md"};
    bool found = false;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        found = found || has_suffix(name, suffixes[i]);
    return found && name[0] != '.' && !has_suffix(name, ".index.json");
}

static bool is_same_folder(const char *a, const char *b) {
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool list_copies(struct work *w) {
    if (!w->model.folder || is_same_folder(w->model.folder, w->q->to))
        return true;
    w->copy = lp_arena_array(&w->model.arena, COPY_LIMIT, sizeof *w->copy);
    if (!w->copy)
        return lp_error_memory(w->err);
    DIR *folder = opendir(w->model.folder);
    if (!folder)
        return lp_error_set(w->err, LP_EIO, "cannot read the folder '%s': %s", w->model.folder,
                            strerror(errno));
    bool ok = true;
    for (struct dirent *e; ok && (e = readdir(folder));) {
        if (!goes_along(e->d_name))
            continue;
        if (w->copies == COPY_LIMIT)
            ok = lp_error_set(w->err, LP_EINPUT, "'%s' has more than %d files to copy", w->model.folder,
                              COPY_LIMIT);
        else if (!(w->copy[w->copies++] = lp_arena_strdup(&w->model.arena, e->d_name)))
            ok = lp_error_memory(w->err);
    }
    closedir(folder);
    if (ok)
        qsort(w->copy, w->copies, sizeof *w->copy, by_text);
    return ok;
}

static bool check_free(const struct work *w, const char *name) {
    char path[PATH_MAX];
    if (!lp_file_join(path, sizeof path, w->q->to, name, w->err))
        return false;
    return !lp_file_exists(path) ||
           lp_error_set(w->err, LP_EUSAGE,
                        "'%s' is there already: name another --out, or say --force to replace it", path);
}

static bool check_all_free(const struct work *w) {
    bool ok = check_free(w, one_name) && check_free(w, index_name);
    for (size_t i = 0; ok && i < w->shards; i++)
        ok = check_free(w, w->shard[i].name);
    for (size_t i = 0; ok && i < w->copies; i++)
        ok = check_free(w, w->copy[i]);
    return ok;
}

/* Removes the folder aside and the files in it, which are ours; a link in its place may lead to what is not.
 */
static void clear_aside(const struct work *w) {
    char path[PATH_MAX];
    struct stat st;
    if (lstat(w->aside, &st) == 0 && !S_ISDIR(st.st_mode)) {
        unlink(w->aside);
        return;
    }
    DIR *folder = opendir(w->aside);
    for (struct dirent *e; folder && (e = readdir(folder));)
        if (lp_file_join(path, sizeof path, w->aside, e->d_name, NULL))
            unlink(path);
    if (folder)
        closedir(folder);
    rmdir(w->aside);
}

static void count_written(void *context, size_t bytes) {
    struct work *w = context;
    w->done += bytes;
    if (w->q->progress)
        w->q->progress(w->q->context, w->done, w->bytes);
}

static bool copy_file(const struct work *w, const char *name) {
    char from[PATH_MAX], to[PATH_MAX];
    if (!lp_file_join(from, sizeof from, w->model.folder, name, w->err) ||
        !lp_file_join(to, sizeof to, w->aside, name, w->err))
        return false;
    size_t n;
    char *bytes = lp_file_read(from, COPY_BYTES, &n, w->err);
    bool ok = bytes && lp_file_write(to, bytes, n, w->err);
    lp_free(bytes);
    return ok;
}

static bool write_aside(struct work *w) {
    char path[PATH_MAX];
    bool ok = true;
    for (size_t i = 0; ok && i < w->copies; i++)
        ok = copy_file(w, w->copy[i]);
    for (size_t i = 0; ok && i < w->shards; i++)
        ok = lp_file_join(path, sizeof path, w->aside, w->shard[i].name, w->err) &&
             lp_convert_write_shard(path, &w->shard[i], count_written, w, w->err);
    if (ok && w->shards > 1)
        ok = lp_file_join(path, sizeof path, w->aside, index_name, w->err) &&
             lp_convert_write_index(path, w->shard, w->shards, w->err);
    return ok;
}

static bool move(const struct work *w, const char *name) {
    char from[PATH_MAX], to[PATH_MAX];
    return lp_file_join(from, sizeof from, w->aside, name, w->err) &&
           lp_file_join(to, sizeof to, w->q->to, name, w->err) && lp_file_move(from, to, w->err);
}

/* An older model's head goes first, so that new files are never read by it. */
static bool drop(const struct work *w, const char *name) {
    char path[PATH_MAX];
    if (!lp_file_join(path, sizeof path, w->q->to, name, w->err))
        return false;
    return unlink(path) == 0 || errno == ENOENT ||
           lp_error_set(w->err, LP_EIO, "cannot remove '%s': %s", path, strerror(errno));
}

static bool move_all(const struct work *w) {
    bool ok = drop(w, index_name) && (w->shards == 1 || drop(w, one_name));
    for (size_t i = 0; ok && i < w->copies; i++)
        ok = move(w, w->copy[i]);
    for (size_t i = 0; ok && i < w->shards; i++)
        ok = move(w, w->shard[i].name);
    return ok && (w->shards == 1 || move(w, index_name));
}

static bool write_folder(struct work *w) {
    bool was_there = lp_file_exists(w->q->to);
    if (!lp_file_join(w->aside, sizeof w->aside, w->q->to, aside_name, w->err))
        return false;
    clear_aside(w);
    bool ok = lp_file_make_folder(w->aside, w->err) && write_aside(w) && move_all(w);
    clear_aside(w);
    if (!ok && !was_there)
        rmdir(w->q->to);
    return ok;
}

bool lp_convert(const struct lp_convert_request *q, struct lp_convert_report *report, struct lp_error *err) {
    struct work w = {.q = q, .err = err};
    *report = (struct lp_convert_report){0};
    bool ok = lp_torch_model_open(&w.model, q->from, q->entry, err) && plan_shards(&w, report);
    if (ok) {
        name_shards(&w);
        ok = list_copies(&w) && (q->force || check_all_free(&w));
    }
    if (ok) {
        tell_all(&w, report->tied);
        ok = write_folder(&w);
    }
    report->shards = w.shards;
    report->copied = w.copies;
    report->bytes = w.bytes;
    lp_torch_model_close(&w.model);
    return ok;
}
