/* SPDX-License-Identifier: MIT */
/* Skills in processes of their own: what crashes, hangs or takes too much memory there is an error of that call and of nothing
 * else. A process is started at the first call of its skill, waits for the next one with all that it has opened, and is killed,
 * and started anew when it is needed again, where a call did not come to its end. */
#ifndef LP_SKILL_CHILDREN_H
#define LP_SKILL_CHILDREN_H

#include "skill/skill.h"

struct lp_children_settings {
    const char *program; /* run as "PROGRAM skill child NAME", which calls lp_child_run; borrowed */
    int64_t memory_mib;  /* most memory of a process, mapped files aside; 0: any */
    double wait_s;       /* most time for a call */
    struct lp_play first; /* who plays a skill before that; zero: nobody */
};
/* This program, 4096 MiB, five minutes, nobody. */
void lp_children_defaults(struct lp_children_settings *s);

struct lp_children;

/* Starts nothing yet. The processes get the environment as it is now, without what is named as a key, token, secret or
 * password. Owned by caller; NULL when out of memory. */
struct lp_children *lp_children_open(const struct lp_children_settings *s, struct lp_error *err);
/* Kills them. NULL is fine. */
void lp_children_close(struct lp_children *c);

/* For lp_agent.play, by one thread at a time. It has the skills that are ready on this machine. What a skill says went wrong,
 * and a process that fails, are LP_EIO or LP_EINPUT, never LP_EMEMORY, which is the server's own. The process of a canceled call
 * is killed at once. */
struct lp_play lp_children_play(struct lp_children *c);

/* The other side: works on the calls that come on standard input until it is closed. `play` as in lp_call. False: standard
 * input is no socket. */
bool lp_child_run(const struct lp_skill *skill, const struct lp_play *play);

#endif
