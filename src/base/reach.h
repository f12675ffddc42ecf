/* SPDX-License-Identifier: MIT */
/* Which machines may be dialled at an address that somebody else gave: this one, and those of networks that
 * the user named. */
#ifndef LP_BASE_REACH_H
#define LP_BASE_REACH_H

#include "base/error.h"

#include <sys/socket.h>

enum { LP_REACH_MOST = 16 };

/* Zero-initialised reaches this machine (loopback) only. */
struct lp_reach {
    struct lp_network {
        unsigned char prefix[16]; /* IPv6, or IPv4 mapped into it */
        int bits;
    } network[LP_REACH_MOST];
    int n;
};

/* Adds "192.168.1.0/24", "10.0.0.7", "fd00::/8"; LP_EUSAGE. */
bool lp_reach_add(struct lp_reach *reach, const char *network, struct lp_error *err);

/* Whether a numeric address lies within. */
bool lp_reach_has(const struct lp_reach *reach, const struct sockaddr *address);

/* Whether `url` can be the base address of a worker: http:// or https://, a host all of whose addresses lie within,
 * no user, query or fragment. Asks the system for the host's addresses, which may take its time. LP_EUSAGE. */
bool lp_reach_url(const struct lp_reach *reach, const char *url, struct lp_error *err);

#endif
