/* SPDX-License-Identifier: MIT */
/* cli/cmd_model_pack.c - `llava-plus model pack`: the file beside a GGUF model with which it opens at once.
 */
#include "cli/cmd_model.h"
#include "cli/command.h"
#include "cli/options.h"
#include "model/llava_packed.h"
#include "model/llava_source.h"

#include <stdio.h>

int lp_cmd_model_pack(int argc, char **argv) {
    const char *mmproj = NULL;
    const struct lp_option options[] = {{"mmproj", 0, "PATH",
                                         "the picture encoder of the model (else what is found beside it)",
                                         LP_OPTION_STRING, NULL, &mmproj, 0, 0},
                                        {0}};
    const struct lp_usage usage = {
        "model pack",
        "FILE.gguf [options]",
        "Writes FILE.gguf.packed: the model's matrices in the order in which the kernels "
        "read them. With it beside it the model opens at once and is held in memory once; "
        "without it, or when the model has changed since, every opening lays matrices of "
        "blocks out anew, and float16 ones are used as they are, which is slower. It takes "
        "the model's size on the disk, and in memory while it is made, and may be deleted.",
        options,
        1,
        1};
    struct lp_error err = {0};
    struct lp_packed_report r;
    int status;
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    if (!lp_llava_is_gguf(argv[1]))
        lp_error_set(&err, LP_EUSAGE, "'%s' is no GGUF file: other models need no packing", argv[1]);
    if (err.code || !lp_llava_pack(argv[1], mmproj, lp_kernels_cpu(), &r, &err))
        return lp_command_fail("model pack", &err);
    printf("%s: %lld matrices, %.1f MB\n", r.path, (long long)r.matrices, (double)r.bytes / 1e6);
    return 0;
}
