/* SPDX-License-Identifier: MIT */
/* base/reach.c - addresses by network. IPv4 is looked at as mapped into IPv6, so that a mapped address is no way
 * around. */
#include "base/reach.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LOOKUP_MS = 30000 };

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void map(unsigned char out[16], const void *four) {
    memcpy(out, mapped, 12);
    memcpy(out + 12, four, 4);
}

/* The leading bits that both share are at least `bits`. */
static bool agrees(const unsigned char *a, const unsigned char *b, int bits) {
    int bytes = bits / 8, rest = bits % 8;
    return !memcmp(a, b, (size_t)bytes) && (!rest || !((a[bytes] ^ b[bytes]) >> (8 - rest)));
}

bool lp_reach_add(struct lp_reach *reach, const char *text, struct lp_error *err) {
    char address[INET6_ADDRSTRLEN + 1] = "";
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    unsigned char four[4];
    struct lp_network net = {.bits = 128};
    bool good = n < sizeof address;
    if (good)
        memcpy(address, text, n);
    bool is_four = good && inet_pton(AF_INET, address, four) == 1;
    if (is_four)
        map(net.prefix, four);
    good = is_four || (good && inet_pton(AF_INET6, address, net.prefix) == 1);
    if (good && slash) {
        char *end;
        long bits = strtol(slash + 1, &end, 10);
        good = slash[1] >= '0' && slash[1] <= '9' && !*end && bits >= 0 && bits <= (is_four ? 32 : 128);
        net.bits = (int)bits + (is_four ? 96 : 0);
    }
    if (!good)
        return lp_error_set(err, LP_EUSAGE, "'%s' is no network such as 192.168.1.0/24 or fd00::/8", text);
    if (reach->n == LP_REACH_MOST)
        return lp_error_set(err, LP_EUSAGE, "more than %d networks were given", LP_REACH_MOST);
    reach->network[reach->n++] = net;
    return true;
}

/* Not global, of IANA's registries of special addresses. Of IPv6 all beyond 2000::/3 is not, either: loopback, private,
 * link-local, multicast, NAT64. */
static const struct {
    unsigned char prefix[4];
    int bits;
} special_four[] = {
    {{0}, 8},              /* this network */
    {{10}, 8},             /* private */
    {{100, 64}, 10},       /* shared by a provider's customers */
    {{127}, 8},            /* this machine */
    {{169, 254}, 16},      /* this link */
    {{172, 16}, 12},       /* private */
    {{192, 0, 0}, 24},     /* protocols */
    {{192, 0, 2}, 24},     /* documents */
    {{192, 88, 99}, 24},   /* relays of 6to4 */
    {{192, 168}, 16},      /* private */
    {{198, 18}, 15},       /* measuring networks */
    {{198, 51, 100}, 24},  /* documents */
    {{203, 0, 113}, 24},   /* documents */
    {{224}, 3},            /* multicast, reserved, broadcast */
};
static const struct lp_network special_six[] = {
    {{0x20, 0x01}, 23},             /* protocols, Teredo among them */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documents */
    {{0x20, 0x02}, 16},             /* 6to4 */
    {{0x3f, 0xff}, 20},             /* documents */
};

static bool is_global(const unsigned char a[16]) {
    static const unsigned char unicast[16] = {0x20};
    bool four = agrees(a, mapped, 96), good = four || agrees(a, unicast, 3);
    for (size_t i = 0; four && i < sizeof special_four / sizeof *special_four; i++)
        good = good && !agrees(a + 12, special_four[i].prefix, special_four[i].bits);
    for (size_t i = 0; !four && i < sizeof special_six / sizeof *special_six; i++)
        good = good && !agrees(a, special_six[i].prefix, special_six[i].bits);
    return good;
}

static bool is_here(const unsigned char a[16]) {
    static const unsigned char here[16] = {[15] = 1}, here_four[16] = {[10] = 0xff, 0xff, 127};
    return agrees(a, here, 128) || agrees(a, here_four, 96 + 8);
}

bool lp_reach_has(const struct lp_reach *reach, const struct sockaddr *address) {
    unsigned char a[16];
    if (address->sa_family == AF_INET)
        map(a, &((const struct sockaddr_in *)(const void *)address)->sin_addr);
    else if (address->sa_family == AF_INET6)
        memcpy(a, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
    else
        return false;
    bool within = reach->global ? is_global(a) : is_here(a);
    for (int i = 0; i < reach->n; i++)
        within = within || agrees(a, reach->network[i].prefix, reach->network[i].bits);
    return within;
}

bool lp_reach_host(const struct lp_reach *reach, const char *host, long wait_ms, const atomic_bool *cancel,
                   struct lp_addresses *out, struct lp_error *err) {
    struct lp_error why = {0};
    char name[256];
    size_t n = strlen(host);
    bool six = n > 2 && host[0] == '[' && host[n - 1] == ']';
    *out = (struct lp_addresses){0};
    snprintf(name, sizeof name, "%.*s", (int)(six ? n - 2 : n), host + six);
    bool within = n < sizeof name && lp_lookup(name, wait_ms, cancel, out, &why);
    if (why.code != LP_OK && why.code != LP_EIO) {
        if (err)
            *err = why;
        return false;
    }
    for (int i = 0; i < out->n; i++)
        within = within && lp_reach_has(reach, &out->item[i].any);
    return within || lp_error_set(err, LP_EUSAGE, reach->global ? "%s is not found, or not at global addresses only"
                                                                : "%s is neither this machine nor of a network that was allowed",
                                  host);
}

bool lp_reach_url(const struct lp_reach *reach, const char *text, struct lp_error *err) {
    static const CURLUPart wanted[] = {CURLUPART_SCHEME, CURLUPART_HOST}, unwanted[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT};
    CURLU *url = curl_url();
    struct lp_addresses addresses;
    char *part[2] = {NULL, NULL}, *more = NULL;
    bool good = url && curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER) == CURLUE_OK;
    for (int i = 0; good && i < 2; i++)
        good = curl_url_get(url, wanted[i], &part[i], 0) == CURLUE_OK;
    for (int i = 0; good && i < 4; i++) {
        good = curl_url_get(url, unwanted[i], &more, 0) != CURLUE_OK;
        curl_free(more);
        more = NULL;
    }
    good = good && (!strcasecmp(part[0], "http") || !strcasecmp(part[0], "https"));
    if (!good)
        lp_error_set(err, LP_EUSAGE, "'%s' is no worker's address: it must be http://HOST:PORT", text);
    else
        good = lp_reach_host(reach, part[1], LOOKUP_MS, NULL, &addresses, err);
    curl_free(part[0]);
    curl_free(part[1]);
    curl_url_cleanup(url);
    return good;
}
