/* SPDX-License-Identifier: MIT */
/* plan/folder.c - finding the planner that the program comes with. */
#include "plan/folder.h"

#include "base/models.h"

#include <stdlib.h>
#include <string.h>

static bool set(char *out, size_t size, const char *path, struct lp_error *err) {
    if (strlen(path) >= size)
        return lp_error_set(err, LP_EINPUT, "the path of the model folder is too long");
    strcpy(out, path);
    return true;
}

bool lp_planner_folder(const char *given, char *out, size_t size, struct lp_error *err) {
    const char *wanted = given && *given ? given : getenv("LLAVA_PLUS_MODEL");
    static const char *const names[] = {"llava-plus-nano-v1", NULL};
    char found[PATH_MAX];
    if (wanted && *wanted)
        return set(out, size, wanted, err);
    if (lp_models_find(names, found))
        return set(out, size, found, err);
    lp_models_beside_program(found);
    return lp_error_set(err, LP_EMISSING,
                        "there is no planner in %s: name a model folder with --model or "
                        "LLAVA_PLUS_MODEL",
                        found);
}
