/* SPDX-License-Identifier: MIT */
/* serve/slice.c - slices by sched_setattr(2), for which the C library has no function. */
#include "serve/slice.h"

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

struct attributes { /* the kernel's struct sched_attr, first version */
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime; /* of an ordinary thread: its slice, ns */
    uint64_t deadline, period;
};

void lp_slice_set(long microseconds) {
    struct attributes a = {0};
    if (syscall(SYS_sched_getattr, 0, &a, sizeof a, 0))
        return;
    a.runtime = (uint64_t)microseconds * 1000;
    syscall(SYS_sched_setattr, 0, &a, 0);
}
