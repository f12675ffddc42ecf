/* SPDX-License-Identifier: MIT */
/* data/rewrite_record.c - finds the instructions of a dialogue and puts other words in their places: in the user's turn
 * and where result turns repeat the question. */
#include "data/rewrite_record.h"

#include "base/memory.h"
#include "base/str.h"
#include "data/said.h"

#include <string.h>

static const json_t *actions_of(const json_t *turns, size_t i) {
    return json_object_get(json_array_get(turns, i), "actions");
}

static const char *value_of(const json_t *turns, size_t i) {
    return json_string_value(json_object_get(json_array_get(turns, i), "value"));
}

/* A human turn after calls holds their results and the question again. */
static bool is_result(const json_t *turns, size_t i) {
    return i > 0 && json_array_size(actions_of(turns, i - 1)) > 0;
}

bool lp_rewrite_said(const json_t *turns, size_t i, struct lp_rewrite_said *said, struct lp_error *err) {
    struct lp_str key = {0};
    struct lp_said parts;
    const json_t *item;
    size_t k;
    *said = (struct lp_rewrite_said){.sure = true};
    if (is_result(turns, i))
        return true;
    lp_said_split(value_of(turns, i), &parts);
    if (parts.bytes == 0)
        return true;
    if (!(said->text = lp_alloc(parts.bytes + 1)))
        return lp_error_memory(err);
    memcpy(said->text, parts.text, parts.bytes);
    said->keeps = lp_said_keeps(said->text, actions_of(turns, i + 1), &said->sure);
    lp_str_puts(&key, said->text);
    json_array_foreach(said->keeps, k, item)
        lp_str_printf(&key, "\n%s", json_string_value(item));
    said->key = key.s;
    if (said->keeps && !key.failed)
        return true;
    lp_rewrite_said_done(said);
    return lp_error_memory(err);
}

void lp_rewrite_said_done(struct lp_rewrite_said *said) {
    lp_free(said->text);
    lp_free(said->key);
    json_decref(said->keeps);
    *said = (struct lp_rewrite_said){0};
}

/* The question as result turns repeat it: without pictures. */
static const char *question_of(const char *turn) {
    while (!strncmp(turn, "<image>\n", 8))
        turn += 8;
    return turn;
}

static bool set_value(json_t *turn, const struct lp_str *value) {
    return !value->failed && !json_object_set_new(turn, "value", json_string(lp_str_text(value)));
}

/* Puts other words into turn i and into the result turns up to the next question. */
static bool replace(const json_t *from, json_t *turns, size_t i, const char *words) {
    const char *old = value_of(from, i), *question = question_of(old);
    struct lp_said parts;
    struct lp_str anew = {0}, turn = {0};
    lp_said_split(old, &parts);
    lp_str_add(&anew, parts.front, parts.front_bytes);
    lp_str_puts(&anew, words);
    lp_str_puts(&anew, parts.back);
    bool ok = set_value(json_array_get(turns, i), &anew);
    for (size_t k = i + 2; ok && k < json_array_size(from) && is_result(from, k); k += 2) {
        const char *value = value_of(from, k);
        size_t n = strlen(value), m = strlen(question);
        if (n < m || strcmp(value + n - m, question))
            continue;
        lp_str_cut(&turn, 0);
        lp_str_add(&turn, value, n - m);
        lp_str_puts(&turn, question_of(lp_str_text(&anew)));
        ok = set_value(json_array_get(turns, k), &turn);
    }
    lp_str_done(&anew);
    lp_str_done(&turn);
    return ok;
}

/* The frame of the new record; its turns are the old ones. */
static json_t *released(const json_t *record, json_t *turns, int k) {
    const json_t *images = json_object_get(record, "images");
    json_t *anew = json_object();
    bool ok = !json_object_set_new(anew, "unique_id",
                                   json_sprintf("%s_w%d", json_string_value(json_object_get(record, "id")), k + 1)) &&
              !json_object_set_new(anew, "data_source", json_string("rewrite"));
    if (json_array_size(images) == 1)
        ok = ok && !json_object_set(anew, "image", json_array_get(images, 0));
    else if (json_array_size(images))
        ok = ok && !json_object_set(anew, "image", (json_t *)images);
    ok = ok && !json_object_set(anew, "conversations", turns);
    if (ok)
        return anew;
    json_decref(anew);
    return NULL;
}

bool lp_rewrite_record(const json_t *record, const struct lp_journal *wordings, int k, json_t **anew, struct lp_error *err) {
    const json_t *from = json_object_get(record, "conversations");
    json_t *turns = json_deep_copy(from);
    bool ok = turns || lp_error_memory(err), any = false;
    *anew = NULL;
    for (size_t i = 0; ok && i < json_array_size(from); i += 2) {
        struct lp_rewrite_said said;
        ok = lp_rewrite_said(from, i, &said, err);
        const json_t *list = ok && said.key ? lp_journal_find(wordings, said.key) : NULL;
        const char *words = json_string_value(json_array_get(list, (size_t)k));
        if (words && !(ok = replace(from, turns, i, words)))
            lp_error_memory(err);
        any |= words != NULL;
        lp_rewrite_said_done(&said);
    }
    if (ok && any && !(*anew = released(record, turns, k)))
        ok = lp_error_memory(err);
    json_decref(turns);
    return ok;
}
