/* SPDX-License-Identifier: MIT */
/* base/lookup.c - getaddrinfo on a thread of its own, as nothing else ends its waiting. */
#include "base/lookup.h"

#include "base/clock.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

enum { GLANCE_MS = 20 };

/* Two hold it, who asks and who waits: the last one frees it. */
struct question {
    pthread_mutex_t lock;
    pthread_cond_t bell;
    int holders;                /* locked */
    bool answered;              /* locked */
    struct lp_addresses answer; /* once answered */
    char host[256];
};

static void let_go(struct question *q) {
    pthread_mutex_lock(&q->lock);
    bool last = !--q->holders;
    pthread_mutex_unlock(&q->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->bell);
    lp_free(q);
}

static void ask(const char *host, struct lp_addresses *out) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    if (getaddrinfo(host, NULL, &hints, &list))
        return;
    for (const struct addrinfo *a = list; a && out->n < LP_ADDRESSES_MOST; a = a->ai_next)
        if (a->ai_family == AF_INET || a->ai_family == AF_INET6)
            memcpy(&out->item[out->n++], a->ai_addr, a->ai_addrlen);
    freeaddrinfo(list);
}

static void *run(void *context) {
    struct question *q = context;
    struct lp_addresses found = {0};
    ask(q->host, &found);
    pthread_mutex_lock(&q->lock);
    q->answer = found;
    q->answered = true;
    pthread_cond_signal(&q->bell);
    pthread_mutex_unlock(&q->lock);
    let_go(q);
    return NULL;
}

/* Begins to ask. NULL: there is no memory for it. */
static struct question *begin(const char *host) {
    struct question *q = lp_alloc(sizeof *q);
    pthread_t thread;
    if (!q)
        return NULL;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->bell, NULL);
    strcpy(q->host, host);
    q->holders = 2;
    if (!pthread_create(&thread, NULL, run, q)) {
        pthread_detach(thread);
        return q;
    }
    q->holders = 1;
    let_go(q);
    return NULL;
}

/* Locked. */
static void wait_a_little(struct question *q) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += GLANCE_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&q->bell, &q->lock, &until);
}

bool lp_lookup(const char *host, long wait_ms, const atomic_bool *cancel, struct lp_addresses *out, struct lp_error *err) {
    double until_ms = lp_clock_ms() + (double)wait_ms;
    bool canceled = false;
    *out = (struct lp_addresses){0};
    if (strlen(host) >= sizeof((struct question *)0)->host)
        return lp_error_set(err, LP_EIO, "no host has a name that long");
    struct question *q = begin(host);
    if (!q)
        return lp_error_memory(err);
    pthread_mutex_lock(&q->lock);
    while (!q->answered && !canceled && lp_clock_ms() < until_ms) {
        wait_a_little(q);
        canceled = cancel && atomic_load(cancel);
    }
    if (q->answered)
        *out = q->answer;
    pthread_mutex_unlock(&q->lock);
    let_go(q);
    if (canceled)
        return lp_error_set(err, LP_ECANCELED, "stopped as asked");
    return out->n || lp_error_set(err, LP_EIO, "%s is not found", host);
}

bool lp_addresses_have(const struct lp_addresses *addresses, const struct sockaddr *address) {
    const union lp_address *wanted = (const union lp_address *)(const void *)address;
    for (int i = 0; i < addresses->n; i++) {
        const union lp_address *a = &addresses->item[i];
        if (a->any.sa_family != address->sa_family)
            continue;
        if (address->sa_family == AF_INET ? a->four.sin_addr.s_addr == wanted->four.sin_addr.s_addr
                                          : !memcmp(&a->six.sin6_addr, &wanted->six.sin6_addr, 16))
            return true;
    }
    return false;
}

void lp_address_format(const union lp_address *a, char *out) {
    bool four = a->any.sa_family == AF_INET;
    inet_ntop(a->any.sa_family, four ? (const void *)&a->four.sin_addr : (const void *)&a->six.sin6_addr, out, INET6_ADDRSTRLEN);
}
