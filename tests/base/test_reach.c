/* SPDX-License-Identifier: MIT */
/* Which addresses may be dialled, and which addresses are a worker's at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/reach.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool has(const struct lp_reach *reach, const char *address) {
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, address, &four.sin_addr) == 1)
        return lp_reach_has(reach, (struct sockaddr *)&four);
    assert_int_equal(inet_pton(AF_INET6, address, &six.sin6_addr), 1);
    return lp_reach_has(reach, (struct sockaddr *)&six);
}

static void this_machine_and_named_networks(void **state) {
    (void)state;
    struct lp_reach none = {0}, some = {0};
    struct lp_error err = {0};
    assert_true(lp_reach_add(&some, "192.168.1.0/24", &err) && lp_reach_add(&some, "10.0.0.7", &err) &&
                lp_reach_add(&some, "fd00::/8", &err));
    static const struct {
        const char *address;
        bool none, some;
    } cases[] = {
        {"127.0.0.1", true, true},         {"127.9.9.9", true, true},        {"::1", true, true},
        {"::ffff:127.0.0.1", true, true},  {"0.0.0.0", false, false},        {"::", false, false},
        {"192.168.1.200", false, true},    {"192.168.2.1", false, false},    {"10.0.0.7", false, true},
        {"10.0.0.8", false, false},        {"fd12::1", false, true},         {"fe80::1", false, false},
        {"::ffff:10.0.0.7", false, true},  {"::ffff:10.0.0.8", false, false}, {"169.254.169.254", false, false},
        {"::7f00:1", false, false},        {"128.0.0.1", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (has(&none, cases[i].address) != cases[i].none || has(&some, cases[i].address) != cases[i].some)
            fail_msg("%s", cases[i].address);
}

static void all_of_the_internet(void **state) {
    (void)state;
    static const char *const global[] = {
        "8.8.8.8",    "1.1.1.1",     "9.255.255.255",  "11.0.0.0",    "100.63.255.255",     "100.128.0.0", "172.15.255.255",
        "172.32.0.0", "192.0.1.0",   "192.167.0.1",    "198.17.0.1",  "198.20.0.1",         "223.255.255.255",
        "2606:4700::1111",           "2a00:1450::1",   "2001:4860:4860::8888", "::ffff:8.8.8.8", "3fff:1000::",
    };
    static const char *const others[] = {
        "0.0.0.0",         "0.1.2.3",        "10.0.0.0",        "10.255.255.255",    "100.64.0.0",       "100.127.255.255",
        "127.0.0.1",       "127.255.0.1",    "169.254.0.1",     "169.254.169.254",   "172.16.0.0",       "172.31.255.255",
        "192.0.0.192",     "192.0.2.1",      "192.88.99.1",     "192.168.0.1",       "198.18.0.1",       "198.19.255.255",
        "198.51.100.1",    "203.0.113.1",    "224.0.0.1",       "239.1.1.1",         "240.0.0.1",        "255.255.255.255",
        "::",              "::1",            "::ffff:10.0.0.1", "::ffff:127.0.0.1",  "::8.8.8.8",        "64:ff9b::8.8.8.8",
        "64:ff9b:1::1",    "100::1",         "2001::1",         "2001:20::1",        "2001:db8::1",      "2002:808:808::1",
        "3fff:fff::1",     "5f00::1",        "fc00::1",         "fd12::1",           "fe80::1",          "fec0::1",
        "ff02::1",         "ff0e::1",
    };
    struct lp_reach all = {.global = true}, more = {.global = true};
    struct lp_error err = {0};
    for (size_t i = 0; i < sizeof global / sizeof *global; i++)
        if (!has(&all, global[i]))
            fail_msg("%s", global[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (has(&all, others[i]))
            fail_msg("%s", others[i]);
    assert_true(lp_reach_add(&more, "10.0.0.0/8", &err));
    assert_true(has(&more, "10.0.0.1") && has(&more, "8.8.8.8") && !has(&more, "192.168.0.1") && !has(&more, "127.0.0.1"));
}

static void what_is_no_network(void **state) {
    (void)state;
    static const char *const texts[] = {"", "x", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "fd00::/129", "1.2.3", "host/8"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct lp_reach reach = {0};
        struct lp_error err = {0};
        if (lp_reach_add(&reach, texts[i], &err) || err.code != LP_EUSAGE)
            fail_msg("'%s'", texts[i]);
    }
    struct lp_reach full = {0};
    struct lp_error err = {0};
    for (int i = 0; i < LP_REACH_MOST; i++)
        assert_true(lp_reach_add(&full, "10.0.0.0/8", &err));
    assert_false(lp_reach_add(&full, "10.0.0.0/8", &err));
}

static void addresses_of_workers(void **state) {
    (void)state;
    static const struct {
        const char *url;
        bool good;
    } cases[] = {
        {"http://localhost:21002", true},   {"http://127.0.0.1:21002", true}, {"http://[::1]:21002", true},
        {"https://127.0.0.1/below", true},  {"", false},                      {"localhost:21002", false},
        {"ftp://127.0.0.1", false},         {"http://", false},               {"http://10.1.2.3:1", false},
        {"http://0x0a010203:1", false},     {"http://u@127.0.0.1", false},    {"http://u:p@127.0.0.1", false},
        {"http://127.0.0.1/?q", false},     {"http://127.0.0.1/#f", false},   {"http://127.0.0.1 /", false},
        {"http://host.invalid:1", false},   {"http://127.0.0.1@10.1.2.3/", false},
    };
    struct lp_reach reach = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_error err = {0};
        if (lp_reach_url(&reach, cases[i].url, &err) != cases[i].good || (!cases[i].good && err.code != LP_EUSAGE))
            fail_msg("%s", cases[i].url);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_machine_and_named_networks),
        cmocka_unit_test(all_of_the_internet),
        cmocka_unit_test(what_is_no_network),
        cmocka_unit_test(addresses_of_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
