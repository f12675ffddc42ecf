/* SPDX-License-Identifier: MIT */
/* A temporary folder for tests that write files: made by folder_make, emptied and removed by folder_remove.
 */
#ifndef LP_TESTS_WEIGHTS_FOLDER_H
#define LP_TESTS_WEIGHTS_FOLDER_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void folder_make(char path[64]) {
    snprintf(path, 64, "/tmp/lp_test_XXXXXX");
    if (!mkdtemp(path))
        abort();
}

/* Removes the folder's files and the folder; nothing lies deeper. Returns how many files there were. */
static inline int folder_remove(const char *path) {
    int n = 0;
    char file[600];
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        unlink(file);
        n++;
    }
    if (dir)
        closedir(dir);
    rmdir(path);
    return n;
}

static inline void folder_put(const char *folder, const char *name, const void *bytes, size_t n) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
        abort();
}

#endif
