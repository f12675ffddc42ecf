/* SPDX-License-Identifier: MIT */
/* Pictures from outside, decoded in processes of their own: one that crashes its decoder, makes it hang or take too much memory
 * is an error and nothing else. The processes are started when they are needed, wait for the next picture, and are killed, and
 * started anew, where one did not come to its end. */
#ifndef LP_IMAGE_DECODERS_H
#define LP_IMAGE_DECODERS_H

#include "image/image.h"

struct lp_decoders_settings {
    const char *program; /* run as "PROGRAM serve decoder", which calls lp_decoder_run; borrowed */
    int64_t memory_mib;  /* most memory of a process; 0: any */
    double wait_s;       /* most time for a picture */
};
/* This program, 4096 MiB, a minute. */
void lp_decoders_defaults(struct lp_decoders_settings *s);

struct lp_decoders;

/* Starts the first process; from now on lp_image_decode of this process is theirs, from any thread. What a picture does to its
 * process is LP_EINPUT. Owned by caller. NULL: LP_EIO, LP_EMEMORY. */
struct lp_decoders *lp_decoders_open(const struct lp_decoders_settings *s, struct lp_error *err);
void lp_decoders_close(struct lp_decoders *d); /* NULL is fine. While nothing is decoded */

/* What this thread decodes there is given up once *cancel is true: LP_ECANCELED. NULL: nothing is. */
void lp_decoders_heed(const atomic_bool *cancel);

/* The other side: decodes what comes on standard input until that is closed. `look` is called with each picture, for tests; else
 * NULL. False: standard input is no socket. */
bool lp_decoder_run(void (*look)(const struct lp_image *image));

#endif
