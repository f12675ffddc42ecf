/* SPDX-License-Identifier: MIT */
/* base/reach.c - addresses by network. IPv4 is looked at as mapped into IPv6, so that a mapped address is no way
 * around. */
#include "base/reach.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

bool lp_reach_has(const struct lp_reach *reach, const struct sockaddr *address) {
    static const unsigned char here[16] = {[15] = 1}, here_four[16] = {[10] = 0xff, 0xff, 127};
    unsigned char a[16];
    if (address->sa_family == AF_INET)
        map(a, &((const struct sockaddr_in *)(const void *)address)->sin_addr);
    else if (address->sa_family == AF_INET6)
        memcpy(a, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
    else
        return false;
    bool within = agrees(a, here, 128) || agrees(a, here_four, 96 + 8);
    for (int i = 0; i < reach->n; i++)
        within = within || agrees(a, reach->network[i].prefix, reach->network[i].bits);
    return within;
}

static bool reaches_host(const struct lp_reach *reach, const char *host) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char name[256];
    size_t n = strlen(host);
    bool six = n > 2 && host[0] == '[';
    if (n >= sizeof name)
        return false;
    memcpy(name, host + six, n + 1 - six);
    if (six)
        name[n - 2] = 0;
    bool within = !getaddrinfo(name, NULL, &hints, &list) && list;
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        within = within && lp_reach_has(reach, a->ai_addr);
    if (list)
        freeaddrinfo(list);
    return within;
}

bool lp_reach_url(const struct lp_reach *reach, const char *text, struct lp_error *err) {
    static const CURLUPart wanted[] = {CURLUPART_SCHEME, CURLUPART_HOST}, unwanted[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT};
    CURLU *url = curl_url();
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
    else if (!reaches_host(reach, part[1]))
        good = lp_error_set(err, LP_EUSAGE, "%s is neither this machine nor of a network that was allowed", text);
    curl_free(part[0]);
    curl_free(part[1]);
    curl_url_cleanup(url);
    return good;
}
