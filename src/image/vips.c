/* SPDX-License-Identifier: MIT */
/* image/vips.c - starting libvips so that it costs about a millisecond and never prints. */
#include "image/vips.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool started;

static void drop_message(const char *domain, GLogLevelFlags level, const char *message, void *user) {
    (void)domain, (void)level, (void)message, (void)user;
}

/* vips_init loads every module it finds below VIPSHOME (ImageMagick, Poppler, OpenSlide, HEIF, JPEG XL): 20
 * ms and loaders we would block again. It also sets VIPSHOME itself, so that setting it here adds no danger.
 */
static void start(void) {
    const char *home = getenv("VIPSHOME");
    char *kept = home ? strdup(home) : NULL;
    setenv("VIPSHOME", "/nonexistent", 1);
    g_log_set_handler("VIPS", G_LOG_LEVEL_MASK | G_LOG_FLAG_FATAL | G_LOG_FLAG_RECURSION, drop_message, NULL);
    started = vips_init("llava-plus") == 0;
    if (kept)
        setenv("VIPSHOME", kept, 1);
    else
        unsetenv("VIPSHOME");
    free(kept);
    if (!started)
        return;
    vips_block_untrusted_set(TRUE);
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    vips_leak_set(FALSE);
}

bool lp_vips_start(struct lp_error *err) {
    pthread_once(&once, start);
    return started || lp_error_set(err, LP_EINTERNAL, "the picture library libvips does not start");
}

void lp_vips_end(void) {
    vips_error_clear();
    vips_thread_shutdown();
}
