/* SPDX-License-Identifier: MIT */
/* tests/e2e/score.c - the scorer as a program: exit 0 at or above the threshold MIN (0..1), 1 below it, 2 for a
 * wrong call.
 *   score ocr TRUTH.jsonl ANSWERS.jsonl|FOLDER [MIN]
 *   score valid PLANS.jsonl         every plan must parse and validate
 *   score list TRUTH.jsonl          image, tab, question: what ocr_accuracy.sh asks */
#include "e2e/scoring.h"

#include <stdlib.h>
#include <string.h>

static int list(const char *path, struct lp_error *err) {
    json_t *lines = score_lines(path, "image", err);
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const json_t *line = json_array_get(lines, i);
        const char *question = json_string_value(json_object_get(line, "question"));
        printf("%s\t%s\n", json_string_value(json_object_get(line, "image")), question ? question : "");
    }
    if (!lines)
        fprintf(stderr, "score: %s\n", err->text);
    json_decref(lines);
    return lines ? 0 : 1;
}

static int valid(const char *path, struct lp_error *err) {
    double rate;
    if (!score_validity(path, stdout, &rate, err)) {
        fprintf(stderr, "score: %s\n", err->text);
        return 1;
    }
    return rate < 1;
}

int main(int argc, char **argv) {
    struct lp_error err = {0};
    if (argc == 3 && !strcmp(argv[1], "list"))
        return list(argv[2], &err);
    if (argc == 3 && !strcmp(argv[1], "valid"))
        return valid(argv[2], &err);
    bool ocr = argc >= 4 && !strcmp(argv[1], "ocr");
    char *end = "";
    double rate = 0, least = argc == 5 ? strtod(argv[4], &end) : 0;
    if (argc > 5 || !ocr || *end) {
        fputs("usage: score ocr TRUTH ANSWERS [MIN] | score valid PLANS | score list TRUTH\n",
              stderr);
        return 2;
    }
    if (!score_readings(argv[2], argv[3], stdout, &rate, &err)) {
        fprintf(stderr, "score: %s\n", err.text);
        return 1;
    }
    if (rate < least) {
        fprintf(stderr, "score: %.4f is below the threshold %.4f\n", rate, least);
        return 1;
    }
    return 0;
}
