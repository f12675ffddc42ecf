/* SPDX-License-Identifier: MIT */
/* cli/cmd_worker.c - llava-plus worker: a planner or a skill as a process of its own, as FastChat and LLaVA-Plus have it. */
#include "cli/command.h"
#include "cli/planner.h"
#include "cli/serving.h"
#include "cli/skill_text.h"
#include "serve/heart.h"
#include "skill/wire.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PLANNER_PORT = 21002 };

struct work {
    struct lp_server_settings server;
    struct lp_heart_settings heart;
    struct lp_planner_flags flags;
    const char *skill, *controller, *address, *names;
    struct lp_option_list network;
    int64_t port, most_waiting, most_body_mib;
    double beat_s;
    bool alone, quiet;

    struct lp_planner planner;
    struct lp_planner_worker planner_worker;
    struct lp_skill_worker skill_worker;
    struct lp_decoders *decoders;
};

/* Opens the planner or the skill; NULL on failure. */
static struct lp_worker *open_worker(struct work *w, struct lp_site *site, struct lp_error *err) {
    const struct lp_skill *skill = w->skill ? lp_skill_find(w->skill) : NULL;
    if (skill) {
        *site = lp_skill_worker_site(&w->skill_worker);
        return lp_skill_worker_init(&w->skill_worker, skill, w->names, err) ? &w->skill_worker.worker : NULL;
    }
    if (w->skill) {
        lp_skill_unknown(w->skill, err);
        return NULL;
    }
    w->flags.tools = "none";
    w->flags.top_p = 1;
    w->flags.most_tokens = 1024;
    *site = lp_planner_worker_site(&w->planner_worker);
    return lp_planner_open(&w->planner, &w->flags, err) &&
                   lp_planner_worker_init(&w->planner_worker, &w->planner.lmm, w->names, err)
               ? &w->planner_worker.worker
               : NULL;
}

/* The address by which others reach the worker: what was said, or else where it listens. */
static void name_address(const struct work *w, const struct lp_server *server, char *out, size_t n) {
    const char *host = w->server.host;
    bool six = strchr(host, ':') != NULL;
    if (w->address)
        snprintf(out, n, "%s", w->address);
    else
        snprintf(out, n, "http://%s%s%s:%d", six ? "[" : "", host, six ? "]" : "", lp_server_port(server));
}

static bool serve(struct work *w, struct lp_worker *worker, const struct lp_site *site, sigset_t signals,
                  struct lp_error *err) {
    char address[512];
    struct lp_server *server = lp_server_open_site(&w->server, site, err);
    if (!server)
        return false;
    name_address(w, server, address, sizeof address);
    w->heart.address = address;
    worker->server = server;
    bool done = w->alone || (worker->heart = lp_heart_open(&w->heart, worker, err)) != NULL;
    if (done)
        lp_serving_wait("worker", server, &w->server, "", signals);
    lp_heart_close(worker->heart); /* it asks the server how long the line is; no request is worked on any more */
    worker->heart = NULL;
    lp_server_close(server);
    return done;
}

static bool run(struct work *w, struct lp_error *err) {
    sigset_t signals = lp_serving_begin();
    struct lp_reach reach = {0};
    struct lp_site site;
    const struct lp_skill *skill = w->skill ? lp_skill_find(w->skill) : NULL;
    const char *key;
    if (w->skill && (w->flags.model || w->flags.mmproj))
        return lp_error_set(err, LP_EUSAGE, "give either --skill or --model");
    if (!lp_serving_key(&w->network, &reach, &key, &w->heart.in_clear, err))
        return false;
    w->server.port = w->port >= 0 ? (int)w->port : skill ? lp_wire_port(skill) : PLANNER_PORT;
    w->server.most_waiting = (int)w->most_waiting;
    w->server.most_body = (size_t)w->most_body_mib << 20;
    w->server.key = key;
    w->server.log = w->quiet ? -1 : STDERR_FILENO;
    w->heart.log = w->server.log;
    w->heart.controller = w->controller;
    w->heart.key = lp_serving_secret("LLAVA_PLUS_WORKER_KEY") ? lp_serving_secret("LLAVA_PLUS_WORKER_KEY") : key;
    w->heart.beat_s = w->beat_s;
    struct lp_worker *worker = (w->decoders = lp_serving_decoders(err)) ? open_worker(w, &site, err) : NULL;
    return worker && serve(w, worker, &site, signals, err);
}

int lp_cmd_worker(int argc, char **argv) {
    struct work w = {.port = -1};
    struct lp_error err = {0};
    enum { OWN = 16 };
    lp_server_defaults(&w.server);
    lp_heart_defaults(&w.heart);
    struct lp_option options[OWN + LP_CACHE_OPTIONS + 1] = {
        {"skill", 0, "NAME", "serve this skill, under its name or any that planners use", LP_OPTION_STRING, NULL, &w.skill, 0, 0},
        {"model", 'm', "PATH", "or serve a planner: a model folder or a GGUF file (else $LLAVA_PLUS_MODEL, else the nano planner)",
         LP_OPTION_STRING, NULL, &w.flags.model, 0, 0},
        {"mmproj", 0, "PATH", "the picture encoder of a GGUF model or an original folder (else what is found beside it)",
         LP_OPTION_STRING, NULL, &w.flags.mmproj, 0, 0},
        {"controller", 0, "URL", "where to register", LP_OPTION_STRING, "http://localhost:21001", &w.controller, 0, 0},
        {"controller-address", 0, "URL", "the same, as the original calls it", LP_OPTION_STRING, NULL, &w.controller, 0, 0},
        {"no-register", 0, NULL, "do without a controller", LP_OPTION_FLAG, NULL, &w.alone, 0, 0},
        {"worker-address", 0, "URL", "how others reach this worker (else http://HOST:PORT): its name at the controller",
         LP_OPTION_STRING, NULL, &w.address, 0, 0},
        {"model-names", 0, "NAME[,NAME]", "names to register (else the model's, or those by which the original knows the skill)",
         LP_OPTION_STRING, NULL, &w.names, 0, 0},
        {"host", 0, "ADDRESS", "where to listen; beyond this machine only with a key", LP_OPTION_STRING, "127.0.0.1",
         &w.server.host, 0, 0},
        {"port", 'p', "N", "0 takes any that is free (else the original's: 21002 for a planner)", LP_OPTION_INT, NULL, &w.port, 0,
         65535},
        {"allow-network", 0, "NETWORK",
         "keys may travel in clear text, as the controller is on a machine of a trusted network such as 192.168.1.0/24",
         LP_OPTION_LIST, NULL, &w.network, 0, 0},
        {"limit-model-concurrency", 0, "N", "requests that wait beside the one that is worked on; more are refused",
         LP_OPTION_INT, "16", &w.most_waiting, 0, 10000},
        {"heart-beat", 0, "SECONDS", "how often to tell the controller", LP_OPTION_FLOAT, "15", &w.beat_s, 0.05, 3600},
        {"most-body", 0, "MIB", "most of a request's body", LP_OPTION_INT, "32", &w.most_body_mib, 1, 1024},
        {"quiet", 'q', NULL, "no log line for each request", LP_OPTION_FLAG, NULL, &w.quiet, 0, 0},
    };
    int n = 0, status;
    while (options[n].name)
        n++;
    lp_cache_options(&w.flags, options + n);
    const struct lp_usage usage = {
        "worker",
        "--skill NAME | [--model PATH] [options]",
        "Serves a skill or a planner by the protocol of LLaVA-Plus' workers and registers it with a controller, ours or theirs; "
        "docs/workers.md tells the protocol. The address is printed when it is ready; SIGINT or SIGTERM ends it. "
        "LLAVA_PLUS_API_KEY is the key that clients must show, LLAVA_PLUS_WORKER_KEY what the controller wants of workers where "
        "that is another.",
        options,
        0,
        0};
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    bool done = run(&w, &err);
    lp_planner_worker_done(&w.planner_worker);
    lp_skill_worker_done(&w.skill_worker);
    lp_planner_close(&w.planner);
    lp_decoders_close(w.decoders);
    return done ? 0 : lp_command_fail("worker", &err);
}
