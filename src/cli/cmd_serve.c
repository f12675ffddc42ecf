/* SPDX-License-Identifier: MIT */
/* cli/cmd_serve.c - llava-plus serve: the planner behind the API of OpenAI and our own. */
#include "cli/command.h"
#include "cli/planner.h"
#include "cli/serving.h"
#include "serve/http.h"
#include "skill/children.h"

#include <string.h>
#include <unistd.h>

enum { OWN = 14 };

struct serve {
    struct lp_planner_flags flags;
    struct lp_server_settings settings;
    struct lp_fetch_settings pictures;
    int64_t port, most_body_mib, most_waiting, most_connections, most_state_mib;
    struct lp_option_list origin;
    bool picture_urls, quiet, skills_inside;
    struct lp_children_settings skill;
    struct lp_planner planner;
    struct lp_children *children; /* NULL: skills run inside */
    struct lp_decoders *decoders;
};

/* Skills that no worker plays run in processes of their own. */
static bool open_children(struct serve *s, struct lp_error *err) {
    struct lp_play *play = &s->planner.agent.play;
    if (s->skills_inside)
        return true;
    s->skill.first = *play;
    if (!(s->children = lp_children_open(&s->skill, err)))
        return false;
    *play = lp_children_play(s->children);
    return true;
}

static bool run(struct serve *s, struct lp_error *err) {
    sigset_t signals = lp_serving_begin();
    s->settings.port = (int)s->port;
    s->settings.most_body = (size_t)s->most_body_mib << 20;
    s->pictures.limit = s->settings.most_body;
    s->settings.pictures = s->picture_urls ? &s->pictures : NULL;
    s->settings.most_waiting = (int)s->most_waiting;
    s->settings.most_connections = (int)s->most_connections;
    s->settings.most_state = (size_t)s->most_state_mib << 20;
    s->settings.origin = s->origin.item;
    s->settings.origins = s->origin.n;
    s->settings.log = s->quiet ? -1 : STDERR_FILENO;
    s->settings.key = lp_serving_secret("LLAVA_PLUS_API_KEY");
    if (!(s->decoders = lp_serving_decoders(err)) || !lp_planner_open(&s->planner, &s->flags, err) || !open_children(s, err))
        return false;
    struct lp_server *server = lp_server_open(&s->settings, &s->planner.agent, err);
    if (!server)
        return false;
    char page[LP_ADDRESS];
    lp_serving_address(server, &s->settings, "/", page, sizeof page);
    if (!s->quiet)
        fprintf(stderr, "llava-plus serve: the page is at %s\n", page);
    lp_serving_wait("serve", server, &s->settings, "/v1", signals);
    lp_server_close(server);
    return true;
}

/* The process that decodes pictures. */
static int run_decoder(void) {
    struct lp_error err = {0};
    if (lp_decoder_run(NULL))
        return 0;
    lp_error_set(&err, LP_EUSAGE, "standard input is no socket: servers start this, nobody else");
    return lp_command_fail("serve decoder", &err);
}

int lp_cmd_serve(int argc, char **argv) {
    struct serve s = {0};
    struct lp_error err = {0};
    struct lp_option planner[LP_PLANNER_OPTIONS], options[LP_PLANNER_OPTIONS + OWN];
    const struct lp_option own[OWN] = {
        {"host", 0, "ADDRESS", "where to listen; beyond this machine only with a key", LP_OPTION_STRING,
         "127.0.0.1", &s.settings.host, 0, 0},
        {"port", 'p', "N", "0 takes any that is free", LP_OPTION_INT, "8080", &s.port, 0, 65535},
        {"allow-origin", 0, "ORIGIN",
         "pages of this origin may call, such as http://localhost:3000; may be "
         "given several times",
         LP_OPTION_LIST, NULL, &s.origin, 0, 0},
        {"picture-urls", 0, NULL, "fetch pictures that requests name by https:// URLs; global addresses only", LP_OPTION_FLAG,
         NULL, &s.picture_urls, 0, 0},
        {"most-body", 0, "MIB", "most of a request's body", LP_OPTION_INT, "32", &s.most_body_mib, 1, 1024},
        {"most-waiting", 0, "N", "requests that wait for the planner; more get 429", LP_OPTION_INT, "16",
         &s.most_waiting, 0, 10000},
        {"most-connections", 0, "N", "connections at a time", LP_OPTION_INT, "512", &s.most_connections, 4,
         100000},
        {"state", 0, "DIR",
         "keep sessions in this folder, also over a restart (else in a temporary one, deleted at the end)",
         LP_OPTION_STRING, NULL, &s.settings.state, 0, 0},
        {"most-state", 0, "MIB", "most of the pictures of all sessions", LP_OPTION_INT, "10240", &s.most_state_mib, 1,
         1 << 24},
        {"skill-memory", 0, "MIB", "most memory of a skill's process; 0: any", LP_OPTION_INT, "4096", &s.skill.memory_mib, 0,
         1 << 24},
        {"skill-timeout", 0, "SECONDS", "most time for a skill", LP_OPTION_FLOAT, "300", &s.skill.wait_s, 1, 86400},
        {"skills-inside", 0, NULL, "run skills inside this process: what crashes there ends the server", LP_OPTION_FLAG, NULL,
         &s.skills_inside, 0, 0},
        {"quiet", 'q', NULL, "no log line for each request", LP_OPTION_FLAG, NULL, &s.quiet, 0, 0},
        {.name = NULL},
    };
    int status;
    if (argc == 2 && !strcmp(argv[1], "decoder"))
        return run_decoder();
    lp_server_defaults(&s.settings);
    lp_fetch_defaults(&s.pictures);
    s.pictures.accept = "image/*";
    lp_children_defaults(&s.skill);
    lp_planner_options(&s.flags, planner);
    int n = LP_PLANNER_OPTIONS - LP_PLANNER_REQUEST_OPTIONS;
    memcpy(options, planner + LP_PLANNER_REQUEST_OPTIONS, (size_t)n * sizeof *options);
    memcpy(options + n, own, sizeof own);
    const struct lp_usage usage = {
        "serve",
        "[options]",
        "Serves the planner and its skills under /v1/chat/completions and /v1/images, as OpenAI's "
        "clients expect it, and under /v1/sessions, with pictures, marks and events. The address is printed when it is ready; SIGINT or SIGTERM "
        "ends it. LLAVA_PLUS_API_KEY is the key that clients must show, or "
        "several, parted by spaces: each has its own sessions.",
        options,
        0,
        0};
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    bool done = run(&s, &err);
    lp_children_close(s.children);
    lp_planner_close(&s.planner);
    lp_decoders_close(s.decoders);
    return done ? 0 : lp_command_fail("serve", &err);
}
