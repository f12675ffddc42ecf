/* SPDX-License-Identifier: MIT */
/* cli/serving.c - what commands that serve share. */
#include "cli/serving.h"

#include "base/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

sigset_t lp_serving_begin(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    lp_memory_large_apart();
    struct rlimit files; /* a connection is a descriptor, and the usual limit is 1024 */
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    return set;
}

struct lp_decoders *lp_serving_decoders(struct lp_error *err) {
    struct lp_decoders_settings settings;
    lp_decoders_defaults(&settings);
    return lp_decoders_open(&settings, err);
}

struct hurry {
    sigset_t signals;
    struct lp_server *server;
};

/* The second signal: the answers end at once. */
static void *wait_again(void *context) {
    const struct hurry *h = context;
    int number;
    sigwait(&h->signals, &number);
    lp_server_hurry(h->server);
    return NULL;
}

void lp_serving_address(struct lp_server *server, const struct lp_server_settings *s, const char *path, char *out, size_t size) {
    bool six = strchr(s->host, ':') != NULL;
    snprintf(out, size, "http://%s%s%s:%d%s", six ? "[" : "", s->host, six ? "]" : "", lp_server_port(server), path);
}

void lp_serving_wait(const char *command, struct lp_server *server, const struct lp_server_settings *s, const char *path,
                     sigset_t signals) {
    struct hurry hurry = {signals, server};
    char address[LP_ADDRESS];
    pthread_t thread;
    int number;
    lp_serving_address(server, s, path, address, sizeof address);
    printf("%s\n", address);
    fflush(stdout);
    sigwait(&signals, &number);
    fprintf(stderr, "llava-plus %s: finishing what runs; a second signal ends it at once\n", command);
    bool listens = !pthread_create(&thread, NULL, wait_again, &hurry);
    lp_server_stop(server);
    if (listens) {
        pthread_kill(thread, SIGTERM);
        pthread_join(thread, NULL);
    }
}

const char *lp_serving_secret(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

bool lp_serving_key(const struct lp_option_list *network, struct lp_reach *reach, const char **key, bool *in_clear,
                    struct lp_error *err) {
    for (int i = 0; i < network->n; i++)
        if (!lp_reach_add(reach, network->item[i], err))
            return false;
    *key = lp_serving_secret("LLAVA_PLUS_API_KEY");
    *in_clear = network->n > 0;
    return true;
}
