/* SPDX-License-Identifier: MIT */
/* A cache of byte strings, each under the hash of all that it was made from: in memory and, where a folder is
 * given, on disk. The least recently used go first. What is there is never wrong and what is not there can be
 * made again, so nothing here fails: no memory, a full disk or a damaged file only mean that less is kept.
 * For any number of threads and, through the folder, processes. */
#ifndef LP_BASE_STORE_H
#define LP_BASE_STORE_H

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"

struct lp_store;

struct lp_store_settings {
    size_t memory_bytes; /* most in memory; 0: none */
    const char *folder;  /* NULL: none. Made with its parents; of what lies in it only files of this cache are
                            touched */
    size_t folder_bytes; /* most on disk */
};

/* Owned by caller. NULL: LP_EIO where the folder cannot be made, LP_EMEMORY. */
struct lp_store *lp_store_open(const struct lp_store_settings *settings, struct lp_error *err);
void lp_store_close(struct lp_store *store); /* NULL is fine. Nothing found in it may still be held */

/* Something found: `data` is borrowed until lp_store_release and aligned to 16 bytes. */
struct lp_stored {
    const void *data;
    size_t bytes;
    struct lp_store_entry *entry; /* in memory, */
    struct lp_file file;          /* or a mapped file */
};

#define LP_STORE_ANY SIZE_MAX
/* Finds what is under the key and has that many bytes, LP_STORE_ANY: any, but in memory only; else false. Of several things
 * found, whose use depends on the first, the first should be released last: it then outlives them. store NULL: false. */
bool lp_store_find(struct lp_store *store, const struct lp_hash *key, size_t bytes, struct lp_stored *out);
void lp_store_release(struct lp_store *store, struct lp_stored *found);

/* Whether the key need not be put: it is in memory or on disk. Counts as a use. store NULL: true. */
bool lp_store_has(struct lp_store *store, const struct lp_hash *key, size_t bytes);

/* Room for something new, to be filled and given to lp_store_put, or lp_store_drop where it could not be
 * filled. NULL: it would not be kept, or there is no memory. */
void *lp_store_new(struct lp_store *store, size_t bytes);
void lp_store_put(struct lp_store *store, const struct lp_hash *key, void *taken);
void lp_store_drop(void *taken);

/* Drops from memory what is under the key and nobody holds. */
void lp_store_forget(struct lp_store *store, const struct lp_hash *key);

size_t lp_store_memory(struct lp_store *store); /* bytes in memory now */

#endif
