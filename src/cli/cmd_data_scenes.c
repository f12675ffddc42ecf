/* SPDX-License-Identifier: MIT */
/* cli/cmd_data_scenes.c - `llava-plus data scenes`: pictures of stickers with exact truth. */
#include "cli/cmd_data.h"
#include "cli/command.h"
#include "cli/options.h"
#include "data/scene_write.h"

#include <stdio.h>
#include <unistd.h>

static void show_progress(void *context, int64_t done, int64_t count) {
    (void)context;
    if (isatty(2) || done == count)
        fprintf(stderr, "%s%lld of %lld scenes%s", isatty(2) ? "\r" : "", (long long)done, (long long)count,
                done == count ? "\n" : "");
}

int lp_cmd_data_scenes(int argc, char **argv) {
    int64_t seed = 1, size = 256, pages = 0;
    struct lp_scenes_request q = {.progress = show_progress};
    const struct lp_option options[] = {
        {"count", 'n', "N", "number of scenes", LP_OPTION_INT, "100", &q.count, 1, 10e6},
        {"seed", 's', "S", "same seed, same scenes; scene N does not depend on --count", LP_OPTION_INT, "1", &seed, 0, 4294967295.0},
        {"out", 'o', "DIR", "where pictures and truth go", LP_OPTION_STRING, NULL, &q.folder, 0, 0},
        {"size", 0, "PX", "side of a picture", LP_OPTION_INT, "256", &size, 32, 4096},
        {"pages", 0, "PERCENT", "share of the scenes that are a printed page (a receipt, a notice, ..)", LP_OPTION_INT, "0", &pages, 0, 100},
        {"stickers", 0, "DIR", "the folder with stickers.txt, signs.txt and pages.txt", LP_OPTION_STRING, lp_stickers_folder(), &q.stickers, 0, 0},
        {0}};
    const struct lp_usage usage = {"data scenes", "--out DIR [options]",
                                   "Draws scenes of stickers with exact truth in COCO's formats; see docs/scenes.md.", options, 0, 0};
    struct lp_error err = {0};
    int status;
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    q.seed = (uint64_t)seed;
    q.side = (int)size;
    q.pages = (int)pages;
    if (!q.folder)
        lp_error_set(&err, LP_EUSAGE, "say with --out DIR where the scenes go");
    else if (lp_scenes_write(&q, &err))
        return 0;
    return lp_command_fail("data scenes", &err);
}
