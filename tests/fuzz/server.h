/* SPDX-License-Identifier: MIT */
/* For fuzz targets: a server in this process, on a planner that says always the same, with a session; and requests to it. */
#ifndef LP_TESTS_FUZZ_SERVER_H
#define LP_TESTS_FUZZ_SERVER_H

#include "fuzz.h"

#include "base/str.h"
#include "plan/action.h"
#include "plan/fake_lmm.h"
#include "serve/http.h"

#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LEAVE_MS = 300, HANGS_MS = 60000 }; /* of silence to a client that leaves, and to a good one */

static struct {
    struct fake fake;
    struct lp_agent agent;
    struct lp_server *server;
    char session[64]; /* its id */
} served;

static void server_end(void) {
    lp_server_close(served.server);
    lp_agent_done(&served.agent);
    lp_lmm_close(&served.fake.lmm);
}

static int server_connect(void) {
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)lp_server_port(served.server))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at)) {
        perror("socket");
        abort();
    }
    return fd;
}

/* Reads until the server closes; false: it was silent for so long. */
static bool server_read(int fd, int silence_ms, struct lp_str *answer) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char block[4096];
    ssize_t n = 1;
    while (n > 0 && poll(&p, 1, silence_ms) > 0) {
        n = recv(fd, block, sizeof block, 0);
        if (n > 0)
            lp_str_add(answer, block, (size_t)n);
    }
    return n <= 0;
}

static void server_send(int fd, const char *bytes, size_t n) {
    for (ssize_t k; n && (k = send(fd, bytes, n, MSG_NOSIGNAL)) > 0; n -= (size_t)k) /* refused early: the answer tells */
        bytes += k;
}

/* Sends what may be a request and adds the whole answer: its status, or 0 where there is none. After so much silence the client
 * leaves; where it got nothing, another must be answered. */
static int server_ask(const char *bytes, size_t n, int patience_ms, struct lp_str *answer) {
    static const char alive[] = "GET /livez HTTP/1.0\r\n\r\n";
    int fd = server_connect();
    server_send(fd, bytes, n);
    if (!server_read(fd, patience_ms, answer)) {
        shutdown(fd, SHUT_WR);
        server_read(fd, LEAVE_MS, answer);
    }
    close(fd);
    if (!answer->n) {
        struct lp_str other = {0};
        fd = server_connect();
        server_send(fd, alive, sizeof alive - 1);
        LP_FUZZ_CHECK(server_read(fd, HANGS_MS, &other) && strstr(lp_str_text(&other), " 200 "));
        close(fd);
        lp_str_done(&other);
    }
    return !strncmp(lp_str_text(answer), "HTTP/1.1 ", 9) ? atoi(answer->s + 9) : 0;
}

static void server_open(void) {
    static const char *const script[] = {
        LP_MARK_THOUGHTS " Hm.\n" LP_MARK_ACTIONS " []\n" LP_MARK_VALUE " Yes.\n", NULL};
    const struct lp_sampling sampling = {.temperature = 0, .top_p = 1, .most_tokens = 50};
    struct lp_server_settings settings;
    lp_server_defaults(&settings);
    settings.port = 0;
    LP_FUZZ_CHECK(fake_open(&served.fake, script, 0, 4000));
    LP_FUZZ_CHECK(lp_agent_init(&served.agent, &served.fake.lmm, NULL, &sampling, NULL));
    LP_FUZZ_CHECK((served.server = lp_server_open(&settings, &served.agent, NULL)));
}

/* Begins a session; on a new server where the old one has as many as it may. */
static void server_begin_session(void) {
    static const char make[] = "POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                               "Connection: close\r\nContent-Length: 2\r\n\r\n{}";
    struct lp_str answer = {0};
    if (server_ask(make, sizeof make - 1, HANGS_MS, &answer) == 409) {
        server_end();
        server_open();
        lp_str_cut(&answer, 0);
        server_ask(make, sizeof make - 1, HANGS_MS, &answer);
    }
    const char *id = strstr(lp_str_text(&answer), "sess_");
    LP_FUZZ_CHECK(id);
    snprintf(served.session, sizeof served.session, "%.*s", (int)strcspn(id, "\""), id);
    lp_str_done(&answer);
}

/* Starts it, once. */
static void server_begin(void) {
    if (served.server)
        return;
    server_open();
    atexit(server_end);
    server_begin_session();
}

#endif
