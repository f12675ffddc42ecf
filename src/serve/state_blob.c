/* SPDX-License-Identifier: MIT */
/* serve/state_blob.c - contents as files, each named by its SHA-256. A file is there, whole and on disk, before a row
 * names it, and is deleted after the last row that does. */
#include "base/file.h"
#include "serve/state_inner.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEX = 64 };

bool lp_state_blob_path(const struct lp_state *s, const char *name, char path[PATH_MAX], struct lp_error *err) {
    return snprintf(path, PATH_MAX, "%s/blobs%s%s", s->folder, *name ? "/" : "", name) < PATH_MAX ||
           lp_error_set(err, LP_EIO, "the path '%s' is too long", s->folder);
}

static bool path_of(struct lp_state *s, const struct lp_hash *hash, char path[PATH_MAX], struct lp_fault *fault) {
    char name[HEX + 1];
    lp_hash_hex(hash, name);
    return lp_state_blob_path(s, name, path, &fault->err) ||
           lp_fault_set(fault, 507, NULL, "state_not_written", "the path of the state is too long");
}

bool lp_state_blob_put(struct lp_state *s, const struct lp_hash *hash, const void *bytes, size_t n, int64_t *added,
                       struct lp_fault *fault) {
    char path[PATH_MAX];
    struct stat st;
    struct lp_error err = {0};
    if (!path_of(s, hash, path, fault))
        return false;
    if (!lstat(path, &st) && S_ISREG(st.st_mode) && (size_t)st.st_size == n)
        return true;
    if ((size_t)atomic_load(&s->bytes) + (size_t)*added + n > s->most_bytes)
        return lp_fault_set(fault, 507, NULL, "state_full",
                            "the pictures of all sessions would take more than %zu MiB: delete sessions", s->most_bytes >> 20);
    if (!(s->temporary ? lp_file_write_unsynced : lp_file_write)(path, bytes, n, &err))
        return lp_fault_set(fault, 507, NULL, "state_not_written", "the server's state cannot be written: %s",
                            strerror(errno));
    *added += (int64_t)n;
    return true;
}

bool lp_state_blob_get(struct lp_state *s, const struct lp_hash *hash, struct lp_str *out, struct lp_fault *fault) {
    char path[PATH_MAX];
    struct lp_file file;
    struct lp_error err = {0};
    if (!path_of(s, hash, path, fault))
        return false;
    if (!lp_file_open(&file, path, &err))
        return lp_state_damaged(fault, "a picture's file is missing");
    lp_str_add(out, (const char *)file.data, file.size);
    lp_file_close(&file);
    if (out->failed)
        return lp_fault_memory(fault);
    struct lp_hash is = lp_sha256_of(lp_str_text(out), out->n);
    return lp_hash_equal(&is, hash) || lp_state_damaged(fault, "a picture's file has changed");
}

int64_t lp_state_blob_drop(struct lp_state *s, const struct lp_hash *hash) {
    char path[PATH_MAX];
    struct stat st;
    struct lp_fault fault = {0};
    return path_of(s, hash, path, &fault) && !lstat(path, &st) && !unlink(path) ? st.st_size : 0;
}

/* The hash that a file's name begins with; false: it is no file of ours. What is aside has more behind it. */
static bool parse_name(const char *name, struct lp_hash *hash, bool *aside) {
    for (int i = 0; i < HEX; i++)
        if (!isxdigit((unsigned char)name[i]) || isupper((unsigned char)name[i]))
            return false;
    for (int i = 0; i < HEX / 2; i++) {
        unsigned byte;
        sscanf(name + 2 * i, "%2x", &byte);
        hash->byte[i] = (uint8_t)byte;
    }
    *aside = name[HEX] == '.';
    return !name[HEX] || *aside;
}

bool lp_state_blob_sweep(struct lp_state *s, struct lp_error *err) {
    char path[PATH_MAX];
    struct lp_fault fault = {0};
    DIR *dir = lp_state_blob_path(s, "", path, err) ? opendir(path) : NULL;
    if (!dir)
        return lp_error_set(err, LP_EIO, "cannot read '%s/blobs': %s", s->folder, strerror(errno));
    for (const struct dirent *entry; (entry = readdir(dir)) && !fault.status;) {
        struct lp_hash hash;
        bool aside;
        if (!parse_name(entry->d_name, &hash, &aside))
            continue;
        if (aside || (!lp_state_row(s, lp_state_bind(s, LP_Q_HASH_USED, "h", &hash), &fault) && !fault.status))
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    closedir(dir);
    if (fault.status)
        *err = fault.err;
    return !fault.status;
}
