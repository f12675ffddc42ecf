/* SPDX-License-Identifier: MIT */
/* weights/mmproj.c - finding the picture encoder's file. */
#include "weights/mmproj.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* The folder of a path into out[PATH_MAX], "." where the path names none; returns the file's name. */
static const char *take_apart(char out[PATH_MAX], const char *path) {
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (!slash)
        strcpy(out, ".");
    else if (n == 0)
        strcpy(out, "/");
    else
        snprintf(out, PATH_MAX, "%.*s", (int)(n < PATH_MAX ? n : PATH_MAX - 1), path);
    return slash ? slash + 1 : path;
}

static bool is_candidate(const char *name) {
    size_t n = strlen(name);
    return n > 5 && strcasecmp(name + n - 5, ".gguf") == 0 && strcasestr(name, "mmproj");
}

static bool list(const char *folder, const char *own, char first[NAME_MAX + 1], char second[NAME_MAX + 1],
                 struct lp_error *err) {
    DIR *dir = opendir(folder);
    if (!dir)
        return lp_error_set(err, LP_EIO, "cannot read the folder '%s': %s", folder, strerror(errno));
    first[0] = second[0] = 0;
    for (struct dirent *e; (e = readdir(dir));)
        if (is_candidate(e->d_name) && strcmp(e->d_name, own) != 0)
            snprintf(first[0] ? second : first, NAME_MAX + 1, "%s", e->d_name);
    closedir(dir);
    return true;
}

bool lp_mmproj_path(char *out, size_t size, const char *model, struct lp_error *err) {
    char folder[PATH_MAX], name[NAME_MAX + 1];
    const char *own = take_apart(folder, model);
    if (snprintf(name, sizeof name, "mmproj-%s", own) >= (int)sizeof name)
        return lp_error_set(err, LP_EINPUT, "the file name '%.100s' is too long", own);
    return lp_file_join(out, size, strchr(model, '/') ? folder : "", name, err);
}

bool lp_mmproj_find(char *out, size_t size, const char *model, struct lp_error *err) {
    char folder[PATH_MAX], first[NAME_MAX + 1], second[NAME_MAX + 1];
    const char *own = take_apart(folder, model);
    if (lp_mmproj_path(out, size, model, NULL) && lp_file_exists(out))
        return true;
    if (!list(folder, own, first, second, err))
        return false;
    if (!first[0])
        return lp_error_set(err, LP_EMISSING,
                            "%s: beside it is no picture encoder (a GGUF file with 'mmproj' in its name); "
                            "name one with --mmproj",
                            model);
    if (second[0])
        return lp_error_set(err, LP_EUSAGE,
                            "%s: beside it are several picture encoders, such as '%.80s' and '%.80s'; name "
                            "one with --mmproj",
                            model, first, second);
    return lp_file_join(out, size, strchr(model, '/') ? folder : "", first, err);
}
