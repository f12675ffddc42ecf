/* SPDX-License-Identifier: MIT */
/* What store.c and store_folder.c share. */
#ifndef LP_BASE_STORE_INNER_H
#define LP_BASE_STORE_INNER_H

#include "base/store.h"

#include <pthread.h>

/* A file is this and then the bytes; so is an entry in memory. */
struct lp_store_head {
    char magic[8];
    uint32_t version, head_bytes;
    struct lp_hash key;
    uint64_t bytes, checksum; /* how many follow; over all but itself */
};
enum { LP_STORE_HEAD = 64 };
_Static_assert(sizeof(struct lp_store_head) == LP_STORE_HEAD, "a file's bytes follow its head");

struct lp_store_folder {
    char *path;   /* owned; NULL: none */
    size_t limit; /* bytes */
    size_t used;  /* about: others write, too */
    pthread_mutex_t lock;
};

/* False only where there can be no such folder. */
bool lp_store_folder_init(struct lp_store_folder *f, const char *path, size_t limit, struct lp_error *err);
void lp_store_folder_done(struct lp_store_folder *f);
bool lp_store_folder_has(const struct lp_store_folder *f, const struct lp_hash *key, size_t bytes);
/* Maps a file and believes it only when it is whole; a damaged one is deleted. */
bool lp_store_folder_find(struct lp_store_folder *f, const struct lp_hash *key, size_t bytes,
                          struct lp_file *out);
/* Writes head and bytes, which follow each other; makes room. */
void lp_store_folder_put(struct lp_store_folder *f, struct lp_store_head *head);

#endif
