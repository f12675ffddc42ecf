/* SPDX-License-Identifier: MIT */
/* What a worker's stream consists of: {"text", "error_code"} and a NUL; text is the prompt and all that was
 * written so far. */
#ifndef LP_SERVE_FRAME_H
#define LP_SERVE_FRAME_H

#include "base/json.h"
#include "base/str.h"

enum { /* error_code */
    LP_FRAME_GOOD = 0,
    LP_FRAME_WORKER_FAILED = 1,
    LP_FRAME_NO_WORKER = 2,    /* the controller knows none for the model */
    LP_FRAME_WORKER_SILENT = 3, /* or the one it chose does not answer, or not in frames */
    LP_FRAME_BAD_REQUEST = 40001,
    LP_FRAME_BUSY = 42903,
    LP_FRAME_INTERNAL = 50001,
    LP_FRAME_MEMORY = 50002
};
#define LP_FRAME_TROUBLE "**NETWORK ERROR DUE TO HIGH TRAFFIC. PLEASE REGENERATE OR REFRESH THIS PAGE.**"

/* Adds a frame with its NUL. All beyond ASCII is written as \uXXXX. Broken UTF-8, and memory that runs out, show in
 * out->failed. */
void lp_frame_add(struct lp_str *out, const char *text, int code);
/* The same for an object of more keys. */
void lp_frame_add_json(struct lp_str *out, const json_t *frame);
/* A frame of the code with the sentence that clients know, and why in brackets. */
void lp_frame_add_trouble(struct lp_str *out, int code, const char *why);

/* Whether text[0..n) is a frame: an object whose text is a string and whose error_code is a whole number or absent, which
 * is 0. */
bool lp_frame_check(const char *text, size_t n, int *code);

#endif
