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
        cmocka_unit_test(what_is_no_network),
        cmocka_unit_test(addresses_of_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
