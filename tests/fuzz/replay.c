/* SPDX-License-Identifier: MIT */
/* tests/fuzz/replay.c - gives each file of the folders on the command line to the fuzz target, in order of
 * name. */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>

/* A copy of exactly the file's size, so that the sanitizer sees a read past its end. */
static void replay(const char *path) {
    FILE *f = fopen(path, "rb");
    LP_FUZZ_CHECK(f && fseek(f, 0, SEEK_END) == 0);
    long size = ftell(f);
    rewind(f);
    LP_FUZZ_CHECK(size >= 0);
    uint8_t *data = malloc((size_t)size + !size);
    LP_FUZZ_CHECK(data && fread(data, 1, (size_t)size, f) == (size_t)size);
    fclose(f);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
}

int main(int argc, char **argv) {
    int n_files = 0;
    for (int i = 1; i < argc; i++) {
        struct dirent **entry;
        int n = scandir(argv[i], &entry, NULL, alphasort);
        for (int k = 0; k < n; k++) {
            char path[PATH_MAX];
            snprintf(path, sizeof path, "%s/%s", argv[i], entry[k]->d_name);
            if (entry[k]->d_name[0] != '.') {
                replay(path);
                n_files++;
            }
            free(entry[k]);
        }
        if (n >= 0)
            free(entry);
    }
    fprintf(stderr, "%d files\n", n_files);
    return n_files ? 0 : 1;
}
