/* SPDX-License-Identifier: MIT */
/* serve/pixels.c - a short list, the last used first. */
#include "serve/pixels.h"

#include "base/memory.h"

#include <pthread.h>
#include <string.h>

enum { MOST = 256 /* pictures, however small */ };

struct known {
    struct lp_hash file;
    struct lp_image *image;
};

struct lp_pixels {
    pthread_mutex_t lock;
    struct known known[MOST];
    int n;
    size_t limit, used; /* bytes */
};

static size_t bytes_of(const struct lp_image *image) {
    return (size_t)image->width * (size_t)image->height * 3;
}

struct lp_pixels *lp_pixels_open(size_t most_bytes, struct lp_error *err) {
    struct lp_pixels *p = lp_alloc(sizeof *p);
    if (!p) {
        lp_error_memory(err);
        return NULL;
    }
    p->limit = most_bytes;
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

/* Locked. */
static void drop(struct lp_pixels *p, int i) {
    p->used -= bytes_of(p->known[i].image);
    lp_image_close(p->known[i].image);
    memmove(p->known + i, p->known + i + 1, (size_t)(--p->n - i) * sizeof *p->known);
}

void lp_pixels_close(struct lp_pixels *p) {
    if (!p)
        return;
    while (p->n)
        drop(p, p->n - 1);
    pthread_mutex_destroy(&p->lock);
    lp_free(p);
}

/* Locked. Where it is; -1: nowhere. */
static int place_of(const struct lp_pixels *p, const struct lp_hash *file) {
    int i = 0;
    while (i < p->n && !lp_hash_equal(&p->known[i].file, file))
        i++;
    return i < p->n ? i : -1;
}

/* Locked. */
static void put_first(struct lp_pixels *p, int i, struct known k) {
    memmove(p->known + 1, p->known, (size_t)i * sizeof *p->known);
    p->known[0] = k;
}

struct lp_image *lp_pixels_find(struct lp_pixels *p, const struct lp_hash *file) {
    struct lp_image *found = NULL;
    if (!p)
        return NULL;
    pthread_mutex_lock(&p->lock);
    int i = place_of(p, file);
    if (i >= 0) {
        put_first(p, i, p->known[i]);
        found = lp_image_share(p->known[0].image);
    }
    pthread_mutex_unlock(&p->lock);
    return found;
}

static void keep(struct lp_pixels *p, const struct lp_hash *file, struct lp_image *image) {
    size_t more = bytes_of(image);
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    if (more <= p->limit && place_of(p, file) < 0) {
        while (p->n == MOST || p->used + more > p->limit)
            drop(p, p->n - 1);
        put_first(p, p->n++, (struct known){*file, lp_image_share(image)});
        p->used += more;
    }
    pthread_mutex_unlock(&p->lock);
}

struct lp_image *lp_pixels_decode(struct lp_pixels *p, const struct lp_hash *file, const void *bytes, size_t n,
                                  struct lp_error *err) {
    struct lp_image *image = lp_pixels_find(p, file);
    if (!image && (image = lp_image_decode(bytes, n, "a picture", err)))
        keep(p, file, image);
    return image;
}

void lp_pixels_forget(struct lp_pixels *p, const struct lp_hash *file) {
    pthread_mutex_lock(&p->lock);
    int i = place_of(p, file);
    if (i >= 0)
        drop(p, i);
    pthread_mutex_unlock(&p->lock);
}

size_t lp_pixels_memory(struct lp_pixels *p) {
    pthread_mutex_lock(&p->lock);
    size_t used = p->used;
    pthread_mutex_unlock(&p->lock);
    return used;
}
