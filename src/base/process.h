/* SPDX-License-Identifier: MIT */
/* Processes for work that may crash, hang or take too much memory: this program, started again, with a socket between. */
#ifndef LP_BASE_PROCESS_H
#define LP_BASE_PROCESS_H

#include "base/error.h"

#include <stdint.h>
#include <sys/types.h>

struct lp_process {
    pid_t pid;  /* 0: none */
    int socket; /* ours; does not block */
};

/* The environment as it is now, without what is named as a key, token, secret or password. Owned by caller (lp_free), its texts
 * are the process' own. NULL when out of memory. */
char **lp_process_environment(struct lp_error *err);

/* Starts `program` with a socket as its standard input and nothing else of ours open but standard error. LP_EIO. */
bool lp_process_start(struct lp_process *p, const char *program, const char *const *argument, char *const *environment,
                      struct lp_error *err);
/* Whether it lives; where it ended by itself, there is none from now on. */
bool lp_process_lives(struct lp_process *p);
/* MiB of its own memory, in the machine or swapped out; mapped files are not its own. 0: not known. */
int64_t lp_process_memory_mib(const struct lp_process *p);
/* What it may take. */
struct lp_watch {
    const struct lp_process *process; /* borrowed */
    int64_t memory_mib;               /* 0: any */
    double until_ms, looked_ms;
};
enum lp_watched { LP_WATCH_FINE, LP_WATCH_LATE, LP_WATCH_LARGE };
/* From now on: wait_s seconds. */
struct lp_watch lp_watch_begin(const struct lp_process *p, int64_t memory_mib, double wait_s);
/* To be asked now and then; memory is looked at every 10 ms at most. */
enum lp_watched lp_watch_look(struct lp_watch *w);

/* Kills it: the status that it ends with, 0 where there is none. */
int lp_process_end(struct lp_process *p);
/* What became of `what`, whose process broke off with that status. Returns false. */
bool lp_process_explain(const char *what, int status, enum lp_code code, struct lp_error *err);

/* For the process that was started: whether standard input is such a socket. If so, it ends with its parent, heeds
 * no signals of the terminal, and is killed before its parent where the machine has no more memory. */
bool lp_process_know_its_place(void);

#endif
