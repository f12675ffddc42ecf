/* SPDX-License-Identifier: MIT */
/* cli/lessons.c - records of data files (data/) to samples of a training (train/). */
#include "cli/lessons.h"

#include "base/file.h"
#include "base/json.h"
#include "data/records.h"
#include "plan/action.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

enum { MOST_PICTURES = 16, MOST_TURNS = 256, MOST_FILES = 64 };

/* What a record says, as messages and pictures. */
struct record {
    struct lp_message message[MOST_TURNS];
    size_t messages;
    const char *picture[MOST_PICTURES];
    size_t pictures;
    struct lp_arena arena;
};

/* The text without marks of pictures; the line breaks behind them stay and say that there is one. */
static char *without_marks(struct lp_arena *arena, const char *text) {
    char *kept = lp_arena_strdup(arena, text);
    for (char *at = kept; at && (at = strstr(at, LP_IMAGE_TEXT));) {
        const char *rest = at + strlen(LP_IMAGE_TEXT);
        memmove(at, rest, strlen(rest) + 1);
    }
    return kept;
}

/* Assistants' turns become the training text of section 1.2: the fields that are there, in their order. */
static bool add_turn(struct record *rec, const json_t *turn, bool blind, struct lp_error *err) {
    const char *from, *value, *thoughts;
    if (!lp_json_string(turn, "from", "", &from, err) || !lp_json_string(turn, "value", NULL, &value, err) ||
        !lp_json_string(turn, "thoughts", NULL, &thoughts, err))
        return false;
    if (rec->messages == MOST_TURNS)
        return lp_error_set(err, LP_EINPUT, "it has more than %d turns", MOST_TURNS);
    bool human = !strcasecmp(from, "human");
    if (human != (rec->messages % 2 == 0) || (human && !value))
        return lp_error_set(err, LP_EINPUT, "turn %zu is not the %s's", rec->messages + 1,
                            rec->messages % 2 ? "assistant" : "human");
    const char *text = human && blind ? without_marks(&rec->arena, value) : value;
    if (!human) {
        struct lp_str out = {0};
        lp_plan_format(&out, thoughts, json_object_get(turn, "actions"), value);
        text = out.failed ? NULL : lp_arena_strdup(&rec->arena, lp_str_text(&out));
        lp_str_done(&out);
    }
    if (!text)
        return lp_error_memory(err);
    rec->message[rec->messages++] = (struct lp_message){text, !human};
    return true;
}

/* Whether a name cannot lead out of the folder it is looked for in. */
static bool stays_inside(const char *name) {
    for (const char *part = name; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL)
        if (!strcmp(part, "..") || !strncmp(part, "../", 3))
            return false;
    return name[0] != '/';
}

/* The first image folder that has the file. */
static bool add_picture(struct record *rec, const char *name, char *const *folder, int folders,
                        struct lp_error *err) {
    char path[PATH_MAX];
    if (rec->pictures == MOST_PICTURES)
        return lp_error_set(err, LP_EINPUT, "it has more than %d pictures", MOST_PICTURES);
    if (!stays_inside(name))
        return lp_error_set(err, LP_EINPUT, "the picture '%s' is outside the image folders", name);
    for (int i = 0; i < folders; i++) {
        if (!lp_file_join(path, sizeof path, folder[i], name, err))
            return false;
        if (!lp_file_exists(path))
            continue;
        rec->picture[rec->pictures] = lp_arena_strdup(&rec->arena, path);
        return rec->picture[rec->pictures++] || lp_error_memory(err);
    }
    return lp_error_set(err, LP_EINPUT, "the picture '%s' is in none of the image folders", name);
}

static bool read_record(struct record *rec, const json_t *json, const struct lp_lessons *to, struct lp_error *err) {
    const json_t *item;
    size_t i;
    json_array_foreach(json_object_get(json, "conversations"), i, item)
        if (!add_turn(rec, item, to->blind, err))
            return false;
    json_array_foreach(to->blind ? NULL : json_object_get(json, "images"), i, item)
        if (!add_picture(rec, json_string_value(item), to->folder, to->folders, err))
            return false;
    return true;
}

/* Pictures that the first n messages show. */
static size_t count_marks(const struct record *rec, size_t n) {
    size_t marks = 0;
    for (size_t i = 0; i < n; i++)
        for (const char *at = rec->message[i].text; (at = strstr(at, LP_IMAGE_TEXT)); at++)
            marks++;
    return marks;
}

static bool use_record(struct lp_lessons *to, const struct record *rec, struct lp_error *err) {
    size_t n = to->turns && rec->messages > (size_t)to->turns ? (size_t)to->turns : rec->messages;
    n -= n % 2; /* an answer must come last */
    size_t pictures = n == rec->messages ? rec->pictures : count_marks(rec, n);
    if (to->set)
        return lp_train_set_add(to->set, rec->message, n, rec->picture,
                                pictures < rec->pictures ? pictures : rec->pictures, err);
    for (size_t i = 0; i < n; i++)
        lp_str_printf(&to->text, "%s\n", rec->message[i].text);
    return !to->text.failed || lp_error_memory(err);
}

static bool read_file(const char *path, struct lp_lessons *to, struct lp_error *err) {
    struct lp_records *records = lp_records_open(path, err);
    bool ok = records != NULL;
    json_t *json = NULL;
    for (size_t i = 1; ok && (ok = lp_records_next(records, &json, err)) && json; i++) {
        struct record rec = {0};
        if (to->set)
            to->set->source = (struct lp_train_source){path, (int64_t)lp_records_line(records)};
        ok = read_record(&rec, json, to, err) && use_record(to, &rec, err);
        if (!ok)
            lp_error_prefix(err, "%s, line %zu: record %zu", path, lp_records_line(records), i);
        lp_arena_done(&rec.arena);
        json_decref(json);
    }
    if (to->set)
        to->set->source = (struct lp_train_source){0};
    lp_records_close(records);
    return ok;
}

bool lp_lessons_split(char *list, char **item, int most, int *n, struct lp_error *err) {
    *n = 0;
    for (char *part = strtok(list, ","); part; part = strtok(NULL, ",")) {
        if (*n == most)
            return lp_error_set(err, LP_EUSAGE, "a list of more than %d files or folders: join them", most);
        item[(*n)++] = part;
    }
    return true;
}

bool lp_lessons_read(char *list, struct lp_lessons *to, struct lp_error *err) {
    char *path[MOST_FILES];
    int n;
    if (!lp_lessons_split(list, path, MOST_FILES, &n, err))
        return false;
    for (int i = 0; i < n; i++)
        if (!read_file(path[i], to, err))
            return false;
    return true;
}
