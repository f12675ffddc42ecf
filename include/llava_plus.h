/* SPDX-License-Identifier: MIT */
/* llava_plus.h - the public interface of libllavaplus. */
#ifndef LLAVA_PLUS_H
#define LLAVA_PLUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LP_API __attribute__((visibility("default")))

/* Kinds of error. LP_EUSAGE exits the command line with 2, every other with 1. */
enum lp_code {
    LP_OK = 0,
    LP_EUSAGE,    /* the caller asked for something that makes no sense */
    LP_EINPUT,    /* a file, picture, prompt or request is malformed */
    LP_EIO,       /* reading or writing failed */
    LP_EMEMORY,   /* out of memory, or over a limit */
    LP_ESHAPE,    /* tensors do not fit each other */
    LP_EMISSING,  /* weights, a file or a skill are not there */
    LP_ECANCELED, /* the caller asked to stop */
    LP_EINTERNAL  /* a bug of ours */
};

/* Filled by every call that fails. The caller's; zero it before use; may be NULL where taken. */
struct lp_error {
    enum lp_code code;
    char text[252]; /* one sentence: what is wrong and what to do, no trailing newline */
};

#ifdef __cplusplus
}
#endif
#endif
