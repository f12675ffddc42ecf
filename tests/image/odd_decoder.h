/* SPDX-License-Identifier: MIT */
/* For tests: decoders in processes of their own that do what the first pixel's red says. The test's program is that process, too:
 * its main begins with odd_decoder_main. */
#ifndef LP_TESTS_IMAGE_ODD_DECODER_H
#define LP_TESTS_IMAGE_ODD_DECODER_H

#include "base/memory.h"
#include "image/decoder_message.h"
#include "image/decoders.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum odd_picture {
    ODD_PICTURE_ABORTS = 101,
    ODD_PICTURE_LEAVES,
    ODD_PICTURE_HANGS,
    ODD_PICTURE_EATS,
    ODD_PICTURE_BABBLES,  /* says what it sends without sending it, */
    ODD_PICTURE_UNSEALED, /* or might change it, */
    ODD_PICTURE_SHORT,    /* or sends less */
    ODD_PICTURES
};

/* Answers in the decoder's place with a file of n bytes; file -1: none. */
static void odd_answer(int file, size_t n, int seals) {
    struct lp_decoder_answer answer = {.width = 4, .height = 2};
    char control[CMSG_SPACE(sizeof file)] = {0};
    struct iovec part = {&answer, sizeof answer};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (file >= 0 && (ftruncate(file, (off_t)n) || fcntl(file, F_ADD_SEALS, seals)))
        _exit(9);
    if (file >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof file);
        memcpy(CMSG_DATA(head), &file, sizeof file);
    }
    sendmsg(STDIN_FILENO, &message, MSG_NOSIGNAL);
    for (;;)
        pause();
}

static void odd_look(const struct lp_image *image) {
    enum { BLOCK = 4 << 20 };
    switch (image->pixel[0]) {
    case ODD_PICTURE_ABORTS:
        abort();
    case ODD_PICTURE_LEAVES:
        _exit(7);
    case ODD_PICTURE_HANGS:
        for (;;)
            pause();
    case ODD_PICTURE_EATS:
        for (char *block; (block = lp_alloc(BLOCK));)
            memset(block, 1, BLOCK);
        _exit(3);
    case ODD_PICTURE_BABBLES:
        odd_answer(-1, 0, 0);
        break;
    case ODD_PICTURE_UNSEALED:
        odd_answer(memfd_create("odd", MFD_ALLOW_SEALING), 24, F_SEAL_GROW);
        break;
    case ODD_PICTURE_SHORT:
        odd_answer(memfd_create("odd", MFD_ALLOW_SEALING), 23, F_SEAL_SHRINK | F_SEAL_WRITE);
    }
}

static void odd_decoder_main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "serve") && !strcmp(argv[2], "decoder"))
        exit(lp_decoder_run(odd_look) ? 0 : 1);
}

#endif
