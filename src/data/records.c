/* SPDX-License-Identifier: MIT */
/* data/records.c - the released record format, tolerantly. What differs among the released files: ids are numbers or
 * texts, under three names; the picture is "image", "file_name" or missing with an "id" that is a file name; "<image>"
 * stands first, last or twice; thoughts and actions may be missing; actions carry stray keys. */
#include "data/records.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct lp_records {
    struct lp_file file;
    size_t at;      /* bytes read */
    size_t number;  /* of the record last read, from 1 */
    char *path;
};

static const char picture_mark[] = "<image>";

struct lp_records *lp_records_open(const char *path, struct lp_error *err) {
    struct lp_records *r = lp_alloc(sizeof *r);
    if (!r || !(r->path = lp_alloc(strlen(path) + 1))) {
        lp_error_memory(err);
        lp_records_close(r);
        return NULL;
    }
    memcpy(r->path, path, strlen(path) + 1);
    if (!lp_file_open(&r->file, path, err)) {
        lp_records_close(r);
        return NULL;
    }
    return r;
}

void lp_records_close(struct lp_records *r) {
    if (!r)
        return;
    lp_file_close(&r->file);
    lp_free(r->path);
    lp_free(r);
}

/* The next byte that is no blank; 0 at the end. */
static char peek(struct lp_records *r) {
    while (r->at < r->file.size && isspace(r->file.data[r->at]))
        r->at++;
    return r->at < r->file.size ? (char)r->file.data[r->at] : 0;
}

static bool put(json_t *object, const char *key, json_t *value) {
    return json_object_set_new(object, key, value) == 0;
}

/* The first of the keys that holds a text or a number, as text. */
static json_t *read_id(const json_t *raw) {
    static const char *const keys[] = {"unique_id", "id", "image_id"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *value = json_object_get(raw, keys[i]);
        if (json_is_string(value))
            return json_string(json_string_value(value));
        if (json_is_integer(value))
            return json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
        if (json_is_real(value))
            return json_sprintf("%.17g", json_real_value(value));
    }
    return json_string("");
}

static bool is_picture_name(const char *name) {
    const char *dot = name ? strrchr(name, '.') : NULL;
    return dot && (!strcasecmp(dot, ".png") || !strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg") ||
                   !strcasecmp(dot, ".webp"));
}

/* `marked`: whether the turns speak of a picture. */
static json_t *read_images(const json_t *raw, bool marked) {
    static const char *const keys[] = {"image", "images", "file_name", "image_file_name"};
    json_t *images = json_array();
    bool ok = images != NULL;
    for (size_t i = 0; ok && i < sizeof keys / sizeof *keys && !json_array_size(images); i++) {
        const json_t *value = json_object_get(raw, keys[i]), *item;
        size_t k;
        if (json_is_string(value))
            ok = !json_array_append_new(images, json_string(json_string_value(value)));
        json_array_foreach(value, k, item)
            if (json_is_string(item))
                ok = ok && !json_array_append_new(images, json_string(json_string_value(item)));
    }
    const char *id = json_string_value(json_object_get(raw, "id"));
    if (ok && marked && !json_array_size(images) && is_picture_name(id))
        ok = !json_array_append_new(images, json_string(id));
    if (ok)
        return images;
    json_decref(images);
    return NULL;
}

static bool is_human(const json_t *turn) {
    const char *from = json_string_value(json_object_get(turn, "from"));
    return from && (!strcasecmp(from, "human") || !strcasecmp(from, "user"));
}

static size_t count_marks(const char *text) {
    size_t n = 0;
    for (; (text = strstr(text, picture_mark)); text += strlen(picture_mark))
        n++;
    return n;
}

/* The text without marks and the blanks around, behind `shown` marks. */
static json_t *read_human(const char *text, size_t shown) {
    struct lp_str bare = {0}, out = {0};
    for (const char *mark; (mark = strstr(text, picture_mark)); text = mark + strlen(picture_mark))
        lp_str_add(&bare, text, (size_t)(mark - text));
    lp_str_puts(&bare, text);
    const char *first = lp_str_text(&bare);
    while (isspace((unsigned char)*first))
        first++;
    size_t n = strlen(first);
    while (n && isspace((unsigned char)first[n - 1]))
        n--;
    for (size_t i = 0; i < shown; i++)
        lp_str_printf(&out, "%s\n", picture_mark);
    lp_str_add(&out, first, n);
    json_t *turn = json_object();
    bool ok = !bare.failed && !out.failed && put(turn, "from", json_string("human")) &&
              put(turn, "value", json_string(lp_str_text(&out)));
    lp_str_done(&bare);
    lp_str_done(&out);
    if (ok)
        return turn;
    json_decref(turn);
    return NULL;
}

/* Calls that have a name, with their parameters or {}. */
static json_t *read_actions(const json_t *raw) {
    json_t *actions = json_array();
    const json_t *item;
    size_t i;
    bool ok = actions != NULL;
    json_array_foreach(raw, i, item) {
        const json_t *name = json_object_get(item, "API_name"), *params = json_object_get(item, "API_params");
        if (!json_is_string(name))
            continue;
        json_t *action = json_object();
        ok = ok && put(action, "API_name", json_copy((json_t *)name)) &&
             put(action, "API_params", json_is_object(params) ? json_deep_copy(params) : json_object()) &&
             !json_array_append(actions, action);
        json_decref(action);
    }
    if (ok)
        return actions;
    json_decref(actions);
    return NULL;
}

static json_t *read_assistant(const json_t *raw) {
    const json_t *thoughts = json_object_get(raw, "thoughts"), *actions = json_object_get(raw, "actions");
    const char *value = json_string_value(json_object_get(raw, "value"));
    json_t *turn = json_object();
    bool ok = put(turn, "from", json_string("gpt"));
    if (json_is_string(thoughts))
        ok = ok && put(turn, "thoughts", json_copy((json_t *)thoughts));
    if (json_is_array(actions))
        ok = ok && put(turn, "actions", read_actions(actions));
    ok = ok && put(turn, "value", json_string(value ? value : ""));
    if (ok)
        return turn;
    json_decref(turn);
    return NULL;
}

/* Turns from the first human one to the last assistant's; pictures that no turn shows go to the first. */
static bool read_turns(const json_t *raw, size_t images, json_t *turns, struct lp_error *err) {
    size_t marks = 0, n = json_array_size(raw), begin = n && !is_human(json_array_get(raw, 0));
    n -= (n - begin) % 2;
    for (size_t i = begin; i < n; i++) {
        const json_t *turn = json_array_get(raw, i);
        const char *value = json_string_value(json_object_get(turn, "value"));
        bool human = (i - begin) % 2 == 0;
        if (human != is_human(turn) || (human && !value))
            return lp_error_set(err, LP_EINPUT, "turn %zu should be the %s's and have a value", i + 1,
                                human ? "user" : "assistant");
        if (human)
            marks += count_marks(value);
    }
    size_t extra = images > marks ? images - marks : 0, left = images;
    for (size_t i = begin; i < n; i++) {
        const json_t *turn = json_array_get(raw, i);
        const char *value = json_string_value(json_object_get(turn, "value"));
        bool human = (i - begin) % 2 == 0;
        size_t shown = human ? count_marks(value) + (i == begin ? extra : 0) : 0;
        shown = shown < left ? shown : left;
        left -= shown;
        json_t *clean = human ? read_human(value, shown) : read_assistant(turn);
        if (!clean || json_array_append_new(turns, clean))
            return lp_error_memory(err);
    }
    if (!json_array_size(turns))
        return lp_error_set(err, LP_EINPUT, "it has no 'conversations' with a question and an answer");
    return true;
}

static json_t *normal_form(const json_t *raw, struct lp_error *err) {
    const json_t *conversations = json_object_get(raw, "conversations"), *turn;
    bool marked = false;
    size_t i;
    json_array_foreach(conversations, i, turn) {
        const char *value = json_string_value(json_object_get(turn, "value"));
        marked |= value && is_human(turn) && count_marks(value);
    }
    json_t *record = json_object(), *images = read_images(raw, marked), *turns = json_array();
    bool ok = record && images && turns ? true : lp_error_memory(err);
    ok = ok && read_turns(conversations, json_array_size(images), turns, err);
    json_t *skill = json_object_get(raw, "skill");
    if (ok && !(put(record, "id", read_id(raw)) && !json_object_set(record, "images", images) &&
                (!json_is_string(skill) || !json_object_set(record, "skill", skill)) &&
                !json_object_set(record, "conversations", turns)))
        ok = lp_error_memory(err);
    json_decref(images);
    json_decref(turns);
    if (ok)
        return record;
    json_decref(record);
    return NULL;
}

bool lp_records_next(struct lp_records *r, json_t **record, struct lp_error *err) {
    *record = NULL;
    char c = peek(r);
    if (r->number == 0 && c != '[')
        return lp_error_set(err, LP_EINPUT, "%s must hold a JSON array of records", r->path);
    if (c == ']')
        return true;
    if (c != (r->number ? ',' : '['))
        return lp_error_set(err, LP_EINPUT, "%s breaks off after record %zu", r->path, r->number);
    r->at++;
    if (r->number == 0 && peek(r) == ']')
        return true;
    json_error_t e;
    json_t *raw = json_loadb((const char *)r->file.data + r->at, r->file.size - r->at, JSON_DISABLE_EOF_CHECK, &e);
    r->number++;
    if (!raw && (json_error_code(&e) == json_error_out_of_memory || !e.text[0]))
        return lp_error_memory(err);
    if (!json_is_object(raw)) {
        json_decref(raw);
        return lp_error_set(err, LP_EINPUT, "%s, record %zu is not a JSON object", r->path, r->number);
    }
    r->at += (size_t)e.position;
    *record = normal_form(raw, err);
    json_decref(raw);
    return *record ? true : lp_error_prefix(err, "%s, record %zu", r->path, r->number);
}
