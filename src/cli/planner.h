/* SPDX-License-Identifier: MIT */
/* What chat and plan share: the planner's options, and opening all that a conversation needs. */
#ifndef LP_CLI_PLANNER_H
#define LP_CLI_PLANNER_H

#include "cli/options.h"
#include "model/llava.h"
#include "plan/agent.h"
#include "plan/prompts.h"
#include "plan/workers.h"

/* What the options say. */
struct lp_planner_flags {
    const char *tools, *model, *mmproj, *points, *boxes, *reference, *reference_boxes;
    const char *planner, *planner_model, *planner_tools; /* planner NULL: the model */
    double temperature, top_p;
    int64_t seed, most_tokens, planner_timeout;
    struct lp_option_list image;
    const char *cache;                 /* a folder; NULL: none */
    int64_t cache_memory, cache_disk;  /* MiB; memory -1: by default */
    const char *controller;            /* of workers whose skills are used; NULL: none */
    struct lp_option_list network;     /* whose machines' workers may be called */
    bool once;                         /* only one request: what is only in memory would be of no use */
};
#define LP_PLANNER_OPTIONS 21
#define LP_PLANNER_REQUEST_OPTIONS 5 /* the first of them: what one request is about */
enum { LP_CACHE_OPTIONS = 3 }; /* the last of them */
void lp_cache_options(struct lp_planner_flags *flags, struct lp_option *options);
/* Fills options[0 .. LP_PLANNER_OPTIONS - 1]; the caller adds its own and the end. */
void lp_planner_options(struct lp_planner_flags *flags, struct lp_option *options);
/* The prompts that the flags give. */
bool lp_planner_prompts(const struct lp_planner_flags *flags, struct lp_prompts *p, struct lp_error *err);

/* A model, here or on a server, with a conversation on it. Zero it first; lp_planner_close also after
 * failure. */
struct lp_planner {
    struct lp_llava *model; /* NULL: on a server */
    struct lp_store *store; /* what it saw and read; NULL: nothing is kept */
    struct lp_lmm lmm;
    struct lp_bench *bench;
    struct lp_reach reach;
    struct lp_workers *workers; /* NULL: skills are this machine's own */
    struct lp_agent agent;
};
bool lp_planner_open(struct lp_planner *p, const struct lp_planner_flags *flags, struct lp_error *err);
void lp_planner_close(struct lp_planner *p);
/* Reads the pictures named by --image into the conversation. */
bool lp_planner_add_pictures(struct lp_planner *p, const struct lp_option_list *image, struct lp_error *err);

#endif
