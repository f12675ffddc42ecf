/* SPDX-License-Identifier: MIT */
/* cli/cmd_model.c - `llava-plus model`: model folders and files. */
#include "cli/cmd_model.h"
#include "cli/command.h"
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *about;
    int (*run)(int argc, char **argv);
} parts[] = {
    {"convert", "make safetensors of PyTorch files", lp_cmd_model_convert},
    {"info", "tell what a model folder or GGUF file holds and what memory it will need", lp_cmd_model_info},
    {"pack", "write a GGUF model's matrices as the kernels read them, so that it opens at once", lp_cmd_model_pack},
    {"quantize", "write a model as GGUF files of q8_0, q4_0, q4_K or q6_K blocks", lp_cmd_model_quantize},
};
enum { PARTS = sizeof parts / sizeof *parts };

int lp_cmd_model(int argc, char **argv) {
    const char *names[PARTS + 1] = {0};
    for (int i = 0; i < PARTS; i++)
        names[i] = parts[i].name;
    for (int i = 0; argc > 1 && i < PARTS; i++)
        if (!strcmp(argv[1], parts[i].name))
            return parts[i].run(argc - 1, argv + 1);
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        puts("Usage: llava-plus model COMMAND [options]\n");
        for (int i = 0; i < PARTS; i++)
            printf("  %-10s %s\n", parts[i].name, parts[i].about);
        puts("\n'llava-plus model COMMAND --help' tells more.");
        return 0;
    }
    struct lp_error err = {0};
    const char *near = argc > 1 ? lp_option_nearest(argv[1], names) : NULL;
    if (argc < 2)
        lp_error_set(&err, LP_EUSAGE, "say what to do; see 'llava-plus model --help'");
    else
        lp_error_set(&err, LP_EUSAGE, "there is no 'model %s'%s%s; see 'llava-plus model --help'", argv[1],
                     near ? ", perhaps you mean " : "", near ? near : "");
    return lp_command_fail("model", &err);
}
