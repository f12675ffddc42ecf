/* SPDX-License-Identifier: MIT */
/* image/image.c - making, reading and writing pictures [height,width,3]. Decoding is in decode.c. */
#include "image/image.h"

#include "base/file.h"
#include "base/memory.h"
#include "image/vips.h"

#include <string.h>
#include <strings.h>
#include <sys/mman.h>

static size_t byte_count(const struct lp_image *image) {
    return (size_t)image->width * (size_t)image->height * 3;
}

struct lp_image *lp_image_new(int width, int height, struct lp_error *err) {
    if (width < 1 || height < 1 || (int64_t)width * height > LP_IMAGE_MAX_PIXELS) {
        lp_error_set(err, LP_EUSAGE, "a picture of %d x %d pixels is not between 1 and %d pixels large",
                     width, height, LP_IMAGE_MAX_PIXELS);
        return NULL;
    }
    struct lp_image *image = lp_alloc(sizeof *image);
    if (image) {
        image->width = width;
        image->height = height;
        image->pixel = lp_alloc(byte_count(image));
    }
    if (!image || !image->pixel) {
        lp_image_close(image);
        lp_error_memory(err);
        return NULL;
    }
    return image;
}

struct lp_image *lp_image_copy(const struct lp_image *image, struct lp_error *err) {
    struct lp_image *copy = lp_alloc(sizeof *copy);
    uint8_t *pixel = copy ? lp_realloc(NULL, byte_count(image)) : NULL; /* all of it is written: not zeroed before */
    if (!pixel) {
        lp_free(copy);
        lp_error_memory(err);
        return NULL;
    }
    memcpy(pixel, image->pixel, byte_count(image));
    *copy = (struct lp_image){.width = image->width, .height = image->height, .pixel = pixel};
    return copy;
}

struct lp_image *lp_image_share(struct lp_image *image) {
    atomic_fetch_add(&image->sharers, 1);
    return image;
}

void lp_image_close(struct lp_image *image) {
    if (!image || atomic_fetch_sub(&image->sharers, 1))
        return;
    if (image->mapped)
        munmap(image->pixel, image->mapped);
    else
        lp_free(image->pixel);
    lp_free(image);
}

struct lp_image *lp_image_open(const char *path, struct lp_error *err) {
    size_t n = 0;
    char *bytes = lp_file_read(path, LP_IMAGE_MAX_BYTES, &n, err);
    if (!bytes)
        return NULL;
    struct lp_image *image = lp_image_decode(bytes, n, strcmp(path, "-") == 0 ? "standard input" : path, err);
    lp_free(bytes);
    return image;
}

/* The kinds of file we write. */
static int save_png(VipsImage *in, void **bytes, size_t *n) {
    return vips_pngsave_buffer(in, bytes, n, "compression", 6, "strip", TRUE, NULL);
}

static int save_jpeg(VipsImage *in, void **bytes, size_t *n) {
    return vips_jpegsave_buffer(in, bytes, n, "Q", 92, "strip", TRUE, "optimize_coding", TRUE, NULL);
}

static int save_webp(VipsImage *in, void **bytes, size_t *n) {
    return vips_webpsave_buffer(in, bytes, n, "Q", 90, "strip", TRUE, NULL);
}

static const struct writer {
    const char *ending, *kind;
    int most; /* px a side */
    int (*save)(VipsImage *in, void **bytes, size_t *n);
} writers[] = {
    {".png", "PNG", INT32_MAX, save_png},
    {".jpg", "JPEG", 65500, save_jpeg},
    {".jpeg", "JPEG", 65500, save_jpeg},
    {".webp", "WebP", 16383, save_webp},
};

/* The encoded bytes, to be freed with g_free; NULL on failure. */
static void *encode(const uint8_t *pixel, int width, int height, int bands, const struct writer *w, size_t *n,
                    struct lp_error *err) {
    if (width > w->most || height > w->most) {
        lp_error_set(err, LP_EUSAGE, "a %s file holds at most %d pixels a side, the picture has %d x %d",
                     w->kind, w->most, width, height);
        return NULL;
    }
    if (!lp_vips_start(err))
        return NULL;
    void *bytes = NULL;
    VipsImage *in = vips_image_new_from_memory(pixel, (size_t)width * (size_t)height * (size_t)bands, width, height, bands,
                                               VIPS_FORMAT_UCHAR);
    VipsImage *named = NULL;
    if (!in || vips_copy(in, &named, "interpretation", bands == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB, NULL) ||
        w->save(named, &bytes, n)) {
        bytes = NULL;
        lp_error_set(err, LP_EMEMORY, "the picture of %d x %d pixels cannot be written as %s", width, height, w->kind);
    }
    VIPS_UNREF(named);
    VIPS_UNREF(in);
    lp_vips_end();
    return bytes;
}

/* NULL for a name of no kind that we write. */
static const struct writer *writer_of(const char *name, struct lp_error *err) {
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof writers / sizeof *writers; i++) {
        size_t ending = strlen(writers[i].ending);
        if (length > ending && strcasecmp(name + length - ending, writers[i].ending) == 0)
            return &writers[i];
    }
    lp_error_set(err, LP_EUSAGE, "cannot tell what kind of picture '%s' is to be: name it .png, .jpg or .webp", name);
    return NULL;
}

uint8_t *lp_image_encode(const uint8_t *pixel, int width, int height, int bands, const char *name, size_t *size,
                         struct lp_error *err) {
    const struct writer *w = writer_of(name, err);
    void *bytes = w ? encode(pixel, width, height, bands, w, size, err) : NULL;
    if (!bytes)
        return NULL;
    uint8_t *copy = lp_alloc(*size);
    if (copy)
        memcpy(copy, bytes, *size);
    else
        lp_error_memory(err);
    g_free(bytes);
    return copy;
}

uint8_t *lp_image_encode_png(const struct lp_image *image, size_t *size, struct lp_error *err) {
    return lp_image_encode(image->pixel, image->width, image->height, 3, "a.png", size, err);
}

bool lp_image_save(const struct lp_image *image, const char *path, struct lp_error *err) {
    size_t n = 0;
    const struct writer *w = writer_of(path, err);
    void *bytes = w ? encode(image->pixel, image->width, image->height, 3, w, &n, err) : NULL;
    bool ok = bytes && lp_file_write(path, bytes, n, err);
    g_free(bytes);
    return ok;
}
