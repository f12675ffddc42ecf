/* SPDX-License-Identifier: MIT */
/* Which machines may be dialled at an address that somebody else gave: this one, or all of the internet, and those of
 * networks that the user named. */
#ifndef LP_BASE_REACH_H
#define LP_BASE_REACH_H

#include "base/lookup.h"

enum { LP_REACH_MOST = 16 };

/* Zero-initialised reaches this machine (loopback) only. */
struct lp_reach {
    bool global; /* global unicast addresses instead of this machine: none that is private, of this link, reserved, for
                    documents, or that leads elsewhere through a tunnel or a translator */
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

/* Looks a host up, as lp_lookup does; what it cannot do and a host of which any address lies elsewhere are LP_EUSAGE, without
 * telling which: who asks shall learn nothing of the names of this network. */
bool lp_reach_host(const struct lp_reach *reach, const char *host, long wait_ms, const atomic_bool *cancel,
                   struct lp_addresses *out, struct lp_error *err);

/* Whether `url` can be the base address of a worker: http:// or https://, a host all of whose addresses lie within,
 * no user, query or fragment. Asks the system for the host's addresses, which may take its time. LP_EUSAGE, LP_EMEMORY. */
bool lp_reach_url(const struct lp_reach *reach, const char *url, struct lp_error *err);

#endif
