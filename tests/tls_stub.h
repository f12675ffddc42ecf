/* SPDX-License-Identifier: MIT */
/* For tests of what is fetched: web servers with TLS on this machine, one that may be asked and one that must not be, a
 * certificate for them, and a resolver whose answers the test chooses. */
#ifndef LP_TESTS_TLS_STUB_H
#define LP_TESTS_TLS_STUB_H

#include "base/fetch.h"
#include "base/file.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TLS_OPEN "127.0.0.2"   /* within the tests' reach */
#define TLS_SECRET "127.0.0.1" /* not within */

struct tls_stub {
    struct MHD_Daemon *open, *secret; /* at the same port */
    int port;
    char authorities[64], key[64]; /* files */
    struct lp_str content;         /* of /content */
    atomic_int asked, asked_secret; /* requests */
    atomic_int running;             /* of the open one's, without their end */
    atomic_bool closing;
    struct lp_fetch_settings settings; /* those that reach it */
};
static struct tls_stub tls;

/* Names of the tests. The second address, where there is one, is told from the second question on. */
static struct tls_name {
    const char *name, *address[2];
    long pause_ms; /* before it answers */
    atomic_int asked;
} tls_names[] = {
    {.name = "pictures.test", .address = {TLS_OPEN, TLS_OPEN}},
    {.name = "other.test", .address = {TLS_OPEN, TLS_OPEN}},
    {.name = "foreign.test", .address = {TLS_OPEN, TLS_OPEN}}, /* the certificate is not for it */
    {.name = "inside.test", .address = {TLS_SECRET, TLS_SECRET}},
    {.name = "both.test", .address = {TLS_OPEN " " TLS_SECRET, TLS_OPEN " " TLS_SECRET}},
    {.name = "rebind.test", .address = {TLS_OPEN, TLS_SECRET}},
    {.name = "slow.test", .address = {TLS_OPEN, TLS_OPEN}, .pause_ms = 1500},
};

static struct tls_name *tls_name(const char *name) {
    size_t n = strlen(name);
    n -= n && name[n - 1] == '.'; /* the root may be written out */
    for (size_t i = 0; i < sizeof tls_names / sizeof *tls_names; i++)
        if (strlen(tls_names[i].name) == n && !strncmp(tls_names[i].name, name, n))
            return &tls_names[i];
    return NULL;
}

static void tls_pause(long ms) {
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Stands before the system's, for libcurl too. */
__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                                                       struct addrinfo **list) {
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    struct tls_name *known = node ? tls_name(node) : NULL;
    if (!known)
        return real(node, service, hints, list);
    char text[100];
    snprintf(text, sizeof text, "%s", known->address[atomic_fetch_add(&known->asked, 1) > 0]);
    tls_pause(known->pause_ms);
    *list = NULL;
    for (char *rest = text, *one; (one = strsep(&rest, " "));) {
        struct addrinfo **end = list;
        while (*end)
            end = &(*end)->ai_next;
        if (real(one, service, hints, end))
            return EAI_FAIL;
    }
    return 0;
}

static ssize_t tls_drip(void *context, uint64_t at, char *out, size_t n) {
    (void)context;
    (void)at;
    (void)n;
    tls_pause(50);
    *out = 'x';
    return atomic_load(&tls.closing) ? MHD_CONTENT_READER_END_OF_STREAM : 1;
}

static ssize_t tls_pour(void *context, uint64_t at, char *out, size_t n) {
    (void)context;
    (void)at;
    memset(out, 'x', n);
    return (ssize_t)n;
}

/* /content, /to?URL that leads there, /nowhere (a redirect without a place), /missing, /drip and /silent (without end), /pour
 * (without end, and fast), /headers (100 KiB of them). */
static enum MHD_Result tls_answer(void *secret, struct MHD_Connection *connection, const char *path, const char *method,
                                  const char *version, const char *body, size_t *n, void **own) {
    (void)method, (void)version, (void)body, (void)n;
    if (!*own) {
        *own = connection;
        atomic_fetch_add(secret ? &tls.asked_secret : &tls.asked, 1);
        atomic_fetch_add(&tls.running, !secret);
        return MHD_YES;
    }
    struct MHD_Response *response = NULL;
    unsigned status = 200;
    while (!strcmp(path, "/silent") && !atomic_load(&tls.closing))
        tls_pause(20);
    if (!strcmp(path, "/drip") || !strcmp(path, "/pour"))
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1 << 16, path[1] == 'd' ? tls_drip : tls_pour, NULL, NULL);
    else if (!strcmp(path, "/content"))
        response = MHD_create_response_from_buffer(tls.content.n, (void *)lp_str_text(&tls.content), MHD_RESPMEM_MUST_COPY);
    else
        response = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
    if (!strcmp(path, "/to")) {
        status = 302;
        MHD_add_response_header(response, "Location", MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "url"));
    }
    status = !strcmp(path, "/nowhere") ? 302 : !strcmp(path, "/missing") ? 404 : status;
    char *text = calloc(1, 4000);
    memset(text, 'x', 3999);
    for (int i = 0; !strcmp(path, "/headers") && i < 25; i++)
        MHD_add_response_header(response, "X-Much", text);
    free(text);
    MHD_add_response_header(response, "Content-Type", "image/png");
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

static void tls_completed(void *secret, struct MHD_Connection *connection, void **own, enum MHD_RequestTerminationCode why) {
    (void)connection, (void)why;
    if (*own && !secret)
        atomic_fetch_sub(&tls.running, 1);
}

static struct MHD_Daemon *tls_listen(const char *address, int port, char *secret, const char *key, const char *certificate) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, address, &at.sin_addr);
    return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_TLS, 0, NULL, NULL,
                            tls_answer, secret, MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_HTTPS_MEM_CERT,
                            certificate, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)1 << 20, MHD_OPTION_NOTIFY_COMPLETED,
                            tls_completed, secret, MHD_OPTION_END);
}

static void tls_make_certificate(void) {
    char command[600];
    strcpy(tls.authorities, "/tmp/llava-plus-certificate-XXXXXX");
    strcpy(tls.key, "/tmp/llava-plus-key-XXXXXX");
    close(mkstemp(tls.authorities));
    close(mkstemp(tls.key));
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=pictures.test -addext "
             "subjectAltName=DNS:pictures.test,DNS:other.test,DNS:inside.test,DNS:both.test,DNS:rebind.test,DNS:slow.test,"
             "IP:127.0.0.1,IP:127.0.0.2 -keyout %s -out %s 2>/dev/null",
             tls.key, tls.authorities);
    assert_int_equal(system(command), 0);
}

/* Begins both servers, and settings by which the open one is fetched from: its network is named, all else must be global. */
static void tls_start(void) {
    size_t n;
    struct lp_error err = {0};
    tls_make_certificate();
    char *key = lp_file_read(tls.key, 1 << 16, &n, &err), *certificate = lp_file_read(tls.authorities, 1 << 16, &n, &err);
    assert_true(key && certificate);
    for (int attempt = 0; !tls.secret && attempt < 20; attempt++) { /* until the other's port is free, too */
        tls.open = tls_listen(TLS_OPEN, 0, NULL, key, certificate);
        assert_non_null(tls.open);
        tls.port = MHD_get_daemon_info(tls.open, MHD_DAEMON_INFO_BIND_PORT)->port;
        tls.secret = tls_listen(TLS_SECRET, tls.port, "secret", key, certificate);
        if (!tls.secret)
            MHD_stop_daemon(tls.open);
    }
    assert_non_null(tls.secret);
    lp_free(key);
    lp_free(certificate);
    lp_fetch_defaults(&tls.settings);
    assert_true(lp_reach_add(&tls.settings.reach, TLS_OPEN, &err));
    tls.settings.port = tls.port;
    tls.settings.authorities = tls.authorities;
}

static void tls_stop(void) {
    atomic_store(&tls.closing, true);
    MHD_stop_daemon(tls.open);
    MHD_stop_daemon(tls.secret);
    unlink(tls.authorities);
    unlink(tls.key);
    lp_str_done(&tls.content);
}

/* "https://HOST:PORT/PATH" of the stubs' port. */
static const char *tls_url(const char *host, const char *path, char out[400]) {
    snprintf(out, 400, "https://%s:%d%s", host, tls.port, path);
    return out;
}

/* An address of the open server that leads to another. */
static const char *tls_leading_to(const char *url, char out[8192]) {
    int n = snprintf(out, 8192, "https://pictures.test:%d/to?url=", tls.port);
    for (; *url && n < 8192 - 4; url++)
        n += snprintf(out + n, 4, "%%%02x", (unsigned char)*url);
    return out;
}

#endif
