/* SPDX-License-Identifier: MIT */
/* base/store.c - the part in memory: a table by hash, and a list from the oldest to the newest use. */
#include "base/store.h"

#include "base/memory.h"
#include "base/store_inner.h"

#include <string.h>

enum { BUCKETS = 4096 };

/* Stands before its head and bytes, in the same allocation: a large one, since what is kept comes and goes in any order. */
struct lp_store_entry {
    struct lp_store_entry *chain;         /* in its bucket */
    struct lp_store_entry *older, *newer; /* by last use */
    int held;                             /* by how many it is in use */
};
enum { BEFORE_HEAD = 64, OVERHEAD = BEFORE_HEAD + LP_STORE_HEAD };
_Static_assert(sizeof(struct lp_store_entry) <= BEFORE_HEAD, "the head follows");

struct lp_store {
    size_t limit, used; /* bytes in memory */
    struct lp_store_entry *bucket[BUCKETS];
    struct lp_store_entry *oldest, *newest;
    pthread_mutex_t lock;
    struct lp_store_folder folder;
};

static struct lp_store_head *head_of(struct lp_store_entry *e) {
    return (struct lp_store_head *)((char *)e + BEFORE_HEAD);
}

static struct lp_store_entry *entry_of(void *data) {
    return (struct lp_store_entry *)((char *)data - OVERHEAD);
}

/* What an entry of so many bytes takes. */
static size_t cost(size_t bytes) {
    return lp_large_bytes(OVERHEAD + bytes);
}

static void entry_free(struct lp_store_entry *e) {
    lp_free_large(e, OVERHEAD + head_of(e)->bytes);
}

struct lp_store *lp_store_open(const struct lp_store_settings *settings, struct lp_error *err) {
    struct lp_store *s = lp_alloc(sizeof *s);
    if (!s) {
        lp_error_memory(err);
        return NULL;
    }
    s->limit = settings->memory_bytes;
    pthread_mutex_init(&s->lock, NULL);
    if (lp_store_folder_init(&s->folder, settings->folder, settings->folder_bytes, err))
        return s;
    lp_store_close(s);
    return NULL;
}

void lp_store_close(struct lp_store *s) {
    if (!s)
        return;
    for (struct lp_store_entry *e = s->oldest, *newer; e; e = newer) {
        newer = e->newer;
        entry_free(e);
    }
    lp_store_folder_done(&s->folder);
    pthread_mutex_destroy(&s->lock);
    lp_free(s);
}

static struct lp_store_entry **bucket_of(struct lp_store *s, const struct lp_hash *key) {
    return &s->bucket[(key->byte[0] | key->byte[1] << 8) % BUCKETS];
}

static struct lp_store_entry *look_up(struct lp_store *s, const struct lp_hash *key, size_t bytes) {
    for (struct lp_store_entry *e = *bucket_of(s, key); e; e = e->chain)
        if (lp_hash_equal(&head_of(e)->key, key) && (bytes == LP_STORE_ANY || head_of(e)->bytes == bytes))
            return e;
    return NULL;
}

static void unlink_use(struct lp_store *s, struct lp_store_entry *e) {
    *(e->older ? &e->older->newer : &s->oldest) = e->newer;
    *(e->newer ? &e->newer->older : &s->newest) = e->older;
}

static void link_newest(struct lp_store *s, struct lp_store_entry *e) {
    e->older = s->newest;
    e->newer = NULL;
    *(s->newest ? &s->newest->newer : &s->oldest) = e;
    s->newest = e;
}

static void use(struct lp_store *s, struct lp_store_entry *e) {
    unlink_use(s, e);
    link_newest(s, e);
}

static void drop(struct lp_store *s, struct lp_store_entry *e) {
    struct lp_store_entry **at = bucket_of(s, &head_of(e)->key);
    while (*at != e)
        at = &(*at)->chain;
    *at = e->chain;
    unlink_use(s, e);
    s->used -= cost(head_of(e)->bytes);
    entry_free(e);
}

/* Drops the oldest that nobody holds until `bytes` more fit. */
static void make_room(struct lp_store *s, size_t bytes) {
    for (struct lp_store_entry *e = s->oldest, *newer; e && s->used + bytes > s->limit; e = newer) {
        newer = e->newer;
        if (!e->held)
            drop(s, e);
    }
}

void lp_store_forget(struct lp_store *s, const struct lp_hash *key) {
    pthread_mutex_lock(&s->lock);
    for (struct lp_store_entry *e = *bucket_of(s, key), *next; e; e = next) {
        next = e->chain;
        if (!e->held && lp_hash_equal(&head_of(e)->key, key))
            drop(s, e);
    }
    pthread_mutex_unlock(&s->lock);
}

bool lp_store_find(struct lp_store *s, const struct lp_hash *key, size_t bytes, struct lp_stored *out) {
    *out = (struct lp_stored){0};
    if (!s)
        return false;
    pthread_mutex_lock(&s->lock);
    struct lp_store_entry *e = look_up(s, key, bytes);
    if (e)
        e->held++;
    pthread_mutex_unlock(&s->lock);
    if (e)
        *out = (struct lp_stored){.data = (char *)e + OVERHEAD, .bytes = head_of(e)->bytes, .entry = e};
    else if (bytes != LP_STORE_ANY && lp_store_folder_find(&s->folder, key, bytes, &out->file))
        out->data = out->file.data + LP_STORE_HEAD, out->bytes = bytes;
    return out->data != NULL;
}

void lp_store_release(struct lp_store *s, struct lp_stored *found) {
    if (found->entry) {
        pthread_mutex_lock(&s->lock);
        found->entry->held--;
        use(s, found->entry);
        pthread_mutex_unlock(&s->lock);
    }
    lp_file_close(&found->file);
    *found = (struct lp_stored){0};
}

bool lp_store_has(struct lp_store *s, const struct lp_hash *key, size_t bytes) {
    if (!s)
        return true;
    pthread_mutex_lock(&s->lock);
    struct lp_store_entry *e = look_up(s, key, bytes);
    if (e)
        use(s, e);
    pthread_mutex_unlock(&s->lock);
    return e || lp_store_folder_has(&s->folder, key, bytes);
}

static bool fits(const struct lp_store *s, size_t bytes) {
    return bytes <= s->limit && cost(bytes) <= s->limit;
}

void *lp_store_new(struct lp_store *s, size_t bytes) {
    bool on_disk = s->folder.path && bytes <= s->folder.limit && LP_STORE_HEAD <= s->folder.limit - bytes;
    struct lp_store_entry *e = fits(s, bytes) || on_disk ? lp_alloc_large(OVERHEAD + bytes) : NULL;
    if (!e)
        return NULL;
    head_of(e)->bytes = bytes;
    return (char *)e + OVERHEAD;
}

void lp_store_drop(void *taken) {
    if (taken)
        entry_free(entry_of(taken));
}

/* Takes e, held once, into memory. False: it is there already, or there is no room. */
static bool remember(struct lp_store *s, struct lp_store_entry *e) {
    const struct lp_store_head *head = head_of(e);
    pthread_mutex_lock(&s->lock);
    bool taken = fits(s, head->bytes) && !look_up(s, &head->key, head->bytes);
    if (taken)
        make_room(s, cost(head->bytes));
    taken = taken && s->used + cost(head->bytes) <= s->limit;
    if (taken) {
        struct lp_store_entry **bucket = bucket_of(s, &head->key);
        e->held = 1;
        e->chain = *bucket;
        *bucket = e;
        link_newest(s, e);
        s->used += cost(head->bytes);
    }
    pthread_mutex_unlock(&s->lock);
    return taken;
}

void lp_store_put(struct lp_store *s, const struct lp_hash *key, void *taken) {
    struct lp_store_entry *e = entry_of(taken);
    head_of(e)->key = *key;
    bool kept = remember(s, e);
    lp_store_folder_put(&s->folder, head_of(e));
    if (kept)
        lp_store_release(s, &(struct lp_stored){.entry = e});
    else
        entry_free(e);
}

size_t lp_store_memory(struct lp_store *s) {
    pthread_mutex_lock(&s->lock);
    size_t used = s->used;
    pthread_mutex_unlock(&s->lock);
    return used;
}
