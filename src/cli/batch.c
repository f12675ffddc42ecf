/* SPDX-License-Identifier: MIT */
/* cli/batch.c - files of requests. */
#include "cli/batch.h"

#include "base/file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { BATCH_LIMIT = 256 << 20 };

char *lp_batch_open(const char *path, size_t *size, struct lp_error *err) {
    return lp_file_read(path, BATCH_LIMIT, size, err);
}

bool lp_batch_lines(const char *path, const char *text, size_t size,
                    bool (*each)(void *context, const json_t *line, struct lp_error *err), void *context,
                    struct lp_error *err) {
    int number = 1;
    for (const char *at = text, *end = text + size; at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((stop ? stop : end) - at);
        char name[64];
        snprintf(name, sizeof name, "line %d", number);
        bool blank = n == 0 || n == strspn(at, " \t\r");
        json_t *line = blank ? NULL : lp_json_parse(at, n, name, err);
        bool parsed = blank || line, done = blank || (line && (!each || each(context, line, err)));
        json_decref(line);
        if (!done && parsed)
            lp_error_prefix(err, "%s, line %d", path, number);
        else if (!done)
            lp_error_prefix(err, "%s", path);
        if (!done)
            return false;
        at += n + (stop != NULL);
    }
    return true;
}

/* A picture that a line names; a relative path starts at the batch's folder. Owned by caller. */
static struct lp_image *open_picture(const char *batch, const char *name, struct lp_error *err) {
    char folder[PATH_MAX], path[PATH_MAX];
    const char *slash = strrchr(batch, '/');
    size_t n = !slash ? 0 : slash == batch ? 1 : (size_t)(slash - batch);
    if (n >= sizeof folder) {
        lp_error_set(err, LP_EINPUT, "the path is too long");
        return NULL;
    }
    memcpy(folder, batch, n);
    folder[n] = 0;
    return lp_file_join(path, sizeof path, folder, name, err) ? lp_image_open(path, err) : NULL;
}

/* The prompts of one line. */
static bool read_prompts(const char *batch, const json_t *line, struct lp_prompts *p, struct lp_error *err) {
    const json_t *points = json_object_get(line, "points"), *boxes = json_object_get(line, "boxes");
    const json_t *reference = json_object_get(line, "reference");
    const char *file = NULL;
    if (points && !json_is_null(points) && !lp_prompts_points(p, points, "'points'", err))
        return false;
    if (boxes && !json_is_null(boxes) && !lp_prompts_boxes(p, boxes, false, "'boxes'", err))
        return false;
    if (!reference || json_is_null(reference))
        return true;
    if (!json_is_object(reference) || !lp_json_string(reference, "image", NULL, &file, err) || !file)
        return lp_error_set(err, LP_EINPUT, "'reference' must be an object with an 'image'");
    boxes = json_object_get(reference, "boxes");
    if (boxes && !json_is_null(boxes) && !lp_prompts_boxes(p, boxes, true, "the reference's 'boxes'", err))
        return false;
    return (p->reference = open_picture(batch, file, err)) != NULL;
}

/* One picture or a list of them. */
static bool add_pictures(const char *batch, const json_t *image, struct lp_conversation *talk, struct lp_error *err) {
    if (!image || json_is_null(image))
        return true;
    size_t n = json_is_array(image) ? json_array_size(image) : 1;
    for (size_t i = 0; i < n; i++) {
        const char *file = json_string_value(json_is_array(image) ? json_array_get(image, i) : image);
        if (!file)
            return lp_error_set(err, LP_EINPUT, "'image' must be a string or a list of strings");
        struct lp_image *picture = open_picture(batch, file, err);
        if (!picture || !lp_conversation_add_picture(talk, picture, err))
            return false;
    }
    return true;
}

bool lp_batch_request(const char *path, const json_t *line, struct lp_conversation *talk, struct lp_prompts *prompts,
                      struct lp_request *request, struct lp_error *err) {
    const json_t *id = json_object_get(line, "id");
    const char *text = NULL;
    if (!json_is_object(line))
        return lp_error_set(err, LP_EINPUT, "it is not an object with id and instruction");
    if (!json_is_string(id) && !json_is_integer(id))
        return lp_error_set(err, LP_EINPUT, "'id' must be a string or a whole number");
    if (!lp_json_string(line, "instruction", NULL, &text, err))
        return false;
    if (!text)
        return lp_error_set(err, LP_EINPUT, "'instruction' is missing");
    lp_conversation_reset(talk);
    if (!read_prompts(path, line, prompts, err) || !add_pictures(path, json_object_get(line, "image"), talk, err))
        return false;
    *request = lp_prompts_request(prompts, text);
    return true;
}
