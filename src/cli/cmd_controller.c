/* SPDX-License-Identifier: MIT */
/* cli/cmd_controller.c - llava-plus controller: the table of workers that FastChat and LLaVA call by this name. */
#include "cli/command.h"
#include "cli/serving.h"
#include "serve/controller.h"

#include <unistd.h>

struct control {
    struct lp_server_settings server;
    struct lp_controller_settings settings;
    const char *dispatch;
    struct lp_option_list network;
    int64_t port, most_body_mib, most_connections;
    bool quiet;
};

static bool run(struct control *c, struct lp_error *err) {
    sigset_t signals = lp_serving_begin();
    c->server.port = (int)c->port;
    c->server.most_body = (size_t)c->most_body_mib << 20;
    c->server.most_connections = (int)c->most_connections;
    c->server.most_waiting = 64;
    c->server.key = lp_serving_secret("LLAVA_PLUS_API_KEY");
    c->server.worker_key = lp_serving_secret("LLAVA_PLUS_WORKER_KEY");
    c->server.log = c->quiet ? -1 : STDERR_FILENO;
    c->settings.log = c->server.log;
    if (!lp_dispatch_parse(c->dispatch, &c->settings.dispatch, err) ||
        !lp_serving_key(&c->network, &c->settings.reach, &c->settings.key, &c->settings.in_clear, err))
        return false;
    struct lp_controller *controller = lp_controller_open(&c->settings, err);
    if (!controller)
        return false;
    const struct lp_site site = lp_controller_site(controller);
    struct lp_server *server = lp_server_open_site(&c->server, &site, err);
    if (server)
        lp_serving_wait("controller", server, &c->server, "", signals);
    lp_server_close(server);
    lp_controller_close(controller);
    return server != NULL;
}

int lp_cmd_controller(int argc, char **argv) {
    struct control c = {0};
    struct lp_error err = {0};
    lp_server_defaults(&c.server);
    lp_controller_defaults(&c.settings);
    const struct lp_option options[] = {
        {"host", 0, "ADDRESS", "where to listen; beyond this machine only with a key", LP_OPTION_STRING, "127.0.0.1",
         &c.server.host, 0, 0},
        {"port", 'p', "N", "0 takes any that is free", LP_OPTION_INT, "21001", &c.port, 0, 65535},
        {"dispatch-method", 0, "HOW", "who gets the next request: 'shortest_queue' or, by speed, 'lottery'", LP_OPTION_STRING,
         "shortest_queue", &c.dispatch, 0, 0},
        {"expiry", 0, "SECONDS", "a worker without heart beats is forgotten", LP_OPTION_FLOAT, "90", &c.settings.expiry_s, 1,
         86400},
        {"worker-timeout", 0, "SECONDS", "how long a worker may be silent in the middle of a stream", LP_OPTION_FLOAT, "100",
         &c.settings.silence_s, 1, 86400},
        {"allow-network", 0, "NETWORK",
         "workers may also be on machines of this network, such as 192.168.1.0/24, over which keys then travel in clear text; may "
         "be given several times",
         LP_OPTION_LIST, NULL, &c.network, 0, 0},
        {"most-body", 0, "MIB", "most of a request's body", LP_OPTION_INT, "32", &c.most_body_mib, 1, 1024},
        {"most-connections", 0, "N", "connections at a time", LP_OPTION_INT, "512", &c.most_connections, 4, 100000},
        {"quiet", 'q', NULL, "no log line for each request and worker", LP_OPTION_FLAG, NULL, &c.quiet, 0, 0},
        {.name = NULL},
    };
    const struct lp_usage usage = {
        "controller",
        "[options]",
        "Knows workers, ours and those of FastChat, LLaVA and LLaVA-Plus, and tells clients where they are; docs/workers.md tells "
        "the protocol. The address is printed when it is ready; SIGINT or SIGTERM ends it. LLAVA_PLUS_API_KEY is the key that "
        "clients must show, LLAVA_PLUS_WORKER_KEY the one that workers must show instead.",
        options,
        0,
        0};
    int status;
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    return run(&c, &err) ? 0 : lp_command_fail("controller", &err);
}
