/* SPDX-License-Identifier: MIT */
/* cli/cmd_model.c - `llava-plus model`: model folders and files. */
#include "cli/cmd_model.h"
#include "cli/command.h"

#include <stddef.h>

static const struct lp_named_command commands[] = {
    {"convert", lp_cmd_model_convert, "make safetensors of PyTorch files"},
    {"info", lp_cmd_model_info, "tell what a model folder or GGUF file holds and what memory it will need"},
    {"pack", lp_cmd_model_pack, "write a GGUF model's matrices as the kernels read them, so that it opens at once"},
    {"quantize", lp_cmd_model_quantize, "write a model as GGUF files of q8_0, q4_0, q4_K or q6_K blocks"},
    {NULL, NULL, NULL},
};

int lp_cmd_model(int argc, char **argv) {
    return lp_command_choose(" model", commands, argc, argv);
}
