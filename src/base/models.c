/* SPDX-License-Identifier: MIT */
/* base/models.c - see models.h. */
#include "base/models.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void lp_models_beside_program(char out[PATH_MAX]) {
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    out[0] = 0;
    if (n <= 0)
        return;
    self[n] = 0;
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = 0;
    if (snprintf(out, PATH_MAX, "%s/../share/llava-plus/models", self) >= PATH_MAX)
        out[0] = 0;
}

bool lp_models_find(const char *const *names, char out[PATH_MAX]) {
    char beside[PATH_MAX];
    const char *named = getenv("LLAVA_PLUS_MODELS");
    lp_models_beside_program(beside);
    const char *const folders[] = {named ? named : "", beside, LP_SOURCE_DIR "/models"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        for (const char *const *name = names; *folders[i] && *name; name++)
            if (lp_file_join(out, PATH_MAX, folders[i], *name, NULL) && lp_file_exists(out))
                return true;
    return false;
}
