/* SPDX-License-Identifier: MIT */
/* weights/tower.c - finding the picture encoder that a config.json names. */
#include "weights/tower.h"

#include "base/file.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_config(const char *folder) {
    char path[PATH_MAX];
    return lp_file_join(path, sizeof path, folder, "config.json", NULL) && lp_file_exists(path);
}

/* Whether each part of "owner/name" is a plain name: the configuration is data from outside. */
static bool is_plain(const char *name) {
    const char *slash = strchr(name, '/');
    return name[0] && name[0] != '.' && !(slash && (slash[1] == '.' || !slash[1] || strchr(slash + 1, '/')));
}

/* folder/a/b, where b may be NULL. */
static bool try(char *out, size_t size, const char *folder, const char *a, const char *b) {
    char path[PATH_MAX];
    return lp_file_join(path, sizeof path, folder, a, NULL) && lp_file_join(out, size, path, b ? b : "", NULL) && has_config(out);
}

/* Any snapshot that is whole enough to have a configuration. */
static bool find_snapshot(char *out, size_t size, const char *hub, const char *name) {
    char kept[NAME_MAX + 1], path[PATH_MAX], snapshots[PATH_MAX];
    const char *slash = strchr(name, '/');
    int owner = slash ? (int)(slash - name) : 0;
    if (!slash || snprintf(kept, sizeof kept, "models--%.*s--%s", owner, name, slash + 1) >= (int)sizeof kept ||
        !lp_file_join(path, sizeof path, hub, kept, NULL) || !lp_file_join(snapshots, sizeof snapshots, path, "snapshots", NULL))
        return false;
    DIR *dir = opendir(snapshots);
    bool found = false;
    for (struct dirent *e; dir && !found && (e = readdir(dir));)
        found = e->d_name[0] != '.' && try(out, size, snapshots, e->d_name, NULL);
    if (dir)
        closedir(dir);
    return found;
}

static bool find_in_hub(char *out, size_t size, const char *name) {
    static const struct {
        const char *variable, *within;
    } places[] = {{"HF_HUB_CACHE", ""}, {"HF_HOME", "hub"}, {"HOME", ".cache/huggingface/hub"}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char hub[PATH_MAX];
        const char *root = getenv(places[i].variable);
        if (root && root[0])
            return lp_file_join(hub, sizeof hub, root, places[i].within, NULL) && find_snapshot(out, size, hub, name);
    }
    return false;
}

bool lp_tower_find(char *out, size_t size, const char *folder, const char *name, struct lp_error *err) {
    const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;
    if (is_plain(name) && (try(out, size, folder, last, NULL) || try(out, size, folder, "..", last) || find_in_hub(out, size, name)))
        return true;
    return lp_error_set(err, LP_EMISSING,
                        "%s: the picture encoder '%.100s' is not in the model's files; put its folder beside the model's or name it "
                        "with --mmproj",
                        folder, name);
}
