/* SPDX-License-Identifier: MIT */
/* data/records.c - the released record format. What differs among the released files is put right: ids are numbers or
 * texts, under three names; the picture is "image", "file_name" or missing with an "id" that is a file name; "<image>"
 * stands first, last or twice; thoughts and actions may be missing; actions carry stray keys. What
 * cannot be meant is named with its line, never guessed. */
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
    bool ended;
    size_t line, counted; /* where that record begins, from 1; bytes whose lines are counted */
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
    r->line = 1;
    if (!lp_file_open(&r->file, path, err)) {
        lp_records_close(r);
        return NULL;
    }
    if (r->file.size >= 3 && !memcmp(r->file.data, "\xef\xbb\xbf", 3)) /* a byte order mark */
        r->at = 3;
    return r;
}

void lp_records_close(struct lp_records *r) {
    if (!r)
        return;
    lp_file_close(&r->file);
    lp_free(r->path);
    lp_free(r);
}

/* The next byte that is no blank; END there is none. */
enum { END = -1 };
static int peek(struct lp_records *r) {
    while (r->at < r->file.size && isspace(r->file.data[r->at]))
        r->at++;
    for (; r->counted < r->at; r->counted++)
        r->line += r->file.data[r->counted] == '\n';
    return r->at < r->file.size ? r->file.data[r->at] : END;
}

size_t lp_records_line(const struct lp_records *r) {
    return r->line;
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

/* Adds a picture's name to images. */
static bool add_image(json_t *images, const char *key, const json_t *name, struct lp_error *err) {
    if (!json_is_string(name) || !json_string_length(name))
        return lp_error_set(err, LP_EINPUT, "'%s' is not the name of a picture", key);
    return !json_array_append_new(images, json_string(json_string_value(name))) || lp_error_memory(err);
}

/* `marked`: whether the turns speak of a picture. NULL after a failure. */
static json_t *read_images(const json_t *raw, bool marked, struct lp_error *err) {
    static const char *const keys[] = {"image", "images", "file_name", "image_file_name"};
    json_t *images = json_array();
    bool ok = images || lp_error_memory(err);
    for (size_t i = 0; ok && i < sizeof keys / sizeof *keys && !json_array_size(images); i++) {
        const json_t *value = json_object_get(raw, keys[i]), *item;
        size_t k;
        if (value && !json_is_null(value) && !json_is_array(value))
            ok = add_image(images, keys[i], value, err);
        json_array_foreach(value, k, item)
            ok = ok && add_image(images, keys[i], item, err);
    }
    const char *id = json_string_value(json_object_get(raw, "id"));
    if (ok && marked && !json_array_size(images) && is_picture_name(id))
        ok = add_image(images, "id", json_object_get(raw, "id"), err);
    if (ok && marked && !json_array_size(images))
        ok = lp_error_set(err, LP_EINPUT, "it shows a picture ('%s'), but names none", picture_mark);
    if (ok)
        return images;
    json_decref(images);
    return NULL;
}

static bool is_human(const json_t *turn) {
    const char *from = json_string_value(json_object_get(turn, "from"));
    return from && (!strcasecmp(from, "human") || !strcasecmp(from, "user"));
}

static bool is_assistant(const json_t *turn) {
    const char *from = json_string_value(json_object_get(turn, "from"));
    return from && (!strcasecmp(from, "gpt") || !strcasecmp(from, "assistant"));
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

static bool is_absent(const json_t *value) {
    return !value || json_is_null(value);
}

/* A planned call; parameters may be missing, other keys are dropped. */
static bool read_action(const json_t *item, size_t number, json_t *actions, struct lp_error *err) {
    const json_t *name = json_object_get(item, "API_name"), *params = json_object_get(item, "API_params");
    if (!json_is_string(name) || !json_string_length(name))
        return lp_error_set(err, LP_EINPUT, "action %zu has no 'API_name'", number);
    if (!is_absent(params) && !json_is_object(params))
        return lp_error_set(err, LP_EINPUT, "the 'API_params' of action %zu are no object", number);
    json_t *action = json_object();
    bool ok = put(action, "API_name", json_copy((json_t *)name)) &&
              put(action, "API_params", json_is_object(params) ? json_deep_copy(params) : json_object()) &&
              !json_array_append(actions, action);
    json_decref(action);
    return ok || lp_error_memory(err);
}

/* NULL after a failure. */
static json_t *read_assistant(const json_t *raw, struct lp_error *err) {
    const json_t *thoughts = json_object_get(raw, "thoughts"), *actions = json_object_get(raw, "actions"), *item;
    const char *value = json_string_value(json_object_get(raw, "value"));
    json_t *turn = json_object(), *plan = json_is_array(actions) ? json_array() : NULL;
    size_t i;
    bool ok = true;
    if (!value)
        ok = lp_error_set(err, LP_EINPUT, "it has no 'value'");
    else if (count_marks(value))
        ok = lp_error_set(err, LP_EINPUT, "the assistant cannot show a picture ('%s')", picture_mark);
    else if (!is_absent(thoughts) && !json_is_string(thoughts))
        ok = lp_error_set(err, LP_EINPUT, "its 'thoughts' are no text");
    else if (!is_absent(actions) && !plan)
        ok = json_is_array(actions) ? lp_error_memory(err) : lp_error_set(err, LP_EINPUT, "its 'actions' are no list");
    json_array_foreach(actions, i, item)
        ok = ok && read_action(item, i + 1, plan, err);
    if (ok && !(put(turn, "from", json_string("gpt")) &&
                (!json_is_string(thoughts) || put(turn, "thoughts", json_copy((json_t *)thoughts))) &&
                (!plan || !json_object_set(turn, "actions", plan)) && put(turn, "value", json_string(value))))
        ok = lp_error_memory(err);
    json_decref(plan);
    if (ok)
        return turn;
    json_decref(turn);
    return NULL;
}

/* Turns from the first human one to the last assistant's; pictures that no turn shows go to the first. */
static bool read_turns(const json_t *raw, size_t images, json_t *turns, struct lp_error *err) {
    size_t marks = 0, n = json_array_size(raw), begin = n && is_assistant(json_array_get(raw, 0));
    n -= (n - begin) % 2;
    for (size_t i = begin; i < n; i++) {
        const json_t *turn = json_array_get(raw, i);
        const char *value = json_string_value(json_object_get(turn, "value"));
        bool human = (i - begin) % 2 == 0;
        if (human != is_human(turn) || (!human && !is_assistant(turn)))
            return lp_error_set(err, LP_EINPUT, "turn %zu should be the %s's", i + 1, human ? "human" : "assistant");
        if (human && !value)
            return lp_error_set(err, LP_EINPUT, "turn %zu has no 'value'", i + 1);
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
        json_t *clean = human ? read_human(value, shown) : read_assistant(turn, err);
        if (!clean && !human)
            return lp_error_prefix(err, "turn %zu", i + 1);
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
    if (!is_absent(conversations) && !json_is_array(conversations)) {
        lp_error_set(err, LP_EINPUT, "its 'conversations' are no list");
        return NULL;
    }
    json_t *record = json_object(), *turns = json_array(), *images = NULL;
    bool ok = record && turns ? (images = read_images(raw, marked, err)) != NULL : lp_error_memory(err);
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

static bool read_end(struct lp_records *r, struct lp_error *err) {
    r->at++;
    if (peek(r) != END)
        return lp_error_set(err, LP_EINPUT, "%s, line %zu: something follows the end of the records", r->path, r->line);
    r->ended = true;
    return true;
}

bool lp_records_next(struct lp_records *r, json_t **record, struct lp_error *err) {
    *record = NULL;
    if (r->ended)
        return true;
    int c = peek(r);
    if (r->number == 0 && c != '[')
        return lp_error_set(err, LP_EINPUT, "%s must hold a JSON array of records", r->path);
    if (c == ']')
        return read_end(r, err);
    if (c != (r->number ? ',' : '['))
        return lp_error_set(err, LP_EINPUT, "%s, line %zu: it breaks off after record %zu", r->path, r->line, r->number);
    r->at++;
    c = peek(r);
    if (r->number == 0 && c == ']')
        return read_end(r, err);
    if (c == END)
        return lp_error_set(err, LP_EINPUT, "%s, line %zu: it breaks off after record %zu", r->path, r->line, r->number);
    if (c != '{')
        return lp_error_set(err, LP_EINPUT, "%s, line %zu: record %zu is not a JSON object", r->path, r->line,
                            r->number + 1);
    json_error_t e;
    lp_alloc_take_failure();
    json_t *raw = json_loadb((const char *)r->file.data + r->at, r->file.size - r->at, JSON_DISABLE_EOF_CHECK, &e);
    r->number++;
    if (!raw && (lp_alloc_take_failure() || !e.text[0]))
        return lp_error_memory(err);
    if (!raw)
        return lp_error_set(err, LP_EINPUT, "%s, line %zu: record %zu is not JSON: at line %zu, %s", r->path, r->line,
                            r->number, r->line + (size_t)e.line - 1, e.text);
    r->at += (size_t)e.position;
    *record = normal_form(raw, err);
    json_decref(raw);
    return *record ? true : lp_error_prefix(err, "%s, line %zu: record %zu", r->path, r->line, r->number);
}
