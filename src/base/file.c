/* SPDX-License-Identifier: MIT */
/* base/file.c - mapping, reading and atomic writing. */
#include "base/file.h"

#include "base/memory.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opens a regular file for reading; -1 with a sentence otherwise. O_NONBLOCK: a FIFO must not hang us. */
static int open_regular(const char *path, struct stat *st, struct lp_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, st) < 0) {
        lp_error_set(err, LP_EIO, "cannot open '%s': %s", path, strerror(errno));
    } else if (S_ISDIR(st->st_mode)) {
        lp_error_set(err, LP_EIO, "'%s' is a folder, not a file", path);
    } else if (!S_ISREG(st->st_mode)) {
        lp_error_set(err, LP_EIO, "'%s' is not a regular file", path);
    } else {
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

bool lp_file_open(struct lp_file *f, const char *path, struct lp_error *err) {
    struct stat st;
    *f = (struct lp_file){0};
    int fd = open_regular(path, &st, err);
    if (fd < 0)
        return false;
    f->size = (size_t)st.st_size;
    f->changed_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    if (f->size > 0) {
        void *data = mmap(NULL, f->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            lp_error_set(err, LP_EIO, "cannot map '%s': %s", path, strerror(errno));
            f->size = 0;
            close(fd);
            return false;
        }
        f->data = data;
    }
    close(fd);
    return true;
}

void lp_file_close(struct lp_file *f) {
    if (f->data)
        munmap((void *)f->data, f->size);
    *f = (struct lp_file){0};
}

/* Advises of all pages that hold some of the bytes. */
static int advise(const void *data, size_t size, int advice) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)data / page * page;
    return size ? madvise((void *)begin, (uintptr_t)data + size - begin, advice) : 0;
}

void lp_file_let_go(const void *data, size_t size) {
    advise(data, size, MADV_DONTNEED);
}

void lp_file_large_pages(const struct lp_file *f) {
    madvise((void *)f->data, f->size, MADV_HUGEPAGE);
}

void lp_file_hasten(const void *data, size_t size) {
    if (advise(data, size, MADV_POPULATE_READ))
        advise(data, size, MADV_WILLNEED); /* kernels before Linux 5.14 */
}

void lp_file_forget(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

char *lp_file_read(const char *path, size_t limit, size_t *size, struct lp_error *err) {
    struct stat st;
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "standard input" : path;
    int fd = is_stdin ? STDIN_FILENO : open_regular(path, &st, err);
    if (fd < 0)
        return NULL;
    struct lp_str text = {0};
    char block[65536];
    ssize_t got;
    while ((got = read(fd, block, sizeof block)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            lp_error_set(err, LP_EIO, "cannot read '%s': %s", name, strerror(errno));
            break;
        }
        if (text.n + (size_t)got > limit) {
            lp_error_set(err, LP_EINPUT, "'%s' is larger than %zu MiB", name, limit >> 20);
            got = -1;
            break;
        }
        lp_str_add(&text, block, (size_t)got);
    }
    if (!is_stdin)
        close(fd);
    if (got == 0) {
        lp_str_add(&text, "", 0); /* an empty file is an empty string, not NULL */
        if (!text.failed) {
            *size = text.n;
            return text.s;
        }
        lp_error_memory(err);
    }
    lp_str_done(&text);
    return NULL;
}

static bool write_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t put = write(fd, data, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        data += put;
        size -= (size_t)put;
    }
    return true;
}

/* The rename itself must reach the disk too: sync the folder. A file system that cannot is not an error. */
static void sync_folder_of(const char *path) {
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

static bool is_special(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static bool cannot_write(const char *path, struct lp_error *err) {
    return lp_error_set(err, LP_EIO, "cannot write '%s': %s", path, strerror(errno));
}

static bool write_in_place(const char *path, const struct lp_file_part *parts, size_t n, struct lp_error *err) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0;
    for (size_t i = 0; i < n && ok; i++)
        ok = write_all(fd, parts[i].data, parts[i].size);
    if (!ok)
        cannot_write(path, err);
    if (fd >= 0 && close(fd) && ok)
        ok = cannot_write(path, err);
    return ok;
}

static bool write_aside(const char *path, const struct lp_file_part *parts, size_t n, bool sync, struct lp_error *err) {
    char aside[PATH_MAX];
    if (is_special(path))
        return write_in_place(path, parts, n, err);
    if (snprintf(aside, sizeof aside, "%s.XXXXXX", path) >= (int)sizeof aside)
        return lp_error_set(err, LP_EIO, "the path '%s' is too long", path);
    int fd = mkostemp(aside, O_CLOEXEC);
    if (fd < 0)
        return cannot_write(path, err);
    mode_t mask = umask(0);
    umask(mask);
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++)
        ok = write_all(fd, parts[i].data, parts[i].size);
    ok = ok && fchmod(fd, 0666 & ~mask) == 0 && (!sync || fsync(fd) == 0);
    ok = close(fd) == 0 && ok;
    ok = ok && rename(aside, path) == 0;
    if (!ok) {
        cannot_write(path, err);
        unlink(aside);
        return false;
    }
    if (sync)
        sync_folder_of(path);
    return true;
}

bool lp_file_write_parts(const char *path, const struct lp_file_part *parts, size_t n, struct lp_error *err) {
    return write_aside(path, parts, n, true, err);
}

bool lp_file_write_unsynced(const char *path, const void *data, size_t size, struct lp_error *err) {
    return write_aside(path, &(struct lp_file_part){data, size}, 1, false, err);
}

bool lp_file_write(const char *path, const void *data, size_t size, struct lp_error *err) {
    return lp_file_write_parts(path, &(struct lp_file_part){data, size}, 1, err);
}

bool lp_file_begin(struct lp_file_writing *w, const char *path, struct lp_error *err) {
    *w = (struct lp_file_writing){.path = path};
    if (!is_special(path)) {
        size_t n = strlen(path) + sizeof ".part";
        if (!(w->aside = lp_alloc(n)))
            return lp_error_memory(err);
        snprintf(w->aside, n, "%s.part", path);
    }
    w->to = fopen(w->aside ? w->aside : path, "we");
    if (w->to)
        return true;
    cannot_write(path, err);
    lp_free(w->aside);
    return false;
}

bool lp_file_end(struct lp_file_writing *w, bool good, struct lp_error *err) {
    bool written = !fflush(w->to) && !ferror(w->to) && (!good || !w->aside || !fsync(fileno(w->to)));
    written = !fclose(w->to) && written;
    bool ok = good && written && (!w->aside || !rename(w->aside, w->path));
    if (good && !ok)
        cannot_write(w->path, err);
    if (ok && w->aside)
        sync_folder_of(w->path);
    if (!ok && w->aside)
        unlink(w->aside);
    lp_free(w->aside);
    return ok;
}

bool lp_file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

bool lp_file_move(const char *from, const char *to, struct lp_error *err) {
    if (rename(from, to) < 0)
        return cannot_write(to, err);
    sync_folder_of(to);
    return true;
}

bool lp_file_make_folder(const char *path, struct lp_error *err) {
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return lp_error_set(err, LP_EIO, "the path '%s' is too long", path);
    for (char *c = part + 1;; c++) {
        if (*c && *c != '/')
            continue;
        char kept = *c;
        *c = 0;
        if (mkdir(part, 0777) < 0 && errno != EEXIST)
            return lp_error_set(err, LP_EIO, "cannot make the folder '%s': %s", part, strerror(errno));
        *c = kept;
        if (!kept)
            break;
    }
    struct stat st;
    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return lp_error_set(err, LP_EIO, "'%s' is there already and is not a folder", path);
    return true;
}

bool lp_file_join(char *out, size_t size, const char *folder, const char *name, struct lp_error *err) {
    bool alone = name[0] == '/' || !folder || !folder[0];
    int n = snprintf(out, size, "%s%s%s", alone ? "" : folder, alone ? "" : "/", name);
    if (n < 0 || (size_t)n >= size)
        return lp_error_set(err, LP_EIO, "the path '%s/%s' is too long", folder ? folder : "", name);
    return true;
}
