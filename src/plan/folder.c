/* SPDX-License-Identifier: MIT */
/* plan/folder.c - finding the planner that the program comes with. */
#include "plan/folder.h"

#include "base/file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NANO "models/llava-plus-nano-v1"

static bool set(char *out, size_t size, const char *path, struct lp_error *err) {
    if (strlen(path) >= size)
        return lp_error_set(err, LP_EINPUT, "the path of the model folder is too long");
    strcpy(out, path);
    return true;
}

/* <folder of the program>/../share/llava-plus/models/llava-plus-nano-v1; "" when that cannot be told. */
static void beside_program(char out[PATH_MAX]) {
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    out[0] = 0;
    if (n <= 0)
        return;
    self[n] = 0;
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = 0;
    if (snprintf(out, PATH_MAX, "%s/../share/llava-plus/" NANO, self) >= PATH_MAX)
        out[0] = 0;
}

bool lp_planner_folder(const char *given, char *out, size_t size, struct lp_error *err) {
    const char *wanted = given && *given ? given : getenv("LLAVA_PLUS_MODEL");
    char beside[PATH_MAX];
    if (wanted && *wanted)
        return set(out, size, wanted, err);
    beside_program(beside);
    if (*beside && lp_file_exists(beside))
        return set(out, size, beside, err);
    if (lp_file_exists(LP_SOURCE_DIR "/" NANO))
        return set(out, size, LP_SOURCE_DIR "/" NANO, err);
    return lp_error_set(err, LP_EMISSING,
                        "there is no planner in %s: name a model folder with --model or "
                        "LLAVA_PLUS_MODEL",
                        beside);
}
