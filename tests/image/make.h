/* SPDX-License-Identifier: MIT */
/* Encoded pictures made byte by byte, so that they can lie. */
#ifndef LP_TEST_IMAGE_MAKE_H
#define LP_TEST_IMAGE_MAKE_H

#include "image/golden.h"

#include "base/memory.h"
#include "base/str.h"
#include "image/vips.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static inline void put_be32(struct lp_str *out, uint32_t x) {
    char bytes[4] = {(char)(x >> 24), (char)(x >> 16), (char)(x >> 8), (char)x};
    lp_str_add(out, bytes, 4);
}

static inline void put_le(struct lp_str *out, uint32_t x, int bytes) {
    for (int i = 0; i < bytes; i++)
        lp_str_putc(out, (char)(x >> 8 * i));
}

static inline void put_chunk(struct lp_str *png, const char *type, const void *data, size_t n) {
    put_be32(png, (uint32_t)n);
    size_t at = png->n;
    lp_str_add(png, type, 4);
    lp_str_add(png, data, n);
    put_be32(png, golden_crc(png->s + at, png->n - at));
}

/* The signature and IHDR. color: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA. */
static inline void png_begin(struct lp_str *png, uint32_t w, uint32_t h, int depth, int color) {
    struct lp_str ihdr = {0};
    put_be32(&ihdr, w);
    put_be32(&ihdr, h);
    char rest[5] = {(char)depth, (char)color, 0, 0, 0};
    lp_str_add(&ihdr, rest, 5);
    lp_str_add(png, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(png, "IHDR", ihdr.s, ihdr.n);
    lp_str_done(&ihdr);
}

/* IDAT with rows (filter bytes included, under 64 KiB) stored uncompressed, and IEND. */
static inline void png_end(struct lp_str *png, const uint8_t *rows, size_t n) {
    struct lp_str z = {0};
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < n; i++) {
        a = (a + rows[i]) % 65521;
        b = (b + a) % 65521;
    }
    lp_str_add(&z, "\x78\x01\x01", 3);
    put_le(&z, (uint32_t)n, 2);
    put_le(&z, ~(uint32_t)n, 2);
    lp_str_add(&z, (const char *)rows, n);
    put_be32(&z, b << 16 | a);
    put_chunk(png, "IDAT", z.s, z.n);
    put_chunk(png, "IEND", "", 0);
    lp_str_done(&z);
}

/* One bit a pixel, all black, compressed as far as deflate goes: n zeros are one literal and matches of 258.
 */
static inline void png_bomb(struct lp_str *png, uint32_t w, uint32_t h) {
    struct lp_str z = {0};
    uint64_t n = (uint64_t)h * (1 + (w + 7) / 8), matches = (n - 1) / 258, literals = n - matches * 258;
    uint32_t bits = 0;
    int count = 0;
    lp_str_add(&z, "\x78\x01", 2);
    /* Codes are packed from their highest bit on; here they are written reversed. */
    for (uint64_t i = 0; i < literals + matches + 2; i++) {
        uint32_t code = i == 0 ? 3 : i <= literals ? 0x0c : i <= literals + matches ? 0xa3 : 0;
        int length = i == 0 ? 3 : i <= literals ? 8 : i <= literals + matches ? 13 : 7;
        bits |= code << count; /* last block with fixed codes; 0; 285 and distance 1; end */
        for (count += length; count >= 8; count -= 8, bits >>= 8)
            lp_str_putc(&z, (char)bits);
    }
    if (count)
        lp_str_putc(&z, (char)bits);
    put_be32(&z, (uint32_t)(n % 65521) << 16 | 1);
    png_begin(png, w, h, 1, 0);
    put_chunk(png, "IDAT", z.s, z.n);
    put_chunk(png, "IEND", "", 0);
    lp_str_done(&z);
}

/* A baseline grey TIFF of 8 bits whose header says w x h and whose one strip holds n zeros. */
static inline void tiff_make(struct lp_str *tiff, uint32_t w, uint32_t h, uint32_t n) {
    const uint32_t tags[][2] = {{256, w}, {257, h}, {258, 8}, {259, 1}, {262, 1},
                                {273, 8}, {277, 1}, {278, h}, {279, n}};
    lp_str_add(tiff, "II*\0", 4);
    put_le(tiff, 8 + n, 4);
    for (uint32_t i = 0; i < n; i++)
        lp_str_putc(tiff, 0);
    put_le(tiff, sizeof tags / sizeof *tags, 2);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        put_le(tiff, tags[i][0], 2);
        put_le(tiff, 4, 2); /* LONG */
        put_le(tiff, 1, 4);
        put_le(tiff, tags[i][1], 4);
    }
    put_le(tiff, 0, 4);
}

/* A vips image of our pixels, as sRGB. */
static inline VipsImage *vips_of(const struct lp_image *image) {
    VipsImage *in = vips_image_new_from_memory(image->pixel, (size_t)image->width * image->height * 3,
                                               image->width, image->height, 3, VIPS_FORMAT_UCHAR),
              *out = NULL;
    vips_copy(in, &out, "interpretation", VIPS_INTERPRETATION_sRGB, NULL);
    g_object_unref(in);
    return out;
}

/* Takes vips' bytes over into out. */
static inline void take(struct lp_str *out, void *bytes, size_t n) {
    lp_str_add(out, bytes, n);
    g_free(bytes);
}

/* The smooth test picture as JPEG, PNG, WebP, GIF, TIFF. Returns false when this libvips cannot. */
static inline bool encode_as(struct lp_str *out, const char *kind, int w, int h) {
    struct lp_image *image = golden_picture(1, w, h);
    VipsImage *in = vips_of(image);
    void *bytes = NULL;
    size_t n = 0;
    int failed =
        strcmp(kind, "jpg") == 0    ? vips_jpegsave_buffer(in, &bytes, &n, "Q", 95, NULL)
        : strcmp(kind, "pjpg") == 0 ? vips_jpegsave_buffer(in, &bytes, &n, "Q", 95, "interlace", TRUE, NULL)
        : strcmp(kind, "png") == 0  ? vips_pngsave_buffer(in, &bytes, &n, NULL)
        : strcmp(kind, "ipng") == 0 ? vips_pngsave_buffer(in, &bytes, &n, "interlace", TRUE, NULL)
        : strcmp(kind, "webp") == 0 ? vips_webpsave_buffer(in, &bytes, &n, "lossless", TRUE, NULL)
        : strcmp(kind, "gif") == 0  ? vips_gifsave_buffer(in, &bytes, &n, NULL)
                                    : vips_tiffsave_buffer(in, &bytes, &n, "compression",
                                                           VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE, NULL);
    if (!failed)
        take(out, bytes, n);
    g_object_unref(in);
    lp_image_close(image);
    lp_vips_end();
    return !failed;
}

#endif
