/* SPDX-License-Identifier: MIT */
/* cli/cmd_data_stats.c - `llava-plus data stats`: what dialogues hold, by skill. */
#include "cli/cmd_data.h"
#include "cli/command.h"
#include "cli/options.h"
#include "data/records.h"
#include "data/statistics.h"

#include <stdio.h>

static bool count_file(struct lp_statistics *s, const char *path, struct lp_error *err) {
    struct lp_records *records = lp_records_open(path, err);
    json_t *record = NULL;
    bool ok = records;
    while (ok && (ok = lp_records_next(records, &record, err)) && record) {
        ok = lp_statistics_add(s, record, err);
        json_decref(record);
    }
    lp_records_close(records);
    return ok;
}

int lp_cmd_data_stats(int argc, char **argv) {
    const char *out = NULL;
    const struct lp_option options[] = {
        {"out", 'o', "FILE", "also draw the counts as bars (.png, .jpg, .webp)", LP_OPTION_STRING, NULL, &out, 0, 0}, {0}};
    const struct lp_usage usage = {"data stats", "FILE.json... [options]",
                                   "Counts records, calls, turns and words of dialogues by the skill of their first round.",
                                   options, 1, -1};
    struct lp_error err = {0};
    struct lp_statistics stats = {0};
    int status;
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    bool ok = true;
    for (int i = 1; ok && i < argc; i++)
        ok = count_file(&stats, argv[i], &err);
    if (ok)
        lp_statistics_print(&stats, NULL, stdout);
    ok = ok && (!out || lp_statistics_save(&stats, out, &err));
    lp_statistics_done(&stats);
    return ok ? 0 : lp_command_fail("data stats", &err);
}
