/* SPDX-License-Identifier: MIT */
/* serve/state_sync.c - what was committed goes to the disk at once, on a thread of its own: a kill loses none of it, and a
 * power cut at most what was committed in these milliseconds, for which nobody's answer waits. Never does it damage the
 * database: before the log is written back SQLite itself waits for the disk. A disk that fails shows there, too. */
#include "serve/state_inner.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

void lp_state_sync_now(const struct lp_state_sync *y) {
    int log = y->started ? open(y->log, O_RDONLY | O_CLOEXEC) : -1;
    if (log < 0)
        return;
    fdatasync(log);
    close(log);
}

static void *work(void *context) {
    struct lp_state_sync *y = context;
    pthread_mutex_lock(&y->lock);
    for (;;) {
        while (!y->due && !y->closing)
            pthread_cond_wait(&y->bell, &y->lock);
        if (!y->due)
            break;
        y->due = false;
        pthread_mutex_unlock(&y->lock);
        lp_state_sync_now(y);
        pthread_mutex_lock(&y->lock);
    }
    pthread_mutex_unlock(&y->lock);
    return NULL;
}

bool lp_state_sync_init(struct lp_state_sync *y, const char *folder, struct lp_fault *fault) {
    if (snprintf(y->log, sizeof y->log, "%s/state.db-wal", folder) >= (int)sizeof y->log)
        return lp_fault_set(fault, 507, NULL, NULL, "the path of the state is too long");
    pthread_mutex_init(&y->lock, NULL);
    pthread_cond_init(&y->bell, NULL);
    y->started = !pthread_create(&y->thread, NULL, work, y);
    return y->started || lp_fault_memory(fault);
}

void lp_state_sync_ask(struct lp_state_sync *y) {
    if (!y->started)
        return;
    pthread_mutex_lock(&y->lock);
    y->due = true;
    pthread_mutex_unlock(&y->lock);
    pthread_cond_signal(&y->bell);
}

void lp_state_sync_done(struct lp_state_sync *y) {
    if (!y->started)
        return;
    pthread_mutex_lock(&y->lock);
    y->closing = true;
    pthread_mutex_unlock(&y->lock);
    pthread_cond_signal(&y->bell);
    pthread_join(y->thread, NULL);
    y->started = false;
}
