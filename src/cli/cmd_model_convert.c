/* SPDX-License-Identifier: MIT */
/* cli/cmd_model_convert.c - `llava-plus model convert`: PyTorch files become safetensors. */
#include "cli/cmd_model.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "weights/convert.h"

#include <stdio.h>

static void show_progress(void *told_ms, uint64_t done, uint64_t bytes) {
    if (done == bytes || done >> 20 < bytes >> 20)
        lp_progress_show((int64_t)(done >> 20), (int64_t)(bytes >> 20), "MiB", told_ms);
}

static void tell(void *context, const char *sentence) {
    (void)context;
    fprintf(stderr, "%s\n", sentence);
}

static const char *plural(size_t n) {
    return n == 1 ? "" : "s";
}

int lp_cmd_model_convert(int argc, char **argv) {
    int64_t shard_mib = 0;
    double told_ms = 0;
    struct lp_convert_request q = {.progress = show_progress, .tell = tell, .context = &told_ms};
    const struct lp_option options[] = {
        {"out", 'o', "DIR", "where the model goes; may be the folder that it comes from", LP_OPTION_STRING,
         NULL, &q.to, 0, 0},
        {"shard-size", 0, "MiB", "most tensors a file; a larger tensor has one for itself", LP_OPTION_INT,
         "5120", &shard_mib, 1, 1 << 30},
        {"entry", 0, "NAME", "which dictionary of the file holds the weights, such as model_ema",
         LP_OPTION_STRING, NULL, &q.entry, 0, 0},
        {"force", 0, NULL, "replace what is there already", LP_OPTION_FLAG, NULL, &q.force, 0, 0},
        {0}};
    const struct lp_usage usage = {"model convert",
                                   "PATH --out DIR [options]",
                                   "Makes safetensors of a .bin, .pth or .pt file, or of a Hugging Face "
                                   "folder of pytorch_model.bin files.\n"
                                   "Nothing in them is run: what is no tensor is refused by its name.",
                                   options,
                                   1,
                                   1};
    struct lp_error err = {0};
    struct lp_convert_report report;
    int status;
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    q.from = argv[1];
    q.shard_bytes = (uint64_t)shard_mib << 20;
    if (!q.to || !q.to[0]) {
        lp_error_set(&err, LP_EUSAGE, "say with --out DIR where the model goes");
        return lp_command_fail("model convert", &err);
    }
    if (!lp_convert(&q, &report, &err))
        return lp_command_fail("model convert", &err);
    printf("%s: %zu tensor%s, %.1f MB, in %zu file%s; %zu other file%s copied\n", q.to, report.tensors,
           plural(report.tensors), (double)report.bytes / 1e6, report.shards, plural(report.shards),
           report.copied, plural(report.copied));
    return 0;
}
