/* SPDX-License-Identifier: MIT */
/* Pictures that a command line names: files, and folders of files. */
#ifndef LP_CLI_PICTURES_H
#define LP_CLI_PICTURES_H

#include "base/error.h"
#include "base/str.h"

#include <stdint.h>

/* Zero-initialised is empty. */
struct lp_pictures {
    struct lp_str paths; /* one after the other, each with its NUL */
    int64_t n;
    bool several; /* a folder, or more than one */
};

/* Adds a file as it is named, or of a folder, without the folders in it, the files whose names end as
 * pictures' do, by name. LP_EIO; LP_EINPUT for a folder without any. */
bool lp_pictures_add(struct lp_pictures *pictures, const char *path, struct lp_error *err);

/* The path after `path`, the first after NULL; NULL past the last. Borrowed until the next add. */
const char *lp_pictures_next(const struct lp_pictures *pictures, const char *path);

void lp_pictures_done(struct lp_pictures *pictures);

#endif
