/* SPDX-License-Identifier: MIT */
/* Files that are no pictures, or lie about what they are: each is one clear sentence that names the file,
 * soon, and nothing is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "image/make.h"

#include "base/clock.h"
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>

static char folder[] = "/tmp/lp-bad-XXXXXX";
static int cases;

/* Opens folder/name, which must fail with the code, in a sentence that holds `says` and the name. */
static void expect_bad(const char *name, enum lp_code code, const char *says) {
    char path[200];
    struct lp_error err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    double start = lp_clock_ms();
    struct lp_image *image = lp_image_open(path, &err);
    if (image)
        fail_msg("'%s' was accepted as %d x %d", name, image->width, image->height);
    if (err.code != code || !strstr(err.text, says) || !strstr(err.text, name))
        fail_msg("'%s': %d, %s", name, err.code, err.text);
    assert_null(strchr(err.text, '\n'));
    assert_string_equal(vips_error_buffer(), "");
    assert_true(lp_clock_ms() - start < 10000); /* never hangs; generous for a busy machine under ASan */
    cases++;
}

/* Writes the bytes (and empties them) and expects LP_EINPUT. */
static void bad_bytes(const char *name, struct lp_str *bytes, const char *says) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_true(lp_file_write(path, bytes->s ? bytes->s : "", bytes->n, NULL));
    lp_str_done(bytes);
    expect_bad(name, LP_EINPUT, says);
    unlink(path);
}

static void bad_text(const char *name, const char *text, const char *says) {
    struct lp_str bytes = {0};
    lp_str_puts(&bytes, text);
    bad_bytes(name, &bytes, says);
}

static void not_files(void **state) {
    (void)state;
    char path[200];
    expect_bad("missing.jpg", LP_EIO, "No such file");
    snprintf(path, sizeof path, "%s/folder.png", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_bad("folder.png", LP_EIO, "is a folder");
    rmdir(path);
    snprintf(path, sizeof path, "%s/pipe.png", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_bad("pipe.png", LP_EIO, "not a regular file");
    unlink(path);
    snprintf(path, sizeof path, "%s/loop.png", folder);
    assert_int_equal(symlink("loop.png", path), 0);
    expect_bad("loop.png", LP_EIO, "symbolic links");
    unlink(path);
    if (geteuid() != 0) {
        snprintf(path, sizeof path, "%s/secret.png", folder);
        assert_true(lp_file_write(path, "x", 1, NULL));
        chmod(path, 0);
        expect_bad("secret.png", LP_EIO, "Permission denied");
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/vast.jpg", folder);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0 && write(fd, "\xff\xd8\xff", 3) == 3 &&
                ftruncate(fd, (off_t)LP_IMAGE_MAX_BYTES + 1) == 0);
    close(fd);
    expect_bad("vast.jpg", LP_EINPUT, "larger than 256 MiB");
    unlink(path);
}

static void not_pictures(void **state) {
    (void)state;
    bad_text("empty.png", "", "empty");
    bad_text("byte.png", "\x89", "is not a picture");
    bad_text("text.jpg", "This is a sentence, not a picture.\n", "is not a picture");
    bad_text("page.html", "<!DOCTYPE html><p>no</p>", "is not a picture");
    bad_text("drawing.svg", "<svg xmlns='http://www.w3.org/2000/svg'><image href='/etc/passwd'/></svg>",
             "SVG");
    bad_text("drawing.png", "<?xml version='1.0'?><svg width='9' height='9'/>", "SVG");
    bad_text("paper.jpg", "%PDF-1.4\n1 0 obj\n", "PDF");
    bad_text("paper.ps", "%!PS-Adobe-3.0", "PostScript");
    bad_text("old.bmp", "BM123456789", "BMP");
    bad_text("phone.heic", "abcdftypheic", "HEIC");
    bad_text("film.mp4", "abcdftypisom", "film");
    bad_text("push.png", "push graphic-context\nimage over 0,0 0,0 'msl:/etc/passwd'", "is not a picture");
    bad_text("text.vips", "\x08\xf2\xa6\xb6 vips", "is not a picture");
    bad_text("numbers.csv", "1,2,3\n4,5,6\n", "is not a picture");
    bad_text("grey.pgm", "P5 70000 70000 255\n", "is not a picture");
    struct lp_error err = {0};
    assert_null(lp_image_decode("", 0, "nothing", &err));
    assert_int_equal(err.code, LP_EINPUT);
}

/* Cut off anywhere, even by little, a picture is refused, never shown half. */
static void cut_off(void **state) {
    (void)state;
    const char *kinds[] = {"jpg", "pjpg", "png", "ipng", "webp", "tiff", "gif"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct lp_str whole = {0};
        assert_true(encode_as(&whole, kinds[i], 150, 120));
        const size_t keeps[] = {9, 13, 40, whole.n / 4, whole.n / 2, whole.n * 9 / 10, whole.n - 40};
        for (size_t j = 0; j < sizeof keeps / sizeof *keeps; j++) {
            struct lp_str part = {0};
            char name[40];
            snprintf(name, sizeof name, "cut-%zu.%s", j, kinds[i]);
            lp_str_add(&part, whole.s, keeps[j]);
            bad_bytes(name, &part,
                      keeps[j] < 12 && strcmp(kinds[i], "webp") == 0 ? "is not a picture" : "cut off");
        }
        lp_str_done(&whole);
    }
}

static void lying_png(void **state) {
    (void)state;
    struct lp_str png = {0};
    uint8_t rows[4] = {0};
    png_begin(&png, 100000, 100000, 8, 2);
    png_end(&png, rows, 4);
    bad_bytes("lying.png", &png, "100000 x 100000");
    png_begin(&png, 0x7fffffff, 0x7fffffff, 16, 6);
    png_end(&png, rows, 4);
    bad_bytes("most.png", &png, "most.png");
    png_begin(&png, 0xffffffff, 1, 8, 2);
    png_end(&png, rows, 4);
    bad_bytes("minus.png", &png, "minus.png");
    png_begin(&png, 9000, 9000, 8, 2);
    png_end(&png, rows, 4);
    bad_bytes("hungry.png", &png, "cut off");
    png_begin(&png, 0, 5, 8, 2);
    png_end(&png, rows, 4);
    bad_bytes("no-width.png", &png, "no-width.png");
    png_begin(&png, 5, 0, 8, 2);
    png_end(&png, rows, 4);
    bad_bytes("no-height.png", &png, "no-height.png");
    png_begin(&png, 1, 1, 7, 2);
    png_end(&png, rows, 4);
    bad_bytes("depth.png", &png, "depth.png");
    png_begin(&png, 1, 1, 8, 3);
    png_end(&png, rows, 2);
    bad_bytes("no-palette.png", &png, "no-palette.png");
    png_begin(&png, 1, 1, 8, 2);
    put_chunk(&png, "IEND", "", 0);
    bad_bytes("no-data.png", &png, "no-data.png");
    png_bomb(&png, 20000, 20000);
    assert_true(png.n < 400000);
    bad_bytes("bomb.png", &png, "20000 x 20000");
}

static void damaged_png(void **state) {
    (void)state;
    uint8_t rows[13] = {0};
    for (int at = 0; at < 3; at++) {
        struct lp_str png = {0};
        char name[40];
        png_begin(&png, 2, 1, 8, 2);
        size_t header = png.n;
        png_end(&png, rows, 7);
        png.s[at == 0   ? 17
              : at == 1 ? header + 18
                        : header + 3] ^= 0x10; /* IHDR's width, pixels, IDAT's length */
        snprintf(name, sizeof name, "damaged-%d.png", at);
        bad_bytes(name, &png, "damaged");
    }
}

/* Overwrites the two sizes of a JPEG's frame header. */
static void patch_jpeg(struct lp_str *jpeg, int w, int h) {
    for (size_t i = 2; i + 9 < jpeg->n; i++)
        if ((uint8_t)jpeg->s[i] == 0xff &&
            ((uint8_t)jpeg->s[i + 1] == 0xc0 || (uint8_t)jpeg->s[i + 1] == 0xc2)) {
            const char sizes[4] = {(char)(h >> 8), (char)h, (char)(w >> 8), (char)w};
            memcpy(jpeg->s + i + 5, sizes, 4);
            return;
        }
}

static void lying_jpeg(void **state) {
    (void)state;
    const struct {
        const char *name, *kind, *says;
        int w, h;
    } lies[] = {{"lying.jpg", "jpg", "65500 x 65500", 65500, 65500},
                {"tall.jpg", "jpg", "cut off", 150, 60000},
                {"wide.jpg", "jpg", "cut off", 5000, 120},
                {"scans.jpg", "pjpg", "cut off", 4000, 3000},
                {"flat.jpg", "jpg", "flat.jpg", 0, 120},
                {"none.jpg", "jpg", "none.jpg", 0, 0}};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct lp_str jpeg = {0};
        assert_true(encode_as(&jpeg, lies[i].kind, 150, 120));
        patch_jpeg(&jpeg, lies[i].w, lies[i].h);
        bad_bytes(lies[i].name, &jpeg, lies[i].says);
    }
    struct lp_str jpeg = {0};
    assert_true(encode_as(&jpeg, "pjpg", 150, 120));
    for (int i = 0; i < 300; i++) /* scans without end are how a small progressive file takes minutes */
        lp_str_add(&jpeg, "\xff\xda\0\x08\1\1\0\0\x3f\0", 10);
    bad_bytes("endless.jpg", &jpeg, "scans");
}

static void lying_others(void **state) {
    (void)state;
    struct lp_str bytes = {0};
    tiff_make(&bytes, 100000, 100000, 16);
    bad_bytes("lying.tiff", &bytes, "lying.tiff");
    tiff_make(&bytes, 5000, 5000, 16);
    bad_bytes("hungry.tiff", &bytes, "cut off");
    tiff_make(&bytes, 0, 5, 16);
    bad_bytes("zero.tiff", &bytes, "zero.tiff");
    tiff_make(&bytes, 1, 1, 16);
    bytes.s[24 + 2 + 6 * 12 + 8] = (char)0xff; /* 65535 samples a pixel */
    bytes.s[24 + 2 + 6 * 12 + 9] = (char)0xff;
    bad_bytes("bands.tiff", &bytes, "bands.tiff");
    lp_str_add(&bytes, "II*\0\xff\xff\xff\x7f", 8);
    bad_bytes("nowhere.tiff", &bytes, "nowhere.tiff");
    lp_str_add(&bytes, "II*\0\x08\0\0\0\0\0\x08\0\0\0", 14);
    bad_bytes("circle.tiff", &bytes, "circle.tiff");
    lp_str_add(&bytes,
               "GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\2\2D\1\0;", 36);
    bad_bytes("bomb.gif", &bytes, "65535 x 65535");
    lp_str_add(&bytes, "GIF89a\0\0\0\0\0\0\0;", 14);
    bad_bytes("zero.gif", &bytes, "zero.gif");
    lp_str_add(&bytes, "GIF89a\5\0\5\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\5\0\5\0\0\x0f\2D\1\0;", 36);
    bad_bytes("code.gif", &bytes, "code.gif");
    lp_str_add(&bytes, "RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff", 30);
    bad_bytes("lying.webp", &bytes, "lying.webp");
    lp_str_add(&bytes, "RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff", 20);
    bad_bytes("length.webp", &bytes, "length.webp");
}

/* Bytes turned over at random: a picture or a sentence, and nothing else. */
static void random_damage(void **state) {
    (void)state;
    const char *kinds[] = {"jpg", "pjpg", "png", "ipng", "webp", "tiff", "gif"};
    int refused = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct lp_str whole = {0};
        assert_true(encode_as(&whole, kinds[i], 40, 30));
        for (uint32_t seed = 0; seed < 60; seed++) {
            struct lp_str bytes = {0};
            struct lp_error err = {0};
            lp_str_add(&bytes, whole.s, whole.n);
            for (uint32_t k = 0; k < 6; k++) {
                uint32_t at = golden_noise(seed, 3 * k) << 8 | golden_noise(seed, 3 * k + 1);
                bytes.s[at % (seed % 2 ? 200 : bytes.n)] = (char)golden_noise(seed, 3 * k + 2);
            }
            struct lp_image *image = lp_image_decode(bytes.s, bytes.n, "it", &err);
            assert_true((image != NULL) == (err.code == LP_OK));
            refused += !image;
            lp_image_close(image);
            lp_str_done(&bytes);
        }
        lp_str_done(&whole);
    }
    assert_true(refused > 50);
}

static void standard_input(void **state) {
    (void)state;
    struct lp_str png = {0};
    assert_true(encode_as(&png, "png", 20, 10));
    for (int round = 0; round < 2; round++) { /* a picture through a pipe, then nothing */
        int ends[2], kept = dup(STDIN_FILENO);
        struct lp_error err = {0};
        assert_int_equal(pipe(ends), 0);
        if (round == 0)
            assert_int_equal(write(ends[1], png.s, png.n), png.n);
        close(ends[1]);
        dup2(ends[0], STDIN_FILENO);
        struct lp_image *image = lp_image_open("-", &err);
        dup2(kept, STDIN_FILENO);
        close(kept);
        close(ends[0]);
        assert_true((image != NULL) == (round == 0));
        if (round == 1)
            assert_string_equal(err.text, "'standard input' is empty, not a picture");
        lp_image_close(image);
    }
    lp_str_done(&png);
}

/* A few stray bytes before the end are common and harmless: only a warning. */
static void harmless(void **state) {
    (void)state;
    struct lp_str jpeg = {0}, stray = {0};
    assert_true(encode_as(&jpeg, "jpg", 40, 30));
    lp_str_add(&stray, jpeg.s, jpeg.n - 2);
    lp_str_add(&stray, "\1\2\3\4\5\xff\xd9junk", 11);
    struct lp_image *clean = lp_image_decode(jpeg.s, jpeg.n, "it", NULL);
    struct lp_image *same = lp_image_decode(stray.s, stray.n, "it", NULL);
    assert_non_null(same);
    assert_memory_equal(clean->pixel, same->pixel, 40 * 30 * 3);
    lp_image_close(clean);
    lp_image_close(same);
    lp_str_done(&jpeg);
    lp_str_done(&stray);
}

/* Runs after the others: what they made the libraries say went here. */
static int quiet_fd = -1, kept_stderr;

static int begin(void **state) {
    (void)state;
    kept_stderr = dup(STDERR_FILENO);
    quiet_fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    if (quiet_fd >= 0)
        dup2(quiet_fd, STDERR_FILENO);
    return mkdtemp(folder) && lp_vips_start(NULL) ? 0 : -1;
}

static void nothing_printed(void **state) {
    (void)state;
    struct stat st = {0};
    fflush(stderr);
    dup2(kept_stderr, STDERR_FILENO);
    if (quiet_fd >= 0)
        assert_int_equal(fstat(quiet_fd, &st), 0);
    if (st.st_size > 0) {
        char text[2000] = "";
        assert_true(pread(quiet_fd, text, sizeof text - 1, 0) > 0);
        fail_msg("printed: %s", text);
    }
    assert_true(cases > 70);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(not_files),    cmocka_unit_test(not_pictures),    cmocka_unit_test(cut_off),
        cmocka_unit_test(lying_png),    cmocka_unit_test(damaged_png),     cmocka_unit_test(lying_jpeg),
        cmocka_unit_test(lying_others), cmocka_unit_test(random_damage),   cmocka_unit_test(standard_input),
        cmocka_unit_test(harmless),     cmocka_unit_test(nothing_printed),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
