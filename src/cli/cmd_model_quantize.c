/* SPDX-License-Identifier: MIT */
/* cli/cmd_model_quantize.c - `llava-plus model quantize`: a model becomes GGUF files. */
#include "cli/cmd_model.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "kernel/kernel.h"
#include "model/llava_quantize.h"

#include <stdio.h>
#include <string.h>

static void show_progress(void *told_ms, int64_t done, int64_t weights) {
    lp_progress_show(done / 1000000, weights / 1000000, "million weights", told_ms);
}

static bool read_type(const char *name, enum lp_dtype *type, struct lp_error *err) {
    static const struct {
        const char *name;
        enum lp_dtype type;
    } known[] = {{"q8_0", LP_Q8_0}, {"q4_0", LP_Q4_0}, {"q4_K", LP_Q4_K}, {"q6_K", LP_Q6_K}};
    for (size_t i = 0; name && i < sizeof known / sizeof *known; i++)
        if (strcasecmp(name, known[i].name) == 0) {
            *type = known[i].type;
            return true;
        }
    return lp_error_set(err, LP_EUSAGE, "say with --type which blocks: q8_0, q4_0, q4_K or q6_K");
}

int lp_cmd_model_quantize(int argc, char **argv) {
    double told_ms = 0;
    const char *type = NULL;
    struct lp_quantize_request q = {
        .kernels = lp_kernels_cpu(), .progress = show_progress, .context = &told_ms};
    const struct lp_option options[] = {
        {"model", 'm', "PATH", "a model folder or a GGUF file", LP_OPTION_STRING, NULL, &q.from, 0, 0},
        {"mmproj", 0, "PATH", "the picture encoder of a GGUF model or an original folder (else what is found beside it)",
         LP_OPTION_STRING, NULL, &q.mmproj, 0, 0},
        {"type", 't', "TYPE", "q8_0, q4_0, q4_K or q6_K", LP_OPTION_STRING, NULL, &type, 0, 0},
        {"out", 'o', "FILE.gguf", "where it goes; the picture encoder goes into mmproj-FILE.gguf beside it",
         LP_OPTION_STRING, NULL, &q.to, 0, 0},
        {"force", 0, NULL, "replace what is there already", LP_OPTION_FLAG, NULL, &q.force, 0, 0},
        {0}};
    const struct lp_usage usage = {
        "model quantize",
        "--model PATH --type TYPE --out FILE.gguf [options]",
        "Writes a model as GGUF files that llama.cpp reads, too: the language model in "
        "blocks of fewer bits, the picture encoder in float16.",
        options,
        0,
        0};
    struct lp_error err = {0};
    struct lp_quantize_report r;
    int status;
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    if (!q.from)
        lp_error_set(&err, LP_EUSAGE, "say with --model which model folder or GGUF file");
    else if (!q.to)
        lp_error_set(&err, LP_EUSAGE, "say with --out FILE.gguf where it goes");
    if (err.code || !read_type(type, &q.type, &err) || !lp_llava_quantize(&q, &r, &err))
        return lp_command_fail("model quantize", &err);
    printf("%s: %lld tensors, %.1f MB\n", q.to, (long long)r.tensors, (double)r.bytes / 1e6);
    if (r.mmproj[0])
        printf("%s: the picture encoder, %.1f MB\n", r.mmproj, (double)r.picture_bytes / 1e6);
    if (r.others)
        fprintf(stderr,
                "%lld matrices are kept in q8_0 or float16: their rows are no whole blocks of the type\n",
                (long long)r.others);
    return 0;
}
