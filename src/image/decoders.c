/* SPDX-License-Identifier: MIT */
/* image/decoders.c - the server's side. Of what comes back nothing is believed but the values of pixels. */
#include "image/decoders.h"

#include "base/memory.h"
#include "base/process.h"
#include "base/stream.h"
#include "image/decode.h"
#include "image/decoder_message.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 4 /* processes */ };

struct decoder {
    struct lp_process process;
    bool busy;
};

struct lp_decoders {
    struct lp_decoders_settings settings;
    char **environment; /* owned */
    pthread_mutex_t lock;
    pthread_cond_t bell;
    struct decoder one[MOST];
};

static _Thread_local const atomic_bool *canceled;

void lp_decoders_heed(const atomic_bool *cancel) {
    canceled = cancel;
}

void lp_decoders_defaults(struct lp_decoders_settings *s) {
    *s = (struct lp_decoders_settings){.program = "/proc/self/exe", .memory_mib = 4096, .wait_s = 60};
}

/* A picture on its way. */
struct talk {
    const struct lp_decoders_settings *settings;
    struct lp_watch watch;
    bool ended; /* by us: the error tells why */
};

static bool go_on(void *context, struct lp_error *err) {
    struct talk *t = context;
    bool stopped = canceled && atomic_load(canceled);
    enum lp_watched seen = lp_watch_look(&t->watch);
    t->ended = stopped || seen != LP_WATCH_FINE;
    if (!t->ended)
        return true;
    if (stopped)
        return lp_error_set(err, LP_ECANCELED, "decoding was stopped");
    if (seen == LP_WATCH_LATE)
        return lp_error_set(err, LP_EINPUT, "the picture takes longer than %g s to decode", t->settings->wait_s);
    return lp_error_set(err, LP_EINPUT, "the picture takes more than %lld MiB to decode", (long long)t->settings->memory_mib);
}

/* The answer, and the descriptor that came with it, -1: none, which is the caller's. */
static bool get(const struct lp_stream *s, struct lp_decoder_answer *answer, int *file, struct lp_error *err) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {answer, sizeof *answer};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes};
    ssize_t k;
    do {
        message.msg_controllen = sizeof control.bytes;
        k = recvmsg(s->socket, &message, MSG_CMSG_CLOEXEC);
    } while (k < 0 && lp_stream_wait(s, POLLIN, err));
    struct cmsghdr *head = k > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof *file))
        memcpy(file, CMSG_DATA(head), sizeof *file);
    return k == (ssize_t)sizeof *answer;
}

/* Whether all pixels lie in the file and can neither change nor vanish. */
static bool holds(int file, int width, int height) {
    enum { SEALS = F_SEAL_SHRINK | F_SEAL_WRITE };
    struct stat st;
    int seals = fcntl(file, F_GET_SEALS);
    return width > 0 && height > 0 && (int64_t)width * height <= LP_IMAGE_MAX_PIXELS && seals >= 0 &&
           (seals & SEALS) == SEALS && !fstat(file, &st) && st.st_size == (int64_t)width * height * 3;
}

static struct lp_image *adopt(int file, int width, int height, struct lp_error *err) {
    size_t n = (size_t)width * (size_t)height * 3;
    struct lp_image *image = lp_alloc(sizeof *image);
    void *pixel = image ? mmap(NULL, n, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0) : MAP_FAILED;
    if (pixel == MAP_FAILED) {
        lp_free(image);
        lp_error_memory(err);
        return NULL;
    }
    mprotect(pixel, n, PROT_READ | PROT_WRITE); /* after they are all there, which else would copy them */
    *image = (struct lp_image){.width = width, .height = height, .pixel = pixel, .mapped = n};
    return image;
}

/* *answered: the process is ready for the next one. */
static struct lp_image *ask(struct talk *t, const struct lp_stream *s, const void *bytes, size_t n, bool alpha,
                            const char *name, bool *answered, struct lp_error *err) {
    struct lp_decoder_request request = {.bytes = n, .alpha = alpha};
    struct lp_decoder_answer answer;
    struct lp_image *image = NULL;
    int file = -1;
    snprintf(request.name, sizeof request.name, "%s", name);
    if (lp_stream_put(s, &request, sizeof request, err) && lp_stream_put(s, bytes, n, err) && get(s, &answer, &file, err)) {
        *answered = answer.code || holds(file, answer.width, answer.height);
        t->ended = !*answered;
        if (answer.code)
            lp_error_set(err, answer.code == LP_EMEMORY ? LP_EMEMORY : LP_EINPUT, "%.*s", (int)sizeof answer.text, answer.text);
        else if (!*answered)
            lp_error_set(err, LP_EINPUT, "what decodes the picture says what makes no sense");
        else
            image = adopt(file, answer.width, answer.height, err);
    }
    if (file >= 0)
        close(file);
    return image;
}

/* A decoder that has nothing to do, one that runs if there is one. */
static struct decoder *take(struct lp_decoders *d) {
    struct decoder *found = NULL;
    pthread_mutex_lock(&d->lock);
    for (;;) {
        for (int i = 0; i < MOST; i++)
            if (!d->one[i].busy && (!found || (!found->process.pid && d->one[i].process.pid)))
                found = &d->one[i];
        if (found)
            break;
        pthread_cond_wait(&d->bell, &d->lock);
    }
    found->busy = true;
    pthread_mutex_unlock(&d->lock);
    return found;
}

static void give_back(struct lp_decoders *d, struct decoder *one) {
    pthread_mutex_lock(&d->lock);
    one->busy = false;
    pthread_cond_signal(&d->bell);
    pthread_mutex_unlock(&d->lock);
}

static bool wake(const struct lp_decoders *d, struct lp_process *p, struct lp_error *err) {
    static const char *const argument[] = {"llava-plus", "serve", "decoder", NULL};
    return lp_process_lives(p) || lp_process_start(p, d->settings.program, argument, d->environment, err);
}

static struct lp_image *decode(void *context, const void *bytes, size_t n, bool alpha, const char *name, struct lp_error *err) {
    struct lp_decoders *d = context;
    struct decoder *one = take(d);
    struct talk talk = {&d->settings, lp_watch_begin(&one->process, d->settings.memory_mib, d->settings.wait_s), false};
    struct lp_image *image = NULL;
    if (n > LP_IMAGE_MAX_BYTES) {
        lp_error_set(err, LP_EINPUT, "'%s' is larger than %u MiB", name, LP_IMAGE_MAX_BYTES >> 20);
    } else if (wake(d, &one->process, err)) {
        bool answered = false;
        const struct lp_stream stream = {one->process.socket, go_on, &talk};
        image = ask(&talk, &stream, bytes, n, alpha, name, &answered, err);
        int status = answered ? 0 : lp_process_end(&one->process);
        if (!answered && !talk.ended)
            lp_process_explain("what decodes the picture", status, LP_EINPUT, err);
    }
    give_back(d, one);
    return image;
}

struct lp_decoders *lp_decoders_open(const struct lp_decoders_settings *s, struct lp_error *err) {
    struct lp_decoders *d = lp_alloc(sizeof *d);
    if (!d) {
        lp_error_memory(err);
        return NULL;
    }
    d->settings = *s;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->bell, NULL);
    if (!(d->environment = lp_process_environment(err)) || !wake(d, &d->one[0].process, err)) {
        lp_decoders_close(d);
        return NULL;
    }
    lp_image_decode_by(decode, d);
    return d;
}

void lp_decoders_close(struct lp_decoders *d) {
    if (!d)
        return;
    lp_image_decode_by(NULL, NULL);
    for (int i = 0; i < MOST; i++)
        lp_process_end(&d->one[i].process);
    pthread_cond_destroy(&d->bell);
    pthread_mutex_destroy(&d->lock);
    lp_free(d->environment);
    lp_free(d);
}
