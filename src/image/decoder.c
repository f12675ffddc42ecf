/* SPDX-License-Identifier: MIT */
/* image/decoder.c - the process that decodes: a file comes in, pixels go out in memory of their own. */
#include "base/memory.h"
#include "base/process.h"
#include "base/stream.h"
#include "image/decode.h"
#include "image/decoder_message.h"
#include "image/decoders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* A descriptor of the pixels, which nobody can change any more; -1: there is no memory. */
static int seal(const struct lp_image *image) {
    int file = memfd_create("llava-plus picture", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    const uint8_t *at = image->pixel;
    size_t n = (size_t)image->width * (size_t)image->height * 3;
    bool good = file >= 0;
    while (good && n) {
        ssize_t k = write(file, at, n);
        good = k > 0 || (k < 0 && errno == EINTR);
        at += k > 0 ? k : 0;
        n -= k > 0 ? (size_t)k : 0;
    }
    if (good && !fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
        return file;
    if (file >= 0)
        close(file);
    return -1;
}

static bool tell(struct lp_decoder_answer *answer, int file) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {answer, sizeof *answer};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (file >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof file);
        memcpy(CMSG_DATA(head), &file, sizeof file);
    }
    return sendmsg(STDIN_FILENO, &message, MSG_NOSIGNAL) == (ssize_t)sizeof *answer;
}

/* Decodes one picture. False: there is none, or its answer cannot be sent. */
static bool serve(void (*look)(const struct lp_image *)) {
    const struct lp_stream server = {.socket = STDIN_FILENO};
    struct lp_decoder_request request;
    struct lp_decoder_answer answer = {0};
    struct lp_error err = {0};
    if (!lp_stream_get(&server, &request, sizeof request, &err) || request.bytes > LP_IMAGE_MAX_BYTES)
        return false;
    void *bytes = lp_realloc(NULL, request.bytes); /* all of it is written: not zeroed before */
    if (!bytes || !lp_stream_get(&server, bytes, request.bytes, &err)) {
        lp_free(bytes);
        return false;
    }
    struct lp_image *image = lp_image_decode_here(bytes, request.bytes, request.alpha, request.name, &err);
    lp_free(bytes);
    if (image && look)
        look(image);
    int file = image ? seal(image) : -1;
    if (file >= 0) {
        answer.width = image->width;
        answer.height = image->height;
    } else {
        answer.code = (int32_t)(image ? LP_EMEMORY : err.code);
        snprintf(answer.text, sizeof answer.text, "%s", image ? "out of memory" : err.text);
    }
    lp_image_close(image);
    bool told = tell(&answer, file);
    if (file >= 0)
        close(file);
    return told;
}

bool lp_decoder_run(void (*look)(const struct lp_image *)) {
    if (!lp_process_know_its_place())
        return false;
    while (serve(look)) {
    }
    return true;
}
