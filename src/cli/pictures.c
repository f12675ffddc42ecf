/* SPDX-License-Identifier: MIT */
/* cli/pictures.c - see pictures.h. */
#include "cli/pictures.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static int is_picture(const struct dirent *entry) {
    static const char *const endings[] = {".jpg", ".jpeg", ".png",  ".webp", ".gif",
                                          ".tif", ".tiff", ".heic", ".avif"};
    const char *dot = strrchr(entry->d_name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (!strcasecmp(dot, endings[i]))
            return 1;
    return 0;
}

static void add_file(struct lp_pictures *pictures, const char *path) {
    lp_str_add(&pictures->paths, path, strlen(path) + 1);
    pictures->n++;
}

static bool add_folder(struct lp_pictures *pictures, const char *folder, struct lp_error *err) {
    struct dirent **entry;
    int n = scandir(folder, &entry, is_picture, alphasort);
    if (n < 0)
        return lp_error_set(err, LP_EIO, "cannot read the folder '%s': %s", folder, strerror(errno));
    bool ok = true;
    int64_t before = pictures->n;
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];
        struct stat about;
        ok = ok && lp_file_join(path, sizeof path, folder, entry[i]->d_name, err);
        if (ok && !stat(path, &about) && !S_ISDIR(about.st_mode))
            add_file(pictures, path);
        free(entry[i]);
    }
    free(entry);
    return ok && (pictures->n > before ||
                  lp_error_set(err, LP_EINPUT, "there is no picture in the folder '%s'", folder));
}

bool lp_pictures_add(struct lp_pictures *pictures, const char *path, struct lp_error *err) {
    struct stat about;
    bool folder = !stat(path, &about) && S_ISDIR(about.st_mode);
    if (folder && !add_folder(pictures, path, err))
        return false;
    if (!folder)
        add_file(pictures, path);
    pictures->several = pictures->several || folder || pictures->n > 1;
    return !pictures->paths.failed || lp_error_memory(err);
}

const char *lp_pictures_next(const struct lp_pictures *pictures, const char *path) {
    const char *start = lp_str_text(&pictures->paths), *next = path ? path + strlen(path) + 1 : start;
    return next < start + pictures->paths.n ? next : NULL;
}

void lp_pictures_done(struct lp_pictures *pictures) {
    lp_str_done(&pictures->paths);
}
