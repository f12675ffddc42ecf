/* SPDX-License-Identifier: MIT */
/* tests/e2e/scoring.c - scores of readings (tests/e2e/ocr/truth.jsonl) and the form of plans.
 *
 * A reading's accuracy is 1 - distance / length of the truth, at least 0. The truth is looked for inside the
 * answer (Sellers' approximate matching), so the words an answer puts around what was read do not count. Over
 * all pictures it is 1 - all distances / all lengths. */
#include "e2e/scoring.h"

#include "skill/skill.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/str.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <utf8proc.h>

enum { MAX_FILE = 64 << 20 };

/* Code points with white space folded; *n is their count. A broken byte counts as one unknown character. */
static int32_t *folded(const char *text, long *n) {
    size_t bytes = strlen(text), at = 0;
    int32_t *points = lp_alloc_array(bytes + 1, sizeof *points);
    *n = 0;
    while (points && at < bytes) {
        utf8proc_int32_t c;
        utf8proc_ssize_t used =
            utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(bytes - at), &c);
        if (used < 1) {
            used = 1;
            c = 0xFFFD;
        }
        at += (size_t)used;
        if (c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0) {
            if (*n && points[*n - 1] != ' ')
                points[(*n)++] = ' ';
        } else {
            points[(*n)++] = c;
        }
    }
    if (points && *n && points[*n - 1] == ' ')
        (*n)--;
    return points;
}

bool score_reading(const char *truth, const char *answer, long *distance, long *length) {
    long n, m;
    int32_t *t = folded(truth, &n), *a = folded(answer, &m);
    long *row = lp_alloc_array((size_t)n + 1, sizeof *row);
    bool ok = t && a && row;
    for (long i = 0; ok && i <= n; i++)
        row[i] = i;
    long best = n;
    for (long j = 0; ok && j < m;
         j++) { /* row[i]: truth's first i against the best part of answer that ends at j */
        long diagonal = row[0];
        for (long i = 1; i <= n; i++) {
            long change = diagonal + (t[i - 1] != a[j]);
            diagonal = row[i];
            if (row[i] + 1 < change)
                change = row[i] + 1;
            if (row[i - 1] + 1 < change)
                change = row[i - 1] + 1;
            row[i] = change;
        }
        if (row[n] < best)
            best = row[n];
    }
    lp_free(t);
    lp_free(a);
    lp_free(row);
    *distance = best;
    *length = n;
    return ok;
}

json_t *score_lines(const char *path, const char *key, struct lp_error *err) {
    size_t size;
    char *text = lp_file_read(path, MAX_FILE, &size, err);
    json_t *lines = text ? json_array() : NULL;
    int number = 0;
    for (char *at = text, *end; lines && at && *at; at = end) {
        end = at + strcspn(at, "\n");
        size_t n = (size_t)(end - at);
        end += *end != 0;
        number++;
        if (strspn(at, " \t\r") >= n)
            continue;
        json_t *line = lp_json_parse(at, n, path, err);
        bool ok = line && json_is_string(json_object_get(line, key));
        if (line && !ok)
            lp_error_set(err, LP_EINPUT, "%s line %d has no string '%s'", path, number, key);
        if (!ok || json_array_append(lines, line)) {
            json_decref(lines);
            lines = NULL;
        }
        json_decref(line);
    }
    lp_free(text);
    return lines;
}

static const json_t *find_line(const json_t *lines, const char *key, const char *value) {
    size_t i;
    json_t *line;
    json_array_foreach(lines, i, line) {
        if (!strcmp(json_string_value(json_object_get(line, key)), value))
            return line;
    }
    return NULL;
}

/* The answer for a picture; owned by caller; NULL with err when there is none. */
static char *find_answer(const char *folder, const json_t *lines, const char *image, struct lp_error *err) {
    if (lines) {
        const json_t *line = find_line(lines, "image", image);
        const char *text = line ? json_string_value(json_object_get(line, "answer")) : NULL;
        struct lp_str copy = {0};
        lp_str_puts(&copy, text ? text : "");
        lp_str_putc(&copy, '\n');
        return copy.failed ? (lp_error_memory(err), NULL) : copy.s;
    }
    char name[PATH_MAX], path[PATH_MAX];
    size_t size;
    snprintf(name, sizeof name, "%s.txt", image);
    if (!lp_file_join(path, sizeof path, folder, name, err))
        return NULL;
    return lp_file_read(path, MAX_FILE, &size, err);
}

bool score_readings(const char *truth, const char *answers, FILE *out, double *rate, struct lp_error *err) {
    struct stat st;
    bool is_folder = stat(answers, &st) == 0 && S_ISDIR(st.st_mode);
    json_t *wanted = score_lines(truth, "image", err);
    json_t *lines = wanted && !is_folder ? score_lines(answers, "image", err) : NULL;
    bool ok = wanted && (is_folder || lines);
    long wrong = 0, all = 0;
    for (size_t i = 0; ok && i < json_array_size(wanted); i++) {
        const json_t *line = json_array_get(wanted, i);
        const char *image = json_string_value(json_object_get(line, "image"));
        const char *text = json_string_value(json_object_get(line, "text"));
        long distance = 0, length = 0;
        if (!text)
            ok = lp_error_set(err, LP_EINPUT, "%s: '%s' has no text", truth, image);
        char *answer = ok ? find_answer(answers, lines, image, err) : NULL;
        ok = answer && (score_reading(text, answer, &distance, &length) || lp_error_memory(err));
        lp_free(answer);
        if (!ok)
            break;
        fprintf(out, "%-24s %4ld wrong of %4ld  %5.1f %%\n", image, distance, length,
                length ? 100.0 * (double)(length - distance) / (double)length : 100.0);
        wrong += distance;
        all += length;
    }
    if (ok) {
        *rate = all ? (double)(all - wrong) / (double)all : 0;
        fprintf(out, "%-24s %4ld wrong of %4ld  %5.2f %%\n", "over all", wrong, all, 100 * *rate);
    }
    json_decref(wanted);
    json_decref(lines);
    return ok;
}

/* Whether each call names a known skill and has legal parameters. */
static bool is_valid(const json_t *plan, struct lp_error *err) {
    const json_t *actions = json_object_get(plan, "actions"), *action;
    size_t i;
    if (!json_is_array(actions))
        return lp_error_set(err, LP_EINPUT, "it has no list of actions");
    json_array_foreach(actions, i, action) {
        const char *name = json_string_value(json_object_get(action, "API_name"));
        const struct lp_skill *skill = name ? lp_skill_find(name) : NULL;
        if (!skill)
            return lp_error_set(err, LP_EINPUT, "'%s' is no skill", name ? name : "");
        json_t *params = lp_skill_check(skill, json_object_get(action, "API_params"), err);
        json_decref(params);
        if (!params)
            return false;
    }
    return true;
}

bool score_validity(const char *got, FILE *out, double *rate, struct lp_error *err) {
    json_t *plans = score_lines(got, "value", err);
    size_t valid = 0, i, n = json_array_size(plans);
    for (i = 0; i < n; i++) {
        struct lp_error why = {0};
        if (is_valid(json_array_get(plans, i), &why))
            valid++;
        else
            fprintf(out, "plan %zu is not valid: %s\n", i + 1, why.text);
    }
    if (plans)
        fprintf(out, "%zu of %zu plans are valid\n", valid, n);
    *rate = n ? (double)valid / (double)n : 0;
    json_decref(plans);
    return plans;
}
