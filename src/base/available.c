/* SPDX-License-Identifier: MIT */
/* base/available.c - /proc/meminfo and the second version of control groups, as Linux has them. */
#include "base/available.h"

#include "base/file.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { LINE = 256 };

/* The number after `key` at the start of a line of a folder's file; false where there is none. */
static bool read_number(const char *folder, const char *name, const char *key, int64_t *out) {
    char path[PATH_MAX], line[LINE];
    FILE *file = lp_file_join(path, sizeof path, folder, name, NULL) ? fopen(path, "r") : NULL;
    long long number;
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file))
        if (!strncmp(line, key, strlen(key)) && sscanf(line + strlen(key), "%lld", &number) == 1) {
            *out = number;
            found = true;
        }
    if (file)
        fclose(file);
    return found;
}

static int64_t of_machine(const char *root) {
    char proc[PATH_MAX];
    int64_t memory, swap = 0;
    snprintf(proc, sizeof proc, "%s/proc", root);
    if (!read_number(proc, "meminfo", "MemAvailable:", &memory))
        return INT64_MAX;
    read_number(proc, "meminfo", "SwapFree:", &swap);
    return (memory + swap) << 10;
}

/* What a group's limit leaves; its caches can be pushed out. */
static int64_t of_group(const char *group) {
    int64_t most, used, cache = 0;
    if (!read_number(group, "memory.max", "", &most) /* also "max" */ ||
        !read_number(group, "memory.current", "", &used))
        return INT64_MAX;
    read_number(group, "memory.stat", "file ", &cache);
    int64_t left = most - used + cache;
    return left < 0 ? 0 : left;
}

/* The group's name, "/" at least, after which a line break was cut; false where there are no groups of
 * version 2. */
static bool find_group(const char *root, char name[LINE]) {
    char path[PATH_MAX], line[LINE] = "";
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "r");
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file))
        found = !strncmp(line, "0::/", 4);
    if (file)
        fclose(file);
    line[strcspn(line, "\n")] = 0;
    if (found)
        strcpy(name, line + 3);
    return found;
}

int64_t lp_memory_available(const char *root) {
    int64_t least = of_machine(root);
    char name[LINE];
    for (bool more = find_group(root, name);
         more;) { /* a group is held to the limits of those around it, too */
        char folder[PATH_MAX];
        snprintf(folder, sizeof folder, "%s/sys/fs/cgroup%s", root, name);
        int64_t left = of_group(folder);
        least = left < least ? left : least;
        char *slash = strrchr(name, '/');
        more = slash && name[0];
        if (slash)
            *slash = 0;
    }
    return least;
}
