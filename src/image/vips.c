/* SPDX-License-Identifier: MIT */
/* image/vips.c - starting libvips so that it costs about a millisecond and never prints. */
#include "image/vips.h"

#include <dlfcn.h>
#include <gmodule.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
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

static pthread_once_t heif_once = PTHREAD_ONCE_INIT;
static bool has_heif;

static void load_heif(void) {
    Dl_info library;
    char path[PATH_MAX];
    if (!dladdr((const void *)(uintptr_t)vips_init, &library))
        return;
    const char *slash = strrchr(library.dli_fname, '/');
    snprintf(path, sizeof path, "%.*s/vips-modules-%d.%d/vips-heif.so",
             slash ? (int)(slash - library.dli_fname) : 0, library.dli_fname, vips_version(0),
             vips_version(1));
    GModule *module = g_module_open(path, G_MODULE_BIND_LAZY);
    if (module)
        g_module_make_resident(module);
    has_heif = module != NULL;
}

bool lp_vips_load_heif(void) {
    if (lp_vips_start(NULL))
        pthread_once(&heif_once, load_heif);
    return has_heif;
}

void lp_vips_end(void) {
    vips_error_clear();
    vips_thread_shutdown();
}
