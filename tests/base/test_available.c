/* SPDX-License-Identifier: MIT */
/* How much memory is left, by what the system's files say. */
#include "base/available.h"
#include "base/file.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char root[] = "/tmp/lp_available_XXXXXX";

static int make_root(void **state) {
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state) {
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

/* Writes root/folder/name. */
static void put(const char *folder, const char *name, const char *text) {
    char path[PATH_MAX], file[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", root, folder);
    assert_true(lp_file_make_folder(path, NULL));
    assert_true(lp_file_join(file, sizeof file, path, name, NULL));
    assert_true(lp_file_write(file, text, strlen(text), NULL));
}

static void the_smallest_of_machine_and_groups(void **state) {
    (void)state;
    assert_true(lp_memory_available(root) == INT64_MAX); /* nothing is told */
    put("proc", "meminfo", "MemTotal:  9000 kB\nMemFree:  100 kB\nMemAvailable:    4000 kB\nSwapFree:  1000 kB\n");
    assert_int_equal(lp_memory_available(root), 5000 << 10);
    put("proc/self", "cgroup", "1:cpu:/x\n0::/box/inner\n");
    assert_int_equal(lp_memory_available(root), 5000 << 10);
    put("sys/fs/cgroup/box/inner", "memory.max", "max\n");
    put("sys/fs/cgroup/box/inner", "memory.current", "1000\n");
    assert_int_equal(lp_memory_available(root), 5000 << 10);
    put("sys/fs/cgroup/box", "memory.max", "3000000\n");
    put("sys/fs/cgroup/box", "memory.current", "2500000\n");
    assert_int_equal(lp_memory_available(root), 500000);
    put("sys/fs/cgroup/box", "memory.stat", "anon 100\nfile 700000\nkernel 3\n"); /* caches can go */
    assert_int_equal(lp_memory_available(root), 1200000);
    put("sys/fs/cgroup/box", "memory.max", "1000\n");
    assert_int_equal(lp_memory_available(root), 0);
}

static void of_this_machine(void **state) {
    (void)state;
    assert_true(lp_memory_available("") > 1 << 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_of_machine_and_groups),
        cmocka_unit_test(of_this_machine),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
