/* SPDX-License-Identifier: MIT */
/* Diagrams: lines stand where their numbers are, whatever the numbers. */
#include "image/chart.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* Pixels of about a colour, and the middle of them. */
static int count(const struct lp_image *image, const uint8_t color[3], double middle[2]) {
    int n = 0;
    middle[0] = middle[1] = 0;
    for (int y = 70; y < image->height - 60; y++) /* below the legend, above the axis */
        for (int x = 78; x < image->width; x++) {
            const uint8_t *p = image->pixel + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
            if (abs(p[0] - color[0]) + abs(p[1] - color[1]) + abs(p[2] - color[2]) > 60)
                continue;
            n++;
            middle[0] += x;
            middle[1] += y;
        }
    middle[0] /= n ? n : 1;
    middle[1] /= n ? n : 1;
    return n;
}

static struct lp_image *draw(const struct lp_chart_line *line, int lines) {
    struct lp_error err = {0};
    struct lp_chart_lines c = {"title", "across", line, lines};
    struct lp_image *image = lp_chart_lines(&c, &err);
    if (!image)
        fail_msg("%s", err.text);
    return image;
}

static void lines_stand_where_their_numbers_are(void **state) {
    (void)state;
    const double x[] = {0, 50, 100}, high[] = {6.2, 6.2, 6.2}, low[] = {2.7, NAN, 2.7}, far[] = {0, 1e300, -1e300};
    const struct lp_chart_line line[] = {{NULL, x, far, 3, {200, 0, 200}, false},
                                         {"high", x, high, 3, {220, 0, 0}, false},
                                         {"low", x, low, 3, {0, 0, 220}, true}};
    struct lp_image *image = draw(line, 3);
    double up[2], down[2];
    assert_true(count(image, line[1].color, up) > 800 && count(image, line[2].color, down) > 800);
    assert_true(up[1] < 100 && down[1] > 400 && fabs(up[0] - down[0]) < 20);
    lp_image_close(image);
}

static void any_numbers_will_do(void **state) {
    (void)state;
    static const double cases[][2] = {{NAN, NAN}, {INFINITY, 1}, {5, 5}, {0, 0}, {1e-12, 2e-12}, {-1e9, 1e9}, {1e300, -1e300}};
    const double x[] = {1, 2};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int64_t n = 0; n <= 2; n++) {
            const struct lp_chart_line line = {"a", x, cases[i], n, {0, 90, 0}, false};
            lp_image_close(draw(&line, 1));
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_stand_where_their_numbers_are),
        cmocka_unit_test(any_numbers_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
