/* SPDX-License-Identifier: MIT */
/* train/log.c - the log of a training, a JSON object a line: step, loss, rate, gradient_norm, tokens, tokens_per_s,
 * seconds, and eval_loss where it was measured. Each step stands there once: a training that goes on from step n
 * first drops what an earlier run wrote of later ones. */
#include "train/train.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { MOST_LOG_BYTES = 1 << 30 };

static bool add_point(struct lp_train_log *log, int64_t step, double loss, double eval_loss) {
    if (log->points == log->capacity) {
        int64_t capacity = log->capacity ? 2 * log->capacity : 1024;
        struct lp_train_point *grown = lp_realloc(log->point, (size_t)capacity * sizeof *grown);
        if (!grown)
            return false;
        log->point = grown;
        log->capacity = capacity;
    }
    log->point[log->points++] = (struct lp_train_point){step, loss, eval_loss};
    return true;
}

static double number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* Takes a line of the old log to `kept` if it is whole and of the next step up to `last`. */
static bool keep_line(struct lp_train_log *log, const char *line, size_t n, int64_t last, struct lp_str *kept) {
    json_t *object = json_loadb(line, n, 0, NULL);
    int64_t step = json_integer_value(json_object_get(object, "step"));
    bool next = step >= 1 && step <= last && (!log->points || step > log->point[log->points - 1].step), ok = true;
    if (next) {
        ok = add_point(log, step, number(object, "loss"), number(object, "eval_loss"));
        double seconds = number(object, "seconds");
        log->seconds = isfinite(seconds) ? seconds : log->seconds;
        lp_str_add(kept, line, n);
        lp_str_putc(kept, '\n');
    }
    json_decref(object);
    return ok && !kept->failed;
}

static bool keep_lines(struct lp_train_log *log, int64_t last, struct lp_error *err) {
    size_t n = 0;
    char *text = lp_file_read(log->path, MOST_LOG_BYTES, &n, err);
    if (!text)
        return false;
    struct lp_str kept = {0};
    bool ok = true;
    for (char *line = text, *end; ok && (end = memchr(line, '\n', n - (size_t)(line - text))); line = end + 1)
        ok = keep_line(log, line, (size_t)(end - line), last, &kept);
    if (!ok)
        lp_error_memory(err);
    else if (kept.n != n)
        ok = lp_file_write(log->path, lp_str_text(&kept), kept.n, err);
    lp_str_done(&kept);
    lp_free(text);
    return ok;
}

bool lp_train_log_open(struct lp_train_log *log, const char *path, int64_t step, struct lp_error *err) {
    *log = (struct lp_train_log){.path = path};
    if (!path)
        return true;
    if (lp_file_exists(path) && !keep_lines(log, step, err))
        return false;
    log->file = fopen(path, "ae");
    return log->file || lp_error_set(err, LP_EIO, "cannot write '%s': %s", path, strerror(errno));
}

/* JSON has no word for what is no number. */
static void print_number(FILE *to, const char *key, const char *format, double x) {
    fprintf(to, ", \"%s\": ", key);
    if (isfinite(x))
        fprintf(to, format, x);
    else
        fputs("null", to);
}

bool lp_train_log_add(struct lp_train_log *log, const struct lp_train_progress *p, struct lp_error *err) {
    if (!add_point(log, p->step, p->loss, p->eval_loss))
        return lp_error_memory(err);
    if (!log->file)
        return true;
    fprintf(log->file, "{\"step\": %ld", (long)p->step);
    print_number(log->file, "loss", "%.6f", p->loss);
    print_number(log->file, "rate", "%.4e", p->rate);
    print_number(log->file, "gradient_norm", "%.5f", p->gradient_norm);
    fprintf(log->file, ", \"tokens\": %ld", (long)p->tokens);
    print_number(log->file, "tokens_per_s", "%.0f", p->tokens_per_s);
    print_number(log->file, "seconds", "%.2f", p->seconds);
    if (isfinite(p->eval_loss))
        print_number(log->file, "eval_loss", "%.6f", p->eval_loss);
    fputs("}\n", log->file);
    bool ok = fflush(log->file) == 0 && !ferror(log->file);
    return ok || lp_error_set(err, LP_EIO, "cannot write '%s': %s", log->path, strerror(errno));
}

bool lp_train_log_sync(struct lp_train_log *log, struct lp_error *err) {
    bool ok = !log->file || fsync(fileno(log->file)) == 0 || errno == EINVAL; /* a pipe has nothing to sync */
    return ok || lp_error_set(err, LP_EIO, "cannot write '%s': %s", log->path, strerror(errno));
}

void lp_train_log_close(struct lp_train_log *log) {
    if (log->file)
        fclose(log->file);
    lp_free(log->point);
    *log = (struct lp_train_log){0};
}
