/* SPDX-License-Identifier: MIT */
/* image/decode.c - encoded bytes -> 8-bit sRGB [height,width,3].
 *
 * The kind is told from the first bytes, never from the name, and decides which one libvips loader runs:
 * those that may reach for other files or that nobody fuzzes (SVG, PDF, ImageMagick's) are never asked. The
 * header's size is checked before any pixel is made. Pixels are pulled in strips through the colour
 * conversions and stored where the EXIF orientation puts them, so that one copy of the picture is all that is
 * held besides the loader's own. */
#include "base/file.h"
#include "base/memory.h"
#include "image/decode.h"
#include "image/vips.h"

#include <pthread.h>
#include <string.h>

/* A progressive JPEG may repeat cheap scans over a huge picture for minutes; real ones have about ten. */
#define MAX_JPEG_SCANS 250

/* CMYK and alpha in double precision; TIFF may claim 65535 bands. */
#define MAX_PIXEL_BYTES 40

static const struct kind {
    const char *name;
    const char *magic;
    int n, at;                                                /* length of magic and where it lies, bytes */
    int (*load)(void *bytes, size_t n, VipsImage **out, ...); /* NULL: known, but not read */
} kinds[] = {
    {"JPEG", "\xff\xd8\xff", 3, 0, vips_jpegload_buffer},
    {"PNG", "\x89PNG\r\n\x1a\n", 8, 0, vips_pngload_buffer},
    {"GIF", "GIF87a", 6, 0, vips_gifload_buffer},
    {"GIF", "GIF89a", 6, 0, vips_gifload_buffer},
    {"WebP", "WEBP", 4, 8, vips_webpload_buffer},
    {"TIFF", "II*\0", 4, 0, vips_tiffload_buffer},
    {"TIFF", "MM\0*", 4, 0, vips_tiffload_buffer},
    {"TIFF", "II+\0", 4, 0, vips_tiffload_buffer},
    {"TIFF", "MM\0+", 4, 0, vips_tiffload_buffer},
    {"PDF", "%PDF", 4, 0, NULL},
    {"PostScript", "%!PS", 4, 0, NULL},
    {"SVG", "<svg", 4, 0, NULL},
    {"SVG or XML", "<?xml", 5, 0, NULL},
    {"BMP", "BM", 2, 0, NULL},
    {"Photoshop", "8BPS", 4, 0, NULL},
    {"HEIC", "ftypheic", 8, 4, vips_heifload_buffer},
    {"HEIC", "ftypheix", 8, 4, vips_heifload_buffer},
    {"HEIF", "ftypmif1", 8, 4, vips_heifload_buffer},
    {"AVIF", "ftypavif", 8, 4, vips_heifload_buffer},
    {"film", "ftyp", 4, 4, NULL},
    {"JPEG XL", "\xff\x0a", 2, 0, NULL},
    {"JPEG XL", "JXL ", 4, 4, NULL},
    {"JPEG 2000", "jP  ", 4, 4, NULL},
    {"JPEG 2000", "\xff\x4f\xff\x51", 4, 0, NULL},
    {"OpenEXR", "\x76\x2f\x31\x01", 4, 0, NULL},
    {"Radiance HDR", "#?RADIANCE", 10, 0, NULL},
    {"icon", "\0\0\1\0", 4, 0, NULL},
};

static const struct kind *kind_of(const uint8_t *bytes, size_t n) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (n >= (size_t)(kinds[i].at + kinds[i].n) &&
            memcmp(bytes + kinds[i].at, kinds[i].magic, (size_t)kinds[i].n) == 0)
            return &kinds[i];
    return NULL;
}

/* Entropy-coded data never hold the marker 0xff 0xda, so that counting it bounds the scans from above. */
static int count_scans(const uint8_t *bytes, size_t n) {
    int scans = 0;
    const uint8_t *at = bytes, *end = bytes + n - 1;
    while (at < end && (at = memchr(at, 0xff, (size_t)(end - at))) != NULL) {
        scans += at[1] == 0xda;
        at++;
    }
    return scans;
}

/* Opens the header only: pixels come when they are asked for. Loaders of several pages read the first. */
static VipsImage *load(const struct kind *kind, const uint8_t *bytes, size_t n, VipsFailOn fail_on) {
    VipsImage *in = NULL;
    if (kind->load((void *)bytes, n, &in, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", fail_on, NULL))
        return NULL;
    return in;
}

/* Whether the embedded profile is sRGB in all but name: its conversion would only add rounding. */
static bool is_srgb(VipsImage *in) {
    const void *profile;
    size_t n;
    return vips_image_get_blob(in, VIPS_META_ICC_NAME, &profile, &n) == 0 &&
           (memmem(profile, n, "sRGB", 4) || memmem(profile, n, "s\0R\0G\0B", 7));
}

/* Replaces *image by what `call`, an operation with the output &next, makes of it; ends the caller on
 * failure. */
#define STEP(call)                                                                                           \
    do {                                                                                                     \
        VipsImage *next = NULL;                                                                              \
        if (call)                                                                                            \
            return false;                                                                                    \
        g_object_unref(*image);                                                                              \
        *image = next;                                                                                       \
    } while (0)

/* Anything -> sRGB of three 8-bit bands. A reference to the newest image stays in *image, on failure too. */
static bool to_rgb(VipsImage **image) {
    int bands = (*image)->Bands;
    bool has_profile = vips_image_get_typeof(*image, VIPS_META_ICC_NAME) != 0;
    if ((*image)->Coding == VIPS_CODING_NONE && (*image)->Type == VIPS_INTERPRETATION_MULTIBAND)
        STEP(vips_copy(*image, &next, "interpretation",
                       bands >= 3 ? VIPS_INTERPRETATION_sRGB : VIPS_INTERPRETATION_B_W, NULL));
    if (has_profile && !is_srgb(*image)) {
        VipsImage *next = NULL;
        if (vips_icc_transform(*image, &next, "srgb", "embedded", TRUE, "depth", 8, NULL) == 0) {
            g_object_unref(*image);
            *image = next;
        } else {
            vips_error_clear(); /* a broken profile: the colours as they are */
        }
    }
    if ((*image)->Type != VIPS_INTERPRETATION_sRGB || (*image)->BandFmt != VIPS_FORMAT_UCHAR)
        STEP(vips_colourspace(*image, &next, VIPS_INTERPRETATION_sRGB, NULL));
    if (vips_image_hasalpha(*image)) {
        VipsArrayDouble *white = vips_array_double_newv(1, 255.0);
        VipsImage *next = NULL;
        int failed = vips_flatten(*image, &next, "background", white, NULL);
        vips_area_unref(VIPS_AREA(white));
        if (failed)
            return false;
        g_object_unref(*image);
        *image = next;
    }
    if ((*image)->Bands < 3)
        STEP(vips_colourspace(*image, &next, VIPS_INTERPRETATION_sRGB, NULL));
    if ((*image)->Bands > 3)
        STEP(vips_extract_band(*image, &next, 0, "n", 3, NULL));
    if ((*image)->BandFmt != VIPS_FORMAT_UCHAR)
        STEP(vips_cast_uchar(*image, &next, NULL));
    return (*image)->Bands == 3;
}

/* The opacity of what has one -> three equal 8-bit bands of it. */
static bool to_alpha(VipsImage **image) {
    STEP(vips_extract_band(*image, &next, (*image)->Bands - 1, NULL));
    if ((*image)->BandFmt == VIPS_FORMAT_USHORT)
        STEP(vips_msb(*image, &next, NULL));
    if ((*image)->BandFmt != VIPS_FORMAT_UCHAR)
        STEP(vips_cast_uchar(*image, &next, NULL));
    VipsImage *bands[] = {*image, *image, *image};
    STEP(vips_bandjoin(bands, &next, 3, NULL));
    return true;
}

/* Where pixel (x, y) of the stored picture goes: byte start + x * right + y * down of ours. */
struct layout {
    int64_t start, right, down;
};

static struct layout layout_of(int orientation, int stored_width, int stored_height) {
    bool swaps = orientation >= 5;
    int64_t w = swaps ? stored_height : stored_width, h = swaps ? stored_width : stored_height;
    int64_t row = w * 3, last_x = (w - 1) * 3, last_y = (h - 1) * row;
    switch (orientation) { /* EXIF 2.3, tag 0x0112: what the stored row 0 and column 0 are */
    case 2:
        return (struct layout){last_x, -3, row};
    case 3:
        return (struct layout){last_x + last_y, -3, -row};
    case 4:
        return (struct layout){last_y, 3, -row};
    case 5:
        return (struct layout){0, row, 3};
    case 6:
        return (struct layout){last_x, row, -3};
    case 7:
        return (struct layout){last_x + last_y, -row, -3};
    case 8:
        return (struct layout){last_y, -row, 3};
    default:
        return (struct layout){0, 3, row};
    }
}

static void store_row(uint8_t *out, const uint8_t *in, int width, int64_t right) {
    if (right == 3) {
        memcpy(out, in, (size_t)width * 3);
        return;
    }
    for (int x = 0; x < width; x++, in += 3)
        memcpy(out + x * right, in, 3);
}

/* Pulls all pixels of `in` into out, in this thread. */
static bool pull(VipsImage *in, struct lp_image *out, int orientation) {
    struct layout to = layout_of(orientation, in->Xsize, in->Ysize);
    VipsRegion *region = vips_region_new(in);
    bool ok = region != NULL;
    for (int top = 0; ok && top < in->Ysize; top += 64) {
        VipsRect strip = {0, top, in->Xsize, VIPS_MIN(64, in->Ysize - top)};
        ok = vips_region_prepare(region, &strip) == 0;
        for (int y = top; ok && y < top + strip.height; y++)
            store_row(out->pixel + to.start + y * to.down, VIPS_REGION_ADDR(region, 0, y), in->Xsize,
                      to.right);
    }
    VIPS_UNREF(region);
    return ok;
}

static struct lp_image *decode_as(const struct kind *kind, VipsFailOn fail_on, bool alpha, const uint8_t *bytes, size_t n,
                                  const char *name, struct lp_error *err) {
    struct lp_image *image = NULL;
    VipsImage *in = load(kind, bytes, n, fail_on);
    if (!in) {
        lp_error_set(err, LP_EINPUT,
                     "'%s' is not a %s picture although it begins like one: it is damaged or cut off", name,
                     kind->name);
        return NULL;
    }
    int orientation = vips_image_get_orientation(in);
    bool swaps = orientation >= 5 && orientation <= 8;
    if (in->Xsize < 1 || in->Ysize < 1 || (int64_t)in->Xsize * in->Ysize > LP_IMAGE_MAX_PIXELS)
        lp_error_set(err, LP_EINPUT,
                     "'%s' says it is %d x %d pixels large, more than %d in all: make it smaller first", name,
                     in->Xsize, in->Ysize, LP_IMAGE_MAX_PIXELS);
    else if (alpha && !vips_image_hasalpha(in))
        lp_error_set(err, LP_EINPUT, "'%s' is a %s picture without transparency: save it with an alpha channel", name,
                     kind->name);
    else if (VIPS_IMAGE_SIZEOF_PEL(in) > MAX_PIXEL_BYTES || !(alpha ? to_alpha(&in) : to_rgb(&in)))
        lp_error_set(err, LP_EINPUT,
                     "'%s' is a %s picture of a colour kind that cannot be read: save it as RGB", name,
                     kind->name);
    else
        image = lp_image_new(swaps ? in->Ysize : in->Xsize, swaps ? in->Xsize : in->Ysize, err);
    if (image && !pull(in, image, orientation)) {
        lp_error_set(err, LP_EINPUT, "'%s' is a damaged or cut off %s picture: get the file again", name,
                     kind->name);
        lp_image_close(image);
        image = NULL;
    }
    g_object_unref(in);
    return image;
}

/* libjpeg only warns when the data end before the pixels do, and warns of harmless things, too: what warned
 * is decoded again and the warning read. libvips keeps it in one text for all threads, so one at a time. */
static struct lp_image *decode_warned(const struct kind *kind, bool alpha, const uint8_t *bytes, size_t n,
                                      const char *name, struct lp_error *err) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    vips_error_clear();
    struct lp_image *image = decode_as(kind, VIPS_FAIL_ON_ERROR, alpha, bytes, n, name, err);
    if (image && strstr(vips_error_buffer(), "premature end")) {
        lp_error_set(err, LP_EINPUT, "'%s' is a damaged or cut off %s picture: get the file again", name,
                     kind->name);
        lp_image_close(image);
        image = NULL;
    }
    pthread_mutex_unlock(&lock);
    return image;
}

/* Whether a file of a kind that has a mark at its end ends with it; what follows it may be anything short. */
static bool ends_whole(const struct kind *kind, const uint8_t *bytes, size_t n) {
    const char *mark = kind->load == vips_jpegload_buffer ? "\xff\xd9" : kind->load == vips_pngload_buffer ? "IEND" : NULL;
    size_t last = n < 64 ? n : 64;
    return mark && memmem(bytes + n - last, last, mark, strlen(mark));
}

bool lp_image_check(const char *path, struct lp_error *err) {
    struct lp_file f; /* mapped: only its head and end are read, mostly */
    if (!lp_file_open(&f, path, err))
        return false;
    const struct kind *kind = kind_of(f.data, f.size);
    bool sure = false;
    if (kind && kind->load && f.size <= LP_IMAGE_MAX_BYTES && ends_whole(kind, f.data, f.size) && lp_vips_start(NULL)) {
        VipsImage *in = load(kind, f.data, f.size, VIPS_FAIL_ON_ERROR);
        sure = in && in->Xsize > 0 && in->Ysize > 0 && (int64_t)in->Xsize * in->Ysize <= LP_IMAGE_MAX_PIXELS &&
               VIPS_IMAGE_SIZEOF_PEL(in) <= MAX_PIXEL_BYTES;
        VIPS_UNREF(in);
        lp_vips_end();
    }
    struct lp_image *image = sure ? NULL : lp_image_decode(f.data, f.size, path, err);
    bool ok = sure || image;
    lp_image_close(image);
    lp_file_close(&f);
    return ok;
}

struct lp_image *lp_image_decode_here(const void *bytes, size_t n, bool alpha, const char *name, struct lp_error *err) {
    const struct kind *kind = kind_of(bytes, n);
    if (n == 0)
        lp_error_set(err, LP_EINPUT, "'%s' is empty, not a picture", name);
    else if (n > LP_IMAGE_MAX_BYTES)
        lp_error_set(err, LP_EINPUT, "'%s' is larger than %u MiB", name, LP_IMAGE_MAX_BYTES >> 20);
    else if (!kind)
        lp_error_set(err, LP_EINPUT, "'%s' is not a picture: JPEG, PNG, WebP, GIF, TIFF and HEIC are read",
                     name);
    else if (!kind->load)
        lp_error_set(err, LP_EINPUT, "'%s' is a %s file, which is not read: convert it to PNG or JPEG", name,
                     kind->name);
    else if (kind->load == vips_jpegload_buffer && count_scans(bytes, n) > MAX_JPEG_SCANS)
        lp_error_set(err, LP_EINPUT,
                     "'%s' is a JPEG picture of more than %d scans: save it again as a plain one", name,
                     MAX_JPEG_SCANS);
    else if (kind->load == vips_heifload_buffer && !lp_vips_load_heif())
        lp_error_set(err, LP_EINPUT,
                     "'%s' is a %s picture, which needs libvips' HEIF module: convert it to JPEG", name,
                     kind->name);
    else if (lp_vips_start(err)) {
        bool is_jpeg = kind->load == vips_jpegload_buffer;
        struct lp_error first = {0};
        struct lp_image *image =
            decode_as(kind, is_jpeg ? VIPS_FAIL_ON_WARNING : VIPS_FAIL_ON_ERROR, alpha, bytes, n, name, &first);
        if (!image && is_jpeg && first.code == LP_EINPUT)
            image = decode_warned(kind, alpha, bytes, n, name, err);
        else if (!image && err)
            *err = first;
        lp_vips_end();
        return image;
    }
    return NULL;
}

static lp_image_decoder *elsewhere;
static void *elsewhere_context;

void lp_image_decode_by(lp_image_decoder *decoder, void *context) {
    elsewhere = decoder;
    elsewhere_context = context;
}

static struct lp_image *decode(const void *bytes, size_t n, bool alpha, const char *name, struct lp_error *err) {
    return elsewhere ? elsewhere(elsewhere_context, bytes, n, alpha, name, err)
                     : lp_image_decode_here(bytes, n, alpha, name, err);
}

struct lp_image *lp_image_decode(const void *bytes, size_t n, const char *name, struct lp_error *err) {
    return decode(bytes, n, false, name, err);
}

uint8_t *lp_image_decode_alpha(const void *bytes, size_t n, const char *name, int *width, int *height, struct lp_error *err) {
    struct lp_image *image = decode(bytes, n, true, name, err);
    if (!image)
        return NULL;
    size_t pixels = (size_t)image->width * (size_t)image->height;
    uint8_t *alpha = lp_alloc(pixels);
    *width = image->width;
    *height = image->height;
    for (size_t i = 0; alpha && i < pixels; i++)
        alpha[i] = image->pixel[3 * i];
    if (!alpha)
        lp_error_memory(err);
    lp_image_close(image);
    return alpha;
}
