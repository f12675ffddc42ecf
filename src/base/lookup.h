/* SPDX-License-Identifier: MIT */
/* What a host's name means: asked of the system once, so that what was looked at is what is dialled. */
#ifndef LP_BASE_LOOKUP_H
#define LP_BASE_LOOKUP_H

#include "base/error.h"

#include <netinet/in.h>
#include <stdatomic.h>

enum { LP_ADDRESSES_MOST = 16 };

struct lp_addresses {
    union lp_address {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } item[LP_ADDRESSES_MOST];
    int n;
};

/* The addresses of a name, or of a number as the system reads it ("127.0.0.1", "0177.1", "::1"), the first
 * LP_ADDRESSES_MOST of them. Returns when `cancel` (NULL: never) is set or after wait_ms, though the system may still be
 * asked. LP_EIO where there is none in time, LP_ECANCELED, LP_EMEMORY. */
bool lp_lookup(const char *host, long wait_ms, const atomic_bool *cancel, struct lp_addresses *out, struct lp_error *err);

/* Whether it is one of them, whatever the ports. */
bool lp_addresses_have(const struct lp_addresses *addresses, const struct sockaddr *address);

/* "192.0.2.1" or "2001:db8::1"; out has INET6_ADDRSTRLEN bytes. */
void lp_address_format(const union lp_address *address, char *out);

#endif
