/* SPDX-License-Identifier: MIT */
/* What lies at an https address that a stranger gave. Nothing but that is asked for: the host's name is looked up once and only
 * the addresses that were looked at are dialled, at one port, without proxy, cookies or keys; each redirect is a new address,
 * looked at like the first. */
#ifndef LP_BASE_FETCH_H
#define LP_BASE_FETCH_H

#include "base/reach.h"
#include "base/str.h"

struct lp_fetch_settings {
    struct lp_reach reach;   /* where hosts may be */
    int port;                /* the only one */
    int redirects;           /* most of them */
    size_t limit;            /* bytes of the content */
    long wait_ms;            /* most time for all of it */
    const char *accept;      /* kinds of content that are asked for; borrowed */
    const char *authorities; /* file of certificates (PEM) to trust, borrowed; NULL: the system's */
};
/* Global addresses, 443, 3 redirects, 32 MiB, 20 seconds, any kind, the system's. */
void lp_fetch_defaults(struct lp_fetch_settings *s);

/* Adds the content to out. LP_EUSAGE: the address may not be fetched; LP_EIO: there is nothing, or not in time; LP_EINPUT:
 * it is larger; LP_ECANCELED once `cancel` (NULL: never) is set by another thread; LP_EMEMORY. */
bool lp_fetch(const struct lp_fetch_settings *s, const char *url, const atomic_bool *cancel, struct lp_str *out,
              struct lp_error *err);

#endif
