/* SPDX-License-Identifier: MIT */
/* base/store_folder.c - the part on disk: a file for each key, <key in hexadecimal>.lpcache. Files appear
 * whole by a rename; what a power cut left of one, the checksum shows, so nobody waits for the disk. A file's
 * time is that of its last use. Several processes may share a folder, and anything in it may vanish at any
 * time. */
#include "base/checksum.h"
#include "base/memory.h"
#include "base/store_inner.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char magic[8] = "LPCACHE", ending[] = ".lpcache";
enum {
    VERSION = 1,         /* of the files' form */
    HEX = 64,            /* digits of a key */
    STALE_SECONDS = 3600 /* a file aside that is older was left by a process that is no more */
};

static uint64_t checksum(const struct lp_store_head *head) {
    struct lp_store_head bare = *head;
    bare.checksum = 0;
    return lp_checksum(lp_checksum(0, &bare, sizeof bare), (const char *)head + LP_STORE_HEAD, head->bytes);
}

/* The path of a key's file; false when it would be too long. */
static bool path_of(const struct lp_store_folder *f, const struct lp_hash *key, char path[PATH_MAX]) {
    char name[HEX + sizeof ending];
    lp_hash_hex(key, name);
    strcat(name, ending);
    return lp_file_join(path, PATH_MAX, f->path, name, NULL);
}

/* A file of the cache, or what was to become one. */
struct found {
    char name[HEX + sizeof ending + 7];
    struct timespec used;
    size_t bytes;
};

static bool is_ours(const char *name, bool *aside) {
    size_t n = strlen(name);
    *aside = n == HEX + sizeof ending - 1 + 7;
    if ((n != HEX + sizeof ending - 1 && !*aside) || memcmp(name + HEX, ending, sizeof ending - 1) ||
        (*aside && name[n - 7] != '.'))
        return false;
    for (int i = 0; i < HEX; i++)
        if (!isxdigit((unsigned char)name[i]))
            return false;
    return true;
}

/* All files of the cache; *n of them, owned by caller; deletes what is stale. NULL: none, or no memory. */
static struct found *list(int folder, DIR *dir, size_t *n) {
    struct found *all = NULL;
    size_t capacity = 0;
    *n = 0;
    for (const struct dirent *entry; (entry = readdir(dir));) {
        struct stat st;
        bool aside;
        if (!is_ours(entry->d_name, &aside) || fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
            !S_ISREG(st.st_mode))
            continue;
        if (aside && st.st_mtim.tv_sec + STALE_SECONDS < time(NULL))
            unlinkat(folder, entry->d_name, 0);
        if (aside)
            continue;
        if (*n == capacity) {
            struct found *grown = lp_realloc(all, (capacity = 2 * capacity + 64) * sizeof *grown);
            if (!grown)
                break;
            all = grown;
        }
        struct found *new = &all[(*n)++];
        strcpy(new->name, entry->d_name);
        new->used = st.st_mtim;
        new->bytes = (size_t)st.st_size;
    }
    return all;
}

static int by_use(const void *a, const void *b) {
    const struct timespec *x = &((const struct found *)a)->used, *y = &((const struct found *)b)->used;
    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? -1 : 1;
    return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

/* Counts what is there, and deletes the oldest until at most `most` bytes are left. */
static void tidy(struct lp_store_folder *f, size_t most) {
    DIR *dir = opendir(f->path);
    size_t n = 0, used = 0;
    if (!dir)
        return;
    struct found *all = list(dirfd(dir), dir, &n);
    if (n)
        qsort(all, n, sizeof *all, by_use);
    for (size_t i = 0; i < n; i++)
        used += all[i].bytes;
    for (size_t i = 0; i < n && used > most; i++)
        if (!unlinkat(dirfd(dir), all[i].name, 0))
            used -= all[i].bytes;
    f->used = used;
    lp_free(all);
    closedir(dir);
}

bool lp_store_folder_init(struct lp_store_folder *f, const char *path, size_t limit, struct lp_error *err) {
    *f = (struct lp_store_folder){.limit = limit};
    pthread_mutex_init(&f->lock, NULL);
    if (!path)
        return true;
    if (!*path)
        return lp_error_set(err, LP_EUSAGE, "the cache's folder has no name");
    if (!(f->path = lp_alloc(strlen(path) + 1)))
        return lp_error_memory(err);
    strcpy(f->path, path);
    if (!lp_file_make_folder(path, err))
        return false;
    tidy(f, limit);
    return true;
}

void lp_store_folder_done(struct lp_store_folder *f) {
    pthread_mutex_destroy(&f->lock);
    lp_free(f->path);
}

static void note_use(const char *path) {
    utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
}

bool lp_store_folder_has(const struct lp_store_folder *f, const struct lp_hash *key, size_t bytes) {
    char path[PATH_MAX];
    struct stat st;
    if (!f->path || !path_of(f, key, path) || lstat(path, &st) || !S_ISREG(st.st_mode) ||
        (size_t)st.st_size != LP_STORE_HEAD + bytes)
        return false;
    note_use(path);
    return true;
}

bool lp_store_folder_find(struct lp_store_folder *f, const struct lp_hash *key, size_t bytes,
                          struct lp_file *out) {
    char path[PATH_MAX];
    if (!f->path || !path_of(f, key, path) || !lp_file_open(out, path, NULL))
        return false;
    const struct lp_store_head *head = (const void *)out->data;
    if (out->size == LP_STORE_HEAD + bytes && !memcmp(head->magic, magic, sizeof magic) &&
        head->version == VERSION && head->head_bytes == LP_STORE_HEAD && head->bytes == bytes &&
        lp_hash_equal(&head->key, key) && head->checksum == checksum(head)) {
        note_use(path);
        return true;
    }
    lp_file_close(out);
    unlink(path);
    return false;
}

void lp_store_folder_put(struct lp_store_folder *f, struct lp_store_head *head) {
    char path[PATH_MAX];
    struct stat st;
    size_t size = LP_STORE_HEAD + head->bytes;
    if (!f->path || size > f->limit || !path_of(f, &head->key, path))
        return;
    if (!lstat(path, &st) && !S_ISREG(st.st_mode)) /* somebody else's: writing might lead out of the folder */
        return;
    memcpy(head->magic, magic, sizeof magic);
    head->version = VERSION;
    head->head_bytes = LP_STORE_HEAD;
    head->checksum = checksum(head);
    pthread_mutex_lock(&f->lock);
    if (f->used + size > f->limit) /* some more than needed: not again at once */
        tidy(f, f->limit - size < f->limit / 8 * 7 ? f->limit - size : f->limit / 8 * 7);
    f->used += size;
    pthread_mutex_unlock(&f->lock);
    if (!lp_file_exists(f->path)) /* it was deleted */
        lp_file_make_folder(f->path, NULL);
    if (lp_file_write_unsynced(path, head, size, NULL))
        return;
    pthread_mutex_lock(&f->lock);
    f->used -= f->used < size ? f->used : size;
    pthread_mutex_unlock(&f->lock);
}
