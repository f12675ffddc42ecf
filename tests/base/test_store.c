/* SPDX-License-Identifier: MIT */
/* The store: what is found is what was put, the least recently used go first, files that are not whole are as
 * if they were not there, and nothing but the cache's own files is touched. SHA-256 and the checksum under
 * it. */
#include "base/store.h"

#include "base/checksum.h"
#include "base/memory.h"
#include "weights/folder.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <cmocka.h>

enum { SIZE = 1000, OVERHEAD = 128 }; /* what an entry takes in memory beside its bytes */

static struct lp_hash key_of(int n) {
    return lp_sha256_of(&n, sizeof n);
}

static struct lp_store *open_store(size_t memory, const char *folder, size_t disk) {
    struct lp_error err = {0};
    struct lp_store *s = lp_store_open(&(struct lp_store_settings){memory, folder, disk}, &err);
    if (!s)
        fail_msg("%s", err.text);
    return s;
}

/* Puts SIZE bytes of value n under the key of n. */
static void put(struct lp_store *s, int n) {
    struct lp_hash key = key_of(n);
    void *data = lp_store_new(s, SIZE);
    if (!data)
        return;
    memset(data, n, SIZE);
    lp_store_put(s, &key, data);
}

static bool has(struct lp_store *s, int n) {
    struct lp_hash key = key_of(n);
    struct lp_stored found;
    if (!lp_store_find(s, &key, SIZE, &found))
        return false;
    for (int i = 0; i < SIZE; i++)
        assert_int_equal(((const uint8_t *)found.data)[i], (uint8_t)n);
    lp_store_release(s, &found);
    return true;
}

static void path_of(const char *folder, int n, char path[200]) {
    struct lp_hash key = key_of(n);
    char hex[65];
    lp_hash_hex(&key, hex);
    snprintf(path, 200, "%s/%s.lpcache", folder, hex);
}

static void hashes_are_the_standard_s(void **state) {
    (void)state;
    static const struct {
        const char *text, *hash;
    } cases[] = {/* FIPS 180-4's examples, and one of several blocks in odd pieces */
                 {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                 {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                 {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"}};
    char hex[65];
    for (size_t i = 0; i < 3; i++)
        for (size_t piece = 1; piece < 70; piece += 3) {
            struct lp_sha256 s;
            lp_sha256_init(&s);
            size_t n = strlen(cases[i].text);
            for (size_t at = 0; at < n; at += piece)
                lp_sha256_add(&s, cases[i].text + at, n - at < piece ? n - at : piece);
            struct lp_hash h = lp_sha256_end(&s);
            lp_hash_hex(&h, hex);
            assert_string_equal(hex, cases[i].hash);
        }
    struct lp_sha256 s;
    lp_sha256_init(&s);
    for (int i = 0; i < 1000000; i++)
        lp_sha256_add(&s, "a", 1);
    struct lp_hash h = lp_sha256_end(&s);
    lp_hash_hex(&h, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void checksums_see_every_flipped_bit(void **state) {
    (void)state;
    uint8_t data[200] = {0};
    uint64_t right = lp_checksum(5, data, sizeof data);
    for (size_t bit = 0; bit < 8 * sizeof data; bit++) {
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_true(lp_checksum(5, data, sizeof data) != right);
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(lp_checksum(5, data, sizeof data) == right);
    assert_true(lp_checksum(5, data, sizeof data - 1) != right);
    assert_true(lp_checksum(4, data, sizeof data) != right);
}

static void the_least_recently_used_go_first(void **state) {
    (void)state;
    struct lp_hash one = key_of(1);
    struct lp_stored held;
    struct lp_store *s = open_store(3 * (SIZE + OVERHEAD), NULL, 0);
    for (int i = 1; i <= 3; i++)
        put(s, i);
    assert_true(has(s, 1)); /* now 2 is the oldest */
    put(s, 4);
    assert_false(has(s, 2));
    assert_true(has(s, 3) && has(s, 4) && has(s, 1));
    assert_int_equal(lp_store_memory(s), 3 * (SIZE + OVERHEAD));
    assert_true(lp_store_find(s, &one, SIZE, &held)); /* in use: it stays whatever comes */
    for (int i = 5; i < 20; i++)
        put(s, i);
    assert_memory_equal(held.data, "\1\1\1", 3);
    lp_store_release(s, &held);
    assert_true(has(s, 1) && has(s, 19) && has(s, 18) && !has(s, 17));
    lp_store_forget(s, &(struct lp_hash){.byte = {9}}); /* not there */
    struct lp_hash last = key_of(18);
    lp_store_forget(s, &last);
    assert_true(has(s, 19) && !has(s, 18));
    put(s, 18);
    assert_true(lp_store_has(s, &one, SIZE));
    assert_false(lp_store_has(s, &one, SIZE - 1));         /* other bytes are another thing */
    assert_null(lp_store_new(s, 3 * SIZE + 3 * OVERHEAD)); /* would not be kept */
    lp_store_close(s);
    assert_false(lp_store_find(NULL, &one, SIZE, &held));
    assert_true(lp_store_has(NULL, &one, SIZE));
    lp_store_close(NULL);
}

/* What is large takes whole pages, is counted as such, and goes back to the system when it goes. */
static void large_things_are_counted_as_they_are(void **state) {
    (void)state;
    enum { LARGE = 1 << 20, ENTRIES = 8 };
    size_t before = lp_memory_use().resident, most = before, each = lp_large_bytes(LARGE + OVERHEAD);
    struct lp_store *s = open_store(ENTRIES * each, NULL, 0);
    for (int i = 1; i <= 10 * ENTRIES; i++) {
        size_t bytes = LARGE - (size_t)(i % 7) * 5000; /* of sizes that leave holes in a heap */
        void *data = lp_store_new(s, bytes);
        memset(data, i, bytes);
        lp_store_put(s, &(struct lp_hash){.byte = {(uint8_t)i}}, data);
        most = lp_memory_use().resident > most ? lp_memory_use().resident : most;
    }
    assert_in_range(lp_store_memory(s), (ENTRIES - 1) * (each - 30000), ENTRIES * each);
    assert_in_range(most - before, 0, (ENTRIES + 3) * each);
    lp_store_close(s);
    assert_in_range(each, LARGE + OVERHEAD + 1, LARGE + OVERHEAD + sysconf(_SC_PAGESIZE));
}

static void a_folder_outlives_the_store(void **state) {
    (void)state;
    char folder[64], deep[100], path[200];
    folder_make(folder);
    snprintf(deep, sizeof deep, "%s/new", folder);
    struct lp_store *s = open_store(0, deep, 1 << 20);
    put(s, 1);
    assert_int_equal(lp_store_memory(s), 0);
    lp_store_close(s);
    s = open_store(1 << 20, deep, 1 << 20);
    assert_true(has(s, 1) && !has(s, 2));
    folder_remove(deep); /* at any time */
    assert_false(has(s, 1));
    put(s, 2);
    path_of(deep, 2, path);
    assert_int_equal(access(path, R_OK), 0);
    lp_store_close(s);
    folder_remove(deep);
    folder_remove(folder);
}

/* Every kind of damage: as if it were not there, deleted, and written anew. */
static void damaged_files_are_replaced(void **state) {
    (void)state;
    char folder[64], path[200], other[200], content[SIZE + 64];
    folder_make(folder);
    struct lp_store *s = open_store(0, folder, 1 << 20);
    put(s, 1);
    put(s, 2);
    path_of(folder, 1, path);
    path_of(folder, 2, other);
    FILE *f = fopen(path, "rb");
    assert_int_equal(fread(content, 1, sizeof content, f), sizeof content);
    fclose(f);
    for (int i = -3; i < (int)sizeof content; i += i < 64 ? 1 : 97) {
        if (i == -3)
            assert_int_equal(truncate(path, 0), 0);
        else if (i == -2)
            assert_int_equal(truncate(path, SIZE), 0);
        else if (i == -1) /* another key's */
            assert_int_equal(rename(other, path), 0);
        else
            content[i] ^= 16;
        if (i >= 0) {
            f = fopen(path, "wb");
            fwrite(content, 1, sizeof content, f);
            fclose(f);
            content[i] ^= 16;
        }
        assert_false(has(s, 1));
        assert_int_equal(access(path, F_OK), -1);
        put(s, 1);
        assert_true(has(s, 1));
    }
    lp_store_close(s);
    assert_int_equal(folder_remove(folder), 1);
}

static void set_time(const char *path, long seconds) {
    struct timeval when[2] = {{seconds, 0}, {seconds, 0}};
    assert_int_equal(utimes(path, when), 0);
}

static void a_folder_keeps_its_size_and_what_is_not_its_own(void **state) {
    (void)state;
    char folder[64], path[200], stale[220];
    folder_make(folder);
    folder_put(folder, "notes.txt", "mine", 4);
    folder_put(folder, "0123.lpcache", "mine", 4);
    struct lp_store *s = open_store(0, folder, 8 * (SIZE + 64));
    for (int i = 0; i < 8; i++) {
        put(s, i);
        path_of(folder, i, path);
        set_time(path, 1000000 + i);
    }
    assert_true(has(s, 0)); /* a use: now 1 is the oldest */
    path_of(folder, 20, path);
    snprintf(stale, sizeof stale, "%s.Ab1Cd2", path); /* left by who was killed */
    folder_put("", stale, "x", 1);
    set_time(stale, 1000000);
    put(s, 8);
    assert_true(has(s, 0) && has(s, 8) && has(s, 7) && !has(s, 1));
    assert_int_equal(access(stale, F_OK), -1);
    path_of(folder, 30, path); /* a way out of the folder is not taken */
    snprintf(stale, sizeof stale, "%s/pipe", folder);
    assert_int_equal(mkfifo(stale, 0600), 0);
    assert_int_equal(symlink(stale, path), 0);
    put(s, 30);
    assert_false(has(s, 30));
    lp_store_close(s);
    s = open_store(0, folder, 2 * (SIZE + 64)); /* a smaller limit than before */
    int left = 0;
    for (int i = 0; i < 9; i++)
        left += has(s, i);
    assert_int_equal(left, 2);
    lp_store_close(s);
    assert_int_equal(folder_remove(folder), 2 + 2 + 2);
}

static void folders_that_cannot_be(void **state) {
    (void)state;
    char folder[64], path[100];
    struct lp_error err = {0};
    folder_make(folder);
    folder_put(folder, "file", "x", 1);
    snprintf(path, sizeof path, "%s/file", folder);
    assert_null(lp_store_open(&(struct lp_store_settings){0, path, 1}, &err));
    assert_int_equal(err.code, LP_EIO);
    assert_null(lp_store_open(&(struct lp_store_settings){0, "", 1}, &err));
    assert_int_equal(err.code, LP_EUSAGE);
    folder_remove(folder);
}

/* What does not fit on the disk is not there, and nothing is left of it. */
static void a_full_disk_is_no_error(void **state) {
    (void)state;
    char folder[64];
    folder_make(folder);
    struct lp_store *s = open_store(0, folder, 1 << 20);
    struct rlimit before, few = {SIZE / 2, RLIM_INFINITY};
    getrlimit(RLIMIT_FSIZE, &before);
    few.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &few);
    put(s, 1);
    bool there = has(s, 1);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_false(there);
    assert_int_equal(folder_remove(folder), 0);
    put(s, 1); /* the folder is gone, and made again */
    assert_true(has(s, 1));
    lp_store_close(s);
    assert_int_equal(folder_remove(folder), 1);
}

static void no_memory_is_no_error(void **state) {
    (void)state;
    char folder[64];
    folder_make(folder);
    bool put_once = false;
    for (long n = 1; n < 12; n++) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        struct lp_store *s = lp_store_open(&(struct lp_store_settings){1 << 20, folder, 4 * SIZE}, &err);
        if (s)
            for (int i = 0; i < 6; i++)
                put(s, i);
        lp_test_fail_alloc(0);
        if (!s)
            assert_int_equal(err.code, LP_EMEMORY);
        else
            put_once = has(s, 0) || put_once;
        lp_store_close(s);
        folder_remove(folder);
    }
    assert_true(put_once);
}

struct work {
    struct lp_store *store;
    int seed, rounds, found;
};

static void *work(void *context) {
    struct work *w = context;
    for (int i = 0; i < w->rounds; i++) {
        int n = i % 2 ? 0 : (i * 7 + w->seed) % 23; /* 0 is found again, however the threads take turns */
        if (has(w->store, n))
            w->found++;
        else
            put(w->store, n);
    }
    return NULL;
}

static void threads_share_a_store(void **state) {
    (void)state;
    char folder[64];
    folder_make(folder);
    for (int disk = 0; disk < 2; disk++) {
        struct lp_store *s = open_store(9 * (SIZE + OVERHEAD), disk ? folder : NULL, 12 * SIZE);
        int rounds = disk ? 150 : 3000;
        struct work w[3] = {{s, 0, rounds, 0}, {s, 5, rounds, 0}, {s, 11, rounds, 0}};
        pthread_t thread[3];
        for (int i = 0; i < 3; i++)
            assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]), 0);
        for (int i = 0; i < 3; i++)
            pthread_join(thread[i], NULL);
        assert_true(w[0].found + w[1].found + w[2].found > 0);
        assert_true(lp_store_memory(s) <= 9 * (SIZE + OVERHEAD));
        lp_store_close(s);
    }
    assert_true(folder_remove(folder) <= 13);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_the_standard_s),
        cmocka_unit_test(checksums_see_every_flipped_bit),
        cmocka_unit_test(the_least_recently_used_go_first),
        cmocka_unit_test(large_things_are_counted_as_they_are),
        cmocka_unit_test(a_folder_outlives_the_store),
        cmocka_unit_test(damaged_files_are_replaced),
        cmocka_unit_test(a_folder_keeps_its_size_and_what_is_not_its_own),
        cmocka_unit_test(folders_that_cannot_be),
        cmocka_unit_test(a_full_disk_is_no_error),
        cmocka_unit_test(no_memory_is_no_error),
        cmocka_unit_test(threads_share_a_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
