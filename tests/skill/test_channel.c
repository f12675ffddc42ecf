/* SPDX-License-Identifier: MIT */
/* What comes through a channel whose other side is not to be trusted: whole messages, cut ones, and ones with a byte changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/image.h"
#include "skill/channel.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 1 << 16 };

/* A message with an object of each kind: its bytes, how many. */
static size_t make_message(uint8_t bytes[MOST]) {
    static const uint8_t plane[6] = {1, 0, 0, 1, 1, 0};
    struct lp_objects o = {0};
    json_t *value = json_pack("{s:i}", "x", 7);
    int ends[2];
    assert_non_null(lp_objects_add_image(&o, lp_image_new(2, 1, NULL), NULL));
    assert_non_null(lp_objects_add_mask(&o, 3, 2, plane, "half", 1, NULL));
    assert_non_null(lp_objects_add_map(&o, 2, 3, plane, NULL));
    assert_non_null(lp_objects_add_box(&o, (const float[4]){0, 0, 1, 1}, NULL, 1, NULL));
    assert_non_null(lp_objects_add_point(&o, 0.5f, 0.5f, NULL));
    assert_non_null(lp_objects_add_text(&o, "gr\xc3\xbc\xc3\x9f", 1, NULL));
    assert_non_null(lp_objects_add_count(&o, 3, "things", NULL));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const struct lp_stream stream = {.socket = ends[0]};
    assert_true(lp_channel_send(&stream, value, (const struct lp_object *const *)o.item, o.n, NULL));
    ssize_t n = recv(ends[1], bytes, MOST, 0);
    assert_true(n > 0 && n < MOST);
    close(ends[0]);
    close(ends[1]);
    json_decref(value);
    lp_objects_done(&o);
    return (size_t)n;
}

/* Receives n bytes and the end as a message: whether it is one. */
static bool receive(const uint8_t *bytes, size_t n, size_t most, int *objects, struct lp_error *err) {
    struct lp_objects o = {0};
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(send(ends[0], bytes, n, 0), (ssize_t)n);
    close(ends[0]);
    *err = (struct lp_error){0};
    json_t *value = lp_channel_receive(&(struct lp_stream){.socket = ends[1]}, &o, most, err);
    *objects = o.n;
    close(ends[1]);
    json_decref(value);
    lp_objects_done(&o);
    return value != NULL;
}

static void a_whole_message_is_received(void **state) {
    (void)state;
    uint8_t bytes[MOST];
    struct lp_error err;
    int objects;
    size_t n = make_message(bytes);
    assert_true(receive(bytes, n, MOST, &objects, &err));
    assert_int_equal(objects, 7);
    for (size_t most = 0; !receive(bytes, n, most, &objects, &err); most++) { /* what it takes to have all of it */
        assert_int_equal(err.code, LP_EINPUT);
        assert_true(most < n);
    }
}

static void a_message_that_is_cut_is_none(void **state) {
    (void)state;
    uint8_t bytes[MOST];
    struct lp_error err;
    int objects;
    size_t n = make_message(bytes);
    for (size_t k = 0; k < n; k++) {
        assert_false(receive(bytes, k, MOST, &objects, &err));
        assert_int_equal(err.code, LP_EIO);
    }
}

static void whatever_byte_is_changed(void **state) {
    (void)state;
    uint8_t bytes[MOST];
    struct lp_error err;
    int objects, refused = 0;
    size_t n = make_message(bytes);
    for (size_t k = 0; k < n; k++)
        for (int bit = 0; bit < 8; bit++) {
            bytes[k] ^= (uint8_t)(1 << bit);
            if (!receive(bytes, n, MOST, &objects, &err)) {
                refused++;
                assert_true(err.code == LP_EIO || err.code == LP_EINPUT);
            }
            bytes[k] ^= (uint8_t)(1 << bit);
        }
    print_message("%d of %zu changed messages were none\n", refused, 8 * n);
    assert_true(refused > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_message_is_received),
        cmocka_unit_test(a_message_that_is_cut_is_none),
        cmocka_unit_test(whatever_byte_is_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
