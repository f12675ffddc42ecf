/* SPDX-License-Identifier: MIT */
/* What a server and its decoders tell each other: both are the same program on the same machine. */
#ifndef LP_IMAGE_DECODER_MESSAGE_H
#define LP_IMAGE_DECODER_MESSAGE_H

#include <stdint.h>

/* The picture's file follows. */
struct lp_decoder_request {
    uint64_t bytes;
    int32_t alpha;
    char name[100];
};

/* With a descriptor of the pixels, sealed so that they stay as they are, where code is 0. */
struct lp_decoder_answer {
    int32_t code; /* enum lp_code */
    int32_t width, height;
    char text[256]; /* why not */
};

#endif
